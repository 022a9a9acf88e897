"""What the tests of faults share: runs without trainings, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

STUB_RUNS = Path(__file__).parents[1] / "integration" / "stub_runs.py"

StubRuns = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def stub_runs() -> StubRuns:
    """Calls the program of stub runs; keywords are fields of `evonas.testing.stub_worker.Stub`."""

    def call(
        *arguments: object, check: bool = True, **stub: object
    ) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "EVONAS_STUB": json.dumps(stub)}
        command = [sys.executable, str(STUB_RUNS), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    return call
