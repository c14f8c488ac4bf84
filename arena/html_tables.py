"""Tables as HTML: what stands in them, and the templates that write it.

Text from vote logs is anybody's. It reaches HTML only through templates that escape every value,
without control and format characters, and reaches CSV with nothing that a spreadsheet would run.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

import polars as pl

from arena.display import plain
from arena.tables import cell as number_text
from arena.tables import texts

if TYPE_CHECKING:
    from jinja2 import Environment

MOST_TEXT = 300
"""Characters of a name or note that are shown; a hostile one may have millions."""
DRAWN = 240
"""Width of a drawing, in its own units."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """An estimate with its interval on a common axis; places from 0 to `DRAWN`.

    Attributes:
        label: the same in words.
        dot: where the estimate is, if there is one.
        line: both ends of its interval, or None.
        band: both ends of what it is held against, or None.
        marks: places of reference.
    """

    label: str
    dot: float | None
    line: tuple[float, float] | None = None
    band: tuple[float, float] | None = None
    marks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes:
        text: what is read in it.
        order: what it is sorted by; its text, if empty.
        kind: its class in the style sheet: ``num``, ``name``, ``text`` or ``draw``.
        drawing: shown instead of the text.
        tag: a short label after the text.
    """

    text: str
    order: str = ""
    kind: str = "text"
    drawing: Drawing | None = None
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading.

    Attributes:
        text: what is read in it.
        kind: its class, as in `Cell`.
        hint: what it means, if that must be said.
        ends: of drawings, what both ends of the axis are.
    """

    text: str
    kind: str = "text"
    hint: str = ""
    ends: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TableView:
    """A table as a template writes it.

    Attributes:
        caption: what it is, in one line.
        heads: the columns.
        rows: the cells of each row.
        lines: what stands under it.
        key: which column names the row.
        sorted_by: the column that it is sorted by, if it can be sorted at all.
    """

    caption: str
    heads: tuple[Head, ...]
    rows: tuple[tuple[Cell, ...], ...]
    lines: tuple[str, ...] = ()
    key: int = 0
    sorted_by: int | None = None


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high`, drawn from one end to the other."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Where a value is drawn, a little inside both ends."""
        return round(5 + (value - self.low) / (self.high - self.low) * (DRAWN - 10), 1)

    def marks(self) -> tuple[float, ...]:
        """The places of round values: two to five of them."""
        step = 10.0 ** floor(log10(self.high - self.low))
        step = next(one for one in (step / 2, step, 2 * step) if (self.high - self.low) / one < 6)
        first, last = ceil(self.low / step), floor(self.high / step)
        return tuple(self.place(number * step) for number in range(first, last + 1))

    def ends(self, sign: str = "") -> tuple[str, str]:
        """Both ends in words."""
        return f"{self.low:{sign},.0f}", f"{self.high:{sign},.0f}"


def axis_over(values: Sequence[float | None]) -> Axis:
    """The axis that has room for all these values.

    >>> axis_over([1.0, None, 3.0])
    Axis(low=1.0, high=3.0)
    """
    there = [value for value in values if value is not None]
    low, high = (min(there), max(there)) if there else (0.0, 0.0)
    return Axis(low, high) if high > low else Axis(low - 1.0, high + 1.0)


@cache
def environment() -> "Environment":
    """The templates, all of which escape what they are given."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("arena"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )


def shown(text: object, most: int = MOST_TEXT) -> str:
    r"""Text on one line, without control or format characters, and not too long.

    >>> shown("a\nb\u202e" + "c" * 9, 6)
    'a bcc…'
    """
    whole = plain(" ".join(str(text)[: 8 * most].split()))
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def name_cell(name: str, tag: str = "") -> Cell:
    """A cell with a model's name."""
    return Cell(shown(name), kind="name", tag=tag)


def value_cell(value: float | None, digits: int = 0, *, sign: bool = False) -> Cell:
    """A cell with a number, sorted by it; an empty one sorts last."""
    if value is None:
        return Cell("", kind="num")
    near = round(value, digits) or 0  # -0.04 is no negative number to a tenth
    text = f"{near:{'+' if sign and near else ''},.{digits}f}"
    return Cell(text, f"{value:.6g}" if isinstance(value, float) else str(value), "num")


def frame_view(frame: pl.DataFrame, caption: str, lines: Sequence[str] = ()) -> TableView:
    """Any frame as a table."""
    kinds = ["num" if kind.is_numeric() else "text" for kind in frame.dtypes]
    heads = [
        Head(shown(name.replace("_", " ")), kind)
        for name, kind in zip(frame.columns, kinds, strict=True)
    ]
    rows = []
    for values, said in zip(frame.iter_rows(), texts(frame), strict=True):
        rows.append(
            tuple(
                Cell(said, "" if value is None else repr(value), kind)
                if kind == "num"
                else Cell(_text(value))
                for value, said, kind in zip(values, said, kinds, strict=True)
            )
        )
    return TableView(
        shown(caption, 1000),
        tuple(heads),
        tuple(rows),
        tuple(shown(line, 1000) for line in lines),
    )


def _text(value: object) -> str:
    return shown(value) if isinstance(value, str) else number_text(value)


def fragment(view: TableView) -> str:
    """A table by itself, for a notebook: no style sheet, no script."""
    still = replace(view, sorted_by=None)
    return environment().get_template("fragment.html").render(view=still, drawn=DRAWN)


# ── CSV ────────────────────────────────────────────────────────────────────────────────────


def spreadsheet_csv(frame: pl.DataFrame) -> str:
    r"""A frame as CSV in which no text is a formula: such a text begins with an apostrophe.

    >>> spreadsheet_csv(pl.DataFrame({"model": ["=cmd()", "a,b"], "rating": [-1.5, None]}))
    'model,rating\n\'=cmd(),-1.5\n"a,b",\n'
    """
    columns = [
        pl.Series(
            _harmless(name), [_harmless(one) for one in frame[name].to_list()], dtype=pl.String
        )
        if frame[name].dtype == pl.String
        else frame[name].alias(_harmless(name))
        for name in frame.columns
    ]
    return pl.DataFrame(columns).write_csv()


def _harmless(text: Any) -> Any:
    if text is None:
        return None
    clean = plain(text)
    return f"'{clean}" if clean.lstrip().startswith(FORMULA) or text.startswith(FORMULA) else clean
