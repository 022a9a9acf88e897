"""Reading what a worker says. A network or a plugin may have spoilt its process: nothing is taken on trust."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from evonas.evaluate.contract.protocol import PROTOCOL, Job, outcome_from_json
from evonas.trial import Outcome, TrialState

SHOWN = 80
"""Characters of a bad message that are quoted."""


class BadAnswer(ValueError):
    """What a worker has sent is not the protocol; the message says what is wrong with it."""


@dataclass(frozen=True)
class Ready:
    """The worker has taken in the setup.

    Attributes:
        devices: that TensorFlow has opened, such as `/device:GPU:0`; None where the worker does not tell.
    """

    devices: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Epoch:
    """The job has finished an epoch."""

    number: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Alive:
    """The job goes on, in the middle of an epoch."""


def read_answer(line: bytes, job: Job | None) -> Ready | Epoch | Alive | Outcome:
    """One line of a worker.

    Args:
        line: without its line end.
        job: that the worker works on; None while it has none.

    Raises:
        BadAnswer: not JSON, not the protocol, or about another job.
    """
    try:
        message = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"not JSON ({_quote(line)})") from error
    if (
        not isinstance(message, dict)
        or len(message) != 1
        or not isinstance(content := next(iter(message.values())), dict)
    ):
        raise BadAnswer(f"not a message of the protocol ({_quote(line)})")
    match next(iter(message)):
        case "ready":
            if content.get("protocol", PROTOCOL) != PROTOCOL:
                raise BadAnswer(
                    f"protocol {_show(content['protocol'])}, where {PROTOCOL} is spoken here"
                )
            devices = content.get("devices")
            return Ready(tuple(map(str, devices)) if isinstance(devices, list) else None)
        case "progress":
            _check_job(content, job)
            return _read_epoch(content)
        case "alive":
            _check_job(content, job)
            return Alive()
        case "outcome":
            _check_job(content, job)
            outcome = _read_outcome(
                {key: value for key, value in content.items() if key not in ("trial", "attempt")}
            )
            assert job is not None
            _check_files(outcome.files, job)
            return outcome
        case kind:
            raise BadAnswer(f"not a message of the protocol: {_show(kind)}")


def _check_job(content: Mapping[str, Any], job: Job | None) -> None:
    got = (content.get("trial"), content.get("attempt"))
    if job is None or got != (job.trial, job.attempt):
        awaited = (
            "no answer is awaited"
            if job is None
            else f"trial {job.trial}, attempt {job.attempt} is awaited"
        )
        raise BadAnswer(
            f"an answer for trial {_show(got[0])}, attempt {_show(got[1])}, where {awaited}"
        )


def _read_epoch(content: Mapping[str, Any]) -> Epoch:
    epoch, metrics = content.get("epoch"), content.get("metrics")
    if not isinstance(epoch, int) or not isinstance(metrics, dict):
        raise BadAnswer("a progress message without epoch and metrics")
    return Epoch(epoch, {name: value for name, value in metrics.items() if _is_number(value)})


FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "metrics": dict,
    "epochs": int,
    "seconds": (int, float),
    "history": dict,
    "message": str,
    "files": dict,
    "details": dict,
}


def _read_outcome(data: Mapping[str, Any]) -> Outcome:
    for name, kind in FIELDS.items():
        if name in data and not isinstance(data[name], kind):
            raise BadAnswer(f"an outcome whose {name!r} is {_show(data[name])}")
    try:
        json.dumps(
            data, allow_nan=False, ensure_ascii=False
        ).encode()  # 1e999 is read as infinite, half a character too
        outcome = outcome_from_json(data)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadAnswer(f"not an outcome: {_show(str(error))}") from error
    if outcome.state is TrialState.WAITING:
        raise BadAnswer("an outcome 'waiting'")
    if not all(map(_is_number, outcome.metrics.values())):
        raise BadAnswer("an outcome with a metric that is no number")
    if not (
        _is_number(outcome.seconds)
        and _is_number(outcome.epochs)
        and min(outcome.seconds, outcome.epochs) >= 0
    ):
        raise BadAnswer("an outcome whose epochs or seconds are no number of at least 0")
    if not all(isinstance(values, list) for values in outcome.history.values()):
        raise BadAnswer("an outcome with a history that is no list")
    if not all(
        value is None or _is_number(value)
        for values in outcome.history.values()
        for value in values
    ):
        raise BadAnswer("an outcome with a history of other things than numbers")
    return outcome


def _check_files(files: Mapping[str, str], job: Job) -> None:
    """A worker writes what its job names, and nothing else."""
    for name, digest in files.items():
        if name not in (job.weights, job.checkpoint, job.model):
            raise BadAnswer(f"an outcome with a file that its job does not name: {_show(name)}")
        if not isinstance(digest, str) or not _SHA256.fullmatch(digest):
            raise BadAnswer(f"an outcome with a file without its sha256: {_show(name)}")


_SHA256 = re.compile("[0-9a-f]{64}")


def _is_number(value: object) -> bool:
    """A number that the record can hold: a finite float, or an integer of 64 bits."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) < 2**63


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _show(value: object) -> str:
    """Something that was read, short, and with no half characters: for a message that goes into the record."""
    text = ascii(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."


def _quote(data: bytes) -> str:
    text = data[: SHOWN + 1].decode(errors="replace")
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "...")
