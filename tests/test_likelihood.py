"""Sums over votes are those over votes written out, away from the maximum too."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

import arena.likelihood
from arena.design import Design
from arena.likelihood import likelihood, meat, separates, votes_of


def design(n=1_300, n_models=5, *, seed=0, weighted=True):
    """Votes at random, with two covariates and perhaps with weights."""
    rng = np.random.default_rng(seed)
    left = rng.integers(0, n_models, n)
    return Design(
        tuple(f"m{i}" for i in range(n_models)),
        left.astype(np.int32),
        ((left + rng.integers(1, n_models, n)) % n_models).astype(np.int32),
        rng.choice([0.0, 0.5, 1.0], n),
        np.asfortranarray(rng.normal(size=(n, 2))),
        ("x0", "x1"),
        weight=rng.gamma(2.0, 1.0, n) if weighted else None,
    )


def points(size, spread):
    """Log-odds and coefficients at random."""
    return spread * np.random.default_rng(1).normal(size=size)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("spread", [0.0, 1.0, 5.0])
def test_the_log_likelihood_is_that_of_the_votes_one_by_one(spread, weighted):
    """The sum of weighted log-probabilities, a tie being half of each."""
    votes = design(weighted=weighted)
    point = points(7, spread)
    strength, coefficients = point[:5], point[5:]
    expected = 0.0
    for i in range(votes.points.size):
        gap = strength[votes.left[i]] - strength[votes.right[i]]
        gap += votes.covariates[i] @ coefficients
        won = 1.0 / (1.0 + np.exp(-gap))
        s = votes.points[i]
        weight = votes.weight[i] if weighted else 1.0
        expected += weight * (s * np.log(won) + (1 - s) * np.log(1 - won))

    found = likelihood(votes_of(votes), point)

    assert found.value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("spread", [0.0, 1.0, 5.0])
def test_derivatives_are_those_of_the_log_likelihood(spread, weighted):
    """The gradient, and each row of the Hessian, by finite differences."""
    votes = votes_of(design(weighted=weighted))
    point = points(7, spread)

    sums = likelihood(votes, point)

    gradient = approx_fprime(point, lambda at: likelihood(votes, at).value, 1e-6)
    hessian = approx_fprime(point, lambda at: -likelihood(votes, at).gradient, 1e-6)
    np.testing.assert_allclose(sums.gradient, gradient, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(sums.hessian, hessian, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("weighted", [True, False])
def test_strips_of_votes_add_up(monkeypatch, weighted):
    """Eight strips, as of many votes, say what one does, as among many models."""
    votes, point = votes_of(design(weighted=weighted)), points(7, 1.0)
    one, one_meat = likelihood(votes, point), meat(votes, point)
    monkeypatch.setattr(arena.likelihood, "CHUNK", 1)

    eight = likelihood(votes, point)

    assert eight.value == pytest.approx(one.value, rel=1e-13)
    assert eight.value != one.value or not np.array_equal(eight.gradient, one.gradient)
    np.testing.assert_allclose(eight.gradient, one.gradient, atol=1e-11)
    np.testing.assert_allclose(eight.hessian, one.hessian, atol=1e-11)
    np.testing.assert_allclose(meat(votes, point), one_meat, atol=1e-11)


def test_a_hopeless_gap_does_not_overflow():
    """Log-odds of a thousand have a likelihood, a gradient and no curvature."""
    sums = likelihood(votes_of(design()), np.array([1e3, -1e3, 2e3, 0.0, 5e3, 0.0, 0.0]))

    assert np.isfinite(sums.value)
    assert np.isfinite(sums.gradient).all()
    np.testing.assert_array_equal(sums.hessian, np.zeros((7, 7)))


def test_a_step_separates_votes_only_if_it_fits_none_worse():
    """A covariate that points to every winner does; with one vote against it, it does not."""
    votes = design()
    telling = np.where(votes.points == 0.5, 0.0, 2 * votes.points - 1)[:, None]
    told = Design(votes.models, votes.left, votes.right, votes.points, telling, ("x",))
    wrong = telling.copy()
    wrong[np.flatnonzero(votes.points == 1.0)[0]] = -1.0
    almost = Design(votes.models, votes.left, votes.right, votes.points, wrong, ("x",))
    step = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 1.0])

    assert separates(votes_of(told), step, 1e-3)
    assert not separates(votes_of(almost), step, 1e-3)
