"""The batched solver: the same pairs, many reweighted tables of votes, all solved together.

Every bootstrap, jackknife, placebo and history is this one operation. Most tables are close
to the one that was fitted, so a chord iteration is cheap: one inverse Hessian at the point
estimate, then r ← r + H⁻¹ g(r) for all tables at once. Where that does not contract, Newton's
method takes over for that table alone; where a table has no finite estimate, its draw says so.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import minimum_spanning_tree

from arena.blas import one_blas_thread
from arena.bradley_terry import Fit, solve
from arena.counts import Cells
from arena.errors import NoEstimateError
from arena.existence import Connected, connect, points_graph
from arena.problem import Problem, problem

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CLOSE = 1e-9
"""A chord step below this ends the iteration; what is left of the error is a fraction of it."""
MOST_CHORDS = 40
BLOCK_ELEMENTS = 1 << 17
"""Cells times tables worked on at once: about a megabyte per array, which stays in cache."""


@dataclass(frozen=True, slots=True)
class Tables:
    """B tables of votes over the pairs of one fit, made when they are asked for.

    Attributes:
        n: number of tables, B.
        block: tables per block; a block is always made whole, so that what is drawn depends
            neither on the number of threads nor on who asks first.
        make: block number → float [3, C, block], votes as in `Problem.outcomes` without a
            prior's; the last block may be shorter.
    """

    n: int
    block: int
    make: Callable[[int], Floats]

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        return -(-self.n // self.block)


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Log-odds of B tables.

    Attributes:
        models: the m names of the fit.
        log_odds: float [B, m]; +inf where a model has no upper bound in that table, -inf where
            it has no lower one, nan where the table does not compare it with the others. The
            mean over the models that are finite is the fit's mean over them.
        tie_parameter: float [B], nan where the tie rule has none.
        shift: float [B], what was added to each table's own log-odds to give them that mean.
    """

    models: tuple[str, ...]
    log_odds: Floats
    tie_parameter: Floats
    shift: Floats


def block_size(n_cells: int, n: int) -> int:
    """How many tables make a block; it depends on nothing but the sizes."""
    return max(1, min(n, BLOCK_ELEMENTS // max(n_cells, 1)))


def solve_tables(fit: Fit, tables: Tables) -> Draws:
    """Solve all tables, on all cores.

    Raises:
        ConvergenceError: if a table that has a finite estimate is not solved.
    """
    # The threads are ours; those of BLAS would only wait for each other on matrices this small.
    with one_blas_thread(), ThreadPoolExecutor(os.cpu_count()) as pool:
        solver = _Solver(fit)
        points = list(pool.map(lambda i: solver.solve(tables.make(i)), range(tables.n_blocks)))
    raw = np.concatenate(points, axis=1).T
    m = len(fit.models)
    has_tie = fit.rule.parameter is not None
    tie = raw[:, m] if has_tie else np.full(len(raw), np.nan)
    finite = np.isfinite(raw[:, :m])
    n = np.maximum(finite.sum(axis=1), 1)
    shift = (np.where(finite, fit.log_odds - raw[:, :m], 0.0)).sum(axis=1) / n
    return Draws(fit.models, raw[:, :m] + shift[:, None], tie, shift)


class _Solver:
    """What all tables of one fit share; nothing of it changes while solving."""

    def __init__(self, fit: Fit) -> None:
        self.votes_only = problem(fit.counts, fit.rule)
        self.task = problem(fit.counts, fit.rule, fit.prior)
        self.n_cells = self.votes_only.left.size
        m, n_rows = self.task.n_models, self.task.left.size
        self.start = fit.point
        self.inverse = self.task.inverse(self.task.hessian(self.start))
        self.n_votes = self.task.outcomes.sum()
        ends = np.concatenate([self.task.left, self.task.right])
        signs = np.concatenate([np.ones(n_rows), -np.ones(n_rows)])
        rows = np.tile(np.arange(n_rows), 2)
        incidence = csr_array((signs, (ends, rows)), shape=(m + 1, n_rows))
        self.incidence = incidence[:m]
        self.tree = _tree(self.votes_only)

    def solve(self, table: Floats) -> Floats:
        """Points [m + q, b] of a table [3, C, b]."""
        full = self._with_prior(table)
        finite = self._surely_finite(table)
        point = np.full((self.task.n_parameters, table.shape[2]), np.nan)
        chord, arrived = self._chords(full[:, :, finite])
        point[:, np.flatnonzero(finite)[arrived]] = chord[:, arrived]
        for b in np.concatenate([np.flatnonzero(~finite), np.flatnonzero(finite)[~arrived]]):
            point[:, b] = self._alone(full[:, :, b], table[:, :, b])
        return point

    def _with_prior(self, table: Floats) -> Floats:
        prior = self.task.outcomes[:, self.n_cells :, None]
        repeated = np.broadcast_to(prior, (3, prior.shape[1], table.shape[2]))
        return np.concatenate([table, repeated], axis=1) if prior.size else table

    def _chords(self, votes: Floats) -> tuple[Floats, NDArray[np.bool_]]:
        """Chord steps from the fit's point: points [m + q, b], and which of them arrived."""
        n = votes.shape[2]
        arrived = np.zeros(n, dtype=bool)
        active = np.arange(n)
        # A table with a tenth of the votes has about a tenth of the curvature.
        share = votes.sum(axis=(0, 1)) / self.n_votes
        last = np.full(n, np.inf)
        # All tables start at one point, where what is expected of a pair is the same for all.
        point = self.start[:, None]
        point = point + self.inverse @ self._gradient(point, votes) / share
        if self.task.rule.positive:
            point[-1] = np.where(point[-1] > 0, point[-1], self.start[-1])
        for chord in range(MOST_CHORDS):
            if active.size == 0:
                break
            here = point[:, active]
            step = self.inverse @ self._gradient(here, votes) / share[active]
            moved = here + step
            length = np.abs(step).max(axis=0)
            if self.task.rule.positive:
                length = np.where(moved[-1] > 0, length, np.inf)
            point[:, active] = moved
            done = length <= CLOSE
            lost = ~np.isfinite(length) | ((chord > 3) & (length > 0.8 * last[active]))
            arrived[active[done]] = True
            last[active] = length
            going = ~(done | lost)
            if not going.all():
                active, votes = active[going], votes[:, :, going]
        return point, arrived

    def _gradient(self, point: Floats, votes: Floats) -> Floats:
        task = self.task
        in_gap, in_tie = task.rule.score(votes, task.gaps(point), task.tie(point))
        of_models: Floats = self.incidence @ in_gap
        return of_models if in_tie is None else np.vstack([of_models, in_tie.sum(axis=0)])

    def _surely_finite(self, table: Floats) -> NDArray[np.bool_]:
        """Tables [b] in which the pairs of a spanning tree took points both ways."""
        if self.task.prior > 0:
            return np.ones(table.shape[2], dtype=bool)
        if self.tree is None:
            return np.zeros(table.shape[2], dtype=bool)
        win, loss, tie = table[:, self.tree]
        both_ways = (win + tie > 0) & (loss + tie > 0)
        finite: NDArray[np.bool_] = both_ways.all(axis=0)
        if self.task.rule.parameter is not None:
            mutual = (table[0] > 0) & (table[1] > 0)
            finite &= (table[2].sum(axis=0) > 0) & mutual.any(axis=0)
        return finite

    def _alone(self, full: Floats, table: Floats) -> Floats:
        """The point [m + q] of one table, with infinities where it has no finite estimate."""
        m = self.task.n_models
        point = np.full(self.task.n_parameters, np.nan)
        task = replace(self.task, outcomes=full)
        connected = Connected(np.arange(m), np.zeros(m))
        if self.task.prior == 0:
            cells = Cells(self.task.left, self.task.right, table.T, table.T)
            connected = connect(cells, points_graph(cells, m, counts_ties=True))
            point[:m] = connected.side
            if connected.kept.size < 2:
                # With nobody on one scale there is no scale to be infinite on.
                point[:m] = np.nan
                return point
            task = task.restricted(connected.kept)
        try:
            solved = solve(task).point
        except NoEstimateError:
            point[:m] = np.nan
            return point
        point[connected.kept] = solved[: connected.kept.size]
        point[m:] = solved[connected.kept.size :]
        return point


def _tree(task: Problem) -> Integers | None:
    """Pairs that join all models and took points both ways, as often as can be had."""
    win, loss, tie = task.outcomes
    scarce = np.minimum(win + tie, loss + tie)
    usable = np.flatnonzero(scarce > 0)
    m = task.n_models
    cost = csr_array((1.0 / scarce[usable], (task.left[usable], task.right[usable])), shape=(m, m))
    tree = minimum_spanning_tree(cost).tocoo()
    if tree.nnz < m - 1:
        return None
    edge = np.sort(np.minimum(tree.row, tree.col) * m + np.maximum(tree.row, tree.col))
    return np.searchsorted(task.left * m + task.right, edge)
