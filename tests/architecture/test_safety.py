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
MAY_IMPORT_BY_NAME = {
    "model/ops.py": "ops of the plugins that the config lists",
    "evaluate/known/evaluator.py": "the evaluator `python`, whose module must be among the plugins that the config lists",
    "evaluate/local/plugin_check.py": "the plugins that the config lists, in a process of its own",
    "evaluate/local/fork_server.py": "the preload that the driver names",
    "evaluate/local/bootstrap.py": "the worker's own module",
}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_unpickles_or_runs_text(path: Path) -> None:
    nodes = list(ast.walk(tree(path)))
    imported = {
        alias.name.split(".")[0]
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        (node.module or "").split(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)
    }
    assert not imported & MODULES_THAT_UNPICKLE
    called = {
        node.func.id
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & CALLS_THAT_RUN_TEXT
    keywords = {(key.arg, value.value) for node in nodes if isinstance(node, ast.Call) for key in node.keywords
                if isinstance(value := key.value, ast.Constant)}  # fmt: skip
    assert not keywords & {("allow_pickle", True), ("safe_mode", False), ("shell", True)}
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    assert not attributes & {
        "enable_unsafe_deserialization",
        "unsafe_load",
        "full_load",
        "FullLoader",
        "UnsafeLoader",
    }


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_imported_by_name_in_few_places_only(path: Path) -> None:
    attributes = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    assert ("import_module" in attributes) == (name_of(path) in MAY_IMPORT_BY_NAME)


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
