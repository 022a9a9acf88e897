"""Standard streams that never fail: what cannot be written is given up, and the work goes on.

A terminal is closed, the reader of a pipe ends, a disk is full, a service starts evonas without any
output. None of these may end a search, or change what it records. Nor may a reader that is there
and takes nothing, such as a pager that was suspended, or a terminal stopped by Ctrl-S.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import re
import select
import stat
import sys
import time
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}
"""The standard streams, and the numbers of their descriptors."""

NO_READER = frozenset({errno.EPIPE, errno.EBADF, errno.ENXIO, errno.ECONNRESET})
"""Errors which say that nobody reads. The words are then lost to nobody."""

PATIENCE = 1.0
"""Seconds that a search waits, in all, for a reader that takes nothing."""
LOOK = 0.25
"""Seconds of one wait for a reader, at most."""
_PIECE = re.compile(rb"[^\n\r\t\b]{1,128}")
"""What a terminal takes whole if it takes anything (Linux works on these pieces; measured)."""


class _Patience:
    """How long the writes of this process wait, all together, for a reader that takes nothing.

    Attributes:
        left: seconds that may still be waited; None for any number.
        is_over: whether no more will ever be waited than is left, because the user wants to leave.
    """

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.left: float | None = None
        self.is_over = False

    def limit(self, seconds: float) -> None:
        self.left = seconds if self.left is None else min(self.left, seconds)

    def spend(self, seconds: float) -> None:
        if self.left is not None:
            self.left = max(0.0, self.left - seconds)

    @property
    def next_wait(self) -> float:
        """Seconds of the next wait; 0 for none."""
        return LOOK if self.left is None else min(self.left, LOOK)


_patience = _Patience()


@contextlib.contextmanager
def impatient(seconds: float = PATIENCE) -> Iterator[None]:
    """Meanwhile, what a reader does not take in time is dropped, and the work goes on.

    Otherwise a write waits as long as it takes: a pager may be slow.

    Args:
        seconds: how long all writes together may wait.
    """
    before = _patience.left
    _patience.limit(seconds)
    try:
        yield
    finally:
        if not _patience.is_over:
            _patience.left = before


def hurry(seconds: float = 0.0) -> None:
    """From now on a reader is hardly waited for: the user wants this process to end.

    Args:
        seconds: how long all writes together may still wait.
    """
    _patience.limit(seconds)
    _patience.is_over = True


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
        # What nobody took in time: whether there is any, its lines, and whether it begins in the
        # middle of one.
        self._has_gap = False
        self._missing = 0
        self._is_cut = False
        self._is_in_line = False

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
                if not self._has_room():
                    self._drop(left)
                    break
                if self._has_gap:
                    self._tell_of_gap()
                taken = os.write(self._number, self._first(left))
                self._is_in_line = bytes(left[taken - 1 : taken]) != b"\n"
                left = left[taken:]
            # Another program has set it to fail rather than to wait, and was faster.
            except BlockingIOError:
                continue
            # Each write is tried anew: a full disk may have room again.
            except OSError as error:
                self.failure = error
                if error.errno == errno.EBADF:
                    hold_descriptors()
                break
            # A Ctrl-C. What is still in a buffer must not be waited for again.
            except BaseException:
                hurry()
                raise
        return size

    def _has_room(self) -> bool:
        """Wait until the descriptor takes something; False if the patience is over before."""
        # Also true for an error, which the write then meets. The write itself would wait, too, but
        # for ever. And to set the descriptor to fail would set it for the user's shell as well.
        poll = select.poll()
        poll.register(self._number, select.POLLOUT)
        if poll.poll(0):
            return True
        # Short waits: a Ctrl-C that comes just before one is seen after it.
        while _patience.next_wait > 0.0:
            start = time.monotonic()
            is_ready = bool(poll.poll(_patience.next_wait * 1000))
            _patience.spend(time.monotonic() - start)
            if is_ready:
                return True
        return False

    def _first(self, left: memoryview) -> memoryview:
        """As much as the descriptor takes at once if it takes anything."""
        if self._is_terminal:
            found = _PIECE.match(left)
            # A character that moves the cursor goes alone.
            return left[: found.end()] if found else left[:1]
        if stat.S_ISREG(os.fstat(self._number).st_mode):
            return left
        return left[: select.PIPE_BUF]

    def _drop(self, left: memoryview) -> None:
        if not self._has_gap:
            self._has_gap = True
            self._is_cut = self._is_in_line
        self._missing += bytes(left).count(b"\n")

    def _tell_of_gap(self) -> None:
        """Say what is missing, now that somebody takes words again."""
        self._has_gap = False
        words = "\n" if self._is_cut else ""
        # A live line on a terminal is drawn anew, and its old states are missed by nobody.
        if self._missing and not self._is_terminal:
            words += f"[lines missing here, which nobody took in time: {self._missing:,}]\n"
        self._missing = 0
        if words:
            os.write(self._number, words.encode("ascii"))

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
    _patience.renew()
    take_streams()
    try:
        yield
    finally:
        try:
            for name in ("stdout", "stderr"):
                with contextlib.suppress(Exception):
                    getattr(sys, name).flush()
        # A Ctrl-C may end the wait for a reader.
        finally:
            sys.stdout, sys.stderr = before
            _patience.renew()


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
