"""Of what takes long `make test` does a little; `make test-faults` does all (EVONAS_FAULTS=full).

A test with the mark `full` is left out by `make test`. A module that takes `IS_FULL` does
more there; its tests get the mark `longer`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

IS_FULL = os.environ.get("EVONAS_FAULTS") == "full"


def few(cases: Iterable[Any], *kept: Any) -> list[Any]:
    """Cases for `pytest.mark.parametrize`, of which `make test` does those that are kept."""
    found = list(cases)
    missing = [case for case in kept if case not in found]
    assert not missing, f"no such cases: {missing}"
    return [case if case in kept else pytest.param(case, marks=pytest.mark.full) for case in found]
