"""Pictures of what was seen: estimated gains, doses of seen prompts, the fewest votes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.display import amount, plain
from arena.dosing import Dose
from arena.errors import OptionError
from arena.palette import Style, style_of
from arena.plot_parts import column, limits, name_rows, rows_height, spans
from arena.plots import NAME_WIDTH, SMALL, canvas, grid_of_canvases, head, shown_name
from arena.uplift import Uplift
from arena.uplift_rows import ALL, CONTROL, MODEL
from arena.vote_influence import FewestVotes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

TOP, PANELS = 30, 6
"""Unexposed models that are drawn unless more are asked for, and models in panels of a dose."""
COLUMNS = 3


def plot_uplift(
    told: Uplift, top: int | None = TOP, ax: "Axes | None" = None, *, dark: bool = False
) -> "Figure":
    """Estimated gains with intervals: exposed models, the negative control, and the unexposed.

    Args:
        told: the estimate.
        top: how many unexposed models to draw, those furthest from zero; None for all.
        ax: draw here, and return this Axes' figure; else on one as tall as it needs.
        dark: on dark paper.
    """
    style = style_of(dark)
    known = told.frame.filter(pl.col("uplift").is_not_null())
    main = known.filter(pl.col("group").is_in([ALL, MODEL, CONTROL]))
    rest = known.filter(~pl.col("group").is_in([ALL, MODEL, CONTROL]))
    n_rest = rest.height
    if top is not None:
        rest = rest.sort(pl.col("uplift").abs(), descending=True).head(top)
    rest = rest.sort("uplift", descending=True)
    shown = pl.concat([main, rest])
    figure, ax = canvas(ax, rows_height(shown.height) + 0.4, style)
    rows = name_rows(ax, shown["model"].to_list(), style)
    uplift, lower, upper = (
        column(shown, name) for name in ("uplift", "uplift_lower", "uplift_upper")
    )
    ax.set_xlim(*limits(uplift, lower, upper, zero=True))
    ink = {ALL: style.down, MODEL: style.down, CONTROL: style.up}
    colors = [ink.get(group, style.soft) for group in shown["group"]]
    spans(ax, rows, lower, upper, colors, linewidth=1.8)
    ax.scatter(uplift, rows, s=20, c=colors, zorder=3)
    ax.axvline(0.0, color=style.soft, linewidth=0.8)
    if main.height and rest.height:
        ax.axhline(main.height - 0.5, color=style.grid, linewidth=1.2)
    ax.grid(axis="y", linewidth=0.35)
    ax.set_xlabel("gain on seen prompts, rating points")
    estimate, level = told.estimate, f"{told.options['level'] * 100:g}%"
    some = f"; {rest.height} of {n_rest} drawn" if rest.height < n_rest else ""
    head(
        ax,
        style,
        f"Exposed models gain {estimate.uplift:+.1f} points on prompts they had seen "
        f"({estimate.lower:+.1f} to {estimate.upper:+.1f})",
        f"{level} intervals; the negative control is the same for models that had seen nothing, "
        f"and should be near 0\ngrey: each of these against the others of them{some}; an "
        "association, no proof",
    )
    return figure


def plot_dose(
    told: Dose,
    models: Sequence[str] | None = None,
    ax: "Axes | None" = None,
    *,
    dark: bool = False,
) -> "Figure":
    """Ratings as a growing share of the seen prompts comes in, a panel for each model.

    All panels have the same number of points from bottom to top.

    Args:
        told: the dose.
        models: which to draw; None for the six whose rating moves most for its placebo's width.
        ax: draw here, the first of them alone, and return this Axes' figure.
        dark: on dark paper.

    Raises:
        OptionError: a model that is not in the dose.
    """
    style, frame = style_of(dark), told.frame
    known = frame.filter(pl.col("rating").is_not_null())["model"].unique(maintain_order=True)
    unknown = next((one for one in models or () if one not in known), None)
    if unknown is not None:
        raise OptionError(f"models: '{unknown}' is not rated on all boards of this dose")
    wanted = list(models) if models else _most_moved(told)[:PANELS]
    if ax is not None or len(wanted) == 1:
        figure, ax = canvas(ax, 4.3, style)
        panels, wanted = [ax], wanted[:1]
    else:
        n = len(wanted)
        figure, panels = grid_of_canvases(n, min(COLUMNS, n), style, 2.8, same_y=False)
    tall = 0.0
    for panel, model in zip(panels, wanted, strict=True):
        _dose_panel(panel, frame.filter(model=model), style)
        tall = max(tall, abs(float(np.subtract(*panel.get_ylim()))))
    for panel, model in zip(panels, wanted, strict=True):
        middle = float(np.mean(panel.get_ylim()))
        panel.set_ylim(middle - tall * 0.56, middle + tall * 0.64)
        rows = frame.filter(model=model).sort("share")
        ends = f"rank {rows['rank'][0]} → {rows['rank'][-1]}"
        panel.text(
            0.03,
            0.97,
            f"{shown_name(model, 30)}\n{ends}",
            transform=panel.transAxes,
            va="top",
            color=style.ink,
            fontsize=SMALL + 0.5,
            linespacing=1.35,
        )
    for i, panel in enumerate(panels):
        if i % COLUMNS == 0:
            panel.set_ylabel("rating, points")
        if i >= len(panels) - COLUMNS:
            panel.set_xlabel(f"seen {plain(told.by)}s that are in")
            panel.tick_params(labelbottom=True)
    level = f"{told.options['level'] * 100:g}%"
    of = (
        f", the {len(wanted)} furthest from chance"
        if models is None and len(known) > len(wanted)
        else ""
    )
    votes = (
        f"{told.n_seen:,.0f} of {told.fit.all_counts.n_battles:,.0f} battles are on seen prompts"
    )
    head(
        panels[0],
        style,
        f"Ratings while seen {plain(told.by)}s come in, from none to all{of}",
        f"{votes}; line and band: mean and middle {level} over orders in which they come in\n"
        f"grey: {level} of the ratings when as many battles of every pair are left out at random",
    )
    return figure


def _most_moved(told: Dose) -> list[str]:
    """Models by how far the rating without seen prompts lies from that with all, over chance."""
    rows = told.frame.filter(pl.col("rating").is_not_null()).sort("share")
    ends = rows.group_by("model", maintain_order=True).agg(
        moved=(pl.col("rating").first() - pl.col("rating").last()).abs(),
        chance=pl.col("null_upper").first() - pl.col("null_lower").first(),
    )
    far = pl.col("moved") / pl.max_horizontal("chance", pl.lit(1e-9))
    return ends.sort(far, "model", descending=[True, False])["model"].to_list()


def _dose_panel(ax: "Axes", frame: pl.DataFrame, style: Style) -> None:
    rows = frame.sort("share")
    share, rating, lower, upper, null_lower, null_upper = (
        column(rows, name)
        for name in (
            "share",
            "rating",
            "rating_lower",
            "rating_upper",
            "null_lower",
            "null_upper",
        )
    )
    ax.fill_between(share, null_lower, null_upper, color=style.null, alpha=0.6, linewidth=0.0)
    ax.fill_between(share, lower, upper, color=style.up, alpha=0.3, linewidth=0.0)
    ax.plot(share, rating, "-o", color=style.up, linewidth=1.6, markersize=3)
    bounds = [limits(rating, *pair) for pair in ((lower, upper), (null_lower, null_upper))]
    ax.set_ylim(min(one[0] for one in bounds), max(one[1] for one in bounds))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.locator_params(nbins=5)


def plot_fewest_votes(
    told: FewestVotes, ax: "Axes | None" = None, *, dark: bool = False
) -> "Figure":
    """How likely random removal is to change the order, beside the chosen few that do.

    Args:
        told: the fewest votes, or judges or whatever else they are by.
        ax: draw here, and return this Axes' figure.
        dark: on dark paper.
    """
    style, random = style_of(dark), told.random.sort("number")
    figure, ax = canvas(ax, 4.3, style)
    random = random.filter(pl.col("number") > 0)
    number, p, lower, upper = (
        column(random, name) for name in ("number", "probability", "lower", "upper")
    )
    ax.fill_between(number, lower, upper, color=style.null, alpha=0.6, linewidth=0.0)
    ax.plot(number, p, "-o", color=style.soft, linewidth=1.6, markersize=4)
    ax.set_xscale("log")
    first = min([*number, *([told.number] if told.number else []), told.total])
    last = max([*number, first * 10])
    ax.set_xlim(max(first / 2.0, 0.5), last * 1.4)
    ax.set_ylim(-0.02, 1.12)
    ax.minorticks_off()
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0])
    unit = plain(told.of)
    if told.number is not None:
        ax.vlines(told.number, 0.0, 1.0, color=style.down, linewidth=1.4)
        ax.plot(told.number, 1.0, "o", color=style.down, markersize=7)
        ax.annotate(
            f"{amount(told.number, unit)} chosen",
            (told.number, 1.0),
            (7, 5),
            textcoords="offset points",
            color=style.ink,
            fontsize=SMALL + 1,
        )
    if told.half_at is not None:
        ax.plot(told.half_at, 0.5, "o", color=style.soft, markersize=7)
        ax.annotate(
            f"half of the time: {told.half_at:,.0f} at random",
            (told.half_at, 0.5),
            (-8, 6),
            textcoords="offset points",
            ha="right",
            color=style.ink,
            fontsize=SMALL + 1,
        )
    ax.set_xlabel(f"{unit}s removed, of {told.total:,}")
    ax.set_ylabel("probability that the order changes")
    model, rival = plain(told.model, NAME_WIDTH), plain(told.rival, NAME_WIDTH)
    headline = f"No {told.most:,} {unit}s were found whose removal changes the order"
    if told.number is not None:
        share = told.number / told.total
        headline = f"Without {amount(told.number, unit)} ({share:.2g} of all), the order is another"
        if share >= 0.0001:
            headline = headline.replace(f"{share:.2g}", f"{share:.2%}")
    head(
        ax,
        style,
        headline,
        f"{plain(told.question)}: {model} stands {told.gap:.1f} points above {rival}\n"
        f"line up to 100%: the set found by influence and refits; grey: as many {unit}s at random",
    )
    return figure
