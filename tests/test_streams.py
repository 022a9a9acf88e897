"""Standard streams that never fail, held against the real errors of a system."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from unittest import mock

import pytest

from evonas import streams
from evonas.streams import (
    LastingStream,
    hurry,
    impatient,
    is_usable,
    kept_streams,
    lasting,
    lasting_streams,
)


def reader_gone() -> int:
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def disk_full() -> int:
    return os.open("/dev/full", os.O_WRONLY)


def terminal_gone() -> int:
    ours, theirs = os.openpty()
    # It is gone after the stream was made, as in a search.
    gone.append(ours)
    return theirs


def not_writable() -> int:
    return os.open(os.devnull, os.O_RDONLY)


gone: list[int] = []


def error_of_a_write(descriptor: int) -> int | None:
    try:
        os.write(descriptor, b"x")
    except OSError as error:
        return error.errno
    return None


@pytest.mark.parametrize(
    ("make", "number", "why"),
    [
        (reader_gone, errno.EPIPE, ""),
        (disk_full, errno.ENOSPC, os.strerror(errno.ENOSPC)),
        (terminal_gone, errno.EIO, ""),
        (not_writable, errno.EBADF, ""),
    ],
)
def test_no_write_fails_and_only_a_reader_that_waits_misses_something(make, number, why):
    descriptor = make()
    try:
        stream = LastingStream(descriptor)
        while gone:
            os.close(gone.pop())
        assert error_of_a_write(descriptor) == number
        for _ in range(3):
            print("words", file=stream, flush=True)
        assert stream.lost == why
    finally:
        os.close(descriptor)


def test_a_disk_that_has_room_again_gets_what_is_written_then(tmp_path):
    descriptor = os.open(tmp_path / "out.txt", os.O_WRONLY | os.O_CREAT)
    try:
        stream = LastingStream(descriptor)
        with mock.patch.object(os, "write", side_effect=OSError(errno.ENOSPC, "full")):
            print("lost", file=stream, flush=True)
        print("kept", file=stream, flush=True)
    finally:
        os.close(descriptor)
    assert (tmp_path / "out.txt").read_text() == "kept\n"


def test_a_pipe_that_would_rather_fail_than_wait_is_waited_for():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    text = "x" * 300_000 + "\n"
    script = "import os, sys; print(sum(len(b) for b in iter(lambda: os.read(0, 65536), b'')))"
    with subprocess.Popen(
        [sys.executable, "-S", "-c", script], stdin=reader, stdout=subprocess.PIPE
    ) as process:
        os.close(reader)
        stream = LastingStream(writer)
        stream.write(text)
        assert stream.lost == ""
        os.close(writer)
        assert process.stdout is not None
        assert int(process.stdout.read()) == len(text)


def full_pipe() -> tuple[int, int]:
    return os.pipe()


def full_socket() -> tuple[int, int]:
    ours, theirs = socket.socketpair()
    return ours.detach(), theirs.detach()


def unread_terminal() -> tuple[int, int]:
    return os.openpty()


def stopped_terminal() -> tuple[int, int]:
    ours, theirs = os.openpty()
    os.write(ours, CTRL_S)
    return ours, theirs


CTRL_S, CTRL_Q = b"\x13", b"\x11"
HELD = (full_pipe, full_socket, unread_terminal, stopped_terminal)


def taken(descriptor: int) -> bytes:
    """All that can be read at this moment."""
    found = b""
    while select.select([descriptor], [], [], 0.0)[0]:
        found += os.read(descriptor, 65536)
    return found


@pytest.mark.parametrize("make", HELD)
def test_a_reader_that_takes_nothing_holds_no_search_and_goes_on_reading_later(make):
    reader, writer = make()
    try:
        stream = LastingStream(writer)
        # The descriptor is shared with other programs, and must stay as it is.
        assert os.get_blocking(writer)
        with lasting_streams():
            with impatient(0.01):
                for _ in range(9000):
                    print("early " + "x" * 100, file=stream, flush=True)
            if make is stopped_terminal:
                assert taken(reader) == b""
                os.write(reader, CTRL_Q)
            told = taken(reader)
            print("late", file=stream, flush=True)
            while not told.endswith((b"late\n", b"late\r\n")):
                told += os.read(reader, 65536)
        assert stream.lost == ""
        assert os.get_blocking(writer)
        told = told.replace(b"\r", b"")
        # The first words after a gap begin a line.
        assert told == b"late\n" or told.endswith(b"\nlate\n")
        if make in (full_pipe, full_socket):
            missing = int(told.partition(b"in time: ")[2].partition(b"]")[0].replace(b",", b""))
            assert told.count(b"x\n") + missing == 9000
    finally:
        os.close(reader)
        os.close(writer)


def test_a_hurry_holds_beyond_a_search_and_never_gives_more_time():
    with lasting_streams():
        with impatient(0.5):
            hurry(0.1)
            assert streams._patience.left == 0.1
        assert streams._patience.left == 0.1
        with impatient(0.5):
            assert streams._patience.left == 0.1
        hurry()
        hurry(0.1)
        assert streams._patience.left == 0.0
    with lasting_streams():
        assert streams._patience.left is None


def test_a_search_waits_for_its_reader_once(monkeypatch):
    waits: list[float] = []
    real = select.poll

    class Poll:
        def __init__(self) -> None:
            self._real = real()
            self.register = self._real.register

        def poll(self, milliseconds: float) -> object:
            waits.append(milliseconds)
            return self._real.poll(milliseconds)

    reader, writer = os.pipe()
    try:
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writer, b"x" * 4096)
        os.set_blocking(writer, True)
        monkeypatch.setattr(select, "poll", Poll)
        with lasting_streams(), impatient(0.02):
            for stream in (LastingStream(writer), LastingStream(writer)):
                for _ in range(20):
                    print("nobody", file=stream, flush=True)
        assert max(waits) <= 20
        # Once it is over, each write only looks.
        assert waits[-20:] == [0] * 20
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("make", HELD)
def test_otherwise_a_write_waits_for_its_reader_until_ctrl_c(make, monkeypatch):
    reader, writer = make()
    begun = threading.Event()
    real = select.poll

    class Poll:
        def __init__(self) -> None:
            self._real = real()
            self.register = self._real.register

        def poll(self, milliseconds: float) -> object:
            if milliseconds:
                begun.set()
            return self._real.poll(milliseconds)

    def press() -> None:
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(select, "poll", Poll)
    presser = threading.Thread(target=press)
    presser.start()
    try:
        with lasting_streams():
            stream = LastingStream(writer)
            with pytest.raises(KeyboardInterrupt):
                print("x" * 300_000, file=stream, flush=True)
            # What is still in its buffer is not waited for again.
            stream.flush()
    finally:
        presser.join()
        os.close(reader)
        os.close(writer)


def test_a_slow_reader_gets_every_word():
    reader, writer = os.pipe()
    script = (
        "import os\nwhile part := os.read(0, 1000): os.write(1, str(len(part)).encode() + b' ')"
    )
    with subprocess.Popen(
        [sys.executable, "-S", "-c", script], stdin=reader, stdout=subprocess.PIPE
    ) as process:
        os.close(reader)
        stream = LastingStream(writer)
        with lasting_streams():
            for _ in range(300):
                print("x" * 999, file=stream, flush=True)
        os.close(writer)
        assert process.stdout is not None
        assert sum(map(int, process.stdout.read().split())) == 300_000


def test_what_an_encoding_cannot_say_is_escaped(tmp_path):
    with (tmp_path / "out.txt").open("w", encoding="ascii") as like:
        stream = LastingStream(like.fileno(), like=like)
        print("caf\u00e9 \u2026 \U0001f9ec \ud800", file=stream, flush=True)
    assert (tmp_path / "out.txt").read_text() == "caf\\xe9 \\u2026 \\U0001f9ec \\ud800\n"


def test_whoever_closes_it_does_not_silence_the_others(tmp_path):
    with (tmp_path / "out.txt").open("w") as like:
        stream = LastingStream(like.fileno(), like=like)
        stream.close()
        stream.detach().write(b"theirs\n")
        gc.collect()
        print("later", file=stream, flush=True)
    assert (tmp_path / "out.txt").read_text() == "theirs\nlater\n"


def test_a_stream_of_a_notebook_stays_as_it_is():
    ours = io.StringIO()
    assert lasting("stdout", ours) is ours
    with mock.patch.object(sys, "stdout", ours):
        with lasting_streams():
            sys.stdout.write("here\n")
        assert sys.stdout is ours
    assert ours.getvalue() == "here\n"


@pytest.mark.parametrize("before", [None, "closed", "detached"])
def test_where_there_is_no_stream_there_is_one_meanwhile(before):
    stream = None
    if before is not None:
        stream = io.TextIOWrapper(io.BytesIO())
        stream.close() if before == "closed" else stream.detach()
    with mock.patch.object(sys, "stderr", stream):
        with lasting_streams():
            assert isinstance(sys.stderr, LastingStream)
        assert sys.stderr is stream


@pytest.mark.parametrize("ruin", ["None", "closed", "detached", "other"])
def test_after_code_of_the_users_the_streams_are_there_again(ruin):
    ours = io.TextIOWrapper(io.BytesIO())
    with mock.patch.object(sys, "stdout", ours):
        with pytest.raises(ValueError, match="theirs"), kept_streams():
            if ruin == "closed":
                ours.close()
            elif ruin == "detached":
                ours.detach()
            sys.stdout = io.StringIO() if ruin == "other" else None  # type: ignore[assignment]
            raise ValueError("theirs")
        assert is_usable(sys.stdout)
        assert (sys.stdout is ours) == (ruin in ("None", "other"))


def test_no_file_gets_the_number_of_a_closed_standard_descriptor(tmp_path):
    script = (
        "import os, sys\n"
        "from evonas.streams import hold_descriptors, take_streams\n"
        "for number in (0, 1, 2): os.close(number)\n"
        "take_streams()\n"
        f"file = open({str(tmp_path / 'file')!r}, 'w')\n"
        "os.write(1, b'by a library')\n"
        "print('by Python', flush=True)\n"
        "assert [os.get_inheritable(number) for number in (0, 1, 2)] == [True] * 3\n"
        "sys.exit(file.fileno())\n"
    )
    done = subprocess.run([sys.executable, "-S", "-c", script], env={"PYTHONPATH": str(Path.cwd())})
    assert done.returncode > 2
    assert (tmp_path / "file").read_text() == ""
