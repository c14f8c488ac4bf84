"""The compiled loops of online Elo; importing this module imports numba.

One battle's update needs the ratings that the one before it left, so no array operation does it.
"""

from collections.abc import Callable
from math import exp
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Indices = NDArray[np.int32]
Words = NDArray[np.uint64]
Function = TypeVar("Function", bound=Callable[..., Any])

ODD = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: multiplying by it spreads close numbers apart."""

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


# numpy's own shuffle holds the GIL, and so would let only one order be drawn at a time. A uniform
# number below 1 times n, in doubles, is below n, and its bias is of the order of n / 2^53.


def _shuffle(drawn: Integers, _: Integers, rng: np.random.Generator) -> None:
    """Put an array [n] into a random order, in place: Fisher and Yates, from the end."""
    for i in range(drawn.size - 1, 0, -1):
        j = int(rng.random() * (i + 1))
        drawn[i], drawn[j] = drawn[j], drawn[i]


def _resample(drawn: Integers, given: Integers, rng: np.random.Generator) -> None:
    """Fill an array [n] with draws from another, with replacement."""
    for i in range(drawn.size):
        drawn[i] = given[int(rng.random() * given.size)]


def _number_views(views: Words, code: Indices, first: Integers) -> int:
    """Number the distinct views of text by where they first stand.

    Args:
        views: unsigned [n, 2], a text's 16 bytes as two words.
        code: int [n], filled with the number of each view.
        first: int [d], filled with the row in which each number is first met.

    Returns:
        How many there are; -1 if they are more than `first` has place for.
    """
    bits = 8
    while 1 << bits < 4 * first.size:
        bits += 1
    table = np.full(1 << bits, -1, np.int32)
    mask, shift = np.uint64((1 << bits) - 1), np.uint64(64 - bits)
    n_views = 0
    for i in range(views.shape[0]):
        low, high = views[i, 0], views[i, 1]
        place = ((low ^ (high * ODD)) * ODD) >> shift
        while table[place] >= 0:
            known = first[table[place]]
            if views[known, 0] == low and views[known, 1] == high:
                break
            place = (place + np.uint64(1)) & mask
        if table[place] < 0:
            if n_views == first.size:
                return -1
            table[place] = n_views
            first[n_views] = i
            n_views += 1
        code[i] = table[place]
    return n_views


def _compile(function: Function) -> Function:
    """Compiled, without the GIL, in IEEE arithmetic; kept on disk where there is a place for it."""
    options: dict[str, Any] = {"nogil": True, "fastmath": False, "error_model": "numpy"}
    try:
        return cast(Function, njit(cache=True, **options)(function))
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return cast(Function, njit(**options)(function))


play = _compile(_play)
shuffle = _compile(_shuffle)
resample = _compile(_resample)
number_views = _compile(_number_views)
