"""A worker that does what the genome says: every way to go wrong. No test itself."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from evonas.evaluate.contract.protocol import encode, outcome_to_json
from evonas.trial import Details, Outcome, TrialState


def serve(fd: int) -> None:
    with socket.socket(fileno=fd) as connection, connection.makefile("rb") as lines:
        setup = json.loads(next(lines))["setup"]
        if setup["plugins"]:
            start(connection, setup["plugins"][0])
        connection.sendall(encode({"ready": {"devices": ["/device:CPU:0"]}}))
        for line in lines:
            job = json.loads(line)["job"]
            act(connection, job, asked(job)["act"])


def asked(job: dict[str, Any]) -> dict[str, Any]:
    """What the genome says: the parameters of its one gene."""
    params: dict[str, Any] = job["genome"]["stub"][0]["params"]
    return params


def start(connection: socket.socket, how: str) -> None:
    """A start that goes wrong."""
    if how == "exit":
        raise RuntimeError("the plugin is broken")
    if how == "never":
        time.sleep(1000)
    if how == "babble":
        connection.sendall(b"hello\n")
    if how == "hang up":
        connection.shutdown(socket.SHUT_RDWR)
        time.sleep(1000)


def act(connection: socket.socket, job: dict[str, Any], what: str) -> None:
    if what == "exit":
        note("about to go")
        os._exit(3)
    elif what == "raise":
        raise ValueError("a bug of the worker")
    elif what == "raise in silence":
        sys.stdout = sys.stderr = None  # type: ignore[assignment]
        raise ValueError("a bug of the worker")
    elif what == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "hang":
        time.sleep(1000)
    elif what == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif what == "ignore":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(1000)
    elif what == "garbage":
        connection.sendall(b"\xff\xfe garbage\n")
    elif what == "nan":
        connection.sendall(
            b'{"outcome": {"trial": 0, "attempt": 0, "state": "ok",'
            b' "metrics": {"val_loss": NaN}}}\n'
        )
    elif what == "flood":
        while True:
            connection.sendall(b"x" * 2**16)
    elif what == "half":
        connection.sendall(b'{"outcome": {"trial"')
        time.sleep(1000)
    elif what == "half and exit":
        connection.sendall(b'{"outcome": {"trial"')
        os._exit(0)
    elif what == "hang up":
        connection.shutdown(socket.SHUT_RDWR)
        time.sleep(1000)
    elif what == "noise":
        note("\n".join(f"line {number}" for number in range(1000)))
        os.write(2, b"not utf-8: \xff\n")
        os._exit(1)
    elif what == "daemon":
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        answer(connection, job, child=child.pid)
        os._exit(0)
    elif what in HANGS:
        HANGS[what](connection, job)
        time.sleep(1000)
    else:
        react(connection, job, what)


def take(mebibytes: int) -> None:
    """Memory that is really used, and never given back."""
    KEPT.append(b"\xaa" * (mebibytes * 2**20))


def leak_in_a_child(connection: socket.socket, job: dict[str, Any]) -> None:
    if os.fork() == 0:
        take(asked(job)["mib"])
        time.sleep(1000)


def have_a_child(connection: socket.socket, job: dict[str, Any], daemon: bool = False) -> None:
    child = subprocess.Popen(["sleep", "1000"], start_new_session=daemon)
    note(f"child {child.pid}")


def print_without_end(connection: socket.socket, job: dict[str, Any]) -> None:
    while True:
        os.write(1, bytes(range(256)) * 256)
        os.write(2, b"a line\n" * 1000)


def say_that_it_lives(connection: socket.socket, job: dict[str, Any]) -> None:
    """For a while; without an end where the genome sets none."""
    name = {"trial": job["trial"], "attempt": job["attempt"]}
    for _ in range(asked(job).get("times", 10**9)):
        connection.sendall(encode({"alive": name}))
        time.sleep(0.05)


def train_an_epoch(connection: socket.socket, job: dict[str, Any]) -> None:
    name = {"trial": job["trial"], "attempt": job["attempt"]}
    connection.sendall(encode({"progress": {**name, "epoch": 1, "metrics": {"val_loss": 1.0}}}))


KEPT: list[bytes] = []

HANGS: dict[str, Callable[[socket.socket, dict[str, Any]], None]] = {
    "leak, hang": lambda connection, job: take(asked(job)["mib"]),
    "leak in a child, hang": leak_in_a_child,
    "child, hang": have_a_child,
    "daemon, hang": lambda connection, job: have_a_child(connection, job, daemon=True),
    "print": print_without_end,
    "alive, hang": say_that_it_lives,
    "epoch, hang": train_an_epoch,
}
"""What is never followed by an answer."""


def react(connection: socket.socket, job: dict[str, Any], what: str) -> None:
    """What is followed by an answer."""
    if what == "grandchild":
        child = subprocess.Popen(["sleep", "1000"])
        answer(connection, job, child=child.pid)
    elif what == "grandchild, exit":
        child = subprocess.Popen(["sleep", "1000"], stdout=subprocess.DEVNULL)
        note(f"grandchild {child.pid}")
        os._exit(0)
    elif what == "other trial":
        answer(connection, {**job, "trial": job["trial"] + 1})
    elif what == "twice":
        answer(connection, job)
        answer(connection, job)
    elif what == "answer and exit":
        answer(connection, job, padding="x" * 100_000)
        os._exit(0)
    elif what == "leak":
        take(asked(job)["mib"])
        answer(connection, job)
    elif what == "alive":
        say_that_it_lives(connection, job)
        answer(connection, job)
    elif what == "error":
        note("a traceback")
        answer(connection, job, state=TrialState.ERROR)
    else:
        answer(connection, job)


def note(text: str) -> None:
    """A line for the log."""
    os.write(1, f"{text}\n".encode())


def answer(
    connection: socket.socket,
    job: dict[str, Any],
    state: TrialState = TrialState.OK,
    **details: object,
) -> None:
    """An outcome with the worker's pid among its details."""
    outcome = Outcome(
        state, {"val_loss": 1.0}, details=Details(more={"pid": os.getpid(), **details})
    )
    name = {"trial": job["trial"], "attempt": job["attempt"]}
    connection.sendall(encode({"outcome": {**name, **outcome_to_json(outcome)}}))
