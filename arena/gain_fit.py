"""One fit with gains on seen prompts, and the board that is left without them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.battles import Battles
from arena.bradley_terry import fit_bradley_terry
from arena.design import Design, build_design
from arena.leaderboard import Leaderboard, Scale, build_leaderboard
from arena.negative_control import Missing, kind_of
from arena.regression import (
    RegressionFit,
    coefficient_table,
    fit_regression,
    rank_changes,
    regression_covariance,
)
from arena.uncertainty import Interval, from_covariance
from arena.uplift_design import gain_columns, kind_columns

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class GainFit:
    """A fit with gains.

    Attributes:
        names: of the gains; they are the first covariates of the design.
        design: the battles.
        fit: strengths where nobody had seen the prompt, and coefficients.
        covariance: float [m + k, m + k], of both, by cluster where there are any.
    """

    names: tuple[str, ...]
    design: Design
    fit: RegressionFit
    covariance: Floats

    def gain(self, number: int) -> tuple[float, float]:
        """One of the gains and its standard error, in log-odds."""
        at = len(self.fit.models) + number
        return float(self.fit.coefficients[number]), float(np.sqrt(self.covariance[at, at]))

    def clusters(self, gains: slice = slice(None)) -> tuple[int, float] | None:
        """Clusters of the battles in which some of the gains play a part; None without clusters.

        Their number, and how many of equal size would say as much: the squared sum of their
        sizes over the sum of squares, after Carter, Schnepel and Steigerwald, Asymptotic
        behavior of a t-test robust to cluster heterogeneity, Review of Economics and
        Statistics 99 (2017).
        """
        if self.design.clusters is None:
            return None
        tells = self.design.covariates[:, : len(self.names)][:, gains].any(axis=1)
        weights = self.design.weights()
        size = np.bincount(
            self.design.clusters[tells], None if weights is None else weights[tells]
        ).astype(np.float64)
        return int(np.count_nonzero(size)), float(size.sum() ** 2 / (size**2).sum())


def fit_gains(
    battles: Battles,
    sharing: Mapping[str, Sequence[str]],
    answers: Sequence[str],
    kinds: Sequence[str],
    *,
    cluster: str | None,
    missing: Missing,
) -> GainFit:
    """Fit strengths and gains together.

    Args:
        battles: those whose exposure is known.
        sharing: name of a gain → models that share it.
        answers: covariates that differ between the two answers.
        kinds: covariates that both sides share, see `kind_columns`.
        cluster: what votes depend on each other within.
        missing: as for `build_design`.
    """
    gains = gain_columns(battles, sharing)
    # One gain for all has one advantage for all beside it, and needs no name before it.
    groups = sharing if len(sharing) > 1 else {"": next(iter(sharing.values()))}
    columns = gains | kind_columns(battles, groups, kinds)
    named = [column.alias(name) for name, column in columns.items()]
    wanted: list[str | pl.Expr] = [*named[: len(gains)], *answers, *named[len(gains) :]]
    design = build_design(battles, wanted, cluster=cluster, missing=missing)
    fit = fit_regression(design)
    covariance = regression_covariance(fit, design, kind_of(design))
    return GainFit(tuple(sharing), design, fit, covariance)


def strengths_with_gain(told: GainFit) -> Mapping[str, float]:
    """Log-odds of a fit of the same votes without gains, all else alike."""
    n = len(told.names)
    others = np.asfortranarray(told.design.covariates[:, n:])
    if others.shape[1]:
        rest = replace(told.design, covariates=others, names=told.design.names[n:])
        fit = fit_regression(rest)
        return dict(zip(fit.models, fit.log_odds.tolist(), strict=True))
    plain = fit_bradley_terry(told.design.counts)
    return dict(zip(plain.models, plain.log_odds.tolist(), strict=True))


def board_without_gain(
    told: GainFit, base: Mapping[str, float], scale: Scale, interval: Interval
) -> tuple[Leaderboard, pl.DataFrame]:
    """The board of prompts not seen, and what taking the gain out changes.

    Args:
        told: the fit.
        base: log-odds with the gain, see `strengths_with_gain`.
        scale: the rating scale.
        interval: by cluster or by vote, as in the fit.
    """
    fit, m = told.fit, len(told.fit.models)
    plain = fit_bradley_terry(told.design.counts)
    shown = replace(plain, log_odds=fit.log_odds, log_likelihood=fit.log_likelihood)
    known = from_covariance(fit.log_odds, told.covariance[:m, :m], interval)
    board = build_leaderboard(shown, scale, interval, known=known)
    with_gain = np.array([base[model] for model in fit.models])
    with_gain -= with_gain.mean()
    changes = rank_changes(
        with_gain, fit.log_odds, fit.models, per_log_odds=scale.per_log_odds, init=scale.init
    )
    if scale.anchor:
        # Both boards hold the anchor where it is.
        at = changes.filter(pl.col("model") == scale.anchor[0])
        changes = changes.with_columns(
            pl.col(name) + (scale.anchor[1] - at[name].item())
            for name in ("rating_plain", "rating_controlled")
        )
    moved = changes.filter(pl.col("change") != 0).select(
        "model", said=pl.format("rank {} with the gain", "rank_plain")
    )
    frame = board.frame.join(moved, on="model", how="left", maintain_order="left").with_columns(
        note=pl.concat_str("said", "note", separator="; ", ignore_nulls=True).replace("", None)
    )
    coefficients = coefficient_table(
        fit, told.covariance, level=interval.level, per_log_odds=scale.per_log_odds
    )
    return replace(board, frame=frame.drop("said"), coefficients=coefficients), changes
