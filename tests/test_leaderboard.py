"""A leaderboard shows the fit on a scale, and says what is not known."""

import numpy as np
import polars as pl
import pytest
from worlds import battles, counted, log, tied, won

from arena.bradley_terry import fit_bradley_terry
from arena.covariance import estimate_covariance
from arena.errors import OptionError
from arena.leaderboard import COLUMNS, Scale, build_leaderboard
from arena.tally import count_pairs
from arena.uncertainty import Interval

CLOSE_GAME = [*won("x", "y", 30), *won("y", "x", 10)]


def board_of(*rows, **options):
    """The leaderboard of a log written out."""
    return build_leaderboard(fit_bradley_terry(counted(*rows)), **options)


def row(board, model):
    """A model's row as a dictionary."""
    return board.frame.row(by_predicate=pl.col("model") == model, named=True)


def test_odds_of_ten_are_four_hundred_points():
    """The Elo scale: 10 : 1 is 400 points, around a mean of 1000."""
    board = board_of(*won("x", "y", 100), *won("y", "x", 10))

    assert row(board, "x")["rating"] == pytest.approx(1200.0)
    assert row(board, "y")["rating"] == pytest.approx(800.0)


def test_another_scale_is_a_stretch():
    """Scale 200 in base 100 has a quarter of the points per log-odds."""
    board = board_of(
        *won("x", "y", 100), *won("y", "x", 10), scale=Scale(points=200, base=100, init=0)
    )

    assert row(board, "x")["rating"] == pytest.approx(50.0)


def test_an_anchor_shifts_everybody_alike():
    """The anchor stands where it was put, and gaps stay as they were."""
    plain = board_of(*CLOSE_GAME)
    anchored = board_of(*CLOSE_GAME, scale=Scale(anchor=("y", 1114.0)))

    assert row(anchored, "y")["rating"] == pytest.approx(1114.0)
    assert row(anchored, "y")["note"] == "anchor; 40 battles"
    gap = row(plain, "x")["rating"] - row(plain, "y")["rating"]
    assert row(anchored, "x")["rating"] - 1114.0 == pytest.approx(gap)


def test_columns_come_in_their_order():
    """Whatever was asked for, the columns are the same."""
    for kind in ("sandwich", "fisher", "none"):
        board = board_of(*CLOSE_GAME, interval=Interval(method=kind))

        assert board.frame.columns == list(COLUMNS)


def test_an_interval_is_its_standard_errors_on_both_sides():
    """At 95 %, 1.96 standard errors; at 68.27 %, one."""
    board = board_of(*CLOSE_GAME)
    narrow = board_of(*CLOSE_GAME, interval=Interval(level=0.6826894921))

    x, one = row(board, "x"), row(narrow, "x")
    assert x["rating_upper"] - x["rating"] == pytest.approx(1.959964 * x["std_error"], rel=1e-6)
    assert x["rating"] - x["rating_lower"] == pytest.approx(x["rating_upper"] - x["rating"])
    assert one["rating_upper"] - one["rating"] == pytest.approx(one["std_error"], rel=1e-6)


def test_an_interval_of_the_difference_from_the_anchor_is_wider():
    """For two models the gap has twice the error of a centred rating; the anchor has none."""
    scale = Scale(anchor=("y", 1000.0))
    centred = board_of(*CLOSE_GAME, scale=scale)
    difference = board_of(*CLOSE_GAME, scale=scale, interval=Interval(of="anchor"))

    assert row(difference, "x")["std_error"] == pytest.approx(2 * row(centred, "x")["std_error"])
    assert row(difference, "y")["std_error"] is None
    assert row(difference, "y")["rating_lower"] is None


def test_errors_come_from_the_covariance_of_centred_log_odds():
    """The board's errors are the square roots of its diagonal, in points."""
    fit = fit_bradley_terry(count_pairs(battles(6, 900, seed=2)))
    board = build_leaderboard(fit)

    expected = np.sqrt(np.diag(estimate_covariance(fit))) * 400 / np.log(10)
    shown = dict(board.frame.select("model", "std_error").rows())
    assert shown == pytest.approx(dict(zip(fit.models, expected, strict=True)))


def test_wins_losses_and_ties_add_up_to_battles():
    """Seen from each model, with both-bad among the ties."""
    frame = battles(6, 900, seed=2)
    shown = build_leaderboard(fit_bradley_terry(count_pairs(frame))).frame

    for model, n, wins, losses, ties in shown.select(
        "model", "battles", "wins", "losses", "ties"
    ).iter_rows():
        left, right = frame.filter(model_a=model), frame.filter(model_b=model)
        assert n == left.height + right.height
        assert wins == left.filter(winner="model_a").height + right.filter(winner="model_b").height
        assert losses == n - wins - ties
        both = pl.concat([left, right])["winner"]
        assert ties == both.is_in(["tie", "both_bad"]).sum()


def test_a_model_left_out_stays_on_the_board_without_a_rating():
    """Nothing is lost: its record and the reason are there, a number is not."""
    board = build_leaderboard(
        fit_bradley_terry(count_pairs(pl.concat([battles(5, 300), log(*won("z", "m001", 4))])))
    )

    z = board.frame.row(-1, named=True)
    assert (z["model"], z["rank"], z["rating"], z["std_error"]) == ("z", None, None, None)
    assert (z["battles"], z["wins"], z["losses"], z["ties"]) == (4, 4, 0, 0)
    assert z["note"] == "never lost (4 battles): left out of the fit"


def test_a_model_whose_votes_have_no_spread_has_no_interval():
    """One tie says where a model may stand, and nothing of how sure that is."""
    board = build_leaderboard(
        fit_bradley_terry(count_pairs(pl.concat([battles(5, 900), log(*tied("new", "m001"))])))
    )

    new = row(board, "new")
    assert new["rating"] == pytest.approx(row(board, "m001")["rating"])
    assert new["rating_lower"] is None
    assert new["std_error"] is None
    assert new["note"] == "its votes show no spread: no interval; 1 battle"


def test_without_intervals_there_are_no_errors_and_no_rank_sets():
    """Columns that are not known are empty, not zero."""
    board = board_of(*CLOSE_GAME, interval=Interval(method="none"))

    unknown = board.frame.select("rating_lower", "std_error", "rank_best", "rank_ub")
    assert unknown.null_count().row(0) == (2, 2, 2, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Scale(points=0), "scale: 0 is not a positive number"),
        (lambda: Scale(base=1), "base: 1 is not a number above 1"),
        (lambda: Scale(init=float("nan")), "finite"),
        (lambda: Interval(method="magic"), "'magic' is not one of"),
        (lambda: Interval(level=95), "95 is not between 0 and 1"),
        (lambda: Interval(of="left"), "'left' is not one of"),
        (lambda: board_of(*CLOSE_GAME, interval=Interval(of="anchor")), "needs an anchor"),
        (lambda: board_of(*CLOSE_GAME, scale=Scale(anchor=("xx", 1.0))), "did you mean x"),
        (
            lambda: board_of(
                *CLOSE_GAME, *tied("x", "y"), *won("z", "x"), scale=Scale(anchor=("z", 1.0))
            ),
            "'z' cannot be rated: never lost",
        ),
    ],
)
def test_an_impossible_option_is_named(make, message):
    """The error quotes the value and offers the way out."""
    with pytest.raises(OptionError, match=message):
        make()
