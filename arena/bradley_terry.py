"""Maximum likelihood for Bradley-Terry, with any tie rule, by Newton's method on counts.

Bradley and Terry, Rank analysis of incomplete block designs, Biometrika 39 (1952). The counts
are sufficient: a fit costs the same for ten thousand votes and ten million.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from arena.counts import PairCounts, fold
from arena.errors import ConvergenceError, NoEstimateError, OptionError
from arena.existence import LeftOut, largest_group, refuse_separation
from arena.ties import Terms, TieRule, tie_rule

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
OnSeparation = Literal["drop", "error", "prior"]

GRADIENT_PER_BATTLE = 1e-10
STEP = 1e-9
MOST_ITERATIONS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A converged fit; there is no other kind.

    Attributes:
        models: the m names rated, sorted.
        log_odds: float [m], mean zero.
        tie_parameter: of the tie rule, or None where it has none.
        hessian: float [m + q, m + q], of the negative log-likelihood in the log-odds and the
            q = 0 or 1 tie parameters; singular along the constant vector unless there is a prior.
        log_likelihood: at the estimate, in nats, prior not included; for the half rule a
            quasi-log-likelihood.
        iterations: Newton steps taken.
        rule: the tie rule.
        prior: half-wins and half-losses against the average given to each model, 0 for none.
        counts: what was fitted, after models that cannot be rated were left out.
        all_counts: what was given.
        left_out: the models not rated, each with the reason.
    """

    models: tuple[str, ...]
    log_odds: Floats
    tie_parameter: float | None
    hessian: Floats
    log_likelihood: float
    iterations: int
    rule: TieRule
    prior: float
    counts: PairCounts
    all_counts: PairCounts
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Counts as the Newton loop wants them: one row per pair of models that met.

    With a prior there is one more model, of log-odds zero, that everybody met.

    Attributes:
        n_models: m, the average opponent of the prior not counted.
        left, right: int [C], model indices; `right` is m for the prior's opponent.
        outcomes: float [C, 3], (left won, right won, tied).
        rule: the tie rule.
        prior: as in `Fit`.
    """

    n_models: int
    left: Integers
    right: Integers
    outcomes: Floats
    rule: TieRule
    prior: float

    def terms(self, log_odds: Floats, tie: float) -> Terms:
        """The tie rule's terms at these strengths, one row per pair."""
        strength = np.append(log_odds, 0.0)
        return self.rule.terms(strength[self.left] - strength[self.right], tie)

    def gradient(self, in_gap: Floats, in_tie: Floats) -> Floats:
        """Sum per-pair derivatives [C] into [m + q], over the log-odds and the tie parameter."""
        m = self.n_models
        gradient = _sum_by(self.left, in_gap, m + 1) - _sum_by(self.right, in_gap, m + 1)
        return self._with_tie(gradient[:m], in_tie.sum())

    def matrix(self, in_gap: Floats, mixed: Floats, in_tie: Floats) -> Floats:
        """Sum per-pair second-order terms [C] into a symmetric [m + q, m + q]."""
        m = self.n_models
        matrix = np.zeros((m + 1, m + 1))
        matrix[self.left, self.right] = -in_gap
        matrix[self.right, self.left] = -in_gap
        on_diagonal = _sum_by(self.left, in_gap, m + 1) + _sum_by(self.right, in_gap, m + 1)
        np.fill_diagonal(matrix, on_diagonal)
        if self.rule.parameter is None:
            return matrix[:m, :m]
        border = _sum_by(self.left, mixed, m + 1) - _sum_by(self.right, mixed, m + 1)
        return np.block(
            [[matrix[:m, :m], border[:m, None]], [border[None, :m], np.array([[in_tie.sum()]])]]
        )

    def invertible(self, matrix: Floats) -> Floats:
        """Add curvature along the constant vector, which the votes leave free without a prior."""
        if self.prior > 0:
            return matrix
        m = self.n_models
        free = matrix.copy()
        free[:m, :m] += np.trace(matrix[:m, :m]) / m**2
        return free

    def _with_tie(self, of_models: Floats, of_tie: float) -> Floats:
        return of_models if self.rule.parameter is None else np.append(of_models, of_tie)


def _sum_by(index: Integers, values: Floats, size: int) -> Floats:
    return np.bincount(index, values, minlength=size).astype(np.float64, copy=False)


def problem(counts: PairCounts, rule: TieRule, prior: float = 0.0) -> Problem:
    """Set up a fit of these counts under a tie rule."""
    cells, m = fold(counts), counts.n_models
    tied = cells.outcomes[:, 2:].sum(axis=1) if rule.counts_ties else np.zeros(cells.left.size)
    outcomes = np.column_stack([cells.outcomes[:, :2], tied])
    left, right = cells.left, cells.right
    if prior > 0:
        left = np.append(left, np.arange(m))
        right = np.append(right, np.full(m, m))
        outcomes = np.vstack([outcomes, np.tile([prior / 2, prior / 2, 0.0], (m, 1))])
    return Problem(m, left, right, outcomes, rule, prior)


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

    >>> from arena.counts import count_pairs
    >>> import polars as pl
    >>> votes = ["model_a"] * 3 + ["model_b"] + ["tie"] * 4
    >>> log = pl.DataFrame({"model_a": ["x"] * 8, "model_b": ["y"] * 8, "winner": votes})
    >>> fit = fit_bradley_terry(count_pairs(log))
    >>> float(np.exp(fit.log_odds[0] - fit.log_odds[1]))  # (3 + 2) / (1 + 2)
    1.6666666666666667
    """
    rule = tie_rule(ties)
    if on_separation not in ("drop", "error", "prior"):
        raise OptionError(f"on-separation: '{on_separation}' is not one of drop, error, prior")
    if on_separation == "prior" and not (np.isfinite(prior) and prior > 0):
        raise OptionError(f"prior: {prior} is not a positive number of battles")
    used, strength = counts, 0.0
    left_out: tuple[LeftOut, ...] = ()
    if on_separation == "prior":
        strength = prior
        if counts.n_models < 2:
            raise NoEstimateError("fewer than two models: a rating needs an opponent")
    else:
        connected = largest_group(counts, counts_ties=rule.counts_ties)
        if on_separation == "error":
            refuse_separation(counts, connected)
        left_out = connected.left_out
        used = counts.restrict(connected.kept) if left_out else counts
    solved = _newton(problem(used, rule, strength))
    return Fit(
        models=used.models,
        log_odds=solved.log_odds,
        tie_parameter=None if rule.parameter is None else solved.tie,
        hessian=solved.hessian,
        log_likelihood=solved.log_likelihood,
        iterations=solved.iterations,
        rule=rule,
        prior=strength,
        counts=used,
        all_counts=counts,
        left_out=left_out,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    log_odds: Floats
    tie: float
    hessian: Floats
    log_likelihood: float
    iterations: int


def _newton(task: Problem) -> _Solved:
    m = task.n_models
    votes = task.outcomes
    met = votes.sum(axis=1)
    per_model = _sum_by(task.left, met, m + 1) + _sum_by(task.right, met, m + 1)
    scale = task._with_tie(per_model[:m], votes.sum())
    tie = _tie_start(task)
    point = task._with_tie(np.zeros(m), tie)
    value = _log_likelihood(task, point)
    for iteration in range(1, MOST_ITERATIONS + 1):
        terms = task.terms(point[:m], _tie_of(task, point))
        gradient = task.gradient((votes * terms.d).sum(axis=1), (votes * terms.t).sum(axis=1))
        hessian = task.matrix(
            *(-(votes * part).sum(axis=1) for part in (terms.dd, terms.dt, terms.tt))
        )
        try:
            step = cho_solve(cho_factor(task.invertible(hessian)), gradient)
        except LinAlgError as error:
            message = f"the curvature vanishes at iteration {iteration}: the votes hardly determine the ratings"
            raise ConvergenceError(message) from error
        arrived = (
            np.max(np.abs(gradient) / scale) <= GRADIENT_PER_BATTLE and np.max(np.abs(step)) <= STEP
        )
        point, value = _climb(task, point, value, step)
        if arrived:
            centred = point[:m] - point[:m].mean()
            return _Solved(centred, _tie_of(task, point), hessian, value, iteration)
    message = f"no convergence in {MOST_ITERATIONS} Newton steps: gradient {np.max(np.abs(gradient) / scale):.1e} per battle"
    raise ConvergenceError(message)


def _tie_start(task: Problem) -> float:
    if task.rule.parameter is None:
        return 0.0
    decided, tied = task.outcomes[:, :2].sum(), task.outcomes[:, 2].sum()
    if tied == 0 or decided == 0:
        lacking = "ties" if tied == 0 else "decided battles"
        raise NoEstimateError(
            f"{task.rule.name}: there are no {lacking}, so its tie parameter has no estimate; use --ties half"
        )
    return task.rule.start(tied / (tied + decided))


def _tie_of(task: Problem, point: Floats) -> float:
    return 0.0 if task.rule.parameter is None else float(point[-1])


def _log_likelihood(task: Problem, point: Floats) -> float:
    terms = task.terms(point[: task.n_models], _tie_of(task, point))
    with np.errstate(invalid="ignore"):
        return float(np.where(task.outcomes > 0, task.outcomes * terms.log_p, 0.0).sum())


def _climb(task: Problem, point: Floats, value: float, step: Floats) -> tuple[Floats, float]:
    """Take the step, halved until the log-likelihood does not fall by more than rounding."""
    slack = 1e-12 * abs(value)
    for halving in range(60):
        moved = point + step * 0.5**halving
        if task.rule.name == "rao-kupper" and moved[-1] <= 0:
            continue
        reached = _log_likelihood(task, moved)
        if reached >= value - slack:
            return moved, reached
    raise ConvergenceError("no step along Newton's direction raises the log-likelihood")
