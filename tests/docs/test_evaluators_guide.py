"""The guide to evaluators: its files are read, and its function is searched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evonas import api
from evonas.evaluate.known.table import load_table
from evonas.genome import load_space
from evonas.runtime.config.config_file import check, load_config
from evonas.runtime.preparation import prepare_run

GUIDE = Path(__file__).parents[2] / "docs" / "evaluators.md"
BLOCKS = re.findall(
    r"^```\w*\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for text in BLOCKS:
        first = text.splitlines()[0]
        name = "results.csv" if "@" in first else first.removeprefix("# ")
        if re.fullmatch(r"[\w-]+\.\w+", name):
            (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_table_of_the_guide_is_one(folder: Path) -> None:
    loaded = load_config(folder / "table-run.yaml")
    assert prepare_run(loaded, folder).prepared.counts == {"genomes": 2}
    assert load_table(folder / "results.csv", load_space(folder / "cell.yaml")).fidelities == (3, 9)


def test_the_function_of_the_guide_is_searched(folder: Path) -> None:
    part = next(text for text in BLOCKS if "my_problem:evaluate" in text)
    rest = (
        "space: ./cell.yaml\nbudget: {trials: 10}\ntraining: {epochs: 4}\n"
        "pool: {simulated: {workers: 2}}\n"
    )
    (folder / "mine.yaml").write_text(rest + part, encoding="utf-8")
    assert check(folder / "mine.yaml").problems == ()
    run = api.run(folder / "mine.yaml", runs=folder / "runs")
    assert run.result is not None
    assert {trial.state for trial in run.trials} == {"ok"}
