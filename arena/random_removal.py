"""What random removal does to an order: how often it changes when so many votes go by chance."""

from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.batch import solve_tables
from arena.removal_search import TOLD_APART, Removable
from arena.resample import draw_tables

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]

SHARES = (0.01, 0.02, 0.05, *(i / 10 for i in range(1, 10)), 0.95, 0.98)
"""Shares of all that are removed at random."""


def random_removal(
    units: Removable,
    inside: Integers,
    outside: Integers,
    number: int | None,
    draws: int,
    level: float,
    seed: int,
) -> pl.DataFrame:
    """How often the order changes when units are removed at random, without replacement.

    Args:
        units: what can be removed.
        inside: models above the line that the order is about.
        outside: those below it; the order changes when one of them comes to stand above one
            from inside, or when one from inside is not rated.
        number: looked at beside the `SHARES`.
        draws: random removals of each number.
        level: coverage of the intervals.
        seed: of what is drawn.

    Returns:
        A frame with `number`, `share`, `probability`, and its Wilson interval, `lower` to `upper`.
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    numbers = {round(share * units.total) for share in SHARES} | {number or 0}
    rows = []
    for n in sorted(one for one in numbers if 0 < one < units.total):
        changed = _changed(_without(units, n, draws, seed), inside, outside)
        lower, upper = _wilson(int(changed.sum()), draws, z)
        rows.append((n, n / units.total, float(changed.mean()), lower, upper))
    kinds = {"number": pl.Int64} | dict.fromkeys(
        ("share", "probability", "lower", "upper"), pl.Float64
    )
    return pl.DataFrame(rows, schema=kinds, orient="row")


def half_at(random: pl.DataFrame) -> float | None:
    """Where the probability first reaches one half, by interpolation from no change at none."""
    number = np.concatenate([[0.0], random["number"].to_numpy().astype(np.float64)])
    p = np.concatenate([[0.0], random["probability"].to_numpy()])
    reached = np.flatnonzero(p >= 0.5)
    if not reached.size:
        return None
    i = int(reached[0])
    return float(np.interp(0.5, p[i - 1 : i + 1], number[i - 1 : i + 1]))


def _without(units: Removable, number: int, draws: int, seed: int) -> Floats:
    """Log-odds [B, m] without so many units, drawn at random without replacement."""
    single = bool((units.number == 1).all())

    def draw(rng: np.random.Generator, n: int) -> Floats:
        removed = np.zeros((units.number.size, n))
        if single:
            chosen = np.argpartition(rng.random((units.number.size, n)), number - 1, axis=0)
            np.put_along_axis(removed, chosen[:number], 1.0, axis=0)
        else:
            removed[:] = rng.multivariate_hypergeometric(units.number, number, n).T
        return units.left(removed)

    size = max(units.task.left.size, units.number.size)
    return solve_tables(units.fit, draw_tables(draws, seed, size, draw)).log_odds


def _changed(log_odds: Floats, inside: Integers, outside: Integers) -> Flags:
    """In which boards [B] a model from outside stands above one from inside, or has its place.

    A model that a board cannot rate has no place on it.
    """
    rated = np.where(np.isfinite(log_odds), log_odds, -np.inf)
    last, first = rated[:, inside].min(axis=1), rated[:, outside].max(axis=1)
    changed: Flags = ~np.isfinite(last) | (first > last + TOLD_APART)
    return changed


def _wilson(hits: int, draws: int, z: float) -> tuple[float, float]:
    """Wilson's interval of a probability (1927)."""
    p, n = hits / draws, draws
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return max(centre - half, 0.0), min(centre + half, 1.0)
