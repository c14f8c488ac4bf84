"""From strengths to a leaderboard: the Elo scale, the anchor, intervals, ranks, notes."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.bradley_terry import Fit
from arena.clusters import ClusterCounts
from arena.counts import PairCounts, sum_rows
from arena.display import amount
from arena.errors import OptionError
from arena.ranks import point_ranks, rank_sets, upper_bound_ranks
from arena.showing import shown_html, shown_text
from arena.uncertainty import Interval, Uncertainty, estimate_uncertainty

Floats = NDArray[np.float64]

COLUMNS: Mapping[str, pl.DataType] = {
    "rank": pl.Int64(),
    "model": pl.String(),
    "rating": pl.Float64(),
    "rating_lower": pl.Float64(),
    "rating_upper": pl.Float64(),
    "std_error": pl.Float64(),
    "rank_best": pl.Int64(),
    "rank_worst": pl.Int64(),
    "rank_ub": pl.Int64(),
    "battles": pl.Float64(),
    "wins": pl.Float64(),
    "losses": pl.Float64(),
    "ties": pl.Float64(),
    "note": pl.String(),
}
"""The columns of a leaderboard, in their order."""

VOTES = ("battles", "wins", "losses", "ties")

FEW_BATTLES = 100
"""Below this a model's note says how many battles it has."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How log-odds become ratings: init + points / ln(base) · log-odds, then one shift.

    Attributes:
        points: rating points for odds of `base` to 1.
        base: see above.
        init: mean rating, where there is no anchor.
        anchor: a model and the rating it is held at.
    """

    points: float = 400.0
    base: float = 10.0
    init: float = 1000.0
    anchor: tuple[str, float] | None = None

    def __post_init__(self) -> None:
        if not (np.isfinite(self.points) and self.points > 0):
            raise OptionError(f"scale: {self.points} is not a positive number")
        if not (np.isfinite(self.base) and self.base > 1):
            raise OptionError(f"base: {self.base} is not a number above 1")
        if not all(map(np.isfinite, (self.init, self.anchor[1] if self.anchor else 0.0))):
            raise OptionError("init and anchor must be finite numbers")

    @property
    def per_log_odds(self) -> float:
        """Rating points per unit of log-odds: 173.7 on the Elo scale."""
        return self.points / float(np.log(self.base))

    def ratings(self, fit: Fit) -> Floats:
        """Ratings [m] of a fit.

        Raises:
            OptionError: if the anchor is not among the models rated.
        """
        centred: Floats = self.init + self.per_log_odds * fit.log_odds
        if self.anchor is None:
            return centred
        shift = self.anchor[1] - float(centred[anchor_index(fit, self.anchor[0])])
        return centred + shift


def anchor_index(fit: Fit, model: str) -> int:
    """Where an anchor stands in the fit; see `model_index`."""
    return model_index(fit, model, "anchor")


def model_index(fit: Fit, model: str, what: str = "model") -> int:
    """Where a model stands in the fit.

    Args:
        fit: the fit.
        model: its name.
        what: as what the model was asked for, for the message.

    Raises:
        OptionError: if it is not rated, saying why, or which names are close.
    """
    if model in fit.models:
        return fit.models.index(model)
    for one in fit.left_out:
        if one.model == model:
            raise OptionError(f"{what}: '{model}' cannot be rated: {one.reason}")
    within = [name for name in fit.models if model.casefold() in name.casefold()]
    close = within[:3] or difflib.get_close_matches(model, fit.models, n=3, cutoff=0.4)
    hint = f"; did you mean {' or '.join(close)}?" if close else ""
    raise OptionError(f"{what}: no model '{model}' in these votes{hint}")


@dataclass(frozen=True, slots=True, eq=False)
class Leaderboard:
    """Ratings, and what a reader must know about them.

    Attributes:
        frame: `COLUMNS`, best first; models that cannot be rated last, without rank or rating.
            Votes are integers unless they have weights.
            Intervals and errors are in rating points. Where a model was left out of the fit,
            battles against it are not counted for the others.
        fit: the fit it shows.
        uncertainty: errors, bounds and draws in the order of `fit.models`, or None.
        scale: how log-odds became ratings.
        interval: how intervals were made.
        coefficients: of covariates held equal, see `coefficient_table`; None where there are none.
        manifest: all that is needed to make it again.
        about: one row per model, `model` and what is known of it; None where nobody asked.
    """

    frame: pl.DataFrame
    fit: Fit
    uncertainty: Uncertainty | None
    scale: Scale
    interval: Interval
    coefficients: pl.DataFrame | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    about: pl.DataFrame | None = None

    def with_manifest(self, manifest: Mapping[str, Any]) -> "Leaderboard":
        """The same board with another manifest."""
        return replace(self, manifest=manifest)

    def __str__(self) -> str:
        """The table that a terminal shows."""
        return shown_text(self)

    def _repr_html_(self) -> str:
        """The table that a notebook shows."""
        return shown_html(self)


def build_leaderboard(
    fit: Fit,
    scale: Scale | None = None,
    interval: Interval | None = None,
    clusters: ClusterCounts | None = None,
    known: Uncertainty | None = None,
) -> Leaderboard:
    """Put a fit on a scale, with intervals and ranks.

    Args:
        fit: strengths.
        scale: the rating scale.
        interval: how intervals are made.
        clusters: the votes by `interval.column`, where it has one.
        known: the uncertainty, where it has been estimated already.

    Raises:
        OptionError: an anchor that is not rated, or intervals from an anchor where none is set.
    """
    scale, interval = scale or Scale(), interval or Interval()
    if interval.of == "anchor" and scale.anchor is None:
        raise OptionError("interval-of: 'anchor' needs an anchor, e.g. --anchor MODEL=1000")
    anchor = anchor_index(fit, scale.anchor[0]) if scale.anchor else None
    ratings = scale.ratings(fit)
    columns: dict[str, Any] = {
        "rank": point_ranks(fit.log_odds),
        "model": fit.models,
        "rating": ratings,
        **_record(fit.counts),
    }
    if interval.method != "none":
        known = known or estimate_uncertainty(fit, interval, clusters, anchor)
        columns |= _interval_columns(fit, known, interval, ratings, scale.per_log_odds)
    columns["note"] = _notes(columns["battles"], anchor, known)
    rated = _frame(columns).sort("rank", "model")
    frame = pl.concat([rated, _left_out(fit)]) if fit.left_out else rated
    if all((frame[name].to_numpy() % 1.0 == 0.0).all() for name in VOTES):
        frame = frame.with_columns(pl.col(VOTES).cast(pl.Int64))  # only weights make fractions
    return Leaderboard(frame, fit, known, scale, interval)


def _interval_columns(
    fit: Fit, known: Uncertainty, interval: Interval, ratings: Floats, points: float
) -> dict[str, Any]:
    sets = rank_sets(
        fit.log_odds,
        known.covariance,
        known.deviations,
        level=interval.level,
        known=known.known,
    )
    lower = ratings + points * (known.lower - fit.log_odds)
    upper = ratings + points * (known.upper - fit.log_odds)
    # Without a bound nothing lies surely above it, nor it surely above anything.
    ranks = upper_bound_ranks(np.nan_to_num(lower, nan=-np.inf), np.nan_to_num(upper, nan=np.inf))
    return {
        "rating_lower": lower,
        "rating_upper": upper,
        "std_error": points * known.std_error,
        "rank_best": sets.best,
        "rank_worst": sets.worst,
        "rank_ub": ranks,
    }


def _frame(columns: Mapping[str, Any]) -> pl.DataFrame:
    """A frame with all of COLUMNS; what is not given, or not a number, is null."""
    height = len(columns["model"])
    filled = {
        name: pl.Series(name, columns.get(name, [None] * height), dtype=kind)
        for name, kind in COLUMNS.items()
    }
    return pl.DataFrame(filled).with_columns(pl.col(pl.Float64).fill_nan(None))


def _record(counts: PairCounts) -> dict[str, Floats]:
    """Battles, wins, losses and ties (both-bad included) per model, each [m]."""
    left, right = (sum_rows(side, counts.votes, counts.n_models) for side in counts.pairs.T)
    return {
        "battles": left.sum(axis=1) + right.sum(axis=1),
        "wins": left[:, 0] + right[:, 1],
        "losses": left[:, 1] + right[:, 0],
        "ties": (left + right)[:, 2:].sum(axis=1),
    }


def _notes(battles: Floats, anchor: int | None, known: Uncertainty | None) -> list[str | None]:
    notes = []
    for i, n in enumerate(battles):
        said = ["anchor"] if i == anchor else []
        if known is not None and known.notes[i]:
            said.append(known.notes[i])
        if n < FEW_BATTLES:
            said.append(amount(float(n), "battle"))
        notes.append("; ".join(said) or None)
    return notes


def _left_out(fit: Fit) -> pl.DataFrame:
    record = _record(fit.all_counts)
    place = {model: i for i, model in enumerate(fit.all_counts.models)}
    index = [place[one.model] for one in fit.left_out]
    columns: dict[str, Any] = {
        "model": [one.model for one in fit.left_out],
        **{name: values[index] for name, values in record.items()},
        "note": [f"{one.reason}: left out of the fit" for one in fit.left_out],
    }
    return _frame(columns)
