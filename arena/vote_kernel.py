"""The compiled loop over votes with covariates; importing this module imports numba.

Each vote is gone through once per step of a fit: what it says of its pair and of the covariates
is added up where it is read, so that no array is as long as the votes.
"""

from math import exp, log, log1p

import numpy as np
from numpy.typing import NDArray

from arena.compiling import compiled

Floats = NDArray[np.float64]
Codes = NDArray[np.int32]

FACTORS = 512
"""Numbers from 1 to 2 whose product is surely finite."""


@compiled
def add_votes(
    left: Codes,
    right: Codes,
    points: Floats,
    covariates: Floats,
    weight: Floats,
    strength: Floats,
    coefficients: Floats,
    squared_scores: bool,
    scores: Floats,
    met: Floats,
    mixed: Floats,
) -> float:
    """Add some votes to the sums that a log-likelihood and its derivatives are made of.

    Args:
        left: int [n].
        right: int [n].
        points: float [n], what the left model got.
        covariates: float [n, k].
        weight: float [n], or [0] where each is one.
        strength: float [m], log-odds.
        coefficients: float [k].
        squared_scores: weigh outer products by squared scores, not by the curvature.
        scores: float [m + k], to which the votes' scores are added.
        met: float [m, m], to which their weights are added by left and right model.
        mixed: float [m + k, k], to which the covariates' columns of their outer products are.

    Returns:
        The log-likelihood of these votes, weights included.
    """
    m, k = strength.size, coefficients.size
    value, product = 0.0, 1.0
    # What every vote adds to is kept where nothing else can be, so that it stays in registers.
    x, by_covariate, by_two = np.empty(k), np.zeros(k), np.zeros((k, k))
    for vote in range(points.size):
        a, b = left[vote], right[vote]
        gap = strength[a] - strength[b]
        for j in range(k):
            x[j] = covariates[vote, j]
            gap += coefficients[j] * x[j]
        # With small = exp(-|gap|), nothing overflows and the tails keep their digits.
        small = exp(-abs(gap))
        surer = 1.0 / (1.0 + small)
        above_half = points[vote] - 0.5
        score = above_half - (surer - 0.5 if gap >= 0.0 else 0.5 - surer)
        curve = score * score if squared_scores else small * surer * surer
        if weight.size:
            value += weight[vote] * (above_half * gap - 0.5 * abs(gap) - log1p(small))
            score *= weight[vote]
            curve *= weight[vote]
        else:
            value += above_half * gap - 0.5 * abs(gap)
            product *= 1.0 + small  # one logarithm for many votes
            if vote % FACTORS == FACTORS - 1:
                value -= log(product)
                product = 1.0
        scores[a] += score
        scores[b] -= score
        met[a, b] += curve
        for j in range(k):
            weighed = curve * x[j]
            mixed[a, j] += weighed
            mixed[b, j] -= weighed
            by_covariate[j] += score * x[j]
            for i in range(k):
                by_two[j, i] += weighed * x[i]
    scores[m:] += by_covariate
    mixed[m:] += by_two
    return value - log(product)
