"""How much of a board hangs on single judges: each left out in turn, and all rated again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.batch import Tables, solve_tables
from arena.bradley_terry import Fit
from arena.clusters import ClusterCounts
from arena.leaderboard import Scale, anchor_index
from arena.resample import without_each_cluster

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SLICE_ELEMENTS = 1 << 22
"""Clusters times models solved for at once: 32 MB per array."""

COLUMNS: Mapping[str, pl.DataType] = {
    "votes": pl.Float64(),
    "largest_change": pl.Float64(),
    "model": pl.String(),
    "change": pl.Float64(),
    "rank_changes": pl.Int64(),
    "first_changes": pl.Boolean(),
    "without_estimate": pl.Int64(),
}
"""The columns of `JudgeInfluence.frame` beside `cluster`."""


@dataclass(frozen=True, slots=True, eq=False)
class JudgeInfluence:
    """What a board would be without each judge, or whatever a cluster is.

    Attributes:
        frame: one row per cluster, the most influential first: `cluster`, its value in the
            column; `votes`, of it (integers unless they have weights); `largest_change`, of any
            rating without it, in rating points, infinite if some model then has no estimate;
            `model`, whose rating that is; `change`, with its sign, the rating without the
            cluster less the one with it, null if that model is then not comparable at all;
            `rank_changes`, models whose rank is another; `first_changes`, whether the first
            place is another's, or shared otherwise; `without_estimate`, models left without one.
        column: what makes a cluster.
        n_alone: votes without a value in the column, of which there are no rows.
    """

    frame: pl.DataFrame
    column: str
    n_alone: int


def judge_influence(
    fit: Fit, clusters: ClusterCounts, scale: Scale | None = None, *, alone: bool = False
) -> JudgeInfluence:
    """Leave each cluster's votes out in turn, and see how far the ratings move.

    Ratings are compared as the scale has them: with an anchor held where it is, else with the
    mean held of the models that have an estimate both times. Where a model is left without an
    estimate, its rank is at the end of the order at which it has no bound, and last if it is
    not comparable at all, which counts as another rank.

    Args:
        fit: of all votes.
        clusters: the same votes, by judge or any other column.
        scale: the rating scale.
        alone: give a row to each vote without a value in the column, too.

    Raises:
        OptionError: an anchor that is not rated.
        ConvergenceError: as `solve_tables`.
    """
    scale = scale or Scale()
    anchor = anchor_index(fit, scale.anchor[0]) if scale.anchor else None
    tables = without_each_cluster(fit, clusters)
    n = tables.n if alone else len(clusters.values)
    parts = [
        _changes(fit, solve_tables(fit, part).log_odds, scale.per_log_odds, anchor)
        for part in _slices(tables, n, len(fit.models))
    ]
    votes = pl.Series("votes", np.asarray(clusters.table.sum(axis=1)).ravel()[:n])
    if (votes == votes.round()).all():
        votes = votes.cast(pl.Int64)
    changes = pl.concat([pl.DataFrame(schema=COLUMNS).drop("votes"), *parts])
    values = clusters.values.extend_constant(None, n - len(clusters.values)).alias("cluster")
    frame = pl.DataFrame([values, votes, *changes])
    frame = frame.sort("largest_change", descending=True, maintain_order=True)
    return JudgeInfluence(frame, clusters.column, 0 if alone else clusters.n_alone)


def _slices(tables: Tables, n: int, n_models: int) -> Iterator[Tables]:
    """The first n tables, in slices of whole blocks."""
    blocks = max(1, SLICE_ELEMENTS // (tables.block * n_models))
    for first in range(0, -(-n // tables.block), blocks):
        yield _slice(tables, first, min((first + blocks) * tables.block, n))


def _slice(tables: Tables, first: int, end: int) -> Tables:
    """The tables from a block's first to an end."""
    start = first * tables.block

    def make(number: int) -> Floats:
        made = tables.make(first + number)
        return made[:, :, : end - start - number * tables.block]

    return Tables(end - start, tables.block, make)


def _changes(fit: Fit, log_odds: Floats, points: float, anchor: int | None) -> pl.DataFrame:
    """The rows of g clusters, from the log-odds [g, m] without each."""
    lost = ~np.isfinite(log_odds)
    change = points * (log_odds - fit.log_odds)
    if anchor is not None:
        held = change[:, [anchor]]
        change = change - np.where(np.isfinite(held), held, 0.0)
    largest = np.where(lost, np.inf, np.abs(change))
    at = largest.argmax(axis=1)
    row = np.arange(len(at))
    before, after = _ranks(fit.log_odds[None, :]), _ranks(log_odds)
    incomparable = np.isnan(log_odds)
    first = (after == 1) & ~incomparable
    columns = {
        "largest_change": largest[row, at],
        "model": pl.Series(fit.models, dtype=pl.String).gather(at),
        "change": pl.Series(change[row, at]).fill_nan(None),
        "rank_changes": ((after != before) | incomparable).sum(axis=1),
        "first_changes": (first != (before == 1)).any(axis=1),
        "without_estimate": lost.sum(axis=1),
    }
    return pl.DataFrame(columns)


def _ranks(log_odds: Floats) -> Integers:
    """`point_ranks` of each row of log-odds [g, m]; nan comes last."""
    strength = -np.round(log_odds, 9)
    order = np.argsort(strength, axis=1, kind="stable")
    ordered = np.take_along_axis(strength, order, axis=1)
    place = np.broadcast_to(np.arange(ordered.shape[1]), ordered.shape).copy()
    place[:, 1:][ordered[:, 1:] == ordered[:, :-1]] = 0
    ranks = np.empty_like(place)
    np.put_along_axis(ranks, order, 1 + np.maximum.accumulate(place, axis=1), axis=1)
    return ranks
