"""What a match found, and what it does to the board, as HTML tables and examples."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from arena.comparison import Comparison
from arena.comparison_report import SURE, verdict
from arena.html_tables import (
    Axis,
    Cell,
    Drawing,
    Head,
    TableView,
    axis_over,
    name_cell,
    shown,
    value_cell,
)
from arena.prompt_match import Match
from arena.tables import Sheet
from arena.unseen_filter import seen_prompts, short_prompts

EXAMPLES = 3
"""Prompts shown of each class."""
EXCERPT = 280
"""Characters of a prompt that are shown."""

VERDICT = 3
"""Sentences of a comparison's verdict; the others are on columns that are not shown here."""

KINDS = {
    "seen": "a corpus had this prompt, or most of it",
    "unseen": "no corpus had it",
    "short": "too few words to judge",
    "stock": "so common in the log that to find it says nothing",
}
"""The classes of prompts, and what they mean."""


@dataclass(frozen=True, slots=True)
class Example:
    """A prompt, what was found, and where; all of it text to be escaped.

    Attributes:
        kind: one of `KINDS`.
        battles: how many battles it has.
        found: shares and scores in words.
        prompt: an excerpt.
        text: an excerpt of the training text that has most of it; empty if none has a tenth.
        where: file and row of that text.
    """

    kind: str
    battles: int
    found: str
    prompt: str
    text: str
    where: str


def kinds_of(match: Match) -> pl.DataFrame:
    """One row per distinct prompt: `prompt`, `battles`, and `kind`, its class over all corpora."""
    prompt = pl.col("prompt")
    stock = match.frame.filter("stock")["prompt"].unique()
    kind = (
        pl.when(prompt.is_in(stock.implode()))
        .then(pl.lit("stock"))
        .when(prompt.is_in(seen_prompts(match).implode()))
        .then(pl.lit("seen"))
        .when(prompt.is_in(short_prompts(match).implode()))
        .then(pl.lit("short"))
        .otherwise(pl.lit("unseen"))
    )
    one = match.frame.group_by("prompt").agg(pl.col("battles").first()).sort("prompt")
    return one.with_columns(kind=kind)


def kinds_table(match: Match) -> pl.DataFrame:
    """Distinct prompts and battles of each class: `prompts`, `n`, `battles`, `share`."""
    counted = (
        kinds_of(match).group_by("kind").agg(pl.len().cast(pl.Int64).alias("n"), pl.sum("battles"))
    )
    total = max(int(counted["battles"].sum()), 1)
    kinds = pl.DataFrame({"kind": list(KINDS)})
    return kinds.join(counted, on="kind", how="left", maintain_order="left").select(
        pl.col("kind").alias("prompts"),
        pl.col("n").fill_null(0).alias("distinct"),
        pl.col("battles").fill_null(0),
        (pl.col("battles").fill_null(0) / total).alias("share of battles"),
    )


def kinds_view(match: Match, caption: str, lines: tuple[str, ...] = ()) -> TableView:
    """The same as a table."""
    rows = [
        (
            Cell(kind, kind="name"),
            value_cell(distinct),
            value_cell(battles),
            Cell(f"{share:.1%}", f"{share:.6g}", "num"),
            Cell(KINDS[kind]),
        )
        for kind, distinct, battles, share in kinds_table(match).iter_rows()
    ]
    heads = (
        Head("prompts", "name"),
        Head("distinct", "num"),
        Head("battles", "num"),
        Head("share", "num", "of the battles"),
        Head("meaning"),
    )
    return TableView(
        shown(caption, 1000), heads, tuple(rows), tuple(shown(line, 1000) for line in lines)
    )


def parts_view(found: Sheet) -> TableView:
    """Battles by corpus, length of the prompt and language, as `match_sheet` counts them."""
    frame = found.frame.filter(pl.col("by") != "all")
    rows = [
        (
            Cell(f"{by}: {shown(value or 'unknown')}", kind="name"),
            *map(value_cell, counts),
            Cell("" if share is None else f"{share:.1%}", "", "num"),
        )
        for by, value, *counts, share in frame.iter_rows()
    ]
    heads = ("prompts", "battles", *KINDS, "share seen")
    return TableView(
        "Battles by corpus, length of the prompt in tokens, and language",
        tuple(Head(head, "num" if i else "name") for i, head in enumerate(heads)),
        tuple(rows),
        ("Share seen: of the battles on seen or unseen prompts.",),
    )


def examples(match: Match, each: int = EXAMPLES) -> list[Example]:
    """A few prompts of every class: common ones, and of those seen or unseen the closest calls."""
    kinds = kinds_of(match).select("prompt", "kind")
    # Over several corpora, the one that has most of the prompt speaks.
    best = match.frame.sort(
        pl.col("exact").cast(pl.Int8),
        pl.col("share").fill_null(0.0),
        descending=[True, True],
        maintain_order=True,
    ).unique("prompt", keep="first", maintain_order=True)
    rows = best.join(kinds, on="prompt").sort("battles", "prompt", descending=[True, False])
    return [
        _example(kind, row)
        for kind in KINDS
        for row in _telling(rows.filter(pl.col("kind") == kind), match, each).iter_rows(named=True)
    ]


def _telling(rows: pl.DataFrame, match: Match, each: int) -> pl.DataFrame:
    """Some prompts of one class: the commonest found whole and in part, then the closest calls."""
    share = pl.col("union_share" if match.rule.union else "share")
    judged = rows.filter(pl.col("kind").is_in(["seen", "unseen"]), ~pl.col("exact"))
    close = judged.filter(share > 0).sort((share - match.rule.threshold).abs(), maintain_order=True)
    first = [rows.filter("exact").head(1), judged.head(1), close.head(each - 1), rows]
    return pl.concat(first).unique("prompt", maintain_order=True).head(each)


def _example(kind: str, row: dict[str, Any]) -> Example:
    said = ["the whole prompt"] if row["exact"] else []
    if row["share"] is not None and not row["exact"]:
        said.append(f"{row['share']:.0%} of it in one text")
    if row["jaccard"] is not None and not row["exact"]:
        said.append(f"Jaccard {row['jaccard']:.2f}")
    there = row["excerpt"] is not None
    where = f"{row['corpus']}, {Path(row['file']).name}, row {row['row']:,}" if there else ""
    if there and Path(row["file"]).name == row["corpus"]:
        where = f"{row['corpus']}, row {row['row']:,}"
    return Example(
        kind,
        int(row["battles"]),
        ", ".join(said),
        shown(row["prompt"], EXCERPT),
        shown(row["excerpt"], EXCERPT) if there else "",
        shown(where),
    )


# ── both boards ────────────────────────────────────────────────────────────────────────────


def comparison_view(
    told: Comparison, trained: frozenset[str] = frozenset(), top: int | None = None
) -> TableView:
    """Both boards side by side; each change is drawn over what chance alone would do.

    Args:
        told: the comparison.
        trained: models said to be trained on what was found.
        top: the first so many models; None for all.
    """
    level = f"{told.options['level'] * 100:g}%"
    kept, base = (board.fit.all_counts.n_battles for board in (told.kept, told.base))
    frame = told.frame if top is None else told.frame.head(top)
    names = ("change", "change_lower", "change_upper", "null_lower", "null_upper")
    noted = frame["note"].is_not_null().any()
    axis = axis_over([0.0, *(one for name in names for one in frame[name].to_list())])
    heads = (
        Head("rank", "num"),
        Head("model", "name"),
        Head("change", "num", "rating points; both boards have the same mean"),
        Head(
            "change and chance",
            "draw",
            f"dot and line: the change and its {level} interval; band: what chance alone does; "
            f"the axis goes {' to '.join(axis.ends('+'))}",
            axis.ends("+"),
        ),
        Head(f"{level} interval", "num", "of the change"),
        Head("by chance", "num", "where the change lies if the votes left out are of no kind"),
        Head("rating", "num", "of all votes" if told.against == "all" else "of the other votes"),
        Head("rank after", "num", "among models that both boards rate"),
        Head("p", "num", "probability of such a change by chance, this model alone"),
        Head("p, of all", "num", "the same with all models in view"),
        *([Head("note")] if noted else []),
    )
    rows = tuple(
        _comparison_row(row, axis, told.options["draws"], trained, noted)
        for row in frame.iter_rows(named=True)
    )
    caption = (
        f"{kept:,.0f} votes kept of {base if told.against == 'all' else base + kept:,.0f}: "
        f"{'; '.join(told.options['filters'])}"
    )
    lines = (
        *verdict(told)[:VERDICT],
        "By chance: where the change lies if the votes left out are of no special kind. Rank "
        "after: among the models that both boards rate, with the places risen.",
    )
    return TableView(shown(caption, 1000), heads, rows, lines, key=1, sorted_by=0)


def _comparison_row(
    row: dict[str, Any], axis: Axis, draws: int, trained: frozenset[str], noted: bool
) -> tuple[Cell, ...]:
    change, p = row["change"], row["p_adjusted"]
    tags = ["trained on it"] if row["model"] in trained else []
    tags += ["moved"] if p is not None and p < SURE else []
    digits = max(2, len(str(draws)) - 1)
    return (
        value_cell(row["rank_base"]),
        name_cell(row["model"], ", ".join(tags)),
        value_cell(change, 1, sign=True),
        _change_cell(row, axis),
        Cell(_between(row, "change"), kind="num"),
        Cell(_between(row, "null"), kind="num"),
        value_cell(row["rating_base"], 1),
        Cell(_rank_after(row), f"{row['rank_kept'] or ''}", "num"),
        value_cell(row["p_value"], digits),
        value_cell(p, digits),
        *([Cell(shown(row["note"] or ""))] if noted else []),
    )


def _change_cell(row: dict[str, Any], axis: Axis) -> Cell:
    if row["change"] is None:
        return Cell("", kind="draw")
    drawing = Drawing(
        f"change {row['change']:+.1f}, {_between(row, 'change')}; by chance {_between(row, 'null')}",
        axis.place(row["change"]),
        _ends(row, "change", axis),
        _ends(row, "null", axis),
        (axis.place(0.0),),
    )
    return Cell(drawing.label, f"{row['change']:.6g}", "draw", drawing)


def _ends(row: dict[str, Any], name: str, axis: Axis) -> tuple[float, float] | None:
    """Both ends of an interval, where it has them."""
    lower, upper = row[f"{name}_lower"], row[f"{name}_upper"]
    return None if lower is None or upper is None else (axis.place(lower), axis.place(upper))


def _between(row: dict[str, Any], name: str) -> str:
    if row["change"] is None:
        return ""
    ends = (row[f"{name}_{side}"] for side in ("lower", "upper"))
    return " to ".join("?" if end is None else f"{end:+.1f}" for end in ends)


def _rank_after(row: dict[str, Any]) -> str:
    if row["rank_kept"] is None:
        return ""
    risen = f" ({row['rank_change']:+d})" if row["rank_change"] else ""
    return f"{row['rank_kept']}{risen}"
