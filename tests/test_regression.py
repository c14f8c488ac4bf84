"""Ratings and covariates together, held to written-out definitions and to other libraries."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from worlds import battles, log, tied, won

import arena.likelihood
from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.counts import reweight_pairs
from arena.covariance import estimate_covariance
from arena.design import Design, build_design
from arena.errors import NoEstimateError, OptionError
from arena.regression import (
    coefficient_table,
    fit_regression,
    rank_changes,
    regression_covariance,
)
from arena.tally import count_pairs


def world(n_models=6, n=1_500, beta=(0.5, -0.3), *, seed=0, tie_share=0.2, n_judges=200):
    """A design drawn from known log-odds and coefficients, and these as one vector."""
    rng = np.random.default_rng(seed)
    k = len(beta)
    truth = rng.normal(0.0, 0.7, n_models)
    truth -= truth.mean()
    left = rng.integers(0, n_models, n)
    right = (left + rng.integers(1, n_models, n)) % n_models
    # One answer is longer because its model is wordy, and at random.
    wordy = rng.normal(0.0, 0.5, (n_models, k))
    covariates = wordy[left] - wordy[right] + rng.normal(0.0, 1.0, (n, k))
    gap = truth[left] - truth[right] + covariates @ np.array(beta)
    points = (rng.random(n) < 1 / (1 + np.exp(-gap))).astype(float)
    points[rng.random(n) < tie_share] = 0.5
    design = Design(
        tuple(f"m{i:02d}" for i in range(n_models)),
        left.astype(np.int32),
        right.astype(np.int32),
        points,
        np.asfortranarray(covariates),
        tuple(f"x{j}" for j in range(k)),
        clusters=rng.integers(0, n_judges, n).astype(np.int32),
        cluster="judge",
    )
    return design, np.concatenate([truth, beta])


def rows(design):
    """The design matrix [n, m + k], written out."""
    n, m = design.points.size, len(design.models)
    matrix = np.zeros((n, m + len(design.names)))
    matrix[np.arange(n), design.left] = 1.0
    matrix[np.arange(n), design.right] = -1.0
    matrix[:, m:] = design.covariates
    return matrix


def estimate(fit):
    """Log-odds and coefficients as one vector."""
    return np.concatenate([fit.log_odds, fit.coefficients])


def loss(point, design, *, ridge=0.0, ridge_ratings=0.0):
    """Minus the penalised log-likelihood, vote by vote."""
    m = len(design.models)
    gap = rows(design) @ point
    log_p = -design.points * np.logaddexp(0, -gap) - (1 - design.points) * np.logaddexp(0, gap)
    weight = design.weights()
    penalty = ridge * np.sum(point[m:] ** 2) + ridge_ratings * np.sum(point[:m] ** 2)
    return -np.sum(log_p if weight is None else log_p * weight) + 0.5 * penalty


def scores(fit, design):
    """One row per battle: its score in the log-odds and the coefficients, written out."""
    matrix = rows(design)
    residual = design.points - 1 / (1 + np.exp(-matrix @ estimate(fit)))
    return matrix * residual[:, None]


def bread(fit):
    """Centred inverse of the Hessian."""
    m, size = len(fit.models), len(fit.hessian)
    centre = np.eye(size)
    centre[:m, :m] -= 1 / m
    return centre @ np.linalg.pinv(fit.hessian)


def shuffled(design, seed=1):
    """The same battles in another order."""
    order = np.random.default_rng(seed).permutation(design.points.size)
    names = ("left", "right", "points", "covariates", "clusters")
    return replace(design, **{name: getattr(design, name)[order] for name in names})


# ── the fit ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("penalty", [{}, {"ridge": 40.0, "ridge_ratings": 3.0}], ids=str)
def test_at_the_estimate_the_gradient_vanishes(penalty):
    """Finite differences of the written-out likelihood, with and without a penalty."""
    design, _ = world()
    point = estimate(fit_regression(design, **penalty))

    steps = 1e-4 * np.eye(point.size)
    gradient = [
        loss(point + h, design, **penalty) - loss(point - h, design, **penalty) for h in steps
    ]

    np.testing.assert_allclose(np.array(gradient) / 2e-4, 0.0, atol=1e-4)


@pytest.mark.parametrize("penalty", [{}, {"ridge": 40.0, "ridge_ratings": 3.0}], ids=str)
def test_the_hessian_is_the_second_derivative(penalty):
    """Finite differences again, of each pair of parameters."""
    design, _ = world(n=400)

    fit = fit_regression(design, **penalty)

    point, steps = estimate(fit), 1e-3 * np.eye(len(fit.hessian))
    numeric = [
        [
            sum(
                s * t * loss(point + s * g + t * h, design, **penalty)
                for s in (1, -1)
                for t in (1, -1)
            )
            for g in steps
        ]
        for h in steps
    ]
    np.testing.assert_allclose(fit.hessian, np.array(numeric) / 4e-6, atol=1e-3)


@pytest.mark.parametrize("name", ["FastChat", "arena-rank"])
def test_published_penalties_can_be_asked_for(name):
    """Their losses, written out and minimised slowly, have the same minimum."""
    design, _ = world(n_models=5, n=600)
    matrix, m, n = rows(design), 5, 600
    # FastChat: strengths in powers of ten, everything penalised; arena-rank: the mean over votes.
    unit = np.repeat([np.log(10.0), 1.0], [m, 2]) if name == "FastChat" else np.ones(m + 2)
    penalised = np.ones(m + 2) if name == "FastChat" else np.repeat([0.0, 1.0], [m, 2])
    reg, share = (0.5, 1.0) if name == "FastChat" else (1.0, 1 / n)

    def published(point):
        gap = matrix @ (unit * point)
        log_p = design.points * gap - np.logaddexp(0, gap)
        error = design.points - 1 / (1 + np.exp(-gap))
        gradient = -share * unit * (matrix.T @ error) + reg * penalised * point
        return -share * log_p.sum() + reg / 2 * np.sum(penalised * point**2), gradient

    slow = minimize(published, np.zeros(m + 2), jac=True, method="BFGS", options={"gtol": 1e-8})

    ours = {
        "FastChat": {"ridge": 0.5, "ridge_ratings": 0.5 / np.log(10) ** 2},
        "arena-rank": {"ridge": 1.0 * n},
    }[name]
    fit = fit_regression(design, **ours)
    log_odds = (unit * slow.x)[:m]
    np.testing.assert_allclose(fit.coefficients, slow.x[m:], atol=1e-6)
    np.testing.assert_allclose(fit.log_odds, log_odds - log_odds.mean(), atol=1e-5)


@pytest.mark.parametrize("kind", ["sandwich", "fisher"])
def test_without_covariates_it_is_bradley_terry(kind):
    """Log-odds, log-likelihood and covariance are those from the counts."""
    counts = count_pairs(battles(9, 1_200))
    plain = fit_bradley_terry(counts)
    design = build_design(read_battles(battles(9, 1_200)))

    fit = fit_regression(design)

    np.testing.assert_allclose(fit.log_odds, plain.log_odds, rtol=0, atol=1e-9)
    assert fit.log_likelihood == pytest.approx(plain.log_likelihood, rel=1e-12)
    covariance = regression_covariance(fit, design, kind)
    np.testing.assert_allclose(covariance, estimate_covariance(plain, kind), rtol=0, atol=1e-12)


def test_the_side_advantage_of_two_models_is_the_mean_of_their_log_odds_on_the_left():
    """75 of 100 on the left and 60 of 100 on the left: (logit 0.75 + logit 0.6) / 2."""
    rows = [*won("x", "y", 75), *[("x", "y", "model_b")] * 25]
    rows += [*won("y", "x", 60), *[("y", "x", "model_b")] * 40]
    design = build_design(read_battles(log(*rows)), ["side"])

    fit = fit_regression(design)

    first, second = np.log(3.0), np.log(1.5)
    assert fit.coefficients[0] == pytest.approx((first + second) / 2, abs=1e-12)
    assert fit.log_odds[0] == pytest.approx((first - second) / 4, abs=1e-12)


def test_planted_coefficients_are_found_again():
    """Ten worlds: coefficients within three standard errors, and errors of the size claimed."""
    misses = []
    for seed in range(10, 20):
        design, truth = world(8, 4_000, (0.4, -0.2, 0.1), seed=seed, tie_share=0.0)
        fit = fit_regression(design)
        error = np.sqrt(np.diag(regression_covariance(fit, design)))
        misses.append((estimate(fit) - truth) / error)

    assert np.abs(np.array(misses)[:, 8:]).max() < 3.0
    assert np.abs(misses).max() < 3.5
    assert 0.8 < np.std(misses) < 1.2


def test_row_order_does_not_matter():
    """Neither for the estimate nor for any covariance."""
    design, _ = world()
    fit, other = fit_regression(design), fit_regression(shuffled(design))

    np.testing.assert_allclose(estimate(other), estimate(fit), rtol=0, atol=1e-12)
    for kind in ("sandwich", "fisher", "cluster"):
        np.testing.assert_allclose(
            regression_covariance(other, shuffled(design), kind),
            regression_covariance(fit, design, kind),
            atol=1e-14,
        )


def test_swapping_sides_with_outcome_and_covariates_changes_nothing():
    """A battle seen from the other side is the same battle."""
    design, _ = world()
    swap = np.random.default_rng(2).random(design.points.size) < 0.5
    mirrored = replace(
        design,
        left=np.where(swap, design.right, design.left),
        right=np.where(swap, design.left, design.right),
        points=np.where(swap, 1 - design.points, design.points),
        covariates=np.where(swap[:, None], -design.covariates, design.covariates),
    )

    other = fit_regression(mirrored)

    np.testing.assert_allclose(estimate(other), estimate(fit_regression(design)), atol=1e-12)


def test_the_unit_of_a_covariate_is_only_a_unit():
    """In thousandths or in millions, the coefficient times the covariate is the same."""
    design, _ = world()
    unit = np.array([1e6, 1e-3])

    fit = fit_regression(replace(design, covariates=design.covariates * unit))

    plain = fit_regression(design)
    np.testing.assert_allclose(fit.coefficients * unit, plain.coefficients, rtol=1e-9)
    np.testing.assert_allclose(fit.log_odds, plain.log_odds, atol=1e-10)


def test_chunks_do_not_show(monkeypatch):
    """Seven battles at a time give what all at once give."""
    design, _ = world(n=500)
    whole = fit_regression(design)
    expected = [regression_covariance(whole, design, kind) for kind in ("sandwich", "cluster")]
    monkeypatch.setattr(arena.likelihood, "CHUNK", 7)

    fit = fit_regression(design)

    np.testing.assert_allclose(estimate(fit), estimate(whole), atol=1e-12)
    for kind, covariance in zip(("sandwich", "cluster"), expected, strict=True):
        np.testing.assert_allclose(regression_covariance(fit, design, kind), covariance, atol=1e-14)


def test_a_row_of_three_votes_is_three_rows():
    """In the estimate, the likelihood and every covariance."""
    design, _ = world(n=400)
    votes = np.random.default_rng(4).integers(1, 4, 400)
    names = ("left", "right", "points", "covariates", "clusters")
    repeated = replace(
        design, **{name: np.repeat(getattr(design, name), votes, axis=0) for name in names}
    )
    counted = replace(design, votes=votes.astype(float))

    fit, expected = fit_regression(counted), fit_regression(repeated)

    assert fit.n_battles == expected.n_battles == votes.sum()
    assert fit.log_likelihood == pytest.approx(expected.log_likelihood, rel=1e-12)
    np.testing.assert_allclose(estimate(fit), estimate(expected), atol=1e-12)
    for kind in ("sandwich", "fisher", "cluster"):
        np.testing.assert_allclose(
            regression_covariance(fit, counted, kind),
            regression_covariance(expected, repeated, kind),
            atol=1e-14,
        )


def test_weighted_votes_are_those_of_weighted_counts():
    """Weights by pair give the log-odds and covariance that the reweighted counts give."""
    frame = battles(6, 800)
    counts = count_pairs(frame)
    weighted = reweight_pairs(counts, at_least=1)
    weight = (weighted.outcomes / np.where(counts.outcomes > 0, counts.outcomes, 1)).max(axis=1)
    bare = build_design(read_battles(frame))
    of_pair = {tuple(pair): one for pair, one in zip(counts.pairs.tolist(), weight, strict=True)}
    met = zip(bare.left.tolist(), bare.right.tolist(), strict=True)
    design = replace(bare, weight=np.array([of_pair[pair] for pair in met]))

    fit = fit_regression(design)

    plain = fit_bradley_terry(weighted)
    np.testing.assert_allclose(fit.log_odds, plain.log_odds, atol=1e-9)
    np.testing.assert_allclose(
        regression_covariance(fit, design), estimate_covariance(plain), atol=1e-12
    )


# ── what has no estimate ───────────────────────────────────────────────────────────────────


def test_models_that_cannot_be_rated_are_left_out_with_their_battles():
    """The fit is that of the others, and says why it leaves one out."""
    design, _ = world()
    n = 20
    more = {
        "left": np.full(n, 6),
        "right": np.arange(n) % 6,
        "points": np.ones(n),
        "covariates": np.ones((n, 2)),
        "clusters": np.zeros(n),
    }
    joined = {
        name: np.concatenate([getattr(design, name), values.astype(getattr(design, name).dtype)])
        for name, values in more.items()
    }
    design_with = replace(design, models=(*design.models, "unbeaten"), **joined)

    fit = fit_regression(design_with)

    assert [(one.model, one.reason) for one in fit.left_out] == [
        ("unbeaten", "never lost (20 battles)")
    ]
    expected = fit_regression(design)
    np.testing.assert_allclose(estimate(fit), estimate(expected), atol=1e-12)
    for kind in ("sandwich", "cluster"):
        np.testing.assert_allclose(
            regression_covariance(fit, design_with, kind),
            regression_covariance(expected, design, kind),
            atol=1e-14,
        )


def test_a_covariate_that_tells_every_vote_is_named():
    """Its coefficient would be infinite; with a ridge it is not."""
    design, _ = world(tie_share=0.0)
    rng = np.random.default_rng(5)
    telling = (2 * design.points - 1) * rng.gamma(1.0, 1.0, design.points.size)
    told = replace(design, covariates=np.column_stack([design.covariates[:, 0], telling]))

    with pytest.raises(NoEstimateError, match="no finite coefficient of 'x1'"):
        fit_regression(told)

    assert 0 < fit_regression(told, ridge=1.0).coefficients[1] < 50


def test_a_covariate_that_tells_the_few_votes_it_bears_on_is_named():
    """A language with three battles, all won on the left, has no coefficient."""
    design, _ = world(tie_share=0.0)
    few = np.flatnonzero(design.points == 1.0)[:3]
    rare = np.zeros(design.points.size)
    rare[few] = 1.0
    told = replace(design, covariates=np.column_stack([rare, design.covariates[:, 1]]))

    with pytest.raises(NoEstimateError, match="no finite coefficient of 'x0'"):
        fit_regression(told)


def test_a_covariate_that_tells_nearly_all_votes_has_a_coefficient():
    """However far out, a finite estimate is found: 40 of 1,500 are told wrongly."""
    design, _ = world(tie_share=0.0)
    telling = 2 * design.points - 1
    telling[:40] *= -1
    told = replace(design, covariates=np.column_stack([design.covariates[:, 0], telling]))

    fit = fit_regression(told)

    assert 3.0 < fit.coefficients[1] < 5.0


def test_a_covariate_that_follows_from_the_models_is_named():
    """The price of a model is part of its log-odds."""
    design, _ = world()
    price = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
    dearer = price[design.left] - price[design.right]
    priced = replace(design, covariates=np.column_stack([design.covariates[:, 0], dearer]))

    with pytest.raises(NoEstimateError, match="'x1' follows from the models and 'x0'"):
        fit_regression(priced)

    assert np.isfinite(fit_regression(priced, ridge=1.0).coefficients).all()


def test_the_side_follows_from_the_models_where_each_stands_on_its_own():
    """If x is always on the left of y, the side's worth cannot be told from theirs."""
    frame = log(*won("x", "y", 3), ("x", "y", "model_b"), *tied("x", "y", 2))
    design = build_design(read_battles(frame), ["side"])

    with pytest.raises(NoEstimateError, match="'side' follows from the models"):
        fit_regression(design)


@pytest.mark.parametrize("penalty", [{"ridge": -1.0}, {"ridge_ratings": np.inf}], ids=str)
def test_a_penalty_is_a_number_from_zero_up(penalty):
    """Anything else is refused by name."""
    with pytest.raises(OptionError, match=f"{next(iter(penalty))}: .* is not a number from 0 up"):
        fit_regression(world()[0], **penalty)


# ── how uncertain ──────────────────────────────────────────────────────────────────────────


def test_the_sandwich_is_the_sum_over_votes_of_influences():
    """Each vote moves the estimate by bread times score; the sandwich adds up their squares."""
    design, _ = world()
    fit = fit_regression(design)
    influence = scores(fit, design) @ bread(fit).T

    covariance = regression_covariance(fit, design)

    np.testing.assert_allclose(covariance, influence.T @ influence, atol=1e-12)


def test_the_clustered_sandwich_adds_up_the_scores_of_a_judge_first():
    """Judge by judge, with G / (G - 1)."""
    design, _ = world()
    fit = fit_regression(design)
    each = [scores(fit, design)[design.clusters == judge].sum(axis=0) for judge in range(200)]
    influence = np.array(each) @ bread(fit).T

    covariance = regression_covariance(fit, design, "cluster")

    np.testing.assert_allclose(covariance, influence.T @ influence * 200 / 199, atol=1e-12)


def test_votes_cast_twice_by_one_judge_are_worth_one():
    """The clustered covariance of doubled votes is the sandwich of single ones."""
    design, _ = world(n=600)
    names = ("left", "right", "points", "covariates")
    twice = replace(
        design,
        clusters=np.tile(np.arange(600, dtype=np.int32), 2),
        **{name: np.concatenate([getattr(design, name)] * 2) for name in names},
    )

    covariance = regression_covariance(fit_regression(twice), twice, "cluster")

    single = regression_covariance(fit_regression(design), design)
    np.testing.assert_allclose(covariance, single * 600 / 599, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("tie_share", [0.0, 0.3])
@pytest.mark.parametrize("kind", ["sandwich", "fisher", "cluster"])
def test_a_binomial_glm_gives_the_same(kind, tie_share):
    """statsmodels, on the written-out design matrix without its last model."""
    statsmodels = pytest.importorskip("statsmodels.api")
    design, _ = world(tie_share=tie_share)
    m, size, n = 6, 8, design.points.size
    free = np.delete(rows(design), m - 1, axis=1)
    groups = {"groups": design.clusters, "use_correction": True} if kind == "cluster" else {}
    glm = statsmodels.GLM(design.points, free, family=statsmodels.families.Binomial()).fit(
        cov_type={"sandwich": "HC0", "fisher": "nonrobust", "cluster": "cluster"}[kind],
        cov_kwds=groups or None,
        tol=1e-14,
    )
    centre = np.eye(size)
    centre[:m, :m] -= 1 / m
    centre = np.delete(centre, m - 1, axis=1)
    # statsmodels' small-sample factor for clusters has one for the parameters as well.
    factor = (n - 1) / (n - free.shape[1]) if kind == "cluster" else 1.0

    fit = fit_regression(design)

    np.testing.assert_allclose(estimate(fit), centre @ glm.params, atol=1e-6)
    expected = centre @ glm.cov_params() @ centre.T / factor
    np.testing.assert_allclose(
        regression_covariance(fit, design, kind), expected, rtol=1e-6, atol=1e-9
    )


@pytest.mark.parametrize(
    ("kind", "changes", "error", "message"),
    [
        ("robust", {}, OptionError, "'robust' is not one of sandwich, fisher, cluster"),
        ("cluster", {"clusters": None}, OptionError, "has no clusters"),
        ("cluster", {"clusters": np.zeros(1_500, np.int32)}, NoEstimateError, "there is only one"),
        ("sandwich", {"names": ("x1", "x0")}, OptionError, "not the design that was fitted"),
    ],
    ids=["unknown", "no clusters", "one cluster", "another design"],
)
def test_a_covariance_that_makes_no_sense_is_refused(kind, changes, error, message):
    """The error says what is lacking."""
    design, _ = world()
    fit = fit_regression(design)

    with pytest.raises(error, match=message):
        regression_covariance(fit, replace(design, **changes), kind)


# ── for a board ────────────────────────────────────────────────────────────────────────────


def test_the_table_has_coefficients_in_log_odds_and_in_rating_points():
    """One natural log-odds is 400 / ln 10 = 173.7 points; the interval is at the level asked."""
    design, _ = world()
    fit = fit_regression(design)
    covariance = regression_covariance(fit, design)

    table = coefficient_table(fit, covariance, level=0.9)

    assert table["covariate"].to_list() == ["x0", "x1"]
    np.testing.assert_allclose(table["std_error"], np.sqrt(np.diag(covariance)[6:]))
    np.testing.assert_allclose(
        table["upper"] - table["coefficient"], 1.6448536 * table["std_error"]
    )
    for log_odds, rating in zip(table.columns[1:5], table.columns[5:], strict=True):
        np.testing.assert_allclose(table[rating], table[log_odds] * 400 / np.log(10))
    with pytest.raises(OptionError, match="level: 95 is not between 0 and 1"):
        coefficient_table(fit, covariance, level=95)


def test_the_table_of_no_covariates_is_empty():
    """Its columns are there."""
    design = build_design(read_battles(battles(4, 300)))
    fit = fit_regression(design)

    table = coefficient_table(fit, regression_covariance(fit, design))

    assert table.shape == (0, 9)


def test_a_model_that_wins_by_length_falls_when_length_is_held_equal():
    """Of three equals, the wordy one leads the plain board only."""
    rng = np.random.default_rng(6)
    n = 6_000
    side = rng.permuted(np.tile(np.arange(3), (n, 1)), axis=1)[:, :2]
    length = (side == 0) * 2.0 + rng.normal(0.0, 1.0, (n, 2))
    strength = np.array([0.0, 0.3, 0.15])
    gap = strength[side[:, 0]] - strength[side[:, 1]] + 0.5 * (length[:, 0] - length[:, 1])
    names = np.array(["wordy", "terse", "middling"])
    frame = pl.DataFrame(
        {
            "model_a": names[side[:, 0]],
            "model_b": names[side[:, 1]],
            "winner": np.where(rng.random(n) < 1 / (1 + np.exp(-gap)), "model_a", "model_b"),
            "length": length[:, 0] - length[:, 1],
        }
    )
    design = Design(
        ("middling", "terse", "wordy"),
        *(np.array([2, 1, 0], np.int32)[side].T.copy()),
        (frame["winner"] == "model_a").cast(float).to_numpy().copy(),
        frame.select("length").to_numpy().copy(),
        ("length",),
    )
    plain, controlled = fit_bradley_terry(design.counts), fit_regression(design)

    changes = rank_changes(plain.log_odds, controlled.log_odds, controlled.models)

    assert changes["model"].to_list() == ["terse", "middling", "wordy"]
    assert changes["rank_plain"].to_list() == [2, 3, 1]
    assert changes["change"].to_list() == [1, 1, -2]
    assert changes["rating_controlled"].mean() == pytest.approx(1000)
    with pytest.raises(OptionError, match="rate different models"):
        rank_changes(plain.log_odds[:2], controlled.log_odds, controlled.models)
