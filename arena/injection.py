"""What if a model had seen a share of the prompts, and gained on them? The board it would have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.batch import Tables, block_size, solve_tables
from arena.bradley_terry import Fit
from arena.errors import OptionError
from arena.gains import (
    checked_shares,
    checked_uplifts,
    expected_outcomes,
    mixed_votes,
    own_cells,
)
from arena.leaderboard import Leaderboard, model_index
from arena.problem import problem
from arena.ranks import point_ranks

Floats = NDArray[np.float64]

COLUMNS: Mapping[str, pl.DataType] = {
    "share": pl.Float64(),
    "uplift": pl.Float64(),
    "rating": pl.Float64(),
    "rating_lower": pl.Float64(),
    "rating_upper": pl.Float64(),
    "shift": pl.Float64(),
    "rank": pl.Int64(),
    "rank_lower": pl.Int64(),
    "rank_upper": pl.Int64(),
    "p_top": pl.Float64(),
}
"""The columns of an injection, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class Injection:
    """The boards on which a model gains on prompts it is supposed to have seen.

    Attributes:
        frame: one row per share and uplift: `COLUMNS`. `share` is that of the model's battles
            whose prompt it had seen, `uplift` the rating points gained there; `rating` is the
            model's on the board that would follow, and `shift` how far that is from its rating.
            `rating_lower` to `rating_upper` is its interval, `rank_lower` to `rank_upper` holds
            its rank with the same probability, and `p_top` is the probability of a rank of `top`
            or better; null where the board has no intervals.
        ratings: float [G, m], all ratings in each row's board.
        board: the board supposed clean.
        model: who gains.
        top: see `p_top`.
    """

    frame: pl.DataFrame
    ratings: Floats
    board: Leaderboard
    model: str
    top: int


def inject(
    board: Leaderboard,
    model: str,
    shares: Sequence[float],
    uplifts: Sequence[float],
    *,
    top: int = 10,
) -> Injection:
    """Suppose that a model had seen a share of its prompts and gains on them.

    Each of its pairs, of N votes, moves by N f [p(gap + uplift) - p(gap)] from what the board
    expects of it, and every board is fitted anew. The other models' mean rating stays in place,
    or the anchor's, so that a share of 1 raises the model by the uplift.

    The interval is that of the board, moved: the votes are as many, and what is uncertain about
    the others is uncertain still. It does not cover that share and uplift are suppositions.

    Args:
        board: the board supposed clean.
        model: who gains.
        shares: of the model's battles, from 0 to 1.
        uplifts: rating points gained on seen prompts; negative ones are losses.
        top: for the probability of a rank of this or better.

    Raises:
        OptionError: a model that is not rated or is the anchor, or a number that cannot be.

    >>> from arena.pipeline import rate
    >>> from arena.uncertainty import Interval
    >>> board = rate(interval=Interval("none"))
    >>> told = inject(board, "llama-3-70b-instruct", [0.1, 1.0], [50.0])
    >>> told.frame["shift"].round(3).to_list()
    [4.938, 50.0]
    """
    index = model_index(board.fit, model)
    if board.scale.anchor and board.scale.anchor[0] == model:
        raise OptionError(f"anchor: '{model}' is the model that gains; hold another in place")
    if top < 1:
        raise OptionError(f"top: {top} is not a rank of at least 1")
    share, uplift = (
        grid.ravel()
        for grid in np.meshgrid(checked_shares(shares), checked_uplifts(uplifts), indexing="ij")
    )
    scale = board.scale
    moved = _moved(board, index, share, uplift / scale.per_log_odds)
    ratings = scale.ratings(board.fit) + scale.per_log_odds * moved
    columns: dict[str, Any] = {
        "share": share,
        "uplift": uplift,
        "rating": ratings[:, index],
        "shift": scale.per_log_odds * moved[:, index],
        "rank": [int(point_ranks(row)[index]) for row in ratings],
    }
    columns |= _uncertain(board, index, ratings, top)
    frame = pl.DataFrame(
        [
            pl.Series(name, columns.get(name, [None] * share.size), dtype=kind)
            for name, kind in COLUMNS.items()
        ]
    )
    return Injection(frame, ratings, board, model, top)


def _moved(board: Leaderboard, model: int, shares: Floats, gains: Floats) -> Floats:
    """How far each strength moves [G, m], in log-odds, on the board's scale."""
    fit = board.fit
    # The first table is the board itself, so that what the solver leaves undone cancels.
    tables = _tables(fit, model, np.append(0.0, shares), np.append(0.0, gains))
    log_odds = solve_tables(fit, tables).log_odds
    moved = log_odds[1:] - log_odds[0]
    anchor = board.scale.anchor
    if anchor:
        held = moved[:, [model_index(fit, anchor[0], "anchor")]]
    else:
        held = np.delete(moved, model, axis=1).mean(axis=1, keepdims=True)
    there: Floats = moved - held
    return there


def _tables(fit: Fit, model: int, shares: Floats, gains: Floats) -> Tables:
    """What the fit expects of all votes, the model's moved: a table for each share and gain.

    Expected votes give the fit itself, as those cast do, and hold no luck that could be less
    than what is taken away.
    """
    task = problem(fit.counts, fit.rule)
    expected = expected_outcomes(fit.rule, task.gaps(fit.point), fit.tie_parameter or 0.0)
    votes = task.outcomes.sum(axis=0) * expected
    cells = own_cells(fit, model)
    block = block_size(votes.shape[1], shares.size)

    def make(number: int) -> Floats:
        rows = slice(number * block, (number + 1) * block)
        table = np.repeat(votes[:, :, None], shares[rows].size, axis=2)
        table[:, cells.place] = mixed_votes(fit, cells, shares[rows], gains[rows])
        return table

    return Tables(shares.size, block, make)


def _uncertain(board: Leaderboard, model: int, ratings: Floats, top: int) -> dict[str, Any]:
    """Intervals of the rating and the rank, and the probability of a high rank."""
    known = board.uncertainty
    if known is None:
        return {}
    points, level = board.scale.per_log_odds, board.interval.level
    off = points * (np.array([known.lower[model], known.upper[model]]) - board.fit.log_odds[model])
    deviations = points * known.deviations[np.isfinite(known.deviations).all(axis=1)]
    ranks = _drawn_ranks(ratings, model, deviations)
    ends = [
        np.quantile(ranks, end, axis=1, method="nearest")
        for end in (0.5 - level / 2, 0.5 + level / 2)
    ]
    lower, upper = (pl.Series(ratings[:, model] + one).fill_nan(None).to_list() for one in off)
    return {
        "rating_lower": lower,
        "rating_upper": upper,
        "rank_lower": ends[0].astype(np.int64),
        "rank_upper": ends[1].astype(np.int64),
        "p_top": (ranks <= top).mean(axis=1),
    }


def _drawn_ranks(ratings: Floats, model: int, deviations: Floats) -> Floats:
    """The model's rank [G, B] in each board's draws: its ratings [G, m] plus deviations [B, m]."""
    apart = (deviations - deviations[:, [model]]).T
    lowest, highest = apart.min(axis=1, initial=np.inf), apart.max(axis=1, initial=-np.inf)
    ranks = np.empty((len(ratings), len(deviations)))
    for row, gaps in enumerate(ratings - ratings[:, [model]]):
        # Most models are above, or below, in every draw.
        above = gaps + lowest > 0.0
        open_ = np.flatnonzero((gaps + highest > 0.0) & ~above)
        ranks[row] = 1 + above.sum() + (apart[open_] + gaps[open_, None] > 0.0).sum(axis=0)
    return ranks
