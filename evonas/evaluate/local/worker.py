"""The process that trains networks: jobs come from a socket, each failure becomes an outcome."""

from __future__ import annotations

import errno
import faulthandler
import gc
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, NoReturn

import keras
import tensorflow as tf

from evonas.errors import DiskFailure
from evonas.evaluate.contract.importing import add_folder
from evonas.evaluate.contract.imports import Imports, import_plugins, watched
from evonas.evaluate.contract.orders import Orders
from evonas.evaluate.contract.protocol import PROTOCOL, Job, Setup, encode, outcome_to_json
from evonas.evaluate.contract.raised import leave_if_forked, message_of, text_of
from evonas.evaluate.training.export_job import export, load_model
from evonas.evaluate.training.tensors import TensorCache
from evonas.evaluate.training.train_job import Alive, Report, batch_of, train
from evonas.randomness import kept_generators
from evonas.streams import kept_streams
from evonas.trial import Cause, Details, Outcome, TrialState

__all__ = ["load_model", "run_job", "serve"]

ALIVE_SECONDS = 1.0
"""Seconds between two signs of life, at least."""
DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})
"""Errors of a disk that is full, is full for this user, is read-only, or fails."""

_CACHE = TensorCache()
"""The data, which the trials of a run share."""


def serve(fd: int) -> None:
    """Work for the driver at the other end of a stream socket until the driver is gone.

    Never returns in practice: at the end of file the process ends at once, with exit code 0. A
    message that is not of the protocol raises. Then the process ends with a traceback in its log.

    Args:
        fd: file descriptor of the socket. Only the protocol uses it; what networks print goes to
            the log.
    """
    faulthandler.register(signal.SIGUSR1)
    driver = _Driver(socket.socket(fileno=fd))
    setup = Setup.from_json(driver.receive("setup"))
    configure(setup.threads)
    gc.collect()
    # What is imported stays: no garbage collection needs to look at it again.
    gc.freeze()
    facts = about()
    imports = Imports(setup.plugins, setup.code)
    with watched(setup.plugins):
        import_plugins(setup.plugins, setup.plugin_folder)
        _tell_imports(driver, imports)
        driver.send({"ready": facts})
        while True:
            job = Job.from_json(driver.receive("job"))
            _work(driver, setup, job, imports)


def _tell_imports(driver: _Driver, imports: Imports, has_failed: bool = False) -> None:
    """Tell which code is not as the driver expects it."""
    if news := imports.news(has_failed):
        driver.send({"imported": news})


def _work(driver: _Driver, setup: Setup, job: Job, imports: Imports) -> None:
    """Do one job, and send what the driver waits for: signs of life, progress, the outcome."""
    name = {"trial": job.trial, "attempt": job.attempt}

    def report(epoch: int, metrics: Mapping[str, float]) -> bool:
        progress = {**name, "epoch": epoch, "metrics": dict(metrics)}
        driver.send({"progress": progress})
        return driver.orders.is_cut_short(job)

    def alive() -> None:
        driver.send({"alive": dict(name)})

    outcome = run_job(setup, job, report, throttled(alive))
    _tell_imports(driver, imports, has_failed=outcome.state is TrialState.ERROR)
    driver.send({"outcome": {**name, **outcome_to_json(outcome)}})


def throttled(
    action: Alive, seconds: float = ALIVE_SECONDS, clock: Callable[[], float] = time.monotonic
) -> Callable[[], None]:
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


def run_job(setup: Setup, job: Job, report: Report, alive: Alive = lambda: None) -> Outcome:
    """Do one job in this process. A failure becomes an outcome, and no model is left behind.

    Args:
        report: called after each epoch with its number, counted from 1, and its metrics; its answer
            True cuts the training short.
        alive: called again and again within an epoch.
    """
    start = time.monotonic()
    try:
        # Keras draws from the global generators of Python and NumPy, so the job seeds them. In the
        # inline pool they are the user's, and must be as they were.
        with kept_generators():
            outcome = _run_safely(setup, job, report, alive)
    finally:
        keras.backend.clear_session(free_memory=False)
        gc.collect()
    seconds = time.monotonic() - start
    return replace(outcome, seconds=seconds)


def configure(threads: int) -> None:
    """Set how many threads TensorFlow may use, inside an op and between ops.

    If TensorFlow runs already, nothing changes.
    """
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def about() -> dict[str, Any]:
    """Facts about this worker. The devices are those that TensorFlow has really opened."""
    devices = [device.name for device in tf.config.list_logical_devices()]
    return {
        "pid": os.getpid(),
        "protocol": PROTOCOL,
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "devices": devices,
    }


def _run_safely(setup: Setup, job: Job, report: Report, alive: Alive) -> Outcome:
    """The worker's border: the one place that catches everything that a network may raise."""
    pid = os.getpid()
    try:
        add_folder(setup.plugin_folder)
        # Layers are then named from 0, as in a new process.
        keras.backend.clear_session(free_memory=False)
        with kept_streams():
            if job.kind == "export":
                return export(setup, job)
            return train(setup, job, report, _CACHE, alive=alive)
    except tf.errors.ResourceExhaustedError as error:
        message = f"TensorFlow is out of memory: {_first_line(error)}"
        # The retry halves the batch. It needs the size, because a batch of 1 cannot be halved.
        details = Details(batch_size=batch_of(setup, job))
        return Outcome(TrialState.OOM_DEVICE, message=message, details=details)
    except DiskFailure as error:
        return _lost_to_the_disk(error)
    except MemoryError as error:
        message = f"Python is out of memory. {_first_line(error)}".strip()
        return Outcome(TrialState.OOM_HOST, message=message)
    # An op may call `sys.exit`. No Ctrl-C comes here: a worker has a session of its own. In the
    # driver's process the inline pool tells it from a KeyboardInterrupt of the network's.
    except BaseException as error:
        # A library that writes by itself raises no DiskFailure.
        if isinstance(error, OSError) and error.errno in DISK_ERRORS:
            return _lost_to_the_disk(error)
        with suppress(BaseException):
            traceback.print_exc()
        # After an `error` the driver kills this worker: what is not flushed by then is lost.
        sys.stderr.flush()
        return Outcome(TrialState.ERROR, message=message_of(error))
    finally:
        leave_if_forked(pid)


def _lost_to_the_disk(error: Exception) -> Outcome:
    """The outcome `lost`, because the machine is at fault and not the network."""
    return Outcome(
        TrialState.LOST,
        message=text_of(error),
        details=Details(cause=Cause.DISK),
    )


def _first_line(error: BaseException) -> str:
    lines = text_of(error).strip().splitlines()
    return lines[0] if lines else ""


class _Driver:
    """The worker's end of the connection to the driver."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self.orders = Orders(connection)

    def receive(self, kind: str) -> dict[str, Any]:
        """Wait for a message of this kind."""
        body = self.orders.receive(kind)
        if body is None:
            _leave()
        return body

    def send(self, message: Mapping[str, Any]) -> None:
        line = encode(message)
        try:
            self._socket.sendall(line)
        except (BrokenPipeError, ConnectionResetError):
            _leave()


def _leave() -> NoReturn:
    """End the process at once: the driver is gone, and no file that matters is half written."""
    os._exit(0)
