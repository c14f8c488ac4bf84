"""Pictures of the best of n: what listing the luckiest variant gains."""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from arena.palette import style_of
from arena.plot_parts import column, end_labels, inches_high
from arena.plots import canvas, head
from arena.variants import BestOfN

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_variants(told: BestOfN, ax: "Axes | None" = None, *, dark: bool = False) -> "Figure":
    """What listing the best of n variants gains, by n, a line for each number of votes.

    Of scenarios that differ in more than variants and votes, the first of each kind is drawn.

    Args:
        told: the scenarios.
        ax: draw here, and return this Axes' figure.
        dark: on dark paper.
    """
    style, own = style_of(dark), ax is None
    others = ["sampling", "true_spread", "fresh"]
    frame = told.frame.unique(["variants", "votes"], keep="first", maintain_order=True)
    frame = frame.sort("votes", "variants")
    figure, ax = canvas(ax, 4.3, style)
    high = float(np.nanmax(column(frame, "gain_upper"), initial=1.0))
    low = min(0.0, float(np.nanmin(column(frame, "gain_lower"), initial=0.0)))
    ax.set_ylim(low * 1.05, high * 1.05)
    n = column(frame, "variants")
    ax.set_xscale("log")
    ax.set_xlim(n.min() / 1.06, max(n.max(), n.min() * 1.5) * 1.03)
    lasts, texts, colors = [], [], []
    for i, (_, rows) in enumerate(frame.group_by("votes", maintain_order=True)):
        x, gain = column(rows, "variants"), column(rows, "gain")
        color = style.series[i % len(style.series)]
        ax.fill_between(
            x,
            column(rows, "gain_lower"),
            column(rows, "gain_upper"),
            color=color,
            alpha=0.12,
            linewidth=0.0,
        )
        ax.plot(x, gain, "-o", color=color, markersize=4, linewidth=1.6)
        texts.append(f"{float(rows['votes'][0]):,.0f} votes: {gain[-1]:+.1f}")
        lasts.append((1.0, gain[-1]))
        colors.append(color)
    ax.axhline(0.0, color=style.soft, linewidth=0.8)
    ticks = sorted({int(one) for one in n})
    ax.set_xticks(ticks, [f"{one:,}" for one in ticks])
    ax.minorticks_off()
    at = np.array(lasts)
    edge = np.full(len(lasts), ax.get_xlim()[1])
    end_labels(ax, edge, at[:, 1], texts, colors, style, inches_high(ax, own))
    ax.set_xlabel("private variants, of which the best is listed")
    ax.set_ylabel("gain of the rating, points")
    top = frame.filter(pl.col("variants") == frame["variants"].max())
    most = float(column(top, "gain").max())
    several = any(told.frame[name].n_unique() > 1 for name in others)
    note = "; of other differences the first is drawn" if several else ""
    head(
        ax,
        style,
        f"The best of {int(n.max()):,} equal variants is listed up to {most:.0f} points too high"
        if not (frame["true_spread"] > 0).any()
        else f"The best of {int(n.max()):,} variants: up to {most:.0f} points are luck",
        f"line: the luck expected in its rating; band: {told.options['level'] * 100:g}% of the "
        f"cases{note}",
    )
    return figure
