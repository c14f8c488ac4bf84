"""The published vote-log formats: how each is recognised, and what its columns mean.

A format is told by its columns. What a column means is the same across formats wherever the
name is the same; a format states only what is its own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from arena.display import listing
from arena.errors import ColumnError, OptionError
from arena.raw_columns import Columns, Raw, as_flag, as_kind, as_text, from_user_turns, general
from arena.schema import BATTLE_SCHEMA, UNVOTED


@dataclass(frozen=True, slots=True)
class Format:
    """One published format.

    Attributes:
        name: the short name shown to users.
        published_as: the data sets that come in it.
        tell_tale: raw columns that must all be there.
        absent: raw columns that must not be there.
        columns: from the raw schema to what this format defines in its own way.
        unvoted_is_null: a null winner is a row nobody voted on, and no mistake.
        notes: what a reader of this format should know.
    """

    name: str
    published_as: str
    tell_tale: tuple[str, ...]
    notes: str
    absent: tuple[str, ...] = ()
    columns: Callable[[Raw], Columns] = lambda _: {}
    unvoted_is_null: bool = False

    def fits(self, raw: Raw) -> bool:
        """Whether a log with these raw columns is in this format."""
        return all(c in raw for c in self.tell_tale) and not any(c in raw for c in self.absent)


# ── what each format defines in its own way ────────────────────────────────────────────────


def _one_hot(raw: Raw) -> Columns:
    """55k: one-hot votes; prompts are a JSON list of user turns inside a string."""
    votes = {"winner_model_a": "model_a", "winner_model_b": "model_b", "winner_tie": "tie"}
    vote = {name: as_flag(name, raw[name]) for name in votes}
    label = pl.format(", ".join(f"{name}={{}}" for name in votes), *map(as_text, votes))
    winner: pl.Expr = label  # anything but exactly one 1 is quoted back as an unknown vote
    for name, meaning in votes.items():
        others = [~vote[other] for other in votes if other != name]
        alone = pl.all_horizontal(vote[name], *others)
        winner = pl.when(alone).then(pl.lit(meaning)).otherwise(winner)
    found = {
        "winner": winner,
        "battle_id": as_text("id") if "id" in raw else pl.lit(None, pl.String),
    }
    if raw.get("prompt") == pl.String:
        found |= from_user_turns(pl.col("prompt").str.json_decode(pl.List(pl.String)))
    return found


def _session_140k(raw: Raw) -> Columns:
    """140k: the whole session so far is in `full_conversation`, one entry per user turn."""
    if not isinstance(raw["full_conversation"], pl.List):
        return {}
    return {"session_turns": pl.col("full_conversation").list.len().cast(pl.Int64)}


FORMATS: tuple[Format, ...] = (
    Format(
        "counts",
        "what arena writes; the shipped Chatbot Arena log",
        ("model_a", "model_b", "wins_a", "wins_b", "ties"),
        "already counted; both_bad is optional",
    ),
    Format(
        "55k",
        "lmsys-arena-human-preference-55k, the Kaggle competition",
        ("model_a", "model_b", "winner_model_a", "winner_model_b", "winner_tie"),
        "one-hot votes; turns from the prompt's list; no judge, no time",
        columns=_one_hot,
    ),
    Format(
        "140k",
        "arena-human-preference-140k",
        ("model_a", "model_b", "winner", "evaluation_session_id", "full_conversation"),
        "turns from conv_metadata.turns, not evaluation_order; session_turns from full_conversation",
        columns=_session_140k,
    ),
    Format(
        "100k",
        "arena-human-preference-100k",
        ("model_a", "model_b", "winner", "conv_metadata", "category_tag", "judge_hash"),
        "turn counts user turns",
    ),
    Format(
        "33k",
        "chatbot_arena_conversations, clean_battle files",
        ("model_a", "model_b", "winner", "anony"),
        "only anonymous battles count; turn counts user turns; times are unix seconds",
    ),
    Format(
        "mt-bench",
        "mt_bench_human_judgments",
        ("model_a", "model_b", "winner", "question_id", "judge", "turn"),
        "turn, and so turns, is which turn was judged (1 or 2), not how many there were; "
        "prompt is the question's number",
        absent=("anony",),
        columns=lambda _: {"prompt": as_text("question_id"), "battle_id": pl.lit(None, pl.String)},
    ),
    Format(
        "messages",
        "search-arena, webdev-arena, VisionArena",
        ("model_a", "model_b", "winner"),
        "a null winner is a row that nobody voted on",
        absent=("anony",),
        unvoted_is_null=True,
    ),
    Format(
        "plain",
        "any table with model_a, model_b and winner",
        ("model_a", "model_b", "winner"),
        "other columns are used where their names are known",
    ),
)
BY_NAME = {each.name: each for each in FORMATS}


def recognise(raw: Raw, mapped: Mapping[str, str], where: str) -> Format:
    """The format whose tell-tale columns these are.

    Raises:
        ColumnError: if there is none; the message says which columns there are.
    """
    if {"model_a", "model_b", "winner"} <= set(mapped):
        return BY_NAME["plain"]
    message_like = {"messages_a", "num_turns", "conversation_a"} & set(raw)
    for each in FORMATS:
        if each.name == "messages" and not message_like:
            continue
        known = raw if each.name == "counts" else {**raw, **dict.fromkeys(mapped, pl.String())}
        if each.fits(known):
            return each
    lacking = [c for c in ("model_a", "model_b", "winner") if c not in raw and c not in mapped]
    message = (
        f"{where}: no column {listing(lacking)}; columns are {listing(raw, most=12)}; "
        "say which is which with --columns model_a=...,model_b=...,winner=..."
    )
    raise ColumnError(message)


def battle_columns(
    raw: Raw, mapped: Mapping[str, str], form: Format, where: str
) -> dict[str, pl.Expr]:
    """Every battle column this log has, as an expression over its raw columns.

    Args:
        raw: the log's own columns and their types.
        mapped: battle column → raw column, as the user says; goes before all else.
        form: the log's format.
        where: the input's name, for errors.

    Raises:
        OptionError: if `mapped` names a battle column that does not exist.
        ColumnError: if `mapped` names a raw column that the log lacks.
    """
    found = general(raw) | dict(form.columns(raw))
    for name in ("model_a", "model_b", "winner"):
        if name not in mapped and name in raw and raw[name].is_nested():
            raise ColumnError(f"{where}: column '{name}' holds {raw[name]}, where text is needed")
    for column, name in mapped.items():
        if column not in BATTLE_SCHEMA:
            message = (
                f"--columns: '{column}' is not a battle column; they are {', '.join(BATTLE_SCHEMA)}"
            )
            raise OptionError(message)
        if name not in raw:
            message = (
                f"{where}: no column '{name}' (for {column}); columns are {listing(raw, most=12)}"
            )
            raise ColumnError(message)
        if raw[name].is_nested():
            raise ColumnError(f"{where}: column '{name}' holds {raw[name]}, where text is needed")
        found[column] = as_kind(BATTLE_SCHEMA[column], name, raw[name])
    if form.unvoted_is_null:
        found["winner"] = found["winner"].fill_null(UNVOTED)
    return {name: found[name].alias(name) for name in BATTLE_SCHEMA if name in found}


def kept_columns(raw: Raw, keep: Iterable[str], found: Columns) -> dict[str, pl.Expr]:
    """Numeric columns of the log that are no battle columns, under their own names."""
    wanted = [name + side for name in keep for side in ("", "_a", "_b")]
    return {
        name: pl.col(name).cast(pl.Float64, strict=False)
        for name in wanted
        if name in raw and name not in found and not raw[name].is_nested()
    }
