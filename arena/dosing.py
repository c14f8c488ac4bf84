"""What a growing share of seen prompts does to ratings and ranks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.batch import solve_tables
from arena.battles import Battles
from arena.board_pair import ranks_among
from arena.bradley_terry import Fit, fit_bradley_terry
from arena.dose_tables import DosePlan
from arena.errors import NoEstimateError, OptionError
from arena.filters import Filter, refuse_nothing_left, select
from arena.leaderboard import Scale, model_index
from arena.parts import count_part_clusters, count_parts
from arena.prompt_match import Match
from arena.removal import Scope, unseen_only
from arena.tally import Tally

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SHARES = tuple(i / 10 for i in range(11))

COLUMNS: Mapping[str, pl.DataType] = {
    "model": pl.String(),
    "share": pl.Float64(),
    "prompts": pl.Int64(),
    "battles": pl.Float64(),
    "rating": pl.Float64(),
    "rating_lower": pl.Float64(),
    "rating_upper": pl.Float64(),
    "null_lower": pl.Float64(),
    "null_upper": pl.Float64(),
    "rank": pl.Int64(),
    "rank_lower": pl.Int64(),
    "rank_upper": pl.Int64(),
    "rank_null_lower": pl.Int64(),
    "rank_null_upper": pl.Int64(),
}
"""The columns of a dose, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class Dose:
    """Boards with a growing share of the seen prompts in them.

    Attributes:
        frame: one row per model and share, models in the order of the full board: `COLUMNS`.
            `prompts` is how many seen prompts are in, `battles` how many of the model's then
            count, `rating` the mean over the orders in which prompts come in, and
            `rating_lower` to `rating_upper` what the middle `level` of these orders give: what
            depends on which prompts they are, and nothing else. At either end there is but one
            board. `null_lower` to `null_upper` holds the ratings that leaving out as many
            battles of every pair at random gives, seen or not: outside of it, seen prompts are
            of another kind. Ranks are among the models that all boards rate: the median, and
            the same ranges. Of other models all of these are null.
        fit: of all votes, the share 1.
        shares: the shares.
        prompts: seen prompts in all, or whatever `by` is.
        by: the column whose values come in one after the other.
        seen: what counts as seen, in words.
        n_seen: battles on seen prompts.
        tally: the account of all rows.
        options: what was asked for.
    """

    frame: pl.DataFrame
    fit: Fit
    shares: tuple[float, ...]
    prompts: int
    by: str
    seen: str
    n_seen: float
    tally: Tally
    options: Mapping[str, Any] = field(default_factory=dict)


def dose(
    battles: Battles,
    seen: Filter | Match | None = None,
    *,
    scope: Scope = "battle",
    by: str = "prompt",
    shares: Sequence[float] = SHARES,
    orders: int = 100,
    models: Sequence[str] | None = None,
    level: float = 0.95,
    seed: int = 0,
    ties: str = "half",
    scale: Scale | None = None,
) -> Dose:
    """Let a growing share of the seen prompts in, from none to all.

    Prompts come in one after the other in random order, each with all its battles, many times
    over. At share 0 the board is that without seen battles, at 1 that of all.

    Args:
        battles: the votes; conditions that they have already hold for all boards.
        seen: a match; or a filter that is true for seen battles; None for a log with columns
            `seen_a` and `seen_b`. What does not tell comes in with the seen.
        scope: as for `remove_seen`; with a filter it says nothing.
        by: battles with the same value in this column come in together; a battle without one
            comes in by itself.
        shares: of the seen prompts that are in.
        orders: random orders.
        models: those of which rows are wanted; None for all.
        level: of the orders, and of random removals, that the ranges hold.
        seed: of the orders, and of what is removed at random.
        ties: as for `fit_bradley_terry`.
        scale: the rating scale. Without an anchor, all boards have the same mean over the models
            that all of them rate.

    Raises:
        OptionError: an option that cannot be, or a log in which nothing was seen.
        ColumnError: a column that the log lacks.
        NoEstimateError: if no two models are rated on all boards.
    """
    scale = scale or Scale()
    _refuse(shares, orders, level)
    unseen = ~seen if isinstance(seen, Filter) else unseen_only(seen, scope=scope)
    common = len(battles.conditions)
    kept = select(battles, unseen).kept
    parts = count_parts(kept, common)
    refuse_nothing_left(kept, parts.tally)
    if not parts.rest.n_models:
        raise OptionError("dose: no battle is on a seen prompt, so there is nothing to let in")
    if parts.all.is_weighted:
        raise OptionError("dose: these votes have weights, and only whole votes can be left out")
    fit = fit_bradley_terry(parts.all, ties=ties)
    shown = fit.models if models is None else tuple(models)
    rows = [model_index(fit, model) for model in shown]
    anchor = model_index(fit, scale.anchor[0], "anchor") if scale.anchor else None
    groups = count_part_clusters(kept, parts, by, common).rest
    groups = groups[np.flatnonzero(np.diff(groups.indptr) > 0)]
    plan = DosePlan(fit, parts, groups, np.array(shares, dtype=np.float64), orders, seed)
    inside, chance = (solve_tables(fit, tables).log_odds for tables in (plan.doses, plan.placebo))
    shared: Flags = np.asarray(np.isfinite(inside).all(axis=0))
    if scale.anchor and not shared[anchor]:
        raise OptionError(f"anchor: '{scale.anchor[0]}' is not rated on all boards; take another")
    if int(shared.sum()) < 2:
        raise NoEstimateError("dose: no two models are rated on all boards, from none seen to all")
    columns = _ratings(fit, scale, anchor, shared, plan, inside, chance, level)
    frame = _frame(fit, scale, rows, plan, columns)
    return Dose(
        frame,
        fit,
        tuple(shares),
        groups.shape[0],
        by,
        seen.name if isinstance(seen, Filter) else unseen.name.removeprefix("un"),
        parts.rest.n_battles,
        parts.tally,
        {
            "seen": unseen.name,
            "scope": scope,
            "by": by,
            "shares": list(shares),
            "orders": orders,
            "level": level,
            "seed": seed,
            "ties": ties,
            "anchor": dict([scale.anchor]) if scale.anchor else None,
        },
    )


def _refuse(shares: Sequence[float], orders: int, level: float) -> None:
    if not len(shares) or not all(0.0 <= share <= 1.0 for share in shares):
        raise OptionError(f"shares: {list(shares)} are not shares between 0 and 1")
    if orders < 1:
        raise OptionError(f"orders: {orders} is not a number of at least 1")
    if not 0.0 < level < 1.0:
        raise OptionError(f"level: {level} is not between 0 and 1, e.g. 0.95")


# ── what they say ──────────────────────────────────────────────────────────────────────────


def _ratings(
    fit: Fit,
    scale: Scale,
    anchor: int | None,
    shared: Flags,
    plan: DosePlan,
    inside: Floats,
    chance: Floats,
    level: float,
) -> dict[str, Floats]:
    """Columns [S, m] of ratings and ranks."""
    ends = (0.5 - level / 2, 0.5 + level / 2)
    full = scale.ratings(fit)
    columns: dict[str, Floats] = {}
    for name, ranks, log_odds in (("rating", "rank", inside), ("null", "rank_null", chance)):
        held = log_odds[:, [anchor]] if anchor is not None else _mean(log_odds, shared)
        at = fit.log_odds[anchor] if anchor is not None else fit.log_odds[shared].mean()
        with np.errstate(invalid="ignore"):
            moved = scale.per_log_odds * (log_odds - held - fit.log_odds + at)
        rating = (full + moved).reshape(plan.orders, plan.shares.size, -1)
        among = np.isfinite(log_odds) & shared
        rank = ranks_among(log_odds, among).reshape(rating.shape)
        if name == "rating":
            columns["rating"] = np.where(shared, rating, 0.0).mean(axis=0)
            columns["rank"] = np.quantile(np.nan_to_num(rank), 0.5, axis=0, method="nearest")
        for side, end, far in (("lower", ends[0], -np.inf), ("upper", ends[1], np.inf)):
            # A draw without an estimate could have been anywhere.
            there = np.where(np.isnan(rating), far, rating)
            placed = np.where(np.isnan(rank), far, rank)
            with np.errstate(invalid="ignore"):
                columns[f"{name}_{side}"] = np.quantile(there, end, axis=0)
                columns[f"{ranks}_{side}"] = np.quantile(placed, end, axis=0, method="nearest")
    for column in columns.values():
        column[:, ~shared] = np.nan
        column[~np.isfinite(column)] = np.nan
    return columns


def _mean(log_odds: Floats, shared: Flags) -> Floats:
    """Mean [B, 1] over the models shared, of those of them that are finite."""
    there = np.isfinite(log_odds) & shared
    number = np.maximum(there.sum(axis=1, keepdims=True), 1)
    mean: Floats = np.where(there, log_odds, 0.0).sum(axis=1, keepdims=True) / number
    return mean


def _frame(
    fit: Fit, scale: Scale, rows: Sequence[int], plan: DosePlan, columns: Mapping[str, Floats]
) -> pl.DataFrame:
    order = sorted(rows, key=lambda i: (-fit.log_odds[i], fit.models[i]))
    met = plan.battles()
    parts = [
        pl.DataFrame(
            {
                "model": [fit.models[i]] * plan.shares.size,
                "share": plan.shares,
                "prompts": plan.number,
                "battles": met[:, i],
                **{name: values[:, i] for name, values in columns.items()},
            }
        )
        for i in order
    ]
    whole = pl.concat(parts).with_columns(pl.col(pl.Float64).fill_nan(None))
    return whole.select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
