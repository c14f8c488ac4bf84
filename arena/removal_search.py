"""The search for the smallest set of votes, or of clusters, that turns a gap between two models.

To remove a vote moves the gap by its influence: minus the inverse Hessian times its score
(Broderick, Giordano and Meager, An Automatic Finite-Sample Robustness Metric, 2020). That is
exact for an infinitely small weight, and the influences change as votes go. So what the one
step proposes is refitted, and the order is made again from the influences at the refit: of all
sets with fractions of votes, the smallest is one that takes the most influential votes by the
influences that hold where it leads.
"""

from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array, eye_array

from arena.batch import Tables, block_size, solve_tables
from arena.bradley_terry import Fit
from arena.clusters import ClusterCounts
from arena.errors import OptionError
from arena.problem import Problem, problem
from arena.resample import cluster_kinds

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

TOLD_APART = 1e-9
"""Log-odds that differ by less share a rank, see `point_ranks`."""
SECTIONS = 15
"""Sets refitted at once while the shortest prefix is looked for."""
MOST_ORDERS = 8
"""How often the order is made again."""
EXCHANGED = 10
"""Units at the margin, on either side, that are exchanged one by one at the end."""
FEW_UNITS, FEW_KINDS = 20, 300
"""Sets up to so large, of up to so many kinds, are also looked for unit by unit."""
TRIED = 300
"""Sets of one size that are then refitted."""


@dataclass(frozen=True, slots=True, eq=False)
class Removable:
    """What can be removed from a fit: U kinds of units, of each a number that are all alike.

    Attributes:
        fit: of all votes.
        task: the votes of the fit, without a prior's; C pairs.
        votes: sparse [U, 3C], the votes of one unit of each kind, by outcome and pair.
        number: int [U], units of each kind.
    """

    fit: Fit
    task: Problem
    votes: csr_array
    number: Integers

    @property
    def total(self) -> int:
        """Units in all."""
        return int(self.number.sum())

    def left(self, removed: Floats, change: csc_array | None = None) -> Floats:
        """Tables [3, C, b] of the votes left when so many [U, b] of each kind are removed.

        With a change, sparse [U, b], so many more than `removed` [U, 1].
        """
        total = self.task.outcomes.reshape(-1, 1)
        left = total - self.votes.T @ removed
        if change is not None:
            left = left - (self.votes.T @ change).toarray()
        # Weights that cancel leave dust, which would look like votes.
        clean: Floats = np.where(left < 1e-9 * total, 0.0, left)
        return clean.reshape(3, -1, clean.shape[1])

    def solve(self, removed: Floats, change: csc_array | None = None) -> Floats:
        """Log-odds [b, m] without so many of each kind; see `left`, and `Draws`."""
        n = (removed if change is None else change).shape[1]
        block = block_size(self.task.left.size, n)

        def make(i: int) -> Floats:
            some = slice(i * block, (i + 1) * block)
            if change is not None:
                return self.left(removed, change[:, some])
            return self.left(removed[:, some])

        return solve_tables(self.fit, Tables(n, block, make)).log_odds

    def influence(self, upper: int, lower: int, removed: Floats | None = None) -> Floats:
        """How far removing one more unit of each kind moves a gap [U], to first order.

        Args:
            upper: whose log-odds the gap is,
            lower: less those of this model.
            removed: float [U], what has gone already; nothing, if it is not given.
        """
        fit, rule = self.fit, self.fit.rule
        task, point = problem(fit.counts, rule, fit.prior), fit.point
        rated = np.arange(task.n_models)
        if removed is not None:
            left = self.left(removed[:, None])
            table = task.outcomes.copy()
            table[:, : self.task.left.size] = left[:, :, 0]
            task = replace(task, outcomes=table)
            draws = solve_tables(fit, Tables(1, 1, lambda _: left))
            point = np.append(draws.log_odds[0] - draws.shift[0], draws.tie_parameter)
            point = point[: task.n_parameters]
            rated = np.flatnonzero(np.isfinite(point[: task.n_models]))
        direction = np.zeros(task.n_parameters)
        direction[[upper, lower]] = 1.0, -1.0
        used = np.append(rated, np.arange(task.n_models, task.n_parameters))
        among = task if rated.size == task.n_models else task.restricted(rated)
        moved = np.zeros(task.n_parameters)
        moved[used] = among.newton_step(point[used], direction[used])
        point = np.where(np.isfinite(point), point, 0.0)
        left_side, right_side = self.task.left, self.task.right
        first = rule.first(point[left_side] - point[right_side], self.task.tie(point))
        effect = first.d * (moved[left_side] - moved[right_side])
        if first.t is not None:
            effect = effect + first.t * moved[-1]
        gone = ~np.isin(left_side, rated) | ~np.isin(right_side, rated)
        effect[:, gone] = 0.0
        found: Floats = -(self.votes @ effect.ravel())
        return found


def removable_votes(fit: Fit) -> Removable:
    """Single votes: those on one pair with one outcome are alike, a tie and both-bad, too.

    Raises:
        OptionError: if votes have weights, so that those of a kind are not alike.
    """
    task = problem(fit.counts, fit.rule)
    number = np.round(task.outcomes.ravel())
    if fit.counts.is_weighted or np.abs(number - task.outcomes.ravel()).max(initial=0.0) > 1e-6:
        message = "influence: these votes have weights; only clusters of them can be removed"
        raise OptionError(message)
    there = np.flatnonzero(number > 0)
    votes = eye_array(number.size, format="csr")[there]
    return Removable(fit, task, votes, number[there].astype(np.int64))


def removable_clusters(fit: Fit, clusters: ClusterCounts) -> Removable:
    """Whole clusters, in their order."""
    votes = cluster_kinds(fit, clusters)
    number = np.ones(votes.shape[0], dtype=np.int64)
    return Removable(fit, problem(fit.counts, fit.rule), votes, number)


# ── one gap ────────────────────────────────────────────────────────────────────────────────


def predicted_number(units: Removable, upper: int, lower: int) -> int | None:
    """How many units turn the gap by one step; None if all together do not."""
    effect = units.influence(upper, lower)
    order = np.argsort(effect, kind="stable")
    order = order[effect[order] < 0]
    gap = units.fit.log_odds[upper] - units.fit.log_odds[lower] + TOLD_APART
    by_kind = -effect[order] * units.number[order]
    reached = np.cumsum(by_kind)
    last = int(np.searchsorted(reached, gap))
    if last == order.size:
        return None
    before = reached[last] - by_kind[last]
    more = int(np.ceil((gap - before) / -effect[order[last]] - 1e-12))
    return int(units.number[order[:last]].sum()) + max(more, 0)


def smallest_set(units: Removable, upper: int, lower: int, most: int) -> Integers | None:
    """How many [U] of each kind to remove, so that `lower` stands above `upper`.

    The smallest set that was found, of `most` units at most; every set is judged by an exact
    refit, in which both models have to be rated. None if no set was found.
    """
    best: Integers | None = None
    removed: Floats | None = None
    for _ in range(MOST_ORDERS):
        effect = units.influence(upper, lower, removed)
        order = np.argsort(effect, kind="stable")
        order = order[effect[order] < 0]
        limit = most if best is None else int(best.sum()) - 1
        found, turned = _shortest_prefix(units, order, upper, lower, limit)
        if found is None or (best is not None and not turned):
            break
        if turned:
            best = found
        removed = found.astype(np.float64)
        if not np.isfinite(units.solve(removed[:, None])[0, [upper, lower]]).all():
            break
    if units.number.size <= FEW_KINDS and (best is None or best.sum() <= FEW_UNITS):
        limit = min(most, FEW_UNITS) if best is None else int(best.sum()) - 1
        one_by_one = _one_by_one(units, upper, lower, limit)
        best = best if one_by_one is None else one_by_one
    while best is not None:
        fewer = _fewer(units, best, upper, lower)
        if fewer is None:
            break
        best = fewer
    return best


def _gaps(
    units: Removable, removed: Integers, upper: int, lower: int, change: csc_array | None = None
) -> Floats:
    """The gap [b] without so many of each kind; nan where either is not comparable."""
    log_odds = units.solve(removed.astype(np.float64), change)
    with np.errstate(invalid="ignore"):
        gaps: Floats = log_odds[:, upper] - log_odds[:, lower]
    return gaps


def _shortest_prefix(
    units: Removable, order: Integers, upper: int, lower: int, most: int
) -> tuple[Integers | None, bool]:
    """The first units in an order that turn the gap, as few as will do, and whether they do.

    If none do, the longest prefix that leaves both models rated.
    """
    most = min(most, int(units.number[order].sum()))
    if most < 1:
        return None, False
    start = np.cumsum(units.number[order]) - units.number[order]

    def prefixes(lengths: Integers) -> Integers:
        table = np.zeros((units.number.size, lengths.size), dtype=np.int64)
        taken = np.clip(lengths[None, :] - start[:, None], 0, units.number[order][:, None])
        table[order] = taken
        return table

    low, high, turned, rated = 0, most + 1, False, 0
    while high - low > 1:
        inner = np.linspace(low, high, SECTIONS + 2)[1:-1].round().astype(np.int64)
        lengths = np.unique(inner[(inner > low) & (inner < high)])
        gaps = _gaps(units, prefixes(lengths), upper, lower)
        rated = max([rated, *lengths[np.isfinite(gaps)].tolist()])
        # Where the upper one has lost its last win, or the lower one its last loss, the gap is
        # minus infinity: too many have gone.
        past = np.flatnonzero(gaps < -TOLD_APART)
        if past.size:
            high, turned = int(lengths[past[0]]), bool(np.isfinite(gaps[past[0]]))
            low = int(lengths[past[0] - 1]) if past[0] else low
        else:
            low = int(lengths[-1])
    if turned:
        return prefixes(np.array([high]))[:, 0], True
    return (prefixes(np.array([rated]))[:, 0], False) if rated else (None, False)


def _one_by_one(units: Removable, upper: int, lower: int, most: int) -> Integers | None:
    """Remove unit by unit, keeping at each size the sets that by exact refits leave least gap."""
    kept = np.zeros((units.number.size, 1), dtype=np.int64)
    width = max(1, TRIED // units.number.size)
    for _ in range(most):
        one_more = np.eye(units.number.size, dtype=np.int64)
        sets = (kept[:, :, None] + one_more[:, None, :]).reshape(units.number.size, -1)
        sets = np.unique(sets[:, (sets <= units.number[:, None]).all(axis=0)], axis=1)
        gaps = _gaps(units, sets, upper, lower)
        gaps = np.where(np.isfinite(gaps), gaps, np.inf)
        best = np.argsort(gaps, kind="stable")[:width]
        best = best[np.isfinite(gaps[best])]
        if not best.size:
            return None
        if gaps[best[0]] < -TOLD_APART:
            found: Integers = sets[:, best[0]]
            return found
        kept = sets[:, best]
    return None


def _fewer(units: Removable, removed: Integers, upper: int, lower: int) -> Integers | None:
    """A set with one unit less that turns the gap as well, by exchanges at the margin."""
    effect = units.influence(upper, lower, removed.astype(np.float64))
    inside = np.flatnonzero(removed > 0)
    outside = np.flatnonzero((removed < units.number) & (effect < 0))
    last = inside[np.argsort(-effect[inside], kind="stable")][:EXCHANGED]
    next_ = outside[np.argsort(effect[outside], kind="stable")][:EXCHANGED]
    changes: list[tuple[tuple[int, ...], tuple[int, ...]]] = [((one,), ()) for one in last.tolist()]
    changes += [
        (back, (take,))
        for back in combinations_with_replacement(last.tolist(), 2)
        for take in next_.tolist()
        if take not in back
    ]
    able = [one for one in changes if all(removed[kind] >= one[0].count(kind) for kind in one[0])]
    if removed.sum() < 2:
        return None
    entries = [(kind, column, -1.0) for column, (back, _) in enumerate(able) for kind in back]
    entries += [(kind, column, 1.0) for column, (_, take) in enumerate(able) for kind in take]
    kinds, columns, steps = zip(*entries, strict=True)
    # Entries of one place are added up.
    change = csc_array((steps, (kinds, columns)), shape=(removed.size, len(able)))
    gaps = _gaps(units, removed[:, None], upper, lower, change)
    good = np.isfinite(gaps) & (gaps < -TOLD_APART)
    if not good.any():
        return None
    best = int(np.where(good, gaps, np.inf).argmin())
    found: Integers = removed + change[:, [best]].toarray().ravel().astype(np.int64)
    return found
