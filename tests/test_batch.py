"""Many tables of votes, solved together as if each were solved alone."""

import os
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from worlds import battles, counted, log, tied, won

from arena.batch import Tables, block_size, solve_tables
from arena.bradley_terry import fit_bradley_terry, solve
from arena.problem import problem
from arena.resample import bayesian_votes, bootstrap_votes
from arena.tally import count_pairs
from arena.ties import TIE_RULES

AS_ONE_BY_ONE = 1e-8
"""Both stop at steps below 1e-9, so the two ways may differ by about that much."""


def votes_of(fit):
    """The fit's own table [3, C]: points won, lost and tied by cell, without a prior's."""
    return problem(fit.counts, fit.rule).outcomes


def given(table, block=10_000):
    """Tables [3, C, B] that are written out, in blocks of a size."""

    def make(number):
        return table[:, :, number * block : (number + 1) * block]

    return Tables(table.shape[2], block, make)


def whole(tables):
    """All blocks of some tables, [3, C, B]."""
    return np.concatenate([tables.make(i) for i in range(tables.n_blocks)], axis=2)


def one_by_one(fit, table):
    """Newton's method on each table by itself: log-odds [B, m] of mean zero, and tie parameters."""
    task = problem(fit.counts, fit.rule, fit.prior)
    of_prior = task.outcomes[:, table.shape[1] :]
    m = len(fit.models)
    log_odds, ties = [], []
    for b in range(table.shape[2]):
        votes = np.hstack([table[:, :, b], of_prior])
        point = solve(replace(task, outcomes=votes)).point
        log_odds.append(point[:m] - point[:m].mean())
        ties.append(point[m] if fit.rule.parameter else np.nan)
    return np.array(log_odds), np.array(ties)


def assert_as_one_by_one(fit, table):
    """The batch gives every table the strengths that it has by itself."""
    draws = solve_tables(fit, given(table))
    log_odds, ties = one_by_one(fit, table)

    centred = draws.log_odds - draws.log_odds.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(centred, log_odds, rtol=0, atol=AS_ONE_BY_ONE)
    np.testing.assert_allclose(draws.tie_parameter, ties, rtol=0, atol=AS_ONE_BY_ONE)


def by_model(draws, row=0):
    """Model → log-odds in one draw."""
    return dict(zip(draws.models, draws.log_odds[row].tolist(), strict=True))


@pytest.mark.parametrize("on_separation", ["drop", "prior"])
@pytest.mark.parametrize("ties", TIE_RULES)
def test_bootstrap_tables_are_solved_as_if_alone(ties, on_separation):
    """Twenty resamples, under every tie rule, with a prior and without."""
    counts = count_pairs(battles(8, 2_000, seed=1))
    fit = fit_bradley_terry(counts, ties=ties, on_separation=on_separation)

    assert_as_one_by_one(fit, whole(bootstrap_votes(fit, rounds=20, seed=1)))


@pytest.mark.parametrize("on_separation", ["drop", "prior"])
@pytest.mark.parametrize("ties", TIE_RULES)
def test_tables_with_a_tenth_of_the_votes_are_solved_as_if_alone(ties, on_separation):
    """Their curvature is a tenth of the fit's, and so is not the fit's."""
    fit = fit_bradley_terry(
        count_pairs(battles(6, 4_000, seed=2)), ties=ties, on_separation=on_separation
    )
    thin = np.random.default_rng(0).binomial(
        votes_of(fit).astype(int)[:, :, None], 0.1, size=(*votes_of(fit).shape, 12)
    )

    assert_as_one_by_one(fit, thin.astype(float))


@pytest.mark.parametrize("on_separation", ["drop", "prior"])
@pytest.mark.parametrize("ties", TIE_RULES)
def test_tables_far_from_the_fit_are_solved_as_if_alone(ties, on_separation):
    """Votes that say the opposite of the log, thirty times over, are past what a chord reaches."""
    fit = fit_bradley_terry(
        count_pairs(battles(6, 4_000, seed=3, spread=2.0)), ties=ties, on_separation=on_separation
    )
    win, loss, tie = votes_of(fit)
    against = np.stack([1 + 30 * loss, 1 + win / 30, 1 + tie])
    lopsided = np.stack([1 + 30 * win, 1 + loss / 30, 1 + tie / 30])

    assert_as_one_by_one(fit, np.stack([against, lopsided, votes_of(fit) + 1], axis=2))


@pytest.mark.parametrize("ties", TIE_RULES)
def test_weights_without_an_empty_cell_are_solved_as_if_alone(ties):
    """Bayesian weights are no whole numbers, and need not be."""
    fit = fit_bradley_terry(count_pairs(battles(7, 900, seed=5)), ties=ties)

    assert_as_one_by_one(fit, whole(bayesian_votes(fit, rounds=15, seed=2)))


@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_fits_own_table_gives_the_fit(ties):
    """Nothing resampled, nothing moved."""
    fit = fit_bradley_terry(count_pairs(battles(7, 900, seed=5)), ties=ties)

    draws = solve_tables(fit, given(votes_of(fit)[:, :, None]))

    np.testing.assert_allclose(draws.log_odds[0], fit.log_odds, rtol=0, atol=AS_ONE_BY_ONE)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_with_a_prior_the_fits_own_table_gives_the_fit(ties):
    """The average opponent is not the mean of the models, and must not shift the draws."""
    rows = [*won("x", "y", 20), *won("x", "z", 9), *won("y", "z", 3), *won("z", "y", 2)]
    counts = counted(*rows, *tied("x", "y", 3))
    fit = fit_bradley_terry(counts, ties=ties, on_separation="prior")

    draws = solve_tables(fit, given(votes_of(fit)[:, :, None]))

    np.testing.assert_allclose(draws.log_odds[0], fit.log_odds, rtol=0, atol=AS_ONE_BY_ONE)


def three_and_a_guest(ties):
    """The fit of three models and a guest, and its cells' two sides."""
    frame = pl.concat(
        [
            battles(3, 400, seed=4),
            log(*won("guest", "m000", 6), *won("m000", "guest", 5), *tied("guest", "m001", 3)),
        ]
    )
    fit = fit_bradley_terry(count_pairs(frame), ties=ties)
    task = problem(fit.counts, fit.rule)
    return fit, task.left, task.right, frame.filter(pl.col("model_a") != "guest").head(400)


def without_guest(fit, table, left, right):
    """The strengths of the others by a fit of their battles alone, about the fit's mean."""
    kept = [i for i, model in enumerate(fit.models) if model != "guest"]
    guest = fit.models.index("guest")
    inside = (left != guest) & (right != guest)
    place = np.argsort(np.argsort([i if i in kept else 99 for i in range(len(fit.models))]))
    task = replace(
        problem(fit.counts, fit.rule),
        n_models=len(kept),
        left=place[left[inside]],
        right=place[right[inside]],
        outcomes=table[:, inside],
    )
    point = solve(task).point[: len(kept)]
    point += fit.log_odds[kept].mean() - point.mean()
    return {fit.models[i]: value for i, value in zip(kept, point, strict=True)}


@pytest.mark.parametrize("ties", TIE_RULES)
@pytest.mark.parametrize(
    ("fate", "bound"), [("undefeated", np.inf), ("winless", -np.inf), ("unseen", np.nan)]
)
def test_a_model_without_a_bound_in_a_table_says_so(ties, fate, bound):
    """It is infinitely strong, infinitely weak or unknown; the others are as without it."""
    fit, left, right, _ = three_and_a_guest(ties)
    table = votes_of(fit).copy()
    guest = fit.models.index("guest")
    of_guest = (left == guest) | (right == guest)
    wins = np.where(left == guest, 0, 1)[of_guest]
    points = table[:, of_guest].sum(axis=0)
    table[:, of_guest] = 0.0
    cells = np.flatnonzero(of_guest)
    if fate != "unseen":
        table[wins if fate == "undefeated" else 1 - wins, cells] = points + 1

    draws = solve_tables(fit, given(table[:, :, None]))

    found = by_model(draws)
    assert found.pop("guest") == pytest.approx(bound, nan_ok=True)
    others = without_guest(fit, table, left, right)
    assert found == pytest.approx(others, abs=AS_ONE_BY_ONE)


def test_finite_models_of_a_draw_keep_the_fits_mean_over_them():
    """Otherwise the others would shift whenever one is without a bound."""
    fit = fit_bradley_terry(count_pairs(battles(6, 60, seed=8)))

    draws = solve_tables(fit, bootstrap_votes(fit, rounds=400, seed=0))

    finite = np.isfinite(draws.log_odds)
    assert 0 < finite.all(axis=1).sum() < 400
    of_draws = np.where(finite, draws.log_odds, 0.0).sum(axis=1)
    of_fit = (finite * fit.log_odds).sum(axis=1)
    np.testing.assert_allclose(of_draws, of_fit, rtol=0, atol=1e-8)


def test_a_table_that_compares_nobody_is_unknown_to_all():
    """With every battle won by the same side there is no scale to be infinite on."""
    fit = fit_bradley_terry(counted(*won("a", "b", 3), *won("b", "a", 2)))
    table = np.array([5.0, 0.0, 0.0]).reshape(3, 1, 1)

    draws = solve_tables(fit, given(table))

    assert np.isnan(draws.log_odds).all()


def test_an_empty_table_is_unknown_to_all():
    """No votes, no strengths, and no exception."""
    fit = fit_bradley_terry(count_pairs(battles(5, 300, seed=1)))

    draws = solve_tables(fit, given(np.zeros((3, votes_of(fit).shape[1], 2))))

    assert np.isnan(draws.log_odds).all()


def test_the_smaller_of_two_islands_is_unknown():
    """Without the bridge nothing compares its models with the others."""
    island = [*won("p", "q", 3), *won("q", "p", 2)]
    mainland = [*won("a", "b", 3), *won("b", "c", 3), *won("c", "a", 3), *tied("a", "b")]
    fit = fit_bradley_terry(counted(*island, *mainland, *tied("c", "p", 4)))
    task = problem(fit.counts, fit.rule)
    bridge = (task.left == fit.models.index("c")) & (task.right == fit.models.index("p"))
    table = np.where(bridge, 0.0, task.outcomes)

    draws = solve_tables(fit, given(table[:, :, None]))

    alone = fit_bradley_terry(counted(*mainland))
    found = by_model(draws)
    assert np.isnan([found["p"], found["q"]]).all()
    three = np.array([found[model] for model in "abc"])
    np.testing.assert_allclose(three - three.mean(), alone.log_odds, rtol=0, atol=AS_ONE_BY_ONE)


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
@pytest.mark.parametrize("on_separation", ["drop", "prior"])
def test_a_table_without_ties_has_no_tie_parameter(ties, on_separation):
    """Its draw is unknown; the tables beside it are not, and nothing is raised."""
    fit = fit_bradley_terry(
        count_pairs(battles(4, 300, seed=1)), ties=ties, on_separation=on_separation
    )
    decided = votes_of(fit) * [[1.0], [1.0], [0.0]]

    draws = solve_tables(fit, given(np.stack([votes_of(fit), decided], axis=2)))

    assert np.isfinite(draws.log_odds[0]).all()
    assert np.isnan(draws.log_odds[1]).all()
    assert np.isfinite(draws.tie_parameter).tolist() == [True, False]


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_a_table_of_wins_one_way_and_ties_has_no_finite_estimate(ties):
    """The gap and the tie parameter run away together, so the draw has no bound."""
    fit = fit_bradley_terry(
        counted(*won("a", "b", 3), *won("b", "a"), *tied("a", "b", 3)), ties=ties
    )
    table = np.array([4.0, 0.0, 3.0]).reshape(3, 1, 1)

    draws = solve_tables(fit, given(table))

    assert not np.isfinite(draws.log_odds).any()


@pytest.mark.parametrize("ties", TIE_RULES)
def test_one_pair_is_solved_in_closed_form(ties):
    """Two models: the odds of a draw are those of its points, or of its decided votes."""
    fit = fit_bradley_terry(
        counted(*won("x", "y", 30), *won("y", "x", 20), *tied("x", "y", 10)), ties=ties
    )
    table = np.array([[25.0, 9.0], [15.0, 11.0], [20.0, 40.0]])
    used = table if fit.rule.counts_ties else table * [[1.0], [1.0], [0.0]]

    draws = solve_tables(fit, given(used[:, None, :]))

    gap = draws.log_odds[:, 0] - draws.log_odds[:, 1]
    win, loss, tie = used
    if fit.rule.parameter:
        shares = np.exp(fit.rule.log_p(gap, draws.tie_parameter))
        np.testing.assert_allclose(shares, used / used.sum(axis=0), rtol=1e-8)
    else:
        np.testing.assert_allclose(np.exp(gap), (win + tie / 2) / (loss + tie / 2), rtol=1e-8)


def test_two_cells_are_solved_as_if_alone():
    """A chain of three models, the smallest with an unseen pair."""
    rows = [*won("a", "b", 9), *won("b", "a", 6), *won("b", "c", 5), *won("c", "b", 7)]
    fit = fit_bradley_terry(counted(*rows))

    assert votes_of(fit).shape == (3, 2)
    assert_as_one_by_one(
        fit, votes_of(fit)[:, :, None] * [[[1.0, 2.0]], [[3.0, 1.0]], [[1.0, 1.0]]]
    )


@pytest.mark.parametrize("block", [1, 3, 7, 40, 1_000])
def test_the_size_of_a_block_changes_nothing(block):
    """Blocks of one, of odd sizes, and larger than all tables give the same draws."""
    fit = fit_bradley_terry(count_pairs(battles(6, 120, seed=3)))
    table = whole(bootstrap_votes(fit, rounds=40, seed=0))

    draws = solve_tables(fit, given(table, block))

    once = solve_tables(fit, given(table, 40))
    assert draws.log_odds.shape == (40, len(fit.models))
    np.testing.assert_allclose(draws.log_odds, once.log_odds, rtol=0, atol=1e-9)


@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_the_number_of_cores_changes_nothing(ties, monkeypatch):
    """The same seed gives the same digits on one core and on four."""
    fit = fit_bradley_terry(count_pairs(battles(12, 900, seed=3)), ties=ties)
    drawn = []

    for cores in (1, 4):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        tables = bootstrap_votes(fit, rounds=3_000, seed=5)
        drawn.append(solve_tables(fit, tables))

    assert tables.n_blocks > 1
    np.testing.assert_array_equal(drawn[0].log_odds, drawn[1].log_odds)
    np.testing.assert_array_equal(drawn[0].tie_parameter, drawn[1].tie_parameter)


def test_blocks_cover_all_tables_once():
    """The last block is as short as it has to be."""
    fit = fit_bradley_terry(count_pairs(battles(40, 9_000, seed=3)))

    tables = bootstrap_votes(fit, rounds=501, seed=0)

    sizes = [tables.make(i).shape[2] for i in range(tables.n_blocks)]
    assert len(sizes) > 1
    assert sum(sizes) == 501
    assert set(sizes[:-1]) == {tables.block}


def test_a_block_depends_on_sizes_only():
    """At least one table, at most all, and fewer the more cells there are."""
    assert block_size(10**9, 100) == 1
    assert block_size(1, 100) == 100
    assert block_size(0, 100) == 100
    assert block_size(5_000, 1_000) < block_size(500, 1_000)


@pytest.mark.parametrize("ties", ["half", "drop"])
def test_thin_logs_have_no_table_that_cannot_be_solved(ties):
    """Over many tiny worlds every resample has an answer, if only that there is none."""
    for seed in range(8):
        frame = battles(4, 30, seed=seed)
        fit = fit_bradley_terry(count_pairs(frame), ties=ties, on_separation="drop")

        draws = solve_tables(fit, bootstrap_votes(fit, rounds=100, seed=seed))

        assert draws.log_odds.shape == (100, len(fit.models))


def test_bayesian_weights_leave_every_model_its_bounds():
    """No cell is emptied, so what is finite in the fit is finite in every draw."""
    fit = fit_bradley_terry(counted(*won("a", "b"), *won("b", "c"), *won("c", "a")))

    draws = solve_tables(fit, bayesian_votes(fit, rounds=500, seed=0))

    assert np.isfinite(draws.log_odds).all()


def has_estimate(table, left, right, n_models):
    """Whether some round of results has more wins than ties in it, by shortest paths.

    Along a direction in which the tie parameter and the gaps run away together, a winner moves
    at least one step up from its loser and models that tied move at most one step apart. Steps
    around a circle add up to zero, so such a direction exists exactly if no circle of wins
    (one step down, each) and ties (one step either way) goes down in all.
    """
    steps = np.full((n_models, n_models), np.inf)
    np.fill_diagonal(steps, 0.0)
    for i, j, (win, loss, tie) in zip(left, right, table.T, strict=True):
        for one, other, won_here in ((i, j, win), (j, i, loss)):
            if won_here or tie:
                steps[one, other] = -1.0 if won_here else 1.0
    for k in range(n_models):
        steps = np.minimum(steps, steps[:, [k]] + steps[[k], :])
    return np.diag(steps).min() < 0


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_a_tie_model_has_an_estimate_exactly_if_a_circle_has_more_wins_than_ties(ties):
    """Over many thin tables that compare all models: finite where it exists, else unknown."""
    fit = fit_bradley_terry(count_pairs(battles(3, 400, seed=0)), ties=ties)
    task = problem(fit.counts, fit.rule)
    thin = np.random.default_rng(0).binomial(2, [[[0.4]], [[0.05]], [[0.5]]], size=(3, 3, 300))
    compared = ((thin[0] + thin[2] > 0) & (thin[1] + thin[2] > 0)).sum(axis=0) >= 2
    thin = thin[:, :, compared & (thin[2] > 0).any(axis=0) & (thin[:2] > 0).any(axis=(0, 1))]
    exists = [has_estimate(thin[:, :, b], task.left, task.right, 3) for b in range(thin.shape[2])]

    draws = solve_tables(fit, given(thin.astype(float)))

    assert 20 < sum(exists) < len(exists) - 20
    assert np.isfinite(draws.log_odds).all(axis=1).tolist() == exists
