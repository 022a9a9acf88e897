"""What a driver orders, as a worker reads it: jobs one by one, and the word to end one early."""

from __future__ import annotations

import json
import select
import socket
from collections import deque
from typing import Any

from evonas.evaluate.contract.protocol import Job

CHUNK = 2**16
"""Bytes of one read."""
CUT_SHORT = "cut_short"
"""The kind of the message that ends a job with its current epoch."""


class Orders:
    """A worker's end of the connection to its driver, for reading.

    Args:
        connection: stream socket to the driver, in blocking mode.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._messages: deque[dict[str, Any]] = deque()
        # The beginning of a message whose line end has not come yet.
        self._rest = b""
        self._has_ended = False

    def receive(self, kind: str) -> dict[str, Any] | None:
        """Wait for the next message of this kind.

        Returns:
            its content; None if the driver is gone.

        Raises:
            KeyError: the message is of another kind.
        """
        while True:
            while not self._messages:
                if self._has_ended:
                    return None
                self._read()
            message = self._messages.popleft()
            # Its job was over before the driver knew: the driver cuts only jobs that it has sent.
            if CUT_SHORT in message:
                continue
            body: dict[str, Any] = message[kind]
            return body

    def is_cut_short(self, job: Job) -> bool:
        """Whether this job, the one at work, is to end with its current epoch; never waits."""
        while not self._has_ended and select.select([self._connection], [], [], 0)[0]:
            self._read()
        for message in self._messages:
            cut = message.get(CUT_SHORT)
            if cut is not None and (cut["trial"], cut["attempt"]) == (job.trial, job.attempt):
                return True
        return False

    def _read(self) -> None:
        """Take in what comes next; waits for it."""
        try:
            chunk = self._connection.recv(CHUNK)
        # The driver was gone before it had read everything: an end of file, too.
        except ConnectionResetError:
            chunk = b""
        # A message without its line end is none.
        self._has_ended = not chunk
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._messages.append(json.loads(line))
