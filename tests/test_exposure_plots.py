"""Pictures of what was seen show the estimates, and what chance alone would do."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from logs import MARKUP
from matplotlib.figure import Figure
from pictures import bytes_of, dots, lines_from_to, row_names, said
from suppositions import board
from worlds import battles

from arena.battles import read_battles
from arena.dosing import dose
from arena.errors import OptionError
from arena.exposure_plots import plot_dose, plot_fewest_votes, plot_uplift
from arena.uplift import estimate_uplift
from arena.vote_influence import fewest_votes


def log(n_models=6, n_battles=3_000, **renamed):
    """A log in which two models had seen a third of the prompts, and win more of these."""
    rng = np.random.default_rng(1)
    seen = pl.Series(rng.random(n_battles) < 0.3)
    lucky = pl.Series(rng.random(n_battles) < 0.3)
    frame = battles(n_models, n_battles, spread=0.4).with_columns(
        prompt=pl.Series([f"p{i}" for i in rng.integers(0, 400, n_battles)])
    )
    for side in ("a", "b"):
        had = pl.col(f"model_{side}").is_in(["m000", "m001"]) & seen
        gains = pl.when(had & lucky).then(pl.lit(f"model_{side}")).otherwise("winner")
        frame = frame.with_columns(had.alias(f"seen_{side}"), seen.alias("seen"), winner=gains)
    return read_battles(
        frame.with_columns(pl.col("model_a", "model_b").replace(renamed)),
        keep=("seen",),
    )


@pytest.fixture(scope="module")
def told():
    return dose(log(), shares=[0.0, 0.5, 1.0], orders=20)


@pytest.fixture(scope="module")
def gain():
    return estimate_uplift(log(), per_model=True, cluster="prompt")


@pytest.fixture(scope="module")
def fewest():
    return fewest_votes(board().fit, draws=30)


# ── gains ──────────────────────────────────────────────────────────────────────────────────


def test_every_estimate_has_a_row_with_its_interval(gain):
    """Exposed models first, then the control, then each unexposed model."""
    ax = plot_uplift(gain).axes[0]

    frame = gain.frame.filter(pl.col("uplift").is_not_null())
    assert sorted(row_names(ax)) == sorted(frame["model"])
    assert row_names(ax)[0] == "all exposed models"
    by_name = {row["model"]: row for row in frame.iter_rows(named=True)}
    rows = [by_name[name] for name in row_names(ax)]
    assert dots(ax)[:, 0].tolist() == [row["uplift"] for row in rows]
    ends = [(row["uplift_lower"], row["uplift_upper"]) for row in rows]
    assert lines_from_to(ax) == [pytest.approx(pair) for pair in ends]
    assert f"{gain.estimate.uplift:+.1f} points" in ax.figure.get_suptitle()


def test_unexposed_models_are_cut_to_those_asked_for(gain):
    """Those furthest from zero, and the picture says how many there are."""
    figure = plot_uplift(gain, 1)

    rest = gain.frame.filter(pl.col("group") == "unexposed model", pl.col("uplift").is_not_null())
    furthest = rest.sort(pl.col("uplift").abs())["model"][-1]
    assert row_names(figure.axes[0])[-1] == furthest
    assert f"1 of {rest.height} drawn" in said(figure)


# ── doses ──────────────────────────────────────────────────────────────────────────────────


def test_a_panel_holds_a_models_rating_its_orders_and_its_null(told):
    """A line through the means, a band for the orders, and grey for chance."""
    model = told.frame["model"][0]

    ax = plot_dose(told, [model]).axes[0]

    rows = told.frame.filter(model=model)
    line = ax.lines[0].get_xydata()
    np.testing.assert_allclose(line, rows.select("share", "rating").to_numpy())
    for band, name in zip(ax.collections, ("null", "rating"), strict=True):
        heights = band.get_paths()[0].vertices[:, 1]
        assert heights.min() == pytest.approx(rows[f"{name}_lower"].min())
        assert heights.max() == pytest.approx(rows[f"{name}_upper"].max())
    assert f"{model}\nrank {rows['rank'][0]} → {rows['rank'][-1]}" in said(ax.figure)


def test_panels_have_as_many_points_from_bottom_to_top(told):
    """So that a slope in one is a slope in another."""
    axes = plot_dose(told).axes

    tall = [float(np.ptp(ax.get_ylim())) for ax in axes]
    assert len(axes) == 6
    assert tall == pytest.approx([tall[0]] * 6)


def test_a_model_that_has_no_dose_is_refused(told):
    """The message names it."""
    with pytest.raises(OptionError, match="'nobody'"):
        plot_dose(told, ["nobody"])


# ── fewest votes ───────────────────────────────────────────────────────────────────────────


def test_random_removal_stands_beside_the_set_found(fewest):
    """A curve with its interval, and a line where the set is."""
    figure = plot_fewest_votes(fewest)

    ax = figure.axes[0]
    random = fewest.random.filter(pl.col("number") > 0).sort("number")
    np.testing.assert_allclose(
        ax.lines[0].get_xydata(), random.select("number", "probability").to_numpy()
    )
    assert [list(line.get_xdata()) for line in ax.lines][1] == [fewest.number]
    assert f"{fewest.number:,} vote" in figure.get_suptitle()
    assert fewest.model in said(figure)


def test_without_a_set_the_heading_says_so(fewest):
    """How many were looked for."""
    none = replace(fewest, number=None, half_at=None, most=12)

    figure = plot_fewest_votes(none)

    assert figure.get_suptitle().startswith("No 12 votes were found")
    assert bytes_of(figure)


@pytest.mark.parametrize("name", [MARKUP, "$x$", "模型", "x" * 500])
def test_any_name_on_any_paper(fewest, name):
    """In rows, panels and headings; on Axes that are given."""
    named = log(4, 800, m000=name)
    figure = Figure()
    left, right = figure.subplots(1, 2)

    assert bytes_of(plot_dose(dose(named, shares=[0.0, 1.0], orders=5), dark=True))
    assert bytes_of(plot_uplift(estimate_uplift(named, cluster="prompt"), dark=True))
    assert plot_fewest_votes(replace(fewest, model=name), left) is figure
    assert plot_dose(dose(named, shares=[0.0, 1.0], orders=5), ax=right) is figure
    assert figure.axes == [left, right]
