"""Whatever becomes of its output, a search goes on to its end and the record ends the same."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

import evonas
from evonas import Run, lifecycle
from evonas.streams import LastingStream
from evonas.testing.runs import content
from tests.command import run_evonas
from tests.slow import IS_FULL

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="pipes of one page and orphans need Linux"
)

SPACE = """\
space: s
about: Three letters.
input: none
network: {cell: {length: [2, 4], ops: {a: {}, b: {}, c: {}}}}
"""
JUDGE = """\
def evaluate(genome, epochs):
    letters = [gene.op for gene in genome["cell"]]
    if letters[0] == "c":
        raise ValueError("no \u2026 c")
    return {"score": letters.count("a") + epochs / 100, "size": float(len(letters))}
"""
CONFIG = """\
run: judged
space: ./s.yaml
plugins: [judge_of_letters]
evaluator: {python: {function: "judge_of_letters:evaluate"}}
objectives: [{name: score, direction: max}, {name: size, direction: min}]
strategy: {nsga2: {population: 4}}
training: {epochs: 9}
budget: {trials: 10}
pool: {simulated: {workers: 2}}
"""
EXPERIMENT = """\
experiment: letters
config: ./judged.yaml
strategies: {random: {random: {}}, nsga2: {nsga2: {population: 4}}}
seeds: [1, 2]
changes: {budget.trials: 4}
"""
EVONAS = (sys.executable, "-c", "from evonas.cli import main; main()")
KINDS = (errno.EPIPE, errno.EIO, errno.ENOSPC, errno.EBADF)
SEARCHES = {
    "run": ("run", "judged.yaml"),
    "resume": ("resume", "judged", "--set", "budget.trials=14"),
    "compare": ("compare", "letters.yaml"),
}
READERS: Sequence[Sequence[str]] = (
    ("show", "judged"),
    ("show", "judged", "--trials"),
    ("show", "judged", "--trial", "1"),
    ("show", "judged", "--json", "--trials"),
    ("list",),
    ("genealogy", "judged"),
    ("genealogy", "judged", "--format", "svg"),
    ("audit", "judged"),
    ("check", "judged.yaml"),
    ("space", "s.yaml", "--samples", "2"),
    ("--help",),
)


class Failing:
    """Stands for `os.write`: writes to standard output and standard error fail.

    Attributes:
        at: number of the first write that fails, counted from 1; 0 for none.
        count: writes so far.
    """

    def __init__(self, at: int, number: int, for_ever: bool) -> None:
        self.at = at
        self.count = 0
        self._number = number
        self._for_ever = for_ever
        self._write = os.write

    def __call__(self, descriptor: int, data: bytes) -> int:
        if descriptor in (1, 2):
            self.count += 1
            if self.at and (self.count == self.at or (self._for_ever and self.count > self.at)):
                raise OSError(self._number, os.strerror(self._number))
        return self._write(descriptor, data)


@contextmanager
def failing(at: int, number: int = 0, for_ever: bool = True) -> Iterator[Failing]:
    with mock.patch.object(os, "write", Failing(at, number, for_ever)) as found:
        yield found


def fill(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "s.yaml").write_text(SPACE)
    (folder / "judged.yaml").write_text(CONFIG)
    (folder / "letters.yaml").write_text(EXPERIMENT)
    (folder / "judge_of_letters.py").write_text(JUDGE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def module(tmp_path_factory) -> Iterator[Path]:
    """The folder of the user's function, which this process can import."""
    folder = fill(tmp_path_factory.mktemp("module"))
    with mock.patch.object(sys, "path", [str(folder), *sys.path]):
        yield folder


def records(folder: Path) -> dict[str, object]:
    """What the runs of a folder hold, by the paths of their records."""
    found: dict[str, object] = {}
    for path in sorted((folder / "runs").rglob("run.db")):
        found[str(path.relative_to(folder))] = content(path.parent)
    return found


def prepared(folder: Path, command: str) -> Path:
    """A folder in which a search can begin."""
    fill(folder)
    if command == "resume":
        assert run_evonas(*SEARCHES["run"], cwd=folder).returncode == 0
    return folder


def sweep(count: int, most: int | None) -> Iterator[tuple[int, int, bool]]:
    """Which write fails, how, and whether all after it fail, too.

    Args:
        count: number of writes.
        most: number of cases, spread over the writes and the kinds of failure; None for all.
    """
    if most is None:
        yield from itertools.product(range(1, count + 1), KINDS, (True, False))
        return
    for case in range(most):
        at = 1 + case * count // most
        yield at, KINDS[case % len(KINDS)], case % 2 == 0


@pytest.mark.parametrize(
    ("command", "short", "full"),
    [
        ("run", 4, None),
        ("resume", 2, None),
        pytest.param("compare", 0, 30, marks=pytest.mark.full),
    ],
)
def test_a_search_goes_on_whichever_write_fails(module, tmp_path, command, short, full):
    whole = prepared(tmp_path / "whole", command)
    with failing(0) as writes:
        done = run_evonas(*SEARCHES[command], cwd=whole)
    assert done.returncode == 0, done.stderr
    expected = records(whole)
    assert expected
    assert writes.count > 8
    for case in sweep(writes.count, full if IS_FULL else short):
        at, number, for_ever = case
        folder = prepared(tmp_path / f"{at}-{number}-{for_ever}", command)
        with failing(at, number, for_ever):
            done = run_evonas(*SEARCHES[command], cwd=folder)
        assert (case, done.returncode) == (case, 0)
        assert (case, records(folder)) == (case, expected)
        assert "a bug of evonas" not in done.stderr


@pytest.fixture(scope="module")
def finished(module, tmp_path_factory) -> Path:
    """A folder with a run that has ended."""
    return prepared(tmp_path_factory.mktemp("finished"), "resume")


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_command_that_only_tells_says_so_if_a_reader_misses_something(finished, words):
    before = records(finished)
    with failing(0) as writes:
        told = run_evonas(*words, cwd=finished)
    assert told.returncode == 0, told.stderr
    assert writes.count > 0
    ends = range(1, writes.count + 1) if IS_FULL else (writes.count,)
    for at, number in itertools.product(ends, KINDS if IS_FULL else KINDS[1:3]):
        with failing(at, number, for_ever=False):
            done = run_evonas(*words, cwd=finished)
        # These outputs are files: a terminal that is gone ends in EIO as well, and loses nothing.
        is_lost = number in (errno.ENOSPC, errno.EIO)
        expected = (74, f"could not be written: {os.strerror(number)}") if is_lost else (0, "")
        assert (done.returncode, done.stderr.partition("output ")[2].strip()) == expected
    assert records(finished) == before


def test_an_error_keeps_its_exit_code_if_it_cannot_be_told(finished):
    for number in KINDS:
        with failing(1, number):
            done = run_evonas("show", "nowhere", cwd=finished)
        assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("{} <&- >&- 2>&-", id="all three closed"),
        pytest.param("{} >&-", id="output closed", marks=pytest.mark.full),
        pytest.param("{} >/dev/full 2>/dev/full", id="disk full", marks=pytest.mark.full),
        pytest.param(
            "exec 3>&1; ({}; echo $? >&3) | true", id="reader gone", marks=pytest.mark.full
        ),
        pytest.param(
            "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 {} >out.txt",
            id="plain ASCII",
            marks=pytest.mark.full,
        ),
    ],
)
def test_with_real_workers_and_real_failures(module, tmp_path, line):
    """The workers are forked by a process whose standard streams are those of evonas."""
    folder = fill(tmp_path)
    evonas = [*EVONAS, *SEARCHES["run"]]
    done = subprocess.run(
        ["sh", "-c", line.format('"$@" --set "pool={local: {workers: 2}}"'), "sh", *evonas],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parents[2]}:{module}"},
    )
    assert done.returncode == 0, done.stderr
    if "| true" in line:
        assert done.stdout == "0\n"
    if "out.txt" in line:
        assert "ValueError: no \\u2026 c" in (folder / "out.txt").read_text("ascii")
    (found,) = records(folder).values()
    assert found == judged_alone(module, tmp_path / "alone")


def judged_alone(module: Path, folder: Path) -> object:
    """The content of the same run in this process."""
    done = run_evonas(*SEARCHES["run"], cwd=fill(folder))
    assert done.returncode == 0, done.stderr
    (found,) = records(folder).values()
    return found


def test_a_terminal_that_is_closed_ends_nothing(module, tmp_path):
    folder = fill(tmp_path)
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [*EVONAS, *SEARCHES["run"]],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "TERM": "xterm", "PYTHONPATH": f"{Path(__file__).parents[2]}:{module}"},
    ) as search:
        os.close(theirs)
        seen = b""
        while b"judge" not in seen:
            seen += os.read(ours, 4096)
        os.close(ours)
        assert search.wait() == 0
    (found,) = records(folder).values()
    assert found == judged_alone(module, tmp_path / "alone")


def held_pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    room = fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    # Not even the first line finds room.
    os.write(writer, b"x" * room)
    return reader, writer


def stopped_terminal() -> tuple[int, int]:
    ours, theirs = os.openpty()
    ctrl_s = b"\x13"
    os.write(ours, ctrl_s)
    return ours, theirs


@contextmanager
def with_a_held_output(
    folder: Path, module: Path, make: Callable[[], tuple[int, int]], *changes: str
) -> Iterator[subprocess.Popen[bytes]]:
    """`evonas run`, of which nobody takes the output and the complaints."""
    ours, theirs = make()
    command = [*EVONAS, *SEARCHES["run"]]
    for change in changes:
        command += ["--set", change]
    environment = {"TERM": "xterm", "PYTHONPATH": f"{Path(__file__).parents[2]}:{module}"}
    try:
        with subprocess.Popen(
            command,
            cwd=folder,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, **environment},
        ) as search:
            yield search
    finally:
        os.close(theirs)
        os.close(ours)


def wait_for(search: subprocess.Popen[bytes], condition: Callable[[Run], bool]) -> None:
    """Until the run is so. A test that waits for ever is ended by pytest-timeout."""
    while not (RUN.is_file() and condition(evonas.load(RUN.parent))):
        assert search.poll() is None
        time.sleep(0.1)


RUN = Path("runs/judged/run.db")


@linux
@pytest.mark.parametrize(
    "make", [held_pipe, pytest.param(stopped_terminal, marks=pytest.mark.full)]
)
def test_nobody_takes_the_output_and_the_search_ends_the_same(module, tmp_path, make):
    """Only the report waits, and it listens to a Ctrl-C."""
    with contextlib.chdir(fill(tmp_path)), with_a_held_output(tmp_path, module, make) as search:
        wait_for(search, lambda run: run.is_finished)
        found = content(RUN.parent)
        # The first may come when the session is just ending, which only notes it.
        while search.poll() is None:
            search.send_signal(signal.SIGINT)
            time.sleep(0.1)
        assert search.returncode == 130
    assert found == judged_alone(module, tmp_path / "alone")


@linux
@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.full)],
)
def test_a_search_whose_output_is_held_can_be_stopped(module, tmp_path, number, code):
    changes = ("budget.trials=100000", "max_twins_in_a_row=100000")
    with (
        contextlib.chdir(fill(tmp_path)),
        with_a_held_output(tmp_path, module, held_pipe, *changes) as search,
    ):
        wait_for(search, lambda run: len(run.trials) > 8)
        search.send_signal(number)
        assert search.wait() == code
        assert not evonas.load(RUN.parent).is_finished


LINGERING = """import atexit, multiprocessing, os, subprocess, threading, time


def for_ever():
    while True:
        time.sleep(1)


STARTS = {
    "thread": lambda: threading.Thread(target=for_ever).start(),
    "exit": lambda: atexit.register(os._exit, 9),
    "exit that never ends": lambda: threading._register_atexit(for_ever),
    "child": lambda: multiprocessing.get_context("fork").Process(target=for_ever).start(),
    "daemon": lambda: subprocess.run(["sh", "-c", "setsid sleep 1000 &"]),
}


def evaluate(genome, epochs, hows):
    for how in hows.split(", "):
        if how not in started:
            started.append(how)
            STARTS[how]()
    letters = [gene.op for gene in genome["cell"]]
    return {"score": letters.count("a") + epochs / 100, "size": float(len(letters))}


started = []
"""


@linux
@pytest.mark.parametrize(
    ("pool", "hows"),
    [
        ("inline", "thread, exit, exit that never ends, child, daemon"),
        pytest.param("simulated", "exit, child", marks=pytest.mark.full),
        pytest.param("inline", "thread", marks=pytest.mark.full),
        pytest.param("inline", "exit", marks=pytest.mark.full),
        pytest.param("inline", "exit that never ends", marks=pytest.mark.full),
        pytest.param("inline", "child", marks=pytest.mark.full),
        pytest.param("inline", "daemon", marks=pytest.mark.full),
    ],
)
def test_what_a_function_leaves_in_the_process_of_the_search_ends_with_it(tmp_path, pool, hows):
    fill(tmp_path)
    (tmp_path / "lingering.py").write_text(LINGERING)
    judge = f'{{python: {{function: "lingering:evaluate", arguments: {{hows: "{hows}"}}}}}}'
    changes = [f"evaluator={judge}", "plugins=[lingering]", f"pool={{{pool}: {{}}}}"]
    command = [*EVONAS, *SEARCHES["run"]]
    for change in changes:
        command += ["--set", change]
    # Its output is a pipe, which a process that is left would hold open.
    done = subprocess.run(
        command,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{Path(__file__).parents[2]}:{tmp_path}"},
    )
    assert done.returncode == 0, done.stderr
    assert "10/10 trials" in done.stdout
    assert "The front: " in done.stdout


VANDAL = """import os, sys


def evaluate(genome, epochs):
    letters = [gene.op for gene in genome["cell"]]
    print("before")
    if letters[0] == "a":
        sys.stdout = sys.stderr = sys.stdin = None
    elif letters[0] == "b":
        sys.stdout.close()
        sys.stderr.close()
    elif {closes}:
        os.close(1)
        os.close(2)
    else:
        sys.stdout.detach()
    return {{"score": letters.count("a") + epochs / 100, "size": float(len(letters))}}
"""


@pytest.mark.parametrize(
    "pool",
    [
        "local: {workers: 2}",
        "inline: {}",
        pytest.param("simulated: {workers: 2}", marks=pytest.mark.full),
    ],
)
def test_a_function_that_spoils_the_streams_hurts_nothing(tmp_path, pool):
    folder = fill(tmp_path)
    # In the driver, the descriptors are those of evonas itself: its own words would go, too.
    code = VANDAL.format(closes=pool.startswith("local"))
    # A name of its own: this process may have imported the other function.
    name = f"vandal_{pool.partition(':')[0]}"
    (folder / f"{name}.py").write_text(code)
    config = CONFIG.replace("judge_of_letters", name)
    (folder / "judged.yaml").write_text(config)
    with mock.patch.object(sys, "path", [str(folder), *sys.path]):
        done = run_evonas(
            *SEARCHES["run"], "--set", f"pool={{{pool}}}", cwd=folder, PYTHONPATH=str(folder)
        )
    assert done.returncode == 0, done.stderr
    assert "10/10 trials" in done.stdout
    assert "0 failed" in done.stdout
    assert "The front: " in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    ("command", "ends", "report"),
    [("run", 1, "evonas.cli.search.conclude"), ("compare", 4, "evonas.cli.compare._tell")],
)
def test_after_a_signal_that_came_too_late_the_report_waits_for_no_reader(
    module, tmp_path, monkeypatch, number, command, ends, report
):
    folder = fill(tmp_path)
    reader, writer = held_pipe()
    conclude = lifecycle._conclude
    left = iter(range(ends - 1, -1, -1))

    def late(*arguments: object) -> None:
        conclude(*arguments)
        if next(left) == 0:
            os.kill(os.getpid(), number)

    def tell(found: object) -> None:
        # Until the patience ends. Otherwise it is for ever, and pytest-timeout ends this test.
        print("the winner", file=LastingStream(writer), flush=True)

    monkeypatch.setattr(lifecycle, "_conclude", late)
    monkeypatch.setattr(report, tell)
    monkeypatch.setattr(f"{report.rpartition('.')[0]}.PATIENCE", 0.02)
    try:
        done = run_evonas(*SEARCHES[command], cwd=folder)
        taken = os.read(reader, 65536)
    finally:
        os.close(reader)
        os.close(writer)
    assert done.returncode == 0, done.stderr
    assert taken.strip(b"x") == b""
    assert f"{number.name} came when the search was over" in done.stdout
