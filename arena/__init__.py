"""Ratings from pairwise votes on language models, and what contamination does to them.

The public names; each is imported from its module when first used, so that `arena --help`
need not wait for polars and SciPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.anomalous_judges import JudgeEvidence, judge_evidence
    from arena.batch import Draws, Tables, solve_tables
    from arena.battle_order import order_battles
    from arena.battles import Battles, read_battles
    from arena.bradley_terry import Fit, fit_bradley_terry
    from arena.categories import CategoryBoards, category, rate_categories
    from arena.clusters import ClusterCounts, count_clusters
    from arena.comparison import Comparison, compare
    from arena.conditions import (
        anonymous,
        exactly_turns,
        exclude_models,
        first_turn,
        flagged,
        hard,
        known_language,
        language,
        last_turn,
        min_battles,
        multi_turn,
        no_both_bad,
        no_ties,
        only_models,
        prompt_tokens,
        random_share,
        since,
        single_turn,
        until,
    )
    from arena.control import rate_controlled
    from arena.corpora import Corpus, open_corpus
    from arena.counts import PairCounts, reweight_pairs, reweight_propensity
    from arena.covariance import estimate_covariance
    from arena.datasets import shipped
    from arena.design import build_design
    from arena.duplicates import (
        cap_repeats,
        dedup_sampled,
        one_vote_per_judge_and_prompt,
        without_exact_duplicates,
        without_near_duplicates,
    )
    from arena.elo import EloRule, online_elo, order_spread
    from arena.errors import ArenaError, UserError
    from arena.filters import Filter, Selection, select, where
    from arena.heldout import held_out_skill
    from arena.history import rate_history
    from arena.influence import JudgeInfluence, judge_influence
    from arena.judges import daily_cap, drop_anomalous_judges, min_votes
    from arena.leaderboard import Leaderboard, Scale, build_leaderboard
    from arena.matching import Match, match_prompts, read_match, rethreshold, unseen
    from arena.model_facts import read_facts
    from arena.near_duplicates import near_duplicate_groups
    from arena.outputs import write_board
    from arena.overlap_rules import OverlapRule, overlap_rule
    from arena.pipeline import rate
    from arena.prompt_survey import PromptSurvey, survey_prompts
    from arena.regression import fit_regression, regression_covariance
    from arena.resample import bootstrap_clusters, bootstrap_votes
    from arena.simulation import Simulated, simulate
    from arena.tally import Tally, count_pairs, tally_votes
    from arena.uncertainty import Interval, estimate_uncertainty
    from arena.winrates import observed_win_rates, pairs_table, predicted_win_rates
    from arena.world import World

_HOME = {
    "ArenaError": "errors",
    "Battles": "battles",
    "CategoryBoards": "categories",
    "ClusterCounts": "clusters",
    "Comparison": "comparison",
    "Corpus": "corpora",
    "Draws": "batch",
    "EloRule": "elo",
    "Filter": "filters",
    "Fit": "bradley_terry",
    "Interval": "uncertainty",
    "JudgeEvidence": "anomalous_judges",
    "JudgeInfluence": "influence",
    "Leaderboard": "leaderboard",
    "Match": "matching",
    "OverlapRule": "overlap_rules",
    "PairCounts": "counts",
    "PromptSurvey": "prompt_survey",
    "Scale": "leaderboard",
    "Selection": "filters",
    "Simulated": "simulation",
    "Tables": "batch",
    "Tally": "tally",
    "UserError": "errors",
    "World": "world",
    "anonymous": "conditions",
    "bootstrap_clusters": "resample",
    "bootstrap_votes": "resample",
    "build_design": "design",
    "build_leaderboard": "leaderboard",
    "cap_repeats": "duplicates",
    "category": "categories",
    "compare": "comparison",
    "count_clusters": "clusters",
    "count_pairs": "tally",
    "daily_cap": "judges",
    "dedup_sampled": "duplicates",
    "drop_anomalous_judges": "judges",
    "estimate_covariance": "covariance",
    "estimate_uncertainty": "uncertainty",
    "exactly_turns": "conditions",
    "exclude_models": "conditions",
    "first_turn": "conditions",
    "fit_bradley_terry": "bradley_terry",
    "fit_regression": "regression",
    "flagged": "conditions",
    "hard": "conditions",
    "held_out_skill": "heldout",
    "judge_evidence": "anomalous_judges",
    "judge_influence": "influence",
    "known_language": "conditions",
    "language": "conditions",
    "last_turn": "conditions",
    "match_prompts": "matching",
    "min_battles": "conditions",
    "min_votes": "judges",
    "multi_turn": "conditions",
    "near_duplicate_groups": "near_duplicates",
    "no_both_bad": "conditions",
    "no_ties": "conditions",
    "observed_win_rates": "winrates",
    "one_vote_per_judge_and_prompt": "duplicates",
    "online_elo": "elo",
    "only_models": "conditions",
    "open_corpus": "corpora",
    "order_battles": "battle_order",
    "order_spread": "elo",
    "overlap_rule": "overlap_rules",
    "pairs_table": "winrates",
    "predicted_win_rates": "winrates",
    "prompt_tokens": "conditions",
    "random_share": "conditions",
    "rate": "pipeline",
    "rate_categories": "categories",
    "rate_controlled": "control",
    "rate_history": "history",
    "read_battles": "battles",
    "read_facts": "model_facts",
    "read_match": "matching",
    "regression_covariance": "regression",
    "rethreshold": "matching",
    "reweight_pairs": "counts",
    "reweight_propensity": "counts",
    "select": "filters",
    "shipped": "datasets",
    "simulate": "simulation",
    "since": "conditions",
    "single_turn": "conditions",
    "solve_tables": "batch",
    "survey_prompts": "prompt_survey",
    "tally_votes": "tally",
    "unseen": "matching",
    "until": "conditions",
    "where": "filters",
    "without_exact_duplicates": "duplicates",
    "without_near_duplicates": "duplicates",
    "write_board": "outputs",
}

__all__ = [
    "ArenaError",
    "Battles",
    "CategoryBoards",
    "ClusterCounts",
    "Comparison",
    "Corpus",
    "Draws",
    "EloRule",
    "Filter",
    "Fit",
    "Interval",
    "JudgeEvidence",
    "JudgeInfluence",
    "Leaderboard",
    "Match",
    "OverlapRule",
    "PairCounts",
    "PromptSurvey",
    "Scale",
    "Selection",
    "Simulated",
    "Tables",
    "Tally",
    "UserError",
    "World",
    "anonymous",
    "bootstrap_clusters",
    "bootstrap_votes",
    "build_design",
    "build_leaderboard",
    "cap_repeats",
    "category",
    "compare",
    "count_clusters",
    "count_pairs",
    "daily_cap",
    "dedup_sampled",
    "drop_anomalous_judges",
    "estimate_covariance",
    "estimate_uncertainty",
    "exactly_turns",
    "exclude_models",
    "first_turn",
    "fit_bradley_terry",
    "fit_regression",
    "flagged",
    "hard",
    "held_out_skill",
    "judge_evidence",
    "judge_influence",
    "known_language",
    "language",
    "last_turn",
    "match_prompts",
    "min_battles",
    "min_votes",
    "multi_turn",
    "near_duplicate_groups",
    "no_both_bad",
    "no_ties",
    "observed_win_rates",
    "one_vote_per_judge_and_prompt",
    "online_elo",
    "only_models",
    "open_corpus",
    "order_battles",
    "order_spread",
    "overlap_rule",
    "pairs_table",
    "predicted_win_rates",
    "prompt_tokens",
    "random_share",
    "rate",
    "rate_categories",
    "rate_controlled",
    "rate_history",
    "read_battles",
    "read_facts",
    "read_match",
    "regression_covariance",
    "rethreshold",
    "reweight_pairs",
    "reweight_propensity",
    "select",
    "shipped",
    "simulate",
    "since",
    "single_turn",
    "solve_tables",
    "survey_prompts",
    "tally_votes",
    "unseen",
    "until",
    "where",
    "without_exact_duplicates",
    "without_near_duplicates",
    "write_board",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"arena.{_HOME[name]}"), name)
    raise AttributeError(f"module 'arena' has no attribute '{name}'")
