"""Votes that belong together: the same judge, session, prompt or day.

Votes of one judge are not independent. What is kept of them is, per cluster, how many votes
of each kind it has: a sparse table, counted in one pass like everything else.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.sparse import csr_array

from arena.battles import Battles
from arena.counts import PairCounts, count_groups, pair_counts, places
from arena.errors import ColumnError, NoEstimateError

DAY = "day"
FORBIDDEN = ("model_a", "model_b", "winner", "votes", "weight")


@dataclass(frozen=True, slots=True, eq=False)
class ClusterCounts:
    """The votes of each cluster.

    Attributes:
        column: what makes a cluster.
        counts: all votes together.
        table: sparse [G, 4P], votes (or weights) of each of G clusters; column 4p + k is
            outcome k of `counts.pairs[p]`.
        n_alone: votes without a value in the column, each a cluster of its own.
    """

    column: str
    counts: PairCounts
    table: csr_array
    n_alone: int

    @property
    def n_clusters(self) -> int:
        """Number of clusters, G."""
        return int(self.table.shape[0])


def cluster_key(battles: Battles, column: str) -> pl.Expr:
    """The expression that tells clusters apart.

    Raises:
        ColumnError: if these logs have no such column; the message lists those they have.
    """
    usable = [name for name in battles.columns if name not in FORBIDDEN]
    if "tstamp" in usable:
        usable.append(DAY)
    if column not in usable:
        message = (
            f"no column '{column}' to cluster by; these votes have {', '.join(usable) or 'none'}"
        )
        raise ColumnError(message)
    return pl.col("tstamp").dt.date() if column == DAY else pl.col(column)


def count_clusters(battles: Battles, column: str) -> ClusterCounts:
    """Count votes by cluster, in one streaming pass.

    Args:
        battles: the votes.
        column: any battle column, or ``day``, the UTC date of `tstamp`.

    Raises:
        ColumnError: if the votes lack the column.
        NoEstimateError: if there are fewer than two clusters.
        LabelError, ReadError: as `tally_votes`.
    """
    votes = count_groups(battles, {"cluster": cluster_key(battles, column)})
    at = places(votes)
    known = votes["cluster"].is_not_null()
    codes = votes["cluster"].rank("dense").fill_null(0).to_numpy().astype(np.int64) - 1
    n_known = int(codes.max(initial=-1)) + 1
    alone = np.flatnonzero(~known.to_numpy())
    weight = votes["n"].to_numpy()
    # A vote without a judge is nobody else's: each stands alone, in rows after the others'.
    repeats = np.maximum(np.round(weight[alone]).astype(np.int64), 1)
    n_alone = int(repeats.sum())
    rows = np.concatenate([codes[known.to_numpy()], n_known + np.arange(n_alone)])
    columns = np.concatenate([at.place[known.to_numpy()], np.repeat(at.place[alone], repeats)])
    values = np.concatenate([weight[known.to_numpy()], np.repeat(weight[alone] / repeats, repeats)])
    n_clusters = n_known + n_alone
    if n_clusters < 2:
        raise NoEstimateError(f"clusters by '{column}': only {n_clusters}, at least two are needed")
    table = csr_array((values, (rows, columns)), shape=(n_clusters, 4 * len(at.pairs)))
    return ClusterCounts(column, pair_counts(votes), table, n_alone)
