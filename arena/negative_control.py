"""The negative control: do models that saw nothing differ on the seen prompts, too?

In a battle of two such models both answer the same prompt, so only differences are determined:
how much better each is on seen prompts than on others, against the average of them all. A gain
that is due to training should stand out from these.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import chi2

from arena.battles import Battles, Condition
from arena.blas import one_blas_thread
from arena.design import Design, build_design
from arena.display import amount, listing
from arena.errors import NoEstimateError, OptionError
from arena.exposure import SEEN, flag
from arena.regression import Kind, fit_regression, regression_covariance
from arena.uplift_design import kind_columns

Floats = NDArray[np.float64]
Missing = Literal["error", "drop"]

LEAST_SEEN = 30
"""Battles on seen prompts, and on others, that a model needs to be a control."""


FULL = 1e-9
"""Share of the largest variance below which one is taken for rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How much better each unexposed model is on seen prompts than on others.

    Attributes:
        models: K names, sorted.
        gains: float [K], log-odds, mean zero.
        covariance: float [K, K], of these; of rank K - 1.
        test: Wald's chi-square for all of them being zero, its degrees of freedom K - 1, and
            its p-value.
        tau: standard deviation between models beyond noise, in log-odds.
        battles, seen: float [K], votes among these models, and those of them on seen prompts.
    """

    models: tuple[str, ...]
    gains: Floats
    covariance: Floats
    test: tuple[float, int, float]
    tau: float
    battles: Floats
    seen: Floats


@dataclass(frozen=True, slots=True, eq=False)
class NegativeControl:
    """What the estimate gives for models that had not seen the prompts.

    Attributes:
        models: the unexposed models that take part.
        pseudo: those of them taken as if they had seen the prompts.
        gain: the common gain of these, in log-odds; should be near zero.
        std_error: of `gain`.
        n_battles: votes among the models.
        n_seen: those of them on seen prompts.
        spread: model by model; None where there are fewer than three, or too few clusters.
    """

    models: tuple[str, ...]
    pseudo: tuple[str, ...]
    gain: float
    std_error: float
    n_battles: float
    n_seen: float
    spread: Spread | None


def control_estimate(
    battles: Battles,
    groups: pl.DataFrame,
    *,
    answers: Sequence[str],
    kinds: Sequence[str],
    pseudo: Sequence[str] | None,
    cluster: str | None,
    missing: Missing,
    seed: int,
) -> NegativeControl | str:
    """The negative control, or why there is none.

    Args:
        battles: those whose exposure is known.
        groups: their votes, from `count_exposure`.
        answers: covariates that differ between the two answers.
        kinds: covariates that both sides share, see `kind_columns`.
        pseudo: models to take as if they had seen the prompts; None for half of them at random.
        cluster: what votes depend on each other within.
        missing: as for `build_design`.
        seed: of the random half.

    Raises:
        OptionError: naming a model in `pseudo` that is no control.
    """
    if SEEN not in battles.columns:
        return (
            f"the votes have no column '{SEEN}', which says of every battle whether its prompt "
            "was seen by any model"
        )
    models = _eligible(groups)
    if len(models) < 2:
        return (
            f"{amount(len(models), 'model')} had seen nothing and met others like it on "
            f"{LEAST_SEEN} seen prompts and as many others; two are needed"
        )
    chosen = _pseudo(models, pseudo, seed)
    among = [pl.col(f"model_{side}").is_in(models) for side in "ab"]
    known = pl.col(SEEN).is_not_null()
    inside = battles.meeting(Condition("among unexposed models", among[0] & among[1] & known))
    advantages = kind_columns(inside, {"": chosen}, kinds)
    seen = flag(inside, SEEN).alias(SEEN)
    held: list[str | pl.Expr] = [
        *answers,
        *(column.alias(name) for name, column in advantages.items()),
    ]
    try:
        design = build_design(inside, [seen, *held], cluster=cluster, missing=missing)
        gain, std_error = _common_gain(design, chosen)
    except NoEstimateError as error:
        return str(error)
    n_answers = len(design.names) - 1 - len(advantages)
    try:
        spread = _spread(_only(design, slice(0, 1 + n_answers)))
    except NoEstimateError:
        spread = None
    votes = design.votes if design.votes is not None else np.ones(design.points.size)
    n_seen = float(votes @ design.covariates[:, 0])
    return NegativeControl(design.models, chosen, gain, std_error, design.n_battles, n_seen, spread)


def _eligible(groups: pl.DataFrame) -> list[str]:
    """The unexposed models with enough battles among themselves, on seen prompts and on others."""
    n = "votes" if "votes" in groups.columns else "n"
    exposed = pl.concat(
        groups.filter(pl.col(f"seen_{side}"))[f"model_{side}"].rename("model") for side in "ab"
    ).unique()
    sides = pl.col("model_a", "model_b")
    among = groups.filter(pl.all_horizontal(~sides.is_in(exposed.implode())))
    while True:
        on = pl.col(n).filter(pl.col(SEEN)).sum(), pl.col(n).filter(~pl.col(SEEN)).sum()
        met = pl.concat(
            among.select(pl.col(f"model_{side}").alias("model"), n, SEEN) for side in "ab"
        )
        counted = met.group_by("model").agg(seen=on[0], other=on[1])
        least = pl.min_horizontal("seen", "other")
        enough = counted.filter(least >= LEAST_SEEN)["model"]
        if enough.len() == counted.height:
            return sorted(enough.to_list())
        among = among.filter(pl.all_horizontal(sides.is_in(enough.implode())))


def _pseudo(models: Sequence[str], named: Sequence[str] | None, seed: int) -> tuple[str, ...]:
    """The models taken as if they had seen the prompts."""
    if named is None:
        shuffled = np.random.default_rng(seed).permutation(len(models))
        return tuple(sorted(models[i] for i in shuffled[: len(models) // 2]))
    others = sorted(set(named) - set(models))
    if others:
        message = (
            f"pseudo_exposed: {listing(others)} cannot stand in for models that had seen the "
            f"prompts; there are {listing(models)}"
        )
        raise OptionError(message)
    if not 0 < len(set(named)) < len(models):
        raise OptionError("pseudo_exposed: name at least one model, and leave at least one")
    return tuple(sorted(set(named)))


# ── one gain for some of them ──────────────────────────────────────────────────────────────


def _common_gain(design: Design, chosen: Sequence[str]) -> tuple[float, float]:
    """Gain and standard error of the chosen models, as if they had seen the prompts."""
    stands_in = np.isin(design.models, chosen).astype(np.float64)
    ahead = stands_in[design.left] - stands_in[design.right]
    columns = np.array(design.covariates, order="F")
    columns[:, 0] *= ahead
    tells = columns[:, 0] != 0
    if design.clusters is not None and np.unique(design.clusters[tells]).size < 2:
        raise NoEstimateError(f"all battles that tell of it are in one {design.cluster}")
    used = replace(design, covariates=columns)
    fit = fit_regression(used)
    m = len(fit.models)
    variance = regression_covariance(fit, used, kind_of(used))[m, m]
    return float(fit.coefficients[0]), float(np.sqrt(variance))


def kind_of(design: Design) -> Kind:
    """How the covariance is estimated: by cluster, where there are any."""
    return "sandwich" if design.clusters is None else "cluster"


def _only(design: Design, columns: slice) -> Design:
    """The same battles with only some of the covariates."""
    some = np.asfortranarray(design.covariates[:, columns])
    return replace(design, covariates=some, names=design.names[columns])


# ── model by model ─────────────────────────────────────────────────────────────────────────


def _spread(design: Design) -> Spread | None:
    """Each model on seen prompts against itself on others.

    None for fewer than three models, or with so few clusters that they leave gains without error.

    On seen prompts each model but one is a player of its own. The one, which is the most
    active, ties the two groups of players together; against which of them gains are measured
    is taken out again by centring.

    `tau` is by the method of moments: DerSimonian and Laird, Meta-analysis in clinical trials,
    Controlled Clinical Trials 7 (1986), for estimates that are not independent.
    """
    split, reference = _split(design)
    fit = fit_regression(split)
    place = {int(name): i for i, name in enumerate(fit.models)}
    m = len(design.models)
    both = [k for k in range(m) if k in place and (k == reference or m + k in place)]
    if len(both) < 3:
        return None
    size = fit.hessian.shape[0]
    contrast = np.zeros((len(both), size))
    for row, k in enumerate(both):
        if k != reference:
            contrast[row, place[m + k]], contrast[row, place[k]] = 1.0, -1.0
    contrast -= contrast.mean(axis=0)
    with one_blas_thread():
        covariance = contrast @ regression_covariance(fit, split, kind_of(split)) @ contrast.T
        if np.linalg.matrix_rank(covariance, rtol=FULL, hermitian=True) < len(both) - 1:
            return None
        precision = np.linalg.pinv(covariance, rcond=FULL, hermitian=True)
    point = np.concatenate([fit.log_odds, fit.coefficients])
    gains = contrast @ point
    freedom = len(both) - 1
    chi_square = float(gains @ precision @ gains)
    tau = np.sqrt(max(0.0, (chi_square - freedom) / float(np.trace(precision))))
    votes = np.ones(design.points.size) if design.votes is None else design.votes
    sides = np.concatenate([design.left, design.right])
    battles, seen = (
        np.bincount(sides, np.tile(of, 2), minlength=m).astype(np.float64)
        for of in (votes, votes * design.covariates[:, 0])
    )
    return Spread(
        tuple(design.models[k] for k in both),
        gains,
        covariance,
        (chi_square, freedom, float(chi2.sf(chi_square, freedom))),
        float(tau),
        battles[both],
        seen[both],
    )


def _split(design: Design) -> tuple[Design, int]:
    """The design with players k, and m + k for model k on seen prompts; and who is not split.

    The first covariate, which says whether the prompt was seen, is taken out.
    """
    m = len(design.models)
    seen = design.covariates[:, 0] > 0
    played = np.bincount(np.concatenate([design.left, design.right]), minlength=m)
    reference = int(played.argmax())
    sides = (
        np.where(seen & (side != reference), side + m, side).astype(np.int32)
        for side in (design.left, design.right)
    )
    left, right = sides
    there = np.zeros(2 * m, dtype=np.bool_)
    there[left] = there[right] = True
    players = np.flatnonzero(there)
    code = np.cumsum(there).astype(np.int32) - 1
    others = np.asfortranarray(design.covariates[:, 1:])
    split = replace(
        design,
        # Names must be in the order of their codes.
        models=tuple(f"{player:09d}" for player in players),
        left=code[left],
        right=code[right],
        covariates=others,
        names=design.names[1:],
    )
    return split, reference
