"""Pictures of power show it for every share and gain."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import bytes_of, said
from suppositions import board

from arena.detection import detection_power
from arena.detection_plots import plot_power


@pytest.mark.parametrize("shares", [[0.1], [0.3, 0.05, 0.1]])
def test_a_line_per_share_goes_through_its_powers(shares):
    """Named at its end with the gain that is found with the power wanted."""
    model = board().frame["model"][1]
    told = detection_power(board(), model, shares, [50.0, 10.0, 200.0])

    figure = plot_power(told)

    ax = figure.axes[0]
    lines = [line.get_xydata() for line in ax.lines if line.get_marker() == "o"]
    for line, share in zip(lines, sorted(shares), strict=True):
        rows = told.frame.filter(share=share).sort("uplift")
        np.testing.assert_allclose(line, rows.select("uplift", "power").to_numpy())
        assert f"{share:.0%} seen, from {rows['detectable'][0]:.0f} points" in said(figure)
    assert list(ax.lines[0].get_ydata()) == [0.8, 0.8]


def test_given_axes_dark_paper_and_one_gain():
    """A single gain makes dots."""
    told = detection_power(board(), board().frame["model"][1], [0.1], [50.0])
    figure = Figure()

    assert plot_power(told, figure.add_subplot()) is figure
    assert bytes_of(plot_power(told, dark=True))
