"""Reading what a worker says. A network or a plugin may have spoilt its process: all is checked."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from evonas.evaluate.contract.protocol import PROTOCOL, Job, outcome_from_json
from evonas.evaluate.contract.user_code import WORDS, Source
from evonas.trial import Outcome, TrialState

SHOWN = 80
"""Characters of a bad message that are quoted."""

FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "metrics": dict,
    "epochs": int,
    "seconds": (int, float),
    "history": dict,
    "message": str,
    "files": dict,
    "details": dict,
}
"""The JSON type of each field of an outcome."""

_SHA256 = re.compile("[0-9a-f]{64}")


class BadAnswer(ValueError):
    """A worker has sent something that is not the protocol; the message says what is wrong."""


@dataclass(frozen=True)
class Ready:
    """The worker has taken in the setup.

    Attributes:
        devices: names of the devices that TensorFlow has opened, such as `/device:GPU:0`; None if
            the worker does not tell.
    """

    devices: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Code:
    """The worker has imported code of the user's that is not as the setup says.

    Attributes:
        sources: files, by name.
    """

    sources: Mapping[str, Source]


@dataclass(frozen=True)
class Epoch:
    """The job has finished an epoch."""

    number: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Alive:
    """The job still runs, in the middle of an epoch."""


def read_answer(line: bytes, job: Job | None) -> Ready | Code | Epoch | Alive | Outcome:
    """One line of a worker.

    Args:
        line: the line without its line end.
        job: the job that the worker works on, or None.

    Raises:
        BadAnswer: not JSON, not the protocol, or about another job.
    """
    kind, content = _read_message(line)
    match kind:
        case "ready":
            return _read_ready(content)
        case "imported":
            return _read_code(content)
        case "progress":
            _check_job(content, job)
            return _read_epoch(content)
        case "alive":
            _check_job(content, job)
            return Alive()
        case "outcome":
            _check_job(content, job)
            outcome = _read_outcome(content)
            # `_check_job` has refused an answer while there is no job.
            assert job is not None
            _check_files(outcome.files, job)
            return outcome
        case _:
            raise BadAnswer(f"not a message of the protocol: {_show(kind)}")


def _read_message(line: bytes) -> tuple[str, Mapping[str, Any]]:
    """The kind of a message, and its content."""
    try:
        message = json.loads(line, parse_constant=_refuse_constant)
    # Brackets that are nested too deep end in a RecursionError.
    except (ValueError, RecursionError) as error:
        raise BadAnswer(f"not JSON ({_quote(line)})") from error
    if isinstance(message, dict) and len(message) == 1:
        kind, content = next(iter(message.items()))
        if isinstance(content, dict):
            return kind, content
    raise BadAnswer(f"not a message of the protocol ({_quote(line)})")


def _check_job(content: Mapping[str, Any], job: Job | None) -> None:
    trial = content.get("trial")
    attempt = content.get("attempt")
    if job is None:
        awaited = "no answer is awaited"
    elif (trial, attempt) == (job.trial, job.attempt):
        return
    else:
        awaited = f"trial {job.trial}, attempt {job.attempt} is awaited"
    raise BadAnswer(
        f"an answer for trial {_show(trial)}, attempt {_show(attempt)}, where {awaited}"
    )


def _read_ready(content: Mapping[str, Any]) -> Ready:
    # A worker that does not name its protocol is taken to speak this one.
    protocol = content.get("protocol", PROTOCOL)
    if protocol != PROTOCOL:
        raise BadAnswer(f"protocol {_show(protocol)}, where {PROTOCOL} is spoken here")
    devices = content.get("devices")
    if not isinstance(devices, list):
        return Ready(devices=None)
    names = [str(device) for device in devices]
    return Ready(tuple(names))


def _read_code(content: Mapping[str, Any]) -> Code:
    sources = {}
    for name, value in content.items():
        match value:
            case [str(sha256), str(file)] if sha256 in WORDS or _SHA256.fullmatch(sha256):
                sources[name] = Source(sha256, file)
            case _:
                raise BadAnswer(f"code that is no sha256 and path: {_show(value)}")
    try:
        # As below: the record could not hold half a character.
        json.dumps(content, ensure_ascii=False).encode()
    except ValueError as error:
        raise BadAnswer(f"code whose names are no text: {_show(content)}") from error
    return Code(sources)


def _read_epoch(content: Mapping[str, Any]) -> Epoch:
    epoch = content.get("epoch")
    metrics = content.get("metrics")
    if not isinstance(epoch, int) or not isinstance(metrics, dict):
        raise BadAnswer("a progress message without epoch and metrics")
    # Only observers see progress; what the search needs is checked in the outcome.
    numbers = {name: value for name, value in metrics.items() if _is_number(value)}
    return Epoch(epoch, numbers)


def _read_outcome(content: Mapping[str, Any]) -> Outcome:
    data = dict(content)
    for name in ("trial", "attempt"):
        data.pop(name, None)
    _check_types(data)
    try:
        # JSON reads 1e999 as infinite, and accepts half a character (a lone surrogate). Writing the
        # data again finds both: the record could not hold them.
        json.dumps(data, allow_nan=False, ensure_ascii=False).encode()
        outcome = outcome_from_json(data)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadAnswer(f"not an outcome: {_show(str(error))}") from error
    if outcome.state is TrialState.WAITING:
        raise BadAnswer("an outcome 'waiting'")
    _check_numbers(outcome)
    _check_history(outcome)
    return outcome


def _check_types(data: Mapping[str, Any]) -> None:
    for name, kind in FIELDS.items():
        if name in data and not isinstance(data[name], kind):
            raise BadAnswer(f"an outcome whose {name!r} is {_show(data[name])}")


def _check_numbers(outcome: Outcome) -> None:
    for name, value in outcome.metrics.items():
        if not _is_number(value):
            raise BadAnswer(
                f"an outcome with a metric that is no number: {_show(name)} is {_show(value)}"
            )
    spent = (outcome.seconds, outcome.epochs)
    # All are numbers before any is compared: NaN would pass a comparison.
    if not all(map(_is_number, spent)) or min(spent) < 0:
        raise BadAnswer("an outcome whose epochs or seconds are no number of at least 0")


def _check_history(outcome: Outcome) -> None:
    for values in outcome.history.values():
        if not isinstance(values, list):
            raise BadAnswer("an outcome with a history that is no list")
    for values in outcome.history.values():
        for value in values:
            # None stands for an epoch without a finite value.
            if value is not None and not _is_number(value):
                raise BadAnswer("an outcome with a history of other things than numbers")


def _check_files(files: Mapping[str, str], job: Job) -> None:
    """A worker writes the files that its job names, and no others."""
    for name, digest in files.items():
        if name not in job.writes:
            raise BadAnswer(f"an outcome with a file that its job does not name: {_show(name)}")
        is_digest = isinstance(digest, str) and _SHA256.fullmatch(digest)
        if not is_digest:
            raise BadAnswer(f"an outcome with a file without its sha256: {_show(name)}")


def _is_number(value: object) -> bool:
    """A number that the record can hold: a finite float, or an integer of 64 bits."""
    # For Python, True and False are integers.
    if isinstance(value, bool):
        return False
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and abs(value) < 2**63


def _refuse_constant(word: str) -> NoReturn:
    """Python reads NaN, Infinity and -Infinity, which JSON does not have."""
    raise ValueError(f"{word} is not JSON")


def _show(value: object) -> str:
    """A value in short, for a message that goes into the record."""
    # `ascii` escapes half characters, which the record could not hold.
    text = ascii(value)
    if len(text) <= SHOWN:
        return text
    return text[:SHOWN] + "..."


def _quote(data: bytes) -> str:
    """The beginning of a line, for a message."""
    # One byte more than is shown tells whether there is more.
    beginning = data[: SHOWN + 1]
    text = beginning.decode(errors="replace")
    if len(text) > SHOWN:
        text = text[:SHOWN] + "..."
    return repr(text)
