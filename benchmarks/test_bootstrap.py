"""A bootstrap on the shipped counts, against refitting each round and against drawing alone.

The peer is the method that LMSYS published, `peers.refit`, here in one process.
"""

import json
from dataclasses import replace
from statistics import median
from time import perf_counter

import numpy as np
from peers import refit

from arena.batch import solve_tables
from arena.bradley_terry import fit_bradley_terry, solve
from arena.datasets import shipped
from arena.problem import problem
from arena.resample import bootstrap_votes
from arena.tally import count_pairs

TIMED_ROUNDS, UNTIMED_ROUNDS = 1_000, 40
PEER_ROUNDS = 7
TO_RATING = 400.0 / np.log(10.0)
# About 100 where both processors are free; the peer keeps one busy, and is disturbed less.
LEAST_TIMES_FASTER = 50.0
MOST_TIMES_DRAWING = 5.0


def test_bootstrap_rounds(benchmark, timed):
    """A round costs a fiftieth of a refit or less, and the whole at most five times its draws."""
    n_rounds = TIMED_ROUNDS if timed else UNTIMED_ROUNDS
    fit = fit_bradley_terry(count_pairs(shipped()))
    task = problem(fit.counts, fit.rule)
    votes = task.outcomes[:, task.outcomes.sum(axis=0) > 0]
    p = votes[votes > 0] / votes.sum()
    drawing, refitting = [], []
    pairs = np.tile(np.column_stack([task.left, task.right]), (3, 1))
    points = np.repeat([1.0, 0.0, 0.5], task.left.size)
    table = bootstrap_votes(fit, PEER_ROUNDS, seed=1).make(0)

    def others_first():
        start = perf_counter()
        np.random.default_rng(0).multinomial(int(votes.sum()), p, size=n_rounds)
        drawing.append(perf_counter() - start)

    draws = benchmark.pedantic(
        lambda: solve_tables(fit, bootstrap_votes(fit, n_rounds, seed=1)),
        setup=others_first,
        rounds=5 if timed else 1,
        warmup_rounds=1,
    )
    for b in range(PEER_ROUNDS if timed else 1):
        weights = table[:, :, b].ravel()
        there = weights > 0
        start = perf_counter()
        result = refit(pairs[there], points[there], weights[there], task.n_models)
        refitting.append(perf_counter() - start)
        alone = solve(replace(task, outcomes=table[:, :, b])).point
        np.testing.assert_allclose(
            result.x - result.x.mean(), alone - alone.mean(), rtol=0, atol=0.1 / TO_RATING
        )

    for b, row in enumerate(bootstrap_votes(fit, n_rounds, seed=1).make(0).T[:5]):
        alone = solve(replace(task, outcomes=row.T)).point
        np.testing.assert_allclose(draws.log_odds[b], alone - alone.mean(), rtol=0, atol=1e-8)
    if timed:
        seconds = median(benchmark.stats.stats.data)
        times_faster = median(refitting) / (seconds / n_rounds)
        times_drawing = seconds / median(drawing)
        benchmark.extra_info |= {
            "rounds": n_rounds,
            "seconds": round(seconds, 3),
            "drawing_seconds": round(median(drawing), 3),
            "refit_seconds": round(median(refitting), 4),
            "times_faster_per_round": round(times_faster),
            "times_drawing": round(times_drawing, 2),
        }
        print(json.dumps(benchmark.extra_info))
        assert times_faster >= LEAST_TIMES_FASTER
        assert times_drawing <= MOST_TIMES_DRAWING
