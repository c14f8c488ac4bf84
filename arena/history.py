"""Ratings over time: a board per day, week or month, all solved as one batch."""

import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.batch import Tables, block_size, solve_tables
from arena.battles import Battles
from arena.blas import one_blas_thread
from arena.bradley_terry import Fit, OnSeparation, fit_bradley_terry
from arena.clusters import ClusterCounts, count_clusters
from arena.covariance import bread_of, meat_at
from arena.display import amount
from arena.errors import ColumnError, OptionError
from arena.leaderboard import Scale, anchor_index
from arena.problem import Problem, problem
from arena.ranks import point_ranks
from arena.resample import cluster_kinds
from arena.uncertainty import Interval

Floats = NDArray[np.float64]

NAMES = {"day": "1d", "week": "1w", "month": "1mo", "quarter": "1q", "year": "1y"}
ROWS: Mapping[str, pl.DataType] = {
    "rank": pl.Int64(),
    "model": pl.String(),
    "rating": pl.Float64(),
    "rating_lower": pl.Float64(),
    "rating_upper": pl.Float64(),
    "std_error": pl.Float64(),
    "battles": pl.Float64(),
}
COLUMNS = ("start", "end", *ROWS)


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
    # Four digits of years would leave the calendar.
    if not re.fullmatch(r"[1-9]\d{0,2}(h|d|w|mo|q|y)", text):
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
        window: use the votes of this many periods of the calendar, the last included; None for
            all until then.
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
    Interval(level=level)  # refuses a level that cannot be
    if window is not None and window < 1:
        raise OptionError(f"window: {window} is not a number of periods")
    by_period = _count_periods(battles, every)
    fit = fit_bradley_terry(by_period.counts, ties=ties, on_separation=on_separation, prior=prior)
    calendar = _calendar(by_period.values, every, window)
    votes, squares = (
        _period_tables(fit, one, calendar) for one in (by_period, by_period.squared())
    )
    n = len(calendar.starts)
    block = block_size(votes.shape[1], n)
    tables = Tables(n, block, lambda i: votes[:, :, i * block : (i + 1) * block])
    draws = solve_tables(fit, tables)
    points = np.column_stack([draws.log_odds, draws.tie_parameter])
    plain, with_prior = (problem(fit.counts, fit.rule, prior) for prior in (0.0, fit.prior))

    def board(i: int) -> pl.DataFrame:
        frame = _board(
            fit,
            replace(plain, outcomes=votes[:, :, i]),
            replace(plain, outcomes=squares[:, :, i]),
            with_prior,
            points[i],
            draws.shift[i],
            scale,
            level,
        )
        return frame.with_columns(
            start=pl.lit(calendar.starts[i]), end=pl.lit(by_period.values[i]).dt.offset_by(every)
        )

    with one_blas_thread(), ThreadPoolExecutor(os.cpu_count()) as pool:
        boards = list(pool.map(board, range(n)))
    return History(pl.concat(boards).select(COLUMNS), every, window, fit)


@dataclass(frozen=True, slots=True, eq=False)
class _Calendar:
    """Which periods' votes are behind the board of each period that has votes.

    Attributes:
        first: int [T], index of the first of them, among the periods that have votes.
        starts: when its window begins, votes or not.
    """

    first: NDArray[np.int64]
    starts: pl.Series


def _calendar(values: pl.Series, every: str, window: int | None) -> _Calendar:
    """Windows are of the calendar: a month without votes is a month."""
    n = len(values)
    if window is None:
        return _Calendar(np.zeros(n, dtype=np.int64), values.head(1).new_from_index(0, n))
    months = pl.datetime_range(values[0], values[-1], every, time_zone="UTC", eager=True)
    place = np.searchsorted(months.to_numpy(), values.to_numpy())
    begin = np.maximum(place - window + 1, 0)
    first = np.searchsorted(place, begin)
    return _Calendar(first, months.gather(begin).dt.cast_time_unit("us"))


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


def _period_tables(fit: Fit, by_period: ClusterCounts, calendar: _Calendar) -> Floats:
    """Tables [3, C, T] of the votes behind each period's board."""
    kinds = cluster_kinds(fit, by_period).toarray().T
    until = np.cumsum(kinds, axis=1)
    before = np.column_stack([np.zeros(len(until)), until])[:, calendar.first]
    left: Floats = until - before
    # Sums of weights that leave a window leave dust, which would look like votes.
    left[left < 1e-9 * until] = 0.0
    return left.reshape(3, -1, by_period.n_clusters)


def _board(
    fit: Fit,
    votes: Problem,
    squares: Problem,
    with_prior: Problem,
    point: Floats,
    shift: float,
    scale: Scale,
    level: float,
) -> pl.DataFrame:
    """One period's rows, without its dates.

    `votes` and `squares` hold the period's weights and squared weights; of `with_prior`, what
    all votes together were fitted with, only the prior is used.
    """
    m, (sums, squared) = len(fit.models), (votes.outcomes, squares.outcomes)
    effective = np.divide(sums**2, squared, out=np.zeros_like(sums), where=squared > 0)
    met = replace(votes, outcomes=effective).battles()[:m]
    kept = np.flatnonzero(np.isfinite(point[:m]) & (met > 0))
    at = None if scale.anchor is None else anchor_index(fit, scale.anchor[0])
    if kept.size < 2 or (at is not None and at not in kept):
        return pl.DataFrame(schema=ROWS)
    there = np.append(kept, m) if fit.rule.parameter is not None else kept
    own = point[there].copy()
    own[: kept.size] -= shift  # as the prior's opponent, if there is one, sees them
    prior = with_prior.outcomes[:, sums.shape[1] :]
    task = replace(with_prior, outcomes=np.hstack([sums, prior])).restricted(kept)
    bread = bread_of(task, task.hessian(own))
    meat = meat_at(squares.restricted(kept), own)
    covariance = (bread @ meat @ bread.T)[: kept.size, : kept.size]
    ratings = scale.init + scale.per_log_odds * point[kept]
    if scale.anchor is not None and at is not None:
        ratings += scale.anchor[1] - ratings[np.searchsorted(kept, at)]
    error = np.sqrt(np.maximum(np.diag(covariance), 0.0)) * scale.per_log_odds
    half = NormalDist().inv_cdf(0.5 + level / 2) * error
    rows = {
        "rank": point_ranks(point[kept]),
        "model": [fit.models[i] for i in kept],
        "rating": ratings,
        "rating_lower": ratings - half,
        "rating_upper": ratings + half,
        "std_error": error,
        "battles": met[kept],
    }
    return pl.DataFrame(rows, schema=ROWS).sort("rank", "model")
