"""Sums over votes: the log-likelihood with covariates, its derivatives, the meat of a sandwich.

The votes are gone through one by one or in chunks, so that no array of battles by models is ever
made. The threads are those here: whoever calls keeps BLAS to one.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.design import Design
from arena.errors import NoEstimateError, OptionError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHUNK = 1 << 15
STRIPS = 8
"""Runs of votes that are added up separately, so that sums do not depend on the machine."""


# ── votes ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """A design as the passes over it want it.

    Attributes:
        design: who met whom, points and covariates.
        weight: float [n], of each battle's votes, None where all are one.
    """

    design: Design
    weight: Floats | None

    @property
    def n_models(self) -> int:
        """Number of models, m."""
        return len(self.design.models)

    @property
    def size(self) -> int:
        """Number of parameters, m + k."""
        return self.n_models + len(self.design.names)

    def gap(self, point: Floats, rows: slice | Integers) -> Floats:
        """The gap of some of the battles, covariates included."""
        design = self.design
        gap: Floats = point[design.left[rows]] - point[design.right[rows]]
        for j, coefficient in enumerate(point[self.n_models :]):
            gap += coefficient * design.covariates[rows, j]
        return gap

    def weigh(self, values: Floats, rows: slice | Integers) -> Floats:
        """Multiply by the battles' weights, in place."""
        if self.weight is not None:
            values *= self.weight[rows]
        return values

    def battles(self) -> Floats:
        """Battles of each model, [m], or their total weight."""
        sides = (self.design.left, self.design.right)
        of_left, of_right = (np.bincount(one, self.weight, self.n_models) for one in sides)
        return (of_left + of_right).astype(np.float64, copy=False)

    def sizes(self) -> Floats:
        """Root mean square of each covariate, [k]."""
        columns = self.design.covariates.T
        if self.weight is None:
            return np.array([np.sqrt(column @ column / column.size) for column in columns])
        squares = [np.average(column**2, weights=self.weight) for column in columns]
        return np.array(np.sqrt(squares))


def votes_of(design: Design, power: int = 1) -> Votes:
    """The votes of a design, with a power of their weights."""
    return Votes(design, design.weights(power))


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
    value, gradient, curvature = _add_up(votes, point, squared_scores=False)
    return Sums(value, gradient, curvature)


def meat(votes: Votes, point: Floats) -> Floats:
    """The sum over votes of the outer product of their scores, [m + k, m + k].

    Args:
        votes: with their squared weights.
        point: log-odds and coefficients, [m + k].
    """
    _, _, outer = _add_up(votes, point, squared_scores=True)
    return outer


def clustered_meat(votes: Votes, point: Floats) -> Floats:
    """The sum over the G clusters of the outer product of their scores, times G / (G - 1).

    Raises:
        OptionError: votes without clusters.
        NoEstimateError: fewer than two clusters.
    """
    design, clusters = votes.design, votes.design.clusters
    if clusters is None:
        raise OptionError("ci: the design has no clusters; build it with cluster=...")
    order = np.argsort(clusters, kind="stable")
    first = np.flatnonzero(np.diff(clusters[order], prepend=-1))
    if first.size < 2:
        raise NoEstimateError(f"clusters by {design.cluster}: there is only one")
    # Whole clusters only: each chunk ends with the cluster that fills it.
    cuts = np.searchsorted(first, np.arange(0, order.size, CHUNK))
    cuts = np.unique(np.append(cuts, first.size)).tolist()
    ends = np.append(first, order.size)

    def work(start: int, stop: int) -> Floats:
        rows, starts = order[ends[start] : ends[stop]], ends[start:stop] - ends[start]
        scores = votes.weigh(_residuals(votes, point, rows), rows)
        by_covariate = np.column_stack(
            [np.add.reduceat(scores * column[rows], starts) for column in design.covariates.T]
            or [np.zeros((starts.size, 0))]
        )
        models = np.column_stack([design.left[rows], design.right[rows]])
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
    most_worse = most_change = 0.0
    for rows in _chunks(0, votes.design.points.size):
        points = votes.design.points[rows]
        change = votes.weigh(votes.gap(step, rows), rows)
        worse = np.where(points == 0.5, np.abs(change), (1.0 - 2.0 * points) * change)
        most_worse = max(most_worse, worse.max())
        most_change = max(most_change, np.abs(change).max())
    return most_worse <= tolerance * most_change


def _residuals(votes: Votes, point: Floats, rows: slice | Integers) -> Floats:
    """Outcome less its expectation: the score in the gap of one vote."""
    gap = votes.gap(point, rows)
    return votes.design.points[rows] - 0.5 - 0.5 * np.tanh(0.5 * gap)


def _chunks(start: int, stop: int) -> Iterator[slice]:
    return (slice(at, min(at + CHUNK, stop)) for at in range(start, stop, CHUNK))


def _add_up(votes: Votes, point: Floats, *, squared_scores: bool) -> tuple[float, Floats, Floats]:
    """The sums of `add_votes` over all votes: log-likelihood, scores, outer products.

    In threads, but in one order. Returns a number, [m + k] and [m + k, m + k].
    """
    from arena.vote_kernel import add_votes

    design, m, n = votes.design, votes.n_models, votes.design.points.size
    weight = np.zeros(0) if votes.weight is None else votes.weight

    def strip(start: int, stop: int) -> tuple[float, Floats, Floats, Floats]:
        rows = slice(start, stop)
        scores, met = np.zeros(votes.size), np.zeros((m, m))
        mixed = np.zeros((votes.size, votes.size - m))
        value = add_votes(
            design.left[rows],
            design.right[rows],
            design.points[rows],
            design.covariates[rows],
            weight[rows],
            point[:m],
            point[m:],
            squared_scores,
            scores,
            met,
            mixed,
        )
        return value, scores, met, mixed

    # A strip's sums are as large as all pairs of models, so among many there are fewer strips.
    n_strips = int(np.clip(n // max(CHUNK, m**2), 1, STRIPS))
    edges = np.linspace(0, n, n_strips + 1).astype(int).tolist()
    with ThreadPoolExecutor(min(n_strips, os.cpu_count() or 1)) as pool:
        strips = list(pool.map(strip, edges[:-1], edges[1:]))
    value, scores, met, mixed = strips[0]
    for more, *sums in strips[1:]:
        value += more
        for total, part in zip((scores, met, mixed), sums, strict=True):
            total += part
    outer = np.empty((votes.size, votes.size))
    outer[:m, :m] = -met - met.T
    outer[np.arange(m), np.arange(m)] -= outer[:m, :m].sum(axis=1)
    outer[:, m:] = mixed
    outer[m:, :m] = mixed[:m].T
    return value, scores, outer
