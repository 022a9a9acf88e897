"""What identifies the user's code is what was really imported, wherever it lies."""

from __future__ import annotations

import importlib
import importlib.util
import os
import py_compile
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from evonas.evaluate.contract.import_watch import import_plugins, watched
from evonas.evaluate.contract.imports import Imports, code_now
from evonas.evaluate.contract.user_code import is_users


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # What is imported here, no other test may find.
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", sys.modules.copy())
    importlib.invalidate_caches()
    return tmp_path


def digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def imported(folder: Path, *plugins: str) -> dict[str, str]:
    imports = Imports(plugins)
    import_plugins(plugins, str(folder))
    return {name: source.sha256 for name, source in imports.all().items()}


def test_what_had_been_compiled_of_an_earlier_text_is_not_run(folder: Path) -> None:
    file = folder / "quick.py"
    file.write_text("VALUE = 1\n")
    py_compile.compile(str(file))
    before = file.stat()
    file.write_text("VALUE = 2\n")
    # Within one second, and of the same length: Python by itself takes what it had compiled.
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert imported(folder, "quick") == {"quick": digest("VALUE = 2\n")}
    assert sys.modules["quick"].VALUE == 2


def test_the_digest_is_that_of_the_text_that_was_compiled(folder: Path) -> None:
    file = folder / "edited.py"
    # It is changed while it is imported, after Python has read it.
    text = f"from pathlib import Path\nPath({str(file)!r}).write_text('VALUE = 2')\nVALUE = 1\n"
    file.write_text(text)
    assert imported(folder, "edited") == {"edited": digest(text)}
    assert sys.modules["edited"].VALUE == 1


def test_the_code_of_now_grows_with_what_is_imported_late(folder: Path) -> None:
    (folder / "early_part.py").write_text("VALUE = 1")
    (folder / "late_part.py").write_text("VALUE = 2")
    assert imported(folder, "early_part") == code_now() == {"early_part": digest("VALUE = 1")}
    with watched(["early_part"]):
        importlib.import_module("late_part")
    assert code_now() == {"early_part": digest("VALUE = 1"), "late_part": digest("VALUE = 2")}
    # The next run in this process counts what it imports itself.
    Imports(["early_part"])
    assert code_now() == {}


def test_a_module_that_cannot_be_imported_is_told_all_the_same(folder: Path) -> None:
    (folder / "broken.py").write_text("import helper_of_broken")
    (folder / "helper_of_broken.py").write_text("def (")
    assert imported(folder, "broken") == {
        "broken": digest("import helper_of_broken"),
        "helper_of_broken": digest("def ("),
    }


FAR = """
import importlib.util, sys
from pathlib import Path
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "lib"))
sys.path.insert(0, str(HERE / "packed.zip"))
import aside, packed, spaced.part, library
spec = importlib.util.spec_from_file_location("loaded", HERE / "configs" / "a.py")
loaded = importlib.util.module_from_spec(spec)
spec.loader.exec_module(loaded)
DATA = [(HERE / name).read_text() for name in ("w.txt", "configs/deep.txt", ".hidden/cache.txt")]
(HERE / "made.txt").write_text("1")
(HERE / "made.txt").read_text()
(HERE / "made.py").write_text("1")
import made
(HERE / "made.tmp").write_text("1")
(HERE / "made.tmp").rename(HERE / "other.txt")
(HERE / "other.txt").read_text()
"""


def write_far(folder: Path) -> None:
    """A plugin with code and data all over its folder."""
    texts = {
        "far.py": FAR,
        "lib/aside.py": "",
        "lib/spaced/part.py": "",
        "lib/library/__init__.py": "1",
        "lib/library-1.0.dist-info/RECORD": (
            "library/__init__.py,x,1\nlibrary-1.0.dist-info/RECORD,,\n"
        ),
        "configs/a.py": "",
        "configs/deep.txt": "1",
        "w.txt": "1",
        "unread.txt": "1",
        ".hidden/cache.txt": "1",
    }
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.writestr("packed.py", "")


def test_code_counts_wherever_it_lies_and_files_that_it_reads(folder: Path) -> None:
    write_far(folder)
    found = imported(folder, "far")
    assert list(found) == [
        "aside",
        "configs/a.py",
        "configs/deep.txt",
        "far",
        "packed",
        "spaced.part",
        "w.txt",
    ]
    assert found["w.txt"] == digest("1")
    assert found["packed"] == sha256((folder / "packed.zip").read_bytes()).hexdigest()


def test_news_are_told_once_and_what_is_not_as_expected_is_told_always(folder: Path) -> None:
    for name in ("same", "changed", "unknown", "late"):
        (folder / f"{name}_module.py").write_text(f"# {name}")
    plugins = [f"{name}_module" for name in ("same", "changed", "unknown")]
    expected = {plugins[0]: digest("# same"), plugins[1]: digest("# other"), "absent": "x"}
    imports = Imports(plugins, expected)
    import_plugins(plugins, str(folder))
    news = imports.news()
    assert {name: source.sha256 for name, source in news.items()} == {
        "changed_module": digest("# changed"),
        "unknown_module": digest("# unknown"),
    }
    assert news["changed_module"].file == str(folder / "changed_module.py")
    assert list(imports.news()) == ["changed_module"]
    # As a function does when it is called.
    with watched(plugins):
        importlib.import_module("late_module")
    assert list(imports.news()) == ["changed_module", "late_module"]
    assert list(imports.news()) == ["changed_module"]


def test_a_process_that_has_an_earlier_text_knows_that(folder: Path) -> None:
    file = folder / "once.py"
    file.write_text("VALUE = 1")
    imported(folder, "once")
    assert Imports(["once"], {"once": digest("VALUE = 1")}).stale() == []
    assert Imports(["once"], {"once": digest("VALUE = 2")}).stale() == ["once"]
    del sys.modules["once"]
    assert Imports(["once"], {"once": digest("VALUE = 2")}).stale() == []


def test_python_evonas_and_libraries_are_not_the_users(tmp_path: Path) -> None:
    assert not is_users(os.__file__)
    assert not is_users(str(pytest.__file__))
    assert not is_users(str(Path(sys.modules["evonas"].__file__ or "") / ".." / "trial.py"))
    # So lies a package that is installed for editing.
    assert is_users(str(tmp_path / "src" / "mine" / "__init__.py"))
    assert not is_users(str(tmp_path / "venv" / "lib" / "site-packages" / "a.py"))
