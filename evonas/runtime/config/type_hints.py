"""The type hints of settings: what they allow, and what is said of a value that they do not."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Interval, Le, Lt
from pydantic import ConfigDict, TypeAdapter, ValidationError

from evonas.errors import did_you_mean, switch_hint
from evonas.runtime.config.families import Families, members
from evonas.settings import Settings
from evonas.words import shown

ALIKE = 3
"""Letters that a wrong key shares with the key that was meant."""

# `Optional[X]` and `X | None` mean the same, but have different origins.
UNIONS = (typing.Union, types.UnionType)


def bare(hint: Any) -> Any:
    """The hint without the notes of `Annotated`."""
    if typing.get_origin(hint) is Annotated:
        return typing.get_args(hint)[0]
    return hint


def is_section(hint: Any) -> bool:
    """Whether a type is built from a mapping with its fields as keys."""
    return isinstance(hint, type) and issubclass(hint, Settings)


@functools.cache
def hints_of(cls: Any) -> dict[str, Any]:
    # Without the extras, the notes of `Annotated` (limits and checks) would be lost.
    return typing.get_type_hints(cls, include_extras=True)


@functools.cache
def adapter(hint: Any) -> TypeAdapter[Any]:
    # Otherwise pydantic takes the word "3" as a number.
    strict = ConfigDict(strict=True)
    return TypeAdapter(hint, config=strict)


def is_required(item: dataclasses.Field[Any]) -> bool:
    """Whether a field has no default."""
    has_default = item.default is not dataclasses.MISSING
    has_factory = item.default_factory is not dataclasses.MISSING
    return not has_default and not has_factory


def describe(hint: Any, families: Families = types.MappingProxyType({})) -> str:
    """What a type hint allows, in words: `a whole number of at least 1, or null`."""
    base = bare(hint)
    arguments = typing.get_args(base)
    origin = typing.get_origin(base) or base
    if base in families:
        return f"one of {', '.join(sorted(members(base, families)))}"
    if is_section(base):
        return a_mapping([item.name for item in dataclasses.fields(base) if item.init], base.advice)
    if origin in UNIONS:
        return ", or ".join(describe(arm, families) for arm in arguments)
    if origin is Literal:
        return " or ".join(str(word) for word in arguments)
    if origin is tuple:
        return f"a list, each item {describe(arguments[0], families)}"
    if origin is Mapping:
        return f"a mapping, each value {describe(arguments[1], families)}"
    words = {
        bool: "true or false",
        int: "a whole number",
        float: "a number",
        str: "a word",
        types.NoneType: "null",
    }
    return words.get(base, str(base)) + _range(hint)


def misfit(hint: Any, value: Any) -> str:
    """The message about a value that is not what its hint allows."""
    allowed = describe(hint)
    advice = _meant(hint, value)
    return f"must be {allowed}. Received: {shown(value)}.{advice}"


def a_mapping(keys: Sequence[str], advice: str = "") -> str:
    """In words, a mapping that may have these keys.

    Args:
        advice: what to say behind them; may be empty.
    """
    if not keys:
        return "an empty mapping"
    words = f"a mapping with the keys {', '.join(keys)}"
    return f"{words}; {advice}" if advice else words


def _range(hint: Any) -> str:
    """The limits that annotate a number, in words: ` of at least 1`, ` above 0 and below 1`."""
    if typing.get_origin(hint) is not Annotated:
        return ""
    limits: dict[str, Any] = {}
    for note in typing.get_args(hint)[1:]:
        if isinstance(note, Ge | Gt | Le | Lt | Interval):
            # The notes of `annotated_types` have slots, so that `vars` fails.
            for item in dataclasses.fields(note):
                limit = getattr(note, item.name)
                if limit is not None:
                    limits[item.name] = limit
    if set(limits) == {"ge", "le"}:
        return f" from {limits['ge']} to {limits['le']}"
    words = {"ge": "of at least", "gt": "above", "le": "of at most", "lt": "below"}
    told = [f"{words[key]} {limits[key]}" for key in words if key in limits]
    return f" {' and '.join(told)}" if told else ""


def _meant(hint: Any, value: Any) -> str:
    """A hint if a word was close to an allowed one, or was meant as a boolean; else empty."""
    base = bare(hint)
    if base is str and isinstance(value, int | float):
        return " Put it in quotes."
    if isinstance(value, float) and value.is_integer():
        return _as_whole(hint, int(value))
    if not isinstance(value, str):
        return ""
    if base is bool:
        return switch_hint(value)
    is_union = typing.get_origin(base) in UNIONS
    arms = typing.get_args(base) if is_union else (base,)
    words: list[str] = []
    for arm in arms:
        if typing.get_origin(arm) is Literal:
            words += map(str, typing.get_args(arm))
            # A number in quotes is a word.
            if value in words and value not in typing.get_args(arm):
                return f" Write {value}, without quotes."
    return did_you_mean(value, words)


def _as_whole(hint: Any, value: int) -> str:
    """A hint at the whole number that was written as a float; empty if it is not allowed."""
    try:
        adapter(hint).validate_python(value)
    except ValidationError:
        return ""
    return f" Write {value}."


def begins_alike(key: Any, known: Sequence[str]) -> str:
    """A hint at the only known key with the same first letters, such as `popsize`, `population`."""
    alike = [word for word in known if word[:ALIKE] == str(key)[:ALIKE]]
    return f" Did you mean {alike[0]!r}?" if len(alike) == 1 else ""
