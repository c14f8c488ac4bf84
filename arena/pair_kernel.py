"""The compiled loops of fits among many; importing this module imports numba.

Arrays of one number per pair that met are large there, and each operation on them goes through
memory once more. These loops go through it once, a block of pairs per thread.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import exp, log1p
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from arena.compiling import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
T = TypeVar("T")

BLOCK = 1 << 20
"""Pairs in a block; fixed, so that sums have the same order whatever the number of threads."""


def laplacian(left: Integers, right: Integers, weight: Floats, point: Floats) -> Floats:
    """Sum weight · (point[left] - point[right]) over pairs, to the left one and from the right.

    That is what a Hessian makes of a vector, as fast as a sparse matrix would say it, and there
    is no matrix to be made first.

    Args:
        left: int [C].
        right: int [C].
        weight: float [C].
        point: float [n]; the sum is as long.
    """

    def block(pairs: slice) -> Floats:
        pulled = np.zeros_like(point)
        _pull(left[pairs], right[pairs], weight[pairs], point, pulled)
        return pulled

    total: Floats = np.sum(_by_blocks(block, left.size), axis=0)
    return total


def half_rule(
    left: Integers, right: Integers, votes: Floats, strength: Floats
) -> tuple[float, Floats, Floats]:
    """`ties.Half` at a point: log-likelihood, score [n] and curvature [C], all in one pass.

    Args:
        left: int [C].
        right: int [C].
        votes: float [3, C].
        strength: float [n].
    """
    curvature = np.empty(left.size)

    def block(pairs: slice) -> tuple[float, Floats]:
        score = np.zeros_like(strength)
        value = _half_rule(
            *(left[pairs], right[pairs], votes[:, pairs], strength), score, curvature[pairs]
        )
        return value, score

    values, scores = zip(*_by_blocks(block, left.size), strict=True)
    return float(sum(values)), np.sum(scores, axis=0), curvature


def _by_blocks(work: Callable[[slice], T], n: int) -> list[T]:
    """What work gives for each block of n pairs, in their order."""
    blocks = [slice(first, first + BLOCK) for first in range(0, max(n, 1), BLOCK)]
    if len(blocks) == 1:
        return [work(blocks[0])]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, blocks))


@compiled
def _pull(left: Integers, right: Integers, weight: Floats, point: Floats, pulled: Floats) -> None:
    for pair in range(left.size):
        pull = weight[pair] * (point[left[pair]] - point[right[pair]])
        pulled[left[pair]] += pull
        pulled[right[pair]] -= pull


@compiled
def _half_rule(
    left: Integers,
    right: Integers,
    votes: Floats,
    strength: Floats,
    score: Floats,
    curvature: Floats,
) -> float:
    value = 0.0
    for pair in range(left.size):
        gap = strength[left[pair]] - strength[right[pair]]
        won, lost = votes[0, pair] + 0.5 * votes[2, pair], votes[1, pair] + 0.5 * votes[2, pair]
        n = won + lost
        small = exp(-abs(gap))
        p_weaker = small / (1.0 + small)
        p_left = p_weaker if gap < 0.0 else 1.0 - p_weaker
        value -= n * log1p(small) + (lost * gap if gap > 0.0 else -won * gap)
        residual = won - n * p_left
        score[left[pair]] += residual
        score[right[pair]] -= residual
        curvature[pair] = n * p_weaker * (1.0 - p_weaker)
    return value
