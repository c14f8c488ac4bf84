"""What the ratings say about the order, and what they leave open."""

import numpy as np
import pytest

from arena.ranks import point_ranks, rank_sets, upper_bound_ranks


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

    sets = rank_sets(np.array([0.0, 1.0]), covariance)

    assert sets.critical == pytest.approx(1.96, abs=0.12)


@pytest.mark.parametrize(("gap", "best", "worst"), [(1.0, [1, 1], [2, 2]), (9.0, [2, 1], [2, 1])])
def test_a_gap_is_a_rank_only_when_it_is_sure(gap, best, worst):
    """One standard error leaves both orders open, nine do not."""
    covariance = np.array([[1.0, -1.0], [-1.0, 1.0]]) / 4

    sets = rank_sets(np.array([0.0, gap]), covariance)

    assert sets.best.tolist() == best
    assert sets.worst.tolist() == worst


def test_a_difference_without_spread_is_not_sure():
    """Where the estimated variance of a gap vanishes, nothing is known of its order."""
    sets = rank_sets(np.array([0.0, 1.0]), np.zeros((2, 2)))

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
        sets = rank_sets(draw, covariance)
        covered += np.all((sets.best <= np.arange(1, 9)) & (sets.worst >= np.arange(1, 9)))

    # A true coverage of 95 % falls below 92 % of 400 with a chance under 1 %.
    assert covered >= 0.92 * 400


def test_the_seed_decides_the_simulation():
    """Same seed, same critical value; another seed, another one, and close to it."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(6, 6))
    log_odds, covariance = rng.normal(size=6), root @ root.T

    one, again, other = (rank_sets(log_odds, covariance, seed=seed).critical for seed in (1, 1, 2))

    assert one == again
    assert one != other
    assert one == pytest.approx(other, rel=0.1)
