"""Judges who vote unlike all others on the same pairs of models, and the evidence.

Votes without a judge are nobody's: what is said of judges is not said of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import gammaincc

from arena.battles import Battles
from arena.counts import places
from arena.display import amount, plain
from arena.errors import ColumnError, OptionError
from arena.filters import need_one_of, placed_votes
from arena.schema import WINNERS
from arena.tally import tally_votes

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Rule = Literal["fisher", "e-value"]
Tails = Literal["both", "upper"]

LOOKS = 5
"""At so many of a judge's votes Fisher's statistic is looked at."""

CALIBRATION = 0.5
"""The c of e = (1 - c) p^-c."""

TAILS = ("upper", "lower")


@dataclass(frozen=True, slots=True, eq=False)
class JudgeEvidence:
    """What speaks against each judge who cast enough votes to be tested.

    Attributes:
        frame: one row per judge tested, the most suspicious first: `judge`; `votes`, all of
            this judge's; `votes_tested`, the first so many; `tail`, ``upper`` if the judge
            prefers the alphabetically first models more than the others do, ``lower`` if less;
            `checkpoint`, the vote at which the evidence in this tail was strongest;
            `statistic`, what it then was, Fisher's M (no unit) or the product of e-values;
            `p_value`, corrected for the looks and tails, or `e_value`, after the last vote
            tested and the mean over tails; `flagged`, at the level `alpha` of this judge alone;
            `flagged_fdr`, such that of all judges flagged so at most the share `alpha` is
            expected to be innocent.
        too_short: judges with too few votes to be tested.
        alpha, rule, tails: as asked for.
    """

    frame: pl.DataFrame
    too_short: int
    alpha: float
    rule: Rule
    tails: Tails


def judge_evidence(
    battles: Battles,
    *,
    alpha: float = 0.05,
    rule: Rule = "fisher",
    tails: Tails = "both",
    seed: int = 0,
    most: int = 100,
    at_least: int = 5,
) -> JudgeEvidence:
    """Test of each judge whether the votes could be anybody's, had they met the same pairs.

    Chiang et al., Chatbot Arena (2024), arXiv 2403.04132, on detecting anomalous users. A vote
    is rated 1, 1/2 or 0 as the alphabetically first model wins, ties (both bad, too) or loses.
    The p-value of a vote is p = (1 + #{h ≥ H}) / (1 + #h), over the ratings h of all votes that
    others cast on the same pair; 1 where nobody else did. A judge's own votes are never among
    the others'.

    ``fisher`` looks at M_j = -2 Σ log p over the first j votes, for five values of j, and flags
    a judge if it reaches the 1 - alpha / 5 quantile of χ² with 2 j degrees of freedom at one of
    them. The values are those that come first in a random order of 1 to `most`, the same order
    for all, and are not beyond the judge's last vote; so judges of fewer votes than `most` are
    tested, too, which the paper leaves open. ``e-value`` multiplies e = (1 - c) p^-c with c = 1/2,
    and flags a judge if the product ever reaches 1 / alpha (Ville's inequality). FastChat's
    ``outlier_detect`` multiplies 1 / (2 p), whose expectation is infinite if p is uniform, so
    that it bounds no error; it also compares judges with themselves.

    The paper's rule is one-sided, as is ``tails="upper"``. With ``both``, as in FastChat's code,
    p is computed with ≤ as well; each of the two tests here has half of `alpha`.

    Alpha bounds the chance with which one innocent judge is flagged; of a thousand, 1,000 alpha
    may be. `flagged_fdr` corrects for their number, by Benjamini and Hochberg's procedure (1995), or
    for e-values by that of Wang and Ramdas (2022) on the product after the last vote tested, as
    the largest product on the way is no e-value.

    What this cannot do: p takes at most three values per pair, so it is conservative. -2 log p
    exceeds its mean of 2 only where p < 0.37, and e exceeds 1 only where p < 0.25, so a judge
    who always votes alike on pairs that are even among the others is never found. Each tail sees
    one direction: a random judge's votes on pairs that are lopsided one way hide those on pairs
    lopsided the other. The p-values of a judge share the others' votes, and are independent only
    as these become many. And to vote unlike the others is not to vote in bad faith.

    Args:
        battles: votes with judges, a row each; in time where they have times (those without
            come last), else in the log's order.
        alpha: see above.
        rule: ``fisher`` or ``e-value``.
        tails: ``both`` or ``upper``.
        seed: of the values of j.
        most: votes tested of a judge, the first ones.
        at_least: votes of a judge that is tested.

    Raises:
        ColumnError: votes without judges, or rows of judges that stand for several votes.
        OptionError: an option with a value it cannot have.
        LabelError: votes that are no known winner.
    """
    return evidence_of(battles, JudgeTest(alpha, rule, tails, seed, most, at_least))


@dataclass(frozen=True, slots=True)
class JudgeTest:
    """The options of `judge_evidence`."""

    alpha: float
    rule: Rule
    tails: Tails
    seed: int
    most: int
    at_least: int

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise OptionError(f"alpha: {self.alpha} does not lie between 0 and 1")
        for option, value, kinds in (
            ("rule", self.rule, get_args(Rule)),
            ("tails", self.tails, get_args(Tails)),
        ):
            if value not in kinds:
                raise OptionError(f"{option}: '{value}' is not one of {', '.join(kinds)}")
        for option, number in (("most", self.most), ("at-least", self.at_least)):
            if number < 1:
                raise OptionError(f"{option}: {number} is not a number of votes of at least 1")
        if self.seed < 0:
            raise OptionError(f"seed: {self.seed} is negative")

    @property
    def name(self) -> str:
        """What the filter is called."""
        return f"no anomalous judges ({self.rule}, alpha {self.alpha:g})"

    @property
    def n_tails(self) -> int:
        """Tests per judge."""
        return 2 if self.tails == "both" else 1


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """The votes of judges, judge by judge, each judge's in order.

    Attributes:
        judges: the G names, sorted.
        votes: int [G], votes of each.
        log_p: float [T, n], log p-values of the votes, by tail.
    """

    judges: pl.Series
    votes: Integers
    log_p: Floats


def evidence_of(battles: Battles, test: JudgeTest) -> JudgeEvidence:
    """Carry a test out; see `judge_evidence`."""
    need_one_of(battles, ("judge",), test.name)
    judged = _among_others(_votes(battles, test), test.n_tails)
    found = _walk(judged, test)
    if test.rule == "fisher":
        looks = pl.min_horizontal("votes_tested", pl.lit(LOOKS))
        p_value = ((-pl.col("strength")).exp() * looks * test.n_tails).clip(upper_bound=1.0)
        found = found.drop("e_value").with_columns(p_value=p_value, flagged=p_value <= test.alpha)
        level = found["p_value"]
    else:
        reached = pl.col("strength") >= np.log(test.n_tails / test.alpha)
        found = found.with_columns(flagged=reached)
        level = 1.0 / found["e_value"]
    found = found.with_columns(flagged_fdr=_step_up(level.to_numpy(), test.alpha))
    # Where p is too small to be told from 0, the larger statistic comes first.
    frame = found.sort(-pl.col("strength"), -pl.col("statistic"), "judge").drop("strength")
    too_short = len(judged.judges) - frame.height
    return JudgeEvidence(frame, too_short, test.alpha, test.rule, test.tails)


def _votes(battles: Battles, test: JudgeTest) -> pl.DataFrame:
    """Judges, models and winners of all votes that count, in order."""
    meaning = pl.col("winner").replace_strict(
        battles.labels, default=None, return_dtype=pl.Enum(WINNERS)
    )
    votes = votes_in_time(battles, ["judge", "model_a", "model_b", meaning], test.name)
    if votes["winner"].null_count():
        tally_votes(battles)  # raises, and quotes the votes that are no known ones
    return votes


def votes_in_time(battles: Battles, columns: Sequence[str | pl.Expr], name: str) -> pl.DataFrame:
    """Columns of the votes that count, `judge` among them: by time, or as they stand.

    Raises:
        ColumnError: rows of judges that stand for several votes.
    """
    further = [column for column in ("tstamp", "votes") if column in battles.columns]
    votes = placed_votes(battles, [*columns, *further])
    if "votes" in further:
        several = votes.filter(pl.col("judge").is_not_null(), pl.col("votes") != 1).height
        if several:
            message = (
                f"column 'votes': {amount(several, 'row')} of other than one vote, and the filter "
                f"'{plain(name)}' needs a row for each vote of a judge"
            )
            raise ColumnError(message)
    if "tstamp" in further:
        votes = votes.sort("tstamp", nulls_last=True, maintain_order=True)
    return votes


def _among_others(votes: pl.DataFrame, n_tails: int) -> _Judged:
    """The p-value of each judge's votes among those of others on the same pair."""
    at = places(votes)
    left, right = at.pairs.T
    cell = np.minimum(left, right) * len(at.models) + np.maximum(left, right)
    met, pair = np.unique(cell, return_inverse=True)
    # Ratings, doubled; models are sorted, so the lower index is the alphabetically first.
    rating = np.where((left < right)[:, None], [2, 0, 1, 1], [0, 2, 1, 1])
    kind = (3 * pair[:, None] + rating).ravel()[at.place]
    number = votes["votes"] if "votes" in votes.columns else None
    total = np.bincount(kind, number, minlength=3 * met.size).reshape(-1, 3)

    known = votes["judge"].is_not_null().to_numpy()
    names = votes["judge"].drop_nulls()
    judges = names.unique().sort()
    code = names.cast(pl.Enum(judges)).to_physical().to_numpy().astype(np.int64)
    by_judge = np.argsort(code, kind="stable")
    code, kind = code[by_judge], kind[known][by_judge]
    mine, place = np.unique(code * met.size + kind // 3, return_inverse=True)
    kind = 3 * place + kind % 3
    own = np.bincount(kind, minlength=3 * mine.size).reshape(-1, 3)
    others = total[mine % max(met.size, 1)] - own
    at_most = np.cumsum(others, axis=1)
    n = at_most[:, -1:]
    tails = np.stack([n - at_most + others, at_most][:n_tails])
    log_p = np.log((1.0 + tails) / (1.0 + n)).reshape(n_tails, -1)
    return _Judged(judges, np.bincount(code, minlength=len(judges)), log_p[:, kind])


def _walk(judged: _Judged, test: JudgeTest) -> pl.DataFrame:
    """Go through the votes of all judges tested at once: step j takes the j-th of each.

    Returns:
        The columns of `JudgeEvidence.frame` up to `e_value`, which for Fisher's rule says
        nothing, and `strength`, -log p of Fisher's statistic or the log product of e-values.
    """
    fisher, first = test.rule == "fisher", np.cumsum(judged.votes) - judged.votes
    who = np.flatnonzero(judged.votes >= test.at_least)
    who = who[np.argsort(-judged.votes[who], kind="stable")]
    tested = np.minimum(judged.votes[who], test.most)
    looks = _looks(tested, test)
    gain = -judged.log_p if fisher else np.log(1 - CALIBRATION) - CALIBRATION * judged.log_p
    sums = np.zeros((test.n_tails, who.size))
    strongest, statistic = np.full(who.size, -np.inf), np.zeros(who.size)
    checkpoint, tail = np.zeros((2, who.size), dtype=np.int64)
    for j in range(1, int(tested.max(initial=0)) + 1):
        n = np.searchsorted(-tested, -j, side="right")  # judges with that many votes come first
        sums[:, :n] += gain[:, first[who[:n]] + j - 1]
        looked = np.flatnonzero((looks[:n] == j).any(axis=1)) if fisher else np.arange(n)
        strength = -_log_chance(j, sums[:, looked]) if fisher else sums[:, looked]
        better = strength.max(axis=0) >= strongest[looked]
        at, side = looked[better], strength.argmax(axis=0)[better]
        strongest[at], checkpoint[at], tail[at] = strength.max(axis=0)[better], j, side
        statistic[at] = 2 * sums[side, at] if fisher else _exp(sums[side, at])
    return pl.DataFrame(
        {
            "judge": judged.judges.gather(who),
            "votes": judged.votes[who],
            "votes_tested": tested,
            "tail": pl.Series(TAILS).gather(tail),
            "checkpoint": checkpoint,
            "statistic": statistic,
            "e_value": _exp(sums).mean(axis=0),
            "strength": strongest,
        }
    )


def _exp(logarithm: Floats) -> Floats:
    """The exponential, of what is beyond 10³⁰⁴ that number."""
    power: Floats = np.exp(np.minimum(logarithm, 700.0))
    return power


def _log_chance(j: int, sums: Floats) -> Floats:
    """Log probability that χ² with 2 j degrees of freedom reaches twice these sums."""
    with np.errstate(divide="ignore"):
        chance: Floats = np.log(gammaincc(j, sums))
    return chance


def _looks(tested: Integers, test: JudgeTest) -> Integers:
    """The votes [g, LOOKS] at which Fisher's statistic is looked at; 0 beyond a judge's last."""
    turn = 1 + np.random.default_rng(test.seed).permutation(test.most)
    lengths, place = np.unique(tested, return_inverse=True)
    looks = np.zeros((lengths.size, LOOKS), dtype=np.int64)
    for row, length in zip(looks, lengths, strict=True):
        first = turn[turn <= length][:LOOKS]
        row[: first.size] = first
    return looks[place]


def _step_up(p_value: Floats, alpha: float) -> NDArray[np.bool_]:
    """Benjamini and Hochberg's procedure: the k smallest, the k-th at most alpha k / g."""
    ordered = np.sort(p_value)
    enough = ordered <= alpha * np.arange(1, ordered.size + 1) / max(ordered.size, 1)
    bound = ordered[enough].max(initial=-1.0)
    rejected: NDArray[np.bool_] = p_value <= bound
    return rejected
