"""Pictures of ratings in time: their history, and what the order of the votes does to Elo."""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.history import NAMES, History
from arena.palette import style_of
from arena.plot_parts import column, end_labels, inches_high, limits, name_rows, rows_height, spans
from arena.plots import canvas, head, shown_name, time_axis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

TOP, ELO_TOP = 12, 40
"""Models that are drawn unless more are asked for: over time, and in rows."""
FEW = 6
"""Up to so many bands can be told apart where they overlap."""
DASHES = ("-", (0, (4, 1.5)), (0, (1.2, 1.2)))
"""Lines of one colour differ by these."""
DAY = 86_400e6
"""Microseconds."""


def plot_history(
    told: History, top: int | None = TOP, ax: "Axes | None" = None, *, dark: bool = False
) -> "Figure":
    """Ratings over time with their intervals as bands, named where they end.

    Args:
        told: the history.
        top: how many models of the latest board to draw; None for all.
        ax: draw here, and return this Axes' figure.
        dark: on dark paper.
    """
    style, frame = style_of(dark), told.frame
    latest = frame.filter(pl.col("end") == pl.col("end").max()).sort("rank", "model")
    models = latest["model"].to_list()[:top]
    own = ax is None
    figure, ax = canvas(ax, max(4.4, 1.3 + 0.16 * len(models)), style, width=9.0)
    faint = 0.14 if len(models) <= FEW else 0.06
    lasts, colors = [], []
    for i, model in enumerate(models):
        rows = frame.filter(pl.col("model") == model).sort("end")
        days = rows["end"].dt.epoch("us").to_numpy() / DAY
        rating, lower, upper = (
            column(rows, name) for name in ("rating", "rating_lower", "rating_upper")
        )
        color = style.series[i % len(style.series)]
        dash = DASHES[i // len(style.series) % len(DASHES)]
        ax.fill_between(days, lower, upper, color=color, alpha=faint, linewidth=0.0)
        ax.plot(days, rating, linestyle=dash, color=color, linewidth=1.6)
        if rows.height <= 20:
            ax.plot(days, rating, "o", color=color, markersize=2.8)
        lasts.append((days[-1], rating[-1]))
        colors.append(color)
    if lasts:
        ends = frame["end"].dt.epoch("us").to_numpy() / DAY
        drawn = frame.filter(pl.col("model").is_in(models))
        bounds = limits(*(column(drawn, f"rating{side}") for side in ("", "_lower", "_upper")))
        ax.set_ylim(*bounds)
        ax.set_xlim(ends.min() - 0.5, max(ends.max(), ends.min() + 1.0))
        at = np.array(lasts)
        names = [shown_name(model) for model in models]
        end_labels(ax, at[:, 0], at[:, 1], names, colors, style, inches_high(ax, own))
    time_axis(ax)
    ax.set_ylabel("rating, points")
    length = {short: name for name, short in NAMES.items()}.get(told.every, told.every)
    behind = "all votes until then"
    if told.window is not None:
        behind = f"the votes of {told.window} x {told.every}"
    whose = f"The {len(models)} best" if len(models) < latest.height else f"All {len(models)}"
    head(
        ax,
        style,
        f"{whose} models of the latest board, over time",
        f"a board per {length}, of {behind}; bands: intervals of each board by itself",
    )
    return figure


# ── order ──────────────────────────────────────────────────────────────────────────────────


def plot_order_spread(
    spread: pl.DataFrame,
    top: int | None = ELO_TOP,
    ax: "Axes | None" = None,
    *,
    dark: bool = False,
) -> "Figure":
    """Online Elo in the order given, over what other orders of the same battles make of it.

    Args:
        spread: of `order_spread`; with `bradley_terry`, as `arena elo` adds it, a tick stands
            there.
        top: how many models to draw; None for all.
        ax: draw here, and return this Axes' figure; else on one as tall as it needs.
        dark: on dark paper.
    """
    shown, style = spread if top is None else spread.head(top), style_of(dark)
    figure, ax = canvas(ax, rows_height(shown.height) + 0.2, style)
    rows = name_rows(ax, shown["model"].to_list(), style)
    elo, low, high = (column(shown, name) for name in ("elo", "elo_low", "elo_high"))
    beside = "bradley_terry" in shown.columns
    also = column(shown, "bradley_terry") if beside else np.full_like(elo, np.nan)
    ends = limits(
        np.concatenate([elo, also]), *(np.concatenate([one, also]) for one in (low, high))
    )
    ax.set_xlim(*ends)
    spans(ax, rows, low, high, style.null, linewidth=7.0)
    if beside:
        ax.plot(also, rows, "|", color=style.down, markersize=9, markeredgewidth=1.6)
    ax.plot(elo, rows, "o", color=style.up, markersize=4)
    ax.grid(axis="y", linewidth=0.35)
    ax.set_xlabel("rating, points")
    typical = float(np.median(column(shown, "elo_std")))
    widest = float(np.nanmax(high - low, initial=0.0))
    tick = "; tick: Bradley-Terry, which knows no order" if beside else ""
    head(
        ax,
        style,
        f"An Elo rating moves by {typical:.0f} points with the order of the votes alone",
        f"median standard deviation over random orders; widest range {widest:.0f} points\n"
        f"dot: Elo in the order given; grey: most of the random orders{tick}",
    )
    return figure
