"""Figures that papers and independent software print, and fits of other libraries, come out."""

import numpy as np
import polars as pl
import pytest
from worlds import battles

from arena.battles import read_battles
from arena.bradley_terry import fit_bradley_terry
from arena.covariance import estimate_covariance
from arena.datasets import shipped
from arena.design import build_design
from arena.regression import fit_regression, regression_covariance
from arena.tally import count_pairs

CITATIONS = [
    ("Biometrika", "Comm Statist", 730, 33),
    ("Biometrika", "JASA", 498, 320),
    ("Biometrika", "JRSS-B", 221, 284),
    ("Comm Statist", "JASA", 68, 813),
    ("Comm Statist", "JRSS-B", 17, 276),
    ("JASA", "JRSS-B", 142, 325),
]
"""How often one journal was cited by the other, and the other by the one: a citation is a win.

Stigler, Citation patterns in the journals of statistics and probability, Statistical Science 9
(1994), as in the data set `citations` of the R package BradleyTerry2 (data/citations.txt).
"""

TEAMS = ("Milwaukee", "Detroit", "Toronto", "New York", "Boston", "Cleveland", "Baltimore")
HOME = {
    "Milwaukee": ["", "4-3", "4-2", "4-3", "6-1", "4-2", "6-0"],
    "Detroit": ["3-3", "", "4-2", "4-3", "6-0", "6-1", "4-3"],
    "Toronto": ["2-5", "4-3", "", "2-4", "4-3", "4-2", "6-0"],
    "New York": ["3-3", "5-1", "2-5", "", "4-3", "4-2", "6-1"],
    "Boston": ["5-1", "2-5", "3-3", "4-2", "", "5-2", "6-0"],
    "Cleveland": ["2-5", "3-3", "3-4", "4-3", "4-2", "", "2-4"],
    "Baltimore": ["2-5", "1-5", "1-6", "2-4", "1-6", "3-4", ""],
}
"""Home wins and away wins of the home team (row) against the away team (column).

The American League East of 1987: Agresti, Categorical Data Analysis (2nd ed. 2002), page 438,
as in the data set `baseball` of the R package BradleyTerry2 (data/baseball.csv).
"""

PUDDING = [
    ("1", "2", 19, 22, 16),
    ("1", "3", 16, 19, 12),
    ("2", "3", 19, 19, 10),
    ("1", "4", 18, 23, 13),
    ("2", "4", 23, 19, 9),
    ("3", "4", 19, 20, 15),
    ("1", "5", 13, 19, 18),
    ("2", "5", 16, 20, 12),
    ("3", "5", 16, 15, 17),
    ("4", "5", 17, 14, 16),
    ("1", "6", 18, 21, 12),
    ("2", "6", 22, 20, 12),
    ("3", "6", 13, 18, 10),
    ("4", "6", 14, 19, 18),
    ("5", "6", 11, 21, 12),
]
"""Two brands of chocolate pudding: preferences for the one, for the other, and for neither.

Davidson, On extending the Bradley-Terry model to accommodate ties in paired comparison
experiments, JASA 65 (1970), as in the data set `pudding` of the R package PlackettLuce.
"""


def votes(rows):
    """A frame of counts: wins of the one, wins of the other, and ties where there are any."""
    names = ["model_a", "model_b", "wins_a", "wins_b", "ties"]
    frame = pl.DataFrame([(*row, 0)[:5] for row in rows], schema=names, orient="row")
    return read_battles(frame)


def counted(rows):
    """The pair counts of such rows."""
    return count_pairs(votes(rows))


def season():
    """The baseball season as votes, the home team on the left."""
    games = [
        (home, away, *map(int, score.split("-")))
        for home, scores in HOME.items()
        for away, score in zip(TEAMS, scores, strict=True)
        if score
    ]
    return votes(games)


def relative_to(reference, models, log_odds, covariance):
    """Model → (log-odds, standard error) of its difference from the reference."""
    r, m = models.index(reference), len(models)
    covariance = covariance[:m, :m]
    variance = np.diag(covariance) + covariance[r, r] - 2.0 * covariance[:, r]
    error = np.sqrt(np.maximum(variance, 0.0))
    gaps = (log_odds - log_odds[r]).tolist()
    return {name: (gap, e) for name, gap, e in zip(models, gaps, error.tolist(), strict=True)}


def agree(found, published, abs):
    """Whether estimates and errors agree with those published, for all models published."""
    for model, figures in published.items():
        assert found[model] == pytest.approx(figures, rel=0, abs=abs), model


# ── the R package BradleyTerry2 ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reference", "published"),
    [
        (
            "Biometrika",
            {
                "Biometrika": (0.0, 0.0),
                "Comm Statist": (-2.9490725, 0.10254534),
                "JASA": (-0.4795698, 0.06058873),
                "JRSS-B": (0.2689541, 0.07082997),
            },
        ),
        (
            "JASA",
            {
                "Biometrika": (0.4795698, 0.06058873),
                "Comm Statist": (-2.4695027, 0.09817049),
                "JASA": (0.0, 0.0),
                "JRSS-B": (0.7485238, 0.07294356),
            },
        ),
    ],
)
def test_journals_stand_where_bradleyterry2_puts_them(reference, published):
    """What `BTabilities` prints, from tests/BTabilities.Rout.save of BradleyTerry2."""
    fit = fit_bradley_terry(counted(CITATIONS))

    found = relative_to(reference, fit.models, fit.log_odds, estimate_covariance(fit, "fisher"))
    agree(found, published, abs=6e-8)


def test_centred_journals_have_the_errors_of_sum_contrasts():
    """The same file's `contr.sum` fit: log-odds of mean zero and their own standard errors."""
    published = {
        "Biometrika": (0.7899221, 0.04333047),
        "Comm Statist": (-2.1591504, 0.07257974),
        "JASA": (0.3103523, 0.04164102),
        "JRSS-B": (1.0588761, 0.05304699),
    }

    fit = fit_bradley_terry(counted(CITATIONS))

    error = np.sqrt(np.diag(estimate_covariance(fit, "fisher")))
    found = dict(zip(fit.models, zip(fit.log_odds, error, strict=True), strict=True))
    agree(found, published, abs=6e-8)


def test_baseball_teams_stand_where_bradleyterry2_puts_them():
    """What `summary(baseballModel1)` prints, from tests/baseball.Rout.save of BradleyTerry2."""
    published = {
        "Boston": (1.1077, 0.3339),
        "Cleveland": (0.6839, 0.3319),
        "Detroit": (1.4364, 0.3396),
        "Milwaukee": (1.5814, 0.3433),
        "New York": (1.2476, 0.3359),
        "Toronto": (1.2945, 0.3367),
    }

    fit = fit_bradley_terry(count_pairs(season()))

    found = relative_to("Baltimore", fit.models, fit.log_odds, estimate_covariance(fit, "fisher"))
    agree(found, published, abs=5e-5)


def test_playing_at_home_is_worth_what_bradleyterry2_says():
    """What `summary(baseballModel2)` prints, from the same file: the side is a covariate."""
    published = {
        "Boston": (1.1438, 0.3378),
        "Cleveland": (0.7047, 0.3350),
        "Detroit": (1.4754, 0.3446),
        "Milwaukee": (1.6196, 0.3474),
        "New York": (1.2813, 0.3404),
        "Toronto": (1.3271, 0.3403),
    }
    design = build_design(season(), ["side"])

    fit = fit_regression(design)

    covariance = regression_covariance(fit, design, "fisher")
    agree(relative_to("Baltimore", fit.models, fit.log_odds, covariance), published, abs=5e-5)
    assert fit.coefficients[0] == pytest.approx(0.3023, abs=5e-5)
    assert np.sqrt(covariance[-1, -1]) == pytest.approx(0.1309, abs=5e-5)


def test_playing_at_home_explains_the_published_deviance():
    """`anova` of the two models prints a deviance of 5.4106: twice the gain in likelihood."""
    design = build_design(season(), ["side"])

    with_side, without = fit_regression(design), fit_bradley_terry(count_pairs(season()))

    gain = 2 * (with_side.log_likelihood - without.log_likelihood)
    assert gain == pytest.approx(5.4106, abs=5e-5)


# ── the R package PlackettLuce, and Davidson ───────────────────────────────────────────────


def test_puddings_are_worth_what_davidson_found():
    """Worths of sum one and nu, which PlackettLuce's vignette prints to match Davidson's paper.

    It stops after seven iterations, as Davidson did, which is 2e-5 short of the maximum.
    """
    published = [0.1388005, 0.1729985, 0.1617420, 0.1653930, 0.1586805, 0.2023855]

    fit = fit_bradley_terry(counted(PUDDING), ties="davidson")

    worth = np.exp(fit.log_odds)
    np.testing.assert_allclose(worth / worth.sum(), published, rtol=0, atol=2.5e-5)
    assert np.exp(fit.tie_parameter) == pytest.approx(0.7468147, abs=2.5e-5)


def test_puddings_have_the_published_errors():
    """What `summary(qvcalc(mod))` and `summary(mod)` print in the same vignette."""
    published = {
        "1": (0.0, 0.0),
        "2": (0.2202447, 0.1872168),
        "3": (0.1529644, 0.1935181),
        "4": (0.1752864, 0.1882110),
        "5": (0.1338550, 0.1927043),
        "6": (0.3771362, 0.1924059),
    }

    fit = fit_bradley_terry(counted(PUDDING), ties="davidson")

    covariance = estimate_covariance(fit, "fisher")
    agree(relative_to("1", fit.models, fit.log_odds, covariance), published, abs=1.5e-4)
    centred = [0.121949, 0.121818, 0.126823, 0.122003, 0.127054, 0.126594]
    errors = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(errors[:6], centred, rtol=0, atol=2e-6)
    assert (fit.tie_parameter, errors[6]) == pytest.approx((-0.291938, 0.082499), abs=1.5e-5)


def test_puddings_have_the_published_deviance():
    """The vignette's residual deviance, on 1484 degrees of freedom: two a vote, less six."""
    fit = fit_bradley_terry(counted(PUDDING), ties="davidson")

    assert 2 * fit.counts.n_battles - 6 == 1484
    assert -2 * fit.log_likelihood == pytest.approx(1619.4, abs=0.05)


FRUITLESS = [("A", "B", 1, 1), ("A", "C", 0, 1), ("A", "D", 1, 0), ("B", "C", 1, 0)]
"""The five rankings of two out of four items with which PlackettLuce's vignette shows a prior."""


def test_a_model_that_only_loses_is_left_out_and_the_others_agree_with_plackettluce():
    """The vignette drops D, whose worth has no estimate, and prints the others' and their errors."""
    published = {"A": (0.0, 0.0), "B": (0.8392, 1.3596), "C": (0.4196, 1.5973)}

    fit = fit_bradley_terry(counted(FRUITLESS))

    assert [one.model for one in fit.left_out] == ["D"]
    covariance = estimate_covariance(fit, "fisher")
    agree(relative_to("A", fit.models, fit.log_odds, covariance), published, abs=5e-5)


def test_a_prior_of_one_battle_is_plackettluce_with_its_pseudo_rankings():
    """`npseudo = 0.5` adds half a win and half a loss against a ghost, and prints these."""
    published = {"A": 0.0, "B": 0.5184185, "C": 0.1354707, "D": -1.1537565}

    fit = fit_bradley_terry(counted(FRUITLESS), on_separation="prior", prior=1.0)

    found = dict(zip(fit.models, (fit.log_odds - fit.log_odds[0]).tolist(), strict=True))
    assert found == pytest.approx(published, rel=0, abs=1e-6)


# ── an encyclopedia ────────────────────────────────────────────────────────────────────────


def test_four_teams_stand_where_wikipedia_puts_them():
    """The worked example of the article Bradley-Terry model: strengths of geometric mean one."""
    results = [("A", "B", 2, 3), ("A", "D", 1, 4), ("B", "C", 5, 3), ("C", "D", 1, 3)]

    fit = fit_bradley_terry(counted(results))

    np.testing.assert_allclose(np.exp(fit.log_odds), [0.640, 1.043, 0.660, 2.270], atol=6e-4)


# ── leaderbot, on the shipped votes ────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ties", "total", "by_outcome"),
    [
        ("rao-kupper", 1.0095, [0.3405, 0.3462, 0.3227]),
        ("davidson", 1.0100, [0.3409, 0.3461, 0.3231]),
    ],
)
def test_tie_models_explain_the_shipped_votes_as_well_as_leaderbot_says(ties, total, by_outcome):
    """The cross-entropy per vote that leaderbot's README prints for its models 4 and 7.

    Ameli, Zhuang, Stoica and Mahoney, A statistical framework for ranking LLM-based chatbots
    (ICLR 2025). leaderbot leaves both-bad votes out.
    """
    counts = count_pairs(pl.read_parquet(shipped()).drop("both_bad"))

    fit = fit_bradley_terry(counts, ties=ties)

    left, right = fit.counts.pairs.T
    log_p = fit.rule.log_p(fit.log_odds[left] - fit.log_odds[right], fit.tie_parameter)
    entropy = -(fit.counts.outcomes[:, :3] * log_p.T).sum(axis=0) / fit.counts.n_battles
    np.testing.assert_allclose(entropy, by_outcome, rtol=0, atol=5e-5)
    assert -fit.log_likelihood / fit.counts.n_battles == pytest.approx(total, abs=5e-5)


def test_half_wins_explain_the_shipped_votes_as_well_as_leaderbot_says():
    """The README's model 1, Bradley-Terry with a tie as half a win: 0.6554 per vote."""
    counts = count_pairs(pl.read_parquet(shipped()).drop("both_bad"))

    fit = fit_bradley_terry(counts)

    assert -fit.log_likelihood / fit.counts.n_battles == pytest.approx(0.6554, abs=5e-5)


# ── statsmodels, fitted here ───────────────────────────────────────────────────────────────


def contrasts(frame, models):
    """The design matrix [n, m - 1]: +1 for the left model, -1 for the right, the first left out."""
    matrix = np.zeros((frame.height, len(models)))
    row = np.arange(frame.height)
    matrix[row, [models.index(name) for name in frame["model_a"]]] = 1.0
    matrix[row, [models.index(name) for name in frame["model_b"]]] = -1.0
    return matrix[:, 1:]


def centred(estimate, covariance):
    """Differences from the first model [m - 1] as log-odds of mean zero [m], with covariance."""
    m = len(estimate) + 1
    centre = np.eye(m)[:, 1:] - 1.0 / m
    return centre @ estimate, centre @ covariance @ centre.T


@pytest.mark.parametrize(("kind", "theirs"), [("fisher", "nonrobust"), ("sandwich", "HC0")])
@pytest.mark.parametrize(("tie_share", "both_bad_share"), [(0.0, 0.0), (0.2, 0.1)])
def test_a_binomial_model_of_statsmodels_has_the_same_strengths_and_covariance(
    kind, theirs, tie_share, both_bad_share
):
    """A logistic regression of the points, half for a tie: Fisher's errors, and White's."""
    sm = pytest.importorskip("statsmodels.api")
    frame = battles(7, 1_200, seed=11, tie_share=tie_share, both_bad_share=both_bad_share)
    fit = fit_bradley_terry(count_pairs(frame))
    points = frame["winner"].replace_strict(
        {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "both_bad": 0.5}
    )

    model = sm.GLM(points.to_numpy(), contrasts(frame, fit.models), family=sm.families.Binomial())
    result = model.fit(tol=1e-14, cov_type=theirs)

    log_odds, covariance = centred(result.params, result.cov_params())
    np.testing.assert_allclose(fit.log_odds, log_odds, rtol=0, atol=1e-8)
    np.testing.assert_allclose(estimate_covariance(fit, kind), covariance, rtol=0, atol=1e-8)


def test_davidson_is_a_log_linear_model_of_statsmodels():
    """Counts of each pair's three outcomes as Poisson, with a rate per pair: Fienberg (1979)."""
    sm = pytest.importorskip("statsmodels.api")
    frame = battles(6, 1_500, seed=12)
    fit = fit_bradley_terry(count_pairs(frame), ties="davidson")
    left, right = fit.counts.pairs.T
    n_pairs, m = len(left), len(fit.models)
    seen = np.column_stack(
        [fit.counts.outcomes[:, :2], fit.counts.outcomes[:, 2:].sum(axis=1)]
    ).ravel()
    gap = np.zeros((n_pairs, m))
    gap[np.arange(n_pairs), left], gap[np.arange(n_pairs), right] = 1.0, -1.0
    outcome = np.tile(np.eye(3), (n_pairs, 1))
    halves = np.repeat(gap, 3, axis=0) * (outcome @ [0.5, -0.5, 0.0])[:, None]
    rates = np.repeat(np.eye(n_pairs), 3, axis=0)

    design = np.column_stack([halves[:, 1:], outcome[:, 2], rates])
    result = sm.GLM(seen, design, family=sm.families.Poisson()).fit(tol=1e-14)

    log_odds, covariance = centred(result.params[: m - 1], result.cov_params()[: m - 1, : m - 1])
    np.testing.assert_allclose(fit.log_odds, log_odds, rtol=0, atol=1e-8)
    assert fit.tie_parameter == pytest.approx(result.params[m - 1], abs=1e-8)
    ours = estimate_covariance(fit, "fisher")
    np.testing.assert_allclose(ours[:m, :m], covariance, rtol=0, atol=1e-8)
    assert ours[m, m] == pytest.approx(result.cov_params()[m - 1, m - 1], abs=1e-8)


def test_rao_kupper_is_an_ordered_logit_model_of_statsmodels():
    """Loss, tie and win as ordered outcomes, with a threshold below and one above the tie.

    Each vote is seen from both sides, so that the two thresholds are equal up to their sign.
    """
    ordinal = pytest.importorskip("statsmodels.miscmodels.ordinal_model")
    frame = battles(5, 800, seed=13)
    fit = fit_bradley_terry(count_pairs(frame), ties="rao-kupper")
    order = {"model_b": 0, "tie": 1, "both_bad": 1, "model_a": 2}
    level = frame["winner"].replace_strict(order).to_numpy()
    matrix = contrasts(frame, fit.models)

    both = np.concatenate([level, 2 - level])
    model = ordinal.OrderedModel(both, np.vstack([matrix, -matrix]), distr="logit")
    result = model.fit(method="bfgs", disp=False, gtol=1e-7)

    m = len(fit.models)
    log_odds, _ = centred(result.params[: m - 1], np.zeros((m - 1, m - 1)))
    low, high = model.transform_threshold_params(result.params[m - 1 :])[1:3]
    np.testing.assert_allclose(fit.log_odds, log_odds, rtol=0, atol=1e-5)
    assert (-low, high) == pytest.approx((fit.tie_parameter,) * 2, abs=1e-5)
    assert 2 * fit.log_likelihood == pytest.approx(result.llf, rel=1e-9)
