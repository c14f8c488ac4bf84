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
    from arena.board_plots import plot_rank_sets, plot_ratings
    from arena.board_variants import best_of_n_on_board
    from arena.bradley_terry import Fit, fit_bradley_terry
    from arena.categories import CategoryBoards, category, rate_categories
    from arena.clusters import ClusterCounts, count_clusters
    from arena.comparison import Comparison, compare
    from arena.comparison_plots import plot_placebo, plot_rank_changes
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
    from arena.detection import Power, detection_power
    from arena.detection_plots import plot_power
    from arena.dosing import Dose, dose
    from arena.duplicates import (
        cap_repeats,
        dedup_sampled,
        one_vote_per_judge_and_prompt,
        without_exact_duplicates,
        without_near_duplicates,
    )
    from arena.elo import EloRule, online_elo, order_spread
    from arena.errors import ArenaError, UserError
    from arena.exposure import expose, exposed_models
    from arena.exposure_plots import plot_dose, plot_fewest_votes, plot_uplift
    from arena.filters import Filter, Selection, select, where
    from arena.heldout import held_out_skill
    from arena.heldout_plots import plot_calibration
    from arena.history import rate_history
    from arena.html_data import gather_page
    from arena.html_page import render_page, write_page
    from arena.influence import JudgeInfluence, judge_influence
    from arena.injection import Injection, inject
    from arena.judges import daily_cap, drop_anomalous_judges, min_votes
    from arena.lead import BreakEven, break_even
    from arena.leaderboard import Leaderboard, Scale, build_leaderboard
    from arena.match_plots import plot_match_scores, plot_overlap_classes
    from arena.matching import match_prompts
    from arena.model_facts import read_facts
    from arena.near_duplicates import near_duplicate_groups
    from arena.outputs import write_board
    from arena.overlap_rules import OverlapRule, overlap_rule
    from arena.pair_plots import plot_battle_counts, plot_win_rates
    from arena.pipeline import rate
    from arena.plots import save_picture
    from arena.prompt_match import Match, read_match, rethreshold
    from arena.prompt_survey import PromptSurvey, survey_prompts
    from arena.regression import fit_regression, regression_covariance
    from arena.removal import remove_seen
    from arena.resample import bootstrap_clusters, bootstrap_votes
    from arena.retirement import Retirement, retire_early
    from arena.simulation import Simulated, simulate
    from arena.supposition_plots import plot_break_even, plot_injection
    from arena.tally import Tally, count_pairs, tally_votes
    from arena.time_plots import plot_history, plot_order_spread
    from arena.uncertainty import Interval, estimate_uncertainty
    from arena.unseen_filter import unseen
    from arena.uplift import Uplift, estimate_uplift
    from arena.variant_plots import plot_variants
    from arena.variants import BestOfN, best_of_n
    from arena.vote_influence import FewestVotes, fewest_votes
    from arena.winrates import observed_win_rates, pairs_table, predicted_win_rates
    from arena.world import World

_HOME = {
    "ArenaError": "errors",
    "Battles": "battles",
    "BestOfN": "variants",
    "BreakEven": "lead",
    "CategoryBoards": "categories",
    "ClusterCounts": "clusters",
    "Comparison": "comparison",
    "Corpus": "corpora",
    "Dose": "dosing",
    "Draws": "batch",
    "EloRule": "elo",
    "FewestVotes": "vote_influence",
    "Filter": "filters",
    "Fit": "bradley_terry",
    "Injection": "injection",
    "Interval": "uncertainty",
    "JudgeEvidence": "anomalous_judges",
    "JudgeInfluence": "influence",
    "Leaderboard": "leaderboard",
    "Match": "prompt_match",
    "OverlapRule": "overlap_rules",
    "PairCounts": "counts",
    "Power": "detection",
    "PromptSurvey": "prompt_survey",
    "Retirement": "retirement",
    "Scale": "leaderboard",
    "Selection": "filters",
    "Simulated": "simulation",
    "Tables": "batch",
    "Tally": "tally",
    "Uplift": "uplift",
    "UserError": "errors",
    "World": "world",
    "anonymous": "conditions",
    "best_of_n": "variants",
    "best_of_n_on_board": "board_variants",
    "bootstrap_clusters": "resample",
    "bootstrap_votes": "resample",
    "break_even": "lead",
    "build_design": "design",
    "build_leaderboard": "leaderboard",
    "cap_repeats": "duplicates",
    "category": "categories",
    "compare": "comparison",
    "count_clusters": "clusters",
    "count_pairs": "tally",
    "daily_cap": "judges",
    "dedup_sampled": "duplicates",
    "detection_power": "detection",
    "dose": "dosing",
    "drop_anomalous_judges": "judges",
    "estimate_covariance": "covariance",
    "estimate_uncertainty": "uncertainty",
    "estimate_uplift": "uplift",
    "exactly_turns": "conditions",
    "exclude_models": "conditions",
    "expose": "exposure",
    "exposed_models": "exposure",
    "fewest_votes": "vote_influence",
    "first_turn": "conditions",
    "fit_bradley_terry": "bradley_terry",
    "fit_regression": "regression",
    "flagged": "conditions",
    "gather_page": "html_data",
    "hard": "conditions",
    "held_out_skill": "heldout",
    "inject": "injection",
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
    "plot_battle_counts": "pair_plots",
    "plot_break_even": "supposition_plots",
    "plot_calibration": "heldout_plots",
    "plot_dose": "exposure_plots",
    "plot_fewest_votes": "exposure_plots",
    "plot_history": "time_plots",
    "plot_injection": "supposition_plots",
    "plot_match_scores": "match_plots",
    "plot_order_spread": "time_plots",
    "plot_overlap_classes": "match_plots",
    "plot_placebo": "comparison_plots",
    "plot_power": "detection_plots",
    "plot_rank_changes": "comparison_plots",
    "plot_rank_sets": "board_plots",
    "plot_ratings": "board_plots",
    "plot_variants": "variant_plots",
    "plot_uplift": "exposure_plots",
    "plot_win_rates": "pair_plots",
    "predicted_win_rates": "winrates",
    "prompt_tokens": "conditions",
    "random_share": "conditions",
    "rate": "pipeline",
    "rate_categories": "categories",
    "rate_controlled": "control",
    "rate_history": "history",
    "read_battles": "battles",
    "read_facts": "model_facts",
    "read_match": "prompt_match",
    "regression_covariance": "regression",
    "remove_seen": "removal",
    "render_page": "html_page",
    "rethreshold": "prompt_match",
    "retire_early": "retirement",
    "reweight_pairs": "counts",
    "reweight_propensity": "counts",
    "save_picture": "plots",
    "select": "filters",
    "shipped": "datasets",
    "simulate": "simulation",
    "since": "conditions",
    "single_turn": "conditions",
    "solve_tables": "batch",
    "survey_prompts": "prompt_survey",
    "tally_votes": "tally",
    "unseen": "unseen_filter",
    "until": "conditions",
    "where": "filters",
    "without_exact_duplicates": "duplicates",
    "without_near_duplicates": "duplicates",
    "write_board": "outputs",
    "write_page": "html_page",
}

__all__ = [
    "ArenaError",
    "Battles",
    "BestOfN",
    "BreakEven",
    "CategoryBoards",
    "ClusterCounts",
    "Comparison",
    "Corpus",
    "Dose",
    "Draws",
    "EloRule",
    "FewestVotes",
    "Filter",
    "Fit",
    "Injection",
    "Interval",
    "JudgeEvidence",
    "JudgeInfluence",
    "Leaderboard",
    "Match",
    "OverlapRule",
    "PairCounts",
    "Power",
    "PromptSurvey",
    "Retirement",
    "Scale",
    "Selection",
    "Simulated",
    "Tables",
    "Tally",
    "Uplift",
    "UserError",
    "World",
    "anonymous",
    "best_of_n",
    "best_of_n_on_board",
    "bootstrap_clusters",
    "bootstrap_votes",
    "break_even",
    "build_design",
    "build_leaderboard",
    "cap_repeats",
    "category",
    "compare",
    "count_clusters",
    "count_pairs",
    "daily_cap",
    "dedup_sampled",
    "detection_power",
    "dose",
    "drop_anomalous_judges",
    "estimate_covariance",
    "estimate_uncertainty",
    "estimate_uplift",
    "exactly_turns",
    "exclude_models",
    "expose",
    "exposed_models",
    "fewest_votes",
    "first_turn",
    "fit_bradley_terry",
    "fit_regression",
    "flagged",
    "gather_page",
    "hard",
    "held_out_skill",
    "inject",
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
    "plot_battle_counts",
    "plot_break_even",
    "plot_calibration",
    "plot_dose",
    "plot_fewest_votes",
    "plot_history",
    "plot_injection",
    "plot_match_scores",
    "plot_order_spread",
    "plot_overlap_classes",
    "plot_placebo",
    "plot_power",
    "plot_rank_changes",
    "plot_rank_sets",
    "plot_ratings",
    "plot_uplift",
    "plot_variants",
    "plot_win_rates",
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
    "remove_seen",
    "render_page",
    "rethreshold",
    "retire_early",
    "reweight_pairs",
    "reweight_propensity",
    "save_picture",
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
    "write_page",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(f"arena.{_HOME[name]}"), name)
    raise AttributeError(f"module 'arena' has no attribute '{name}'")
