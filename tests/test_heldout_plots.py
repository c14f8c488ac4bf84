"""Pictures of calibration show what was predicted against what was seen."""

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from pictures import bytes_of, dots, lines_from_to, said

from arena.errors import OptionError
from arena.heldout import HeldOut
from arena.heldout_plots import plot_calibration

NAMES = ("half", "elo", "drop", "constant")


@pytest.fixture(scope="module")
def told():
    """Skill made up, with a point that few votes are behind."""
    calibration = pl.DataFrame(
        {
            "estimator": [name for name in NAMES for _ in range(3)],
            "predicted": [0.25, 0.5, 0.75] * 4,
            "observed": [0.3, 0.5, 0.7, 0.2, 0.5, 0.8, 0.4, 0.5, 0.6, 0.5, 0.5, 0.5],
            "votes": [100, 900, 4] * 4,
        }
    )
    skill = pl.DataFrame({"estimator": NAMES, "log_loss": [0.61, 0.62, 0.63, 0.69]})
    return HeldOut(skill, calibration, 5_000, 1_004, 0)


def test_a_panel_per_estimator_the_best_first(told):
    """Each with its dots; the constant predicts nothing and is left out."""
    figure = plot_calibration(told)

    assert len(figure.axes) == 3
    for ax, name in zip(figure.axes, NAMES, strict=False):
        rows = told.calibration.filter(estimator=name)
        assert dots(ax).tolist() == [
            list(row) for row in rows.select("predicted", "observed").rows()
        ]
        assert name in ax.texts[0].get_text() or name in ax.texts[-1].get_text()
    assert "1,004 votes, fitted on 5,000" in said(figure)


def test_grey_is_what_chance_makes_of_so_many_votes(told):
    """From 1.96 standard errors below the line to as many above it; larger dots have more votes."""
    ax = plot_calibration(told, ["half"]).axes[0]

    segments = next(one for one in ax.collections if hasattr(one, "get_segments")).get_segments()
    ends = [(one[0][1], one[1][1]) for one in segments]
    half = 1.96 * np.sqrt(np.array([0.1875, 0.25, 0.1875]) / [100, 900, 4])
    middle = np.array([0.25, 0.5, 0.75])
    assert ends == [pytest.approx(pair) for pair in zip(middle - half, middle + half, strict=True)]
    sizes = ax.collections[-1].get_sizes()
    assert sizes[2] < sizes[0] < sizes[1]
    assert lines_from_to(ax)


def test_an_estimator_that_was_not_held_out_for_is_refused(told):
    """The message names those that were."""
    with pytest.raises(OptionError, match="'bt' is not one of half, elo, drop, constant"):
        plot_calibration(told, ["bt"])
    with pytest.raises(OptionError, match="none to draw"):
        plot_calibration(told, [])


def test_given_axes_and_dark_paper(told):
    """On Axes that are given, the first estimator alone."""
    figure = Figure()
    ax = figure.add_subplot()

    assert plot_calibration(told, ax=ax) is figure
    assert figure.axes == [ax]
    assert len(dots(ax)) == 3
    assert bytes_of(plot_calibration(told, dark=True))
