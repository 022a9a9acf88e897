"""What the guide of trainings shows can be run, and what it says of names is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from evonas.genome import load_space
from evonas.learning.losses import losses_of
from evonas.learning.tasks import TASKS
from evonas.model.space_check import check_space
from evonas.runtime.config.config_file import check

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```\w+\n(# (\S+)\n.*?)^```$", re.MULTILINE | re.DOTALL)
SHORT = ("budget.trials=1", "training.epochs=1", "pool={inline: {}}")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for text, name in BLOCK.findall(PAGE):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def test_the_space_and_the_configs_are_fine() -> None:
    assert check_space(load_space("trained.yaml"), file="trained.yaml") == []
    for name in ("weighted.yaml", "own_training.yaml"):
        assert check(f"./{name}").problems == ()


def test_the_page_names_the_losses_of_each_task() -> None:
    for task in TASKS.values():
        names = ", ".join(f"`{name}`" for name in losses_of(task.head(1)))
        assert re.search(rf"^\|.*{task.name}.* \| {re.escape(names)} \|$", PAGE, re.MULTILINE)


@pytest.mark.full
@pytest.mark.parametrize("name", ["weighted", "own_training"])
def test_the_configs_run(name: str) -> None:
    code = "import sys; from evonas.cli import main; sys.exit(main())"
    changes = [part for change in SHORT for part in ("--set", change)]
    command = [sys.executable, "-c", code, "run", f"./{name}.yaml", *changes]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The winner" in done.stdout
    by = "by my_training:easy_first with my_training:content: a training that is interrupted begins"
    assert (by in " ".join(done.stdout.split())) is (name == "own_training")
