"""Ratings from pairwise votes on language models, and what contamination does to them.

The public names; each is imported from its module when first used, so that `arena --help`
need not wait for polars and SciPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.battles import Battles, read_battles
    from arena.bradley_terry import Fit, fit_bradley_terry
    from arena.counts import PairCounts
    from arena.covariance import estimate_covariance
    from arena.datasets import shipped
    from arena.errors import ArenaError, UserError
    from arena.leaderboard import Leaderboard, Scale, build_leaderboard
    from arena.outputs import write_board
    from arena.pipeline import rate
    from arena.tally import Tally, count_pairs, tally_votes
    from arena.uncertainty import Interval

_HOME = {
    "ArenaError": "errors",
    "Battles": "battles",
    "Fit": "bradley_terry",
    "Interval": "uncertainty",
    "Leaderboard": "leaderboard",
    "PairCounts": "counts",
    "Scale": "leaderboard",
    "Tally": "tally",
    "UserError": "errors",
    "count_pairs": "tally",
    "estimate_covariance": "covariance",
    "fit_bradley_terry": "bradley_terry",
    "build_leaderboard": "leaderboard",
    "rate": "pipeline",
    "read_battles": "battles",
    "shipped": "datasets",
    "tally_votes": "tally",
    "write_board": "outputs",
}

__all__ = [
    "ArenaError",
    "Battles",
    "Fit",
    "Interval",
    "Leaderboard",
    "PairCounts",
    "Scale",
    "Tally",
    "UserError",
    "build_leaderboard",
    "count_pairs",
    "estimate_covariance",
    "fit_bradley_terry",
    "rate",
    "read_battles",
    "shipped",
    "tally_votes",
    "write_board",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"arena.{_HOME[name]}"), name)
    raise AttributeError(f"module 'arena' has no attribute '{name}'")
