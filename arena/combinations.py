"""Which combinations of values occur in some columns, and in how many rows: a group-by on codes.

A column is its distinct values and a code per row. What is done to values is done once for each
distinct one, and rows are told apart by numbers, so neither takes the time that text would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Codes = NDArray[np.integer]
Coded: TypeAlias = tuple[pl.Series, Codes]
"""A column: its distinct values, and for each row the place of its value among these."""

DENSE_MOST = 1 << 22
"""Combinations up to which each has a counter of its own."""
LARGEST_KEY = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class Combinations:
    """The combinations that occur, each once.

    Attributes:
        columns: column → its distinct values, and int [R], which of them each combination has.
        rows: int [R], how many rows have the combination.
    """

    columns: Mapping[str, Coded]
    rows: Integers

    def frame(self) -> pl.DataFrame:
        """The columns, one row per combination; `rows` is not among them."""
        gathered = {name: values.gather(codes) for name, (values, codes) in self.columns.items()}
        return pl.DataFrame(gathered)

    def made(self, expressions: Mapping[str, pl.Expr]) -> "Combinations":
        """The combinations of what expressions make of each row by itself.

        Args:
            expressions: new column → what makes it of these columns.
        """
        made = {
            name: distinct_values(*self._evaluated(expression))
            for name, expression in expressions.items()
        }
        return combine(made, self.rows)

    def _evaluated(self, expression: pl.Expr) -> Coded:
        """The values of an expression, and which of them each combination has."""
        roots = expression.meta.root_names()
        if not roots:
            return pl.select(expression).to_series(), np.zeros(self.rows.size, np.int64)
        if len(set(roots)) == 1:
            values, codes = self.columns[roots[0]]
            found = pl.DataFrame({roots[0]: values}).select(expression)
            return found.to_series(), codes
        return self.frame().select(expression).to_series(), np.arange(self.rows.size)


def combine(columns: Mapping[str, Coded], rows: Integers | None = None) -> Combinations:
    """Find the distinct combinations of columns.

    Args:
        columns: column → its values, and int [N], which of them each row has.
        rows: int [N], how many rows each of the N stands for; None for one.
    """
    sizes = [len(values) for values, _ in columns.values()]
    codes = [code for _, code in columns.values()]
    if np.prod(sizes, dtype=np.float64) <= DENSE_MOST:
        counted = np.bincount(_key(codes, sizes), rows)
        key = np.flatnonzero(counted)
        number = counted[key]
        found: list[Codes] = []
        for size in reversed(sizes):
            key, code = np.divmod(key, size)
            found.insert(0, code)
    else:
        _, first, place = np.unique(_key(codes, sizes), return_index=True, return_inverse=True)
        number = np.bincount(place, rows)
        found = [code[first] for code in codes]
    combined = {
        name: (values, code)
        for (name, (values, _)), code in zip(columns.items(), found, strict=True)
    }
    return Combinations(combined, number.astype(np.int64))


def unite(parts: Sequence[Combinations]) -> Combinations:
    """The combinations of several parts of a table, at least one, whose values may differ."""
    if len(parts) == 1:
        return parts[0]
    united = {}
    for name in parts[0].columns:
        values, codes = zip(*(part.columns[name] for part in parts), strict=True)
        start = np.cumsum([0, *map(len, values[:-1])])
        moved = [code + first for code, first in zip(codes, start, strict=True)]
        united[name] = distinct_values(pl.concat(values), np.concatenate(moved))
    return combine(united, np.concatenate([part.rows for part in parts]))


def code_booleans(column: pl.Series) -> Coded:
    """A Boolean column, its nulls included."""
    return pl.Series([False, True, None]), column.cast(pl.Int8).fill_null(2).to_numpy()


def distinct_values(values: pl.Series, codes: Codes) -> Coded:
    """Values without repeats, and the codes [N] of the same rows among them."""
    place: dict[object, int] = {}
    moved = np.array([place.setdefault(value, len(place)) for value in values], dtype=np.int64)
    if len(place) == len(values):
        return values, codes
    return pl.Series(values.name, list(place), dtype=values.dtype), moved[codes]


def _key(codes: Sequence[Codes], sizes: Sequence[int]) -> Integers:
    """One number per row [N], the same exactly for rows with the same codes."""
    key, n = codes[0].astype(np.int64), sizes[0]
    for code, size in zip(codes[1:], sizes[1:], strict=True):
        if n * size > LARGEST_KEY:
            _, key = np.unique(key, return_inverse=True)
            n = key.size
        key *= size
        key += code
        n *= size
    return key
