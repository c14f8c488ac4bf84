"""Whatever the method, intervals say how far the ratings might be off, or that they cannot."""

from statistics import NormalDist

import numpy as np
import polars as pl
import pytest
from worlds import battles, counted, log, tied, won

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.clusters import count_clusters
from arena.covariance import estimate_covariance
from arena.errors import NoEstimateError, OptionError
from arena.leaderboard import Scale, build_leaderboard
from arena.pipeline import rate
from arena.tally import count_pairs
from arena.ties import TIE_RULES
from arena.uncertainty import METHODS, Interval, estimate_uncertainty, parse_method

Z = NormalDist().inv_cdf(0.975)


@pytest.fixture(scope="module")
def large():
    """20,000 votes on eight models by 400 judges without opinions of their own."""
    judge = np.random.default_rng(0).integers(0, 400, 20_000)
    frame = battles(8, 20_000, seed=0)
    return frame.with_columns(judge=pl.Series([f"j{k}" for k in judge]))


@pytest.fixture(scope="module")
def large_fit(large):
    """Its fit."""
    return fit_bradley_terry(count_pairs(large))


@pytest.fixture(scope="module")
def large_clusters(large):
    """Its votes by judge."""
    return count_clusters(read_battles(large), "judge")


def rare_loser(n_losses=2):
    """A strong model that lost so seldom that some resamples have it undefeated."""
    rows = [*won("strong", "b", 40), *won("b", "strong", n_losses)]
    return counted(*rows, *won("b", "c", 30), *won("c", "b", 25), *tied("b", "c", 10))


def half_width(known):
    """Half the length of each interval."""
    return (known.upper - known.lower) / 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "robust"}, "ci: 'robust' is not one of sandwich, fisher, cluster"),
        ({"method": "cluster"}, r"'cluster' needs a column, e\.g\. cluster:judge"),
        ({"method": "jackknife"}, r"'jackknife' needs a column, e\.g\. jackknife:judge"),
        ({"method": "fisher", "column": "judge"}, "'fisher' takes no column"),
        ({"method": "sandwich", "column": "judge"}, "'sandwich' takes no column"),
        ({"method": "none", "column": "judge"}, "'none' takes no column"),
        ({"level": 95}, "level: 95 is not between 0 and 1"),
        ({"level": 0.0}, r"level: 0\.0 is not between 0 and 1"),
        ({"level": 1.0}, r"level: 1\.0 is not between 0 and 1"),
        ({"level": float("nan")}, "level: nan is not between 0 and 1"),
        ({"of": "median"}, "interval-of: 'median' is not one of centred, anchor"),
        ({"rounds": 1}, "rounds: 1 is not a number of at least 2"),
        ({"rounds": -5}, "rounds: -5 is not a number of at least 2"),
    ],
)
def test_an_impossible_interval_is_refused(options, message):
    """The error quotes the value, and says what it may be."""
    with pytest.raises(OptionError, match=message):
        Interval(**options)


def test_a_negative_seed_is_refused(large_fit):
    """The error names the option."""
    with pytest.raises(OptionError, match="seed: -1"):
        estimate_uncertainty(large_fit, Interval(seed=-1))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("sandwich", ("sandwich", None)),
        ("cluster:judge", ("cluster", "judge")),
        ("bootstrap", ("bootstrap", None)),
        ("bayesian:day", ("bayesian", "day")),
        ("jackknife:prompt", ("jackknife", "prompt")),
        ("cluster:", ("cluster", None)),
        ("cluster:a:b", ("cluster", "a:b")),
    ],
)
def test_a_method_is_typed_with_its_column(text, parts):
    """What stands before the first colon, and what after it."""
    assert parse_method(text) == parts


@pytest.mark.parametrize("text", ["sandwich", "cluster:judge", "bootstrap", "bootstrap:day"])
def test_an_interval_is_called_as_it_is_typed(text):
    """Its name and what is parsed are the same."""
    assert Interval(*parse_method(text)).name == text


@pytest.mark.parametrize("method", ["cluster", "bootstrap", "bayesian", "jackknife"])
def test_a_method_by_cluster_needs_the_clusters(large_fit, method):
    """Given none, the error says where they come from."""
    with pytest.raises(OptionError, match=f"'{method}:judge' needs clusters, see count_clusters"):
        estimate_uncertainty(large_fit, Interval(method, "judge"))


def test_one_cluster_is_too_few(large):
    """Its spread cannot be seen."""
    frame = large[:100].with_columns(judge=pl.lit("one"))

    with pytest.raises(NoEstimateError, match="cluster:judge"):
        rate(frame, interval=Interval("cluster", "judge"))


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("method", ["sandwich", "fisher"])
def test_the_interval_is_the_normal_quantile_times_the_error(large_fit, method, level):
    """Errors are roots of the covariance's diagonal, and bounds lie evenly about the estimate."""
    known = estimate_uncertainty(large_fit, Interval(method, level=level))

    error = np.sqrt(np.diag(estimate_covariance(large_fit, method)))
    quantile = NormalDist().inv_cdf(0.5 + level / 2)
    np.testing.assert_allclose(known.std_error, error, rtol=1e-12)
    np.testing.assert_allclose(known.upper - large_fit.log_odds, quantile * error, rtol=1e-9)
    np.testing.assert_allclose(large_fit.log_odds - known.lower, quantile * error, rtol=1e-9)
    assert set(known.notes) == {""}


@pytest.mark.parametrize("ties", TIE_RULES)
@pytest.mark.parametrize("method", ["bootstrap", "bayesian"])
def test_resampled_intervals_are_close_to_the_sandwich(large, method, ties):
    """On 20,000 votes errors agree within 7 %, bounds within 30 % of an error."""
    fit = fit_bradley_terry(count_pairs(large), ties=ties)
    plain = estimate_uncertainty(fit, Interval())

    known = estimate_uncertainty(fit, Interval(method, rounds=2_000, seed=4))

    # A standard error from 2,000 draws is off by 1.6 % on average, its 2.5 % quantile by 6 % of it.
    np.testing.assert_allclose(known.std_error, plain.std_error, rtol=0.07)
    np.testing.assert_allclose((known.lower - plain.lower) / plain.std_error, 0.0, atol=0.3)
    np.testing.assert_allclose((known.upper - plain.upper) / plain.std_error, 0.0, atol=0.3)
    np.testing.assert_allclose(
        known.covariance, plain.covariance, atol=0.12 * plain.std_error.max() ** 2
    )


@pytest.mark.parametrize("method", ["bootstrap", "bayesian"])
def test_resampled_clusters_are_close_to_the_cluster_sandwich(large_fit, large_clusters, method):
    """On 400 judges errors agree within 8 %."""
    robust = estimate_uncertainty(large_fit, Interval("cluster", "judge"), large_clusters)

    known = estimate_uncertainty(
        large_fit, Interval(method, "judge", rounds=2_000, seed=1), large_clusters
    )

    np.testing.assert_allclose(known.std_error, robust.std_error, rtol=0.08)
    np.testing.assert_allclose(half_width(known), half_width(robust), rtol=0.1)


def test_the_jackknife_is_close_to_the_cluster_sandwich(large_fit, large_clusters):
    """Both linearise in one judge's votes of 400, and agree within 2 %."""
    robust = estimate_uncertainty(large_fit, Interval("cluster", "judge"), large_clusters)

    known = estimate_uncertainty(large_fit, Interval("jackknife", "judge"), large_clusters)

    np.testing.assert_allclose(known.std_error, robust.std_error, rtol=0.02)
    np.testing.assert_allclose(known.upper - large_fit.log_odds, Z * known.std_error, rtol=1e-9)


def test_the_jackknife_is_what_leaving_each_judge_out_does():
    """By its formula, (G - 1) / G times the sum of squares about the mean, fit by fit."""
    frame = battles(4, 300, seed=1).with_columns(judge=pl.Series([f"j{i % 7}" for i in range(300)]))
    fit = fit_bradley_terry(count_pairs(frame))
    left_out = np.array(
        [
            fit_bradley_terry(count_pairs(frame.filter(pl.col("judge") != f"j{k}"))).log_odds
            for k in range(7)
        ]
    )
    about = left_out - left_out.mean(axis=0)

    known = estimate_uncertainty(
        fit, Interval("jackknife", "judge"), count_clusters(read_battles(frame), "judge")
    )

    np.testing.assert_allclose(known.covariance, 6 / 7 * about.T @ about, rtol=0, atol=1e-9)


def test_the_jackknife_gives_no_interval_to_a_model_of_one_judge():
    """Without that judge it has no rating at all, so nothing is known of its spread."""
    frame = battles(4, 400, seed=1).with_columns(
        judge=pl.Series([f"j{i % 20:02d}" for i in range(400)])
    )
    solo = log(*won("solo", "m001", 4), *won("m001", "solo", 4)).with_columns(judge=pl.lit("j07"))

    board = rate(pl.concat([frame, solo]), interval=Interval("jackknife", "judge"))

    row = board.frame.row(by_predicate=pl.col("model") == "solo", named=True)
    assert row["std_error"] is None
    assert "single judge" in row["note"]
    assert board.frame.filter(pl.col("model") != "solo")["std_error"].null_count() == 0


def test_percentile_bounds_are_order_statistics_of_the_draws():
    """Of 200 draws, with 5 % in all left out, the fifth smallest and the fifth from the top."""
    fit = fit_bradley_terry(count_pairs(battles(5, 500, seed=2)))

    known = estimate_uncertainty(fit, Interval("bootstrap", rounds=200, level=0.949, seed=3))

    ordered = np.sort(fit.log_odds + known.deviations, axis=0)
    np.testing.assert_allclose(known.lower, ordered[5], atol=1e-12)
    np.testing.assert_allclose(known.upper, ordered[194], atol=1e-12)
    np.testing.assert_allclose(known.std_error, known.deviations.std(axis=0, ddof=1), rtol=1e-9)
    np.testing.assert_allclose(known.covariance, np.cov(known.deviations.T), atol=1e-12)


def test_a_model_that_some_resamples_leave_undefeated_has_no_upper_bound():
    """Only the side that is open is empty, and the note says how often it was open."""
    fit = fit_bradley_terry(rare_loser())
    strong = fit.models.index("strong")

    known = estimate_uncertainty(fit, Interval("bootstrap", rounds=2_000, seed=0))

    infinite = np.isposinf(known.deviations[:, strong]).mean()
    # No loss is drawn in about exp(-2) of resamples.
    assert infinite == pytest.approx(np.exp(-2), abs=0.04)
    assert np.isnan(known.upper).tolist() == [i == strong for i in range(3)]
    assert np.isfinite(known.lower).all()
    assert known.lower[strong] < fit.log_odds[strong]
    assert f"no finite rating in {infinite:.1%} of 2,000 resamples" in known.notes[strong]
    assert f"unbounded above {infinite:.1%}" in known.notes[strong]


def test_the_board_shows_an_open_bound_as_null():
    """And its note; a model that is often unbounded may hold any rank above."""
    board = build_leaderboard(fit_bradley_terry(rare_loser()), interval=Interval("bootstrap"))

    row = board.frame.row(by_predicate=pl.col("model") == "strong", named=True)
    assert row["rating_upper"] is None
    assert row["rating_lower"] is not None
    assert "unbounded above" in row["note"]


def test_rarely_open_bounds_are_bounds_with_a_note():
    """Where fewer resamples are infinite than lie outside, the interval is finite."""
    fit = fit_bradley_terry(rare_loser(6))
    strong = fit.models.index("strong")

    known = estimate_uncertainty(fit, Interval("bootstrap", rounds=4_000, seed=0))

    assert 0 < np.isposinf(known.deviations[:, strong]).mean() < 0.02
    assert np.isfinite(known.upper).all()
    assert "unbounded above" in known.notes[strong]


def test_the_bayesian_bootstrap_has_every_bound():
    """No vote is ever without weight, so nobody is ever undefeated."""
    fit = fit_bradley_terry(rare_loser())

    known = estimate_uncertainty(fit, Interval("bayesian", rounds=500))

    assert np.isfinite(known.deviations).all()
    assert np.isfinite(known.upper).all()
    assert set(known.notes) == {""}


@pytest.mark.parametrize("method", ["sandwich", "fisher"])
def test_an_interval_from_the_anchor_is_that_of_the_difference(large_fit, method):
    """Var(i) + Var(anchor) - 2 Cov; the anchor itself is held, and has none."""
    known = estimate_uncertainty(large_fit, Interval(method, of="anchor"), anchor=3)

    covariance = estimate_covariance(large_fit, method)
    contrast = np.eye(8)
    contrast[:, 3] -= 1.0
    error = np.sqrt(np.diag(contrast @ covariance @ contrast.T))
    others = np.arange(8) != 3
    np.testing.assert_allclose(known.std_error[others], error[others], rtol=1e-9)
    assert np.isnan([known.std_error[3], known.lower[3], known.upper[3]]).all()


@pytest.mark.parametrize("method", ["bootstrap", "bayesian"])
def test_a_resampled_interval_from_the_anchor_is_close_to_the_sandwichs(large_fit, method):
    """Draw by draw the anchor's move is taken off."""
    plain = estimate_uncertainty(large_fit, Interval(of="anchor"), anchor=3)

    known = estimate_uncertainty(large_fit, Interval(method, of="anchor", rounds=2_000), anchor=3)

    others = np.arange(8) != 3
    np.testing.assert_allclose(known.std_error[others], plain.std_error[others], rtol=0.06)
    assert np.isnan([known.std_error[3], known.lower[3], known.upper[3]]).all()
    gap = large_fit.log_odds + known.deviations - (large_fit.log_odds + known.deviations)[:, [3]]
    assert (known.lower[others] - large_fit.log_odds[3] <= np.median(gap, axis=0)[others]).all()


@pytest.mark.parametrize("method", ["sandwich", "bootstrap"])
def test_ratings_from_an_anchor_lie_within_their_intervals(large, method):
    """The anchor stands at its rating; the others' intervals are on its scale."""
    board = rate(
        large,
        scale=Scale(anchor=("m003", 1_200.0)),
        interval=Interval(method, of="anchor", rounds=200),
    )

    others = board.frame.filter(pl.col("model") != "m003")
    assert board.frame.filter(pl.col("model") == "m003")["rating"].item() == pytest.approx(1_200)
    assert (
        others.select(pl.col("rating").is_between("rating_lower", "rating_upper")).to_series().all()
    )


def test_an_interval_from_the_anchor_needs_one():
    """The error shows how to set it."""
    with pytest.raises(OptionError, match=r"needs an anchor, e\.g\. --anchor MODEL=1000"):
        rate(battles(3, 100), interval=Interval(of="anchor"))


def test_nothing_is_known_of_a_difference_from_an_anchor_without_spread():
    """One tie ties the anchor to its opponent, as if the two were known to be equal."""
    frame = pl.concat([battles(4, 400, seed=1), log(*tied("guest", "m001"))])

    board = rate(frame, scale=Scale(anchor=("guest", 1_000.0)), interval=Interval(of="anchor"))

    assert board.frame["std_error"].null_count() == board.frame.height


def test_a_guest_with_one_tie_leaves_the_others_their_ranks():
    """It may stand anywhere; what is known of the others stays known."""
    frame = battles(5, 4_000, seed=1, spread=2.0)
    alone = rate(frame).frame.select("model", "rank_best", "rank_worst")

    board = rate(pl.concat([frame, log(*tied("guest", "m001"))])).frame

    guest = board.row(by_predicate=pl.col("model") == "guest", named=True)
    assert (guest["rank_best"], guest["rank_worst"]) == (1, 6)
    others = board.filter(pl.col("model") != "guest").join(alone, on="model", suffix="_alone")
    width = pl.col("rank_worst") - pl.col("rank_best")
    width_alone = pl.col("rank_worst_alone") - pl.col("rank_best_alone")
    assert others.select((width <= width_alone + 1).all()).item()


def test_a_model_whose_votes_show_no_spread_has_no_interval():
    """One tie says that two models are level, and not how surely."""
    frame = pl.concat([battles(4, 400, seed=1), log(*tied("guest", "m001"))])

    board = rate(frame)

    guest = board.frame.row(by_predicate=pl.col("model") == "guest", named=True)
    assert guest["std_error"] is None
    assert "no spread" in guest["note"]
    assert board.frame["std_error"].null_count() == 1


def test_fisher_has_an_interval_for_a_single_tie():
    """By its model one tie is half a win and half a loss, with the spread of both."""
    board = rate(log(*tied("a", "b")), interval=Interval("fisher"))

    # The gap's variance is 1 / (1 · 1/4) = 4, a centred strength's a quarter of it.
    error = Scale().per_log_odds
    assert board.frame["std_error"].to_list() == pytest.approx([error, error])


def test_none_has_no_intervals():
    """Ratings and ranks stand alone."""
    board = rate(battles(4, 300), interval=Interval("none"))

    empty = ["rating_lower", "rating_upper", "std_error", "rank_best", "rank_worst", "rank_ub"]
    assert board.uncertainty is None
    assert board.frame.select(pl.col(empty).is_null().all()).row(0) == (True,) * 6
    assert board.frame["rating"].null_count() == 0


@pytest.mark.parametrize("method", ["bootstrap", "bayesian", "bootstrap:judge", "bayesian:judge"])
def test_the_seed_decides_resampled_bounds(large_fit, large_clusters, method):
    """Same seed, same digits; another seed, other bounds, and close to them."""
    one, again, other = (
        estimate_uncertainty(
            large_fit,
            Interval(*parse_method(method), rounds=200, seed=seed),
            large_clusters if ":" in method else None,
        )
        for seed in (1, 1, 2)
    )

    np.testing.assert_array_equal(one.lower, again.lower)
    np.testing.assert_array_equal(one.deviations, again.deviations)
    assert (one.lower != other.lower).all()
    np.testing.assert_allclose(one.std_error, other.std_error, rtol=0.35)


@pytest.mark.parametrize("method", ["sandwich", "fisher"])
def test_the_seed_moves_no_analytic_bound(large_fit, method):
    """It decides the draws behind the ranks, not the errors."""
    one, other = (estimate_uncertainty(large_fit, Interval(method, seed=seed)) for seed in (1, 2))

    np.testing.assert_array_equal(one.lower, other.lower)
    assert (one.deviations != other.deviations).any()


@pytest.mark.parametrize("method", [m for m in METHODS if m != "none"])
def test_deviations_have_the_covariance(large_fit, large_clusters, method):
    """Draws of estimate minus truth: mean near zero, and the spread that the errors state."""
    column = "judge" if method in ("cluster", "jackknife") else None
    clusters = large_clusters if column else None

    known = estimate_uncertainty(large_fit, Interval(method, column), clusters)

    np.testing.assert_allclose(known.deviations.mean(axis=0) / known.std_error, 0.0, atol=0.2)
    np.testing.assert_allclose(known.deviations.std(axis=0) / known.std_error, 1.0, atol=0.1)
    np.testing.assert_allclose(np.sqrt(np.diag(known.covariance)), known.std_error, rtol=1e-6)


@pytest.mark.parametrize("method", ["sandwich", "bootstrap", "bayesian"])
def test_with_a_prior_intervals_lie_about_the_ratings(method):
    """The prior's opponent is not the mean of the models; both stand on one scale all the same."""
    rows = [*won("x", "y", 60), *won("x", "z", 40), *won("y", "z", 9), *won("z", "y", 8)]
    counts = counted(*rows, *won("y", "x", 10))
    fit = fit_bradley_terry(counts, on_separation="prior", prior=4.0)

    known = estimate_uncertainty(fit, Interval(method, rounds=600))

    assert (known.lower < fit.log_odds).all()
    assert (fit.log_odds < known.upper).all()
