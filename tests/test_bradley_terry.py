"""The fit is the maximum of the likelihood, by closed form, definition and other libraries."""

import choix
import numpy as np
import polars as pl
import pytest
from scipy.optimize import minimize
from worlds import battles, counted, log, tied, won

from arena.bradley_terry import fit_bradley_terry
from arena.errors import NoEstimateError, OptionError
from arena.tally import count_pairs
from arena.ties import TIE_RULES, tie_rule

TO_RATING = 400 / np.log(10)


def strengths(fit):
    """Model → log-odds."""
    return dict(zip(fit.models, fit.log_odds, strict=True))


def log_likelihood_by_vote(frame, rule, log_odds, tie):
    """The definition: one term per vote."""
    total = 0.0
    outcome = {"model_a": 0, "model_b": 1, "tie": 2, "both_bad": 2}
    for left, right, winner in frame.iter_rows():
        if rule.counts_ties or winner in ("model_a", "model_b"):
            gap = np.array([log_odds[left] - log_odds[right]])
            total += rule.log_p(gap, tie)[outcome[winner], 0]
    return total


def test_two_models_with_ties_have_the_odds_of_their_points():
    """Three wins, one loss and four ties are five points to three."""
    fit = fit_bradley_terry(counted(*won("x", "y", 3), *won("y", "x"), *tied("x", "y", 4)))

    assert np.exp(fit.log_odds[0] - fit.log_odds[1]) == pytest.approx(5 / 3, rel=1e-12)
    assert fit.log_odds.sum() == pytest.approx(0.0, abs=1e-15)


def test_dropped_ties_leave_the_decided_votes():
    """Without its four ties the same log has odds of three."""
    fit = fit_bradley_terry(
        counted(*won("x", "y", 3), *won("y", "x"), *tied("x", "y", 4)), ties="drop"
    )

    assert np.exp(fit.log_odds[0] - fit.log_odds[1]) == pytest.approx(3.0, rel=1e-12)


def test_both_bad_is_half_a_win_each():
    """Leaving both-bad votes out, or counting them twice, would give other odds."""
    rows = [*won("x", "y", 3), *won("y", "x"), *[("x", "y", "both_bad")] * 4]

    fit = fit_bradley_terry(counted(*rows))

    assert np.exp(fit.log_odds[0] - fit.log_odds[1]) == pytest.approx(5 / 3, rel=1e-12)


@pytest.mark.parametrize("ties", ["rao-kupper", "davidson"])
def test_two_models_under_a_tie_model_fit_the_shares_exactly(ties):
    """Two parameters and two free shares: the model reproduces 3 : 1 : 4."""
    fit = fit_bradley_terry(
        counted(*won("x", "y", 3), *won("y", "x"), *tied("x", "y", 4)), ties=ties
    )

    gap = np.array([fit.log_odds[0] - fit.log_odds[1]])
    shares = np.exp(fit.rule.log_p(gap, fit.tie_parameter)[:, 0])
    np.testing.assert_allclose(shares, [3 / 8, 1 / 8, 4 / 8], rtol=1e-10)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_the_fit_maximises_the_likelihood_summed_over_votes(ties):
    """A quasi-Newton search of the definition ends at the same point, and is worth as much."""
    frame = battles(5, 300, seed=3)
    fit = fit_bradley_terry(count_pairs(frame), ties=ties)
    cells = frame.group_by("model_a", "model_b", "winner").len()
    rule = tie_rule(ties)

    def loss(point):
        log_odds = dict(zip(fit.models, point[:5], strict=True))
        value = 0.0
        for left, right, winner, n in cells.iter_rows():
            if rule.counts_ties or winner in ("model_a", "model_b"):
                outcome = {"model_a": 0, "model_b": 1}.get(winner, 2)
                gap = np.array([log_odds[left] - log_odds[right]])
                value -= n * rule.log_p(gap, point[5])[outcome, 0]
        return value + point[:5].sum() ** 2

    start = np.array([0.0] * 5 + [0.5])
    best = minimize(loss, start, bounds=[(None, None)] * 5 + [(1e-3, None)], tol=1e-14)

    np.testing.assert_allclose(fit.log_odds, best.x[:5], atol=2e-4)
    by_vote = log_likelihood_by_vote(frame, rule, strengths(fit), fit.tie_parameter or 0.0)
    assert fit.log_likelihood == pytest.approx(by_vote, rel=1e-12)
    assert fit.log_likelihood >= -best.fun - 1e-9


def test_without_ties_choix_finds_the_same_strengths():
    """Agreement with an independent library to 1e-6 rating points."""
    frame = battles(12, 4_000, seed=1, tie_share=0.0, both_bad_share=0.0)
    counts = count_pairs(frame)
    index = {name: i for i, name in enumerate(counts.models)}
    data = [
        (index[a], index[b]) if winner == "model_a" else (index[b], index[a])
        for a, b, winner in frame.iter_rows()
    ]

    theirs = choix.ilsr_pairwise(12, data, alpha=0.0, tol=1e-12, max_iter=1_000)

    ours = fit_bradley_terry(counts).log_odds
    np.testing.assert_allclose(ours * TO_RATING, (theirs - theirs.mean()) * TO_RATING, atol=1e-6)


@pytest.mark.parametrize("ties", TIE_RULES)
def test_at_the_estimate_the_scores_sum_to_zero(ties):
    """Each model scored the points that its strength predicts, to 1e-10 per battle."""
    counts = count_pairs(battles(20, 5_000, seed=5))
    fit = fit_bradley_terry(counts, ties=ties)
    gap = fit.log_odds[fit.counts.pairs[:, 0]] - fit.log_odds[fit.counts.pairs[:, 1]]
    slope = fit.rule.first(gap, fit.tie_parameter or 0.0).d.T
    votes = np.column_stack([fit.counts.outcomes[:, :2], fit.counts.outcomes[:, 2:].sum(axis=1)])
    if ties == "drop":
        votes[:, 2] = 0.0
    score = np.zeros(20)
    np.add.at(score, fit.counts.pairs[:, 0], (votes * slope).sum(axis=1))
    np.add.at(score, fit.counts.pairs[:, 1], -(votes * slope).sum(axis=1))

    assert np.abs(score).max() <= 1e-10 * votes.sum()


@pytest.mark.parametrize("ties", TIE_RULES)
def test_neither_row_order_nor_sides_nor_names_matter(ties):
    """Shuffled rows, swapped sides and new names give the same strengths to 1e-9."""
    frame = battles(9, 1_500, seed=2)
    swapped = {"model_a": "model_b", "model_b": "model_a", "tie": "tie", "both_bad": "both_bad"}
    flip = pl.col("index") % 2 == 1
    other = (
        frame.sample(fraction=1.0, shuffle=True, seed=1)
        .with_row_index()
        .select(
            model_a=pl.when(flip).then("model_b").otherwise("model_a"),
            model_b=pl.when(flip).then("model_a").otherwise("model_b"),
            winner=pl.when(flip).then(pl.col("winner").replace(swapped)).otherwise("winner"),
        )
        .with_columns(pl.col("model_a", "model_b").str.reverse())
    )

    plain = strengths(fit_bradley_terry(count_pairs(frame), ties=ties))
    renamed = strengths(fit_bradley_terry(count_pairs(other), ties=ties))

    for model, value in plain.items():
        assert renamed[model[::-1]] == pytest.approx(value, abs=1e-9)


def test_an_undefeated_model_is_left_out_and_the_others_rated_as_without_it():
    """Its battles say nothing of how far above it stands, so they move nobody."""
    frame = battles(6, 500, seed=4)
    with_champion = pl.concat([frame, log(*won("champion", "m001", 30))])

    fit = fit_bradley_terry(count_pairs(with_champion))

    assert [one.model for one in fit.left_out] == ["champion"]
    assert "champion" not in fit.models
    alone = strengths(fit_bradley_terry(count_pairs(frame)))
    assert strengths(fit) == pytest.approx(alone, abs=1e-12)


def test_a_prior_rates_an_undefeated_model_finitely():
    """One battle, half won, against an average model: 3.5 points of 4 here."""
    counts = counted(*won("x", "y", 3))

    fit = fit_bradley_terry(counts, on_separation="prior", prior=1.0)

    # By symmetry y = -x, so x maximises 3 log s(2x) + log s(x) + log s(-x): 6 s(-2x) = 2 s(x) - 1.
    x = fit.log_odds[list(fit.models).index("x")]
    sigmoid = 1 / (1 + np.exp(-np.array([x, -2 * x])))
    assert 6 * sigmoid[1] == pytest.approx(2 * sigmoid[0] - 1, abs=1e-9)
    assert fit.log_odds.sum() == pytest.approx(0.0, abs=1e-12)


def test_a_weaker_prior_pulls_less():
    """The undefeated model rises as the prior's weight falls."""
    counts = counted(*won("x", "y", 3))

    gaps = [
        np.ptp(fit_bradley_terry(counts, on_separation="prior", prior=prior).log_odds)
        for prior in (4.0, 1.0, 0.25)
    ]

    assert gaps == sorted(gaps)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_separation": "guess"}, "'guess' is not one of drop, error, prior"),
        ({"on_separation": "prior", "prior": 0.0}, "0.0 is not a positive number"),
        ({"ties": "maybe"}, "'maybe' is not one of"),
    ],
)
def test_an_impossible_option_is_named(options, message):
    """The error quotes the value and lists what it may be."""
    with pytest.raises(OptionError, match=message):
        fit_bradley_terry(counted(*tied("a", "b")), **options)


@pytest.mark.parametrize(
    ("rows", "lacking"),
    [([*won("a", "b"), *won("b", "a")], "no ties"), (tied("a", "b"), "no decided battles")],
)
def test_a_tie_model_without_ties_has_no_estimate(rows, lacking):
    """Its parameter would run to infinity; the error says what is missing."""
    with pytest.raises(NoEstimateError, match=lacking):
        fit_bradley_terry(counted(*rows), ties="davidson")


def test_lopsided_counts_still_converge():
    """One loss in a million battles is far from the start, and found all the same."""
    counts = counted(*won("a", "b"), *won("b", "a"))
    lopsided = type(counts)(counts.models, counts.pairs, counts.outcomes * [[999_999.0], [1.0]])

    fit = fit_bradley_terry(lopsided)

    assert fit.log_odds[0] - fit.log_odds[1] == pytest.approx(np.log(999_999.0), rel=1e-10)
