"""Votes in the form of lmsys' arena-human-preference-100k, to try what reads that form."""

from collections.abc import Mapping

import polars as pl

from arena.display import listing
from arena.errors import ColumnError

CRITERIA = (
    *("specificity", "domain_knowledge", "complexity", "problem_solving"),
    *("creativity", "technical_accuracy", "real_world"),
)
"""LMSYS' criteria of a hard prompt."""

HIGH_FREQUENCY = 0.999
"""LMSYS' cap: prompts more frequent than this quantile are sampled down to it."""

ANSWER = "This is a synthetic vote: nobody answered."

NEEDED = (
    *("battle_id", "model_a", "model_b", "winner", "judge", "tstamp", "language", "turns"),
    *("prompt", "user_text", "anony", "is_code", "is_refusal", "is_math", "is_creative_writing"),
    *("is_instruction_following", "hard_criteria", "user_tokens"),
    *(f"{count}_{side}" for count in ("tokens", "headers", "lists", "bold") for side in "ab"),
)


def to_100k(votes: pl.DataFrame) -> pl.DataFrame:
    """Simulated votes under the columns of the published data set.

    Answers are a placeholder, since nobody answered. Where only a total is known, as of
    headers, all stand on one level; where only the number of hard criteria is known, it is
    the first ones that hold.

    Args:
        votes: those of `simulate`, with texts.

    Raises:
        ColumnError: if a column is missing.
    """
    lacking = [name for name in NEEDED if name not in votes.columns]
    if lacking:
        message = f"votes: no column {listing(lacking)}; simulate them with texts"
        raise ColumnError(message)
    label = pl.col("winner").replace("both_bad", "tie (bothbad)")
    sides = {f"conversation_{side}": _conversation() for side in "ab"}
    return votes.select(
        pl.col("battle_id").alias("question_id"),
        "model_a",
        "model_b",
        label,
        pl.col("judge").alias("judge_hash"),
        **sides,
        turn=pl.col("turns"),
        anony=pl.col("anony"),
        language=pl.col("language"),
        tstamp=pl.col("tstamp").dt.epoch("us") / 1e6,
        conv_metadata=_metadata(),
        category_tag=_tags(),
        is_code=pl.col("is_code"),
        is_refusal=pl.col("is_refusal"),
        dedup_tag=_dedup(),
    )


def _conversation() -> pl.Expr:
    """What the user said, turn by turn, with a placeholder after each."""
    further = pl.col("user_text").str.strip_prefix(pl.col("prompt")).str.strip_prefix("\n")
    lines = pl.when(pl.col("turns") > 1).then(further.str.split("\n")).otherwise([])
    said = pl.concat_list("prompt", lines)
    user, answer = (
        pl.struct(role=pl.lit(role), content=content)
        for role, content in (("user", pl.element()), ("assistant", pl.lit(ANSWER)))
    )
    return said.list.eval(pl.concat_list(user, answer).explode())


def _metadata() -> pl.Expr:
    user = pl.col("user_tokens")
    parts = [
        user.alias("sum_user_tokens"),
        *(pl.col(f"tokens_{side}").alias(f"sum_assistant_{side}_tokens") for side in "ab"),
        *(user.alias(f"context_{side}_tokens") for side in "ab"),
        pl.col("turns"),
    ]
    none = pl.lit(0, pl.Int64)
    for side in "ab":
        levels = {f"h{i}": pl.col(f"headers_{side}") if i == 3 else none for i in range(1, 7)}
        lists = {"ordered": none, "unordered": pl.col(f"lists_{side}")}
        bold = {"**": pl.col(f"bold_{side}"), "__": none}
        parts += [
            _struct(levels).alias(f"header_count_{side}"),
            _struct(lists).alias(f"list_count_{side}"),
            _struct(bold).alias(f"bold_count_{side}"),
        ]
    return pl.struct(parts)


def _tags() -> pl.Expr:
    creative, rule = pl.col("is_creative_writing"), pl.col("is_instruction_following")
    said = pl.when(creative).then(pl.lit("yes")).otherwise(pl.lit("no"))
    score = pl.when(rule).then(5).otherwise(1).cast(pl.Int64)
    criteria = {name: pl.col("hard_criteria") > i for i, name in enumerate(CRITERIA)}
    tags = {
        "creative_writing_v0.1": {"creative_writing": creative, "score": said},
        "criteria_v0.1": criteria,
        "if_v0.1": {"if": rule, "score": score},
        "math_v0.1": {"math": pl.col("is_math")},
    }
    return _struct({name: _struct(fields) for name, fields in tags.items()})


def _struct(fields: Mapping[str, pl.Expr]) -> pl.Expr:
    return pl.struct(expression.alias(name) for name, expression in fields.items())


def _dedup() -> pl.Expr:
    """Whether a prompt is very frequent, and whether its vote is among those kept."""
    times = pl.len().over("user_text")
    # The quantile is over distinct prompts: each is counted in the row where it comes first.
    first = pl.int_range(pl.len()).over("user_text") == 0
    cap = times.filter(first).quantile(HIGH_FREQUENCY, interpolation="higher")
    kept = pl.int_range(pl.len()).over("user_text") < cap
    return pl.struct(high_freq=times > cap, sampled=kept)
