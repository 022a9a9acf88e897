"""The driver's end of a connection to a worker: lines in, lines out, and never a wait."""

from __future__ import annotations

import select
import socket

LINE_LIMIT = 64 * 2**20
"""Bytes that one message of a worker may have."""
CHUNK = 2**18
CHUNKS = 16
"""Reads of one `receive`: a worker that never stops talking must not keep the driver from the others."""


class LineTooLong(ValueError):
    pass


class Channel:
    """A stream socket in non-blocking mode.

    Args:
        connection: taken over, and closed with the channel.
        limit: bytes that one line may have.

    Attributes:
        has_ended: True once the other end is closed; what came before it has been received by then.
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
        """The events of `select.poll` at which there is something to do."""
        return select.POLLIN | (select.POLLOUT if self._unsent else 0)

    def send(self, line: bytes) -> None:
        """Take a line to be sent: as much as the socket takes now, the rest by `flush`."""
        self._unsent += line
        self.flush()

    def flush(self) -> None:
        try:
            while self._unsent:
                sent = self._connection.send(self._unsent)
                del self._unsent[:sent]
        except BlockingIOError:
            return
        except OSError:  # the other end is gone; `receive` will come to its end
            self._unsent.clear()

    def receive(self, everything: bool = False) -> list[bytes]:
        """The whole lines that have come since the last call, without their line ends.

        Args:
            everything: read on while there is something; else what a worker says without end is left for the next call.

        Raises:
            LineTooLong: a line is longer than the limit; the channel is of no use after it.
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
            self._check_length()
        return lines

    def _check_length(self) -> None:
        if len(self._received) > self._limit:
            raise LineTooLong(f"a message of more than {self._limit:,} bytes")

    def _read(self) -> bytes:
        """The next piece; empty where there is none now, or none ever again."""
        if self.has_ended:
            return b""
        try:
            chunk = self._connection.recv(CHUNK)
        except BlockingIOError:
            return b""
        except (
            OSError
        ):  # a peer that dies with unread data resets the connection: an end like any other
            chunk = b""
        self.has_ended = not chunk
        return chunk

    def close(self) -> None:
        self._connection.close()
