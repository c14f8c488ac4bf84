"""The gain that would explain a lead, held against closed forms and the way there."""

import numpy as np
import pytest
from suppositions import POINTS, board, injected_board, rating, win_probability
from worlds import counted, tied, won

from arena.bradley_terry import fit_bradley_terry
from arena.counts import PairCounts
from arena.errors import OptionError
from arena.gains import Mixture
from arena.lead import COLUMNS, break_even
from arena.leaderboard import build_leaderboard
from arena.uncertainty import Interval

N_BOARDS = 100
"""Simulations of what intervals hold: a twentieth of a second each."""
WHO, RIVAL = "m003", "m001"


def log_odds(p):
    """The gap that wins with probability p."""
    return np.log(p / (1 - p))


def duel(wins, losses, ties=0, **options):
    """A board of two models."""
    rows = [*won("x", "y", wins), *won("y", "x", losses), *tied("x", "y", ties)]
    return build_leaderboard(fit_bradley_terry(counted(*rows)), **options)


@pytest.mark.parametrize("ties", ["half", "drop"])
@pytest.mark.parametrize(("share", "uplift"), [(0.05, 150.0), (0.3, 50.0), (0.7, -60.0), (1, 20.0)])
def test_the_way_back_from_an_injection(ties, share, uplift):
    """A gain put into a clean board is what break-even then finds at that share."""
    clean = board(ties=ties)
    before = rating(clean, WHO) - rating(clean, RIVAL)
    observed = injected_board(clean, WHO, share, uplift)

    told = break_even(observed, WHO, RIVAL, [share], lead=before)

    assert told.frame["uplift"].item() == pytest.approx(uplift, abs=1e-3)


@pytest.mark.parametrize(("share", "gain"), [(0.05, 1.0), (0.4, -0.6), (1.0, 0.6), (0.3, 0.0)])
def test_clean_strengths(share, gain):
    """The strengths behind an injected board are those it was made from."""
    clean = board()
    observed = injected_board(clean, WHO, share, POINTS * gain)

    found = Mixture(observed.fit, clean.fit.models.index(WHO)).clean(share, gain)

    assert np.allclose(found.log_odds, clean.fit.log_odds, atol=1e-7)


def test_two_models_closed_form():
    """Level models that score p on a share f seen: the gain is the log-odds of what is left."""
    told = break_even(duel(50, 35, 15), "x", "y", [0.25, 0.5, 1.0])

    share = told.frame["share"].to_numpy()
    expected = POINTS * log_odds((0.575 - (1 - share) / 2) / share)
    assert np.allclose(told.frame["uplift"], expected, atol=1e-4)


def test_no_gain_is_enough():
    """Where even winning every seen battle leaves a lead, there is no such gain."""
    told = break_even(duel(80, 20), "x", "y", [0.1, 0.59, 0.61])

    clean = POINTS * log_odds((0.8 - 0.1) / 0.9)
    assert told.frame["uplift"].to_list()[:2] == [np.inf, np.inf]
    assert told.frame["uplift"].is_finite().to_list() == [False, False, True]
    assert told.frame["lead_if_all_won"][0] == pytest.approx(clean, abs=0.01)


def test_all_prompts_seen():
    """At a share of one the gain is the lead, and its interval the lead's."""
    observed = board()
    covariance, models = observed.uncertainty.covariance, observed.fit.models
    i, j = models.index(WHO), models.index(RIVAL)
    error = POINTS * np.sqrt(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j])
    lead = rating(observed, WHO) - rating(observed, RIVAL)

    told = break_even(observed, WHO, RIVAL, [1.0])

    ends = told.frame.select("uplift", "uplift_lower", "uplift_upper").row(0)
    half = 1.959964 * error
    assert ends == pytest.approx((lead, lead - half, lead + half), abs=1e-3)
    assert told.observed == pytest.approx((lead, error), abs=1e-6)


def test_two_models_interval():
    """With two models the interval's ends are those of the win rate, put through the formula."""
    told = break_even(duel(60, 40), "x", "y", [0.5])

    ends = told.frame.select("uplift_lower", "uplift_upper").row(0)
    for end, side in zip(ends, (-1, 1), strict=True):
        gain = end / POINTS
        clean = Mixture(told.board.fit, 0).clean(0.5, gain).log_odds
        gap = clean[0] - clean[1]
        slope = 0.5 * sum(p * (1 - p) for p in win_probability(np.array([gap, gap + gain])))
        error = np.sqrt(0.6 * 0.4 / 100) / slope
        assert gap == pytest.approx(-side * 1.959964 * error, abs=1e-4)


def test_interval_holds_the_gain():
    """Of boards drawn with a gain, as many intervals hold it as they say."""
    strength, share, gain = np.array([0.3, 0.3, 0.0]), 0.4, 0.5
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    gap = strength[pairs[:, 0]] - strength[pairs[:, 1]]
    p = win_probability(gap)
    p[:2] += share * (win_probability(gap[:2] + gain) - p[:2])
    rng = np.random.default_rng(5)

    held = 0
    for _ in range(N_BOARDS):
        wins = rng.binomial(800, p)
        outcomes = np.column_stack([wins, 800 - wins, np.zeros((3, 2))]).astype(float)
        fit = fit_bradley_terry(PairCounts(("x", "y", "z"), pairs, outcomes))
        told = break_even(build_leaderboard(fit), "x", "y", [share]).frame
        held += told["uplift_lower"].item() <= POINTS * gain <= told["uplift_upper"].item()

    assert held / N_BOARDS > 0.87


def test_behind():
    """A model that stands below its rival would have had to lose on what it had seen."""
    told = break_even(duel(40, 60), "x", "y", [0.5, 1.0])
    other = break_even(duel(60, 40), "y", "x", [1.0])

    assert told.frame["uplift"][1] == pytest.approx(POINTS * log_odds(0.4), abs=1e-4)
    assert other.frame["uplift"][0] == pytest.approx(told.frame["uplift"][1], abs=1e-4)
    assert (told.frame["lead_if_all_won"] > 0).all()


def test_without_intervals():
    """A board without intervals has none to give."""
    told = break_even(duel(60, 40, interval=Interval("none")), "x", "y", [0.5])

    assert dict(told.frame.schema) == dict(COLUMNS)
    assert told.frame.select("uplift_lower", "uplift_upper").row(0) == (None, None)
    assert told.observed[1] is None


def test_prior():
    """Battles of a prior are on no prompt: a share of one is a little less than the whole."""
    observed = board(on_separation="prior")

    told = break_even(observed, WHO, RIVAL, [1.0], indirect=True)

    lead = rating(observed, WHO) - rating(observed, RIVAL)
    assert told.frame["uplift"].item() == pytest.approx(lead, rel=0.02)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "nobody"}, "model: no model 'nobody'"),
        ({"rival": "nobody"}, "rival: no model 'nobody'"),
        ({"rival": WHO}, f"rival: '{WHO}' is the model itself"),
        ({"shares": [0.0]}, "share: 0 leaves nothing to gain on"),
        ({"shares": [1.01]}, "share: 1.01 is not a number between 0 and 1"),
        ({"lead": float("nan")}, "lead: nan is not a number of points"),
    ],
)
def test_wrong_requests_are_named(asked, said):
    """What cannot be is refused, with its name."""
    given = {"model": WHO, "rival": RIVAL, "shares": [0.5]} | asked

    with pytest.raises(OptionError, match=said):
        break_even(board(), given.pop("model"), given.pop("rival"), given.pop("shares"), **given)


def test_models_that_never_met():
    """A rival that a model never met is named, and allowed where that is wanted."""
    rows = [*won("x", "y", 5), *won("y", "x", 4), *won("y", "z", 6), *won("z", "y", 5)]
    observed = build_leaderboard(fit_bradley_terry(counted(*rows)))

    with pytest.raises(OptionError, match="'x' and 'z' never met"):
        break_even(observed, "x", "z", [0.5])

    assert break_even(observed, "x", "z", [0.5], indirect=True).frame.height == 1


def test_tie_parameter():
    """Where an outcome is no number of points, that is said."""
    with pytest.raises(
        OptionError, match="'davidson' has a tie parameter; this needs half or drop"
    ):
        break_even(board(ties="davidson"), WHO, RIVAL, [0.5])
