"""Intervals: how they are made, and what is known of each strength.

Whatever the method, the result has one shape: bounds and errors per model, a covariance, and
draws of the estimate, from which rank sets and probabilities follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arena.batch import Draws, solve_tables
from arena.bradley_terry import Fit
from arena.clusters import ClusterCounts
from arena.counts import sum_rows
from arena.covariance import Kind, estimate_covariance, meat_of
from arena.errors import NoEstimateError, OptionError
from arena.ranks import normal_deviations
from arena.resample import (
    bayesian_clusters,
    bayesian_votes,
    bootstrap_clusters,
    bootstrap_votes,
    without_each_cluster,
)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Method = Literal["sandwich", "fisher", "cluster", "bootstrap", "bayesian", "jackknife", "none"]
Of = Literal["centred", "anchor"]
METHODS = ("sandwich", "fisher", "cluster", "bootstrap", "bayesian", "jackknife", "none")
NEEDS_COLUMN, TAKES_COLUMN = ("cluster", "jackknife"), ("bootstrap", "bayesian")


@dataclass(frozen=True, slots=True)
class Interval:
    """How intervals are made.

    Attributes:
        method: ``sandwich`` (vote-level), ``fisher``, ``cluster`` (sandwich over clusters),
            ``bootstrap`` and ``bayesian`` (percentiles of resampled votes, or of resampled
            clusters if there is a column), ``jackknife`` (leaving out one cluster at a time),
            ``none``.
        column: what makes a cluster; see `count_clusters`.
        level: coverage of each interval, and of all rank sets at once.
        of: the mean-centred rating, or its difference from the ``anchor``.
        rounds: resamples, where there are any.
        seed: of everything drawn.
    """

    method: Method = "sandwich"
    column: str | None = None
    level: float = 0.95
    of: Of = "centred"
    rounds: int = 1_000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise OptionError(f"ci: '{self.method}' is not one of {', '.join(METHODS)}")
        if self.column is None and self.method in NEEDS_COLUMN:
            raise OptionError(f"ci: '{self.method}' needs a column, e.g. {self.method}:judge")
        if self.column is not None and self.method not in NEEDS_COLUMN + TAKES_COLUMN:
            raise OptionError(f"ci: '{self.method}' takes no column")
        if not 0.0 < self.level < 1.0:
            raise OptionError(f"level: {self.level} is not between 0 and 1, e.g. 0.95")
        if self.of not in ("centred", "anchor"):
            raise OptionError(f"interval-of: '{self.of}' is not one of centred, anchor")
        if self.seed < 0:
            raise OptionError(f"seed: {self.seed} is not a number of at least 0")
        if self.rounds < 2:
            raise OptionError(f"rounds: {self.rounds} is not a number of at least 2")

    @property
    def name(self) -> str:
        """The method and its column, as they are typed: ``cluster:judge``."""
        return self.method if self.column is None else f"{self.method}:{self.column}"


def parse_method(text: str) -> tuple[Method, str | None]:
    """Split ``cluster:judge`` into method and column.

    >>> parse_method("bootstrap:day"), parse_method("fisher")
    (('bootstrap', 'day'), ('fisher', None))
    """
    method, _, column = text.partition(":")
    return method, column or None  # type: ignore[return-value]  # Interval checks it


@dataclass(frozen=True, slots=True, eq=False)
class Uncertainty:
    """What is known of each strength, in log-odds.

    Attributes:
        lower, upper: float [m], bounds at the interval's level; nan where there is none.
        std_error: float [m]; nan where there is none.
        covariance: float [m, m], of the centred log-odds.
        deviations: float [B, m], draws of estimate minus truth; infinite or nan as in `Draws`.
        known: bool [m], whether the votes on a model say how uncertain its strength is.
        notes: m texts, empty where there is nothing to say.
    """

    lower: Floats
    upper: Floats
    std_error: Floats
    covariance: Floats
    deviations: Floats
    known: Flags
    notes: tuple[str, ...]


def estimate_uncertainty(
    fit: Fit,
    interval: Interval,
    clusters: ClusterCounts | None = None,
    anchor: int | None = None,
) -> Uncertainty:
    """Errors and bounds of a fit's log-odds.

    Args:
        fit: the fit.
        interval: how; its method is not ``none``.
        clusters: the votes by `interval.column`, where there is one.
        anchor: with ``of="anchor"``, the index of the model that differences are taken from.
    """
    if interval.column is not None and clusters is None:
        raise OptionError(f"ci: '{interval.name}' needs clusters, see count_clusters")
    if clusters is not None and clusters.n_clusters < 2:
        message = (
            f"ci: '{interval.name}' needs two clusters or more; there is {clusters.n_clusters}"
        )
        raise NoEstimateError(message)
    reference = anchor if interval.of == "anchor" else None
    why = _unanswerable(fit, interval, clusters)
    if interval.method in ("bootstrap", "bayesian"):
        draws = _resampled(fit, interval, clusters)
        return _from_draws(fit, draws, interval, reference, why)
    if interval.method == "jackknife" and clusters is not None:
        draws = solve_tables(fit, without_each_cluster(fit, clusters))
        moved = np.where(np.isfinite(draws.log_odds), draws.log_odds - fit.log_odds, 0.0)
        moved -= moved.mean(axis=0)
        covariance = moved.T @ moved * (clusters.n_clusters - 1) / clusters.n_clusters
    else:
        kind: Kind = interval.method  # type: ignore[assignment]  # the others are above
        covariance = estimate_covariance(fit, kind, clusters)[: len(fit.models), : len(fit.models)]
    return from_covariance(fit.log_odds, covariance, interval, reference, why)


def _unanswerable(fit: Fit, interval: Interval, clusters: ClusterCounts | None) -> list[str]:
    """For each model why its votes cannot say how uncertain it is, or nothing if they can."""
    why = [""] * len(fit.models)
    if clusters is not None or interval.method == "sandwich":
        silent = "its votes show no spread: no interval"
        why = ["" if spread else silent for spread in with_spread(fit)]
    if clusters is not None:
        number, alone = clusters.of_model(), f"rests on a single {clusters.column}: no interval"
        why = [
            alone if number[model] < 2 else text
            for model, text in zip(fit.models, why, strict=True)
        ]
    return why


def with_spread(fit: Fit) -> Flags:
    """Models [m] whose votes did not all come out exactly as predicted, e.g. as a single tie.

    The sandwich estimates a vote's variance from such departures. With none, it would call a
    model known as well as its opponent on the strength of one vote.
    """
    m = len(fit.models)
    left, right = (sum_rows(side, fit.counts.votes, m) for side in fit.counts.pairs.T)
    met = (left + right).sum(axis=1)
    spread: Flags = meat_of(fit).diagonal()[:m] > 1e-12 * np.maximum(met, 1.0)
    return spread


def _resampled(fit: Fit, interval: Interval, clusters: ClusterCounts | None) -> Draws:
    rounds, seed = interval.rounds, interval.seed
    if clusters is None:
        of_votes = bootstrap_votes if interval.method == "bootstrap" else bayesian_votes
        return solve_tables(fit, of_votes(fit, rounds, seed))
    of_clusters = bootstrap_clusters if interval.method == "bootstrap" else bayesian_clusters
    return solve_tables(fit, of_clusters(fit, clusters, rounds, seed))


def from_covariance(
    log_odds: Floats,
    covariance: Floats,
    interval: Interval,
    reference: int | None = None,
    why: Sequence[str] | None = None,
) -> Uncertainty:
    """Normal intervals from a covariance.

    Args:
        log_odds: float [m].
        covariance: float [m, m], of the centred log-odds.
        interval: level, reference and seed.
        reference: the index of the model that differences are taken from; None for the mean.
        why: for each model why it has no interval, or nothing if it has one.
    """
    notes = tuple(why) if why is not None else ("",) * log_odds.size
    known = np.array([not text for text in notes])
    variance = np.diag(covariance)
    if reference is not None:
        variance = variance + variance[reference] - 2.0 * covariance[:, reference]
    shown = _shown(known, reference)
    error = np.where(shown, np.sqrt(np.maximum(variance, 0.0)), np.nan)
    half = NormalDist().inv_cdf(0.5 + interval.level / 2) * error
    draws = normal_deviations(covariance, interval.seed)
    return Uncertainty(log_odds - half, log_odds + half, error, covariance, draws, known, notes)


def _from_draws(
    fit: Fit, draws: Draws, interval: Interval, reference: int | None, why: list[str]
) -> Uncertainty:
    """Percentile intervals; an infinite draw is one, and lies where it lies."""
    log_odds = draws.log_odds
    tail = (1.0 - interval.level) / 2.0
    with np.errstate(invalid="ignore"):
        deviations = log_odds - fit.log_odds
        shown = log_odds
        if reference is not None:
            shown = log_odds - log_odds[:, [reference]] + fit.log_odds[reference]
    lower, upper = (_quantiles(shown, q) for q in (tail, 1.0 - tail))
    finite = np.where(np.isfinite(shown), shown, np.nan)
    error = _std(finite)
    notes = ["; ".join(filter(None, both)) for both in zip(why, _unbounded(log_odds), strict=True)]
    known = np.array([not text for text in why])
    there = _shown(known, reference)
    lower, upper, error = (
        np.where(there & np.isfinite(one), one, np.nan) for one in (lower, upper, error)
    )
    covariance = _covariance(deviations)
    return Uncertainty(lower, upper, error, covariance, deviations, known, tuple(notes))


def _shown(known: Flags, reference: int | None) -> Flags:
    """Models with an interval to show: not the reference, and none if that is unknown itself."""
    if reference is None:
        return known
    others: Flags = np.arange(known.size) != reference
    return known & others if known[reference] else np.zeros_like(known)


def _quantiles(draws: Floats, q: float) -> Floats:
    """Order statistics [m], so that infinities stay what they are; nan draws are left out."""
    ordered = np.sort(draws, axis=0)  # nan comes last
    n = np.sum(~np.isnan(draws), axis=0)
    place = np.clip(np.ceil(q * n).astype(np.int64) - 1, 0, np.maximum(n - 1, 0))
    chosen: Floats = ordered[place, np.arange(draws.shape[1])]
    return chosen


def _std(finite: Floats) -> Floats:
    n = np.sum(~np.isnan(finite), axis=0)
    mean = np.nansum(finite, axis=0) / np.maximum(n, 1)
    squares = np.nansum((finite - mean) ** 2, axis=0)
    error: Floats = np.where(n > 1, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)
    return error


def _covariance(deviations: Floats) -> Floats:
    """Covariance [m, m] of the finite draws, pair by pair where some are not finite."""
    finite = np.isfinite(deviations)
    n = np.maximum(finite.sum(axis=0), 1)
    centred = np.where(finite, deviations, 0.0)
    centred = np.where(finite, centred - centred.sum(axis=0) / n, 0.0)
    both = finite.astype(np.float64).T @ finite.astype(np.float64)
    covariance: Floats = np.divide(centred.T @ centred, np.maximum(both - 1.0, 1.0))
    return covariance


def _unbounded(log_odds: Floats) -> list[str]:
    """For each model, how often a resample left it without a bound."""
    n = len(log_odds)
    kinds = {
        "unbounded above": np.isposinf(log_odds),
        "unbounded below": np.isneginf(log_odds),
        "incomparable": np.isnan(log_odds),
    }
    shares = {text: there.mean(axis=0) for text, there in kinds.items()}
    notes = []
    for i, share in enumerate(sum(shares.values())):
        parts = ", ".join(f"{text} {of[i]:.1%}" for text, of in shares.items() if of[i])
        notes.append(
            f"no finite rating in {share:.1%} of {n:,} resamples: {parts}" if share else ""
        )
    return notes
