"""The common part of the contract suites."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

import pytest

NETWORKS = ("tensorflow", "keras")
"""What the driver never imports."""


class Suite:
    """Runs each test that has the argument `member` once for each member.

    Class attributes:
        members: what is held to the contract, by names for the ids of the tests.
    """

    members: ClassVar[Mapping[str, Any]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """A hook of pytest's."""
        if "member" in metafunc.fixturenames:
            metafunc.parametrize("member", list(self.members.values()), ids=list(self.members))


def check_light(member: object) -> None:
    """Check that the driver can import a member's module: no network comes with it.

    Raises:
        AssertionError: TensorFlow or Keras is imported, or nothing can be.
    """
    assert _imported_with(type(member).__module__) == "[]"


@lru_cache
def _imported_with(module: str) -> str:
    """What of `NETWORKS` a process has that imports this module; else what went wrong."""
    code = f"import sys, {module}; print([name for name in {NETWORKS} if name in sys.modules])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else done.stderr
