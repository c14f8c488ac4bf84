"""Two boards held against each other: did leaving votes out matter, and more than chance would?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.batch import Tables
from arena.battles import Battles
from arena.blas import one_blas_thread
from arena.board_pair import (
    Against,
    BoardPair,
    Changes,
    drawn_changes,
    observed_changes,
    pair_boards,
    ranks_among,
    spread,
)
from arena.bradley_terry import Fit
from arena.counts import PairCounts, sum_rows
from arena.errors import NoEstimateError, OptionError
from arena.filters import Filter, refuse_nothing_left, select
from arena.leaderboard import Leaderboard, Scale, build_leaderboard
from arena.parts import count_part_clusters, count_parts
from arena.placebo import (
    Chosen,
    bootstrap_part_clusters,
    bootstrap_tables,
    judge_changes,
    placebo_tables,
)
from arena.showing import shown_html, shown_text
from arena.tally import Tally
from arena.uncertainty import Interval

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

COLUMNS: Mapping[str, pl.DataType] = {
    "model": pl.String(),
    "rank_base": pl.Int64(),
    "rank_kept": pl.Int64(),
    "rank_change": pl.Int64(),
    "rank_change_lower": pl.Int64(),
    "rank_change_upper": pl.Int64(),
    "rank_null_lower": pl.Int64(),
    "rank_null_upper": pl.Int64(),
    "rating_base": pl.Float64(),
    "rating_kept": pl.Float64(),
    "change": pl.Float64(),
    "change_lower": pl.Float64(),
    "change_upper": pl.Float64(),
    "null_lower": pl.Float64(),
    "null_upper": pl.Float64(),
    "p_value": pl.Float64(),
    "p_adjusted": pl.Float64(),
    "battles_base": pl.Float64(),
    "battles_kept": pl.Float64(),
    "win_rate_base": pl.Float64(),
    "win_rate_kept": pl.Float64(),
    "note": pl.String(),
}
"""The columns of a comparison, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The board of the votes kept, beside that of all votes or of the rest.

    Attributes:
        frame: one row per model, in the order of the base board: `COLUMNS`. Ranks are among the
            models that both boards rate; `rank_change` is positive for a model that rises.
            `rating_kept` is on the base board's scale: both have the same mean over the models
            they share, or the same anchor. `change_lower` to `change_upper` is the interval of
            the change; `null_lower` to `null_upper` holds the changes that as many votes left
            out at random make. `p_value` takes each model alone, `p_adjusted` all of them at
            once. Win rates count a tie, or both bad, as half a win.
        base: the board held against.
        kept: the board of the votes kept.
        against: what the base board is of: ``all`` votes, or the ``rest``.
        p_board: the probability that random removal moves the board, judged by its largest
            change, at least as far.
        typical_change: root mean square of the changes, in points.
        typical_null: median, lower and upper quantile of the same by chance.
        tally: the account of all rows, with the funnel.
        options: what was asked for.
    """

    frame: pl.DataFrame
    base: Leaderboard
    kept: Leaderboard
    against: Against
    p_board: float
    typical_change: float
    typical_null: tuple[float, float, float]
    tally: Tally
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The table that a terminal shows."""
        return shown_text(self)

    def _repr_html_(self) -> str:
        """The table that a notebook shows."""
        return shown_html(self)


def compare(
    battles: Battles,
    *filters: Filter,
    against: Against = "all",
    within: Sequence[str] = (),
    cluster: str | None = None,
    draws: int = 1_000,
    rounds: int = 1_000,
    level: float = 0.95,
    seed: int = 0,
    ties: str = "half",
    scale: Scale | None = None,
) -> Comparison:
    """Hold the board of the battles that filters keep against that of all, or of the others.

    The interval of a change comes from a joint bootstrap: all votes are resampled, and both
    boards are made of each resample, so that the votes they share move both. The placebo leaves
    the same number of battles out of every pair at random, and says how far that moves each
    rating.

    Args:
        battles: the votes; conditions that they have already hold for both boards.
        filters: what makes the difference.
        against: hold the votes kept against ``all``, or against the ``rest``.
        within: battle columns, or ``month``, within whose values the placebo removes as many
            as the filters do: what is left of a change is not due to these.
        cluster: resample whole clusters, e.g. of each judge; see `count_clusters`.
        draws: random removals.
        rounds: bootstrap resamples.
        level: coverage of the intervals.
        seed: of all that is drawn.
        ties: as for `fit_bradley_terry`.
        scale: the rating scale; with an anchor, changes are those of the difference from it.

    Raises:
        OptionError: an option that cannot be, or filters that drop nothing.
        ColumnError: a column that the log lacks.
        NoEstimateError: if a board has no votes, or no two models in common with the other.
    """
    interval = Interval(level=level, seed=seed, rounds=max(rounds, 2))
    if against not in ("all", "rest"):
        raise OptionError(f"against: '{against}' is not one of all, rest")
    if draws < 1:
        raise OptionError(f"draws: {draws} is not a number of at least 1")
    common = len(battles.conditions)
    kept_battles = select(battles, *filters).kept
    parts = count_parts(kept_battles, common, within)
    refuse_nothing_left(kept_battles, parts.tally)
    if not parts.rest.n_models:
        raise OptionError("compare: the filters drop no vote, so there is nothing to compare")
    plain = count_parts(kept_battles, common) if within else parts
    with one_blas_thread():
        pair = pair_boards(parts, against, ties, scale or Scale())
        clusters = (
            None if cluster is None else count_part_clusters(kept_battles, plain, cluster, common)
        )

        def resampled(fit: Fit, chosen: Chosen) -> Tables:
            if clusters is not None:
                return bootstrap_part_clusters(fit, plain, clusters, chosen, rounds, seed)
            return bootstrap_tables(fit, plain, chosen, rounds, seed)

        def removed(fit: Fit, chosen: Chosen) -> Tables:
            return placebo_tables(fit, parts, chosen, draws, seed)

        changes = {
            "observed": observed_changes(pair),
            "resampled": drawn_changes(pair, resampled),
            "placebo": drawn_changes(pair, removed, base_drawn=against == "rest"),
        }
        base, kept = (build_leaderboard(fit, scale, interval) for fit in (pair.base, pair.kept))
    observed, by_chance = changes["observed"].log_odds, changes["placebo"].log_odds
    verdict = judge_changes(observed[0], by_chance)
    points = (scale or Scale()).per_log_odds
    ends = np.quantile(points * _typical(by_chance), [0.5, 0.5 - level / 2, 0.5 + level / 2])
    frame = _table(pair, scale or Scale(), changes, level).with_columns(
        p_value=pl.Series(verdict.p_value).fill_nan(None),
        p_adjusted=pl.Series(verdict.p_adjusted).fill_nan(None),
    )
    return Comparison(
        _in_order(frame),
        base,
        kept,
        against,
        verdict.p_board,
        float(points * _typical(observed)[0]),
        (float(ends[0]), float(ends[1]), float(ends[2])),
        parts.tally,
        {
            "filters": [one.name for one in filters],
            "against": against,
            "within": list(within),
            "cluster": cluster,
            "draws": draws,
            "rounds": rounds,
            "level": level,
            "seed": seed,
            "ties": ties,
        },
    )


def _table(
    pair: BoardPair, scale: Scale, drawn: Mapping[str, Changes], level: float
) -> pl.DataFrame:
    """`COLUMNS`, without the p-values; models in the order of their names."""
    models, points = pair.parts.models, scale.per_log_odds
    base, kept = (
        spread(models, fit.models, values[None, :])
        for fit, values in (
            (pair.base, scale.ratings(pair.base)),
            (pair.kept, pair.kept.log_odds),
        )
    )
    observed = drawn["observed"]
    moved = points * observed.log_odds[0]
    shared = np.isfinite(moved)
    change = np.where(shared, moved, np.nan)
    if int(shared.sum()) < 2:
        raise NoEstimateError("compare: no two models are rated by both boards")
    columns: dict[str, Any] = {
        "model": models,
        "rank_base": ranks_among(base, shared[None, :])[0],
        "rank_kept": ranks_among(kept, shared[None, :])[0],
        "rank_change": observed.ranks[0],
        "rating_base": base[0],
        "rating_kept": base[0] + change,
        "change": change,
    }
    ends = (0.5 - level / 2, 0.5 + level / 2)
    for name, of in (("rank_change", "resampled"), ("rank_null", "placebo")):
        columns |= _quantiles(name, drawn[of].ranks, ends, shared, whole=True)
    for name, of in (("change", "resampled"), ("null", "placebo")):
        columns |= _quantiles(name, points * drawn[of].log_odds, ends, shared)
    for name, counts in _counts(pair).items():
        met, rate = _record(counts)
        columns[f"battles_{name}"] = np.nan_to_num(spread(models, counts.models, met[None, :])[0])
        columns[f"win_rate_{name}"] = spread(models, counts.models, rate[None, :])[0]
    return _frame(columns | {"note": _notes(pair)})


def _record(counts: PairCounts) -> tuple[Floats, Floats]:
    """Battles [m], and points per battle [m]; nan without any."""
    left, right = (sum_rows(side, counts.votes, counts.n_models) for side in counts.pairs.T)
    met = left.sum(axis=1) + right.sum(axis=1)
    won = left[:, 0] + right[:, 1] + (left + right)[:, 2:].sum(axis=1) / 2
    return met, np.divide(won, met, out=np.full_like(won, np.nan), where=met > 0)


def _notes(pair: BoardPair) -> list[str | None]:
    base, kept = ({one.model: one.reason for one in fit.left_out} for fit in (pair.base, pair.kept))
    met = {name: set(counts.models) for name, counts in _counts(pair).items()}
    notes: list[str | None] = []
    for model in pair.parts.models:
        said = []
        if model not in met["base"]:
            said.append("every vote is kept")
        elif model in base:
            said.append(f"not rated in the base: {base[model]}")
        if model not in met["kept"]:
            said.append("no vote is kept")
        elif model in kept:
            said.append(f"not rated among the kept: {kept[model]}")
        notes.append("; ".join(said) or None)
    return notes


def _counts(pair: BoardPair) -> dict[str, PairCounts]:
    return {"base": pair.base_counts, "kept": pair.parts.kept}


def _quantiles(
    name: str, drawn: Floats, ends: tuple[float, float], known: Flags, *, whole: bool = False
) -> dict[str, Floats]:
    """Lower and upper quantile of each model's draws; nan where it is infinite."""
    found = {}
    for side, end, far in (("lower", ends[0], -np.inf), ("upper", ends[1], np.inf)):
        # A draw without an estimate could have been anywhere.
        there = np.where(np.isnan(drawn), far, drawn)
        with np.errstate(invalid="ignore"):
            bound = np.quantile(there, end, axis=0, method="nearest" if whole else "linear")
        found[f"{name}_{side}"] = np.where(known & np.isfinite(bound), bound, np.nan)
    return found


def _typical(moved: Floats) -> Floats:
    """Root mean square [B] of the changes that are finite."""
    finite = np.isfinite(moved)
    squares = np.where(finite, moved, 0.0) ** 2
    typical: Floats = np.sqrt(squares.sum(axis=1) / np.maximum(finite.sum(axis=1), 1))
    return typical


def _frame(columns: Mapping[str, Any]) -> pl.DataFrame:
    """A frame with all of COLUMNS that are given; what is not a number is null."""
    series = [pl.Series(name, values) for name, values in columns.items()]
    numbers = [one.fill_nan(None) if one.dtype.is_float() else one for one in series]
    return pl.DataFrame([one.cast(COLUMNS[one.name]) for one in numbers])


def _in_order(frame: pl.DataFrame) -> pl.DataFrame:
    votes = ("battles_base", "battles_kept")
    whole = all((frame[name] == frame[name].round()).all() for name in votes)
    shown = frame.with_columns(pl.col(votes).cast(pl.Int64)) if whole else frame
    by = ("rating_base", "model")
    return shown.select(COLUMNS.keys()).sort(by, descending=[True, False], nulls_last=True)
