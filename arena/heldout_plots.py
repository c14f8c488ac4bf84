"""Pictures of held-out skill: do predictions come true as often as they say?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.errors import OptionError
from arena.heldout import HeldOut
from arena.palette import Style, style_of
from arena.plot_parts import column
from arena.plots import SMALL, canvas, grid_of_canvases, head, shown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

COLUMNS = 3
Z = 1.96


def plot_calibration(
    told: HeldOut,
    estimators: Sequence[str] | None = None,
    ax: "Axes | None" = None,
    *,
    dark: bool = False,
) -> "Figure":
    """Points that model_a was expected to score on held-out votes, and those that it scored.

    One panel per estimator, the best first. A dot is a tenth of the predictions' range, larger
    with more votes; grey is where it would be by chance if the predictions were right.

    Args:
        told: skill on held-out votes.
        estimators: which to draw; None for all but ``constant``.
        ax: draw here, the first of them alone, and return this Axes' figure.
        dark: on dark paper.

    Raises:
        OptionError: an estimator that was not held out for.
    """
    style, order = style_of(dark), told.skill["estimator"].to_list()
    wanted = [name for name in order if name != "constant"] if estimators is None else estimators
    unknown = next((name for name in wanted if name not in order), None)
    if unknown is not None:
        raise OptionError(f"estimators: '{unknown}' is not one of {', '.join(order)}")
    if not wanted:
        raise OptionError("estimators: there is none to draw")
    if ax is not None or len(wanted) == 1:
        figure, ax = canvas(ax, 6.2, style, width=6.0)
        panels = [ax]
    else:
        n = len(wanted)
        figure, panels = grid_of_canvases(n, min(COLUMNS, n), style, 2.9)
    for panel, name in zip(panels, wanted, strict=False):
        _panel(panel, told, name, style, alone=len(panels) == 1)
    panels[0].set_ylabel("points scored")
    if len(panels) > 1:
        for panel in panels[::COLUMNS]:
            panel.set_ylabel("points scored")
        for panel in panels[-COLUMNS:]:
            panel.set_xlabel("points expected")
            panel.tick_params(labelbottom=True)
    detail = (
        f"held out: {told.n_test:,} votes, fitted on {told.n_train:,}; a larger dot has more votes\n"
        "grey: where 95% of the dots would be if predictions were right on average"
    )
    headline = "Points expected and scored on held-out votes, the best estimator first"
    if len(panels) == 1:
        headline = f"Points expected by {wanted[0]}, and scored"
    head(panels[0], style, headline, detail)
    return figure


def _panel(ax: "Axes", told: HeldOut, name: str, style: Style, *, alone: bool) -> None:
    rows = told.calibration.filter(pl.col("estimator") == name)
    predicted, observed, votes = (column(rows, each) for each in ("predicted", "observed", "votes"))
    # Points of 0, 1/2 and 1 vary less than those of 0 and 1 alone.
    chance = Z * np.sqrt(predicted * (1.0 - predicted) / votes)
    ax.vlines(predicted, predicted - chance, predicted + chance, color=style.null, linewidth=7.0)
    ax.plot([0.0, 1.0], [0.0, 1.0], color=style.soft, linewidth=0.8)
    most = float(votes.max(initial=1.0))
    ax.scatter(predicted, observed, s=8 + 60 * votes / most, color=style.up, zorder=3)
    ax.set_xlim(0.0, 1.0)
    ax.set_ylim(0.0, 1.0)
    ax.set_aspect("equal", anchor="NW")
    ax.set_xticks([0.0, 0.5, 1.0])
    ax.set_yticks([0.0, 0.5, 1.0])
    skill = told.skill.filter(pl.col("estimator") == name).row(0, named=True)
    text = f"{shown_name(name)}\nlog-loss {skill['log_loss']:.4f}"
    ax.text(
        0.97,
        0.04,
        text,
        ha="right",
        va="bottom",
        color=style.ink,
        fontsize=SMALL + 0.5,
        linespacing=1.4,
    )
    if alone:
        ax.set_xlabel("points expected")
