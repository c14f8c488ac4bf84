"""Counting text columns of a Parquet file by their dictionary codes, without reading the text.

Parquet keeps a column of names as a short dictionary and a code per row. Counting codes is
several times faster than grouping by the names, and needs memory for one batch of rows only.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

Integers = NDArray[np.int64]

BATCH_ROWS = 1 << 20
DENSE_MOST = 1 << 22
"""Combinations up to which each has a counter of its own."""
ROWS = "#rows"


def count_combinations(path: str, columns: Sequence[str]) -> pl.DataFrame | None:
    """How often each combination of values occurs in some columns of a Parquet file.

    Args:
        path: of the file.
        columns: text or Boolean columns of it.

    Returns:
        A frame with the columns and `ROWS`; None where a column is of another kind, or the file
        cannot be read, so that another way has to be gone.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, read_dictionary=list(columns)) as file:
            schema, n_groups = file.schema_arrow, file.num_row_groups
        if not all(_has_codes(schema, name) for name in columns):
            return None
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            counted = pool.map(partial(_count_group, path, columns), range(n_groups))
            parts = [part for of_group in counted for part in of_group]
    except (pa.ArrowException, OSError):
        return None
    empty = pl.DataFrame(schema={name: _kind(schema, name) for name in columns} | {ROWS: pl.Int64})
    return pl.concat([empty, *parts]).group_by(columns).agg(pl.col(ROWS).sum())


def _has_codes(schema: object, name: str) -> bool:
    import pyarrow.types as types

    field = schema.field(name).type  # type: ignore[attr-defined]
    value = field.value_type if types.is_dictionary(field) else field
    return bool(types.is_boolean(value) or types.is_string(value) or types.is_large_string(value))


def _kind(schema: object, name: str) -> pl.DataType:
    import pyarrow.types as types

    field = schema.field(name).type  # type: ignore[attr-defined]
    return pl.Boolean() if types.is_boolean(field) else pl.String()


def _count_group(path: str, columns: Sequence[str], group: int) -> list[pl.DataFrame]:
    """The combinations in a row group, a batch of rows at a time."""
    import pyarrow.parquet as pq

    asked = list(columns)
    with pq.ParquetFile(path, read_dictionary=asked, memory_map=True) as file:
        batches = file.iter_batches(
            batch_size=BATCH_ROWS, columns=asked, row_groups=[group], use_threads=False
        )
        return [_count_batch(batch, columns) for batch in batches]


def _count_batch(batch: object, columns: Sequence[str]) -> pl.DataFrame:
    """The combinations in some rows."""
    codes, values = zip(
        *(_codes(batch.column(name)) for name in columns),  # type: ignore[attr-defined]
        strict=True,
    )
    sizes = [len(one) for one in values]
    key = codes[0].astype(np.int64)
    for code, size in zip(codes[1:], sizes[1:], strict=True):
        key *= size
        key += code
    if np.prod(sizes, dtype=np.float64) <= DENSE_MOST:
        counted = np.bincount(key)
        found = np.flatnonzero(counted)
        number = counted[found]
    else:
        found, number = np.unique(key, return_counts=True)
    rows: dict[str, pl.Series] = {}
    for name, size, value in reversed(list(zip(columns, sizes, values, strict=True))):
        found, place = np.divmod(found, size)
        rows[name] = value.gather(place)
    return pl.DataFrame({name: rows[name] for name in columns} | {ROWS: number})


def _codes(column: object) -> tuple[Integers, pl.Series]:
    """A code for each row, and the values that they stand for, the last one none at all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.BooleanArray):
        code = pc.fill_null(pc.cast(column, pa.int64()), 2)
        return code.to_numpy(zero_copy_only=False), pl.Series([False, True, None])
    names = pl.Series([*column.dictionary.to_pylist(), None], dtype=pl.String)  # type: ignore[attr-defined]
    indices = column.indices  # type: ignore[attr-defined]
    if indices.null_count:
        indices = indices.fill_null(len(names) - 1)
    return indices.to_numpy(zero_copy_only=False), names
