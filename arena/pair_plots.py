"""Pictures of pairs: how often each model beats each other one, and how often they met."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from arena.display import amount
from arena.leaderboard import Leaderboard
from arena.palette import Style, style_of
from arena.plot_parts import heat_map
from arena.plots import canvas, diverging, even_scale, head, log_scale, shown_name
from arena.report import rated
from arena.winrates import battle_matrix, observed_win_rates, predicted_win_rates

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

TOP = 25
"""Models that are drawn unless more are asked for."""
ROUND = tuple(digit * 10.0**zeros for zeros in range(9) for digit in (1, 2, 5))
WRITTEN = 16
"""Up to so many models, the cells of a map have their numbers in them."""


def plot_win_rates(
    board: Leaderboard,
    top: int | None = TOP,
    ax: "Axes | None" = None,
    *,
    observed: bool = False,
    dark: bool = False,
) -> "Figure":
    """How often the model of a row beats that of a column: as the ratings predict, or as seen.

    A tie is half a win, unless the fit leaves ties out. A pair that never met is empty.

    Args:
        board: the leaderboard.
        top: how many models to draw; None for all.
        ax: draw here, and return this Axes' figure.
        observed: as seen, not as predicted.
        dark: on dark paper.
    """
    models, fit, style = rated(board, top)["model"].to_list(), board.fit, style_of(dark)
    rates = (
        observed_win_rates(fit.counts, counts_ties=fit.rule.counts_ties)
        if observed
        else predicted_win_rates(fit)
    )
    values = _among(board, rates, models)
    texts = [[f"{100 * p:.0f}" if np.isfinite(p) else "" for p in row] for row in values]
    ties = "a tie is half a win" if fit.rule.counts_ties else "ties left out"
    how = "as seen" if observed else "as the ratings predict"
    reach = np.nanmax(np.abs(values - 0.5), initial=0.0)
    reach = min(0.5, max(0.1, np.ceil(20 * reach) / 20))
    return _map(
        values,
        models,
        texts,
        ax,
        style,
        f"How often each row beats each column, {how}",
        f"percent of battles won, {ties}; {_never_met(values)}models by rating",
        colors=diverging(style),
        scale=even_scale(0.5 - reach, 0.5 + reach),
        label="row wins",
        percent=True,
    )


def plot_battle_counts(
    board: Leaderboard, top: int | None = TOP, ax: "Axes | None" = None, *, dark: bool = False
) -> "Figure":
    """How often each pair of models met, on a scale of equal ratios; empty if never.

    Args:
        board: the leaderboard.
        top: how many models to draw; None for all.
        ax: draw here, and return this Axes' figure.
        dark: on dark paper.
    """
    models, style = rated(board, top)["model"].to_list(), style_of(dark)
    values = _among(board, battle_matrix(board.fit.counts), models)
    values = np.where(values > 0, values, np.nan)
    there = values[np.isfinite(values)]
    low, high = (float(there.min()), float(there.max())) if there.size else (1.0, 1.0)
    texts = [[f"{n:,.0f}" if np.isfinite(n) else "" for n in row] for row in values]
    return _map(
        values,
        models,
        texts,
        ax,
        style,
        f"Battles of each pair: from {low:,.0f} to {high:,.0f}",
        f"{_never_met(values)}models by rating",
        colors="cividis",
        scale=log_scale(low, high),
        label="battles",
        ticks=[n for n in ROUND if low <= n <= high],
    )


def _among(board: Leaderboard, matrix: Floats, models: Sequence[str]) -> Floats:
    """The rows and columns of these models, in their order."""
    order = [board.fit.models.index(model) for model in models]
    chosen: Floats = matrix[np.ix_(order, order)]
    return chosen


def _never_met(values: Floats) -> str:
    """How many pairs of a matrix [m, m] have no number, where there are any; else nothing."""
    pairs = len(values) * (len(values) - 1) // 2
    never = pairs - int(np.isfinite(values).sum()) // 2
    return f"{never:,} of {amount(pairs, 'pair')} never met; " if never else ""


def _map(
    values: Floats,
    models: Sequence[str],
    texts: Sequence[Sequence[str]],
    ax: "Axes | None",
    style: Style,
    headline: str,
    detail: str,
    *,
    colors: object,
    scale: object,
    label: str,
    percent: bool = False,
    ticks: Sequence[float] | None = None,
) -> "Figure":
    m = len(models)
    cell = float(np.clip(6.0 / max(m, 1), 0.15, 0.8))
    names = [shown_name(model, 34) for model in models]
    longest = max((len(name) for name in names), default=0)
    size = float(np.clip(cell * 40, 5.5, 8.0))
    beside = 0.0095 * size * longest
    figure, ax = canvas(ax, cell * m + beside + 1.2, style, width=max(cell * m + beside + 1.3, 6.5))
    heat_map(
        ax,
        values,
        style,
        colors=colors,  # type: ignore[arg-type]
        scale=scale,  # type: ignore[arg-type]
        label=label,
        percent=percent,
        ticks=ticks,
        texts=texts if m <= WRITTEN else None,
    )
    ax.set_aspect("equal", anchor="NW")
    ax.set_xticks(range(m), names, rotation=90)
    ax.set_yticks(range(m), names)
    ax.tick_params(top=False, labeltop=False, labelbottom=True, labelsize=size, colors=style.ink)
    head(ax, style, headline, detail)
    return figure
