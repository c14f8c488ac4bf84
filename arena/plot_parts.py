"""What pictures are made of: rows of names, intervals, names at the ends of lines, heat maps."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.palette import Style
from arena.plots import SMALL, shown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

Floats = NDArray[np.float64]

ROW_HEIGHT = 0.22
"""Inches."""
MANY_ROWS = 45
"""From so many rows on, the axis is marked above them, too."""
RASTERIZED = 2_500
"""A heat map of more cells is an image within an SVG or PDF."""

# ── rows ───────────────────────────────────────────────────────────────────────────────────


def rows_height(n: int) -> float:
    """Inches of a figure with n rows of names."""
    return 1.35 + ROW_HEIGHT * n


def name_rows(ax: "Axes", names: Sequence[str], style: Style) -> Floats:
    """A row for each name, the first on top; where the rows are, [n]."""
    rows = np.arange(len(names), dtype=np.float64)
    ax.set_yticks(rows, [shown_name(name) for name in names])
    ax.tick_params(axis="y", labelsize=8, colors=style.ink)
    ax.set_ylim(len(names) - 0.4, -0.6)
    if len(names) > MANY_ROWS:
        ax.tick_params(labeltop=True)
    return rows


def column(frame: pl.DataFrame, name: str) -> Floats:
    """A column of numbers as an array, nan where it is null."""
    values: Floats = frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
    return values


def spans(
    ax: "Axes",
    rows: Floats,
    lower: Floats,
    upper: Floats,
    colors: Sequence[str] | str,
    **options: Any,
) -> None:
    """A line from bound to bound in each row; none where both are nan, no end where one is."""
    there = ~(np.isnan(lower) & np.isnan(upper))
    low, high = ax.get_xlim()
    start = np.where(np.isnan(lower) | (lower < low), low, lower)
    stop = np.where(np.isnan(upper) | (upper > high), high, upper)
    each = np.broadcast_to(np.array(colors), rows.shape)
    ax.hlines(rows[there], start[there], stop[there], color=list(each[there]), **options)
    for end, at, marker in ((start > lower, low, "<"), (stop < upper, high, ">")):
        beyond = there & (end | np.isnan(lower if marker == "<" else upper))
        for row, color in zip(rows[beyond], each[beyond], strict=True):
            ax.plot(at, row, marker, color=color, markersize=4, clip_on=False)


def limits(points: Floats, lower: Floats, upper: Floats, *, zero: bool = False) -> Floats:
    """From where to where an axis goes that shows every point and the common intervals.

    An interval far wider than the others is cut, so that they can be read; see `spans`.
    """
    known = points[np.isfinite(points)]
    if not known.size:
        return np.array([-1.0, 1.0])
    ends = np.append(known, 0.0) if zero else known
    low, high = float(ends.min()), float(ends.max())
    half = np.concatenate([points - lower, upper - points])
    half = half[np.isfinite(half)]
    reach = max(high - low, 4 * float(np.median(half))) if half.size else high - low
    for bounds in (lower, upper):
        there = bounds[np.isfinite(bounds)]
        if there.size:
            low = min(low, max(float(there.min()), low - reach))
            high = max(high, min(float(there.max()), high + reach))
    pad = 0.03 * (high - low) or 1.0
    return np.array([low - pad, high + pad])


def spaced(wanted: Floats, gap: float, low: float = -np.inf, high: float = np.inf) -> Floats:
    """Places at least a gap apart, as near as can be to those wanted, in the same order.

    They lie between low and high, if there is room for them.

    >>> spaced(np.array([0.0, 0.0, 9.0]), 2.0).tolist()
    [-1.0, 1.0, 9.0]
    >>> spaced(np.array([0.0, 0.0, 9.0]), 2.0, 0.0, 8.0).tolist()
    [0.0, 2.0, 8.0]
    """
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(wanted.size)
    pools: list[tuple[float, int]] = []
    for value in wanted[order] - steps:
        pools.append((float(value), 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (last, n), (before, k) = pools.pop(), pools.pop()
            pools.append(((last * n + before * k) / (n + k), n + k))
    level = np.repeat([at for at, _ in pools], [n for _, n in pools])
    found = np.empty(wanted.size)
    found[order] = np.maximum(np.minimum(level, high - steps[-1:].sum()), low) + steps
    return found


def end_labels(
    ax: "Axes",
    x: Floats,
    at: Floats,
    texts: Sequence[str],
    colors: Sequence[str],
    style: Style,
    tall: float,
) -> None:
    """Name lines where they end, beside the Axes; a thin line leads to a name that gave way.

    Args:
        ax: whose limits are set.
        x: float [n], where each line ends.
        at: float [n], how high it is there.
        texts: its name.
        colors: its colour.
        style: the house style.
        tall: inches that the Axes will be high.
    """
    low, high = ax.get_ylim()
    gap = (high - low) * 0.145 / max(tall, 0.5)
    beside, edge = ax.get_yaxis_transform(), ax.get_xlim()
    starts = (x - edge[0]) / (edge[1] - edge[0])
    places = spaced(at, gap, low + gap / 2, high - gap / 2)
    for start, y, place, text, color in zip(starts, at, places, texts, colors, strict=True):
        ax.plot(
            [start, max(start, 1.0) + 0.012, 1.03],
            [y, place, place],
            transform=beside,
            color=color,
            linewidth=0.8,
            clip_on=False,
        )
        ax.text(1.038, place, text, transform=beside, color=style.ink, fontsize=SMALL, va="center")


LEGEND_ROOM = 17.0
"""Points that a legend above the Axes takes."""


def legend_above(ax: "Axes", style: Style) -> None:
    """What the colours mean, in one line over the Axes; see `LEGEND_ROOM`."""
    _, texts = ax.get_legend_handles_labels()
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 0.995),
        ncols=max(1, len(texts)),
        frameon=False,
        fontsize=8.5,
        labelcolor=style.ink,
        handlelength=1.0,
        handleheight=1.0,
        columnspacing=1.4,
        borderaxespad=0.2,
    )


def inches_high(ax: "Axes", own: bool) -> float:
    """About how high Axes will be: a figure of their own has a heading and an axis besides."""
    figure = ax.get_figure(root=True)
    tall = 4.0 if figure is None else float(figure.get_figheight())
    return tall - 1.15 if own else tall * float(ax.get_position().height)


# ── maps ─────────────────────────────────────────────────────────────────────────────────


def heat_map(
    ax: "Axes",
    values: Floats,
    style: Style,
    *,
    colors: "Colormap | str",
    scale: "Normalize",
    label: str,
    percent: bool = False,
    ticks: Sequence[float] | None = None,
    texts: Sequence[Sequence[str]] | None = None,
    corner: bool = False,
) -> Any:
    """Cells [r, c] in colours, the first row on top, with a bar beside them that explains these.

    Cells that are nan are left empty. Texts, if given, stand in the cells, or in their corners.
    """
    drawn = ax.pcolormesh(
        np.arange(values.shape[1] + 1) - 0.5,
        np.arange(values.shape[0] + 1) - 0.5,
        np.ma.masked_invalid(values),
        cmap=colors,
        norm=scale,
        rasterized=values.size > RASTERIZED,
        edgecolors=style.paper if values.size <= RASTERIZED else "none",
        linewidth=0.6 if values.size <= RASTERIZED else 0.0,
    )
    ax.grid(False)
    ax.set_ylim(values.shape[0] - 0.5, -0.5)
    tall = ax.get_figure(root=True)
    high = 1.0 if tall is None else min(1.0, 4.0 / max(tall.get_figheight() - 2.0, 1.0))
    beside = ax.inset_axes((1.02, 1.0 - high, 0.022, high))
    bar = ax.figure.colorbar(drawn, cax=beside)
    bar.outline.set_visible(False)
    beside.tick_params(length=0, labelsize=SMALL, colors=style.soft)
    beside.minorticks_off()
    if ticks:
        bar.set_ticks(list(ticks))
    bar.set_label(label, color=style.soft, fontsize=8)
    beside.yaxis.set_major_formatter(
        (lambda share, _: f"{share:.0%}")
        if percent
        else (lambda value, _: f"{value:,g}".replace("-", "−"))
    )
    for i, row in enumerate(texts or ()):
        for j, text in enumerate(row):
            if text:
                ground = np.array(drawn.cmap(drawn.norm(values[i, j]))[:3])
                bright = float(ground**2.2 @ np.array([0.2126, 0.7152, 0.0722]))
                ink = "#101214" if bright > 0.22 else "#ffffff"
                x, y, side = (j - 0.44, i - 0.27, "left") if corner else (j, i, "center")
                ax.text(x, y, text, ha=side, va="center", fontsize=SMALL - 0.5, color=ink)
    return drawn
