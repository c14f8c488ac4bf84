"""A log in two parts, those votes that conditions keep and the others, counted in one pass."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.battles import Battles
from arena.clusters import FORBIDDEN, cluster_key
from arena.counts import PairCounts, pair_counts, places
from arena.errors import ColumnError, OptionError
from arena.tally import Tally, accepted_groups, group_votes, tally_groups

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
KIND = np.array([0, 1, 2, 2])
"""The winners as (left won, right won, tied)."""
MONTH = "month"
KEPT, REST = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The votes kept and the rest, by pair of models and stratum.

    Attributes:
        models: the m names, sorted.
        left, right: int [R], model indices of each row, left < right; a pair has a row per
            stratum.
        sums: float [2, 3, R], weights of the votes (kept, rest) by (left won, right won, tied or
            both bad).
        votes: float [2, 3, R], their numbers; the same array where every vote weighs one.
        kept, rest, all: the two parts, and both together, as pair counts.
        tally: the account of all rows, and the funnel.
    """

    models: tuple[str, ...]
    left: Integers
    right: Integers
    sums: Floats
    votes: Floats
    kept: PairCounts
    rest: PairCounts
    all: PairCounts
    tally: Tally

    def cells(self, models: Sequence[str], left: Integers, right: Integers) -> csr_array:
        """Sparse [C, R], one where a row here is on the pair of a cell there, among some models.

        Args:
            models: names that `left` and `right` are indices of.
            left: int [C], sorted with `right`; the cells' pairs.
            right: int [C], larger than `left`.
        """
        place = {model: i for i, model in enumerate(models)}
        index = np.array([place.get(model, -1) for model in self.models])
        ends = np.sort(index[np.stack([self.left, self.right])], axis=0)
        key, wanted = left * len(models) + right, ends[0] * len(models) + ends[1]
        cell = np.minimum(np.searchsorted(key, wanted), max(key.size - 1, 0))
        there = np.flatnonzero((ends[0] >= 0) & (key[cell] == wanted))
        shape = (key.size, self.left.size)
        return csr_array((np.ones(there.size), (cell[there], there)), shape=shape)


def count_parts(battles: Battles, common: int = 0, within: Sequence[str] = ()) -> Parts:
    """Count the votes that all conditions keep, and beside them those that some drop.

    Args:
        battles: the votes with their conditions.
        common: how many of the conditions, the first ones, both parts have to meet.
        within: battle columns, or ``month``, whose values make strata.

    Raises:
        ColumnError: if the votes lack a column of `within`.
        LabelError, ReadError: as `tally_votes`.
    """
    strata = _strata(battles, within)
    groups = group_votes(battles, strata)
    votes = _in_parts(accepted_groups(groups, battles, filtered=True), common)
    at = places(votes)
    pairs = at.pairs[at.place // 4]
    ends = np.sort(pairs, axis=1)
    stratum = np.zeros(len(votes), dtype=np.int64)
    if strata:
        stratum = votes.select(pl.struct(list(strata)).rank("dense") - 1).to_series().to_numpy()
    n_strata = int(stratum.max(initial=0)) + 1
    m = max(len(at.models), 1)
    key = (ends[:, 0] * m + ends[:, 1]) * n_strata + stratum
    rows, row = np.unique(key, return_inverse=True)
    kind = _kinds(at.place, pairs)
    flat = (votes["part"].to_numpy() * 3 + kind) * rows.size + row

    def total(column: str) -> Floats:
        sums = np.bincount(flat, votes[column].to_numpy(), minlength=6 * rows.size)
        return sums.astype(np.float64).reshape(2, 3, rows.size)

    sums = total("n")
    kept, rest = (pair_counts(votes.filter(pl.col("part") == part)) for part in (KEPT, REST))
    left, right = np.divmod(rows // n_strata, m)
    return Parts(
        at.models,
        left,
        right,
        sums,
        total("votes") if "votes" in votes.columns else sums,
        kept,
        rest,
        pair_counts(votes),
        tally_groups(groups.drop(list(strata)), battles),
    )


def _strata(battles: Battles, within: Sequence[str]) -> Mapping[str, pl.Expr]:
    """The expressions that tell strata apart, under names that no column has."""
    found: dict[str, pl.Expr] = {}
    for i, name in enumerate(within):
        if name == MONTH and "tstamp" in battles.columns:
            found[f"stratum {i}"] = pl.col("tstamp").dt.truncate("1mo")
        elif name in battles.columns and name not in FORBIDDEN:
            found[f"stratum {i}"] = pl.col(name)
        else:
            message = (
                f"within: no column '{name}' in these votes, which have "
                f"{', '.join(battles.columns)}; '{MONTH}' stands for that of tstamp"
            )
            raise ColumnError(message)
    return found


def _in_parts(votes: pl.DataFrame, common: int) -> pl.DataFrame:
    """Votes with the part they are in; those that a common condition drops are in neither."""
    if "filtered" not in votes.columns:
        raise OptionError("compare: no filter, so nothing to compare; e.g. --multi-turn")
    either = votes.filter(pl.col("filtered").is_null() | (pl.col("filtered") >= 2 * common))
    return either.with_columns(part=pl.col("filtered").is_not_null().cast(pl.Int64))


def _kinds(place: Integers, pairs: Integers) -> Integers:
    """(left won, right won, tied) of votes, where left is the model that is first by name."""
    kind = KIND[place % 4]
    swapped = (pairs[:, 0] > pairs[:, 1]) & (kind < 2)
    return np.where(swapped, 1 - kind, kind)


@dataclass(frozen=True, slots=True, eq=False)
class PartClusters:
    """The two parts' votes of each cluster.

    Attributes:
        column: what makes a cluster.
        kept, rest: sparse [G, 3R], weights of the votes of each of G clusters; column k R + r
            is kind k of row r of the `Parts` without strata.
    """

    column: str
    kept: csr_array
    rest: csr_array


def count_part_clusters(battles: Battles, parts: Parts, column: str, common: int) -> PartClusters:
    """Count both parts by cluster; a vote without a value is a cluster of its own."""
    groups = group_votes(battles, {"cluster": cluster_key(battles, column)})
    votes = _in_parts(accepted_groups(groups, battles, filtered=True), common)
    at = places(votes)
    pairs = at.pairs[at.place // 4]
    ends = np.sort(pairs, axis=1)
    m = len(at.models)
    row = np.searchsorted(parts.left * m + parts.right, ends[:, 0] * m + ends[:, 1])
    kind = _kinds(at.place, pairs) * parts.left.size + row
    there = votes["cluster"].is_not_null().to_numpy()
    known = votes["cluster"].rank("dense").fill_null(0).to_numpy().astype(np.int64) - 1
    number = votes["votes" if "votes" in votes.columns else "n"].to_numpy()
    repeats = np.where(there, 1, np.maximum(np.round(number).astype(np.int64), 1))
    index = np.repeat(np.arange(len(votes)), repeats)
    n_known = int(known.max(initial=-1)) + 1
    alone = ~there[index]
    cluster = known[index]
    cluster[alone] = n_known + np.arange(int(alone.sum()))
    each = (votes["n"].to_numpy() / repeats)[index]
    part = votes["part"].to_numpy()[index]
    shape = (n_known + int(alone.sum()), 3 * parts.left.size)

    def table(which: int) -> csr_array:
        inside = part == which
        where = (cluster[inside], kind[index][inside])
        return csr_array((each[inside], where), shape=shape)

    return PartClusters(column, table(KEPT), table(REST))
