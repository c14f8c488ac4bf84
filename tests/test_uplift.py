"""The gain on seen prompts: by closed form, by players split in two, and by another library."""

import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import stats

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.covariance import estimate_covariance
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.leaderboard import Scale
from arena.tally import count_pairs
from arena.uplift import estimate_uplift
from arena.uplift_report import clean_board_sheet, uplift_sheet

POINTS = 400 / np.log(10)
MODELS = [f"m{i}" for i in range(6)]
STRENGTH = dict(zip(MODELS, (0.5, 0.3, 0.1, -0.1, -0.3, -0.5), strict=True))
KEPT = ["seen", "prompt_id", "price", "kind"]


def world(n=3_000, gain=0.5, exposed=("m1",), seed=0, *, share=0.3, repeats=3, shift=None):
    """Votes on prompts that repeat a few times; some are seen, and exposed models gain there.

    Args:
        n: votes.
        gain: log-odds.
        exposed: who had seen the seen prompts.
        seed: of everything.
        share: of the prompts that are seen.
        repeats: votes per prompt, on average.
        shift: model → log-odds it gains on seen prompts, whoever saw them.
    """
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 6, n)
    right = (left + rng.integers(1, 6, n)) % 6
    prompt = rng.integers(0, n // repeats, n)
    seen = (rng.random(n // repeats) < share)[prompt]
    label, strength = np.array(MODELS), np.array(list(STRENGTH.values()))
    trained = np.isin(label, exposed)
    moved = np.array([(shift or {}).get(model, 0.0) for model in MODELS])
    sides = [strength[i] + seen * (gain * trained[i] + moved[i]) for i in (left, right)]
    won = rng.random(n) < 1 / (1 + np.exp(sides[1] - sides[0]))
    winner = np.where(rng.random(n) < 0.2, "tie", np.where(won, "model_a", "model_b"))
    return pl.DataFrame(
        {
            "model_a": label[left],
            "model_b": label[right],
            "winner": winner,
            "prompt_id": prompt,
            "seen_a": seen & trained[left],
            "seen_b": seen & trained[right],
            "seen": seen,
        }
    )


def told(frame, **options):
    """The estimate of a frame, by prompt."""
    return estimate_uplift(read_battles(frame, keep=KEPT), **{"cluster": "prompt_id"} | options)


def two(*cells):
    """Votes of x, which is exposed, against y: (won, lost, seen)."""
    rows = [
        ("x", "y", winner, seen, False, seen)
        for won, lost, seen in cells
        for winner in ["model_a"] * won + ["model_b"] * lost
    ]
    names = ["model_a", "model_b", "winner", "seen_a", "seen_b", "seen"]
    return pl.DataFrame(rows, schema=names, orient="row")


def split(frame, models):
    """Some models are players of their own wherever they had seen the prompt."""
    return frame.with_columns(
        pl.when(pl.col(f"seen_{side}") & pl.col(f"model_{side}").is_in(list(models)))
        .then(pl.format("{}*", f"model_{side}"))
        .otherwise(f"model_{side}")
        .alias(f"model_{side}")
        for side in "ab"
    )


def swapped(frame, which):
    """Sides and outcome exchanged in some of the rows."""
    there = {"model_a": "model_b", "seen_a": "seen_b"}
    there |= {other: one for one, other in there.items()}
    turned = {"model_a": "model_b", "model_b": "model_a", "tie": "tie"}
    return frame.with_columns(
        [
            pl.when(pl.Series(which)).then(pl.col(other)).otherwise(pl.col(one)).alias(one)
            for one, other in there.items()
        ]
        + [
            pl.when(pl.Series(which))
            .then(pl.col("winner").replace_strict(turned))
            .otherwise("winner")
            .alias("winner")
        ]
    )


def matrix(frame, columns=()):
    """Design matrix and points, with the first model as the one at zero."""
    index = {model: i for i, model in enumerate(MODELS)}
    rows = np.zeros((frame.height, len(MODELS)))
    for side, sign in (("a", 1.0), ("b", -1.0)):
        at = frame[f"model_{side}"].replace_strict(index).to_numpy()
        rows[np.arange(frame.height), at] += sign
    gain = frame["seen_a"].cast(float).to_numpy() - frame["seen_b"].cast(float).to_numpy()
    points = frame["winner"].replace_strict({"model_a": 1.0, "model_b": 0.0, "tie": 0.5})
    return np.column_stack([rows[:, 1:], gain, *columns]), points.to_numpy()


# ── the estimate ───────────────────────────────────────────────────────────────────────────


def test_two_models_have_a_closed_form():
    """The difference of two log-odds; its variance, the sum of the four inverse counts."""
    estimate = told(two((30, 10, True), (40, 50, False)), cluster=None).estimate

    gain = np.log(30 / 10) - np.log(40 / 50)
    error = np.sqrt(1 / 30 + 1 / 10 + 1 / 40 + 1 / 50)
    assert estimate.uplift == pytest.approx(POINTS * gain)
    assert estimate.std_error == pytest.approx(POINTS * error)
    assert estimate.upper == pytest.approx(POINTS * (gain + 1.959963984540054 * error))
    assert estimate.lower == pytest.approx(POINTS * (gain - 1.959963984540054 * error))
    assert estimate.p_value == pytest.approx(2 * stats.norm.sf(gain / error))


def test_statsmodels_finds_the_same_gain_and_error_by_prompt():
    """A logistic regression with errors by cluster, from a library that shares no code."""
    frame = world(exposed=("m1", "m4"))
    design, points = matrix(frame)

    fit = sm.GLM(points, design, family=sm.families.Binomial()).fit(
        cov_type="cluster",
        cov_kwds={"groups": frame["prompt_id"].to_numpy(), "use_correction": False},
        tol=1e-12,
    )

    estimate, n = told(frame).estimate, frame["prompt_id"].n_unique()
    assert estimate.uplift == pytest.approx(POINTS * fit.params[5], rel=1e-7)
    assert estimate.std_error == pytest.approx(POINTS * fit.bse[5] * np.sqrt(n / (n - 1)), rel=1e-6)


def test_one_exposed_model_is_two_players():
    """Plain Bradley-Terry in which the model on seen prompts is somebody else."""
    frame = world()
    plain = fit_bradley_terry(count_pairs(split(frame, ["m1"])))
    covariance = estimate_covariance(plain)
    one, other = plain.models.index("m1*"), plain.models.index("m1")

    estimate = told(frame, cluster=None).estimate

    assert estimate.uplift == pytest.approx(POINTS * (plain.log_odds[one] - plain.log_odds[other]))
    variance = covariance[one, one] + covariance[other, other] - 2 * covariance[one, other]
    assert estimate.std_error == pytest.approx(POINTS * np.sqrt(variance))


def test_a_gain_for_each_model_splits_each_in_two():
    """Also where two of them met on a prompt that both had seen."""
    exposed = ["m1", "m4", "m5"]
    frame = world(exposed=exposed)
    plain = fit_bradley_terry(count_pairs(split(frame, exposed)))
    strength = dict(zip(plain.models, plain.log_odds, strict=True))

    rows = told(frame, per_model=True).frame.filter(pl.col("group") == "exposed model")

    expected = {model: POINTS * (strength[f"{model}*"] - strength[model]) for model in exposed}
    assert dict(rows.select("model", "uplift").iter_rows()) == pytest.approx(expected)


def test_one_model_has_the_gain_of_all():
    """Asked for by itself or not, with one exposed model it is one number."""
    shown = told(world(), per_model=True).frame

    numbers = ["uplift", "std_error", "uplift_lower", "p_value", "battles", "seen", "share"]
    assert shown.row(0, named=True)["group"] == "exposed"
    assert shown.row(1, named=True)["model"] == "m1"
    assert shown.select(numbers).row(0) == pytest.approx(shown.select(numbers).row(1))


def test_sides_and_rows_make_no_difference():
    """Who stands on the left, and which vote came first."""
    frame = world(exposed=("m1", "m4"))
    which = np.random.default_rng(1).random(frame.height) < 0.5
    turned = swapped(frame, which).sample(fraction=1.0, shuffle=True, seed=2)

    one, other = (told(each, pseudo_exposed=["m2"]) for each in (frame, turned))

    numbers = ["uplift", "std_error", "p_value", "battles", "seen"]
    for name in numbers:
        np.testing.assert_allclose(
            one.frame.sort("group", "model")[name].to_numpy(),
            other.frame.sort("group", "model")[name].to_numpy(),
            rtol=1e-7,
            atol=1e-9,
        )
    assert one.board.frame["rating"].to_list() == pytest.approx(other.board.frame["rating"])


def test_prompts_that_repeat_make_the_error_larger():
    """Each prompt ten times over: the same gain, and an error by prompt √10 times that by vote."""
    once = world(600)
    frame = pl.concat([once] * 10)

    by_vote, by_prompt = told(frame, cluster=None), told(frame, cluster="prompt_id")
    alone = told(once, cluster="prompt_id")

    assert by_prompt.estimate.uplift == pytest.approx(alone.estimate.uplift)
    assert by_prompt.estimate.std_error == pytest.approx(alone.estimate.std_error)
    assert by_prompt.estimate.std_error > 2.9 * by_vote.estimate.std_error


def test_a_row_may_stand_for_many_votes():
    """Three equal votes are a row of three."""
    frame = world(400)
    grouped = frame.with_columns(pl.lit(3.0).alias("v"))
    battles = read_battles(grouped, columns={"votes": "v"}, keep=KEPT)

    told_once = estimate_uplift(battles, cluster="prompt_id")

    thrice = told(pl.concat([frame] * 3))
    assert told_once.estimate.uplift == pytest.approx(thrice.estimate.uplift)
    assert told_once.estimate.std_error == pytest.approx(thrice.estimate.std_error)
    assert told_once.n_battles == thrice.n_battles == 1_200
    assert (
        told_once.frame.select("battles", "seen").rows()
        == thrice.frame.select("battles", "seen").rows()
    )


def test_another_scale_gives_other_points():
    """Twice the points, twice the gain."""
    frame = world(800)

    one, other = told(frame), told(frame, scale=Scale(points=800.0))

    assert other.estimate.uplift == pytest.approx(2 * one.estimate.uplift)
    assert other.tau == pytest.approx(2 * one.tau)
    assert other.board.frame["rating"].mean() == pytest.approx(1000.0)


def test_battles_of_unknown_exposure_are_left_out_and_counted():
    """As if they were not there."""
    frame = world(800)
    unknown = frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 100).then(None).otherwise(name).alias(name)
        for name in ("seen_a", "seen_b", "seen")
    )

    shown = told(unknown)

    rest = told(frame.slice(100))
    assert shown.n_unknown == 100
    assert shown.estimate == rest.estimate
    assert any("100 votes of which it is not known" in line for line in uplift_sheet(shown).lines)


# ── the negative control ───────────────────────────────────────────────────────────────────


def unexposed(frame, exposed=("m1",)):
    """The battles in which no exposed model plays."""
    sides = pl.col("model_a", "model_b")
    return frame.filter(pl.all_horizontal(~sides.is_in(list(exposed))))


def test_the_control_is_the_estimate_for_models_that_saw_nothing():
    """Their battles alone, with the seen prompts taken as seen by some of them."""
    frame = world()
    stand_in = unexposed(frame).with_columns(
        (pl.col("seen") & pl.col(f"model_{side}").is_in(["m2", "m4"])).alias(f"seen_{side}")
        for side in "ab"
    )

    shown = told(frame, pseudo_exposed=["m4", "m2"])

    assert shown.pseudo == ("m2", "m4")
    assert shown.control.uplift == pytest.approx(told(stand_in).estimate.uplift)
    assert shown.control.std_error == pytest.approx(told(stand_in).estimate.std_error)
    row = shown.frame.row(by_predicate=pl.col("group") == "control", named=True)
    others = unexposed(frame)
    assert (row["battles"], row["seen"]) == (others.height, others["seen"].sum())


def by_two_fits(frame):
    """Each model on seen prompts less itself on others, centred; and the covariance."""
    fits = [fit_bradley_terry(count_pairs(part)) for part in frame.partition_by("seen")]
    ordered = sorted(fits, key=lambda fit: fit.counts.n_battles)  # fewer battles were seen
    gains = ordered[0].log_odds - ordered[1].log_odds
    return gains, sum(estimate_covariance(fit) for fit in fits)


def test_model_by_model_two_separate_fits_say_the_same():
    """No player of one is in the other, since both models answer the same prompt."""
    frame = world(shift={"m3": 0.4})
    gains, covariance = by_two_fits(unexposed(frame))

    shown = told(frame, cluster=None)

    rows = shown.frame.filter(pl.col("group") == "unexposed model").sort("model")
    assert rows["model"].to_list() == ["m0", "m2", "m3", "m4", "m5"]
    np.testing.assert_allclose(rows["uplift"], POINTS * gains, rtol=0, atol=1e-6)
    np.testing.assert_allclose(rows["std_error"], POINTS * np.sqrt(np.diag(covariance)), rtol=1e-7)


def test_the_spread_is_by_its_definition():
    """Wald's test on four of five gains, and the spread at which its statistic is expected."""
    frame = world(shift={"m3": 0.6, "m2": -0.3})
    gains, covariance = by_two_fits(unexposed(frame))
    basis = np.linalg.svd(np.ones((1, 5)))[2][1:]
    within = basis @ covariance @ basis.T
    chi_square = basis @ gains @ np.linalg.solve(within, basis @ gains)
    # With a spread of s² the statistic is 4 + s² tr(within⁻¹), on average.
    tau = np.sqrt((chi_square - 4) / np.trace(np.linalg.inv(within)))

    shown = told(frame, cluster=None)

    assert shown.homogeneity == pytest.approx((chi_square, 4, stats.chi2.sf(chi_square, 4)))
    assert shown.tau == pytest.approx(POINTS * tau)
    error = np.sqrt(shown.estimate.std_error**2 + (POINTS * tau) ** 2 * (1 + 1 / 5))
    against = shown.against_spread
    assert against.std_error == pytest.approx(error)
    assert against.p_value == pytest.approx(2 * stats.t.sf(shown.estimate.uplift / error, 4))
    assert against.upper - against.uplift == pytest.approx(stats.t.isf(0.025, 4) * error)


def test_by_judge_the_two_fits_depend_on_each_other():
    """A judge votes on seen prompts and on others: the error is that of a regression by judge."""
    frame = world(1_500).with_columns(kind=pl.int_range(pl.len()) % 40)
    others = unexposed(frame)
    index = {model: i for i, model in enumerate(["m0", "m2", "m3", "m4", "m5"])}
    rows = np.zeros((others.height, 10))
    for side, sign in (("a", 1.0), ("b", -1.0)):
        at = others[f"model_{side}"].replace_strict(index).to_numpy()
        rows[np.arange(others.height), at] += sign
        rows[np.arange(others.height), 5 + at] += sign * others["seen"].to_numpy()
    points = others["winner"].replace_strict({"model_a": 1.0, "model_b": 0.0, "tie": 0.5})
    kept = [1, 2, 3, 4, 6, 7, 8, 9]
    fit = sm.GLM(points.to_numpy(), rows[:, kept], family=sm.families.Binomial()).fit(
        cov_type="cluster",
        cov_kwds={"groups": others["kind"].to_numpy(), "use_correction": False},
        tol=1e-12,
    )
    centre = np.eye(5) - 1 / 5
    expected = centre @ np.append(0.0, fit.params[4:])
    covariance = np.zeros((5, 5))
    covariance[1:, 1:] = fit.cov_params()[4:, 4:]
    errors = np.sqrt(np.diag(centre @ covariance @ centre) * 40 / 39)

    shown = told(frame, cluster="kind").frame.filter(pl.col("group") == "unexposed model")

    np.testing.assert_allclose(shown.sort("model")["uplift"], POINTS * expected, atol=1e-6)
    np.testing.assert_allclose(shown.sort("model")["std_error"], POINTS * errors, rtol=1e-6)


def test_models_that_are_good_at_these_prompts_widen_the_interval():
    """Where unexposed models differ on the seen prompts, a gain stands out less."""
    alike = told(world(6_000))
    differ = told(world(6_000, shift={"m0": 0.8, "m2": -0.8, "m3": 0.6, "m5": -0.6}))

    assert alike.homogeneity[2] > 0.05 > differ.homogeneity[2]
    assert differ.tau > 60 > alike.tau
    assert differ.against_spread.p_value > 0.05 > alike.against_spread.p_value


def test_the_random_half_is_seeded():
    """One seed, one half; others, others."""
    frame = world(600)

    halves = {told(frame, seed=seed).pseudo for seed in (0, 0, 1)}

    assert len(halves) == 2
    assert {len(half) for half in halves} == {2}


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (world(600).drop("seen"), "no column 'seen'"),
        (world(900, exposed=MODELS[:5]), "0 models had seen nothing"),
        (world(60), "two are needed"),
    ],
)
def test_without_a_control_the_estimate_stands_and_says_so(frame, why):
    """No third column, nobody unexposed, or too few votes."""
    shown = told(frame)

    assert shown.control is None
    assert shown.against_spread is None
    assert shown.tau is None
    assert why in shown.no_control
    assert any(why in line for line in uplift_sheet(shown).lines)


def test_two_unexposed_models_have_a_control_and_no_spread():
    """Their one difference is the control."""
    frame = world(3_000, exposed=MODELS[:4])

    shown = told(frame)

    assert shown.control is not None
    assert shown.against_spread is None
    assert shown.frame.filter(pl.col("group") == "unexposed model").is_empty()
    assert any("Too few unexposed models" in line for line in uplift_sheet(shown).lines)


@pytest.mark.parametrize("named", [["m1"], ["nobody"], ["m0", "m2", "m3", "m4", "m5"], []])
def test_only_unexposed_models_stand_in(named):
    """Not the exposed one, nobody unknown, and neither all of them nor none."""
    with pytest.raises(OptionError, match="pseudo_exposed"):
        told(world(800), pseudo_exposed=named)


# ── what is held equal ─────────────────────────────────────────────────────────────────────


def kinds(seed=0, n=6_000):
    """Exposed m1 is better at one kind of prompt, of which most seen prompts are; it gains nothing."""
    rng = np.random.default_rng(seed)
    frame = world(n, 0.0, seed=seed, repeats=1)
    seen = frame["seen"].to_numpy()
    kind = np.where(rng.random(n) < np.where(seen, 0.8, 0.1), "code", "prose")
    better = (kind == "code") & (rng.random(n) < 0.35)
    return frame.with_columns(
        language=pl.Series(kind),
        winner=pl.when(pl.Series(better) & (pl.col("model_a") == "m1"))
        .then(pl.lit("model_a"))
        .when(pl.Series(better) & (pl.col("model_b") == "m1"))
        .then(pl.lit("model_b"))
        .otherwise("winner"),
    )


def test_a_kind_that_the_model_is_good_at_is_no_gain():
    """Without control it looks like one; held equal, nothing is left of it."""
    frame = kinds()

    plain, controlled = told(frame), told(frame, controls=["language"])

    assert plain.estimate.p_value < 0.001
    assert controlled.estimate.p_value > 0.05
    assert abs(controlled.estimate.uplift) < 2.5 * controlled.estimate.std_error


def test_a_kind_is_an_advantage_of_the_exposed_in_statsmodels_too():
    """The columns written out: the exposed model's, where the prompt is of the rarer kind."""
    frame = kinds(n=2_000)
    own = (frame["model_a"] == "m1").cast(float) - (frame["model_b"] == "m1").cast(float)
    code = (frame["language"] == "code").cast(float)
    design, points = matrix(frame, [(own * code).to_numpy(), np.ones(frame.height)])
    fit = sm.GLM(points, design, family=sm.families.Binomial()).fit(
        cov_type="cluster",
        cov_kwds={"groups": frame["prompt_id"].to_numpy(), "use_correction": False},
        tol=1e-12,
    )
    n = frame["prompt_id"].n_unique()

    shown = told(frame, controls=["language", "side"])

    estimate = shown.estimate
    assert estimate.uplift == pytest.approx(POINTS * fit.params[5], rel=1e-6)
    error = POINTS * fit.bse[5] * np.sqrt(n / (n - 1))
    assert estimate.std_error == pytest.approx(error, rel=1e-6)
    # The board is of the usual mix of kinds, and not of the commonest.
    usual = code.filter(own != 0).mean()
    ratings = dict(shown.board.frame.select("model", "rating").iter_rows())
    gap = POINTS * (fit.params[0] + usual * fit.params[6])
    assert ratings["m1"] - ratings["m0"] == pytest.approx(gap, rel=1e-6)


def test_numbers_are_cut_into_bands_and_rare_values_taken_together():
    """Turns into one and more; a language with few battles of exposed models is among others."""
    n, rng = 6_000, np.random.default_rng(5)
    spoken, often = ["en", "de", None, "fr", "it"], [0.6, 0.2, 0.12, 0.04, 0.04]
    frame = world(n).with_columns(
        turns=pl.Series(np.where(rng.random(n) < 0.8, 1, rng.integers(2, 6, n))),
        language=pl.Series([spoken[i] for i in rng.choice(5, n, p=often)]),
    )

    names = told(frame, controls=["turns", "language"]).board.coefficients["covariate"].to_list()

    assert names == [
        "seen: all exposed models",
        "turns 2 to 5",
        "language de",
        "language not known",
        "language other",
    ]


def test_each_model_has_advantages_of_its_own():
    """Where it has a gain of its own."""
    frame = kinds().with_columns(
        pl.when(pl.col("model_a") == "m4").then("seen").otherwise("seen_a").alias("seen_a"),
        pl.when(pl.col("model_b") == "m4").then("seen").otherwise("seen_b").alias("seen_b"),
    )

    board = told(frame, controls=["language"], per_model=True).board

    names = set(board.coefficients["covariate"])
    assert names == {"seen: m1", "seen: m4", "m1: language code", "m4: language code"}


@pytest.mark.parametrize(
    ("controls", "error", "message"),
    [
        (["nonsense"], ColumnError, "nonsense"),
        (["winner"], OptionError, "no kind of prompt"),
        (["side", "side"], OptionError, "twice"),
        ("side", OptionError, r"\['side'\]"),
        (["month"], ColumnError, "tstamp"),
    ],
)
def test_controls_that_cannot_be_are_named(controls, error, message):
    """A column there is not, an outcome, one named twice, a text for a list."""
    with pytest.raises(error, match=message):
        told(world(400), controls=controls)


# ── nothing to estimate ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (two((30, 10, False), (40, 50, False)), "no model had seen the prompt of any"),
        (two((30, 10, True), (40, 50, True)), "'x' had seen the prompt of every battle"),
        (world(300).with_columns(seen_a="seen", seen_b="seen"), "both models had seen it"),
        (two((30, 0, True), (40, 50, False)), "no finite coefficient of 'seen: all exposed"),
        (
            world(300).with_columns(seen_a=pl.lit(None, pl.Boolean)),
            "no battle of which is known",
        ),
    ],
)
def test_votes_that_say_nothing_of_a_gain_are_refused(frame, message):
    """Nothing seen, everything seen, always by both, never lost, or not known."""
    with pytest.raises(NoEstimateError, match=message):
        told(frame, cluster=None)


def test_votes_without_exposure_are_refused():
    """The way out is named."""
    frame = world(100).drop("seen_a", "seen_b")

    with pytest.raises(ColumnError, match=r"expose\(battles, match\)"):
        told(frame)


def test_clusters_must_be_a_column_of_the_votes():
    """By prompt, where there are only prompt ids."""
    with pytest.raises(ColumnError, match="clusters by prompt"):
        estimate_uplift(read_battles(world(100), keep=KEPT))


def test_one_cluster_cannot_say_how_sure_the_gain_is():
    """All seen prompts are of one kind: an interval of no width would be a lie."""
    frame = world(400).with_columns(kind=pl.col("seen").cast(pl.Int64))

    with pytest.raises(NoEstimateError, match="all battles that tell of the gain are in one"):
        told(frame, cluster="kind")


def test_one_cluster_of_one_model_leaves_its_gain_without_an_error():
    """Others have theirs; and where the control has one cluster, there is no control."""
    frame = world(2_000, exposed=("m1", "m4")).with_columns(
        kind=pl.when(pl.any_horizontal(pl.col("model_a", "model_b") == "m4"))
        .then(0)
        .when(~pl.any_horizontal("seen_a", "seen_b"))
        .then(1)
        .otherwise(pl.col("prompt_id") + 2)
    )

    shown = told(frame, cluster="kind", per_model=True)

    rows = {row["model"]: row for row in shown.frame.iter_rows(named=True)}
    assert rows["m4"]["std_error"] is None
    assert "in one cluster" in rows["m4"]["note"]
    assert rows["m1"]["std_error"] > 1
    assert "in one kind" in shown.no_control


def test_few_clusters_leave_no_spread():
    """Four judges cannot say how five models differ."""
    frame = world(2_000).with_columns(kind=pl.int_range(pl.len()) % 4)

    shown = told(frame, cluster="kind")

    assert shown.control is not None
    assert shown.tau is None


def test_a_model_without_a_gain_of_its_own_is_told_apart():
    """It won all its battles on seen prompts: all have a gain together, it has none alone."""
    frame = world(exposed=("m1", "m4"))
    always = frame.with_columns(
        winner=pl.when(pl.col("seen_a") & (pl.col("model_a") == "m4"))
        .then(pl.lit("model_a"))
        .when(pl.col("seen_b") & (pl.col("model_b") == "m4"))
        .then(pl.lit("model_b"))
        .otherwise("winner")
    )
    without = always.filter(
        ~(pl.col("seen_a") & (pl.col("model_a") == "m4")),
        ~(pl.col("seen_b") & (pl.col("model_b") == "m4")),
    )

    shown = told(always, per_model=True)

    rows = {row["model"]: row for row in shown.frame.iter_rows(named=True)}
    assert rows["m4"]["uplift"] is None
    assert "no gain of its own" in rows["m4"]["note"]
    assert rows["m1"]["uplift"] == pytest.approx(told(without).estimate.uplift)


# ── the board ──────────────────────────────────────────────────────────────────────────────


def test_the_board_without_the_gain_is_that_of_the_players_on_other_prompts():
    """The split fit's ratings of the plain players, and the plain fit's beside them."""
    frame = world(gain=1.5)
    apart = fit_bradley_terry(count_pairs(split(frame, ["m1"])))
    kept = [i for i, name in enumerate(apart.models) if name != "m1*"]
    centred = np.eye(6) - 1 / 6
    clean = 1000 + POINTS * centred @ apart.log_odds[kept]
    errors = centred @ estimate_covariance(apart)[np.ix_(kept, kept)] @ centred.T
    plain = fit_bradley_terry(count_pairs(frame))

    shown = told(frame, cluster=None)

    board = shown.board.frame.sort("model")
    np.testing.assert_allclose(board["rating"], clean, rtol=0, atol=1e-6)
    np.testing.assert_allclose(board["std_error"], POINTS * np.sqrt(np.diag(errors)), rtol=1e-7)
    changes = shown.changes.sort("model")
    np.testing.assert_allclose(changes["rating_plain"], 1000 + POINTS * plain.log_odds, atol=1e-6)
    np.testing.assert_allclose(changes["rating_controlled"], clean, atol=1e-6)


def test_a_rank_that_the_gain_made_is_in_the_note():
    """The exposed model falls, and its note says from where."""
    board = told(world(6_000, gain=2.5)).board

    notes = dict(board.frame.select("model", "note").iter_rows())
    assert notes["m1"] == "rank 1 with the gain"


def test_both_boards_hold_the_anchor():
    """Its rating is the same with the gain and without."""
    shown = told(world(gain=1.5), scale=Scale(anchor=("m3", 1200.0)))

    row = shown.changes.row(by_predicate=pl.col("model") == "m3", named=True)
    assert (row["rating_plain"], row["rating_controlled"]) == pytest.approx((1200.0, 1200.0))
    board = dict(shown.board.frame.select("model", "rating").iter_rows())
    assert board["m3"] == pytest.approx(1200.0)


# ── on paper ───────────────────────────────────────────────────────────────────────────────


def test_the_sheet_shows_the_control_beside_the_estimate_and_what_is_not_proved():
    """Two rows, the others in the file; and the sentence that must not be missing."""
    shown = told(world(6_000, gain=1.0))

    sheet = uplift_sheet(shown)

    assert sheet.summary["model"].to_list() == ["all exposed models", "control: unexposed models"]
    assert sheet.frame.height == 2 + 5
    text = " ".join(sheet.lines)
    assert "This is an association" in text
    assert "still stands out" in text
    assert "near zero, as it should be" in text
    json.dumps(sheet.manifest)


def test_a_control_off_zero_is_said_to_be_so():
    """The models that stand in are good at these prompts: be wary."""
    frame = world(6_000, shift={"m0": 0.8, "m2": 0.8})

    shown = told(frame, pseudo_exposed=["m0", "m2"])

    text = " ".join(uplift_sheet(shown).lines)
    assert "not near zero" in text
    assert "be wary" in text
    assert "more than chance would have it" in text


def test_no_gain_is_said_to_be_none():
    """Nothing planted, nothing proclaimed."""
    text = " ".join(uplift_sheet(told(world(2_000, gain=0.0))).lines)

    assert "there may be no gain at all" in text
    assert "does not stand out" in text


def test_few_prompts_are_mentioned():
    """Twelve prompts, and an interval that is too short."""
    text = " ".join(uplift_sheet(told(world(1_000, repeats=40))).lines)

    assert "by prompt_id, which count as" in text
    assert "too short" in text


def test_clusters_are_counted_by_how_evenly_they_are_filled():
    """Of the battles that tell: one of sixty, and forty alone."""
    frame = two((60, 40, True), (40, 50, False)).with_row_index("prompt_id")
    uneven = frame.with_columns(pl.col("prompt_id").clip(lower_bound=59))

    clusters = told(uneven).clusters

    assert clusters == (41, pytest.approx(100**2 / (60**2 + 40)))


def test_the_clean_board_stands_beside_the_other():
    """Ranks and ratings with the gain and without, and how much was seen."""
    shown = told(world(6_000, gain=2.5))

    sheet = clean_board_sheet(shown)

    row = sheet.frame.row(by_predicate=pl.col("model") == "m1", named=True)
    assert row["rank_with"] == 1 < row["rank"]
    assert row["moved"] < -40
    assert 0.25 < row["share"] < 0.35
    assert sheet.summary.height == 6


# ── truth ──────────────────────────────────────────────────────────────────────────────────


def test_the_gain_in_the_shipped_sample_is_found(monkeypatch):
    """Sixty points are planted in it; the votes are drawn again to know who saw what."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "data"))
    sample = sys.modules.get("make_sample") or __import__("make_sample")
    drawn = sample.make_sample(texts=False)
    frame = drawn.votes.hstack(drawn.seen.rename({"gemma": "seen"}))

    shown = told(frame)

    assert abs(shown.estimate.uplift - sample.UPLIFT) < 2 * shown.estimate.std_error
    assert shown.estimate.lower > 30
    assert abs(shown.control.uplift) < 2 * shown.control.std_error
    assert shown.exposure.head(2)["model"].sort().to_list() == sorted(sample.GEMMA)
