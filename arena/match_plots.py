"""Pictures of a match: which prompts were seen, by their length, and how clear that is."""

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.display import amount
from arena.palette import style_of
from arena.plot_parts import LEGEND_ROOM, legend_above
from arena.plots import SMALL, canvas, head
from arena.prompt_match import Match

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

LENGTHS = {"1–4": 1, "5–9": 5, "10–24": 10, "25–49": 25, "50–99": 50, "100 or more": 100}
"""Range of tokens → the least number in it."""
CLASSES = ("seen", "unseen", "short", "stock")
LEAST_WRITTEN = 0.06
"""A share of a bar with room for its number."""
BINS = 40


def plot_overlap_classes(match: Match, ax: "Axes | None" = None, *, dark: bool = False) -> "Figure":
    """What share of the battles are on prompts seen, unseen, too short, or stock, by length.

    Args:
        match: of a log's prompts.
        ax: draw here, and return this Axes' figure.
        dark: on dark paper.
    """
    style, prompts = style_of(dark), _prompts(match)
    length = pl.lit("none")
    for name, least in LENGTHS.items():
        length = pl.when(pl.col("tokens") >= least).then(pl.lit(name)).otherwise(length)
    told = prompts.with_columns(length=length)
    names = [name for name in ("none", *LENGTHS) if told.filter(length=name).height]
    counts = {
        name: [int(told.filter(length=name, kind=kind)["battles"].sum()) for kind in CLASSES]
        for name in ("all", *names)
        if name != "all"
    }
    every = [int(told.filter(kind=kind)["battles"].sum()) for kind in CLASSES]
    rows = {"all prompts": every, **counts}
    table = np.array(list(rows.values()), dtype=np.float64)
    share = table / table.sum(axis=1, keepdims=True)
    figure, ax = canvas(ax, 1.75 + 0.42 * len(rows), style)
    colors = dict(zip(CLASSES, (style.down, style.up, style.null, style.series[3]), strict=True))
    # A gap between all prompts and the ranges of length.
    at = np.append(0.0, 1.35 + np.arange(len(counts)))
    left = np.zeros(len(rows))
    for j, kind in enumerate(CLASSES):
        ax.barh(at, share[:, j], left=left, height=0.74, color=colors[kind], label=kind)
        for row, (start, part) in enumerate(zip(left, share[:, j], strict=True)):
            if part >= LEAST_WRITTEN:
                ink = "#101214" if kind in ("short", "stock") and not dark else "#ffffff"
                ink = "#101214" if dark and kind != "short" else ink
                ax.text(
                    start + part / 2,
                    at[row],
                    f"{part:.0%}",
                    ha="center",
                    va="center",
                    color=ink,
                    fontsize=SMALL,
                )
        left += share[:, j]
    for y, total in zip(at, table.sum(axis=1), strict=True):
        ax.text(1.01, y, f"{total:,.0f}", color=style.soft, fontsize=SMALL, va="center")
    ax.text(1.01, -0.72, "battles", color=style.soft, fontsize=SMALL, va="center")
    ax.set_yticks(at, [name if name == "all prompts" else f"{name} tokens" for name in rows])
    ax.tick_params(axis="y", colors=style.ink, labelsize=8)
    ax.set_ylim(at[-1] + 0.5, -0.5)
    ax.set_xlim(0.0, 1.0)
    ax.grid(False)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_xlabel("share of battles")
    legend_above(ax, style)
    judged = every[0] + every[1]
    seen = f"{every[0] / judged:.1%}" if judged else "None"
    head(
        ax,
        style,
        f"{seen} of the battles that can be judged are on prompts seen in training data",
        f"held against {', '.join(match.trained) or 'no corpus'}; short: too few tokens to judge; "
        "stock: so common that to find it says nothing",
        room=LEGEND_ROOM,
    )
    return figure


def _prompts(match: Match) -> pl.DataFrame:
    """One row per prompt over all corpora: battles, tokens, kind, and its largest share."""
    kind = (
        pl.when(pl.col("stock").any())
        .then(pl.lit("stock"))
        .when((pl.col("class") == "seen").any())
        .then(pl.lit("seen"))
        .when((pl.col("class") == "short").all())
        .then(pl.lit("short"))
        .otherwise(pl.lit("unseen"))
    )
    return match.frame.group_by("prompt", maintain_order=True).agg(
        pl.col("battles").first(),
        pl.col("tokens").max(),
        kind=kind,
        share=pl.max_horizontal(
            "union_share" if match.rule.union else "share", pl.col("exact").cast(pl.Float64)
        ).max(),
    )


def plot_match_scores(match: Match, ax: "Axes | None" = None, *, dark: bool = False) -> "Figure":
    """How many prompts have what share of themselves in a training text; the threshold, too.

    Prompts that are too short to judge, and stock prompts, are left out. The heights are on a
    scale of equal ratios, as most prompts have nothing.

    Args:
        match: of a log's prompts.
        ax: draw here, and return this Axes' figure.
        dark: on dark paper.
    """
    style = style_of(dark)
    told = _prompts(match).filter(pl.col("kind").is_in(["seen", "unseen"]))
    figure, ax = canvas(ax, 4.0, style)
    edges = np.linspace(0.0, 1.0, BINS + 1)
    counts = {
        kind: np.histogram(told.filter(kind=kind)["share"].fill_null(0.0).to_numpy(), edges)[0]
        for kind in ("unseen", "seen")
    }
    middle, wide = (edges[1:] + edges[:-1]) / 2, 0.92 / BINS
    # On a logarithmic scale bars cannot be stacked: where both are, one stands within the other.
    both = (counts["unseen"] > 0) & (counts["seen"] > 0)
    for kind, color, width in (
        ("unseen", style.up, np.full(BINS, wide)),
        ("seen", style.down, np.where(both, wide / 2, wide)),
    ):
        there = counts[kind] > 0
        ax.bar(
            middle[there],
            counts[kind][there],
            width=width[there],
            color=color,
            label=f"{kind} ({amount(counts[kind].sum(), 'prompt')})",
        )
    ax.set_yscale("log")
    ax.set_ylim(0.6, max(2.0, 2.2 * max(c.max(initial=0) for c in counts.values())))
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    ax.minorticks_off()
    ax.axvline(match.rule.threshold, color=style.ink, linewidth=1.0, linestyle=(0, (4, 2)))
    ax.annotate(
        f"threshold {match.rule.threshold:.0%}",
        (match.rule.threshold, 0.97),
        xycoords=ax.get_xaxis_transform(),
        color=style.ink,
        fontsize=SMALL,
        va="top",
        xytext=(5, 0),
        textcoords="offset points",
    )
    ax.set_xlim(-0.01, 1.01)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    unit = "characters" if match.rule.unit == "characters" else "tokens"
    of = "all texts together" if match.rule.union else "the training text that has most of it"
    ax.set_xlabel(f"share of a prompt's {match.rule.n}-grams of {unit} in {of}")
    ax.set_ylabel("distinct prompts")
    ax.grid(axis="x", visible=False)
    legend_above(ax, style)
    close = int(((told["share"].fill_null(0.0) - match.rule.threshold).abs() <= 0.1).sum())
    head(
        ax,
        style,
        f"{amount(close, 'prompt')} of {told.height:,} within ten points of the threshold",
        "each prompt by its largest share over the corpora; a prompt equal to a training text "
        "has all of it",
        room=LEGEND_ROOM,
    )
    return figure
