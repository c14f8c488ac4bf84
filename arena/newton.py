"""Newton's method for the likelihood with covariates: converged, or not at all."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from arena.covariates import first_dependent
from arena.display import listing
from arena.errors import ConvergenceError, NoEstimateError
from arena.likelihood import Sums, Votes, likelihood, separates

Floats = NDArray[np.float64]

GRADIENT_PER_BATTLE = 1e-10
STEP = 1e-9
MOST_ITERATIONS = 100
PATIENCE = 8
"""Newton steps after which votes that a covariate separates are looked for."""

SEPARATED = 1e-3
"""How much worse, against the largest change, a vote may be fitted where rounding is at work."""


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """The maximum.

    Attributes:
        point: float [m + k], log-odds and coefficients.
        hessian: float [m + k, m + k], of the negative penalised log-likelihood.
        log_likelihood: without the penalty.
        iterations: Newton steps taken.
    """

    point: Floats
    hessian: Floats
    log_likelihood: float
    iterations: int


def maximise(votes: Votes, start: Floats, penalties: Floats) -> Solved:
    """The maximum of the log-likelihood less half the penalties times the squared parameters.

    Args:
        votes: the votes.
        start: log-odds [m] to begin with; the coefficients begin at zero.
        penalties: float [m + k].

    Raises:
        NoEstimateError: naming a covariate without a finite coefficient, or without one at all.
        ConvergenceError: if the gradient does not vanish.
    """
    m, k = votes.n_models, len(votes.design.names)
    point = np.concatenate([start, np.zeros(k)])
    sums = likelihood(votes, point)
    if not penalties[m:].all():
        _refuse_combination(sums.hessian, m, votes.design.names)
    unit = np.concatenate([np.ones(m), votes.sizes()])
    played = votes.battles()
    scale = np.concatenate([played, np.full(k, played.sum() / 2.0)]) * unit
    for iteration in range(1, MOST_ITERATIONS + 1):
        gradient = sums.gradient - penalties * point
        hessian = sums.hessian + np.diag(penalties)
        step = solve_hessian(hessian, gradient, m)
        off = np.max(np.abs(gradient) / scale)
        if off <= GRADIENT_PER_BATTLE and np.max(np.abs(step) * unit) <= STEP:
            return Solved(point + step, hessian, sums.value, iteration)
        if iteration >= PATIENCE:
            _refuse_separation(votes, step, unit)
        point, sums = _climb(votes, point, sums, step, penalties)
    message = f"no convergence in {MOST_ITERATIONS} Newton steps: gradient {off:.1e} per battle"
    raise ConvergenceError(message)


def _climb(
    votes: Votes, point: Floats, sums: Sums, step: Floats, penalties: Floats
) -> tuple[Floats, Sums]:
    """Take the step, halved until the penalised log-likelihood does not fall but by rounding."""
    value = sums.value - 0.5 * penalties @ point**2
    for halving in range(60):
        moved = point + step * 0.5**halving
        reached = likelihood(votes, moved)
        if reached.value - 0.5 * penalties @ moved**2 >= value - 1e-12 * abs(value):
            return moved, reached
    raise ConvergenceError("no step along Newton's direction raises the log-likelihood")


def solve_hessian(hessian: Floats, right: Floats, m: int) -> Floats:
    """Solve with the Hessian, whatever the units of the covariates.

    The votes leave the models' constant vector free; curvature along it keeps the mean in place.
    """
    free = hessian.copy()
    free[:m, :m] += np.trace(hessian[:m, :m]) / m**2
    size = np.sqrt(np.diag(free))
    columns = right if right.ndim == 2 else right[:, None]
    try:
        factor = cho_factor(free / np.outer(size, size))
    except (LinAlgError, ValueError) as error:
        message = "the curvature vanishes: the votes hardly determine the coefficients"
        raise ConvergenceError(message) from error
    solution: Floats = cho_solve(factor, columns / size[:, None]) / size[:, None]
    return solution.reshape(right.shape)


def _refuse_combination(hessian: Floats, m: int, names: tuple[str, ...]) -> None:
    """Raise if, given the models, a covariate adds nothing to those before it."""
    mixed = hessian[:m, m:]
    own = hessian[m:, m:] - mixed.T @ solve_hessian(hessian[:m, :m], mixed, m)
    j = first_dependent(own, np.diag(hessian)[m:])
    if j is not None:
        others = f" and {listing(names[:j])}" if j else ""
        message = (
            f"covariate '{names[j]}' follows from the models{others}, "
            "so its coefficient has no estimate; leave it out or set a ridge"
        )
        raise NoEstimateError(message)


def _refuse_separation(votes: Votes, step: Floats, unit: Floats) -> None:
    """Raise if going on along the step fits no vote worse: then there is no end to it.

    Albert and Anderson, On the existence of maximum likelihood estimates in logistic regression
    models, Biometrika 71 (1984).
    """
    if not separates(votes, step, SEPARATED):
        return
    m, names = votes.n_models, votes.design.names
    runs = np.abs(step * unit)[m:]
    culprits = [name for name, far in zip(names, runs, strict=True) if far >= 0.1 * runs.max()]
    message = (
        f"no finite coefficient of {listing(culprits)}: the votes it bears on are told by it "
        "without exception; leave it out, get more votes, or set a ridge"
    )
    raise NoEstimateError(message)
