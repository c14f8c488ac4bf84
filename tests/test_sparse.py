"""With many models matrices are sparse, and what is found is the same."""

import numpy as np
import polars as pl
import pytest
from scipy.sparse import issparse
from worlds import battles

import arena.problem
from arena import Interval
from arena.bradley_terry import fit_bradley_terry
from arena.covariance import estimate_covariance
from arena.errors import ConvergenceError, OptionError
from arena.pipeline import rate
from arena.tally import count_pairs
from arena.ties import TIE_RULES
from arena.uncertainty import estimate_uncertainty

FITS = [
    *(pytest.param({"ties": ties}, id=ties) for ties in TIE_RULES),
    *(
        pytest.param({"ties": ties, "on_separation": "prior", "prior": 2.0}, id=f"{ties}, prior")
        for ties in TIE_RULES
    ),
]


@pytest.fixture(scope="module")
def frame():
    """A world small enough to be fitted either way."""
    return battles(40, 4_000, seed=3)


@pytest.fixture(scope="module")
def counts(frame):
    """Its pair counts."""
    return count_pairs(frame)


@pytest.fixture
def few_are_many(monkeypatch):
    """From three models on, matrices are sparse; call it when the dense fit is done."""
    return lambda: monkeypatch.setattr(arena.problem, "SPARSE_FROM", 3)


@pytest.fixture
def no_gradients(monkeypatch):
    """Conjugate gradients always give up."""
    monkeypatch.setattr(arena.problem, "cg", lambda matrix, right, **_: (0.0 * right, 1))


@pytest.mark.parametrize("options", FITS)
def test_sparse_and_dense_find_the_same_strengths(counts, few_are_many, options):
    """Conjugate gradients end where the Cholesky factor does, to 1e-9 in the log-odds."""
    dense = fit_bradley_terry(counts, **options)
    assert not issparse(dense.hessian)  # which is made when it is asked for
    few_are_many()

    sparse = fit_bradley_terry(counts, **options)

    assert issparse(sparse.hessian)
    np.testing.assert_allclose(sparse.log_odds, dense.log_odds, rtol=0, atol=1e-9)
    assert sparse.tie_parameter == pytest.approx(dense.tie_parameter, abs=1e-9)
    assert sparse.log_likelihood == pytest.approx(dense.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(sparse.hessian.toarray(), dense.hessian, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["sandwich", "fisher"])
@pytest.mark.parametrize("options", FITS)
def test_sparse_and_dense_know_the_strengths_equally_well(counts, few_are_many, options, kind):
    """The covariance, which is dense in either case, agrees to 1e-9."""
    dense = estimate_covariance(fit_bradley_terry(counts, **options), kind)
    few_are_many()

    sparse = estimate_covariance(fit_bradley_terry(counts, **options), kind)

    assert isinstance(sparse, np.ndarray)
    np.testing.assert_allclose(sparse, dense, rtol=0, atol=1e-9)


@pytest.mark.parametrize("method", ["sandwich", "bootstrap"])
def test_sparse_and_dense_draw_the_same_intervals(counts, few_are_many, method):
    """The same seed gives the same bounds, whichever way the fit was made."""
    interval = Interval(method, rounds=20)
    dense = estimate_uncertainty(fit_bradley_terry(counts), interval)
    few_are_many()

    sparse = estimate_uncertainty(fit_bradley_terry(counts), interval)

    np.testing.assert_allclose(sparse.lower, dense.lower, rtol=0, atol=1e-8)
    np.testing.assert_allclose(sparse.std_error, dense.std_error, rtol=0, atol=1e-8)


def test_models_that_cannot_be_rated_are_left_out_of_a_sparse_fit(few_are_many):
    """An undefeated model is no reason for the others to have no rating."""
    frame = battles(12, 800, seed=4)
    champion = pl.DataFrame({"model_a": ["champ"], "model_b": ["m001"], "winner": ["model_a"]})
    alone = fit_bradley_terry(count_pairs(frame))
    few_are_many()

    fit = fit_bradley_terry(count_pairs(pl.concat([frame, champion])))

    assert [one.model for one in fit.left_out] == ["champ"]
    np.testing.assert_allclose(fit.log_odds, alone.log_odds, rtol=0, atol=1e-9)


@pytest.mark.parametrize("options", FITS)
def test_where_conjugate_gradients_fail_the_dense_step_is_taken(
    counts, few_are_many, no_gradients, options
):
    """A matrix that they cannot solve is inverted instead, as long as it fits."""
    dense = fit_bradley_terry(counts, **options)
    few_are_many()

    fit = fit_bradley_terry(counts, **options)

    assert issparse(fit.hessian)
    np.testing.assert_allclose(fit.log_odds, dense.log_odds, rtol=0, atol=1e-9)


def test_too_many_models_to_invert_and_no_conjugate_gradients_is_said(
    counts, few_are_many, no_gradients, monkeypatch
):
    """Nothing half converged is handed over."""
    few_are_many()
    monkeypatch.setattr(arena.problem, "DENSE_MOST", 30)

    with pytest.raises(ConvergenceError, match="conjugate gradients did not converge"):
        fit_bradley_terry(counts)


@pytest.mark.parametrize("method", ["sandwich", "fisher", "bootstrap", "bayesian"])
def test_intervals_of_too_many_models_are_refused_with_the_way_out(frame, monkeypatch, method):
    """The message says how many models there are, how many may be, and what to ask for."""
    monkeypatch.setattr(arena.problem, "DENSE_MOST", 30)

    with pytest.raises(OptionError, match=r"40 x 40 matrix.* 30 models allow; use none"):
        rate(frame, interval=Interval(method, rounds=5))


def test_without_intervals_there_is_no_such_limit(frame, monkeypatch):
    """Ratings alone need no inverse."""
    usual = rate(frame, interval=Interval("none"))
    monkeypatch.setattr(arena.problem, "SPARSE_FROM", 3)
    monkeypatch.setattr(arena.problem, "DENSE_MOST", 30)

    board = rate(frame, interval=Interval("none"))

    assert board.frame["model"].to_list() == usual.frame["model"].to_list()
    assert board.frame["rating"].to_list() == pytest.approx(usual.frame["rating"].to_list())


def test_five_thousand_models_are_rated_in_seconds():
    """200,000 votes on 5,000 models: strengths are found again, through a sparse matrix."""
    rng = np.random.default_rng(0)
    n_models, n_votes = 5_000, 200_000
    strength = rng.normal(0.0, 1.0, n_models)
    left = rng.integers(0, n_models, n_votes)
    right = (left + rng.integers(1, n_models, n_votes)) % n_models
    gap = strength[left] - strength[right]
    won = rng.random(n_votes) < 1.0 / (1.0 + np.exp(-gap))
    names = np.array([f"m{i:04d}" for i in range(n_models)])
    frame = pl.DataFrame(
        {
            "model_a": names[left],
            "model_b": names[right],
            "winner": np.where(won, "model_a", "model_b"),
        }
    )
    counts = count_pairs(frame)

    fit = fit_bradley_terry(counts)

    assert issparse(fit.hessian)
    rated = np.isin(names, fit.models)
    assert rated.sum() > 4_990
    assert np.corrcoef(fit.log_odds, strength[rated])[0, 1] > 0.95
    place = np.cumsum(rated) - 1
    inside = rated[left] & rated[right]
    i, j = place[left[inside]], place[right[inside]]
    surprise = won[inside] - 1.0 / (1.0 + np.exp(fit.log_odds[j] - fit.log_odds[i]))
    score = np.bincount(i, surprise) - np.bincount(j, surprise)
    np.testing.assert_allclose(score, 0.0, rtol=0, atol=1e-7)
