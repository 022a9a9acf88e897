from __future__ import annotations

from pathlib import Path

import pytest

from evonas.evaluate.local import plugin_check
from evonas.evaluate.local.plugin_check import find_problems


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def write(folder: Path, **modules: str) -> None:
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)


def test_no_plugins_need_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_check.subprocess, "run", None)
    assert find_problems([], ["conv2d"]) == []


def test_plugins_that_are_fine_and_one_function_that_is_not_there(folder: Path) -> None:
    write(
        folder,
        fine="def layer(x): return x\n",
        other="print('hello'); from fine import layer as again\n",
    )
    ops = ["fine:layer", "conv2d", "other:again", "fine:later", "unlisted:layer"]
    assert find_problems(["fine", "other"], ops[:3]) == []
    (problem,) = find_problems(["fine", "other"], ops)
    assert "fine has no function 'later'. Did you mean 'layer'?" in problem


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "import nowhere_to_be_found",
            "broken cannot be imported: No module named 'nowhere_to_be_found'",
        ),
        ("def (", "broken cannot be imported: SyntaxError"),
        ("1 / 0", "broken cannot be imported: ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(3)", "broken cannot be imported: SystemExit: 3"),
        ("import os; os._exit(7)", "ended the process with exit code 7"),
        ("x = 1", "broken has no function 'op'"),
        ("op = 1", "broken has no function 'op'"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, text: str, words: str) -> None:
    write(folder, broken=text)
    (problem,) = find_problems(["broken"], ["broken:op"])
    assert words in problem


def test_a_missing_module_of_a_package_is_missing(folder: Path) -> None:
    (folder / "package").mkdir()
    write(folder / "package", __init__="")
    for module in ("package.gone", "gone", "gone.too"):
        (problem,) = find_problems([module], [])
        assert f"there is no module {module}" in problem
        assert "PYTHONPATH" in problem


def test_an_import_without_end_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_check, "TIME_LIMIT", 1.0)
    write(folder, slow="import time; time.sleep(100)")
    assert find_problems(["slow"], []) == ["importing the plugins slow took more than 1 s."]


def test_the_driver_does_not_import_it(folder: Path) -> None:
    import sys

    write(folder, elsewhere="def layer(x): return x\n")
    assert find_problems(["elsewhere"], []) == []
    assert "elsewhere" not in sys.modules
