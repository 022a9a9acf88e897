"""Reads one parameter from a space's file.

The forms are `{choice: [...]}`, `{int: [low, high]}` and `{float: [low, high]}`. Each may have a
`prior`, which says what is likely.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from evonas.errors import did_you_mean
from evonas.genome.genome import Value, same_value
from evonas.genome.parameters import OFF_SHARE, Choice, Number, Parameter, is_number
from evonas.genome.prior import NARROWEST, Prior
from evonas.genome.reading import Reader
from evonas.genome.strict_yaml import KeyPath

KINDS = ("choice", "int", "float", "same_as")
MAX_INT = 10**12
"""Integers up to here survive the way to the unit interval and back, also on a log scale."""
LEAST_FLOAT = 1e-300
MOST_FLOAT = 1e300
LEAST_WEIGHT = 1e-3
MOST_WEIGHT = 1e3
LEAST_OFF = 0.01
MOST_OFF = 0.99


def read_parameter(reader: Reader, path: KeyPath, data: Any) -> Parameter | None:
    """A parameter; None, with problems in the reader, if it is wrong.

    `same_as` is not read here, because it concerns the whole space.
    """
    data = reader.mapping(path, data, "{choice: [8, 16, 32]} or {float: [0.1, 0.9]}")
    if not data:
        return None
    kinds = [kind for kind in KINDS if kind in data]
    if len(kinds) != 1:
        # With two kinds, the words are right and no hint is needed.
        hint = "" if kinds else _first_hint(data)
        listed = ", ".join(KINDS)
        received = ", ".join(data)
        reader.wrong(path, f"needs exactly one of {listed}.{hint} Received: {received}.")
        return None
    kind = kinds[0]
    if kind == "choice":
        reader.only(path, data, ("choice", "prior"))
        return _choice(reader, path, data)
    if kind == "same_as":
        reader.wrong(path, "`same_as` is not possible here.")
        return None
    reader.only(path, data, (kind, "log", "off", "prior"))
    return _number(reader, path, data, integer=kind == "int")


def _first_hint(data: Mapping[str, Any]) -> str:
    """The hint for the first key that is close to a kind; empty if none is."""
    for key in data:
        hint = did_you_mean(key, KINDS)
        if hint:
            return hint
    return ""


def _choice(reader: Reader, whole: KeyPath, data: Mapping[str, Any]) -> Choice | None:
    path = (*whole, "choice")
    values = data["choice"]
    if not isinstance(values, list) or not values:
        reader.expected(path, "a list of values, such as [8, 16, 32]", values)
        return None
    # All values are looked at before the first return, so that every wrong one is reported.
    good = True
    for i, value in enumerate(values):
        if not reader.scalar((*path, i), value):
            good = False
    if not good:
        return None
    kinds = {_kind_of(value) for value in values}
    if len(kinds) > 1:
        mixed = " and ".join(sorted(kinds))
        reader.wrong(path, f"mixes {mixed}; a choice is of one kind.")
        return None
    if not _are_different(reader, path, values):
        return None
    weights: list[float] = []
    if "prior" in data:
        found = _weights(reader, (*whole, "prior"), data["prior"], values)
        if found is None:
            return None
        weights = found
    # Weights in a list are in the order of the file, so they move with their values.
    order = list(range(len(values)))
    if "numbers" in kinds:
        order.sort(key=values.__getitem__)
    in_order = tuple(values[i] for i in order)
    if not weights:
        return Choice(in_order)
    return Choice(in_order, tuple(weights[i] for i in order))


def is_weight(value: Any) -> bool:
    """Whether this can be the weight of an op or of a value."""
    return is_number(value) and LEAST_WEIGHT <= value <= MOST_WEIGHT


def _weights(reader: Reader, path: KeyPath, data: Any, values: list[Value]) -> list[float] | None:
    """The weight of each value, in the order of the file; None if a weight is wrong.

    Weights by word are a mapping. Numbers and truth values can be no keys in YAML, so their weights
    are a list.
    """
    before = len(reader.problems)
    by_word: dict[Value, Any] = {}
    if isinstance(data, list) and len(data) == len(values):
        by_word = dict(zip(values, data, strict=True))
    elif isinstance(data, dict) and data and isinstance(values[0], str):
        reader.only(path, data, list(map(str, values)))
        by_word = dict(data)
    else:
        reader.expected(path, f"weights such as {_form(values)}", data)
    weights = []
    for i, value in enumerate(values):
        weight = by_word.get(value, 1.0)
        if is_weight(weight):
            weights.append(float(weight))
            continue
        key = i if isinstance(data, list) else str(value)
        allowed = f"a weight in [{LEAST_WEIGHT:g}, {MOST_WEIGHT:g}]"
        reader.expected((*path, key), allowed, weight)
    return weights if len(reader.problems) == before else None


def _form(values: list[Value]) -> str:
    """How weights of these values are written, for a message."""
    listed = f"[{', '.join(['1'] * len(values))}], one for each value"
    if isinstance(values[0], str):
        return f"{{{values[0]}: 4}}, or {listed}"
    return listed


def _kind_of(value: Value) -> str:
    if is_number(value):
        return "numbers"
    return "truth values" if isinstance(value, bool) else "words"


def _are_different(reader: Reader, path: KeyPath, values: list[Value]) -> bool:
    """Whether no value comes twice; the second one is reported."""
    # 1 and 1.0 are one key of a dict, so both are found to be the same number here.
    seen: dict[Value, Value] = {}
    for i, value in enumerate(values):
        if value not in seen:
            seen[value] = value
            continue
        same = seen[value]
        note = ""
        if not same_value(value, same):
            note = f" ({value!r} and {same!r} are one number)"
        reader.wrong((*path, i), f"{value!r} is in the list twice{note}.")
        return False
    return True


def _number(reader: Reader, path: KeyPath, data: Mapping[str, Any], integer: bool) -> Number | None:
    kind = "int" if integer else "float"
    bounds = data[kind]
    log = data.get("log", False)
    off = data.get("off")
    if not _are_well_formed(reader, path, data, integer):
        return None
    low, high = bounds
    if not integer:
        low = float(low)
        high = float(high)
    if log and low <= 0:
        reader.wrong(
            (*path, kind),
            f"a range on a log scale starts above 0. Received: {bounds!r}",
        )
        return None
    if off is not None and low <= off <= high:
        reader.wrong(
            (*path, "off"),
            f"lies inside of the range {bounds!r}; it must be a value beside it.",
        )
        return None
    # Compared without `off`, which would be a second value in any case.
    plain = Number(low, high, log, integer)
    if plain.from_unit(0.0) == plain.from_unit(1.0):
        reader.wrong(
            (*path, kind),
            f"too narrow: with 4 significant digits it is one value. Received: {bounds!r}",
        )
        return None
    if off is not None and not integer:
        off = float(off)
    plain = Number(low, high, log, integer, off)
    if "prior" not in data:
        return plain
    return _with_prior(reader, (*path, "prior"), data["prior"], plain)


def _with_prior(reader: Reader, path: KeyPath, data: Any, plain: Number) -> Number | None:
    """The number with the prior of the file; None if the prior is wrong."""
    before = len(reader.problems)
    example = "{median: 0.003, spread: 3}"
    given = reader.mapping(path, data, example)
    reader.only(path, given, ("median", "spread", "off"))
    has_curve = "median" in given or "spread" in given
    for key, other in (("median", "spread"), ("spread", "median")):
        if key in given and other not in given:
            reader.wrong(path, f"needs {other} beside {key}, as in {example}.")
    share = OFF_SHARE
    if "off" in given:
        share = _off_share(reader, (*path, "off"), given["off"], plain)
    if has_curve and len(reader.problems) == before:
        _check_curve(reader, path, given, plain)
    if len(reader.problems) > before:
        return None
    prior = Prior(float(given["median"]), float(given["spread"])) if has_curve else None
    return replace(plain, prior=prior, off_share=share)


def _off_share(reader: Reader, path: KeyPath, value: Any, plain: Number) -> float:
    """The part of the draws that are `off`."""
    if plain.off is None:
        reader.wrong(path, "goes with a parameter that has `off` only.")
    elif not is_number(value) or not LEAST_OFF <= value <= MOST_OFF:
        allowed = f"the part of the draws that are off, in [{LEAST_OFF}, {MOST_OFF}]"
        reader.expected(path, allowed, value)
    else:
        return float(value)
    return OFF_SHARE


def _check_curve(reader: Reader, path: KeyPath, given: Mapping[str, Any], plain: Number) -> None:
    """Notes what is wrong with the median and the spread."""
    low = plain.low
    high = plain.high
    median = given["median"]
    spread = given["spread"]
    if not is_number(median) or not low <= median <= high:
        reader.expected((*path, "median"), f"a number in the range [{low:g}, {high:g}]", median)
    if plain.log:
        least = math.exp(NARROWEST * (math.log(high) - math.log(low)))
        is_wide = is_number(spread) and least <= spread <= MOST_FLOAT
        allowed = f"a factor of at least {least:.4g}"
    else:
        least = (high - low) * NARROWEST
        is_wide = is_number(spread) and least <= spread <= MOST_FLOAT
        allowed = f"a distance of at least {least:.4g}"
    if not is_wide:
        why = "a hundredth of the range; for less, narrow the range"
        reader.expected((*path, "spread"), f"{allowed} ({why})", spread)


def _are_well_formed(reader: Reader, path: KeyPath, data: Mapping[str, Any], integer: bool) -> bool:
    """Whether the bounds, `log` and `off` are right, each for itself."""
    kind = "int" if integer else "float"
    # All three are looked at in any case, so that every wrong one is reported.
    good = _bounds(reader, (*path, kind), data[kind], integer)
    log = data.get("log", False)
    if not isinstance(log, bool):
        reader.expected((*path, "log"), "true or false", log)
        good = False
    if "off" in data and not _fits(data["off"], integer):
        allowed = f"{_allowed(integer)} beside the range"
        reader.expected((*path, "off"), allowed, data["off"])
        good = False
    return good


def _bounds(reader: Reader, path: KeyPath, bounds: Any, integer: bool) -> bool:
    """Whether these are two numbers, rising."""
    is_pair = isinstance(bounds, list) and len(bounds) == 2
    if not is_pair or not all(_fits(bound, integer) for bound in bounds):
        reader.expected(path, f"[low, high], each {_allowed(integer)}", bounds)
        return False
    low, high = bounds
    if low >= high:
        reader.wrong(path, f"an empty range: low must be below high. Received: {bounds!r}")
        return False
    return True


def _fits(value: Any, integer: bool) -> bool:
    """Whether this may be an end of a range."""
    if integer:
        # Not `isinstance`: True is an int for Python.
        return type(value) is int and -MAX_INT <= value <= MAX_INT
    if not is_number(value):
        return False
    if value == 0:
        return True
    size: float = abs(value)
    return LEAST_FLOAT <= size <= MOST_FLOAT


def _allowed(integer: bool) -> str:
    if integer:
        return "an integer within 10**12 of 0"
    return f"a number within {MOST_FLOAT:g} of 0"
