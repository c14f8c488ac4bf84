"""Counting text columns of a frame in memory by numbers that stand for the texts.

Texts are told apart by where they stand, as in `arena.text_codes`, which takes a quarter of the
time of a group-by on them. Importing this module imports numba.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from arena.combinations import Coded, Combinations, code_booleans, combine, distinct_values, unite
from arena.text_codes import number_texts

BATCH_ROWS = 1 << 19
MOST_TEXTS = 1 << 14
"""In a batch; with more, a group-by is as quick."""


def count_frame(frame: pl.DataFrame, columns: Sequence[str]) -> Combinations | None:
    """How often each combination of values occurs in some columns of a frame.

    Args:
        frame: any.
        columns: text or Boolean columns of it.

    Returns:
        The combinations; None where a column is of another kind or has too many texts for this
        to be quick, or where there are no rows.
    """
    chosen = frame.select(columns)
    if frame.is_empty() or not {*chosen.dtypes} <= {pl.String(), pl.Boolean()}:
        return None

    def count(first: int) -> Combinations:
        rows = chosen.slice(first, BATCH_ROWS)
        return combine({name: _coded(rows[name]) for name in columns})

    first = count(0)
    if any(len(values) > MOST_TEXTS for values, _ in first.columns.values()):
        return None
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return unite([first, *pool.map(count, range(BATCH_ROWS, frame.height, BATCH_ROWS))])


def _coded(column: pl.Series) -> Coded:
    """The values of a column, and which of them each row has."""
    if column.dtype == pl.Boolean:
        return code_booleans(column)
    texts, numbers = number_texts(column.fill_null(""))
    if column.null_count():
        numbers = np.where(column.is_null().to_numpy(), np.int32(texts.len()), numbers)
        texts = pl.concat([texts, pl.Series([None], dtype=pl.String)])
    return distinct_values(texts, numbers)
