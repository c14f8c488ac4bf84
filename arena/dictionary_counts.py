"""Counting text columns of a Parquet file by their dictionary codes, without reading the text.

Parquet keeps a column of names as a short dictionary and a code per row. Counting codes is
several times faster than grouping by the names, and needs memory for one batch of rows only.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from arena.combinations import Coded, Combinations, code_booleans, combine, unite

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 1 << 20


def count_combinations(path: str, columns: Sequence[str]) -> Combinations | None:
    """How often each combination of values occurs in some columns of a Parquet file.

    Args:
        path: of the file.
        columns: text or Boolean columns of it.

    Returns:
        The combinations; None where a column is of another kind, or the file cannot be read, so
        that another way has to be gone.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, read_dictionary=list(columns)) as file:
            schema, n_groups = file.schema_arrow, file.num_row_groups
        kinds = {name: _kind(schema.field(name).type) for name in columns}
        if not all(kinds.values()):
            return None
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            counted = pool.map(partial(_count_group, path, columns), range(n_groups))
            parts = [part for of_group in counted for part in of_group]
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        return None
    nothing = np.zeros(0, np.int64)
    empty = {name: (pl.Series(dtype=kind), nothing) for name, kind in kinds.items()}
    return unite(parts or [Combinations(empty, nothing)])


def _kind(type_: "pa.DataType") -> pl.DataType | None:
    """What a column that can be counted by codes holds; None for one that cannot."""
    import pyarrow.types as types

    value = type_.value_type if types.is_dictionary(type_) else type_
    if types.is_boolean(value):
        return pl.Boolean()
    return pl.String() if types.is_string(value) or types.is_large_string(value) else None


def _count_group(path: str, columns: Sequence[str], group: int) -> list[Combinations]:
    """The combinations in a row group, a batch of rows at a time."""
    import pyarrow.parquet as pq

    asked = list(columns)
    with pq.ParquetFile(path, read_dictionary=asked, memory_map=True) as file:
        batches = file.iter_batches(
            batch_size=BATCH_ROWS, columns=asked, row_groups=[group], use_threads=False
        )
        return [
            combine({name: _coded(batch.column(name)) for name in columns}) for batch in batches
        ]


def _coded(column: "pa.Array") -> Coded:
    """The values of a column, the last one none at all, and which of them each row has."""
    # Through polars, as Arrow's own ways to NumPy and to fill nulls import pandas.
    if not hasattr(column, "dictionary"):
        return code_booleans(pl.Series(column))
    names = pl.Series([*column.dictionary.to_pylist(), None], dtype=pl.String)
    return names, pl.Series(column.indices).fill_null(len(names) - 1).to_numpy()
