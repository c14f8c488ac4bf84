"""How uncertain the strengths are: Fisher, sandwich and cluster-robust covariance."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.bradley_terry import Fit
from arena.clusters import ClusterCounts
from arena.errors import NoEstimateError, OptionError
from arena.problem import Matrix, Problem, problem
from arena.ties import Curvature

Floats = NDArray[np.float64]
Kind = Literal["sandwich", "fisher", "cluster"]


def estimate_covariance(
    fit: Fit, kind: Kind = "sandwich", clusters: ClusterCounts | None = None
) -> Floats:
    """Covariance [m + q, m + q] of the mean-zero log-odds and the q tie parameters.

    ``sandwich`` is bread · meat · bread (Huber 1967, White 1982): the bread is the inverse
    Hessian, the meat the sum over votes of the score's outer product. It is valid whatever
    the true distribution of an outcome, so also where a tie is scored as half a win.
    ``cluster`` takes the outer products of sums of scores over clusters, so that votes within
    a cluster may depend on each other in any way (Liang and Zeger 1986), with the correction
    G / (G - 1) for a finite number G of clusters. ``fisher`` is the bread alone, valid if the
    model is the truth. A prior's half-wins are no votes: they are in the bread only.

    Raises:
        OptionError: an unknown kind, or ``cluster`` without clusters.
    """
    if kind not in ("sandwich", "fisher", "cluster"):
        raise OptionError(f"ci: '{kind}' is not one of sandwich, fisher, cluster")
    if kind == "cluster" and clusters is None:
        raise OptionError("ci: 'cluster' needs clusters, see count_clusters")
    bread = bread_of(problem(fit.counts, fit.rule, fit.prior), fit.hessian)
    if kind == "fisher":
        return bread @ centring(len(fit.models), len(bread)).T
    return bread @ (meat_of(fit) if clusters is None else cluster_meat(fit, clusters)) @ bread.T


def centring(m: int, size: int) -> Floats:
    """The matrix [size, size] that takes the mean of the first m entries away from them."""
    centre = np.eye(size)
    centre[:m, :m] -= 1.0 / m
    return centre


def bread_of(task: Problem, hessian: Matrix) -> Floats:
    """Inverse Hessian [m + q, m + q]: what a score does to mean-zero log-odds."""
    return centring(task.n_models, task.n_parameters) @ task.inverse(hessian)


def meat_of(fit: Fit) -> Matrix:
    """Sum over votes of the score's outer product, [m + q, m + q], from the counts."""
    return meat_at(problem(fit.counts, fit.rule, squares=True), fit.point)


def meat_at(task: Problem, point: Floats) -> Matrix:
    """The same at a point [m + q] for a problem whose table holds squared weights."""
    first = task.rule.first(task.gaps(point), task.tie(point))
    in_gap = (task.outcomes * first.d**2).sum(axis=0)
    if first.t is None:
        return task.matrix(Curvature(in_gap))
    mixed = (task.outcomes * first.d * first.t).sum(axis=0)
    return task.matrix(Curvature(in_gap, mixed, (task.outcomes * first.t**2).sum(axis=0)))


def vote_scores(fit: Fit, clusters: ClusterCounts) -> csr_array:
    """The score of a vote of each kind, sparse [4P, m + q], in the columns of `clusters`.

    Votes on models that are not in the fit have score zero.
    """
    left, right = clusters.sides(fit.models)
    rated = np.flatnonzero((left >= 0) & (right >= 0))
    gap = fit.log_odds[left[rated]] - fit.log_odds[right[rated]]
    first = fit.rule.first(gap, fit.tie_parameter or 0.0)
    kinds = [0, 1, 2, 2] if fit.rule.counts_ties else [0, 1]
    row = np.concatenate([4 * rated + k for k in range(len(kinds))])
    d = np.concatenate([first.d[kind] for kind in kinds])
    parts = [(np.tile(left[rated], len(kinds)), d), (np.tile(right[rated], len(kinds)), -d)]
    if first.t is not None:
        t = np.concatenate([first.t[kind] for kind in kinds])
        parts.append((np.full(row.size, len(fit.models)), t))
    values = np.concatenate([value for _, value in parts])
    columns = np.concatenate([column for column, _ in parts])
    shape = (clusters.table.shape[1], fit.hessian.shape[0])
    return csr_array((values, (np.tile(row, len(parts)), columns)), shape=shape)


def cluster_meat(fit: Fit, clusters: ClusterCounts) -> Floats:
    """Sum over clusters of their summed score's outer product, with G / (G - 1).

    Raises:
        NoEstimateError: fewer than two clusters.
    """
    if clusters.n_clusters < 2:
        message = f"clusters by {clusters.column}: two or more are needed"
        raise NoEstimateError(f"{message}; there is {clusters.n_clusters}")
    scores = clusters.table @ vote_scores(fit, clusters)
    g = clusters.n_clusters
    meat: Floats = (scores.T @ scores).toarray() * (g / (g - 1))
    return meat
