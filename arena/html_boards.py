"""Leaderboards and win rates as HTML tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from arena.html_tables import (
    Axis,
    Cell,
    Drawing,
    Head,
    TableView,
    axis_over,
    name_cell,
    shown,
    value_cell,
)
from arena.leaderboard import Leaderboard
from arena.report import about_columns, decimals, footer, rated, title
from arena.winrates import battle_matrix, predicted_win_rates

HEAT_MODELS = 25
"""Models in a heat map; more would not be read."""
SHADES = 10
"""Steps of colour from nothing to the most."""


STRONGEST = 0.3
"""So far from one half a share of points has the strongest colour."""


@dataclass(frozen=True, slots=True)
class HeatView:
    """A square of numbers with colours.

    Attributes:
        caption: what it is, in one line.
        corner: what the rows are.
        names: of the rows, and in the same order of the columns.
        cells: for each row, text and style-sheet class of each cell.
    """

    caption: str
    corner: str
    names: tuple[str, ...]
    cells: tuple[tuple[tuple[str, str], ...], ...]


def board_view(
    board: Leaderboard,
    top: int | None = None,
    *,
    caption: str | None = None,
    axis: Axis | None = None,
    beside: Leaderboard | None = None,
) -> TableView:
    """A leaderboard with its intervals drawn.

    Args:
        board: the board.
        top: the first so many rated models; None for all.
        caption: what it is, in one line; None for all that is needed to read the numbers.
        axis: of the drawings; None for one that fits.
        beside: another board; how many places each model stands above its rank there.
    """
    rows = rated(board, top)
    digits = decimals(board)
    sure = board.uncertainty is not None
    level = f"{board.interval.level * 100:g}%"
    about = about_columns(board)
    elsewhere = {} if beside is None else dict(rated(beside).select("model", "rank").iter_rows())
    noted = rows["note"].is_not_null().any()
    columns = ("rating_lower", "rating", "rating_upper")
    axis = axis or axis_over([one for name in columns for one in rows[name].to_list()])
    heads = [Head("rank", "num"), Head("model", "name"), Head("rating", "num")]
    if beside is not None:
        heads.append(Head("risen", "num", "places above the rank among all votes"))
    if sure:
        interval = f"{level} interval; the axis goes {' to '.join(axis.ends())}"
        ranks = f"the ranks it may have, for all models at once with {level} confidence"
        heads += [
            Head("interval", "draw", interval, axis.ends()),
            Head("±", "num", f"half the {level} interval"),
        ]
        heads += [Head("could be", "num", ranks)]
    heads += [Head("battles", "num"), Head("wins", "num"), Head("losses", "num")]
    heads += [Head("ties", "num", "ties and both bad"), *([Head("note")] if noted else [])]
    heads += [Head(shown(name.replace("_", " "))) for name in about]
    cells = []
    for row in rows.iter_rows(named=True):
        line = [value_cell(row["rank"]), name_cell(row["model"]), value_cell(row["rating"], digits)]
        if beside is not None:
            there = elsewhere.get(row["model"])
            line.append(value_cell(None if there is None else there - row["rank"], sign=True))
        if sure:
            line += _interval(row, axis, digits)
        line += [value_cell(row[name]) for name in ("battles", "wins", "losses", "ties")]
        line += [Cell(shown(row["note"] or ""))] if noted else []
        line += [Cell("" if row[name] is None else shown(row[name])) for name in about]
        cells.append(tuple(line))
    return TableView(
        shown(caption or title(board), 1000),
        tuple(heads),
        tuple(cells),
        tuple(shown(line, 1000) for line in footer(board, top)),
        key=1,
        sorted_by=0,
    )


def board_axis(boards: Mapping[str, Leaderboard]) -> Axis:
    """One axis for several boards, so that switching between them shows what moves."""
    columns = ("rating_lower", "rating", "rating_upper")
    return axis_over(
        [one for board in boards.values() for name in columns for one in rated(board)[name]]
    )


def _interval(row: Mapping[str, Any], axis: Axis, digits: int) -> list[Cell]:
    lower, rating, upper = row["rating_lower"], row["rating"], row["rating_upper"]
    known = lower is not None and upper is not None
    words = f"{lower:,.{digits}f} to {upper:,.{digits}f}" if known else "no interval"
    drawing = Drawing(
        words,
        axis.place(rating),
        (axis.place(lower), axis.place(upper)) if known else None,
        marks=axis.marks(),
    )
    best, worst = row["rank_best"], row["rank_worst"]
    return [
        Cell(words, f"{rating:.6g}", "draw", drawing),
        value_cell((upper - lower) / 2 if known else None, digits),
        Cell(str(best) if best == worst else f"{best}–{worst}", f"{best + worst / 1e5}", "num"),
    ]


# ── heat maps ──────────────────────────────────────────────────────────────────────────────


def win_rate_view(board: Leaderboard) -> HeatView:
    """How often each of the first models is expected to beat each other, a tie counted half."""
    order, names = _first(board)
    rates = predicted_win_rates(board.fit)[np.ix_(order, order)]
    cells = tuple(
        tuple(("", "self") if np.isnan(p) else (f"{p * 100:.0f}", _side(p)) for p in row)
        for row in rates
    )
    caption = (
        "Predicted share of points of the row's model against the column's, in percent; a tie "
        "is half a point"
    )
    return HeatView(caption, "model", names, cells)


def battles_view(board: Leaderboard) -> HeatView:
    """How often each pair of the first models met."""
    order, names = _first(board)
    met = battle_matrix(board.fit.counts)[np.ix_(order, order)]
    most = max(float(np.sqrt(met.max(initial=0.0))), 1.0)
    cells = tuple(
        tuple(
            ("", "self") if i == j else (_few(n), f"n{round(np.sqrt(n) / most * SHADES)}")
            for j, n in enumerate(row)
        )
        for i, row in enumerate(met)
    )
    return HeatView("Battles of each pair of models", "model", names, cells)


def _first(board: Leaderboard) -> tuple[list[int], tuple[str, ...]]:
    names = rated(board, HEAT_MODELS)["model"].to_list()
    return [board.fit.models.index(name) for name in names], tuple(shown(name) for name in names)


def _side(p: float) -> str:
    """The class of a share of points: which side of one half, and how far."""
    step = min(SHADES, round(abs(p - 0.5) / STRONGEST * SHADES))
    return f"{'w' if p >= 0.5 else 'l'}{step}"


def _few(n: float) -> str:
    """A count in few characters.

    >>> _few(0), _few(950), _few(12345)
    ('0', '950', '12k')
    """
    return f"{n:.0f}" if n < 1000 else (f"{n / 1000:.1f}k" if n < 9950 else f"{n / 1000:.0f}k")
