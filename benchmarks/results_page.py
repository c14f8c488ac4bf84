"""The page and the chart that `results.py` writes, and sections as JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import isfinite, isnan, log, nan
from pathlib import Path
from typing import Any, Literal

import numpy as np
from measure import FEW_ROUNDS, LONG, Measured, Task

COLOURS = (
    *("#0b6e99", "#c4561e", "#5b7f2b", "#8a4f9e", "#a8812a", "#6b7280", "#b03a5b", "#2f8f83"),
    *("#111827", "#d68fb0"),
)


@dataclass(frozen=True)
class Target:
    """A limit, and whether it is met.

    Attributes:
        number: which of the targets it belongs to.
        what: is measured.
        found: the figure; nan if it could not be had.
        limit: see `side`.
        side: the figure is to be at ``most``, or at ``least``, this.
    """

    number: int
    what: str
    found: float
    limit: float
    side: Literal["most", "least"]

    @property
    def verdict(self) -> str:
        """Met, missed, or not measured."""
        if isnan(self.found):
            return "not measured"
        met = self.found <= self.limit if self.side == "most" else self.found >= self.limit
        return "met" if met else "**missed**"


@dataclass(frozen=True)
class Point:
    """What one task took at one size: seconds when warm, peak MB of its process."""

    name: str
    size: float
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Curve:
    """Tasks against one size, such as the number of votes."""

    key: str
    label: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Section:
    """One part of the page, all of it measured in one go.

    Attributes:
        title: over it.
        text: below that.
        rows: tables of measurements, each under a heading.
        targets: that rest on these.
        curves: that are drawn of them.
        seconds: how long measuring took; nan if it was not measured.
    """

    title: str
    text: str
    rows: tuple[tuple[str, list[Measured]], ...] = ()
    targets: tuple[Target, ...] = ()
    curves: tuple[Curve, ...] = ()
    seconds: float = nan


def joined(curves: Sequence[Curve]) -> dict[str, Curve]:
    """Curves of one key made one, each task's points by size."""
    found: dict[str, Curve] = {}
    for curve in curves:
        before = found[curve.key].points if curve.key in found else ()
        # Where a log of one size was measured in two ways, the first stands.
        there = {(point.name, point.size) for point in before}
        fresh = [one for one in curve.points if (one.name, one.size) not in there]
        points = sorted([*before, *fresh], key=lambda one: (one.name, one.size))
        found[curve.key] = Curve(curve.key, curve.label, tuple(points))
    return found


def of_tasks(curve: Curve) -> dict[str, list[Point]]:
    """Name → points with a time, by size."""
    found: dict[str, list[Point]] = {}
    for point in curve.points:
        if isfinite(point.seconds) and point.seconds > 0:
            found.setdefault(point.name, []).append(point)
    return found


def exponent(points: Sequence[Point], what: str) -> float:
    """The power of the size with which something grows: least squares on logarithms."""
    sizes = [log(point.size) for point in points]
    values = [log(max(float(getattr(point, what)), 1e-9)) for point in points]
    return float(np.polyfit(sizes, values, 1)[0]) if len(set(sizes)) > 1 else float("nan")


# ── sections as JSON ───────────────────────────────────────────────────────────────────────


def sections_to_json(sections: Mapping[str, Section], made: Mapping[str, str]) -> str:
    """Sections by name, and what they were made with: all that the page needs of them."""
    held = {name: asdict(_shortened(section)) for name, section in sections.items()}
    return json.dumps({"made": dict(made), "sections": held})


def _shortened(section: Section) -> Section:
    """A section whose answers are their single numbers; some have a rating for everybody."""

    def short(one: Measured) -> Measured:
        kept = {key: value for key, value in one.answer.items() if isinstance(value, int | float)}
        return replace(one, answer=kept)

    rows = tuple((heading, [short(one) for one in measured]) for heading, measured in section.rows)
    return replace(section, rows=rows)


def sections_from_json(text: str) -> tuple[dict[str, Section], dict[str, str]]:
    """Sections by name, and what they were made with."""
    held = json.loads(text)
    return {name: _section_of(one) for name, one in held["sections"].items()}, held["made"]


def _section_of(held: Mapping[str, Any]) -> Section:
    def measured(one: Mapping[str, Any]) -> Measured:
        times = {key: tuple(one[key]) for key in ("warm", "cold")}
        return Measured(**{**one, **times, "task": Task(**one["task"])})

    def curve(one: Mapping[str, Any]) -> Curve:
        return Curve(**{**one, "points": tuple(Point(**point) for point in one["points"])})

    parts = {
        "rows": tuple((heading, [measured(one) for one in rows]) for heading, rows in held["rows"]),
        "targets": tuple(Target(**one) for one in held["targets"]),
        "curves": tuple(curve(one) for one in held["curves"]),
    }
    return Section(**{**held, **parts})


# ── the page ───────────────────────────────────────────────────────────────────────────────


def render(
    sections: Sequence[Section],
    curves: Sequence[Curve],
    machine: Mapping[str, str],
    versions: Mapping[str, str],
    missing: Sequence[str],
) -> str:
    """The page, in Markdown."""
    seconds = sum(one.seconds for one in sections if not isnan(one.seconds))
    lines = [*_head(machine, versions, missing, seconds), *_targets(sections)]
    lines += _growth(joined(curves))
    for section in sections:
        lines += _section(section)
    return "\n".join(lines) + "\n"


def _head(
    machine: Mapping[str, str], versions: Mapping[str, str], missing: Sequence[str], seconds: float
) -> Iterator[str]:
    yield f"""# Speed and scale

Written by `python benchmarks/results.py --scratch FOLDER`, which measured for {seconds / 60:.0f} minutes.

- Machine: {"; ".join(f"{key} {value}" for key, value in machine.items())}.
- Versions: {", ".join(f"{name} {number}" for name, number in versions.items())}."""
    if missing:
        yield f"- Not installed, and so not measured: {', '.join(missing)}."
    yield f"""- Times are medians, with the least and the most in brackets; beside them stands how many were counted. A task of over {LONG:.0f} s is counted {FEW_ROUNDS} times.
- A section is measured in one go, and says how long that took. Sections may be from different runs, on the same machine with the same versions; no ratio is between two of them.
- Peak memory is that of a task's own process, the largest of all rounds.
- Every answer was held against a reference that shares no code with `arena` before its time was counted: a plain Newton iteration whose gradients are in extended precision. *Error* is the largest of any rating, in points; ours may be 1e-6 off, others 1.
- Where a task is wrong, or its library missing, the table says so in place of a time.
"""


def _targets(sections: Sequence[Section]) -> Iterator[str]:
    yield "## Targets\n"
    yield "Ratios are of medians, both from one section.\n"
    yield "| | what | found | limit | |\n| --- | --- | --- | --- | --- |"
    targets = [target for section in sections for target in section.targets]
    for one in sorted(targets, key=lambda target: target.number):
        limit = f"at {one.side} {_figure(one.limit)}"
        yield f"| {one.number} | {one.what} | {_figure(one.found)} | {limit} | {one.verdict} |"
    yield ""


def _growth(curves: Mapping[str, Curve]) -> Iterator[str]:
    yield "## Growth\n"
    yield "![Time and memory against votes, models, rounds and texts](growth.svg)\n"
    yield (
        "The exponent is the power of the size with which time, or memory, grows: over all sizes, "
        "and between the two largest, where what is the same at every size weighs least.\n"
    )
    yield "| against | what | sizes | time | time, largest | memory | memory, largest |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for curve in curves.values():
        for name, points in of_tasks(curve).items():
            if len(points) < 2:
                continue
            powers = [
                exponent(some, what)
                for what in ("seconds", "peak_mb")
                for some in (points, points[-2:])
            ]
            sizes = f"{points[0].size:,.0f} to {points[-1].size:,.0f}"
            figures = " | ".join(f"{round(power, 2) + 0.0:.2f}" for power in powers)  # no -0.00
            yield f"| {curve.label} | {name} | {sizes} | {figures} |"
    yield ""


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.title}\n"
    yield f"{section.text}\n"
    if not isnan(section.seconds):
        yield f"Measured in {section.seconds:,.0f} s.\n"
    for heading, rows in section.rows:
        yield f"### {heading}\n"
        yield "| what | warm, s | | times ours | cold, s | | peak, MB | error |"
        yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
        for one in rows:
            yield _row(one, rows[0])
        yield ""


def _row(one: Measured, own: Measured) -> str:
    if one.why_not:
        return f"| {one.task.name} | {one.why_not} | | | | | | |"
    times = _figure(one.seconds / own.seconds, 2) if own.warm and not own.why_not else ""
    cells = [
        one.task.name,
        _spread(one.warm),
        str(len(one.warm)),
        times,
        _spread(one.cold),
        str(len(one.cold) or ""),
        f"{one.peak_mb:,.0f}",
        f"{one.answer['error']:.1e}" if "error" in one.answer else "",
    ]
    return f"| {' | '.join(cells)} |"


def _spread(seconds: Sequence[float]) -> str:
    if not seconds:
        return ""
    low, middle, high = (_seconds(f(seconds)) for f in (min, np.median, max))
    return f"{middle} ({low} to {high})"


def _seconds(value: float) -> str:
    return f"{value:.3g}" if value >= 0.001 else f"{value:.1g}"


def _figure(value: float, digits: int = 3) -> str:
    if isnan(value):
        return ""
    if 0 < abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


# ── the chart ──────────────────────────────────────────────────────────────────────────────


def draw(curves: Sequence[Curve], path: Path) -> None:
    """Time above, memory below, against each size; both axes logarithmic."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    shown = joined(curves)
    style = {
        "svg.hashsalt": "arena",
        "svg.fonttype": "path",
        "font.size": 8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#e5e7eb",
        "legend.frameon": False,
    }
    with plt.rc_context(style):
        width = max(len(shown), 1)
        figure, axes = plt.subplots(2, width, figsize=(4.2 * width, 6.6), squeeze=False)
        for column, curve in enumerate(shown.values()):
            for row, (what, label) in enumerate(
                [("seconds", "seconds, warm"), ("peak_mb", "peak memory, MB")]
            ):
                axis = axes[row, column]
                for k, (name, points) in enumerate(of_tasks(curve).items()):
                    own = name.startswith("arena,")
                    axis.plot(
                        [point.size for point in points],
                        [getattr(point, what) for point in points],
                        marker="o",
                        markersize=3,
                        color=COLOURS[k % len(COLOURS)],
                        linewidth=2.0 if own else 1.0,
                        linestyle="-" if own else "--",
                        label=name,
                    )
                axis.set(xscale="log", yscale="log", xlabel=curve.label, ylabel=label)
                for scale in (axis.xaxis, axis.yaxis):
                    _label_decades(scale)
            axes[1, column].legend(
                loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=7, ncols=1
            )
        figure.tight_layout()
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": "arena"})
        plt.close(figure)


def _label_decades(axis: Any) -> None:
    """Show a decade at least, its ticks as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = axis.get_view_interval()
    if high < 10.0 * low:
        middle = (low * high) ** 0.5
        low, high = middle / 10.0**0.5, middle * 10.0**0.5
        axis.set_view_interval(low, high, ignore=True)
    few = high < 200.0 * low
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,), numticks=12))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))


def _tick(value: float) -> str:
    """A round number in few signs: 0.001, 200, 50k, 10M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"
