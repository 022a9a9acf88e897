"""The code of plugins changes while a session runs: nothing that it then judges is recorded."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from evonas import api, lifecycle
from evonas.cli import check
from evonas.cli.search import search
from evonas.errors import InvalidConfig, NothingFeasible, RepeatedFailures
from evonas.evaluate.contract.pool import Imported, Report
from evonas.evaluate.contract.user_code import Source
from evonas.invocation import command
from evonas.runtime import preparation
from evonas.runtime.code_record import CODE, LATER
from evonas.runtime.config.config_file import load_config
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.runtime.reuse import known_trainings
from evonas.testing import content
from evonas.testing.runs import Notes, make_run, work
from evonas.testing.stub_pool import StubPool
from evonas.trial import Outcome, Trial

TRIALS = 24
"""More than a worker does: the last ones are done by a second one, which imports anew."""
FIRST = 20
"""Trials that the first worker does."""

FILES = {
    "s.yaml": """
space: s
input: none
network: {cell: {length: [2, 6], ops: {a: {v: {int: [1, 99999]}}}}}
""",
    "c.yaml": f"""
run: judged
space: ./s.yaml
plugins: [judge_5]
evaluator: {{python: {{function: "judge_5:evaluate"}}}}
objective: {{name: score, direction: min}}
strategy: random
budget: {{trials: {TRIALS}}}
pool: {{local: {{workers: 1, devices: cpu}}}}
""",
    "judge_5.py": """
import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "parts"))
from judge_part import ADDED

WEIGHT = float((HERE / "weight.txt").read_text())

def evaluate(genome):
    late = importlib.import_module("_".join(["judge", "late"]))
    seen = sum(gene.parameters.get("v", 0) for gene in genome["cell"])
    return {"score": ADDED + WEIGHT * seen + late.ADDED}
""",
    "parts/judge_part.py": "ADDED = 1.0\n",
    "parts/judge_late.py": "ADDED = 1.0\n",
    "weight.txt": "1.0\n",
}
EDITS = {
    "plugin": ("judge_5.py", FILES["judge_5.py"] + "\n# another comment\n", "judge_5"),
    "syntax": ("judge_5.py", "def (", "judge_5"),
    "far": ("parts/judge_part.py", "ADDED = 9.0\n", "judge_part"),
    "late": ("parts/judge_late.py", "ADDED = 9.0\n", "judge_late"),
    "data": ("weight.txt", "9.0\n", "weight.txt"),
}
"""What is edited, its new text, and the name by which it is told. All have one length but two."""
GONE = {
    f"{what} gone": (EDITS[what][0], None, EDITS[what][2]) for what in EDITS if what != "syntax"
}
"""What is deleted."""


SOME_EDITS = [
    pytest.param(what, marks=() if what in ("late", "plugin gone") else pytest.mark.full)
    for what in {**EDITS, **GONE}
]
IN_DRIVER = ["inline: {}", pytest.param("simulated: {workers: 3}", marks=pytest.mark.full)]


def write(folder: Path) -> Path:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield write(tmp_path)
    forget()


def forget() -> None:
    """Have this process import the plugin as a new one does."""
    for name in ("judge_5", "judge_part", "judge_late"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[object, ...]]:
    """The content of the run that nobody has disturbed."""
    folder = write(tmp_path_factory.mktemp("undisturbed"))
    return list(content(api.run(folder / "c.yaml", runs=folder / "runs").directory))


def create(folder: Path, *changes: str) -> Path:
    return lifecycle.create(load_config(folder / "c.yaml", changes), folder / "runs")[0]


class Edit(Observer):
    """Changes a file when so many outcomes are there, within the same second as before.

    Args:
        text: its new text; None deletes it.
    """

    def __init__(self, file: Path, text: str | None, at: int = 3) -> None:
        self.file = file
        self.text = text
        self.at = at

    def on_outcome(self, trial: Trial, outcome: Outcome, attempt: int, final: bool) -> None:
        self.at -= 1
        if self.at != 0:
            return
        if self.text is None:
            self.file.unlink()
        else:
            before = self.file.stat()
            self.file.write_text(self.text)
            os.utime(self.file, ns=(before.st_atime_ns, before.st_mtime_ns))


class EditInProcess(Edit):
    """Also has this process import it anew."""

    def on_outcome(self, trial: Trial, outcome: Outcome, attempt: int, final: bool) -> None:
        super().on_outcome(trial, outcome, attempt, final)
        if self.at == 0:
            sys.modules.pop(self.file.stem)


def states(root: Path) -> list[str]:
    return [str(trial.state) for trial in api.load(root).trials if trial.state.is_final]


@pytest.mark.parametrize("what", SOME_EDITS)
def test_an_edit_ends_the_session_and_what_follows_is_the_users_choice(
    folder: Path, undisturbed: list[tuple[object, ...]], what: str
) -> None:
    name, text, told = {**EDITS, **GONE}[what]
    root = create(folder)
    how = " .not found." if text is None else ""
    words = (
        rf"while the run went on: {told}{how}\. .* its {FIRST} trials were judged by the old code"
    )
    with pytest.raises(InvalidConfig, match=words) as ended:
        lifecycle.work(root, [Edit(folder / name, text)], is_new=True)
    on = command("resume", root)
    assert f"`{on}`" in str(ended.value)
    assert str(ended.value).endswith(command("resume", root, "--accept-changed-code"))
    assert states(root) == ["ok"] * FIRST
    assert list(content(root))[:FIRST] == undisturbed[:FIRST]

    # With the new code, nothing is begun.
    refused = "no module|cannot be imported|since the run began: " + told
    with pytest.raises(InvalidConfig, match=refused):
        lifecycle.work(root)
    assert states(root) == ["ok"] * FIRST
    (folder / name).write_text(FILES[name])
    run = lifecycle.work(root)
    assert run.is_finished
    assert list(content(root)) == undisturbed
    assert run.code_changes == []


@pytest.mark.parametrize(
    "what",
    [
        pytest.param("far", marks=pytest.mark.full),
        pytest.param("late", marks=pytest.mark.full),
        "data",
    ],
)
def test_both_codes_if_the_user_says_so(
    folder: Path, undisturbed: list[tuple[object, ...]], what: str
) -> None:
    name, text, told = EDITS[what]
    root = create(folder)
    with pytest.raises(InvalidConfig, match=told):
        lifecycle.work(root, [Edit(folder / name, text)], is_new=True)
    notes = Notes()
    run = lifecycle.work(root, [notes], accept_changed_code=True)
    (change,) = run.code_changes
    assert change.modules == (told,)
    assert change.trials == FIRST
    assert change.in_words() in notes.texts
    assert f"{told} was changed on purpose after {FIRST} trials: they keep" in change.in_words()
    rows = list(content(root))
    assert rows[:FIRST] == undisturbed[:FIRST]
    assert len(rows) == TRIALS
    for new, old in zip(rows[FIRST:], undisturbed[FIRST:], strict=True):
        assert new[1] == old[1]
        assert new != old
    # From now on, this is the run's code.
    assert lifecycle.work(root, overrides=[f"budget.trials={TRIALS + 1}"]).is_finished


def test_trials_of_the_old_code_that_run_are_finished(tmp_path: Path) -> None:
    (tmp_path / "listed_5.py").write_text("")
    changes = ("plugins=[listed_5]", "strategy=random")
    expected = content(work(make_run(tmp_path, *changes, runs=tmp_path / "expected")).directory)

    class Changing(StubPool):
        """The worker of the third job has imported new code; two other jobs run beside it."""

        def poll(self, timeout: float) -> Sequence[Report]:
            third = [job for job in self._jobs if job.trial == 2]
            if third and not self._cancelled:
                return [Imported(third[0], {"listed_5": Source("ab" * 32, "listed_5.py")})]
            return super().poll(timeout)

    root = make_run(tmp_path, *changes, runs=tmp_path / "runs")
    notes = Notes()
    with pytest.raises(InvalidConfig, match="while the run went on: listed_5"):
        work(root, observers=[notes], capacity=3, pool=Changing)
    assert notes.texts == [
        "the code has changed: 2 running trials of the old code will be finished"
    ]
    with RecordReader(root / "run.db") as record:
        attempts = {attempt.trial: attempt.state for attempt in record.attempts()}
    assert attempts.pop(2) == "running"
    assert set(attempts) == {0, 1}
    assert set(attempts.values()) <= {"ok", "diverged"}
    assert content(work(root).directory) == expected


@pytest.mark.full
def test_an_edit_beside_several_workers(
    folder: Path, undisturbed: list[tuple[object, ...]]
) -> None:
    root = create(folder, "pool.local.workers=2", f"budget.trials={2 * TRIALS}")
    name, text, told = EDITS["far"]
    with pytest.raises(InvalidConfig, match=told):
        lifecycle.work(root, [Edit(folder / name, text)], is_new=True)
    assert set(states(root)) == {"ok"}
    assert len(states(root)) >= 3
    (folder / name).write_text(FILES[name])
    assert len(lifecycle.work(root).trials) == 2 * TRIALS
    assert list(content(root))[:TRIALS] == undisturbed


@pytest.mark.parametrize("pool", IN_DRIVER)
def test_in_the_process_of_the_driver_an_edit_has_no_effect_before_the_next_session(
    folder: Path, undisturbed: list[tuple[object, ...]], pool: str
) -> None:
    name, text, told = EDITS["far"]
    root = create(folder, f"pool={{{pool}}}")
    notes = Notes()
    lifecycle.work(root, [Edit(folder / name, text), notes], is_new=True)
    assert list(content(root)) == undisturbed
    assert notes.texts == [
        f"the code of {told} has changed while the run went on: all trials of this session were"
        " judged by the code as it was before"
    ]
    forget()
    more = [f"budget.trials={TRIALS + 2}"]
    with pytest.raises(InvalidConfig, match="since the run began: " + told):
        lifecycle.work(root, overrides=more)
    (folder / name).write_text(FILES[name])
    lifecycle.work(root, overrides=more)
    assert list(content(root))[:TRIALS] == undisturbed

    (folder / name).write_text(text)
    forget()
    run = lifecycle.work(root, overrides=[f"budget.trials={TRIALS + 4}"], accept_changed_code=True)
    assert [change.trials for change in run.code_changes] == [TRIALS + 2]


@pytest.mark.parametrize(
    "pool", [pytest.param("inline: {}", marks=pytest.mark.full), "simulated: {workers: 3}"]
)
def test_what_this_process_imports_late_is_compared_too(
    folder: Path, undisturbed: list[tuple[object, ...]], pool: str
) -> None:
    root = create(folder, f"pool={{{pool}}}", "budget.trials=2")
    lifecycle.work(root, is_new=True)
    with RecordReader(root / "run.db") as record:
        assert list(record.meta(LATER)) == ["judge_late"]
        code = record.meta(CODE)
    assert known_trainings(root, code)
    forget()
    late = folder / "parts" / "judge_late.py"
    more = [f"budget.trials={TRIALS}"]
    late.write_text("ADDED = 9.0\n")
    assert not known_trainings(root, code)
    with pytest.raises(InvalidConfig, match="since the run began: judge_late"):
        lifecycle.work(root, overrides=more)
    # The look at the plugins cannot see that it is gone: it is imported by a computed name.
    late.unlink()
    assert not known_trainings(root, code)
    with pytest.raises(InvalidConfig, match="since the run began: judge_late"):
        lifecycle.work(root, overrides=more)
    late.write_text(FILES["parts/judge_late.py"])
    with pytest.raises(InvalidConfig, match="while the run went on: judge_late"):
        lifecycle.work(root, [EditInProcess(late, "ADDED = 9.0\n")], overrides=more)
    assert set(states(root)) == {"ok"}
    forget()
    late.write_text(FILES["parts/judge_late.py"])
    lifecycle.work(root)
    assert list(content(root)) == undisturbed
    # And whoever wants the new one can have it.
    forget()
    late.write_text("ADDED = 9.0\n")
    more = [f"budget.trials={TRIALS + 1}"]
    assert lifecycle.work(root, overrides=more, accept_changed_code=True).is_finished


@pytest.mark.parametrize("pool", IN_DRIVER)
def test_a_module_that_is_away_for_a_moment_is_no_failure_of_a_trial(
    folder: Path, undisturbed: list[tuple[object, ...]], pool: str
) -> None:
    late = folder / "parts" / "judge_late.py"
    # It is back before the job ends, as an editor saves a file.
    text = FILES["judge_5.py"].replace("    late =", "    late = again() or")
    text += f"""
def again():
    try:
        import judge_late
    except ImportError:
        Path({str(late)!r}).write_text({FILES["parts/judge_late.py"]!r})
        raise
"""
    (folder / "judge_5.py").write_text(text)
    root = create(folder, f"pool={{{pool}}}")
    words = r"while the run went on: judge_late \(not found\)"
    with pytest.raises(InvalidConfig, match=words):
        lifecycle.work(root, [EditInProcess(late, None)], is_new=True)
    assert late.exists()
    assert set(states(root)) == {"ok"}
    lifecycle.work(root)
    assert list(content(root)) == undisturbed


NOWHERE = """
def evaluate(genome):
    import judge_nowhere
"""
HIDDEN = """
import sys
from pathlib import Path
sys.path.append(str(Path(__file__).parent / "parts"))

def evaluate(genome):
    sys.path.remove(str(Path(__file__).parent / "parts"))
    try:
        import judge_late
    except ImportError:
        return {"score": 1.0}
    finally:
        sys.path.append(str(Path(__file__).parent / "parts"))
"""
"""The look at the plugins takes it for a module that the function imports."""


@pytest.mark.parametrize(("text", "state"), [(NOWHERE, "error"), (HIDDEN, "ok")])
def test_what_was_never_found_is_the_affair_of_the_trial(
    folder: Path, text: str, state: str
) -> None:
    (folder / "judge_5.py").write_text(text)
    root = create(folder, "pool={inline: {}}", "budget.trials=2")
    with suppress(NothingFeasible):
        lifecycle.work(root, is_new=True)
    assert states(root) == [state] * 2


@pytest.mark.full
def test_a_name_that_two_folders_have_is_no_change(folder: Path) -> None:
    text = FILES["judge_5.py"].replace("    late =", "    import judge_late as late #")
    # The look at the plugins finds the one beside it, and a call finds the other one.
    text = text.replace("def evaluate", "sys.path.pop(0)\ndef evaluate")
    text = text.replace("(genome):", '(genome):\n    sys.path.insert(0, str(HERE / "parts"))')
    (folder / "judge_5.py").write_text(text)
    (folder / "judge_late.py").write_text("ADDED = 5.0\n")
    root = create(folder, "budget.trials=5")
    assert lifecycle.work(root, is_new=True).is_finished
    with RecordReader(root / "run.db") as record:
        sha256, path = record.meta(LATER)["judge_late"]
        assert record.meta(CODE)["judge_late"] != sha256
    assert path == str(folder / "parts" / "judge_late.py")
    assert lifecycle.work(root, overrides=["budget.trials=6"]).is_finished
    for name in ("parts/judge_late.py", "judge_late.py"):
        before = (folder / name).read_text()
        (folder / name).write_text("ADDED = 9.0\n")
        with pytest.raises(InvalidConfig, match="since the run began: judge_late"):
            lifecycle.work(root, overrides=["budget.trials=7"])
        (folder / name).write_text(before)


def test_an_older_record_goes_on_and_holds_all_code_from_then_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        older.setattr(preparation, "CODE_RULE", "unknown then")
        root = create(folder, "budget.trials=2")
    with Record(root / "run.db") as record:
        code = record.meta(CODE)
        # By the older rule, only what lies beside the plugin counted.
        record.put_meta(CODE, {"judge_5": code["judge_5"]})
    notes = Notes()
    assert lifecycle.work(root, [notes]).is_finished
    assert any("code of judge_part and weight.txt is in the record" in text for text in notes.texts)
    (folder / "weight.txt").write_text("2.0")
    with pytest.raises(InvalidConfig, match=r"since the run began: weight\.txt"):
        lifecycle.work(root, overrides=["budget.trials=3"])


def test_whoever_has_mended_the_code_is_told_how_to_go_on(folder: Path) -> None:
    (folder / "judge_5.py").write_text("def evaluate(genome):\n    return {'score': 1 / 0}\n")
    root = create(folder, "pool={inline: {}}", "max_failures_in_a_row=3")
    with pytest.raises(RepeatedFailures) as stopped:
        search(root, as_json=True, is_new=True)
    first, second = stopped.value.__notes__
    assert first == f"To go on:  {command('resume', root)}"
    accepting = command("resume", root, "--accept-changed-code")
    assert second == f"If you have mended the code of judge_5:  {accepting}"
    (folder / "judge_5.py").write_text(FILES["judge_5.py"])
    forget()
    assert lifecycle.work(root, accept_changed_code=True).is_finished


def test_a_check_says_that_the_function_was_not_called(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "judge_5.py").write_text("def evaluate(genome):\n    raise SystemExit(9)\n")
    check.command(str(folder / "c.yaml"))
    said = " ".join(capsys.readouterr().out.split())
    assert "judge_5:evaluate was imported and compared with its call, not called." in said
