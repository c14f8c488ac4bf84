"""What a page on vote logs shows: all of it computed here, and nothing of it written yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from arena.battles import Battles
from arena.board_pair import Against
from arena.bradley_terry import Fit
from arena.categories import CATEGORIES, FULL, category, rate_categories
from arena.comparison import Comparison, compare
from arena.display import amount
from arena.errors import ColumnError, NoEstimateError
from arena.filters import refuse_nothing_left
from arena.html_contamination import kinds_table
from arena.html_suppositions import MOST_MODELS, Supposition, suppose
from arena.leaderboard import Leaderboard, Scale, build_leaderboard
from arena.pipeline import manifest
from arena.prompt_match import Match
from arena.prompt_report import match_sheet
from arena.sources import collect
from arena.tables import Sheet
from arena.tally import Tally, tally_votes
from arena.uncertainty import Interval
from arena.unseen_filter import unseen

UNSEEN = "unseen"
"""The key of the board without battles on seen prompts."""
MULTI_TURN = "multiturn"
"""The category that is shown without being asked for, as far as a log tells turns."""


NAMES = {FULL: "all votes", UNSEEN: "without seen prompts", MULTI_TURN: "multi-turn"}
"""What boards are called, where that is not their key."""


@dataclass(frozen=True, slots=True, eq=False)
class PageData:
    """All that a page shows.

    Attributes:
        boards: key → board, that of all votes first; on one scale.
        names: key → what it is called where one chooses.
        told: key → which votes it is of.
        tally: the counts, and an account of every row.
        suppositions: of every rated model, what seen prompts would do for it.
        days: the first and the last day of the votes, where they tell.
        match: what corpora have of these votes' prompts, where that was given.
        found: battles by class and kind.
        comparison: the board without seen prompts against that of all votes.
        left_out: what is not shown, each with the reason.
    """

    boards: Mapping[str, Leaderboard]
    names: Mapping[str, str]
    told: Mapping[str, str]
    tally: Tally
    suppositions: Sequence[Supposition]
    days: tuple[str, str] | None = None
    match: Match | None = None
    found: Sheet | None = None
    comparison: Comparison | None = None
    left_out: Sequence[str] = ()

    @property
    def board(self) -> Leaderboard:
        """The board of all votes."""
        return self.boards[FULL]


def gather_page(
    battles: Battles,
    match: Match | None = None,
    categories: Sequence[str] = (),
    *,
    against: Against = "all",
    within: Sequence[str] = (),
    cluster: str | None = None,
    draws: int = 1_000,
    rounds: int = 1_000,
    level: float = 0.95,
    seed: int = 0,
    ties: str = "half",
    scale: Scale | None = None,
) -> PageData:
    """Compute all that a page shows.

    Args:
        battles: the votes.
        match: of the same votes; see `match_prompts`.
        categories: keys of boards to show beside that of all votes; those that the votes do
            not tell are left out, and said to be.
        against: see `compare`, as for the next four.
        within: columns within which the placebo keeps as many.
        cluster: what to resample for the intervals of changes.
        draws: random removals.
        rounds: bootstrap resamples.
        level: coverage of all intervals.
        seed: of all that is drawn.
        ties: as for `fit_bradley_terry`.
        scale: the rating scale.

    Raises:
        OptionError: a category that does not exist, or a match of other votes.
        NoEstimateError: if there is nothing to rate.
    """
    for key in categories:
        if key != FULL:
            category(key)
    tally = tally_votes(battles)
    refuse_nothing_left(battles, tally)
    scale, interval = scale or Scale(), Interval(level=level, seed=seed)
    keys = [key for key in dict.fromkeys((MULTI_TURN, *categories)) if key != FULL]
    boards, left_out = _boards(battles, keys, ties, scale, interval)
    full = boards[FULL].with_manifest(manifest(tally, boards[FULL], {"ties": ties, "seed": seed}))
    told, found = None, None
    asked: dict[str, Any] = {"against": against, "within": within, "cluster": cluster}
    asked |= {"draws": draws, "rounds": rounds, "level": level, "seed": seed}
    asked |= {"ties": ties, "scale": scale}
    if match is None:
        left_out.append("seen prompts: no match was given; make one with arena match")
    else:
        unseen(match).on(battles)  # refuses a match of other votes
        match = _of_these(match, battles)
        found = match_sheet(match, battles)
        try:
            told = _compared(battles, match, asked)
        except NoEstimateError as error:
            left_out.append(f"the board without seen prompts: {error}")
    chosen = {FULL: full}
    if told is not None:
        fit = told.kept.fit
        chosen[UNSEEN] = build_leaderboard(fit, _beside(full, fit, scale), interval)
    suppositions = suppose(full)
    if len(suppositions) < len(full.fit.models):
        left_out.append(
            f"what if: for {amount(len(full.fit.models) - len(suppositions), 'model')}: the anchor, those "
            f"with too few votes for it, and those after the first {MOST_MODELS}"
        )
    chosen |= {key: board for key, board in boards.items() if key != FULL}
    return PageData(
        chosen,
        {key: NAMES.get(key, key.replace("_", " ")) for key in chosen},
        {key: _told(key) for key in chosen},
        tally,
        suppositions,
        _days(battles),
        match,
        found,
        told,
        left_out,
    )


def _boards(
    battles: Battles, keys: Sequence[str], ties: str, scale: Scale, interval: Interval
) -> tuple[dict[str, Leaderboard], list[str]]:
    """A board of all votes and of each category that can be rated; why the others cannot."""

    def rated(some: Sequence[str]) -> dict[str, Leaderboard]:
        told = rate_categories(battles, some, ties=ties, scale=scale, interval=interval)
        return dict(told.boards)

    try:
        return rated(keys), []
    except (ColumnError, NoEstimateError):
        able, left_out = [], []
        for key in keys:
            try:
                rated([key])
                able.append(key)
            except (ColumnError, NoEstimateError) as error:
                left_out.append(f"the board {key}: {error}")
        return rated(able), left_out


def _told(key: str) -> str:
    """Which votes a board is of."""
    if key == FULL:
        return "All votes"
    if key == UNSEEN:
        return "Without battles on prompts seen in training data"
    return f"Category {key}: {CATEGORIES[key].title}"


def _of_these(match: Match, battles: Battles) -> Match:
    """The match's prompts that these battles are on, and how many are on each."""
    counted = battles.frame.group_by(pl.col(match.text).alias("prompt")).agg(
        battles=pl.len().cast(pl.Int64)
    )
    asked = collect(counted.drop_nulls("prompt"), battles.sources)
    frame = match.frame.drop("battles").join(asked, on="prompt", maintain_order="left")
    return replace(match, frame=frame.select(match.frame.columns))


def _compared(battles: Battles, match: Match, asked: Mapping[str, Any]) -> Comparison:
    """All votes against those on unseen prompts, as asked of `compare`."""
    if not kinds_table(match).filter(prompts="seen")["battles"].sum():
        raise NoEstimateError("the match has no seen prompt, so there is nothing to leave out")
    return compare(battles, unseen(match), **asked)


def _beside(full: Leaderboard, fit: Fit, scale: Scale) -> Scale:
    """The scale on which the models of a fit have the mean that they have among all votes."""
    if scale.anchor:
        return scale
    there = full.frame.filter(pl.col("model").is_in(fit.models) & pl.col("rating").is_not_null())
    mean = there["rating"].mean()
    return replace(scale, init=mean) if isinstance(mean, float) else scale


def _days(battles: Battles) -> tuple[str, str] | None:
    """The first and the last day of the votes."""
    if "tstamp" not in battles.columns:
        return None
    time = pl.col("tstamp")
    ends = collect(battles.frame.select(low=time.min(), high=time.max()), battles.sources)
    low, high = ends.row(0)
    return None if low is None else (f"{low:%Y-%m-%d}", f"{high:%Y-%m-%d}")
