"""Votes drawn from a synthetic arena whose truth is known.

Prompts are written after everything else is drawn, so that votes without texts are the same
votes.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.alias import pick
from arena.display import listing
from arena.errors import OptionError
from arena.prompt_texts import KINDS, LANGUAGES, PromptPlan, write_follow_ups, write_prompts
from arena.schema import BATTLE_SCHEMA, WINNERS
from arena.training_texts import training_corpus
from arena.vote_draws import BLOCK, Votes, draw_block, n_blocks
from arena.vote_setting import ADVERSARIAL, CARELESS, Setting, asked, prepare, stream
from arena.world import World

Integers = NDArray[np.int64]

VERSION = 1
"""Raised when the same world and seed give other votes."""

DAY = 86_400_000_000
"""Microseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """Votes, and the truth about them.

    Attributes:
        votes: one row per vote, in time, with columns of `BATTLE_SCHEMA`; with `prompt` and
            `user_text` only if texts were asked for.
        seen: one row per vote, in the same order: `prompt_id`; for each corpus a column of its
            name, whether the prompt is in it; `seen_a` and `seen_b`, whether the model was
            trained on it.
        corpora: name → frame with `text_id`, `prompt`, `copy` (exact, edited, or null: a text
            that the arena does not ask) and `prompt_id`; empty without texts.
        truth: the world, the seed, the judges who do not vote honestly, and the share of the
            votes whose prompt each corpus holds, as plain values that JSON can hold.
    """

    votes: pl.DataFrame
    seen: pl.DataFrame
    corpora: Mapping[str, pl.DataFrame]
    truth: Mapping[str, Any]


def simulate(world: World, n_votes: int, seed: int = 0, *, texts: bool = True) -> Simulated:
    """Draw votes from a world; the same world, number and seed give the same votes.

    Args:
        world: what is true.
        n_votes: how many votes.
        seed: a whole number.
        texts: whether to write prompts and training corpora, which takes most of the time.
            Without them `user_tokens` is drawn, and not counted.

    Raises:
        OptionError: a number that cannot be, or a language in which no prompts can be written.

    >>> log = simulate(World({"x": 1100.0, "y": 1000.0}), 1000, texts=False).votes
    >>> log.select("battle_id", "model_a", "winner").row(0)
    ('synthetic-0-000000', 'x', 'model_b')
    """
    for name, value, least in (("n_votes", n_votes, 1), ("seed", seed, 0)):
        if not isinstance(value, int) or value < least:
            raise OptionError(f"{name}: {value} is not a whole number from {least} up")
    unwritten = [name for name in world.languages if name not in LANGUAGES]
    if texts and unwritten:
        message = f"languages: no prompts can be written in {listing(unwritten)}, only in "
        raise OptionError(f"{message}{', '.join(LANGUAGES)}; or simulate without texts")
    setting = prepare(world, n_votes, seed)
    tables = _Tables.of(setting)

    def make(number: int) -> tuple[pl.DataFrame, pl.DataFrame, Votes | None]:
        drawn = draw_block(setting, number)
        return tables.votes(drawn, number), _seen(setting, drawn), drawn if texts else None

    with ThreadPoolExecutor() as threads:
        votes, seen, blocks = zip(*threads.map(make, range(n_blocks(setting))), strict=True)
    log, known = pl.concat(votes), pl.concat(seen)
    corpora: dict[str, pl.DataFrame] = {}
    if texts:
        drawn = [block for block in blocks if block is not None]
        log, corpora = _with_texts(setting, log, known, _Asked.of(setting, drawn))
    columns = [name for name in BATTLE_SCHEMA if name in log.columns]
    return Simulated(log.select(columns), known, corpora, _truth(setting, known, texts))


# ── arrays to frames ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class _Tables:
    """The words that codes stand for; `numbers` are the last digits of battle ids."""

    setting: Setting
    numbers: pl.Series
    models: pl.Series
    judges: pl.Series
    days: pl.Series
    languages: pl.Series
    winners: pl.Series

    @classmethod
    def of(cls, setting: Setting) -> "_Tables":
        world = setting.world
        days = [f"-{day:03d}" for day in range((world.end - world.start).days)]
        return cls(
            setting,
            pl.int_range(BLOCK, eager=True).cast(pl.String).str.zfill(len(str(BLOCK - 1))),
            pl.Series(world.models),
            pl.Series(judge_names(world.judges.number)),
            pl.Series(days),
            pl.Series(list(world.languages)),
            pl.Series(WINNERS),
        )

    def votes(self, drawn: Votes, number: int) -> pl.DataFrame:
        """The votes of a block."""
        setting = self.setting
        width = len(str(n_blocks(setting) - 1))
        prefix = f"synthetic-{setting.seed}-{number:0{width}d}"
        judge = self.judges.gather(drawn.judge)
        day = (drawn.time - setting.midnight) // DAY
        return pl.DataFrame(
            {
                "battle_id": prefix + self.numbers.head(drawn.left.size),
                "model_a": self.models.gather(drawn.left),
                "model_b": self.models.gather(drawn.right),
                "winner": self.winners.gather(drawn.winner),
                "judge": judge,
                "session": judge + self.days.gather(day),
                "tstamp": pl.Series(drawn.time).cast(BATTLE_SCHEMA["tstamp"]),
                "language": self.languages.gather(drawn.language),
                "turns": drawn.turns,
                "anony": pl.repeat(True, drawn.left.size, eager=True),
                "is_code": drawn.kind == KINDS.index("code"),
                "is_refusal": drawn.refusal,
                "is_math": drawn.kind == KINDS.index("math"),
                "is_creative_writing": drawn.kind == KINDS.index("creative"),
                "is_instruction_following": drawn.ruled,
                "hard_criteria": drawn.criteria,
                "user_tokens": drawn.asked,
            }
            | {
                f"{count}_{side}": values
                for count, sides in drawn.looks.items()
                for side, values in zip("ab", sides, strict=True)
            }
        )


def judge_names(n: int) -> list[str]:
    """What n judges are called."""
    return [f"judge-{i:0{len(str(n - 1))}d}" for i in range(n)]


def _seen(setting: Setting, drawn: Votes) -> pl.DataFrame:
    """Which prompts of a block are in which corpus, and who was trained on them."""
    sides = {}
    for side, model in (("a", drawn.left), ("b", drawn.right)):
        sides[f"seen_{side}"] = (drawn.seen & setting.trained[:, model]).any(axis=0)
    names = [corpus.name for corpus in setting.world.corpora]
    return pl.DataFrame(
        {"prompt_id": drawn.prompt} | dict(zip(names, drawn.seen, strict=True)) | sides
    )


# ── texts ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What n votes ask, for writing it out.

    Attributes:
        language, turns, prompt: int [n], as in `Votes`.
        own: int [p], the votes that ask a prompt nobody else asks.
        plan: the K prompts of the pool, those of `own`, and the unrelated texts of all corpora.
    """

    language: Integers
    turns: Integers
    prompt: Integers
    own: Integers
    plan: PromptPlan

    @classmethod
    def of(cls, setting: Setting, blocks: list[Votes]) -> "_Asked":
        world, pool, rng = setting.world, setting.pool, stream(setting.seed, "texts", 0)
        language, turns, prompt, kind, ruled = (
            np.concatenate([getattr(block, name) for block in blocks])
            for name in ("language", "turns", "prompt", "kind", "ruled")
        )
        own = np.flatnonzero(prompt >= pool.size)
        n_unrelated = sum(corpus.unrelated for corpus in world.corpora)
        spoken = pick(setting.speaks, n_unrelated, rng)
        other_kind, other_ruled, _ = asked(world, n_unrelated, rng)
        plan = PromptPlan(
            languages=tuple(world.languages),
            language=np.concatenate([pool.language, language[own], spoken]),
            kind=np.concatenate([pool.kind, kind[own], other_kind]),
            ruled=np.concatenate([pool.ruled, ruled[own], other_ruled]),
            greeting=np.concatenate([pool.greeting, np.full(own.size + n_unrelated, -1)]),
        )
        return cls(language, turns, prompt, own, plan)

    def place(self, prompt: Integers, n_pool: int) -> Integers:
        """Where prompts stand in the plan."""
        return np.where(
            prompt < n_pool, prompt, n_pool + np.searchsorted(self.own, prompt - n_pool)
        )


def _with_texts(
    setting: Setting, votes: pl.DataFrame, seen: pl.DataFrame, what: _Asked
) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """The votes with their prompts, and the training corpora."""
    n_pool = setting.pool.size
    texts = write_prompts(what.plan, stream(setting.seed, "texts", 1))
    prompt = texts.gather(what.place(what.prompt, n_pool)).alias("prompt")
    user_text = _user_texts(setting, what, prompt).alias("user_text")
    # About four bytes make a token, in any script.
    tokens = ((user_text.str.len_bytes().cast(pl.Int64) + 3) // 4).alias("user_tokens")
    corpora: dict[str, pl.DataFrame] = {}
    free = n_pool + what.own.size
    for number, corpus in enumerate(setting.world.corpora):
        ids = np.unique(what.prompt[seen[corpus.name].to_numpy()])
        copied = pl.DataFrame({"prompt": texts.gather(what.place(ids, n_pool)), "prompt_id": ids})
        unrelated = texts.slice(free, corpus.unrelated)
        free += corpus.unrelated
        rng = stream(setting.seed, "copies", number)
        corpora[corpus.name] = training_corpus(corpus, copied, unrelated, rng)
    return votes.with_columns(prompt, user_text, tokens), corpora


def _user_texts(setting: Setting, what: _Asked, prompt: pl.Series) -> pl.Series:
    """All that users said: the prompt, and a line for each further turn."""
    several = np.flatnonzero(what.turns > 1)
    further = what.turns[several] - 1
    spoken = np.repeat(what.language[several], further)
    lines = write_follow_ups(what.plan.languages, spoken, stream(setting.seed, "texts", 2))
    first = np.cumsum(further) - further
    said = prompt.gather(several)
    for turn in range(further.max(initial=0)):
        rows = np.flatnonzero(further > turn)
        said = said.scatter(rows, said.gather(rows) + "\n" + lines.gather(first[rows] + turn))
    # polars' scatter writes into its own series.
    return prompt.clone().scatter(several, said)


# ── truth ──────────────────────────────────────────────────────────────────────────────────


def _truth(setting: Setting, seen: pl.DataFrame, texts: bool) -> dict[str, Any]:
    world = setting.world
    names = judge_names(world.judges.number)
    described = asdict(world) | {"start": str(world.start), "end": str(world.end)}
    described["corpora"] = [asdict(one) | {"models": list(one.models)} for one in world.corpora]
    return {
        "kind": "synthetic votes",
        "version": VERSION,
        "seed": setting.seed,
        "n_votes": setting.n_votes,
        "texts": texts,
        "world": described,
        "judges": {
            conduct: [names[i] for i in np.flatnonzero(setting.conduct == code)]
            for conduct, code in (("careless", CARELESS), ("adversarial", ADVERSARIAL))
        },
        "overlap": {one.name: seen[one.name].mean() for one in world.corpora},
    }
