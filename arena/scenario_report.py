"""What-ifs that need counts alone, as tables: inject, break-even, power."""

from collections.abc import Callable, Mapping
from math import ceil, isfinite
from typing import Any

import polars as pl

from arena.detection import Power
from arena.display import amount
from arena.injection import Injection
from arena.lead import BreakEven
from arena.leaderboard import Leaderboard
from arena.pictures import break_even_pictures, injection_pictures, power_pictures
from arena.tables import Draw, Sheet

ENDLESS = 1_500.0
"""Points beyond which a lead is shown as one without end."""


def injection_sheet(told: Injection) -> Sheet:
    """The model's rating and rank for every share and uplift."""
    place = told.board.fit.models.index(told.model)
    rating = told.board.scale.ratings(told.board.fit)[place]
    rank = told.board.frame.filter(model=told.model)["rank"].item()
    title = (
        f"If {told.model} gained on prompts it had seen; on the board supposed clean it has "
        f"{rating:,.1f} points and rank {rank}"
    )
    lines = [
        "share: of its battles, those on prompts it had seen; uplift: points gained there.",
        f"rating: on the board fitted anew, {_held(told.board)}; every number is a supposition's, "
        "not an estimate.",
    ]
    columns = [
        _percent("share"),
        pl.col("uplift"),
        _said("shift", lambda value: f"{value:+,.1f}", 6),
        pl.col("rating"),
    ]
    if told.board.uncertainty is not None:
        level = f"{told.board.interval.level * 100:g}%"
        lines.append(
            f"{level} interval, and the ranks that hold its rank with the same probability: of the "
            "votes, supposing share and uplift."
        )
        columns.append(_between("rating", f"{level} interval", 1))
    columns.append(pl.col("rank"))
    if told.board.uncertainty is not None:
        columns.append(_between("rank", "ranks", 0))
        columns.append(pl.col("p_top").alias(f"P(rank ≤ {told.top})"))
    facts = {"model": told.model, "top": told.top}
    summary = told.frame.select(columns)
    return _sheet(
        "inject", title, told.frame, summary, lines, told.board, facts, injection_pictures(told)
    )


def break_even_sheet(told: BreakEven) -> Sheet:
    """The uplift that would explain the lead, for every share."""
    observed, error = told.observed
    more, less = (told.model, told.rival) if observed >= 0 else (told.rival, told.model)
    sure = "" if error is None else f", standard error {error:.1f}"
    title = f"{more} stands {abs(observed):.1f} points above {less}{sure}"
    left = "nothing" if told.lead == 0 else f"{told.lead:g} points"
    lines = [
        f"uplift: what {told.model} would have to gain on the prompts it had seen, for {left} to "
        "be left of that.",
        "all won: the lead that is left if it won every battle on a seen prompt; where that is "
        "above what is to be left, no gain explains the lead.",
        "That a gain of some size would explain a lead does not say that there was one.",
    ]
    if observed < 0:
        lines[1] = lines[1].replace("won", "lost")
    columns = [
        _percent("share"),
        _points("uplift"),
    ]
    if error is not None:
        level = f"{told.board.interval.level * 100:g}%"
        columns.append(_between("uplift", f"{level} interval", 1))
        lines.insert(1, f"{level} interval: the uplifts that these votes do not rule out.")
    columns.append(_left("lead_if_all_won").alias("all won" if observed >= 0 else "all lost"))
    facts = {"model": told.model, "rival": told.rival, "lead": told.lead, "observed": observed}
    summary = told.frame.select(columns)
    return _sheet(
        "break-even",
        title,
        told.frame,
        summary,
        lines,
        told.board,
        facts,
        break_even_pictures(told),
    )


def power_sheet(told: Power) -> Sheet:
    """Power, and the votes needed, for every share and uplift."""
    title = (
        f"Would a gain of {told.model} on prompts it had seen be noticed? It has "
        f"{amount(told.votes, 'vote')}; a two-sided test at {1 - told.level:.3g}"
    )
    wanted = f"{told.target * 100:g}%"
    lines = [
        "std_error: of the uplift as the present votes estimate it; power: the probability that "
        "the test then finds it.",
        f"votes needed: of this model, for {wanted} power; in all: of the whole arena, if all "
        "models keep their part.",
        f"detectable: the uplift that the present votes find with {wanted} power.",
    ]
    if told.design_effect != 1.0:
        lines.append(f"Variances are multiplied by {told.design_effect:g}, the design effect.")
    summary = told.frame.select(
        _percent("share"),
        pl.col("uplift"),
        _points("std_error"),
        _said("power", lambda value: f"{value:.3f}", 5),
        _count("votes_needed").alias("votes needed"),
        _count("votes_needed_in_all").alias("in all"),
        _points("detectable"),
    )
    facts = {
        "model": told.model,
        "target": told.target,
        "level": told.level,
        "design_effect": told.design_effect,
    }
    return _sheet(
        "power", title, told.frame, summary, lines, told.board, facts, power_pictures(told)
    )


def _held(board: Leaderboard) -> str:
    if board.scale.anchor:
        return f"{board.scale.anchor[0]} held at {board.scale.anchor[1]:g}"
    return "the mean of the other models held in place"


def _percent(name: str) -> pl.Expr:
    """A share as a percentage, such as ``5%``."""
    return _said(name, lambda share: f"{share * 100:.4g}%", 5)


def _points(name: str) -> pl.Expr:
    """Points as text; ``none`` where no number of points is enough."""
    return _said(name, lambda value: f"{value:,.1f}" if isfinite(value) else "none", 7)


def _count(name: str) -> pl.Expr:
    """A number of votes as text, rounded up."""
    return _said(name, lambda value: f"{ceil(value):,}" if isfinite(value) else "never", 9)


def _left(name: str) -> pl.Expr:
    """What is left of a lead; without end where no strength explains so many wins."""

    def said(value: float) -> str:
        if abs(value) < ENDLESS:
            return f"{value:+,.1f}"
        return "-∞" if value < 0 else "+∞"

    return _said(name, said, 7)


def _said(name: str, say: Callable[[float], str], width: int) -> pl.Expr:
    """Numbers as text, right-aligned."""
    text = pl.col(name).map_elements(say, return_dtype=pl.String)
    return text.str.pad_start(width).alias(name)


def _between(name: str, title: str, digits: int) -> pl.Expr:
    """Both ends of an interval as one text; nothing where there is none."""

    def said(ends: Mapping[str, float | None]) -> str:
        lower, upper = ends[f"{name}_lower"], ends[f"{name}_upper"]
        if lower is None or upper is None:
            return ""
        if not isfinite(lower) and not isfinite(upper):
            return "none" if lower == upper else "any"
        if not isfinite(upper):
            return f"{lower:,.{digits}f} or more"
        if not isfinite(lower):
            return f"{upper:,.{digits}f} or less"
        return f"{lower:,.{digits}f} to {upper:,.{digits}f}"

    both = pl.struct(f"{name}_lower", f"{name}_upper")
    return both.map_elements(said, return_dtype=pl.String).alias(title)


def _sheet(
    name: str,
    title: str,
    frame: pl.DataFrame,
    summary: pl.DataFrame,
    lines: list[str],
    board: Leaderboard,
    facts: Mapping[str, Any],
    pictures: Mapping[str, Draw],
) -> Sheet:
    manifest = {**board.manifest, "what_if": dict(facts)}
    return Sheet(name, title, frame, summary, lines, manifest, "share", pictures)
