"""Linear algebra on one thread, and on as many as before afterwards."""

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from arena.blas import one_blas_thread


def threads():
    """On how many threads each BLAS works."""
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two():
    """Each of them on two, whatever this machine has."""
    with threadpool_limits(2, "blas"):
        yield


def test_within_there_is_one_thread_and_afterwards_as_many_as_before():
    """Also if something went wrong within, and where one call is in another."""

    def go_wrong():
        with one_blas_thread():
            with one_blas_thread():
                assert threads() == {1}
            assert threads() == {1}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        go_wrong()
    assert threads() == {2}
