"""Bradley-Terry by Newton's method, written plainly and sharing no code with `arena`.

Steps are in double precision; gradients, which decide where it ends, in extended precision.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, diags_array
from scipy.sparse.linalg import cg

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

PER_LOG_ODDS = 400.0 / float(np.log(10.0))
DENSE_MOST = 2_000


def rate_groups(
    model_a: NDArray[np.str_], model_b: NDArray[np.str_], winner: NDArray[np.str_], n: Floats
) -> tuple[list[str], Floats, Floats]:
    """From groups of equal votes: names, ratings [m] of mean zero, and vote-level errors [m].

    A tie is half a win. The errors are those of the sandwich: inverse Hessian, sum over votes of
    the outer products of their scores, inverse Hessian.
    """
    names, place = np.unique(np.concatenate([model_a, model_b]), return_inverse=True)
    a, b = place[: model_a.size], place[model_a.size :]
    won = np.where(winner == "model_a", 1.0, np.where(winner == "model_b", 0.0, 0.5))
    m = names.size
    points = np.zeros((m, m))
    np.add.at(points, (a, b), won * n)
    np.add.at(points, (b, a), (1.0 - won) * n)
    ratings = rate_points(points)
    p = 1.0 / (1.0 + np.exp((ratings[b] - ratings[a]) / PER_LOG_ODDS))
    hessian, meat = (_laplacian(a, b, n * one, m) for one in (p * (1.0 - p), (won - p) ** 2))
    inverse = np.linalg.pinv(hessian, hermitian=True)
    return names.tolist(), ratings, PER_LOG_ODDS * np.sqrt(np.diag(inverse @ meat @ inverse))


def rate_points(points: Floats) -> Floats:
    """Ratings [m] of mean zero, on the Elo scale, from points [m, m] of row against column."""
    left, right = np.nonzero(np.triu(points + points.T, 1))
    return rate_pairs(left, right, points[left, right], points[right, left], len(points))


def rate_pairs(left: Integers, right: Integers, won: Floats, lost: Floats, m: int) -> Floats:
    """The same from pairs: left, right, and the points that each side took, all [P]."""
    strength = np.zeros(m)
    n = won + lost
    size = np.inf
    for _ in range(100):
        if size > 1e-5:
            p = 1.0 / (1.0 + np.exp(strength[right] - strength[left]))
            residual = won - n * p
        else:
            gap = strength.astype(np.longdouble)[right] - strength.astype(np.longdouble)[left]
            p = (1.0 / (1.0 + np.exp(gap))).astype(np.longdouble)
            residual = won - n * p
        gradient = np.zeros(m, dtype=residual.dtype)
        np.add.at(gradient, left, residual)
        np.add.at(gradient, right, -residual)
        curvature = (n * p * (1.0 - p)).astype(np.float64)
        step = _solve(left, right, curvature, gradient.astype(np.float64), m)
        strength = strength + step - step.mean()
        if size <= 1e-5 and np.abs(step).max() <= 1e-10:
            return PER_LOG_ODDS * (strength - strength.mean())
        size = float(np.abs(step).max())
    raise RuntimeError(f"the reference does not converge: its last step is {size:.1e}")


def _solve(left: Integers, right: Integers, curvature: Floats, gradient: Floats, m: int) -> Floats:
    """Newton's step, of mean zero."""
    if m <= DENSE_MOST:
        hessian = _laplacian(left, right, curvature, m)
        step: Floats = np.linalg.solve(hessian + hessian.trace() / m**2, gradient)
        return step
    rows, columns = np.concatenate([left, right]), np.concatenate([right, left])
    met = coo_array((np.tile(curvature, 2), (rows, columns)), shape=(m, m)).tocsr()
    diagonal = np.asarray(met.sum(axis=1)).ravel()
    step, failed = cg(
        diags_array(diagonal) - met,
        gradient - gradient.mean(),
        rtol=1e-8,
        M=diags_array(1.0 / diagonal),
        maxiter=10_000,
    )
    if failed:
        raise RuntimeError("the reference's conjugate gradients do not converge")
    return step


def _laplacian(left: Integers, right: Integers, weight: Floats, m: int) -> Floats:
    """Sum over pairs of weight times the outer product of (left minus right), [m, m]."""
    matrix = np.zeros((m, m))
    np.add.at(matrix, (left, right), -weight)
    np.add.at(matrix, (right, left), -weight)
    np.fill_diagonal(matrix, -matrix.sum(axis=1))
    return matrix
