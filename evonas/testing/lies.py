"""Nonsense that a worker may answer after a network or a plugin has damaged its process.

Each lie can be found out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Change = Callable[[dict[str, Any]], object]
"""Spoils an outcome's message in place."""


def _about_files(data: dict[str, Any], sha256: str, suffix: str = "") -> None:
    data["files"] = {
        f"{name}{suffix}": sha256 for name in data.get("files") or {"weights/none.npz": ""}
    }


LIES: Mapping[str, Change] = {
    "another trial": lambda data: data.update(trial=data["trial"] + 1),
    "another attempt": lambda data: data.update(attempt=data["attempt"] + 1),
    "no trial": lambda data: data.pop("trial"),
    "an unknown state": lambda data: data.update(state="splendid"),
    "no final state": lambda data: data.update(state="waiting"),
    "a state that is none": lambda data: data.update(state=["ok"]),
    "metrics are a list": lambda data: data.update(metrics=[1, 2]),
    "a metric is a word": lambda data: data["metrics"].update(val_loss="good"),
    "a metric is true": lambda data: data["metrics"].update(val_loss=True),
    "a metric is infinite": lambda data: data["metrics"].update(val_loss=float("inf")),
    "a metric is not a number": lambda data: data["metrics"].update(val_loss=float("nan")),
    "a metric is beyond all floats": lambda data: data["metrics"].update(val_loss=10**400),
    "a metric is beyond all integers": lambda data: data["metrics"].update(val_loss=2**70),
    "a history of words": lambda data: data.update(history={"val_loss": ["good"]}),
    "an infinite history": lambda data: data.update(history={"val_loss": [1e308, float("inf")]}),
    "epochs without number": lambda data: data.update(epochs=10**30),
    "fewer than no epochs": lambda data: data.update(epochs=-1),
    "a word for seconds": lambda data: data.update(seconds="a while"),
    "more than all seconds": lambda data: data.update(seconds=float("inf")),
    "half a character": lambda data: data.update(message="\ud800"),
    "infinite details": lambda data: data.update(details={"a": [float("inf")]}),
    "files that are not there": lambda data: _about_files(data, "0" * 64, ".gone"),
    "files of another content": lambda data: _about_files(data, "0" * 64),
    "files anywhere on the disk": lambda data: data.update(files={"../../etc/passwd": "0" * 64}),
    "files without a sum": lambda data: data.update(files={"weights": None}),
    "a field that nobody knows": lambda data: data.update(fame=1),
}
"""What is wrong with the message -> how it is spoilt. Everything else in the message is true."""

SPELLINGS = ((b"Infinity", b"1e999"),)
"""JSON has no infinite numbers, but numbers that are read as infinite."""


def lie(name: str, answer: bytes) -> bytes:
    """The line of an outcome, spoilt.

    Args:
        name: name of a lie in `LIES`.
        answer: whole line of the protocol with an `outcome`.
    """
    message = json.loads(answer)
    LIES[name](message["outcome"])
    line = json.dumps(message).encode()
    for word, spelling in SPELLINGS:
        line = line.replace(word, spelling)
    return line + b"\n"
