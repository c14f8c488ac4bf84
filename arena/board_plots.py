"""Pictures of a leaderboard: ratings with intervals, and the ranks they leave open."""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.display import amount, plain
from arena.errors import OptionError
from arena.leaderboard import Leaderboard
from arena.palette import Style, style_of
from arena.plot_parts import column, limits, name_rows, rows_height, spans
from arena.plots import NAME_WIDTH, SMALL, canvas, head
from arena.report import rated, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

TOP = 40
"""Models that are drawn unless more are asked for."""
GROUPED = "neighbours of one colour could all have the rank of the first of them"


def plot_ratings(
    board: Leaderboard, top: int | None = TOP, ax: "Axes | None" = None, *, dark: bool = False
) -> "Figure":
    """Ratings with their intervals, best at the top, and the ranks that each could have.

    Models of one colour form a group: each could have the rank of the group's first.

    Args:
        board: the leaderboard.
        top: how many models to draw; None for all.
        ax: draw here, and return this Axes' figure; else on one as tall as it needs.
        dark: on dark paper.
    """
    shown, style = rated(board, top), style_of(dark)
    figure, ax = canvas(ax, rows_height(shown.height), style)
    rows = name_rows(ax, shown["model"].to_list(), style)
    rating, lower, upper = (
        column(shown, name) for name in ("rating", "rating_lower", "rating_upper")
    )
    ax.set_xlim(*limits(rating, lower, upper))
    groups = rank_groups(shown)
    colors = [style.series[group % len(style.series)] for group in groups]
    if board.uncertainty is not None:
        spans(ax, rows, lower, upper, colors, linewidth=1.8)
    ax.scatter(rating, rows, s=18, c=colors, zorder=3)
    ax.grid(axis="y", linewidth=0.35)
    ax.set_xlabel("rating, points")
    if board.uncertainty is not None:
        _could_be(ax, rows, shown, style)
    said = [title(board).replace("; ", "\n", 1), *([GROUPED] if max(groups, default=0) else [])]
    head(ax, style, _ratings_headline(board, shown), "\n".join(said))
    return figure


def rank_groups(shown: pl.DataFrame) -> list[int]:
    """Which group each row of a board belongs to, numbered from 0 in the order of the board.

    A group's first model is the best one that no earlier group has; with it are those that could
    have its rank. Without rank sets, all are in one group.
    """
    best, worst = shown["rank_best"].to_list(), shown["rank_worst"].to_list()
    firsts: list[int] = []
    groups = []
    for rank, high, low in zip(shown["rank"].to_list(), best, worst, strict=True):
        if high is None or low is None:
            groups.append(0)
            continue
        at = next((i for i, first in enumerate(firsts) if high <= first <= low), len(firsts))
        if at == len(firsts):
            firsts.append(rank)
        groups.append(at)
    return groups


def _ratings_headline(board: Leaderboard, shown: pl.DataFrame) -> str:
    n = rated(board).height
    of = f"the best {shown.height} of {n} models" if shown.height < n else amount(n, "model")
    if board.uncertainty is None:
        return f"Ratings of {of}"
    first = int((shown["rank_best"] == 1).sum())
    if shown.height == 1:
        return f"Rating of {of}"
    if first == 1:
        return f"Ratings of {of}: only {plain(shown['model'][0], NAME_WIDTH)} could be the best"
    return f"Ratings of {of}: {first} of them could be the best"


def _could_be(ax: "Axes", rows: Floats, shown: pl.DataFrame, style: Style) -> None:
    """The ranks that each model could have, to the right of its row."""
    beside = ax.get_yaxis_transform()
    ax.annotate(
        "could be\nranked",
        (1.015, 1.0),
        (0, 3),
        xycoords="axes fraction",
        textcoords="offset points",
        color=style.soft,
        fontsize=SMALL - 0.5,
        annotation_clip=False,
    )
    for row, best, worst in zip(rows, shown["rank_best"], shown["rank_worst"], strict=True):
        text = f"{best}" if best == worst else f"{best}–{worst}"
        ax.text(1.015, row, text, transform=beside, va="center", color=style.soft, fontsize=SMALL)


def plot_rank_sets(
    board: Leaderboard, top: int | None = TOP, ax: "Axes | None" = None, *, dark: bool = False
) -> "Figure":
    """The ranks that each model could have, for all models at once; a dot at its rank.

    Args:
        board: the leaderboard.
        top: how many models to draw; None for all.
        ax: draw here, and return this Axes' figure; else on one as tall as it needs.
        dark: on dark paper.

    Raises:
        OptionError: a board without intervals, which has no rank sets.
    """
    if board.uncertainty is None:
        raise OptionError("ranks: this board has no intervals, so no sets of ranks to draw")
    shown, style = rated(board, top), style_of(dark)
    figure, ax = canvas(ax, rows_height(shown.height), style)
    rows = name_rows(ax, shown["model"].to_list(), style)
    rank, best, worst = (column(shown, name) for name in ("rank", "rank_best", "rank_worst"))
    colors = [style.series[group % len(style.series)] for group in rank_groups(shown)]
    low = float(np.nanmin([*rank, *best]))
    high = float(np.nanmax([*rank, *worst]))
    ax.set_xlim(low - 0.8, high + 0.8)
    # A set of one rank is a line of no length: a bar is as wide as its ranks.
    spans(ax, rows, best - 0.4, worst + 0.4, colors, linewidth=7.0, alpha=0.35)
    ax.scatter(rank, rows, s=18, c=colors, zorder=3)
    ax.grid(axis="y", linewidth=0.35)
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel("rank, 1 is best")
    certain = int((shown["rank_best"] == shown["rank_worst"]).sum())
    level = f"{board.interval.level * 100:g}% "
    verb = "is" if certain == 1 else "are"
    head(
        ax,
        style,
        f"{certain} of {amount(shown.height, 'rank')} {verb} certain",
        f"bar: the ranks that a model could have, all models at once with {level}confidence; "
        f"dot: its rank\n{GROUPED}",
    )
    return figure
