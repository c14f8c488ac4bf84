"""The best of n: closed forms, the definition drawn at random, and a board against the formula."""

import numpy as np
import pytest
from scipy import integrate, stats

from arena.board_entry import NEAR, enter_board
from arena.board_variants import BOARD_COLUMNS, best_of_n_on_board
from arena.bradley_terry import fit_bradley_terry
from arena.counts import PairCounts
from arena.covariance import estimate_covariance
from arena.errors import NoEstimateError, OptionError
from arena.leaderboard import Scale
from arena.practice_report import retirement_sheet, variant_sheet
from arena.retirement import retire_early
from arena.variants import (
    COLUMNS,
    best_of_n,
    expected_best,
    range_probability,
    range_quantile,
    rating_error,
)

ELO = 400 / np.log(10)


def board(ratings, votes=20_000, tie_share=0.35):
    """Pair counts as expected of these ratings, the same share of ties in every pair."""
    names = tuple(f"m{i}" for i in range(len(ratings)))
    left, right = np.triu_indices(len(ratings), 1)
    gap = (np.array(ratings)[left] - np.array(ratings)[right]) / ELO
    p = 1 / (1 + np.exp(-gap))
    half = np.minimum(tie_share / 2, np.minimum(p, 1 - p))
    outcomes = votes * np.stack([p - half, 1 - p - half, half, half], axis=1)
    return PairCounts(names, np.stack([left, right], axis=1), outcomes)


def only(told):
    """The one row of a result."""
    return told.frame.row(0, named=True)


# ── the formula ────────────────────────────────────────────────────────────────────────────


def test_fifty_variants_gain_eleven_points():
    """50 equal variants at 3,000 votes with 35 % ties gain 2.25 standard errors, 11.5 points."""
    row = only(best_of_n([50], [3_000], tie_share=0.35))

    assert row["std_error"] == pytest.approx(ELO * 2 * np.sqrt(0.65 / 3_000))
    assert row["gain"] == pytest.approx(11.50, abs=0.01)
    assert row["gain"] / row["std_error"] == pytest.approx(2.249, abs=0.001)


def test_highest_of_few_normals_has_its_known_mean():
    """The mean of the highest of 1 to 5 standard normals is that of the published tables."""
    known = [0.0, 1 / np.sqrt(np.pi), 1.5 / np.sqrt(np.pi), 1.0293753730, 1.1629644736]

    found = [expected_best(n) for n in range(1, 6)]

    assert found == pytest.approx(known, abs=1e-9)


@pytest.mark.parametrize("n", [27, 205, 5_000])
def test_highest_of_many_normals_is_its_integral(n):
    """The mean of the highest of n is ∫ x n φ(x) Φ(x)^(n-1) dx, by adaptive quadrature."""

    def integrand(x):
        return x * n * stats.norm.pdf(x) * stats.norm.cdf(x) ** (n - 1)

    exact, _ = integrate.quad(integrand, -10, 10, epsabs=1e-12, limit=500, points=[2, 3, 4])

    assert expected_best(n) == pytest.approx(exact, abs=1e-8)


@pytest.mark.parametrize("n", [2, 5, 27])
@pytest.mark.parametrize("width", [0.7, 2.5, 5.0])
def test_range_is_the_studentized_range(n, width):
    """The range of n normals has the distribution of SciPy's, with no degree of freedom spent."""
    expected = stats.studentized_range.cdf(width, n, np.inf)

    found = range_probability(n, width)

    assert found == pytest.approx(expected, abs=1e-6)
    assert range_quantile(n, found) == pytest.approx(width, abs=1e-6)


def test_standard_error_is_that_of_drawn_votes():
    """Ratings from 2,000 votes against an equal, 30 % of them ties, spread as the formula says."""
    rng = np.random.default_rng(1)
    won, lost, tied = rng.multinomial(2_000, [0.35, 0.35, 0.3], size=20_000).T
    points = (won + 0.5 * tied) / (won + lost + tied)

    drawn = ELO * np.log(points / (1 - points))

    assert rating_error(2_000, 0.3) == pytest.approx(drawn.std(), rel=0.03)


@pytest.mark.parametrize("spread", [0.0, 8.0])
def test_gain_has_the_distribution_that_drawing_has(spread):
    """Strengths, errors, choice and fresh votes drawn one by one give the formula's columns."""
    rng, rounds, n = np.random.default_rng(2), 100_000, 6
    error, new_error = rating_error(1_000, 0.35), rating_error(500, 0.35)
    strength = spread * rng.standard_normal((rounds, n))
    rating = strength + error * rng.standard_normal((rounds, n))
    best = np.arange(rounds), rating.argmax(axis=1)
    gain = (rating - strength)[best]
    left = (1_000 * gain + 500 * new_error * rng.standard_normal(rounds)) / 1_500
    width = np.ptp(rating, axis=1)

    row = only(best_of_n([n], [1_000], true_spread=[spread], fresh=[500], at_least=10, level=0.9))

    close = pytest.approx
    assert row["gain"] == close(gain.mean(), abs=0.12)
    for name, q in (("gain_lower", 0.05), ("gain_median", 0.5), ("gain_upper", 0.95)):
        assert row[name] == close(np.quantile(gain, q), abs=0.25)
    assert row["p_at_least"] == close((gain >= 10).mean(), abs=0.01)
    assert row["better"] == close(strength[best].mean(), abs=0.12)
    assert row["gain_left"] == close(left.mean(), abs=0.12)
    assert row["gain_left_lower"] == close(np.quantile(left, 0.05), abs=0.25)
    assert row["gain_left_upper"] == close(np.quantile(left, 0.95), abs=0.25)
    assert row["fresh_error"] == close(new_error)
    assert row["range"] == close(width.mean(), abs=0.15)
    assert row["range_upper"] == close(np.quantile(width, 0.95), abs=0.4)


def test_fresh_votes_dilute_the_gain():
    """With as many fresh votes as private ones half of the gain is left, with none all of it."""
    frame = best_of_n([27], [2_000], fresh=[0, 2_000, 18_000]).frame

    assert (frame["gain_left"] / frame["gain"]).to_list() == pytest.approx([1.0, 0.5, 0.1])
    assert frame["fresh_error"][0] is None
    assert frame["gain_left_lower"][0] == pytest.approx(frame["gain_lower"][0])


def test_sampling_multiplies_both_kinds_of_votes():
    """Four times the votes halve error and gain, and leave what is left of it in proportion."""
    plain, favoured = best_of_n([10], [500], sampling=[1, 4], fresh=[500]).frame.iter_rows(
        named=True
    )

    for name in ("std_error", "gain", "gain_left", "fresh_error", "range_upper"):
        assert favoured[name] == pytest.approx(plain[name] / 2)


def test_scenarios_are_all_combinations():
    """A row for each combination of the options, with the columns that are documented."""
    frame = best_of_n([2, 3], [100, 200], sampling=[1, 2], true_spread=[0, 5], fresh=[0, 9]).frame

    scenario = ["variants", "votes", "sampling", "true_spread", "fresh"]
    assert frame.columns == list(COLUMNS)
    assert frame.select(scenario).unique().height == frame.height == 32
    assert frame["variants"].to_list()[:2] == [2, 3]


def test_scale_is_the_one_asked_for():
    """On a scale of 40 points all figures are a tenth."""
    elo, small = (only(best_of_n([9], [700], scale=scale)) for scale in (None, Scale(points=40)))

    assert small["gain_upper"] == pytest.approx(elo["gain_upper"] / 10)


@pytest.mark.parametrize(
    ("options", "culprit"),
    [
        ({"variants": [0]}, "variants: 0"),
        ({"variants": [2.5]}, "variants: 2.5"),
        ({"votes": [0]}, "votes: 0"),
        ({"votes": [float("nan")]}, "votes: nan"),
        ({"sampling": [-1]}, "sampling: -1"),
        ({"fresh": [-1]}, "fresh: -1"),
        ({"true_spread": [-3]}, "true-spread: -3"),
        ({"tie_share": 1.0}, "tie-share: 1.0"),
        ({"level": 1.0}, "level: 1.0"),
        ({"votes": []}, "empty list"),
    ],
)
def test_what_cannot_be_asked_is_named(options, culprit):
    """An option that cannot be is refused with its name and value."""
    with pytest.raises(OptionError, match=culprit):
        best_of_n(**options)


# ── on a board ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def equals():
    """A board of 12 equals with settled ratings and 35 % ties."""
    return fit_bradley_terry(board([1000.0] * 12))


@pytest.fixture(scope="module")
def ladder():
    """A board of 8 models, 40 points apart."""
    return fit_bradley_terry(board([1000.0 + 40 * i for i in range(8)], tie_share=0.3))


@pytest.mark.parametrize(("spread", "fresh"), [(0.0, 0), (9.0, 1_500)])
def test_board_of_equals_agrees_with_the_formula(equals, spread, fresh):
    """Against settled opponents of its strength, simulated votes give what the formula gives."""
    options = {"true_spread": [spread], "fresh": [fresh]}

    drawn = best_of_n_on_board(equals, like="m3", variants=[1, 2, 10], rounds=600, **options).frame

    formula = best_of_n([1, 2, 10], tie_share=0.35, **options).frame
    for found, known in zip(
        drawn.iter_rows(named=True), formula.iter_rows(named=True), strict=True
    ):
        margin = 4 * found["gain_error"] + 0.02 * known["std_error"]
        assert found["std_error"] == pytest.approx(known["std_error"], rel=0.04)
        assert found["gain"] == pytest.approx(known["gain"], abs=margin)
        assert found["gain_left"] == pytest.approx(known["gain_left"], abs=margin)
        assert found["better"] == pytest.approx(known["better"], abs=1.5)
        assert found["range"] == pytest.approx(known["range"], abs=2 * margin + 1.5 * (spread > 0))
        assert found["gain_upper"] == pytest.approx(known["gain_upper"], abs=1.8)
        if fresh:
            assert found["fresh_error"] == pytest.approx(known["fresh_error"], rel=0.04)


def test_ranks_are_among_the_models_of_the_board(ladder):
    """A variant rated midway between two models has its place there, and the best rises."""
    place = Scale().ratings(ladder)[4] + 20

    drawn = best_of_n_on_board(
        ladder, rating=place, variants=[1, 20], votes=[400], top=3, rounds=300
    )

    one, many = drawn.frame.iter_rows(named=True)
    assert one["rank_true"] == many["rank_true"] == 4
    assert one["between"] == one["range"] == 0.0
    assert one["rank"] == pytest.approx(4, abs=0.2)
    assert many["rank"] < 3.5 < many["rank_last"]
    assert many["between"] == pytest.approx(many["rank_last"] - many["rank"])
    assert many["p_top"] > 0.5 > many["p_top_alone"] > 0
    assert drawn.frame.columns == [*COLUMNS, *BOARD_COLUMNS]


def test_much_stronger_variants_are_first(ladder):
    """A variant 300 points above the board's best is first in every draw."""
    row = only(best_of_n_on_board(ladder, rating=1_500, variants=[3], votes=[3_000], rounds=50))

    assert (row["rank_true"], row["rank"], row["rank_last"], row["p_top"]) == (1, 1, 1, 1)


@pytest.mark.parametrize("rule", ["half", "drop", "davidson", "rao-kupper"])
@pytest.mark.parametrize("tie_shares", ["gap", "cell"])
def test_one_variant_gains_nothing(rule, tie_shares):
    """Under every tie rule a single variant's rating is right on average."""
    fit = fit_bradley_terry(board([900, 1000, 1000, 1150], tie_share=0.2), ties=rule)
    options = {"opponents": "like", "tie_shares": tie_shares, "rounds": 400, "seed": 5}

    row = only(best_of_n_on_board(fit, like="m1", variants=[1], votes=[2_000], **options))

    assert row["gain"] == pytest.approx(0.0, abs=4 * row["gain_error"])


def test_same_seed_same_draws(equals):
    """A seed decides all; another one draws other votes."""
    first, again, other = (
        best_of_n_on_board(equals, like="m0", variants=[4], rounds=20, seed=seed).frame
        for seed in (7, 7, 8)
    )

    assert first.equals(again)
    assert not first.equals(other)


def test_opponents_are_met_as_asked(ladder):
    """Uniformly, as the model met them, or by nearness."""
    shares = {
        name: enter_board(ladder, "m2", None, name, "gap", Scale()).share
        for name in ("uniform", "like", "near")
    }

    assert shares["uniform"] == pytest.approx(np.full(8, 1 / 8))
    assert shares["like"] == pytest.approx(np.where(np.arange(8) == 2, 0, 1 / 7))
    weight = np.exp(-0.5 * ((Scale().ratings(ladder) - Scale().ratings(ladder)[2]) / NEAR) ** 2)
    assert shares["near"] == pytest.approx(weight / weight.sum())


def test_opponents_are_met_in_proportion_to_votes():
    """Whom the model met twice as often is drawn twice as often, however battles ended."""
    counts = board([1000.0, 1000.0, 1100.0])  # pairs 01, 02, 12
    outcomes = counts.outcomes * [[1.0], [1.0], [2.0]]
    outcomes[1] = [8_000.0, 12_000.0, 0.0, 0.0]
    fit = fit_bradley_terry(PairCounts(counts.models, counts.pairs, outcomes))

    share = enter_board(fit, "m2", None, "like", "gap", Scale()).share

    assert share == pytest.approx([1 / 3, 2 / 3, 0])


def test_battles_end_as_the_board_says(ladder):
    """Chances add up, points are the fit's, and ties are the board's: in sum, or cell by cell."""
    gap = ladder.log_odds[2] - ladder.log_odds
    by_gap, by_cell = (
        enter_board(ladder, "m2", None, "uniform", ties, Scale()).outcomes(ladder.log_odds)
        for ties in ("gap", "cell")
    )

    for chances in (by_gap, by_cell):
        assert chances.sum(axis=-1) == pytest.approx(1.0)
        assert (chances[2, :, 0] + 0.5 * chances[2, :, 2]) == pytest.approx(1 / (1 + np.exp(-gap)))
    others = np.arange(8) != 2
    assert by_cell[2, others, 2] == pytest.approx(0.3)
    left, right = np.triu_indices(8, 1)
    assert by_gap[left, right, 2].mean() == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("options", "culprit"),
    [
        ({}, "give either"),
        ({"like": "m1", "rating": 1000}, "give either"),
        ({"like": "nobody"}, "like: no model 'nobody'"),
        ({"rating": 1000, "opponents": "like"}, "need the model"),
        ({"rating": 1000, "tie_shares": "cell"}, "need the model"),
        ({"rating": np.inf}, "rating: inf"),
        ({"like": "m1", "opponents": "all"}, "opponents: 'all'"),
        ({"like": "m1", "tie_shares": "all"}, "tie-shares: 'all'"),
        ({"like": "m1", "votes": [2.5]}, "votes: 2.5"),
        ({"like": "m1", "rounds": 1}, "rounds: 1"),
        ({"like": "m1", "top": 0}, "top: 0"),
        ({"like": "m1", "variants": [2_000]}, "variants: 2,000"),
    ],
)
def test_what_a_board_cannot_be_asked_is_named(equals, options, culprit):
    """An option that cannot be is refused with its name and value."""
    with pytest.raises(OptionError, match=culprit):
        best_of_n_on_board(equals, **options)


def test_too_few_votes_are_no_rating(equals):
    """Where a variant may win all its votes the gain would be infinite, so there is none."""
    with pytest.raises(NoEstimateError, match="votes: with 3 a variant has no finite rating"):
        best_of_n_on_board(equals, like="m1", variants=[20], votes=[3], rounds=50)


def test_weighted_votes_are_refused(equals):
    """Drawn votes weigh one, so a board with other weights is not mixed with them."""
    weighed = equals.counts.weighted(np.linspace(0.5, 1.5, len(equals.counts.pairs)))

    with pytest.raises(OptionError, match="weights"):
        best_of_n_on_board(fit_bradley_terry(weighed), like="m1")


# ── retirement ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("anchored", [False, True])
def test_bias_of_one_of_three_equals(anchored):
    """Of three equals, one is retired that would be 80 points better on the new prompts.

    Sampled to the end it takes (1 - s) / 2 + s σ(d) of its points, which is a log-odds of L;
    retired it stays level. So the bias is -L from an anchor, and -2/3 L from the mean.
    """
    fit = fit_bradley_terry(board([1000.0] * 3))
    scale = Scale(anchor=("m0", 1000.0)) if anchored else None
    s, d = 0.4, 80 / ELO
    points = (1 - s) / 2 + s / (1 + np.exp(-d))
    apart = ELO * np.log(points / (1 - points))

    row = only(retire_early(fit, ["m2"], {"m2": 80.0}, [s], rounds=20, scale=scale))

    assert row["bias"] == pytest.approx(-apart if anchored else -2 / 3 * apart, abs=1e-6)
    assert (row["rank_sampled"], row["shift"]) == (1, 80.0)
    assert row["bias_lower"] < row["bias"] < row["bias_upper"]


def test_no_shift_no_bias(ladder):
    """Retiring models biases nothing where they stand on new prompts as on old ones."""
    everyone = dict.fromkeys(ladder.models, 25.0)

    for shift in ({}, everyone):
        told = retire_early(ladder, ["m1", "m5"], shift, [0.0, 0.5], rounds=20)
        assert told.frame["bias"].abs().max() < 1e-6
        assert told.frame.height == 4


def test_interval_of_the_bias_is_that_of_the_rating(ladder):
    """Its width is that of the retired model's rating on the board with fewer votes."""
    thin = fit_bradley_terry(board(Scale().ratings(ladder), votes=200, tie_share=0.3))

    row = only(retire_early(thin, ["m4"], {"m0": 60.0}, [0.5], rounds=1_000))

    outcomes = (
        thin.counts.outcomes * np.where((thin.counts.pairs == 4).any(axis=1), 0.5, 1)[:, None]
    )
    fewer = fit_bradley_terry(PairCounts(thin.models, thin.counts.pairs, outcomes))
    error = ELO * np.sqrt(estimate_covariance(fewer)[4, 4])
    assert row["bias_lower"] < row["bias"] < row["bias_upper"]
    assert row["bias_upper"] - row["bias_lower"] == pytest.approx(2 * 1.96 * error, rel=0.12)


def test_typical_bias_sums_up_the_models(ladder):
    """The summary has the root mean square of the biases, and counts ranks that move."""
    told = retire_early(ladder, ["m3", "m4"], {"m3": 90.0, "m4": -90.0}, [0.8], rounds=20)

    typical = told.typical.row(0, named=True)
    bias = told.frame["bias"].to_numpy()
    assert typical["bias_rms"] == pytest.approx(np.sqrt((bias**2).mean()))
    assert (typical["retired"], typical["rank_moves"]) == (2, 2)
    assert dict(told.frame.select("model", "rank_sampled").iter_rows()) == {"m3": 4, "m4": 5}


@pytest.mark.parametrize(
    ("retired", "shift", "share", "culprit"),
    [
        ([], {}, [0.5], "one model or more must go"),
        ([f"m{i}" for i in range(7)], {}, [0.5], "two stay"),
        (["x"], {}, [0.5], "retired: no model 'x'"),
        (["m1"], {"x": 1.0}, [0.5], "shift: no model 'x'"),
        (["m1"], {"m2": np.nan}, [0.5], "shift: nan"),
        (["m1"], {}, [1.0], "new-share: 1.0"),
        (["m1"], {}, [], "new-share: none"),
    ],
)
def test_what_retirement_cannot_be_asked_is_named(ladder, retired, shift, share, culprit):
    """An option that cannot be is refused with its name and value."""
    with pytest.raises(OptionError, match=culprit):
        retire_early(ladder, retired, shift, share)


def test_retirement_needs_points():
    """A tie rule with a parameter has no points to expect."""
    fit = fit_bradley_terry(board([1000, 1010, 1020]), ties="davidson")

    with pytest.raises(OptionError, match="half or drop"):
        retire_early(fit, ["m0"], {})


# ── sheets ─────────────────────────────────────────────────────────────────────────────────


def test_sheet_says_what_was_asked(equals):
    """Options that ask nothing special have no column, and a board has its own."""
    plain = variant_sheet(best_of_n([50], [3_000]))
    fuller = variant_sheet(best_of_n([2], [500], sampling=[1, 2], true_spread=[5], fresh=[9]))
    drawn = variant_sheet(best_of_n_on_board(equals, like="m1", variants=[2], rounds=40))

    gain = "gain (95% of cases)"
    assert plain.summary.columns == ["variants", "votes", "error", gain, "p of 10+", "range"]
    assert plain.summary[gain].to_list() == ["11.5 (+8 to +17)"]
    assert {"sampling", "true_spread", "fresh", "better", "left of it"} < set(
        fuller.summary.columns
    )
    assert {"rank", "p of top 1", "between"} < set(drawn.summary.columns)
    assert "like m1" in drawn.title
    assert any("standard error" in line for line in drawn.lines)


def test_retirement_sheet_names_the_models(ladder):
    """Each retired model has a row with its bias, and the lines give the root mean square."""
    told = retire_early(ladder, ["m3"], {"m3": 90.0}, [0.5], rounds=40)

    sheet = retirement_sheet(told)

    assert sheet.summary["model"].to_list() == ["m3"]
    assert f"{told.typical['bias_rms'][0]:.1f} points" in sheet.lines[0]
