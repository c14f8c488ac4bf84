"""Which combinations of values occur in some columns, and in how many rows: a group-by on codes.

A column is its distinct values and a code per row. What is done to values is done once for each
distinct one, and rows are told apart by numbers, so neither takes the time that text would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Codes = NDArray[np.integer]

DENSE_MOST = 1 << 22
"""Combinations up to which each has a counter of its own."""
LARGEST_KEY = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class Combinations:
    """The combinations that occur, each once.

    Attributes:
        values: column → its distinct values.
        codes: column → int [R], the place of each combination's value among these.
        rows: int [R], how many rows have the combination.
    """

    values: Mapping[str, pl.Series]
    codes: Mapping[str, Codes]
    rows: Integers

    def frame(self) -> pl.DataFrame:
        """The columns, one row per combination; `rows` is not among them."""
        return pl.DataFrame({c: self.values[c].gather(code) for c, code in self.codes.items()})

    def made(self, expressions: Mapping[str, pl.Expr]) -> "Combinations":
        """The combinations of what expressions make of each row by itself.

        Args:
            expressions: new column → what makes it of these columns.
        """
        values, codes = {}, {}
        for name, expression in expressions.items():
            values[name], codes[name] = distinct_values(*self._evaluated(name, expression))
        return combine(values, codes, self.rows)

    def _evaluated(self, name: str, expression: pl.Expr) -> tuple[pl.Series, Codes]:
        """The values of an expression, and which of them each combination has."""
        roots = expression.meta.root_names()
        if not roots:
            return pl.select(expression).to_series(), np.zeros(self.rows.size, np.int64)
        if len(set(roots)) == 1:
            column = roots[0]
            found = pl.DataFrame({column: self.values[column]}).select(expression)
            return found.to_series(), self.codes[column]
        return self.frame().select(expression).to_series(), np.arange(self.rows.size)


def combine(
    values: Mapping[str, pl.Series], codes: Mapping[str, Codes], rows: Integers | None = None
) -> Combinations:
    """Find the distinct combinations of columns.

    Args:
        values: column → its distinct values.
        codes: column → int [N].
        rows: int [N], how many rows each of the N stands for; None for one.
    """
    sizes = [len(values[name]) for name in codes]
    columns = list(codes.values())
    if np.prod(sizes, dtype=np.float64) <= DENSE_MOST:
        counted = np.bincount(_key(columns, sizes), rows)
        key = np.flatnonzero(counted)
        number = counted[key]
        found: list[Codes] = []
        for size in reversed(sizes):
            key, code = np.divmod(key, size)
            found.insert(0, code)
    else:
        _, first, place = np.unique(_key(columns, sizes), return_index=True, return_inverse=True)
        number = np.bincount(place, rows)
        found = [code[first] for code in columns]
    return Combinations(values, dict(zip(codes, found, strict=True)), number.astype(np.int64))


def unite(parts: Sequence[Combinations]) -> Combinations:
    """The combinations of several parts of a table, at least one, whose values may differ."""
    if len(parts) == 1:
        return parts[0]
    values, codes = {}, {}
    for name in parts[0].codes:
        lengths = [len(part.values[name]) for part in parts]
        start = np.cumsum([0, *lengths[:-1]])
        code = [part.codes[name] + first for part, first in zip(parts, start, strict=True)]
        every = pl.concat([part.values[name] for part in parts])
        values[name], codes[name] = distinct_values(every, np.concatenate(code))
    return combine(values, codes, np.concatenate([part.rows for part in parts]))


def distinct_values(values: pl.Series, codes: Codes) -> tuple[pl.Series, Codes]:
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
