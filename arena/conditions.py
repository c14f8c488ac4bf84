"""Filters on what a battle is: its turns, language, models, time, prompt and winner."""

import difflib
import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
import polars as pl

from arena.battles import Battles
from arena.errors import ColumnError, NoEstimateError, OptionError
from arena.filters import Filter, count_rows, keep_places, need_one_of
from arena.sources import collect
from arena.tally import tally_votes

LENGTHS = ("user_tokens", "user_text", "prompt")
"""Where it stands how long the user's turns are, the surest first."""

TurnsOf = Literal["turns", "session_turns"]

LANGUAGES = {
    "ar": "Arabic",
    "bn": "Bengali",
    "bg": "Bulgarian",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "ms": "Malay",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sr": "Serbian",
    "sv": "Swedish",
    "ta": "Tamil",
    "te": "Telugu",
    "th": "Thai",
    "tl": "Tagalog",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "zh": "Chinese",
    "zh-hant": "ChineseT",
    "und": "unknown",
}
"""ISO 639-1 code → the name that older logs write for it; newer logs write the code."""

TOKEN = r"[\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}\s]"
"""A word, a number or a mark: where the log brings no token counts, what is counted instead."""


# ── turns ──────────────────────────────────────────────────────────────────────────────────


def multi_turn(at_least: int = 2, *, of: TurnsOf = "turns") -> Filter:
    """Battles whose conversation has at least so many user turns (LMArena's `multiturn`).

    Args:
        at_least: user turns.
        of: ``turns``, of the conversation judged, which is what LMArena's category means; or
            ``session_turns``, of the whole session so far, which the 140k format tells: there,
            each vote is on one exchange with two models, and a session has several.

    In MT-Bench's human votes `turns` is which turn was judged, so this keeps the second ones.
    """
    if at_least < 2:
        raise OptionError(f"multi-turn: {at_least} is not a number of turns of at least 2")
    return Filter(f"{of} >= {at_least}", (of,), lambda _: pl.col(of) >= at_least)


def exactly_turns(turns: int, *, of: TurnsOf = "turns") -> Filter:
    """Battles with exactly so many user turns; in MT-Bench, votes on that turn."""
    if turns < 1:
        raise OptionError(f"turns: {turns} is not a number of turns of at least 1")
    return Filter(f"{of} == {turns}", (of,), lambda _: pl.col(of) == turns)


def single_turn(*, of: TurnsOf = "turns") -> Filter:
    """Battles with one user turn."""
    return exactly_turns(1, of=of)


def first_turn() -> Filter:
    """Votes on the first turn of a conversation, where `turns` says which turn was judged."""
    return exactly_turns(1)


def last_turn() -> Filter:
    """Votes on the last turn that was judged of their prompt (MT-Bench: the second).

    For logs in which `turns` says which turn of a prompt's conversation was judged.
    """

    def last(battles: Battles) -> pl.Expr:
        turns = battles.frame.group_by("prompt").agg(pl.col("turns").max())
        known = collect(turns.drop_nulls(), battles.sources)
        ends = pl.col("prompt").replace_strict(
            known["prompt"], known["turns"], default=None, return_dtype=pl.Int64
        )
        return pl.col("turns") == ends

    return Filter("last turn", ("turns", "prompt"), last)


# ── language ───────────────────────────────────────────────────────────────────────────────


def language(*names: str) -> Filter:
    """Battles in one of these languages, by name or ISO 639-1 code, in any case.

    >>> language("english", "ja").name
    'language in English, Japanese'
    """
    if not names or not all(name.strip() for name in names):
        raise OptionError("language: name at least one, e.g. English or en")
    shown = [_language_name(name) for name in names]
    spelt = [spelling.casefold() for name in shown for spelling in (name, _language_code(name))]
    said = shown[0] if len(shown) == 1 else f"in {', '.join(shown)}"
    name = f"language {said}" if len(shown) > 1 else f"language is {said}"
    return Filter(name, ("language",), lambda _: pl.col("language").str.to_lowercase().is_in(spelt))


def known_language() -> Filter:
    """Battles whose language was recognised."""
    unknown = ("unknown", "und", "un", "")
    column = pl.col("language").str.to_lowercase()
    return Filter(
        "language known", ("language",), lambda _: ~column.is_in(unknown) & column.is_not_null()
    )


def _language_name(name: str) -> str:
    by_name = {known.casefold(): known for known in LANGUAGES.values()}
    key = name.strip().casefold()
    return LANGUAGES.get(key) or by_name.get(key) or name.strip()


def _language_code(name: str) -> str:
    return next((code for code, known in LANGUAGES.items() if known == name), name)


# ── models ─────────────────────────────────────────────────────────────────────────────────


def exclude_models(*patterns: str) -> Filter:
    """Battles without these models; a pattern such as ``claude-*`` names several.

    Using it on battles raises OptionError for a pattern that names no model there.
    """

    def without(battles: Battles) -> pl.Expr:
        named = _named(battles, patterns, "exclude-models")
        return ~pl.col("model_a").is_in(named) & ~pl.col("model_b").is_in(named)

    return Filter(f"without {', '.join(patterns)}", (), without)


def only_models(*patterns: str) -> Filter:
    """Battles among these models; a pattern such as ``claude-*`` names several."""

    def among(battles: Battles) -> pl.Expr:
        named = _named(battles, patterns, "only-models")
        return pl.col("model_a").is_in(named) & pl.col("model_b").is_in(named)

    return Filter(f"among {', '.join(patterns)}", (), among)


def _named(battles: Battles, patterns: Sequence[str], option: str) -> list[str]:
    """The models of the log that the patterns name."""
    if not patterns:
        raise OptionError(f"{option}: name at least one model")
    models = tally_votes(battles).counts.models
    named: dict[str, None] = {}
    for pattern in patterns:
        found = [model for model in models if model == pattern or fnmatchcase(model, pattern)]
        if not found:
            close = difflib.get_close_matches(pattern, models, n=3, cutoff=0.4)
            hint = f"; did you mean {' or '.join(close)}?" if close else ""
            raise OptionError(f"{option}: no model '{pattern}' in these votes{hint}")
        named |= dict.fromkeys(found)
    return list(named)


def min_battles(at_least: int) -> Filter:
    """Battles between models that all have at least so many battles with each other.

    Leaving a model out takes battles from others; this is repeated until none falls short.
    """
    if at_least < 1:
        raise OptionError(f"min-battles: {at_least} is not a number of battles of at least 1")

    def between(battles: Battles) -> pl.Expr:
        counts = tally_votes(battles).counts
        kept = np.arange(counts.n_models)
        while kept.size:
            among = counts.restrict(kept)
            met = np.bincount(
                among.pairs.ravel(), np.repeat(among.votes.sum(axis=1), 2), minlength=kept.size
            )
            # The effective number of weighted votes is a quotient of sums, and not quite whole.
            enough = met >= at_least * (1.0 - 1e-9)
            if enough.all():
                break
            kept = kept[enough]
        if not kept.size:
            raise NoEstimateError(
                f"min-battles: no models have {at_least:,} battles with each other"
            )
        named = [counts.models[i] for i in kept]
        return pl.col("model_a").is_in(named) & pl.col("model_b").is_in(named)

    return Filter(f"models with >= {at_least:,} battles", (), between)


# ── time ───────────────────────────────────────────────────────────────────────────────────


def since(moment: str | date) -> Filter:
    """Battles at or after a moment: a date, or an ISO 8601 time, UTC where it says nothing."""
    start = _moment(moment, "since")
    return Filter(f"since {_shown(start)}", ("tstamp",), lambda _: pl.col("tstamp") >= start)


def until(moment: str | date) -> Filter:
    """Battles before a moment; see `since`. ``until("2024-07-01")`` ends with June."""
    end = _moment(moment, "until")
    return Filter(f"until {_shown(end)}", ("tstamp",), lambda _: pl.col("tstamp") < end)


def _moment(moment: str | date, option: str) -> datetime:
    try:
        found = datetime.fromisoformat(str(moment))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        message = f"{option}: '{moment}' is no date or ISO 8601 time, e.g. 2024-07-01"
        raise OptionError(message) from None


def _shown(moment: datetime) -> str:
    midnight = (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
    return f"{moment:%Y-%m-%d}" if midnight else f"{moment:%Y-%m-%d %H:%M:%S}"


# ── prompts and winners ────────────────────────────────────────────────────────────────────


def prompt_tokens(at_least: int = 0, at_most: int | None = None) -> Filter:
    """Battles whose user turns have so many tokens together.

    Counted by `user_tokens` where the log has it (LMSYS' counts), and otherwise as the words,
    numbers and marks of `user_text`, or of `prompt` if that is all there is.
    """
    if at_least < 0 or (at_most is not None and at_most < at_least):
        raise OptionError(f"prompt tokens: from {at_least} to {at_most} is no range")
    bounds = (f">= {at_least}" if at_least else "", "" if at_most is None else f"<= {at_most}")
    name = f"prompt tokens {' and '.join(filter(None, bounds)) or '>= 0'}"

    def within(battles: Battles) -> pl.Expr:
        need_one_of(battles, LENGTHS, name)
        columns = [c for c in LENGTHS if c in battles.columns]
        # Where some rows lack a published count, their text is counted.
        tokens = pl.coalesce(
            pl.col(c) if c == "user_tokens" else pl.col(c).str.count_matches(TOKEN) for c in columns
        )
        return tokens >= at_least if at_most is None else tokens.is_between(at_least, at_most)

    return Filter(name, (), within)


def flagged(column: str) -> Filter:
    """Battles for which a true-or-false column, such as `is_code`, is true."""

    def is_true(battles: Battles) -> pl.Expr:
        kind = battles.rows.collect_schema()[column]
        if kind != pl.Boolean:
            raise ColumnError(f"column '{column}' holds {kind}, which is neither true nor false")
        return pl.col(column)

    return Filter(column, (column,), is_true)


def hard(at_least: int = 6) -> Filter:
    """Battles whose prompt meets at least so many of LMSYS' seven criteria of hard prompts.

    https://lmsys.org/blog/2024-05-17-category-hard/
    """
    if not 1 <= at_least <= 7:
        raise OptionError(f"hard: {at_least} is not a number of criteria from 1 to 7")
    column = "hard_criteria"
    return Filter(f"{column} >= {at_least}", (column,), lambda _: pl.col(column) >= at_least)


def anonymous() -> Filter:
    """Battles fought without the models' names known.

    Logs with `anony` are read so by themselves, unless ``read_battles(anonymous_only=False)``.
    """
    return flagged("anony")


def no_ties() -> Filter:
    """Battles that were won: neither a tie nor both bad."""
    return _without_winners("no ties", ("tie", "both_bad"))


def no_both_bad() -> Filter:
    """Battles in which not both were called bad."""
    return _without_winners("no both-bad", ("both_bad",))


def _without_winners(name: str, winners: Sequence[str]) -> Filter:
    def others(battles: Battles) -> pl.Expr:
        spelt = [label for label, winner in battles.labels.items() if winner in winners]
        return ~pl.col("winner").is_in(spelt)

    return Filter(name, (), others)


def random_share(share: float, seed: int = 0) -> Filter:
    """A random part of the battles: each kept with this probability, whatever it is."""
    if not (math.isfinite(share) and 0 < share <= 1):
        raise OptionError(f"random share: {share} is not a number above 0 and up to 1")

    name = f"random {share:.3g} (seed {seed})"

    def drawn(battles: Battles) -> pl.Expr:
        if "votes" in battles.columns:
            message = (
                f"column 'votes': a row stands for several votes, and the filter '{name}' needs a "
                "row for each"
            )
            raise ColumnError(message)
        return keep_places(np.random.default_rng(seed).random(count_rows(battles)) < share)

    return Filter(name, (), drawn)
