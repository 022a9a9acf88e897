"""Linear algebra on one thread.

Results of linear algebra depend on the number of threads. The results of a run must not depend on
the number of cores.
"""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from typing import Any


@functools.cache
def _libraries() -> Any:
    """The libraries of linear algebra that are loaded. Looking for them takes a while."""
    # Only loaded libraries are found, and SciPy brings one of its own.
    import scipy.linalg

    # scikit-learn depends on this package, so it is installed.
    from threadpoolctl import ThreadpoolController

    # Otherwise the linter reports an unused import.
    assert scipy.linalg
    return ThreadpoolController()


def one_thread() -> AbstractContextManager[Any]:
    """Within this context, BLAS and LAPACK use one thread."""
    limited: AbstractContextManager[Any] = _libraries().limit(limits=1, user_api="blas")
    return limited
