"""The common part of the contract suites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest


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
