"""One thread for linear algebra, whose results depend on the number of threads."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from threadpoolctl import threadpool_info

from evonas.search.surrogate.threads import one_thread


def threads() -> list[int]:
    """How many threads each library of linear algebra uses now."""
    # NumPy and SciPy bring a library each, which is loaded with them.
    np.linalg.inv(np.eye(3))
    scipy.linalg.inv(np.eye(3))
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]


def test_within_it_there_is_one_thread_and_afterwards_as_many_as_before():
    before = threads()
    assert before
    with one_thread():
        assert threads() == [1] * len(before)
        with one_thread():
            assert threads() == [1] * len(before)
        assert threads() == [1] * len(before)
    assert threads() == before
