"""What the guide for users of KerasTuner says of evonas is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evonas.cli.app import MODULES
from evonas.genome import load_space
from evonas.runtime.config.config_file import check
from evonas.runtime.config.run_config import RunConfig
from evonas.search.registry import STRATEGIES

PAGE = (Path(__file__).parents[2] / "docs" / "from-kerastuner.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```yaml\n(# (\S+)\n.*?)^```$", re.MULTILINE | re.DOTALL)


def row(first: str) -> str:
    """The second cell of a row of the table."""
    [line] = [line for line in PAGE.splitlines() if line.startswith(f"| {first}")]
    return line.split(" | ")[1]


def test_the_two_files_mean_what_the_builder_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for text, name in BLOCK.findall(PAGE):
        Path(name).write_text(text, encoding="utf-8")

    checked = check("./tumours.yaml")

    assert checked.problems == ()
    assert checked.loaded is not None
    assert isinstance(checked.loaded.config.strategy, STRATEGIES["hyperband"])
    section = load_space("layers.yaml").sections["layers"]
    dense = section.ops["dense"]
    assert (section.low, section.high) == (1, 3)
    assert {"units", "activation", "dropout"} <= set(dense.parameters)


def test_the_names_in_the_table_are_there():
    searches = re.findall(r"`(?:strategy: )?(\w+)`", row("`RandomSearch`"))
    assert len(searches) == 4
    assert set(searches) <= set(STRATEGIES)
    commands = re.findall(r"`evonas ([a-z]+)", PAGE)
    assert len(commands) >= 3
    assert set(commands) <= {module.NAME for module in MODULES}
    keys = re.findall(r"`(seed|objective|budget|training|pool|strategy)[:`]", PAGE)
    assert set(keys) <= set(RunConfig.__dataclass_fields__)
    assert len(set(keys)) == 6
