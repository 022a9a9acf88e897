"""The worker process of the evaluator `python`: it speaks the workers' protocol, and never imports Keras by itself."""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress

from evonas.evaluate.contract.protocol import PROTOCOL, Job, RunJob, Setup, encode, outcome_to_json
from evonas.evaluate.known.evaluator import open_evaluator
from evonas.trial import Outcome, TrialState


def serve(fd: int) -> None:
    """Work for the driver at the other end of a stream socket until it is gone.

    What the function prints goes to the worker's log. A function that cannot be imported ends the process, with the
    reason in its log: no job could ever succeed.
    """
    with suppress(BrokenPipeError, ConnectionResetError), socket.socket(fileno=fd) as driver:
        with driver.makefile("rb") as lines:
            first = lines.readline()
            if not first.endswith(b"\n"):
                return
            setup = Setup.from_json(json.loads(first)["setup"])
            evaluate = open_evaluator(setup)
            driver.sendall(encode({"ready": {"protocol": PROTOCOL, "pid": os.getpid()}}))
            for line in lines:
                _work(driver, setup, Job.from_json(json.loads(line)["job"]), evaluate)


def _work(driver: socket.socket, setup: Setup, job: Job, evaluate: RunJob) -> None:
    name = {"trial": job.trial, "attempt": job.attempt}

    def on_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
        driver.sendall(encode({"progress": {**name, "epoch": epoch, "metrics": dict(metrics)}}))

    try:
        outcome = evaluate(setup, job, on_epoch)
    except MemoryError as error:
        outcome = Outcome(TrialState.OOM_HOST, message=f"Python is out of memory. {error}".strip())
    except Exception as error:  # the worker's border: whatever a user's function does is an outcome
        traceback.print_exc()
        outcome = Outcome(TrialState.ERROR, message=f"{type(error).__name__}: {error}")
    sys.stdout.flush()
    sys.stderr.flush()
    driver.sendall(encode({"outcome": {**name, **outcome_to_json(outcome)}}))
