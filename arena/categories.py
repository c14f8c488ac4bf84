"""LMArena's leaderboard categories: each is a filter, and has the key that LMArena gives it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from arena.battles import Battles
from arena.bradley_terry import Fit, fit_bradley_terry
from arena.conditions import flagged, hard, language, multi_turn, no_ties, prompt_tokens
from arena.counts import pair_counts
from arena.duplicates import cap_repeats, dedup_sampled
from arena.errors import NoEstimateError, OptionError
from arena.filters import Filter, refuse_nothing_left, select
from arena.judges import daily_cap
from arena.leaderboard import Leaderboard, Scale, build_leaderboard
from arena.tally import accepted_groups, group_votes, tally_votes
from arena.uncertainty import Interval

FULL = "full"


@dataclass(frozen=True, slots=True)
class Category:
    """A leaderboard category.

    Attributes:
        key: as LMArena writes it.
        title: what it is.
        filter: what makes it.
    """

    key: str
    title: str
    filter: Filter


def _deduplicated() -> Filter:
    """The published tag where there is one, and LMSYS' rule otherwise."""

    def keeps(battles: Battles) -> pl.Expr:
        tagged = "dedup_sampled" in battles.columns
        return (dedup_sampled() if tagged else cap_repeats()).on(battles).keeps

    return Filter("deduplicated", (), keeps)


def _language(name: str) -> Category:
    return Category(name.lower(), f"{name} prompts", language(name))


CATEGORIES: Mapping[str, Category] = {
    one.key: one
    for one in (
        Category("dedup", "the most repeated prompts sampled down", _deduplicated()),
        Category("math", "mathematics", flagged("is_math")),
        Category("if", "instruction following", flagged("is_instruction_following")),
        Category("multiturn", "at least 2 user turns", multi_turn()),
        Category("creative_writing", "creative writing", flagged("is_creative_writing")),
        Category("coding", "conversations with code", flagged("is_code")),
        Category("hard_6", "at least 6 of 7 criteria of hard prompts", hard(6)),
        Category(
            "hard_english_6",
            "the same, in English",
            language("English") & hard(6),
        ),
        Category("long_user", "user turns of at least 500 tokens", prompt_tokens(500)),
        *map(
            _language,
            (
                "English",
                "Chinese",
                "French",
                "German",
                "Spanish",
                "Russian",
                "Japanese",
                "Korean",
            ),
        ),
        Category("no_tie", "no ties, and not both bad", no_ties()),
        Category("no_short", "user turns of at least 5 tokens", prompt_tokens(5)),
        Category("no_refusal", "no answer refuses", ~flagged("is_refusal")),
        Category("overall_limit_5_user_vote", "5 votes per judge and day", daily_cap(5)),
    )
}
"""Key → category; ``full`` is every vote."""


def category(key: str) -> Category:
    """The category with this key.

    Raises:
        OptionError: if there is none; the message lists them.
    """
    if key not in CATEGORIES:
        raise OptionError(f"category: no '{key}'; they are {', '.join((FULL, *CATEGORIES))}")
    return CATEGORIES[key]


@dataclass(frozen=True, slots=True, eq=False)
class CategoryBoards:
    """A board per category.

    Attributes:
        boards: key → board, ``full`` first.
        frame: one row per model, best overall first: `model`, and per category `rank_KEY`,
            `rating_KEY`, `rating_lower_KEY`, `rating_upper_KEY`, `battles_KEY`; null where it
            has no rating there. Without an anchor, the ratings of each category have the mean
            that the same models have in the full board.
    """

    boards: Mapping[str, Leaderboard]
    frame: pl.DataFrame


def rate_categories(
    battles: Battles,
    keys: Sequence[str],
    *,
    ties: str = "half",
    scale: Scale | None = None,
    interval: Interval | None = None,
) -> CategoryBoards:
    """A board of each category beside that of all votes, from one pass over the votes.

    Raises:
        OptionError: a category that does not exist.
        ColumnError: one that needs a column that the log lacks; the message lists those it has.
        NoEstimateError: one without votes.
    """
    wanted = list(dict.fromkeys(key for key in keys if key != FULL))
    filters = {key: category(key).filter for key in wanted}
    meets = {key: one.on(battles).keeps.fill_null(False) for key, one in filters.items()}
    groups = accepted_groups(group_votes(battles, meets), battles)
    scale = scale or Scale()
    full = build_leaderboard(fit_bradley_terry(pair_counts(groups), ties=ties), scale, interval)
    boards = {FULL: full}
    for key in wanted:
        counts = pair_counts(groups.filter(key))
        if not counts.n_models:
            kept = select(battles, filters[key]).kept
            refuse_nothing_left(kept, tally_votes(kept))
        try:
            fit = fit_bradley_terry(counts, ties=ties)
        except NoEstimateError as error:
            raise NoEstimateError(f"category {key}: {error}") from error
        boards[key] = build_leaderboard(fit, _beside(full, fit, scale), interval)
    return CategoryBoards(boards, _side_by_side(boards))


def _beside(full: Leaderboard, fit: Fit, scale: Scale) -> Scale:
    """The scale on which a category's ratings can stand beside those of all votes."""
    if scale.anchor:
        return scale
    rated = full.frame.filter(pl.col("model").is_in(fit.models) & pl.col("rating").is_not_null())
    mean = rated["rating"].mean()
    return replace(scale, init=mean) if isinstance(mean, float) else scale


def _side_by_side(boards: Mapping[str, Leaderboard]) -> pl.DataFrame:
    columns = ("rank", "rating", "rating_lower", "rating_upper", "battles")
    frame = boards[FULL].frame.select("model")
    for key, board in boards.items():
        named = board.frame.select("model", *(pl.col(c).alias(f"{c}_{key}") for c in columns))
        frame = frame.join(named, on="model", how="left", maintain_order="left")
    return frame
