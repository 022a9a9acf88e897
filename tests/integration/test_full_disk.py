"""Disks that are really full, or really read-only: a small tmpfs, which only root may mount."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from evonas.errors import DiskFailure
from evonas.evaluate.contract.protocol import TrainJob
from evonas.files import write_whole
from evonas.runtime.loop.observer import Observer
from evonas.testing.runs import SMALL_SPACE, content, make_run, work
from evonas.testing.stub_pool import StubPool
from evonas.trial import Cause, Details, Outcome, TrialState
from tests.command import run_evonas

CHECKOUT = Path(__file__).parents[2]
SCRIPTS = Path(sys.executable).parent
SHELL = {"COLUMNS": "500", "PATH": os.pathsep.join([str(SCRIPTS), os.environ["PATH"]])}
"""A wide terminal, and a shell that finds this evonas by its name."""
SPACE = SMALL_SPACE.replace("{choice: [4, 8, 16]}", "{int: [4, 64]}")
CHANGES = (
    "strategy={evolution: {population: 5}}",
    "budget.trials=40",
    "storage.free_mb=0",
)


def mounted(folder: Path, size: str) -> bool:
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True
    )
    return done.returncode == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB."""
    folder = tmp_path / "disk"
    if not mounted(folder, "8m"):
        pytest.skip("no tmpfs can be mounted here: that takes root, and a container that lets it")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


class Writer(StubPool):
    """Answers as a real worker does where its files cannot be written.

    Attributes:
        weight: bytes of each checkpoint, which stubs have none of.
    """

    weight = 0

    def _answer(self, job, epochs):
        try:
            if self.weight and isinstance(job, TrainJob) and job.checkpoint:
                path = Path(self._setup.directory, job.checkpoint)
                write_whole(path, lambda file: file.write(b"0" * self.weight))
            return super()._answer(job, epochs)
        except DiskFailure as error:
            return Outcome(TrialState.LOST, message=str(error), details=Details(cause=Cause.DISK))


class HeavyWriter(Writer):
    weight = 200_000


def create(folder: Path, runs: Path) -> Path:
    return make_run(folder, *CHANGES, space=SPACE, runs=runs)


def fill(path: Path, leave: int = 0) -> None:
    """A file that takes all the space there is, but so many bytes."""
    with path.open("wb", buffering=0) as file:
        with pytest.raises(OSError, match="No space left"):
            while True:
                file.write(b"\0" * 65536)
    with path.open("r+b") as file:
        file.truncate(max(path.stat().st_size - leave, 0))


class Fill(Observer):
    """Fills the disk after so many outcomes."""

    def __init__(self, ballast: Path, after: int, leave: int) -> None:
        self.ballast, self.left, self.leave = ballast, after, leave
        self.notes: list[str] = []

    def on_note(self, text: str) -> None:
        self.notes.append(text)

    def on_outcome(self, trial, outcome, attempt, final) -> None:
        self.left -= 1
        if self.left == 0:
            fill(self.ballast, self.leave)


@pytest.fixture
def reference(tmp_path: Path) -> list[tuple[object, ...]]:
    root = create(tmp_path / "reference", tmp_path / "reference")
    work(root, pool=Writer)
    return content(root)


def test_a_disk_that_becomes_full_at_any_moment_ends_with_74_and_a_resume_ends_the_same(
    disk: Path, tmp_path: Path, reference: list[tuple[object, ...]]
) -> None:
    """Room is left for none, one or a few of the next writes: each kind of file fails first."""
    said = set()
    light = [(leave, Writer) for leave in (0, 4096, 8192, 20480, 65536)]
    for number, (leave, pool) in enumerate((*light, (65536, HeavyWriter), (131072, HeavyWriter))):
        root = create(tmp_path / str(number), disk / str(number))
        with pytest.raises(DiskFailure, match=r"Nothing .*lost") as raised:
            work(root, observers=[Fill(disk / "ballast", 10 + number, leave)], pool=pool)
        assert raised.value.exit_code == 74
        said.add("a worker" if "has not helped" in str(raised.value) else "the record")
        done = content(root)
        assert 5 <= sum(row[10] != "waiting" for row in done) < 40
        assert {row[10] for row in done} <= {"ok", "diverged", "waiting"}
        (disk / "ballast").unlink()
        assert work(root, pool=pool).is_finished
        assert content(root) == reference
        assert len(list((root / "weights").iterdir())) <= 5 + 10 + 5
    assert said == {"the record", "a worker"}, "each must be shown to fail"


def test_a_resume_on_a_disk_that_is_still_full_is_one_sentence_and_loses_nothing(
    disk: Path, tmp_path: Path, reference: list[tuple[object, ...]]
) -> None:
    root = create(tmp_path, disk)
    with pytest.raises(DiskFailure):
        work(root, observers=[Fill(disk / "ballast", 10, 0)], pool=Writer)
    fill(disk / "more")
    before = content(root)
    for _ in range(3):
        done = command("resume", root)
        assert done.returncode == 74, done.stderr
        assert "Traceback" not in done.stderr
        assert f"evonas resume {root}" in done.stderr
        assert content(root) == before
    assert command("show", root).returncode == 0
    (disk / "ballast").unlink()
    (disk / "more").unlink()
    work(root, pool=Writer)
    assert content(root) == reference


def command(*arguments: object) -> CompletedProcess[str]:
    return run_evonas(*arguments, **SHELL)


def stopped(root: Path) -> None:
    """A run that was stopped in the middle, as by Ctrl-C."""

    class Stop(Observer):
        left = 10

        def on_outcome(self, trial, outcome, attempt, final) -> None:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(root, observers=[Stop()], pool=Writer)
    assert not (root / "run.db-wal").exists()


def killed(root: Path) -> None:
    """A run whose driver was killed: the record has its log beside it."""
    script = (
        "import sys, stub_runs; from pathlib import Path; stub_runs.work_inside(Path(sys.argv[1]))"
    )
    path = f"{Path(__file__).parent}{os.pathsep}{CHECKOUT}"
    environment = {**os.environ, "PYTHONPATH": path, "EVONAS_FAILPOINT": "150"}
    done = subprocess.run(
        [sys.executable, "-c", script, str(root)], env=environment, capture_output=True
    )
    assert done.returncode == -9, done.stderr
    assert (root / "run.db-wal").stat().st_size > 0


@pytest.mark.parametrize("ended", [stopped, killed])
def test_a_read_only_run_can_be_looked_at_and_not_resumed(
    disk: Path, tmp_path: Path, ended: Callable[[Path], None]
) -> None:
    root = create(tmp_path, disk)
    ended(root)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(OSError, match="Read-only"):
        (root / "probe").write_bytes(b"")
    done = command("resume", root)
    assert done.returncode == 74
    first, *rest = done.stderr.strip().splitlines()
    assert first == f"evonas: the run at {root} is not writable: Read-only file system."
    assert rest == [f"  To go on:  evonas resume {root}"]
    for arguments, words in (
        (("show", root, "--trials"), "Best so far: trial"),
        (("list", "--runs", disk), "/40"),
        (("genealogy", root), "How trial"),
        (("genealogy", root, "--format", "json"), "{"),
    ):
        shown = command(*arguments)
        assert shown.returncode == 0, shown.stderr
        assert words in shown.stdout
        assert shown.stderr == ""


@pytest.mark.full
def test_real_trainings_on_a_disk_that_becomes_full(disk: Path, tmp_path: Path) -> None:
    changes = (
        "budget.trials=6",
        "training.epochs=1",
        "look_ahead=4",
        "strategy={evolution: {population: 4}}",
    )
    settings = [part for change in changes for part in ("--set", change)]
    plain = command("run", "digits", "--runs", tmp_path / "plain", *settings)
    assert plain.returncode == 0, plain.stderr
    root = disk / "digits"
    real = [str(SCRIPTS / "evonas"), "run", "digits", "--runs", str(disk)]
    real += [*settings, "--set", "storage.free_mb=0"]
    with subprocess.Popen(
        real,
        env={**os.environ, **SHELL},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        while outcomes(root) < 2 and process.poll() is None:
            time.sleep(0.05)
        fill(disk / "ballast")
        _, complaint = process.communicate()
    assert process.returncode == 74, complaint
    assert "Traceback" not in complaint
    assert f"To go on:  evonas resume {root}" in complaint
    assert {row[10] for row in content(root)} <= {"ok", "infeasible", "diverged", "waiting"}, (
        "and no `lost`"
    )
    (disk / "ballast").unlink()
    done = command("resume", root)
    assert done.returncode == 0, done.stderr
    assert content(root) == content(tmp_path / "plain" / "digits")
    assert (root / "best.keras").is_file()


def outcomes(root: Path) -> int:
    return sum(row[10] != "waiting" for row in content(root)) if (root / "run.db").exists() else 0
