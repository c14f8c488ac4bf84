"""Whether the votes determine the ratings, and if not, which models are the reason.

The maximum-likelihood estimate exists, and is unique up to a shift, exactly if no group of
models has never scored against the rest: the directed graph with an edge i → j where i took a
point from j is strongly connected (Ford, Solution of a ranking problem from binary
comparisons, American Mathematical Monthly 64, 1957).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order, connected_components

from arena.counts import Cells, PairCounts, fold
from arena.errors import NoEstimateError, amount, listing

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model that cannot be rated on one scale with the others, and why."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Connected:
    """The largest group of models that the votes put on one scale.

    Attributes:
        kept: int [k], indices of the group's models, ascending.
        left_out: the others, each with the reason.
    """

    kept: Integers
    left_out: tuple[LeftOut, ...]


def points_graph(cells: Cells, n_models: int, *, counts_ties: bool) -> coo_array:
    """The sparse graph [m, m] with an edge i → j where i took a point from j."""
    tied = cells.outcomes[:, 2:].sum(axis=1) if counts_ties else np.zeros(cells.left.size)
    left_scored, right_scored = (cells.outcomes[:, k] + tied > 0 for k in (0, 1))
    tail = np.concatenate([cells.left[left_scored], cells.right[right_scored]])
    head = np.concatenate([cells.right[left_scored], cells.left[right_scored]])
    return coo_array((np.ones(tail.size), (tail, head)), shape=(n_models, n_models))


def largest_group(counts: PairCounts, *, counts_ties: bool = True) -> Connected:
    """Find the largest group that can be rated, and say why the others cannot.

    Largest is by models, then by battles among them, then by name.

    Raises:
        NoEstimateError: if no two models can be put on one scale.
    """
    m = counts.n_models
    if m == 0:
        raise NoEstimateError("no battles left to rate")
    if m == 1:
        raise NoEstimateError(f"only one model, {counts.models[0]!r}: a rating needs an opponent")
    cells = fold(counts)
    graph = points_graph(cells, m, counts_ties=counts_ties).tocsr()
    n_groups, group = connected_components(graph, connection="strong")
    if n_groups == 1:
        return Connected(np.arange(m), ())
    inside = group[cells.left] == group[cells.right]
    battles = np.bincount(
        group[cells.left[inside]], cells.outcomes[inside].sum(axis=1), minlength=n_groups
    )
    size = np.bincount(group, minlength=n_groups)
    first = np.full(n_groups, m)
    np.minimum.at(first, group, np.arange(m))
    chosen = np.lexsort((first, -battles, -size))[0]
    if size[chosen] < 2:
        message = (
            f"no two of the {m} models can be rated on one scale: nobody took a point from an "
            "opponent and gave one back, even in a roundabout way; more votes are needed"
        )
        raise NoEstimateError(message)
    kept = np.flatnonzero(group == chosen)
    return Connected(kept, _reasons(counts, cells, graph, kept))


def _reasons(
    counts: PairCounts, cells: Cells, graph: coo_array, kept: Integers
) -> tuple[LeftOut, ...]:
    m = counts.n_models
    points_from, points_to = np.zeros(m), np.zeros(m)
    np.add.at(points_from, graph.tocoo().row, 1)
    np.add.at(points_to, graph.tocoo().col, 1)
    _, island = connected_components(graph, connection="weak")
    beaten_by_kept = np.isin(np.arange(m), breadth_first_order(graph, kept[0])[0])
    beats_kept = np.isin(np.arange(m), breadth_first_order(graph.T.tocsr(), kept[0])[0])
    played = np.zeros(m)
    np.add.at(played, cells.left, cells.outcomes.sum(axis=1))
    np.add.at(played, cells.right, cells.outcomes.sum(axis=1))
    left_out = []
    for i in np.setdiff1d(np.arange(m), kept):
        battles = amount(played[i], "battle")
        if points_from[i] and not points_to[i]:
            reason = f"never lost ({battles})"
        elif points_to[i] and not points_from[i]:
            reason = f"never won ({battles})"
        elif not points_to[i]:
            reason = f"no decided battle ({battles})"
        elif island[i] != island[kept[0]]:
            others = amount(np.sum(island == island[i]) - 1, "other")
            reason = (
                f"never met the rated models, even through others ({battles}; {others} with it)"
            )
        elif beats_kept[i] and not beaten_by_kept[i]:
            reason = f"no chain of results by which a rated model takes a point from it ({battles})"
        elif beaten_by_kept[i] and not beats_kept[i]:
            reason = f"no chain of results by which it takes a point from a rated model ({battles})"
        else:
            reason = f"no chain of results compares it with the rated models ({battles})"
        left_out.append(LeftOut(counts.models[i], reason))
    return tuple(left_out)


def refuse_separation(counts: PairCounts, connected: Connected) -> None:
    """Raise NoEstimateError naming the models that keep the estimate from existing."""
    if connected.left_out:
        first = connected.left_out[0]
        message = (
            f"no finite ratings: {len(connected.left_out)} of {counts.n_models} models are not tied to "
            f"the rest by points taken and given ({listing(one.model for one in connected.left_out)}; "
            f"{first.model!r}: {first.reason}); leave them out with --on-separation drop or use prior"
        )
        raise NoEstimateError(message)
