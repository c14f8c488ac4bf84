"""What the ratings say about the order, and what they leave open."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]

DRAWS, FEWEST_DRAWS = 2_000, 200
MOST_DIFFERENCES = 1 << 31
"""Draws times pairs of models; beyond, there are fewer draws."""
BLOCK_ELEMENTS = 1 << 16
"""Draws times models gone through at once: three arrays of a quarter of a megabyte."""
PATIENCE = 16
"""After so many models bounds have to be enough for most draws; else all pairs are gone through."""


@dataclass(frozen=True, slots=True, eq=False)
class RankSets:
    """For each model the ranks that it may have, all models at once.

    Attributes:
        best, worst: int [m], ranks from 1.
        critical: the |t| that no true difference exceeds, at the level asked for; infinite
            where too many resamples left some difference without bounds.
    """

    best: Integers
    worst: Integers
    critical: float


def point_ranks(log_odds: Floats) -> Integers:
    """Rank by strength, 1 is best; strengths equal to 1e-9 share the better rank."""
    rounded = np.sort(-np.round(log_odds, 9))
    return np.searchsorted(rounded, -np.round(log_odds, 9), side="left") + 1


def normal_deviations(covariance: Floats, seed: int = 0, draws: int | None = None) -> Floats:
    """Normal draws [B, m] with this covariance [m, m] and mean zero, 2,000 unless there are many.

    A Cholesky factor, unlike an eigenbasis, is unique, so a seed means the same everywhere.
    """
    m = covariance.shape[0]
    if draws is None:
        draws = max(FEWEST_DRAWS, min(DRAWS, MOST_DIFFERENCES // m**2))
    jitter = 1e-10 * max(np.trace(covariance), 1e-300)
    factor = np.linalg.cholesky(covariance + jitter * np.eye(m))
    drawn: Floats = np.random.default_rng(seed).standard_normal((draws, m)) @ factor.T
    return drawn


def rank_sets(
    log_odds: Floats,
    covariance: Floats,
    deviations: Floats,
    *,
    level: float = 0.95,
    known: Flags | None = None,
) -> RankSets:
    """Rank sets that hold every model's true rank at once with probability `level`.

    All pairwise differences are compared with one critical value, the quantile of their
    largest |t|; a model's best rank counts those that are then surely above it, its worst rank
    those surely below. Mogstad, Romano, Shaikh and Wilhelm, Inference for Ranks, Review of
    Economic Studies 91 (2024).

    Args:
        log_odds: float [m].
        covariance: float [m, m], of the log-odds.
        deviations: float [B, m], draws of estimate minus truth: `normal_deviations`, or a
            bootstrap's; not finite where a draw has no bounds.
        level: simultaneous coverage.
        known: bool [m], models whose uncertainty is known; the others may have any rank, and
            any place among the known ones. None for all.
    """
    m = log_odds.size
    variance = np.diag(covariance)
    spread = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2.0 * covariance, 0.0))
    # A difference whose variance vanishes is not known exactly; it is not known at all.
    usable = spread > 1e-9 * np.sqrt(variance.max(initial=0.0))
    if known is not None:
        usable &= known[:, None] & known[None, :]
    inverse = np.where(usable, 1.0 / np.where(usable, spread, 1.0), 0.0)
    largest = largest_differences(deviations, inverse, variance)
    critical = float(np.sort(largest)[min(int(np.ceil(level * largest.size)), largest.size) - 1])
    above = (log_odds[:, None] - log_odds[None, :]) * inverse > critical
    return RankSets(above.sum(axis=0) + 1, m - above.sum(axis=1), critical)


def largest_differences(deviations: Floats, inverse: Floats, variance: Floats) -> Floats:
    """The largest |difference| of two models in each draw, [B]; infinite if one is not finite.

    With any v > 0, by Cauchy and Schwarz, (d_i - d_j)² ≤ (v_i + v_j) (d_i² / v_i + d_j² / v_j).
    So a pair is bounded by what its two models bring, and in each draw only models that bring
    much have to be compared with the others: of 129 about three.

    Args:
        deviations: float [B, m].
        inverse: float [m, m], what each difference is multiplied by.
        variance: float [m], of the deviations; how good it is decides the time, not the result.
    """
    largest = np.full(len(deviations), np.inf)
    draws = np.flatnonzero(np.isfinite(deviations).all(axis=1))
    block = max(1, BLOCK_ELEMENTS // inverse.shape[0])
    # Seven digits are far more than so few draws tell of a quantile.
    scale = inverse.astype(np.float32)
    positive = np.maximum(variance, 1e-12 * max(variance.max(initial=0.0), 1e-300))
    shares = (positive[:, None] + positive[None, :]) * inverse**2
    brings = (shares.max(axis=1, initial=0.0) / positive).astype(np.float32)

    def go_through(first: int) -> None:
        rows = draws[first : first + block]
        values = deviations[rows].astype(np.float32)
        largest[rows] = _by_bounds(values, scale, brings)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(go_through, range(0, draws.size, block)))
    return largest


def _by_bounds(values: Singles, scale: Singles, brings: Singles) -> Singles:
    """The largest differences [b] of draws [b, m], model after model, the furthest first."""
    found = np.zeros(len(values), np.float32)
    bound, place, top = values**2 * brings, np.arange(found.size), found
    n_compared = 0
    while place.size:
        row, model = np.arange(place.size), bound.argmax(axis=1)
        beyond = top**2 < 2.0 * bound[row, model]
        found[place] = top
        values, bound, place, top, model = (of[beyond] for of in (values, bound, place, top, model))
        if n_compared >= PATIENCE and place.size > found.size / 4:
            found[place] = _one_by_one(values, scale)
            break
        row = np.arange(place.size)
        difference = values - values[row, model][:, None]
        difference *= scale[model]
        np.abs(difference, out=difference)
        top = np.maximum(top, difference.max(axis=1))
        bound[row, model] = 0.0
        n_compared += 1
    return found


def _one_by_one(values: Singles, scale: Singles) -> Singles:
    """The largest differences [b] of draws [b, m], from all of them."""
    # A model's draws side by side.
    values = np.ascontiguousarray(values.T)
    top, room = np.zeros_like(values), np.empty_like(values)
    for i in range(len(values) - 1):
        difference = room[i + 1 :]
        np.subtract(values[i + 1 :], values[i], out=difference)
        np.multiply(difference, scale[i, i + 1 :, None], out=difference)
        np.abs(difference, out=difference)
        np.maximum(top[i + 1 :], difference, out=top[i + 1 :])
    largest: Singles = top.max(axis=0, initial=0.0)
    return largest


def upper_bound_ranks(lower: Floats, upper: Floats) -> Integers:
    """LMArena's published rank: 1 + how many models' lower bounds exceed this upper bound.

    Each interval is read on its own, so this is no confidence statement about the order.
    """
    return lower.size - np.searchsorted(np.sort(lower), upper, side="right") + 1


def probability_best(draws: Floats) -> Floats:
    """How often each model [m] is the best of its draw [B, m]; shared where draws tie.

    Under normal draws around the estimates this is the usual confidence distribution, and
    with a flat prior the posterior. Draws that compare nobody are left out.
    """
    usable = draws[~np.isnan(draws).all(axis=1)]
    top = usable == np.nanmax(usable, axis=1, keepdims=True)
    best: Floats = (top / top.sum(axis=1, keepdims=True)).mean(axis=0)
    return best


def probability_above(draws: Floats) -> Floats:
    """How often model i is above model j over the draws [B, m]: [m, m], diagonal 1/2."""
    m = draws.shape[1]
    above = np.empty((m, m))
    for i in range(m):
        mine = draws[:, i : i + 1]
        # Neither above nor below is even: equal, or not to be compared.
        above[i] = 0.5 + 0.5 * np.mean((mine > draws) * 1.0 - (mine < draws), axis=0)
    return above
