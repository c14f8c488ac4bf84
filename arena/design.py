"""The design: one row per battle, where what is asked differs from battle to battle.

Counts are enough for ratings. A covariate (how much longer one answer was than the other, which
side it stood on) belongs to a single battle, and so do clusters of battles: here each keeps its
row, as numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.battles import Battles
from arena.counts import PairCounts, distinct_keys
from arena.covariates import (
    Covariates,
    expressions,
    need_columns,
    refuse_combination,
    refuse_constant,
    standardise,
)
from arena.display import amount
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.sources import collect, one_line
from arena.tally import tally_votes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Codes = NDArray[np.int32]

POINTS = {"model_a": 1.0, "model_b": 0.0, "tie": 0.5, "both_bad": 0.5}


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Battles as numbers.

    Attributes:
        models: the m names, sorted.
        left, right: int32 [n], indices of model_a and model_b.
        points: float [n], what model_a got: 1, 1/2 (a tie or both bad) or 0.
        covariates: float [n, k], by column; seen from model_a.
        names: of the k covariates.
        votes: float [n], how many equal votes a row stands for; None where each is one.
        weight: float [n], what each of them counts; None where each counts one.
        clusters: int32 [n], codes 0, 1, ... of the battles' clusters, or None.
        cluster: what the clusters are, e.g. ``judge``, or None.
        n_missing: how many battles were dropped because a covariate or the cluster was missing.
    """

    models: tuple[str, ...]
    left: Codes
    right: Codes
    points: Floats
    covariates: Floats
    names: tuple[str, ...]
    votes: Floats | None = None
    weight: Floats | None = None
    clusters: Codes | None = None
    cluster: str | None = None
    n_missing: int = 0

    def __post_init__(self) -> None:
        arrays = (self.left, self.right, self.points, self.covariates)
        for array in (*arrays, self.votes, self.weight, self.clusters):
            if array is not None:
                array.setflags(write=False)

    @property
    def n_battles(self) -> float:
        """Number of votes, whatever their weight."""
        return float(self.points.size if self.votes is None else self.votes.sum())

    @property
    def counts(self) -> PairCounts:
        """The pair counts of these battles, both-bad among the ties."""
        m = len(self.models)
        met, pair = distinct_keys(self.left.astype(np.int64) * m + self.right, m * m)
        lost = (2.0 - 2.0 * self.points).astype(np.int64)  # 0, 1 of a tie, 2
        place = 3 * pair + lost

        def total(power: int) -> Floats:
            flat = np.bincount(place, self.weights(power), minlength=3 * met.size)
            won, tied, lost = flat.reshape(-1, 3).T
            return np.stack([won, lost, tied, np.zeros(met.size)], axis=1)

        pairs = np.stack(np.divmod(met, max(m, 1)), axis=1)
        squares = () if self.weight is None else (total(2),)
        return PairCounts(self.models, pairs, total(1), *squares)

    def weights(self, power: int = 1) -> Floats | None:
        """Votes times a power of their weight, [n]; None where all are one."""
        if self.weight is None:
            return self.votes
        power_of_weight: Floats = self.weight**power
        return power_of_weight if self.votes is None else self.votes * power_of_weight

    def restrict(self, models: Iterable[str]) -> "Design":
        """Only the battles among some of the models."""
        kept = tuple(sorted(models))
        place = np.full(len(self.models), -1, dtype=np.int32)
        place[np.searchsorted(np.array(self.models), np.array(kept))] = np.arange(len(kept))
        left, right = place[self.left], place[self.right]
        inside = np.flatnonzero((left >= 0) & (right >= 0))
        return replace(
            self,
            models=kept,
            left=left[inside],
            right=right[inside],
            points=self.points[inside],
            covariates=np.asfortranarray(self.covariates[inside]),
            votes=None if self.votes is None else self.votes[inside],
            weight=None if self.weight is None else self.weight[inside],
            # Codes without battles left are given up, so that clusters can be counted.
            clusters=None if self.clusters is None else _consecutive(self.clusters[inside]),
        )


def build_design(
    battles: Battles,
    covariates: Covariates = (),
    *,
    cluster: str | None = None,
    missing: Literal["error", "drop"] = "error",
) -> Design:
    """One row per accepted battle, with covariates.

    Args:
        battles: as read; only the columns needed are.
        covariates: any of ``style`` (LMArena's style control, all four), ``style:tokens``,
            ``style:headers``, ``style:lists``, ``style:bold``; ``side`` (1 for model_a: what
            standing on the left is worth); ``x`` where the battles have ``x_a`` and ``x_b`` (the
            difference) or a numeric column ``x`` (as it stands); a polars expression over the
            battle columns under its output name. Or a mapping from names to expressions.
        cluster: ``judge``, ``session``, ``prompt``, ``language``, any other battle column, or
            ``day`` (the UTC date of ``tstamp``).
        missing: a battle without a finite value of each covariate and without a cluster is an
            ``error``, or is left out and counted (``drop``).

    Style is (a - b) / (a + b + 1) of each count, less its mean and divided by its population
    standard deviation over the battles: Li, Angelopoulos and Chiang, Does style matter?
    (LMSYS, 2024), as FastChat's `construct_style_matrices` and `preprocess_for_style` have it.

    Raises:
        ColumnError: a column that no log has or that is not numeric; missing values.
        NoEstimateError: a covariate that is constant, or a combination of others; no battles.
        LabelError: votes that are no known winner.
        OptionError: a covariate asked for twice, or an unknown way with missing values.

    >>> from arena.battles import read_battles
    >>> log = pl.DataFrame(
    ...     {
    ...         "model_a": ["x", "y"],
    ...         "model_b": ["y", "x"],
    ...         "winner": ["tie", "model_a"],
    ...         "tokens_a": [30, 10],
    ...         "tokens_b": [10, 20],
    ...     }
    ... )
    >>> design = build_design(read_battles(log), ["tokens", "side"])
    >>> design.points.tolist(), design.covariates.tolist()
    ([0.5, 1.0], [[20.0, 1.0], [-10.0, 1.0]])
    """
    if missing not in ("error", "drop"):
        raise OptionError(f"missing: '{missing}' is not one of error, drop")
    wanted = expressions(covariates, battles)
    frame = _rows(battles, wanted, cluster)
    frame, n_missing = _without_missing(frame, tuple(wanted), cluster, missing)
    if frame.is_empty():
        tally_votes(battles).refuse_empty()
        raise NoEstimateError(f"no battle has all covariates: {n_missing:,} lack one")
    models = pl.concat([frame["model_a"].unique(), frame["model_b"].unique()]).unique().sort()
    index = pl.Enum(models)
    left, right = (
        frame[side].cast(index).to_physical().to_numpy().astype(np.int32)
        for side in ("model_a", "model_b")
    )
    votes, weight = (
        frame[name].to_numpy().copy() if name in frame.columns else None
        for name in ("votes", "weight")
    )
    values = np.empty((frame.height, len(wanted)), order="F")
    for j, name in enumerate(wanted):
        values[:, j] = frame[f"x{j}"].to_numpy()
        refuse_constant(name, values[:, j])
        if name.startswith("style:"):
            standardise(values[:, j], votes)
    refuse_combination(tuple(wanted), values)
    return Design(
        models=tuple(models.to_list()),
        left=left,
        right=right,
        points=frame["points"].to_numpy().copy(),
        covariates=values,
        names=tuple(wanted),
        votes=votes,
        weight=weight,
        clusters=None if cluster is None else _codes(frame["cluster"]),
        cluster=cluster,
        n_missing=n_missing,
    )


# ── the rows ───────────────────────────────────────────────────────────────────────────────


def _rows(battles: Battles, wanted: Mapping[str, pl.Expr], cluster: str | None) -> pl.DataFrame:
    """The accepted battles: model_a, model_b, points, weight, cluster, x0, x1, ..."""
    points = {label: POINTS[winner] for label, winner in battles.labels.items()}
    columns = {
        "model_a": pl.col("model_a"),
        "model_b": pl.col("model_b"),
        "points": pl.col("winner").replace_strict(points, default=None, return_dtype=pl.Float64),
    }
    given = [name for name in ("votes", "weight") if name in battles.columns]
    columns |= {name: pl.col(name) for name in given}
    if cluster is not None:
        need_columns(["tstamp" if cluster == "day" else cluster], f"clusters by {cluster}", battles)
        columns["cluster"] = pl.col("tstamp").dt.date() if cluster == "day" else pl.col(cluster)
    columns |= {f"x{j}": expression for j, expression in enumerate(wanted.values())}
    accepted = battles.rows.filter(battles.why_not.is_null())
    selected = accepted.select(expression.alias(name) for name, expression in columns.items())
    _refuse_text(selected, tuple(wanted))
    numbers = pl.col("^x[0-9]+$").cast(pl.Float64)
    frame = collect(selected.with_columns(numbers), battles.sources)
    known = [frame["points"], *(frame[name] for name in given)]
    if not all((one.is_finite() & (one >= 0)).fill_null(False).all() for one in known):
        tally_votes(battles)  # raises, quoting the culprits
    return frame


def _refuse_text(selected: pl.LazyFrame, names: tuple[str, ...]) -> None:
    try:
        schema = selected.collect_schema()
    except pl.exceptions.PolarsError as error:
        raise ColumnError(f"covariates: {one_line(error)}") from error
    for j, name in enumerate(names):
        kind = schema[f"x{j}"]
        if not (kind.is_numeric() or kind == pl.Boolean):
            message = (
                f"covariate '{name}' is {str(kind).lower()}, not a number; "
                f"make numbers of it, e.g. (pl.col('{name}') == ...).alias('{name}')"
            )
            raise ColumnError(message)


def _without_missing(
    frame: pl.DataFrame, names: tuple[str, ...], cluster: str | None, missing: str
) -> tuple[pl.DataFrame, int]:
    """The rows that have everything, and how many have not."""
    there = {
        f"covariate '{name}'": frame[f"x{j}"].is_finite().fill_null(False)
        for j, name in enumerate(names)
    }
    if cluster is not None:
        there[f"clusters by {cluster}"] = frame["cluster"].is_not_null()
    lacking = {what: (~is_there).sum() for what, is_there in there.items()}
    if not any(lacking.values()):
        return frame, 0
    if missing == "error":
        each = ", ".join(f"{what} ({n:,})" for what, n in lacking.items() if n)
        message = (
            f"{amount(frame.height, 'battle')}, of which some have no value, or no finite one, "
            f"for {each}; leave them out with missing='drop'"
        )
        raise ColumnError(message)
    whole = frame.filter(*there.values())
    return whole, frame.height - whole.height


def _codes(column: pl.Series) -> Codes:
    return (column.rank("dense") - 1).to_numpy().astype(np.int32)


def _consecutive(codes: Codes) -> Codes:
    return np.unique(codes, return_inverse=True)[1].astype(np.int32)
