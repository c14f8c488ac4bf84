"""A comparison as a table: both boards, the changes, and what chance alone would do."""

from typing import Any

import polars as pl

from arena.comparison import Comparison
from arena.display import amount
from arena.pictures import comparison_pictures
from arena.tables import Sheet

SURE = 0.05
"""Below this probability a change is said to be more than chance."""


def comparison_sheet(told: Comparison) -> Sheet:
    """Both boards side by side."""
    return Sheet(
        "comparison",
        _title(told),
        told.frame,
        _summary(told),
        verdict(told),
        manifest(told),
        pictures=comparison_pictures(told),
    )


def _title(told: Comparison) -> str:
    kept, base = (board.fit.all_counts.n_battles for board in (told.kept, told.base))
    together = base if told.against == "all" else base + kept
    held = "all" if told.against == "all" else "the other"
    filters = "; ".join(told.options["filters"])
    return (
        f"Kept: {amount(kept, 'vote')}, {kept / together:.1%} of {together:,.0f} ({filters}); "
        f"held against {held} {base:,.0f}"
    )


def _summary(told: Comparison) -> pl.DataFrame:
    """What is shown: ranks, ratings, and of each change its interval and what chance makes."""
    draws = told.options["draws"]
    rows = list(told.frame.iter_rows(named=True))
    columns = {
        "rank": [row["rank_base"] for row in rows],
        "model": [row["model"] for row in rows],
        "rating": [row["rating_base"] for row in rows],
        "kept": [_rank_kept(row) for row in rows],
        "change": [_signed(row["change"], 1).rjust(6) for row in rows],
        f"{told.options['level'] * 100:g}% interval": [_between(row, "change") for row in rows],
        "by chance": [_between(row, "null") for row in rows],
        "p": [_shown(row["p_value"], draws) for row in rows],
        "p, of all": [_shown(row["p_adjusted"], draws) for row in rows],
    }
    if told.frame["note"].is_not_null().any():
        columns["note"] = [row["note"] for row in rows]
    return pl.DataFrame(columns, schema_overrides={"rating": pl.Float64, "rank": pl.Int64})


def _rank_kept(row: dict[str, Any]) -> str:
    """The rank among the kept, places risen, and the rating."""
    if row["rank_kept"] is None:
        return ""
    risen = f"{row['rank_change']:+d}" if row["rank_change"] else ""
    return f"{row['rank_kept']:3d} {risen:>4} {row['rating_kept']:8,.1f}"


def _signed(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:+.{digits}f}"


def _between(row: dict[str, Any], name: str) -> str:
    if row["change"] is None:
        return ""
    lower, upper = (_signed(row[f"{name}_{side}"], 0) or "?" for side in ("lower", "upper"))
    return f"{lower:>4} to {upper:>4}"


def verdict(told: Comparison) -> list[str]:
    """What the comparison says, in sentences."""
    draws = told.options["draws"]
    within = " and ".join(["pair of models", *told.options["within"]])
    moved = told.frame.filter(pl.col("p_adjusted") < SURE)
    known = told.frame["change"].is_not_null().sum()
    chance = told.typical_null
    sentence = "moves more than" if told.p_board < SURE else "does not move more than"
    lines = [
        f"The board as a whole {sentence} chance would: p = {_shown(told.p_board, draws)} for its "
        f"largest change; as many votes were kept at random of each {within}, {draws:,} times.",
        f"A rating moves by {told.typical_change:.1f} points (root mean square); by chance by "
        f"{chance[0]:.1f} ({chance[1]:.1f} to {chance[2]:.1f}).",
        f"{moved.height} of {known} changes are more than chance with all of them in view "
        f"(p, of all < {SURE}).",
        "kept: rank, places risen, and rating on the board of the votes kept; interval: of the "
        "change, both boards resampled together; by chance: where the change would lie if the "
        "votes kept were of no special kind.",
    ]
    return lines


def _shown(p: float | None, draws: int) -> str:
    """A probability, no finer than the draws can tell."""
    return "" if p is None else f"{p:.{max(2, len(str(draws)) - 1)}f}"


def manifest(told: Comparison) -> dict[str, object]:
    """What is needed to make the comparison again, and its overall figures."""
    return {
        "inputs": [reading.described() for reading in told.tally.readings],
        "filters": told.tally.funnel.to_dicts(),
        "options": dict(told.options),
        "counts_sha256": {
            "base": told.base.fit.all_counts.sha256(),
            "kept": told.kept.fit.all_counts.sha256(),
        },
        "p_board": told.p_board,
        "typical_change": told.typical_change,
        "typical_null": list(told.typical_null),
    }
