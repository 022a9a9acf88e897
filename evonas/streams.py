"""Standard streams that never fail: what cannot be written is given up, and the work goes on.

A terminal is closed, the reader of a pipe ends, a disk is full, a service starts evonas without any
output. None of these may end a search, or change what it records.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}
"""The standard streams, and the numbers of their descriptors."""

NO_READER = frozenset({errno.EPIPE, errno.EBADF, errno.ENXIO, errno.ECONNRESET})
"""Errors which say that nobody reads. The words are then lost to nobody."""


def hold_descriptors() -> None:
    """Open the null device at each standard descriptor that is closed.

    Otherwise the next file that is opened gets the number, and all that is printed.
    """
    for number in STREAMS.values():
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            # The programs that this process starts inherit a copy, unlike the original.
            os.dup2(nowhere, number)
            if nowhere != number:
                os.close(nowhere)
            else:
                os.set_inheritable(number, True)


class _End(io.RawIOBase):
    """The raw end of a standard stream. It takes everything, and keeps to itself what fails.

    Attributes:
        name: what Python calls the stream.
        failure: the last error of a write, or None.
    """

    def __init__(self, number: int, name: str) -> None:
        super().__init__()
        self.name = name
        self.failure: OSError | None = None
        self._number = number
        # Asked once: a terminal that is gone is none any more.
        self._is_terminal = os.isatty(number)

    def fileno(self) -> int:
        return self._number

    def isatty(self) -> bool:
        return self._is_terminal

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        left = memoryview(data).cast("B")
        size = len(left)
        while left:
            try:
                left = left[os.write(self._number, left) :]
            # Another program has set the terminal or the pipe to fail rather than to wait.
            except BlockingIOError:
                self._wait()
            # Each write is tried anew: a full disk may have room again.
            except OSError as error:
                self.failure = error
                if error.errno == errno.EBADF:
                    hold_descriptors()
                break
        return size

    def _wait(self) -> None:
        """Wait until the descriptor takes something, as it does by itself in the usual mode."""
        poll = select.poll()
        poll.register(self._number, select.POLLOUT)
        poll.poll()

    @property
    def lost(self) -> str:
        """Why somebody misses words that were written here; empty if nobody does."""
        error = self.failure
        if error is None or error.errno in NO_READER:
            return ""
        # So ends a terminal that is closed. From a file, it would be a disk that fails.
        if error.errno == errno.EIO and self._is_terminal:
            return ""
        return error.strerror or str(error)


class LastingStream(io.TextIOWrapper):
    """A standard stream for text. No write fails, whatever becomes of the descriptor.

    A character that the encoding does not have is written as an escape, such as `\\u2026`.

    Args:
        number: the descriptor, 1 or 2.
        like: stream that this one replaces, which gives encoding and buffering.
    """

    def __init__(self, number: int, like: TextIO | None = None) -> None:
        end = _End(number, "<stderr>" if number == STREAMS["stderr"] else "<stdout>")
        super().__init__(
            io.BufferedWriter(end),
            encoding=getattr(like, "encoding", None) or "utf-8",
            errors="backslashreplace",
            line_buffering=bool(getattr(like, "line_buffering", True)),
            write_through=bool(getattr(like, "write_through", False)),
        )
        self._end = end

    @property
    def lost(self) -> str:
        """Why somebody misses words that were written here; empty if nobody does."""
        self.flush()
        return self._end.lost

    def close(self) -> None:
        """Only flush: whoever closes a standard stream is not the last who prints."""
        self.flush()

    def detach(self) -> BinaryIO:
        """A buffer of the caller's own: whoever detaches it is not the last who prints, either."""
        self.flush()
        return io.BufferedWriter(_End(self._end.fileno(), self._end.name))


def lasting(name: str, stream: TextIO | None) -> TextIO:
    """A stream that never fails, in place of `sys.stdout` or `sys.stderr`.

    A stream that is no descriptor, such as that of a notebook, stays as it is.

    Args:
        name: `stdout` or `stderr`.
        stream: what is there now.
    """
    number = STREAMS[name]
    if not is_usable(stream):
        return LastingStream(number)
    assert stream is not None
    try:
        is_standard = stream.fileno() == number
    # Also `io.UnsupportedOperation`, which is an OSError.
    except (OSError, ValueError, AttributeError):
        return stream
    if not is_standard:
        return stream
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
    return LastingStream(number, like=stream)


def take_streams() -> None:
    """From now on `sys.stdout` and `sys.stderr` never fail in this process."""
    hold_descriptors()
    for name in ("stdout", "stderr"):
        setattr(sys, name, lasting(name, getattr(sys, name)))


@contextlib.contextmanager
def lasting_streams() -> Iterator[None]:
    """Meanwhile `sys.stdout` and `sys.stderr` never fail."""
    before = (sys.stdout, sys.stderr)
    take_streams()
    try:
        yield
    finally:
        for name in ("stdout", "stderr"):
            with contextlib.suppress(Exception):
                getattr(sys, name).flush()
        sys.stdout, sys.stderr = before


@contextlib.contextmanager
def kept_streams() -> Iterator[None]:
    """For the user's code: afterwards the standard streams are those of before, and open."""
    before = {name: getattr(sys, name) for name in STREAMS}
    try:
        yield
    finally:
        hold_descriptors()
        for name, stream in before.items():
            if name != "stdin" and stream is not None and not is_usable(stream):
                stream = LastingStream(STREAMS[name])
            setattr(sys, name, stream)


def is_usable(stream: TextIO | None) -> bool:
    """Whether there is a stream, and it is open."""
    if stream is None:
        return False
    try:
        return not getattr(stream, "closed", False)
    # Its buffer was taken from it.
    except ValueError:
        return False


def lost_output() -> str:
    """Why somebody misses a part of standard output; empty if nobody does."""
    stream = sys.stdout
    return stream.lost if isinstance(stream, LastingStream) else ""
