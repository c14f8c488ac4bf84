"""What-if suppositions for every rated model, computed once and packed for a page."""

from collections.abc import Sequence
from dataclasses import dataclass

from arena.errors import NoEstimateError
from arena.html_tables import shown
from arena.injection import inject
from arena.leaderboard import Leaderboard
from arena.report import rated

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
UPLIFTS = (10.0, 25.0, 50.0, 100.0, 200.0)
MOST_MODELS = 200
"""So many of the first models are supposed to gain; each needs fits of its own."""


@dataclass(frozen=True, slots=True)
class Supposition:
    """A model, and what it would have if it had gained on seen prompts.

    Attributes:
        model: its name.
        rank, rating: on the board supposed clean.
        cells: for each share, and in it for each uplift: rating, rank, and the best and the
            worst rank within its interval, None where the board has none.
    """

    model: str
    rank: int
    rating: float
    cells: tuple[tuple[float | int | None, ...], ...]


def suppose(
    board: Leaderboard, shares: Sequence[float] = SHARES, uplifts: Sequence[float] = UPLIFTS
) -> list[Supposition]:
    """Inject every share and uplift into every rated model, one model at a time.

    Of very many models, only into the first ones, `MOST_MODELS`. An anchor cannot gain, and is left out, as is a model whose votes are too few for it.
    """
    held = board.scale.anchor[0] if board.scale.anchor else None
    found = []
    for row in rated(board, MOST_MODELS).select("model", "rank", "rating").iter_rows(named=True):
        if row["model"] == held:
            continue
        try:
            frame = inject(board, row["model"], shares, uplifts).frame
        except NoEstimateError:
            continue
        cells = frame.select("rating", "rank", "rank_lower", "rank_upper").rows()
        found.append(Supposition(row["model"], row["rank"], row["rating"], tuple(cells)))
    return found


def packed(
    found: Sequence[Supposition],
    first: str,
    shares: Sequence[float] = SHARES,
    uplifts: Sequence[float] = UPLIFTS,
) -> dict[str, object]:
    """The suppositions as plain values, ratings to a tenth of a point; `first` is shown first."""
    return {
        "first": [one.model for one in found].index(first),
        "shares": list(shares),
        "uplifts": list(uplifts),
        "models": [
            {
                "name": shown(one.model),
                "rank": one.rank,
                "rating": round(one.rating, 1),
                "cells": [[round(cell[0] or 0.0, 1), *cell[1:]] for cell in one.cells],
            }
            for one in found
        ],
    }
