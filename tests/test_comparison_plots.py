"""Pictures of a comparison show its changes, and beside them what chance would do."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from logs import MARKUP
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from pictures import bytes_of, dot_colors, dots, lines_from_to, row_names, said
from worlds import battles

from arena.battles import read_battles
from arena.comparison import compare
from arena.comparison_plots import FEW, plot_placebo, plot_rank_changes
from arena.conditions import multi_turn
from arena.palette import DARK, LIGHT


def told_of(n_models=6, n_battles=1_500, better=None, **renamed):
    """A comparison in which `better`, if named, wins more if there is more than one turn."""
    rng = np.random.default_rng(0)
    log = battles(n_models, n_battles, spread=0.4).with_columns(
        turns=pl.Series(rng.integers(1, 4, n_battles)), luck=pl.Series(rng.random(n_battles))
    )
    for side, other in (("model_a", "model_b"), ("model_b", "model_a")):
        its = (pl.col(side) == pl.lit(better or "nobody")) & (pl.col("luck") < 0.4)
        wins = pl.when(pl.col("turns") > 1).then(pl.lit(side)).otherwise(pl.lit(other))
        log = log.with_columns(winner=pl.when(its).then(wins).otherwise("winner"))
    log = log.with_columns(pl.col("model_a", "model_b").replace(renamed))
    return compare(read_battles(log), multi_turn(), draws=60, rounds=60)


@pytest.fixture(scope="module")
def told():
    return told_of()


@pytest.fixture(scope="module")
def moved():
    return told_of(better="m004")


def test_each_change_lies_over_its_placebo(told):
    """Grey from bound to bound of the null, a line for the interval, and a dot for the change."""
    ax = plot_placebo(told).axes[0]

    frame = told.frame
    assert row_names(ax) == frame["model"].to_list()
    assert dots(ax)[:, 0].tolist() == frame["change"].to_list()
    for which, name in ((0, "null"), (1, "change")):
        bounds = frame.select(f"{name}_lower", f"{name}_upper").rows()
        assert lines_from_to(ax, which) == [pytest.approx(pair) for pair in bounds]
    null = next(one for one in ax.collections if isinstance(one, LineCollection))
    assert {tuple(c[:3]) for c in null.get_colors()} == {to_rgb(LIGHT.null)}


def test_a_change_beyond_chance_has_a_colour(told, moved):
    """Blue up, orange down, with all models in view; and the heading says it of the board."""
    for of, sure in ((told, 0), (moved, 1)):
        colors = dot_colors(plot_placebo(of, dark=True).axes[0])

        up = [color[:3] == to_rgb(DARK.up) for color in colors]
        p, change = of.frame["p_adjusted"].to_numpy(), of.frame["change"].to_numpy()
        assert up == list((p < 0.05) & (change > 0))
        assert sum(up) >= sure
    assert "no more than chance" in plot_placebo(told).get_suptitle()
    assert "moves more than chance" in plot_placebo(moved).get_suptitle()


def slopes(ax):
    return {(round(y[0]), round(y[1])) for y in (line.get_ydata() for line in ax.lines)}


def test_a_line_leads_from_rank_to_rank(moved):
    """With the name, both ranks and the places risen at its ends."""
    ax = plot_rank_changes(moved).axes[0]

    frame = moved.frame
    assert slopes(ax) == set(frame.select("rank_base", "rank_kept").rows())
    texts = {text.get_text() for text in ax.texts}
    for model, base, kept, risen in frame.select(
        "model", "rank_base", "rank_kept", "rank_change"
    ).rows():
        by = f"  {risen:+d}".replace("-", "−") if risen else ""
        assert {f"{model}  {base}", f"{kept}  {model}{by}"} <= texts


def test_ranks_that_chance_hardly_gives_are_counted_and_coloured(moved):
    """By the comparison's own interval of random removals."""
    figure = plot_rank_changes(moved)

    change, low, high = (
        moved.frame[name].to_numpy()
        for name in ("rank_change", "rank_null_lower", "rank_null_upper")
    )
    beyond = int(((change > high) | (change < low)).sum())
    colored = [one for one in figure.axes[0].lines if one.get_color() in (LIGHT.up, LIGHT.down)]
    assert beyond >= 1
    assert len(colored) == beyond
    assert figure.get_suptitle().startswith(f"{beyond} of 6 rank")


def test_a_rank_at_the_end_of_what_chance_gives_is_chance(moved):
    """Only beyond it is it more."""
    at_the_end = moved.frame.with_columns(
        rank_null_lower="rank_change", rank_null_upper="rank_change"
    )

    figure = plot_rank_changes(replace(moved, frame=at_the_end))

    assert figure.get_suptitle() == "No rank moves more than chance would move it"
    assert {one.get_color() for one in figure.axes[0].lines} == {LIGHT.soft}


def test_the_best_of_either_board_are_drawn(moved):
    """A model that is among the first of one of them has both its ranks."""
    figure = plot_rank_changes(moved, 2)

    frame = moved.frame
    shown = frame.filter(pl.min_horizontal("rank_base", "rank_kept") <= 2)["model"].to_list()
    assert {
        text.get_text().split("  ")[0] for text in figure.axes[0].texts if text.get_ha() == "right"
    } == set(shown)
    assert len(figure.axes[0].lines) == len(shown)


def test_of_many_models_chance_is_drawn_where_it_matters():
    """Bands of all of them would hide one another."""
    ax = plot_rank_changes(told_of(FEW + 2, 3_000)).axes[0]

    colored = [one for one in ax.lines if one.get_color() in (LIGHT.up, LIGHT.down)]
    assert len(ax.collections) == len(colored)


@pytest.mark.parametrize("plot", [plot_placebo, plot_rank_changes])
@pytest.mark.parametrize("name", [MARKUP, "$x$", "模型", "x" * 500])
def test_any_name_and_any_paper(plot, name):
    """On Axes of their own or given."""
    told = told_of(3, 300, m000=name)
    figure = Figure()

    assert bytes_of(plot(told, dark=True))
    assert plot(told, 1, figure.add_subplot()) is figure
    assert "m001" in said(plot(told))
