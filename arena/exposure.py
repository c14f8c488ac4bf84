"""Which side of a battle had seen the prompt: two columns, from a match or from the log itself.

Whatever asks what seen prompts are worth works on these columns alone. So votes without texts,
such as simulated ones, and flags that somebody else made of their own evidence will do as well.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import polars as pl

from arena.battles import Battles, Condition
from arena.display import listing
from arena.errors import ColumnError, OptionError
from arena.prompt_match import Match
from arena.sources import Source, collect
from arena.tally import Tally, accepted_groups, group_votes, tally_groups
from arena.unseen_filter import refuse_other_log, seen_prompts, short_prompts

SIDES = ("seen_a", "seen_b")
"""Whether the model on this side was trained on the battle's prompt."""

SEEN = "seen"
"""Whether any model was trained on the battle's prompt, in this battle or not; a log may lack it.

As a name to keep, see `read_battles`, it stands for all three columns.
"""


def expose(battles: Battles, match: Match, short: Literal["keep", "drop"] = "keep") -> Battles:
    """Say of each battle which side had seen its prompt.

    Added are `seen_a` and `seen_b`, whether that model was trained on a corpus that had the
    prompt, and `seen`, whether any corpus had it that some model was trained on. They are null
    in battles without a prompt. Stock prompts are not seen, as finding them says nothing.

    Args:
        battles: the votes.
        match: of the same log, or of one that holds it.
        short: what to do with battles on prompts that are too short to judge, or stock prompts:
            ``keep`` them as not seen, or ``drop`` them.

    Raises:
        OptionError: an option that cannot be, a match that lacks some of the prompts, or one in
            which nobody is said to be trained on anything.
        ColumnError: votes without prompts, or that have one of these columns already.
    """
    if short not in ("keep", "drop"):
        raise OptionError(f"short: '{short}' is not one of keep, drop")
    trained = {corpus: models for corpus, models in match.trained.items() if models}
    if not trained:
        message = (
            "seen prompts: nobody is said to be trained on these corpora; match again with "
            "--trained MODEL,MODEL"
        )
        raise OptionError(message)
    if match.text not in battles.columns:
        message = (
            f"no column '{match.text}', in which the match looked for prompts; "
            f"these votes have {', '.join(battles.columns)}"
        )
        raise ColumnError(message)
    there = [name for name in (*SIDES, SEEN) if name in battles.columns]
    if there:
        raise ColumnError(f"seen prompts: the votes have {listing(there)} already; leave them out")
    refuse_other_log(match, battles)
    text = pl.col(match.text)
    had = {corpus: text.is_in(seen_prompts(match, corpus).implode()) for corpus in trained}
    flags = {
        f"seen_{side}": pl.any_horizontal(
            had[corpus] & pl.col(f"model_{side}").is_in(models)
            for corpus, models in trained.items()
        )
        for side in "ab"
    } | {SEEN: pl.any_horizontal(had.values())}
    parts = tuple(
        part.with_columns(
            pl.when(text.is_not_null()).then(flag).alias(name)
            if match.text in part.collect_schema()
            else pl.lit(None, pl.Boolean).alias(name)
            for name, flag in flags.items()
        )
        for part in battles.parts
    )
    shown = replace(battles, parts=parts)
    if short == "keep":
        return shown
    unclear = text.is_in(short_prompts(match).implode())
    long_enough = pl.when(text.is_not_null()).then(~unclear)
    return shown.meeting(Condition("prompt neither short nor stock", long_enough))


def with_known_exposure(battles: Battles) -> Battles:
    """Only the battles of which `seen_a` and `seen_b` are known.

    Raises:
        ColumnError: if there are no such columns.
    """
    lacking = [name for name in SIDES if name not in battles.columns]
    if lacking:
        message = (
            f"no column {listing(lacking)}, which says whose training data had the prompt; make "
            "it of a match with expose(battles, match)"
        )
        raise ColumnError(message)
    known = pl.all_horizontal(pl.col(name).is_not_null() for name in SIDES)
    return battles.meeting(Condition("prompt known", known))


def count_exposure(battles: Battles) -> pl.DataFrame:
    """Votes by pair, winner and exposure, of battles whose exposure is known.

    Returns:
        A frame as from `count_groups`, with `seen_a`, `seen_b` and `seen` as Booleans; `seen`
        is null if the votes have no such column.

    Raises:
        ColumnError: columns that are missing, are neither true nor false, or contradict
            each other.
        LabelError, ReadError: as `tally_votes`.
    """
    return tally_exposure(battles)[1]


def tally_exposure(battles: Battles) -> tuple[Tally, pl.DataFrame]:
    """The account of every row, and the votes of `count_exposure`, of one pass.

    The account has a condition more than the battles: that their exposure is known.

    Raises:
        ColumnError, LabelError, ReadError: as `count_exposure`.
    """
    known = with_known_exposure(battles)
    flags = {name: flag(known, name) for name in (*SIDES, SEEN) if name in known.columns}
    every = group_votes(known, flags)
    groups = accepted_groups(every, known)
    refuse_scores(groups.lazy(), {name: pl.col(name) for name in flags})
    tally = tally_groups(every.drop(list(flags)), known)
    groups = groups.with_columns(pl.col(list(flags)).cast(pl.Boolean))
    if SEEN not in flags:
        return tally, groups.with_columns(pl.lit(None, pl.Boolean).alias(SEEN))
    against = groups.filter(~pl.col(SEEN) & pl.any_horizontal(SIDES))
    if against.height:
        message = (
            f"column '{SEEN}': is false in battles in which a side had seen the prompt; it must "
            "be true wherever 'seen_a' or 'seen_b' is"
        )
        raise ColumnError(message)
    return tally, groups


def flag(battles: Battles, name: str) -> pl.Expr:
    """One of the columns as a number.

    Raises:
        ColumnError: if it is text or the like.
    """
    kinds = [part.collect_schema().get(name) for part in battles.parts]
    for kind in kinds:
        if not (kind is None or kind == pl.Boolean or kind.is_numeric() or kind == pl.Null):
            raise ColumnError(f"column '{name}' is {str(kind).lower()}, neither true nor false")
    return pl.col(name).cast(pl.Float64)


def refuse_scores(
    votes: pl.LazyFrame, flags: Mapping[str, pl.Expr], sources: Sequence[Source] = ()
) -> None:
    """Raise ColumnError if a flag, as a number, is neither 0 nor 1, nor empty.

    Args:
        votes: what the flags are columns of.
        flags: name → the flag, see `flag`.
        sources: what the votes are read from.
    """
    wrong = [one.filter(~one.is_in([0.0, 1.0])).min().alias(name) for name, one in flags.items()]
    for name, value in collect(votes.select(wrong), sources).row(0, named=True).items():
        if value is not None:
            message = (
                f"column '{name}': {value:g} is neither 0 nor 1; of a score, make a column that "
                "says whether it is high enough"
            )
            raise ColumnError(message)


def exposed_models(battles: Battles) -> pl.DataFrame:
    """How much of its battles each model had seen, the most exposed first.

    Returns:
        A frame: model; battles, whose prompt is known; seen, those whose prompt the model had
        seen; share, the one of the other.

    Raises:
        ColumnError, LabelError, ReadError: as `count_exposure`.

    >>> from arena.battles import read_battles
    >>> log = pl.DataFrame(
    ...     {
    ...         "model_a": ["x", "x"],
    ...         "model_b": ["y", "z"],
    ...         "winner": ["tie", "model_a"],
    ...         "seen_a": [True, False],
    ...         "seen_b": [False, False],
    ...     }
    ... )
    >>> exposed_models(read_battles(log, keep=["seen"])).rows()
    [('x', 2.0, 1.0, 0.5), ('y', 1.0, 0.0, 0.0), ('z', 1.0, 0.0, 0.0)]
    """
    return exposure_table(count_exposure(battles))


def exposure_table(groups: pl.DataFrame, models: Sequence[str] | None = None) -> pl.DataFrame:
    """The table of `exposed_models` from the groups of `count_exposure`.

    Args:
        groups: the groups.
        models: only these.
    """
    n = "votes" if "votes" in groups.columns else "n"
    sides = [
        groups.select(model=f"model_{side}", battles=n, seen=pl.col(n) * pl.col(f"seen_{side}"))
        for side in "ab"
    ]
    table = (
        pl.concat(sides)
        .group_by("model")
        .agg(pl.col("battles", "seen").sum())
        .with_columns(share=pl.col("seen") / pl.col("battles"))
        .sort("share", "model", descending=[True, False])
    )
    return table if models is None else table.filter(pl.col("model").is_in(list(models)))
