"""The likelihood's derivatives are those of its value, dense or sparse, with a prior or without."""

import numpy as np
import pytest
from scipy.sparse import issparse
from worlds import battles

import arena.problem
from arena.problem import problem
from arena.tally import count_pairs
from arena.ties import TIE_RULES, tie_rule

COUNTS = count_pairs(battles(6, 800, seed=7))
# Central differences err by about step² times the third derivative, which is below the votes.
STEP = 1e-5


def task_and_point(ties, prior, scale, seed=0):
    """A likelihood, and a point away from its maximum."""
    task = problem(COUNTS, tie_rule(ties), prior)
    point = np.random.default_rng(seed).normal(0.0, scale, task.n_parameters)
    if task.rule.parameter is not None:
        point[-1] = 0.3 + 0.1 * scale
    return task, point


@pytest.mark.parametrize("scale", [0.01, 1.0, 4.0])
@pytest.mark.parametrize("prior", [0.0, 2.5])
@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_gradient_is_the_slope_of_the_log_likelihood(ties, prior, scale):
    """Near zero, in the middle, and far out, where most battles are foregone."""
    task, point = task_and_point(ties, prior, scale)

    slope = [
        (task.log_likelihood(point + h) - task.log_likelihood(point - h)) / (2 * STEP)
        for h in STEP * np.eye(point.size)
    ]

    np.testing.assert_allclose(task.gradient(point), slope, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("scale", [0.01, 1.0, 4.0])
@pytest.mark.parametrize("prior", [0.0, 2.5])
@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_hessian_is_the_slope_of_the_gradient(ties, prior, scale):
    """Row by row, of the negative log-likelihood."""
    task, point = task_and_point(ties, prior, scale)

    rows = [
        (task.gradient(point - h) - task.gradient(point + h)) / (2 * STEP)
        for h in STEP * np.eye(point.size)
    ]

    np.testing.assert_allclose(task.hessian(point), rows, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize("prior", [0.0, 2.5])
@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_sparse_hessian_is_the_dense_one(monkeypatch, ties, prior):
    """The switch by size changes how numbers are kept, not which they are."""
    task, point = task_and_point(ties, prior, 1.0)
    dense = task.hessian(point)
    monkeypatch.setattr(arena.problem, "SPARSE_FROM", 1)

    sparse = task.hessian(point)

    assert issparse(sparse)
    np.testing.assert_allclose(sparse.toarray(), dense, rtol=0, atol=1e-12)


def test_without_a_prior_the_likelihood_knows_differences_only():
    """A constant added to all log-odds changes nothing, and the Hessian has it in its null space."""
    task, point = task_and_point("half", 0.0, 1.0)

    assert task.log_likelihood(point + 3.0) == pytest.approx(task.log_likelihood(point), rel=1e-12)
    np.testing.assert_allclose(task.hessian(point) @ np.ones(6), 0.0, atol=1e-10)


def test_a_prior_knows_where_average_is():
    """Moving all models away from the average opponent costs likelihood."""
    task, _ = task_and_point("half", 2.0, 1.0)

    assert task.log_likelihood(np.full(6, 3.0)) < task.log_likelihood(np.zeros(6))


def test_restricting_keeps_the_battles_among_the_kept():
    """The likelihood of some models is that of their battles alone."""
    kept = np.array([0, 2, 5])
    task, _ = task_and_point("half", 0.0, 1.0)

    some = task.restricted(kept)

    expected = problem(COUNTS.restrict(kept), tie_rule("half"))
    np.testing.assert_array_equal(some.outcomes, expected.outcomes)
    np.testing.assert_array_equal(some.left, expected.left)
    np.testing.assert_array_equal(some.right, expected.right)


@pytest.mark.parametrize("prior", [0.0, 2.5])
@pytest.mark.parametrize("ties", TIE_RULES)
def test_what_the_matrix_makes_of_a_vector_needs_no_matrix(ties, prior):
    """Going through the pairs gives the product with the Hessian, border and prior included."""
    task, point = task_and_point(ties, prior, 1.0)
    vector = np.random.default_rng(1).normal(size=task.n_parameters)
    curvature = task.curvature(point)

    product = task._operator(curvature) @ vector

    np.testing.assert_allclose(product, task.matrix(curvature) @ vector, atol=1e-10)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("prior", [0.0, 2.0])
@pytest.mark.parametrize("ties", TIE_RULES)
def test_around_a_point_is_what_its_parts_say(monkeypatch, ties, prior, sparse):
    """Value, gradient and curvature in one go, with as without the compiled loop."""
    task = problem(count_pairs(battles(6, 200, seed=1)), TIE_RULES[ties], prior)
    point = np.linspace(0.2, 0.7, task.n_parameters)
    value, gradient = task.log_likelihood(point), task.gradient(point)
    curvature = task.curvature(point).in_gap
    if sparse:
        monkeypatch.setattr(arena.problem, "SPARSE_FROM", 3)

    found = task.around(point)

    assert found.value == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(found.gradient, gradient, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(found.curvature.in_gap, curvature, rtol=1e-12)
