"""What no module may name: whatever turns a file's content into code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import evonas

ROOT = Path(evonas.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
MODULES_THAT_UNPICKLE = {
    "pickle",
    "_pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "copyreg",
    "h5py",
}
CALLS_THAT_RUN_TEXT = {"eval", "exec", "compile", "__import__", "execfile"}
UNSAFE_ATTRIBUTES = {
    "enable_unsafe_deserialization",
    "unsafe_load",
    "full_load",
    "FullLoader",
    "UnsafeLoader",
}
UNSAFE_KEYWORDS = {("allow_pickle", True), ("safe_mode", False), ("shell", True)}
MAY_IMPORT_BY_NAME = {
    "data/sources/python_child.py": "the function that gives the data, from a plugin of the config",
    "lazy.py": "evonas's own modules, whose names are constants",
    "evaluate/training/scoring.py": "a metric of a plugin that the config lists",
    "model/functions.py": "ops of the plugins that the config lists",
    "evaluate/contract/import_watch.py": "the plugins that the config lists, before the first job",
    "model/formats/__init__.py": "an export format: evonas's own, or of a plugin that is listed",
    "evaluate/contract/evaluator.py": "the evaluator: evonas's own, or of a plugin of the config",
    "evaluate/evaluators/function.py": "the user's function, from the plugins of the config",
    "evaluate/local/plugin_check.py": "the plugins that the config lists, in a process of its own",
    "runtime/config/plugin_members.py": "strategies and parts, from the plugins of the config",
    "evaluate/local/fork_server.py": "the preload that the driver names",
    "evaluate/local/bootstrap.py": "the worker's own module",
}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def broken_by(path: Path) -> list[str]:
    """What this module names and must not."""
    nodes = list(ast.walk(tree(path)))
    names: set[str] = set()
    keywords: set[tuple[str | None, object]] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names} & MODULES_THAT_UNPICKLE
        elif isinstance(node, ast.ImportFrom):
            names |= {(node.module or "").split(".")[0]} & MODULES_THAT_UNPICKLE
        elif isinstance(node, ast.Attribute):
            names |= {node.attr} & UNSAFE_ATTRIBUTES
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                names |= {node.func.id} & CALLS_THAT_RUN_TEXT
            for key in node.keywords:
                if isinstance(key.value, ast.Constant):
                    keywords.add((key.arg, key.value.value))
    return sorted(names) + sorted(map(str, keywords & UNSAFE_KEYWORDS))


def test_nothing_unpickles_or_runs_text() -> None:
    broken = {name_of(path): broken_by(path) for path in MODULES}
    assert {name: words for name, words in broken.items() if words} == {}


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "np.load(file, allow_pickle=True)",
        "yaml.unsafe_load(text)",
        "subprocess.run(line, shell=True)",
    ],
)
def test_a_module_that_unpickles_or_runs_text_is_found(code: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(code)
    assert broken_by(tmp_path / "module.py")


def test_modules_are_imported_by_name_in_few_places_only() -> None:
    importing = set()
    for path in MODULES:
        attributes = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        if "import_module" in attributes:
            importing.add(name_of(path))
    assert importing == set(MAY_IMPORT_BY_NAME)


def test_each_array_that_is_loaded_says_that_it_is_no_pickle() -> None:
    loads = [
        node
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("np.load", "numpy.load", "np.lib.format.read_array")
    ]
    assert len(loads) >= 4
    assert all("allow_pickle=False" in ast.unparse(node) for node in loads)
