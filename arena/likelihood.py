"""Sums over votes: the log-likelihood with covariates, its derivatives, the meat of a sandwich.

The votes are gone through in chunks, so that no array of battles by models is ever made. The
threads are those here: whoever calls keeps BLAS to one.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.design import Design
from arena.errors import NoEstimateError, OptionError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK = 1 << 15
STRIPS = 8
"""Runs of chunks that are added up separately, so that sums do not depend on the machine."""


# ── votes ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
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

    def battles(self) -> Floats:
        """Battles of each model, [m], or their total weight."""
        met = np.bincount(self.which, self.weight, minlength=len(self.pairs))
        of_both = np.bincount(self.pairs.ravel(), np.repeat(met, 2), minlength=self.n_models)
        return of_both.astype(np.float64, copy=False)

    def sizes(self) -> Floats:
        """Root mean square of each covariate, [k]."""
        columns = self.design.covariates.T
        squares = [np.average(column**2, weights=self.weight) for column in columns]
        return np.array(np.sqrt(squares))

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


def votes_of(design: Design, power: int = 1) -> Votes:
    """The votes of a design, with a power of their weights."""
    return Votes(len(design.models), *design.pairs(), design.weights(power), design)


# ── sums ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """A log-likelihood and its derivatives at a point.

    Attributes:
        value: in nats.
        gradient: float [m + k], over log-odds and coefficients.
        hessian: float [m + k, m + k], of the negative log-likelihood.
    """

    value: float
    gradient: Floats
    hessian: Floats


def likelihood(votes: Votes, point: Floats) -> Sums:
    """Log-likelihood at log-odds and coefficients [m + k], with its derivatives."""
    of_pairs = votes.gaps_of_pairs(point)

    def work(rows: slice) -> list[Floats]:
        gap = votes.gap(of_pairs, point, rows)
        size = np.abs(gap)
        # With e = exp(-|gap|), nothing overflows and the tails keep their digits.
        e = np.exp(-size)
        surer = 1.0 / (1.0 + e)
        above_half = votes.design.points[rows] - 0.5
        log_p = above_half * gap - 0.5 * size + np.log(surer)
        value = votes.weigh(log_p, rows).sum()
        residual = votes.weigh(above_half - np.copysign(surer - 0.5, gap), rows)
        by_covariate = residual @ votes.design.covariates[rows]
        curvature = votes.weigh(e * surer * surer, rows)
        return [
            np.array(value),
            _by_pair(votes, rows, residual),
            by_covariate,
            *_outer_products(votes, rows, curvature),
        ]

    value, by_pair, by_covariate, *outer = _add_up(votes.which.size, work)
    return Sums(float(value), votes.vector(by_pair, by_covariate), votes.matrix(*outer))


def meat(votes: Votes, point: Floats) -> Floats:
    """The sum over votes of the outer product of their scores, [m + k, m + k].

    Args:
        votes: with their squared weights.
        point: log-odds and coefficients, [m + k].
    """
    of_pairs = votes.gaps_of_pairs(point)

    def work(rows: slice) -> list[Floats]:
        squared = _residuals(votes, of_pairs, point, rows) ** 2
        return _outer_products(votes, rows, votes.weigh(squared, rows))

    return votes.matrix(*_add_up(votes.which.size, work))


def clustered_meat(votes: Votes, point: Floats) -> Floats:
    """The sum over the G clusters of the outer product of their scores, times G / (G - 1).

    Raises:
        OptionError: votes without clusters.
        NoEstimateError: fewer than two clusters.
    """
    design, clusters = votes.design, votes.design.clusters
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


def separates(votes: Votes, step: Floats, tolerance: float) -> bool:
    """Whether going on along a step [m + k] fits no vote worse.

    Args:
        votes: the votes.
        step: in the log-odds and the coefficients.
        tolerance: how much worse one vote may be fitted, against the largest change of any.
    """
    of_pairs = votes.gaps_of_pairs(step)
    most_worse = most_change = 0.0
    for rows in _chunks(0, votes.which.size):
        points = votes.design.points[rows]
        change = votes.weigh(votes.gap(of_pairs, step, rows), rows)
        worse = np.where(points == 0.5, np.abs(change), (1.0 - 2.0 * points) * change)
        most_worse = max(most_worse, worse.max())
        most_change = max(most_change, np.abs(change).max())
    return most_worse <= tolerance * most_change


def _residuals(votes: Votes, of_pairs: Floats, point: Floats, rows: slice | Integers) -> Floats:
    """Outcome less its expectation: the score in the gap of one vote."""
    gap = votes.gap(of_pairs, point, rows)
    return votes.design.points[rows] - 0.5 - 0.5 * np.tanh(0.5 * gap)


def _by_pair(votes: Votes, rows: slice, values: Floats) -> Floats:
    """Values of some of the battles, added up by pair, [P]."""
    sums = np.bincount(votes.which[rows], values, minlength=len(votes.pairs))
    return sums.astype(np.float64, copy=False)


def _outer_products(votes: Votes, rows: slice, values: Floats) -> list[Floats]:
    """Sums of a value times the outer product of the battle's row: [P], [k, P] and [k, k]."""
    covariates = votes.design.covariates[rows]
    weighted = covariates * values[:, None]
    mixed = np.empty((weighted.shape[1], len(votes.pairs)))
    for j, column in enumerate(weighted.T):
        mixed[j] = _by_pair(votes, rows, column)
    return [_by_pair(votes, rows, values), mixed, weighted.T @ covariates]


def _chunks(start: int, stop: int) -> Iterator[slice]:
    return (slice(at, min(at + CHUNK, stop)) for at in range(start, stop, CHUNK))


def _add_up(n: int, work: Callable[[slice], list[Floats]]) -> list[Floats]:
    """Add up what `work` makes of each chunk of the n rows; in threads, but in one order."""

    def strip(start: int, stop: int) -> list[Floats]:
        return _total(map(work, _chunks(start, stop)))

    edges = np.linspace(0, n, STRIPS + 1 if n > STRIPS * CHUNK else 2).astype(int).tolist()
    with ThreadPoolExecutor(min(STRIPS, os.cpu_count() or 1)) as pool:
        return _total(pool.map(strip, edges[:-1], edges[1:]))


def _total(parts: Iterator[list[Floats]]) -> list[Floats]:
    """The sum of lists of arrays, array by array."""
    return reduce(lambda one, other: list(map(np.add, one, other)), parts)
