"""Pictures of gains that are supposed: what they would do, and what they would explain."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.display import plain
from arena.injection import Injection
from arena.lead import BreakEven
from arena.palette import style_of
from arena.plot_parts import column, heat_map
from arena.plots import NAME_WIDTH, SMALL, canvas, diverging, even_scale, head

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]

WRITTEN = 200
"""Up to so many cells, a map has the rank in each."""
DASHES = {"solid": "-", "dashed": (0, (5, 2)), "dotted": (0, (1.2, 1.4))}
APART = 3.0
"""The next rival's lead is so many times the last one's, so that their lines lie apart."""
REACH = 15.0
"""A break-even is drawn up to so many times its gain at the middle share."""


def plot_injection(
    told: Injection,
    rivals: Sequence[str] | None = None,
    ax: "Axes | None" = None,
    *,
    dark: bool = False,
) -> "Figure":
    """The shift of a model's rating over share and uplift, its rank, and whom it overtakes.

    Along a rival's line the two have the same rating: the break-even of the supposition.

    Args:
        told: the injection.
        rivals: whose lines to draw, three at most; None for some above the model.
        ax: draw here, and return this Axes' figure.
        dark: on dark paper.
    """
    style, frame = style_of(dark), told.frame
    shares, uplifts = (frame[name].unique().sort().to_list() for name in ("share", "uplift"))
    shape = (len(shares), len(uplifts))
    order = np.lexsort((frame["uplift"].to_numpy(), frame["share"].to_numpy()))
    shift = column(frame, "shift")[order].reshape(shape).T[::-1]
    rank = frame["rank"].to_numpy()[order].reshape(shape).T[::-1]
    cells = shape[0] * shape[1]
    wide = float(np.clip(6.2 / len(shares), 0.35, 0.9)) * len(shares)
    tall = float(np.clip(4.2 / len(uplifts), 0.28, 0.6)) * len(uplifts)
    figure, ax = canvas(ax, max(tall + 1.6, 3.0), style, width=max(wide + 2.3, 7.0))
    reach = float(np.abs(shift).max(initial=0.0)) or 1.0
    losing = bool((shift < 0).any())
    heat_map(
        ax,
        shift,
        style,
        colors=diverging(style) if losing else "cividis",
        scale=even_scale(-reach if losing else 0.0, reach),
        label="shift of the rating, points",
        texts=[[f"{one}" for one in row] for row in rank] if cells <= WRITTEN else None,
        corner=True,
    )
    ax.set_xticks(range(len(shares)), [f"{share:.4g}" for share in np.array(shares) * 100])
    ax.set_yticks(range(len(uplifts)), [_signed(uplift) for uplift in uplifts[::-1]])
    ax.set_xlabel("share of its battles on prompts it had seen, percent")
    ax.set_ylabel("uplift on these, points")
    names = list(_next_above(told)) if rivals is None else list(rivals)
    drawn: list[str] = []
    for rival in names if min(shape) > 1 else []:
        own, other = (told.board.fit.models.index(one) for one in (told.model, rival))
        lead = (told.ratings[:, own] - told.ratings[:, other])[order].reshape(shape).T[::-1]
        if len(drawn) < len(DASHES) and lead.min() < 0.0 < lead.max():
            how, dash = list(DASHES.items())[len(drawn)]
            # Edged with paper, a line stands out from any colour.
            ax.contour(lead, [0.0], colors=[style.paper], linewidths=4.0)
            ax.contour(lead, [0.0], colors=[style.ink], linewidths=1.6, linestyles=[dash])
            drawn.append(f"{how} line: level with {plain(rival, NAME_WIDTH)}")
    board = told.board.frame.filter(model=told.model).row(0, named=True)
    name = plain(told.model, NAME_WIDTH)
    best = int(rank.min())
    headline = f"A gain could take {name} from rank {board['rank']} to {best}"
    if best >= board["rank"]:
        headline = f"No such gain lifts {name} above rank {board['rank']}"
    head(
        ax,
        style,
        headline,
        f"number: its rank; colour: by how much its rating of {board['rating']:,.1f} would move\n"
        + "; ".join(drawn),
    )
    return figure


def _next_above(told: Injection) -> list[str]:
    """A few models above the one that gains, at distances that grow."""
    rated = told.board.frame.filter(pl.col("rank").is_not_null())
    own = rated.filter(model=told.model)["rating"].item()
    found, least = [], 0.0
    for model, rating in reversed(rated.select("model", "rating").rows()):
        if rating - own > least:
            found.append(model)
            least = APART * (rating - own)
    return found


def plot_break_even(told: BreakEven, ax: "Axes | None" = None, *, dark: bool = False) -> "Figure":
    """The uplift that would explain a lead, by the share of seen prompts, with its interval.

    Args:
        told: the break-even.
        ax: draw here, and return this Axes' figure.
        dark: on dark paper.
    """
    style, frame = style_of(dark), told.frame.sort("share")
    figure, ax = canvas(ax, 4.3, style)
    share = 100.0 * column(frame, "share")
    uplift, lower, upper = (
        column(frame, name) for name in ("uplift", "uplift_lower", "uplift_upper")
    )
    known = np.isfinite(uplift)
    there = ~(np.isnan(lower) | np.isnan(upper))
    bounds = np.stack([lower, upper])
    low, high = _ends(uplift[known], bounds[np.isfinite(bounds)])
    ax.set_ylim(low, high)
    ax.set_xscale("log")
    left, right = float(share.min()) / 1.15, float(share.max()) * 1.22
    ax.set_xlim(left, right)
    ax.set_xticks(share, [f"{one:.4g}" for one in share])
    ax.minorticks_off()
    if there.any():
        far = 10.0 * (high - low)
        bounds = np.clip(bounds[:, there & known], low - far, high + far)
        ax.fill_between(share[there & known], *bounds, color=style.up, alpha=0.2, linewidth=0.0)
        if (there & known).sum() == 1:
            ax.vlines(share[there & known], *bounds, color=style.up, alpha=0.4, linewidth=4.0)
    ax.axhline(0.0, color=style.soft, linewidth=0.8)
    ax.plot(share[known], uplift[known], "-o", color=style.up, linewidth=1.8, markersize=5)
    for x, y in zip(share[known], uplift[known], strict=True):
        ax.annotate(
            _signed(round(y)),
            (x, min(y, high)),
            (6, 5 if y < high else -12),
            textcoords="offset points",
            color=style.ink,
            fontsize=SMALL + 0.5,
        )
    if not known.all():
        last = float(share[~known].max())
        end = float(np.sqrt(last * share[known].min())) if known.any() else right
        ax.axvspan(left, end, color=style.null, alpha=0.35, linewidth=0.0)
        ax.text(
            float(np.sqrt(left * end)),
            (low + high) / 2,
            "no gain on so few\nwould explain it",
            ha="center",
            va="center",
            color=style.ink,
            fontsize=SMALL + 0.5,
        )
    ax.set_xlabel("share of its battles on prompts it had seen, percent")
    ax.set_ylabel("uplift on these, points")
    model, rival = plain(told.model, NAME_WIDTH), plain(told.rival, NAME_WIDTH)
    observed, error = told.observed
    sure = "" if error is None else f" (standard error {error:.1f})"
    headline = f"How large must a gain be to explain that {model} leads {rival}?"
    if observed < 0:
        headline = f"How large must a loss be to explain that {model} is behind {rival}?"
    kept = "" if told.lead == 0 else f"; of it {told.lead:g} points are to be left"
    level = f"{told.board.interval.level * 100:g}%"
    band = "" if error is None else f"; band: the gains that the votes do not rule out ({level})"
    head(ax, style, headline, f"its lead is {observed:.1f} points{sure}{kept}{band}")
    return figure


def _ends(uplift: Floats, bounds: Floats) -> tuple[float, float]:
    """From where to where gains are drawn: zero, and all but such as dwarf the others."""
    if not uplift.size:
        return -1.0, 1.0
    reach = REACH * float(np.median(np.abs(uplift))) or 1.0
    ends = np.concatenate([uplift, bounds, [0.0]])
    low, high = max(float(ends.min()), -reach), min(float(ends.max()), reach)
    pad = 0.12 * (high - low) or 1.0
    return low - (pad if low < 0.0 else 0.4 * pad), high + pad


def _signed(value: float) -> str:
    return f"{value:+,g}".replace("-", "−")
