"""Counts as a likelihood to be maximised: its value, gradient and Hessian at any point.

Dense below a thousand models, sparse from there on; nothing else knows the difference.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import cg

from arena.counts import PairCounts, fold
from arena.errors import ConvergenceError, OptionError
from arena.ties import TieRule

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Matrix: TypeAlias = Floats | csr_array

SPARSE_FROM = 1_000
"""From this many models on, matrices are sparse and systems solved by conjugate gradients."""
DENSE_MOST = 8_000
"""Beyond this many models a covariance, which is dense, is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Counts as the Newton loop wants them: one row per pair of models that met.

    With a prior there is one more model, of log-odds zero, that everybody met.

    Attributes:
        n_models: m, the average opponent of the prior not counted.
        left, right: int [C], model indices; `right` is m for the prior's opponent.
        outcomes: float [3, C], (left won, right won, tied).
        rule: the tie rule.
        prior: as in `Fit`.
    """

    n_models: int
    left: Integers
    right: Integers
    outcomes: Floats
    rule: TieRule
    prior: float

    @property
    def n_parameters(self) -> int:
        """Log-odds and tie parameters, m + q."""
        return self.n_models + (self.rule.parameter is not None)

    def gaps(self, point: Floats) -> Floats:
        """Gaps [C, ...] at a point [m + q, ...]."""
        m = self.n_models
        nobody = np.zeros((1, *point.shape[1:]))
        strength = np.concatenate([point[:m], nobody]) if self.prior > 0 else point
        gaps: Floats = strength[self.left] - strength[self.right]
        return gaps

    def tie(self, point: Floats) -> Floats:
        """Tie parameters [...] at a point [m + q, ...]; zero where the rule has none."""
        return point[-1] if self.rule.parameter is not None else np.zeros(point.shape[1:])

    def log_likelihood(self, point: Floats) -> float:
        """Sum over votes at a point [m + q]."""
        log_p = self.rule.log_p(self.gaps(point), self.tie(point))
        return float(np.where(self.outcomes > 0, self.outcomes * log_p, 0.0).sum())

    def gradient(self, point: Floats) -> Floats:
        """Of the log-likelihood at a point [m + q]."""
        in_gap, in_tie = self.rule.score(self.outcomes, self.gaps(point), self.tie(point))
        n = self.n_models + 1
        gradient = _sum_by(self.left, in_gap, n) - _sum_by(self.right, in_gap, n)
        of_models = gradient[: self.n_models]
        return of_models if in_tie is None else np.append(of_models, in_tie.sum())

    def hessian(self, point: Floats) -> Matrix:
        """Of the negative log-likelihood at a point [m + q]."""
        second = self.rule.second(self.gaps(point), self.tie(point))

        def summed(part: Floats | None) -> Floats | None:
            return None if part is None else -(self.outcomes * part).sum(axis=0)

        in_gap = -(self.outcomes * second.dd).sum(axis=0)
        return self.matrix(in_gap, summed(second.dt), summed(second.tt))

    def matrix(self, in_gap: Floats, mixed: Floats | None, in_tie: Floats | None) -> Matrix:
        """Sum per-pair second-order terms [C] into a symmetric [m + q, m + q].

        Sparse from `SPARSE_FROM` models on, dense below.
        """
        m, size = self.n_models, self.n_parameters
        met = np.flatnonzero(self.right < m)  # all but the prior's opponent
        left, right, between = self.left[met], self.right[met], -in_gap[met]
        diagonal = (_sum_by(self.left, in_gap, m + 1) + _sum_by(self.right, in_gap, m + 1))[:m]
        here = np.arange(m)
        rows, columns = [left, right, here], [right, left, here]
        values = [between, between, diagonal]
        if mixed is not None and in_tie is not None:
            border = (_sum_by(self.left, mixed, m + 1) - _sum_by(self.right, mixed, m + 1))[:m]
            at = np.full(m, m)
            rows, columns = [*rows, here, at, at[:1]], [*columns, at, here, at[:1]]
            values = [*values, border, border, np.array([in_tie.sum()])]
        row, column = np.concatenate(rows), np.concatenate(columns)
        if m >= SPARSE_FROM:
            return csr_array((np.concatenate(values), (row, column)), shape=(size, size))
        dense = np.zeros((size, size))
        dense[row, column] = np.concatenate(values)  # no place occurs twice
        return dense

    def inverse(self, hessian: Matrix) -> Floats:
        """Invert a Hessian; without a prior, on log-odds of mean zero only.

        Raises:
            LinAlgError: if it has no curvature in some other direction.
            OptionError: if it is too large to be inverted.
        """
        if self.n_models > DENSE_MOST:
            message = (
                f"ci: intervals need the inverse of a {self.n_models:,} x {self.n_models:,} matrix, "
                f"which is more than {DENSE_MOST:,} models allow; use none"
            )
            raise OptionError(message)
        dense = hessian if isinstance(hessian, np.ndarray) else hessian.toarray()
        factor = cho_factor(self._grounded(dense))
        inverse: Floats = cho_solve(factor, np.eye(self.n_parameters))
        return inverse

    def newton_step(self, point: Floats, gradient: Floats) -> Floats:
        """Newton's step [m + q] at a point, by Cholesky or, where sparse, conjugate gradients."""
        hessian = self.hessian(point)
        step: Floats
        if isinstance(hessian, np.ndarray):
            step = cho_solve(cho_factor(self._grounded(hessian)), gradient)
            return step
        even = gradient.copy()
        if self.prior == 0:
            # Constants are the null space; rounding leaves a little of them in the gradient.
            even[: self.n_models] -= gradient[: self.n_models].mean()
        scaling = diags_array(1.0 / hessian.diagonal())
        step, failed = cg(hessian, even, rtol=1e-9, atol=1e-11, M=scaling, maxiter=20_000)
        if failed and self.n_models <= DENSE_MOST:
            return self.inverse(hessian) @ gradient
        if failed:
            raise ConvergenceError("conjugate gradients did not converge: the votes are too thin")
        return step

    def _grounded(self, hessian: Floats) -> Floats:
        """Add curvature along the constant vector, which votes alone leave free."""
        if self.prior > 0:
            return hessian
        m = self.n_models
        grounded = hessian.copy()
        grounded[:m, :m] += np.trace(hessian[:m, :m]) / m**2
        return grounded

    def restricted(self, kept: Integers) -> "Problem":
        """The battles among some models only, given by their indices in ascending order."""
        place = np.full(self.n_models + 1, -1)
        place[kept] = np.arange(kept.size)
        if self.prior > 0:
            place[self.n_models] = kept.size
        left, right = place[self.left], place[self.right]
        inside = (left >= 0) & (right >= 0) & (self.outcomes.sum(axis=0) > 0)
        return replace(
            self,
            n_models=kept.size,
            left=left[inside],
            right=right[inside],
            outcomes=self.outcomes[:, inside],
        )

    def battles(self) -> Floats:
        """Battles that each parameter [m + q] rests on."""
        met, n = self.outcomes.sum(axis=0), self.n_models + 1
        per_model = (_sum_by(self.left, met, n) + _sum_by(self.right, met, n))[: self.n_models]
        return per_model if self.rule.parameter is None else np.append(per_model, met.sum())


def _sum_by(index: Integers, values: Floats, size: int) -> Floats:
    return np.bincount(index, values, minlength=size).astype(np.float64, copy=False)


def problem(
    counts: PairCounts, rule: TieRule, prior: float = 0.0, *, squares: bool = False
) -> Problem:
    """Set up a fit of these counts under a tie rule.

    With `squares`, the table holds the squared weights instead, which is what the covariance
    of weighted votes needs.
    """
    cells, m = fold(counts), counts.n_models
    votes = (cells.squares if squares else cells.outcomes).T
    tied = votes[2:].sum(axis=0) if rule.counts_ties else np.zeros(cells.left.size)
    outcomes = np.stack([votes[0], votes[1], tied])
    left, right = cells.left, cells.right
    if prior > 0:
        left = np.append(left, np.arange(m))
        right = np.append(right, np.full(m, m))
        half = np.full(m, prior / 2)
        outcomes = np.hstack([outcomes, np.stack([half, half, np.zeros(m)])])
    return Problem(m, left, right, outcomes, rule, prior)
