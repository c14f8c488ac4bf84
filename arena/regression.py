"""Bradley-Terry with covariates: what is left of the ratings when, say, style is held equal.

P(left beats right) is logistic in the gap of their log-odds plus the covariates times their
coefficients. Each battle has its own covariates, so here the votes are gone through, in chunks;
no array of battles by models is ever made.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.sparse import csr_array

from arena.bradley_terry import fit_bradley_terry
from arena.design import Design, first_dependent
from arena.display import listing
from arena.errors import ConvergenceError, NoEstimateError, OptionError
from arena.existence import LeftOut
from arena.ranks import point_ranks

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Kind = Literal["sandwich", "fisher", "cluster"]

GRADIENT_PER_BATTLE = 1e-10
STEP = 1e-9
MOST_ITERATIONS = 100
PATIENCE = 8
"""Newton steps after which votes that a covariate separates are looked for."""

SEPARATED = 1e-3
"""How much worse, against the largest change, a vote may be fitted where rounding is at work."""

CHUNK = 1 << 15
STRIPS = 8
"""Runs of chunks that are added up separately, so that sums do not depend on the machine."""

ELO = 400.0 / float(np.log(10.0))
"""Rating points per unit of log-odds on the Elo scale."""


@dataclass(frozen=True, slots=True, eq=False)
class RegressionFit:
    """A converged fit with covariates; there is no other kind.

    Attributes:
        models: the m names rated, sorted.
        log_odds: float [m], mean zero; of a battle whose covariates are all zero.
        names: of the k covariates.
        coefficients: float [k], log-odds per unit of the covariate.
        hessian: float [m + k, m + k], of the negative log-likelihood and the penalty, in the
            log-odds and the coefficients; singular along the models' constant vector unless
            their log-odds have a ridge.
        log_likelihood: at the estimate, in nats, penalty not included; with ties a
            quasi-log-likelihood, since a tie is half a win for each side.
        iterations: Newton steps taken.
        ridge, ridge_ratings: the penalties, see `fit_regression`.
        n_battles: votes among the models rated.
        left_out: the models not rated, each with the reason.
    """

    models: tuple[str, ...]
    log_odds: Floats
    names: tuple[str, ...]
    coefficients: Floats
    hessian: Floats
    log_likelihood: float
    iterations: int
    ridge: float
    ridge_ratings: float
    n_battles: float
    left_out: tuple[LeftOut, ...]


def fit_regression(
    design: Design, *, ridge: float = 0.0, ridge_ratings: float = 0.0
) -> RegressionFit:
    """Fit log-odds and coefficients by Newton's method, converged or not at all.

    A tie is half a win for each side. A model that cannot be rated is left out with its battles.

    Args:
        design: the battles.
        ridge: penalty; half of this times the sum of squared coefficients is taken from the
            log-likelihood, which is the sum over votes, each times its weight.
        ridge_ratings: the same for the log-odds.

    FastChat's `compute_style_control` has a penalty of 0.5 on the coefficients and on the
    strengths in powers of ten: ``ridge=0.5, ridge_ratings=0.5 / log(10) ** 2``. arena-rank's
    `ContextualBradleyTerry` penalises the mean over votes: its ``reg=1.0`` is
    ``ridge=design.n_battles``, which shrinks coefficients to a fraction.

    Raises:
        NoEstimateError: if nothing can be rated, or a covariate has no coefficient because it
            is a function of the models and the other covariates, or because it tells the votes.
        ConvergenceError: if Newton's method does not reach a gradient of 1e-10 per battle.
        OptionError: a penalty that is negative or not finite.

    >>> from arena.battles import read_battles
    >>> from arena.design import build_design
    >>> votes = ["model_a"] * 3 + ["model_b"] + ["model_b"] * 3 + ["model_a"]
    >>> log = pl.DataFrame({"model_a": ["x"] * 8, "model_b": ["y"] * 8, "winner": votes})
    >>> longer = log.with_columns(tokens_a=pl.Series([1] * 4 + [0] * 4), tokens_b=pl.lit(0))
    >>> fit = fit_regression(build_design(read_battles(longer), ["tokens"]))
    >>> fit.coefficients.round(6).tolist()  # log 3 - log 1/3
    [2.197225]
    """
    for name, penalty in (("ridge", ridge), ("ridge_ratings", ridge_ratings)):
        if not (np.isfinite(penalty) and penalty >= 0):
            raise OptionError(f"{name}: {penalty} is not a number from 0 up")
    start = fit_bradley_terry(design.counts)
    used = design.restrict(start.models) if start.left_out else design
    votes, m = _votes(used), len(start.models)
    penalties = np.repeat([float(ridge_ratings), float(ridge)], [m, len(design.names)])
    solved = _newton(votes, start.log_odds, penalties)
    log_odds = solved.point[:m]
    return RegressionFit(
        models=start.models,
        log_odds=log_odds - log_odds.mean(),
        names=design.names,
        coefficients=solved.point[m:],
        hessian=solved.hessian,
        log_likelihood=solved.log_likelihood,
        iterations=solved.iterations,
        ridge=float(ridge),
        ridge_ratings=float(ridge_ratings),
        n_battles=used.n_battles,
        left_out=start.left_out,
    )


# ── sums over votes ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """A design as the passes over it want it.

    Attributes:
        n_models: m.
        pairs: int [P, 2], the ordered pairs that met.
        which: int [n], the pair of each battle.
        weight: float [n], of each battle's votes, None where all are one.
        design: points and covariates.
    """

    n_models: int
    pairs: Integers
    which: Integers
    weight: Floats | None
    design: Design

    @property
    def size(self) -> int:
        """Number of parameters, m + k."""
        return self.n_models + len(self.design.names)

    def gaps_of_pairs(self, point: Floats) -> Floats:
        """The gap of each pair, [P], covariates not included."""
        return point[self.pairs[:, 0]] - point[self.pairs[:, 1]]

    def gap(self, of_pairs: Floats, point: Floats, rows: slice | Integers) -> Floats:
        """The gap of some of the battles, covariates included."""
        gap = of_pairs[self.which[rows]]
        for j, coefficient in enumerate(point[self.n_models :]):
            gap += coefficient * self.design.covariates[rows, j]
        return gap

    def weigh(self, values: Floats, rows: slice | Integers) -> Floats:
        """Multiply by the battles' weights, in place."""
        if self.weight is not None:
            values *= self.weight[rows]
        return values

    def vector(self, by_pair: Floats, by_covariate: Floats) -> Floats:
        """Sums over battles, by pair [P] and by covariate [k], as a gradient [m + k]."""
        return np.concatenate([self._signed(by_pair), by_covariate])

    def matrix(self, by_pair: Floats, mixed: Floats, by_covariates: Floats) -> Floats:
        """Sums [P], [k, P] and [k, k] over battles as a symmetric matrix [m + k, m + k]."""
        m = self.n_models
        met = np.zeros((m, m))
        met[self.pairs[:, 0], self.pairs[:, 1]] = by_pair
        met += met.T
        matrix = np.zeros((self.size, self.size))
        matrix[:m, :m] = np.diag(met.sum(axis=1)) - met
        for j, row in enumerate(mixed):
            matrix[:m, m + j] = matrix[m + j, :m] = self._signed(row)
        matrix[m:, m:] = by_covariates
        return matrix

    def _signed(self, by_pair: Floats) -> Floats:
        left, right = (np.bincount(side, by_pair, minlength=self.n_models) for side in self.pairs.T)
        return (left - right).astype(np.float64, copy=False)


def _votes(design: Design, power: int = 1) -> _Votes:
    return _Votes(len(design.models), *design.pairs(), design.weights(power), design)


def _chunks(start: int, stop: int) -> Iterator[slice]:
    return (slice(at, min(at + CHUNK, stop)) for at in range(start, stop, CHUNK))


def _add_up(n: int, work: Callable[[int, int], list[Floats]]) -> list[Floats]:
    """Add up what `work` makes of each strip of the n rows; in threads, but in one order."""
    edges = np.linspace(0, n, STRIPS + 1 if n > STRIPS * CHUNK else 2).astype(int).tolist()
    with ThreadPoolExecutor(min(STRIPS, os.cpu_count() or 1)) as pool:
        parts = list(pool.map(work, edges[:-1], edges[1:]))
    return [sum(terms[1:], start=terms[0]) for terms in zip(*parts, strict=True)]


def _products(first: Floats, second: Floats) -> Floats:
    """The products [j, k] of the columns [n, j] and [n, k].

    As a matrix product, BLAS would wake threads of its own for it, which then spin beside ours.
    """
    return np.array([[np.einsum("i,i", a, b) for b in second.T] for a in first.T]).reshape(
        first.shape[1], second.shape[1]
    )


@dataclass(slots=True)
class _Outer:
    """Sums over battles of a number times the outer product of the battle's design row."""

    by_pair: Floats
    mixed: Floats
    by_covariates: Floats

    @classmethod
    def zero(cls, votes: _Votes) -> "_Outer":
        """Nothing added yet: [P], [k, P] and [k, k]."""
        n_pairs, k = len(votes.pairs), len(votes.design.names)
        return cls(np.zeros(n_pairs), np.zeros((k, n_pairs)), np.zeros((k, k)))

    def add(self, votes: _Votes, rows: slice, values: Floats) -> None:
        """Add some of the battles, each with its value."""
        which, covariates = votes.which[rows], votes.design.covariates[rows]
        weighted = covariates * values[:, None]
        np.add.at(self.by_pair, which, values)
        for of_covariate, column in zip(self.mixed, weighted.T, strict=True):
            np.add.at(of_covariate, which, column)
        self.by_covariates += _products(weighted, covariates)


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """The log-likelihood at a point, its gradient [m + k] and minus its Hessian [m + k, m + k]."""

    value: float
    gradient: Floats
    hessian: Floats


def _likelihood(votes: _Votes, point: Floats) -> _Sums:
    design, of_pairs = votes.design, votes.gaps_of_pairs(point)

    def work(start: int, stop: int) -> list[Floats]:
        curvature, value = _Outer.zero(votes), np.zeros(1)
        by_pair, by_covariate = np.zeros(len(votes.pairs)), np.zeros(len(design.names))
        for rows in _chunks(start, stop):
            gap = votes.gap(of_pairs, point, rows)
            size = np.abs(gap)
            # With e = exp(-|gap|), nothing overflows and the tails keep their digits.
            e = np.exp(-size)
            surer = 1.0 / (1.0 + e)
            above_half = design.points[rows] - 0.5
            log_p = above_half * gap - 0.5 * size + np.log(surer)
            value += votes.weigh(log_p, rows).sum()
            residual = votes.weigh(above_half - np.copysign(surer - 0.5, gap), rows)
            np.add.at(by_pair, votes.which[rows], residual)
            by_covariate += _products(residual[:, None], design.covariates[rows])[0]
            curvature.add(votes, rows, votes.weigh(e * surer * surer, rows))
        outer = [curvature.by_pair, curvature.mixed, curvature.by_covariates]
        return [value, by_pair, by_covariate, *outer]

    value, by_pair, by_covariate, *outer = _add_up(design.points.size, work)
    return _Sums(float(value[0]), votes.vector(by_pair, by_covariate), votes.matrix(*outer))


def _residuals(votes: _Votes, of_pairs: Floats, point: Floats, rows: slice | Integers) -> Floats:
    """Outcome less its expectation: the score in the gap of one vote."""
    gap = votes.gap(of_pairs, point, rows)
    return votes.design.points[rows] - 0.5 - 0.5 * np.tanh(0.5 * gap)


# ── Newton's method ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class _Solved:
    point: Floats
    hessian: Floats
    log_likelihood: float
    iterations: int


def _newton(votes: _Votes, start: Floats, penalties: Floats) -> _Solved:
    m, k = votes.n_models, len(votes.design.names)
    point = np.concatenate([start, np.zeros(k)])
    sums = _likelihood(votes, point)
    if not penalties[m:].all():
        _refuse_combination(sums.hessian, m, votes.design.names)
    unit = np.concatenate([np.ones(m), _sizes(votes)])
    played = _battles(votes)
    scale = np.concatenate([played, np.full(k, played.sum() / 2.0)]) * unit
    for iteration in range(1, MOST_ITERATIONS + 1):
        gradient = sums.gradient - penalties * point
        hessian = sums.hessian + np.diag(penalties)
        step = _solve(hessian, gradient, m)
        off = np.max(np.abs(gradient) / scale)
        if off <= GRADIENT_PER_BATTLE and np.max(np.abs(step) * unit) <= STEP:
            return _Solved(point + step, hessian, sums.value, iteration)
        if iteration >= PATIENCE:
            _refuse_separation(votes, step, unit)
        point, sums = _climb(votes, point, sums, step, penalties)
    message = f"no convergence in {MOST_ITERATIONS} Newton steps: gradient {off:.1e} per battle"
    raise ConvergenceError(message)


def _climb(
    votes: _Votes, point: Floats, sums: _Sums, step: Floats, penalties: Floats
) -> tuple[Floats, _Sums]:
    """Take the step, halved until the penalised log-likelihood does not fall but by rounding."""
    value = sums.value - 0.5 * penalties @ point**2
    for halving in range(60):
        moved = point + step * 0.5**halving
        reached = _likelihood(votes, moved)
        if reached.value - 0.5 * penalties @ moved**2 >= value - 1e-12 * abs(value):
            return moved, reached
    raise ConvergenceError("no step along Newton's direction raises the log-likelihood")


def _solve(hessian: Floats, right: Floats, m: int) -> Floats:
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


def _battles(votes: _Votes) -> Floats:
    """Battles of each model, [m], or their total weight."""
    met = np.bincount(votes.which, votes.weight, minlength=len(votes.pairs))
    of_both = np.bincount(votes.pairs.ravel(), np.repeat(met, 2), minlength=votes.n_models)
    return of_both.astype(np.float64, copy=False)


def _sizes(votes: _Votes) -> Floats:
    """Root mean square of each covariate, [k]."""
    weight = np.float64(1.0) if votes.weight is None else votes.weight
    total = votes.which.size if votes.weight is None else votes.weight.sum()
    squares = [(weight * column) @ column for column in votes.design.covariates.T]
    return np.sqrt(np.array(squares) / total)


def _refuse_combination(hessian: Floats, m: int, names: tuple[str, ...]) -> None:
    """Raise if, given the models, a covariate adds nothing to those before it."""
    mixed = hessian[:m, m:]
    own = hessian[m:, m:] - mixed.T @ _solve(hessian[:m, :m], mixed, m)
    j = first_dependent(own, np.diag(hessian)[m:])
    if j is not None:
        others = f" and {listing(names[:j])}" if j else ""
        message = (
            f"covariate '{names[j]}' follows from the models{others}, "
            "so its coefficient has no estimate; leave it out or set a ridge"
        )
        raise NoEstimateError(message)


def _refuse_separation(votes: _Votes, step: Floats, unit: Floats) -> None:
    """Raise if going on along the step fits no vote worse: then there is no end to it.

    Albert and Anderson, On the existence of maximum likelihood estimates in logistic regression
    models, Biometrika 71 (1984).
    """
    m, of_pairs, names = votes.n_models, votes.gaps_of_pairs(step), votes.design.names

    def work(rows: slice) -> tuple[float, float]:
        points = votes.design.points[rows]
        change = votes.weigh(votes.gap(of_pairs, step, rows), rows)
        worse = np.where(points == 0.5, np.abs(change), (1.0 - 2.0 * points) * change)
        return worse.max(), np.abs(change).max()

    extremes = np.array([work(rows) for rows in _chunks(0, votes.which.size)])
    worse, change = extremes.max(axis=0)
    if worse > SEPARATED * change:
        return
    runs = np.abs(step * unit)[m:]
    culprits = [name for name, far in zip(names, runs, strict=True) if far >= 0.1 * runs.max()]
    message = (
        f"no finite coefficient of {listing(culprits)}: the votes it bears on are told by it "
        "without exception; leave it out, get more votes, or set a ridge"
    )
    raise NoEstimateError(message)


# ── how uncertain ──────────────────────────────────────────────────────────────────────────


def regression_covariance(fit: RegressionFit, design: Design, kind: Kind = "sandwich") -> Floats:
    """Covariance [m + k, m + k] of the mean-zero log-odds and the coefficients.

    ``sandwich`` and ``fisher`` are those of `estimate_covariance`. ``cluster`` lets votes of one cluster depend on each other in any way:
    the meat is the sum over the G clusters of the outer product of their summed scores, times
    G / (G - 1). Liang and Zeger, Longitudinal data analysis using generalized linear models,
    Biometrika 73 (1986). With few clusters, say under 30, it is too small. A penalty is in the
    bread only.

    Args:
        fit: of this design.
        design: the battles.
        kind: see above.

    Raises:
        OptionError: an unknown kind, a design without clusters, or not the one fitted.
        NoEstimateError: fewer than two clusters.
    """
    if kind not in ("sandwich", "fisher", "cluster"):
        raise OptionError(f"ci: '{kind}' is not one of sandwich, fisher, cluster")
    if design.names != fit.names or not set(fit.models) <= set(design.models):
        raise OptionError("ci: this is not the design that was fitted")
    m, size = len(fit.models), fit.hessian.shape[0]
    centre = np.eye(size)
    centre[:m, :m] -= 1.0 / m
    bread = centre @ _solve(fit.hessian, np.eye(size), m)
    if kind == "fisher":
        return bread @ centre.T
    used = design if fit.models == design.models else design.restrict(fit.models)
    point = np.concatenate([fit.log_odds, fit.coefficients])
    meat = _meat(used, point) if kind == "sandwich" else _clustered_meat(used, point)
    return bread @ meat @ bread.T


def _meat(design: Design, point: Floats) -> Floats:
    votes = _votes(design, power=2)
    of_pairs = votes.gaps_of_pairs(point)

    def work(start: int, stop: int) -> list[Floats]:
        squares = _Outer.zero(votes)
        for rows in _chunks(start, stop):
            squared = _residuals(votes, of_pairs, point, rows) ** 2
            squares.add(votes, rows, votes.weigh(squared, rows))
        return [squares.by_pair, squares.mixed, squares.by_covariates]

    return votes.matrix(*_add_up(votes.which.size, work))


def _clustered_meat(design: Design, point: Floats) -> Floats:
    """The sum over clusters of the outer product of their scores, a chunk of clusters at a time."""
    votes, clusters = _votes(design), design.clusters
    if clusters is None:
        raise OptionError("ci: the design has no clusters; build it with cluster=...")
    order, of_pairs = np.argsort(clusters, kind="stable"), votes.gaps_of_pairs(point)
    first = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    if first.size < 2:
        raise NoEstimateError(f"clusters by {design.cluster}: there is only one")
    # Whole clusters only: each chunk ends with the cluster that fills it.
    cuts = np.searchsorted(first, np.arange(0, order.size, CHUNK))
    cuts = np.unique(np.append(cuts, first.size)).tolist()
    ends = np.append(first, order.size)

    def work(start: int, stop: int) -> Floats:
        rows, starts = order[ends[start] : ends[stop]], ends[start:stop] - ends[start]
        scores = votes.weigh(_residuals(votes, of_pairs, point, rows), rows)
        by_covariate = np.column_stack(
            [np.add.reduceat(scores * column[rows], starts) for column in design.covariates.T]
            or [np.zeros((starts.size, 0))]
        )
        models = votes.pairs[votes.which[rows]]
        bounds = 2 * np.append(starts, rows.size)
        shape = (starts.size, votes.n_models)
        by_model = csr_array((np.outer(scores, [1, -1]).ravel(), models.ravel(), bounds), shape)
        by_model.sum_duplicates()
        mixed = by_model.T @ by_covariate
        of_models = (by_model.T @ by_model).toarray()
        return np.block([[of_models, mixed], [mixed.T, by_covariate.T @ by_covariate]])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        meat = sum(pool.map(work, cuts[:-1], cuts[1:]), start=np.zeros((votes.size, votes.size)))
    return meat * first.size / (first.size - 1)


# ── for a board ────────────────────────────────────────────────────────────────────────────


def coefficient_table(
    fit: RegressionFit, covariance: Floats, *, level: float = 0.95, per_log_odds: float = ELO
) -> pl.DataFrame:
    """The coefficients with intervals, per unit of each covariate.

    Args:
        fit: the fit.
        covariance: float [m + k, m + k], see `regression_covariance`.
        level: coverage of each interval.
        per_log_odds: rating points per unit of log-odds.

    Returns:
        A frame: covariate; coefficient, std_error, lower, upper in log-odds; and rating,
        rating_std_error, rating_lower, rating_upper in rating points.
    """
    if not 0.0 < level < 1.0:
        raise OptionError(f"level: {level} is not between 0 and 1, e.g. 0.95")
    error = np.sqrt(np.diag(covariance)[len(fit.models) :])
    half_width = NormalDist().inv_cdf(0.5 + level / 2) * error
    columns = {
        "coefficient": fit.coefficients,
        "std_error": error,
        "lower": fit.coefficients - half_width,
        "upper": fit.coefficients + half_width,
    }
    names = ("rating", "rating_std_error", "rating_lower", "rating_upper")
    in_points = {name: per_log_odds * c for name, c in zip(names, columns.values(), strict=True)}
    covariate = pl.Series(fit.names, dtype=pl.String)
    return pl.DataFrame({"covariate": covariate} | columns | in_points)


def rank_changes(
    plain: Floats,
    controlled: Floats,
    models: tuple[str, ...],
    *,
    per_log_odds: float = ELO,
    init: float = 1000.0,
) -> pl.DataFrame:
    """Two boards of the same models side by side: without and with covariates held equal.

    Args:
        plain: float [m], mean-zero log-odds without covariates.
        controlled: float [m], with them.
        models: the m names.
        per_log_odds: rating points per unit of log-odds.
        init: mean rating.

    Returns:
        A frame, best controlled first: model, rank_plain, rank_controlled, change (places
        gained), rating_plain, rating_controlled.
    """
    if not len(plain) == len(controlled) == len(models):
        raise OptionError("rank changes: the two fits rate different models")
    ranks = point_ranks(plain), point_ranks(controlled)
    return pl.DataFrame(
        {
            "model": pl.Series(models, dtype=pl.String),
            "rank_plain": ranks[0],
            "rank_controlled": ranks[1],
            "change": ranks[0] - ranks[1],
            "rating_plain": init + per_log_odds * plain,
            "rating_controlled": init + per_log_odds * controlled,
        }
    ).sort("rank_controlled", "model")
