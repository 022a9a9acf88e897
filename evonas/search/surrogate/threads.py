"""Linear algebra on one thread: results depend on the number of threads, and a run's must not depend on the cores."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from typing import Any


@functools.cache
def _libraries() -> Any:
    import scipy.linalg  # so that its library is among those that are found
    from threadpoolctl import ThreadpoolController  # scikit-learn brings it

    assert scipy.linalg
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Within it, BLAS and LAPACK use one thread."""
    limited: AbstractContextManager[Any] = _libraries().limit(limits=1, user_api="blas")
    return limited
