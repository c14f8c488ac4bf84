import io

import polars as pl
import pytest
from logs import EVIL, MARKUP, round_robin, votes
from matplotlib.figure import Figure

from arena import Interval, Scale
from arena.display import plain
from arena.errors import OptionError
from arena.pipeline import rate
from arena.plots import NAME_WIDTH, plot_ratings


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

    (lines,) = figure.axes[0].collections
    ends = [sorted(end[0] for end in segment) for segment in lines.get_segments()]
    bounds = board.frame.select("rating_lower", "rating_upper").rows()
    assert ends == [pytest.approx(pair) for pair in bounds]


def test_a_board_without_intervals_is_drawn_as_dots():
    """Ratings without intervals make a plot, too."""
    board = board_of("x", "y", interval=Interval("none"))

    figure = plot_ratings(board)

    assert list(figure.axes[0].lines[0].get_xdata()) == board.frame["rating"].to_list()
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
