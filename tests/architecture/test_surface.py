"""The public surface, the words, and that nothing heavy happens at import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import evonas

ROOT = Path(evonas.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
HEAVY = ("tensorflow", "keras", "sklearn", "networkx", "optuna")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_all_is_exactly_what_is_public():
    assert evonas.__all__ == sorted(evonas.__all__)
    assert all(getattr(evonas, name) is not None for name in evonas.__all__)
    assert set(dir(evonas)) == set(evonas.__all__)


def test_importing_evonas_imports_almost_nothing():
    assert (
        run_python(
            "import sys, evonas; print([m for m in sys.modules if m.startswith('evonas.')])"
        ).strip()
        == "[]"
    )


def test_what_the_driver_imports_at_its_start_is_light():
    code = (
        f"import sys, evonas.api, evonas.cli.app; print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    assert run_python(code).strip() == "[]"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_unpickles_evaluates_or_draws_from_the_global_generators(path):
    """Names that must not be used; the one module that lends DEAP the global streams is the exception."""
    forbidden = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
    tree = ast.parse(path.read_text())
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    }
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not imported & forbidden
    assert not called & {"eval", "exec", "compile"}


def test_the_error_tree_in_the_docstring_is_the_tree():
    from evonas import errors

    drawn = [
        line.split("─ ")[-1].split()[0]
        for line in (errors.__doc__ or "").splitlines()
        if "─ " in line
    ]
    real = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.EvonasError)
    ]
    assert sorted(drawn) == sorted(kind.__name__ for kind in real if kind is not errors.EvonasError)
    codes = {
        line.split("─ ")[-1].split()[0]: line
        for line in (errors.__doc__ or "").splitlines()
        if "exit" in line
    }
    for kind in real:
        if kind.__name__ in codes:
            assert f"exit {kind.exit_code} " in codes[kind.__name__] + " "
