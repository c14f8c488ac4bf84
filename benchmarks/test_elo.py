"""Online Elo from a frame of votes, against evalica and against the bare compiled loop.

Rounds alternate: the others first, then ours, so that all see the same machine. Everything is
warm: compiled, and the votes in memory as text.
"""

import json
from statistics import median
from time import perf_counter

import numpy as np
import ours
import peers
import polars as pl
import pytest

from arena.battle_order import order_battles
from arena.elo import elo_orders, online_elo

ROUNDS = 7
ORDERS = 20

LEAST_TIMES_FASTER = 20.0
MOST_TIMES_BARE = 2.0


@pytest.fixture(scope="module")
def votes(n_battles, tmp_path_factory):
    """A frame of so many votes, in memory."""
    from generate_votes import generate_votes

    return pl.read_parquet(generate_votes(tmp_path_factory.mktemp("elo") / "v.parquet", n_battles))


@pytest.fixture(scope="module")
def order(votes):
    """The same votes as integers."""
    return order_battles(votes, order="as-is")


@pytest.fixture(scope="module")
def bare_loop():
    """What a compiler makes of the definition, on integer arrays, and nothing else."""
    return ours.bare_loop()


def seconds_of(function, *arguments):
    """How long one call takes."""
    start = perf_counter()
    function(*arguments)
    return perf_counter() - start


def rate(votes):
    """From text to ratings, as a user would."""
    return online_elo(order_battles(votes, order="as-is"))


def report(benchmark, n_votes, **seconds):
    """Say what was measured, all in seconds, and how many times faster or slower."""
    ours = median(benchmark.stats.stats.data)
    benchmark.extra_info |= {"votes": n_votes, "seconds": round(ours, 4)}
    for name, others in seconds.items():
        benchmark.extra_info[f"{name}_seconds"] = round(median(others), 4)
        benchmark.extra_info[f"{name}_ratio"] = round(median(others) / ours, 2)
    print(json.dumps(benchmark.extra_info))
    return benchmark.extra_info


def test_elo_from_names_against_evalica(benchmark, votes, timed):
    """Names to ratings in a twentieth of evalica's time, and the same ratings."""
    evalica = pytest.importorskip("evalica")
    peer, results = [], []

    def rate_by_evalica():
        lists = peers.lists_for_evalica(votes)
        results.append(evalica.elo(*lists, initial=1000, base=10, scale=400, k=4))

    def peer_first():
        peer.append(seconds_of(rate_by_evalica))

    elo = benchmark.pedantic(rate, [votes], setup=peer_first, rounds=ROUNDS, warmup_rounds=1)

    theirs = results[-1].scores
    assert sorted(theirs.index) == list(elo.models)
    np.testing.assert_allclose(elo.ratings, theirs[list(elo.models)], rtol=0, atol=1e-8)
    if timed:
        info = report(benchmark, votes.height, evalica=peer[-ROUNDS:])
        assert info["evalica_ratio"] >= LEAST_TIMES_FASTER


def test_elo_against_the_bare_loop(benchmark, order, bare_loop, timed):
    """Arrays to ratings in at most twice the time of the bare loop, to the same ratings."""
    outcome = order.half_points / 2
    bare, results = [], []

    def loop():
        ratings = np.full(order.n_models, 1000.0)
        bare_loop(order.left, order.right, outcome, ratings, 4.0, 400.0, 10.0)
        results.append(ratings)

    def bare_first():
        bare.append(seconds_of(loop))

    elo = benchmark.pedantic(
        online_elo, [order], setup=bare_first, rounds=3 * ROUNDS, warmup_rounds=1
    )

    np.testing.assert_allclose(elo.ratings, results[-1], rtol=0, atol=1e-9)
    assert elo.battles.sum() == 2 * order.n_battles
    if timed:
        info = report(benchmark, order.n_battles, bare=bare[-3 * ROUNDS :])
        assert info["bare_ratio"] >= 1 / MOST_TIMES_BARE


def test_names_to_integers(benchmark, votes, order, timed):
    """Most of the way from text to ratings: the names, and which votes count."""
    found = benchmark.pedantic(
        order_battles, [votes], {"order": "as-is"}, rounds=ROUNDS, warmup_rounds=1
    )

    names = pl.Series(found.models)
    assert names.gather(found.left).equals(votes["model_a"])
    assert names.gather(found.right).equals(votes["model_b"])
    won = pl.Series(found.half_points).replace_strict({2: "model_a", 0: "model_b", 1: "tie"})
    assert won.equals(votes["winner"].replace("tie (bothbad)", "tie"))
    if timed:
        report(benchmark, votes.height)


@pytest.mark.parametrize("bootstrap", [False, True], ids=["shuffled", "resampled"])
def test_many_orders_on_all_processors(benchmark, order, timed, bootstrap):
    """So many random orders of all votes at once, and the same ones on one processor."""
    options = {"orders": ORDERS, "seed": 7, "bootstrap": bootstrap}
    single, results = [], []

    def on_one():
        results.append(elo_orders(order, threads=1, **options))

    def one_first():
        single.append(seconds_of(on_one))

    ratings = benchmark.pedantic(
        elo_orders, [order], options, setup=one_first, rounds=3, warmup_rounds=1
    )

    np.testing.assert_array_equal(ratings, results[-1])
    np.testing.assert_allclose(ratings.mean(axis=1), 1000.0, rtol=0, atol=1e-8)
    if timed:
        report(benchmark, order.n_battles, one_thread=single[-3:])
