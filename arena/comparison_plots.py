"""Pictures of a comparison: how ratings and ranks move, and what chance alone would do."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.comparison import Comparison
from arena.display import plain
from arena.palette import Style, style_of
from arena.plot_parts import ROW_HEIGHT, column, limits, name_rows, rows_height, spans
from arena.plots import SMALL, canvas, head, shown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

TOP, BUMP_TOP = 40, 30
"""Models that are drawn unless more are asked for: in rows, and between two boards."""
FEW = 12
"""Up to so many models, what chance would do is drawn for each rank; else where it matters."""
SURE = 0.05
"""Below this probability a change is more than chance, and has a colour."""
FILTERS_WIDTH = 90


def plot_placebo(
    told: Comparison, top: int | None = TOP, ax: "Axes | None" = None, *, dark: bool = False
) -> "Figure":
    """Each rating's change, over the changes that as many votes left out at random make.

    Args:
        told: the comparison.
        top: the first so many models of the base board that both boards rate; None for all.
        ax: draw here, and return this Axes' figure; else on one as tall as it needs.
        dark: on dark paper.
    """
    shown, style = _rated_by_both(told), style_of(dark)
    n = shown.height
    shown = shown if top is None else shown.head(top)
    figure, ax = canvas(ax, rows_height(shown.height) + 0.35, style)
    rows = name_rows(ax, shown["model"].to_list(), style)
    change, lower, upper, null_lower, null_upper = (
        column(shown, name)
        for name in ("change", "change_lower", "change_upper", "null_lower", "null_upper")
    )
    low, high = limits(change, lower, upper, zero=True)
    wide = limits(change, null_lower, null_upper, zero=True)
    ax.set_xlim(min(low, wide[0]), max(high, wide[1]))
    spans(ax, rows, null_lower, null_upper, style.null, linewidth=8.0)
    colors = [_color(row, row["change"], style) for row in shown.iter_rows(named=True)]
    spans(ax, rows, lower, upper, colors, linewidth=1.6)
    ax.scatter(change, rows, s=18, c=colors, zorder=3)
    ax.axvline(0.0, color=style.soft, linewidth=0.8)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("change of the rating, points")
    level = f"{told.options['level'] * 100:g}%"
    of = f", the first {shown.height} of {n} drawn" if shown.height < n else ""
    head(
        ax,
        style,
        _verdict(told),
        f"{_kept(told)}{of}\ndot and line: change and its {level} interval; grey: {level} of the "
        "changes when as many votes are left out at random\ncolour: more than chance, with all "
        f"models in view (p < {SURE:g})",
    )
    return figure


def _rated_by_both(told: Comparison) -> pl.DataFrame:
    return told.frame.filter(pl.col("change").is_not_null())


def _color(row: Mapping[str, Any], moved: float, style: Style) -> str:
    sure = row["p_adjusted"] is not None and row["p_adjusted"] < SURE
    return (style.up if moved > 0 else style.down) if sure else style.soft


def _verdict(told: Comparison) -> str:
    digits = max(2, len(str(told.options["draws"])) - 1)
    moves = "moves more" if told.p_board < SURE else "moves no more"
    return f"The board {moves} than chance would move it (p = {told.p_board:.{digits}f})"


def _kept(told: Comparison) -> str:
    kept, base = (board.fit.all_counts.n_battles for board in (told.kept, told.base))
    held = f"all {base:,.0f}" if told.against == "all" else f"the other {base:,.0f}"
    filters = plain("; ".join(told.options["filters"]), FILTERS_WIDTH)
    return f"{kept:,.0f} votes kept ({filters}), held against {held}"


# ── ranks ──────────────────────────────────────────────────────────────────────────────────


def plot_rank_changes(
    told: Comparison, top: int | None = BUMP_TOP, ax: "Axes | None" = None, *, dark: bool = False
) -> "Figure":
    """Each model's rank on both boards; grey, the ranks that random removal would give it.

    A model in colour has a rank that random removal hardly ever gives.

    Args:
        told: the comparison.
        top: models that are among the best so many of either board; None for all.
        ax: draw here, and return this Axes' figure; else on one as tall as it needs.
        dark: on dark paper.
    """
    both, style = _rated_by_both(told), style_of(dark)
    shown = both
    if top is not None:
        best = pl.min_horizontal("rank_base", "rank_kept")
        shown = both.filter(best <= top)
    left, right = _places(shown, "rank_base"), _places(shown, "rank_kept")
    n = shown.height
    figure, ax = canvas(ax, 1.7 + ROW_HEIGHT * 0.92 * n, style)
    rows = list(shown.iter_rows(named=True))
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(n + 0.6, 0.4)
    beyond = [_beyond(row) for row in rows]
    moved = sum(beyond)
    to_place = _to_place(shown, right)
    for i, row in enumerate(rows):
        risen = row["rank_change"] > 0
        color = (style.up if risen else style.down) if beyond[i] else style.soft
        if beyond[i] or n <= FEW:
            _null_band(ax, row, left[i], to_place, style)
        ax.plot(
            [0.0, 1.0],
            [left[i], right[i]],
            "-o",
            color=color,
            linewidth=2.2 if beyond[i] else 1.0,
            markersize=4,
            clip_on=False,
            zorder=4 if beyond[i] else 3,
        )
        ink = style.ink if beyond[i] else style.soft
        name, rank, kept = shown_name(row["model"]), row["rank_base"], row["rank_kept"]
        risen_by = f"  {row['rank_change']:+d}".replace("-", "−") if row["rank_change"] else ""
        text: Any = {"color": ink, "fontsize": SMALL, "va": "center"}
        ax.text(-0.025, left[i], f"{name}  {rank}", ha="right", **text)
        ax.text(1.025, right[i], f"{kept}  {name}{risen_by}", ha="left", **text)
    ax.grid(False)
    ax.set_yticks([])
    base = "all votes" if told.against == "all" else "the other votes"
    ax.set_xticks([0.0, 1.0], [f"rank by {base}", "rank by the votes kept"])
    ax.xaxis.set_ticks_position("top")
    ax.tick_params(length=0, labelsize=8.5)
    level = f"{told.options['level'] * 100:g}%"
    of = f"; the best {top} of either board" if top is not None and n < both.height else ""
    said = f"grey: {level} of the ranks when as many votes are left out at random"
    if n > FEW:
        said = f"{said}, of those in colour" if moved else ""
    if moved:
        luck = (1.0 - told.options["level"]) * n
        said = f"{said}\neach rank by itself: of so many, about {luck:.1f} or fewer would by chance"
    head(ax, style, _ranks_headline(moved, n), f"{_kept(told)}{of}\n{said}")
    return figure


def _ranks_headline(moved: int, n: int) -> str:
    if moved == 0:
        return "No rank moves more than chance would move it"
    whose = "rank moves" if moved == 1 else "ranks move"
    return f"{moved} of {n} {whose} more than chance would move {'it' if moved == 1 else 'them'}"


def _to_place(shown: pl.DataFrame, right: list[float]) -> Callable[[float], float]:
    """From a rank to where it is among the models drawn on the right."""
    order = np.argsort(right)
    ranks = shown["rank_kept"].to_numpy()[order]
    places = np.sort(right)
    return lambda rank: float(np.interp(rank, ranks, places))


def _null_band(
    ax: "Axes",
    row: Mapping[str, Any],
    start: float,
    to_place: Callable[[float], float],
    style: Style,
) -> None:
    """The ranks that random removal would give a model, from its rank on the left."""
    rank = row["rank_base"]
    high = to_place(rank - (row["rank_null_upper"] or 0))
    low = to_place(rank - (row["rank_null_lower"] or 0))
    ax.fill_between(
        [0.0, 1.0],
        [start - 0.1, high - 0.25],
        [start + 0.1, low + 0.25],
        color=style.null,
        alpha=0.35,
        linewidth=0.0,
    )


def _places(shown: pl.DataFrame, ranks: str) -> list[float]:
    """Where each model stands from the top, 1 is highest; equal ranks one below the other."""
    order = shown.with_row_index("at").sort(ranks, "model")["at"].to_list()
    places = [0.0] * shown.height
    for place, at in enumerate(order, start=1):
        places[at] = float(place)
    return places


def _beyond(row: Mapping[str, Any]) -> bool:
    """Whether a rank changed by more than nearly all random removals change it."""
    low, high, change = row["rank_null_lower"], row["rank_null_upper"], row["rank_change"]
    return (high is not None and change > high) or (low is not None and change < low)
