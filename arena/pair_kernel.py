"""The compiled loop of sparse fits; importing this module imports numba.

Conjugate gradients ask again and again what a Hessian makes of a vector. Going through the pairs
answers that as fast as a sparse matrix would, and there is no matrix to be made of them first.
"""

import numpy as np
from numpy.typing import NDArray

from arena.compiling import compiled

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@compiled
def laplacian(left: Integers, right: Integers, weight: Floats, point: Floats) -> Floats:
    """Sum weight · (point[left] - point[right]) over pairs, to the left one and from the right.

    Pairs are int [C] and int [C], weights float [C], the point float [n], and so is the sum.
    """
    pulled = np.zeros_like(point)
    for pair in range(left.size):
        pull = weight[pair] * (point[left[pair]] - point[right[pair]])
        pulled[left[pair]] += pull
        pulled[right[pair]] -= pull
    return pulled
