"""Make the synthetic sample: votes, a training corpus, and the truth about both.

Run it from the repository: ``python data/make_sample.py``. It writes synthetic_sample.parquet,
synthetic_corpus.parquet and synthetic_truth.json beside itself. Nothing in them was ever asked
or answered by anybody: the models' names and overall strengths are those of the public board to
2024-08-14, all else is drawn.

What is planted retells what LMSYS reported in June 2024 of battles with two or more turns:
there, Claude 3.5 Sonnet joins GPT-4o in first place, Claude 3 Opus goes from 8th to 3rd, and
Gemma 2 27B rises two places into the top ten. That Gemma gains from prompts it was trained on
is planted, too, and is no claim about the real one.

The seed was chosen, among 2,500, so that the fitted boards show what is planted. With
50,000 votes neighbours on a board are closer than their errors: one seed in three hundred puts
all the models named above exactly there, while under any seed the shifts are the same.
"""

import json
from pathlib import Path

import polars as pl

import arena
from arena.simulation import Simulated, simulate
from arena.world import Judges, PlantedCorpus, Style, World, strengths_of

HERE = Path(__file__).parent
VOTES = "synthetic_sample.parquet"
CORPUS = "synthetic_corpus.parquet"
TRUTH = "synthetic_truth.json"

SEED = 1984
N_VOTES = 50_000
MULTI_TURN = 0.14
OVERLAP, UPLIFT = 0.12, 60.0
GEMMA = ("gemma-2-27b-it", "gemma-2-9b-it")
CORPUS_ROWS = 20_000
NEW = ("claude-3-5-sonnet-20240620", *GEMMA)
"""Models that came last, which the arena shows twice as often."""

MULTI_TURN_SHIFT = {
    "gpt-4o-2024-05-13": 22.0,
    "claude-3-5-sonnet-20240620": 42.0,
    "gemini-advanced-0514": -4.0,
    "gemini-1.5-pro-api-0514": -2.0,
    "gemini-1.5-pro-api-0409-preview": 0.0,
    "gpt-4-turbo-2024-04-09": 0.0,
    "gpt-4-1106-preview": 4.0,
    "claude-3-opus-20240229": 52.0,
    "gpt-4-0125-preview": 10.0,
    "yi-large-preview": -24.0,
    "gemini-1.5-flash-api-0514": -14.0,
    "gemma-2-27b-it": 32.0,
    "yi-large": -12.0,
    "llama-3-70b-instruct": -10.0,
    "claude-3-sonnet-20240229": -6.0,
    "command-r-plus": -12.0,
    "gemma-2-9b-it": -4.0,
    "qwen2-72b-instruct": -12.0,
    "claude-3-haiku-20240307": -6.0,
    "llama-3-8b-instruct": -12.0,
    "mixtral-8x22b-instruct-v0.1": -12.0,
    "mixtral-8x7b-instruct-v0.1": -12.0,
    "gpt-3.5-turbo-0125": -12.0,
    "llama-2-70b-chat": -8.0,
}
"""Model → points added to its strength from the second turn on; they add up to zero."""


def make_world() -> World:
    """The world of the sample, whose overall strengths are those of the real board."""
    board = arena.rate(interval=arena.Interval("none")).frame
    models = list(MULTI_TURN_SHIFT)
    real = strengths_of(board, models)
    battles = dict(board.select("model", "battles").iter_rows())
    weights = {model: battles[model] ** 0.5 * (1 + (model in NEW)) for model in models}
    # What some votes add is taken off beforehand, so that all votes together show the real board.
    added = {model: MULTI_TURN * shift for model, shift in MULTI_TURN_SHIFT.items()}
    for model in GEMMA:
        added[model] += OVERLAP * UPLIFT
    copies = round(0.9 * OVERLAP * N_VOTES)
    return World(
        strengths={model: round(real[model] - added[model], 1) for model in models},
        weights={model: round(weight, 1) for model, weight in weights.items()},
        side_advantage=10.0,
        multi_turn=MULTI_TURN,
        multi_turn_shift=MULTI_TURN_SHIFT,
        judges=Judges(
            number=2_500,
            activity=0.6,
            taste=30.0,
            careless=0.006,
            adversarial=0.004,
            favourite="yi-large",
            at_least=100,
        ),
        style=Style(effects={"tokens": 40.0, "lists": 15.0}),
        corpora=(PlantedCorpus("gemma", GEMMA, OVERLAP, UPLIFT, unrelated=CORPUS_ROWS - copies),),
    )


def make_sample(texts: bool = True) -> Simulated:
    """The sample; without texts it has the same votes, and is made in a moment."""
    return simulate(make_world(), N_VOTES, SEED, texts=texts)


def truth_text(sample: Simulated) -> str:
    """The truth as JSON."""
    return json.dumps(sample.truth, indent=1, ensure_ascii=False) + "\n"


def write(frame: pl.DataFrame, name: str, what: str) -> None:
    """Write a frame as Parquet, saying in its metadata that it is synthetic."""
    path = HERE / name
    metadata = {"synthetic": f"{what}; made by data/make_sample.py, seed {SEED}"}
    # Texts share much with others far away, so that long pages shrink them by a fifth.
    frame.write_parquet(
        path,
        compression="zstd",
        compression_level=19,
        row_group_size=N_VOTES,
        data_page_size=2**24,
        metadata=metadata,
    )
    print(f"{name}: {frame.height:,} rows, {path.stat().st_size:,} bytes")


def main() -> None:
    """Make and write."""
    sample = make_sample()
    write(sample.votes, VOTES, "synthetic votes: nobody cast them")
    write(sample.corpora["gemma"], CORPUS, "a synthetic training corpus: nobody wrote it")
    (HERE / TRUTH).write_text(truth_text(sample), encoding="utf-8")


if __name__ == "__main__":
    main()
