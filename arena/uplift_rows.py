"""Estimated gains as rows of a table, in rating points."""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import norm, t

from arena.gain_fit import GainFit
from arena.negative_control import Spread

ALL, MODEL, CONTROL, OTHER = "exposed", "exposed model", "control", "unexposed model"
"""What a row of the result is about."""

COLUMNS: Mapping[str, pl.DataType] = {
    "group": pl.String(),
    "model": pl.String(),
    "uplift": pl.Float64(),
    "std_error": pl.Float64(),
    "uplift_lower": pl.Float64(),
    "uplift_upper": pl.Float64(),
    "p_value": pl.Float64(),
    "battles": pl.Float64(),
    "seen": pl.Float64(),
    "share": pl.Float64(),
    "note": pl.String(),
}
"""The columns of an estimate, in their order."""

Row = dict[str, Any]

ALL_EXPOSED, CONTROL_NAME = "all exposed models", "control: unexposed models"

NO_GAIN = "no gain of its own: it did not both win and lose points on seen prompts, and meet others"

ONE_CLUSTER = "all that tells of its gain is in one cluster: nothing says how sure it is"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A gain in rating points.

    Attributes:
        uplift: the gain.
        std_error, lower, upper: its standard error, and the ends of its interval.
        p_value: of a gain this far from zero, or further, if there were none.
    """

    uplift: float
    std_error: float
    lower: float
    upper: float
    p_value: float


def in_points(gain: float, std_error: float, points: float, level: float) -> Estimate:
    """A gain in log-odds as points, with a normal interval."""
    half = float(norm.isf((1.0 - level) / 2.0)) * std_error
    p_value = 2.0 * float(norm.sf(abs(gain) / std_error))
    return Estimate(
        points * gain, points * std_error, points * (gain - half), points * (gain + half), p_value
    )


def against_spread(told: GainFit, spread: Spread, points: float, level: float) -> Estimate:
    """The estimate, were exposed models to differ on seen prompts as the others do.

    As a prediction interval of Higgins, Thompson and Spiegelhalter, A re-evaluation of
    random-effects meta-analysis, JRSS A 172 (2009): t with a degree of freedom for each model
    but one. Exposed models count as one, since siblings are good at the same.
    """
    gain, std_error = told.gain(0)
    n = len(spread.models)
    wide = float(np.sqrt(std_error**2 + spread.tau**2 * (1.0 + 1.0 / n)))
    half = float(t.isf((1.0 - level) / 2.0, n - 1)) * wide
    p_value = 2.0 * float(t.sf(abs(gain) / wide, n - 1))
    return Estimate(
        points * gain, points * wide, points * (gain - half), points * (gain + half), p_value
    )


def row_of(
    group: str,
    model: str,
    estimate: Estimate | None,
    battles: float,
    seen: float,
    note: str | None = None,
) -> Row:
    """One row: what it is about, the estimate if there is one, and what it rests on."""
    numbers = (None,) * 5 if estimate is None else astuple(estimate)
    values = (group, model, *numbers, battles, seen, seen / battles if battles else None, note)
    return dict(zip(COLUMNS, values, strict=True))


def totals(exposure: pl.DataFrame, models: Sequence[str]) -> tuple[float, float]:
    """Battles and seen battles of these models together; one of two of them counts for both."""
    of = exposure.filter(pl.col("model").is_in(list(models)))
    return float(of["battles"].sum()), float(of["seen"].sum())


def rows_of_models(
    told: GainFit, exposure: pl.DataFrame, exposed: Sequence[str], points: float, level: float
) -> list[Row]:
    """One row per exposed model."""
    rows = []
    for model in exposed:
        estimate: Estimate | None = None
        note: str | None = NO_GAIN
        if model in told.names:
            number = told.names.index(model)
            clusters = told.clusters(slice(number, number + 1))
            if clusters is None or clusters[0] > 1:
                estimate, note = in_points(*told.gain(number), points, level), None
            else:
                note = ONE_CLUSTER
        rows.append(row_of(MODEL, model, estimate, *totals(exposure, [model]), note))
    return rows


def rows_of_spread(spread: Spread, points: float, level: float) -> list[Row]:
    """One row per unexposed model, the largest gain first."""
    errors = np.sqrt(np.diag(spread.covariance))
    return [
        row_of(
            OTHER,
            spread.models[k],
            in_points(float(spread.gains[k]), float(errors[k]), points, level),
            float(spread.battles[k]),
            float(spread.seen[k]),
        )
        for k in np.argsort(-spread.gains, kind="stable")
    ]
