"""Best of n: what a rating gains when several private variants are tried and the best is listed.

Each variant's rating is its strength plus the luck of its votes, and whoever lists the highest
rating lists the best luck. No board is needed for how much that is worth: `best_of_n` has it in
closed form, `arena.board_variants` the same by simulation on a given board.

Under the half rule a vote scores 1, 1/2 or 0 points. Between equals, of whom a share t ties,
points have variance (1 - t) / 4, and a unit of log-odds is worth 1/4 of a point. So a rating
from v votes, against opponents of about its strength whose own ratings are settled, has the
standard error 2 √((1 - t) / v) in log-odds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr, ndtri_exp

from arena.errors import OptionError
from arena.leaderboard import Scale

Floats = NDArray[np.float64]
Way = Literal["formula", "board"]

COLUMNS: Mapping[str, pl.DataType] = {
    "variants": pl.Int64(),
    "votes": pl.Float64(),
    "sampling": pl.Float64(),
    "true_spread": pl.Float64(),
    "fresh": pl.Float64(),
    "std_error": pl.Float64(),
    "gain": pl.Float64(),
    "gain_lower": pl.Float64(),
    "gain_median": pl.Float64(),
    "gain_upper": pl.Float64(),
    "p_at_least": pl.Float64(),
    "better": pl.Float64(),
    "gain_left": pl.Float64(),
    "gain_left_lower": pl.Float64(),
    "gain_left_upper": pl.Float64(),
    "fresh_error": pl.Float64(),
    "range": pl.Float64(),
    "range_lower": pl.Float64(),
    "range_upper": pl.Float64(),
}
"""The columns that both ways have, in their order; see `BestOfN`."""

MOST_VARIANTS = 100_000
GRID = np.linspace(-12.0, 12.0, 4_801)
"""Standard normal values over which densities are summed; the trapezoid rule is exact to
rounding for smooth densities that vanish at both ends."""


@dataclass(frozen=True, slots=True, eq=False)
class BestOfN:
    """What listing the best of n does, a scenario in each row.

    Attributes:
        frame: the scenario: `variants`, `votes` of each, `sampling` (what `votes` and `fresh`
            are multiplied by), `true_spread` (standard deviation of the variants' strengths),
            `fresh` (votes after publication). Then, in rating points: `std_error` of one
            variant's rating; `gain`, by how much the best variant's rating is expected to lie
            above its own strength, with median and quantiles at the level; `p_at_least`, the
            probability of a gain of at least `at_least` points; `better`, by how much the
            strength of the variant listed is expected to lie above the average variant's.
            `gain_left`: what is left of the gain when the fresh votes are added to the private
            ones; where the private votes are discarded nothing is left, and the rating has the
            standard error `fresh_error`. `range`: best rating less worst, were all variants
            listed (clones, if their strengths are equal). On a board there follow the columns
            of `arena.board_variants.BOARD_COLUMNS`.
        way: ``formula``, or ``board`` for a simulation.
        options: what was asked for.
    """

    frame: pl.DataFrame
    way: Way
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row's question; see `BestOfN`."""

    variants: int
    votes: float
    sampling: float
    true_spread: float
    fresh: float

    @property
    def private(self) -> float:
        """Votes that each variant gets."""
        return self.votes * self.sampling

    @property
    def after(self) -> float:
        """Votes that the one listed gets after publication."""
        return self.fresh * self.sampling

    @property
    def old_share(self) -> float:
        """The share of the listed model's votes that are private ones."""
        return self.private / (self.private + self.after)


def best_of_n(
    variants: Sequence[int] = (2, 5, 10, 27, 50),
    votes: Sequence[float] = (3_000,),
    *,
    tie_share: float = 0.35,
    sampling: Sequence[float] = (1.0,),
    true_spread: Sequence[float] = (0.0,),
    fresh: Sequence[float] = (0.0,),
    at_least: float = 10.0,
    level: float = 0.95,
    scale: Scale | None = None,
) -> BestOfN:
    """The gain from listing the best of n variants, in closed form, for a grid of scenarios.

    The highest of n normal variables, as in Tippett, On the Extreme Individuals and the Range of
    Samples Taken from a Normal Population, Biometrika 17 (1925). Where strengths differ, what is
    gained by luck is told from what is gained by choosing the better variant.

    Args:
        variants: how many are tried.
        votes: on each of them.
        tie_share: share of ties, both-bad included, against opponents of about equal strength.
        sampling: the variants and the model listed get so many times `votes` and `fresh`.
        true_spread: standard deviation of the variants' strengths, in points; 0 for equals.
        fresh: votes on the one listed after publication.
        at_least: the gain, in points, whose probability is asked for.
        level: probability between the lower and the upper quantile.
        scale: the rating scale.

    Raises:
        OptionError: an option that cannot be.

    >>> best_of_n([50], [3_000]).frame.select("std_error", "gain").row(0)  # LMArena: about 11
    (5.114..., 11.502...)
    """
    scale = scale or Scale()
    if not 0.0 <= tie_share < 1.0:
        raise OptionError(f"tie-share: {tie_share} is not a share from 0 to below 1")
    refuse_level(level)
    rows = []
    for one in scenario_grid(variants, votes, sampling, true_spread, fresh):
        error = rating_error(one.private, tie_share, scale)
        new_error = rating_error(one.after, tie_share, scale) if one.after else None
        rows.append(_row(one, error, new_error, at_least, level))
    asked = {"tie_share": tie_share, "at_least": at_least, "level": level, "points": scale.points}
    return BestOfN(pl.DataFrame(rows, schema=COLUMNS), "formula", asked)


def rating_error(votes: float, tie_share: float, scale: Scale | None = None) -> float:
    """Standard error, in points, of a rating from so many votes against its equals."""
    return (scale or Scale()).per_log_odds * 2.0 * float(np.sqrt((1.0 - tie_share) / votes))


def _row(
    one: Scenario, error: float, new_error: float | None, at_least: float, level: float
) -> dict[str, Any]:
    total = float(np.hypot(error, one.true_spread))
    # Of what a rating lies above the average, this share is luck; the rest is strength.
    luck = (error / total) ** 2
    noise = luck * one.true_spread * total / error
    gain = _Best(one.variants, luck * total, noise)
    old = one.old_share
    left_noise = np.hypot(old * noise, (1.0 - old) * (new_error or 0.0))
    left = _Best(one.variants, old * luck * total, float(left_noise))
    tail = (1.0 - level) / 2.0
    return {
        "variants": one.variants,
        "votes": one.votes,
        "sampling": one.sampling,
        "true_spread": one.true_spread,
        "fresh": one.fresh,
        "std_error": error,
        "gain": gain.mean,
        "gain_lower": gain.quantile(tail),
        "gain_median": gain.quantile(0.5),
        "gain_upper": gain.quantile(1.0 - tail),
        "p_at_least": 1.0 - gain.probability_below(at_least),
        "better": (1.0 - luck) * total * expected_best(one.variants),
        "gain_left": left.mean,
        "gain_left_lower": left.quantile(tail),
        "gain_left_upper": left.quantile(1.0 - tail),
        "fresh_error": new_error,
        "range": 2.0 * total * expected_best(one.variants),
        "range_lower": total * range_quantile(one.variants, tail),
        "range_upper": total * range_quantile(one.variants, 1.0 - tail),
    }


# ── the best of n standard normals ─────────────────────────────────────────────────────────


def expected_best(n: int) -> float:
    """The mean of the highest of n standard normal variables.

    >>> round(expected_best(2), 6), round(expected_best(50), 4)  # 1 / √π, and Tippett's table
    (0.56419, 2.2491)
    """
    return float(GRID @ _density(n)) if n > 1 else 0.0


def range_probability(n: int, width: float) -> float:
    """The probability that n standard normal variables span at most so much.

    >>> round(1 - range_probability(2, 2.7718), 4)  # two ratings apart by 1.96 √2 errors
    0.05
    """
    if n == 1 or width <= 0.0:
        return float(n == 1 and width >= 0.0)
    inside = ndtr(GRID + width) - ndtr(GRID)
    density = np.exp(-0.5 * GRID**2) / np.sqrt(2.0 * np.pi)
    return min(1.0, float(n * (density * inside ** (n - 1)).sum() * (GRID[1] - GRID[0])))


def range_quantile(n: int, q: float) -> float:
    """The width that n standard normal variables span with probability q at most."""
    if n == 1:
        return 0.0
    return float(brentq(lambda width: range_probability(n, width) - q, 0.0, 24.0))


def _density(n: int) -> Floats:
    """Weights [G] of the grid's values as the highest of n, summing to one."""
    log = np.log(n) - 0.5 * GRID**2 + (n - 1) * log_ndtr(GRID)
    weight: Floats = np.exp(log - log.max())
    weight /= weight.sum()
    return weight


@dataclass(frozen=True, slots=True)
class _Best:
    """The distribution of a · (highest of n standard normals) + noise · (another one)."""

    n: int
    a: float
    noise: float

    @property
    def mean(self) -> float:
        return self.a * expected_best(self.n)

    def probability_below(self, value: float) -> float:
        if self.noise == 0.0:
            return float(ndtr(value / self.a) ** self.n)
        return float(_density(self.n) @ ndtr((value - self.a * GRID) / self.noise))

    def quantile(self, q: float) -> float:
        highest = float(ndtri_exp(np.log(q) / self.n))
        if self.noise == 0.0:
            return self.a * highest
        most = 12.0 * (self.a + self.noise)
        return float(brentq(lambda value: self.probability_below(value) - q, -most, most))


# ── what may be asked ──────────────────────────────────────────────────────────────────────


def scenario_grid(
    variants: Sequence[int],
    votes: Sequence[float],
    sampling: Sequence[float],
    true_spread: Sequence[float],
    fresh: Sequence[float],
) -> list[Scenario]:
    """Every combination, the number of variants varying fastest.

    Raises:
        OptionError: naming the value that cannot be.
    """
    for n in variants:
        if n != int(n) or not 1 <= n <= MOST_VARIANTS:
            raise OptionError(f"variants: {n} is not a whole number from 1 to {MOST_VARIANTS:,}")
    for name, values, least in (
        ("votes", votes, "above"),
        ("sampling", sampling, "above"),
        ("true-spread", true_spread, "from"),
        ("fresh", fresh, "from"),
    ):
        for value in values:
            if not (np.isfinite(value) and (value > 0 or (value == 0 and least == "from"))):
                raise OptionError(f"{name}: {value} is not a number {least} 0")
    grid = list(product(fresh, true_spread, sampling, votes, variants))
    if not grid:
        raise OptionError("best-of-n: an empty list of variants, votes, or another option")
    return [Scenario(int(n), float(v), float(k), float(s), float(f)) for f, s, k, v, n in grid]


def refuse_level(level: float) -> None:
    """Raise OptionError unless the level of an interval is one."""
    if not 0.0 < level < 1.0:
        raise OptionError(f"level: {level} is not between 0 and 1, e.g. 0.95")
