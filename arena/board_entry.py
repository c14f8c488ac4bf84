"""A model that enters a given board: how strong it is, whom it meets, and how battles end."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from arena.bradley_terry import Fit
from arena.errors import OptionError
from arena.leaderboard import Scale, anchor_index
from arena.problem import problem
from arena.ties import tie_rule
from arena.vote_draws import outcome_shares

Floats = NDArray[np.float64]

NEAR = 100.0
"""Points: with ``near``, an opponent is drawn in proportion to exp(-(gap / 100)² / 2)."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """How a variant meets the board.

    Attributes:
        strength: of the average variant, in the fit's log-odds.
        rank: where it belongs among the board's models.
        share: float [m], of its votes, by opponent.
        outcomes: from strengths [...] to chances float [k, m, 3], k as many as there are
            strengths, in their shape: it wins, it loses, a tie.
    """

    strength: float
    rank: int
    share: Floats
    outcomes: Callable[[Floats], Floats]


def enter_board(
    fit: Fit,
    like: str | None,
    rating: float | None,
    opponents: str,
    tie_shares: str,
    scale: Scale,
) -> Entry:
    """Check what was asked, and work out whom a variant meets and how that ends.

    Args:
        fit: the board.
        like: the model that variants are as strong as; None with a rating.
        rating: what they are rated; None with a model.
        opponents: ``uniform``, ``like`` or ``near``, see `NEAR`.
        tie_shares: by ``gap`` or by ``cell``.
        scale: the rating scale.

    Raises:
        OptionError: an option that cannot be.
    """
    if (like is None) == (rating is None):
        raise OptionError("best-of-n: give either the model that variants are like, or a rating")
    if opponents not in ("uniform", "like", "near"):
        raise OptionError(f"opponents: '{opponents}' is not one of uniform, like, near")
    if tie_shares not in ("gap", "cell"):
        raise OptionError(f"tie-shares: '{tie_shares}' is not one of gap, cell")
    if like is None and "like" in (opponents, *(["like"] if tie_shares == "cell" else [])):
        raise OptionError("opponents like, and tie-shares cell, need the model variants are like")
    if rating is not None:
        if not np.isfinite(rating):
            raise OptionError(f"rating: {rating} is not a finite number")
        shift = scale.ratings(fit)[0] - scale.per_log_odds * fit.log_odds[0]
        strength = float((rating - shift) / scale.per_log_odds)
    model = None if like is None else _index(fit, like)
    if model is not None:
        strength = float(fit.log_odds[model])
    met, tied = _met(fit, model) if model is not None else (None, None)
    gap = fit.log_odds - strength
    share = np.ones(gap.size)
    if opponents == "near":
        share = np.exp(-0.5 * (gap * scale.per_log_odds / NEAR) ** 2)
    elif opponents == "like" and met is not None:
        share = met
    at_level = _ties_at_level(fit)
    own = np.full(gap.size, np.nan)
    if tie_shares == "cell" and met is not None and tied is not None:
        np.divide(tied, met, out=own, where=met > 0)

    def outcomes(strengths: Floats) -> Floats:
        gaps = np.asarray(strengths)[..., None] - fit.log_odds
        if fit.rule.parameter is not None:
            chances = np.exp(fit.rule.log_p(gaps, fit.tie_parameter or 0.0))
            return np.moveaxis(chances, 0, -1)
        won, _, tie = outcome_shares(gaps, at_level)
        points = won + 0.5 * tie
        # A tie takes as much from either side, so it can be no more than twice the lesser.
        most = 2.0 * np.minimum(points, 1.0 - points)
        tie = np.where(np.isnan(own), tie, np.minimum(own, most))
        if not fit.rule.counts_ties:
            # This rule's strengths say how decided votes end.
            return np.stack([(1.0 - tie) * points, (1.0 - tie) * (1.0 - points), tie], axis=-1)
        return np.stack([points - 0.5 * tie, 1.0 - points - 0.5 * tie, tie], axis=-1)

    rank = 1 + int((fit.log_odds > strength).sum())
    return Entry(strength, rank, share / share.sum(), outcomes)


def _index(fit: Fit, model: str) -> int:
    try:
        return anchor_index(fit, model)
    except OptionError as error:
        raise OptionError(str(error).replace("anchor:", "like:", 1)) from error


def _met(fit: Fit, model: int) -> tuple[Floats, Floats]:
    """Votes and ties [m] of a model with each other one."""
    task = problem(fit.counts, fit.rule if fit.rule.counts_ties else tie_rule("half"))
    m = len(fit.models)
    own = (task.left == model) | (task.right == model)
    other = (task.left + task.right - model)[own]
    votes = task.outcomes[:, own]
    return (
        np.bincount(other, votes.sum(axis=0), minlength=m).astype(np.float64),
        np.bincount(other, votes[2], minlength=m).astype(np.float64),
    )


def _ties_at_level(fit: Fit) -> float:
    """The share of ties between equals at which Davidson's model has as many as the board."""
    if fit.rule.parameter is not None:
        return 0.0
    task = problem(fit.counts, tie_rule("half"))
    gap, votes = fit.log_odds[task.left] - fit.log_odds[task.right], task.outcomes.sum(axis=0)
    tied = float(task.outcomes[2].sum())
    if tied == 0.0:
        return 0.0

    def surplus(ties: float) -> float:
        return float(votes @ outcome_shares(gap, ties)[2]) - tied

    return float(brentq(surplus, 0.0, 0.99)) if surplus(0.99) > 0.0 else 0.99
