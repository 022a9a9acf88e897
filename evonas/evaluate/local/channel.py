"""The driver's end of a connection to a worker: lines out, lines in, without ever waiting."""

from __future__ import annotations

import select
import socket

LINE_LIMIT = 64 * 2**20
"""Bytes that one message of a worker may have."""
CHUNK = 2**18
"""Bytes of one read."""
CHUNKS = 16
"""Reads of one `receive`. A worker that never stops must not keep the driver from the others."""


class LineTooLong(ValueError):
    """A worker's message has more bytes than the channel allows."""


class Channel:
    """A stream socket in non-blocking mode.

    Args:
        connection: the driver's end; the channel closes it.
        limit: number of bytes that one line may have.

    Attributes:
        has_ended: True once the other end is closed. All data that came before are received then.
    """

    def __init__(self, connection: socket.socket, limit: int = LINE_LIMIT) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._limit = limit
        self._received = bytearray()
        self._unsent = bytearray()
        self.has_ended = False

    def fileno(self) -> int:
        return self._connection.fileno()

    @property
    def events(self) -> int:
        """The events of `select.poll` for which the channel waits."""
        events = select.POLLIN
        if self._unsent:
            events |= select.POLLOUT
        return events

    def send(self, line: bytes) -> None:
        """Send a line. `flush` sends the part that the socket does not take now."""
        self._unsent += line
        self.flush()

    def flush(self) -> None:
        """Send as much of the unsent data as the socket takes now."""
        try:
            while self._unsent:
                sent = self._connection.send(self._unsent)
                del self._unsent[:sent]
        except BlockingIOError:
            return
        # The other end is gone. That is no error here: `receive` reports the end.
        except OSError:
            self._unsent.clear()

    def receive(self, everything: bool = False) -> list[bytes]:
        """The whole lines that have come since the last call, without their line ends.

        Args:
            everything: True reads until nothing is left. Otherwise one call reads a limited amount.

        Raises:
            LineTooLong: a line is longer than the limit. The channel is of no use after it.
        """
        lines: list[bytes] = []
        reads = 0
        while (everything or reads < CHUNKS) and (chunk := self._read()):
            reads += 1
            head, *rest = chunk.split(b"\n")
            self._received += head
            for tail in rest:
                self._check_length()
                lines.append(bytes(self._received))
                self._received = bytearray(tail)
            # Also for a line that is not complete: otherwise it could fill the driver's memory.
            self._check_length()
        return lines

    def _check_length(self) -> None:
        length = len(self._received)
        if length > self._limit:
            raise LineTooLong(f"a message of more than {self._limit:,} bytes")

    def _read(self) -> bytes:
        """The next piece; empty if nothing has come, or if the connection has ended."""
        if self.has_ended:
            return b""
        try:
            chunk = self._connection.recv(CHUNK)
        except BlockingIOError:
            return b""
        # A worker that ends with unread data resets the connection: an end like any other.
        except OSError:
            chunk = b""
        self.has_ended = not chunk
        return chunk

    def close(self) -> None:
        self._connection.close()
