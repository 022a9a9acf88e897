"""A command that is printed works in the shell in which it is read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from evonas.invocation import command, program


@pytest.fixture
def script(tmp_path, monkeypatch):
    """The script of a virtual environment in the working directory, which runs at this moment."""
    script = tmp_path / ".venv" / "bin" / "evonas"
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\necho mine $*\n")
    script.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script), "run"])
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    return script


def test_in_an_environment_that_is_not_activated_it_has_the_path(script):
    assert program() == ".venv/bin/evonas"
    assert command("resume", "runs/a b", 3) == ".venv/bin/evonas resume 'runs/a b' 3"


def test_in_an_activated_environment_it_is_the_name(script, monkeypatch):
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    assert program() == "evonas"


def test_another_evonas_on_the_path_is_not_meant(script, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    (other / "evonas").write_text("#!/bin/sh\necho other\n")
    (other / "evonas").chmod(0o755)
    monkeypatch.setenv("PATH", f"{other}:/usr/bin:/bin")
    assert program() == ".venv/bin/evonas"


def test_from_another_folder_the_path_is_absolute(script, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert program() == str(script)


def test_in_its_own_folder_it_is_not_looked_up_on_the_path(script, monkeypatch):
    monkeypatch.chdir(script.parent)
    assert program() == "./evonas"


def test_in_a_program_of_the_users_it_is_the_script_of_this_python(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/somewhere/train.py"])
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    installed = Path(sys.executable).with_name("evonas")
    monkeypatch.chdir(tmp_path)
    assert program() == str(installed)


@pytest.mark.parametrize("where", [".", ".venv/bin", "runs/deep"])
def test_the_shell_finds_what_is_printed(script, tmp_path, where, monkeypatch):
    (tmp_path / where).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / where)
    words = command("show", "it's here")
    done = subprocess.run(words, shell=True, capture_output=True, text=True)
    assert done.stdout == "mine show it's here\n"


def test_from_a_folder_that_is_deleted_the_path_is_absolute(script, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    monkeypatch.setattr(sys, "argv", [str(script)])
    gone.rmdir()
    assert command("list") == f"{script} list"
