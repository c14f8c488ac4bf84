"""What became of every row of a log, and what each condition dropped."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from arena.battles import FILTERED, REJECTED, SET_ASIDE, Battles
from arena.display import amount
from arena.sources import Source


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of the rows of one source; the numbers add up to `rows`."""

    source: Source
    format: str
    rows: float
    accepted: float
    set_aside: Mapping[str, float]
    rejected: Mapping[str, float]
    filtered: float = 0.0

    def described(self) -> dict[str, Any]:
        """Which input it is, for a manifest."""
        return {
            "name": self.source.name,
            "account": self.account(),
            "format": self.format,
            "sha256": self.source.sha256(),
        }

    def account(self) -> str:
        """What became of the rows, in one line.

        >>> from arena.sources import open_sources
        >>> source = open_sources(pl.DataFrame({"x": [1]}))[0]
        >>> Reading(source, "plain", 5, 3, {}, {"no winner": 2}).account()
        'frame: plain format, 3 of 5 votes; 2 rejected (no winner: 2; --rejected FILE keeps them)'
        """
        lost = [f"{n:,.0f} {why}" for why, n in self.set_aside.items()]
        if self.rejected:
            why = ", ".join(f"{reason}: {n:,.0f}" for reason, n in self.rejected.items())
            n_rejected = sum(self.rejected.values())
            lost.append(f"{n_rejected:,.0f} rejected ({why}; --rejected FILE keeps them)")
        if self.filtered:
            lost.append(f"{self.filtered:,.0f} {FILTERED}")
        votes = amount(self.rows, "vote")
        kept = f"{self.accepted:,.0f} of {votes}" if lost else votes
        return f"{self.source.name}: {self.format} format, {'; '.join([kept, *lost])}"


FUNNEL: Mapping[str, pl.DataType] = {
    "condition": pl.String(),
    "before": pl.Float64(),
    "dropped": pl.Float64(),
    "unknown": pl.Float64(),
    "after": pl.Float64(),
}
"""The columns of a funnel."""


def reading_of(groups: pl.DataFrame, battles: Battles, source: int) -> Reading:
    """The account of one source, from groups with `source`, `why_not` and `n`."""
    of_source = groups.filter(pl.col("source") == source)
    sums = dict(of_source.group_by("why_not").agg(pl.col("n").sum()).rows())
    return Reading(
        battles.sources[source],
        battles.formats[source],
        rows=float(sum(sums.values())),
        accepted=float(sums.get(None, 0.0)),
        set_aside={why: sums[why] for why in SET_ASIDE if why in sums},
        rejected={why: sums[why] for why in REJECTED if why in sums},
        filtered=float(sums.get(FILTERED, 0.0)),
    )


def funnel_of(groups: pl.DataFrame, battles: Battles) -> pl.DataFrame:
    """How many votes each condition drops; of weighted votes, their number."""
    if not battles.conditions:
        return _whole_numbers(pl.DataFrame(schema=FUNNEL))
    n = "votes" if "votes" in groups.columns else "n"
    left = float(groups.filter(pl.col("why_not").is_null())[n].sum())
    lost = groups.filter(pl.col("why_not") == FILTERED).group_by("filtered").agg(pl.col(n).sum())
    by = {code: float(votes) for code, votes in lost.rows()}
    left += sum(by.values())
    rows: list[dict[str, float | str]] = []
    for i, condition in enumerate(battles.conditions):
        unknown = by.get(2 * i + 1, 0.0)
        dropped = by.get(2 * i, 0.0) + unknown
        values = (condition.name, left, dropped, unknown, left - dropped)
        rows.append(dict(zip(FUNNEL, values, strict=True)))
        left -= dropped
    return _whole_numbers(pl.DataFrame(rows, schema=FUNNEL))


def _whole_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with numbers as integers, if none has a fraction."""
    fractions = frame.select(pl.col(pl.Float64)).to_numpy() % 1.0
    return frame if fractions.any() else frame.with_columns(pl.col(pl.Float64).cast(pl.Int64))
