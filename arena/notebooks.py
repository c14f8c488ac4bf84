"""Results as they show themselves: in a notebook as HTML, and as text for `str()` and `print`."""

import io
from functools import singledispatch
from typing import TYPE_CHECKING

import polars as pl

from arena.comparison import Comparison
from arena.comparison_report import comparison_sheet
from arena.display import amount
from arena.html_boards import board_view
from arena.html_contamination import comparison_view, kinds_table, kinds_view
from arena.html_tables import fragment, frame_view
from arena.leaderboard import Leaderboard
from arena.prompt_match import Match
from arena.prompt_report import rule_text
from arena.report import render_table
from arena.tables import Sheet, frame_table
from arena.terminal import PIPE_WIDTH

if TYPE_CHECKING:
    from rich.console import RenderableType

ROWS = 30
"""Rows shown of a long result."""


@singledispatch
def as_html(result: object) -> str:
    """A result as an HTML table that is safe to show; of a long one, the first rows."""
    raise TypeError(f"{type(result).__name__} has no HTML form")


@as_html.register
def _(result: Leaderboard) -> str:
    return fragment(board_view(result, ROWS))


@as_html.register
def _(result: Comparison) -> str:
    return fragment(comparison_view(result, top=ROWS))


@as_html.register
def _(result: Sheet) -> str:
    return fragment(frame_view(result.summary.head(ROWS), result.title, result.lines))


@as_html.register
def _(result: Match) -> str:
    return fragment(kinds_view(result, _match_title(result)))


@singledispatch
def as_text(result: object) -> str:
    """A result as the table that a terminal shows; of a long one, the first rows."""
    raise TypeError(f"{type(result).__name__} has no form as text")


@as_text.register
def _(result: Leaderboard) -> str:
    return _printed(render_table(result, ROWS))


@as_text.register
def _(result: Comparison) -> str:
    return as_text(comparison_sheet(result))


@as_text.register
def _(result: Sheet) -> str:
    return _printed(frame_table(result.summary.head(ROWS), result.title, result.lines))


@as_text.register
def _(result: Match) -> str:
    share = pl.col("share of battles")
    table = kinds_table(result).with_columns(share.round(3))
    return _printed(frame_table(table, _match_title(result)))


def _match_title(match: Match) -> str:
    """What was held against what, and when a prompt counts as seen."""
    texts = sum(corpus["texts"] for corpus in match.manifest["corpora"])
    prompts = amount(match.frame["prompt"].n_unique(), "distinct prompt")
    against = amount(texts, "training text")
    return f"{prompts} held against {against}; seen: {rule_text(match.rule)}"


def _printed(table: "RenderableType") -> str:
    """What a terminal of a fixed width would show, without colours."""
    from rich.console import Console

    text = io.StringIO()
    plain = Console(file=text, width=PIPE_WIDTH, markup=False, highlight=False, emoji=False)
    plain.print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
