"""The placebo leaves votes out as urns do, and its p-values are those of a permutation test."""

import numpy as np
import polars as pl
import pytest
from scipy import stats
from worlds import battles, log, tied, won

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.comparison import compare
from arena.conditions import multi_turn
from arena.errors import OptionError
from arena.filters import select
from arena.parts import KEPT, REST, count_part_clusters, count_parts
from arena.placebo import (
    bootstrap_part_clusters,
    bootstrap_tables,
    expected_counts,
    judge_changes,
    observed_tables,
    of_all,
    of_kept,
    of_rest,
    placebo_tables,
)
from arena.problem import problem

SIGMAS = 5.0
"""With some hundred cells and a fixed seed, chance alone stays well within this."""
POINTS = 400 / np.log(10)


def world(n_battles=500, seed=0):
    """A log of five models with turns, languages, judges and weights."""
    rng = np.random.default_rng(seed)

    def drawn(*values):
        return pl.Series([values[i] for i in rng.integers(0, len(values), n_battles)])

    return battles(5, n_battles, seed=seed).with_columns(
        turns=drawn(1, 1, 2),
        language=drawn("de", "en", None),
        judge=drawn("j1", "j2", "j3", "j4", "j5", "j6", "j7"),
        w=drawn(0.5, 1.0, 4.0),
    )


def battles_of(frame, columns=None):
    """The battles of a log, those of two turns kept."""
    return select(read_battles(frame, columns=columns), multi_turn()).kept


def parted(frame, within=(), columns=None):
    """The parts of a log, kept if they have two turns."""
    return count_parts(battles_of(frame, columns), within=within)


def whole(tables):
    """All blocks of some tables, [3, C, B]."""
    return np.concatenate([tables.make(i) for i in range(tables.n_blocks)], axis=2)


def votes_drawn(parts, make, n, seed=0):
    """What is drawn of the parts, [2, 3, R, n]: a board chooses nothing, and takes notes."""
    fit, seen = fit_bradley_terry(parts.all), []

    def note(votes):
        seen.append(votes)
        return votes[KEPT]

    whole(make(fit, parts, note, n, seed))
    return np.concatenate(seen, axis=3)


def far(draws, mean, variance):
    """How many standard errors the means and variances over draws [..., B] are off, at most."""
    squares = (draws - draws.mean(axis=-1, keepdims=True)) ** 2
    off = draws.mean(axis=-1) - mean, squares.mean(axis=-1) - variance
    # Squares hardly vary where a draw is one of two that are equally far from their mean.
    spread = np.sqrt(variance), np.maximum(squares.std(axis=-1), 0.1 * variance)
    z = [abs(one) / np.where(of > 0, of, 1e-9) for one, of in zip(off, spread, strict=True)]
    return np.sqrt(draws.shape[-1]) * max(np.max(one) for one in z)


# ── two models, and the urn ────────────────────────────────────────────────────────────────


def duel(kept, rest):
    """A log of a against b: (won, lost, tied) of the votes kept and of the rest, sides mixed."""
    parts = [
        log(*won("a", "b", n_won), *[("b", "a", "model_a")] * n_lost, *tied("b", "a", n_tied))
        for n_won, n_lost, n_tied in (kept, rest)
    ]
    turns = [2] * parts[0].height + [1] * parts[1].height
    return pl.concat(parts).with_columns(turns=pl.Series(turns))


@pytest.mark.parametrize(
    ("kept", "rest"),
    [((15, 6, 0), (3, 6, 0)), ((40, 10, 0), (60, 190, 0)), ((0, 7, 0), (30, 3, 0))],
)
def test_wins_drawn_of_a_pair_are_hypergeometric(kept, rest):
    """Mean, variance and distribution are scipy's, of as many votes as were kept."""
    parts = parted(duel(kept, rest))
    urn = stats.hypergeom(sum(kept) + sum(rest), kept[0] + rest[0], sum(kept))

    wins = votes_drawn(parts, placebo_tables, 20_000)[KEPT, 0, 0]

    values = np.arange(urn.support()[0], urn.support()[1] + 1)
    seen = (wins[:, None] <= values).mean(axis=0)
    assert far(wins, urn.mean(), urn.var()) < SIGMAS
    # Dvoretzky, Kiefer and Wolfowitz: beyond this in one of 100,000 runs.
    assert np.abs(seen - urn.cdf(values)).max() < np.sqrt(np.log(2e5) / 2 / wins.size)


def test_wins_losses_and_ties_are_drawn_together():
    """The multivariate hypergeometric, cell by cell of all that can be drawn."""
    parts = parted(duel((4, 2, 3), (2, 5, 3)))

    drawn = votes_drawn(parts, placebo_tables, 20_000)[KEPT, :, 0].astype(int)

    cells, seen = np.unique(drawn, axis=1, return_counts=True)
    expected = stats.multivariate_hypergeom.pmf(cells.T, [6, 7, 6], 9) * drawn.shape[1]
    often = expected > 10
    squares = ((seen - expected) ** 2 / expected)[often].sum()
    assert expected.sum() > 0.999 * drawn.shape[1]
    assert often.sum() > 20
    assert stats.chi2.sf(squares, often.sum()) > 1e-3


@pytest.mark.parametrize("level", [0.95, 0.8])
@pytest.mark.parametrize("against", ["all", "rest"])
def test_the_null_interval_of_two_models_is_the_urns(level, against):
    """Its ends are hypergeometric quantiles, seen through half the difference of two logits."""
    urn = stats.hypergeom(30, 18, 21)
    frame = duel((15, 6, 0), (3, 6, 0))
    quantiles = urn.ppf([0.5 - level / 2, 0.5 + level / 2])

    found = compare(
        read_battles(frame), multi_turn(), against=against, level=level, draws=2_500, rounds=2
    )

    logit = stats.logistic.ppf
    base = logit(18 / 30) if against == "all" else logit((18 - quantiles) / 9)
    lower, upper = POINTS * (logit(quantiles / 21) - base) / 2
    ends = found.frame.sort("model").select("null_lower", "null_upper").rows()
    np.testing.assert_allclose(ends, [(lower, upper), (-upper, -lower)], rtol=0, atol=1e-6)


@pytest.mark.parametrize("won_of_kept", [14, 16])
def test_the_p_value_of_two_models_is_the_urns(won_of_kept):
    """The probability of a change as far from the mean one, and one draw more for what was seen."""
    wins, draws = np.arange(9, 19), 2_500
    frame = duel((won_of_kept, 21 - won_of_kept, 0), (18 - won_of_kept, won_of_kept - 9, 0))
    chance = stats.hypergeom(30, 18, 21).pmf(wins)
    change = stats.logistic.ppf(wins / 21)
    distance = np.abs(change - chance @ change)

    found = compare(read_battles(frame), multi_turn(), draws=draws, rounds=2)

    beyond = distance - distance[wins == won_of_kept]
    expected = chance[beyond >= 0].sum()
    assert np.abs(beyond[wins != won_of_kept]).min() > 0.02, "too near to be told apart"
    for p in (*found.frame["p_value"], *found.frame["p_adjusted"], found.p_board):
        error = np.sqrt(expected * (1 - expected) / draws)
        assert abs(p - (1 + draws * expected) / (1 + draws)) < 4 * error
        assert round(p * (draws + 1), 6).is_integer()


# ── what each draw keeps ───────────────────────────────────────────────────────────────────

COLUMNS = {"plain": None, "weights": {"weight": "w"}}
WITHIN = {"no strata": (), "strata": ("language",)}


def mean_weight(parts):
    """What a vote of each kind weighs in its row, [3, R]."""
    sums, votes = parts.sums.sum(axis=0), parts.votes.sum(axis=0)
    return np.divide(sums, votes, out=np.ones_like(sums), where=votes > 0)


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("within", WITHIN.values(), ids=WITHIN)
def test_a_draw_keeps_as_many_votes_of_each_row_as_the_filter(columns, within):
    """Of each pair, or of each pair and stratum; whole votes, none invented and none lost."""
    parts = parted(world(), within, columns)

    drawn = votes_drawn(parts, placebo_tables, 50) / mean_weight(parts)[..., None]

    np.testing.assert_allclose(drawn, np.round(drawn), atol=1e-9)
    assert (drawn > -0.5).all()
    kept, rest = drawn[KEPT].sum(axis=0), drawn[REST].sum(axis=0)
    np.testing.assert_allclose(kept.T, np.tile(parts.votes[KEPT].sum(axis=0), (50, 1)))
    np.testing.assert_allclose(rest.T, np.tile(parts.votes[REST].sum(axis=0), (50, 1)))
    both = drawn.sum(axis=0)
    np.testing.assert_allclose(both, np.repeat(parts.votes.sum(axis=0)[..., None], 50, axis=2))


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("within", WITHIN.values(), ids=WITHIN)
def test_draws_have_the_moments_of_urns(columns, within):
    """Mean K n / N, variance K n (N - n) (N - K) / N² (N - 1), in the weight of each kind."""
    parts = parted(world(), within, columns)
    n, weight = parts.votes.sum(axis=0), mean_weight(parts)
    total, kept = n.sum(axis=0), parts.votes[KEPT].sum(axis=0)
    variance = kept * n * (total - n) * (total - kept) / (total**2 * np.maximum(total - 1, 1))

    drawn = votes_drawn(parts, placebo_tables, 4_000, seed=1)[KEPT]

    assert far(drawn, weight * kept * n / total, weight**2 * variance) < SIGMAS


def by_pair(parts, tables):
    """Pair → votes [3] of a table [3, R], strata added up, as a plain dictionary."""
    found = {}
    for ends, votes in zip(zip(parts.left, parts.right, strict=True), tables.T, strict=True):
        pair = tuple(parts.models[i] for i in ends)
        found[pair] = found.get(pair, 0.0) + votes
    return found


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("within", WITHIN.values(), ids=WITHIN)
def test_expected_counts_are_what_draws_have_on_average(columns, within):
    """Each row's share of votes kept, of each of its kinds; so for the rest."""
    parts = parted(world(60), within, columns)
    drawn = votes_drawn(parts, placebo_tables, 4_000)

    for part, counts in zip((KEPT, REST), expected_counts(parts), strict=True):
        share = parts.votes[part].sum(axis=0) / parts.votes.sum(axis=(0, 1))
        expected = by_pair(parts, share * parts.sums.sum(axis=0))
        there = {pair: votes for pair, votes in expected.items() if votes.sum() > 0}
        found = {
            (counts.models[i], counts.models[j]): outcomes
            for (i, j), outcomes in zip(counts.pairs, counts.outcomes, strict=True)
        }
        assert (counts.models, list(found)) == (parts.models, sorted(there))
        assert not counts.outcomes[:, 3].any()
        for pair, votes in there.items():
            np.testing.assert_allclose(found[pair][:3], votes, rtol=1e-12)
        spread = drawn[part].std(axis=2) / np.sqrt(drawn.shape[3])
        off = np.abs(drawn[part].mean(axis=2) - share * parts.sums.sum(axis=0))
        assert (off <= SIGMAS * spread + 1e-9).all()


def test_votes_that_are_no_whole_numbers_cannot_be_drawn():
    """Half a vote is neither kept nor left out."""
    frame = world(40).with_columns(number=pl.lit(0.5))
    parts = parted(frame, columns={"votes": "number"})

    with pytest.raises(OptionError, match="placebo: these votes are no whole numbers"):
        placebo_tables(fit_bradley_terry(parts.all), parts, of_kept, 5)


# ── tables over the pairs of a fit ─────────────────────────────────────────────────────────

CHOSEN = {"kept": of_kept, "rest": of_rest, "all": of_all}


@pytest.mark.parametrize("ties", ["half", "drop", "davidson"])
@pytest.mark.parametrize("name", CHOSEN)
@pytest.mark.parametrize("within", WITHIN.values(), ids=WITHIN)
def test_the_observed_table_is_the_boards_own(name, ties, within):
    """What the fit of those votes alone would be made of, whatever the strata."""
    parts = parted(world(), within)
    fit = fit_bradley_terry(getattr(parts, name), ties=ties)

    tables = observed_tables(fit, parts, CHOSEN[name])

    assert (tables.n, tables.n_blocks) == (1, 1)
    np.testing.assert_array_equal(whole(tables)[..., 0], problem(fit.counts, fit.rule).outcomes)


def test_votes_on_models_outside_the_fit_fall_away():
    """A champion that never lost is in no table."""
    champion = log(*won("champion", "m001", 9)).with_columns(turns=pl.lit(2, pl.Int64))
    frame = world().select("model_a", "model_b", "winner", "turns")
    parts, plain = parted(pl.concat([frame, champion])), parted(frame)
    fit = fit_bradley_terry(parts.all)

    table = whole(observed_tables(fit, parts, of_all))

    assert "champion" in parts.models
    np.testing.assert_array_equal(table, whole(observed_tables(fit, plain, of_all)))


MAKERS = {
    "placebo": placebo_tables,
    "bootstrap": bootstrap_tables,
    "clusters": lambda fit, parts, chosen, n, seed: bootstrap_part_clusters(
        fit, parts, count_part_clusters(battles_of(world()), parts, "judge", 0), chosen, n, seed
    ),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_one_seed_draws_one_world_for_all_boards(make):
    """Kept and rest of a draw are all of it; another seed is another world."""
    parts = parted(world())
    fit = fit_bradley_terry(parts.all)

    kept, rest, both, other = (
        whole(make(fit, parts, chosen, 3_000, seed))
        for chosen, seed in ((of_kept, 1), (of_rest, 1), (of_all, 1), (of_all, 2))
    )

    assert make(fit, parts, of_all, 30_000, 1).n_blocks > 1
    np.testing.assert_allclose(kept + rest, both, atol=1e-9)
    if make is not placebo_tables:
        assert (both != other).any()
        assert both.std(axis=2).max() > 1


def test_the_placebo_of_all_votes_is_all_votes():
    """Nothing is lost of the log itself, however the votes are dealt to its parts."""
    parts = parted(world())
    fit = fit_bradley_terry(parts.all)

    table = whole(placebo_tables(fit, parts, of_all, 20))

    observed = whole(observed_tables(fit, parts, of_all))
    np.testing.assert_array_equal(table, np.repeat(observed, 20, axis=2))


@pytest.mark.parametrize("columns", COLUMNS.values(), ids=COLUMNS)
def test_a_bootstrap_resamples_both_parts_as_one_log(columns):
    """Multinomial over all cells of both: mean n, variance n (1 - n / N), in the cell's weight."""
    parts = parted(world(), columns=columns)
    n, total = parts.votes, parts.votes.sum()
    weight = np.divide(parts.sums, n, out=np.ones_like(n), where=n > 0)

    drawn = votes_drawn(parts, bootstrap_tables, 4_000, seed=2)

    number = drawn / weight[..., None]
    np.testing.assert_allclose(number, np.round(number), atol=1e-9)
    np.testing.assert_allclose(number.sum(axis=(0, 1, 2)), total)
    assert far(number, n, n * (1 - n / total)) < SIGMAS
    # How many of them are kept varies, too.
    share = n[KEPT].sum() / total
    assert far(number[KEPT].sum(axis=(0, 1)), share * total, total * share * (1 - share)) < SIGMAS


def test_a_cluster_bootstrap_draws_whole_judges_with_both_their_parts():
    """Each draw is a sum over judges, each a whole number of times, as many as there are."""
    frame = world()
    parts = parted(frame)
    clusters = count_part_clusters(battles_of(frame), parts, "judge", 0)
    tables = np.hstack([clusters.kept.toarray(), clusters.rest.toarray()])

    drawn = votes_drawn(parts, MAKERS["clusters"], 4_000, seed=3)

    flat = drawn.reshape(-1, 4_000)
    times = np.round(np.linalg.lstsq(tables.T, flat, rcond=None)[0])
    assert np.linalg.matrix_rank(tables) == len(tables) == 7
    np.testing.assert_allclose(tables.T @ times, flat, atol=1e-6)
    assert (times >= 0).all()
    assert (times.sum(axis=0) == 7).all()
    assert far(times, 1.0, 1 - 1 / 7) < SIGMAS


# ── what the draws say of what was observed ────────────────────────────────────────────────


def slowly_judged(observed, drawn):
    """Each p-value, all p-values at once, and the board's, counted draw by draw."""
    rows = [observed, *drawn]
    m = len(observed)
    finite = [[row[i] for row in rows if np.isfinite(row[i])] for i in range(m)]
    centre, spread = [np.mean(column) for column in finite], [np.std(column) for column in finite]

    def distance(row, i, lost):
        return abs(row[i] - centre[i]) / spread[i] if np.isfinite(row[i]) else lost

    largest = [max(distance(row, i, 0.0) for i in range(m)) for row in rows]
    there = [i for i in range(m) if np.isfinite(observed[i])]
    seen = {i: distance(observed, i, 0.0) * (1 - 1e-9) for i in there}
    alone = {i: np.mean([distance(row, i, np.inf) >= seen[i] for row in rows]) for i in there}
    at_once = {i: np.mean([one >= seen[i] for one in largest]) for i in there}
    return alone, at_once, np.mean([one >= max(seen.values()) for one in largest])


@pytest.mark.parametrize("lost", ["none", "infinite draws", "no estimate seen"])
@pytest.mark.parametrize("seed", range(5))
def test_p_values_count_the_draws_that_are_as_far(seed, lost):
    """What was seen is one of them; a draw without an estimate is as far as can be."""
    rng = np.random.default_rng(seed)
    drawn = rng.standard_normal((99, 6)) * [0.1, 1, 2, 3, 4, 50] + [9, 0, 0, 1, 2, -7]
    observed = drawn.mean(axis=0) + rng.standard_normal(6) * [0.1, 3, 2, 3, 4, 100]
    if lost == "infinite draws":
        drawn[:12, 1], drawn[5:9, 2], drawn[90:, 1] = np.inf, -np.inf, np.nan
    if lost == "no estimate seen":
        observed[[0, 4]] = np.nan, np.inf

    verdict = judge_changes(observed, drawn)

    alone, at_once, board = slowly_judged(observed, drawn)
    there = np.isfinite(observed)
    np.testing.assert_allclose(verdict.p_value[there], list(alone.values()), rtol=1e-12)
    np.testing.assert_allclose(verdict.p_adjusted[there], list(at_once.values()), rtol=1e-12)
    assert np.isnan(verdict.p_value[~there]).all()
    assert np.isnan(verdict.p_adjusted[~there]).all()
    assert verdict.p_board == pytest.approx(board) == np.nanmin(verdict.p_adjusted)
    if lost == "infinite draws":
        assert verdict.p_value[1] >= 21 / 100


def test_no_draw_is_as_far_but_what_was_seen_itself():
    """The least that a p-value can be is one over one more than the draws."""
    drawn = np.random.default_rng(0).standard_normal((199, 4))

    verdict = judge_changes(np.array([0.0, 0.1, 99.0, -99.0]), drawn)

    assert verdict.p_value[2:].tolist() == verdict.p_adjusted[2:].tolist() == [1 / 200] * 2
    assert verdict.p_board == 1 / 200
    assert (verdict.p_adjusted[:2] > 0.9).all()


@pytest.fixture(scope="module")
def by_noise():
    """400 verdicts on rows of correlated noise of unlike spread, none of them special."""
    rng, n_tables, n_draws, m = np.random.default_rng(11), 400, 99, 6
    mix = rng.standard_normal((m, m)) * np.geomspace(0.1, 10, m)[:, None]
    rows = rng.standard_normal((n_tables, n_draws + 1, m)) @ mix.T + 3.0
    return [judge_changes(table[0], table[1:]) for table in rows]


def test_p_values_of_exchangeable_rows_are_uniform(by_noise):
    """The board's and a model's: Kolmogorov and Smirnov find nothing, and no level is exceeded."""
    found = {
        "board": np.array([one.p_board for one in by_noise]),
        "a model": np.array([one.p_value[2] for one in by_noise]),
    }

    for p in found.values():
        # Values are multiples of 1/100; within each step, uniform noise makes them continuous.
        spread = p - np.random.default_rng(0).random(p.size) / 100
        assert stats.kstest(spread, "uniform").pvalue > 0.01
        np.testing.assert_allclose(p * 100, np.round(p * 100), atol=1e-9)
        for alpha in (0.01, 0.05, 0.1, 0.25, 0.5, 0.9):
            rejected = int((p <= alpha + 1e-9).sum())
            low, high = stats.binom(p.size, alpha).ppf([0.001, 0.999])
            assert low <= rejected <= high


def test_some_model_is_called_moved_no_more_often_than_the_level(by_noise):
    """The least adjusted p-value is the board's, though the least plain one is often small."""
    least, adjusted = (
        np.array([getattr(one, name).min() for one in by_noise])
        for name in ("p_value", "p_adjusted")
    )

    assert adjusted.tolist() == [one.p_board for one in by_noise]
    assert (adjusted <= 0.05).sum() <= stats.binom(len(by_noise), 0.05).ppf(0.999)
    assert (least <= 0.05).mean() > 0.12


def test_units_and_origins_do_not_matter():
    """Each change is measured from its own mean, in its own spread."""
    rng = np.random.default_rng(4)
    drawn, observed = rng.standard_normal((150, 5)), 2 * rng.standard_normal(5)
    scale, origin = np.array([1e-3, 1, 7, 100, 1e3]), np.array([0, -5, 2, 1e3, 1.0])

    plain = judge_changes(observed, drawn)
    other = judge_changes(observed * scale + origin, drawn * scale + origin)

    np.testing.assert_array_equal(plain.p_value, other.p_value)
    np.testing.assert_array_equal(plain.p_adjusted, other.p_adjusted)
    assert plain.p_board == other.p_board


@pytest.mark.parametrize("dust", [0.0, 1e-9], ids=["nothing", "dust"])
def test_where_nothing_moves_nothing_is_found(dust):
    """Rounding is no change, neither of one model nor of all."""
    noise = dust * np.random.default_rng(0).standard_normal((60, 3))
    noise[0] = 50 * dust

    still = judge_changes(noise[0], noise[1:])
    moving = np.hstack([noise, np.random.default_rng(1).standard_normal((60, 2))])
    moving[0, 3:] = 9.0
    one = judge_changes(moving[0], moving[1:])

    assert still.p_value.tolist() == still.p_adjusted.tolist() == [1.0] * 3
    assert still.p_board == 1.0
    assert one.p_value.tolist() == one.p_adjusted.tolist() == [1.0] * 3 + [1 / 60] * 2


def test_without_any_estimate_nothing_is_found():
    """Neither a model's change is judged nor the board's."""
    verdict = judge_changes(np.full(3, np.nan), np.random.default_rng(0).standard_normal((20, 3)))

    assert np.isnan(verdict.p_value).all()
    assert np.isnan(verdict.p_adjusted).all()
    assert verdict.p_board == 1.0
