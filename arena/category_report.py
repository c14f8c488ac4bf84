"""Boards of several categories as one table."""

from typing import Any

import polars as pl

from arena.categories import CATEGORIES, FULL, CategoryBoards
from arena.display import amount
from arena.tables import Sheet


def category_sheet(boards: CategoryBoards) -> Sheet:
    """All boards side by side.

    Of each category: the rank, how many places that is above the rank among all votes, the
    rating, and half its interval.
    """
    full = boards.boards[FULL]
    rows = list(boards.frame.iter_rows(named=True))
    columns: dict[str, list[Any]] = {
        "rank": [row[f"rank_{FULL}"] for row in rows],
        "model": [row["model"] for row in rows],
        "rating": [_rating(row, FULL) for row in rows],
    }
    for key in boards.boards:
        if key != FULL:
            columns[key] = [_beside(row, key) for row in rows]
    parts = [
        f"{key}: {CATEGORIES[key].title} ({amount(board.fit.counts.n_battles, 'vote')})"
        for key, board in boards.boards.items()
        if key != FULL
    ]
    title = "; ".join([f"All {amount(full.fit.counts.n_battles, 'vote')}", *parts])
    lines = ["Of each category: rank, places risen against all votes, rating."]
    if full.interval.method != "none":
        level, name = f"{full.interval.level * 100:g}%", full.interval.name
        lines = [f"{lines[0][:-1]} ± half its {level} {name} interval."]
    summary = pl.DataFrame(columns).filter(pl.col("rank").is_not_null())
    return Sheet("categories", title, boards.frame, summary, lines)


def _rating(row: dict[str, Any], key: str) -> str:
    rating, lower, upper = (
        row[f"{name}_{key}"] for name in ("rating", "rating_lower", "rating_upper")
    )
    if rating is None:
        return ""
    half = "" if lower is None or upper is None else f" ±{(upper - lower) / 2:3.0f}"
    return f"{rating:4.0f}{half}"


def _beside(row: dict[str, Any], key: str) -> str:
    rank, overall = row[f"rank_{key}"], row[f"rank_{FULL}"]
    if rank is None:
        return ""
    risen = 0 if overall is None else overall - rank
    return f"{rank:3d} {f'{risen:+d}' if risen else '':>4} {_rating(row, key)}"
