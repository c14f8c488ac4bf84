"""Pictures of supposed gains show the boards that would follow."""

from dataclasses import replace

import numpy as np
import pytest
from logs import MARKUP
from matplotlib.figure import Figure
from pictures import bytes_of, cells, row_names, said
from suppositions import board

from arena.injection import inject
from arena.lead import break_even
from arena.supposition_plots import plot_break_even, plot_injection


def models():
    return board().frame["model"].to_list()


def test_a_cell_is_the_shift_at_its_share_and_uplift():
    """Shares from left to right, uplifts from bottom to top, the rank written in it."""
    told = inject(board(), models()[3], [0.5, 0.1], [80.0, 20.0, 150.0])

    ax = plot_injection(told).axes[0]

    assert row_names(ax) == ["+150", "+80", "+20"]
    assert [one.get_text() for one in ax.get_xticklabels()] == ["10", "50"]
    found = {(row["share"], row["uplift"]): row for row in told.frame.iter_rows(named=True)}
    expected = [[found[s, u] for s in (0.1, 0.5)] for u in (150.0, 80.0, 20.0)]
    np.testing.assert_allclose(cells(ax), [[one["shift"] for one in row] for row in expected])
    ranks = [str(one["rank"]) for row in expected for one in row]
    assert [text.get_text() for text in ax.texts] == ranks


def test_along_a_rivals_line_the_two_are_level():
    """On one side of it the model is above the rival, on the other below."""
    model, rival = models()[3], models()[0]
    shares, uplifts = [0.05, 0.2, 0.4, 0.7, 1.0], [10.0, 40.0, 80.0, 120.0]
    told = inject(board(), model, shares, uplifts)

    ax = plot_injection(told, [rival]).axes[0]

    names = told.board.fit.models
    lead = told.ratings[:, names.index(model)] - told.ratings[:, names.index(rival)]
    grid = lead.reshape(5, 4).T[::-1]
    assert grid.min() < 0 < grid.max()
    lines = [path.vertices for one in ax.collections[1:] for path in one.get_paths()]
    for x, y in np.concatenate(lines):
        around = grid[
            int(np.floor(y)) : int(np.ceil(y)) + 1, int(np.floor(x)) : int(np.ceil(x)) + 1
        ]
        assert around.min() <= 1e-9
        assert around.max() >= -1e-9
    assert f"level with {rival}" in said(ax.figure)


@pytest.mark.parametrize(
    ("uplifts", "begins"), [([200.0], "A gain could take"), ([-50.0], "No such gain lifts")]
)
def test_the_heading_says_what_a_gain_could_do(uplifts, begins):
    """From its rank to the best one in the table."""
    told = inject(board(), models()[3], [0.5], uplifts)

    assert plot_injection(told).get_suptitle().startswith(begins)


def curve(ax):
    return next(line.get_xydata() for line in ax.lines if len(line.get_xdata()) > 2)


def test_a_break_even_goes_through_its_gains():
    """Shares in percent, with the interval as a band."""
    told = break_even(board(), models()[2], models()[3], [0.1, 0.3, 0.6, 1.0])

    ax = plot_break_even(told).axes[0]

    uplift = told.frame["uplift"].to_numpy()
    np.testing.assert_allclose(curve(ax), np.column_stack([[10, 30, 60, 100], uplift]))
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    low, high = ax.get_ylim()
    assert heights.min() == pytest.approx(max(told.frame["uplift_lower"].min(), heights.min()))
    assert low < 0 < high
    assert f"{told.observed[0]:.1f} points" in said(ax.figure)


def test_where_no_gain_would_do_the_picture_says_so():
    """Such shares are shaded, and have no dot."""
    told = break_even(board(), models()[0], models()[-1], [0.01, 0.02, 0.5, 0.8, 1.0])
    none = int(np.isinf(told.frame["uplift"].to_numpy()).sum())

    figure = plot_break_even(told)

    assert none >= 1
    assert len(curve(figure.axes[0])) == 5 - none
    assert "no gain on so few" in said(figure)
    assert bytes_of(figure)


@pytest.mark.parametrize("shares", [[0.1], [0.001], [1.0, 0.5]])
def test_any_number_of_shares_is_drawn(shares):
    """One, at which there is no line; or one at which no gain would do."""
    told = break_even(board(), models()[0], models()[1], shares)

    assert bytes_of(plot_break_even(told, dark=True))


@pytest.mark.parametrize("name", [MARKUP, "$x$", "模型", "x" * 500])
def test_any_name_is_drawn_on_any_axes(name):
    """In headings."""
    told = break_even(board(), models()[2], models()[3], [0.1, 1.0])
    figure = Figure()

    assert bytes_of(plot_break_even(replace(told, model=name, rival=name)))
    assert plot_break_even(told, figure.add_subplot()) is figure
    assert plot_injection(inject(board(), models()[1], [0.1], [9.0]), ax=figure.axes[0]) is figure
