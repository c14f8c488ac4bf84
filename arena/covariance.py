"""How uncertain the strengths are: Fisher and sandwich covariance of centred log-odds."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from arena.bradley_terry import Fit, problem
from arena.errors import OptionError

Floats = NDArray[np.float64]
Kind = Literal["sandwich", "fisher"]


def estimate_covariance(fit: Fit, kind: Kind = "sandwich") -> Floats:
    """Covariance [m + q, m + q] of the mean-zero log-odds and the q tie parameters.

    ``sandwich`` is bread · meat · bread (Huber 1967, White 1982): the bread is the inverse
    Hessian, the meat the sum over votes of the score's outer product. It is valid whatever
    the true distribution of an outcome, so also where a tie is scored as half a win.
    ``fisher`` is the bread alone, valid if the model is the truth. A prior's half-wins are no
    votes: they are in the bread only.

    Raises:
        OptionError: an unknown kind.
    """
    if kind not in ("sandwich", "fisher"):
        raise OptionError(f"ci: '{kind}' is not one of sandwich, fisher, none")
    task = problem(fit.counts, fit.rule, fit.prior)
    m, size = len(fit.models), fit.hessian.shape[0]
    inverse = cho_solve(cho_factor(task.invertible(fit.hessian)), np.eye(size))
    centre = np.eye(size)
    centre[:m, :m] -= 1.0 / m
    bread = centre @ inverse
    covariance: Floats = bread @ (centre.T if kind == "fisher" else meat(fit) @ bread.T)
    return covariance


def meat(fit: Fit) -> Floats:
    """Sum over votes of the score's outer product, [m + q, m + q], from the counts."""
    task = problem(fit.counts, fit.rule)
    terms = task.terms(fit.log_odds, fit.tie_parameter or 0.0)
    products = (terms.d * terms.d, terms.d * terms.t, terms.t * terms.t)
    return task.matrix(*((task.outcomes * product).sum(axis=1) for product in products))
