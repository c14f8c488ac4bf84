"""Votes needed to notice a gain: the formula, held against closed forms and simulation."""

from statistics import NormalDist

import numpy as np
import pytest
from suppositions import POINTS, board, win_probability
from worlds import counted, tied, won

from arena.bradley_terry import fit_bradley_terry
from arena.counts import PairCounts
from arena.covariance import estimate_covariance
from arena.detection import detection_power, expected_counts_with
from arena.errors import OptionError
from arena.leaderboard import build_leaderboard
from arena.problem import problem

WHO = "m003"


def one(told):
    """The only row."""
    return told.frame.row(0, named=True)


def test_two_models_closed_form():
    """Seen and unseen battles of one pair are two win rates; their errors add up."""
    rows = [*won("x", "y", 50), *won("y", "x", 30), *tied("x", "y", 20)]
    told = detection_power(build_leaderboard(fit_bradley_terry(counted(*rows))), "x", [0.3], [80.0])

    variance = 0.0
    for share, gap in ((0.7, np.log(0.6 / 0.4)), (0.3, np.log(0.6 / 0.4) + 80 / POINTS)):
        p = win_probability(gap)
        variance += (p * (1 - p) - 0.2 / 4) / (100 * share * (p * (1 - p)) ** 2)
    assert one(told)["std_error"] == pytest.approx(POINTS * np.sqrt(variance), rel=1e-6)


def test_power_at_the_votes_needed_is_the_power_asked_for():
    """With the votes that it asks for, the formula gives back the power."""
    arena = board()
    told = one(detection_power(arena, WHO, [0.2], [60.0], target=0.9))
    more = told["votes_needed_in_all"] / arena.fit.counts.n_battles
    counts = arena.fit.counts
    scaled = PairCounts(counts.models, counts.pairs, counts.outcomes * more)

    again = one(
        detection_power(
            build_leaderboard(fit_bradley_terry(scaled)), WHO, [0.2], [60.0], target=0.9
        )
    )

    assert again["power"] == pytest.approx(0.9, abs=1e-6)
    assert again["votes_needed"] == pytest.approx(told["votes_needed"], rel=1e-6)


@pytest.mark.parametrize(("share", "uplift"), [(0.3, 60.0), (0.1, 120.0)])
def test_simulation(share, uplift):
    """Of arenas drawn with the votes needed, 80 ± 3 % find the gain by the test described."""
    arena = board(n_models=4, n_battles=2_000)
    who = arena.fit.models.index("m002")
    told = one(detection_power(arena, "m002", [share], [uplift]))
    more = told["votes_needed_in_all"] / arena.fit.counts.n_battles
    expected = expected_counts_with(arena.fit, who, share, uplift / POINTS)
    p = expected.outcomes / expected.outcomes.sum()
    n_votes = round(expected.n_battles * more)
    rng = np.random.default_rng(3)

    found, trials = 0, 1_500
    for _ in range(trials):
        drawn = rng.multinomial(n_votes, p.ravel()).reshape(p.shape).astype(float)
        fit = fit_bradley_terry(PairCounts(expected.models, expected.pairs, drawn))
        apart = np.zeros(5)
        apart[[-1, who]] = 1.0, -1.0
        error = np.sqrt(apart @ estimate_covariance(fit) @ apart)
        found += abs(apart @ fit.log_odds) > 1.959964 * error

    assert found / trials == pytest.approx(0.8, abs=0.03)


def test_expected_counts():
    """The counts expected have the votes of the board, and its strengths and ties in them."""
    arena = board()
    who = arena.fit.models.index(WHO)

    counts = expected_counts_with(arena.fit, who, 0.25, 0.4)

    fit = fit_bradley_terry(counts)
    seen = fit.log_odds[-1] - fit.log_odds[who]
    own = (counts.pairs == 6).any(axis=1)
    both = own | (counts.pairs == who).any(axis=1)
    assert counts.n_battles == pytest.approx(arena.fit.counts.n_battles)
    assert seen == pytest.approx(0.4, abs=1e-6)
    assert np.allclose(np.diff(fit.log_odds[:6]), np.diff(arena.fit.log_odds), atol=1e-6)
    assert counts.votes[own].sum() == pytest.approx(0.25 * counts.votes[both].sum())
    tied = problem(arena.fit.counts, arena.fit.rule).outcomes[2].sum()
    assert counts.outcomes[:, 2].sum() == pytest.approx(tied, rel=1e-6)


def test_detectable_is_what_the_votes_find():
    """The uplift said to be detectable is found with the power asked for."""
    arena = board()
    detectable = one(detection_power(arena, WHO, [0.2], [10.0]))["detectable"]

    told = one(detection_power(arena, WHO, [0.2], [detectable]))

    assert told["power"] == pytest.approx(0.8, abs=1e-4)


def test_no_uplift():
    """Nothing is never found but by chance, at the test's error of the first kind."""
    told = one(detection_power(board(), WHO, [0.2], [0.0], level=0.9))

    assert told["power"] == pytest.approx(0.1, abs=1e-9)
    assert told["votes_needed"] == told["votes_needed_in_all"] == np.inf


def test_losses_are_found_as_gains_are():
    """The test has two sides."""
    told = detection_power(board(), WHO, [0.2], [-40.0, 40.0]).frame

    assert told["power"][0] == pytest.approx(told["power"][1], abs=0.03)


def test_design_effect():
    """Dependence multiplies the variance, and so the votes."""
    plain, dependent = (
        one(detection_power(board(), WHO, [0.2], [40.0], design_effect=effect))
        for effect in (1.0, 2.25)
    )

    assert dependent["std_error"] == pytest.approx(1.5 * plain["std_error"])
    assert dependent["votes_needed"] == pytest.approx(2.25 * plain["votes_needed"])


def test_normal_quantiles():
    """Votes go with the square of the two quantiles' sum."""
    votes = [
        one(detection_power(board(), WHO, [0.2], [40.0], target=target, level=level))
        for target, level in ((0.8, 0.95), (0.5, 0.95), (0.8, 0.99))
    ]

    z = NormalDist().inv_cdf
    ratio = ((z(0.975) + z(0.8)) / z(0.975)) ** 2
    wider = ((z(0.995) + z(0.8)) / (z(0.975) + z(0.8))) ** 2
    needed = [row["votes_needed"] for row in votes]
    assert needed[0] / needed[1] == pytest.approx(ratio)
    assert needed[2] / needed[0] == pytest.approx(wider)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"model": "nobody"}, "model: no model 'nobody'"),
        ({"shares": [1.0]}, "share: with 1 there is nothing to hold seen prompts against"),
        ({"shares": [0.0]}, "share: with 0 there is nothing"),
        ({"shares": [7.0]}, "share: 7 is not a number between 0 and 1"),
        ({"target": 1.0}, "power: 1 is not between 0 and 1"),
        ({"target": 0.04}, "power: 0.04 is had by chance at level 0.95"),
        ({"level": 0.0}, "level: 0 is not between 0 and 1"),
        ({"design_effect": 0.0}, "design effect: 0 is not a positive number"),
    ],
)
def test_wrong_requests_are_named(asked, said):
    """What cannot be is refused, with its name."""
    given = {"model": WHO, "shares": [0.2], "uplifts": [40.0]} | asked
    model, shares, uplifts = (given.pop(name) for name in ("model", "shares", "uplifts"))

    with pytest.raises(OptionError, match=said):
        detection_power(board(), model, shares, uplifts, **given)
