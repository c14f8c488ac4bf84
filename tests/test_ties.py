"""Every tie rule is a proper model with the derivatives it claims."""

import numpy as np
import pytest

from arena.errors import OptionError
from arena.ties import TIE_RULES, tie_rule

WITH_PARAMETER = [name for name, rule in TIE_RULES.items() if rule.parameter]
GAPS = np.array([-6.0, -1.3, -0.2, 0.0, 0.4, 2.0, 7.0])
# Central differences of step h err by about h² times the next derivative; 1e-4 leaves 1e-8.
STEP, CLOSE = 1e-4, 3e-7


@pytest.mark.parametrize("name", WITH_PARAMETER)
@pytest.mark.parametrize("tie", [0.05, 0.7, 2.5])
def test_the_three_outcomes_have_probability_one(name, tie):
    """A battle is won, lost or tied, whatever the gap."""
    total = np.exp(tie_rule(name).terms(GAPS, tie).log_p).sum(axis=1)

    np.testing.assert_allclose(total, 1.0, atol=1e-12)


@pytest.mark.parametrize("name", TIE_RULES)
@pytest.mark.parametrize("tie", [0.05, 0.7, 2.5])
def test_derivatives_in_the_gap_are_those_of_the_log_probability(name, tie):
    """First and second derivatives agree with finite differences, near and far from zero."""
    rule = tie_rule(name)
    up, at, down = (rule.terms(GAPS + h, tie) for h in (STEP, 0.0, -STEP))

    np.testing.assert_allclose(at.d, (up.log_p - down.log_p) / (2 * STEP), atol=CLOSE)
    np.testing.assert_allclose(at.dd, (up.d - down.d) / (2 * STEP), atol=CLOSE)


@pytest.mark.parametrize("name", WITH_PARAMETER)
@pytest.mark.parametrize("tie", [0.3, 0.7, 2.5])
def test_derivatives_in_the_tie_parameter_are_those_of_the_log_probability(name, tie):
    """So do the derivatives in the tie parameter, and the mixed ones."""
    rule = tie_rule(name)
    up, at, down = (rule.terms(GAPS, tie + h) for h in (STEP, 0.0, -STEP))

    np.testing.assert_allclose(at.t, (up.log_p - down.log_p) / (2 * STEP), atol=CLOSE)
    np.testing.assert_allclose(at.tt, (up.t - down.t) / (2 * STEP), atol=20 * CLOSE)
    np.testing.assert_allclose(at.dt, (up.d - down.d) / (2 * STEP), atol=CLOSE)


@pytest.mark.parametrize("name", WITH_PARAMETER)
def test_the_first_value_gives_the_share_of_ties_between_equals(name):
    """Newton's method starts where equal models tie as often as the log does."""
    rule = tie_rule(name)

    p_tie = np.exp(rule.terms(np.zeros(1), rule.start(0.3)).log_p[0, 2])

    assert p_tie == pytest.approx(0.3)


@pytest.mark.parametrize("name", TIE_RULES)
def test_swapping_sides_swaps_win_and_loss(name):
    """No rule favours a side."""
    rule = tie_rule(name)

    there, back = rule.terms(GAPS, 0.7), rule.terms(-GAPS, 0.7)

    np.testing.assert_allclose(back.log_p[:, [1, 0, 2]], there.log_p, atol=1e-14)
    np.testing.assert_allclose(-back.d[:, [1, 0, 2]], there.d, atol=1e-14)


def test_an_unknown_rule_is_refused_by_name():
    """The error names the rule asked for and those there are."""
    with pytest.raises(OptionError, match="'glenn' is not one of half, drop, rao-kupper, davidson"):
        tie_rule("glenn")
