"""Best of n on a given board: variants enter it, get votes against its models, and the best stays.

The board's own votes stand as they are, and its fit is taken for the truth. What is drawn are
the variants' votes: how many each opponent gets, and how they end. Every draw is rated together
with the board by `batch.solve_tables`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.batch import Tables, block_size, solve_tables
from arena.board_entry import Entry, enter_board
from arena.bradley_terry import Fit, fit_bradley_terry
from arena.counts import PairCounts
from arena.errors import NoEstimateError, OptionError
from arena.leaderboard import Scale
from arena.problem import problem
from arena.variants import COLUMNS, BestOfN, Scenario, refuse_level, scenario_grid

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Opponents = Literal["uniform", "like", "near"]
TieShares = Literal["gap", "cell"]

BOARD_COLUMNS: Mapping[str, pl.DataType] = {
    "gain_error": pl.Float64(),
    "rank_true": pl.Int64(),
    "rank": pl.Float64(),
    "rank_best": pl.Int64(),
    "rank_worst": pl.Int64(),
    "rank_last": pl.Float64(),
    "between": pl.Float64(),
    "between_lower": pl.Int64(),
    "between_upper": pl.Int64(),
    "p_top": pl.Float64(),
    "p_top_alone": pl.Float64(),
}
"""What a board adds to the columns of the best of n: `gain_error`, the simulation's standard error
of the gain; `rank_true`, where the average variant belongs among the board's models; `rank`, the
expected rank of the best variant, with the quantiles `rank_best` to `rank_worst`; `rank_last`, the
expected rank of the worst variant; `between`, how many of the board's models are expected to stand
between the best and the worst, with quantiles; `p_top`, the probability that the best is among the
first `top`, and `p_top_alone` that of a single variant."""


def best_of_n_on_board(
    fit: Fit,
    *,
    like: str | None = None,
    rating: float | None = None,
    variants: Sequence[int] = (1, 2, 5, 10, 27),
    votes: Sequence[float] = (3_000,),
    sampling: Sequence[float] = (1.0,),
    true_spread: Sequence[float] = (0.0,),
    fresh: Sequence[float] = (0.0,),
    opponents: Opponents = "uniform",
    tie_shares: TieShares = "gap",
    top: int = 1,
    at_least: float = 10.0,
    level: float = 0.95,
    rounds: int = 1_000,
    seed: int = 0,
    scale: Scale | None = None,
) -> BestOfN:
    """Simulate private variants on a board, for a grid of scenarios.

    One simulation, with as many variants as the largest scenario has, serves all numbers of
    variants: of n, the first n of it are tried.

    Args:
        fit: the board, with votes of weight one.
        like: the variants are as strong as this model.
        rating: or have this rating; one of the two.
        variants: as for `best_of_n`, like the next four.
        votes: whole numbers.
        sampling: what votes and fresh votes are multiplied by.
        true_spread: in points.
        fresh: whole numbers.
        opponents: drawn ``uniform`` from all models, with the shares that `like` met them with,
            or ``near``, see `arena.board_entry.NEAR`.
        tie_shares: by ``gap``, as the share of ties that Davidson's model has at it, fitted to
            the board's ties; or by ``cell``, as `like` tied with each opponent. A tie rule with a
            parameter has its own.
        top: the number of first places whose probability is asked for.
        at_least: the gain, in points, whose probability is asked for.
        level: probability between lower and upper quantiles.
        rounds: how many draws.
        seed: of all of them.
        scale: the rating scale.

    Raises:
        OptionError: an option that cannot be.
        NoEstimateError: votes so few that a variant may have no finite rating.
    """
    scale = scale or Scale()
    refuse_level(level)
    scenarios = scenario_grid(variants, votes, sampling, true_spread, fresh)
    _refuse(fit, scenarios, rounds, top)
    entry = enter_board(fit, like, rating, opponents, tie_shares, scale)
    most = max(one.variants for one in scenarios)
    found: dict[tuple[float, float, float], _Drawn] = {}
    for one in scenarios:
        for after in {0.0, one.after}:
            key = (one.private, one.true_spread, after)
            if key not in found:
                found[key] = _simulate(fit, entry, most, key, rounds, seed, scale)
        new = (one.after, one.true_spread, 0.0)
        if one.after and new not in found:
            found[new] = _simulate(fit, entry, most, new, rounds, seed, scale)
    rows = [_row(one, found, entry, at_least, top, level) for one in scenarios]
    asked: dict[str, Any] = {
        "like": like,
        "rating": rating,
        "opponents": opponents,
        "tie_shares": tie_shares,
    }
    asked |= {"top": top, "at_least": at_least, "level": level, "rounds": rounds, "seed": seed}
    return BestOfN(pl.DataFrame(rows, schema={**COLUMNS, **BOARD_COLUMNS}), "board", asked)


# ── simulation ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """Simulated ratings of V variants, in points above the average variant's strength.

    Attributes:
        rating: float [B, V].
        strength: float [B, V].
        ahead: int [B, V], how many of the board's models stand above each variant.
    """

    rating: Floats
    strength: Floats
    ahead: Integers


def _simulate(
    fit: Fit,
    entry: Entry,
    n_variants: int,
    key: tuple[float, float, float],
    rounds: int,
    seed: int,
    scale: Scale,
) -> _Drawn:
    """Draw (private votes, spread of strengths, fresh votes) of each variant, and rate them."""
    private, spread, after = key
    m, points = len(fit.models), scale.per_log_odds
    base = _with_variants(fit, entry, n_variants, private + after)
    known = problem(base.counts, base.rule)
    opponent, variant = np.divmod(np.arange(m * n_variants), n_variants)
    cell = np.searchsorted(
        known.left * (m + n_variants) + known.right,
        opponent * (m + n_variants) + m + variant,
    )
    there = entry.share[opponent] > 0
    of_strength, *of_blocks = np.random.SeedSequence(seed).spawn(rounds + 1)
    strength = np.random.default_rng(of_strength).standard_normal((rounds, n_variants))
    strength *= spread / points
    block = block_size(known.left.size, rounds)

    def make(number: int) -> Floats:
        rng = np.random.default_rng(of_blocks[number])
        rows = strength[number * block : (number + 1) * block]
        chance = entry.share[:, None] * entry.outcomes(entry.strength + rows)
        flat = chance.reshape(*rows.shape, -1)
        flat /= flat.sum(axis=-1, keepdims=True)
        drawn = rng.multinomial(round(private), flat)
        if after:
            drawn = drawn + rng.multinomial(round(after), flat)
        # [n, V, m, 3] → [3, m, V, n]; in a cell the board's model is the left one.
        votes = drawn.reshape(*rows.shape, m, 3).transpose(3, 2, 1, 0)[[1, 0, 2]]
        table = np.repeat(known.outcomes[:, :, None], len(rows), axis=2)
        table[:, cell[there]] = votes.reshape(3, m * n_variants, len(rows))[:, there]
        if not base.rule.counts_ties:
            table[2] = 0.0
        return table

    log_odds = solve_tables(base, Tables(rounds, block, make)).log_odds
    if not np.isfinite(log_odds).all():
        lost = 1.0 - np.isfinite(log_odds).all(axis=1).mean()
        raise NoEstimateError(
            f"votes: with {private + after:,.0f} a variant has no finite rating in {lost:.1%} of "
            "the draws; give it more"
        )
    # The scale is held by the board's own models.
    log_odds = log_odds - log_odds[:, :m].mean(axis=1, keepdims=True)
    mine, rivals = log_odds[:, m:], np.sort(log_odds[:, :m], axis=1)
    ahead = np.stack(
        [m - np.searchsorted(r, own, side="right") for r, own in zip(rivals, mine, strict=True)]
    )
    middle = entry.strength - fit.log_odds.mean()
    return _Drawn(points * (mine - middle), points * strength, ahead)


def _with_variants(fit: Fit, entry: Entry, n_variants: int, votes: float) -> Fit:
    """The board's fit with variants that got what is expected of them."""
    m = len(fit.models)
    opponent = np.repeat(np.flatnonzero(entry.share > 0), n_variants)
    variant = np.tile(m + np.arange(n_variants), opponent.size // n_variants)
    won, lost, tie = (votes * entry.share[:, None] * entry.outcomes(np.array(entry.strength))).T
    expected = np.stack([lost, won, tie, np.zeros(m)], axis=1)[opponent]
    prefix = "variant "
    while any(name.startswith(prefix) for name in fit.models):
        prefix = "~" + prefix
    counts = PairCounts(
        (*fit.models, *(f"{prefix}{i + 1}" for i in range(n_variants))),
        np.concatenate([fit.counts.pairs, np.stack([opponent, variant], axis=1)]),
        np.concatenate([fit.counts.outcomes, expected]),
    )
    if fit.prior > 0.0:
        return fit_bradley_terry(counts, ties=fit.rule.name, on_separation="prior", prior=fit.prior)
    return fit_bradley_terry(counts, ties=fit.rule.name)


def _row(
    one: Scenario,
    found: Mapping[tuple[float, float, float], _Drawn],
    entry: Entry,
    at_least: float,
    top: int,
    level: float,
) -> dict[str, Any]:
    drawn = found[one.private, one.true_spread, 0.0]
    n, rows = one.variants, np.arange(len(drawn.rating))
    rating, strength = drawn.rating[:, :n], drawn.strength[:, :n]
    best, worst = rating.argmax(axis=1), rating.argmin(axis=1)
    gain = (rating - strength)[rows, best]
    later = found[one.private, one.true_spread, one.after]
    left = (later.rating - later.strength)[rows, best]
    width = rating[rows, best] - rating[rows, worst]
    rank, last = 1 + drawn.ahead[rows, best], 1 + drawn.ahead[rows, worst]
    tails = ((1.0 - level) / 2.0, 0.5, (1.0 + level) / 2.0)
    lower, median, upper = np.quantile(gain, tails)
    left_lower, _, left_upper = np.quantile(left, tails)
    narrow, _, wide = np.quantile(width, tails)
    new = found.get((one.after, one.true_spread, 0.0)) if one.after else None
    return {
        "variants": n,
        "votes": one.votes,
        "sampling": one.sampling,
        "true_spread": one.true_spread,
        "fresh": one.fresh,
        "std_error": _error(drawn),
        "gain": gain.mean(),
        "gain_lower": lower,
        "gain_median": median,
        "gain_upper": upper,
        "p_at_least": (gain >= at_least).mean(),
        "better": strength[rows, best].mean(),
        "gain_left": left.mean(),
        "gain_left_lower": left_lower,
        "gain_left_upper": left_upper,
        "fresh_error": None if new is None else _error(new),
        "range": width.mean(),
        "range_lower": narrow,
        "range_upper": wide,
        "gain_error": gain.std(ddof=1) / np.sqrt(gain.size),
        "rank_true": entry.rank,
        "rank": rank.mean(),
        "rank_best": _whole_quantile(rank, tails[0]),
        "rank_worst": _whole_quantile(rank, tails[2]),
        "rank_last": last.mean(),
        "between": (last - rank).mean(),
        "between_lower": _whole_quantile(last - rank, tails[0]),
        "between_upper": _whole_quantile(last - rank, tails[2]),
        "p_top": (rank <= top).mean(),
        "p_top_alone": (drawn.ahead < top).mean(),
    }


def _error(drawn: _Drawn) -> float:
    return float(np.sqrt(np.mean((drawn.rating - drawn.strength) ** 2)))


def _whole_quantile(values: Integers, q: float) -> int:
    return int(np.quantile(values, q, method="nearest"))


def _refuse(fit: Fit, scenarios: Sequence[Scenario], rounds: int, top: int) -> None:
    if rounds < 2:
        raise OptionError(f"rounds: {rounds} is not a number of at least 2")
    if top < 1:
        raise OptionError(f"top: {top} is not a rank from 1 up")
    if fit.counts.is_weighted:
        raise OptionError("best-of-n: these votes have weights, new ones have none; rate without")
    for one in scenarios:
        for name, number in (("votes", one.private), ("fresh", one.after)):
            if abs(number - round(number)) > 1e-9:
                raise OptionError(f"{name}: {number:g} votes cannot be drawn; give a whole number")
        if one.variants > 1_000:
            raise OptionError(f"variants: {one.variants:,} are too many to simulate; 1,000 at most")
