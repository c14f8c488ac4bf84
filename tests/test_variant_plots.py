"""Pictures of the best of n show the gain by variants and votes."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import bytes_of, said

from arena.variant_plots import plot_variants
from arena.variants import best_of_n


@pytest.mark.parametrize("votes", [[1_000], [3_000, 500]])
def test_a_line_per_number_of_votes_goes_through_its_gains(votes):
    """With a band where most cases lie, named at its end."""
    told = best_of_n([10, 1, 3], votes)

    figure = plot_variants(told)

    ax = figure.axes[0]
    lines = [line.get_xydata() for line in ax.lines if line.get_marker() == "o"]
    for i, (line, number) in enumerate(zip(lines, sorted(votes), strict=True)):
        rows = told.frame.filter(votes=number).sort("variants")
        np.testing.assert_allclose(line, rows.select("variants", "gain").to_numpy())
        heights = ax.collections[i].get_paths()[0].vertices[:, 1]
        assert heights.max() == pytest.approx(rows["gain_upper"].max())
        assert f"{number:,} votes: {rows['gain'][-1]:+.1f}" in said(figure)
    assert "equal variants" in figure.get_suptitle()


def test_variants_that_differ_are_not_called_equal():
    """Then a part of the gain is no luck, and the heading says which."""
    told = best_of_n([2, 5], [1_000], true_spread=[10.0, 20.0])

    figure = plot_variants(told, dark=True)

    assert "equal" not in figure.get_suptitle()
    assert "the first is drawn" in said(figure)
    assert bytes_of(figure)


def test_a_single_scenario_on_given_axes():
    """One number of variants is a dot."""
    figure = Figure()

    assert plot_variants(best_of_n([1], [1_000]), figure.add_subplot()) is figure
    assert bytes_of(plot_variants(best_of_n([1], [1_000])))
