"""Held-out skill: the metrics are their definitions, and the split leaks nothing."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from worlds import battles, log, won

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.heldout import ESTIMATORS, held_out_skill
from arena.tally import count_pairs

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def timed(frame: pl.DataFrame) -> pl.DataFrame:
    """The same log, one vote a minute."""
    times = [START + dt.timedelta(minutes=i) for i in range(frame.height)]
    return frame.with_columns(tstamp=pl.Series(times, dtype=pl.Datetime("us", "UTC")))


def row(told, estimator):
    """An estimator's skill as a dictionary."""
    return told.skill.row(by_predicate=pl.col("estimator") == estimator, named=True)


def test_the_metrics_are_their_definitions():
    """Log-loss, Brier score and accuracy of Bradley-Terry, vote by vote."""
    frame = timed(battles(6, 1_000, seed=4))
    told = held_out_skill(read_battles(frame), share=0.25)
    fit = fit_bradley_terry(count_pairs(frame.head(750)))
    strength = dict(zip(fit.models, fit.log_odds, strict=True))
    losses, briers, right = [], [], []
    for a, b, winner, _ in frame.tail(250).iter_rows():
        p = 1 / (1 + np.exp(strength[b] - strength[a]))
        s = {"model_a": 1.0, "model_b": 0.0}.get(winner, 0.5)
        losses.append(-(s * np.log(p) + (1 - s) * np.log(1 - p)))
        briers.append((s - p) ** 2)
        if s != 0.5:
            right.append((p > 0.5) == (s == 1.0))

    half = row(told, "half")

    assert (told.n_train, told.n_test, told.n_left_out) == (750, 250, 0)
    assert half["log_loss"] == pytest.approx(np.mean(losses), rel=1e-9)
    assert half["brier"] == pytest.approx(np.mean(briers), rel=1e-9)
    assert half["accuracy"] == pytest.approx(np.mean(right), rel=1e-12)
    assert half["std_error"] == pytest.approx(np.std(losses, ddof=1) / np.sqrt(250), rel=1e-9)


def test_a_tie_model_is_also_asked_for_the_outcome():
    """Its loss over win, loss and tie is the mean of -log P, as written out."""
    frame = timed(battles(6, 1_000, seed=4))
    told = held_out_skill(read_battles(frame), share=0.25)
    fit = fit_bradley_terry(count_pairs(frame.head(750)), ties="davidson")
    strength = dict(zip(fit.models, fit.log_odds, strict=True))
    losses = []
    for a, b, winner, _ in frame.tail(250).iter_rows():
        log_p = fit.rule.log_p(np.array([strength[a] - strength[b]]), fit.tie_parameter)
        losses.append(-log_p[{"model_a": 0, "model_b": 1}.get(winner, 2), 0])

    assert row(told, "davidson")["log_loss_3"] == pytest.approx(np.mean(losses), rel=1e-9)
    assert row(told, "half")["log_loss_3"] is None


def test_the_true_order_of_skill_is_seen():
    """On votes of a Bradley-Terry world every estimator beats a coin, and the fit beats Elo."""
    told = held_out_skill(read_battles(timed(battles(10, 20_000, seed=1))), k=32.0)

    losses = dict(told.skill.select("estimator", "log_loss").rows())
    assert set(losses) == {*ESTIMATORS, "constant"}
    assert max(losses, key=losses.get) == "constant"
    assert losses["half"] < losses["elo"]


def test_a_random_split_follows_its_seed():
    """Same seed, same votes held out; another seed, others."""
    votes = read_battles(battles(6, 800, seed=2))

    one, again, other = (
        row(held_out_skill(votes, split="random", seed=seed), "half")["log_loss"]
        for seed in (1, 1, 2)
    )

    assert one == again
    assert one != other


def test_the_last_votes_are_held_out_whatever_the_order_of_the_rows():
    """A shuffled file has the same last day."""
    frame = timed(battles(6, 800, seed=2))
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=5)

    here, there = (held_out_skill(read_battles(votes)).skill for votes in (frame, shuffled))

    assert here.equals(there)


def test_a_model_that_is_new_in_the_held_out_votes_is_left_out_and_counted():
    """Nobody can predict a model that was never seen."""
    frame = timed(pl.concat([battles(5, 400, seed=2), log(*won("new", "m001", 10))]))

    told = held_out_skill(read_battles(frame), share=50 / 410)

    assert (told.n_test, told.n_left_out) == (40, 10)


def test_calibration_adds_up_to_the_held_out_votes():
    """Each estimator's tenths hold all votes, and predictions lie in their tenth."""
    told = held_out_skill(read_battles(timed(battles(6, 2_000, seed=2))))

    for name, of_one in told.calibration.group_by("estimator"):
        assert of_one["votes"].sum() == told.n_test, name
        assert of_one["predicted"].is_between(0, 1).all()
        assert of_one["observed"].is_between(0, 1).all()


@pytest.mark.parametrize("split", ["time", "random"])
def test_covariates_that_sway_the_votes_improve_the_prediction(split):
    """Where the left side always has an advantage, knowing of it helps."""
    frame = timed(battles(6, 6_000, seed=2))
    lucky = pl.Series(np.random.default_rng(0).random(6_000) < 0.4)
    swayed = frame.with_columns(winner=pl.when(lucky).then(pl.lit("model_a")).otherwise("winner"))

    told = held_out_skill(read_battles(swayed), split=split, control=["side"])

    assert row(told, "control")["log_loss"] < row(told, "half")["log_loss"] - 0.01


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"estimators": ["glicko"]}, OptionError, "'glicko' is not one of"),
        ({"split": "weekday"}, OptionError, "'weekday' is not one of"),
        ({"share": 0.0}, OptionError, "0.0 is not between"),
        ({"share": 1e-6}, OptionError, "leaves nothing"),
        ({"split": "time"}, ColumnError, "tstamp"),
    ],
)
def test_an_impossible_split_is_named(options, error, message):
    """The error quotes the value, or names the column that is missing."""
    with pytest.raises(error, match=message):
        held_out_skill(read_battles(battles(4, 100)), **{"split": "random"} | options)


def test_where_nothing_can_be_predicted_it_is_said():
    """If the last votes are all on new models, there is no skill to speak of."""
    frame = timed(pl.concat([battles(4, 80, seed=1), log(*won("x", "y", 10), *won("y", "x", 10))]))

    with pytest.raises(NoEstimateError, match="no held-out vote"):
        held_out_skill(read_battles(frame), share=0.2)
