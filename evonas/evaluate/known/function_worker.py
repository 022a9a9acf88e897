"""The worker process of the evaluator `python`. It speaks the protocol, and imports no Keras."""

from __future__ import annotations

import os
import socket
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from evonas.evaluate.contract.imports import Imports, watched
from evonas.evaluate.contract.orders import Orders
from evonas.evaluate.contract.protocol import PROTOCOL, Job, RunJob, Setup, encode, outcome_to_json
from evonas.evaluate.contract.raised import leave_if_forked, message_of, text_of
from evonas.evaluate.known.evaluator import open_evaluator
from evonas.trial import Outcome, TrialState


def serve(fd: int) -> None:
    """Work for the driver at the other end of a stream socket until the driver is gone.

    What the function prints goes to the worker's log. A function that cannot be imported ends the
    process, with the reason in its log: no job could ever succeed.
    """
    # A driver that is gone ends this process quietly: nobody is there to read an error.
    with suppress(BrokenPipeError, ConnectionResetError), socket.socket(fileno=fd) as driver:
        orders = Orders(driver)
        first = orders.receive("setup")
        # The driver was gone in the middle of the setup.
        if first is None:
            return
        setup = Setup.from_json(first)
        imports = Imports(setup.plugins, setup.code)
        try:
            evaluate = open_evaluator(setup)
        # Code that cannot be imported may be code that has changed.
        finally:
            _tell_imports(driver, imports)
        ready = {"protocol": PROTOCOL, "pid": os.getpid()}
        driver.sendall(encode({"ready": ready}))
        # A function has no epochs to end with, so nobody asks whether its job is cut short.
        while (order := orders.receive("job")) is not None:
            _work(driver, setup, Job.from_json(order), evaluate, imports)


def _tell_imports(driver: socket.socket, imports: Imports, has_failed: bool = False) -> None:
    """Tell which code is not as the driver expects it."""
    if news := imports.news(has_failed):
        driver.sendall(encode({"imported": news}))


def _work(
    driver: socket.socket, setup: Setup, job: Job, evaluate: RunJob, imports: Imports
) -> None:
    """Do one job, and send its outcome."""
    name: dict[str, Any] = {"trial": job.trial, "attempt": job.attempt}

    def on_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
        content = {
            **name,
            "epoch": epoch,
            "metrics": dict(metrics),
        }
        driver.sendall(encode({"progress": content}))

    pid = os.getpid()
    try:
        with watched(setup.plugins):
            outcome = evaluate(setup, job, on_epoch)
    except MemoryError as error:
        message = f"Python is out of memory. {text_of(error)}".strip()
        outcome = Outcome(TrialState.OOM_HOST, message=message)
    # The worker's border: anything that a user's function raises becomes an outcome, also an exit.
    except BaseException as error:
        leave_if_forked(pid)
        with suppress(BaseException):
            traceback.print_exc()
        outcome = Outcome(TrialState.ERROR, message=message_of(error))
    leave_if_forked(pid)
    # Before the outcome: the driver may end this process as soon as it has read the answer.
    sys.stdout.flush()
    sys.stderr.flush()
    _tell_imports(driver, imports, has_failed=outcome.state is TrialState.ERROR)
    content = {**name, **outcome_to_json(outcome)}
    driver.sendall(encode({"outcome": content}))
