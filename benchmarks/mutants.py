"""Puts small faults into the package, one at a time, and sees whether a test fails for each.

    python -m benchmarks.mutants       a seeded sample of 150; a killed run continues where it was
        --now N          try at most N of them now
        --again          try the survivors again, after tests were written
        --list           print the sample and try nothing

First the narrow tests of the changed module are run, then all tests of its room. A set of tests is
run without any mutation before it judges one: a red one would kill everything. The checkout is left
alone. The package and its tests are copied to `build/mutants`, where the results are kept as well.

A mutation that survives is either the next test to write, or needs a line with its reason in
`benchmarks/results/mutants.md`. Without one, the exit code is 1.

Why not a tool: mutmut 3 changes nothing in dataclasses and outside of functions, where the settings
of evonas are. Cosmic Ray has one test command for all modules. Neither draws a seeded sample.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.mutations import Mutation, sample

ROOT = Path(__file__).parents[1]
ROOMS = {
    "evonas/search": ["tests/search", "tests/contracts/test_strategy.py"],
    "evonas/insight": ["tests/insight"],
    "evonas/export": ["tests/export", "tests/test_experiments.py"],
}
"""The folders that are mutated, and all tests of each."""
SNAPSHOTS = {"tests/search/strategies/test_golden.py"}
"""Tests that any change breaks: they would kill every mutation, and say nothing about it."""
MOST_NARROW = 6
"""Test files of one module; of more, the first ones are taken."""
FOLDERS = ("evonas", "tests", "benchmarks", "configs", "genomes", "docs", "scripts")
FILES = ("runs/README.md", "pyproject.toml", "Makefile", "README.md")
"""What is copied: all that a test may read."""
LONGEST = 3600.0
"""Seconds that a set of tests may take without a mutation."""
SLOWER = 5.0
"""How many times as long it may take with one. A loop without an end is found by that."""
MEMORY = 4 << 30
"""Bytes that a process of the tests may take. A loop without an end may fill a list."""


def imported(file: Path, root: Path) -> set[str]:
    """The modules that a file names in its imports; through a package, the module behind it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        module = node.module if isinstance(node, ast.ImportFrom) else None
        if isinstance(node, ast.ImportFrom) and module and module.startswith("evonas."):
            names = [one.name for one in node.names]
            found |= {module, *(f"{module}.{name}" for name in names)}
            package = root / module.replace(".", "/") / "__init__.py"
            if package.is_file():
                found |= _behind(package, names)
    return found


def _behind(package: Path, names: Sequence[str]) -> set[str]:
    """The modules from which a package takes these names."""
    found = set()
    for node in ast.walk(ast.parse(package.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module for one in node.names if one.name in names}
    return found


def room_of(path: str) -> str:
    """The room of `ROOMS` that a file belongs to."""
    return next(room for room in ROOMS if path.startswith(f"{room}/"))


def narrow_tests(path: str, root: Path = ROOT) -> list[str]:
    """The test files of a module: those of its name or its folder's, then those that import it.

    A module that no test imports is tested through the modules that import it.
    """
    found = _direct_tests(path, root)
    if not found:
        module = _dotted(path)
        for user in sorted((root / room_of(path)).rglob("*.py")):
            if module in imported(user, root):
                found += _direct_tests(user.relative_to(root).as_posix(), root)
    return list(dict.fromkeys(found))[:MOST_NARROW]


def _dotted(path: str) -> str:
    return path.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")


def _direct_tests(path: str, root: Path) -> list[str]:
    own = [f"test_{Path(path).stem}.py", f"test_{Path(path).parent.name}.py"]
    named, importing = [], []
    for test in sorted((root / room_of(path).replace("evonas", "tests", 1)).rglob("test_*.py")):
        name = test.relative_to(root).as_posix()
        if name in SNAPSHOTS:
            continue
        if test.name in own:
            named.append(name)
        elif _dotted(path) in imported(test, root):
            importing.append(name)
    return named + importing


class Scratch:
    """A copy of the package and its tests, in which one file at a time is changed."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.root = folder / "copy"
        shutil.rmtree(self.root, ignore_errors=True)
        for name in (*FOLDERS, *FILES):
            source, target = root / name, self.root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.is_file():
                shutil.copy(source, target)
        # With bytecode, a change of one byte within a second would go unnoticed.
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(self.root),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        code = "import evonas; print(evonas.__file__)"
        command = [sys.executable, "-c", code]
        used = subprocess.check_output(command, cwd=self.root, env=self._environment, text=True)
        if not Path(used.strip()).is_relative_to(self.root):
            raise SystemExit(f"the tests would import {used.strip()}, which is not the copy")

    def verdict(self, tests: Sequence[str], seconds: float, one: Mutation | None = None) -> str:
        """The first test that fails for a mutation, or what else ended it; empty if it survived."""
        if one is None:
            return self._first_failure(tests, seconds)
        path = self.root / one.path
        source = path.read_bytes()
        path.write_bytes(one.applied(source))
        try:
            return self._first_failure(tests, seconds)
        finally:
            path.write_bytes(source)

    def _first_failure(self, tests: Sequence[str], seconds: float) -> str:
        options = ["-q", "-x", "--no-header", "--tb=no", "-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", *options, *tests]
        with subprocess.Popen(
            command,
            cwd=self.root,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY)),
        ) as process:
            try:
                said, _ = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                return f"no end in {seconds:.0f} s"
            finally:
                # The whole session: a test may have started processes of its own.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        if process.returncode == 0:
            return ""
        # Another program has ended the tests, or the kernel has: that is no verdict.
        if process.returncode in (-signal.SIGTERM, -signal.SIGKILL):
            raise SystemExit("the tests were ended from outside; call again to continue")
        for line in said.splitlines():
            if line.startswith(("FAILED ", "ERROR ")):
                return line.split(" ", 1)[1].partition(" - ")[0]
        return f"pytest ended with {process.returncode}"


class Sound:
    """What the tests say without any mutation, kept in a file as long as no file changes."""

    def __init__(self, scratch: Scratch, file: Path) -> None:
        self._scratch = scratch
        self._file = file
        digest = hashlib.sha256()
        for path in sorted(scratch.root.rglob("*.py")):
            digest.update(path.read_bytes())
        self._of = digest.hexdigest()
        known = json.loads(file.read_text()) if file.is_file() else {}
        self._known: dict[str, list[Any]] = known.get(self._of, {})

    def of(self, tests: Sequence[str]) -> tuple[str, float]:
        """The first failure, empty if there is none; and the seconds that these tests take."""
        chosen = " ".join(tests)
        if chosen not in self._known:
            begun = time.monotonic()
            failure = self._scratch.verdict(tests, LONGEST)
            self._known[chosen] = [failure, time.monotonic() - begun]
            self._file.write_text(json.dumps({self._of: self._known}, indent=1) + "\n")
        failure, seconds = self._known[chosen]
        return failure, seconds


def tried(one: Mutation, scratch: Scratch, sound: Sound) -> dict[str, str]:
    """What became of a mutation."""
    stages = {"narrow": narrow_tests(one.path, scratch.root), "wide": ROOMS[room_of(one.path)]}
    for stage, tests in stages.items():
        if not tests:
            continue
        without, seconds = sound.of(tests)
        if without:
            return {"state": "red", "by": without}
        # Never less than a minute: another program may keep the machine busy.
        by = scratch.verdict(tests, max(60.0, SLOWER * seconds), one)
        if by:
            return {"state": stage, "by": by}
    return {"state": "survived", "by": ""}


def explained(page: Path) -> set[str]:
    """The mutations of which the page says why they survive: `| mutation | survives: ... |`."""
    if not page.is_file():
        return set()
    found = set()
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("| "):
            # Within a cell, a bar is written with a backslash before it.
            mutation, verdict = re.split(r"(?<!\\)\|", line)[1:3]
            if verdict.strip().startswith("survives: "):
                found.add(mutation.strip().replace("\\|", "|"))
    return found


def report(results: dict[str, dict[str, str]], left: int, page: Path) -> Iterator[str]:
    """The counts, and every survivor; those without an explanation are marked."""
    states = [result["state"] for result in results.values()]
    yield (
        f"{len(results)} mutations: {states.count('narrow')} killed by the tests of their module,"
        f" {states.count('wide')} by others of their room, {states.count('survived')} survived;"
        f" {left} of the sample are left."
    )
    known = explained(page)
    for key, result in results.items():
        if result["state"] == "survived":
            yield f"{'explained' if key in known else 'UNEXPLAINED'}: {key}"
        elif result["state"] == "red":
            yield f"NOT TRIED, its tests fail without it ({result['by']}): {key}"


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(description="Small faults, and the tests that find them.")
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--now", type=int, default=None)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(arguments)
    chosen = sample(options.count, options.seed, root, ROOMS)
    if options.list:
        print(*[one.key for one in chosen], sep="\n")
        return 0
    folder = root / "build" / "mutants"
    file = folder / "results.json"
    known: dict[str, dict[str, str]] = json.loads(file.read_text()) if file.is_file() else {}
    undecided = {"red", "survived"} if options.again else {"red"}
    # A result of code that has changed since is dropped.
    results = {}
    for one in chosen:
        if one.key in known and known[one.key]["state"] not in undecided:
            results[one.key] = known[one.key]
    left = [one for one in chosen if one.key not in results]
    scratch = Scratch(root, folder)
    sound = Sound(scratch, folder / "sound.json")
    for one in left[: options.now]:
        result = tried(one, scratch, sound)
        results[one.key] = result
        print(f"{result['state']:9}{one.key}\n         {result['by']}", flush=True)
        # Whole or not at all: the run may be killed at any time.
        unfinished = file.with_suffix(".tmp")
        unfinished.write_text(json.dumps(results, indent=1) + "\n")
        unfinished.replace(file)
    page = root / "benchmarks" / "results" / "mutants.md"
    lines = list(report(results, len(chosen) - len(results), page))
    print(*lines, sep="\n")
    return int(any(line.startswith(("UNEXPLAINED", "NOT TRIED")) for line in lines))


if __name__ == "__main__":
    # So that a run that is ended takes the tests that it has started with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
