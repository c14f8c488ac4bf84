"""Two boards of one log: each is fitted as if alone, and then both are put on one scale."""

import numpy as np
import polars as pl
import pytest
from worlds import battles, log, tied, won

from arena.battles import read_battles
from arena.board_pair import drawn_changes, observed_changes, pair_boards, ranks_among, spread
from arena.bradley_terry import fit_bradley_terry
from arena.conditions import multi_turn
from arena.errors import NoEstimateError, OptionError
from arena.filters import select
from arena.leaderboard import Scale
from arena.parts import KEPT, REST, count_parts
from arena.placebo import bootstrap_tables, expected_counts, placebo_tables
from arena.tally import count_pairs

LONG = pl.col("turns") >= 2


def world(n_battles=600, seed=0):
    """A log of five models much alike, two of three battles kept."""
    turns = np.random.default_rng(seed).integers(1, 4, n_battles)
    frame = battles(5, n_battles, seed=seed, spread=0.15)
    return frame.with_columns(turns=pl.Series(turns))


def lasting(frame, turns):
    """A log all of whose battles have so many turns."""
    return frame.with_columns(turns=pl.lit(turns, pl.Int64))


def parted(frame):
    """The parts of a log, kept if they have two turns."""
    return count_parts(select(read_battles(frame), multi_turn()).kept)


def paired(frame, against="all", ties="half", anchor=None):
    """Both boards of a log."""
    return pair_boards(parted(frame), against, ties, Scale(anchor=anchor and (anchor, 0.0)))


def zermelo(points):
    """Mean-zero log-odds from points [m, m] that i took from j, by Zermelo's iteration (1929)."""
    met, strength, before = points + points.T, np.ones(len(points)), np.inf
    while np.abs(np.log(strength) - before).max() > 1e-13:
        before = np.log(strength)
        strength = points.sum(axis=1) / (met / (strength[:, None] + strength)).sum(axis=1)
        strength /= np.exp(np.log(strength).mean())
    return np.log(strength)


def points_of(frame, models):
    """Points [m, m] that i took from j, half of each tie."""
    points = np.zeros((len(models), len(models)))
    for left, right, winner in frame.select("model_a", "model_b", "winner").iter_rows():
        i, j = models.index(left), models.index(right)
        share = {"model_a": 1.0, "model_b": 0.0}.get(winner, 0.5)
        points[i, j] += share
        points[j, i] += 1 - share
    return points


def points_in(table, parts):
    """The same of a table [3, R] of parts."""
    points = np.zeros((len(parts.models),) * 2)
    points[parts.left, parts.right] = table[0] + table[2] / 2
    points[parts.right, parts.left] = table[1] + table[2] / 2
    return points


def places(strength):
    """Places from 0, the strongest first."""
    return (-strength).argsort().argsort()


def boards_of(frame, against):
    """The votes of the base board, and those kept."""
    return frame if against == "all" else frame.filter(~LONG), frame.filter(LONG)


@pytest.mark.parametrize("against", ["all", "rest"])
def test_changes_are_those_between_two_boards_fitted_alone(against):
    """Kept minus base, by an iteration that shares nothing with ours; their mean is zero."""
    frame = world()
    models = sorted(frame["model_a"].unique())

    changes = observed_changes(paired(frame, against))

    base, kept = (zermelo(points_of(votes, models)) for votes in boards_of(frame, against))
    assert changes.log_odds.shape == changes.ranks.shape == (1, 5)
    np.testing.assert_allclose(changes.log_odds[0], kept - base, atol=1e-8)
    np.testing.assert_array_equal(changes.ranks[0], places(base) - places(kept))
    assert np.abs(changes.log_odds).max() > 0.05
    assert changes.ranks.any()


@pytest.mark.parametrize("against", ["all", "rest"])
def test_two_models_change_by_half_the_difference_of_two_logits(against):
    """The closed form, ties as half a win, whichever side they were on."""
    kept = lasting(log(*won("a", "b", 7), ("b", "a", "model_a"), *tied("b", "a", 4)), 2)
    rest = lasting(log(*won("a", "b", 2), *won("b", "a", 5), ("a", "b", "both_bad")), 1)

    changes = observed_changes(paired(pl.concat([kept, rest]), against))

    base = (9 + 2.5) / (6 + 2.5) if against == "all" else 2.5 / 5.5
    half = (np.log((7 + 2) / (1 + 2)) - np.log(base)) / 2
    np.testing.assert_allclose(changes.log_odds, [[half, -half]], atol=1e-9)


@pytest.mark.parametrize("ties", ["half", "drop", "rao-kupper", "davidson"])
@pytest.mark.parametrize("against", ["all", "rest"])
def test_the_boards_are_those_of_their_votes(against, ties):
    """Under each tie rule, and so are the changes between them."""
    frame = world()

    pair = paired(frame, against, ties)

    base, kept = (fit_bradley_terry(count_pairs(v), ties=ties) for v in boards_of(frame, against))
    np.testing.assert_allclose(pair.base.log_odds, base.log_odds, atol=1e-9)
    np.testing.assert_allclose(pair.kept.log_odds, kept.log_odds, atol=1e-9)
    assert pair.base_counts.frame().rows() == base.counts.frame().rows()
    moved = observed_changes(pair).log_odds[0]
    np.testing.assert_allclose(moved, kept.log_odds - base.log_odds, atol=1e-7)


def test_tables_are_solved_from_what_the_placebo_gives_on_average():
    """All votes stay as they are; the rest, and those kept, are drawn."""
    frame = world()
    kept, rest = expected_counts(parted(frame))

    whole, apart = paired(frame), paired(frame, "rest")

    assert whole.base_start is whole.base
    for pair in (whole, apart):
        np.testing.assert_array_equal(pair.kept_start.counts.outcomes, kept.outcomes)
    np.testing.assert_array_equal(apart.base_start.counts.outcomes, rest.outcomes)


@pytest.mark.parametrize("anchor", [None, "m003"])
@pytest.mark.parametrize("against", ["all", "rest"])
@pytest.mark.parametrize("make", [placebo_tables, bootstrap_tables])
def test_drawn_changes_are_those_of_each_draw(make, against, anchor):
    """Each draw's two tables, fitted one by one, on the scale of the mean or of the anchor."""
    pair = paired(world(), against, anchor=anchor)
    seen = []

    def tables(fit, chosen):
        def note(votes):
            seen.append(votes)
            return chosen(votes)

        return make(fit, pair.parts, note, 6, 1)

    changes = drawn_changes(pair, tables)

    np.testing.assert_array_equal(seen[0], seen[1])
    for draw, (moved, risen) in enumerate(zip(changes.log_odds, changes.ranks, strict=True)):
        of_base = seen[0].sum(axis=0) if against == "all" else seen[0][REST]
        base, kept = (
            zermelo(points_in(votes[..., draw], pair.parts)) for votes in (of_base, seen[0][KEPT])
        )
        shift = (kept - base)[3] if anchor else 0.0
        np.testing.assert_allclose(moved, kept - base - shift, atol=1e-7)
        np.testing.assert_array_equal(risen, places(base) - places(kept))


def test_a_base_that_is_not_drawn_is_the_observed_one():
    """The votes of all are the same in each placebo, so nothing is solved again."""
    pair = paired(world())
    asked = []

    def tables(fit, chosen):
        asked.append(chosen.__name__)
        return placebo_tables(fit, pair.parts, chosen, 9, 1)

    fixed, drawn = (drawn_changes(pair, tables, base_drawn=again) for again in (False, True))

    assert asked == ["of_kept", "of_kept", "of_all"]
    np.testing.assert_allclose(fixed.log_odds, drawn.log_odds, atol=1e-8)
    np.testing.assert_array_equal(fixed.ranks, drawn.ranks)


# ── models that one board lacks ────────────────────────────────────────────────────────────

NEVER_KEPT = lasting(log(*won("c", "m000", 3), *won("m000", "c", 2)), 1)
ALWAYS_KEPT = lasting(log(*won("d", "m000", 3), *won("m000", "d", 2)), 2)
LOST_WHEN_KEPT = pl.concat(
    [lasting(log(*won("m001", "e", 3)), 2), lasting(log(*won("e", "m001", 3)), 1)]
)


def uneven():
    """Five models as usual; c is never kept, d always, and e lost whenever it was kept."""
    return pl.concat([world(), NEVER_KEPT, ALWAYS_KEPT, LOST_WHEN_KEPT])


@pytest.mark.parametrize(("against", "missing"), [("all", ["c", "e"]), ("rest", ["c", "d", "e"])])
def test_a_model_that_one_board_lacks_has_no_change(against, missing):
    """The others' changes have mean zero among themselves, and so have their ranks."""
    frame = uneven()

    pair = paired(frame, against)
    changes = observed_changes(pair)

    shared = np.array([model not in missing for model in pair.parts.models])
    base, kept = (
        dict(zip(fit.models, fit.log_odds, strict=True)) for fit in (pair.base, pair.kept)
    )
    both = [model for model in pair.parts.models if model not in missing]
    moved = np.array([kept[model] - base[model] for model in both])
    before, after = (places(np.array([of[model] for model in both])) for of in (base, kept))
    assert np.isfinite(changes.log_odds[0]).tolist() == shared.tolist()
    assert np.isfinite(changes.ranks[0]).tolist() == shared.tolist()
    np.testing.assert_allclose(changes.log_odds[0, shared], moved - moved.mean(), atol=1e-7)
    np.testing.assert_array_equal(changes.ranks[0, shared], before - after)


def test_a_draw_without_an_estimate_leaves_the_others_theirs():
    """Where all that is kept of e was lost, or won, its change is infinite, and no other is."""
    pair = paired(uneven())

    changes = drawn_changes(
        pair, lambda fit, of: placebo_tables(fit, pair.parts, of, 400, 0), base_drawn=False
    ).log_odds

    e = pair.parts.models.index("e")
    others = [i for i, model in enumerate(pair.parts.models) if model.startswith("m")]
    # Three of its three wins and three losses are kept: all alike in one draw of ten.
    for infinite in (changes[:, e] == np.inf, changes[:, e] == -np.inf):
        assert abs(infinite.mean() - 1 / 20) < 4 * np.sqrt(1 / 20 * 19 / 20 / 400)
    assert np.isfinite(changes[:, others]).all()
    finite = np.where(np.isfinite(changes), changes, 0.0)
    np.testing.assert_allclose(finite.sum(axis=1), 0.0, atol=1e-9)


def test_an_anchor_holds_both_boards():
    """Its own change is nothing, and the others' are of their difference from it."""
    frame = world()

    centred, held = (observed_changes(paired(frame, anchor=anchor)) for anchor in (None, "m002"))

    assert held.log_odds[0, 2] == 0.0
    shift = centred.log_odds[0, 2]
    np.testing.assert_allclose(held.log_odds[0], centred.log_odds[0] - shift, atol=1e-12)
    np.testing.assert_array_equal(held.ranks, centred.ranks)


@pytest.mark.parametrize(
    ("anchor", "why"),
    [("c", "no model 'c'"), ("e", r"'e' cannot be rated: never won \(3 battles\)"), ("x", "no .*")],
)
def test_an_anchor_must_stand_on_both_boards(anchor, why):
    """The error says why it does not."""
    with pytest.raises(OptionError, match=f"anchor: {why}"):
        paired(uneven(), anchor=anchor)


def test_boards_without_an_estimate_are_refused():
    """As a board of these votes alone would be."""
    frame = pl.concat([lasting(log(*won("a", "b", 3)), 2), lasting(log(*won("b", "a", 3)), 1)])

    with pytest.raises(NoEstimateError, match="no two of the 2 models can be rated"):
        paired(frame)


# ── small things ───────────────────────────────────────────────────────────────────────────


def test_values_of_some_models_are_spread_over_all():
    """Whoever has none gets nan, in each row."""
    values = np.array([[1.0, 2.0], [3.0, np.inf]])

    found = spread(("a", "b", "c", "d"), ("d", "b"), values)

    np.testing.assert_array_equal(found, [[np.nan, 2, np.nan, 1], [np.nan, np.inf, np.nan, 3]])


def test_ranks_are_among_the_models_of_each_row():
    """One is best; equals share the better place; who is not flagged has none and takes none."""
    strength = np.array([[3.0, 1.0, 2.0, 2.0], [3.0, 1.0, 2.0, 2.0], [np.nan, 0.0, np.inf, -1.0]])
    among = np.array([[1, 1, 1, 1], [0, 1, 1, 0], [0, 1, 0, 1]], dtype=bool)

    ranks = ranks_among(strength, among)

    none = np.nan
    np.testing.assert_array_equal(ranks, [[1, 4, 2, 2], [none, 2, 1, none], [none, 1, none, 2]])
