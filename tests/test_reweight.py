"""Votes that weigh differently: by their pair, by how it was sampled, by a column."""

import numpy as np
import polars as pl
import pytest
from worlds import battles, counted, log, tied, won

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.counts import read_propensities, reweight_pairs, reweight_propensity
from arena.covariance import estimate_covariance, meat_of
from arena.errors import ColumnError, NoEstimateError, OptionError, ReadError
from arena.leaderboard import build_leaderboard
from arena.pipeline import rate
from arena.tally import count_pairs
from arena.ties import TIE_RULES
from arena.uncertainty import Interval

POINTS = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "both_bad": 0.5}


def met(frame):
    """Unordered pair → votes, one by one."""
    found = {}
    for left, right, _ in frame.select("model_a", "model_b", "winner").iter_rows():
        pair = frozenset((left, right))
        found[pair] = found.get(pair, 0) + 1
    return found


def scaled(frame, weight):
    """Weights of the votes, one by one, scaled to mean one."""
    by_vote = np.array([weight(frozenset(row[:2])) for row in frame.iter_rows()])
    return by_vote / by_vote.mean()


def assert_weights(counts, frame, by_vote):
    """Each ordered pair's outcomes and squares are its votes' weights, written out."""
    outcomes, squares = np.zeros_like(counts.outcomes), np.zeros_like(counts.outcomes)
    place = {pair: i for i, pair in enumerate(map(tuple, counts.pairs.tolist()))}
    kinds = list(POINTS)
    for (left, right, winner), weight in zip(frame.iter_rows(), by_vote, strict=True):
        row = place[counts.models.index(left), counts.models.index(right)]
        outcomes[row, kinds.index(winner)] += weight
        squares[row, kinds.index(winner)] += weight**2
    np.testing.assert_allclose(counts.outcomes, outcomes, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(counts.squares, squares, rtol=1e-10, atol=1e-12)


def sandwich_by_vote(frame, fit, by_vote):
    """The sandwich under the half rule: the sum over votes of weight² score score'."""
    m = len(fit.models)
    meat = np.zeros((m, m))
    for (left, right, winner), weight in zip(frame.iter_rows(), by_vote, strict=True):
        i, j = fit.models.index(left), fit.models.index(right)
        score = np.zeros(m)
        p = 1 / (1 + np.exp(fit.log_odds[j] - fit.log_odds[i]))
        score[i], score[j] = POINTS[winner] - p, p - POINTS[winner]
        meat += weight**2 * np.outer(score, score)
    inverse = np.linalg.pinv(fit.hessian)
    return inverse @ meat @ inverse


@pytest.mark.parametrize("at_least", [1.0, 30.0, 50.0, 10_000.0])
def test_a_vote_weighs_one_over_its_pairs_votes(at_least):
    """1 / max(votes of the pair, floor), both orders of a pair together, scaled to mean one."""
    frame = battles(6, 500, seed=3)
    pairs = met(frame)
    assert min(pairs.values()) < 30 < max(pairs.values())

    counts = reweight_pairs(count_pairs(frame), at_least)

    assert_weights(counts, frame, scaled(frame, lambda pair: 1 / max(pairs[pair], at_least)))


def test_the_floor_is_fifty_votes():
    """As in LMArena's rule."""
    counts = count_pairs(battles(6, 900, seed=3))

    np.testing.assert_array_equal(
        reweight_pairs(counts).outcomes, reweight_pairs(counts, 50.0).outcomes
    )


def test_above_the_floor_every_pair_counts_the_same():
    """Without a floor, the weights of a pair's votes sum to the same for all pairs."""
    counts = reweight_pairs(count_pairs(battles(5, 900, seed=3)), at_least=1.0)

    sums = {}
    for (i, j), outcomes in zip(counts.pairs.tolist(), counts.outcomes, strict=True):
        pair = frozenset((i, j))
        sums[pair] = sums.get(pair, 0.0) + outcomes.sum()
    assert list(sums.values()) == pytest.approx([900 / len(sums)] * len(sums))


def test_below_the_floor_nothing_changes():
    """Where no pair has fifty votes all weigh the same, namely one."""
    counts = count_pairs(battles(8, 300, seed=3))

    weighted = reweight_pairs(counts, at_least=1_000.0)

    np.testing.assert_allclose(weighted.outcomes, counts.outcomes, rtol=1e-12)
    np.testing.assert_allclose(weighted.squares, counts.outcomes, rtol=1e-12)


def test_a_single_pair_is_not_moved_by_its_weight():
    """Two models: the odds are those of the points, and the error that of the votes."""
    counts = counted(*won("x", "y", 30), *won("y", "x", 10), *tied("y", "x", 8))

    fit = fit_bradley_terry(reweight_pairs(counts, 1.0))

    assert np.exp(fit.log_odds[0] - fit.log_odds[1]) == pytest.approx(34 / 14, rel=1e-10)
    plain = fit_bradley_terry(counts)
    np.testing.assert_allclose(estimate_covariance(fit), estimate_covariance(plain), rtol=1e-8)


def test_a_triangle_is_rated_by_its_rates_alone():
    """Repeating one pair's votes a hundred times moves the plain board, and not this one."""
    sides = [*won("a", "b", 6), *won("b", "a", 4), *won("b", "c", 7), *won("c", "b", 3)]
    once = counted(*sides, *won("c", "a", 5), *won("a", "c", 5))
    often = counted(*sides, *won("c", "a", 500), *won("a", "c", 500))

    plain, weighted = (
        [np.asarray(fit_bradley_terry(how(counts)).log_odds) for counts in (once, often)]
        for how in (lambda counts: counts, lambda counts: reweight_pairs(counts, 1.0))
    )

    np.testing.assert_allclose(weighted[0], weighted[1], atol=1e-9)
    assert np.abs(plain[0] - plain[1]).max() > 0.05


def test_both_orders_of_a_pair_are_weighed_alike():
    """Swapping the sides of half of the votes changes nothing."""
    frame = battles(6, 800, seed=4)
    turned = {"model_a": "model_b", "model_b": "model_a"}
    flip = pl.int_range(pl.len()) % 2 == 1
    swapped = frame.select(
        model_a=pl.when(flip).then("model_b").otherwise("model_a"),
        model_b=pl.when(flip).then("model_a").otherwise("model_b"),
        winner=pl.when(flip).then(pl.col("winner").replace(turned)).otherwise("winner"),
    )

    one, other = (
        fit_bradley_terry(reweight_pairs(count_pairs(votes), 20.0)) for votes in (frame, swapped)
    )

    np.testing.assert_allclose(one.log_odds, other.log_odds, atol=1e-10)
    np.testing.assert_allclose(
        estimate_covariance(one), estimate_covariance(other), rtol=1e-8, atol=1e-14
    )


def test_a_vote_weighs_one_over_its_pairs_propensity():
    """Whichever of its two names is given first, and whatever the propensities sum to."""
    frame = battles(5, 600, seed=4)
    rng = np.random.default_rng(0)
    share = {pair: rng.uniform(0.1, 5.0) for pair in sorted(met(frame), key=sorted)}
    given = {tuple(sorted(pair, reverse=i % 2)): p for i, (pair, p) in enumerate(share.items())}

    counts = reweight_propensity(count_pairs(frame), given)

    assert_weights(counts, frame, scaled(frame, lambda pair: 1 / share[pair]))


def test_equal_propensities_change_nothing():
    """Only their ratios matter."""
    counts = count_pairs(battles(4, 300, seed=4))
    models = counts.models
    equal = {(a, b): 0.01 for a in models for b in models if a < b}

    weighted = reweight_propensity(counts, equal)

    np.testing.assert_allclose(weighted.outcomes, counts.outcomes, rtol=1e-12)


@pytest.mark.parametrize("value", [None, 0.0, -0.2, float("nan"), float("inf")])
def test_a_pair_without_a_positive_propensity_is_refused_by_name(value):
    """It met, so it cannot have had no chance to."""
    counts = counted(*won("a", "b"), *won("b", "a"), *tied("b", "c"))
    given = {("a", "b"): 0.5} | ({} if value is None else {("c", "b"): value})

    with pytest.raises(OptionError, match="'b' and 'c' met, and have no positive propensity"):
        reweight_propensity(counts, given)


def test_propensities_of_pairs_that_never_met_are_not_used():
    """A table may list more than the log has."""
    counts = counted(*won("a", "b", 3), *won("b", "a"))

    weighted = reweight_propensity(counts, {("b", "a"): 0.3, ("a", "z"): 0.0})

    np.testing.assert_allclose(weighted.outcomes, counts.outcomes)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_fit_of_reweighted_votes_is_a_fit_of_as_many_votes(ties):
    """Weights of two are votes cast twice: the same strengths, twice the information."""
    rows = [*won("a", "b", 9), *won("b", "a", 5), *won("b", "c", 6), *won("c", "b", 4)]
    rows += [*won("a", "c", 4), *won("c", "a", 3), *tied("a", "c", 4)]
    of_ab = [row for row in rows if set(row[:2]) == {"a", "b"}]
    third = {("a", "b"): 1.0, ("b", "c"): 2.0, ("c", "a"): 2.0}

    weighted = fit_bradley_terry(reweight_propensity(counted(*rows), third), ties=ties)

    repeated = fit_bradley_terry(counted(*rows, *of_ab), ties=ties)
    np.testing.assert_allclose(weighted.log_odds, repeated.log_odds, atol=1e-9)


def test_the_sandwich_of_a_reweighted_fit_is_the_sum_over_votes():
    """Squared weights in the meat, weights in the bread."""
    frame = battles(6, 500, seed=3)
    pairs = met(frame)
    by_vote = scaled(frame, lambda pair: 1 / max(pairs[pair], 20.0))
    fit = fit_bradley_terry(reweight_pairs(count_pairs(frame), 20.0))

    covariance = estimate_covariance(fit)

    np.testing.assert_allclose(
        covariance, sandwich_by_vote(frame, fit, by_vote), rtol=1e-8, atol=1e-12
    )


def test_the_bootstrap_of_a_reweighted_fit_is_close_to_its_sandwich():
    """Votes are drawn, and keep their weights."""
    frame = battles(5, 6_000, seed=3)
    fit = fit_bradley_terry(reweight_pairs(count_pairs(frame)))

    plain, drawn = (
        build_leaderboard(fit, interval=Interval(method)).uncertainty.std_error
        for method in ("sandwich", "bootstrap")
    )

    np.testing.assert_allclose(drawn, plain, rtol=0.1)


def test_reweighting_votes_that_have_weights_multiplies_them():
    """The pair's weight comes on top of the vote's own."""
    frame = battles(5, 400, seed=3).with_columns(w=pl.Series([1.0, 3.0] * 200))
    counts = count_pairs(read_battles(frame, columns={"weight": "w"}))

    weighted = reweight_pairs(counts, 10.0)

    by = weighted.outcomes / np.where(counts.outcomes > 0, counts.outcomes, np.nan)
    assert (np.nanmax(by, axis=1) == pytest.approx(np.nanmin(by, axis=1))) is True
    np.testing.assert_allclose(
        weighted.squares, counts.squares * np.nanmax(by, axis=1)[:, None] ** 2
    )


def test_propensities_are_read_from_a_file(tmp_path):
    """CSV or any other table; an empty cell is no propensity."""
    path = tmp_path / "propensities.csv"
    path.write_text("model_a,model_b,propensity\na,b,0.25\nc,b,\n")

    assert read_propensities(str(path)) == {("a", "b"): 0.25, ("c", "b"): 0.0}


@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        ("model_a,model_b,p", "no column 'propensity'; columns are 'model_a', 'model_b', 'p'"),
        ("left,right,propensity", "no column 'model_a', 'model_b'; columns are 'left', 'right'"),
    ],
)
def test_a_propensity_file_without_its_columns_is_refused(tmp_path, header, lacking):
    """The error names the file, what it lacks and what it has."""
    path = tmp_path / "propensities.csv"
    path.write_text(f"{header}\na,b,0.25\n")

    with pytest.raises(ColumnError, match=lacking) as error:
        read_propensities(str(path))

    assert "propensities.csv" in str(error.value)


def test_a_propensity_file_that_is_not_there_is_refused(tmp_path):
    """As any other file."""
    with pytest.raises(ReadError, match=r"nothing\.csv"):
        read_propensities(str(tmp_path / "nothing.csv"))


def test_several_propensity_tables_are_refused_in_words():
    """There is one; two are the user's mistake, and no traceback."""
    table = pl.DataFrame({"model_a": ["a"], "model_b": ["b"], "propensity": [0.5]})

    with pytest.raises(OptionError, match="propensit"):
        read_propensities([table, table])


@pytest.mark.parametrize("ties", TIE_RULES)
def test_doubling_all_weights_changes_neither_ratings_nor_sandwich_errors(ties):
    """Weights are relative."""
    frame = battles(6, 500, seed=5).with_columns(w=pl.Series([1.0, 0.5, 2.0, 3.0, 1.0] * 100))
    twice = frame.with_columns(pl.col("w") * 2)

    one, other = (rate(votes, columns={"weight": "w"}, ties=ties).frame for votes in (frame, twice))

    for name in ("rating", "std_error", "rating_lower", "rating_upper"):
        np.testing.assert_allclose(one[name], other[name], rtol=1e-8)
    assert one["rank_best"].equals(other["rank_best"])


def test_weights_of_one_are_no_weights():
    """The same board as without the column."""
    frame = battles(6, 500, seed=5)

    plain, ones = rate(frame), rate(frame.with_columns(w=1.0), columns={"weight": "w"})

    np.testing.assert_allclose(plain.frame["rating"], ones.frame["rating"], rtol=1e-12)
    np.testing.assert_allclose(plain.frame["std_error"], ones.frame["std_error"], rtol=1e-12)
    assert plain.frame["battles"].equals(ones.frame["battles"])


def test_a_vote_of_weight_zero_is_no_vote():
    """The board is that of the other votes."""
    frame = battles(6, 500, seed=5).with_columns(w=pl.Series([1.0, 2.0, 0.0, 1.5, 0.0] * 100))

    board = rate(frame, columns={"weight": "w"})

    without = rate(frame.filter(pl.col("w") > 0), columns={"weight": "w"})
    np.testing.assert_allclose(board.frame["rating"], without.frame["rating"], rtol=1e-10)
    np.testing.assert_allclose(board.frame["std_error"], without.frame["std_error"], rtol=1e-10)


def test_weight_zero_ties_no_model_to_the_others():
    """A model whose only loss weighs nothing has never lost."""
    frame = pl.concat(
        [
            battles(4, 300, seed=1).with_columns(w=pl.lit(1.0)),
            log(*won("champion", "m001", 5)).with_columns(w=pl.lit(1.0)),
            log(*won("m001", "champion")).with_columns(w=pl.lit(0.0)),
        ]
    )

    board = rate(frame, columns={"weight": "w"})

    note = board.frame.row(by_predicate=pl.col("model") == "champion", named=True)["note"]
    assert "never lost" in note


def test_a_log_in_which_no_vote_weighs_anything_has_no_estimate():
    """It is refused in words."""
    frame = battles(4, 100, seed=1).with_columns(w=pl.lit(0.0))

    with pytest.raises(NoEstimateError):
        rate(frame, columns={"weight": "w"})


def test_a_log_in_which_no_vote_weighs_anything_cannot_be_reweighted_either():
    """It is refused in the same words, without a warning from the arithmetic."""
    frame = battles(4, 100, seed=1).with_columns(w=pl.lit(0.0))

    with pytest.raises(NoEstimateError):
        rate(frame, columns={"weight": "w"}, reweight=reweight_pairs)


@pytest.mark.parametrize("value", [-1.0, None, float("nan"), float("inf")])
def test_a_weight_that_is_no_weight_is_refused(value):
    """Negative, empty or not finite: the error counts the rows."""
    weights = pl.Series([1.0] * 57 + [value] * 3, dtype=pl.Float64)
    frame = battles(4, 60, seed=1).with_columns(w=weights)

    with pytest.raises(ColumnError, match=r"weight.*3 rows"):
        rate(frame, columns={"weight": "w"})


def test_the_record_of_a_weighted_board_is_kishs_effective_number():
    """Votes of weights 1 and 3 that tell the same count as (1 + 3)² / (1 + 9)."""
    rows = [*won("a", "b", 2), *won("b", "a", 1)]
    frame = log(*rows).with_columns(w=pl.Series([1.0, 3.0, 2.0]))

    board = rate(frame, columns={"weight": "w"})

    row = board.frame.row(by_predicate=pl.col("model") == "a", named=True)
    assert row["wins"] == pytest.approx(16 / 10)
    assert row["losses"] == pytest.approx(1.0)
    assert row["battles"] == pytest.approx(2.6)


def test_the_meat_of_weighted_votes_is_not_that_of_rounded_ones():
    """Three votes of weight a third say as much as one vote, and spread a third as much."""
    frame = log(*won("a", "b", 6), *won("b", "a", 3)).with_columns(w=pl.lit(1 / 3))
    counts = count_pairs(read_battles(frame, columns={"weight": "w"}))

    fit = fit_bradley_terry(counts)

    p = 2 / 3
    squares = (6 * (1 - p) ** 2 + 3 * p**2) / 9
    assert meat_of(fit)[0, 0] == pytest.approx(squares, rel=1e-9)
