"""A board at equal covariates stands beside the plain one."""

import numpy as np
import polars as pl
import pytest
from worlds import battles

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.control import covariate_names, rate_controlled
from arena.errors import ColumnError, OptionError
from arena.leaderboard import Scale
from arena.pipeline import rate
from arena.report import render_json, render_table
from arena.tally import count_pairs
from arena.uncertainty import Interval


def wordy_world(effect: float = 1.0, seed: int = 3) -> pl.DataFrame:
    """Judges who like long answers, and one model, m001, that writes them."""
    frame = battles(6, 6_000, seed=seed, spread=0.3, tie_share=0.0, both_bad_share=0.0)
    rng = np.random.default_rng(seed)
    sides = {
        side: rng.poisson(100, frame.height) + 100 * (frame[f"model_{side}"] == "m001").to_numpy()
        for side in "ab"
    }
    ratio = (sides["a"] - sides["b"]) / (sides["a"] + sides["b"] + 1)
    unit = (ratio - ratio.mean()) / ratio.std()
    swayed = rng.random(frame.height) < np.abs(np.tanh(effect * unit / 2))
    winner = np.where(unit > 0, "model_a", "model_b")
    return frame.with_columns(
        tokens_a=pl.Series(sides["a"]),
        tokens_b=pl.Series(sides["b"]),
        judge=pl.Series([f"j{i % 60}" for i in range(frame.height)]),
        winner=pl.when(pl.Series(swayed)).then(pl.Series(winner)).otherwise("winner"),
    )


def test_length_counts_for_the_coefficient_and_no_longer_for_the_model():
    """The wordy model loses what its length won it, and the coefficient is positive."""
    told = rate_controlled(read_battles(wordy_world()), ["style:tokens"])

    wordy = told.changes.row(by_predicate=pl.col("model") == "m001", named=True)
    assert wordy["rating_controlled"] < wordy["rating_plain"] - 50
    row = told.board.coefficients.row(0, named=True)
    assert row["lower"] > 0
    assert row["rating"] == pytest.approx(row["coefficient"] * 400 / np.log(10))


def test_the_plain_side_of_the_comparison_is_the_plain_fit():
    """The change is from the board that everybody knows."""
    frame = wordy_world()
    told = rate_controlled(read_battles(frame), ["style:tokens"])

    plain = fit_bradley_terry(count_pairs(frame))

    expected = dict(zip(plain.models, 1000 + plain.log_odds * 400 / np.log(10), strict=True))
    shown = dict(told.changes.select("model", "rating_plain").rows())
    assert shown == pytest.approx(expected)


def test_a_changed_rank_is_in_the_note():
    """A reader of the board sees where a model stood without covariates."""
    told = rate_controlled(read_battles(wordy_world()), ["style:tokens"])

    notes = dict(told.board.frame.select("model", "note").rows())
    for model, before, after in told.changes.select(
        "model", "rank_plain", "rank_controlled"
    ).iter_rows():
        assert (f"rank {before} without covariates" in (notes[model] or "")) == (before != after)


def test_the_anchor_is_held_with_covariates_too():
    """The scale is the same machinery."""
    board = rate_controlled(
        read_battles(wordy_world()), ["style:tokens"], scale=Scale(anchor=("m002", 1200.0))
    ).board

    row = board.frame.row(by_predicate=pl.col("model") == "m002", named=True)
    assert row["rating"] == pytest.approx(1200.0)


@pytest.mark.parametrize("method", ["sandwich", "fisher", "cluster", "none"])
def test_intervals_are_those_of_the_regression(method):
    """By vote, by judge, by the model alone, or none."""
    interval = Interval(method, "judge" if method == "cluster" else None)

    board = rate_controlled(read_battles(wordy_world()), ["side"], interval=interval).board

    assert board.frame["std_error"].is_null().all() == (method == "none")
    assert ("std_error" in board.coefficients.columns) == (method != "none")


def test_rate_takes_covariates_and_says_so():
    """The composition for everybody: title, footer, JSON and manifest name them."""
    board = rate(wordy_world(), control=["style:tokens", "side"])

    assert board.manifest["reading"]["control"] == ["style:tokens", "side"]
    assert '"covariate": "style:tokens"' in render_json(board)
    assert render_table(board) is not None
    assert board.coefficients["covariate"].to_list() == ["style:tokens", "side"]


def test_a_numeric_column_of_the_log_is_carried_along():
    """A price per side is no battle column, and a covariate all the same."""
    frame = wordy_world().with_columns(
        price_a=pl.col("tokens_a") / 7.0, price_b=pl.col("tokens_b") / 7.0
    )

    board = rate(frame, control=["price"])

    assert board.coefficients["covariate"].to_list() == ["price"]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"control": ["style"], "ties": "davidson"}, OptionError, "control: goes with"),
        ({"control": ["style"], "interval": Interval("bootstrap")}, OptionError, "not bootstrap"),
        ({"control": ["style"]}, ColumnError, "headers"),
        ({"control": ["nonsense"]}, ColumnError, "nonsense"),
    ],
)
def test_what_cannot_be_controlled_is_named(options, error, message):
    """Another tie rule, another interval, or a column that the log lacks."""
    with pytest.raises(error, match=message):
        rate(wordy_world(), **options)


def test_a_covariate_is_named_once():
    """Twice the same is a mistake, and so is an empty name."""
    for text in (["style,style"], ["side,"]):
        with pytest.raises(OptionError, match="twice, or an empty one"):
            covariate_names(text)
