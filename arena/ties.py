"""What a tie is worth: four models of one battle's outcome, behind one face.

Each gives, for a gap d = log-odds of left minus right, the log-probability of
(left wins, right wins, tie), with first and second derivatives in d and in the tie
parameter. The fit, its covariance and everything that resamples take these and nothing
else, so no formula for a tie stands anywhere but here.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from arena.errors import OptionError

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Terms:
    """One battle's log-probability and its derivatives, for each gap and outcome.

    Every array is [C, 3]: C gaps, outcomes (left wins, right wins, tie).

    Attributes:
        log_p: log-probability of the outcome.
        d: its derivative in the gap.
        dd: its second derivative in the gap.
        t: its derivative in the tie parameter (zero where there is none).
        dt: the mixed second derivative.
        tt: the second derivative in the tie parameter.
    """

    log_p: Floats
    d: Floats
    dd: Floats
    t: Floats
    dt: Floats
    tt: Floats


class TieRule(Protocol):
    """A model of one battle's outcome."""

    @property
    def name(self) -> str:
        """What users call it."""

    @property
    def parameter(self) -> str | None:
        """What the tie parameter is called; None where the model has none."""

    @property
    def counts_ties(self) -> bool:
        """Whether tied battles count at all."""

    def start(self, tie_share: float) -> float:
        """A first value of the tie parameter, from the share of ties."""

    def terms(self, gap: Floats, tie: float) -> Terms:
        """The log-probabilities at these gaps, and their derivatives."""


def _columns(*columns: Floats) -> Floats:
    return np.stack(np.broadcast_arrays(*columns), axis=1)


def _log_sigmoid(x: Floats) -> Floats:
    return -np.logaddexp(0.0, -x)


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1.0 + np.tanh(0.5 * x))


@dataclass(frozen=True, slots=True)
class Half:
    """A tie is half a win for each side (LMSYS' rule); `drop` is the same without ties.

    With ties this is a quasi-likelihood: the mean of an outcome in {1, 1/2, 0} is modelled,
    not its distribution, which is why the sandwich and not the Fisher covariance is the one
    to believe.
    """

    name: str = "half"
    parameter: str | None = None
    counts_ties: bool = True

    def start(self, tie_share: float) -> float:
        """There is no tie parameter."""
        return 0.0

    def terms(self, gap: Floats, tie: float) -> Terms:
        """Logistic: P(left wins) = 1 / (1 + exp(-gap))."""
        p = sigmoid(gap)
        log_win, log_loss = _log_sigmoid(gap), _log_sigmoid(-gap)
        zero = np.zeros((gap.size, 3))
        return Terms(
            log_p=_columns(log_win, log_loss, 0.5 * (log_win + log_loss)),
            d=_columns(1.0 - p, -p, 0.5 - p),
            dd=np.repeat((-p * (1.0 - p))[:, None], 3, axis=1),
            t=zero,
            dt=zero,
            tt=zero,
        )


@dataclass(frozen=True, slots=True)
class RaoKupper:
    """A tie when the gap is within a threshold of zero.

    P(left wins) = 1 / (1 + exp(t - d)), P(right wins) = 1 / (1 + exp(t + d)), with t > 0 the
    log of the paper's parameter. Rao and Kupper, Ties in paired-comparison experiments,
    JASA 62 (1967). The log-likelihood is concave in (d, t).
    """

    name: str = "rao-kupper"
    parameter: str | None = "threshold"
    counts_ties: bool = True

    def start(self, tie_share: float) -> float:
        """The threshold that gives this share of ties between equals."""
        return float(np.log((1.0 + tie_share) / (1.0 - tie_share)))

    def terms(self, gap: Floats, tie: float) -> Terms:
        """P(tie) = (exp(2t) - 1) P(left wins) P(right wins)."""
        up, down = sigmoid(gap - tie), sigmoid(-gap - tie)
        log_up, log_down = _log_sigmoid(gap - tie), _log_sigmoid(-gap - tie)
        curve_up, curve_down = up * (1.0 - up), down * (1.0 - down)
        grow = np.expm1(2.0 * tie)
        return Terms(
            log_p=_columns(log_up, log_down, np.log(grow) + log_up + log_down),
            d=_columns(1.0 - up, down - 1.0, down - up),
            dd=_columns(-curve_up, -curve_down, -curve_up - curve_down),
            t=_columns(up - 1.0, down - 1.0, 2.0 * (1.0 + 1.0 / grow) + up + down - 2.0),
            dt=_columns(curve_up, -curve_down, curve_up - curve_down),
            tt=_columns(
                -curve_up, -curve_down, -4.0 * (1.0 + grow) / grow**2 - curve_up - curve_down
            ),
        )


@dataclass(frozen=True, slots=True)
class Davidson:
    """A tie as a third outcome whose weight is the geometric mean of the strengths.

    P(win) : P(loss) : P(tie) = exp(d/2) : exp(-d/2) : exp(t). Davidson, On extending the
    Bradley-Terry model to accommodate ties, JASA 65 (1970). An exponential family, so the
    log-likelihood is concave in (d, t).
    """

    name: str = "davidson"
    parameter: str | None = "log_nu"
    counts_ties: bool = True

    def start(self, tie_share: float) -> float:
        """The weight that gives this share of ties between equals."""
        return float(np.log(2.0 * tie_share / (1.0 - tie_share)))

    def terms(self, gap: Floats, tie: float) -> Terms:
        """Softmax over the three outcomes; derivatives are those of its log-sum."""
        logits = _columns(0.5 * gap, -0.5 * gap, np.full(gap.size, tie))
        log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        win, loss, draw = np.exp(log_p).T
        mean = 0.5 * (win - loss)
        in_gap, in_tie = np.array([0.5, -0.5, 0.0]), np.array([0.0, 0.0, 1.0])
        same = np.ones((1, 3))
        return Terms(
            log_p=log_p,
            d=in_gap - mean[:, None],
            dd=-(0.25 * (win + loss) - mean**2)[:, None] * same,
            t=in_tie - draw[:, None],
            dt=(mean * draw)[:, None] * same,
            tt=-(draw * (1.0 - draw))[:, None] * same,
        )


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
