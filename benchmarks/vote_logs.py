"""What the benchmarks are run on: vote logs, counts and designs, each drawn from a seed."""

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from time import perf_counter

import numpy as np
import polars as pl
from generate_prompts import CJK_OPENERS, OPENERS, write_prompts
from generate_votes import MIRRORED, WINNERS, generate_votes

from arena.counts import PairCounts
from arena.datasets import shipped
from arena.design import Design
from arena.existence import largest_group
from arena.tally import count_pairs

COEFFICIENTS = np.array([0.5, 0.1, 0.06, 0.04])
NAMES = ("style:tokens", "style:headers", "style:lists", "style:bold")
MOST_SECONDS_DRAWING = 60.0


# ── vote logs ──────────────────────────────────────────────────────────────────────────────


def real_votes(path: Path, seed: int = 0) -> Path:
    """The shipped counts as votes, one row each, in random order and on random sides."""
    rng = np.random.default_rng(seed)
    counted = (
        pl.read_parquet(shipped())
        .unpivot(list(WINNERS), index=["model_a", "model_b"], variable_name="winner")
        .with_columns(pl.col("winner").replace_strict(WINNERS))
    )
    row = rng.permutation(np.repeat(np.arange(counted.height), counted["value"].to_numpy()))
    votes = counted.select("model_a", "model_b", "winner")[row]
    turned = pl.Series("turned", rng.random(row.size) < 0.5)
    write_log(
        path,
        votes.select(
            pl.when(turned).then("model_b").otherwise("model_a").alias("model_a"),
            pl.when(turned).then("model_a").otherwise("model_b").alias("model_b"),
            pl.when(turned).then(pl.col("winner").replace(MIRRORED)).otherwise("winner"),
        ),
    )
    return path


def drawn_votes(path: Path, n: int, seed: int = 0) -> Path:
    """About so many votes drawn from the shipped counts, on models that can all be rated.

    Where there are few votes, some models won or lost everything, and libraries differ in what
    they make of these. Votes on them are left out.
    """
    generate_votes(path, n, seed)
    while True:
        counts = count_pairs(path)
        kept = [counts.models[i] for i in largest_group(counts).kept]
        if len(kept) == counts.n_models:
            return path
        votes = pl.read_parquet(path)
        write_log(path, votes.filter(pl.all_horizontal(pl.col("model_a", "model_b").is_in(kept))))


def write_log(path: Path, votes: pl.DataFrame) -> None:
    """As `generate_votes` writes: zstd, row groups of a million."""
    votes.write_parquet(path, compression="zstd", row_group_size=1_000_000)


@dataclass(frozen=True)
class Shards:
    """A log in several files.

    Attributes:
        paths: of the files.
        n_drawn: how many of them were drawn; the others are these once more.
    """

    paths: tuple[str, ...]
    n_drawn: int


def sharded_votes(
    folder: Path, votes: int, n: int, most_seconds: float = MOST_SECONDS_DRAWING
) -> Shards:
    """So many votes in n files, each drawn with a seed of its own.

    If that would take too long, fewer are drawn, and linked under several names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{i:02d}.parquet" for i in range(n)]
    each = votes // n
    start = perf_counter()
    generate_votes(paths[0], each, 0)
    took, at_once = perf_counter() - start, os.cpu_count() or 1
    n_drawn = min(n, 1 + int(at_once * most_seconds / max(took, 1e-9)))
    command = [sys.executable, str(Path(__file__).with_name("generate_votes.py"))]

    def draw(i: int) -> None:
        given = [str(paths[i]), "--votes", str(each), "--seed", str(i)]
        subprocess.run([*command, *given], check=True, stdout=subprocess.DEVNULL)

    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(draw, range(1, n_drawn)))
    for i in range(n_drawn, n):
        paths[i].unlink(missing_ok=True)
        os.link(paths[i % n_drawn], paths[i])
    return Shards(tuple(map(str, paths)), n_drawn)


# ── counts among many ──────────────────────────────────────────────────────────────────────


def many_counts(n_models: int, games: int, seed: int = 0) -> PairCounts:
    """Games among many, as counts: the active meet more often, and a tenth are ties."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0.0, 0.6, n_models)
    upto = np.cumsum(rng.lognormal(0.0, 0.5, n_models))
    left, right = (np.searchsorted(upto, rng.random(games) * upto[-1]) for _ in range(2))
    right = np.where(left == right, (right + 1) % n_models, right)
    left_won = rng.random(games) < 1.0 / (1.0 + np.exp(strength[right] - strength[left]))
    kind = np.where(rng.random(games) < 0.1, 2, np.where(left_won, 0, 1))
    pair, place = np.unique(left * n_models + right, return_inverse=True)
    outcomes = np.bincount(4 * place + kind, minlength=4 * pair.size).astype(np.float64)
    names = tuple(f"player-{i:06d}" for i in range(n_models))
    return PairCounts(names, np.stack(np.divmod(pair, n_models), axis=1), outcomes.reshape(-1, 4))


def save_counts(path: Path, counts: PairCounts) -> Path:
    """Counts as a file, as drawing them takes longer and more memory than most fits."""
    np.savez(path, models=counts.models, pairs=counts.pairs, outcomes=counts.outcomes)
    return path


def load_counts(path: str | Path) -> PairCounts:
    """What `save_counts` saved."""
    with np.load(path) as held:
        return PairCounts(tuple(held["models"].tolist()), held["pairs"], held["outcomes"])


# ── texts ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Planted:
    """A corpus and prompts as files, some of the prompts in texts of the corpus.

    Attributes:
        folder: `corpus`, JSON lines in several files; `votes.jsonl`, a vote for each prompt;
            `evals`, the same prompts as decon reads them.
        rows: of the prompts that are in the corpus.
        n_bytes: of the corpus's texts.
    """

    folder: Path
    rows: tuple[int, ...]
    n_bytes: int


def corpus_beside_prompts(folder: Path, n_texts: int, n_prompts: int, files: int = 4) -> Planted:
    """Texts of about three prompts' length; a tenth of the prompts stand within one, as they are.

    Each stands between other paragraphs, so that no text equals a prompt. None of this tenth begins
    with an opener, as a prompt that is half an opener tells little: others begin like it.
    """
    rmtree(folder, ignore_errors=True)  # reports of an earlier run, too
    drawn = write_prompts(3 * n_texts, seed=2)["text"]
    prompts = write_prompts(n_prompts, seed=3)["text"]
    unopened = [i for i, one in enumerate(prompts) if not one.startswith(OPENERS + CJK_OPENERS)]
    rows = unopened[: n_prompts // 10]
    middle = drawn[n_texts : 2 * n_texts].scatter(
        [k * n_texts // len(rows) for k in range(len(rows))], prompts.gather(rows)
    )
    texts = drawn[:n_texts] + "\n\n" + middle + "\n\n" + drawn[2 * n_texts :]
    for name in ("corpus", "evals"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for i in range(files):
        pl.DataFrame({"text": texts.gather_every(files, i)}).write_ndjson(
            folder / "corpus" / f"{i}.jsonl"
        )
    votes = pl.DataFrame({"prompt": prompts}).with_row_index("row")
    votes.select(
        "prompt", model_a=pl.lit("x"), model_b=pl.lit("y"), winner=pl.lit("model_a")
    ).write_ndjson(folder / "votes.jsonl")
    votes.select(
        eval_key=pl.lit("prompts"),
        eval_instance_index="row",
        doc_id="row",
        split=pl.lit("test"),
        question="prompt",
        answer=pl.lit(None, dtype=pl.String),
        passage=pl.lit(None, dtype=pl.String),
        fingerprint=pl.col("row").cast(pl.String),
        is_correct=pl.lit(True),
    ).write_ndjson(folder / "evals" / "prompts.jsonl")
    return Planted(folder, tuple(rows), int(texts.str.len_bytes().sum()))


# ── designs ────────────────────────────────────────────────────────────────────────────────


def style_design(n_battles: int, n_models: int = 129, seed: int = 0) -> Design:
    """Simulated votes with four correlated covariates and a third of ties."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(0.0, 0.7, n_models)
    left = rng.choice(n_models, n_battles, p=rng.dirichlet(np.full(n_models, 2.0)))
    right = (left + rng.integers(1, n_models, n_battles)) % n_models
    covariates = rng.standard_normal((n_battles, 4)) + rng.standard_normal((n_battles, 1))
    covariates -= covariates.mean(axis=0)
    covariates /= covariates.std(axis=0)
    gap = log_odds[left] - log_odds[right] + covariates @ COEFFICIENTS
    points = (rng.random(n_battles) < 1 / (1 + np.exp(-gap))).astype(float)
    points[rng.random(n_battles) < 0.3] = 0.5
    return _design(left, right, points, covariates, n_models)


def write_design(folder: Path, design: Design) -> Path:
    """A design as the arrays that any library can read."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("left", "right", "points", "covariates"):
        np.save(folder / f"{name}.npy", getattr(design, name))
    return folder


def read_design(folder: str | Path) -> Design:
    """What `write_design` wrote."""
    arrays = [np.load(Path(folder) / f"{name}.npy") for name in ("left", "right", "points")]
    covariates = np.load(Path(folder) / "covariates.npy")
    return _design(*arrays, covariates, int(max(arrays[0].max(), arrays[1].max())) + 1)


def _design(
    left: np.ndarray, right: np.ndarray, points: np.ndarray, covariates: np.ndarray, n_models: int
) -> Design:
    names: Sequence[str] = [f"m{i:03d}" for i in range(n_models)]
    sides = left.astype(np.int32), right.astype(np.int32)
    return Design(tuple(names), *sides, points, np.asfortranarray(covariates), NAMES)
