"""Votes that belong together: the same judge, session, prompt or day.

Votes of one judge are not independent. What is kept of them is, per cluster, how many votes
of each kind it has: a sparse table, counted in one pass like everything else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array

from arena.battles import Battles
from arena.counts import PairCounts, pair_counts, places
from arena.errors import ColumnError
from arena.tally import count_groups

Integers = NDArray[np.int64]

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
        values: what the column holds in each cluster, sorted; of those with a value.
        n_alone: votes without a value in the column, each a cluster of its own, after the others.
        squares: sparse [G, 4P], sums of squared weights; None where every vote weighs one.
    """

    column: str
    counts: PairCounts
    table: csr_array
    values: pl.Series
    n_alone: int
    squares: csr_array | None = None

    @property
    def n_clusters(self) -> int:
        """Number of clusters, G."""
        return int(self.table.shape[0])

    def squared(self) -> "ClusterCounts":
        """The same with squared weights in the place of weights."""
        return self if self.squares is None else replace(self, table=self.squares)

    def sides(self, models: Sequence[str]) -> tuple[Integers, Integers]:
        """Left and right models [P] of `counts.pairs` as indices into others; -1 for none of them."""
        place = {model: i for i, model in enumerate(models)}
        index = np.array([place.get(model, -1) for model in self.counts.models])
        left, right = index[self.counts.pairs].T
        return left, right

    def of_model(self) -> dict[str, int]:
        """Model → clusters that have votes on it."""
        rows = np.arange(self.table.shape[1])
        sides = np.repeat(self.counts.pairs, 4, axis=0).T
        shape = (rows.size, self.counts.n_models)
        on = csr_array((np.ones(2 * rows.size), (np.tile(rows, 2), sides.ravel())), shape=shape)
        met = (self.table @ on).tocsc()
        return dict(zip(self.counts.models, np.diff(met.indptr).tolist(), strict=True))

    def reweighted(self, reweight: Callable[[PairCounts], PairCounts]) -> "ClusterCounts":
        """The same clusters with the votes of each pair weighed as `reweight` weighs them."""
        counts = reweight(self.counts)
        factor = counts.outcomes.sum(axis=1) / self.counts.outcomes.sum(axis=1)
        weigh = diags_array(np.repeat(factor, 4))
        squares = (self.table if self.squares is None else self.squares) @ weigh**2
        return replace(
            self, counts=counts, table=(self.table @ weigh).tocsr(), squares=squares.tocsr()
        )


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


def count_clusters(battles: Battles, column: str, key: pl.Expr | None = None) -> ClusterCounts:
    """Count votes by cluster, in one streaming pass.

    Args:
        battles: the votes.
        column: any battle column, or ``day``, the UTC date of `tstamp`.
        key: what tells clusters apart, where it is not the column's value itself.

    Raises:
        ColumnError: if the votes lack the column.
        LabelError, ReadError: as `tally_votes`.
    """
    by = cluster_key(battles, column) if key is None else key
    votes = count_groups(battles, {"cluster": by})
    at = places(votes)
    weight, there = votes["n"].to_numpy(), votes["cluster"]
    known, alone = (np.flatnonzero(flag) for flag in (there.is_not_null(), there.is_null()))
    values = there.drop_nulls().unique().sort()
    code = there.rank("dense").fill_null(0).to_numpy().astype(np.int64) - 1
    # A vote without a judge is nobody else's: each stands alone, in rows after the others'.
    alone = alone[np.argsort(at.place[alone], kind="stable")]
    number = votes["votes"].to_numpy() if "votes" in votes.columns else weight
    repeats = np.maximum(np.round(number[alone]).astype(np.int64), 1)
    n_alone = int(repeats.sum())
    n_clusters = len(values) + n_alone
    rows = np.concatenate([code[known], len(values) + np.arange(n_alone)])
    columns = np.concatenate([at.place[known], np.repeat(at.place[alone], repeats)])

    def table(name: str) -> csr_array:
        sums = votes[name].to_numpy()
        each = np.concatenate([sums[known], np.repeat(sums[alone] / repeats, repeats)])
        return csr_array((each, (rows, columns)), shape=(n_clusters, 4 * len(at.pairs)))

    squares = table("squares") if "squares" in votes.columns else None
    return ClusterCounts(column, pair_counts(votes), table("n"), values, n_alone, squares)
