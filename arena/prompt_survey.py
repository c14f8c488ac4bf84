"""A vote log's prompts held against each other: how they repeat, how fresh they are, what they are.

LMSYS answered its critics that about 10 % of prompts repeat, and published how many prompts of a
day no earlier day had. This makes such figures from any log.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from arena.battles import Battles
from arena.conditions import TOKEN
from arena.errors import ColumnError, NoEstimateError
from arena.history import period
from arena.near_duplicates import near_duplicate_groups
from arena.sources import collect

TAGS = ("is_code", "is_math", "is_creative_writing", "is_instruction_following", "is_refusal")
LENGTHS = (1, 5, 10, 25, 50, 100, 250, 500, 1000)
MOST_TURNS = 5
"""From so many turns on, battles are counted together."""
EXCERPT = 120


@dataclass(frozen=True, slots=True, eq=False)
class PromptSurvey:
    """How a log's prompts repeat, and what they are.

    Attributes:
        repeats: one row per `measure`: `battles`, `share` of all with a prompt, and the same with
            near duplicates counted as one prompt, `battles_near`, `share_near`.
        repeated: the commonest prompts, near duplicates together: `prompt` in its commonest
            spelling, `battles`, `spellings`, and where the log has them `judges` and `days`.
        freshness: one row per day and per week that has battles: `every`, `start`, `battles`,
            `fresh`, the share whose prompt no earlier day had, and `fresh_near`; empty for a log
            without times.
        distribution: `kind` (language, turns, length in tokens, each tag), `value`, `battles`,
            `share`; null where the log does not tell.
        drift: per `kind` and period `start`: `battles`; `distance`, the total variation distance
            of its distribution from that of the whole log, 0 to 1; `by_chance`, what it would
            be on average if the period were a random part of the log.
        n_battles, n_without: battles with a prompt and without.
    """

    repeats: pl.DataFrame
    repeated: pl.DataFrame
    freshness: pl.DataFrame
    distribution: pl.DataFrame
    drift: pl.DataFrame
    n_battles: int
    n_without: int


def survey_prompts(
    battles: Battles, *, every: str = "month", top: int = 100, jaccard: float = 0.8
) -> PromptSurvey:
    """Look at a log's prompts, the first user turns.

    Two prompts are near duplicates if `near_duplicate_groups` puts them into one group.

    Args:
        battles: votes with prompts.
        every: length of the periods that drift is shown for.
        top: how many of the most repeated prompts to list.
        jaccard: of the multisets of words, from which on prompts are near duplicates.

    Raises:
        ColumnError: votes without prompts.
        OptionError: a period that is none, or a Jaccard that cannot be.
    """
    if "prompt" not in battles.columns:
        message = f"no column 'prompt' to survey; these votes have {', '.join(battles.columns)}"
        raise ColumnError(message)
    every = period(every)
    rows = _rows(battles)
    told = rows.drop_nulls("prompt")
    if told.is_empty():
        raise NoEstimateError("column 'prompt': no battle has one")
    distinct = told["prompt"].unique(maintain_order=True)
    group = near_duplicate_groups(distinct, jaccard)
    codes = pl.DataFrame(
        {"prompt": distinct, "exact": np.arange(distinct.len()), "near": group},
        schema_overrides={"exact": pl.Int64, "near": pl.Int64},
    )
    told = told.join(codes, on="prompt", how="left", maintain_order="left")
    distribution, drift = _distribution(told, every)
    return PromptSurvey(
        _repeats(told),
        _repeated(told, top),
        _freshness(told),
        distribution,
        drift,
        told.height,
        rows.height - told.height,
    )


def _rows(battles: Battles) -> pl.DataFrame:
    """The battles with what is to be counted, in the order of their times."""
    there = battles.columns
    columns: dict[str, pl.Expr] = {"prompt": pl.col("prompt")}
    columns |= {name: pl.col(name) for name in ("judge", "tstamp", "language") if name in there}
    if "turns" in there:
        many = pl.lit(f"{MOST_TURNS} or more")
        turns = pl.col("turns")
        columns["turns"] = pl.when(turns >= MOST_TURNS).then(many).otherwise(turns.cast(pl.String))
    columns["length"] = _length("user_tokens" in there)
    columns |= {name: pl.col(name).cast(pl.String) for name in TAGS if name in there}
    if "hard_criteria" in there:
        columns["hard_criteria"] = pl.col("hard_criteria").cast(pl.String)
    rows = collect(battles.frame.select(**columns), battles.sources)
    return rows.sort("tstamp", nulls_last=True, maintain_order=True) if "tstamp" in there else rows


def _length(counted: bool) -> pl.Expr:
    """The range that a prompt's number of tokens is in."""
    words = pl.col("prompt").str.count_matches(TOKEN)
    tokens = pl.coalesce("user_tokens", words) if counted else words
    found: pl.Expr = pl.lit("0")
    for low, high in zip(LENGTHS, (*LENGTHS[1:], None), strict=True):
        name = f"{low} or more" if high is None else f"{low} to {high - 1}"
        found = pl.when(tokens >= low).then(pl.lit(name)).otherwise(found)
    return pl.when(tokens.is_not_null()).then(found)


def _repeats(told: pl.DataFrame) -> pl.DataFrame:
    """How many battles are on prompts that were asked before, and by whom."""
    columns = {
        name: _counted(told, code)
        for name, code in (("battles", "exact"), ("battles_near", "near"))
    }
    table = pl.DataFrame(
        {
            "measure": list(columns["battles"]),
            **{name: list(counts.values()) for name, counts in columns.items()},
        }
    )
    share = {"share": pl.col("battles"), "share_near": pl.col("battles_near")}
    return table.with_columns((of / told.height).alias(name) for name, of in share.items()).select(
        "measure", "battles", "share", "battles_near", "share_near"
    )


def _counted(told: pl.DataFrame, code: str) -> Mapping[str, int]:
    size = pl.len().over(code)
    counts = {
        "with a prompt": told.height,
        "different prompts": told[code].n_unique(),
        "on a prompt asked more than once": told.filter(size > 1).height,
        "that repeat an earlier one": told.height - told[code].n_unique(),
    }
    if "judge" in told.columns:
        known = told.drop_nulls("judge")
        again = known.height - known.select(code, "judge").n_unique()
        counts["... of the same judge"] = again
        if "tstamp" in told.columns:
            day = pl.col("tstamp").dt.date().alias("day")
            dated = known.drop_nulls("tstamp").select(code, "judge", day)
            counts["... of the same judge on the same day"] = dated.height - dated.n_unique()
    return counts


def _repeated(told: pl.DataFrame, top: int) -> pl.DataFrame:
    """The commonest prompts, with near duplicates together."""
    further = {}
    if "judge" in told.columns:
        further["judges"] = pl.col("judge").drop_nulls().n_unique().cast(pl.Int64)
    if "tstamp" in told.columns:
        further["days"] = pl.col("tstamp").dt.date().drop_nulls().n_unique().cast(pl.Int64)
    spelling = pl.col("prompt").filter(pl.col("spelt") == pl.col("spelt").max()).min()
    counted = told.with_columns(spelt=pl.len().over("exact")).group_by("near")
    table = counted.agg(
        prompt=spelling.str.head(EXCERPT),
        battles=pl.len().cast(pl.Int64),
        spellings=pl.col("exact").n_unique().cast(pl.Int64),
        **further,
    )
    often = table.filter(pl.col("battles") > 1).sort("battles", "prompt", descending=[True, False])
    return often.head(top).drop("near")


def _freshness(told: pl.DataFrame) -> pl.DataFrame:
    """The share of each day's and week's battles whose prompt no earlier day had."""
    kinds = {
        "every": pl.String(),
        "start": pl.Date(),
        "battles": pl.Int64(),
        "fresh": pl.Float64(),
        "fresh_near": pl.Float64(),
    }
    if "tstamp" not in told.columns:
        return pl.DataFrame(schema=kinds)
    day = pl.col("tstamp").dt.date()
    dated = told.drop_nulls("tstamp").with_columns(day=day)
    dated = dated.with_columns(
        fresh=pl.col("day") == pl.col("day").min().over("exact"),
        fresh_near=pl.col("day") == pl.col("day").min().over("near"),
    )
    parts = [
        dated.group_by(start=pl.col("day").dt.truncate(length))
        .agg(pl.len().alias("battles"), pl.col("fresh", "fresh_near").mean())
        .with_columns(every=pl.lit(name))
        .sort("start")
        for name, length in (("day", "1d"), ("week", "1w"))
    ]
    return pl.concat(parts).select(pl.col(name).cast(kind) for name, kind in kinds.items())


def _distribution(told: pl.DataFrame, every: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What prompts are, and how far each period's lie from the whole log's."""
    known = ("language", "turns", "length", *TAGS, "hard_criteria")
    kinds = [name for name in known if name in told.columns]
    tables, drifts = [], []
    for kind in kinds:
        whole = told.group_by(value=pl.col(kind)).agg(battles=pl.len().cast(pl.Int64))
        whole = whole.with_columns(kind=pl.lit(kind), share=pl.col("battles") / told.height).sort(
            "battles", "value", descending=[True, False]
        )
        tables.append(whole.select("kind", "value", "battles", "share"))
        if "tstamp" in told.columns:
            drifts.append(_drift(told, kind, whole, every))
    shape = {
        "kind": pl.String(),
        "start": pl.Datetime("us", "UTC"),
        "battles": pl.Int64(),
        "distance": pl.Float64(),
        "by_chance": pl.Float64(),
    }
    drift = pl.concat(drifts) if drifts else pl.DataFrame(schema=shape)
    return pl.concat(tables), drift.select(pl.col(name).cast(to) for name, to in shape.items())


def _drift(told: pl.DataFrame, kind: str, whole: pl.DataFrame, every: str) -> pl.DataFrame:
    """Total variation distance of each period's distribution from the whole log's."""
    dated = told.drop_nulls("tstamp").with_columns(start=pl.col("tstamp").dt.truncate(every))
    sizes = dated.group_by("start").agg(n=pl.len())
    parts = dated.group_by("start", value=pl.col(kind)).agg(there=pl.len())
    grid = sizes.join(whole.select("value", "share"), how="cross")
    both = grid.join(parts, on=["start", "value"], how="left", nulls_equal=True)
    p, n = pl.col("share"), pl.col("n")
    off = (pl.col("there").fill_null(0) / n - p).abs()
    # Half the sum of the mean absolute errors of shares, each about normal; the period is a part
    # of the log that it is held against.
    noise = (2 * p * (1 - p) / (np.pi * n) * (1 - n / told.height)).sqrt()
    return (
        both.group_by("start")
        .agg(n.first().alias("battles"), distance=off.sum() / 2, by_chance=noise.sum() / 2)
        .with_columns(kind=pl.lit(kind))
        .sort("start")
    )
