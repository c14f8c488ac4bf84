"""Draw data/readme_board.svg, the picture on the front page, from the shipped votes.

Run it from anywhere: ``python data/draw_readme_board.py``.
"""

import sys
from pathlib import Path

import matplotlib as mpl

from arena import Leaderboard, Scale, rate
from arena.plots import plot_ratings

TARGET = Path(__file__).parent / "readme_board.svg"
TOP = 25
ANCHOR = ("mixtral-8x7b-instruct-v0.1", 1114.0)
STYLE = {
    "svg.fonttype": "none",  # text stays text: small, sharp, and can be searched
    "svg.hashsalt": "arena",  # the same picture is the same file
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
}


def description(board: Leaderboard) -> str:
    """The picture in words: each model drawn, with its rating and interval."""
    columns = ("model", "rating", "rating_lower", "rating_upper")
    return "; ".join(
        f"{model} {rating:.1f} ({lower:.1f} to {upper:.1f})"
        for model, rating, lower, upper in board.frame.select(columns).head(TOP).iter_rows()
    )


def main(target: Path = TARGET) -> None:
    """Rate, draw, save."""
    board = rate(scale=Scale(anchor=ANCHOR))
    with mpl.rc_context(STYLE):
        figure = plot_ratings(board, top=TOP)
        metadata = {"Date": None, "Creator": None, "Description": description(board)}
        figure.savefig(target, facecolor="white", metadata=metadata)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
