"""A leaderboard's pictures show its numbers, whatever the models are called."""

import io
import itertools

import numpy as np
import polars as pl
import pytest
from logs import EVIL, MARKUP, round_robin, votes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from pictures import dot_colors, dots, lines_from_to, said
from worlds import battles

from arena import Interval, Scale
from arena.board_plots import plot_rank_sets, plot_ratings, rank_groups
from arena.display import plain
from arena.errors import OptionError
from arena.palette import DARK, LIGHT
from arena.pipeline import rate
from arena.plots import NAME_WIDTH


def board_of(*models, more=(), **options):
    return rate(pl.DataFrame([*round_robin(*models), *more]), **options)


def drawn(figure):
    """The picture's bytes; drawing raises on any warning."""
    file = io.BytesIO()
    figure.savefig(file, format="svg")
    return file.getvalue()


def labels(figure):
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def test_a_plot_is_a_figure_with_the_best_on_top():
    """One row per rated model, in the order of the board."""
    board = board_of("x", "y", "z", more=votes("z x model_a", "champ x model_a"))

    figure = plot_ratings(board)

    assert isinstance(figure, Figure)
    assert labels(figure) == board.frame["model"].to_list()[:3]
    bottom, top = figure.axes[0].get_ylim()
    assert bottom > top
    assert drawn(figure)


def test_a_plot_can_be_drawn_on_given_axes():
    """Axes that are given are drawn on, and nothing is added to their figure."""
    figure = Figure()
    left, right = figure.subplots(1, 2)

    returned = plot_ratings(board_of("x", "y"), ax=right)

    assert returned is figure
    assert figure.axes == [left, right]
    assert (left.has_data(), right.has_data()) == (False, True)


def test_axes_without_a_figure_are_refused():
    """Axes that were removed cannot be drawn on."""
    ax = Figure().add_subplot()
    ax.remove()

    with pytest.raises(OptionError, match="removed from its figure"):
        plot_ratings(board_of("x", "y"), ax=ax)

    assert not ax.has_data()


@pytest.mark.parametrize(("top", "rows"), [(1, 1), (2, 2), (None, 3), (40, 3)])
def test_a_plot_shows_as_many_models_as_asked_for(top, rows):
    """The best few, or all; a figure grows with its rows."""
    board = board_of("x", "y", "z")

    figure = plot_ratings(board, top)

    assert len(labels(figure)) == rows
    assert drawn(figure)


def test_a_figure_is_as_tall_as_its_rows_need():
    """Two hundred models are not squeezed into the space of two."""
    few = board_of("x", "y")
    many = rate(
        pl.DataFrame([row for i in range(60) for row in round_robin(f"m{i:02}", f"m{i + 1:02}")])
    )

    short, tall = plot_ratings(few, None), plot_ratings(many, None)

    assert tall.get_figheight() > 5 * short.get_figheight()
    assert len(labels(tall)) == 61


def test_intervals_are_drawn_from_bound_to_bound():
    """Each line goes from the lower to the upper bound of its model."""
    board = board_of("x", "y", more=votes("x y model_a"))

    figure = plot_ratings(board)

    lines = figure.axes[0].collections[0]
    ends = [sorted(end[0] for end in segment) for segment in lines.get_segments()]
    bounds = board.frame.select("rating_lower", "rating_upper").rows()
    assert ends == [pytest.approx(pair) for pair in bounds]


def test_a_board_without_intervals_is_drawn_as_dots():
    """Ratings without intervals make a plot, too."""
    board = board_of("x", "y", interval=Interval("none"))

    figure = plot_ratings(board)

    (dots,) = figure.axes[0].collections
    assert dots.get_offsets()[:, 0].tolist() == board.frame["rating"].to_list()
    assert drawn(figure)


@pytest.mark.parametrize(
    "name",
    [
        "x" * 10_000,
        "модель-é",
        "$x$",
        "a$b",
        r"\frac{a}{b}$",
        "x_{1}^2",
        EVIL,
        MARKUP,
        "%s {}",
    ],
)
def test_any_name_is_drawn_as_it_is_and_without_a_warning(name):
    """Names are text, not mathematics, and too long ones are cut."""
    board = board_of(name, "y")

    figure = plot_ratings(board)

    shown = [label.replace(r"\$", "$") for label in labels(figure)]
    assert plain(name, NAME_WIDTH) in shown
    assert drawn(figure)


def test_an_anchor_with_a_dollar_sign_is_drawn_in_the_title():
    """The title is text, too."""
    board = board_of("a$b$c", "y", scale=Scale(anchor=("a$b$c", 1000.0)))

    figure = plot_ratings(board)

    assert r"a\$b\$c = 1000" in figure.axes[0].get_title(loc="left")
    assert drawn(figure)


# ── ranks ──────────────────────────────────────────────────────────────────────────────────


def ranked(*sets):
    """Rows of a board with these ranks and sets of ranks."""
    return pl.DataFrame(sets, schema=["rank", "rank_best", "rank_worst"], orient="row")


@pytest.mark.parametrize(
    ("sets", "groups"),
    [
        ([(1, 1, 1), (2, 2, 2), (3, 3, 3)], [0, 1, 2]),
        ([(1, 1, 3), (2, 1, 3), (3, 1, 3)], [0, 0, 0]),
        ([(1, 1, 2), (2, 1, 3), (3, 2, 4), (4, 3, 4)], [0, 0, 1, 1]),
        ([(1, 1, 1), (2, 2, 3), (3, 1, 3)], [0, 1, 0]),
        ([(1, None, None), (2, None, None)], [0, 0]),
    ],
)
def test_a_group_is_of_models_that_could_have_its_first_ones_rank(sets, groups):
    """The first of a group is the best that no earlier group has."""
    assert rank_groups(ranked(*sets)) == groups


def test_models_of_a_group_have_one_colour():
    """And those of the next another."""
    board = rate(battles(8, 4_000, spread=1.5))

    ax = plot_ratings(board).axes[0]

    groups = rank_groups(board.frame)
    colors = dot_colors(ax)
    assert max(groups) >= 2
    for i, j in itertools.combinations(range(8), 2):
        near = abs(groups[i] - groups[j]) < len(LIGHT.series)
        assert (colors[i] == colors[j]) == (groups[i] == groups[j]) or not near


def test_the_ranks_a_model_could_have_stand_beside_it():
    """As the board has them."""
    board = rate(battles(8, 4_000, spread=1.0))

    text = said(plot_ratings(board))

    for best, worst in board.frame.select("rank_best", "rank_worst").rows():
        assert (f"\n{best}–{worst}\n" if best != worst else f"\n{best}\n") in text


def test_rank_sets_are_drawn_from_the_best_to_the_worst_rank():
    """A bar covers its ranks, and the dot is at the rank."""
    board = rate(battles(8, 4_000, spread=1.0))

    ax = plot_rank_sets(board).axes[0]

    ends = [
        (best - 0.4, worst + 0.4) for best, worst in board.frame["rank_best", "rank_worst"].rows()
    ]
    assert lines_from_to(ax) == [pytest.approx(pair) for pair in ends]
    assert dots(ax).tolist() == [[rank, i] for i, rank in enumerate(board.frame["rank"])]


def test_a_board_without_intervals_has_no_rank_sets():
    """Nothing is drawn where nothing is known."""
    with pytest.raises(OptionError, match="no intervals"):
        plot_rank_sets(board_of("x", "y", interval=Interval("none")))


# ── legibility ─────────────────────────────────────────────────────────────────────────────


def test_one_wide_interval_does_not_squeeze_the_others():
    """It is cut at the edge, where an arrow says so; every rating is still in the picture."""
    log = battles(10, 6_000, spread=0.5)
    few = pl.DataFrame(votes("newcomer m001 model_a", "m001 newcomer model_a"))
    board = rate(pl.concat([log, few]))

    ax = plot_ratings(board).axes[0]

    low, high = ax.get_xlim()
    bounds = board.frame.select("rating_lower", "rating_upper")
    assert bounds["rating_upper"].max() > high or bounds["rating_lower"].min() < low
    assert dots(ax)[:, 0].min() > low
    assert dots(ax)[:, 0].max() < high
    assert {line.get_marker() for line in ax.lines} <= {"<", ">"}
    assert len(ax.lines) >= 1
    usual = np.median(bounds["rating_upper"] - bounds["rating_lower"])
    assert usual / (high - low) > 0.04


@pytest.mark.parametrize("n", [1, 5, 60])
def test_names_do_not_overlap(n):
    """Neither with each other, nor with the heading, nor do they leave the figure."""
    log = battles(max(n, 2), 50 * max(n, 2), spread=0.3)
    board = rate(log.with_columns(pl.col("model_a", "model_b") + "-of-a-maker-of-models"))

    figure = plot_ratings(board, n)
    figure.draw_without_rendering()

    ax = figure.axes[0]
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert len(boxes) == n
    assert all(above.y0 >= below.y1 for above, below in itertools.pairwise(boxes))
    assert min(box.x0 for box in boxes) >= 0
    assert ax.get_tightbbox().y1 <= figure._suptitle.get_window_extent().y0


@pytest.mark.parametrize("plot", [plot_ratings, plot_rank_sets])
def test_dark_paper_has_colours_of_its_own(plot):
    """What is drawn can be told from the paper."""
    ax = plot(board_of("x", "y", more=votes("x y model_a")), dark=True).axes[0]

    assert {color[:3] for color in dot_colors(ax)} <= {to_rgb(one) for one in DARK.series}
