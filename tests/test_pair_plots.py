"""Maps of pairs show the matrices they are of."""

import numpy as np
import polars as pl
import pytest
from logs import MARKUP, round_robin, votes
from matplotlib.figure import Figure
from pictures import bytes_of, cells, row_names, said
from worlds import battles

from arena.pair_plots import WRITTEN, plot_battle_counts, plot_win_rates
from arena.pipeline import rate
from arena.winrates import battle_matrix, observed_win_rates, predicted_win_rates


@pytest.fixture(scope="module")
def board():
    return rate(battles(7, 900, spread=0.6))


def in_order(board, matrix):
    order = [board.fit.models.index(model) for model in board.frame["model"]]
    return matrix[np.ix_(order, order)]


@pytest.mark.parametrize("observed", [False, True])
def test_a_map_of_win_rates_has_each_cell_in_the_order_of_the_board(board, observed):
    """Row beats column, predicted or seen; fifty percent in the middle of the colours."""
    rates = observed_win_rates(board.fit.counts) if observed else predicted_win_rates(board.fit)

    ax = plot_win_rates(board, observed=observed).axes[0]

    np.testing.assert_allclose(cells(ax), in_order(board, rates))
    assert row_names(ax) == board.frame["model"].to_list()
    assert [one.get_text() for one in ax.get_xticklabels()] == row_names(ax)
    scale = ax.collections[0].norm
    assert scale.vmin + scale.vmax == pytest.approx(1.0)
    assert scale.vmin <= np.nanmin(cells(ax))


def test_a_map_of_battles_has_their_number(board):
    """In the colours' scale, equal ratios are equal steps."""
    figure = plot_battle_counts(board)

    shown = in_order(board, battle_matrix(board.fit.counts))
    np.testing.assert_array_equal(np.nan_to_num(cells(figure.axes[0])), shown)
    off = shown[~np.eye(7, dtype=bool)]
    assert f"{off.min():.0f} to {off.max():.0f}" in figure.get_suptitle()
    assert f"\n{off.max():.0f}\n" in said(figure)


def test_a_pair_that_never_met_is_empty_and_counted():
    """What is not known has no colour."""
    pairs = [("x", "y"), ("y", "z"), ("z", "w")]
    log = pl.DataFrame([row for pair in pairs for row in round_robin(*pair)])

    seen = plot_win_rates(rate(log), observed=True)
    counted = plot_battle_counts(rate(log))

    for figure in (seen, counted):
        assert np.isnan(cells(figure.axes[0])).sum() == 4 + 2 * 3
        assert "3 of 6 pairs never met" in said(figure)


def test_numbers_are_written_where_there_is_room():
    """Of a few models, not of many."""
    few, many = (rate(battles(n, 60 * n, spread=0.3)) for n in (3, WRITTEN + 1))

    assert len(plot_win_rates(few).axes[0].texts) == 6
    assert len(plot_win_rates(many).axes[0].texts) == 0


@pytest.mark.parametrize("top", [1, 2, None])
def test_as_many_models_as_asked_for(board, top):
    """The best few, or all; one alone has met nobody."""
    for plot in (plot_win_rates, plot_battle_counts):
        figure = plot(board, top)

        assert len(row_names(figure.axes[0])) == (top or 7)
        assert bytes_of(figure)


def test_a_map_on_given_axes_adds_none_to_their_figure(board):
    """The bar that explains the colours is a part of the Axes."""
    figure = Figure()
    left, right = figure.subplots(1, 2)

    assert plot_win_rates(board, ax=right) is figure
    assert figure.axes == [left, right]


@pytest.mark.parametrize("name", [MARKUP, "$x$", "模型", "x" * 500])
def test_any_name_is_drawn(name):
    """On both sides of the map, without a warning."""
    figure = plot_battle_counts(rate(pl.DataFrame(round_robin(name, "y", "z"))))

    assert bytes_of(figure)
    assert bytes_of(plot_win_rates(rate(pl.DataFrame(votes("a b tie"))), dark=True))
