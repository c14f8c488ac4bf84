"""Models retired early: their old votes are on prompts that nobody asks any more.

A board adds up the votes of all times. While the mix of prompts changes, models that are still
sampled are rated on old and new prompts, and models that are not sampled any more on the old
ones only. What that does to the retired is worked out on a given board, for a stated change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.batch import solve_tables
from arena.bradley_terry import Fit, fit_bradley_terry
from arena.counts import PairCounts
from arena.display import listing
from arena.errors import OptionError
from arena.leaderboard import Scale, anchor_index
from arena.problem import problem
from arena.ranks import point_ranks
from arena.resample import bootstrap_votes
from arena.ties import sigmoid
from arena.variants import refuse_level

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

COLUMNS: Mapping[str, pl.DataType] = {
    "new_share": pl.Float64(),
    "model": pl.String(),
    "shift": pl.Float64(),
    "rating_sampled": pl.Float64(),
    "rating_retired": pl.Float64(),
    "bias": pl.Float64(),
    "bias_lower": pl.Float64(),
    "bias_upper": pl.Float64(),
    "rank_sampled": pl.Int64(),
    "rank_retired": pl.Int64(),
}
"""The columns of a retirement, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class Retirement:
    """What early retirement does to ratings.

    Attributes:
        frame: `COLUMNS`, a row per share of new votes and retired model. `shift`: what the
            model gains on the new prompts, in points. `rating_sampled` and `rank_sampled`: on
            the board that would be had it been sampled to the end; `rating_retired` and
            `rank_retired`: with its old votes only. `bias`: the second rating less the first,
            exact in expectation; `bias_lower` to `bias_upper`: where chance puts it on a board
            of so many votes.
        typical: one row per share of new votes: `new_share`; `retired`, how many models;
            `bias_rms`, root mean square of their biases; `rank_moves`, how many of them have
            another rank.
        options: what was asked for.
    """

    frame: pl.DataFrame
    typical: pl.DataFrame
    options: Mapping[str, Any]


def retire_early(
    fit: Fit,
    retired: Sequence[str],
    shift: Mapping[str, float],
    new_share: Sequence[float] = (0.25, 0.5, 0.75),
    *,
    rounds: int = 1_000,
    level: float = 0.95,
    seed: int = 0,
    scale: Scale | None = None,
) -> Retirement:
    """Rate a board whose prompts change after some models are not sampled any more.

    Two boards are held against each other. On both, every pair has the given board's votes; the
    last ones, a share `new_share` of them, are on new prompts, where each model's strength is
    another by its `shift`. On one, all models are sampled to the end; on the other, pairs with
    a retired model have none of the new votes.

    Args:
        fit: the board, rated by points; its strengths are those on the old prompts.
        retired: the models that are not sampled on the new prompts.
        shift: points that models gain on the new prompts; 0 for those not named.
        new_share: of the votes of a pair that is sampled to the end.
        rounds: draws of the votes, for the interval of the bias.
        level: of these.
        seed: of these.
        scale: the rating scale; without an anchor, both boards have the same mean.

    Raises:
        OptionError: an option that cannot be.
    """
    scale = scale or Scale()
    refuse_level(level)
    gone = _retired(fit, retired, new_share)
    for model, points in shift.items():
        _index(fit, model, "shift")
        if not np.isfinite(points):
            raise OptionError(f"shift: {points} for '{model}' is not a number of points")
    gained = np.array([shift.get(model, 0.0) for model in fit.models])
    frames = []
    for share in new_share:
        boards = [
            _board(fit, gained / scale.per_log_odds, share, out) for out in (gone & False, gone)
        ]
        sampled, early = (scale.ratings(board) for board in boards)
        draws = solve_tables(boards[1], bootstrap_votes(boards[1], rounds, seed)).log_odds
        drawn = sampled + scale.per_log_odds * (draws - boards[0].log_odds)
        if scale.anchor is not None:
            place = anchor_index(fit, scale.anchor[0])
            drawn += scale.anchor[1] - drawn[:, [place]]
        tail = (1.0 - level) / 2.0
        lower, upper = np.quantile(drawn - sampled, [tail, 1.0 - tail], axis=0)
        columns = {
            "new_share": np.full(gained.size, share),
            "model": fit.models,
            "shift": gained,
            "rating_sampled": sampled,
            "rating_retired": early,
            "bias": early - sampled,
            "bias_lower": lower,
            "bias_upper": upper,
            "rank_sampled": point_ranks(boards[0].log_odds),
            "rank_retired": point_ranks(boards[1].log_odds),
        }
        frames.append(pl.DataFrame(columns, schema=COLUMNS).filter(pl.Series(gone)))
    frame = pl.concat(frames).sort("new_share", "rank_sampled", maintain_order=True)
    typical = frame.group_by("new_share", maintain_order=True).agg(
        retired=pl.len().cast(pl.Int64),
        bias_rms=(pl.col("bias") ** 2).mean().sqrt(),
        rank_moves=(pl.col("rank_sampled") != pl.col("rank_retired")).sum().cast(pl.Int64),
    )
    asked = {"retired": list(retired), "rounds": rounds, "level": level, "seed": seed}
    return Retirement(frame, typical, asked)


def _board(fit: Fit, gained: Floats, share: float, gone: Flags) -> Fit:
    """The fit of what is expected of old and new votes, without new ones where a model is gone."""
    task = problem(fit.counts, fit.rule)
    votes = task.outcomes.sum(axis=0)
    tied = np.divide(task.outcomes[2], votes, out=np.zeros_like(votes), where=votes > 0)
    new = np.where(gone[task.left] | gone[task.right], 0.0, share)
    outcomes = np.zeros((votes.size, 4))
    for strength, weight in ((fit.log_odds, 1.0 - share), (fit.log_odds + gained, new)):
        p = sigmoid(strength[task.left] - strength[task.right])
        # A tie takes as much from either side, so it can be no more than twice the lesser.
        half = np.minimum(0.5 * tied, np.minimum(p, 1.0 - p))
        outcomes[:, :3] += (votes * weight)[:, None] * np.stack(
            [p - half, 1 - p - half, 2 * half], axis=1
        )
    counts = PairCounts(fit.models, np.stack([task.left, task.right], axis=1), outcomes)
    return fit_bradley_terry(counts, ties=fit.rule.name, on_separation="error")


def _retired(fit: Fit, retired: Sequence[str], new_share: Sequence[float]) -> Flags:
    """Which models [m] are retired, everything else checked."""
    if fit.rule.parameter is not None or fit.prior > 0.0:
        raise OptionError("retirement: the board must be rated with ties half or drop, no prior")
    if not new_share:
        raise OptionError("new-share: none was given")
    for share in new_share:
        if not 0.0 <= share < 1.0:
            raise OptionError(f"new-share: {share} is not a share from 0 to below 1")
    gone = np.zeros(len(fit.models), dtype=bool)
    for model in retired:
        gone[_index(fit, model, "retired")] = True
    if not gone.any() or gone.sum() > gone.size - 2:
        message = f"retired: one model or more must go, and two stay; here go {listing(retired)}"
        raise OptionError(message)
    return gone


def _index(fit: Fit, model: str, option: str) -> int:
    try:
        return anchor_index(fit, model)
    except OptionError as error:
        raise OptionError(str(error).replace("anchor:", f"{option}:", 1)) from error
