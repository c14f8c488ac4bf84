"""What the ratings say about the order, and what they leave open."""

import numpy as np
import pytest

from arena import ranks
from arena.ranks import (
    largest_differences,
    normal_deviations,
    point_ranks,
    probability_above,
    probability_best,
    rank_sets,
    upper_bound_ranks,
)


def sets_of(log_odds, covariance, seed=0):
    """Rank sets under normal draws."""
    return rank_sets(log_odds, covariance, normal_deviations(covariance, seed))


def test_equal_strengths_share_the_better_rank():
    """Rounding of the last digits does not order two equal models."""
    ranks = point_ranks(np.array([0.3, 0.5, 0.3 + 1e-13, -1.0]))

    assert ranks.tolist() == [2, 1, 2, 4]


def test_upper_bound_ranks_count_the_intervals_that_lie_wholly_above():
    """LMArena's rule, written out: 1 + models whose lower bound exceeds this upper bound."""
    rng = np.random.default_rng(0)
    middle, half = rng.normal(size=30), rng.uniform(0.0, 1.0, 30)
    lower, upper = middle - half, middle + half

    ranks = upper_bound_ranks(lower, upper)

    assert ranks.tolist() == [1 + sum(other > bound for other in lower) for bound in upper]


def test_two_models_use_the_normal_quantile():
    """With one difference, the simultaneous critical value is the ordinary one."""
    covariance = np.array([[1.0, -1.0], [-1.0, 1.0]]) / 4

    sets = sets_of(np.array([0.0, 1.0]), covariance)

    assert sets.critical == pytest.approx(1.96, abs=0.12)


@pytest.mark.parametrize(("gap", "best", "worst"), [(1.0, [1, 1], [2, 2]), (9.0, [2, 1], [2, 1])])
def test_a_gap_is_a_rank_only_when_it_is_sure(gap, best, worst):
    """One standard error leaves both orders open, nine do not."""
    covariance = np.array([[1.0, -1.0], [-1.0, 1.0]]) / 4

    sets = sets_of(np.array([0.0, gap]), covariance)

    assert sets.best.tolist() == best
    assert sets.worst.tolist() == worst


def test_a_difference_without_spread_is_not_sure():
    """Where the estimated variance of a gap vanishes, nothing is known of its order."""
    sets = sets_of(np.array([0.0, 1.0]), np.zeros((2, 2)))

    assert sets.best.tolist() == [1, 1]
    assert sets.worst.tolist() == [2, 2]


def test_rank_sets_hold_all_true_ranks_at_once():
    """Over 400 draws of the estimates, at least 95 % of sets contain every true rank."""
    rng = np.random.default_rng(3)
    truth = np.linspace(1.0, -1.0, 8)
    root = rng.normal(size=(8, 8)) * 0.15
    covariance = root @ root.T
    draws = truth + rng.standard_normal((400, 8)) @ root.T

    covered = 0
    for draw in draws:
        sets = sets_of(draw, covariance)
        covered += np.all((sets.best <= np.arange(1, 9)) & (sets.worst >= np.arange(1, 9)))

    # A true coverage of 95 % falls below 92 % of 400 with a chance under 1 %.
    assert covered >= 0.92 * 400


def test_the_seed_decides_the_simulation():
    """Same seed, same critical value; another seed, another one, and close to it."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    log_odds, covariance = rng.normal(size=6), root @ root.T

    one, again, other = (sets_of(log_odds, covariance, seed=seed).critical for seed in (1, 1, 2))

    assert one == again
    assert one != other
    assert one == pytest.approx(other, rel=0.1)


def test_resamples_without_bounds_leave_the_order_open():
    """Where more than one draw in twenty is infinite, no difference is sure."""
    covariance = np.array([[1.0, -1.0], [-1.0, 1.0]]) / 4
    deviations = normal_deviations(covariance)
    deviations[:200, 0] = np.inf

    sets = rank_sets(np.array([0.0, 9.0]), covariance, deviations)

    assert sets.critical == np.inf
    assert sets.best.tolist() == [1, 1]


def test_the_probability_of_being_best_is_shared_where_draws_tie():
    """Two of four draws are the first model's, one the second's, one is shared."""
    draws = np.array([[2.0, 1.0], [3.0, 1.0], [0.0, 1.0], [1.0, 1.0]])

    assert probability_best(draws).tolist() == [0.625, 0.375]


def test_an_infinite_draw_is_above_all_finite_ones():
    """A model without an upper bound is the best of that draw."""
    draws = np.array([[np.inf, 5.0], [0.0, 1.0]])

    assert probability_best(draws).tolist() == [0.5, 0.5]
    assert probability_above(draws).tolist() == [[0.5, 0.5], [0.5, 0.5]]


def test_the_probability_of_being_above_follows_the_gap():
    """For one normal gap it is the normal distribution function of gap over error."""
    covariance = np.array([[1.0, -1.0], [-1.0, 1.0]]) / 4
    draws = np.array([0.5, -0.5]) + normal_deviations(covariance, draws=20_000)

    assert probability_above(draws)[0, 1] == pytest.approx(0.8413, abs=0.01)


# ── the largest difference ──────────────────────────────────────────────────────────────────


def spread_out(rng, kind, n, m):
    """Draws whose models are alike, or differ in spread, or move in two groups, or all together."""
    draws = rng.standard_normal((n, m))
    if kind == "uneven":
        draws *= rng.lognormal(0.0, 2.0, m)
    elif kind == "two groups":
        draws[:, : m // 2] += 50.0 * rng.standard_normal((n, 1))
    elif kind == "together":
        draws += 5.0 * rng.standard_normal((n, 1))
    return draws


@pytest.mark.parametrize("kind", ["alike", "uneven", "two groups", "together"])
@pytest.mark.parametrize("patience", [1, 16, 1_000])
def test_bounds_find_the_largest_difference(monkeypatch, kind, patience):
    """Whatever the draws look like, what is skipped is never the largest."""
    monkeypatch.setattr(ranks, "PATIENCE", patience)
    rng = np.random.default_rng(3)
    draws = spread_out(rng, kind, 300, 40)
    scale = np.triu(rng.uniform(0.0, 1.0, (40, 40)), 1)
    scale += scale.T

    found = largest_differences(draws, scale, draws.var(axis=0))

    gaps = np.abs(draws[:, :, None] - draws[:, None, :]) * scale
    np.testing.assert_allclose(found, gaps.max(axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize("variance", [np.zeros(20), np.full(20, 1e9), np.arange(20.0)])
def test_a_wrong_variance_costs_time_only(variance):
    """The bound holds for any positive numbers."""
    draws = np.random.default_rng(4).standard_normal((100, 20))
    scale = np.ones((20, 20))

    found = largest_differences(draws, scale, variance)

    np.testing.assert_allclose(found, np.ptp(draws, axis=1), rtol=1e-5)


def test_a_draw_without_a_bound_has_no_largest_difference():
    """Not a number, or infinite: both may be anything."""
    draws = np.array([[0.0, 1.0], [np.nan, 0.0], [np.inf, 0.0]])

    found = largest_differences(draws, np.ones((2, 2)), np.ones(2))

    assert found.tolist() == [1.0, np.inf, np.inf]
