"""How many votes it takes to notice a gain on seen prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.blas import one_blas_thread
from arena.bradley_terry import Fit, fit_bradley_terry
from arena.counts import PairCounts
from arena.covariance import estimate_covariance
from arena.errors import OptionError
from arena.gains import checked_shares, checked_uplifts, own_cells, refuse_other_rules
from arena.leaderboard import Leaderboard, model_index
from arena.problem import problem
from arena.ties import sigmoid

Floats = NDArray[np.float64]

COLUMNS: Mapping[str, pl.DataType] = {
    "share": pl.Float64(),
    "uplift": pl.Float64(),
    "std_error": pl.Float64(),
    "power": pl.Float64(),
    "votes_needed": pl.Float64(),
    "votes_needed_in_all": pl.Float64(),
    "detectable": pl.Float64(),
}
"""The columns of `Power.frame`, in their order."""


@dataclass(frozen=True, slots=True, eq=False)
class Power:
    """What a log can tell of a gain on seen prompts, and how many votes would tell it.

    Attributes:
        frame: one row per share and uplift: `COLUMNS`. `std_error` is that of the estimated
            uplift with the votes that there are, and `power` the probability that a test then
            finds it. `votes_needed` are the model's votes, and `votes_needed_in_all` those of
            the whole arena in the same proportions, with which the test finds it with the power
            asked for; infinite for no uplift. `detectable` is the uplift that the present votes
            find with that power at this share; infinite if they find none.
        board: the board it was computed for.
        model: whose gain it is.
        votes: the model's votes at present.
        target: the power asked for.
        level: of the test: its error of the first kind is 1 - level, on both sides.
        design_effect: by how much dependence between votes multiplies the variance.
    """

    frame: pl.DataFrame
    board: Leaderboard
    model: str
    votes: float
    target: float
    level: float
    design_effect: float


def detection_power(
    board: Leaderboard,
    model: str,
    shares: Sequence[float],
    uplifts: Sequence[float],
    *,
    target: float = 0.8,
    level: float = 0.95,
    design_effect: float = 1.0,
) -> Power:
    """The votes needed to detect an uplift at a share of seen prompts.

    The test is Wald's of the uplift in log-odds(a beats b) = θa - θb + δ (ca - cb), two-sided.
    With one model exposed, that model on seen prompts is a player of its own, and δ the
    difference of the two; so its standard error is the sandwich one of that difference on the
    counts to be expected, with all other strengths unknown too. It falls with the square root of
    the votes, and power is Φ(|δ| / se - z) + Φ(-|δ| / se - z).

    Args:
        board: who meets whom how often, who is how strong, and how often pairs tie.
        model: who gains.
        shares: of its battles whose prompt it had seen, between 0 and 1, without the ends.
        uplifts: rating points gained there.
        target: the power asked for.
        level: one less the test's probability to find what is not there.
        design_effect: variance over that of independent votes, e.g. 1 + (n - 1) ρ for prompts
            with n votes each that correlate by ρ (Kish, Survey Sampling, 1965).

    Raises:
        OptionError: a model that is not rated, or a number that cannot be.
    """
    refuse_other_rules(board.fit)
    index = model_index(board.fit, model)
    share, uplift = checked_shares(shares), checked_uplifts(uplifts)
    ends = share[(share == 0.0) | (share == 1.0)]
    if ends.size:
        message = f"share: with {ends[0]:g} there is nothing to hold seen prompts against"
        raise OptionError(f"{message}; give one between 0 and 1")
    for name, value in (("power", target), ("level", level)):
        if not 0.0 < value < 1.0:
            raise OptionError(f"{name}: {value:g} is not between 0 and 1, e.g. 0.8")
    if target <= 1.0 - level:
        raise OptionError(f"power: {target:g} is had by chance at level {level:g}; ask for more")
    if not (np.isfinite(design_effect) and design_effect > 0):
        raise OptionError(f"design effect: {design_effect:g} is not a positive number")
    test = _Test(board, index, target, level, design_effect)
    with one_blas_thread():
        rows = [row for one in share for row in test.rows(float(one), uplift)]
    frame = pl.DataFrame(rows, schema=dict(COLUMNS), orient="row")
    return Power(frame, board, model, test.votes, target, level, design_effect)


def expected_counts_with(fit: Fit, model: int, share: float, gain: float) -> PairCounts:
    """The counts to be expected if a model's seen battles were those of a player of its own.

    Args:
        fit: strengths, and how often pairs met and tied.
        model: its index in the fit; on seen prompts it is the last model.
        share: of its battles that are on seen prompts.
        gain: log-odds gained there.
    """
    task = problem(fit.counts, fit.rule)
    m, met = task.n_models, task.outcomes.sum(axis=0)
    tied = task.outcomes[2] / met
    own = own_cells(fit, model).place
    votes = met.copy()
    votes[own] *= 1.0 - share
    left = np.append(task.left, np.where(task.left[own] == model, m, task.left[own]))
    right = np.append(task.right, np.where(task.right[own] == model, m, task.right[own]))
    strength = np.append(fit.log_odds, fit.log_odds[model] + gain)
    won = sigmoid(strength[left] - strength[right])
    # A pair cannot tie more often than its expected points allow.
    tie = np.minimum(np.append(tied, tied[own]), 2.0 * np.minimum(won, 1.0 - won))
    outcomes = np.stack([won - tie / 2, 1.0 - won - tie / 2, tie, np.zeros_like(tie)], axis=1)
    outcomes *= np.append(votes, share * met[own])[:, None]
    pairs = np.stack([left, right], axis=1)
    order = np.lexsort((right, left))
    # Names that sort as the indices do; the last one is the model on seen prompts.
    names = tuple(f"{i:07d}" for i in range(m + 1))
    return PairCounts(names, pairs[order], np.maximum(outcomes[order], 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Test:
    """The test, and the arena it is made in."""

    board: Leaderboard
    model: int
    target: float
    level: float
    design_effect: float

    @property
    def votes(self) -> float:
        """The model's votes at present."""
        counts = self.board.fit.counts
        return float(counts.votes[(counts.pairs == self.model).any(axis=1)].sum())

    def rows(self, share: float, uplifts: Floats) -> list[tuple[float, ...]]:
        """The rows of one share."""
        total = self.board.fit.counts.n_battles
        detectable = self.detectable(share)
        rows: list[tuple[float, ...]] = []
        for uplift in uplifts:
            error = self.error(share, float(uplift))
            more = (self.wanted * error / abs(uplift)) ** 2 if uplift else np.inf
            needed = (more * self.votes, more * total)
            rows.append(
                (share, float(uplift), error, self.power(uplift, error), *needed, detectable)
            )
        return rows

    def error(self, share: float, uplift: float) -> float:
        """The estimated uplift's standard error, in points, with the present votes."""
        points = self.board.scale.per_log_odds
        counts = expected_counts_with(self.board.fit, self.model, share, uplift / points)
        fit = fit_bradley_terry(counts, ties=self.board.fit.rule.name)
        covariance = estimate_covariance(fit)
        apart = np.zeros(len(fit.models))
        apart[[-1, self.model]] = 1.0, -1.0
        return points * float(np.sqrt(self.design_effect * (apart @ covariance @ apart)))

    @property
    def critical(self) -> float:
        """The |t| from which on the test finds something."""
        return NormalDist().inv_cdf(0.5 + self.level / 2)

    @property
    def wanted(self) -> float:
        """Uplift over standard error that gives the power asked for."""
        return self.critical + NormalDist().inv_cdf(self.target)

    def power(self, uplift: float, error: float) -> float:
        """The probability that the test finds it."""
        far, normal = abs(uplift) / error, NormalDist()
        return normal.cdf(far - self.critical) + normal.cdf(-far - self.critical)

    def detectable(self, share: float) -> float:
        """The uplift that the present votes find with the power asked for."""
        uplift = self.wanted * self.error(share, 0.0)
        for _ in range(DETECTABLE_STEPS):
            if not uplift < MOST_DETECTABLE:
                return np.inf
            uplift = self.wanted * self.error(share, uplift)
        return uplift


DETECTABLE_STEPS = 6
"""The error hardly depends on the uplift, so few steps settle it."""
MOST_DETECTABLE = 1_500.0
"""Points of uplift beyond which nothing is said to be detectable."""
