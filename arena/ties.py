"""What a tie is worth: four models of one battle's outcome, behind one face.

Each gives, for a gap d = log-odds of left minus right, the log-probability of
(left wins, right wins, tie), with first and second derivatives in d and in the tie
parameter. The fit, its covariance and everything that resamples take these and nothing
else, so no formula for a tie stands anywhere but here; what the half rule says of very many
pairs, `arena.pair_kernel` says in one compiled pass, and is held against it.

Gaps may have any shape; what is returned has a leading axis of the three outcomes.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from arena.errors import OptionError

Floats = NDArray[np.float64]
Tie = float | Floats
"""A tie parameter, or one that broadcasts against the gaps."""


@dataclass(frozen=True, slots=True)
class First:
    """First derivatives of the log-probabilities, each [3, ...].

    Attributes:
        d: in the gap.
        t: in the tie parameter; None where there is none.
    """

    d: Floats
    t: Floats | None = None


@dataclass(frozen=True, slots=True)
class Second:
    """Second derivatives of the log-probabilities, each [3, ...].

    Attributes:
        dd: in the gap.
        dt: mixed; None where there is no tie parameter.
        tt: in the tie parameter; None where there is none.
    """

    dd: Floats
    dt: Floats | None = None
    tt: Floats | None = None


@dataclass(frozen=True, slots=True)
class Curvature:
    """Negative second derivatives of the log-likelihood of votes, each [...].

    Attributes:
        in_gap: in the gap.
        mixed: in the gap and the tie parameter; None where there is none.
        in_tie: in the tie parameter; None where there is none.
    """

    in_gap: Floats
    mixed: Floats | None = None
    in_tie: Floats | None = None


class TieRule(Protocol):
    """A model of one battle's outcome."""

    @property
    def name(self) -> str:
        """What users call it."""

    @property
    def parameter(self) -> str | None:
        """What the tie parameter is called; None where the model has none."""

    @property
    def positive(self) -> bool:
        """Whether the tie parameter must be above zero."""

    @property
    def counts_ties(self) -> bool:
        """Whether tied battles count at all."""

    def start(self, tie_share: float) -> float:
        """A first value of the tie parameter, from the share of ties."""

    def log_p(self, gap: Floats, tie: Tie) -> Floats:
        """Log-probabilities [3, ...] of the outcomes at these gaps."""

    def first(self, gap: Floats, tie: Tie) -> First:
        """Their first derivatives."""

    def second(self, gap: Floats, tie: Tie) -> Second:
        """Their second derivatives."""

    def value(self, votes: Floats, gap: Floats, tie: Tie) -> Floats:
        """Log-likelihood [...] of votes [3, ...] at these gaps."""

    def score(self, votes: Floats, gap: Floats, tie: Tie) -> tuple[Floats, Floats | None]:
        """Derivatives, in the gap and in the tie parameter, of votes [3, ...] at these gaps."""

    def curvature(self, votes: Floats, gap: Floats, tie: Tie) -> Curvature:
        """Negative second derivatives of votes [3, ...] at these gaps."""


def summed_value(rule: TieRule, votes: Floats, gap: Floats, tie: Tie) -> Floats:
    """The log-likelihood of votes [3, ...], by its definition: outcome by outcome."""
    value: Floats = np.where(votes > 0, votes * rule.log_p(gap, tie), 0.0).sum(axis=0)
    return value


def summed_curvature(rule: TieRule, votes: Floats, gap: Floats, tie: Tie) -> Curvature:
    """The curvature of votes [3, ...], by its definition: outcome by outcome."""
    second = rule.second(gap, tie)

    def summed(part: Floats | None) -> Floats | None:
        return None if part is None else -(votes * part).sum(axis=0)

    return Curvature(-(votes * second.dd).sum(axis=0), summed(second.dt), summed(second.tt))


def summed_score(
    rule: TieRule, votes: Floats, gap: Floats, tie: Tie
) -> tuple[Floats, Floats | None]:
    """The score of votes [3, ...], by its definition: outcome by outcome."""
    first = rule.first(gap, tie)
    in_gap: Floats = (votes * first.d).sum(axis=0)
    return in_gap, None if first.t is None else (votes * first.t).sum(axis=0)


def _log_sigmoid(x: Floats) -> Floats:
    return -np.logaddexp(0.0, -x)


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), computed in one array; where exp overflows, the answer is 0."""
    with np.errstate(over="ignore"):
        result: Floats = np.exp(np.negative(x))
    result += 1.0
    return np.reciprocal(result, out=result)


@dataclass(frozen=True, slots=True)
class Half:
    """A tie is half a win for each side (LMSYS' rule); `drop` is the same without ties.

    P(left wins) = 1 / (1 + exp(-d)). With ties this is a quasi-likelihood: the mean of an
    outcome in {1, 1/2, 0} is modelled, not its distribution, which is why the sandwich and
    not the Fisher covariance is the one to believe.
    """

    name: str = "half"
    parameter: str | None = None
    positive: bool = False
    counts_ties: bool = True

    def start(self, tie_share: float) -> float:
        """There is no tie parameter."""
        return 0.0

    def log_p(self, gap: Floats, tie: Tie) -> Floats:
        """A tie is worth half of each log-probability."""
        win, loss = _log_sigmoid(gap), _log_sigmoid(-gap)
        return np.stack([win, loss, 0.5 * (win + loss)])

    def first(self, gap: Floats, tie: Tie) -> First:
        """Points scored minus points expected."""
        p = sigmoid(gap)
        return First(np.stack([1.0 - p, -p, 0.5 - p]))

    def second(self, gap: Floats, tie: Tie) -> Second:
        """The same for all outcomes: -p (1 - p)."""
        p = sigmoid(gap)
        curve = p * (p - 1.0)
        return Second(np.stack([curve, curve, curve]))

    def value(self, votes: Floats, gap: Floats, tie: Tie) -> Floats:
        """Votes · log P(left wins) - points of the right one · gap."""
        p = sigmoid(gap)
        # Where P vanishes its logarithm is the gap.
        log_p = np.log(p, where=p > 0.0, out=np.array(gap, dtype=np.float64))
        value: Floats = votes.sum(axis=0) * log_p - (votes[1] + 0.5 * votes[2]) * gap
        return value

    def curvature(self, votes: Floats, gap: Floats, tie: Tie) -> Curvature:
        """Votes · p (1 - p)."""
        p = sigmoid(gap)
        return Curvature(votes.sum(axis=0) * p * (1.0 - p))

    def score(self, votes: Floats, gap: Floats, tie: Tie) -> tuple[Floats, None]:
        """Points scored minus points expected, in fewer steps than outcome by outcome."""
        expected = votes[0] + votes[1]
        expected += votes[2]
        expected *= sigmoid(gap)
        points = 0.5 * votes[2]
        points += votes[0]
        points -= expected
        return points, None


@dataclass(frozen=True, slots=True)
class RaoKupper:
    """A tie when the gap is within a threshold of zero.

    P(left wins) = 1 / (1 + exp(t - d)), P(right wins) = 1 / (1 + exp(t + d)) and
    P(tie) = (exp(2t) - 1) P(left wins) P(right wins), with t > 0 the log of the paper's
    parameter. Rao and Kupper, Ties in paired-comparison experiments, JASA 62 (1967). The
    log-likelihood is concave in (d, t).
    """

    name: str = "rao-kupper"
    parameter: str | None = "threshold"
    positive: bool = True
    counts_ties: bool = True

    def start(self, tie_share: float) -> float:
        """The threshold that gives this share of ties between equals."""
        return float(np.log((1.0 + tie_share) / (1.0 - tie_share)))

    def log_p(self, gap: Floats, tie: Tie) -> Floats:
        """See the class."""
        win, loss = _log_sigmoid(gap - tie), _log_sigmoid(-gap - tie)
        return np.stack([win, loss, np.log(np.expm1(2.0 * tie)) + win + loss])

    def first(self, gap: Floats, tie: Tie) -> First:
        """See the class."""
        win, loss = sigmoid(gap - tie), sigmoid(-gap - tie)
        spread = 2.0 * (1.0 + 1.0 / np.expm1(2.0 * tie))
        return First(
            d=np.stack([1.0 - win, loss - 1.0, loss - win]),
            t=np.stack([win - 1.0, loss - 1.0, spread + win + loss - 2.0]),
        )

    def second(self, gap: Floats, tie: Tie) -> Second:
        """See the class."""
        win, loss = sigmoid(gap - tie), sigmoid(-gap - tie)
        curve_win, curve_loss = win * (win - 1.0), loss * (loss - 1.0)
        grow = np.expm1(2.0 * tie)
        spread = -4.0 * (1.0 + grow) / grow**2
        return Second(
            dd=np.stack([curve_win, curve_loss, curve_win + curve_loss]),
            dt=np.stack([-curve_win, curve_loss, curve_loss - curve_win]),
            tt=np.stack([curve_win, curve_loss, spread + curve_win + curve_loss]),
        )

    def value(self, votes: Floats, gap: Floats, tie: Tie) -> Floats:
        """See `summed_value`."""
        return summed_value(self, votes, gap, tie)

    def score(self, votes: Floats, gap: Floats, tie: Tie) -> tuple[Floats, Floats | None]:
        """See `summed_score`."""
        return summed_score(self, votes, gap, tie)

    def curvature(self, votes: Floats, gap: Floats, tie: Tie) -> Curvature:
        """See `summed_curvature`."""
        return summed_curvature(self, votes, gap, tie)


@dataclass(frozen=True, slots=True)
class Davidson:
    """A tie as a third outcome whose weight is the geometric mean of the strengths.

    P(win) : P(loss) : P(tie) = exp(d/2) : exp(-d/2) : exp(t). Davidson, On extending the
    Bradley-Terry model to accommodate ties, JASA 65 (1970), whose nu is exp(t). An
    exponential family, so the log-likelihood is concave in (d, t).
    """

    name: str = "davidson"
    parameter: str | None = "log_nu"
    positive: bool = False
    counts_ties: bool = True

    def start(self, tie_share: float) -> float:
        """The weight that gives this share of ties between equals."""
        return float(np.log(2.0 * tie_share / (1.0 - tie_share)))

    def log_p(self, gap: Floats, tie: Tie) -> Floats:
        """Log-softmax of (d/2, -d/2, t)."""
        logits = np.stack([0.5 * gap, -0.5 * gap, np.broadcast_to(tie, gap.shape)])
        log_p: Floats = logits - np.logaddexp.reduce(logits, axis=0)
        return log_p

    def first(self, gap: Floats, tie: Tie) -> First:
        """What was seen minus what was expected."""
        win, loss, draw = np.exp(self.log_p(gap, tie))
        mean = 0.5 * (win - loss)
        return First(
            d=np.stack([0.5 - mean, -0.5 - mean, -mean]),
            t=np.stack([-draw, -draw, 1.0 - draw]),
        )

    def second(self, gap: Floats, tie: Tie) -> Second:
        """Minus the covariance of what was expected, the same for all outcomes."""
        win, loss, draw = np.exp(self.log_p(gap, tie))
        mean = 0.5 * (win - loss)
        same = [mean**2 - 0.25 * (win + loss), mean * draw, draw * (draw - 1.0)]
        return Second(*(np.stack([one, one, one]) for one in same))

    def value(self, votes: Floats, gap: Floats, tie: Tie) -> Floats:
        """See `summed_value`."""
        return summed_value(self, votes, gap, tie)

    def score(self, votes: Floats, gap: Floats, tie: Tie) -> tuple[Floats, Floats | None]:
        """See `summed_score`."""
        return summed_score(self, votes, gap, tie)

    def curvature(self, votes: Floats, gap: Floats, tie: Tie) -> Curvature:
        """See `summed_curvature`."""
        return summed_curvature(self, votes, gap, tie)


TIE_RULES: dict[str, TieRule] = {
    rule.name: rule
    for rule in (Half(), Half(name="drop", counts_ties=False), RaoKupper(), Davidson())
}


def tie_rule(name: str) -> TieRule:
    """The tie rule of this name.

    Raises:
        OptionError: if there is none.
    """
    if name not in TIE_RULES:
        raise OptionError(f"ties: '{name}' is not one of {', '.join(TIE_RULES)}")
    return TIE_RULES[name]
