"""Resampled tables have the votes, the mean and the spread that their definition gives them."""

import numpy as np
import polars as pl
import pytest
from worlds import battles, log, won

from arena.batch import solve_tables
from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.clusters import count_clusters
from arena.counts import PairCounts
from arena.errors import OptionError
from arena.problem import problem
from arena.resample import (
    bayesian_clusters,
    bayesian_votes,
    bootstrap_clusters,
    bootstrap_votes,
    cluster_kinds,
    without_each_cluster,
)
from arena.tally import count_pairs
from arena.ties import TIE_RULES

SIGMAS = 5.0
"""With some hundred cells and a fixed seed, chance alone stays well within this."""


def votes_of(fit):
    """The fit's own table [3, C]."""
    return problem(fit.counts, fit.rule).outcomes


def whole(tables):
    """All blocks of some tables, [3, C, B]."""
    return np.concatenate([tables.make(i) for i in range(tables.n_blocks)], axis=2)


def assert_mean(draws, expected, variance):
    """The mean over draws [..., B] is the expectation, by its own standard error."""
    error = np.sqrt(variance / draws.shape[-1])

    z = (draws.mean(axis=-1) - expected) / np.where(error > 0, error, 1e-12)

    assert np.abs(z).max() < SIGMAS


def assert_variance(draws, expected):
    """The variance over draws [..., B] is the expected one, by the spread of squares in them."""
    squares = (draws - draws.mean(axis=-1, keepdims=True)) ** 2
    error = squares.std(axis=-1) / np.sqrt(draws.shape[-1])

    z = (squares.mean(axis=-1) - expected) / np.where(error > 0, error, 1e-12)

    assert np.abs(z).max() < SIGMAS


def judged(n_battles=600, n_judges=17, seed=0, n_models=5):
    """A vote log with judges of very unequal diligence."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(n_judges, 0.5))
    judge = rng.choice(n_judges, n_battles, p=share)
    frame = battles(n_models, n_battles, seed=seed)
    return frame.with_columns(judge=pl.Series([f"j{k:02d}" for k in judge]))


def by_judge(frame, ties="half"):
    """The fit of a log with judges, and its clusters."""
    votes = read_battles(frame)
    return fit_bradley_terry(count_pairs(frame), ties=ties), count_clusters(votes, "judge")


def recounted(frame, fit):
    """The table [3, C] of some battles in the cells of a fit, one by one."""
    task = problem(fit.counts, fit.rule)
    cells = {pair: i for i, pair in enumerate(zip(task.left, task.right, strict=True))}
    table = np.zeros((3, len(cells)))
    for left, right, winner in frame.select("model_a", "model_b", "winner").iter_rows():
        if left not in fit.models or right not in fit.models:
            continue
        i, j = fit.models.index(left), fit.models.index(right)
        kind = {"model_a": 0, "model_b": 1}.get(winner, 2)
        if kind == 2 and not fit.rule.counts_ties:
            continue
        if i > j:
            i, j, kind = j, i, [1, 0, 2][kind]
        table[kind, cells[i, j]] += 1
    return table


def weighted(counts, weight):
    """The same votes, those of each ordered pair with a weight of their own."""
    return PairCounts(
        counts.models,
        counts.pairs,
        counts.outcomes * weight[:, None],
        counts.outcomes * weight[:, None] ** 2,
    )


@pytest.mark.parametrize("ties", TIE_RULES)
def test_a_bootstrap_table_has_as_many_votes_as_the_log(ties):
    """Whole votes, in cells that have some, and exactly as many as count."""
    fit = fit_bradley_terry(count_pairs(battles(6, 700, seed=1)), ties=ties)

    table = whole(bootstrap_votes(fit, rounds=50, seed=0))

    assert (table.sum(axis=(0, 1)) == votes_of(fit).sum()).all()
    assert (table == np.round(table)).all()
    assert not table[votes_of(fit) == 0].any()


def test_bootstrap_votes_have_the_moments_of_a_multinomial():
    """Mean n, variance n (1 - n / N), cell by cell."""
    fit = fit_bradley_terry(count_pairs(battles(6, 700, seed=1)))
    n = votes_of(fit)
    variance = n * (1 - n / n.sum())

    table = whole(bootstrap_votes(fit, rounds=4_000, seed=3))

    assert_mean(table, n, variance)
    assert_variance(table, variance)


def test_bayesian_votes_have_the_moments_of_a_dirichlet():
    """Mean n, variance n (1 - n / N) N / (N + 1): that of the multinomial, but for 1 / N."""
    fit = fit_bradley_terry(count_pairs(battles(6, 700, seed=1)))
    n = votes_of(fit)
    total = n.sum()
    variance = n * (1 - n / total) * total / (total + 1)

    table = whole(bayesian_votes(fit, rounds=4_000, seed=3))

    assert_mean(table, n, variance)
    assert_variance(table, variance)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_bayesian_votes_sum_to_the_log_and_empty_no_cell(ties):
    """Every vote keeps some weight, and what is nobody's stays nobody's."""
    fit = fit_bradley_terry(count_pairs(battles(6, 300, seed=2)), ties=ties)

    table = whole(bayesian_votes(fit, rounds=500, seed=0))

    np.testing.assert_allclose(table.sum(axis=(0, 1)), votes_of(fit).sum(), rtol=1e-12)
    assert (table[votes_of(fit) > 0] > 0).all()
    assert (table[votes_of(fit) == 0] == 0).all()


def test_drawn_votes_keep_their_weight():
    """A cell whose votes weigh a quarter holds quarters, as many as whole votes were drawn."""
    counts = count_pairs(battles(5, 400, seed=6))
    weight = np.linspace(0.25, 4.0, len(counts.pairs))
    # Both orders of a pair fall into one cell, and are weighed alike here.
    pair = counts.pairs.min(axis=1) * 5 + counts.pairs.max(axis=1)
    weight = weight[np.unique(pair, return_index=True)[1]][np.unique(pair, return_inverse=True)[1]]
    fit = fit_bradley_terry(weighted(counts, weight))
    plain = fit_bradley_terry(counts)

    table = whole(bootstrap_votes(fit, rounds=30, seed=0))

    of_cell = votes_of(fit) / np.where(votes_of(plain) > 0, votes_of(plain), 1.0)
    drawn = np.divide(table, of_cell[:, :, None], where=of_cell[:, :, None] > 0, out=table * 0)
    np.testing.assert_allclose(drawn, np.round(drawn), atol=1e-9)
    np.testing.assert_allclose(drawn.sum(axis=(0, 1)), 400, rtol=1e-12)


@pytest.mark.parametrize("resampled", [bootstrap_votes, bayesian_votes])
def test_weighted_votes_vary_as_the_sum_of_their_squares(resampled):
    """Mean the sum of weights; variance w² n (1 - n / N), with N the votes drawn."""
    frame = battles(5, 600, seed=6).with_columns(weight=pl.Series([0.5, 2.0, 1.0] * 200))
    votes = read_battles(frame, columns={"weight": "weight"})
    fit = fit_bradley_terry(count_pairs(votes))
    sums = votes_of(fit)
    squares = problem(fit.counts, fit.rule, squares=True).outcomes
    n = sums**2 / np.where(squares > 0, squares, 1.0)
    variance = squares * (1 - n / n.sum())

    table = whole(resampled(fit, rounds=4_000, seed=1))

    assert_mean(table, sums, variance)
    assert_variance(table, variance)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_clusters_of_a_fit_are_the_votes_of_each_judge(ties):
    """Recounted judge by judge; rows follow the sorted judges."""
    frame = judged()
    fit, clusters = by_judge(frame, ties)

    kinds = cluster_kinds(fit, clusters).toarray()

    for k, judge in enumerate(sorted(frame["judge"].unique())):
        own = recounted(frame.filter(pl.col("judge") == judge), fit)
        np.testing.assert_array_equal(kinds[k].reshape(own.shape), own)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_a_cluster_bootstrap_draws_whole_judges(ties):
    """Each table is a sum over judges, each a whole number of times, as many as there are."""
    fit, clusters = by_judge(judged(), ties)
    kinds = cluster_kinds(fit, clusters).toarray()

    table = whole(bootstrap_clusters(fit, clusters, rounds=25, seed=0)).reshape(-1, 25)

    times, *_ = np.linalg.lstsq(kinds.T, table, rcond=None)
    assert np.linalg.matrix_rank(kinds) == clusters.n_clusters
    np.testing.assert_allclose(kinds.T @ np.round(times), table, atol=1e-9)
    np.testing.assert_allclose(np.round(times).sum(axis=0), clusters.n_clusters)
    assert (np.round(times) >= 0).all()


def test_a_bayesian_cluster_bootstrap_weighs_whole_judges():
    """All votes of a judge get one positive weight; the weights' mean is one."""
    fit, clusters = by_judge(judged())
    kinds = cluster_kinds(fit, clusters).toarray()

    table = whole(bayesian_clusters(fit, clusters, rounds=25, seed=0)).reshape(-1, 25)

    weight, *_ = np.linalg.lstsq(kinds.T, table, rcond=None)
    np.testing.assert_allclose(kinds.T @ weight, table, atol=1e-9)
    np.testing.assert_allclose(weight.mean(axis=0), 1.0, rtol=1e-9)
    assert (weight > 0).all()


@pytest.mark.parametrize("resampled", [bootstrap_clusters, bayesian_clusters])
def test_resampled_clusters_have_the_right_moments(resampled):
    """A cell's mean is its votes, its variance the spread between judges about their mean."""
    fit, clusters = by_judge(judged())
    kinds = cluster_kinds(fit, clusters).toarray()
    g = clusters.n_clusters
    variance = ((kinds - kinds.mean(axis=0)) ** 2).sum(axis=0)
    if resampled is bayesian_clusters:
        variance = variance * g / (g + 1)

    table = whole(resampled(fit, clusters, rounds=4_000, seed=2)).reshape(kinds.shape[1], -1)

    assert_mean(table, kinds.sum(axis=0), variance)
    assert_variance(table, variance)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_leaving_a_judge_out_is_counting_without_it(ties):
    """Table by table, and fit by fit."""
    frame = judged()
    fit, clusters = by_judge(frame, ties)

    tables = without_each_cluster(fit, clusters)

    judges = sorted(frame["judge"].unique())
    table = whole(tables)
    assert table.shape[2] == len(judges)
    for k, judge in enumerate(judges):
        others = frame.filter(pl.col("judge") != judge)
        np.testing.assert_allclose(table[:, :, k], recounted(others, fit), rtol=0, atol=1e-9)
    draws = solve_tables(fit, tables).log_odds
    refit = fit_bradley_terry(count_pairs(others), ties=ties)
    np.testing.assert_allclose(draws[-1], refit.log_odds, rtol=0, atol=1e-8)


def test_leaving_out_the_only_judge_of_a_pair_leaves_nothing_of_it():
    """Fractional weights that cancel leave exact zeros, not dust that looks like votes."""
    rows = [*won("a", "b", 7), *won("b", "a", 4), *won("b", "c", 5), *won("c", "b", 3)]
    judge = ["x", "y", "z"] * 3 + ["x", "y"] + ["only"] * 8
    frame = log(*rows).with_columns(
        judge=pl.Series(judge), w=pl.Series([0.1, 0.7, 1 / 3] * 6 + [1.1])
    )
    votes = read_battles(frame, columns={"weight": "w"})
    fit = fit_bradley_terry(count_pairs(votes))
    clusters = count_clusters(votes, "judge")

    table = whole(without_each_cluster(fit, clusters))

    assert (table[:, 1, 0] == 0).all()
    draws = solve_tables(fit, without_each_cluster(fit, clusters)).log_odds
    assert np.isnan(draws[0]).tolist() == [False, False, True]


def test_votes_on_models_outside_the_fit_fall_away():
    """A champion that never lost is in the clusters, and in no table."""
    frame = judged()
    champion = log(*won("champion", "m001", 9)).with_columns(judge=pl.Series(["j00"] * 9))
    fit, clusters = by_judge(pl.concat([frame, champion]))

    kinds = cluster_kinds(fit, clusters).toarray()

    assert "champion" in clusters.counts.models
    assert kinds.sum() == frame.height
    np.testing.assert_array_equal(kinds.sum(axis=0).reshape(3, -1), votes_of(fit))


RESAMPLERS = {
    "bootstrap": lambda fit, _, rounds, seed: bootstrap_votes(fit, rounds, seed),
    "bayesian": lambda fit, _, rounds, seed: bayesian_votes(fit, rounds, seed),
    "bootstrap:judge": bootstrap_clusters,
    "bayesian:judge": bayesian_clusters,
}


@pytest.mark.parametrize("name", RESAMPLERS)
def test_the_seed_decides_the_tables(name):
    """Same seed, same tables, however often and in whatever order blocks are made."""
    fit, clusters = by_judge(judged())
    resample = RESAMPLERS[name]
    one, other = (resample(fit, clusters, 20_000, seed) for seed in (1, 2))

    last = one.make(one.n_blocks - 1)

    assert one.n_blocks > 1
    np.testing.assert_array_equal(whole(one), whole(resample(fit, clusters, 20_000, 1)))
    np.testing.assert_array_equal(last, one.make(one.n_blocks - 1))
    assert (one.make(0) != other.make(0)).any()
    assert (one.make(0)[..., : last.shape[2]] != last).any()


@pytest.mark.parametrize("rounds", [0, -3])
@pytest.mark.parametrize("name", RESAMPLERS)
def test_no_rounds_at_all_are_refused(name, rounds):
    """The error quotes the number."""
    fit, clusters = by_judge(judged())

    with pytest.raises(OptionError, match=f"rounds: {rounds} is not a number of at least 1"):
        RESAMPLERS[name](fit, clusters, rounds, 0)


def test_a_prior_alone_is_resampled_to_itself():
    """Where all votes are ties that do not count, every resample is the prior again."""
    frame = log(("a", "b", "tie"), ("b", "c", "tie"))
    fit = fit_bradley_terry(count_pairs(frame), ties="drop", on_separation="prior")

    table = whole(bootstrap_votes(fit, rounds=5, seed=0))

    assert (table == 0).all()


def test_votes_on_pairs_outside_the_fit_fall_away():
    """Two rated models that met in the clusters' log only have no cell, and none is taken."""
    rows = [*won("a", "b", 3), *won("b", "a", 3), *won("b", "d", 3), *won("d", "b", 3)]
    fit = fit_bradley_terry(count_pairs(log(*rows, *won("c", "d", 2), *won("d", "c", 2))))
    other = log(*rows, *won("a", "c", 50)).with_columns(judge=pl.Series(["x", "y"] * 31))

    kinds = cluster_kinds(fit, count_clusters(read_battles(other), "judge"))

    assert kinds.sum() == len(rows)
