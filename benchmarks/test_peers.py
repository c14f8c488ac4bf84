"""Boards beside those of other libraries: the same ratings, and how many times faster.

Rounds alternate: the other library first, then ours. Both are warm. Each is held against
`reference.py`, which shares no code with either.
"""

import json
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np
import ours
import peers
import pytest
from measure import Measured, Task
from plan import CLOSE, RIGHT, check, reference_of
from vote_logs import drawn_votes

ROUNDS = 5

PEERS = {
    "arena-rank": ("arena_rank", peers.arena_rank_board, 40.0),
    "evalica": ("evalica", peers.evalica_board, 20.0),
    "choix, counted by polars": ("choix", peers.choix_board, None),
    "choix, counted by pandas": ("choix", partial(peers.choix_board, counting="pandas"), None),
    "scikit-learn": ("sklearn", peers.sklearn_board, 5.0),
}
"""Name → its package, our use of it, and how many times faster we are at least, if that is said."""


@pytest.fixture(scope="module")
def log(n_battles, tmp_path_factory):
    """So many votes, on models that can all be rated."""
    return str(drawn_votes(tmp_path_factory.mktemp("peers") / "votes.parquet", n_battles))


@pytest.fixture(scope="module")
def reference(log):
    """Names, ratings and errors of these votes."""
    return reference_of([log])


def error_of(answer, reference, most, *, errors=False):
    """How far ratings are from the reference, which they may be by so much."""
    names, ratings, exact = reference
    measured = Measured(Task("", "", ""), answer=answer)
    checked = check(measured, names, ratings, most, exact if errors else None)
    assert not checked.why_not
    return checked.answer["error"]


@pytest.mark.parametrize("frame", [False, True], ids=["file", "frame"])
@pytest.mark.parametrize("name", PEERS)
def test_a_board_beside_another_library(benchmark, log, reference, timed, name, frame):
    """The right ratings from both, to 1e-6 and to 1 point, and ours with the right errors."""
    package, adapter, least = PEERS[name]
    pytest.importorskip(package)
    theirs, others = adapter(log, frame=frame), []

    def other_first():
        start = perf_counter()
        answer = theirs()
        others.append((perf_counter() - start, answer))

    answer = benchmark.pedantic(
        ours.board([log], frame=frame),
        setup=other_first,
        rounds=ROUNDS if timed else 1,
        warmup_rounds=1 if timed else 0,
    )

    error_of(answer, reference, RIGHT, errors=True)
    error = error_of(others[-1][1], reference, CLOSE)
    if timed:
        other = median(seconds for seconds, _ in others[-ROUNDS:])
        times = other / median(benchmark.stats.stats.data)
        benchmark.extra_info |= {
            "other": name,
            "other_seconds": round(other, 3),
            "other_error": float(f"{error:.1e}"),
            "times_faster": round(times, 2),
        }
        print(json.dumps(benchmark.extra_info))
        assert least is None or times >= least


def test_the_peer_with_intervals(log, reference):
    """The standard errors of arena-rank are at most 15 % below the right ones."""
    pytest.importorskip("arena_rank")
    names, _, errors = reference

    answer = peers.arena_rank_board(log)()

    of = dict(zip(answer["models"], answer["std_errors"], strict=True))
    ratio = np.array([of[name] for name in names]) / errors
    assert 0.85 < ratio.min() <= ratio.max() < 1.05
