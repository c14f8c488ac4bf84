"""Covariates: what each is called, how it is computed from a battle, and what it may not be."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.battles import Battles
from arena.display import listing
from arena.errors import ColumnError, NoEstimateError, OptionError

Floats = NDArray[np.float64]
Covariates = Iterable[str | pl.Expr] | Mapping[str, pl.Expr]

SIDE = "side"
STYLE = ("tokens", "headers", "lists", "bold")
"""What style control counts in each answer."""

DEPENDENT = 1e-10
"""The share of a covariate's square that must be its own, and not that of the others."""


def expressions(covariates: Covariates, battles: Battles) -> dict[str, pl.Expr]:
    """Each covariate as an expression over the battle columns, by name, in the order asked.

    Raises:
        ColumnError: a column that the battles lack.
        OptionError: a covariate asked for twice, or a style that there is not.
    """
    if isinstance(covariates, str):
        raise OptionError(f"covariates: give a list, e.g. ['{covariates}']")
    if isinstance(covariates, Mapping):
        covariates = [expression.alias(name) for name, expression in covariates.items()]
    found: dict[str, pl.Expr] = {}
    for one in _with_style_spelt_out(covariates):
        name = one if isinstance(one, str) else one.meta.output_name()
        if name in found:
            raise OptionError(f"covariates: '{name}' is asked for twice")
        expression = _named(one, battles) if isinstance(one, str) else one
        need_columns(expression.meta.root_names(), f"covariate '{name}'", battles)
        found[name] = expression
    return found


def _with_style_spelt_out(covariates: Iterable[str | pl.Expr]) -> Iterator[str | pl.Expr]:
    for one in covariates:
        # An expression compared with a text would be another expression.
        if isinstance(one, str) and one == "style":
            yield from (f"style:{count}" for count in STYLE)
        else:
            yield one


def _named(name: str, battles: Battles) -> pl.Expr:
    if name == SIDE:
        return pl.lit(1.0)
    style = name.removeprefix("style:")
    if style != name and style not in STYLE:
        raise OptionError(f"covariates: no style '{style}'; they are {', '.join(STYLE)}")
    # Counts may be unsigned: their difference must not be.
    a, b = (pl.col(f"{style}_{side}").cast(pl.Float64) for side in ("a", "b"))
    if style != name:
        return (a - b) / (a + b + 1.0)
    if {f"{name}_a", f"{name}_b"} <= set(battles.columns):
        return a - b
    return pl.col(name)


def need_columns(columns: Iterable[str], purpose: str, battles: Battles) -> None:
    """Raise ColumnError, saying what for, if the battles lack some of the columns."""
    lacking = [name for name in dict.fromkeys(columns) if name not in battles.columns]
    if lacking:
        message = (
            f"{purpose}: the votes have no column {listing(lacking)}; "
            f"there are {listing(battles.columns, most=30)}"
        )
        raise ColumnError(message)


def standardise(values: Floats, votes: Floats | None) -> None:
    """Make the mean over votes 0 and their standard deviation 1, in place."""
    values -= np.average(values, weights=votes)
    values /= np.sqrt(np.average(values**2, weights=votes))


# ── what a covariate may not be ────────────────────────────────────────────────────────────


def first_dependent(gram: Floats, squares: Floats) -> int | None:
    """The first column that the ones before it determine.

    Args:
        gram: float [k, k], products of the columns, after all else was taken out of them.
        squares: float [k], of the columns as they were.
    """
    size = np.sqrt(np.where(squares > 0, squares, 1.0))
    left = gram / np.outer(size, size)
    for j in range(len(left)):
        if left[j, j] <= DEPENDENT:
            return j
        left = left - np.outer(left[:, j], left[j]) / left[j, j]
    return None


def refuse_constant(name: str, values: Floats) -> None:
    """Raise NoEstimateError if a covariate [n] is the same in every battle."""
    low, high = values.min(), values.max()
    if name != SIDE and low == high:
        message = (
            f"covariate '{name}' is {low:g} in every battle, which tells nothing about the votes; "
            f"leave it out (what standing on the left is worth is '{SIDE}')"
        )
        raise NoEstimateError(message)


def refuse_combination(names: tuple[str, ...], values: Floats) -> None:
    """Raise NoEstimateError if the covariates before it determine one of the columns [n, k]."""
    gram = values.T @ values
    j = first_dependent(gram, np.diag(gram))
    if j is not None:
        message = (
            f"covariate '{names[j]}' is a combination of {listing(names[:j])}, "
            "so their coefficients have no estimate; leave one out"
        )
        raise NoEstimateError(message)
