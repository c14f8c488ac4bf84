"""Draw three pictures of contamination for the front page, each on light and dark paper.

Run it from anywhere: ``python data/draw_readme_whatif.py``. Written are, of the shipped synthetic
sample, readme_placebo.svg (the board without battles on seen prompts) and readme_overlap.svg
(which prompts were seen); of the shipped Chatbot Arena votes, readme_break_even.svg.
"""

import sys
from pathlib import Path

from arena import Scale, rate
from arena.battles import read_battles
from arena.comparison_plots import plot_placebo
from arena.datasets import SYNTHETIC_SAMPLE, shipped, shipped_corpora
from arena.lead import break_even
from arena.match_plots import plot_overlap_classes
from arena.matching import match_prompts
from arena.plots import foot, save_picture
from arena.removal import remove_seen
from arena.supposition_plots import plot_break_even

FOLDER = Path(__file__).parent
ANCHOR = ("mixtral-8x7b-instruct-v0.1", 1114.0)
LEADER, RIVAL = "gemma-2-27b-it", "llama-3-70b-instruct"
SHARES = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
SYNTHETIC = "Synthetic votes, which nobody cast."


def main(folder: Path = FOLDER) -> None:
    """Compute, draw, save."""
    battles = read_battles(shipped(SYNTHETIC_SAMPLE))
    corpora, trained = shipped_corpora()
    match = match_prompts(battles, corpora, trained=trained)
    removed = remove_seen(battles, match, scope="model")
    explained = break_even(rate(scale=Scale(anchor=ANCHOR)), LEADER, RIVAL, SHARES)
    for dark, end in ((False, ""), (True, "_dark")):
        pictures = {
            "placebo": plot_placebo(removed, dark=dark),
            "overlap": plot_overlap_classes(match, dark=dark),
            "break_even": plot_break_even(explained, dark=dark),
        }
        for name, figure in pictures.items():
            if name != "break_even":
                foot(figure, SYNTHETIC, dark)
            save_picture(figure, folder / f"readme_{name}{end}.svg", figure.get_suptitle())


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
