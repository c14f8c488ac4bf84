"""The cluster-robust covariance, held to its definition and to another library."""

import numpy as np
import polars as pl
import pytest
from worlds import battles, log, tied, won

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.clusters import count_clusters
from arena.counts import reweight_pairs
from arena.covariance import cluster_meat, estimate_covariance, meat_of
from arena.pipeline import rate
from arena.tally import count_pairs
from arena.ties import TIE_RULES
from arena.uncertainty import Interval

OUTCOME = {"model_a": 0, "model_b": 1, "tie": 2, "both_bad": 2}


def lopsided(n_battles=500, n_models=6, seed=0, **options):
    """A log in which one judge gave half of all votes, and some a single one."""
    rng = np.random.default_rng(seed)
    share = np.append(0.5, rng.dirichlet(np.full(24, 0.4)) * 0.5)
    judge = rng.choice(25, n_battles, p=share)
    frame = battles(n_models, n_battles, seed=seed, **options)
    return frame.with_columns(judge=pl.Series([f"j{k:02d}" for k in judge]))


def scores(frame, fit):
    """One row per vote: its score in the log-odds and the tie parameter, times its weight."""
    index = {name: i for i, name in enumerate(fit.models)}
    rows = []
    for row in frame.iter_rows(named=True):
        score = np.zeros(fit.hessian.shape[0])
        kind = OUTCOME[row["winner"]]
        if fit.rule.counts_ties or kind < 2:
            i, j = index[row["model_a"]], index[row["model_b"]]
            gap = np.array([fit.log_odds[i] - fit.log_odds[j]])
            first = fit.rule.first(gap, fit.tie_parameter or 0.0)
            score[i], score[j] = first.d[kind, 0], -first.d[kind, 0]
            if first.t is not None:
                score[-1] = first.t[kind, 0]
        rows.append(score * row.get("w", 1.0))
    return np.array(rows)


def bread(fit):
    """What a score does to the mean-zero log-odds, by the pseudo-inverse."""
    size, m = fit.hessian.shape[0], len(fit.models)
    centre = np.eye(size)
    centre[:m, :m] -= 1 / m
    return centre @ np.linalg.pinv(fit.hessian)


def clustered(frame, ties="half", columns=None):
    """The fit of a log with judges, and its clusters."""
    votes = read_battles(frame, columns=columns)
    return fit_bradley_terry(count_pairs(votes), ties=ties), count_clusters(votes, "judge")


@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_meat_is_the_double_sum_over_votes_of_one_judge(ties):
    """Every two votes of one judge, each with each, times G / (G - 1)."""
    frame = lopsided(200)
    fit, clusters = clustered(frame, ties)
    by_vote, judge = scores(frame, fit), frame["judge"].to_list()
    g = frame["judge"].n_unique()
    expected = np.zeros_like(fit.hessian)
    for own, mine in zip(by_vote, judge, strict=True):
        for other, theirs in zip(by_vote, judge, strict=True):
            if mine == theirs:
                expected += np.outer(own, other)

    meat = cluster_meat(fit, clusters)

    np.testing.assert_allclose(meat, expected * g / (g - 1), rtol=0, atol=1e-9)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_covariance_is_the_sum_over_judges_of_squared_influences(ties):
    """A judge moves the strengths by bread times the sum of its scores."""
    frame = lopsided()
    fit, clusters = clustered(frame, ties)
    by_vote = scores(frame, fit)
    judge = frame["judge"].to_numpy()
    names = np.unique(judge)
    influence = np.array([by_vote[judge == name].sum(axis=0) for name in names]) @ bread(fit).T

    covariance = estimate_covariance(fit, "cluster", clusters)

    correction = names.size / (names.size - 1)
    np.testing.assert_allclose(covariance, influence.T @ influence * correction, rtol=0, atol=1e-10)


@pytest.mark.parametrize("ties", TIE_RULES)
@pytest.mark.parametrize("named", [True, False])
def test_a_judge_for_every_vote_gives_the_sandwich(ties, named):
    """But for G / (G - 1); whether each vote has a judge of its own, or none has one."""
    frame = battles(6, 400, seed=2)
    names = [f"j{i}" if named else None for i in range(400)]
    fit, clusters = clustered(frame.with_columns(judge=pl.Series(names, dtype=pl.String)), ties)

    covariance = estimate_covariance(fit, "cluster", clusters)

    np.testing.assert_allclose(
        covariance, estimate_covariance(fit) * 400 / 399, rtol=1e-9, atol=1e-12
    )


def test_judges_whose_votes_are_all_alike_vote_once_each():
    """A judge who votes five times the same counts as one vote of five times the weight."""
    once = battles(5, 300, seed=3).with_columns(judge=pl.Series([f"j{i}" for i in range(300)]))
    fit, clusters = clustered(once)
    fit_5, clusters_5 = clustered(pl.concat([once] * 5))

    covariance = estimate_covariance(fit_5, "cluster", clusters_5)

    np.testing.assert_allclose(fit_5.log_odds, fit.log_odds, atol=1e-9)
    np.testing.assert_allclose(
        covariance, estimate_covariance(fit, "cluster", clusters), rtol=1e-8, atol=1e-12
    )
    plain = estimate_covariance(fit_5)
    np.testing.assert_allclose(np.diag(covariance), 5 * np.diag(plain) * 300 / 299, rtol=1e-8)


def test_two_models_and_two_judges_by_hand():
    """Judge x gives 3 : 1 and judge y 1 : 3 of four votes: scores +1 and -1 at even odds."""
    x = log(*won("a", "b", 3), *won("b", "a")).with_columns(judge=pl.lit("x"))
    y = log(*won("b", "a", 3), *won("a", "b")).with_columns(judge=pl.lit("y"))
    fit, clusters = clustered(pl.concat([x, y]))

    covariance = estimate_covariance(fit, "cluster", clusters)

    # The gap's information is 8 · 1/4 = 2, its meat (1² + 1²) · 2/1 = 4; its variance 4 / 2² = 1.
    np.testing.assert_allclose(covariance, np.array([[1, -1], [-1, 1]]) / 4, rtol=1e-9)


def test_judges_who_agree_within_themselves_widen_the_errors():
    """The same votes dealt to judges by what they say leave less that is independent."""
    frame = battles(4, 600, seed=4)
    at_random = frame.with_columns(judge=pl.Series([f"j{i % 60}" for i in range(600)]))
    by_opinion = frame.sort("model_a", "model_b", "winner").with_columns(
        judge=pl.Series([f"j{i // 10}" for i in range(600)])
    )

    mixed, agreeing = (
        np.diag(estimate_covariance(fit, "cluster", clusters))
        for fit, clusters in map(clustered, (at_random, by_opinion))
    )

    assert (agreeing > 2 * mixed).all()


@pytest.mark.parametrize("ties", TIE_RULES)
def test_weighted_votes_enter_the_sandwich_by_their_squares(ties):
    """The sum over votes of weight² times the score's outer product, from the counts alone."""
    frame = battles(6, 500, seed=5).with_columns(w=pl.Series([0.3, 1.0, 2.0, 0.0, 5.5] * 100))
    fit = fit_bradley_terry(count_pairs(read_battles(frame, columns={"weight": "w"})), ties=ties)
    by_vote = scores(frame, fit)

    np.testing.assert_allclose(meat_of(fit), by_vote.T @ by_vote, rtol=0, atol=1e-9)
    influence = by_vote @ bread(fit).T
    np.testing.assert_allclose(estimate_covariance(fit), influence.T @ influence, rtol=0, atol=1e-9)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_weighted_votes_of_a_judge_are_added_with_their_weights(ties):
    """Cluster by cluster, the sum of weight times score."""
    frame = lopsided().with_columns(w=pl.Series([0.3, 1.0, 2.0, 0.7, 5.5] * 100))
    fit, clusters = clustered(frame, ties, {"weight": "w"})
    by_vote, judge = scores(frame, fit), frame["judge"].to_numpy()
    sums = np.array([by_vote[judge == name].sum(axis=0) for name in np.unique(judge)])

    meat = cluster_meat(fit, clusters)

    g = len(sums)
    np.testing.assert_allclose(meat, sums.T @ sums * g / (g - 1), rtol=0, atol=1e-9)


def in_statsmodels(frame, fit, **options):
    """Covariance of the mean-zero log-odds by a logistic regression in statsmodels."""
    api = pytest.importorskip("statsmodels.api")
    index = {name: i for i, name in enumerate(fit.models)}
    m = len(fit.models)
    design = np.zeros((frame.height, m))
    rows = np.arange(frame.height)
    design[rows, [index[name] for name in frame["model_a"]]] = 1.0
    design[rows, [index[name] for name in frame["model_b"]]] = -1.0
    won_left = (frame["winner"] == "model_a").to_numpy().astype(float)
    # The first model is the reference there.
    theirs = api.GLM(won_left, design[:, 1:], family=api.families.Binomial()).fit(
        tol=1e-13, maxiter=100, **options
    )
    centre = np.eye(m) - 1 / m
    expand = centre @ np.vstack([np.zeros(m - 1), np.eye(m - 1)])
    return expand @ theirs.params, expand @ theirs.cov_params() @ expand.T


def test_statsmodels_has_the_same_cluster_covariance():
    """Its logistic regression with cov_type="cluster", on a log without ties."""
    frame = lopsided(800, tie_share=0.0, both_bad_share=0.0)
    fit, clusters = clustered(frame)
    judge = frame["judge"].rank("dense").to_numpy() - 1
    # Its further correction (N - 1) / (N - k) is for linear models, and not taken here.
    params, theirs = in_statsmodels(
        frame,
        fit,
        cov_type="cluster",
        cov_kwds={"groups": judge, "use_correction": False},
    )

    covariance = estimate_covariance(fit, "cluster", clusters)

    g = clusters.n_clusters
    np.testing.assert_allclose(fit.log_odds, params, atol=1e-8)
    np.testing.assert_allclose(covariance, theirs * g / (g - 1), rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize(("kind", "theirs"), [("sandwich", "HC0"), ("fisher", "nonrobust")])
def test_statsmodels_has_the_same_sandwich_and_fisher_covariance(kind, theirs):
    """HC0 is the sandwich over votes; without ties, the model's own covariance is Fisher's."""
    frame = battles(6, 800, seed=7, tie_share=0.0, both_bad_share=0.0)
    fit = fit_bradley_terry(count_pairs(frame))
    _, expected = in_statsmodels(frame, fit, cov_type=theirs)

    covariance = estimate_covariance(fit, kind)

    np.testing.assert_allclose(covariance, expected, rtol=1e-6, atol=1e-10)


@pytest.mark.parametrize("method", ["cluster", "jackknife"])
def test_a_reweighted_board_by_judge_is_that_of_the_reweighted_votes(method):
    """With a judge for every vote, its errors are the sandwich's of the same board."""
    frame = battles(6, 900, seed=2).with_columns(judge=pl.Series([f"j{i}" for i in range(900)]))
    plain = rate(frame, reweight=reweight_pairs)

    board = rate(frame, reweight=reweight_pairs, interval=Interval(method, "judge"))

    np.testing.assert_allclose(
        board.frame["std_error"],
        plain.frame["std_error"],
        rtol=0.02 if method != "cluster" else 0.001,
    )


@pytest.mark.parametrize("method", ["cluster", "bootstrap", "bayesian"])
def test_a_model_that_one_judge_alone_has_seen_has_no_interval(method):
    """That judge's scores on it sum to zero, which is no sign of certainty."""
    frame = battles(5, 600, seed=1).with_columns(
        judge=pl.Series([f"j{i % 40:02d}" for i in range(600)])
    )
    solo = log(*won("solo", "m001", 5), *won("m001", "solo", 5)).with_columns(judge=pl.lit("j07"))

    board = rate(pl.concat([frame, solo]), interval=Interval(method, "judge", rounds=300))

    row = board.frame.row(by_predicate=pl.col("model") == "solo", named=True)
    assert row["std_error"] is None
    assert row["rating_lower"] is None
    assert "single judge" in row["note"]


def test_doubling_all_weights_changes_no_cluster_error():
    """Weights are relative."""
    frame = lopsided().with_columns(w=pl.lit(2.0))

    once, twice = (
        rate(frame, columns=columns, interval=Interval("cluster", "judge")).frame["std_error"]
        for columns in ({}, {"weight": "w"})
    )

    np.testing.assert_allclose(twice, once, rtol=1e-9)


def test_ties_alone_have_no_spread_by_judge_either():
    """Level models that always tie have a covariance of zero, and no interval."""
    frame = log(*tied("a", "b", 10)).with_columns(judge=pl.Series([f"j{i % 5}" for i in range(10)]))

    board = rate(frame, interval=Interval("cluster", "judge"))

    assert board.frame["std_error"].to_list() == [None, None]
