"""A source and a split in one file of the user's: run by the command, restored, and held to."""

from __future__ import annotations

import json
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from evonas import view
from evonas.data.prepared import FILES, DataSettings, Prepared, prepare
from evonas.errors import InvalidConfig, InvalidData
from evonas.runtime.record.reader import RecordReader
from evonas.testing import content, make_run, work
from evonas.testing.runs import write_config
from tests.command import run_evonas

GUIDE = (Path(__file__).parents[2] / "docs" / "data.md").read_text()
(PLUGIN,) = re.findall(r"^```python\n(# rings.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
(CONFIG,) = re.findall(r"^```yaml\n(# rings.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
SHORT = ("budget.trials=2", "training.epochs=1", "strategy=random", "run=stub")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The driver imports the plugin: no other test may find it.
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "rings", raising=False)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "rings.py").write_text(PLUGIN)
    return tmp_path


def test_the_command_trains_on_it_and_reads_the_run_without_it(folder: Path) -> None:
    config = write_config(folder, config=CONFIG)
    root = folder / "runs" / "stub"
    short = [word for change in (*SHORT, "pool.local.devices=cpu") for word in ("--set", change)]
    done = run_evonas("run", config, "--runs", root.parent, *short)
    assert done.returncode == 0, done.stderr
    card = json.loads((root / "best.json").read_text())
    assert card["data"]["name"] == "rings:Rings"
    assert card["data"]["samples"] == {"train": 180, "validation": 60, "test": 60}
    (folder / "rings.py").unlink()
    del sys.modules["rings"]
    recorded = view.load(root).config.to_json()["data"]
    assert recorded["source"] == {"rings:Rings": {"count": 300}}
    assert run_evonas("show", root).returncode == 0


def test_its_arrays_are_restored_and_another_mark_is_held_to_the_content(folder: Path) -> None:
    root = make_run(folder, *SHORT, config=CONFIG, runs=folder / "runs")
    whole = [np.load(root / name) for names in FILES.values() for name in names]
    assert [len(array) for array in whole[::2]] == [180, 60, 60]
    for names in FILES.values():
        (root / names[0]).unlink()
    (root / "data" / "fitted.json").unlink()
    # Another mark of the same content is another name for it.
    (folder / "rings.py").write_text(PLUGIN.replace('"1"', '"2"'))
    del sys.modules["rings"]
    with pytest.raises(InvalidConfig, match="the code has changed"):
        work(root)
    for name, array in zip((n for names in FILES.values() for n in names), whole, strict=True):
        np.testing.assert_array_equal(np.load(root / name), array)
    assert (root / "data" / "fitted.json").is_file()
    (folder / "rings.py").write_text(PLUGIN)
    del sys.modules["rings"]
    assert work(root).is_finished
    with RecordReader(root / "run.db") as record:
        assert record.meta("source") == {"rings": "1"}
        assert "rings" in record.meta("code")
    again = work(make_run(folder, *SHORT, "run=again", config=CONFIG, runs=folder / "runs"))
    assert content(root) == content(again.directory)


SPOILT = {
    "raises": ("return Arrays", "raise OSError('no ring')  #", "has raised OSError: no ring"),
    "ends": ("return Arrays", "raise SystemExit(3)  #", "has raised SystemExit"),
    "gives no arrays": ("return Arrays", "return x  #", "must give Arrays. Received: ndarray."),
    "gives lists": ("x, y)", "x.tolist(), y)", "x must be a NumPy array. Received: list."),
    "half a test set": ("x, y)", "x, y, x_test=x)", "x_test and y_test go together"),
    "imports a framework": (
        "        rng =",
        "        import sys\n        sys.modules['tensorflow'] = sys\n        rng =",
        "has imported tensorflow",
    ),
    "a sample in two parts": ("turn == 1", "turn > 0", "each to one part"),
    "no test": ('"test": np', '"text": np', "'validation', 'text']"),
    "an index that is none": ("turn == 1)", "turn == 1) + 99", "indices below 300"),
}


def prepared(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    """The data of a plugin with this text."""
    module = types.ModuleType("rings")
    monkeypatch.setitem(sys.modules, "rings", module)
    exec(text, vars(module))
    settings = DataSettings("vector", module.Rings(300), split=module.EveryFifth())
    return prepare(settings, folder / "run")


@pytest.mark.parametrize("case", SPOILT)
def test_what_it_does_wrong_is_told_as_the_users(
    folder: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    old, new, words = SPOILT[case]
    assert old in PLUGIN
    # What the plugin puts there is gone after the test.
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    del sys.modules["tensorflow"]
    with pytest.raises(InvalidData) as caught:
        prepared(PLUGIN.replace(old, new), folder, monkeypatch)
    assert words in str(caught.value)


def test_samples_in_no_part_are_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notes = prepared(PLUGIN.replace("turn > 1", "turn > 2"), folder, monkeypatch).notes
    assert "x: 60 samples are in no part." in notes
