"""The compiled loops of online Elo; importing this module imports numba.

One battle's update needs the ratings that the one before it left, so no array operation does it.
A battle is packed into one integer, so that shuffling moves it at once.
"""

from math import exp

import numpy as np
from numpy.typing import NDArray

from arena.compiling import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEFT_BITS, RIGHT_BITS = 32, 2
"""A packed battle: from this bit on the left model, from this one the right, below it half points."""

RIGHT_MASK, POINTS_MASK = (1 << (LEFT_BITS - RIGHT_BITS)) - 1, (1 << RIGHT_BITS) - 1


def pack(
    left: NDArray[np.int32], right: NDArray[np.int32], half_points: NDArray[np.int8]
) -> Integers:
    """Battles as integers [n]."""
    packed = left.astype(np.int64)
    packed <<= LEFT_BITS - RIGHT_BITS
    packed |= right
    packed <<= RIGHT_BITS
    packed |= half_points
    return packed


@compiled
def play(
    packed: Integers, ratings: Floats, per_point: float, k: Floats, until: Integers
) -> Integers:
    """Play all battles in their order, from these ratings on.

    Args:
        packed: int [n], see `pack`.
        ratings: float [m], in rating points; changed in place.
        per_point: log-odds for one rating point.
        k: float [s], K in each stage of a model's career.
        until: int [s], battles played when a stage ends; -1 for the last one, which does not.

    Returns:
        How many battles each model played, int [m].
    """
    played, stage = np.zeros(ratings.size, np.int64), np.zeros(ratings.size, np.int64)
    for battle in packed:
        left, right = battle >> LEFT_BITS, (battle >> RIGHT_BITS) & RIGHT_MASK
        expected = 1.0 / (1.0 + exp((ratings[right] - ratings[left]) * per_point))
        surprise = 0.5 * (battle & POINTS_MASK) - expected
        ratings[left] += k[stage[left]] * surprise
        ratings[right] -= k[stage[right]] * surprise
        for model in (left, right):
            played[model] += 1
            if played[model] == until[stage[model]]:
                stage[model] += 1
    return played


# numpy's own shuffle holds the GIL, and so would let only one order be drawn at a time. A uniform
# number below 1 times n, in doubles, is below n, and its bias is of the order of n / 2^53.


@compiled
def shuffle(packed: Integers, rng: np.random.Generator) -> Integers:
    """The battles [n] in a random order: Fisher and Yates, from the end."""
    drawn = packed.copy()
    for i in range(drawn.size - 1, 0, -1):
        j = int(rng.random() * (i + 1))
        drawn[i], drawn[j] = drawn[j], drawn[i]
    return drawn


@compiled
def resample(packed: Integers, rng: np.random.Generator) -> Integers:
    """As many battles [n], drawn with replacement."""
    drawn = np.empty_like(packed)
    for i in range(drawn.size):
        drawn[i] = packed[int(rng.random() * packed.size)]
    return drawn
