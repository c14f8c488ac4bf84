"""Ratings over time: a board per day, week or month, all solved as one batch."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from arena.batch import Tables, block_size, solve_tables
from arena.battles import Battles
from arena.bradley_terry import Fit, OnSeparation, fit_bradley_terry, problem
from arena.clusters import ClusterCounts, count_clusters
from arena.covariance import bread_of, meat_at
from arena.display import amount
from arena.errors import ColumnError, OptionError
from arena.leaderboard import Scale, anchor_index
from arena.ranks import point_ranks
from arena.resample import cluster_kinds

Floats = NDArray[np.float64]

NAMES = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
COLUMNS = (
    "start",
    "end",
    "rank",
    "model",
    "rating",
    "rating_lower",
    "rating_upper",
    "std_error",
    "battles",
)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Boards over time.

    Attributes:
        frame: one row per period and model rated in it: `COLUMNS`. `start` and `end` (UTC,
            end excluded) bound the votes behind the row; ratings of different periods are on
            one scale, see `rate_history`.
        every: length of a period, as polars writes it.
        window: periods of votes behind each board; None for all up to then.
        fit: of all votes together.
    """

    frame: pl.DataFrame
    every: str
    window: int | None
    fit: Fit


def period(every: str) -> str:
    """A period's length as polars writes it.

    Raises:
        OptionError: if it is none.

    >>> period("month"), period("2w")
    ('1mo', '2w')
    """
    text = NAMES.get(every, every)
    if not re.fullmatch(r"[1-9]\d*(h|d|w|mo|q|y)", text):
        raise OptionError(f"every: '{every}' is no period; say day, week, month, or e.g. 2w, 3mo")
    return text


def rate_history(
    battles: Battles,
    *,
    every: str = "month",
    window: int | None = None,
    ties: str = "half",
    on_separation: OnSeparation = "drop",
    prior: float = 1.0,
    scale: Scale | None = None,
    level: float = 0.95,
) -> History:
    """A board for each period that has votes.

    Votes are counted once, by period; every board is another sum of these counts, and all go
    through the batched solver. Intervals are vote-level sandwich ones. A model is in a
    period's rows if that period's votes put it on one scale with the others. Without an
    anchor, the mean rating of a period's models is what all votes together give those models,
    so that a board does not move because weak models came or went; with an anchor, each
    period holds it where it is, and periods that do not rate it are left out.

    Args:
        battles: votes with times.
        every: ``day``, ``week``, ``month``, or a length such as ``2w``; periods start where
            the calendar's do, in UTC.
        window: use the votes of this many periods, the last included; None for all until then.
        ties: as for `fit_bradley_terry`.
        on_separation: as for `fit_bradley_terry`, for all votes together.
        prior: as for `fit_bradley_terry`.
        scale: the rating scale.
        level: coverage of the intervals.

    Raises:
        ColumnError: if the votes have no times, or some lack one.
        OptionError: a period, window or anchor that cannot be.
    """
    every, scale = period(every), scale or Scale()
    if window is not None and window < 1:
        raise OptionError(f"window: {window} is not a number of periods")
    by_period = _count_periods(battles, every)
    starts = by_period.values
    fit = fit_bradley_terry(by_period.counts, ties=ties, on_separation=on_separation, prior=prior)
    tables = _period_tables(fit, by_period, window)
    block = block_size(tables.shape[1], len(starts))
    made = Tables(len(starts), block, lambda i: tables[:, :, i * block : (i + 1) * block])
    draws = solve_tables(fit, made)
    points = np.column_stack([draws.log_odds, draws.tie_parameter])

    def board(i: int) -> pl.DataFrame:
        return _board(fit, tables[:, :, i], points[i], draws.shift[i], scale, level)

    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        boards = list(pool.map(board, range(len(starts))))
    first = [0 if window is None else max(0, i - window + 1) for i in range(len(starts))]
    rows = [
        one.with_columns(start=pl.lit(starts[first[i]]), end=pl.lit(starts[i]).dt.offset_by(every))
        for i, one in enumerate(boards)
    ]
    return History(pl.concat(rows).select(COLUMNS), every, window, fit)


def _count_periods(battles: Battles, every: str) -> ClusterCounts:
    """Votes by period; its `values` are when each period starts."""
    if "tstamp" not in battles.columns:
        message = (
            f"no column 'tstamp' to follow in time; these votes have {', '.join(battles.columns)}"
        )
        raise ColumnError(message)
    by_period = count_clusters(battles, "tstamp", pl.col("tstamp").dt.truncate(every))
    if by_period.n_alone:
        message = f"column 'tstamp': {amount(by_period.n_alone, 'vote')} without a time"
        raise ColumnError(message)
    return by_period


def _period_tables(fit: Fit, by_period: ClusterCounts, window: int | None) -> Floats:
    """Tables [3, C, T] of the votes behind each period's board."""
    kinds = cluster_kinds(fit, by_period).toarray().T
    total = np.cumsum(kinds, axis=1)
    if window is not None:
        total[:, window:] -= total[:, :-window].copy()
    return total.reshape(3, -1, by_period.n_clusters)


def _board(
    fit: Fit, table: Floats, point: Floats, shift: float, scale: Scale, level: float
) -> pl.DataFrame:
    """One period's rows, without its dates."""
    m = len(fit.models)
    kept = np.flatnonzero(np.isfinite(point[:m]))
    there = np.append(kept, m) if fit.rule.parameter is not None else kept
    votes = replace(problem(fit.counts, fit.rule), outcomes=table)
    with_prior = problem(fit.counts, fit.rule, fit.prior)
    prior = with_prior.outcomes[:, table.shape[1] :]
    task = replace(with_prior, outcomes=np.hstack([table, prior])).restricted(kept)
    votes = votes.restricted(kept)
    own = point[there].copy()
    own[: kept.size] -= shift  # as the prior's opponent, if there is one, sees them
    bread = bread_of(task, task.hessian(own))
    covariance = (bread @ meat_at(votes, own) @ bread.T)[: kept.size, : kept.size]
    ratings = scale.init + scale.per_log_odds * point[kept]
    error = np.sqrt(np.maximum(np.diag(covariance), 0.0)) * scale.per_log_odds
    rows = {
        "rank": point_ranks(point[kept]),
        "model": pl.Series([fit.models[i] for i in kept], dtype=pl.String),
        "rating": ratings,
        "std_error": error,
        "battles": votes.battles()[: kept.size],
    }
    frame = pl.DataFrame(rows)
    if scale.anchor is not None:
        at = anchor_index(fit, scale.anchor[0])
        if at not in kept:
            frame = frame.clear()
        else:
            shift = scale.anchor[1] - float(ratings[np.searchsorted(kept, at)])
            frame = frame.with_columns(pl.col("rating") + shift)
    half = NormalDist().inv_cdf(0.5 + level / 2) * pl.col("std_error")
    return frame.with_columns(
        rating_lower=pl.col("rating") - half, rating_upper=pl.col("rating") + half
    ).sort("rank", "model")
