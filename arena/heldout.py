"""Held-out skill: how well each model of the votes predicts votes it has not seen.

Every estimator is fitted on the same votes and asked for the expected points of model_a in the
same others, so that a reader can choose between them by what they are worth, not by what they
assume.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.battle_order import BattleOrder, order_battles
from arena.battles import Battles
from arena.bradley_terry import fit_bradley_terry
from arena.counts import PairCounts
from arena.design import Design, build_design
from arena.display import amount
from arena.elo import EloRule, online_elo
from arena.errors import NoEstimateError, OptionError
from arena.regression import fit_regression
from arena.ties import sigmoid

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Split = Literal["time", "random"]
ESTIMATORS = ("half", "drop", "rao-kupper", "davidson", "elo")
BINS = 10
TIME = pl.col("tstamp").dt.epoch("us").cast(pl.Float64).alias("time")


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Skill on held-out votes.

    Attributes:
        skill: one row per estimator: `estimator`; `log_loss`, mean of -(s log p + (1 - s) log
            (1 - p)) in nats, where p are the expected points of model_a and s the points scored
            (1, 1/2, 0); `brier`, mean of (s - p)²; `accuracy`, the share of decided votes in
            which the side with p above 1/2 won (p of exactly 1/2 is half right);
            `log_loss_3`, mean of -log P(win, loss or tie), null where ties have no
            probability; `std_error`, of log_loss. The row `constant` predicts 1/2, and ties as
            often as they were seen.
        calibration: per estimator and tenth of p: `estimator`, `predicted`, `observed` (means),
            `votes`.
        n_train, n_test: votes fitted, and votes predicted by all estimators alike.
        n_left_out: held-out votes on models that some estimator could not rate.
    """

    skill: pl.DataFrame
    calibration: pl.DataFrame
    n_train: int
    n_test: int
    n_left_out: int


@dataclass(frozen=True, slots=True, eq=False)
class _Predicted:
    """Expected points [n] of model_a, nan where unknown; and P(win, loss, tie) [3, n] or None."""

    points: Floats
    outcomes: Floats | None = None


def held_out_skill(
    battles: Battles,
    *,
    split: Split = "time",
    share: float = 0.2,
    seed: int = 0,
    estimators: Sequence[str] = ESTIMATORS,
    control: Sequence[str] = (),
    k: float = 4.0,
) -> HeldOut:
    """Fit on some votes, predict the others.

    Args:
        battles: the votes, one per row.
        split: hold out the last votes in ``time``, or a ``random`` set of them.
        share: of the votes to hold out.
        seed: of a random split.
        estimators: any of the four tie rules, and ``elo``.
        control: covariates of one more estimator, ``control``; see `build_design`.
        k: of Elo.

    Raises:
        OptionError: an option that cannot be.
        ColumnError: a time split of votes without times, or a covariate they lack.
        NoEstimateError: if an estimator cannot be fitted, or predicts none of the held-out votes.
    """
    unknown = [name for name in estimators if name not in ESTIMATORS]
    if unknown:
        raise OptionError(f"estimators: '{unknown[0]}' is not one of {', '.join(ESTIMATORS)}")
    if split not in ("time", "random"):
        raise OptionError(f"split: '{split}' is not one of time, random")
    if not 0.0 < share < 1.0:
        raise OptionError(f"share: {share} is not between 0 and 1, e.g. 0.2")
    order = order_battles(battles, order="time" if split == "time" else "as-is")
    train, test = _split(order.n_battles, split, share, seed)
    predicted = {name: _predict(name, order, train, test, k) for name in estimators}
    if control:
        predicted["control"] = _predict_controlled(battles, control, split, train, test)
    known = np.all([np.isfinite(one.points) for one in predicted.values()], axis=0)
    if not known.any():
        raise NoEstimateError("no held-out vote is on models that all estimators could rate")
    half_points = order.half_points[test][known]
    predicted["constant"] = _constant(order.half_points[train], known.size)
    rows = [_skill(name, one, known, half_points) for name, one in predicted.items()]
    tables = [_calibration(name, one.points[known], half_points) for name, one in predicted.items()]
    return HeldOut(
        skill=pl.DataFrame(rows).sort("log_loss", "estimator"),
        calibration=pl.concat(tables),
        n_train=train.size,
        n_test=int(known.sum()),
        n_left_out=int((~known).sum()),
    )


def _split(n: int, split: Split, share: float, seed: int) -> tuple[Rows, Rows]:
    """Indices of the votes to fit and to predict, each ascending."""
    n_test = round(n * share)
    if not 0 < n_test < n:
        raise OptionError(
            f"share: {share} of {amount(n, 'vote')} leaves nothing to fit or to predict"
        )
    rows = np.arange(n)
    if split == "random":
        rows = np.random.default_rng(seed).permutation(n)
    return np.sort(rows[:-n_test]), np.sort(rows[-n_test:])


def _taken(order: BattleOrder, rows: Rows) -> BattleOrder:
    return replace(
        order,
        left=order.left[rows],
        right=order.right[rows],
        half_points=order.half_points[rows],
    )


def _counts(order: BattleOrder) -> PairCounts:
    """Pair counts of battles in order; both-bad is among the ties."""
    m = len(order.models)
    pair, place = np.unique(order.left.astype(np.int64) * m + order.right, return_inverse=True)
    outcome = np.array([1, 2, 0])[order.half_points]  # lost, tied, won
    flat = np.bincount(place * 4 + outcome, minlength=4 * pair.size).astype(np.float64)
    return PairCounts(order.models, np.stack(np.divmod(pair, m), axis=1), flat.reshape(-1, 4))


def _predict(name: str, order: BattleOrder, train: Rows, test: Rows, k: float) -> _Predicted:
    fitted, asked = _taken(order, train), _taken(order, test)
    if name == "elo":
        elo = online_elo(fitted, EloRule(k=k))
        gap = (elo.ratings[asked.left] - elo.ratings[asked.right]) * np.log(10.0) / 400.0
        played = elo.battles > 0
        return _Predicted(np.where(played[asked.left] & played[asked.right], sigmoid(gap), np.nan))
    fit = fit_bradley_terry(_counts(fitted), ties=name)
    strength = _in_order(fit.models, fit.log_odds, order.models)
    gap = strength[asked.left] - strength[asked.right]
    rated = np.isfinite(gap)
    outcomes = np.exp(fit.rule.log_p(np.where(rated, gap, 0.0), fit.tie_parameter or 0.0))
    outcomes[:, ~rated] = np.nan
    if fit.rule.parameter is None:
        return _Predicted(outcomes[0])
    return _Predicted(outcomes[0] + outcomes[2] / 2, outcomes)


def _in_order(rated: Sequence[str], log_odds: Floats, models: Sequence[str]) -> Floats:
    """Log-odds in the order of `models`, nan for those not rated."""
    known = dict(zip(rated, log_odds, strict=True))
    return np.array([known.get(model, np.nan) for model in models])


def _predict_controlled(
    battles: Battles, control: Sequence[str], split: Split, train: Rows, test: Rows
) -> _Predicted:
    """Predictions with covariates, in the order of the other estimators'.

    Style is standardised over all votes, held-out ones included; that shifts and stretches its
    scale, and tells nothing of who won.
    """
    design = build_design(battles, [*control, *([TIME] if split == "time" else [])])
    if design.n_missing or design.left.size != train.size + test.size:
        raise OptionError("control: some votes lack a covariate; leave it out")
    k = len(design.names) - (split == "time")
    order = np.arange(design.left.size)
    if split == "time":
        order = np.argsort(design.covariates[:, k], kind="stable")
    plain = replace(design, names=design.names[:k], covariates=design.covariates[:, :k])
    fit = fit_regression(_rows(plain, order[train]))
    asked = _rows(plain, order[test])
    strength = _in_order(fit.models, fit.log_odds, design.models)
    gap = strength[asked.left] - strength[asked.right] + asked.covariates @ fit.coefficients
    return _Predicted(sigmoid(gap))


def _rows(design: Design, rows: Rows) -> Design:
    """Some of a design's battles."""
    taken = {
        name: None if getattr(design, name) is None else getattr(design, name)[rows]
        for name in ("left", "right", "points", "covariates", "votes", "weight", "clusters")
    }
    return replace(design, **taken)  # type: ignore[arg-type]


def _constant(trained: NDArray[np.int8], n: int) -> _Predicted:
    """One half each, and ties as often as among the votes fitted."""
    tie = float(np.mean(trained == 1))
    outcomes = np.repeat([[(1 - tie) / 2], [(1 - tie) / 2], [tie]], n, axis=1)
    return _Predicted(np.full(n, 0.5), outcomes)


def _skill(
    name: str, predicted: _Predicted, known: NDArray[np.bool_], half_points: NDArray[np.int8]
) -> dict[str, float | str | None]:
    p, s = predicted.points[known], half_points / 2
    loss = -(s * np.log(p) + (1 - s) * np.log1p(-p))
    decided = half_points != 1
    right = np.where(p == 0.5, 0.5, (p > 0.5) == (s > 0.5))[decided]
    of_three = None
    if predicted.outcomes is not None:
        seen = np.array([1, 2, 0])[half_points]
        of_three = float(-np.log(predicted.outcomes[:, known][seen, np.arange(seen.size)]).mean())
    return {
        "estimator": name,
        "log_loss": float(loss.mean()),
        "std_error": float(loss.std(ddof=1) / np.sqrt(loss.size)) if loss.size > 1 else None,
        "brier": float(np.mean((s - p) ** 2)),
        "accuracy": float(right.mean()) if right.size else None,
        "log_loss_3": of_three,
    }


def _calibration(name: str, p: Floats, half_points: NDArray[np.int8]) -> pl.DataFrame:
    """Predicted against observed points, by tenths of the prediction."""
    tenth = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    frame = pl.DataFrame({"tenth": tenth, "predicted": p, "observed": half_points / 2})
    means = frame.group_by("tenth").agg(
        pl.col("predicted", "observed").mean(), votes=pl.len().cast(pl.Int64)
    )
    return means.sort("tenth").select(pl.lit(name).alias("estimator"), pl.exclude("tenth"))
