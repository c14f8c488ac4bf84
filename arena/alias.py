"""Drawing from a table of chances in constant time, however long the table is.

numpy's own `choice` searches the table, which for ten million votes and thousands of judges
takes most of the time that there is.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """A table of k chances, taken apart into k equal columns of at most two entries each.

    Walker, An efficient method for generating discrete random variables with general
    distributions, ACM Transactions on Mathematical Software 3 (1977).

    Attributes:
        keep: float [k], which part of a column belongs to the entry of the same index.
        other: int [k], the entry that the rest of the column belongs to.
    """

    keep: Floats
    other: Integers


def chances(shares: Floats) -> Chances:
    """Take apart a table [k] of numbers from 0 up; they are scaled to add up to 1."""
    k = shares.size
    keep = shares / shares.sum() * k
    other = np.arange(k)
    small = np.flatnonzero(keep < 1.0).tolist()
    large = np.flatnonzero(keep >= 1.0).tolist()
    while small and large:
        low, high = small.pop(), large[-1]
        other[low] = high
        keep[high] -= 1.0 - keep[low]
        if keep[high] < 1.0:
            small.append(large.pop())
    # What is left over missed 1 by a rounding error.
    keep[small + large] = 1.0
    return Chances(keep, other)


def pick(table: Chances, n: int, rng: np.random.Generator) -> Integers:
    """Draw n entries of the table, as indices."""
    u = rng.random(n)
    u *= table.keep.size
    column = u.astype(np.int64)
    u -= column
    return np.where(u < table.keep[column], column, table.other[column])
