"""A worker process: jobs come from a socket, the evaluator does them, outcomes go back."""

from __future__ import annotations

import gc
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NoReturn

from evonas.evaluate.contract.border import at_border
from evonas.evaluate.contract.evaluator import Evaluator, evaluator_in
from evonas.evaluate.contract.import_watch import watched
from evonas.evaluate.contract.imports import Imports
from evonas.evaluate.contract.orders import Orders
from evonas.evaluate.contract.protocol import (
    PROTOCOL,
    Alive,
    Job,
    RunJob,
    Setup,
    encode,
    job_from_json,
    outcome_to_json,
)
from evonas.trial import TrialState

ALIVE_SECONDS = 1.0
"""Seconds between two signs of life, at least."""

Send = Callable[[bytes], None]
"""Sends the bytes of one message."""


def serve(fd: int) -> None:
    """Work for the driver at the other end of a stream socket until the driver is gone.

    Never returns in practice: at the end of file the process ends at once, with exit code 0. A
    message that is not of the protocol raises, and so does an evaluator that cannot be opened: no
    job could ever succeed. Then the process ends with a traceback in its log.

    Args:
        fd: file descriptor of the socket. Only the protocol uses it; what networks print goes to
            the log.
    """
    connection = socket.socket(fileno=fd)
    work_for(Driver(connection, connection.sendall), evaluator_in)


def work_for(driver: Driver, evaluator_of: Callable[[Setup], Evaluator]) -> NoReturn:
    """The whole life of a worker.

    Args:
        evaluator_of: gives the evaluator of a setup.
    """
    setup = Setup.from_json(driver.receive("setup"))
    # Before the plugins are imported.
    imports = Imports(setup.plugins, setup.code)
    try:
        evaluator = evaluator_of(setup)
        run_job = evaluator.open(setup, driver.alive)
    # Code that cannot be imported may be code that has changed.
    finally:
        _tell_imports(driver, imports)
    facts = evaluator.facts()
    gc.collect()
    # What is imported stays: no garbage collection needs to look at it again.
    gc.freeze()
    ready = {"protocol": PROTOCOL, "pid": os.getpid(), **facts}
    driver.send({"ready": ready})
    while True:
        job = job_from_json(driver.receive("job"))
        _work(driver, setup, job, run_job, imports)


def _tell_imports(driver: Driver, imports: Imports, has_failed: bool = False) -> None:
    """Tell which code is not as the driver expects it."""
    if news := imports.news(has_failed):
        driver.send({"imported": news})


def _work(driver: Driver, setup: Setup, job: Job, run_job: RunJob, imports: Imports) -> None:
    """Do one job, and send what the driver waits for: signs of life, progress, the outcome."""
    driver.begin(job)
    with watched(setup.plugins):
        outcome = at_border(lambda: run_job(setup, job, driver.on_epoch))
    # Before the outcome: the driver may end this process as soon as it has read the answer.
    for stream in (sys.stdout, sys.stderr):
        # The user's code may have closed it.
        with suppress(Exception):
            stream.flush()
    _tell_imports(driver, imports, has_failed=outcome.state is TrialState.ERROR)
    driver.send({"outcome": {**driver.name, **outcome_to_json(outcome)}})


def throttled(
    action: Alive, seconds: float = ALIVE_SECONDS, clock: Callable[[], float] = time.monotonic
) -> Alive:
    """The action, but not more often than every few seconds.

    Args:
        seconds: time that must have passed since the last time, or since this call.
        clock: monotonic seconds.
    """
    last = clock()

    def act() -> None:
        nonlocal last
        now = clock()
        if now - last >= seconds:
            last = now
            action()

    return act


class Driver:
    """The driver, as its worker knows it: who orders jobs, and who is told of them.

    Args:
        connection: stream socket to the driver.
        send: sends to it.
    """

    def __init__(self, connection: socket.socket, send: Send) -> None:
        self._orders = Orders(connection)
        self._send = send
        self._job: Job | None = None
        self._alive: Alive = throttled(self._tell_alive)

    @property
    def name(self) -> dict[str, int]:
        """What names the job at work in each message."""
        assert self._job is not None
        return {"trial": self._job.trial, "attempt": self._job.attempt}

    def receive(self, kind: str) -> dict[str, Any]:
        """Wait for a message of this kind."""
        body = self._orders.receive(kind)
        if body is None:
            _leave()
        return body

    def send(self, message: Mapping[str, Any]) -> None:
        line = encode(message)
        try:
            self._send(line)
        except (BrokenPipeError, ConnectionResetError):
            _leave()

    def begin(self, job: Job) -> None:
        """What is told from now on is of this job."""
        self._job = job
        self._alive = throttled(self._tell_alive)

    def on_epoch(self, epoch: int, metrics: Mapping[str, float]) -> bool:
        """Tell of an epoch; whether the job is to end with it."""
        assert self._job is not None
        progress = {**self.name, "epoch": epoch, "metrics": dict(metrics)}
        self.send({"progress": progress})
        return self._orders.is_cut_short(self._job)

    def alive(self) -> None:
        """Tell that the job is alive, but not too often."""
        self._alive()

    def _tell_alive(self) -> None:
        self.send({"alive": self.name})


def _leave() -> NoReturn:
    """End the process at once: the driver is gone, and no file that matters is half written."""
    os._exit(0)
