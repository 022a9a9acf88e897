"""The code of a run's plugins: changed code is refused, or accepted and told."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest

from evonas import api, lifecycle
from evonas.errors import InvalidConfig, UserError
from evonas.evaluate.local import plugin_check
from evonas.invocation import command
from evonas.runtime import preparation
from evonas.runtime.audit import audit
from evonas.runtime.code_record import CODE
from evonas.runtime.config.config_file import load_config
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.reuse import known_trainings
from evonas.testing import content
from evonas.testing.runs import Notes

SPACE = """
space: s
input: none
network: {cell: {length: [2, 6], ops: {a: {v: {int: [1, 9]}}, b: {}}}}
"""
CONFIG = """
run: judged
space: ./s.yaml
plugins: [judging]
evaluator: {python: {function: "judging:evaluate"}}
objective: {name: score, direction: min}
strategy: random
budget: {trials: 6}
pool: {simulated: {workers: 2}}
"""
JUDGE = """
import random
import numpy
from judging_aid import ADDED

def evaluate(genome):
    return {"score": random.random() + numpy.random.random() + ADDED}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # The pools in this process import the function: no other test may find it.
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("judging", "judging_aid"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "judging.py").write_text(JUDGE)
    (tmp_path / "judging_aid.py").write_text("ADDED = 0.0")
    (tmp_path / "s.yaml").write_text(SPACE)
    (tmp_path / "c.yaml").write_text(CONFIG)
    return tmp_path


def forget() -> None:
    """Have this process import the plugin as a new one does."""
    for name in ("judging", "judging_aid"):
        sys.modules.pop(name, None)


def create(folder: Path, *changes: str) -> Path:
    return lifecycle.create(load_config(folder / "c.yaml", changes), folder / "runs")[0]


def events(root: Path) -> list[str]:
    with RecordReader(root / "run.db") as record:
        return [kind for _, kind, _ in record.events()]


def test_changed_code_is_refused_until_it_is_accepted_and_then_told(folder: Path) -> None:
    root = api.run(folder / "c.yaml", runs=folder / "runs").directory
    before = content(root)
    (folder / "judging_aid.py").write_text("ADDED = 1.0")
    words = "code has changed since the run began: judging_aid"
    with pytest.raises(InvalidConfig, match=words) as refused:
        api.resume(root, overrides=["budget.trials=9"])
    accepting = command("resume", root, "--set", "budget.trials=9", "--accept-changed-code")
    assert accepting in str(refused.value)
    assert content(root) == before
    assert "config changed" not in events(root)
    # A finished run without anything to do is shown as it is.
    assert api.resume(root).code_changes == []

    # This process has the old code.
    with pytest.raises(UserError, match=r"imported judging_aid before .* restart its kernel"):
        api.resume(root, overrides=["budget.trials=9"], accept_changed_code=True)
    assert content(root) == before
    forget()
    notes = Notes()
    run = api.resume(
        root, overrides=["budget.trials=9"], observers=[notes], accept_changed_code=True
    )
    (change,) = run.code_changes
    assert change.modules == ("judging_aid",)
    assert change.trials == 6
    assert change.in_words() in notes.texts
    assert content(root)[:6] == before
    assert audit(root).code_changes == [change]
    assert run.summary()["code_changes"][0]["trials"] == 6
    # From now on, this is the run's code.
    assert len(api.resume(root, overrides=["budget.trials=10"]).trials) == 10
    (folder / "judging_aid.py").write_text("ADDED = 0.0")
    words = "since it was last accepted, after 6 trials: judging_aid"
    with pytest.raises(InvalidConfig, match=words):
        api.resume(root, overrides=["budget.trials=11"])


def test_a_module_that_is_gone_refuses_a_resume_and_spends_nothing(folder: Path) -> None:
    root = api.run(folder / "c.yaml", runs=folder / "runs").directory
    before = content(root)
    (folder / "judging.py").unlink()
    with pytest.raises(InvalidConfig, match=rf"no module judging\..* config, in {folder}"):
        api.resume(root, overrides=["budget.trials=9"])
    assert content(root) == before


def test_a_misspelt_plugin_is_told_where_it_is(folder: Path) -> None:
    with pytest.raises(InvalidConfig, match="Did you mean 'judging'") as refused:
        load_config(folder / "c.yaml", ["plugins=[judgin]"])
    (issue,) = refused.value.problems
    assert issue.key == "plugins"
    assert "there is no module judgin" in issue.message
    # Both are there, or none is.
    (folder / "judgin.py").write_text("")
    for changes in (["plugins=[judgin]"], ["evaluator.python.function=judgingg:f"]):
        with pytest.raises(InvalidConfig) as refused:
            load_config(folder / "c.yaml", changes)
        assert [issue.key for issue in refused.value.problems] == ["evaluator.python.function"]


def test_an_older_record_takes_the_code_and_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(preparation, "CODE", "unknown then")
        root = create(folder)
    notes = Notes()
    lifecycle.work(root, [notes])
    assert len(notes.texts) == 1
    assert "an older evonas began it" in notes.texts[0]
    (folder / "judging.py").write_text(JUDGE + "# another comment")
    with pytest.raises(InvalidConfig, match="began: judging\\."):
        api.resume(root, overrides=["budget.trials=9"])


def test_a_new_run_imports_its_plugins_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = plugin_check.ask_aside

    def count(*arguments: object) -> object:
        asked.append(arguments)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(plugin_check, "ask_aside", count)
    api.run(folder / "c.yaml", runs=folder / "runs")
    assert len(asked) == 1


def test_global_generators_are_seeded_before_each_call_in_every_pool(folder: Path) -> None:
    random.seed(3)
    np.random.seed(4)
    of_python = random.getstate()
    of_numpy = np.random.get_state()
    contents = []
    for pool in ("simulated: {workers: 4}", "inline: {}", "local: {workers: 2, devices: cpu}"):
        root = create(folder, f"pool={{{pool}}}")
        lifecycle.work(root)
        contents.append(content(root))
    assert contents[0] == contents[1] == contents[2]
    scores = {str(row) for row in contents[0]}
    assert len(scores) > 1
    assert random.getstate() == of_python
    assert str(np.random.get_state()) == str(of_numpy)


def test_trainings_of_other_code_are_not_taken_over(folder: Path) -> None:
    root = create(folder)
    lifecycle.work(root)
    with RecordReader(root / "run.db") as record:
        code = record.meta(CODE)
    assert list(code) == ["judging", "judging_aid"]
    assert known_trainings(root, code)
    assert not known_trainings(root, {**code, "judging": "another"})
