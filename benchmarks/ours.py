"""Our own tasks, and the least that each could take; see `measure`.

Each function gets ready and returns the call that is timed. Imports stand inside, so that a cold
process counts those that it needs.
"""

from collections.abc import Callable, Sequence
from functools import partial
from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np

COLUMNS = ["model_a", "model_b", "winner"]
Call = Callable[[], dict[str, Any]]


# ── boards ─────────────────────────────────────────────────────────────────────────────────


def board(paths: Sequence[str], frame: bool = False, interval: str = "sandwich") -> Call:
    """`arena.rate` of files, or of a frame that has been read."""
    from arena import Interval, rate

    if frame:
        import polars as pl

        votes: Any = pl.read_parquet(list(paths), columns=COLUMNS)
    else:
        votes = list(paths)

    def call() -> dict[str, Any]:
        found = rate(votes, interval=Interval(method=interval))
        answer = _ratings(found.fit)
        if found.uncertainty is not None:
            answer["std_errors"] = found.scale.per_log_odds * found.uncertainty.std_error
        return answer

    return call


def bare_group_by(paths: Sequence[str]) -> Call:
    """What polars does when asked for the counts, and nothing else."""

    def call() -> dict[str, Any]:
        groups = count_bare(paths)
        return {"groups": groups.height, "votes": int(groups["len"].sum())}

    return call


def count_bare(paths: Sequence[str]) -> Any:
    """Polars' bare group-by of files: a frame of the three columns and `len`."""
    import polars as pl

    return pl.scan_parquet(list(paths)).group_by(COLUMNS).len().collect()


def read_columns(paths: Sequence[str]) -> Call:
    """Polars reads the three columns, one file after the other."""
    import polars as pl

    def call() -> dict[str, Any]:
        return {"votes": sum(pl.read_parquet(one, columns=COLUMNS).height for one in paths)}

    return call


def pass_memory(n_bytes: int, repeats: int = 1) -> Call:
    """So many bytes go through one processor, so many times: they are added up."""
    array = np.ones(max(n_bytes // 8, 1), dtype=np.int64)
    return lambda: {"sum": sum(int(array.sum()) for _ in range(repeats))}


def count_shards(paths: Sequence[str]) -> Call:
    """Each file counted alone, and the counts added up."""
    from arena import count_pairs, fit_bradley_terry

    def call() -> dict[str, Any]:
        first, *others = (count_pairs(path) for path in paths)
        counts = first
        for one in others:
            counts = counts + one
        return _ratings(fit_bradley_terry(counts)) | {"counts": counts.sha256}

    return call


def count_at_once(paths: Sequence[str]) -> Call:
    """All files counted together."""
    from arena import count_pairs, fit_bradley_terry

    def call() -> dict[str, Any]:
        counts = count_pairs(list(paths))
        return _ratings(fit_bradley_terry(counts)) | {"counts": counts.sha256}

    return call


def count_by_dask(paths: Sequence[str]) -> Call:
    """The files counted by Dask, one worker process per processor, which have to start first."""
    from arena import fit_bradley_terry
    from arena.distributed import tally_on_dask

    def call() -> dict[str, Any]:
        counts = tally_on_dask(list(paths), "local").counts
        return _ratings(fit_bradley_terry(counts)) | {"counts": counts.sha256}

    return call


def _ratings(fit: Any) -> dict[str, Any]:
    return {"models": list(fit.models), "ratings": 400.0 / log(10.0) * fit.log_odds}


# ── fits of counts ─────────────────────────────────────────────────────────────────────────


def fit_counts(path: str, interval: str = "none") -> Call:
    """A fit of counts in memory, with its board."""
    from vote_logs import load_counts

    from arena import Interval, PairCounts, build_leaderboard, fit_bradley_terry

    counts = load_counts(path)
    method = Interval(method=interval)

    def call() -> dict[str, Any]:
        # As new: counts keep their cells once these have been asked for.
        given = PairCounts(counts.models, counts.pairs, counts.outcomes)
        fit = fit_bradley_terry(given)
        build_leaderboard(fit, interval=method)
        return _ratings(fit) | {"iterations": fit.iterations, "pairs": len(counts.pairs)}

    return call


def read_counts(path: str) -> Call:
    """The arrays of the same counts pass through memory once."""
    from vote_logs import load_counts

    counts = load_counts(path)
    return lambda: {"sum": float(counts.pairs.sum() + counts.outcomes.sum())}


# ── resampling ─────────────────────────────────────────────────────────────────────────────


def bootstrap(rounds: int) -> Call:
    """So many rounds of the bootstrap on the shipped counts."""
    from arena import count_pairs, fit_bradley_terry, shipped, solve_tables
    from arena.resample import bootstrap_votes

    fit = fit_bradley_terry(count_pairs(shipped()))

    def call() -> dict[str, Any]:
        draws = solve_tables(fit, bootstrap_votes(fit, rounds, seed=1))
        return {"models": list(fit.models), "draws": draws.log_odds[:5]}

    return call


def draw_counts(rounds: int) -> Call:
    """Drawing as many multinomial tables and nothing else, on one processor."""
    from arena import count_pairs, fit_bradley_terry, shipped
    from arena.problem import problem

    fit = fit_bradley_terry(count_pairs(shipped()))
    votes = problem(fit.counts, fit.rule).outcomes
    votes = votes[votes > 0]
    p = votes / votes.sum()

    def call() -> dict[str, Any]:
        drawn = np.random.default_rng(0).multinomial(int(votes.sum()), p, size=rounds)
        return {"votes": int(drawn[0].sum())}

    return call


# ── online Elo ─────────────────────────────────────────────────────────────────────────────


def elo(path: str, text: bool = False) -> Call:
    """Online Elo from integer arrays, or from a frame of text in memory."""
    import polars as pl

    from arena import online_elo, order_battles

    votes = pl.read_parquet(path, columns=COLUMNS)
    order = order_battles(votes, order="as-is")

    def call() -> dict[str, Any]:
        found = online_elo(order_battles(votes, order="as-is") if text else order)
        return {"models": list(found.models), "ratings": found.ratings}

    return call


def bare_elo(path: str) -> Call:
    """The bare compiled loop on the same arrays."""
    import polars as pl

    from arena import order_battles

    order = order_battles(pl.read_parquet(path, columns=COLUMNS), order="as-is")
    loop, outcome = bare_loop(), order.half_points / 2

    def call() -> dict[str, Any]:
        ratings = np.full(order.n_models, 1000.0)
        loop(order.left, order.right, outcome, ratings, 4.0, 400.0, 10.0)
        return {"models": list(order.models), "ratings": ratings}

    return call


def bare_loop() -> Callable[..., None]:
    """What a compiler makes of the definition, on integer arrays, and nothing else."""
    from numba import njit

    @njit
    def loop(left, right, outcome, ratings, k, scale, base):  # type: ignore[no-untyped-def]
        per_point = log(base) / scale
        for i in range(left.size):
            a, b = left[i], right[i]
            expected = 1.0 / (1.0 + exp((ratings[b] - ratings[a]) * per_point))
            move = k * (outcome[i] - expected)
            ratings[a] += move
            ratings[b] -= move

    return loop  # type: ignore[no-any-return]


# ── style control ──────────────────────────────────────────────────────────────────────────


def style(folder: str, ridge: float = 0.0) -> Call:
    """Ratings with covariates held equal and their sandwich, from numbers in memory."""
    from vote_logs import read_design

    from arena.regression import fit_regression, regression_covariance

    design = read_design(folder)

    def call() -> dict[str, Any]:
        fit = fit_regression(design, ridge=ridge)
        covariance = regression_covariance(fit, design)
        return _ratings(fit) | {
            "coefficients": fit.coefficients,
            "errors": np.sqrt(np.diag(covariance)),
            "iterations": fit.iterations,
        }

    return call


def pass_design(folder: str) -> Call:
    """One pass over the same design: each of its numbers is read and added up."""
    from vote_logs import read_design

    design = read_design(folder)
    arrays = [design.left, design.right, design.points, *design.covariates.T]
    return lambda: {"sum": sum(float(array.sum()) for array in arrays)}


# ── matching ───────────────────────────────────────────────────────────────────────────────


def match(texts_path: str, prompts_path: str, n_texts: int, copied: Sequence[int]) -> Call:
    """Texts in memory go past an index of prompts, in one thread.

    Its answer has how many of the prompts that are `copied` from texts it found.
    """
    import polars as pl

    from arena.matches import overlap_table
    from arena.overlap import match_texts
    from arena.overlap_rules import OverlapRule
    from arena.prompt_index import index_prompts

    texts = pl.read_parquet(texts_path, n_rows=n_texts)["text"]
    prompts = pl.read_parquet(prompts_path)["text"]
    index = index_prompts(prompts, OverlapRule(cap=max(len(prompts) // 400, 1)))

    def call() -> dict[str, Any]:
        found = match_texts(index, texts, threads=1)

        def exact() -> int:
            rows = index.of_row[list(copied)].tolist()
            return int(overlap_table(index, found)[rows]["exact"].sum())

        return {"texts": found.n_texts, "bytes": found.n_bytes, "exact": exact}

    return call


def match_files(folder: str, cap: int) -> Call:
    """A log's prompts looked for in a corpus, from files to a file; see `corpus_beside_prompts`.

    Its answer has the rows of the log whose prompts were seen, and of those too short to judge.
    """
    import polars as pl

    from arena import OverlapRule, match_prompts, open_corpus, read_battles

    def call() -> dict[str, Any]:
        corpus = open_corpus(f"{folder}/corpus/*.jsonl")
        battles = read_battles(f"{folder}/votes.jsonl")
        found = match_prompts(battles, [corpus], OverlapRule(cap=cap))
        found.write(Path(folder) / "match.parquet")

        def rows_of(kind: str) -> list[int]:
            there = found.frame.filter(pl.col("class") == kind)["prompt"].implode()
            prompts = pl.read_ndjson(f"{folder}/votes.jsonl")["prompt"]
            return prompts.is_in(there).arg_true().to_list()

        return {kind: partial(rows_of, kind) for kind in ("seen", "short")}

    return call


def tokenise_texts(texts_path: str, n_texts: int) -> Call:
    """The same texts cut into tokens and nothing else, in one thread."""
    import polars as pl

    from arena.text import tokenise

    texts = pl.read_parquet(texts_path, n_rows=n_texts)["text"]
    n_bytes = int(texts.str.len_bytes().sum())

    def call() -> dict[str, Any]:
        return {"tokens": int(tokenise(texts).offsets[-1]), "bytes": n_bytes}

    return call
