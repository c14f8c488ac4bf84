"""Online Elo is its definition, weighs the last battles the most, and says how much it matters."""

import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import battles, log, tied, won

from arena.battle_order import order_battles
from arena.elo import EloRule, KSchedule, elo_orders, online_elo, order_spread
from arena.errors import OptionError
from arena.schema import WINNERS

POINTS = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "both_bad": 0.5}


def by_definition(rows, k=4.0, scale=400.0, base=10.0, init=1000.0):
    """Model → rating, one battle after another; `k` is a function of battles played."""
    k_of = k if callable(k) else lambda played: k
    rating, played = {}, {}
    for a, b, winner in rows:
        r_a, r_b = rating.setdefault(a, init), rating.setdefault(b, init)
        surprise = POINTS[winner] - 1.0 / (1.0 + base ** ((r_b - r_a) / scale))
        rating[a] = r_a + k_of(played.get(a, 0)) * surprise
        rating[b] = r_b - k_of(played.get(b, 0)) * surprise
        played[a], played[b] = played.get(a, 0) + 1, played.get(b, 0) + 1
    return rating


def ratings(frame, **options):
    """Model → rating, of the battles as they stand."""
    played = online_elo(order_battles(frame, order="as-is"), EloRule(**options))
    return dict(zip(played.models, played.ratings.tolist(), strict=True))


BATTLE = st.tuples(
    st.sampled_from("abcde"), st.sampled_from("abcde"), st.sampled_from(WINNERS)
).filter(lambda row: row[0] != row[1])
LOGS = st.lists(BATTLE, min_size=1, max_size=60)


# ── the update ─────────────────────────────────────────────────────────────────────────────


@settings(max_examples=60, deadline=None)
@given(
    rows=LOGS,
    k=st.floats(0.1, 64.0),
    scale=st.floats(50.0, 1000.0),
    base=st.floats(1.5, 20.0),
    init=st.floats(-500.0, 2000.0),
)
def test_ratings_are_those_of_the_definition(rows, k, scale, base, init):
    """A plain loop over the battles, base to the power and all, ends at the same ratings."""
    options = {"k": k, "scale": scale, "base": base, "init": init}

    found = ratings(log(*rows), **options)

    assert found == pytest.approx(by_definition(rows, **options), rel=0, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(rows=LOGS, first=st.integers(1, 5), second=st.integers(1, 5))
def test_a_schedule_moves_each_side_by_its_own_k(rows, first, second):
    """Each model's K depends on the battles it has had, whatever its opponent has had."""

    def k_of(played):
        return 40.0 if played < first else 20.0 if played < first + second else 10.0

    found = ratings(log(*rows), k=f"40:{first},20:{second},10")

    assert found == pytest.approx(by_definition(rows, k_of), rel=0, abs=1e-9)


def test_a_win_between_equals_moves_half_of_k():
    """With K = 32, 1000 against 1000 becomes 1016 against 984; a tie leaves both."""
    assert ratings(log(*won("x", "y")), k=32) == {"x": 1016.0, "y": 984.0}
    assert ratings(log(*tied("x", "y")), k=32) == {"x": 1000.0, "y": 1000.0}


def test_a_second_win_moves_less():
    """1016 is expected to take 0.546 points from 984, so it gains 14.53 by winning again."""
    expected = 1 / (1 + 10 ** (-32 / 400))

    found = ratings(log(*won("x", "y", 2)), k=32)

    assert expected == pytest.approx(0.546, abs=5e-4)
    assert found["x"] == pytest.approx(1016 + 32 * (1 - expected), abs=1e-9)
    assert found["x"] == pytest.approx(1030.53, abs=5e-3)


def test_one_k_conserves_the_sum_of_the_ratings():
    """What one side gains, the other loses; two schedules of K need not balance."""
    frame = battles(8, 3_000)
    constant, schedule = ratings(frame), ratings(frame, k="32:30,4")

    assert sum(constant.values()) == pytest.approx(8_000, abs=1e-8)
    assert abs(sum(schedule.values()) - 8_000) > 1e-3


def test_a_schedule_starts_like_its_first_k_and_then_moves_less():
    """Up to its 30th battle a pair moves by 32; after it, by 16."""
    steps = [ratings(log(*won("x", "y", n)), k="32:30,16")["x"] for n in (29, 30, 31)]
    constant = [ratings(log(*won("x", "y", n)), k=32)["x"] for n in (29, 30, 31)]

    assert steps[:2] == constant[:2]
    assert steps[2] - steps[1] == pytest.approx((constant[2] - constant[1]) / 2, rel=1e-9)


def test_a_hopeless_gap_does_not_overflow():
    """A gap of a million points expects 1 and 0, and nothing else."""
    found = ratings(log(*won("x", "y", 3)), k=1e6)

    assert found == {"x": 501_000.0, "y": -499_000.0}


def test_the_result_says_how_it_was_made():
    """Battles per model add up to two for each battle, and the options are kept."""
    frame = battles(6, 500)

    played = online_elo(order_battles(frame, order="as-is"), EloRule("32:30,16", init=0))

    assert played.battles.sum() == 1_000
    assert played.battles.min() > 0
    assert played.rule == EloRule(KSchedule((32.0, 16.0), (30,)), 400, 10, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0.0}, "k: 0.0 is not a positive number of rating points"),
        ({"k": float("nan")}, "k: nan is not a positive"),
        ({"k": "32:30"}, "k: '32:30' is neither a number nor a schedule such as 32:30,16"),
        ({"k": "32,16"}, "k: '32,16' is neither"),
        ({"k": "32:x,16"}, "k: '32:x,16' is neither"),
        ({"k": ""}, "k: '' is neither"),
        ({"k": "32:0,16"}, "k: a stage of 0 battles; it lasts 1 or more"),
        ({"k": "-1:3,16"}, "k: -1.0 is not a positive"),
        ({"scale": 0.0}, "scale: 0.0 is not a positive number"),
        ({"base": 1.0}, "base: 1.0 is not a number above 1"),
        ({"init": float("inf")}, "init: inf is not a finite number"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    """The error names the option, its value and what would do."""
    with pytest.raises(OptionError, match=message):
        EloRule(**options)


def test_a_schedule_reads_back_from_its_text():
    """What is printed of a schedule is what can be typed."""
    for text in ("16", "32:30,16", "40.5:30,20:100,10"):
        assert str(KSchedule.parse(text)) == text
    with pytest.raises(OptionError, match="every stage but the last"):
        KSchedule((32.0, 16.0), ())


# ── many orders ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("bootstrap", [False, True])
def test_orders_do_not_depend_on_the_number_of_threads(bootstrap):
    """Same seed, same ratings to the last bit; another seed, others."""
    order = order_battles(battles(8, 2_000), order="as-is")

    one, two, other = (
        elo_orders(order, None, 7, seed, bootstrap=bootstrap, threads=threads)
        for seed, threads in ((3, 1), (3, 2), (4, 2))
    )

    np.testing.assert_array_equal(one, two)
    assert one.shape == (7, 8)
    assert not np.any(one == other)
    assert len(np.unique(one, axis=0)) == 7


def test_an_order_holds_every_battle_once():
    """With an endless scale nothing depends on the order, so all orders agree; resamples do not."""
    order = order_battles(battles(8, 2_000), order="as-is")
    flat = EloRule(k=1.0, scale=1e12)
    given_order = online_elo(order, flat).ratings

    shuffled = elo_orders(order, flat, 20)
    resampled = elo_orders(order, flat, 20, bootstrap=True)

    np.testing.assert_allclose(shuffled, np.tile(given_order, (20, 1)), rtol=0, atol=1e-5)
    assert np.abs(resampled - given_order).max() > 1


def test_every_order_is_as_likely():
    """Three battles have six orders, each drawn about as often."""
    order = order_battles(log(*won("x", "y"), *won("y", "z"), *won("z", "x")), order="as-is")

    drawn = elo_orders(order, EloRule(k=100), 3_000)

    _, n = np.unique(drawn.round(6), axis=0, return_counts=True)
    assert n.size == 6
    # Five degrees of freedom: beyond 20.5 once in a thousand seeds.
    assert ((n - 500) ** 2 / 500).sum() < 20.5


def test_a_resample_draws_every_battle_about_as_often():
    """Of three battles one stands first, second or third in a resample a third of the time each."""
    rows = [*won("a", "b"), *won("c", "d"), *won("e", "f")]
    order = order_battles(log(*rows), order="as-is")
    rule = EloRule(k=2, scale=1e12)

    gained = elo_orders(order, rule, 3_000, bootstrap=True)[:, [0, 2, 4]] - 1000

    assert gained.sum(axis=1) == pytest.approx(3, abs=1e-6)
    assert gained.mean(axis=0) == pytest.approx(1, abs=0.06)
    assert (gained == 0).mean(axis=0) == pytest.approx(8 / 27, abs=0.04)


def test_the_spread_over_orders_shrinks_with_k():
    """A smaller K forgets more slowly, and hangs less on which battles came last."""
    order = order_battles(battles(8, 4_000), order="as-is")

    spread = [order_spread(order, EloRule(k), 60)["elo_std"].mean() for k in (1, 4, 16, 64)]

    assert spread == sorted(spread)
    assert spread[0] < spread[-1] / 5
    assert spread[0] > 0


def test_a_log_sorted_by_winner_stands_outside_its_own_orders():
    """Order matters: who wins all its battles last ends above nearly every other order."""
    frame = log(*won("y", "x", 200), *won("x", "y", 200))

    spread = order_spread(order_battles(frame, order="as-is"), EloRule(16), 200)

    of_x = spread.row(by_predicate=pl.col("model") == "x", named=True)
    assert of_x["elo"] > of_x["elo_high"] > of_x["elo_mean"] > of_x["elo_low"]
    assert of_x["elo_mean"] == pytest.approx(1000, abs=5)


def test_the_spread_is_that_of_the_orders():
    """Mean, standard deviation and quantiles are taken over the same draws, best model first."""
    order, rule = order_battles(battles(8, 1_000), order="shuffle:1"), EloRule(8)
    given_order, drawn = online_elo(order, rule), elo_orders(order, rule, 50, 9)

    spread = order_spread(order, rule, 50, 9, level=0.9)

    assert spread.columns == ["model", "elo", "elo_mean", "elo_std", "elo_low", "elo_high"]
    assert spread["elo"].is_sorted(descending=True)
    by_model = spread.sort("model")
    assert tuple(by_model["model"]) == order.models
    np.testing.assert_array_equal(by_model["elo"], given_order.ratings)
    np.testing.assert_allclose(by_model["elo_mean"], drawn.mean(axis=0))
    np.testing.assert_allclose(by_model["elo_std"], drawn.std(axis=0, ddof=1))
    np.testing.assert_allclose(by_model["elo_low"], np.quantile(drawn, 0.05, axis=0))
    np.testing.assert_allclose(by_model["elo_high"], np.quantile(drawn, 0.95, axis=0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"orders": 1}, "orders: 1 have no spread; take 2 or more"),
        ({"level": 1.0}, "level: 1.0 is not between 0 and 1"),
        ({"threads": 0}, "threads: 0 is not a positive number"),
    ],
)
def test_a_spread_that_cannot_be_is_refused(options, message):
    """The error names the option, its value and what would do."""
    order = order_battles(log(*won("x", "y")), order="as-is")

    with pytest.raises(OptionError, match=message):
        order_spread(order, **options)


def test_no_order_at_all_is_refused():
    """One random order is enough for ratings; none is not."""
    order = order_battles(log(*won("x", "y")), order="as-is")

    with pytest.raises(OptionError, match="orders: 0 is not a positive number"):
        elo_orders(order, orders=0)


# ── the cost ───────────────────────────────────────────────────────────────────────────────


def test_nobody_waits_for_numba_who_plays_no_battle():
    """Importing the module does not import numba; playing battles does."""
    code = "import sys, arena.elo; sys.exit('numba' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], check=False)

    assert done.returncode == 0
