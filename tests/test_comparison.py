"""Two boards of one log: what changed, how sure that is, and what chance alone would do."""

import itertools

import numpy as np
import polars as pl
import pytest
from scipy import stats
from worlds import battles, log, names, tied, won

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.comparison import COLUMNS, compare
from arena.conditions import multi_turn, random_share
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.filters import select, where
from arena.leaderboard import Scale, build_leaderboard
from arena.tally import count_pairs

N_FILTERS, N_LOGS = 60, 40
"""Simulations of what chance does, and of what intervals hold: a tenth of a second each."""
POINTS = 400 / np.log(10)
LONG = pl.col("turns") >= 2
NUMBERS = ("change", "change_lower", "change_upper", "null_lower", "null_upper", "p_value")


def world(n_battles=800, seed=0, n_models=5):
    """A log of models of one to three turns, some unknown, and judges; turns change nothing."""
    rng = np.random.default_rng(seed)
    turns = [[1, 2, 3, None][i] for i in rng.integers(0, 4, n_battles)]
    return battles(n_models, n_battles, seed=seed, spread=0.4).with_columns(
        turns=pl.Series(turns), judge=pl.Series([f"j{k}" for k in rng.integers(0, 40, n_battles)])
    )


def quickly(frame, *filters, columns=None, **options):
    """A comparison with few draws, of which the observed part is exact all the same."""
    options = {"draws": 50, "rounds": 50} | options
    return compare(read_battles(frame, columns=columns), *filters or [multi_turn()], **options)


def drawn(strength, pair, rng):
    """Votes on pairs [n, 2] of models whose strengths are [n, m] when they meet; a fifth tie."""
    here = np.arange(len(pair))
    gap = strength[here, pair[:, 0]] - strength[here, pair[:, 1]]
    left = rng.random(len(pair)) < 1 / (1 + np.exp(-gap))
    winner = np.where(rng.random(len(pair)) < 0.2, "tie", np.where(left, "model_a", "model_b"))
    label = np.array(names(strength.shape[1]))
    return pl.DataFrame(
        {"model_a": label[pair[:, 0]], "model_b": label[pair[:, 1]], "winner": winner}
    )


def pairs(n_models, n, rng):
    """Pairs of different models [n, 2], all as likely."""
    left, apart = rng.integers(0, n_models, n), rng.integers(1, n_models, n)
    return np.stack([left, (left + apart) % n_models], axis=1)


def about(n, share, p=0.001):
    """How many of n may reasonably be found where a share is expected."""
    low, high = stats.binom(n, share).ppf([p, 1 - p])
    return range(int(low), int(high) + 1)


@pytest.fixture(scope="module")
def plain():
    """What is found in the world, asked nothing special."""
    return quickly(world())


# ── by chance ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def by_chance():
    """One world, and a random part of its votes held against all of them, time and again."""
    given = read_battles(battles(8, 3_000, seed=1))
    return [
        compare(given, random_share(0.5, seed), draws=199, rounds=2, seed=seed)
        for seed in range(N_FILTERS)
    ]


def test_a_board_moved_by_chance_is_called_moved_as_often_as_the_level_says(by_chance):
    """Its p-value is uniform, and below 0.05 in one of twenty."""
    p = np.array([one.p_board for one in by_chance])

    # Values are multiples of 1/200; within each step, uniform noise makes them continuous.
    spread = p - np.random.default_rng(0).random(p.size) / 200
    assert stats.kstest(spread, "uniform").pvalue > 0.01
    for alpha in (0.05, 0.1, 0.5, 0.9):
        assert (p <= alpha).sum() in about(p.size, alpha)


def test_a_models_p_value_is_uniform_by_chance_and_the_least_of_them_is_not(by_chance):
    """Each alone keeps its level; of all, only the adjusted ones do."""
    p, adjusted = (
        np.array([one.frame.sort("model")[name].to_list() for one in by_chance])
        for name in ("p_value", "p_adjusted")
    )

    for column in p.T:
        assert stats.kstest(column, "uniform").pvalue > 0.001
        assert (column <= 0.05).sum() in about(len(p), 0.05)
    assert (p.min(axis=1) <= 0.05).mean() > 0.15
    assert (adjusted.min(axis=1) <= 0.05).sum() in about(len(p), 0.05)
    assert adjusted.min(axis=1).tolist() == [one.p_board for one in by_chance]


def test_the_null_interval_holds_what_chance_does(by_chance):
    """Nineteen of twenty changes of each model, and typical ones; of ranks at least so many."""
    frame = pl.concat([one.frame for one in by_chance])
    within = pl.col("change").is_between("null_lower", "null_upper")
    ranks = pl.col("rank_change").is_between("rank_null_lower", "rank_null_upper")
    typical = [
        one.typical_null[1] <= one.typical_change <= one.typical_null[2] for one in by_chance
    ]

    held = frame.group_by("model").agg(within.sum(), ranks.sum().alias("ranks"))

    expected = about(len(by_chance), 0.95)
    assert all(n in expected for n in held["change"])
    assert all(n >= expected[0] for n in held["ranks"])
    assert sum(typical) in expected


def test_a_change_that_was_planted_is_found():
    """One model does worse in long conversations: the board says so, and which one it is."""
    rng = np.random.default_rng(3)
    n, long = 3_000, rng.random(3_000) < 0.4
    strength = np.tile(rng.normal(0, 0.5, 6), (n, 1))
    strength[long, 4] -= 0.7
    frame = drawn(strength, pairs(6, n, rng), rng).with_columns(turns=pl.Series(1 + long))

    found = quickly(frame, draws=999, rounds=999)

    planted = names(6)[4]
    row = found.frame.row(by_predicate=pl.col("model") == planted, named=True)
    assert found.p_board == row["p_adjusted"] == row["p_value"] == 1 / 1_000
    assert row["change"] < row["change_upper"] < row["null_lower"] < 0
    assert found.frame.sort("change")["model"][0] == planted
    assert found.typical_change > found.typical_null[2]


# ── the interval of a change ───────────────────────────────────────────────────────────────


def influence(points, kept, against):
    """What each vote does to half the difference of two logits, to first order.

    A logit of the mean p of n votes moves by (s - p) / (n p (1 - p)) for a vote worth s.
    """

    def of(inside):
        n, p = inside.sum(), points[inside].mean()
        return np.where(inside, points - p, 0.0) / (n * p * (1 - p))

    base = of(np.ones_like(kept)) if against == "all" else of(~kept)
    return (of(kept) - base) / 2, np.stack([of(kept), base]) / 2


def duel(n=900, n_judges=90, seed=5):
    """Points of a against b vote by vote, which votes are kept, their judges, and the log."""
    rng = np.random.default_rng(seed)
    judge = rng.integers(0, n_judges, n)
    taste, kept = rng.normal(0, 1.5, n_judges)[judge], rng.random(n_judges)[judge] < 0.6
    level = rng.random(n) < 0.3
    points = np.where(level, 0.5, rng.random(n) < 1 / (1 + np.exp(-0.5 - taste)))
    frame = pl.DataFrame({"winner": points}).select(
        pl.lit("a").alias("model_a"),
        pl.lit("b").alias("model_b"),
        pl.col("winner").replace_strict({1.0: "model_a", 0.0: "model_b", 0.5: "tie"}),
        turns=pl.Series(1 + kept),
        judge=pl.Series([f"j{k}" for k in judge]),
    )
    return points, kept, judge, frame


def half_width(found):
    """Of the interval of a's change, in normal standard errors and log-odds."""
    row = found.frame.row(by_predicate=pl.col("model") == "a", named=True)
    return (row["change_upper"] - row["change_lower"]) / 2 / stats.norm.ppf(0.975) / POINTS


@pytest.mark.parametrize("against", ["all", "rest"])
def test_the_interval_of_two_models_is_the_sandwichs(against):
    """The joint bootstrap is as wide as what all votes do to the change, squared and added up."""
    points, kept, _, frame = duel()
    of_vote, of_boards = influence(points, kept, against)

    found = quickly(frame, against=against, draws=1, rounds=4_000)

    error, apart = np.sqrt((of_vote**2).sum()), np.sqrt((of_boards**2).sum())
    assert half_width(found) == pytest.approx(error, rel=0.05)
    # Votes in common move both boards, so that less is left of the difference.
    assert (error < 0.75 * apart) == (against == "all")
    if against == "rest":
        assert error == pytest.approx(apart)


@pytest.mark.parametrize("against", ["all", "rest"])
def test_the_interval_by_judge_is_the_cluster_sandwichs(against):
    """With tastes it is wider: what a judge's votes do is added before it is squared."""
    points, kept, judge, frame = duel()
    of_vote, _ = influence(points, kept, against)

    found = quickly(frame, against=against, cluster="judge", draws=1, rounds=4_000)

    error = np.sqrt((np.bincount(judge, of_vote) ** 2).sum())
    assert half_width(found) == pytest.approx(error, rel=0.05)
    assert error > 1.3 * np.sqrt((of_vote**2).sum())


def test_judges_without_tastes_widen_nothing():
    """Votes dealt to judges at random vary as votes do."""
    frame = world(3_000)

    plain, judged = (quickly(frame, cluster=c, draws=1, rounds=600) for c in (None, "judge"))

    wide = [one.frame["change_upper"] - one.frame["change_lower"] for one in (plain, judged)]
    assert (wide[1] / wide[0]).mean() == pytest.approx(1.0, abs=0.15)


def expected_strengths(strength, share, of_kinds):
    """The fit to expected votes: pairs of all models [m, m] have a `share` of the second kind.

    Args:
        strength: float [2, m], of each kind.
        share: float [m, m].
        of_kinds: how much of each kind there is on this board.
    """
    label, rows = names(len(share)), []
    for i, j in itertools.permutations(range(len(share)), 2):
        p = 1 / (1 + np.exp(strength[:, j] - strength[:, i]))
        votes = np.array(of_kinds) * [1 - share[i, j], share[i, j]]
        rows.append((label[i], label[j], 0.8 * votes @ p, 0.8 * votes @ (1 - p), 0.2 * votes.sum()))
    columns = ["model_a", "model_b", "wins_a", "wins_b", "ties"]
    return fit_bradley_terry(count_pairs(pl.DataFrame(rows, columns, orient="row"))).log_odds


def test_intervals_hold_the_true_change_as_often_as_they_say():
    """Strengths differ in long conversations: 95 % of intervals hold what votes without end show.

    Pairs differ in how often they have long ones, so that the truth, which is the difference of
    the fits to expected votes, is no mere difference of strengths.
    """
    rng = np.random.default_rng(8)
    m, n, held = 4, 900, []
    strength, share = rng.normal(0, 0.6, (2, m)), rng.uniform(0.2, 0.8, (m, m))
    kept, every = (expected_strengths(strength, share, of) for of in ((0, 1), (1, 1)))
    truth = POINTS * (kept - every)

    for seed in range(N_LOGS):
        met = pairs(m, n, rng)
        long = rng.random(n) < share[met[:, 0], met[:, 1]]
        frame = drawn(strength[long.astype(int)], met, rng).with_columns(turns=pl.Series(1 + long))
        found = quickly(frame, draws=1, rounds=199, seed=seed).frame.sort("model")
        held.append(pl.Series(truth).is_between(found["change_lower"], found["change_upper"]))

    assert np.abs(truth).max() > 20
    covered = np.array(held)
    assert all(hits in about(N_LOGS, 0.95) for hits in covered.sum(axis=0))
    # The changes of four models are three numbers.
    assert int(covered.mean() * 3 * N_LOGS) in about(3 * N_LOGS, 0.95)


# ── what a stratum explains ────────────────────────────────────────────────────────────────


def test_within_takes_away_what_a_stratum_explains():
    """Long conversations are German ones, and Germans vote otherwise: turns have no part in it."""
    rng = np.random.default_rng(2)
    n, n_logs, found = 1_500, 10, {(): [], ("language",): []}
    strength = 0.8 * np.array([[-1.0, -0.5, 0.0, 0.5, 1.0], [0.0, 0.5, -0.5, 1.0, -1.0]])
    for seed in range(n_logs):
        german = rng.random(n) < 0.5
        long = rng.random(n) < np.where(german, 0.8, 0.2)
        frame = drawn(strength[german.astype(int)], pairs(5, n, rng), rng).with_columns(
            turns=pl.Series(1 + long), language=pl.Series(np.where(german, "de", "en"))
        )
        for within, p in found.items():
            one = quickly(frame, within=within, draws=199, rounds=2, seed=seed)
            p.append(one.p_board)

    plain, explained = (np.array(p) for p in found.values())
    assert plain.max() <= 0.01
    assert (explained <= 0.05).sum() in about(n_logs, 0.05)
    assert (explained <= 0.5).sum() in about(n_logs, 0.5)


def test_strata_change_nothing_but_the_placebo(plain):
    """Neither the boards nor the intervals of their changes."""
    strata = quickly(world(), within=["judge"])

    for name, kind in COLUMNS.items():
        one, other = (each.frame[name] for each in (plain, strata))
        if "null" in name:
            assert one.to_list() != other.to_list()
        elif kind == pl.Float64() and not name.startswith("p_"):
            np.testing.assert_allclose(one, other, atol=1e-6)
        elif not name.startswith("p_"):
            assert one.to_list() == other.to_list()


def test_one_stratum_is_none():
    """Draw for draw."""
    frame = world().with_columns(language=pl.lit("en"))

    plain, strata = (quickly(frame, within=within) for within in ((), ("language",)))

    assert plain.frame.rows() == strata.frame.rows()
    assert plain.p_board == strata.p_board


# ── what the frame says ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("against", ["all", "rest"])
def test_the_boards_are_those_of_logs_of_their_own(against):
    """Votes whose turns are unknown are not kept, and so among the rest."""
    frame = world()
    kept = frame.filter(LONG)
    base = frame if against == "all" else frame.filter(LONG.not_().fill_null(value=True))

    found = quickly(frame, against=against)

    for board, votes in ((found.base, base), (found.kept, kept)):
        expected = build_leaderboard(fit_bradley_terry(count_pairs(votes)))
        assert board.frame.rows() == expected.frame.rows()
    assert found.frame["battles_base"].sum() == 2 * base.height
    assert found.frame["battles_kept"].sum() == 2 * kept.height
    assert (found.against, found.options["against"]) == (against, against)


@pytest.mark.parametrize("against", ["all", "rest"])
def test_a_row_says_how_a_model_stands_on_both_boards(against):
    """Ratings, ranks, records and changes, each recounted; the best of the base board first."""
    frame = world()
    kept = frame.filter(LONG)
    base = frame if against == "all" else frame.filter(LONG.not_().fill_null(value=True))

    found = quickly(frame, against=against)

    ratings = [dict(one.frame.select("model", "rating").rows()) for one in (found.base, found.kept)]
    places = [sorted(one, key=one.get, reverse=True) for one in ratings]
    assert found.frame.columns == list(COLUMNS)
    assert found.frame["model"].to_list() == places[0]
    for row in found.frame.iter_rows(named=True):
        model = row["model"]
        assert row["rating_base"] == pytest.approx(ratings[0][model], abs=1e-6)
        assert row["rating_kept"] == pytest.approx(ratings[1][model], abs=1e-6)
        assert row["change"] == pytest.approx(row["rating_kept"] - row["rating_base"], abs=1e-6)
        assert (row["rank_base"], row["rank_kept"]) == tuple(p.index(model) + 1 for p in places)
        assert row["rank_change"] == row["rank_base"] - row["rank_kept"]
        assert row["change_lower"] < row["change"] < row["change_upper"]
        assert row["null_lower"] < 0 < row["null_upper"]
        assert row["note"] is None
        for name, votes in (("base", base), ("kept", kept)):
            left, right = votes.filter(model_a=model), votes.filter(model_b=model)
            met = left.height + right.height
            points = left.filter(winner="model_a").height + right.filter(winner="model_b").height
            level = pl.col("winner").is_in(["tie", "both_bad"])
            points += 0.5 * (left.filter(level).height + right.filter(level).height)
            assert row[f"battles_{name}"] == met
            assert row[f"win_rate_{name}"] == pytest.approx(points / met)
    assert (found.frame["rank_change"] != 0).any()


def test_types_are_those_of_the_table_and_votes_are_whole_where_they_can_be(plain):
    """Weights make fractions of them, and of nothing else that is counted."""
    frame = world().with_columns(w=pl.Series([0.3, 1.0] * 400))

    weighted = quickly(frame, columns={"weight": "w"})

    kinds = dict(COLUMNS)
    assert dict(weighted.frame.schema) == kinds
    assert dict(plain.frame.schema) == kinds | {
        "battles_base": pl.Int64(),
        "battles_kept": pl.Int64(),
    }


def test_the_typical_change_is_the_root_mean_square():
    """Of the changes seen; by chance, with the quantiles of its draws around the median."""
    found = quickly(world(), draws=300)

    typical, low, high = found.typical_null
    assert found.typical_change == pytest.approx(np.sqrt((found.frame["change"] ** 2).mean()))
    assert 0 < low < typical < high


def test_held_against_the_rest_a_filter_and_its_opposite_are_mirror_images():
    """Of a log that always tells: what one calls a rise is the other's fall."""
    frame = world().drop_nulls("turns")

    one, other = (quickly(frame, f, against="rest") for f in (multi_turn(), ~multi_turn()))

    one, other = (each.frame.sort("model") for each in (one, other))
    np.testing.assert_allclose(one["change"], -other["change"], atol=1e-6)
    assert one["rank_change"].to_list() == (-other["rank_change"]).to_list()
    for name in ("battles", "win_rate"):
        assert one[f"{name}_base"].to_list() == other[f"{name}_kept"].to_list()


def test_held_against_the_rest_boards_lie_further_apart_than_against_all():
    """Twice as far for two models, small changes and half the votes kept."""
    rows = [*won("a", "b", 300), *won("b", "a", 200), *won("a", "b", 310), *won("b", "a", 190)]
    frame = log(*rows).with_columns(turns=pl.Series([1] * 500 + [2] * 500))

    against_all, apart = (quickly(frame, against=one) for one in ("all", "rest"))

    ratio = apart.frame["change"][0] / against_all.frame["change"][0]
    assert ratio == pytest.approx(2.0, rel=0.02)
    assert apart.kept.frame.rows() == against_all.kept.frame.rows()
    assert against_all.p_board == pytest.approx(apart.p_board, abs=0.05)


def test_an_anchor_stays_where_it_is(plain):
    """On both boards, in every draw; changes are of the difference from it."""
    held = quickly(world(), scale=Scale(anchor=("m003", 1200.0)))

    anchor = held.frame.row(by_predicate=pl.col("model") == "m003", named=True)
    assert anchor["rating_base"] == anchor["rating_kept"] == 1200.0
    assert [anchor[name] for name in NUMBERS] == [0, 0, 0, 0, 0, 1]
    before, after = (one.frame.sort("model")["change"].to_numpy() for one in (plain, held))
    np.testing.assert_allclose(after, before - before[3], atol=1e-6)
    ranks = [one.frame.sort("model")["rank_change"].to_list() for one in (plain, held)]
    assert ranks[0] == ranks[1]


def test_a_scale_multiplies_changes_and_their_intervals(plain):
    """Points for odds of base to one: a change of a scale is no change of a board."""
    nats = quickly(world(), scale=Scale(points=1, base=np.e, init=0))

    for name in NUMBERS[:-1]:
        np.testing.assert_allclose(plain.frame[name], POINTS * nats.frame[name], atol=1e-6)
    assert plain.p_board == nats.p_board
    np.testing.assert_allclose(plain.typical_null, POINTS * np.array(nats.typical_null))


# ── models that one board lacks ────────────────────────────────────────────────────────────


def lasting(turns, *rows):
    """Battles with so many turns."""
    return log(*rows).with_columns(turns=pl.lit(turns, pl.Int64))


@pytest.fixture(scope="module")
def uneven():
    """Boards of which c is never kept, d always, e lost when kept, and f lost when not."""
    extra = [
        lasting(1, *won("c", "m000", 3), *won("m000", "c", 2)),
        lasting(2, *won("d", "m000", 30), *won("m000", "d", 20)),
        lasting(2, *won("m001", "e", 3)),
        lasting(1, *won("e", "m001", 3), *won("m002", "f", 4)),
        lasting(2, *won("m002", "f", 30), *won("f", "m002", 32)),
    ]
    frame = pl.concat([world().select("model_a", "model_b", "winner", "turns"), *extra])
    return {against: quickly(frame, against=against) for against in ("all", "rest")}


NEVER_LOST, NEVER_WON = (
    "not rated in the base: never lost (3 battles)",
    "not rated among the kept: never won (3 battles)",
)
NOTES = {
    ("all", "c"): "no vote is kept",
    ("all", "d"): None,
    ("all", "e"): NEVER_WON,
    ("all", "f"): None,
    ("rest", "c"): "no vote is kept",
    ("rest", "d"): "every vote is kept",
    ("rest", "e"): f"{NEVER_LOST}; {NEVER_WON}",
    ("rest", "f"): "not rated in the base: never won (4 battles)",
}
JUDGED = ("change_lower", "change_upper", "null_lower", "null_upper", "p_value", "p_adjusted")
PLACED = ("rank_base", "rank_kept", "rank_change")


@pytest.mark.parametrize(("against", "model"), NOTES)
def test_a_model_that_one_board_lacks_has_no_place_and_a_note(uneven, against, model):
    """Nothing is said of its change, and what is known of its votes is."""
    row = uneven[against].frame.row(by_predicate=pl.col("model") == model, named=True)

    note = NOTES[against, model]
    assert row["note"] == note
    for name in (*JUDGED, *PLACED):
        assert (row[name] is None) == (note is not None)
    assert (row["rating_base"] is None) == (against == "rest" and model != "c")
    assert (row["battles_kept"], row["win_rate_kept"]) == {
        "c": (0, None),
        "d": (50, 0.6),
        "e": (3, 0.0),
        "f": (62, 32 / 62),
    }[model]


@pytest.mark.parametrize(("against", "n_shared"), [("all", 7), ("rest", 5)])
def test_the_others_are_compared_among_themselves(uneven, against, n_shared):
    """Their places leave no gap, their changes have mean zero, and unrated models come last."""
    frame = uneven[against].frame

    shared = frame.drop_nulls("rank_base")
    assert shared.height == n_shared
    assert sorted(shared["rank_base"]) == sorted(shared["rank_kept"]) == [*range(1, n_shared + 1)]
    assert shared["change"].mean() == pytest.approx(0.0, abs=1e-6)
    assert shared["rating_base"].is_sorted(descending=True)
    rated = frame["rating_base"].is_not_null()
    assert rated.to_list() == sorted(rated, reverse=True)


def test_an_interval_that_draws_without_an_estimate_reach_has_no_end():
    """Of two wins and two losses, a resample loses all of either too often to leave a bound."""
    few = lasting(2, *won("g", "m000", 2), *won("m000", "g", 2))
    frame = pl.concat([world().select("model_a", "model_b", "winner", "turns"), few])

    found = quickly(frame).frame

    row = found.row(by_predicate=pl.col("model") == "g", named=True)
    assert row["note"] is None
    assert None not in (row["change"], row["rank_change"], row["p_value"])
    for name in ("change", "rank_change"):
        assert row[f"{name}_lower"] is row[f"{name}_upper"] is None
    assert found.filter(pl.col("model") != "g").drop("note").null_count().sum_horizontal()[0] == 0


@pytest.mark.parametrize("against", ["all", "rest"])
def test_no_change_is_infinite(uneven, against):
    """What a model's votes leave open is null, on whichever board they do."""
    frame = uneven[against].frame

    for name in ("change", "rating_kept"):
        assert frame[name].drop_nulls().is_finite().all()
        assert frame.filter(model="e")[name].to_list() == [None]


def test_boards_that_share_fewer_than_two_models_cannot_be_compared():
    """Each is a board, but there is nothing to compare."""
    two = [*won("a", "b"), *won("b", "a")], [*won("b", "c"), *won("c", "b")]
    frame = pl.concat([lasting(2, *two[0]), lasting(1, *two[1])])

    with pytest.raises(NoEstimateError, match="no two models are rated by both boards"):
        quickly(frame, against="rest")


# ── the same votes, told otherwise ─────────────────────────────────────────────────────────


def told(found):
    """All that a comparison found."""
    return found.frame.rows(), found.p_board, found.typical_change, found.typical_null


def test_one_seed_finds_the_same_again(plain):
    """Another draws others, and changes nothing of what was observed."""
    again, other = (quickly(world(), seed=seed) for seed in (0, 2))

    assert told(plain) == told(again)
    assert plain.frame["change"].to_list() == other.frame["change"].to_list()
    for name in ("change_lower", "null_lower"):
        assert plain.frame[name].to_list() != other.frame[name].to_list()


def test_more_confidence_is_a_wider_interval_in_the_same_draws():
    """Of changes and of what chance does."""
    frame = world()

    narrow, wide = (quickly(frame, level=level).frame for level in (0.5, 0.9))

    for name in ("change", "null"):
        assert (wide[f"{name}_lower"] < narrow[f"{name}_lower"]).all()
        assert (wide[f"{name}_upper"] > narrow[f"{name}_upper"]).all()


def test_votes_of_one_log_or_of_three_on_either_side_are_the_same_votes(plain):
    """Neither files nor sides nor rows that stand for several votes make a difference."""
    frame = world()
    repeated = frame.with_columns(n=pl.Series([1, 2, 3, 4] * 200))
    one_by_one = repeated.select(pl.all().repeat_by("n").explode())
    turned = frame.with_columns(
        model_a="model_b",
        model_b="model_a",
        winner=pl.col("winner").replace({"model_a": "model_b", "model_b": "model_a"}),
    )

    assert told(quickly([frame[:99], frame[99:400], frame[400:]])) == told(plain)
    assert told(quickly(turned)) == told(plain)
    counted = quickly(repeated, columns={"votes": "n"}, cluster="judge")
    assert told(counted) == told(quickly(one_by_one, cluster="judge"))


def test_what_every_vote_weighs_does_not_matter(plain):
    """Only that some weigh more than others does."""
    frame = world().with_columns(two=pl.lit(2.0), w=pl.Series([0.5, 1.5] * 400))

    doubled, mixed = (quickly(frame, columns={"weight": name}) for name in ("two", "w"))

    for name in NUMBERS:
        np.testing.assert_allclose(plain.frame[name], doubled.frame[name], atol=1e-6)
    assert np.abs(plain.frame["change"] - mixed.frame["change"]).max() > 0.1


def test_conditions_that_battles_have_hold_for_both_boards():
    """What they drop is in neither, and in the funnel before the filters that are compared."""
    frame = world()
    judges = where("judges below j3", pl.col("judge") < "j3")
    given = select(read_battles(frame), judges).kept

    found = compare(given, multi_turn(), against="rest", cluster="judge", draws=50, rounds=50)

    some = frame.filter(pl.col("judge") < "j3")
    assert told(found) == told(quickly(some, against="rest", cluster="judge"))
    assert found.tally.funnel["condition"].to_list() == ["judges below j3", "turns >= 2"]
    assert found.tally.funnel["before"].to_list() == [frame.height, some.height]
    assert found.options["filters"] == ["turns >= 2"]


def test_several_filters_are_compared_together():
    """A vote is kept that meets them all."""
    frame = world()
    judges = where("judges below j3", pl.col("judge") < "j3")

    found = quickly(frame, multi_turn(), judges)

    both = quickly(frame, where("both", LONG & (pl.col("judge") < "j3")))
    assert told(found) == told(both)
    assert found.tally.counts.n_battles == found.frame["battles_kept"].sum() / 2


@pytest.mark.parametrize("ties", ["drop", "rao-kupper", "davidson"])
def test_a_tie_is_worth_the_same_on_both_boards_and_in_all_draws(ties):
    """Changes are between fits under one rule."""
    frame = world()

    found = quickly(frame, ties=ties)

    base, kept = (
        fit_bradley_terry(count_pairs(votes), ties=ties).log_odds
        for votes in (frame, frame.filter(LONG))
    )
    shown = found.frame.sort("model")
    np.testing.assert_allclose(shown["change"], POINTS * (kept - base), atol=1e-5)
    assert (shown["change_lower"] < shown["change"]).all()
    assert (shown["null_lower"] < 0).all()


# ── refusing ───────────────────────────────────────────────────────────────────────────────

REFUSED = {
    "no filter": ({"filters": ()}, OptionError, "compare: no filter, so nothing to compare"),
    "nothing dropped": (
        {"filters": [where("any", pl.col("winner") != "x")]},
        OptionError,
        "compare: the filters drop no vote",
    ),
    "nothing left": (
        {"filters": [multi_turn(9)]},
        NoEstimateError,
        "'turns >= 9' drops all 800 votes that are left; there are turns from 1 to 3",
    ),
    "column": (
        {"filters": [where("x", pl.col("is_code"))]},
        ColumnError,
        "no column 'is_code', which the filter 'x' needs",
    ),
    "against": ({"against": "none"}, OptionError, "against: 'none' is not one of all, rest"),
    "within": ({"within": ["country"]}, ColumnError, "within: no column 'country'"),
    "cluster": ({"cluster": "user"}, ColumnError, "no column 'user' to cluster by"),
    "draws": ({"draws": 0}, OptionError, "draws: 0 is not a number of at least 1"),
    "rounds": ({"rounds": 0}, OptionError, "rounds: 0 is not a number of at least 1"),
    "level": ({"level": 1.0}, OptionError, "level: 1.0 is not between 0 and 1"),
    "ties": ({"ties": "both"}, OptionError, "ties: 'both' is not one of half, drop"),
    "anchor": (
        {"scale": Scale(anchor=("m03", 1000.0))},
        OptionError,
        "anchor: no model 'm03' in these votes; did you mean m003",
    ),
}


@pytest.mark.parametrize(("options", "kind", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compared_is_refused(options, kind, message):
    """In one line that names the culprit."""
    asked = {"filters": [multi_turn()], "draws": 5, "rounds": 5} | options
    filters = asked.pop("filters")

    with pytest.raises(kind) as raised:
        compare(read_battles(world()), *filters, **asked)

    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_ties_everywhere_move_nothing():
    """Where all votes are alike every part of them is like every other."""
    rows = [*tied("a", "b", 30), *tied("b", "c", 30)]
    frame = log(*rows).with_columns(turns=pl.Series([1, 2, 2] * 20))

    found = quickly(frame)

    assert found.p_board == 1.0
    assert found.frame["p_value"].to_list() == found.frame["p_adjusted"].to_list() == [1.0] * 3
    np.testing.assert_allclose(found.frame.select(NUMBERS[:-1]).to_numpy(), 0.0, atol=1e-6)
