"""Any table as text: for a terminal, as Markdown, CSV or JSON. It knows no column by name."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from arena.display import plain
from arena.report import NAME_WIDTH, markdown_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import RenderableType

Draw = Callable[[int | None, bool], "Figure"]
"""Draws so many models, None for as many as is usual and 0 for all, on light or dark paper."""

DIGITS = 1
FINE_DIGITS = 4
FINE = 10.0
"""A column of numbers that all stay below this is shown with more digits."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A result as it is given to a reader.

    Attributes:
        name: what its rows are, e.g. ``history``.
        title: one line with all that is needed to read the numbers.
        frame: every row and column, for files.
        summary: what is shown on a screen or in Markdown.
        lines: what stands under the table.
        manifest: what is needed to make it again, as plain values; None where there is none.
        key: the column of both tables that says what a row is on.
        pictures: kind → what draws it, the usual one first.
    """

    name: str
    title: str
    frame: pl.DataFrame
    summary: pl.DataFrame
    lines: Sequence[str] = ()
    manifest: Mapping[str, Any] | None = None
    key: str = "model"
    pictures: Mapping[str, Draw] = field(default_factory=dict)

    def head(self, n: int) -> "Sheet":
        """The same with the first n rows of the summary, and the frame's rows on these."""
        shown = self.summary.head(n)
        if self.key not in shown.columns:
            return replace(self, summary=shown, frame=self.frame.head(n))
        rows = self.frame.filter(self.frame[self.key].is_in(shown[self.key].to_list()))
        return replace(self, summary=shown, frame=rows)


def cell(value: object, digits: int = DIGITS) -> str:
    """One value as text: thousands grouped, nothing for null.

    >>> cell(1234.56), cell(None), cell(1200)
    ('1,234.6', '', '1,200')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.{digits}f}"
    return plain(str(value), NAME_WIDTH)


def frame_table(
    frame: pl.DataFrame, title: str, lines: Sequence[str] = (), *, unicode: bool = True
) -> "RenderableType":
    """A frame as a table for a terminal, with lines under it."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD if unicode else box.ASCII, pad_edge=False)
    for name, kind in frame.schema.items():
        table.add_column(
            Text(plain(name)), justify="right" if kind.is_numeric() else "left", no_wrap=True
        )
    for row in texts(frame):
        table.add_row(*map(Text, row))
    return Group(Text(plain(title)), table, *(Text(plain(line)) for line in lines))


def texts(frame: pl.DataFrame) -> Iterator[list[str]]:
    """The rows of a frame as text."""
    digits = [_digits(frame[name]) for name in frame.columns]
    for row in frame.iter_rows():
        yield [cell(value, n) for value, n in zip(row, digits, strict=True)]


def _digits(column: pl.Series) -> int:
    if not column.dtype.is_float():
        return DIGITS
    largest = np.nanmax(np.abs(column.drop_nulls().to_numpy()), initial=0.0)
    return FINE_DIGITS if largest < FINE else DIGITS


def frame_markdown(frame: pl.DataFrame, title: str, lines: Sequence[str] = ()) -> str:
    """A frame as a Markdown table under its title, with paragraphs under it."""
    heads = [markdown_text(name) for name in frame.columns]
    sides = ["--:" if kind.is_numeric() else ":--" for kind in frame.dtypes]
    rows = [[markdown_text(text) for text in row] for row in texts(frame)]
    table = ["| " + " | ".join(cells) + " |" for cells in (heads, sides, *rows)]
    under = [text for line in lines for text in ("", markdown_text(line))]
    return "\n".join([markdown_text(title), "", *table, *under]) + "\n"


def frame_json(frame: pl.DataFrame, name: str, manifest: Mapping[str, Any] | None = None) -> str:
    """The rows under a name, and beside them the manifest if there is one."""
    document: dict[str, object] = {name: [_finite(row) for row in frame.to_dicts()]}
    if manifest is not None:
        document["manifest"] = dict(manifest)
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n"


def _finite(value: object) -> object:
    """A value as JSON can say it: what is not a finite number is null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value
