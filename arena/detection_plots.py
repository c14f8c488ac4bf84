"""Pictures of power: how likely it is that a gain is noticed."""

from typing import TYPE_CHECKING

import numpy as np

from arena.detection import Power
from arena.display import plain
from arena.palette import style_of
from arena.plot_parts import column, end_labels, inches_high
from arena.plots import NAME_WIDTH, SMALL, canvas, head

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_power(told: Power, ax: "Axes | None" = None, *, dark: bool = False) -> "Figure":
    """The probability that a gain is noticed, by its size, a line for each share.

    Args:
        told: the power.
        ax: draw here, and return this Axes' figure.
        dark: on dark paper.
    """
    style, frame, own = style_of(dark), told.frame.sort("share", "uplift"), ax is None
    figure, ax = canvas(ax, 4.3, style)
    ax.set_ylim(0.0, 1.02)
    uplift = column(frame, "uplift")
    pad = 0.03 * float(np.ptp(uplift)) or 1.0
    ax.set_xlim(uplift.min() - pad, uplift.max() + pad)
    ax.axhline(told.target, color=style.soft, linewidth=0.9, linestyle=(0, (4, 2)))
    ax.annotate(
        f"{told.target:.0%} wanted",
        (0.995, told.target),
        (0, -3),
        ha="right",
        va="top",
        xycoords=ax.get_yaxis_transform(),
        textcoords="offset points",
        color=style.soft,
        fontsize=SMALL,
    )
    lasts, texts, colors = [], [], []
    for i, (_, rows) in enumerate(frame.group_by("share", maintain_order=True)):
        x, y = column(rows, "uplift"), column(rows, "power")
        color = style.series[i % len(style.series)]
        ax.plot(x, y, "-o", color=color, markersize=4, linewidth=1.6)
        least = rows["detectable"][0]
        more = f", from {least:.0f} points" if np.isfinite(least) else ""
        texts.append(f"{100 * float(rows['share'][0]):.4g}% seen{more}")
        lasts.append((x[-1], y[-1]))
        colors.append(color)
    at = np.array(lasts)
    end_labels(ax, at[:, 0], at[:, 1], texts, colors, style, inches_high(ax, own))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("uplift on seen prompts, points")
    ax.set_ylabel("probability that it is noticed")
    head(
        ax,
        style,
        f"Would a gain of {plain(told.model, NAME_WIDTH)} be noticed?",
        f"with its {told.votes:,.0f} votes, by a two-sided test at {1 - told.level:.3g}; named at "
        f"each line: the gain found with {told.target:.0%} power",
    )
    return figure
