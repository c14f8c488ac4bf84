"""What the suite measures at which sizes, and how an answer is held against the reference."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import ours
from measure import Measured, Task, race
from reference import rate_groups
from results_page import Target

RIGHT, CLOSE = 1e-6, 1.0
"""Rating points: how far our ratings may be from the reference, and those of others."""
REG = 0.0
ROUNDS_OUT_OF_TARGETS = 3
"""Warm rounds of what stands in no target, where it takes long."""


@dataclass(frozen=True)
class Sizes:
    """How large everything is.

    Attributes:
        drawn: votes of the small logs.
        real: whether the shipped votes are rated, 1.67 million.
        large: votes of the largest single file.
        sharded: votes of the log in shards, and how many shards.
        battles: of Elo and of style control; of Elo the shipped votes where these are rated.
        rounds: of the bootstrap, the largest last.
        models: of small fits.
        many: competitors of sparse fits.
        games: of all of these.
        texts: of corpora, the largest last.
        prompts: that are looked for in them.
        beside: texts of the corpus that others go through as well, and prompts.
        repeats: warm rounds, and cold ones.
    """

    drawn: tuple[int, ...] = (10_000, 100_000)
    real: bool = True
    large: int = 10_000_000
    sharded: tuple[int, int] = (100_000_000, 20)
    battles: int = 1_670_000
    rounds: tuple[int, ...] = (30, 100, 300, 1_000)
    models: tuple[int, ...] = (20, 50, 100, 200, 300)
    many: tuple[int, ...] = (3_000, 30_000, 100_000)
    games: int = 10_000_000
    texts: tuple[int, ...] = (10_000, 30_000, 100_000, 300_000)
    prompts: int = 100_000
    beside: tuple[int, int] = (20_000, 2_000)
    repeats: tuple[int, int] = (5, 5)


FULL = Sizes()
TINY = Sizes(
    drawn=(3_000,),
    real=False,
    large=20_000,
    sharded=(20_000, 4),
    battles=20_000,
    rounds=(20, 40),
    models=(20, 40),
    many=(1_200, 2_500),
    games=50_000,
    texts=(1_000, 2_000),
    prompts=500,
    beside=(1_000, 200),
    repeats=(1, 1),
)


@dataclass(frozen=True)
class Plan:
    """What to measure, and with what.

    Attributes:
        sizes: how large.
        scratch: a folder for logs.
        python: distribution → the Python that has it.
        versions: of the same.
    """

    sizes: Sizes
    scratch: Path
    python: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def peer(self, name: str, function: str, distribution: str, **options: object) -> Task:
        """A task of another library; it is cold once, as no target has its cold time."""
        python = self.python.get(distribution, sys.executable)
        return Task(name, "peers", function, options, python, cold_rounds=1)


# ── answers ────────────────────────────────────────────────────────────────────────────────


def check(
    measured: Measured,
    names: Sequence[str],
    ratings: np.ndarray,
    most: float,
    errors: np.ndarray | None = None,
) -> Measured:
    """Hold ratings against the reference: the largest error is noted, and one too large said."""
    if measured.why_not or "ratings" not in measured.answer:
        return measured
    given = dict(zip(measured.answer["models"], measured.answer["ratings"], strict=True))
    answer = dict(measured.answer)
    if set(given) != set(names):
        return replace(measured, why_not="it rates other models", answer=answer)
    found = np.array([given[name] for name in names])
    answer["error"] = float(np.abs(found - found.mean() - ratings + np.mean(ratings)).max())
    why = "" if answer["error"] <= most else f"wrong by {answer['error']:.2g} points"
    if errors is not None and "std_errors" in answer:
        of = dict(zip(answer["models"], answer["std_errors"], strict=True))
        ratio = np.array([of[name] for name in names]) / errors
        ratio = ratio[np.isfinite(ratio)]  # ours has none where votes show no spread
        answer["std_error_ratio"] = [float(ratio.min()), float(ratio.max())]
        if most == RIGHT and np.abs(ratio - 1.0).max() > RIGHT:
            why = (
                f"its standard errors are {ratio.min():.3f} to {ratio.max():.3f} of the right ones"
            )
    return replace(measured, why_not=why, answer=answer)


def reference_of(paths: Sequence[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, ratings and errors of a log by the reference, from polars' bare group-by."""
    groups = ours.count_bare(paths)
    sides = (groups[name].to_numpy().astype(str) for name in ours.COLUMNS)
    return rate_groups(*sides, groups["len"].to_numpy().astype(float))


def raced(tasks: Sequence[Task], repeats: tuple[int, int], paths: Sequence[str]) -> list[Measured]:
    """Measure tasks that rate the same log, and check each."""
    names, ratings, errors = reference_of(paths)
    return [
        check(one, names, ratings, RIGHT if one.task.module == "ours" else CLOSE, errors)
        for one in race(tasks, *repeats)
    ]


def in_no_target(tasks: Sequence[Task], *names: str, cold_rounds: int = 1_000) -> list[Task]:
    """The same tasks; those of such names, or else of other libraries, in fewer rounds."""
    return [
        replace(
            one,
            rounds=ROUNDS_OUT_OF_TARGETS,
            cold_rounds=min(cold_rounds, one.cold_rounds),
        )
        if (one.name in names if names else one.module == "peers")
        else one
        for one in tasks
    ]


def by_name(found: Sequence[Measured]) -> dict[str, Measured]:
    """The measurements by what was measured."""
    return {one.task.name: one for one in found}


def accurate(what: str, found: Sequence[Measured]) -> Target:
    """Whether all of our ratings are those of the reference."""
    own = [one for one in found if one.task.module == "ours" and "error" in one.answer]
    worst = max((one.answer["error"] for one in own), default=float("nan"))
    return Target(7, f"{what}: error of any rating, in points", worst, RIGHT, "most")


def ratio(above: Measured | None, below: Measured | None) -> float:
    """Median time over median time; nan where one of them is missing or wrong."""
    if above is None or below is None or above.why_not or below.why_not:
        return float("nan")
    return above.seconds / below.seconds
