"""What is recorded of libraries and CPU, and when a difference is told."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from evonas.runtime import versions
from evonas.runtime.config.config_file import load_config
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.record.reader import RecordReader
from evonas.runtime.record.record import Record
from evonas.testing.runs import Notes, make_run, work
from evonas.testing.stub_worker import Stub

ALWAYS = {"cpu", "python", "evonas", "numpy"}
KERAS = {"tensorflow", "keras"}
SHORT = ("strategy={evolution: {population: 4}}", "training.epochs=1", "budget.trials=4")


def config(**keys: Any) -> RunConfig:
    data = {"space": "mlp", "data": {"name": "digits"}, "budget": {"trials": 3}, **keys}
    return RunConfig.from_json({key: value for key, value in data.items() if value is not None})


TABLE = {"data": None, "evaluator": {"table": {"path": "t.csv"}}}
FUNCTION = {
    "data": None,
    "plugins": ["mine"],
    "evaluator": {"python": {"function": "mine:judge"}},
}


@pytest.mark.parametrize(
    ("keys", "libraries"),
    [
        ({"strategy": "random"}, KERAS),
        ({"strategy": {"random": {"sampler": "sobol"}}}, KERAS | {"scipy"}),
        ({"strategy": "evolution"}, KERAS | {"scipy"}),
        ({"strategy": {"evolution": {"guide": "none"}}}, KERAS | {"deap"}),
        ({"strategy": "optuna"}, KERAS | {"optuna"}),
        ({"strategy": "forest"}, KERAS | {"scipy", "scikit-learn"}),
        (
            {"strategy": {"screened": {"inner": "aging", "surrogate": "dngo"}}},
            KERAS | {"deap", "scipy", "scikit-learn"},
        ),
        ({"strategy": "random", **TABLE}, set()),
        ({"strategy": "evolution", **TABLE}, {"scipy"}),
        ({"strategy": "random", **FUNCTION}, set(versions.LIBRARIES)),
        ({"strategy": "random", "plugins": ["my_ops"]}, set(versions.LIBRARIES)),
    ],
)
def test_which_versions_a_run_uses(keys: dict[str, Any], libraries: set[str]) -> None:
    assert versions.used(config(**keys)) == ALWAYS | libraries


def test_all_that_are_installed_are_recorded_and_others_are_null(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name == "optuna":
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)
    found = versions.versions()
    assert list(found) == ["cpu", "python", *versions.LIBRARIES]
    assert found["scikit-learn"] == real("scikit-learn")
    assert found["optuna"] is None


def test_a_version_is_read_without_an_import() -> None:
    code = (
        "import sys; from evonas.runtime.versions import versions; assert versions()['optuna'];"
        "print([name for name in ('tensorflow', 'keras', 'sklearn', 'optuna')"
        " if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def told(made_with: dict[str, str | None], **keys: Any) -> list[str]:
    changes = versions.other_versions(made_with, config(**keys))
    return versions.changes_in_words(changes)


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """What this process is said to have."""
    found = {"cpu": "AMD EPYC with avx2", "python": "3.11.7"}
    found |= dict.fromkeys(versions.LIBRARIES, "2.0")
    monkeypatch.setattr(versions, "versions", lambda: found)
    return found


@pytest.mark.usefixtures("now")
def test_a_difference_is_told_in_one_sentence_if_the_run_uses_the_library() -> None:
    then: dict[str, str | None] = {"cpu": "Intel Xeon with avx512", "optuna": "1.0", "keras": "2.0"}
    other_cpu = (
        "CPU is AMD EPYC with avx2 now and was Intel Xeon with avx512 when the run began:"
        " results may differ"
    )
    assert told(then, strategy="random") == [other_cpu]
    assert told(then, strategy="optuna") == [
        other_cpu,
        "optuna is 2.0 now and was 1.0 when the run began: results may differ",
    ]
    changes = versions.other_versions(then, config(strategy="optuna"))
    assert versions.made_with_in_words(changes) == (
        " The record was made with CPU Intel Xeon with avx512 (now AMD EPYC with avx2),"
        " optuna 1.0 (now 2.0)."
    )
    assert versions.made_with_in_words({}) == ""


def test_what_is_not_known_of_then_or_now_is_no_difference(now: dict[str, str | None]) -> None:
    # An older evonas recorded fewer names, a newer one may record more.
    assert told({}, strategy="optuna") == []
    assert told({"jax": "0.1"}, strategy="optuna") == []
    # A library that was not installed had no part in the run.
    assert told({"optuna": None, "cpu": None}, strategy="optuna") == []
    now["cpu"] = None
    assert told({"cpu": "Intel Xeon with avx512"}) == []


def test_a_library_that_is_gone_is_told(now: dict[str, str | None]) -> None:
    now["optuna"] = None
    assert told({"optuna": "1.0"}, strategy="optuna") == [
        "optuna is not installed now and was 1.0 when the run began: results may differ"
    ]


def notes_of_resume(root: Path) -> list[str]:
    notes = Notes()
    work(root, stub=Stub(diverge=0.0), observers=[notes])
    return notes.texts


def test_a_resume_on_another_cpu_says_so_and_one_of_an_old_record_says_nothing(
    tmp_path: Path,
) -> None:
    root = make_run(tmp_path, *SHORT)
    with RecordReader(root / "run.db") as reader:
        recorded = reader.meta("versions")
    assert recorded == versions.versions()
    with Record(root / "run.db") as record:
        record.put_meta("versions", {**recorded, "cpu": "Z80", "optuna": "0.1"})
    assert notes_of_resume(root) == [
        f"CPU is {recorded['cpu']} now and was Z80 when the run began: results may differ"
    ]
    # What an evonas recorded that knew no CPU and fewer libraries.
    old = {name: recorded[name] for name in ("python", "evonas", "tensorflow", "keras", "numpy")}
    with Record(root / "run.db") as record:
        record.put_meta("versions", {**old, "deap": recorded["deap"]})
    assert notes_of_resume(root) == []


def test_the_shipped_config_depends_on_what_it_says() -> None:
    assert versions.used(load_config("digits").config) == ALWAYS | KERAS | {"deap"}
