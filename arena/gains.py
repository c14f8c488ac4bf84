"""A model that gains on prompts it has seen: what that does to the outcomes expected of it.

A share f of a model's battles is on prompts that it had seen, and there its log-odds are higher
by a gain d. Its battles with a rival of gap g then end as the mixture (1 - f) p(g) + f p(g + d).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from arena.bradley_terry import MOST_ITERATIONS, STEP, Fit
from arena.errors import ConvergenceError, OptionError
from arena.problem import Problem, problem
from arena.ties import Curvature, TieRule, sigmoid

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

POINTS_RULES = ("half", "drop")
"""Tie rules under which only points count, so that an expected outcome is a number of points."""
MOST_UPLIFT = 4_000.0
"""Rating points; on the Elo scale odds of ten thousand million to one, as good as infinite."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnCells:
    """The pairs of a fit that one model is in.

    Attributes:
        place: int [c], their places among the C pairs of the fit's problem.
        sign: float [c], 1 where the model is the left one, -1 where it is the right one.
        votes: float [c], their votes, or weights.
        gap: float [c], by how much the model is above the other, in log-odds.
    """

    place: Integers
    sign: Floats
    votes: Floats
    gap: Floats


def own_cells(fit: Fit, model: int) -> OwnCells:
    """The pairs that a model, by its index in the fit, is in."""
    task = problem(fit.counts, fit.rule)
    place = np.flatnonzero((task.left == model) | (task.right == model))
    sign = np.where(task.left[place] == model, 1.0, -1.0)
    gaps = fit.log_odds[task.left[place]] - fit.log_odds[task.right[place]]
    return OwnCells(place, sign, task.outcomes[:, place].sum(axis=0), sign * gaps)


def expected_outcomes(rule: TieRule, gap: Floats, tie: float) -> Floats:
    """What is expected of (left, right, tie) at these gaps, [3, ...]; they sum to one.

    Where a tie counts half, only points are expected: they stand under left and right.
    """
    if rule.parameter is None:
        won = sigmoid(gap)
        return np.stack([won, 1.0 - won, np.zeros_like(won)])
    expected: Floats = np.exp(rule.log_p(gap, tie))
    return expected


def mixed_votes(fit: Fit, cells: OwnCells, shares: Floats, gains: Floats) -> Floats:
    """What is expected of a model's votes if it gains on a share of them, [3, c, G].

    N [(1 - f) p(g) + f p(g + d)], in the order (left won, right won, tied).

    Args:
        fit: the fit.
        cells: the model's pairs.
        shares: float [G], of its battles.
        gains: float [G], log-odds.
    """
    rule, tie = fit.rule, fit.tie_parameter or 0.0
    lifted = expected_outcomes(rule, cells.sign[:, None] * (cells.gap[:, None] + gains), tie)
    plain = expected_outcomes(rule, (cells.sign * cells.gap)[:, None], tie)
    mixed: Floats = cells.votes[:, None] * (plain + shares * (lifted - plain))
    return mixed


# ── the other way: strengths without the gain ──────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Clean:
    """What a board would be had a model not gained on the prompts it had seen.

    Attributes:
        log_odds: float [m], as in `Fit`.
        slope: what a small change of the gaps does to the points expected of each pair.
    """

    log_odds: Floats
    slope: Curvature


class Mixture:
    """The equations of a board in which one model gained; nothing changes while solving."""

    def __init__(self, fit: Fit, model: int) -> None:
        """Set the equations up.

        Args:
            fit: the board, with the gain in it.
            model: the index of who gained.

        Raises:
            OptionError: a tie rule under which outcomes are not points.
        """
        refuse_other_rules(fit)
        self.fit, self.model = fit, model
        self.task: Problem = problem(fit.counts, fit.rule, fit.prior)
        self.votes = self.task.outcomes.sum(axis=0)
        # A prior's battles are on no prompt, and stand after those of the votes.
        self.cells = own_cells(fit, model)
        self.points = self.task.outcomes[0] + 0.5 * self.task.outcomes[2]

    def clean(self, share: float, gain: float) -> Clean:
        """The strengths at which the mixture explains the votes as well as the fit does.

        They solve the fit's own equations, points scored equal points expected, with what is
        expected of the model's battles replaced by the mixture.

        Args:
            share: of the model's battles that are on seen prompts.
            gain: log-odds gained there.

        Raises:
            ConvergenceError: if Newton's method does not arrive.
        """
        point = self._start(share, gain)
        surplus, slope = self._at(point, share, gain)
        for _ in range(MOST_ITERATIONS):
            step = self.task.solve(slope, surplus)
            point = point + step
            surplus, slope = self._at(point, share, gain)
            if np.abs(step).max() <= STEP:
                return Clean(point - point.mean(), slope)
        message = (
            f"no strengths found that a gain of {gain:.3g} log-odds on a share of {share:g} "
            "of the battles would turn into this board"
        )
        raise ConvergenceError(message)

    def _start(self, share: float, gain: float) -> Floats:
        """The fit's point with the model where its own points are right, the others held."""
        gaps, votes = self.cells.gap, self.cells.votes
        scored = votes @ sigmoid(gaps)

        def surplus(lower: float) -> float:
            plain, lifted = sigmoid(gaps - lower), sigmoid(gaps - lower + gain)
            return float(votes @ (plain + share * (lifted - plain)) - scored)

        point = self.fit.point.copy()
        if share > 0.0 and gain != 0.0:
            # At a share of one the root is the gain itself.
            ends = sorted((-1e-6 * gain, (1.0 + 1e-6) * gain))
            point[self.model] -= brentq(surplus, *ends)
        return point

    def _at(self, point: Floats, share: float, gain: float) -> tuple[Floats, Curvature]:
        """Points scored less points expected [m], and the slope of the latter."""
        gaps, own = self.task.gaps(point), self.cells.place
        expected = sigmoid(gaps)
        curve = expected * (1.0 - expected)
        lifted = sigmoid(gaps[own] + self.cells.sign * gain)
        expected[own] += share * (lifted - expected[own])
        curve[own] += share * (lifted * (1.0 - lifted) - curve[own])
        return (
            self.task.of_models(self.points - self.votes * expected),
            Curvature(self.votes * curve),
        )


def refuse_other_rules(fit: Fit) -> None:
    """Raise OptionError for a tie rule under which outcomes are not points."""
    if fit.rule.name not in POINTS_RULES:
        raise OptionError(
            f"ties: '{fit.rule.name}' has a tie parameter; this needs {' or '.join(POINTS_RULES)}"
        )


# ── what was asked ─────────────────────────────────────────────────────────────────────────


def checked_shares(shares: Sequence[float]) -> Floats:
    """Shares as an array.

    Raises:
        OptionError: for one outside 0 to 1, or none at all.
    """
    return _checked("share", shares, (0.0, 1.0), "between 0 and 1")


def checked_uplifts(uplifts: Sequence[float]) -> Floats:
    """Uplifts, in rating points, as an array.

    Raises:
        OptionError: for one beyond `MOST_UPLIFT`, or none at all.
    """
    return _checked("uplift", uplifts, (-MOST_UPLIFT, MOST_UPLIFT), f"up to {MOST_UPLIFT:g} points")


def _checked(name: str, values: Sequence[float], ends: tuple[float, float], what: str) -> Floats:
    given = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if not given.size:
        raise OptionError(f"{name}: none was given")
    for value in given:
        if not ends[0] <= value <= ends[1]:
            raise OptionError(f"{name}: {value:g} is not a number {what}")
    return given
