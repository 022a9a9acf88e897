"""Every file of a run, cut short and zero-filled: what follows works, or is refused in a sentence.

A refusal has a documented exit code. There is never a traceback, and never silently another result.
EVONAS_FAULTS=full damages every file at every 64th byte, and a run with real networks, too;
otherwise a few places of each file are tried.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evonas import api
from evonas.errors import EvonasError
from evonas.files import sha256_of
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.reader import RecordReader
from evonas.testing.runs import content, make_run, work
from tests.command import run_evonas
from tests.slow import IS_FULL, few

Hurt = Callable[[Path, int], None]

STEP = 64
SECTOR = 512
PLACES = 16 if IS_FULL else 4
"""In a small file, without the full sweep; in the record and its log, four times as many."""

REFUSALS = {2: "InvalidData", 65: "InvalidRecord", 74: "DiskFailure"}


class Photographer(Observer):
    """Copies the run's directory as a crash would leave it: the record is open and has a log."""

    def __init__(self, root: Path, target: Path, at: int) -> None:
        self.root, self.target, self.at = root, target, at

    def on_outcome(self, *about: object) -> None:
        self.at -= 1
        # By another process: closing the record's file here would drop the locks of this one.
        if self.at == 0:
            subprocess.run(["cp", "-a", str(self.root), str(self.target)], check=True)


class Runs:
    """A run as it was in the middle, and at its end; and a copy to damage."""

    def __init__(self, folder: Path) -> None:
        self.root = make_run(folder, "budget.trials=7")
        live, sealed = folder / "live", folder / "sealed"
        work(self.root, observers=[Photographer(self.root, live, 5)])
        (live / "checkpoints" / "00099.npz").write_bytes(b"x" * 300)
        self.root.rename(sealed)
        self.templates = {"live": live, "sealed": sealed}
        self.content = content(sealed)

    def fresh(self, kind: str) -> Path:
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.templates[kind], self.root)
        return self.root

    def files(self, kind: str) -> list[Path]:
        root = self.templates[kind]
        return sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("damage"))


def places(size: int, is_record: bool, step: int) -> Iterator[int]:
    """Where a file is cut: every `step` bytes, or at some of them, with the first and the last."""
    if not IS_FULL:
        wanted = PLACES * (4 if is_record else 1)
        step = max(step, size // wanted // STEP * STEP)
    yield from range(0, size, step)
    if size:
        yield size - 1


def cut(path: Path, at: int) -> None:
    os.truncate(path, at)


def zero_tail(path: Path, at: int) -> None:
    size = path.stat().st_size
    os.truncate(path, at)
    os.truncate(path, size)


def zero_sector(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(bytes(min(SECTOR, path.stat().st_size - at)))


def look(root: Path, where: object) -> None:
    """`show`, `list` and `audit` of a damaged run."""
    for arguments in (("show", root), ("list", "--runs", root.parent), ("audit", root)):
        done = run_evonas(*arguments)
        code, said = done.returncode, done.stderr
        is_refused = code in (65, 74) or (code == 2 and "there is no run" in said)
        assert code == 0 or is_refused, (where, arguments, code, said)
        assert "Traceback" not in said + done.stdout, (where, arguments)
        assert "bug of evonas" not in said, (where, arguments, said)
        assert code == 0 or len(said.strip()) > 20, (where, arguments)


def refused(error: EvonasError, where: object) -> int:
    assert type(error).__name__ == REFUSALS.get(error.exit_code), (where, repr(error))
    assert len(str(error)) > 20, (where, repr(error))
    return error.exit_code


def resumed(runs: Runs, where: object) -> int:
    """The exit code of a resume; 0 only if the result is that of an uninterrupted run."""
    try:
        run = work(runs.root)
    except EvonasError as error:
        return refused(error, where)
    assert run.is_finished, where
    assert content(runs.root) == runs.content, where
    assert run.result is not None, where
    assert sha256_of(run.artefacts["model"]) == run.result["sha256"], where
    return 0


def seen(root: Path) -> str:
    """What is left of a damaged record; empty where it is refused."""
    try:
        with RecordReader(root / "run.db") as record:
            record.verify()
            return str(record.meta("checksum"))
    except EvonasError:
        return ""


def sweep(runs: Runs, kind: str, hurt: Hurt) -> dict[str, dict[int, int]]:
    """Damage every file in turn; how often each exit code was met, by file.

    SQLite forgets what stands half in its log, so many cuts leave the same record. It is resumed
    once.
    """
    found: dict[str, dict[int, int]] = {}
    for name in runs.files(kind):
        size = (runs.templates[kind] / name).stat().st_size
        is_record = name.name.startswith("run.db")
        codes = found.setdefault(name.as_posix(), {})
        proven: set[str] = set()
        step = SECTOR if hurt is zero_sector else STEP
        for number, at in enumerate(places(size, is_record, step)):
            where = (kind, name.as_posix(), hurt.__name__, at)
            root = runs.fresh(kind)
            hurt(root / name, at)
            if is_record and number % (96 if IS_FULL else 8) == 0:
                look(root, where)
            left = seen(root) if is_record else ""
            code = 0 if left in proven else resumed(runs, where)
            if left and code == 0:
                proven.add(left)
            codes[code] = codes.get(code, 0) + 1
    return found


@pytest.mark.parametrize("kind", ["live", "sealed"])
@pytest.mark.parametrize("hurt", few([cut, zero_tail, zero_sector], zero_tail))
@pytest.mark.timeout(7200)
def test_every_file_damaged_one_by_one(runs, kind, hurt):
    found = sweep(runs, kind, hurt)
    refused = {name for name, codes in found.items() if set(codes) - {0}}
    allowed = ("run.db", "weights/")
    assert all(name.startswith(allowed) for name in refused), found
    if kind == "sealed":
        assert "run.db" in refused, "a record cannot lose its content and be whole"
    else:  # there, every page of the record is in its log, too
        assert set(found["run.db-shm"]) == {0}, "the shared memory holds nothing of its own"


@pytest.mark.parametrize("kind", ["live", "sealed"])
def test_every_file_but_the_record_missing(runs, kind):
    for name in runs.files(kind):
        if name.name != "run.db":
            root = runs.fresh(kind)
            (root / name).unlink()
            code = resumed(runs, (kind, name))
            assert code == 0 or name.parts[0] == "weights", name


def test_what_a_finished_run_has_lost_is_made_again(runs):
    root = runs.fresh("sealed")
    before = {name: (root / name).read_bytes() for name in ("best.json", "genealogy.svg")}
    record = (root / "run.db").read_bytes()
    assert resumed(runs, "whole") == 0
    assert (root / "run.db").read_bytes() == record, "a whole run is left as it is"
    (root / "best.json").write_text("{}")
    (root / "genealogy.svg").unlink()
    assert resumed(runs, "lost") == 0
    assert {name: (root / name).read_bytes() for name in before} == before


@pytest.mark.full
@pytest.mark.timeout(7200)
def test_a_run_with_real_networks(tmp_path):
    settings = [
        "run=real",
        "budget.trials=2",
        "training.epochs=1",
        "pool={inline: {}}",
        "strategy=random",
    ]
    root = api.run("digits", overrides=settings, runs=tmp_path).directory
    reference, whole = content(root), tmp_path / "whole"
    root.rename(whole)
    for path in sorted(item.relative_to(whole) for item in whole.rglob("*") if item.is_file()):
        size = (whole / path).stat().st_size
        for hurt in (cut, zero_tail):
            for at in {0, size // 2 // STEP * STEP, max(0, size - STEP)}:
                shutil.rmtree(root, ignore_errors=True)
                shutil.copytree(whole, root)
                hurt(root / path, at)
                try:
                    run = api.resume(root)
                except EvonasError as error:
                    refused(error, (path, hurt, at))
                else:
                    assert content(root) == reference
                    assert run.result is not None
                    assert sha256_of(root / "best.keras") == run.result["sha256"]
