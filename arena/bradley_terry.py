"""Maximum likelihood for Bradley-Terry, with any tie rule, by Newton's method on counts.

Bradley and Terry, Rank analysis of incomplete block designs, Biometrika 39 (1952). The counts
are sufficient: a fit costs the same for ten thousand votes and ten million.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError
from scipy.sparse.csgraph import NegativeCycleError, bellman_ford, csgraph_from_dense

from arena.counts import PairCounts
from arena.errors import ConvergenceError, NoEstimateError, OptionError
from arena.existence import LeftOut, largest_group, left_out, refuse_separation
from arena.problem import Around, Matrix, Problem, problem
from arena.ties import TieRule, tie_rule

Floats = NDArray[np.float64]
OnSeparation = Literal["drop", "error", "prior"]

GRADIENT_PER_BATTLE = 1e-10
STEP = 1e-9
MOST_ITERATIONS = 100
EXACT, ROUGH = 1e-9, 1e-3
"""Relative errors of a Newton step, where it is found by conjugate gradients."""


@dataclass(frozen=True, eq=False)  # without slots, so that the Hessian can be kept
class Fit:
    """A converged fit; there is no other kind.

    Attributes:
        models: the m names rated, sorted.
        log_odds: float [m], mean zero.
        tie_parameter: of the tie rule, or None where it has none.
        log_likelihood: at the estimate, in nats, prior not included; for the half rule a
            quasi-log-likelihood.
        iterations: Newton steps taken.
        rule: the tie rule.
        prior: half-wins and half-losses against the average given to each model, 0 for none.
        counts: what was fitted, after models that cannot be rated were left out.
        all_counts: what was given.
        left_out: the models not rated, each with the reason.
        above_average: how far the models' mean lies above the prior's average opponent, in
            log-odds; 0 without a prior.
    """

    models: tuple[str, ...]
    log_odds: Floats
    tie_parameter: float | None
    log_likelihood: float
    iterations: int
    rule: TieRule
    prior: float
    counts: PairCounts
    all_counts: PairCounts
    left_out: tuple[LeftOut, ...]
    above_average: float = 0.0

    @property
    def point(self) -> Floats:
        """The estimate [m + q] as `Problem` has it: log-odds seen from the prior's opponent."""
        tie = [] if self.tie_parameter is None else [self.tie_parameter]
        return np.append(self.log_odds + self.above_average, tie)

    @cached_property
    def hessian(self) -> Matrix:
        """Of the negative log-likelihood in the log-odds and the q = 0 or 1 tie parameters.

        float [m + q, m + q], singular along the constant vector unless there is a prior; sparse
        where there are many models, see `arena.problem`.
        """
        return problem(self.counts, self.rule, self.prior).hessian(self.point)


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """The maximum of a likelihood.

    Attributes:
        point: float [m + q], the mean of the log-odds wherever it fell.
        value: the log-likelihood there, the prior included.
        iterations: Newton steps taken.
    """

    point: Floats
    value: float
    iterations: int


def fit_bradley_terry(
    counts: PairCounts,
    *,
    ties: str = "half",
    on_separation: OnSeparation = "drop",
    prior: float = 1.0,
) -> Fit:
    """Fit strengths to pair counts, converged or not at all.

    Args:
        counts: votes by ordered pair.
        ties: ``half`` (a tie or both-bad is half a win each), ``drop``, ``rao-kupper``,
            ``davidson``.
        on_separation: what to do when no finite estimate exists: ``drop`` the models that are
            the reason, raise an ``error``, or add a ``prior``.
        prior: with ``on_separation="prior"``, this many battles of each model against an
            average opponent, half won and half lost.

    Raises:
        NoEstimateError: if nothing can be rated, or with ``error`` if not all can.
        ConvergenceError: if Newton's method does not reach a gradient of 1e-10 per battle.
        OptionError: an option with a value it cannot have.

    >>> from arena.tally import count_pairs
    >>> import polars as pl
    >>> votes = ["model_a"] * 3 + ["model_b"] + ["tie"] * 4
    >>> log = pl.DataFrame({"model_a": ["x"] * 8, "model_b": ["y"] * 8, "winner": votes})
    >>> fit = fit_bradley_terry(count_pairs(log))
    >>> round(float(np.exp(fit.log_odds[0] - fit.log_odds[1])), 9)  # (3 + 2) / (1 + 2)
    1.666666667
    """
    rule = tie_rule(ties)
    if on_separation not in ("drop", "error", "prior"):
        raise OptionError(f"on-separation: '{on_separation}' is not one of drop, error, prior")
    if on_separation == "prior" and not (np.isfinite(prior) and prior > 0):
        raise OptionError(f"prior: {prior} is not a positive number of battles")
    used, strength = counts, 0.0
    outside: tuple[LeftOut, ...] = ()
    if on_separation == "prior":
        strength = prior
        if counts.n_models < 2:
            raise NoEstimateError("fewer than two models: a rating needs an opponent")
    else:
        connected = largest_group(counts, counts_ties=rule.counts_ties)
        if connected.kept.size < counts.n_models:
            outside = left_out(counts, connected, counts_ties=rule.counts_ties)
            used = counts.restrict(connected.kept)
        if on_separation == "error":
            refuse_separation(counts, outside)
    task = problem(used, rule, strength)
    solved = solve(task)
    point = solved.point
    log_odds = point[: used.n_models]
    return Fit(
        models=used.models,
        log_odds=log_odds - log_odds.mean(),
        tie_parameter=None if rule.parameter is None else float(point[-1]),
        log_likelihood=(problem(used, rule).log_likelihood(point) if strength else solved.value),
        iterations=solved.iterations,
        rule=rule,
        prior=strength,
        counts=used,
        all_counts=counts,
        left_out=outside,
        above_average=float(log_odds.mean()) if strength else 0.0,
    )


def solve(task: Problem) -> Solved:
    """Maximise the likelihood by Newton's method.

    Raises:
        ConvergenceError: if the gradient does not fall to 1e-10 per battle.
        NoEstimateError: if the tie parameter has no estimate.
    """
    battles = np.maximum(task.battles(), 1e-300)
    point = np.zeros(task.n_parameters)
    if task.rule.parameter is not None:
        point[-1] = _tie_start(task)
    here, size = task.around(point), np.inf
    for iteration in range(1, MOST_ITERATIONS + 1):
        try:
            # Newton squares its error, so that early steps need not be exact.
            step = task.solve(here.curvature, here.gradient, float(np.clip(size**2, EXACT, ROUGH)))
        except LinAlgError as error:
            message = f"the curvature vanishes at step {iteration}: the votes hardly determine the ratings"
            raise ConvergenceError(message) from error
        short = np.max(np.abs(here.gradient) / battles) <= GRADIENT_PER_BATTLE
        point, here = _climb(task, point, here.value, step)
        size = float(np.max(np.abs(step)))
        if short and size <= STEP:
            return Solved(point, here.value, iteration)
    message = f"no convergence in {MOST_ITERATIONS} Newton steps"
    raise ConvergenceError(message)


def _tie_start(task: Problem) -> float:
    decided, tied = task.outcomes[:2].sum(), task.outcomes[2].sum()
    if tied == 0 or decided == 0:
        lacking = "ties" if tied == 0 else "decided battles"
        message = (
            f"{task.rule.name}: there are no {lacking}, so its tie parameter has no estimate; "
            "use --ties half"
        )
        raise NoEstimateError(message)
    if task.prior == 0 and _runs_away(task):
        message = (
            f"{task.rule.name}: no wins contradict each other or the ties, so its tie parameter "
            "has no estimate; use --ties half"
        )
        raise NoEstimateError(message)
    return task.rule.start(float(tied / (tied + decided)))


def _runs_away(task: Problem) -> bool:
    """Whether gaps and tie parameter can grow together without end, each vote gaining or even.

    That is so exactly if models can be given heights such that each winner stands one step or
    more above the loser and no tie spans more than one: if no cycle of wins (-1, from winner to
    loser) and ties (+1, both ways) has a negative sum. One pair that took wins from each other,
    as all real logs have, is such a cycle.
    """
    win, loss, tie = task.outcomes
    if np.any((win > 0) & (loss > 0)):
        return False
    ends = [(task.left, task.right, win > 0), (task.right, task.left, loss > 0)]
    step = np.full((task.n_models, task.n_models), np.inf)
    for tail, head, _ in ends:
        step[tail[tie > 0], head[tie > 0]] = 1.0
    for tail, head, won in ends:
        step[tail[won], head[won]] = -1.0
    try:
        bellman_ford(csgraph_from_dense(step, null_value=np.inf))
    except NegativeCycleError:
        return False
    return True


def _climb(task: Problem, point: Floats, value: float, step: Floats) -> tuple[Floats, Around]:
    """Take the step, halved until the log-likelihood does not fall by more than rounding."""
    slack = 1e-12 * abs(value)
    for halving in range(60):
        moved = point + step * 0.5**halving
        if task.rule.positive and moved[-1] <= 0:
            continue
        reached = task.around(moved)
        if reached.value >= value - slack:
            return moved, reached
    raise ConvergenceError("no step along Newton's direction raises the log-likelihood")
