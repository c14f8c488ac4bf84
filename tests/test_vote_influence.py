"""The fewest votes whose removal changes an order: by trying all, by refits, and at random."""

from itertools import combinations_with_replacement

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest
from worlds import battles, log, tied, won

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.clusters import count_clusters
from arena.covariance import estimate_covariance
from arena.errors import NoEstimateError, OptionError
from arena.leaderboard import Scale
from arena.random_removal import half_at
from arena.removal_search import (
    predicted_number,
    removable_clusters,
    removable_votes,
    smallest_set,
)
from arena.tally import count_pairs
from arena.vote_influence import fewest_votes

POINTS = Scale().per_log_odds


def ranked(fit):
    """Indices of the models, best first."""
    return np.argsort(-fit.log_odds, kind="stable")


def fitted(frame, **options):
    """A fit of a log."""
    return fit_bradley_terry(count_pairs(frame), **options)


def judged(n_battles=120, n_judges=12, seed=0, n_models=4, spread=0.4):
    """A log with judges of unequal diligence."""
    rng = np.random.default_rng(seed)
    judge = rng.choice(n_judges, n_battles, p=rng.dirichlet(np.full(n_judges, 2.0)))
    frame = battles(n_models, n_battles, seed=seed, spread=spread)
    return frame.with_columns(judge=pl.Series([f"j{k:02d}" for k in judge]))


def without(frame, found):
    """The log without the votes of a result: on a pair with an outcome, the first so many."""
    names = {"model_a": "model_b", "model_b": "model_a"}
    rows = frame.with_row_index()
    gone = []
    for row in found.frame.iter_rows(named=True):
        a, b, winner = row["model_a"], row["model_b"], row["winner"]
        same = (pl.col("model_a") == a) & (pl.col("model_b") == b)
        turned = (pl.col("model_a") == b) & (pl.col("model_b") == a)
        if winner == "tie":
            alike = (same | turned) & pl.col("winner").is_in(["tie", "both_bad"])
        else:
            alike = (same & (pl.col("winner") == winner)) | (
                turned & (pl.col("winner") == names[winner])
            )
        of = rows.filter(alike)["index"]
        assert of.len() == row["votes"] >= row["removed"] > 0
        gone += of.head(row["removed"]).to_list()
    return rows.filter(~pl.col("index").is_in(gone)).drop("index")


def gap(fit, model, rival):
    """Log-odds between two models of a fit."""
    return fit.log_odds[fit.models.index(model)] - fit.log_odds[fit.models.index(rival)]


# ── the smallest set ───────────────────────────────────────────────────────────────────────


def by_trying_all(units, upper, lower, most):
    """The fewest units that turn a gap, from every set of up to so many."""
    kinds = range(units.number.size)
    for n in range(1, most + 1):
        sets = [
            np.bincount(chosen, minlength=units.number.size)
            for chosen in combinations_with_replacement(kinds, n)
        ]
        table = np.array([one for one in sets if (one <= units.number).all()], dtype=float).T
        log_odds = units.solve(table)[:, [upper, lower]]
        finite = np.isfinite(log_odds).all(axis=1)
        if (log_odds[finite, 0] - log_odds[finite, 1] < -1e-9).any():
            return n
    return None


@pytest.mark.parametrize("ties", ["half", "davidson"])
def test_no_set_is_smaller_where_all_can_be_tried(ties):
    """On logs of a few votes the set found is as small as that found by trying all."""
    agreed = 0
    for seed in range(2):
        fit = fitted(battles(4, 18, seed=seed, spread=0.6))
        if ties == "davidson" and seed < 2:
            fit = fitted(battles(3, 30, seed=seed, spread=0.3), ties=ties)
        units = removable_votes(fit)
        upper, *rivals = ranked(fit)
        for lower in rivals:
            fewest = by_trying_all(units, upper, lower, 3)
            found = smallest_set(units, upper, lower, units.total - 1)
            number = None if found is None else int(found.sum())
            if fewest is None:
                assert number is None or number > 3
            else:
                assert number == fewest
                agreed += 1
    assert agreed >= 2


def test_no_set_of_judges_is_smaller_where_all_can_be_tried():
    """Of whole clusters, too."""
    agreed = 0
    for seed in range(3):
        clusters = count_clusters(read_battles(judged(seed=seed)), "judge")
        fit = fit_bradley_terry(clusters.counts)
        units = removable_clusters(fit, clusters)
        upper, *rivals = ranked(fit)
        for lower in rivals:
            fewest = by_trying_all(units, upper, lower, 4)
            found = smallest_set(units, upper, lower, units.total - 1)
            if fewest is None:
                assert found is None or found.sum() > 4
            else:
                assert found.sum() == fewest
                agreed += 1
    assert agreed >= 3


def test_two_models_need_the_difference_of_their_wins():
    """Of 60 wins to 40, 21 have to go: 39 to 40; the votes are the winner's."""
    fit = fitted(log(*won("a", "b", 60), *won("b", "a", 40), *tied("a", "b", 30)))

    found = fewest_votes(fit, most=0.9, draws=5)

    assert (found.model, found.rival, found.number) == ("a", "b", 21)
    assert found.frame.drop("effect").rows() == [("a", "b", "model_a", 21, 60)]
    assert found.gap_after == pytest.approx(POINTS * np.log((39 + 15) / (40 + 15)))
    assert (found.total, found.all_votes, found.votes) == (130, 130, 21)
    assert found.share == 21 / 130


@pytest.mark.parametrize("ties", ["half", "drop", "rao-kupper", "davidson"])
def test_what_is_found_is_what_a_log_without_those_votes_gives(ties):
    """By reading the log again without them; and without one of them less it is not enough."""
    frame = battles(5, 900, seed=3, spread=0.3)
    fit = fitted(frame, ties=ties)

    found = fewest_votes(fit, draws=2)

    left = without(frame, found)
    assert left.height == frame.height - found.number
    after = gap(fitted(left, ties=ties), found.model, found.rival)
    assert after < 0
    assert found.gap_after == pytest.approx(POINTS * after, abs=1e-5)
    assert found.gap == pytest.approx(POINTS * gap(fit, found.model, found.rival))
    for row in range(found.frame.height):
        fewer = found.frame.with_columns(
            removed=pl.col("removed") - (pl.int_range(pl.len()) == row).cast(pl.Int64)
        ).filter(pl.col("removed") > 0)
        short = without(frame, type("Part", (), {"frame": fewer}))
        assert gap(fitted(short, ties=ties), found.model, found.rival) > -1e-9


def test_the_exact_number_is_never_above_what_one_greedy_pass_needs():
    """And mostly below what one step predicts, as influences grow when votes go."""
    fewer = 0
    for seed in range(4):
        fit = fitted(battles(6, 600, seed=seed, spread=0.3))
        units = removable_votes(fit)
        upper, lower = ranked(fit)[:2]

        found = smallest_set(units, upper, lower, units.total // 2)

        effect = units.influence(upper, lower)
        removed = np.zeros(units.number.size)
        for kind in np.argsort(effect, kind="stable"):
            for _ in range(units.number[kind]):
                removed[kind] += 1
                log_odds = units.solve(removed[:, None])[0]
                if log_odds[upper] < log_odds[lower] - 1e-9:
                    break
            else:
                continue
            break
        assert found.sum() <= removed.sum()
        fewer += found.sum() < predicted_number(units, upper, lower)
    assert fewer >= 1


def test_an_influence_is_the_slope_of_the_gap():
    """By a difference quotient, on the full board and on one without votes; with a tie rule."""
    fit = fitted(battles(5, 700, seed=1), ties="davidson")
    units = removable_votes(fit)
    upper, lower = ranked(fit)[:2]
    gone = np.floor(units.number * 0.2)

    for base in (None, gone):
        effect = units.influence(upper, lower, base)

        start = np.zeros(units.number.size) if base is None else base
        step = 1e-4 * np.eye(units.number.size)
        ends = [units.solve(start[:, None] + way * step) for way in (1, -1)]
        above, below = (end[:, upper] - end[:, lower] for end in ends)
        np.testing.assert_allclose(effect, (above - below) / 2e-4, rtol=1e-4, atol=1e-8)


def test_a_prior_is_no_vote_and_cannot_be_removed():
    """It stays in every refit."""
    frame = battles(4, 200, seed=2, spread=0.3)
    options = {"on_separation": "prior", "prior": 30.0}
    fit = fitted(frame, **options)

    found = fewest_votes(fit, draws=2)

    assert found.total == 200
    after = gap(fitted(without(frame, found), **options), found.model, found.rival)
    assert found.gap_after == pytest.approx(POINTS * after, abs=1e-5)


def test_the_votes_of_judges_that_go_are_theirs():
    """By reading the log again without them."""
    frame = judged(900, 60, seed=4)
    clusters = count_clusters(read_battles(frame), "judge")
    fit = fit_bradley_terry(clusters.counts)

    found = fewest_votes(fit, clusters, draws=2)

    theirs = pl.col("judge").is_in(found.frame["cluster"].to_list())
    assert found.of == "judge"
    assert found.frame.height == found.number
    assert found.votes == frame.filter(theirs).height == found.frame["votes"].sum()
    after = gap(fitted(frame.filter(~theirs)), found.model, found.rival)
    assert found.gap_after == pytest.approx(POINTS * after, abs=1e-5)
    assert after < 0


def test_a_vote_without_a_judge_is_one_of_its_own():
    """Then judges cost no less than votes."""
    frame = battles(3, 150, seed=5, spread=0.3)
    nobody = frame.with_columns(judge=pl.lit(None, pl.String))

    votes = fewest_votes(fitted(frame), draws=2)
    clusters = count_clusters(read_battles(nobody), "judge")
    judges = fewest_votes(fit_bradley_terry(clusters.counts), clusters, draws=2)

    assert (judges.number, judges.total) == (votes.number, votes.total)
    assert judges.frame["cluster"].null_count() == judges.number


# ── which order ────────────────────────────────────────────────────────────────────────────


def test_the_rival_is_the_one_that_needs_fewest():
    """Which need not be the next on the board."""
    fit = fitted(battles(5, 600, seed=7, spread=0.3))
    units = removable_votes(fit)
    first, *others = ranked(fit)

    found = fewest_votes(fit, most=0.5, draws=2)

    numbers = {fit.models[j]: smallest_set(units, first, j, 300) for j in others}
    fewest = min(one.sum() for one in numbers.values() if one is not None)
    assert found.number == fewest == numbers[found.rival].sum()
    assert found.model == fit.models[first]
    told = dict(found.pairs.select("rival", "number").iter_rows())
    assert told[found.rival] == min(told.values())
    for rival, number in told.items():
        assert number == numbers[rival].sum()


def test_a_named_model_rises_above_another():
    """From below; to ask it of one that stands above is refused."""
    frame = battles(5, 600, seed=7, spread=0.3)
    fit = fitted(frame)
    best, worst = (fit.models[i] for i in ranked(fit)[[0, 3]])

    found = fewest_votes(fit, above=(worst, best), most=0.6, draws=2)

    assert (found.model, found.rival, found.pairs.height) == (best, worst, 1)
    assert found.number > fewest_votes(fit, draws=2).number
    assert gap(fitted(without(frame, found)), best, worst) < 0
    with pytest.raises(OptionError, match=f"'{best}' stands above '{worst}' already"):
        fewest_votes(fit, above=(best, worst))


def test_a_place_is_entered_from_below():
    """Of the first three places the easiest to enter; all of them together, not their order."""
    frame = battles(6, 900, seed=11, spread=0.5)
    fit = fitted(frame)
    order = ranked(fit)

    found = fewest_votes(fit, place=3, draws=2)

    top = {fit.models[i] for i in order[:3]}
    assert found.model in top
    assert found.rival not in top
    left = fitted(without(frame, found))
    assert {left.models[i] for i in ranked(left)[:3]} != top


def test_where_the_first_place_is_shared_one_vote_decides_it():
    """Equals, in a round of wins that cancel."""
    rows = [pair for a, b in (("a", "b"), ("b", "c"), ("c", "a")) for pair in won(a, b, 5)]

    found = fewest_votes(fitted(log(*rows)), draws=2)

    assert (found.number, found.gap) == (1, pytest.approx(0.0, abs=1e-9))


def test_what_cannot_be_turned_has_no_set():
    """Within the share asked for: a result like any other, with its curve."""
    fit = fitted(log(*won("a", "b", 90), *won("b", "a", 10)))

    found = fewest_votes(fit, most=0.3, draws=20)

    assert found.number is found.share is found.gap_after is found.one_step is None
    assert (found.most, found.frame.height, found.votes) == (30, 0, 0.0)
    assert found.pairs.rows() == [("a", "b", pytest.approx(found.gap), found.predicted, None)]
    assert fewest_votes(fit, most=0.9, draws=2).number == 81


def test_both_models_have_to_be_rated_without_the_set():
    """That a model loses its last win unrates it, and puts nobody above it."""
    fit = fitted(log(*won("a", "b", 2), *won("b", "a", 1)))

    found = fewest_votes(fit, most=0.9, draws=2)

    assert (found.number, found.most) == (None, 2)


# ── numbers beside it ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("column", [None, "judge"])
def test_the_interval_of_the_gap_is_that_of_the_covariance(column):
    """The sandwich's of votes, the cluster sandwich's of judges."""
    clusters = count_clusters(read_battles(judged(900, 60, seed=4)), "judge")
    fit = fit_bradley_terry(clusters.counts)

    found = fewest_votes(fit, clusters if column else None, level=0.9, draws=2)

    cov = estimate_covariance(*((fit, "cluster", clusters) if column else (fit,)))
    i, j = (fit.models.index(model) for model in (found.model, found.rival))
    half = 1.6448536 * POINTS * np.sqrt(cov[i, i] + cov[j, j] - 2 * cov[i, j])
    assert found.gap_upper - found.gap == pytest.approx(half, rel=1e-5)
    assert found.gap - found.gap_lower == pytest.approx(half, rel=1e-5)


def test_one_step_is_the_sum_of_the_effects():
    """Of what is removed, from the full gap."""
    found = fewest_votes(fitted(battles(5, 900, seed=3, spread=0.3)), draws=2)

    effect = (found.frame["removed"] * found.frame["effect"]).sum()
    assert found.one_step == pytest.approx(found.gap + effect)
    assert found.frame["effect"].is_sorted()
    assert (found.frame["effect"] < 0).all()


def test_a_scale_multiplies_points_and_nothing_else():
    """Numbers of votes have no scale."""
    fit = fitted(battles(5, 900, seed=3, spread=0.3))

    elo, nats = (fewest_votes(fit, draws=5, scale=scale) for scale in (None, Scale(1, np.e)))

    assert elo.frame["removed"].to_list() == nats.frame["removed"].to_list()
    for name in ("gap", "gap_lower", "gap_after", "one_step"):
        assert getattr(elo, name) == pytest.approx(POINTS * getattr(nats, name))


def test_random_removal_changes_an_order_as_often_as_its_definition_says():
    """Of two models: the chance that as many of the better one's wins are drawn, and ties never."""
    fit = fitted(log(*won("a", "b", 30), *won("b", "a", 20)))

    found = fewest_votes(fit, most=0.5, draws=400)

    rng = np.random.default_rng(99)
    for number, p, lower, upper in found.random.select(
        "number", "probability", "lower", "upper"
    ).iter_rows():
        left = 50 - number
        wins = rng.hypergeometric(30, 20, left, 20_000)
        # Without a win, or a loss, neither is rated; and then the first place is nobody's.
        changed = (2 * wins < left) | (wins == left)
        assert p == pytest.approx(changed.mean(), abs=0.08)
        exact = binomtest(round(p * 400), 400).proportion_ci(method="wilson")
        assert (lower, upper) == pytest.approx((exact.low, exact.high))
    assert found.number == 11
    assert 11 in found.random["number"]


def test_clusters_go_at_random_as_wholes():
    """With votes of one judge each they go as votes do."""
    frame = battles(2, 60, seed=1, spread=0.3).with_columns(judge=pl.int_range(60).cast(pl.String))
    clusters = count_clusters(read_battles(frame), "judge")
    fit = fit_bradley_terry(clusters.counts)

    votes, judges = (fewest_votes(fit, one, draws=200) for one in (None, clusters))

    assert votes.random["number"].to_list() == judges.random["number"].to_list()
    np.testing.assert_allclose(votes.random["probability"], judges.random["probability"], atol=0.15)


def test_half_is_reached_between_two_numbers():
    """By a straight line, from none where nothing is removed."""

    def curve(*p):
        return pl.DataFrame({"number": range(10, 10 * len(p) + 1, 10), "probability": p})

    assert half_at(curve(0.0, 0.4, 0.6)) == pytest.approx(25.0)
    assert half_at(curve(1.0, 0.4, 0.6)) == pytest.approx(5.0)
    assert half_at(curve(0.1, 0.2)) is None


def test_one_seed_finds_the_same_again():
    """Another draws others, and finds the same set."""
    fit = fitted(battles(5, 400, seed=3, spread=0.2))

    one, again, other = (fewest_votes(fit, draws=60, seed=seed) for seed in (0, 0, 1))

    assert one.random.equals(again.random)
    assert not one.random.equals(other.random)
    assert one.frame.equals(other.frame)


# ── refusing ───────────────────────────────────────────────────────────────────────────────

REFUSED = {
    "most": ({"most": 1.5}, "most: 1.5 is not a share between 0 and 1"),
    "draws": ({"draws": 0}, "draws: 0 is not a number of at least 1"),
    "level": ({"level": 0.0}, "level: 0.0 is not between 0 and 1"),
    "place": ({"place": 4}, "place: 4 is not a place of 1 to 3 among 4 rated models"),
    "itself": ({"above": ("m000", "m000")}, "'m000' cannot stand above itself"),
    "unknown": ({"above": ("m00", "m001")}, "above: no model 'm00' in these votes; did you mean"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_asked_is_refused(options, message):
    """In one line that names the culprit."""
    fit = fitted(battles(4, 100))

    with pytest.raises(OptionError) as raised:
        fewest_votes(fit, **options)

    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_votes_with_weights_go_only_as_clusters():
    """Those of a kind are not alike."""
    frame = judged(200, 20, seed=1, n_models=3).with_columns(weight=pl.Series([0.5, 1.5] * 100))
    weighted = read_battles(frame, columns={"weight": "weight"})
    clusters = count_clusters(weighted, "judge")
    fit = fit_bradley_terry(clusters.counts)

    found = fewest_votes(fit, clusters, draws=2)

    assert found.number is not None
    theirs = pl.col("judge").is_in(found.frame["cluster"].to_list())
    left = read_battles(frame.filter(~theirs), columns={"weight": "weight"})
    after = gap(fitted(left), found.model, found.rival)
    assert found.gap_after == pytest.approx(POINTS * after, abs=1e-5)
    with pytest.raises(OptionError, match="these votes have weights"):
        fewest_votes(fit)


def test_a_log_of_one_cluster_has_nothing_to_spare():
    """Without it there is no board."""
    frame = battles(3, 60).with_columns(judge=pl.lit("j"))
    clusters = count_clusters(read_battles(frame), "judge")

    with pytest.raises(NoEstimateError, match="all votes are of one judge; none can go"):
        fewest_votes(fit_bradley_terry(clusters.counts), clusters)
