"""A test that takes long runs somewhere: `make test-faults` lists its file, or the test itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TARGET = (
    (ROOT / "Makefile")
    .read_text(encoding="utf-8")
    .partition("test-faults: ")[2]
    .partition("\n\n")[0]
    .split()
)
MARKED = [
    path
    for path in sorted((ROOT / "tests").rglob("test_*.py"))
    if "mark.full" in path.read_text("utf-8")
]


def is_run(path: Path, test: str) -> bool:
    name = path.relative_to(ROOT).as_posix()
    return any(
        part == name or part == f"{name}::{test}" or name.startswith(f"{part}/") for part in TARGET
    )


@pytest.mark.parametrize(
    "path", [path for path in MARKED if path != Path(__file__)], ids=lambda path: path.stem
)
def test_make_test_faults_runs_what_make_test_leaves_out(path: Path) -> None:
    tests = [
        node
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef)
    ]
    slow = [
        node.name
        for node in tests
        if any("mark.full" in ast.unparse(mark) for mark in node.decorator_list)
    ]
    # a mark elsewhere, on a case or on all tests of a file: the whole file must be listed
    elsewhere = path.read_text("utf-8").count("mark.full") > len(slow)
    assert [name for name in slow if not is_run(path, name)] == []
    assert not elsewhere or is_run(path, "")


def test_a_forgotten_one_is_found() -> None:
    assert not is_run(ROOT / "tests" / "test_api.py", "test_anything")
    assert not is_run(ROOT / "tests" / "faults" / "test_safety.py", "test_yaml_never_runs")
