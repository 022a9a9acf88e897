"""Reads one parameter from a space's file: `{choice: [...]}`, `{int: [low, high]}` or `{float: [low, high]}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonas.errors import did_you_mean
from evonas.genome.genome import Value, same_value
from evonas.genome.parameters import Choice, Number, Parameter, is_number
from evonas.genome.reading import Reader
from evonas.genome.strict_yaml import KeyPath

KINDS = ("choice", "int", "float", "same_as")
MAX_INT = 10**12
"""Integers up to here survive the way to the unit interval and back, also on a log scale."""
LEAST_FLOAT, MOST_FLOAT = 1e-300, 1e300


def read_parameter(reader: Reader, path: KeyPath, data: Any) -> Parameter | None:
    """A parameter; None, and problems in the reader, where it is none.

    `same_as` is a matter of the whole space, and not read here.
    """
    data = reader.mapping(path, data, "{choice: [8, 16, 32]} or {float: [0.1, 0.9]}")
    if not data:
        return None
    kinds = [kind for kind in KINDS if kind in data]
    if len(kinds) != 1:
        hint = next((h for key in data if not kinds and (h := did_you_mean(key, KINDS))), "")
        reader.wrong(
            path, f"needs exactly one of {', '.join(KINDS)}.{hint} Received: {', '.join(data)}."
        )
        return None
    kind = kinds[0]
    if kind == "choice":
        reader.only(path, data, ("choice",))
        return _choice(reader, (*path, "choice"), data["choice"])
    if kind == "same_as":
        reader.wrong(path, "`same_as` is not possible here.")
        return None
    reader.only(path, data, (kind, "log", "off"))
    return _number(reader, path, data, integer=kind == "int")


def _choice(reader: Reader, path: KeyPath, values: Any) -> Choice | None:
    if not isinstance(values, list) or not values:
        reader.expected(path, "a list of values, such as [8, 16, 32]", values)
        return None
    good = [
        reader.scalar((*path, i), value) for i, value in enumerate(values)
    ]  # each one that is wrong is noted
    if not all(good):
        return None
    kinds = {
        "numbers" if is_number(v) else "truth values" if isinstance(v, bool) else "words"
        for v in values
    }
    if len(kinds) > 1:
        reader.wrong(path, f"mixes {' and '.join(sorted(kinds))}; a choice is of one kind.")
        return None
    seen: dict[Value, Value] = {}  # 1 and 1.0 are one key
    for i, value in enumerate(values):
        if value in seen:
            same = seen[value]
            note = "" if same_value(value, same) else f" ({value!r} and {same!r} are one number)"
            reader.wrong((*path, i), f"{value!r} is in the list twice{note}.")
            return None
        seen[value] = value
    return Choice(tuple(sorted(values) if "numbers" in kinds else values))


def _number(reader: Reader, path: KeyPath, data: Mapping[str, Any], integer: bool) -> Number | None:
    kind = "int" if integer else "float"
    log, off = data.get("log", False), data.get("off")
    good = _bounds(reader, (*path, kind), data[kind], integer)
    if not isinstance(log, bool):
        reader.expected((*path, "log"), "true or false", log)
        good = False
    if "off" in data and not _fits(off, integer):
        reader.expected((*path, "off"), f"{_allowed(integer)} beside the range", off)
        good = False
    if not good:
        return None
    low, high = data[kind] if integer else map(float, data[kind])
    if log and low <= 0:
        reader.wrong(
            (*path, kind), f"a range on a log scale starts above 0. Received: {data[kind]!r}"
        )
        return None
    if off is not None and low <= off <= high:
        reader.wrong(
            (*path, "off"),
            f"lies inside of the range {data[kind]!r}; it must be a value beside it.",
        )
        return None
    number = Number(low, high, log, integer, off if integer or off is None else float(off))
    plain = Number(low, high, log, integer)
    if plain.from_unit(0.0) == plain.from_unit(1.0):
        reader.wrong(
            (*path, kind),
            f"too narrow: with 4 significant digits it is one value. Received: {data[kind]!r}",
        )
        return None
    return number


def _bounds(reader: Reader, path: KeyPath, bounds: Any, integer: bool) -> bool:
    """Whether these are two numbers, rising."""
    if (
        not isinstance(bounds, list)
        or len(bounds) != 2
        or not all(_fits(bound, integer) for bound in bounds)
    ):
        reader.expected(path, f"[low, high], each {_allowed(integer)}", bounds)
        return False
    if not bounds[0] < bounds[1]:
        reader.wrong(path, f"an empty range: low must be below high. Received: {bounds!r}")
        return False
    return True


def _fits(value: Any, integer: bool) -> bool:
    if integer:
        return type(value) is int and abs(value) <= MAX_INT
    return is_number(value) and (value == 0 or LEAST_FLOAT <= abs(value) <= MOST_FLOAT)


def _allowed(integer: bool) -> str:
    return "an integer within 10**12 of 0" if integer else f"a number within {MOST_FLOAT:g} of 0"
