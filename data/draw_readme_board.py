"""Draw the pictures on the front page, on light and dark paper.

Run it from anywhere: ``python data/draw_readme_board.py``. Written are readme_board.svg and
readme_board_dark.svg, of the shipped Chatbot Arena votes.
"""

import sys
from pathlib import Path

from arena import Leaderboard, Scale, rate
from arena.board_plots import plot_ratings
from arena.plots import save_picture

TARGET = Path(__file__).parent / "readme_board.svg"
TOP = 25
ANCHOR = ("mixtral-8x7b-instruct-v0.1", 1114.0)


def description(board: Leaderboard) -> str:
    """The picture in words: each model drawn, with its rating and interval."""
    columns = ("model", "rating", "rating_lower", "rating_upper")
    return "; ".join(
        f"{model} {rating:.1f} ({lower:.1f} to {upper:.1f})"
        for model, rating, lower, upper in board.frame.select(columns).head(TOP).iter_rows()
    )


def main(target: Path = TARGET) -> None:
    """Rate, draw, save; the dark one beside the other."""
    board = rate(scale=Scale(anchor=ANCHOR))
    for dark, path in ((False, target), (True, target.with_stem(f"{target.stem}_dark"))):
        save_picture(plot_ratings(board, top=TOP, dark=dark), path, description(board))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
