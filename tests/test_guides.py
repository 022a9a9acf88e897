"""Every block of YAML and Python in the guides is run: a guide that fails is worse than none.

A block says in its first line which file it is. The blocks of a guide are written side by side, as
its reader would.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from evonas.genome import load_genome, load_space, strict_yaml
from evonas.model.space_check import check_space
from evonas.runtime.config.config_file import check

DOCS = Path(__file__).parents[1] / "docs"
GUIDES = (
    "search-space",
    "your-own-op",
    pytest.param("from-kerastuner", marks=pytest.mark.full),
    pytest.param("early-stopping", marks=pytest.mark.full),
    pytest.param("storage", marks=pytest.mark.full),
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHORT = ("budget.trials=1", "training.epochs=1", "pool={inline: {}}")


@pytest.fixture(params=GUIDES)
def files(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Path]:
    """A guide's blocks as files."""
    found = {}
    for _, text in BLOCK.findall((DOCS / f"{request.param}.md").read_text(encoding="utf-8")):
        name = text.splitlines()[0].removeprefix("# ")
        assert re.fullmatch(r"\w+\.(yaml|py)", name), (
            f"a block must say which file it is: {text[:60]!r}"
        )
        (tmp_path / name).write_text(text, encoding="utf-8")
        found[name] = tmp_path / name
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", ":".join([str(tmp_path), *sys.path]))
    return found


def kind_of(data: dict[str, Any]) -> str:
    return "config" if "budget" in data else "space" if "network" in data else "seed"


def run(*steps: Sequence[str]) -> str:
    """Commands of evonas and scripts, one after the other in one process of their own.

    It imports TensorFlow once, and the modules of the guide from PYTHONPATH.
    """
    code = (
        "import sys, json, runpy\n"
        "from evonas.cli.app import app\n"
        "for first, *rest in json.loads(sys.argv[1]):\n"
        "    if first.endswith('.py'): runpy.run_path(first, run_name='__main__')\n"
        "    else: app([first, *rest], standalone_mode=False)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(steps)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_blocks_of_a_guide_work(files: dict[str, Path]) -> None:
    data = {
        name: strict_yaml.load_file(path).data
        for name, path in files.items()
        if name.endswith(".yaml")
    }
    plugins = [module for content in data.values() for module in content.get("plugins", [])]
    listed = [part for module in plugins for part in ("--plugin", module)]
    spaces = {
        content["space"]: load_space(files[name])
        for name, content in data.items()
        if kind_of(content) == "space"
    }
    steps, words = [], []
    for name, content in data.items():
        if kind_of(content) == "space":
            assert check_space(spaces[content["space"]], plugins) == []
            steps.append(["space", f"./{name}", "--samples", "3", "--layers", *listed])
            words += ["Network"] * 3
        elif kind_of(content) == "seed":
            load_genome(files[name], spaces[content["space"]])
        else:
            assert check(f"./{name}").problems == ()
            steps.append(
                ["run", f"./{name}", *(part for change in SHORT for part in ("--set", change))]
            )
            words.append("The winner")
    told = run(*steps, *([name] for name in files if name.endswith(".py")))
    assert all(told.count(word) >= words.count(word) for word in words), told
