"""The compiled loops of sparse fits say what the array operations say."""

import numpy as np
import pytest

from arena import pair_kernel
from arena.pair_kernel import half_rule, laplacian
from arena.ties import Half


@pytest.fixture(params=[7, 1 << 20], ids=["many blocks", "one block"])
def pairs(request, monkeypatch):
    """Fifty pairs of nine models, and their votes; a third of the models never met anybody."""
    monkeypatch.setattr(pair_kernel, "BLOCK", request.param)
    rng = np.random.default_rng(5)
    left, right = rng.integers(0, 3, 50), rng.integers(3, 6, 50)
    return left, right, rng.integers(0, 40, (3, 50)).astype(np.float64)


@pytest.mark.parametrize("far", [1.0, 40.0, 800.0])
def test_value_score_and_curvature_are_those_of_the_half_rule(pairs, far):
    """Also where a probability is too small to be told from zero, or its exponential overflows."""
    left, right, votes = pairs
    strength = far * np.random.default_rng(6).standard_normal(9)

    value, score, curvature = half_rule(left, right, votes, strength)

    gap = strength[left] - strength[right]
    rule = Half()
    pull, _ = rule.score(votes, gap, 0.0)
    expected = np.bincount(left, pull, 9) - np.bincount(right, pull, 9)
    log_p = -np.logaddexp(0.0, -gap), -np.logaddexp(0.0, gap)
    exact = (votes[0] + votes[2] / 2) @ log_p[0] + (votes[1] + votes[2] / 2) @ log_p[1]
    assert value == pytest.approx(exact, rel=1e-12)
    np.testing.assert_allclose(score, expected, rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(curvature, rule.curvature(votes, gap, 0.0).in_gap, atol=1e-12)


def test_the_laplacian_is_that_of_a_matrix(pairs):
    """Sum of weights times the outer product of (left minus right), times the vector."""
    left, right, votes = pairs
    weight, point = votes[0], np.random.default_rng(7).standard_normal(9)

    found = laplacian(left, right, weight, point)

    matrix = np.zeros((9, 9))
    for i, j, w in zip(left, right, weight, strict=True):
        apart = np.zeros(9)
        apart[i], apart[j] = 1.0, -1.0
        matrix += w * np.outer(apart, apart)
    np.testing.assert_allclose(found, matrix @ point, atol=1e-10)


def test_no_pairs_pull_at_nobody():
    """Nothing is a sum too."""
    nothing = np.zeros(0, np.int64)

    assert laplacian(nothing, nothing, np.zeros(0), np.ones(3)).tolist() == [0.0, 0.0, 0.0]
    assert half_rule(nothing, nothing, np.zeros((3, 0)), np.ones(3))[0] == 0.0
