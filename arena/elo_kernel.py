"""The compiled loop of online Elo; importing this module imports numba.

One battle's update needs the ratings that the one before it left, so no array operation does it.
"""

from collections.abc import Callable
from math import exp

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Play = Callable[[Integers, Floats, float, Floats, Integers, Integers], None]

LEFT_BITS, RIGHT_BITS = 32, 2
"""A packed battle: from this bit on the left model, from this one the right, below it the points."""

RIGHT_MASK, POINTS_MASK = (1 << (LEFT_BITS - RIGHT_BITS)) - 1, (1 << RIGHT_BITS) - 1


def _play(
    packed: Integers,
    ratings: Floats,
    per_point: float,
    k: Floats,
    until: Integers,
    played: Integers,
) -> None:
    """Play all battles in their order, from these ratings on.

    Args:
        packed: int [n], battles as `arena.elo` packs them.
        ratings: float [m], in rating points; changed in place.
        per_point: log-odds for one rating point.
        k: float [s], K in each stage of a model's career.
        until: int [s], battles played when a stage ends; the last one never does.
        played: int [m], battles so far; changed in place, unless there is one stage only.
    """
    if k.size == 1:
        for battle in packed:
            left, right = battle >> LEFT_BITS, (battle >> RIGHT_BITS) & RIGHT_MASK
            expected = 1.0 / (1.0 + exp((ratings[right] - ratings[left]) * per_point))
            move = k[0] * (0.5 * (battle & POINTS_MASK) - expected)
            ratings[left] += move
            ratings[right] -= move
        return
    stage = np.zeros(played.size, np.int64)
    for battle in packed:
        left, right = battle >> LEFT_BITS, (battle >> RIGHT_BITS) & RIGHT_MASK
        expected = 1.0 / (1.0 + exp((ratings[right] - ratings[left]) * per_point))
        surprise = 0.5 * (battle & POINTS_MASK) - expected
        for model in (left, right):
            while played[model] == until[stage[model]]:
                stage[model] += 1
            played[model] += 1
        ratings[left] += k[stage[left]] * surprise
        ratings[right] -= k[stage[right]] * surprise


def _compile(function: Play) -> Play:
    """Compiled, without the GIL, in IEEE arithmetic; kept on disk where there is a place for it."""
    try:
        return njit(function, cache=True, nogil=True, fastmath=False, error_model="numpy")
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return njit(function, nogil=True, fastmath=False, error_model="numpy")


play = _compile(_play)
