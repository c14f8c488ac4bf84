"""Every tie rule is a proper model with the derivatives it claims."""

from dataclasses import astuple

import numpy as np
import pytest

from arena.errors import OptionError
from arena.ties import TIE_RULES, summed_curvature, summed_score, summed_value, tie_rule

WITH_PARAMETER = [name for name, rule in TIE_RULES.items() if rule.parameter]
GAPS = np.array([-6.0, -1.3, -0.2, 0.0, 0.4, 2.0, 7.0])
# Central differences of step h err by about h² times the next derivative; 1e-4 leaves 1e-8.
STEP, CLOSE = 1e-4, 3e-7


@pytest.mark.parametrize("name", WITH_PARAMETER)
@pytest.mark.parametrize("tie", [0.05, 0.7, 2.5])
def test_the_three_outcomes_have_probability_one(name, tie):
    """A battle is won, lost or tied, whatever the gap."""
    total = np.exp(tie_rule(name).log_p(GAPS, tie)).sum(axis=0)

    np.testing.assert_allclose(total, 1.0, atol=1e-12)


@pytest.mark.parametrize("name", TIE_RULES)
@pytest.mark.parametrize("tie", [0.05, 0.7, 2.5])
def test_derivatives_in_the_gap_are_those_of_the_log_probability(name, tie):
    """First and second derivatives agree with finite differences, near and far from zero."""
    rule = tie_rule(name)
    up, down = GAPS + STEP, GAPS - STEP

    slope = (rule.log_p(up, tie) - rule.log_p(down, tie)) / (2 * STEP)
    curve = (rule.first(up, tie).d - rule.first(down, tie).d) / (2 * STEP)

    np.testing.assert_allclose(rule.first(GAPS, tie).d, slope, atol=CLOSE)
    np.testing.assert_allclose(rule.second(GAPS, tie).dd, curve, atol=CLOSE)


@pytest.mark.parametrize("name", WITH_PARAMETER)
@pytest.mark.parametrize("tie", [0.3, 0.7, 2.5])
def test_derivatives_in_the_tie_parameter_are_those_of_the_log_probability(name, tie):
    """So do the derivatives in the tie parameter, and the mixed ones."""
    rule = tie_rule(name)
    up, down = rule.first(GAPS, tie + STEP), rule.first(GAPS, tie - STEP)

    slope = (rule.log_p(GAPS, tie + STEP) - rule.log_p(GAPS, tie - STEP)) / (2 * STEP)

    np.testing.assert_allclose(rule.first(GAPS, tie).t, slope, atol=CLOSE)
    second = rule.second(GAPS, tie)
    np.testing.assert_allclose(second.tt, (up.t - down.t) / (2 * STEP), atol=20 * CLOSE)
    np.testing.assert_allclose(second.dt, (up.d - down.d) / (2 * STEP), atol=CLOSE)


@pytest.mark.parametrize("name", TIE_RULES)
def test_gaps_may_have_any_shape(name):
    """A table of gaps with a tie parameter per column is solved as column by column."""
    rule = tie_rule(name)
    gaps, ties = np.stack([GAPS, GAPS + 0.3], axis=1), np.array([0.4, 0.9])

    table = rule.first(gaps, ties).d

    for column in range(2):
        alone = rule.first(gaps[:, column], ties[column]).d
        np.testing.assert_allclose(table[:, :, column], alone, atol=1e-15)


@pytest.mark.parametrize("name", WITH_PARAMETER)
def test_the_first_value_gives_the_share_of_ties_between_equals(name):
    """Newton's method starts where equal models tie as often as the log does."""
    rule = tie_rule(name)

    p_tie = np.exp(rule.log_p(np.zeros(1), rule.start(0.3))[2, 0])

    assert p_tie == pytest.approx(0.3)


@pytest.mark.parametrize("name", TIE_RULES)
def test_the_score_of_votes_is_the_sum_over_outcomes(name):
    """A shorter way to it is the same to rounding."""
    rule = tie_rule(name)
    votes = np.random.default_rng(0).poisson(5.0, (3, GAPS.size)).astype(float)

    in_gap, in_tie = rule.score(votes, GAPS, 0.7)

    by_outcome, by_outcome_tie = summed_score(rule, votes, GAPS, 0.7)
    np.testing.assert_allclose(in_gap, by_outcome, atol=1e-13)
    assert (in_tie is None) == (by_outcome_tie is None)


@pytest.mark.parametrize("name", TIE_RULES)
def test_value_and_curvature_of_votes_are_the_sums_over_outcomes(name):
    """So are shorter ways to these, also far out, where a chance is no longer a number."""
    rule = tie_rule(name)
    votes = np.random.default_rng(0).poisson(5.0, (3, GAPS.size)).astype(float)
    far = np.array([-800.0, 800.0])

    value, curvature = (of(votes, GAPS, 0.7) for of in (rule.value, rule.curvature))

    slow = summed_curvature(rule, votes, GAPS, 0.7)
    np.testing.assert_allclose(value, summed_value(rule, votes, GAPS, 0.7), atol=1e-11)
    for mine, other in zip(astuple(curvature), astuple(slow), strict=True):
        assert (mine is None) == (other is None)
        if mine is not None:
            np.testing.assert_allclose(mine, other, atol=1e-13)
    ones = np.ones((3, 2))
    np.testing.assert_allclose(rule.value(ones, far, 0.7), summed_value(rule, ones, far, 0.7))


@pytest.mark.parametrize("name", TIE_RULES)
def test_swapping_sides_swaps_win_and_loss(name):
    """No rule favours a side."""
    rule = tie_rule(name)

    there, back = rule.log_p(GAPS, 0.7), rule.log_p(-GAPS, 0.7)

    np.testing.assert_allclose(back[[1, 0, 2]], there, atol=1e-14)
    slope, slope_back = rule.first(GAPS, 0.7).d, rule.first(-GAPS, 0.7).d
    np.testing.assert_allclose(-slope_back[[1, 0, 2]], slope, atol=1e-14)


def test_an_unknown_rule_is_refused_by_name():
    """The error names the rule asked for and those there are."""
    with pytest.raises(OptionError, match="'glenn' is not one of half, drop, rao-kupper, davidson"):
        tie_rule("glenn")
