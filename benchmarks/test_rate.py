"""From a vote log to a board, against the bare counting of the same file in the same run.

Rounds alternate: the bare group-by, then the board, so that both see the same machine.
"""

import json
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import polars as pl
import pytest
from generate_votes import WINNERS
from measure import watch
from ours import count_bare

from arena import rate, shipped

ROUNDS = 7
ARENA = str(Path(sys.executable).with_name("arena"))

MOST_TIMES_BARE_WARM, MOST_TIMES_BARE = 0.6, 2.0
MOST_MB = 1000.0
MOST_HELP_SECONDS = 0.5

BARE = """
import sys, polars as pl
print(pl.scan_parquet(sys.argv[1]).group_by("model_a", "model_b", "winner").len().collect().height)
"""
RATE_NOTHING = "model_a,model_b,winner\nx,y,model_a\ny,x,model_a\n"


def as_counts(groups: pl.DataFrame) -> pl.DataFrame:
    """The groups in the counts format, one row per ordered pair."""
    names = {winner: count for count, winner in WINNERS.items()}
    named = groups.with_columns(pl.col("winner").replace_strict(names))
    return named.pivot(on="winner", index=["model_a", "model_b"], values="len").fill_null(0)


def farthest(board: pl.DataFrame, other: pl.DataFrame) -> float:
    """The largest difference between two boards' ratings, in standard errors of the first."""
    rated = board.drop_nulls("std_error").join(other, on="model", suffix="_other")
    return rated.select(
        ((pl.col("rating") - pl.col("rating_other")) / pl.col("std_error")).abs().max()
    ).item()


def test_votes_to_board_in_a_warm_process(benchmark, vote_log, n_votes, timed):
    """A board with sandwich intervals takes less than the bare group-by of its file."""
    bare = []

    def bare_first():
        start = perf_counter()
        count_bare([vote_log])
        bare.append(perf_counter() - start)

    board = benchmark.pedantic(
        rate, [str(vote_log)], setup=bare_first, rounds=ROUNDS, warmup_rounds=1
    )

    assert board.frame["battles"].sum() == 2 * n_votes
    assert board.frame["std_error"].drop_nulls().len() > 100
    again = rate(as_counts(count_bare([vote_log])))
    np.testing.assert_allclose(again.fit.log_odds, board.fit.log_odds, rtol=0, atol=1e-9)
    assert farthest(board.frame, rate(shipped()).frame) < 6
    if timed:
        times_bare = median(benchmark.stats.stats.data) / median(bare[-ROUNDS:])
        benchmark.extra_info |= {
            "votes": n_votes,
            "bare_seconds": round(median(bare[-ROUNDS:]), 3),
            "board_seconds": round(median(benchmark.stats.stats.data), 3),
            "times_bare": round(times_bare, 2),
        }
        print(json.dumps(benchmark.extra_info))
        assert times_bare <= MOST_TIMES_BARE_WARM


def test_votes_to_board_in_a_cold_process(benchmark, vote_log, n_votes, tmp_path, timed):
    """The command takes its start-up and at most twice the bare group-by, in under 1 GB."""
    log, board_file = str(vote_log), str(tmp_path / "board.parquet")
    two_votes = tmp_path / "two.csv"
    two_votes.write_text(RATE_NOTHING)
    bare, start_up, boards = [], [], []

    def others_first():
        bare.append(watch(sys.executable, "-c", BARE, log))
        start_up.append(watch(ARENA, "rate", "--quiet", str(two_votes)))

    def command():
        boards.append(watch(ARENA, "rate", "--quiet", log, "-o", board_file))

    benchmark.pedantic(command, setup=others_first, rounds=ROUNDS, warmup_rounds=1)

    assert pl.read_parquet(board_file).height >= 100
    assert pl.read_parquet(board_file)["battles"].sum() == 2 * n_votes
    peak = max(run.peak_mb for run in boards)
    assert peak < MOST_MB
    if timed:
        seconds, bare_seconds, start_seconds = (
            median(run.seconds for run in runs[-ROUNDS:]) for runs in (boards, bare, start_up)
        )
        benchmark.extra_info |= {
            "votes": n_votes,
            "bare_seconds": round(bare_seconds, 3),
            "bare_peak_mb": round(max(run.peak_mb for run in bare)),
            "start_up_seconds": round(start_seconds, 3),
            "board_seconds": round(seconds, 3),
            "board_peak_mb": round(peak),
            "times_bare": round(seconds / bare_seconds, 2),
        }
        print(json.dumps(benchmark.extra_info))
        assert seconds <= start_seconds + MOST_TIMES_BARE * bare_seconds


@pytest.mark.parametrize("arguments", [["--help"], ["rate", "--help"]], ids=" ".join)
def test_help_answers_at_once(benchmark, timed, arguments):
    """Asking the command for help takes less than half a second, interpreter included."""
    run = benchmark.pedantic(watch, [ARENA, *arguments], rounds=ROUNDS, warmup_rounds=1)

    assert run.peak_mb < MOST_MB
    if timed:
        seconds = median(benchmark.stats.stats.data)
        benchmark.extra_info["seconds"] = round(seconds, 3)
        print(json.dumps(benchmark.extra_info))
        assert seconds < MOST_HELP_SECONDS
