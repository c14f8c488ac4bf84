"""Whether the votes determine the ratings, and if not, which models are the reason.

The maximum-likelihood estimate exists, and is unique up to a shift, exactly if no group of
models has never scored against the rest: the directed graph with an edge i → j where i took a
point from j is strongly connected (Ford, Solution of a ranking problem from binary
comparisons, American Mathematical Monthly 64, 1957).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from arena.counts import Cells, PairCounts
from arena.display import amount, listing
from arena.errors import NoEstimateError

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model that cannot be rated on one scale with the others, and why."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Connected:
    """The largest group of models that the votes put on one scale, and where the others stand.

    Attributes:
        kept: int [k], indices of the group's models, ascending.
        side: float [m], 0 for the group; +inf for models that the votes bound from below
            only, -inf for those bounded from above only, nan for those that no chain of
            results compares with the group.
    """

    kept: Integers
    side: Floats


def points_graph(cells: Cells, n_models: int, *, counts_ties: bool) -> csr_array:
    """The sparse graph [m, m] with an edge i → j where i took a point from j."""
    tied = cells.outcomes[:, 2:].sum(axis=1) if counts_ties else np.zeros(cells.left.size)
    left_scored, right_scored = (cells.outcomes[:, k] + tied > 0 for k in (0, 1))
    tail = np.concatenate([cells.left[left_scored], cells.right[right_scored]])
    head = np.concatenate([cells.right[left_scored], cells.left[right_scored]])
    shape = (n_models, n_models)
    return coo_array((np.ones(tail.size), (tail, head)), shape=shape).tocsr()


def largest_group(counts: PairCounts, *, counts_ties: bool = True) -> Connected:
    """Find the largest group that can be rated.

    Largest is by models, then by battles among them, then by name.

    Raises:
        NoEstimateError: if no two models can be put on one scale.
    """
    m = counts.n_models
    if m == 0:
        raise NoEstimateError("no battles left to rate")
    if m == 1:
        raise NoEstimateError(f"only one model, {counts.models[0]!r}: a rating needs an opponent")
    cells = counts.cells
    connected = connect(cells, points_graph(cells, m, counts_ties=counts_ties))
    if connected.kept.size < 2:
        message = (
            f"no two of the {m} models can be rated on one scale: nobody took a point from an "
            "opponent and gave one back, even in a roundabout way; more votes are needed"
        )
        raise NoEstimateError(message)
    return connected


def connect(cells: Cells, graph: csr_array) -> Connected:
    """The largest strongly connected group of a graph of points, perhaps of one model."""
    m = graph.shape[0]
    n_groups, group = connected_components(graph, connection="strong")
    if n_groups == 1:
        return Connected(np.arange(m), np.zeros(m))
    inside = group[cells.left] == group[cells.right]
    battles = np.bincount(
        group[cells.left[inside]], cells.outcomes[inside].sum(axis=1), minlength=n_groups
    )
    size = np.bincount(group, minlength=n_groups)
    first = np.full(n_groups, m)
    np.minimum.at(first, group, np.arange(m))
    chosen = np.lexsort((first, -battles, -size))[0]
    kept = np.flatnonzero(group == chosen)
    beaten_by_kept, beats_kept = (
        np.isin(np.arange(m), breadth_first_order(way, kept[0], return_predecessors=False))
        for way in (graph, graph.T.tocsr())
    )
    side = np.full(m, np.nan)
    side[beats_kept & ~beaten_by_kept] = np.inf
    side[beaten_by_kept & ~beats_kept] = -np.inf
    side[kept] = 0.0
    return Connected(kept, side)


def left_out(
    counts: PairCounts, connected: Connected, *, counts_ties: bool = True
) -> tuple[LeftOut, ...]:
    """The models outside the group, each with the reason why it cannot be rated with it."""
    m, cells = counts.n_models, counts.cells
    graph = points_graph(cells, m, counts_ties=counts_ties)
    took, gave = np.diff(graph.indptr) > 0, np.diff(graph.tocsc().indptr) > 0
    _, island = connected_components(graph, connection="weak")
    played = np.zeros(m)
    np.add.at(played, cells.left, cells.outcomes.sum(axis=1))
    np.add.at(played, cells.right, cells.outcomes.sum(axis=1))
    found = []
    for i in np.flatnonzero(connected.side != 0):
        battles = amount(played[i], "battle")
        if not took[i] and not gave[i]:
            reason = f"no decided battle ({battles})"
        elif not gave[i]:
            reason = f"never lost ({battles})"
        elif not took[i]:
            reason = f"never won ({battles})"
        elif island[i] != island[connected.kept[0]]:
            others = amount(np.sum(island == island[i]) - 1, "other")
            reason = (
                f"never met the rated models, even through others ({battles}; {others} with it)"
            )
        elif connected.side[i] == np.inf:
            reason = f"no chain of results by which a rated model takes a point from it ({battles})"
        elif connected.side[i] == -np.inf:
            reason = f"no chain of results by which it takes a point from a rated model ({battles})"
        else:
            reason = f"no chain of results compares it with the rated models ({battles})"
        found.append(LeftOut(counts.models[i], reason))
    return tuple(found)


def refuse_separation(counts: PairCounts, outside: tuple[LeftOut, ...]) -> None:
    """Raise NoEstimateError naming the models that keep the estimate from existing."""
    if outside:
        first = outside[0]
        message = (
            f"no finite ratings: {len(outside)} of {counts.n_models} models cannot be put on one "
            f"scale with the rest ({listing(one.model for one in outside)}; "
            f"{first.model!r}: {first.reason}); leave them out with --on-separation drop or use prior"
        )
        raise NoEstimateError(message)
