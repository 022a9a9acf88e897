"""Keeps what TensorFlow logs while it starts from the user's terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

STDERR = 2
"""Number of the descriptor of standard error, to which native libraries write."""


@contextlib.contextmanager
def startup_log_aside() -> Iterator[None]:
    """Nothing that is written to standard error meanwhile is shown, unless an error ends it.

    TensorFlow says at its import that oneDNN is on, and that there is no GPU. No variable of its
    own silences these lines: they come before it reads any.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(STDERR)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), STDERR)
        try:
            yield
        except BaseException:
            # What was logged may say why.
            _put_back(kept)
            aside.seek(0)
            sys.stderr.write(aside.read().decode(errors="replace"))
            raise
        else:
            _put_back(kept)
        finally:
            os.close(kept)


def _put_back(kept: int) -> None:
    """Standard error goes where it went before."""
    sys.stderr.flush()
    os.dup2(kept, STDERR)
