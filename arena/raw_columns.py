"""What a raw column means, by its name: the same in every published format that has it."""

from collections.abc import Mapping

import polars as pl

from arena.schema import BATTLE_SCHEMA

Columns = Mapping[str, pl.Expr]
Raw = Mapping[str, pl.DataType]

# ── casting: text formats bring every plain column as text ─────────────────────────────────


def as_text(name: str) -> pl.Expr:
    """A column as text."""
    return pl.col(name).cast(pl.String)


def _integer(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int64, strict=False)


def as_flag(name: str, kind: pl.DataType) -> pl.Expr:
    """A column as true or false, null where it says neither."""
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


def from_user_turns(turns: pl.Expr) -> dict[str, pl.Expr]:
    """What a list of the user's messages says of a battle."""
    return {
        "turns": turns.list.len().cast(pl.Int64),
        "prompt": turns.list.first(),
        "user_text": turns.list.drop_nulls().list.join("\n"),
    }


# ── metadata and tags ──────────────────────────────────────────────────────────────────────


def _metadata(raw: Raw) -> dict[str, pl.Expr]:
    kind = raw.get("conv_metadata")
    if not isinstance(kind, pl.Struct):
        return {}
    fields = {field.name for field in kind.fields}
    meta = pl.col("conv_metadata").struct
    found: dict[str, pl.Expr] = {}
    if "turns" in fields:
        found["turns"] = meta.field("turns").cast(pl.Int64)
    if "sum_user_tokens" in fields:
        found["user_tokens"] = meta.field("sum_user_tokens").cast(pl.Int64)
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


TAGS = {
    "math": "is_math",
    "creative_writing": "is_creative_writing",
    "if": "is_instruction_following",
}
"""A field somewhere in `category_tag` → our column."""


def _tags(raw: Raw) -> dict[str, pl.Expr]:
    """The published category tags; each tagger's field is named after it and its version."""
    kind = raw.get("category_tag")
    if not isinstance(kind, pl.Struct):
        return {}
    found: dict[str, pl.Expr] = {}
    for tagger in kind.fields:
        if not isinstance(tagger.dtype, pl.Struct):
            continue
        said = pl.col("category_tag").struct.field(tagger.name).struct
        flags = [field.name for field in tagger.dtype.fields if field.dtype == pl.Boolean]
        if tagger.name.startswith("criteria") and flags:
            criteria = [said.field(name) for name in flags]
            known = pl.any_horizontal(one.is_not_null() for one in criteria)
            found["hard_criteria"] = pl.when(known).then(pl.sum_horizontal(criteria).cast(pl.Int64))
        found |= {TAGS[name]: said.field(name) for name in flags if name in TAGS}
    return found


def general(raw: Raw) -> dict[str, pl.Expr]:
    """What a column means in every format that has it, by its name."""
    found: dict[str, pl.Expr] = {}
    turns = _user_turns(raw)
    if turns is not None:
        found |= from_user_turns(turns)
    found |= _metadata(raw) | _tags(raw)
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
                found[column] = as_kind(kind, name, raw[name])
                break
    return found


def as_kind(kind: pl.DataType, name: str, found: pl.DataType) -> pl.Expr:
    """A raw column as the battle schema wants it."""
    if kind == pl.String:
        return as_text(name)
    if kind == pl.Boolean:
        return as_flag(name, found)
    if isinstance(kind, pl.Datetime):
        return _time(name, found)
    return _integer(name) if kind == pl.Int64 else pl.col(name).cast(pl.Float64, strict=False)
