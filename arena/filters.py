"""Filters: named conditions over battles, how they combine, and what each of them drops.

A filter is a function from battles to a condition on their rows. Most look at a row alone; some
look at the whole log first (how often a prompt occurs, how many battles a model has), and then
they see the battles that the filters before them left.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.battles import PLACE, Battles, Condition
from arena.display import amount, plain
from arena.errors import ColumnError, NoEstimateError
from arena.sources import collect
from arena.tally import Tally, tally_votes

LISTED_VALUES = 8


@dataclass(frozen=True, slots=True)
class Filter:
    """A named condition that is made for the battles it is used on.

    Attributes:
        name: what it is called in the funnel, e.g. ``turns >= 2``.
        needs: battle columns it cannot do without.
        keeps: from battles to a Boolean expression over their rows, true for those to keep and
            null where the row does not tell; null counts as not met, and so does its opposite.
    """

    name: str
    needs: tuple[str, ...]
    keeps: Callable[[Battles], pl.Expr]

    def __and__(self, other: "Filter") -> "Filter":
        """Both conditions, each judged on the same battles."""
        return self._with(other, "and", lambda one, two: one & two)

    def __or__(self, other: "Filter") -> "Filter":
        """Either condition, or both."""
        return self._with(other, "or", lambda one, two: one | two)

    def __invert__(self) -> "Filter":
        """The opposite; a row that does not tell is dropped by both."""
        return Filter(f"not {_grouped(self.name)}", self.needs, lambda given: ~self.keeps(given))

    def _with(
        self, other: "Filter", word: str, join: Callable[[pl.Expr, pl.Expr], pl.Expr]
    ) -> "Filter":
        return Filter(
            f"{_grouped(self.name)} {word} {_grouped(other.name)}",
            tuple(dict.fromkeys((*self.needs, *other.needs))),
            lambda given: join(self.keeps(given), other.keeps(given)),
        )

    def on(self, battles: Battles) -> Condition:
        """The condition on the rows of these battles.

        Raises:
            ColumnError: if they lack a column it needs; the message lists those they have.
        """
        for name in self.needs:
            need_one_of(battles, (name,), self.name)
        condition = Condition(self.name, self.keeps(battles))
        kind = battles.placed.select(condition.keeps).collect_schema().dtypes()[0]
        if kind != pl.Boolean:
            message = f"the filter '{plain(self.name)}' is {kind}, neither true nor false"
            raise ColumnError(message)
        return condition


def _grouped(name: str) -> str:
    return f"({name})" if " and " in name or " or " in name else name


def need_one_of(battles: Battles, columns: Sequence[str], name: str) -> str:
    """The first of the columns that the battles have.

    Raises:
        ColumnError: if they have none; the message lists those they have.
    """
    for column in columns:
        if column in battles.columns:
            return column
    wanted = " or ".join(f"'{column}'" for column in columns)
    message = (
        f"no column {wanted}, which the filter '{plain(name)}' needs; "
        f"these votes have {', '.join(battles.columns)}"
    )
    raise ColumnError(message)


def where(name: str, condition: pl.Expr) -> Filter:
    """A filter made of any polars expression over the battle columns.

    >>> short_answers = where("short answers", pl.col("tokens_a") + pl.col("tokens_b") < 200)
    >>> short_answers.needs
    ('tokens_a', 'tokens_b')
    """
    return Filter(name, tuple(dict.fromkeys(condition.meta.root_names())), lambda _: condition)


def keep_places(kept: NDArray[np.bool_]) -> pl.Expr:
    """The condition that is true for the rows whose place is flagged.

    Args:
        kept: bool [rows], by `place`, over all rows of all sources.
    """

    def looked_up(places: pl.Series) -> pl.Series:
        return pl.Series(kept[places.to_numpy()])

    return pl.col(PLACE).map_batches(looked_up, return_dtype=pl.Boolean, is_elementwise=True)


def placed_votes(battles: Battles, columns: Sequence[str | pl.Expr]) -> pl.DataFrame:
    """Columns of the battles that count, with their `place`, in the log's order."""
    counted = battles.placed.filter(battles.why_not.is_null())
    return collect(counted.select(PLACE, *columns), battles.sources).sort(PLACE)


def count_rows(battles: Battles) -> int:
    """All rows of all sources, counted or not."""
    return int(collect(battles.placed.select(pl.len()), battles.sources).item())


@dataclass(frozen=True, slots=True)
class Selection:
    """What filters keep of a log, and what they drop.

    Attributes:
        kept: the battles, with the filters among their conditions: whatever is computed of them
            sees only the battles kept.
    """

    kept: Battles

    @property
    def dropped(self) -> pl.LazyFrame:
        """The battles dropped, with `reason`, the first condition not met, and `unknown`."""
        return self.kept.dropped

    @property
    def funnel(self) -> pl.DataFrame:
        """What each condition dropped, see `Tally.funnel`; one pass over the log."""
        return tally_votes(self.kept).funnel


def select(battles: Battles, *filters: Filter) -> Selection:
    """Keep the battles that meet all filters, each seeing what those before it left.

    Nothing is read but by filters that look at the whole log; the conditions are judged in
    the one pass that counts the votes.

    Raises:
        ColumnError: if the battles lack a column that a filter needs.

    >>> from arena.battles import read_battles
    >>> log = pl.DataFrame(
    ...     {
    ...         "model_a": ["x"] * 3,
    ...         "model_b": ["y"] * 3,
    ...         "winner": ["tie"] * 3,
    ...         "turns": [1, 2, None],
    ...     }
    ... )
    >>> selection = select(read_battles(log), where("turns >= 2", pl.col("turns") >= 2))
    >>> selection.funnel.rows()
    [('turns >= 2', 3, 2, 1, 1)]
    >>> selection.dropped.select("reason", "unknown").collect().rows()
    [('turns >= 2', False), ('turns >= 2', True)]
    """
    for one in filters:
        battles = battles.meeting(one.on(battles))
    return Selection(battles)


def refuse_nothing_left(battles: Battles, tally: Tally) -> None:
    """Raise NoEstimateError if conditions leave no vote, saying what there was to choose from."""
    numbered = tally.funnel.with_row_index("place")
    emptied = numbered.filter((pl.col("after") == 0) & (pl.col("before") > 0))
    if tally.counts.n_models or emptied.is_empty():
        tally.refuse_empty()
        return
    place, name, before = emptied.select("place", "condition", "before").row(0)
    left = replace(battles, conditions=battles.conditions[:place])
    asked = dict.fromkeys(battles.conditions[place].keeps.meta.root_names())
    there = [what for column in asked if (what := _values(left, column))]
    message = (
        f"no votes to rate: '{plain(name)}' drops all {amount(before, 'vote')} that are left"
        + (f"; there are {'; '.join(there)}" if there else "")
    )
    raise NoEstimateError(message)


def _values(battles: Battles, column: str) -> str:
    """What a column holds: its commonest values, or its range."""
    if column not in battles.columns:
        return ""
    held = battles.frame.select(pl.col(column))
    kind = held.collect_schema()[column]
    if kind.is_numeric() or kind.is_temporal():
        low, high = collect(
            held.select(low=pl.min(column), high=pl.max(column)), battles.sources
        ).row(0)
        return f"{column} from {low} to {high}" if low is not None else f"no {column} at all"
    counted = held.group_by(column).agg(n=pl.len()).sort("n", column, descending=[True, False])
    found = collect(counted.head(LISTED_VALUES + 1), battles.sources)
    shown = ", ".join(
        f"{'none' if value is None else plain(str(value), 40)} ({n:,})"
        for value, n in found.head(LISTED_VALUES).iter_rows()
    )
    return f"{column} {shown}{' and others' if found.height > LISTED_VALUES else ''}"
