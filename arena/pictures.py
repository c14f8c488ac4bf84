"""Which pictures there are of a result; what draws one is imported when it is drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
    from matplotlib.figure import Figure

    from arena.comparison import Comparison
    from arena.detection import Power
    from arena.dosing import Dose
    from arena.heldout import HeldOut
    from arena.history import History
    from arena.injection import Injection
    from arena.lead import BreakEven
    from arena.leaderboard import Leaderboard
    from arena.prompt_match import Match
    from arena.tables import Draw
    from arena.uplift import Uplift
    from arena.variants import BestOfN
    from arena.vote_influence import FewestVotes


def _most(top: int | None) -> dict[str, Any]:
    """How many models are drawn, where that was asked for."""
    return {} if top is None else {"top": top or None}


def board_pictures(board: "Leaderboard") -> "Mapping[str, Draw]":
    """Of a leaderboard: ratings, ranks (where it has intervals), win-rates, observed, battles."""

    def ratings(top: int | None, dark: bool) -> "Figure":
        from arena.board_plots import plot_ratings

        return plot_ratings(board, dark=dark, **_most(top))

    def ranks(top: int | None, dark: bool) -> "Figure":
        from arena.board_plots import plot_rank_sets

        return plot_rank_sets(board, dark=dark, **_most(top))

    def win_rates(top: int | None, dark: bool) -> "Figure":
        from arena.pair_plots import plot_win_rates

        return plot_win_rates(board, dark=dark, **_most(top))

    def observed(top: int | None, dark: bool) -> "Figure":
        from arena.pair_plots import plot_win_rates

        return plot_win_rates(board, observed=True, dark=dark, **_most(top))

    def battles(top: int | None, dark: bool) -> "Figure":
        from arena.pair_plots import plot_battle_counts

        return plot_battle_counts(board, dark=dark, **_most(top))

    return {
        "ratings": ratings,
        "ranks": ranks,
        "win-rates": win_rates,
        "observed": observed,
        "battles": battles,
    }


def comparison_pictures(told: "Comparison") -> "Mapping[str, Draw]":
    """Of a comparison: placebo, ranks."""

    def placebo(top: int | None, dark: bool) -> "Figure":
        from arena.comparison_plots import plot_placebo

        return plot_placebo(told, dark=dark, **_most(top))

    def ranks(top: int | None, dark: bool) -> "Figure":
        from arena.comparison_plots import plot_rank_changes

        return plot_rank_changes(told, dark=dark, **_most(top))

    return {"placebo": placebo, "ranks": ranks}


def history_pictures(told: "History") -> "Mapping[str, Draw]":
    """Of a history: history."""

    def history(top: int | None, dark: bool) -> "Figure":
        from arena.time_plots import plot_history

        return plot_history(told, dark=dark, **_most(top))

    return {"history": history}


def elo_pictures(spread: "pl.DataFrame") -> "Mapping[str, Draw]":
    """Of Elo's order spread: orders."""

    def orders(top: int | None, dark: bool) -> "Figure":
        from arena.time_plots import plot_order_spread

        return plot_order_spread(spread, dark=dark, **_most(top))

    return {"orders": orders}


def skill_pictures(told: "HeldOut") -> "Mapping[str, Draw]":
    """Of held-out skill: calibration."""

    def calibration(top: int | None, dark: bool) -> "Figure":
        from arena.heldout_plots import plot_calibration

        return plot_calibration(told, dark=dark)

    return {"calibration": calibration}


def match_pictures(match: "Match") -> "Mapping[str, Draw]":
    """Of a match: classes, scores."""

    def classes(top: int | None, dark: bool) -> "Figure":
        from arena.match_plots import plot_overlap_classes

        return plot_overlap_classes(match, dark=dark)

    def scores(top: int | None, dark: bool) -> "Figure":
        from arena.match_plots import plot_match_scores

        return plot_match_scores(match, dark=dark)

    return {"classes": classes, "scores": scores}


def injection_pictures(told: "Injection") -> "Mapping[str, Draw]":
    """Of an injection: shift."""

    def shift(top: int | None, dark: bool) -> "Figure":
        from arena.supposition_plots import plot_injection

        return plot_injection(told, dark=dark)

    return {"shift": shift}


def break_even_pictures(told: "BreakEven") -> "Mapping[str, Draw]":
    """Of a break-even: break-even."""

    def curve(top: int | None, dark: bool) -> "Figure":
        from arena.supposition_plots import plot_break_even

        return plot_break_even(told, dark=dark)

    return {"break-even": curve}


def power_pictures(told: "Power") -> "Mapping[str, Draw]":
    """Of a power: power."""

    def power(top: int | None, dark: bool) -> "Figure":
        from arena.detection_plots import plot_power

        return plot_power(told, dark=dark)

    return {"power": power}


def variant_pictures(told: "BestOfN") -> "Mapping[str, Draw]":
    """Of the best of n: gain."""

    def gain(top: int | None, dark: bool) -> "Figure":
        from arena.variant_plots import plot_variants

        return plot_variants(told, dark=dark)

    return {"gain": gain}


def uplift_pictures(told: "Uplift") -> "Mapping[str, Draw]":
    """Of an estimated gain: uplift."""

    def uplift(top: int | None, dark: bool) -> "Figure":
        from arena.exposure_plots import plot_uplift

        return plot_uplift(told, dark=dark, **_most(top))

    return {"uplift": uplift}


def dose_pictures(told: "Dose") -> "Mapping[str, Draw]":
    """Of a dose: dose."""

    def dose(top: int | None, dark: bool) -> "Figure":
        from arena.exposure_plots import plot_dose

        return plot_dose(told, dark=dark)

    return {"dose": dose}


def removal_pictures(told: "FewestVotes") -> "Mapping[str, Draw]":
    """Of the fewest votes: removal."""

    def removal(top: int | None, dark: bool) -> "Figure":
        from arena.exposure_plots import plot_fewest_votes

        return plot_fewest_votes(told, dark=dark)

    return {"removal": removal}
