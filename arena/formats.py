"""The published vote-log formats: how each is recognised, and what its columns mean.

A format is told by its columns. What a column means is the same across formats wherever the
name is the same; a format states only what is its own.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from arena.display import listing
from arena.errors import ColumnError, OptionError

WINNERS = ("model_a", "model_b", "tie", "both_bad")

SPELLINGS: Mapping[str, str] = {
    **{winner: winner for winner in WINNERS},
    "tie (bothbad)": "both_bad",
    "tie(bothbad)": "both_bad",
    "bothbad": "both_bad",
}
"""How the published logs spell a vote, and which winner each spelling stands for."""

BATTLE_SCHEMA: Mapping[str, pl.DataType] = {
    "battle_id": pl.String(),
    "model_a": pl.String(),
    "model_b": pl.String(),
    "winner": pl.String(),
    "votes": pl.Float64(),
    "weight": pl.Float64(),
    "judge": pl.String(),
    "session": pl.String(),
    "tstamp": pl.Datetime("us", "UTC"),
    "language": pl.String(),
    "turns": pl.Int64(),
    "session_turns": pl.Int64(),
    "prompt": pl.String(),
    "user_text": pl.String(),
    "anony": pl.Boolean(),
    "dedup_sampled": pl.Boolean(),
    "is_code": pl.Boolean(),
    "is_refusal": pl.Boolean(),
    **{
        f"{count}_{side}": pl.Int64()
        for count in ("tokens", "headers", "lists", "bold")
        for side in ("a", "b")
    },
}
"""Every column a battle can have; the models and the winner are always there.

`votes` is how many equal votes a row stands for, `weight` what each of them counts; both are
one where they are not given.
"""

Columns = Mapping[str, pl.Expr]
Raw = Mapping[str, pl.DataType]


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


# ── casting: text formats bring every plain column as text ─────────────────────────────────


def _text(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.String)


def _integer(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64, strict=False)


def _flag(name: str, kind: pl.DataType) -> pl.Expr:
    if kind == pl.Boolean:
        return pl.col(name)
    text = pl.col(name).cast(pl.String).str.to_lowercase()
    yes, no = (text.is_in(list(spelt)) for spelt in (("true", "1", "1.0"), ("false", "0", "0.0")))
    return pl.when(yes).then(True).when(no).then(False)


def _time(name: str, kind: pl.DataType) -> pl.Expr:
    """Unix seconds, or ISO 8601 text (taken as UTC where it names no offset)."""
    column = pl.col(name)
    if kind == pl.Date:
        return column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if isinstance(kind, pl.Datetime):
        return (
            column.dt.convert_time_zone("UTC")
            if kind.time_zone
            else column.dt.replace_time_zone("UTC")
        ).dt.cast_time_unit("us")
    seconds = (column.cast(pl.Float64, strict=False) * 1e6).cast(pl.Int64, strict=False)
    unix = seconds.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if kind != pl.String:
        return unix
    local = column.str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    offset = column.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    return pl.coalesce(unix, offset, local)


# ── conversations ──────────────────────────────────────────────────────────────────────────

CONVERSATIONS = ("conversation_a", "messages_a", "messages")
TEXTS = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
PARTS = pl.List(
    pl.Struct(
        {"role": pl.String, "content": pl.List(pl.Struct({"type": pl.String, "text": pl.String}))}
    )
)


def _user_turns(raw: Raw) -> pl.Expr | None:
    """The user's messages, a list of texts, from whichever column holds them."""
    for name in CONVERSATIONS:
        kind = raw.get(name)
        if kind == pl.String:
            return _user_content_of_text(pl.col(name))
        if isinstance(kind, pl.List) and isinstance(kind.inner, pl.Struct):
            content = {field.name: field.dtype for field in kind.inner.fields}.get("content")
            if content is not None:
                return _user_content(pl.col(name), content)
    return None


def _user_content_of_text(text: pl.Expr) -> pl.Expr:
    """The same of conversations written as JSON; each is in one of two shapes."""
    # A part is an object, so content in parts has a brace after its bracket; plain text, a quote.
    in_parts = text.str.contains(r'"content"\s*:\s*\[')
    plain = pl.when(~in_parts).then(text).str.json_decode(TEXTS)
    parts = pl.when(in_parts).then(text).str.json_decode(PARTS)
    return pl.coalesce(
        _user_content(plain, pl.String()), _user_content(parts, pl.List(pl.Struct({})))
    )


def _user_content(messages: pl.Expr, content: object) -> pl.Expr:
    message = pl.element().struct
    of_user = pl.element().filter(message.field("role") == "user").struct.field("content")
    if isinstance(content, pl.List):  # a list of {type, text} parts
        of_user = of_user.list.eval(pl.element().struct.field("text")).list.join("")
    return messages.list.eval(of_user)


def _from_user_turns(turns: pl.Expr) -> dict[str, pl.Expr]:
    return {
        "turns": turns.list.len().cast(pl.Int64),
        "prompt": turns.list.first(),
        "user_text": turns.list.drop_nulls().list.join("\n"),
    }


# ── the metadata of style control ──────────────────────────────────────────────────────────


def _style(raw: Raw) -> dict[str, pl.Expr]:
    kind = raw.get("conv_metadata")
    if not isinstance(kind, pl.Struct):
        return {}
    fields = {field.name for field in kind.fields}
    meta = pl.col("conv_metadata").struct
    found: dict[str, pl.Expr] = {}
    if "turns" in fields:
        found["turns"] = meta.field("turns").cast(pl.Int64)
    for side in ("a", "b"):
        if f"sum_assistant_{side}_tokens" in fields:
            found[f"tokens_{side}"] = meta.field(f"sum_assistant_{side}_tokens").cast(pl.Int64)
        for count, field in (
            ("headers", "header_count"),
            ("lists", "list_count"),
            ("bold", "bold_count"),
        ):
            if f"{field}_{side}" in fields:
                parts = meta.field(f"{field}_{side}").struct.field("*")
                found[f"{count}_{side}"] = pl.sum_horizontal(parts).cast(pl.Int64)
    return found


def _general(raw: Raw) -> dict[str, pl.Expr]:
    """What a column means in every format that has it, by its name."""
    found: dict[str, pl.Expr] = {}
    turns = _user_turns(raw)
    if turns is not None:
        found |= _from_user_turns(turns)
    found |= _style(raw)
    if isinstance(raw.get("dedup_tag"), pl.Struct):
        found["dedup_sampled"] = pl.col("dedup_tag").struct.field("sampled")
    names = {
        "battle_id": ("battle_id", "question_id", "id"),
        "judge": ("judge", "judge_hash", "user_id"),
        "session": ("session", "evaluation_session_id", "session_id"),
        "tstamp": ("tstamp", "timestamp"),
        "turns": ("turns", "num_turns", "turn"),
        # Only where the user says so: columns of these names could mean anything.
        "votes": (),
        "weight": (),
    }
    for column, kind in BATTLE_SCHEMA.items():
        for name in names.get(column, (column,)):
            if name in raw and not raw[name].is_nested():
                found[column] = _as(kind, name, raw[name])
                break
    return found


def _as(kind: pl.DataType, name: str, found: pl.DataType) -> pl.Expr:
    """A raw column as the battle schema wants it."""
    if kind == pl.String:
        return _text(name)
    if kind == pl.Boolean:
        return _flag(name, found)
    if isinstance(kind, pl.Datetime):
        return _time(name, found)
    return _integer(name) if kind == pl.Int64 else pl.col(name).cast(pl.Float64, strict=False)


# ── what each format defines in its own way ────────────────────────────────────────────────


def _one_hot(raw: Raw) -> Columns:
    """55k: one-hot votes; prompts are a JSON list of user turns inside a string."""
    votes = {"winner_model_a": "model_a", "winner_model_b": "model_b", "winner_tie": "tie"}
    vote = {name: _flag(name, raw[name]) for name in votes}
    label = pl.format(", ".join(f"{name}={{}}" for name in votes), *map(_text, votes))
    winner: pl.Expr = label  # anything but exactly one 1 is quoted back as an unknown vote
    for name, meaning in votes.items():
        others = [~vote[other] for other in votes if other != name]
        alone = pl.all_horizontal(vote[name], *others)
        winner = pl.when(alone).then(pl.lit(meaning)).otherwise(winner)
    found = {"winner": winner, "battle_id": _text("id") if "id" in raw else pl.lit(None, pl.String)}
    if raw.get("prompt") == pl.String:
        found |= _from_user_turns(pl.col("prompt").str.json_decode(pl.List(pl.String)))
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
        columns=lambda _: {"prompt": _text("question_id"), "battle_id": pl.lit(None, pl.String)},
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
    found = _general(raw) | dict(form.columns(raw))
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
        found[column] = _as(BATTLE_SCHEMA[column], name, raw[name])
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


UNVOTED = "(nobody voted)"
"""The label of a row that nobody voted on, in formats that have such rows."""
