"""Columns of text as integers; importing this module imports numba."""

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from arena.compiling import Integers, compiled

Codes = NDArray[np.int32]
Words = NDArray[np.uint64]

SLOT_BITS = 17
SLOTS, LAST_SLOT = 1 << SLOT_BITS, np.uint64((1 << SLOT_BITS) - 1)
MOST_VIEWS = SLOTS // 4
"""Up to so many different views of text are told apart in one column."""

ODD = np.uint64(0x9E3779B97F4A7C15)
"""2^64 over the golden ratio: multiplying by it spreads close numbers apart."""


def number_texts(column: pl.Series) -> tuple[pl.Series, Codes]:
    """Texts, and for each row which of them it is; none may be null, and one may come twice."""
    code, texts = np.empty(column.len(), dtype=np.int32), column.clear()
    row = 0
    for chunk in column.get_chunks():
        of_chunk = code[row : row + chunk.len()]
        found = _number_chunk(chunk, of_chunk)
        of_chunk += texts.len()
        texts, row = pl.concat([texts, found]), row + chunk.len()
    return texts, code


def _number_chunk(column: pl.Series, code: Codes) -> pl.Series:
    """The texts of a column in one piece of memory; fills in which of them each row is.

    Arrow keeps a text as a view of 16 bytes: itself if it is short, else where it stands. Texts
    that came from one dictionary stand in one place, so telling their views apart tells most of
    them apart, in a fifth of the time. A text that stands in two places comes twice.
    """
    array = column.to_arrow(compat_level=pl.CompatLevel.newest())
    if len(array) and pa.types.is_string_view(array.type):
        views = np.frombuffer(array.buffers()[1], dtype=np.uint64).reshape(-1, 2)
        first = np.empty(MOST_VIEWS, dtype=np.int64)
        n_views = number_views(views[array.offset : array.offset + len(array)], code, first)
        if n_views <= MOST_VIEWS:
            return column.gather(first[:n_views])
    texts = column.unique()
    code[:] = column.cast(pl.Enum(texts)).to_physical().to_numpy()
    return texts


@compiled
def number_views(views: Words, code: Codes, first: Integers) -> int:
    """Number the distinct views of text in the order in which they are met.

    Args:
        views: unsigned [n, 2], a text's 16 bytes as two words.
        code: int [n], filled with the number of each view.
        first: int [d], filled with the row in which each number is first met.

    Returns:
        How many there are; d + 1 as soon as they are more than d.
    """
    numbers = np.full(SLOTS, -1, np.int32)  # a hash table: a view's number is in or after its slot
    n_views = 0
    for row in range(len(views)):
        low, high = views[row, 0], views[row, 1]
        slot = ((low ^ (high * ODD)) * ODD) >> np.uint64(64 - SLOT_BITS)
        while numbers[slot] >= 0:
            known = first[numbers[slot]]
            if views[known, 0] == low and views[known, 1] == high:
                break
            slot = (slot + np.uint64(1)) & LAST_SLOT
        if numbers[slot] < 0:
            if n_views == len(first):
                return n_views + 1
            numbers[slot], first[n_views] = n_views, row
            n_views += 1
        code[row] = numbers[slot]
    return n_views
