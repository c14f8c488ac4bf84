"""Pictures. The only module that imports matplotlib; works without a screen."""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from arena.display import plain
from arena.errors import OptionError
from arena.leaderboard import Leaderboard
from arena.report import rated, title

INK, GRID, DOT = "#222222", "#dddddd", "#0072b2"  # the last is Okabe and Ito's blue
ROW_HEIGHT = 0.22
NAME_WIDTH = 40


def plot_ratings(board: Leaderboard, top: int | None = 40, ax: Axes | None = None) -> Figure:
    """Ratings with their intervals, best at the top.

    Args:
        board: the leaderboard.
        top: how many models to draw; None for all.
        ax: draw here, and return this Axes' figure; else on a new one, as tall as it needs.
    """
    shown = rated(board, top)
    figure, ax = _canvas(ax, height=1.4 + ROW_HEIGHT * shown.height)
    rows = np.arange(shown.height)
    rating = shown["rating"].to_numpy()
    half = (
        shown.select((pl.col("rating_upper") - pl.col("rating")).fill_null(0.0))
        .to_series()
        .to_numpy()
    )
    ax.hlines(rows, rating - half, rating + half, color=DOT, linewidth=1.6)
    ax.plot(rating, rows, "o", color=DOT, markersize=4)
    # A dollar sign would start mathematics; names are anybody's text.
    ax.set_yticks(rows, [plain(name, NAME_WIDTH).replace("$", r"\$") for name in shown["model"]])
    ax.set_ylim(shown.height - 0.4, -0.6)
    ax.tick_params(length=0, labelsize=8, colors=INK)
    ax.grid(axis="x", color=GRID, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("rating", color=INK)
    head, _, rest = title(board).partition("; ")
    ax.set_title(f"{head}\n{rest}".replace("$", r"\$"), loc="left", fontsize=8, color=INK)
    return figure


def _canvas(ax: Axes | None, height: float) -> tuple[Figure, Axes]:
    if ax is None:
        figure = Figure(figsize=(8.0, height), layout="constrained")
        return figure, figure.add_subplot()
    root = ax.get_figure(root=True)
    if root is None:
        raise OptionError("ax: has been removed from its figure")
    return root, ax
