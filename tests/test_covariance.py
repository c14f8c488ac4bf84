"""The covariance of the strengths, held to its definition."""

from dataclasses import fields

import numpy as np
import pytest
from worlds import battles, counted, tied, won

from arena.bradley_terry import fit_bradley_terry
from arena.covariance import estimate_covariance, meat_of
from arena.errors import OptionError
from arena.tally import count_pairs
from arena.ties import TIE_RULES

OUTCOME = {"model_a": 0, "model_b": 1, "tie": 2, "both_bad": 2}


def scores_by_vote(frame, fit):
    """One row per vote: its score in the log-odds and the tie parameter, written out."""
    index = {name: i for i, name in enumerate(fit.models)}
    size = fit.hessian.shape[0]
    rows = []
    for left, right, winner in frame.iter_rows():
        score = np.zeros(size)
        if fit.rule.counts_ties or OUTCOME[winner] < 2:
            gap = np.array([fit.log_odds[index[left]] - fit.log_odds[index[right]]])
            first = fit.rule.first(gap, fit.tie_parameter or 0.0)
            score[index[left]] = first.d[OUTCOME[winner], 0]
            score[index[right]] = -first.d[OUTCOME[winner], 0]
            if fit.rule.parameter:
                score[-1] = first.t[OUTCOME[winner], 0]
        rows.append(score)
    return np.array(rows)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_meat_is_the_sum_over_votes_of_score_outer_products(ties):
    """Counting first changes nothing, to 1e-10."""
    frame = battles(7, 900, seed=8)
    fit = fit_bradley_terry(count_pairs(frame), ties=ties)

    scores = scores_by_vote(frame, fit)

    np.testing.assert_allclose(meat_of(fit), scores.T @ scores, atol=1e-10)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_sandwich_is_the_sum_over_votes_of_influences(ties):
    """Each vote moves the strengths by bread times score; the sandwich adds up their squares."""
    frame = battles(7, 900, seed=8)
    fit = fit_bradley_terry(count_pairs(frame), ties=ties)
    centre = np.eye(fit.hessian.shape[0])
    centre[:7, :7] -= 1 / 7
    influence = scores_by_vote(frame, fit) @ (centre @ np.linalg.pinv(fit.hessian)).T

    covariance = estimate_covariance(fit)

    np.testing.assert_allclose(covariance, influence.T @ influence, atol=1e-10)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_hessian_is_the_derivative_of_the_scores(ties):
    """Row by row, against finite differences of the summed scores."""
    frame = battles(4, 200, seed=6)
    fit = fit_bradley_terry(count_pairs(frame), ties=ties)
    size = fit.hessian.shape[0]

    def summed(shift):
        tie = None if fit.tie_parameter is None else fit.tie_parameter + shift[-1]
        moved = type(fit)(
            **{one.name: getattr(fit, one.name) for one in fields(fit)}
            | {"log_odds": fit.log_odds + shift[:4], "tie_parameter": tie}
        )
        return scores_by_vote(frame, moved).sum(axis=0)

    step = 1e-5 * np.eye(size)
    numeric = np.array([(summed(h) - summed(-h)) / 2e-5 for h in step])

    np.testing.assert_allclose(fit.hessian, -numeric, atol=1e-5)


def test_two_models_have_the_textbook_variance():
    """Fisher: Var(d) = 1 / (n p q), and each centred strength has a quarter of it."""
    fit = fit_bradley_terry(counted(*won("x", "y", 30), *won("y", "x", 10)))

    covariance = estimate_covariance(fit, "fisher")

    variance = 1 / (40 * 0.75 * 0.25)
    np.testing.assert_allclose(covariance, variance / 4 * np.array([[1, -1], [-1, 1]]), rtol=1e-9)


def test_without_ties_two_models_have_one_covariance():
    """With nothing but the two shares to fit, the sandwich is the Fisher covariance."""
    fit = fit_bradley_terry(counted(*won("x", "y", 30), *won("y", "x", 10)))

    np.testing.assert_allclose(
        estimate_covariance(fit), estimate_covariance(fit, "fisher"), rtol=1e-9
    )


def test_ties_make_the_sandwich_narrower_than_fisher():
    """A tie is half a win with no spread: the variance of 3, 1 and 4 votes by hand."""
    fit = fit_bradley_terry(counted(*won("x", "y", 3), *won("y", "x"), *tied("x", "y", 4)))

    covariance = estimate_covariance(fit)

    p, n = 5 / 8, 8
    squares = 3 * (1 - p) ** 2 + 1 * p**2 + 4 * (0.5 - p) ** 2
    variance = squares / (n * p * (1 - p)) ** 2
    assert covariance[0, 0] == pytest.approx(variance / 4, rel=1e-9)
    assert covariance[0, 0] < estimate_covariance(fit, "fisher")[0, 0]


def test_strengths_are_centred_so_their_covariance_sums_to_zero():
    """The mean is held at zero, and does not vary."""
    covariance = estimate_covariance(fit_bradley_terry(count_pairs(battles(9, 800, seed=3))))

    np.testing.assert_allclose(covariance.sum(axis=0), 0.0, atol=1e-12)


def test_a_prior_is_in_the_bread_and_not_in_the_meat():
    """A strong prior narrows the interval; its half-wins are no votes."""
    counts = count_pairs(battles(5, 300, seed=1))
    weak, strong = (
        estimate_covariance(fit_bradley_terry(counts, on_separation="prior", prior=prior))
        for prior in (1e-6, 100.0)
    )

    np.testing.assert_allclose(weak, estimate_covariance(fit_bradley_terry(counts)), rtol=1e-5)
    assert (np.diag(strong) < np.diag(weak)).all()


def test_an_unknown_kind_is_refused():
    """The error lists the kinds."""
    with pytest.raises(OptionError, match="'robust' is not one of"):
        estimate_covariance(fit_bradley_terry(counted(*tied("a", "b"))), "robust")
