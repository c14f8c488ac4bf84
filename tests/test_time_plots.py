"""Pictures of time: each model's path, and what another order would have made of Elo."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from logs import MARKUP
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure
from pictures import bytes_of, lines_from_to, row_names, said
from worlds import battles

from arena.battle_order import order_battles
from arena.battles import read_battles
from arena.elo import order_spread
from arena.history import rate_history
from arena.leaderboard import Scale
from arena.pipeline import beside_bradley_terry
from arena.tally import tally_votes
from arena.time_plots import plot_history, plot_order_spread

START = datetime(2024, 1, 1, tzinfo=UTC)


def log(n_models=5, n_battles=1_500, days=90, **renamed):
    moments = [START + timedelta(days=days) * i / n_battles for i in range(n_battles)]
    frame = battles(n_models, n_battles, spread=0.5).with_columns(tstamp=pl.Series(moments))
    return frame.with_columns(pl.col("model_a", "model_b").replace(renamed))


@pytest.fixture(scope="module")
def told():
    return rate_history(read_battles(log()))


def paths(figure):
    """Days and ratings of each line inside the Axes."""
    ax = figure.axes[0]
    return [line.get_xydata() for line in ax.lines if line.get_transform() == ax.transData]


def test_a_line_goes_through_every_board_of_its_model(told):
    """At the end of each period, in days since 1970."""
    figure = plot_history(told)

    latest = told.frame.filter(pl.col("end") == pl.col("end").max()).sort("rank")
    drawn = {tuple(map(tuple, np.round(path, 6))) for path in paths(figure)}
    for model in latest["model"]:
        rows = told.frame.filter(model=model).sort("end")
        days = [(end - datetime(1970, 1, 1, tzinfo=UTC)).days for end in rows["end"]]
        assert tuple(zip(days, np.round(rows["rating"], 6), strict=True)) in drawn


def test_a_band_is_the_interval_and_the_name_stands_at_the_end(told):
    """One band for each line, from bound to bound."""
    figure = plot_history(told, 2)

    models = told.frame.filter(pl.col("end") == pl.col("end").max()).sort("rank")["model"][:2]
    ax = figure.axes[0]
    bands = [one for one in ax.collections if isinstance(one, FillBetweenPolyCollection)]
    assert [text.get_text() for text in ax.texts] == models.to_list()
    for band, model in zip(bands, models, strict=True):
        rows = told.frame.filter(model=model)
        heights = band.get_paths()[0].vertices[:, 1]
        assert heights.min() == pytest.approx(rows["rating_lower"].min())
        assert heights.max() == pytest.approx(rows["rating_upper"].max())


def test_the_heading_says_how_many_and_from_which_votes(told):
    """A window is said, too."""
    windowed = rate_history(read_battles(log()), every="week", window=4)

    assert "The 2 best models" in plot_history(told, 2).get_suptitle()
    assert "All 5 models" in plot_history(told).get_suptitle()
    assert "a board per month, of all votes until then" in said(plot_history(told))
    assert "a board per week, of the votes of 4 x 1w" in said(plot_history(windowed))


@pytest.mark.parametrize("days", [1, 5, 700])
def test_any_length_of_time_is_drawn(days):
    """A single board as well as years of them."""
    told = rate_history(read_battles(log(3, 400, days)))

    assert bytes_of(plot_history(told, dark=True))


def test_elo_lies_over_what_other_orders_make_of_it():
    """A dot at Elo, grey over the orders, a tick at Bradley-Terry."""
    frame = log()
    spread = order_spread(order_battles(frame), orders=20)
    table = beside_bradley_terry(spread, tally_votes(read_battles(frame)).counts, Scale())

    ax = plot_order_spread(table).axes[0]

    ticks, dots = (line.get_xdata() for line in ax.lines)
    assert row_names(ax) == table["model"].to_list()
    assert list(dots) == table["elo"].to_list()
    assert list(ticks) == table["bradley_terry"].to_list()
    assert lines_from_to(ax) == [
        pytest.approx(p) for p in table.select("elo_low", "elo_high").rows()
    ]
    assert len(plot_order_spread(spread, 2).axes[0].lines) == 1


@pytest.mark.parametrize("name", [MARKUP, "$x$", "模型", "x" * 500])
def test_any_name_is_drawn(name):
    """Beside lines and in rows, on Axes that are given, too."""
    frame, figure = log(3, 300, m000=name), Figure()
    left, right = figure.subplots(1, 2)

    plot_history(rate_history(read_battles(frame)), ax=left)
    plot_order_spread(order_spread(order_battles(frame), orders=5), ax=right)

    assert bytes_of(plot_history(rate_history(read_battles(frame))))
    assert (left.has_data(), right.has_data()) == (True, True)
    assert figure.axes == [left, right]
