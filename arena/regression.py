"""Bradley-Terry with covariates: what is left of the ratings when, say, style is held equal.

P(left beats right) is logistic in the gap of their log-odds plus the covariates times their
coefficients. Each battle has its own covariates, so counts are not enough: `arena.likelihood`
sums over votes, `arena.newton` finds the maximum.
"""

from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from arena.blas import one_blas_thread
from arena.bradley_terry import fit_bradley_terry
from arena.design import Design
from arena.errors import OptionError
from arena.existence import LeftOut
from arena.likelihood import clustered_meat, meat, votes_of
from arena.newton import maximise, solve_hessian
from arena.ranks import point_ranks

Floats = NDArray[np.float64]
Kind = Literal["sandwich", "fisher", "cluster"]

ELO = 400.0 / float(np.log(10.0))
"""Rating points per unit of log-odds on the Elo scale."""


@dataclass(frozen=True, slots=True, eq=False)
class RegressionFit:
    """A converged fit with covariates; there is no other kind.

    Attributes:
        models: the m names rated, sorted.
        log_odds: float [m], mean zero; of a battle whose covariates are all zero.
        names: of the k covariates.
        coefficients: float [k], log-odds per unit of the covariate.
        hessian: float [m + k, m + k], of the negative log-likelihood and the penalty, in the
            log-odds and the coefficients; singular along the models' constant vector unless
            their log-odds have a ridge.
        log_likelihood: at the estimate, in nats, penalty not included; with ties a
            quasi-log-likelihood, since a tie is half a win for each side.
        iterations: Newton steps taken.
        ridge, ridge_ratings: the penalties, see `fit_regression`.
        n_battles: votes among the models rated.
        left_out: the models not rated, each with the reason.
    """

    models: tuple[str, ...]
    log_odds: Floats
    names: tuple[str, ...]
    coefficients: Floats
    hessian: Floats
    log_likelihood: float
    iterations: int
    ridge: float
    ridge_ratings: float
    n_battles: float
    left_out: tuple[LeftOut, ...]


def fit_regression(
    design: Design, *, ridge: float = 0.0, ridge_ratings: float = 0.0
) -> RegressionFit:
    """Fit log-odds and coefficients by Newton's method, converged or not at all.

    A tie is half a win for each side. A model that cannot be rated is left out with its battles.

    Args:
        design: the battles.
        ridge: penalty; half of this times the sum of squared coefficients is taken from the
            log-likelihood, which is the sum over votes, each times its weight.
        ridge_ratings: the same for the log-odds.

    FastChat's `compute_style_control` has a penalty of 0.5 on the coefficients and on the
    strengths in powers of ten: ``ridge=0.5, ridge_ratings=0.5 / log(10) ** 2``. arena-rank's
    `ContextualBradleyTerry` penalises the mean over votes: its ``reg=1.0`` is
    ``ridge=design.n_battles``, which shrinks coefficients to a fraction.

    Raises:
        NoEstimateError: if nothing can be rated, or a covariate has no coefficient because it
            is a function of the models and the other covariates, or because it tells the votes.
        ConvergenceError: if Newton's method does not reach a gradient of 1e-10 per battle.
        OptionError: a penalty that is negative or not finite.

    >>> from arena.battles import read_battles
    >>> from arena.design import build_design
    >>> votes = ["model_a"] * 3 + ["model_b"] + ["model_b"] * 3 + ["model_a"]
    >>> log = pl.DataFrame({"model_a": ["x"] * 8, "model_b": ["y"] * 8, "winner": votes})
    >>> longer = log.with_columns(tokens_a=pl.Series([1] * 4 + [0] * 4), tokens_b=pl.lit(0))
    >>> fit = fit_regression(build_design(read_battles(longer), ["tokens"]))
    >>> fit.coefficients.round(6).tolist()  # log 3 - log 1/3
    [2.197225]
    """
    for name, penalty in (("ridge", ridge), ("ridge_ratings", ridge_ratings)):
        if not (np.isfinite(penalty) and penalty >= 0):
            raise OptionError(f"{name}: {penalty} is not a number from 0 up")
    # Threads of BLAS only wait for each other on matrices this small.
    with one_blas_thread():
        start = fit_bradley_terry(design.counts)
        m, k = len(start.models), len(design.names)
        used = design.restrict(start.models) if start.left_out else design
        penalties = np.repeat([float(ridge_ratings), float(ridge)], [m, k])
        solved = maximise(votes_of(used), start.log_odds, penalties)
    log_odds = solved.point[:m]
    return RegressionFit(
        models=start.models,
        log_odds=log_odds - log_odds.mean(),
        names=design.names,
        coefficients=solved.point[m:],
        hessian=solved.hessian,
        log_likelihood=solved.log_likelihood,
        iterations=solved.iterations,
        ridge=float(ridge),
        ridge_ratings=float(ridge_ratings),
        n_battles=used.n_battles,
        left_out=start.left_out,
    )


# ── how uncertain ──────────────────────────────────────────────────────────────────────────


def regression_covariance(fit: RegressionFit, design: Design, kind: Kind = "sandwich") -> Floats:
    """Covariance [m + k, m + k] of the mean-zero log-odds and the coefficients.

    ``sandwich`` and ``fisher`` are those of `estimate_covariance`. ``cluster`` lets votes of one
    cluster depend on each other in any way: the meat is the sum over the G clusters of the outer
    product of their summed scores, times G / (G - 1). Liang and Zeger, Longitudinal data analysis
    using generalized linear models, Biometrika 73 (1986). With few clusters, say under 30, it is
    too small. A penalty is in the bread only.

    Args:
        fit: of this design.
        design: the battles.
        kind: see above.

    Raises:
        OptionError: an unknown kind, a design without clusters, or not the one fitted.
        NoEstimateError: fewer than two clusters.
    """
    if kind not in ("sandwich", "fisher", "cluster"):
        raise OptionError(f"ci: '{kind}' is not one of sandwich, fisher, cluster")
    if design.names != fit.names or not set(fit.models) <= set(design.models):
        raise OptionError("ci: this is not the design that was fitted")
    m, size = len(fit.models), fit.hessian.shape[0]
    centre = np.eye(size)
    centre[:m, :m] -= 1.0 / m
    with one_blas_thread():
        bread: Floats = centre @ solve_hessian(fit.hessian, np.eye(size), m)
        if kind == "fisher":
            return bread @ centre.T
        used = design if fit.models == design.models else design.restrict(fit.models)
        point = np.concatenate([fit.log_odds, fit.coefficients])
        if kind == "sandwich":
            filling = meat(votes_of(used, power=2), point)
        else:
            filling = clustered_meat(votes_of(used), point)
        return bread @ filling @ bread.T


# ── for a board ────────────────────────────────────────────────────────────────────────────


def coefficient_table(
    fit: RegressionFit, covariance: Floats, *, level: float = 0.95, per_log_odds: float = ELO
) -> pl.DataFrame:
    """The coefficients with intervals, per unit of each covariate.

    Args:
        fit: the fit.
        covariance: float [m + k, m + k], see `regression_covariance`.
        level: coverage of each interval.
        per_log_odds: rating points per unit of log-odds.

    Returns:
        A frame: covariate; coefficient, std_error, lower, upper in log-odds; and rating,
        rating_std_error, rating_lower, rating_upper in rating points.
    """
    if not 0.0 < level < 1.0:
        raise OptionError(f"level: {level} is not between 0 and 1, e.g. 0.95")
    error = np.sqrt(np.diag(covariance)[len(fit.models) :])
    half_width = NormalDist().inv_cdf(0.5 + level / 2) * error
    columns = {
        "coefficient": fit.coefficients,
        "std_error": error,
        "lower": fit.coefficients - half_width,
        "upper": fit.coefficients + half_width,
    }
    names = ("rating", "rating_std_error", "rating_lower", "rating_upper")
    in_points = {name: per_log_odds * c for name, c in zip(names, columns.values(), strict=True)}
    covariate = pl.Series(fit.names, dtype=pl.String)
    return pl.DataFrame({"covariate": covariate} | columns | in_points)


def rank_changes(
    plain: Floats,
    controlled: Floats,
    models: tuple[str, ...],
    *,
    per_log_odds: float = ELO,
    init: float = 1000.0,
) -> pl.DataFrame:
    """Two boards of the same models side by side: without and with covariates held equal.

    Args:
        plain: float [m], mean-zero log-odds without covariates.
        controlled: float [m], with them.
        models: the m names.
        per_log_odds: rating points per unit of log-odds.
        init: mean rating.

    Returns:
        A frame, best controlled first: model, rank_plain, rank_controlled, change (places
        gained), rating_plain, rating_controlled.
    """
    if not len(plain) == len(controlled) == len(models):
        raise OptionError("rank changes: the two fits rate different models")
    ranks = point_ranks(plain), point_ranks(controlled)
    return pl.DataFrame(
        {
            "model": pl.Series(models, dtype=pl.String),
            "rank_plain": ranks[0],
            "rank_controlled": ranks[1],
            "change": ranks[0] - ranks[1],
            "rating_plain": init + per_log_odds * plain,
            "rating_controlled": init + per_log_odds * controlled,
        }
    ).sort("rank_controlled", "model")
