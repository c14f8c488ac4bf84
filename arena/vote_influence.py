"""How few votes hold a board's order up: the smallest set whose removal changes it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.bradley_terry import Fit
from arena.clusters import ClusterCounts
from arena.covariance import estimate_covariance
from arena.errors import NoEstimateError, OptionError
from arena.leaderboard import Scale, model_index
from arena.random_removal import half_at, random_removal
from arena.removal_search import (
    TOLD_APART,
    Removable,
    predicted_number,
    removable_clusters,
    removable_votes,
    smallest_set,
)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

VOTE = "vote"
OUTCOMES = ("model_a", "model_b", "tie")
MOST_PAIRS = 20
"""So many pairs of models are searched at most, those first that one step says need fewest."""
WORTH_A_LOOK = 2.0
"""Pairs for which one step predicts more than so many times the fewest found are not searched."""


@dataclass(frozen=True, slots=True, eq=False)
class FewestVotes:
    """The smallest set found whose removal changes an order, and what random removal does.

    No smaller set was found, which does not prove that there is none.

    Attributes:
        frame: what to remove, the most influential first; empty if no set was found. Of votes:
            `model_a`, `model_b`, `winner` (``tie`` stands for both-bad, too), `removed`, how
            many of these, and `votes`, of how many. Of clusters: `cluster`, its value in the
            column, and `votes`, of it. Then `effect`, of one vote or cluster on the gap, in
            rating points, by one step from the full board.
        pairs: one row per pair that was searched: `model`, which stands above `rival` on the
            full board, the `gap` in rating points, `predicted`, how many to remove by one step,
            and `number`, how many by exact refits; null where no set was found.
        random: one row per number removed at random: `number`, `share`, `probability` that the
            order changes, `lower` and `upper`, its Wilson interval.
        of: ``vote``, or the column of the clusters.
        question: what counts as a change, in words.
        model, rival: who stands above whom, and does not without the set; without a set, the
            pair for which one step predicts fewest.
        number: units in the set, or None.
        total: votes that count in the fit, or clusters.
        votes: votes in the set, of `all_votes`.
        all_votes: votes that count in the fit.
        gap, gap_lower, gap_upper: rating points between model and rival, with an interval.
        gap_after: without the set, by an exact refit; None without one.
        one_step: the same as predicted from the full board by one step.
        predicted: units that one step says are enough; None if it says that none are.
        most: no larger set was looked for.
        half_at: how many removed at random change the order half of the time, between numbers
            of `random` by interpolation; None if that many never do.
        options: what was asked for.
    """

    frame: pl.DataFrame
    pairs: pl.DataFrame
    random: pl.DataFrame
    of: str
    question: str
    model: str
    rival: str
    number: int | None
    total: int
    votes: float
    all_votes: float
    gap: float
    gap_lower: float
    gap_upper: float
    gap_after: float | None
    one_step: float | None
    predicted: int | None
    most: int
    half_at: float | None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def share(self) -> float | None:
        """The share of all votes, or clusters, that the set is; None without one."""
        return None if self.number is None else self.number / self.total


def fewest_votes(
    fit: Fit,
    clusters: ClusterCounts | None = None,
    *,
    place: int = 1,
    above: tuple[str, str] | None = None,
    most: float = 0.3,
    draws: int = 200,
    level: float = 0.95,
    seed: int = 0,
    scale: Scale | None = None,
) -> FewestVotes:
    """Find the fewest votes, judges or prompts without which the board's order is another.

    Broderick, Giordano and Meager, An Automatic Finite-Sample Robustness Metric: When Can
    Dropping a Little Data Make a Big Difference? (2020); for boards, Huang, Shen, Wei and
    Broderick, Dropping Just a Handful of Preferences Can Change Top Large Language Model
    Rankings (2025). Beyond them, sets are made as small as exact refits allow; see
    `removal_search`.

    Args:
        fit: of all votes.
        clusters: the same votes by judge, prompt or any other column, to remove whole clusters;
            a vote without a value is a cluster of its own. None removes single votes.
        place: the order changes if any model enters the first so many places.
        above: instead, if the first of these two models comes to stand above the second.
        most: look for sets up to this share of all votes, or clusters.
        draws: random removals of each number.
        level: coverage of the intervals.
        seed: of what is removed at random.
        scale: the rating scale.

    Raises:
        OptionError: an option that cannot be, a model that is not rated, or that stands above
            the other already; or single votes that have weights.
        NoEstimateError: if there is but one cluster.
    """
    if not 0.0 < most < 1.0:
        raise OptionError(f"most: {most} is not a share between 0 and 1, e.g. 0.3")
    if draws < 1:
        raise OptionError(f"draws: {draws} is not a number of at least 1")
    if not 0.0 < level < 1.0:
        raise OptionError(f"level: {level} is not between 0 and 1, e.g. 0.95")
    if clusters is not None and clusters.n_clusters < 2:
        raise NoEstimateError(f"influence: all votes are of one {clusters.column}; none can go")
    inside, outside, question = _sides(fit, place, above)
    units = removable_votes(fit) if clusters is None else removable_clusters(fit, clusters)
    limit = int(most * units.total)
    points = (scale or Scale()).per_log_odds
    searched, best, upper, lower = _search(units, inside, outside, limit)
    gap = points * float(fit.log_odds[upper] - fit.log_odds[lower])
    z = NormalDist().inv_cdf(0.5 + level / 2)
    half_width = z * points * _error(fit, clusters, upper, lower)
    effect = points * units.influence(upper, lower)
    number = None if best is None else int(best.sum())
    random = random_removal(units, inside, outside, number, draws, level, seed)
    return FewestVotes(
        _removed(units, clusters, best, effect),
        _pairs(fit, searched, points),
        random,
        VOTE if clusters is None else clusters.column,
        question,
        fit.models[upper],
        fit.models[lower],
        number,
        units.total,
        0.0 if best is None else float(units.votes.sum(axis=1) @ best),
        float(units.task.outcomes.sum()),
        gap,
        gap - half_width,
        gap + half_width,
        None if best is None else points * _gap_without(units, best, upper, lower),
        None if best is None else gap + float(effect @ best),
        predicted_number(units, upper, lower),
        limit,
        half_at(random),
        {
            "of": VOTE if clusters is None else clusters.column,
            "place": place,
            "above": list(above) if above else None,
            "most": most,
            "draws": draws,
            "level": level,
            "seed": seed,
            "ties": fit.rule.name,
            "prior": fit.prior,
        },
    )


def _sides(fit: Fit, place: int, above: tuple[str, str] | None) -> tuple[Integers, Integers, str]:
    """The models above and those below a line that one has to cross, and what that means."""
    if above is not None:
        rising, other = (model_index(fit, model, "above") for model in above)
        if rising == other:
            raise OptionError(f"above: '{above[0]}' cannot stand above itself; name two models")
        if fit.log_odds[rising] - fit.log_odds[other] > TOLD_APART:
            message = f"above: '{above[0]}' stands above '{above[1]}' already; turn them round"
            raise OptionError(message)
        return np.array([other]), np.array([rising]), f"{above[0]} comes to stand above {above[1]}"
    m = len(fit.models)
    if not 1 <= place < m:
        raise OptionError(f"place: {place} is not a place of 1 to {m - 1} among {m} rated models")
    order = np.argsort(-np.round(fit.log_odds, 9), kind="stable")
    what = f"another model enters the first {place} places"
    return order[:place], order[place:], "first place goes to another" if place == 1 else what


# ── the search ─────────────────────────────────────────────────────────────────────────────

Searched = tuple[int, int, int | None, int | None]
"""A pair that was searched: upper and lower model, units predicted, units found."""


def _search(
    units: Removable, inside: Integers, outside: Integers, limit: int
) -> tuple[list[Searched], Integers | None, int, int]:
    """The pairs searched, the smallest set [U] found, and whose gap it turns."""
    predicted = [(predicted_number(units, i, j), i, j) for i in inside for j in outside]
    predicted.sort(key=lambda one: float("inf") if one[0] is None else one[0])
    best: Integers | None = None
    upper, lower = predicted[0][1:]
    searched: list[Searched] = []
    for guess, i, j in predicted[:MOST_PAIRS]:
        fewest = None if best is None else int(best.sum())
        if fewest is not None and (guess is None or guess > WORTH_A_LOOK * fewest + 1):
            continue
        found = smallest_set(units, i, j, limit)
        searched.append((i, j, guess, None if found is None else int(found.sum())))
        if found is not None and (fewest is None or found.sum() < fewest):
            best, upper, lower = found, i, j
    return searched, best, int(upper), int(lower)


def _pairs(fit: Fit, searched: Sequence[Searched], points: float) -> pl.DataFrame:
    columns = {
        "model": [fit.models[i] for i, *_ in searched],
        "rival": [fit.models[j] for _, j, *_ in searched],
        "gap": [points * float(fit.log_odds[i] - fit.log_odds[j]) for i, j, *_ in searched],
        "predicted": [one[2] for one in searched],
        "number": [one[3] for one in searched],
    }
    return pl.DataFrame(columns, schema_overrides={"predicted": pl.Int64, "number": pl.Int64})


def _gap_without(units: Removable, removed: Integers, upper: int, lower: int) -> float:
    log_odds = units.solve(removed[:, None].astype(np.float64))[0]
    return float(log_odds[upper] - log_odds[lower])


def _error(fit: Fit, clusters: ClusterCounts | None, upper: int, lower: int) -> float:
    """Standard error of a gap, in log-odds."""
    covariance = estimate_covariance(fit, "cluster" if clusters else "sandwich", clusters)
    pair = covariance[np.ix_([upper, lower], [upper, lower])]
    return float(np.sqrt(max(pair[0, 0] + pair[1, 1] - 2.0 * pair[0, 1], 0.0)))


def _removed(
    units: Removable, clusters: ClusterCounts | None, best: Integers | None, effect: Floats
) -> pl.DataFrame:
    """See `FewestVotes.frame`."""
    kinds = np.empty(0, dtype=np.int64) if best is None else np.flatnonzero(best)
    kinds = kinds[np.argsort(effect[kinds], kind="stable")]
    chosen = units.votes[kinds]
    if clusters is not None:
        values = clusters.values.extend_constant(None, clusters.n_clusters - len(clusters.values))
        votes = pl.Series("votes", np.asarray(chosen.sum(axis=1)).ravel(), dtype=pl.Float64)
        if (votes == votes.round()).all():
            votes = votes.cast(pl.Int64)
        said = [values.gather(kinds).alias("cluster"), votes]
    else:
        outcome, cell = np.divmod(chosen.indices, units.task.left.size)
        names = pl.Series(units.fit.models, dtype=pl.String)
        taken = np.zeros(0, dtype=np.int64) if best is None else best[kinds]
        said = [
            names.gather(units.task.left[cell]).alias("model_a"),
            names.gather(units.task.right[cell]).alias("model_b"),
            pl.Series("winner", OUTCOMES, dtype=pl.String).gather(outcome),
            pl.Series("removed", taken, dtype=pl.Int64),
            pl.Series("votes", units.number[kinds], dtype=pl.Int64),
        ]
    return pl.DataFrame([*said, pl.Series("effect", effect[kinds], dtype=pl.Float64)])
