"""Ratings from pairwise votes on language models, and what contamination does to them.

The public names; each is imported from its module when first used, so that `arena --help`
need not wait for polars and SciPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.batch import Draws, Tables, solve_tables
    from arena.battle_order import order_battles
    from arena.battles import Battles, read_battles
    from arena.bradley_terry import Fit, fit_bradley_terry
    from arena.clusters import ClusterCounts, count_clusters
    from arena.control import rate_controlled
    from arena.counts import PairCounts, reweight_pairs, reweight_propensity
    from arena.covariance import estimate_covariance
    from arena.datasets import shipped
    from arena.design import build_design
    from arena.elo import EloRule, online_elo, order_spread
    from arena.errors import ArenaError, UserError
    from arena.heldout import held_out_skill
    from arena.history import rate_history
    from arena.leaderboard import Leaderboard, Scale, build_leaderboard
    from arena.outputs import write_board
    from arena.pipeline import rate
    from arena.regression import fit_regression, regression_covariance
    from arena.resample import bootstrap_clusters, bootstrap_votes
    from arena.tally import Tally, count_pairs, tally_votes
    from arena.uncertainty import Interval, estimate_uncertainty
    from arena.winrates import observed_win_rates, pairs_table, predicted_win_rates

_HOME = {
    "ArenaError": "errors",
    "Battles": "battles",
    "ClusterCounts": "clusters",
    "Draws": "batch",
    "EloRule": "elo",
    "Fit": "bradley_terry",
    "Interval": "uncertainty",
    "Leaderboard": "leaderboard",
    "PairCounts": "counts",
    "Scale": "leaderboard",
    "Tables": "batch",
    "Tally": "tally",
    "UserError": "errors",
    "bootstrap_clusters": "resample",
    "bootstrap_votes": "resample",
    "build_design": "design",
    "build_leaderboard": "leaderboard",
    "count_clusters": "clusters",
    "count_pairs": "tally",
    "estimate_covariance": "covariance",
    "estimate_uncertainty": "uncertainty",
    "fit_bradley_terry": "bradley_terry",
    "fit_regression": "regression",
    "held_out_skill": "heldout",
    "observed_win_rates": "winrates",
    "online_elo": "elo",
    "order_battles": "battle_order",
    "order_spread": "elo",
    "pairs_table": "winrates",
    "predicted_win_rates": "winrates",
    "rate": "pipeline",
    "rate_controlled": "control",
    "rate_history": "history",
    "read_battles": "battles",
    "regression_covariance": "regression",
    "reweight_pairs": "counts",
    "reweight_propensity": "counts",
    "shipped": "datasets",
    "solve_tables": "batch",
    "tally_votes": "tally",
    "write_board": "outputs",
}

__all__ = [
    "ArenaError",
    "Battles",
    "ClusterCounts",
    "Draws",
    "EloRule",
    "Fit",
    "Interval",
    "Leaderboard",
    "PairCounts",
    "Scale",
    "Tables",
    "Tally",
    "UserError",
    "bootstrap_clusters",
    "bootstrap_votes",
    "build_design",
    "build_leaderboard",
    "count_clusters",
    "count_pairs",
    "estimate_covariance",
    "estimate_uncertainty",
    "fit_bradley_terry",
    "fit_regression",
    "held_out_skill",
    "observed_win_rates",
    "online_elo",
    "order_battles",
    "order_spread",
    "pairs_table",
    "predicted_win_rates",
    "rate",
    "rate_controlled",
    "rate_history",
    "read_battles",
    "regression_covariance",
    "reweight_pairs",
    "reweight_propensity",
    "shipped",
    "solve_tables",
    "tally_votes",
    "write_board",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"arena.{_HOME[name]}"), name)
    raise AttributeError(f"module 'arena' has no attribute '{name}'")
