"""How the code reads, as far as that can be counted; `scripts/reading.py` counts it."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

_spec = importlib.util.spec_from_file_location("reading", ROOT / "scripts" / "reading.py")
assert _spec is not None
assert _spec.loader is not None
reading = importlib.util.module_from_spec(_spec)
sys.modules["reading"] = reading  # a dataclass looks its module up there
_spec.loader.exec_module(reading)

ROOMS_OF_FAMILIES = (
    "data",
    "evaluate/pools",
    "export",
    "learning",
    "runtime",
    "search",
)


def test_every_module_says_what_it_is() -> None:
    modules = sorted((ROOT / "evonas").rglob("*.py"))
    assert [path for path in modules if not ast.get_docstring(ast.parse(path.read_text()))] == []


def test_no_expression_holds_too_much() -> None:
    modules = sorted((ROOT / "evonas").rglob("*.py"))
    assert [rule for path in modules for rule in reading.broken_rules(path)] == []


def test_hooks_are_declared_and_not_looked_for() -> None:
    found = []
    for path in sorted((ROOT / "evonas").rglob("*.py")):
        place = path.relative_to(ROOT / "evonas").as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            is_default = node.func.id == "getattr" and len(node.args) == 3
            # Elsewhere, it asks objects that are not evonas's: Keras's layers, streams, modules.
            is_hook = is_default and place.startswith(ROOMS_OF_FAMILIES)
            if node.func.id == "hasattr" or is_hook:
                found.append(f"{place}:{node.lineno}")
    assert found == []


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("total = (found := look()) + 1", "walrus"),
        ("word = 'a' if x else 'b' if y else 'c'", "conditional"),
        ("both = [a for a in x] + [b for b in y]", "2 comprehensions"),
        ("for a in [b for b in x if all(c for c in b)]:\n    pass", "2 comprehensions"),
        ("if found := look():\n    pass", ""),
        ("for a in [b for b in x]:\n    c = [d for d in a]", ""),
        ("word = 'a' if x else 'b'", ""),
    ],
)
def test_an_expression_that_holds_too_much_is_found(code: str, rule: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(code)
    broken = reading.broken_rules(tmp_path / "module.py")
    assert len(broken) == bool(rule)
    assert all(rule in line for line in broken)


def test_density_is_nodes_through_lines_without_the_docstring() -> None:
    (function,) = ast.parse('def f():\n    """Says it."""\n    a = 1\n    return a\n').body
    # Assign, Name, Store, Constant; Return, Name, Load: seven nodes on two lines
    assert reading.density(function) == 7 / 2


def _qualified(tree: ast.Module, module: str) -> dict[str, str]:
    """What the names of a module stand for: `Fitness` -> `evonas.trial.Fitness`."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.ClassDef):
            found[node.name] = f"{module}.{node.name}"
    return found


def test_no_class_derives_from_one_that_is_made() -> None:
    derived: dict[str, str] = {}
    made: set[str] = set()
    for path in sorted((ROOT / "evonas").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        tree = ast.parse(path.read_text())
        names = _qualified(tree, module)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                for base in node.bases:
                    if isinstance(base, ast.Name):
                        derived[names.get(base.id, base.id)] = f"{module}.{node.name}"
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                made.add(names.get(node.func.id, node.func.id))
    ours = {name for name in derived.keys() & made if name.startswith("evonas.")}
    # An error may be of a kind that is raised itself.
    concrete = {name for name in ours if not name.startswith("evonas.errors.")}
    assert {base: derived[base] for base in concrete} == {}
