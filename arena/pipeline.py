"""The whole way from a vote log to a leaderboard, in one call."""

import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import polars as pl

from arena.battles import Battles, read_battles
from arena.blas import one_blas_thread
from arena.bradley_terry import Fit, OnSeparation, fit_bradley_terry
from arena.clusters import count_clusters
from arena.control import rate_controlled
from arena.counts import PairCounts
from arena.datasets import shipped
from arena.errors import NoEstimateError, OptionError
from arena.filters import Filter, refuse_nothing_left, select
from arena.json_arrays import Progress
from arena.leaderboard import Leaderboard, Scale, build_leaderboard
from arena.tally import Tally, tally_votes
from arena.uncertainty import Interval

MANY_MODELS = 600
"""From here on linear algebra is worth more than one thread."""


def rate(
    votes: object = None,
    *,
    columns: Mapping[str, str] | None = None,
    outcomes: Mapping[str, str] | None = None,
    strict: bool = False,
    anonymous_only: bool = True,
    filters: Sequence[Filter] = (),
    ties: str = "half",
    on_separation: OnSeparation = "drop",
    prior: float = 1.0,
    scale: Scale | None = None,
    interval: Interval | None = None,
    reweight: Callable[[PairCounts], PairCounts] | None = None,
    control: Sequence[str] = (),
    ridge: float = 0.0,
    missing: Literal["error", "drop"] = "error",
    progress: Progress | None = None,
    dask: str | None = None,
) -> Leaderboard:
    """A leaderboard from vote logs.

    Args:
        votes: what `read_battles` takes; None for the shipped Chatbot Arena log.
        columns: battle column → the log's own column.
        outcomes: the log's own vote → winner.
        strict: raise if any row has to be rejected.
        anonymous_only: as for `read_battles`.
        filters: which battles count, e.g. ``[multi_turn(), language("English")]``.
        ties: ``half``, ``drop``, ``rao-kupper`` or ``davidson``.
        on_separation: ``drop``, ``error`` or ``prior``, see `fit_bradley_terry`.
        prior: strength of the prior, where it is used.
        scale: the rating scale and its anchor.
        interval: method, level and reference of the intervals.
        reweight: what to do with the counts before the fit, e.g. `reweight_pairs`.
        control: covariates to hold equal, e.g. ``["style", "side"]``; see `rate_controlled`.
        ridge: penalty on their coefficients.
        missing: what to do with votes that lack a covariate: ``error`` or ``drop``.
        progress: called while a long JSON array is read.
        dask: count each file on this Dask cluster, see `tally_on_dask`: votes are then a path
            or a list of paths, and what is needed beside counts (filters, covariates, clusters
            of votes) is refused.

    Raises:
        UserError: in one of its kinds, naming what is wrong with the input or an option.

    >>> board = rate(scale=Scale(anchor=("mixtral-8x7b-instruct-v0.1", 1114)))
    >>> board.frame.select("rank", "model", "rating").row(0)
    (1, 'chatgpt-4o-latest', 1315.156...)
    """
    source = shipped() if votes is None else votes
    log = read_battles(
        source,
        columns=columns,
        outcomes=outcomes,
        keep=control,
        anonymous_only=anonymous_only,
        progress=progress,
    )
    battles = select(log, *filters).kept
    if dask is None:
        tally = tally_votes(battles)
    else:
        _refuse_beside_dask(filters, control, interval)
        tally = _tally_on_dask(source, dask, columns, outcomes, anonymous_only)
    if strict:
        tally.refuse_rejected()
    refuse_nothing_left(battles, tally)
    with one_blas_thread() if tally.counts.n_models < MANY_MODELS else nullcontext():
        if control:
            if ties != "half" or on_separation != "drop" or reweight is not None:
                raise OptionError("control: goes with --ties half, without a prior or reweighting")
            board = rate_controlled(
                battles, control, ridge=ridge, missing=missing, scale=scale, interval=interval
            ).board
        else:
            board = _rate_plain(
                battles, tally, scale, interval, reweight, ties, on_separation, prior
            )
    options = {
        "columns": dict(columns or {}),
        "outcomes": dict(outcomes or {}),
        "strict": strict,
        "anonymous_only": anonymous_only,
        "reweight": getattr(reweight, "__name__", None if reweight is None else repr(reweight)),
        "control": list(control),
        "ridge": ridge,
        "missing": missing,
    }
    return board.with_manifest(manifest(tally, board, options))


def _refuse_beside_dask(
    filters: Sequence[Filter], control: Sequence[str], interval: Interval | None
) -> None:
    """Refuse what counts alone do not tell."""
    asked = {
        "filters": bool(filters),
        "control": bool(control),
        "ci by a column": interval is not None and interval.column is not None,
    }
    for what in (what for what, given in asked.items() if given):
        raise OptionError(f"dask: only counts come back, which do for no {what}; leave one out")


def _tally_on_dask(
    votes: object,
    address: str,
    columns: Mapping[str, str] | None,
    outcomes: Mapping[str, str] | None,
    anonymous_only: bool,
) -> Tally:
    from arena.distributed import tally_on_dask

    given = votes if isinstance(votes, (list, tuple)) else [votes]
    if not all(isinstance(one, (str, Path)) for one in given):
        raise OptionError("dask: workers read files, so votes have to be paths, not frames")
    return tally_on_dask(
        [str(one) for one in given],
        address,
        columns=columns,
        outcomes=outcomes,
        anonymous_only=anonymous_only,
    )


def _rate_plain(
    battles: Battles,
    tally: Tally,
    scale: Scale | None,
    interval: Interval | None,
    reweight: Callable[[PairCounts], PairCounts] | None,
    ties: str,
    on_separation: OnSeparation,
    prior: float,
) -> Leaderboard:
    """The board from counts alone."""
    counts = tally.counts if reweight is None else reweight(tally.counts)
    column = interval.column if interval else None
    clusters = None if column is None else count_clusters(battles, column)
    if clusters is not None and reweight is not None:
        clusters = clusters.reweighted(reweight)
    fit = fit_bradley_terry(counts, ties=ties, on_separation=on_separation, prior=prior)
    return build_leaderboard(fit, scale, interval, clusters)


def manifest(
    tally: Tally, board: Leaderboard, reading_options: Mapping[str, Any]
) -> dict[str, Any]:
    """All that is needed to make a board again, as plain values."""
    fit, scale, interval = board.fit, board.scale, board.interval
    return {
        "inputs": [
            {
                **reading.described(),
                "kind": reading.source.kind,
                "rows": reading.rows,
                "accepted": reading.accepted,
                "set_aside": dict(reading.set_aside),
                "rejected": dict(reading.rejected),
            }
            for reading in tally.readings
        ],
        "reading": dict(reading_options),
        "filters": tally.funnel.to_dicts(),
        "counts_sha256": tally.counts.sha256(),
        "fit": _fit_manifest(fit),
        "scale": {
            "points": scale.points,
            "base": scale.base,
            "init": scale.init,
            "anchor": dict([scale.anchor]) if scale.anchor else None,
        },
        "interval": {
            "method": interval.method,
            "column": interval.column,
            "level": interval.level,
            "of": interval.of,
            "rounds": interval.rounds,
            "seed": interval.seed,
        },
        "versions": _versions(),
    }


@cache
def _versions() -> dict[str, str]:
    """Of Python and of what computes."""
    names = ("arena-ratings", "numpy", "polars", "scipy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def _fit_manifest(fit: Fit) -> dict[str, Any]:
    return {
        "estimator": "bradley-terry",
        "ties": fit.rule.name,
        "tie_parameter": fit.tie_parameter,
        "prior": fit.prior,
        "weighted": fit.counts.is_weighted,
        "battles": fit.counts.n_battles,
        "models": len(fit.models),
        "left_out": {one.model: one.reason for one in fit.left_out},
        "log_likelihood": fit.log_likelihood,
        "iterations": fit.iterations,
    }


def beside_bradley_terry(spread: pl.DataFrame, counts: PairCounts, scale: Scale) -> pl.DataFrame:
    """Add the Bradley-Terry rating, its rank and Elo's to a table of Elo's order spread.

    Both are centred on the same mean over the models that have both; the difference is what
    the order of the battles, and a K that forgets, make of the same votes. Where Bradley-Terry
    has no estimate, it is null.
    """
    try:
        fit = fit_bradley_terry(counts)
        rated, values = list(fit.models), scale.ratings(fit).tolist()
    except NoEstimateError:
        rated, values = [], []
    kinds = {"model": pl.String, "bradley_terry": pl.Float64}
    ratings = pl.DataFrame({"model": rated, "bradley_terry": values}, schema=kinds)
    table = spread.join(ratings, on="model", how="left")
    both = pl.col("bradley_terry").is_not_null()
    shift = pl.col("elo").filter(both).mean() - pl.col("bradley_terry").mean()
    return table.select(
        pl.col("elo").rank("min", descending=True).cast(pl.Int64).alias("rank"),
        pl.exclude("bradley_terry"),
        bradley_terry=pl.col("bradley_terry") + shift,
        bradley_terry_rank=pl.col("bradley_terry").rank("min", descending=True).cast(pl.Int64),
    ).sort("rank", "model")
