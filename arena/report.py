"""A leaderboard as text: terminal table, Markdown, CSV, JSON. It formats, and computes nothing.

Model names come from vote logs, and are anybody's text: control characters never reach a
terminal, markup never reaches Markdown.
"""

import json
import math
import re
from typing import TYPE_CHECKING

import polars as pl

from arena.datasets import is_synthetic
from arena.display import amount, plain
from arena.leaderboard import Leaderboard
from arena.winrates import best_models

if TYPE_CHECKING:
    from rich.console import RenderableType

NAME_WIDTH = 44
DRAWING_WIDTH = 26
LISTED_LEFT_OUT = 20
SYNTHETIC = "Synthetic votes"


def title(board: Leaderboard) -> str:
    """One line with all that is needed to read the numbers."""
    fit, scale, interval = board.fit, board.scale, board.interval
    estimator = (
        "Bradley-Terry" if fit.rule.parameter is None else f"Bradley-Terry ({fit.rule.name})"
    )
    parts = [f"{estimator}, {amount(fit.counts.n_battles, 'battle')}, {len(fit.models)} models"]
    if any(is_synthetic(one["name"]) for one in board.manifest.get("inputs", ())):
        parts.insert(0, SYNTHETIC)
    if interval.method != "none":
        of = "" if interval.of == "centred" else " of the difference from the anchor"
        parts.append(f"{interval.level * 100:g}% {interval.name} intervals{of}")
    if scale.anchor:
        parts.append(f"{plain(scale.anchor[0], NAME_WIDTH)} = {scale.anchor[1]:g}")
    else:
        parts.append(f"mean rating {scale.init:g}")
    if fit.rule.name in ("half", "drop"):
        parts.append("a tie is half a win" if fit.rule.counts_ties else "ties dropped")
    else:
        parts.append(f"{fit.rule.parameter} {fit.tie_parameter:.3f}")
    if board.coefficients is not None:
        parts.append(
            f"at equal {', '.join(plain(name) for name in board.coefficients['covariate'])}"
        )
    if fit.counts.is_weighted:
        parts.append("votes weighted")
    if fit.prior > 0:
        battles = "battle" if fit.prior == 1 else "battles"
        parts.append(
            f"prior: {fit.prior:g} {battles} of each model against an average one, half won"
        )
    return "; ".join(parts)


def decimals(board: Leaderboard) -> int:
    """How many digits after the point the typical standard error supports, at most two."""
    typical = board.frame["std_error"].median()
    if not isinstance(typical, float) or typical <= 0:
        return 1
    return max(0, min(2, 1 - math.floor(math.log10(typical))))


def with_about(board: Leaderboard) -> pl.DataFrame:
    """The board's rows, with what is known of the models where that was asked for."""
    if board.about is None:
        return board.frame
    return board.frame.join(board.about, on="model", how="left", maintain_order="left")


def about_columns(board: Leaderboard) -> list[str]:
    """The columns that `with_about` adds, as far as they say anything of the models shown."""
    if board.about is None:
        return []
    rows = with_about(board)
    return [name for name in board.about.columns if name != "model" and rows[name].count()]


def rated(board: Leaderboard, top: int | None = None) -> pl.DataFrame:
    """The rated models, or the first `top` of them."""
    frame = with_about(board).filter(pl.col("rank").is_not_null())
    return frame if top is None else frame.head(top)


# ── terminal ───────────────────────────────────────────────────────────────────────────────


def render_table(
    board: Leaderboard, top: int | None = None, *, unicode: bool = True
) -> "RenderableType":
    """A table for a terminal, with a drawing of each interval."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    shown = rated(board, top)
    digits = decimals(board)
    with_interval = board.uncertainty is not None
    with_notes = shown["note"].is_not_null().any()
    table = Table(box=box.SIMPLE_HEAD if unicode else box.ASCII, pad_edge=False)
    table.add_column("rank", justify="right")
    if with_interval:
        table.add_column("could be", justify="right")
    table.add_column("model", overflow="ellipsis", no_wrap=True)
    table.add_column("rating", justify="right", no_wrap=True)
    if with_interval:
        table.add_column("±", justify="right", no_wrap=True)
        table.add_column(_axis(shown), no_wrap=True)
    table.add_column("battles", justify="right", no_wrap=True)
    if with_notes:
        table.add_column("note")
    about = about_columns(board)
    for name in about:
        table.add_column(name.replace("_", " "))
    for row, drawing in zip(
        shown.iter_rows(named=True), whiskers(shown, unicode=unicode), strict=True
    ):
        cells = [str(row["rank"])]
        if with_interval:
            cells.append(_rank_set(row["rank_best"], row["rank_worst"]))
        cells += [plain(row["model"], NAME_WIDTH), f"{row['rating']:.{digits}f}"]
        if with_interval:
            cells += [_half_width(row, digits), drawing]
        cells.append(f"{row['battles']:,.0f}")
        if with_notes:
            cells.append(plain(row["note"] or ""))
        cells += [plain(_said(row[name])) for name in about]
        table.add_row(*map(Text, cells))
    return Group(Text(title(board)), table, *map(Text, footer(board, top)))


def footer(board: Leaderboard, top: int | None = None) -> list[str]:
    """What stands under the table: rows not shown, models not rated."""
    n_rated = rated(board).height
    lines = []
    if top is not None and top < n_rated:
        lines.append(f"{top} of {n_rated} models shown.")
    if board.uncertainty is not None:
        lines.append(
            f"could be: the ranks a model may have, for all models at once with "
            f"{board.interval.level * 100:g}% confidence."
        )
    best = best_models(board)
    if best:
        chances = ", ".join(f"{plain(m, NAME_WIDTH)} {p:.0%}" for m, p in list(best.items())[:5])
        lines.append(f"Best with probability: {chances}.")
    lines += _coefficients(board)
    left_out = board.fit.left_out
    if left_out:
        lines.append(f"Not rated, because the votes put them on no common scale ({len(left_out)}):")
        lines += [
            f"  {plain(one.model, NAME_WIDTH)}: {plain(one.reason)}"
            for one in left_out[:LISTED_LEFT_OUT]
        ]
        if len(left_out) > LISTED_LEFT_OUT:
            lines.append(
                f"  and {len(left_out) - LISTED_LEFT_OUT} more, all of them in any -o file"
            )
    return lines


def _coefficients(board: Leaderboard) -> list[str]:
    """What a unit of each covariate is worth, in rating points."""
    if board.coefficients is None or board.uncertainty is None:
        return []
    lines = ["Worth of a covariate, in rating points per unit (of style: per standard deviation):"]
    for row in board.coefficients.iter_rows(named=True):
        half = (row["rating_upper"] - row["rating_lower"]) / 2
        lines.append(f"  {plain(row['covariate'])}: {row['rating']:+.1f} ± {half:.1f}")
    return lines


def _said(value: object) -> str:
    return "" if value is None else str(value)


def _half_width(row: dict[str, float | None], digits: int) -> str:
    lower, upper = row["rating_lower"], row["rating_upper"]
    return "" if lower is None or upper is None else f"{(upper - lower) / 2:.{digits}f}"


def _rank_set(best: int, worst: int) -> str:
    return str(best) if best == worst else f"{best}–{worst}"


def _span(shown: pl.DataFrame) -> tuple[float, float]:
    low = shown.select(pl.min_horizontal("rating_lower", "rating").min()).item()
    high = shown.select(pl.max_horizontal("rating_upper", "rating").max()).item()
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _axis(shown: pl.DataFrame) -> str:
    low, high = (f"{bound:.0f}" for bound in _span(shown))
    return low + high.rjust(DRAWING_WIDTH - len(low))


def whiskers(shown: pl.DataFrame, *, unicode: bool = True) -> list[str]:
    """Each interval as a line with a dot, all on one axis."""
    line, dot = ("─", "●") if unicode else ("-", "o")
    low, high = _span(shown)

    def place(value: float) -> int:
        return round((value - low) / (high - low) * (DRAWING_WIDTH - 1))

    drawings = []
    for lower, rating, upper in shown.select("rating_lower", "rating", "rating_upper").iter_rows():
        cells = [" "] * DRAWING_WIDTH
        if lower is not None and upper is not None:
            start, stop = place(lower), place(upper)
            cells[start : stop + 1] = line * (stop - start + 1)
        cells[place(rating)] = dot
        drawings.append("".join(cells))
    return drawings


# ── files and pipes ────────────────────────────────────────────────────────────────────────

_MARKUP = re.compile(r"([\\`*_{}\[\]#|~$])")
_LIST = re.compile(r"^(\d*)([-+.)])(?=[\s-]|$)")


def markdown_text(text: str) -> str:
    r"""Text that Markdown and the HTML made from it show as it is, also where a line begins.

    >>> markdown_text("<b>|x_y"), markdown_text("gpt-4"), markdown_text("- 4"), markdown_text("0.5")
    ('&lt;b&gt;\\|x\\_y', 'gpt-4', '\\- 4', '0.5')
    """
    escaped = _LIST.sub(r"\1\\\2", _MARKUP.sub(r"\\\1", plain(text)))
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render_markdown(board: Leaderboard, top: int | None = None) -> str:
    """A Markdown table of the rated models, with those left out listed under it."""
    digits = decimals(board)
    with_interval = board.uncertainty is not None
    heads = ["rank", *(["could be"] if with_interval else []), "model", "rating"]
    about = about_columns(board)
    heads += [*(["interval"] if with_interval else []), "battles", "note"]
    heads += [name.replace("_", " ") for name in about]
    left = ("model", *heads[heads.index("note") :])
    lines = [markdown_text(title(board)), ""]
    lines.append("| " + " | ".join(heads) + " |")
    lines.append("| " + " | ".join(":--" if head in left else "--:" for head in heads) + " |")
    for row in rated(board, top).iter_rows(named=True):
        interval = ""
        if row["rating_lower"] is not None:
            interval = f"{row['rating_lower']:.{digits}f} to {row['rating_upper']:.{digits}f}"
        cells = [str(row["rank"])]
        cells += [_rank_set(row["rank_best"], row["rank_worst"])] if with_interval else []
        cells += [markdown_text(row["model"]), f"{row['rating']:.{digits}f}"]
        cells += [interval] if with_interval else []
        cells += [f"{row['battles']:,.0f}", markdown_text(row["note"] or "")]
        cells += [markdown_text(_said(row[name])) for name in about]
        lines.append("| " + " | ".join(cells) + " |")
    if board.fit.left_out:
        lines += ["", "Not rated, because the votes put them on no common scale:", ""]
        lines += [
            f"- {markdown_text(one.model)}: {markdown_text(one.reason)}"
            for one in board.fit.left_out
        ]
    return "\n".join(lines) + "\n"


def render_csv(board: Leaderboard, top: int | None = None) -> str:
    """All columns at full precision; models that are not rated come last."""
    return shown_rows(board, top).write_csv()


def render_json(board: Leaderboard, top: int | None = None) -> str:
    """The rows and the manifest."""
    document: dict[str, object] = {"leaderboard": shown_rows(board, top).to_dicts()}
    if board.coefficients is not None:
        document["coefficients"] = board.coefficients.to_dicts()
    document["manifest"] = dict(board.manifest)
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n"


def shown_rows(board: Leaderboard, top: int | None = None) -> pl.DataFrame:
    """All rows, or the first `top` rated ones."""
    return with_about(board) if top is None else rated(board, top)
