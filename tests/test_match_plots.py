"""Pictures of a match count battles and prompts as the match has them."""

import polars as pl
import pytest
from logs import MARKUP
from matplotlib.figure import Figure
from pictures import bytes_of, said

from arena.match_plots import plot_match_scores, plot_overlap_classes
from arena.overlap_rules import OverlapRule
from arena.prompt_match import COLUMNS, Match

ROWS = [
    # prompt, battles, corpus, class, stock, tokens, share, exact
    ("a", 6, "one", "seen", False, 12, 1.0, True),
    ("a", 6, "two", "unseen", False, 12, 0.1, False),
    ("b", 3, "one", "unseen", False, 12, 0.48, False),
    ("b", 3, "two", "unseen", False, 12, 0.2, False),
    ("c", 1, "one", "short", False, 2, None, False),
    ("c", 1, "two", "short", False, 2, None, False),
    ("d", 10, "one", "seen", True, 6, 1.0, True),
    ("d", 10, "two", "unseen", True, 6, 0.0, False),
]


def match_of(corpus="one"):
    names = ("prompt", "battles", "corpus", "class", "stock", "tokens", "share", "exact")
    rows = [dict(zip(names, row, strict=True)) for row in ROWS]
    frame = pl.DataFrame(rows, schema={name: COLUMNS[name] for name in names}).with_columns(
        pl.col("corpus").replace({"one": corpus}), union_share="share"
    )
    return Match(frame, OverlapRule(), "prompt", {corpus: ("m",), "two": ()}, {})


def bars(ax):
    """Kind → where its bars begin and how long they are, by row."""
    return {
        one.get_label(): [(bar.get_x(), bar.get_width()) for bar in one.patches]
        for one in ax.containers
    }


def test_a_bar_is_the_share_of_battles_of_each_class():
    """A prompt that any corpus has is seen, and a stock prompt is neither seen nor unseen."""
    figure = plot_overlap_classes(match_of())

    found = bars(figure.axes[0])
    rows = [one.get_text() for one in figure.axes[0].get_yticklabels()]
    assert rows == ["all prompts", "1–4 tokens", "5–9 tokens", "10–24 tokens"]
    widths = {kind: [width for _, width in row] for kind, row in found.items()}
    assert widths == {
        "seen": pytest.approx([6 / 20, 0, 0, 6 / 9]),
        "unseen": pytest.approx([3 / 20, 0, 0, 3 / 9]),
        "short": pytest.approx([1 / 20, 1, 0, 0]),
        "stock": pytest.approx([10 / 20, 0, 1, 0]),
    }
    starts = [start for start, _ in found["stock"]]
    assert starts == pytest.approx([0.5, 1, 0, 1])


def test_the_heading_is_of_battles_that_can_be_judged():
    """Six of nine; neither the short nor the stock ones."""
    figure = plot_overlap_classes(match_of())

    assert figure.get_suptitle().startswith("66.7% of the battles that can be judged")
    assert "\n20\n" in said(figure)


def test_each_prompt_is_counted_once_by_its_largest_share():
    """Among those that can be judged; the threshold stands where the rule has it."""
    figure = plot_match_scores(match_of())

    ax = figure.axes[0]
    heights = {
        one.get_label(): {round(bar.get_x(), 2): bar.get_height() for bar in one.patches}
        for one in ax.containers
    }
    assert {label: sum(bars.values()) for label, bars in heights.items()} == {
        "unseen (1 prompt)": 1,
        "seen (1 prompt)": 1,
    }
    (place,) = heights["unseen (1 prompt)"]
    assert 0.475 <= place <= 0.5
    assert list(ax.lines[0].get_xdata()) == [OverlapRule().threshold] * 2
    assert figure.get_suptitle().startswith("1 prompt of 2 within ten points")


@pytest.mark.parametrize("plot", [plot_overlap_classes, plot_match_scores])
@pytest.mark.parametrize("name", [MARKUP, "$x$", "模型", "a\nb"])
def test_any_corpus_on_any_paper(plot, name):
    """Names of files are anybody's, too."""
    figure = Figure()

    assert bytes_of(plot(match_of(name), dark=True))
    assert plot(match_of(name), figure.add_subplot()) is figure
