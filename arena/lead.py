"""How large must a gain on seen prompts be to explain one model's lead over another?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq

from arena.blas import one_blas_thread
from arena.errors import OptionError
from arena.gains import MOST_UPLIFT, Mixture, checked_shares
from arena.leaderboard import Leaderboard, model_index

Floats = NDArray[np.float64]
OfGain = Callable[[float], float]

COLUMNS: Mapping[str, pl.DataType] = {
    "share": pl.Float64(),
    "uplift": pl.Float64(),
    "uplift_lower": pl.Float64(),
    "uplift_upper": pl.Float64(),
    "lead_if_all_won": pl.Float64(),
}
"""The columns of a break-even, in their order."""

FIRST_REACH = 20.0
"""Points by which the search for a gain first reaches out; twice as far each time."""


@dataclass(frozen=True, slots=True, eq=False)
class BreakEven:
    """The gain on seen prompts at which a model's lead over a rival is gone.

    Attributes:
        frame: one row per share: `COLUMNS`. `share` is that of the model's battles whose prompt
            it had seen; `uplift` the rating points gained there at which, without them, the two
            would be `lead` apart; infinite if no gain would do. The gains that the votes do not
            rule out at the level lie from `uplift_lower` to `uplift_upper`, which may be
            infinite; null where the board has no intervals. `lead_if_all_won` is what is left of
            the lead if every battle on a seen prompt was won (or lost, if the model is behind).
        board: the board observed.
        model: who is suspected.
        rival: whom it is held against.
        observed: its lead on the board, in points, and the standard error of that, if known.
        lead: what is to be left of it.
    """

    frame: pl.DataFrame
    board: Leaderboard
    model: str
    rival: str
    observed: tuple[float, float | None]
    lead: float


def break_even(
    board: Leaderboard,
    model: str,
    rival: str,
    shares: Sequence[float],
    *,
    lead: float = 0.0,
    indirect: bool = False,
) -> BreakEven:
    """The uplift on seen prompts that would explain a model's lead over a rival, at each share.

    The board is what a share f of prompts on which the model gained made of it, so that its
    battles are the mixture (1 - f) p(gap) + f p(gap + uplift). For every uplift the strengths
    behind such a board are solved for; sought is the one at which the two models are level.
    The interval holds those uplifts at which the remaining lead is within its standard error
    times the normal quantile: a test inverted, and so it may have no end (Fieller, Some problems
    in interval estimation, JRSS B 16, 1954). The errors are those of the board: of votes, or of
    clusters of them.

    Args:
        board: what was observed; ties as half a win, or dropped.
        model: who is suspected.
        rival: whom to hold it against.
        shares: of the model's battles that are on seen prompts, above 0, up to 1.
        lead: what is to be left of the lead, in points.
        indirect: whether the two may never have met, so that all that is known of their lead
            comes from votes against others.

    Raises:
        OptionError: a model that is not rated, a share that cannot be, another tie rule, or two
            models that never met.

    >>> from arena.pipeline import rate
    >>> told = break_even(rate(), "gemma-2-27b-it", "llama-3-70b-instruct", [0.1, 1.0])
    >>> told.frame.select("uplift", "uplift_lower", "uplift_upper").to_numpy().round(1).tolist()
    [[111.4, 74.4, 150.6], [10.9, 7.4, 14.4]]
    """
    given = checked_shares(shares)
    if not given.all():
        raise OptionError("share: 0 leaves nothing to gain on; give one above 0")
    if not np.isfinite(lead):
        raise OptionError(f"lead: {lead} is not a number of points")
    if model == rival:
        raise OptionError(f"rival: '{rival}' is the model itself")
    at = model_index(board.fit, model)
    pair = _Pair(board, at, model_index(board.fit, rival, "rival"), Mixture(board.fit, at))
    if not (indirect or pair.met()):
        message = (
            f"rival: '{model}' and '{rival}' never met, so their lead rests on votes against "
            "others alone; allow that with indirect (--indirect)"
        )
        raise OptionError(message)
    with one_blas_thread():
        observed = pair.lead(0.0, 0.0)
        rows = [_row(pair, float(share), observed[0], lead) for share in given]
    frame = pl.DataFrame(rows, schema=dict(COLUMNS), orient="row")
    error = observed[1] if pair.has_error else None
    return BreakEven(frame, board, model, rival, (observed[0], error), lead)


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """A board, two models of its fit, and its equations with a gain of the first."""

    board: Leaderboard
    model: int
    rival: int
    mixture: Mixture

    def met(self) -> bool:
        """Whether there is a vote on the two."""
        votes, ends = self.board.fit.counts, {self.model, self.rival}
        on_both = np.isin(votes.pairs, list(ends)).all(axis=1)
        return bool(votes.votes[on_both].sum() > 0)

    @property
    def has_error(self) -> bool:
        """Whether it is known how uncertain the lead is."""
        known = self.board.uncertainty
        return known is not None and bool(known.known[[self.model, self.rival]].all())

    def lead(self, share: float, uplift: float) -> tuple[float, float]:
        """The lead without the gain, and its standard error, in points; nan if not known."""
        fit, known = self.board.fit, self.board.uncertainty
        points = self.board.scale.per_log_odds
        clean = self.mixture.clean(share, uplift / points)
        lead = points * float(clean.log_odds[self.model] - clean.log_odds[self.rival])
        if known is None or not self.has_error:
            return lead, np.nan
        # Errors of the points scored, seen through the clean board's slope.
        apart = np.zeros(len(fit.models))
        apart[[self.model, self.rival]] = 1.0, -1.0
        through = fit.hessian @ self.mixture.task.solve(clean.slope, apart)
        return lead, points * float(np.sqrt(through @ known.covariance @ through))


def _row(pair: _Pair, share: float, observed: float, lead: float) -> tuple[float | None, ...]:
    """One row of the frame."""
    ahead = 1.0 if observed >= lead else -1.0
    z = NormalDist().inv_cdf(0.5 + pair.board.interval.level / 2)

    def over(errors: float) -> OfGain:
        def left(uplift: float) -> float:
            there, error = pair.lead(share, uplift)
            return there - lead + (errors * error if errors else 0.0)

        return left

    near = (observed - lead) / share
    uplift = _root(over(0.0), near)
    lower = upper = None
    if pair.has_error:
        lower, upper = (_root(over(errors), near) for errors in (-z, z))
    return share, uplift, lower, upper, pair.lead(share, ahead * MOST_UPLIFT)[0]


def _root(left: OfGain, near: float) -> float:
    """Where what is left falls to zero, looked for from a guess on: infinite where it does not."""
    reach = FIRST_REACH
    ends = [float(np.clip(near, -MOST_UPLIFT, MOST_UPLIFT))] * 2
    while left(ends[1]) > 0.0:
        if ends[1] >= MOST_UPLIFT:
            return np.inf
        ends, reach = [ends[1], min(ends[1] + reach, MOST_UPLIFT)], 2.0 * reach
    while left(ends[0]) < 0.0:
        if ends[0] <= -MOST_UPLIFT:
            return -np.inf
        ends, reach = [max(ends[0] - reach, -MOST_UPLIFT), ends[0]], 2.0 * reach
    return float(brentq(left, *ends, xtol=1e-6))
