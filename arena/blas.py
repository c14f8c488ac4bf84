"""BLAS on one thread, where the work is too small for a second, or threads of our own do it."""

from contextlib import AbstractContextManager
from functools import cache

import numpy as np  # noqa: F401  # brings one BLAS along
import scipy.linalg  # noqa: F401  # and this another
from threadpoolctl import ThreadpoolController


def one_blas_thread() -> AbstractContextManager[object]:
    """Within it, linear algebra keeps to the thread that it was called in.

    On a few hundred models a second thread gains nothing, and on a busy machine it costs much.
    """
    limited: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="blas")
    return limited


@cache
def _libraries() -> ThreadpoolController:
    """The libraries that are loaded; to look for them takes milliseconds."""
    return ThreadpoolController()
