from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from evonas.evaluate.local import plugin_check
from evonas.evaluate.local.aside import SAID, ask_aside
from evonas.evaluate.local.plugin_check import Call, Plugins, look_at


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def write(folder: Path, **modules: str) -> None:
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)


def found_wrong(plugins: list[str], *calls: Call) -> list[str]:
    """All sentences: about modules, then about functions."""
    found = look_at(plugins, calls)
    return [*found.problems, *found.wrong_calls.values()]


def runs(pid: int) -> bool:
    """Whether a process is there and is no zombie, which a container may never reap."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] not in "ZX"


def test_no_plugins_need_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_check, "ask_aside", None)
    assert look_at([], [Call("conv2d")]) == Plugins()


def test_plugins_that_are_fine_and_one_function_that_is_not_there(folder: Path) -> None:
    write(
        folder,
        fine="def layer(x): return x\n",
        other="print('hello'); from fine import layer as again\n",
    )
    names = ("fine:layer", "conv2d", "other:again", "fine:later", "unlisted:layer")
    calls = [Call(name) for name in names]
    assert found_wrong(["fine", "other"], *calls[:3]) == []
    (problem,) = found_wrong(["fine", "other"], *calls)
    assert "fine has no function 'later'. Did you mean 'layer'?" in problem


BROKEN = {
    "import nowhere_to_be_found": "cannot be imported: No module named 'nowhere_to_be_found'",
    "def (": "cannot be imported: SyntaxError",
    "1 / 0": "cannot be imported: ZeroDivisionError: division by zero",
    "import sys; sys.exit(3)": "cannot be imported: SystemExit: 3",
    "x = 1": "has no function 'op'",
    "op = 1": "has no function 'op'",
    "raise ValueError('\\x1b[2J\\ud800')": r"ValueError: '\x1b[2J\ud800'",
    "raise ValueError('x' * 5_000_000)": "ValueError: xxxx",
    "class E(Exception):\n def __str__(self): 1 / 0\nraise E": "its text cannot be made",
    "class op: pass": ":op is a class, and a function is called here",
}
"""A module's text, and what is said about it."""


def test_what_is_wrong_is_said_of_all_modules_at_once_and_cut(folder: Path) -> None:
    modules = {f"broken_{number}": text for number, text in enumerate(BROKEN)}
    write(folder, **modules)
    found = look_at(list(modules), [Call(f"{name}:op") for name in modules])
    problems = [*found.problems, *found.wrong_calls.values()]
    assert len(problems) == len(BROKEN)
    for name, words in zip(modules, BROKEN.values(), strict=True):
        (problem,) = [one for one in problems if name in one]
        assert words in problem
        assert len(problem) < 1000


def test_a_plugin_that_ends_the_process_is_said_to_do_so(folder: Path) -> None:
    write(folder, broken="import os; print('bye\\x1b', flush=True); os._exit(7)")
    (problem,) = found_wrong(["broken"], Call("broken:op"))
    assert problem == r"importing the plugins broken ended the process with exit code 7. 'bye\x1b'"


def test_a_call_that_does_not_fit_is_found_without_the_call(folder: Path) -> None:
    write(
        folder,
        mine=(
            "def any_of_them(*given, **named): 1 / 0\n"
            "of_c = dict.fromkeys\n"
            + "".join(f"def op_{n}(x, *, rate, units=8): 1 / 0\n" for n in range(6))
        ),
    )
    expected = {
        Call("mine:op_0", 1, ("rate",)): "",
        Call("mine:op_1", 1, ("rate", "units")): "",
        Call("mine:any_of_them", 3, ("a", "b")): "",
        Call("mine:of_c", 1): "",
        Call("mine:op_5", 1, (), offered=("rate", "name")): "",
        Call("mine:op_2", 1, ("raet",)): "Did you mean 'rate'?",
        Call("mine:op_3", 1): (
            "cannot be called: missing a required argument: 'rate'."
            " It is op_3(x, *, rate, units=8)."
        ),
        Call("mine:op_4", 2, ("rate",)): (
            "cannot be called with rate and 2 tensors: too many positional arguments."
        ),
    }
    found = look_at(["mine"], expected)
    assert found.problems == []
    for call, words in expected.items():
        assert words in found.wrong_calls.get(call.function, "")
        assert bool(words) == (call.function in found.wrong_calls)
    assert found.taken["mine:op_5"] == ["rate"]
    assert not set(found.taken) & set(found.wrong_calls)


def test_a_missing_module_of_a_package_is_missing(folder: Path) -> None:
    (folder / "package").mkdir()
    write(folder / "package", __init__="")
    missing = ["package.gone", "gone", "gone.too"]
    for module, problem in zip(missing, found_wrong(missing), strict=True):
        assert f"there is no module {module}" in problem
        assert "PYTHONPATH" in problem
    write(folder / "package", losses="")
    for misspelt, near in (("packege", "package"), ("package.loses", "package.losses")):
        (problem,) = found_wrong([misspelt])
        assert problem.endswith(f"Did you mean {near!r}?")


def test_an_import_without_end_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_check, "TIME_LIMIT", 1.0)
    write(folder, slow="import sys, time; sys.stdout.close(); time.sleep(100)")
    assert found_wrong(["slow"]) == ["importing the plugins slow took more than 1 s."]


@pytest.mark.parametrize("is_daemon", [False, True])
def test_a_helper_that_an_import_starts_holds_nothing_and_is_ended(
    folder: Path, is_daemon: bool
) -> None:
    write(
        folder,
        helped=(
            "import atexit, subprocess, threading, time\n"
            f"helper = subprocess.Popen(['sleep', '301'], start_new_session={is_daemon})\n"
            f"open({str(folder / 'pid')!r}, 'w').write(str(helper.pid))\n"
            "threading.Thread(target=time.sleep, args=(302,)).start()\n"
            "atexit.register(time.sleep, 303)\n"
            "def op(x): return x\n"
        ),
    )
    assert found_wrong(["helped"], Call("helped:op")) == []
    assert not runs(int((folder / "pid").read_text()))


def test_a_flood_at_import_is_not_kept(folder: Path) -> None:
    write(folder, loud="import os\nfor _ in range(200): os.write(1, b'x' * 65536)\nos._exit(3)")
    request = {"plugins": ["loud"], "calls": [], "folder": ""}
    answer = ask_aside("evonas.evaluate.local.plugin_check", request, 100.0)
    assert (answer.report, answer.code) == (None, 3)
    assert set(answer.said) == {"x"}
    assert len(answer.said) <= SAID


def test_the_driver_does_not_import_it(folder: Path) -> None:
    write(folder, elsewhere="def layer(x): return x\n")
    assert found_wrong(["elsewhere"]) == []
    assert "elsewhere" not in sys.modules


def test_the_folder_of_the_config_is_looked_in_last(tmp_path: Path) -> None:
    folder = tmp_path / f"with{os.pathsep}colon"
    folder.mkdir()
    write(folder, beside="def op(x): return x\n", json="1 / 0")
    found = look_at(["beside", "json"], [Call("beside:op")], str(folder))
    assert found.problems == []
    assert list(found.sources) == ["beside", *sorted(set(found.sources) - {"beside"})]


def sources(folder: Path, *plugins: str) -> dict[str, str]:
    found = look_at(plugins, (), str(folder))
    assert not found.problems
    return dict(found.sources)


STRANGE = """
import sys
class Strange:
    def __getattr__(self, name):
        raise ValueError(name)
sys.modules["strange"] = Strange()
sys.modules["nothing"] = None
"""


def write_project(folder: Path) -> None:
    """A plugin with modules beside it, a package, and what is none of it."""
    folder.mkdir()
    write(
        folder,
        mine="import aid, json\nfrom parts.deep import two\ndef op(x):\n from late import y\n",
        aid=STRANGE,
        late="import later",
        later="",
        unused="",
        queue="1 / 0",
    )
    for package in (folder / "parts", folder / "parts" / "deep"):
        package.mkdir()
        write(package, __init__="")
    write(folder / "parts" / "deep", two="def f():\n from .. import three\n from . import four")
    write(folder / "parts" / "deep", four="", five="")
    write(folder / "parts", three="")
    library = folder / "lib" / "site-packages"
    library.mkdir(parents=True)
    write(library, installed="")


def test_the_code_is_that_of_the_plugin_and_of_what_it_imports_beside_it(tmp_path: Path) -> None:
    write_project(tmp_path / "one")
    found = sources(tmp_path / "one", "mine")
    expected = ["aid", "late", "later", "mine"]
    expected += ["parts", "parts.deep", "parts.deep.four", "parts.deep.two", "parts.three"]
    assert list(found) == expected
    # Where it lies is no part of it.
    (tmp_path / "one").rename(tmp_path / "other")
    assert sources(tmp_path / "other", "mine") == found
    for file in ("later.py", "parts/three.py"):
        path = tmp_path / "other" / file
        path.write_text("x = 1")
        changed = sources(tmp_path / "other", "mine")
        assert changed != found
        assert list(changed) == expected
        path.write_text("")
    for file in ("unused.py", "parts/deep/five.py", "lib/site-packages/installed.py"):
        (tmp_path / "other" / file).write_text("x = 1")
    assert sources(tmp_path / "other", "mine") == found


def test_of_an_installed_plugin_only_its_own_package_counts(tmp_path: Path) -> None:
    library = tmp_path / "site-packages"
    write_project(library)
    assert list(sources(library, "mine")) == ["mine"]
    assert list(sources(library, "parts.deep.two")) == [
        "parts",
        "parts.deep",
        "parts.deep.two",
    ]


def test_a_plugin_that_changes_its_own_file_is_refused(folder: Path) -> None:
    text = "with open(__file__, 'a') as file:\n    file.write('# again\\n')\n"
    (folder / "restless.py").write_text(text)
    found = look_at(["restless"], (), str(folder))
    (problem,) = found.problems
    assert "importing the plugins changes the file of the module restless, " in problem
    # What it writes elsewhere is its own affair.
    (folder / "calm.py").write_text(text.replace("__file__", "__file__ + '.log'"))
    found = look_at(["calm"], (), str(folder))
    assert not found.problems
    assert found.files == {"calm": str(folder / "calm.py")}
