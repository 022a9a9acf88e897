"""From plain YAML data to frozen dataclasses and back: strict, by their type hints, with all problems at once.

A config is a tree of frozen dataclasses. Three things are written by *name*: the strategy, the pool, and the parts that
a strategy is made of. Each is one key with its settings under it, `tournament: {size: 3}`, or the bare name.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Interval, Le, Lt
from pydantic import ConfigDict, TypeAdapter, ValidationError

from evonas.errors import did_you_mean, switch_hint
from evonas.genome.strict_yaml import KeyPath
from evonas.search.named import Named

Families = Mapping[type, Mapping[str, type[Any]]]
"""For each type that is written by name, the dataclasses that may stand there."""


@dataclass(frozen=True)
class KeyIssue:
    """Something wrong at a key; whoever knows the file turns it into a `Issue`."""

    path: KeyPath
    message: str


@dataclass(frozen=True)
class Check:
    """Annotates a type with a rule of its own: `problem` tells what is wrong with a value, or nothing."""

    problem: Callable[[Any], str]


class _Failed:
    """What `build` returns where it has noted an issue."""


FAILED = _Failed()


@dataclass
class Builder:
    """Builds values of type hints, and gathers what is wrong.

    Attributes:
        families: what is written by name.
        issues: found so far, in the order of the hints.
    """

    families: Families
    issues: list[KeyIssue] = field(default_factory=list)

    def build(self, hint: Any, value: Any, path: KeyPath = ()) -> Any:
        """The value as this type hint has it, or `FAILED`, with at least one issue noted."""
        built = self._build(hint, value, path)
        for note in typing.get_args(hint)[1:]:
            if isinstance(note, Check) and built is not FAILED and (message := note.problem(built)):
                built = self.refuse(path, message)
        return built

    def _build(self, hint: Any, value: Any, path: KeyPath) -> Any:
        base, arguments = _bare(hint), typing.get_args(_bare(hint))
        origin = typing.get_origin(base) or base
        if base in self.families:
            return self._named(base, value, path)
        if dataclasses.is_dataclass(base):
            return self._dataclass(base, value, path)
        if origin in (typing.Union, types.UnionType):
            return self._union(hint, arguments, value, path)
        if origin is tuple and isinstance(value, list):
            return self._all(
                tuple, [self.build(arguments[0], item, (*path, i)) for i, item in enumerate(value)]
            )
        if origin is Mapping and isinstance(value, dict):
            items = {
                key: self.build(arguments[1], item, (*path, key)) for key, item in value.items()
            }
            return FAILED if self._all(list, list(items.values())) is FAILED else items
        return self._scalar(hint, value, path)

    def refuse(self, path: KeyPath, message: str) -> _Failed:
        self.issues.append(KeyIssue(path, message))
        return FAILED

    def _all(self, make: Any, items: Sequence[Any]) -> Any:
        return FAILED if any(item is FAILED for item in items) else make(items)

    def _scalar(self, hint: Any, value: Any, path: KeyPath) -> Any:
        try:
            return _adapter(hint).validate_python(value)
        except ValidationError:
            return self.refuse(
                path, f"must be {describe(hint)}. Received: {shown(value)}.{_meant(hint, value)}"
            )

    def _union(self, hint: Any, arms: tuple[Any, ...], value: Any, path: KeyPath) -> Any:
        whole = [arm for arm in arms if arm in self.families or dataclasses.is_dataclass(arm)]
        if len(whole) == len(arms) - 1 == 1 and types.NoneType in arms and value is not None:
            return self.build(whole[0], value, path)  # which tells what is wrong inside
        for arm in arms:
            trial = Builder(self.families)
            built = trial.build(arm, value, path)
            if not trial.issues:
                return built
        return self.refuse(
            path, f"must be {describe(hint)}. Received: {shown(value)}.{_meant(hint, value)}"
        )

    def _named(self, family: type, value: Any, path: KeyPath) -> Any:
        """One of a family: `{name: {settings}}`, `{name: null}`, or the bare name."""
        registry = self.families[family]
        allowed = ", ".join(sorted(registry))
        choice = {value: None} if isinstance(value, str) else value
        if not isinstance(choice, dict) or not choice:
            message = f"must be one name with its settings under it. Allowed: {allowed}. Received: {shown(value)}."
            return self.refuse(path, message)
        if (
            len(choice) > 1
        ):  # told of an unknown one, or else of the last, which an override has added
            extra = next((name for name in choice if name not in registry), list(choice)[-1])
            message = f"only one name can be given here. Received: {', '.join(choice)}. Allowed: {allowed}."
            hint = "" if extra in registry else did_you_mean(extra, sorted(registry))
            return self.refuse((*path, extra), message + hint)
        ((name, settings),) = choice.items()
        here = path if isinstance(value, str) else (*path, name)
        if name not in registry:
            hint = did_you_mean(name, sorted(registry))
            return self.refuse(
                here, f"unknown name. Allowed: {allowed}. Received: {shown(name)}.{hint}"
            )
        built = self._dataclass(registry[name], {} if settings is None else settings, (*path, name))
        return family(name, built) if issubclass(family, Named) and built is not FAILED else built

    def _dataclass(self, cls: Any, value: Any, path: KeyPath) -> Any:
        fields = {item.name: item for item in dataclasses.fields(cls) if item.init}
        if not isinstance(value, dict):
            return self.refuse(path, f"must be {_mapping(list(fields))}. Received: {shown(value)}.")
        before = len(self.issues)
        hints = _hints(cls)
        for key in value:
            if key not in fields:
                allowed = ", ".join(fields) or "none"
                self.refuse(
                    (*path, key),
                    f"unknown key. Allowed: {allowed}.{did_you_mean(key, list(fields))}",
                )
        for name, item in fields.items():
            required = (
                item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
            )
            if required and name not in value:
                self.refuse(
                    (*path, name), f"is missing. It must be {describe(hints[name], self.families)}."
                )
        built = {
            key: self.build(hints[key], value[key], (*path, key)) for key in fields if key in value
        }
        if len(self.issues) > before:
            return FAILED
        return self._whole(cls(**built), path)

    def _whole(self, built: Any, path: KeyPath) -> Any:
        """What a dataclass itself finds wrong between its settings, by relative key."""
        found: Mapping[str, str] = built.problems() if hasattr(built, "problems") else {}
        for key, message in found.items():
            self.refuse((*path, *key.split(".")), message)
        return FAILED if found else built


def dump(value: Any, families: Families) -> Any:
    """Plain JSON data from which `Builder.build` makes an equal value; every default is written out."""
    if isinstance(value, Named):
        return {value.name: _fields(value.settings, families)}
    if dataclasses.is_dataclass(value):
        parts = [registry for family, registry in families.items() if isinstance(value, family)]
        names = [name for registry in parts for name, cls in registry.items() if cls is type(value)]
        return {names[0]: _fields(value, families)} if names else _fields(value, families)
    if isinstance(value, Mapping):
        return {key: dump(item, families) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [dump(item, families) for item in value]
    return value


def _fields(value: Any, families: Families) -> dict[str, Any]:
    return {
        item.name: dump(getattr(value, item.name), families)
        for item in dataclasses.fields(value)
        if item.init
    }


def shown(value: Any) -> str:
    """A value as the user wrote it, near enough, and not too long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def describe(hint: Any, families: Families = types.MappingProxyType({})) -> str:
    """What a type hint allows, in words: `a whole number of at least 1, or null`."""
    base, arguments = _bare(hint), typing.get_args(_bare(hint))
    origin = typing.get_origin(base) or base
    if base in families:
        return f"one of {', '.join(sorted(families[base]))}"
    if dataclasses.is_dataclass(base):
        return _mapping([item.name for item in dataclasses.fields(base) if item.init])
    if origin in (typing.Union, types.UnionType):
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


def _mapping(keys: Sequence[str]) -> str:
    return f"a mapping with the keys {', '.join(keys)}" if keys else "an empty mapping"


def _range(hint: Any) -> str:
    """The limits that annotate a number: ` of at least 1`, ` from 0 to 1`, ` above 0 and below 1`."""
    limits: dict[str, Any] = {}
    for note in typing.get_args(hint)[1:] if typing.get_origin(hint) is Annotated else ():
        if isinstance(note, Ge | Gt | Le | Lt | Interval):
            limits |= {key: value for key, value in _vars(note).items() if value is not None}
    if set(limits) == {"ge", "le"}:
        return f" from {limits['ge']} to {limits['le']}"
    words = {"ge": "of at least", "gt": "above", "le": "of at most", "lt": "below"}
    told = [f"{words[key]} {limits[key]}" for key in words if key in limits]
    return f" {' and '.join(told)}" if told else ""


def _vars(note: Any) -> dict[str, Any]:
    """The fields of an annotation; those of `annotated_types` have slots."""
    return {item.name: getattr(note, item.name) for item in dataclasses.fields(note)}


def _bare(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is Annotated else hint


def _meant(hint: Any, value: Any) -> str:
    """A hint where a word was close to an allowed one, or was meant as a boolean."""
    base = _bare(hint)
    if base is str and isinstance(value, int | float):
        return " Put it in quotes."
    if not isinstance(value, str):
        return ""
    if base is bool:
        return switch_hint(value)
    arms = (
        typing.get_args(base)
        if typing.get_origin(base) in (typing.Union, types.UnionType)
        else (base,)
    )
    words = [
        word for arm in arms if typing.get_origin(arm) is Literal for word in typing.get_args(arm)
    ]
    return did_you_mean(value, words)


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


@functools.cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint, config=ConfigDict(strict=True))
