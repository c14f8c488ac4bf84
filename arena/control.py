"""A board with covariates held equal: style control and its like, beside the plain board."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from arena.battles import Battles
from arena.bradley_terry import fit_bradley_terry
from arena.design import build_design
from arena.errors import OptionError
from arena.leaderboard import Leaderboard, Scale, anchor_index, build_leaderboard
from arena.regression import (
    coefficient_table,
    fit_regression,
    rank_changes,
    regression_covariance,
)
from arena.uncertainty import Interval, Uncertainty, from_covariance

METHODS = ("sandwich", "fisher", "cluster", "none")


@dataclass(frozen=True, slots=True, eq=False)
class Controlled:
    """A board at equal covariates, and what holding them equal changes.

    Attributes:
        board: ratings of battles whose covariates are all zero: for style, of answers alike;
            its `coefficients` are set.
        changes: see `rank_changes`: rank and rating without and with the covariates.
    """

    board: Leaderboard
    changes: pl.DataFrame


def rate_controlled(
    battles: Battles,
    covariates: Sequence[str],
    *,
    ridge: float = 0.0,
    ridge_ratings: float = 0.0,
    missing: Literal["error", "drop"] = "error",
    scale: Scale | None = None,
    interval: Interval | None = None,
) -> Controlled:
    """Rate models with covariates held equal; a tie is half a win.

    Args:
        battles: the votes, one per row.
        covariates: see `build_design`, e.g. ``["style", "side"]``.
        ridge: penalty on the coefficients, see `fit_regression`.
        ridge_ratings: penalty on the log-odds.
        missing: what to do with votes that lack a covariate: ``error`` or ``drop``.
        scale: the rating scale.
        interval: ``sandwich``, ``fisher``, ``cluster`` or ``none``.

    Raises:
        OptionError: another interval method, or an option that cannot be.
        ColumnError, NoEstimateError: as `build_design` and `fit_regression`.
    """
    scale, interval = scale or Scale(), interval or Interval()
    if interval.method not in METHODS:
        raise OptionError(f"ci: with covariates, one of {', '.join(METHODS)}; not {interval.name}")
    design = build_design(battles, covariates, cluster=interval.column, missing=missing)
    plain = fit_bradley_terry(design.counts)
    fit = fit_regression(design, ridge=ridge, ridge_ratings=ridge_ratings)
    known: Uncertainty | None = None
    coefficients = pl.DataFrame({"covariate": fit.names, "coefficient": fit.coefficients})
    if interval.method in ("sandwich", "fisher", "cluster"):
        covariance = regression_covariance(fit, design, interval.method)
        coefficients = coefficient_table(
            fit, covariance, level=interval.level, per_log_odds=scale.per_log_odds
        )
        m = len(fit.models)
        anchor = anchor_index(plain, scale.anchor[0]) if scale.anchor else None
        reference = anchor if interval.of == "anchor" else None
        known = from_covariance(fit.log_odds, covariance[:m, :m], interval, reference)
    shown = replace(plain, log_odds=fit.log_odds, log_likelihood=fit.log_likelihood)
    board = build_leaderboard(shown, scale, interval, known=known)
    changes = rank_changes(
        plain.log_odds,
        fit.log_odds,
        fit.models,
        per_log_odds=scale.per_log_odds,
        init=scale.init,
    )
    board = replace(_with_plain_ranks(board, changes), coefficients=coefficients)
    return Controlled(board, changes)


def _with_plain_ranks(board: Leaderboard, changes: pl.DataFrame) -> Leaderboard:
    """The board with each changed rank in its note."""
    moved = changes.filter(pl.col("change") != 0).select(
        "model", said=pl.format("rank {} without covariates", "rank_plain")
    )
    frame = board.frame.join(moved, on="model", how="left", maintain_order="left").with_columns(
        note=pl.concat_str("said", "note", separator="; ", ignore_nulls=True).replace("", None)
    )
    return replace(board, frame=frame.drop("said"))


def covariate_names(text: Sequence[str]) -> list[str]:
    """The covariates named in ``style,side`` or in several such texts.

    >>> covariate_names(["style,side", "price"])
    ['style', 'side', 'price']
    """
    names = [name.strip() for one in text for name in one.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise OptionError(f"control: '{','.join(text)}' names a covariate twice, or an empty one")
    return names
