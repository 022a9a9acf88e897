"""The process in which networks are trained: jobs come from a socket, and every failure becomes an outcome."""

from __future__ import annotations

import errno
import faulthandler
import gc
import json
import os
import random
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, NoReturn

import keras
import numpy as np
import tensorflow as tf

from evonas.errors import DiskFailure
from evonas.evaluate.contract.protocol import PROTOCOL, Job, Setup, encode, outcome_to_json
from evonas.evaluate.training.export_job import export, load_model
from evonas.evaluate.training.tensors import TensorCache
from evonas.evaluate.training.train_job import Alive, Report, batch_of, train
from evonas.trial import Outcome, TrialState

__all__ = ["load_model", "run_job", "serve"]

ALIVE_SECONDS = 1.0
"""Between two signs of life, at least."""
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""What a disk answers that is full, may hold no more of this user, is read-only, or fails."""

_CACHE = TensorCache()
"""The trials of a run share their data."""


def serve(fd: int) -> None:
    """Work for the driver at the other end of a stream socket until it is gone.

    Returns never in practice: the process ends at once, with exit code 0, at the end of file. A message that is not of
    the protocol raises; the process ends with a traceback in its log.

    Args:
        fd: of the socket. Nothing but the protocol goes over it; what networks print goes to the log.
    """
    faulthandler.register(signal.SIGUSR1)
    driver = _Driver(socket.socket(fileno=fd))
    setup = Setup.from_json(driver.receive("setup"))
    configure(setup.threads)
    gc.collect()
    gc.freeze()  # what is imported stays: no collection needs to look at it again
    driver.send({"ready": about()})
    while True:
        job = Job.from_json(driver.receive("job"))
        name = {"trial": job.trial, "attempt": job.attempt}

        def report(
            epoch: int, metrics: Mapping[str, float], name: Mapping[str, int] = name
        ) -> None:
            driver.send({"progress": {**name, "epoch": epoch, "metrics": dict(metrics)}})

        def alive(name: Mapping[str, int] = name) -> None:
            driver.send({"alive": dict(name)})

        outcome = run_job(setup, job, report, throttled(alive))
        driver.send({"outcome": {**name, **outcome_to_json(outcome)}})


def throttled(
    action: Alive, seconds: float = ALIVE_SECONDS, clock: Callable[[], float] = time.monotonic
) -> Callable[[], None]:
    """The action, not done where the last time, or the making of this, is less than so many seconds ago."""
    last = clock()

    def act() -> None:
        nonlocal last
        if (now := clock()) - last >= seconds:
            last = now
            action()

    return act


def run_job(setup: Setup, job: Job, report: Report, alive: Alive = lambda: None) -> Outcome:
    """Do one job in this process; whatever goes wrong becomes an outcome. Leaves no model behind.

    The seed goes to the global generators of Python and NumPy, from which Keras draws; they are put back afterwards.

    Args:
        report: called after each epoch with its number, counted from 1, and its metrics.
        alive: called again and again within an epoch.
    """
    start = time.monotonic()
    try:
        with _global_generators():
            outcome = _sorted(setup, job, report, alive)
    finally:
        keras.backend.clear_session(free_memory=False)
        gc.collect()
    return replace(outcome, seconds=time.monotonic() - start)


def configure(threads: int) -> None:
    """How many threads TensorFlow may use, inside and between ops; where it runs already, nothing changes."""
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def about() -> dict[str, Any]:
    """Who this worker is; the devices are those that TensorFlow has really opened."""
    return {
        "pid": os.getpid(),
        "protocol": PROTOCOL,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "devices": [device.name for device in tf.config.list_logical_devices()],
    }


def _sorted(setup: Setup, job: Job, report: Report, alive: Alive) -> Outcome:
    """The worker's border: the one place that catches everything."""
    try:
        keras.backend.clear_session(
            free_memory=False
        )  # layers are named from 0, as in a new process
        return (
            export(setup, job)
            if job.kind == "export"
            else train(setup, job, report, _CACHE, alive=alive)
        )
    except tf.errors.ResourceExhaustedError as error:
        message = f"TensorFlow is out of memory: {_first_line(error)}"
        details = {
            "batch_size": batch_of(setup, job)
        }  # a batch of 1 cannot be cut: there is no second try
        return Outcome(TrialState.OOM_DEVICE, message=message, details=details)
    except DiskFailure as error:
        return _lost_to_the_disk(error)
    except MemoryError as error:
        return Outcome(
            TrialState.OOM_HOST, message=f"Python is out of memory. {_first_line(error)}".strip()
        )
    except Exception as error:
        if (
            isinstance(error, OSError) and error.errno in DISK_ERRORS
        ):  # of a library that writes by itself
            return _lost_to_the_disk(error)
        traceback.print_exc()
        sys.stderr.flush()
        return Outcome(TrialState.ERROR, message=f"{type(error).__name__}: {error}")


def _lost_to_the_disk(error: Exception) -> Outcome:
    """The machine's fault, not the network's: it may be tried again when there is room."""
    return Outcome(TrialState.LOST, message=str(error), details={"cause": "disk"})


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).strip().splitlines()), "")


@contextmanager
def _global_generators() -> Iterator[None]:
    """Puts the global generators back as they were: in a pool of the driver's own process they are the user's."""
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - Keras seeds the global ones
    try:
        yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002


class _Driver:
    """The worker's end of the connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._lines = connection.makefile("rb")

    def receive(self, kind: str) -> dict[str, Any]:
        """Wait for a message of this kind."""
        try:
            line = self._lines.readline()
        except (
            ConnectionResetError
        ):  # the driver was gone before it had read everything: an end of file too
            _leave()
        if not line.endswith(b"\n"):
            _leave()
        body: dict[str, Any] = json.loads(line)[kind]
        return body

    def send(self, message: Mapping[str, Any]) -> None:
        try:
            self._socket.sendall(encode(message))
        except (BrokenPipeError, ConnectionResetError):
            _leave()


def _leave() -> NoReturn:
    """Without any farewell: nobody is there to hear it, and nothing is half written that matters."""
    os._exit(0)
