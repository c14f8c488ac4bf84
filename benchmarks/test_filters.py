"""Filters and their funnel against the plain board; a comparison against its two boards."""

from statistics import median
from time import perf_counter

import numpy as np
import polars as pl
import pytest

from arena import compare, fit_bradley_terry, rate, read_battles, solve_tables, tally_votes
from arena.conditions import exactly_turns, flagged, language, multi_turn, no_ties, prompt_tokens
from arena.resample import bootstrap_votes

ROUNDS = 5
MOST_TIMES_PLAIN = 3.0
MOST_TIMES_BOOTSTRAPS = 8.0

FIVE = (
    multi_turn(),
    language("English"),
    prompt_tokens(5, 500),
    no_ties(),
    ~flagged("is_code"),
)


@pytest.fixture(scope="module")
def wide_log(vote_log, n_votes, tmp_path_factory):
    """The vote log with columns to filter by."""
    rng = np.random.default_rng(1)  # the votes were drawn with 0
    languages = np.array(["English", "Chinese", "German"])
    columns = {
        "turns": rng.geometric(0.86, n_votes),
        "language": languages[rng.integers(0, 3, n_votes)],
        "is_code": rng.random(n_votes) < 0.2,
        "user_tokens": rng.integers(1, 600, n_votes),
    }
    path = tmp_path_factory.mktemp("wide") / "votes.parquet"
    extra = [pl.Series(name, values) for name, values in columns.items()]
    pl.read_parquet(vote_log).with_columns(extra).write_parquet(path)
    return path


def clocked(work):
    """What a function returns, and the seconds it takes."""
    start = perf_counter()
    return work(), perf_counter() - start


def test_five_filters_and_a_funnel(benchmark, wide_log, timed):
    """From the file to the board of what five filters keep, against the board of all."""
    rate(wide_log)
    plain = []

    def whole():
        plain.append(clocked(lambda: rate(wide_log))[1])

    board = benchmark.pedantic(
        lambda: rate(wide_log, filters=FIVE), setup=whole, rounds=ROUNDS if timed else 1
    )

    kept = pl.scan_parquet(wide_log).filter(
        pl.col("turns") >= 2,
        pl.col("language") == "English",
        pl.col("user_tokens").is_between(5, 500),
        pl.col("winner").is_in(["model_a", "model_b"]),
        ~pl.col("is_code"),
    )
    funnel = pl.DataFrame(board.manifest["filters"])
    assert funnel["after"][-1] == kept.select(pl.len()).collect().item()
    assert (funnel["before"][1:] == funnel["after"][:-1]).all()
    if timed:
        ratio = median(benchmark.stats.stats.data) / median(plain)
        print(f"plain board {median(plain):.2f} s; with five filters {ratio:.1f} times that")
        assert ratio < MOST_TIMES_PLAIN


def test_a_comparison_on_many_models(benchmark, wide_log, timed):
    """1,000 random removals and a joint bootstrap of both boards, against plain bootstraps.

    There are three batches of 1,000 tables: the placebo's, and both boards' of each resample.
    """
    battles = read_battles(wide_log)
    fit = fit_bradley_terry(tally_votes(battles).counts)
    alone = []

    def bootstrap():
        alone.append(clocked(lambda: solve_tables(fit, bootstrap_votes(fit)))[1])

    told = benchmark.pedantic(
        lambda: compare(battles, exactly_turns(1)), setup=bootstrap, rounds=ROUNDS if timed else 1
    )

    changes = told.frame["change"].drop_nulls()
    assert abs(changes.mean()) < 1e-6
    assert 0.0005 < told.p_board <= 1.0
    if timed:
        counted = clocked(lambda: tally_votes(battles))[1]
        ratio = (median(benchmark.stats.stats.data) - counted) / median(alone)
        print(f"one bootstrap {median(alone):.2f} s; the comparison {ratio:.1f} times that")
        assert ratio < MOST_TIMES_BOOTSTRAPS
