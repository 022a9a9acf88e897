"""The tool behind `make mutants`: what it changes, what it runs, and what it reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.mutants import ROOT, explained, main, narrow_tests, report
from benchmarks.mutations import Mutation, mutations, sample

CASES = [
    ("a = b < c", {"a = b <= c", "a = b > c"}),
    ("a = b is not None", {"a = b is None"}),
    ("a = b not in c", {"a = b in c"}),
    ("a = (b + c) * d", {"a = (b - c) * d", "a = (b + c) / d"}),
    ("a = b // c", {"a = b * c"}),
    ("a = 'b' + c", set()),
    ("a = 3", {"a = 4"}),
    ("a = 0.5", {"a = 1.0"}),
    ("a = 0.0", {"a = 1.0"}),
    ("a = True", {"a = False"}),
    ("a = -b", {"a = +b"}),
    ("a = not b", {"a = b"}),
    ("a = b and c or d", {"a = b or c or d", "a = b and c and d"}),
    ("a = min(b, c)", {"a = max(b, c)", "a = min(c, b)"}),
    ("a = np.argmax(b)", {"a = np.argmin(b)"}),
    ("a = b[:c]", {"a = b[:(c) - 1]", "a = b[-(c) :]"}),
    ("a = b[c:]", {"a = b[(c) + 1:]", "a = b[c: -1]"}),
    ("a: Annotated[int, Ge(2)] = 16", {"a: Annotated[int, Ge(2)] = 17"}),
    ("a.add(b)", {"pass"}),
    ("a += b", {"a -= b", "pass"}),
    ("a = b if c else d", {"a = b if not (c) else d"}),
    ("a = [b for b in c if d]", {"a = [b for b in c if True]"}),
    ("a = f'{b + 1}'", set()),
    ("a = zip(b, strict=True)", set()),
    ("raise A(b + 1)", set()),
    ("def a() -> bool:\n    return b", {"def a() -> bool:\n    return not (b)"}),
    ("def a() -> str | None:\n    return b", {"def a() -> str | None:\n    return None"}),
    ("def a() -> list[int]:\n    return b", {"def a() -> list[int]:\n    return (b)[:0]"}),
    ("def a(b=1): ...", {"def a(b=2): ..."}),
    ('"""A page."""\nimport a', set()),
]


@pytest.mark.parametrize(("code", "expected"), CASES, ids=[code for code, _ in CASES])
def test_a_place_is_changed_in_these_ways(code: str, expected: set[str], tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(code + "\n")
    source = path.read_bytes()
    found = [one.applied(source).decode().rstrip("\n") for one in mutations(path, tmp_path)]
    assert set(found) == expected
    assert len(found) == len(expected)


def test_a_change_without_a_meaning_is_none() -> None:
    source = b"a = [b for b in c if True]\n"
    assert not Mutation("m.py", "", 21, 25, "True", "").is_another_program(source)
    assert not Mutation("m.py", "", 21, 25, "is is", "").is_another_program(source)
    assert Mutation("m.py", "", 21, 25, "False", "").is_another_program(source)


def test_the_sample_is_a_function_of_its_seed_and_covers_many_places() -> None:
    folders = ["evonas/export", "evonas/search/selection"]
    drawn = sample(40, 0, ROOT, folders)
    keys = [one.key for one in drawn]
    assert keys == [one.key for one in sample(40, 0, ROOT, folders)]
    assert keys != [one.key for one in sample(40, 1, ROOT, folders)]
    assert len(set(keys)) == 40
    assert len({(one.path, one.unit) for one in drawn}) > 20
    for one in drawn:
        assert one.is_another_program((ROOT / one.path).read_bytes())


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        ("evonas/search/rungs.py", ["tests/search/test_rungs.py", "tests/search/test_halving.py"]),
        ("evonas/search/selection/wheel.py", ["tests/search/test_selection.py"]),
        ("evonas/export/fresh.py", ["tests/export/test_fresh.py"]),
    ],
)
def test_the_tests_of_a_module_are_those_of_its_name_and_those_that_import_it(
    module: str, tests: list[str]
) -> None:
    assert narrow_tests(module)[: len(tests)] == tests


def test_a_module_that_no_test_names_is_tested_through_its_users() -> None:
    assert "tests/search/strategies/test_nsga.py" in narrow_tests(
        "evonas/search/strategies/front_search.py"
    )


MODULE = """
def inner(a):
    return a < 1

def outer(a):
    return a // 3
"""
NARROW = "from evonas.search.small import inner\ndef test_inner(): assert inner(0)\n"
WIDE = "from evonas.search.use import third\ndef test_third(): assert third(7) == 2\n"


def checkout(root: Path) -> Path:
    """A package of its own with a module, its tests, and a test that uses it from afar."""
    files = {
        "evonas/__init__.py": "",
        "evonas/search/small.py": MODULE,
        "evonas/search/use.py": "from evonas.search import small\nthird = small.outer\n",
        "tests/search/test_small.py": NARROW,
        "tests/search/test_use.py": WIDE,
        "tests/contracts/test_strategy.py": "def test_nothing(): ...\n",
        "pyproject.toml": "",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def results(root: Path) -> dict[str, str]:
    """The changed line of each mutation -> what became of it."""
    told = json.loads((root / "build" / "mutants" / "results.json").read_text())
    return {key.split("`")[3]: one["state"] for key, one in told.items()}


@pytest.mark.full
def test_a_run_finds_who_fails_continues_and_leaves_the_checkout_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = checkout(tmp_path)
    before = {path: path.read_bytes() for path in root.rglob("*.py")}
    main(["--now", "2"], root)
    first = results(root)
    assert len(first) == 2
    capsys.readouterr()
    assert main([], root) == 1
    said = capsys.readouterr().out
    assert results(root).items() >= first.items()
    assert results(root) == {
        "return a > 1": "narrow",
        "return a <= 1": "survived",
        "return a < 2": "survived",
        "return a * 3": "wide",
        "return a // 4": "wide",
    }
    assert said.count("UNEXPLAINED") == 2
    assert {path: path.read_bytes() for path in before} == before


def test_tests_that_fail_anyway_kill_nothing(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    (root / "tests" / "search" / "test_small.py").write_text("def test_red(): assert False\n")
    assert main(["--now", "1"], root) == 1
    assert set(results(root).values()) == {"red"}


def test_tests_that_another_program_has_ended_are_no_verdict(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    ended = "import os\ndef test_ended(): os.kill(os.getpid(), 15)\n"
    (root / "tests" / "search" / "test_small.py").write_text(ended)
    with pytest.raises(SystemExit, match="ended from outside"):
        main(["--now", "1"], root)
    assert not (root / "build" / "mutants" / "results.json").exists()
    assert not (root / "build" / "mutants" / "sound.json").exists()


def test_a_survivor_needs_an_explanation(tmp_path: Path) -> None:
    key = "evonas/a.py f: `a: int | None = 1` -> `a: int | None = 2`"
    page = tmp_path / "mutants.md"
    told = {key: {"state": "survived", "by": ""}}
    assert "UNEXPLAINED" in list(report(told, 0, page))[1]
    cell = key.replace("|", "\\|")
    page.write_text(f"| mutation | verdict |\n|---|---|\n| {cell} | killed by `a` |\n")
    assert explained(page) == set(), "it was killed, and is not any more"
    page.write_text(f"| mutation | verdict |\n|---|---|\n| {cell} | survives: equal |\n")
    assert explained(page) == {key}
    assert list(report(told, 0, page))[1].startswith("explained: ")
