"""What the ratings say about the order, and what they leave open."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DRAWS = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class RankSets:
    """For each model the ranks that it may have, all models at once.

    Attributes:
        best, worst: int [m], ranks from 1.
        critical: the |t| that no true difference exceeds, at the level asked for.
    """

    best: Integers
    worst: Integers
    critical: float


def point_ranks(log_odds: Floats) -> Integers:
    """Rank by strength, 1 is best; strengths equal to 1e-9 share the better rank."""
    rounded = np.sort(-np.round(log_odds, 9))
    return np.searchsorted(rounded, -np.round(log_odds, 9), side="left") + 1


def rank_sets(
    log_odds: Floats, covariance: Floats, *, level: float = 0.95, seed: int = 0
) -> RankSets:
    """Rank sets that hold every model's true rank at once with probability `level`.

    All pairwise differences are compared with one critical value, the quantile of their
    largest |t| under the estimated covariance, found by simulation; a model's best rank
    counts those that are then surely above it, its worst rank those surely below. Mogstad,
    Romano, Shaikh and Wilhelm, Inference for Ranks, Review of Economic Studies 91 (2024).

    Args:
        log_odds: float [m].
        covariance: float [m, m], of the log-odds.
        level: simultaneous coverage.
        seed: of the simulation.
    """
    m = log_odds.size
    variance = np.diag(covariance)
    spread = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2.0 * covariance, 0.0))
    known = spread > 1e-9 * np.sqrt(variance.max(initial=0.0))
    # A difference whose variance vanishes is not known exactly; it is not known at all.
    inverse = np.where(known, 1.0 / np.where(known, spread, 1.0), 0.0)
    critical = _critical_value(covariance, inverse, level, np.random.default_rng(seed))
    above = (log_odds[:, None] - log_odds[None, :]) * inverse > critical
    return RankSets(above.sum(axis=0) + 1, m - above.sum(axis=1), critical)


def _critical_value(
    covariance: Floats, inverse: Floats, level: float, rng: np.random.Generator
) -> float:
    m = covariance.shape[0]
    # A Cholesky factor, unlike an eigenbasis, is unique, so a seed means the same everywhere.
    jitter = 1e-10 * max(np.trace(covariance), 1e-300)
    factor = np.linalg.cholesky(covariance + jitter * np.eye(m))
    normal = rng.standard_normal((DRAWS, m)) @ factor.T
    largest = np.zeros(DRAWS)
    for i in range(m - 1):
        difference = np.abs(normal[:, i + 1 :] - normal[:, i : i + 1])
        difference *= inverse[i, i + 1 :]
        np.maximum(largest, difference.max(axis=1), out=largest)
    return float(np.quantile(largest, level, method="higher"))


def upper_bound_ranks(lower: Floats, upper: Floats) -> Integers:
    """LMArena's published rank: 1 + how many models' lower bounds exceed this upper bound.

    Each interval is read on its own, so this is no confidence statement about the order.
    """
    return lower.size - np.searchsorted(np.sort(lower), upper, side="right") + 1
