"""Counts as a likelihood to be maximised: its value, gradient and Hessian at any point.

Dense below a thousand models, sparse from there on; nothing else knows the difference.
"""

from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import LinearOperator, cg

from arena.counts import PairCounts
from arena.errors import ConvergenceError, OptionError
from arena.ties import Curvature, Half, TieRule

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Matrix: TypeAlias = Floats | csr_array

SPARSE_FROM = 1_000
"""From this many models on, matrices are sparse and systems solved by conjugate gradients."""
DENSE_MOST = 8_000
"""Beyond this many models a covariance, which is dense, is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Around:
    """The log-likelihood at a point, and how it changes around it.

    Attributes:
        value: sum over votes.
        gradient: float [m + q].
        curvature: what each pair adds to the Hessian of its negative, each [C].
    """

    value: float
    gradient: Floats
    curvature: Curvature


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
        return float(self.rule.value(self.outcomes, self.gaps(point), self.tie(point)).sum())

    def gradient(self, point: Floats) -> Floats:
        """Of the log-likelihood at a point [m + q]."""
        return self._pulled(*self.rule.score(self.outcomes, self.gaps(point), self.tie(point)))

    def around(self, point: Floats) -> Around:
        """Value, gradient and curvature at a point [m + q], at the cost of little more than one."""
        if self.n_models >= SPARSE_FROM and isinstance(self.rule, Half):
            from arena.pair_kernel import half_rule

            # The prior's opponent is a model of log-odds zero.
            strength = np.append(point, 0.0)
            value, score, in_gap = half_rule(self.left, self.right, self.outcomes, strength)
            return Around(value, score[: self.n_models], Curvature(in_gap))
        given = self.outcomes, self.gaps(point), self.tie(point)
        gradient = self._pulled(*self.rule.score(*given))
        return Around(float(self.rule.value(*given).sum()), gradient, self.rule.curvature(*given))

    def _pulled(self, in_gap: Floats, in_tie: Floats | None) -> Floats:
        """Scores of pairs [C], in the gap and in the tie parameter, as a gradient [m + q]."""
        of_models = self.of_models(in_gap)
        return of_models if in_tie is None else np.append(of_models, in_tie.sum())

    def of_models(self, in_gap: Floats) -> Floats:
        """Sum what pulls at each gap [C] over the models at its ends, [m]."""
        n = self.n_models + 1
        pull = _sum_by(self.left, in_gap, n) - _sum_by(self.right, in_gap, n)
        return pull[: self.n_models]

    def hessian(self, point: Floats) -> Matrix:
        """Of the negative log-likelihood at a point [m + q]."""
        return self.matrix(self.curvature(point))

    def curvature(self, point: Floats) -> Curvature:
        """What each pair adds to the Hessian at a point, each [C]."""
        return self.rule.curvature(self.outcomes, self.gaps(point), self.tie(point))

    def matrix(self, curvature: Curvature) -> Matrix:
        """Sum what pairs add, each [C], into a symmetric [m + q, m + q].

        Sparse from `SPARSE_FROM` models on, dense below.
        """
        m, size, in_gap = self.n_models, self.n_parameters, curvature.in_gap
        met = np.flatnonzero(self.right < m)  # all but the prior's opponent
        left, right, between = self.left[met], self.right[met], -in_gap[met]
        diagonal = self._diagonal(curvature)
        here = np.arange(m)
        rows, columns = [left, right, here], [right, left, here]
        values = [between, between, diagonal[:m]]
        if curvature.mixed is not None:
            border, at = self.of_models(curvature.mixed), np.full(m, m)
            rows, columns = [*rows, here, at, at[:1]], [*columns, at, here, at[:1]]
            values = [*values, border, border, diagonal[m:]]
        row, column = np.concatenate(rows), np.concatenate(columns)
        if m >= SPARSE_FROM:
            return csr_array((np.concatenate(values), (row, column)), shape=(size, size))
        dense = np.zeros((size, size))
        dense[row, column] = np.concatenate(values)  # no place occurs twice
        return dense

    def _diagonal(self, curvature: Curvature) -> Floats:
        """The diagonal [m + q] of the matrix."""
        m, in_gap = self.n_models, curvature.in_gap
        of_models = (_sum_by(self.left, in_gap, m + 1) + _sum_by(self.right, in_gap, m + 1))[:m]
        return (
            of_models if curvature.in_tie is None else np.append(of_models, curvature.in_tie.sum())
        )

    def _operator(self, curvature: Curvature) -> LinearOperator:
        """The matrix as what it makes of a vector, without making it."""
        from arena.pair_kernel import laplacian

        m, size = self.n_models, self.n_parameters
        mixed, in_tie = curvature.mixed, curvature.in_tie
        border = None if mixed is None else self.of_models(mixed)

        def product(vector: Floats) -> Floats:
            # The prior's opponent is a model of log-odds zero.
            models = np.append(vector[:m], 0.0)
            pulled: Floats = laplacian(self.left, self.right, curvature.in_gap, models)[:m]
            if border is None or in_tie is None:
                return pulled
            return np.append(
                pulled + border * vector[m], border @ vector[:m] + in_tie.sum() * vector[m]
            )

        return LinearOperator((size, size), matvec=product, dtype=np.float64)

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
        """Newton's step [m + q] at a point."""
        return self.solve(self.curvature(point), gradient)

    def solve(self, curvature: Curvature, gradient: Floats, rtol: float = 1e-9) -> Floats:
        """What the matrix of these pairs turns into this gradient [m + q].

        By Cholesky or, where sparse, by conjugate gradients, to a relative error of `rtol`.

        Raises:
            LinAlgError: if it has no curvature in some direction but that of the constants.
            ConvergenceError: if conjugate gradients do not converge.
        """
        step: Floats
        if self.n_models < SPARSE_FROM:
            dense = self._grounded(np.asarray(self.matrix(curvature)))
            step = cho_solve(cho_factor(dense), gradient)
            return step
        even = gradient.copy()
        if self.prior == 0:
            # Constants are the null space; rounding leaves a little of them in the gradient.
            even[: self.n_models] -= gradient[: self.n_models].mean()
        scaling = diags_array(1.0 / self._diagonal(curvature))
        step, failed = cg(
            self._operator(curvature), even, rtol=rtol, atol=1e-11, M=scaling, maxiter=20_000
        )
        if failed and self.n_models <= DENSE_MOST:
            return self.inverse(self.matrix(curvature)) @ gradient
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
    cells, m = counts.cells, counts.n_models
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
