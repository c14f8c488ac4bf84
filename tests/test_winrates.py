"""Who wins how often against whom: counted, predicted, and how sure the order is."""

from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from worlds import battles, counted, log, tied, won

from arena.bradley_terry import fit_bradley_terry
from arena.counts import reweight_pairs
from arena.leaderboard import build_leaderboard
from arena.pipeline import rate
from arena.tally import count_pairs
from arena.ties import TIE_RULES
from arena.uncertainty import Interval
from arena.winrates import (
    battle_matrix,
    best_models,
    draws_of,
    observed_win_rates,
    pairs_table,
    predicted_win_rates,
)

COLUMNS = ["model_a", "model_b", "battles", "observed", "predicted", "p_above"]


def tallied(frame, *, counts_ties=True):
    """(model, opponent) → [points, battles that count, battles], vote by vote."""
    found = {}
    for left, right, winner in frame.select("model_a", "model_b", "winner").iter_rows():
        points = {"model_a": 1.0, "model_b": 0.0}.get(winner, 0.5)
        counts = counts_ties or winner in ("model_a", "model_b")
        for pair, mine in (((left, right), points), ((right, left), 1.0 - points)):
            cell = found.setdefault(pair, [0.0, 0, 0])
            cell[0] += mine * counts
            cell[1] += counts
            cell[2] += 1
    return found


@pytest.mark.parametrize("counts_ties", [True, False])
def test_observed_rates_are_points_per_battle(counts_ties):
    """Vote by vote; ties and both-bad are half a point, or no battle at all."""
    frame = battles(7, 400, seed=2)
    counts = count_pairs(frame)

    rates = observed_win_rates(counts, counts_ties=counts_ties)

    found = tallied(frame, counts_ties=counts_ties)
    for i, one in enumerate(counts.models):
        for j, other in enumerate(counts.models):
            points, met, _ = found.get((one, other), (0.0, 0, 0))
            expected = points / met if met else np.nan
            assert rates[i, j] == pytest.approx(expected, nan_ok=True)


def test_models_that_never_met_have_no_observed_rate():
    """Nor has a model against itself, nor a pair that only tied where ties do not count."""
    counts = counted(*won("a", "b", 3), *won("b", "a"), *tied("b", "c", 2))

    with_ties, without = (
        observed_win_rates(counts, counts_ties=counts_ties) for counts_ties in (True, False)
    )

    nan = np.nan
    expected = [[nan, 0.75, nan], [0.25, nan, 0.5], [nan, 0.5, nan]]
    np.testing.assert_array_equal(with_ties, expected)
    np.testing.assert_array_equal(without, [[nan, 0.75, nan], [0.25, nan, nan], [nan, nan, nan]])


def test_the_battle_matrix_counts_both_sides():
    """Whoever stood on the left, and however it ended."""
    frame = battles(6, 500, seed=3)
    counts = count_pairs(frame)

    matrix = battle_matrix(counts)

    found = tallied(frame)
    expected = [[found.get((a, b), [0, 0, 0])[2] for b in counts.models] for a in counts.models]
    np.testing.assert_array_equal(matrix, expected)
    assert matrix.sum() == 2 * frame.height


@pytest.mark.parametrize("ties", ["half", "drop"])
def test_without_a_tie_model_the_predicted_rate_is_the_logistic_of_the_gap(ties):
    """Entry by entry; nobody meets itself."""
    fit = fit_bradley_terry(count_pairs(battles(5, 400, seed=2)), ties=ties)

    rates = predicted_win_rates(fit)

    for i in range(5):
        for j in range(5):
            expected = 1 / (1 + np.exp(fit.log_odds[j] - fit.log_odds[i])) if i != j else np.nan
            assert rates[i, j] == pytest.approx(expected, nan_ok=True)


def test_under_davidson_the_predicted_rate_has_half_of_the_ties():
    """exp(d/2) : exp(-d/2) : nu, written out."""
    fit = fit_bradley_terry(count_pairs(battles(5, 400, seed=2)), ties="davidson")

    rates = predicted_win_rates(fit)

    gap = fit.log_odds[0] - fit.log_odds[3]
    win, loss, tie = np.exp(gap / 2), np.exp(-gap / 2), np.exp(fit.tie_parameter)
    assert rates[0, 3] == pytest.approx((win + tie / 2) / (win + loss + tie), rel=1e-12)


def test_under_rao_kupper_the_predicted_rate_has_half_of_the_ties():
    """1 / (1 + exp(t - d)), and half of what neither side wins."""
    fit = fit_bradley_terry(count_pairs(battles(5, 400, seed=2)), ties="rao-kupper")

    rates = predicted_win_rates(fit)

    gap, threshold = fit.log_odds[0] - fit.log_odds[3], fit.tie_parameter
    win, loss = (1 / (1 + np.exp(threshold - d)) for d in (gap, -gap))
    assert rates[0, 3] == pytest.approx(win + (1 - win - loss) / 2, rel=1e-10)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_two_sides_share_one_point(ties):
    """Predicted and observed rates of i against j and of j against i sum to one."""
    counts = count_pairs(battles(6, 600, seed=5))
    fit = fit_bradley_terry(counts, ties=ties)

    for rates in (predicted_win_rates(fit), observed_win_rates(counts)):
        sums = rates + rates.T

        np.testing.assert_allclose(sums[~np.isnan(sums)], 1.0, rtol=1e-12)


@pytest.mark.parametrize("ties", ["half", "drop"])
def test_every_model_takes_the_points_that_are_predicted(ties):
    """Over its battles, the predicted rates add up to what it took: the score equations."""
    counts = count_pairs(battles(6, 900, seed=5))
    fit = fit_bradley_terry(counts, ties=ties)
    counts_ties = ties == "half"
    observed = observed_win_rates(fit.counts, counts_ties=counts_ties)
    met = battle_matrix(fit.counts)
    if not counts_ties:
        decided = np.zeros_like(met)
        np.add.at(decided, tuple(fit.counts.pairs.T), fit.counts.outcomes[:, :2].sum(axis=1))
        met = decided + decided.T

    predicted = predicted_win_rates(fit)

    taken, expected = (np.nansum(rates * met, axis=1) for rates in (observed, predicted))
    np.testing.assert_allclose(taken, expected, rtol=1e-9)


def test_the_table_of_pairs_is_the_matrices_in_the_order_of_the_board():
    """One row per ordered pair of rated models, best first."""
    frame = battles(6, 700, seed=5)
    board = rate(frame)

    table = pairs_table(board)

    assert table.columns == COLUMNS
    order = board.frame["model"].to_list()
    assert table.select("model_a", "model_b").rows() == [
        (a, b) for a in order for b in order if a != b
    ]
    fit, found = board.fit, tallied(frame)
    predicted = predicted_win_rates(fit)
    for a, b, met, observed, rate_predicted, _ in table.iter_rows():
        points, _, n = found[a, b]
        assert (met, observed) == (n, pytest.approx(points / n))
        assert rate_predicted == predicted[fit.models.index(a), fit.models.index(b)]


def test_the_table_of_pairs_leaves_out_who_is_not_rated():
    """A champion without a rating has no predicted rates."""
    frame = pl.concat([battles(4, 300, seed=1), log(*won("champion", "m001", 9))])

    table = pairs_table(rate(frame))

    assert table.height == 4 * 3
    assert "champion" not in table["model_a"].to_list() + table["model_b"].to_list()


def test_the_table_of_pairs_is_empty_where_nothing_is_known():
    """Pairs that never met have no observed rate, boards without intervals no probability."""
    rows = [*won("a", "b", 3), *won("b", "a"), *won("b", "c", 2), *won("c", "b", 2)]

    table = pairs_table(rate(log(*rows), interval=Interval("none")))

    never = table.filter(model_a="a", model_b="c").row(0, named=True)
    assert (never["battles"], never["observed"]) == (0, None)
    assert never["predicted"] > 0.5
    assert table["p_above"].null_count() == table.height


def test_dropped_ties_are_battles_and_no_observed_points():
    """The rate is that of the rule by which the board was fitted."""
    rows = [*won("a", "b", 3), *won("b", "a"), *tied("a", "b", 4)]

    half, drop = (
        pairs_table(rate(log(*rows), ties=ties)).row(0, named=True) for ties in ("half", "drop")
    )

    assert (half["battles"], half["observed"]) == (8, pytest.approx(5 / 8))
    assert (drop["battles"], drop["observed"]) == (8, pytest.approx(3 / 4))
    assert (half["predicted"], drop["predicted"]) == pytest.approx((5 / 8, 3 / 4))


@pytest.mark.parametrize("method", ["sandwich", "bootstrap"])
def test_the_probability_of_being_above_is_a_share_of_draws(method):
    """Counted over the board's draws, equal draws as half."""
    board = rate(battles(6, 700, seed=5), interval=Interval(method, rounds=200))
    draws = draws_of(board)

    table = pairs_table(board)

    for a, b, p in table.select("model_a", "model_b", "p_above").iter_rows():
        mine, theirs = (draws[:, board.fit.models.index(model)] for model in (a, b))
        assert p == pytest.approx((mine > theirs).mean() + (mine == theirs).mean() / 2)


def test_the_probability_of_being_above_is_that_of_the_normal_gap():
    """Gap over its standard error, through the normal distribution, within simulation error."""
    board = rate(battles(5, 2_000, seed=6))
    covariance, fit = board.uncertainty.covariance, board.fit

    table = pairs_table(board)

    for a, b, p in table.select("model_a", "model_b", "p_above").iter_rows():
        i, j = fit.models.index(a), fit.models.index(b)
        spread = np.sqrt(covariance[i, i] + covariance[j, j] - 2 * covariance[i, j])
        expected = NormalDist().cdf((fit.log_odds[i] - fit.log_odds[j]) / spread)
        # Two thousand draws: a standard error of at most 0.011.
        assert p == pytest.approx(expected, abs=0.05)


def test_either_model_is_above_the_other():
    """The two probabilities sum to one."""
    table = pairs_table(rate(battles(6, 300, seed=5)))

    turned = table.rename({"model_a": "model_b", "model_b": "model_a"})
    both = table.join(turned, on=["model_a", "model_b"], suffix="_turned")
    sums = both.select(pl.col("p_above") + pl.col("p_above_turned")).to_series()
    assert sums.to_list() == pytest.approx([1.0] * table.height)


def test_draws_that_do_not_compare_two_models_say_nothing_of_their_order():
    """A model of one judge is missing from a third of resamples; the rest decide."""
    frame = battles(4, 400, seed=1).with_columns(
        judge=pl.Series([f"j{i % 20:02d}" for i in range(400)])
    )
    solo = log(*won("solo", "m001", 9), *won("m001", "solo", 1)).with_columns(judge=pl.lit("j07"))
    board = rate(pl.concat([frame, solo]), interval=Interval("bootstrap", "judge", rounds=300))
    assert np.isnan(draws_of(board)).any()

    table = pairs_table(board)

    one, other = (
        table.filter(model_a=a, model_b=b)["p_above"].item()
        for a, b in (("solo", "m001"), ("m001", "solo"))
    )
    assert one + other == pytest.approx(1.0)


def test_the_best_models_are_those_that_may_be():
    """Probabilities over draws, most probable first, those under one in a hundred left out."""
    board = rate(battles(8, 900, seed=6))
    draws = draws_of(board)

    best = best_models(board)

    top = np.bincount(draws.argmax(axis=1), minlength=8) / len(draws)
    expected = {
        model: share for model, share in zip(board.fit.models, top, strict=True) if share >= 0.01
    }
    assert best == pytest.approx(expected)
    assert list(best.values()) == sorted(best.values(), reverse=True)


def test_all_of_them_together_are_certain():
    """With no floor the probabilities sum to one; a higher floor names fewer."""
    board = rate(battles(8, 900, seed=6))

    everybody, few = (best_models(board, at_least) for at_least in (0.0, 0.5))

    assert len(everybody) == 8
    assert sum(everybody.values()) == pytest.approx(1.0)
    assert len(few) <= 1


def test_without_intervals_nobody_is_probably_the_best():
    """There is nothing to say it with."""
    board = rate(battles(4, 300), interval=Interval("none"))

    assert best_models(board) == {}
    np.testing.assert_array_equal(draws_of(board), board.fit.log_odds[None, :])


def test_a_reweighted_board_shows_the_battles_that_were_fought():
    """Weights change ratings, not the record."""
    counts = count_pairs(battles(6, 700, seed=5))

    plain, weighted = (
        build_leaderboard(fit_bradley_terry(one)) for one in (counts, reweight_pairs(counts, 1.0))
    )

    record = ["model", "battles", "wins", "losses", "ties"]
    assert not np.allclose(plain.fit.log_odds, weighted.fit.log_odds, atol=1e-3)
    for name in record[1:]:
        one, other = (b.frame.sort("model")[name].to_list() for b in (plain, weighted))
        assert other == pytest.approx(one)
    assert weighted.frame["battles"].dtype == pl.Int64
    np.testing.assert_allclose(battle_matrix(weighted.fit.counts), battle_matrix(counts))
    met = ["model_a", "model_b", "battles", "observed"]
    tables = [
        pairs_table(board).sort("model_a", "model_b").select(met) for board in (plain, weighted)
    ]
    np.testing.assert_allclose(*(table["battles"].to_numpy() for table in tables))
    np.testing.assert_allclose(*(table["observed"].to_numpy() for table in tables))
