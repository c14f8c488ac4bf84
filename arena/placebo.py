"""Placebo: how far a board moves when the votes left out are chosen at random.

A board of some of the votes differs from the board of all for two reasons: those votes are of
another kind, and they are fewer. The placebo draws as many votes at random within the same
pairs, many times, and so shows what the second reason does alone.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.batch import Tables
from arena.bradley_terry import Fit
from arena.counts import PairCounts
from arena.errors import OptionError
from arena.parts import KEPT, REST, PartClusters, Parts
from arena.problem import problem
from arena.resample import draw_tables

Floats = NDArray[np.float64]
Chosen = Callable[[Floats], Floats]
"""From the parts' votes float [2, 3, R, n] to those of one board, float [3, R, n]."""


def of_kept(parts: Floats) -> Floats:
    """The votes kept."""
    chosen: Floats = parts[KEPT]
    return chosen


def of_rest(parts: Floats) -> Floats:
    """The other votes."""
    chosen: Floats = parts[REST]
    return chosen


def of_all(parts: Floats) -> Floats:
    """All votes."""
    chosen: Floats = parts.sum(axis=0)
    return chosen


def expected_counts(parts: Parts) -> tuple[PairCounts, PairCounts]:
    """What kept and rest would hold if votes had been kept in equal parts of every outcome.

    The mean of the placebo's tables, and so the point from which to solve them.
    """
    share, total = _share(parts), parts.sums.sum(axis=0)
    kept, rest = (
        PairCounts(parts.models, *_unordered(parts, part * total)) for part in (share, 1.0 - share)
    )
    return kept, rest


def _share(parts: Parts) -> Floats:
    """The share [R] of each row's votes that is kept."""
    kept, total = parts.votes[KEPT].sum(axis=0), parts.votes.sum(axis=(0, 1))
    share: Floats = np.divide(kept, total, out=np.zeros_like(kept), where=total > 0)
    return share


def _unordered(parts: Parts, votes: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Pairs [P, 2] and outcomes [P, 4] of votes [3, R], strata added up, pairs without left out."""
    m = len(parts.models)
    pair, place = np.unique(parts.left * m + parts.right, return_inverse=True)
    sums = np.stack([np.bincount(place, kind, minlength=pair.size) for kind in votes], axis=1)
    outcomes = np.column_stack([sums, np.zeros(pair.size)])
    there = sums.sum(axis=1) > 0
    return np.stack(np.divmod(pair, m), axis=1)[there], outcomes[there]


def observed_tables(fit: Fit, parts: Parts, chosen: Chosen) -> Tables:
    """The one table of what was observed, over the pairs of a fit."""
    into = _into(fit, parts, chosen)
    return Tables(1, 1, lambda _: into(parts.sums[..., None]))


def placebo_tables(fit: Fit, parts: Parts, chosen: Chosen, draws: int, seed: int = 0) -> Tables:
    """As many votes as were kept of each pair (and stratum), drawn at random from all of its.

    Without replacement: what is kept of a row's wins, losses and ties is multivariate
    hypergeometric. Of votes with unequal weights, numbers are drawn, and each outcome keeps the
    mean weight that it has in its row.

    Args:
        fit: over whose pairs the tables are.
        parts: the votes.
        chosen: which board the tables are of.
        draws: how many tables.
        seed: the same seed draws the same votes, whichever board they are for.

    Raises:
        OptionError: if the votes are no whole numbers.
    """
    into = _into(fit, parts, chosen)
    total = np.round(parts.votes.sum(axis=0)).astype(np.int64)
    kept = np.round(parts.votes[KEPT].sum(axis=0)).astype(np.int64)
    if np.abs(total - parts.votes.sum(axis=0)).max(initial=0.0) > 1e-6:
        raise OptionError("placebo: these votes are no whole numbers, so none can be drawn")
    weight = _mean(parts.sums.sum(axis=0), parts.votes.sum(axis=0))

    def draw(rng: np.random.Generator, n: int) -> Floats:
        won = rng.hypergeometric(total[0], total[1] + total[2], kept, size=(n, kept.size))
        lost = rng.hypergeometric(total[1], total[2], kept - won)
        drawn = np.stack([won, lost, kept - won - lost]).transpose(0, 2, 1)
        both = np.stack([drawn, total[..., None] - drawn]).astype(np.float64)
        return into(both * weight[None, :, :, None])

    return draw_tables(draws, seed, total.shape[1], draw)


def bootstrap_tables(fit: Fit, parts: Parts, chosen: Chosen, rounds: int, seed: int = 0) -> Tables:
    """All votes of both parts resampled with replacement, as many as there are.

    The same seed draws the same votes for every board, so that two boards with votes in common
    move together.
    """
    into = _into(fit, parts, chosen)
    number = parts.votes.ravel()
    n_votes = round(number.sum())
    weight = _mean(parts.sums, parts.votes)

    def draw(rng: np.random.Generator, n: int) -> Floats:
        drawn = rng.multinomial(n_votes, number / number.sum(), size=n).T
        return into(drawn.reshape(*parts.votes.shape, n) * weight[..., None])

    return draw_tables(rounds, seed, number.size, draw)


def bootstrap_part_clusters(
    fit: Fit, parts: Parts, clusters: PartClusters, chosen: Chosen, rounds: int, seed: int = 0
) -> Tables:
    """Whole clusters of both parts resampled with replacement; see `bootstrap_tables`."""
    into = _into(fit, parts, chosen)
    g = clusters.kept.shape[0]
    kept, rest = (table.T.tocsr() for table in (clusters.kept, clusters.rest))
    shape = (3, parts.left.size)

    def draw(rng: np.random.Generator, n: int) -> Floats:
        times = rng.multinomial(g, np.full(g, 1.0 / g), size=n).T.astype(np.float64)
        return into(np.stack([(table @ times).reshape(*shape, n) for table in (kept, rest)]))

    return draw_tables(rounds, seed, max(6 * parts.left.size, g), draw)


def _into(fit: Fit, parts: Parts, chosen: Chosen) -> Callable[[Floats], Floats]:
    """From the parts' votes [2, 3, R, n] to a table [3, C, n] over the pairs of a fit."""
    task = problem(fit.counts, fit.rule)
    cells = parts.cells(fit.models, task.left, task.right)

    def table(votes: Floats) -> Floats:
        of_pairs: Floats = np.stack([cells @ kind for kind in chosen(votes)])
        if not fit.rule.counts_ties:
            of_pairs[2] = 0.0
        return of_pairs

    return table


def _mean(sums: Floats, numbers: Floats) -> Floats:
    return np.divide(sums, numbers, out=np.ones_like(sums), where=numbers > 0)


# ── what the draws say of what was observed ────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Observed changes held against those of the draws.

    Attributes:
        p_value: float [m], each change taken alone: the probability of one at least as far from
            what random removal does on average; nan where nothing was observed.
        p_adjusted: float [m], the same of the largest of all m changes, each in units of its
            own standard deviation.
        p_board: that of the board as a whole: of its largest change.
    """

    p_value: Floats
    p_adjusted: Floats
    p_board: float


def judge_changes(observed: Floats, drawn: Floats) -> Verdict:
    """How extreme observed changes are among those drawn.

    The observed table is one more draw if the filter is no better than chance, so its rank
    among them is uniform, and these p-values are exact, not asymptotic (Phipson and Smyth,
    Permutation P-values Should Never Be Zero, 2010). For all models at once, the largest
    change is held against the largest of each draw (Westfall and Young's single-step maxT).

    Args:
        observed: float [m], changes of the strengths; not finite where there is no estimate.
        drawn: float [B, m], those of the draws.
    """
    both = np.vstack([observed, drawn])
    finite = np.isfinite(both)
    number = np.maximum(finite.sum(axis=0), 1)
    centre = np.where(finite, both, 0.0).sum(axis=0) / number
    off = np.where(finite, np.abs(both - centre), 0.0)
    spread = np.sqrt((off**2).sum(axis=0) / number)
    # Where votes are all kept nothing moves but the last digits.
    moved = spread > SMALLEST
    distance = np.divide(off, spread, out=np.zeros_like(off), where=moved)
    largest = distance.max(axis=1, initial=0.0)
    at_least = distance[0] * (1.0 - 1e-9)
    # A draw that leaves a model without a finite rating is as far as can be.
    alone = np.where(finite, distance, np.inf) >= at_least
    known = finite[0]
    return Verdict(
        np.where(known, alone.mean(axis=0), np.nan),
        np.where(known, (largest[:, None] >= at_least).mean(axis=0), np.nan),
        float((largest >= largest[0] * (1.0 - 1e-9)).mean()),
    )


SMALLEST = 1e-7
"""Log-odds below which a spread is the solver's."""
