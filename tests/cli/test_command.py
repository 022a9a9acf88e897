"""`tests.command.run_evonas` against the real command: the contract of the fake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import run_evonas

COMMAND = Path(sys.executable).with_name("evonas")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["spaces"], 0), (["run", "digitz"], 2), (["--help"], 0)],
    ids=["good", "refused", "help"],
)
def test_the_process_says_and_ends_the_same(
    tmp_path: Path, arguments: list[str], code: int
) -> None:
    # The help is written when `evonas.cli.app` is imported, and names the program as it is called
    # from there.
    cwd = Path.cwd() if arguments == ["--help"] else tmp_path
    real = subprocess.run([COMMAND, *arguments], capture_output=True, text=True, cwd=cwd)
    fake = run_evonas(*arguments, cwd=cwd)
    assert (fake.returncode, fake.stdout, fake.stderr) == (code, real.stdout, real.stderr)
    assert real.returncode == code
    assert real.stdout + real.stderr
