"""Ratings with style held equal, and their sandwich, against the peer that publishes such a board.

The votes are drawn from known log-odds and coefficients. Timed is what comes after the design:
the fit and its covariance.
"""

import json
from statistics import median
from time import perf_counter

import numpy as np
import pytest
from vote_logs import COEFFICIENTS, style_design

from arena.regression import fit_regression, regression_covariance

N_MODELS = 129
ROUNDS = 5

LEAST_TIMES_FASTER = 10.0


@pytest.fixture(scope="module")
def design(n_battles):
    """Simulated votes with four correlated covariates and a third of ties."""
    return style_design(n_battles)


def controlled(design):
    """The fit and its vote-level sandwich."""
    fit = fit_regression(design)
    return fit, regression_covariance(fit, design)


def test_fit_and_sandwich(benchmark, design, timed):
    """The coefficients are those that the votes were drawn with, but for the ties."""
    fit, covariance = benchmark.pedantic(
        controlled, [design], rounds=ROUNDS if timed else 1, warmup_rounds=1
    )

    error = np.sqrt(np.diag(covariance)[N_MODELS:])
    # Ties at random flatten the odds: the coefficients are smaller, not of another shape.
    shape = fit.coefficients / fit.coefficients[0]
    np.testing.assert_allclose(
        shape, COEFFICIENTS / COEFFICIENTS[0], atol=5 * error.max() / fit.coefficients[0]
    )
    if timed:
        benchmark.extra_info |= {
            "votes": design.points.size,
            "seconds": round(median(benchmark.stats.stats.data), 3),
        }
        print(json.dumps(benchmark.extra_info))


@pytest.mark.parametrize("reg", [0.0, 1.0])
def test_against_arena_rank(benchmark, design, timed, reg):
    """The same coefficients to 1e-4, with its penalty and without, in a tenth of the time."""
    jax = pytest.importorskip("jax.numpy")
    pytest.importorskip("arena_rank")
    from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
    from arena_rank.utils.data_utils import ContextualPairDataset

    n = design.points.size
    dataset = ContextualPairDataset(
        competitors=list(design.models),
        pairs=jax.array(np.column_stack([design.left, design.right])),
        outcomes=jax.array(design.points),
        features=jax.array(np.ascontiguousarray(design.covariates)),
        weights=jax.ones(n),
    )
    theirs = []

    def peer_first():
        # A fitted object gives its first answer again, so each round has a new one.
        model = ContextualBradleyTerry(N_MODELS, 4, reg=reg, ftol=0.0)
        start = perf_counter()
        result = model.compute_ratings_and_cis(dataset)
        coefficients = np.asarray(result["coeffs"])
        np.asarray(result["variances"])
        theirs.append((perf_counter() - start, coefficients))

    def ours():
        # Its loss is the mean over votes, so its penalty weighs n times as much.
        fit = fit_regression(design, ridge=reg * n)
        return fit, regression_covariance(fit, design)

    fit, _ = benchmark.pedantic(ours, setup=peer_first, rounds=3 if timed else 1, warmup_rounds=1)

    np.testing.assert_allclose(fit.coefficients, theirs[-1][1], rtol=0, atol=1e-4)
    if timed:
        peer = median(seconds for seconds, _ in theirs[1:])
        seconds = median(benchmark.stats.stats.data)
        benchmark.extra_info |= {
            "votes": n,
            "reg": reg,
            "seconds": round(seconds, 3),
            "arena_rank_seconds": round(peer, 3),
            "times_faster": round(peer / seconds, 1),
        }
        print(json.dumps(benchmark.extra_info))
        assert seconds * LEAST_TIMES_FASTER < peer
