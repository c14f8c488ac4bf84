"""Two boards of one log, of the votes kept and of all or the rest, and what changes between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from arena.batch import Tables, solve_tables
from arena.bradley_terry import Fit, fit_bradley_terry
from arena.counts import PairCounts
from arena.leaderboard import Scale, anchor_index
from arena.parts import Parts
from arena.placebo import Chosen, expected_counts, observed_tables, of_all, of_kept, of_rest
from arena.ranks import point_ranks

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Against = Literal["all", "rest"]
MakeTables = Callable[[Fit, Chosen], Tables]
"""From a fit, and which of the two boards is meant, to tables over the fit's pairs."""


@dataclass(frozen=True, slots=True, eq=False)
class BoardPair:
    """The two fits, and those from which tables of each are solved.

    Attributes:
        parts: the votes, of m models.
        against: what the base is of: ``all`` votes, or the ``rest``.
        base, kept: the fits of what was observed.
        base_start, kept_start: fits of what the placebo gives on average: they have every pair
            that any table has, and lie close to all of them.
        anchor: index of the model that both boards hold in place, if there is one.
    """

    parts: Parts
    against: Against
    base: Fit
    kept: Fit
    base_start: Fit
    kept_start: Fit
    anchor: int | None

    @property
    def base_counts(self) -> PairCounts:
        """The votes behind the base board."""
        return self.parts.all if self.against == "all" else self.parts.rest


@dataclass(frozen=True, slots=True, eq=False)
class Changes:
    """Changes between the two boards in B tables.

    Attributes:
        log_odds: float [B, m], of the strengths, after both boards were put on one scale; not
            finite where a board has no estimate.
        ranks: float [B, m], places risen among the models that both boards rate; nan for others.
    """

    log_odds: Floats
    ranks: Floats


def pair_boards(parts: Parts, against: Against, ties: str, scale: Scale) -> BoardPair:
    """Fit both boards.

    Raises:
        OptionError: an anchor that one of them does not rate.
        NoEstimateError: if one of them cannot be fitted.
    """
    expected_kept, expected_rest = expected_counts(parts)
    base = fit_bradley_terry(parts.all if against == "all" else parts.rest, ties=ties)
    kept = fit_bradley_terry(parts.kept, ties=ties)
    anchor = None
    if scale.anchor:
        for fit in (base, kept):
            anchor_index(fit, scale.anchor[0])
        anchor = parts.models.index(scale.anchor[0])
    return BoardPair(
        parts,
        against,
        base,
        kept,
        base if against == "all" else fit_bradley_terry(expected_rest, ties=ties),
        fit_bradley_terry(expected_kept, ties=ties),
        anchor,
    )


def observed_changes(pair: BoardPair) -> Changes:
    """What changed: one table, B = 1."""
    return drawn_changes(pair, lambda fit, of: observed_tables(fit, pair.parts, of))


def drawn_changes(pair: BoardPair, tables: MakeTables, *, base_drawn: bool = True) -> Changes:
    """Solve tables of both boards, and take one from the other.

    Args:
        pair: the boards.
        tables: makes those of either board.
        base_drawn: whether the base is drawn as well, or is the observed one in every table.
    """
    of_base = of_all if pair.against == "all" else of_rest
    models = pair.parts.models
    kept = spread(models, *_solved(pair.kept_start, tables(pair.kept_start, of_kept)))
    if base_drawn:
        base = spread(models, *_solved(pair.base_start, tables(pair.base_start, of_base)))
    else:
        observed = spread(models, pair.base.models, pair.base.log_odds[None, :])
        base = np.broadcast_to(observed, kept.shape)
    with np.errstate(invalid="ignore"):
        moved = kept - base
        shared = np.isfinite(moved)
        ranks = ranks_among(base, shared) - ranks_among(kept, shared)
        return Changes(moved - _shift(moved, shared, pair.anchor), ranks)


def _solved(fit: Fit, tables: Tables) -> tuple[tuple[str, ...], Floats]:
    return fit.models, solve_tables(fit, tables).log_odds


def _shift(moved: Floats, shared: Flags, anchor: int | None) -> Floats:
    """What puts both boards on one scale [B, 1]: the anchor, or the mean over shared models."""
    if anchor is not None:
        return moved[:, [anchor]]
    number = np.maximum(shared.sum(axis=1, keepdims=True), 1)
    shift: Floats = np.where(shared, moved, 0.0).sum(axis=1, keepdims=True) / number
    return shift


def spread(models: Sequence[str], rated: Sequence[str], values: Floats) -> Floats:
    """Values [B, r] of some models as values [B, m] of all, nan for the others."""
    everybody = np.full((len(values), len(models)), np.nan)
    place = {model: i for i, model in enumerate(models)}
    everybody[:, [place[model] for model in rated]] = values
    return everybody


def ranks_among(strength: Floats, among: Flags) -> Floats:
    """Ranks [B, m], 1 for the strongest, among the models flagged in each row; nan for others."""
    ranks = np.full(strength.shape, np.nan)
    for row, flags in enumerate(among):
        ranks[row, flags] = point_ranks(strength[row, flags])
    return ranks
