"""From plain YAML data to frozen dataclasses, guided by type hints.

A config is a tree of `Settings`, which are frozen dataclasses. The builder is strict and reports
all issues at once. `families.py` has the way back to plain data.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from annotated_types import Ge
from pydantic import ValidationError

from evonas.errors import did_you_mean
from evonas.genome.strict_yaml import KeyPath, short
from evonas.runtime.config.families import AsWritten, Families, Finder, members
from evonas.runtime.config.perhaps import Perhaps
from evonas.runtime.config.type_hints import (
    UNIONS,
    a_mapping,
    adapter,
    bare,
    begins_alike,
    describe,
    hints_of,
    is_required,
    is_section,
    misfit,
)
from evonas.settings import Check, OlderSettings, Settings
from evonas.words import shown

Count = Annotated[int, Ge(1)]
"""The type of a setting that counts something."""


@dataclass(frozen=True)
class KeyIssue:
    """Something wrong at a key. Code that knows the file makes an `Issue` of it."""

    path: KeyPath
    message: str


class _Failed:
    """What `build` returns after it has noted an issue."""


FAILED = _Failed()


@dataclass
class Builder:
    """Builds values of type hints, and gathers what is wrong.

    Attributes:
        families: types that are written by name.
        find: finds classes that are in none of them; None if there are no others.
        issues: all issues so far, in the order of the hints.
        root: class of the whole config, in which misplaced keys are looked for.
        is_trying: whether it only tries a value somewhere. Then it looks for no other places, which
            would have to be tried in turn, without an end: a strategy may be within a strategy.
    """

    families: Families
    find: Finder | None = None
    issues: list[KeyIssue] = field(default_factory=list)
    root: type[Settings] | None = None
    is_trying: bool = False

    @property
    def _perhaps(self) -> Perhaps:
        """What may be meant by a wrong value; it asks this builder what a hint allows."""
        return Perhaps(self.families, self.root, self._fits, not self.is_trying)

    def build(self, hint: Any, value: Any, path: KeyPath = ()) -> Any:
        """The value in the type of the hint; `FAILED` if at least one issue was noted."""
        built = self._build(hint, value, path)
        # The first argument of `Annotated` is the type, all others are notes.
        for note in typing.get_args(hint)[1:]:
            if built is FAILED:
                break
            if isinstance(note, Check) and (message := note.problem(built)):
                built = self.refuse(path, message)
        return built

    def _build(self, hint: Any, value: Any, path: KeyPath) -> Any:
        """As `build`, without the checks that annotate the hint."""
        if isinstance(value, AsWritten):
            return value
        base = bare(hint)
        arguments = typing.get_args(base)
        origin = typing.get_origin(base) or base
        # Families come first: the class of a family is a section itself.
        if base in self.families:
            return self._named(base, value, path)
        if is_section(base):
            return self._dataclass(base, value, path)
        if origin in UNIONS:
            return self._union(hint, arguments, value, path)
        if origin is tuple:
            return self._tuple(hint, value, path)
        if origin is Mapping:
            return self._values(hint, value, path)
        return self._scalar(hint, value, path)

    def refuse(self, path: KeyPath, message: str) -> _Failed:
        """Note an issue at this key."""
        self.issues.append(KeyIssue(path, message))
        return FAILED

    def _tuple(self, hint: Any, value: Any, path: KeyPath) -> Any:
        """A list as a tuple, each item built by the hint's."""
        of_items = typing.get_args(bare(hint))[0]
        if not isinstance(value, list):
            meant = [[value]] if self._fits(of_items, value) else []
            return self.refuse(path, misfit(hint, value) + self._perhaps.written(meant, path))
        items = []
        for i, item in enumerate(value):
            built = self.build(of_items, item, (*path, i))
            items.append(built)
        # Not before all items are built: each one may note issues.
        if FAILED in items:
            return FAILED
        return tuple(items)

    def _values(self, hint: Any, value: Any, path: KeyPath) -> Any:
        """A mapping, each of its values built by the hint's."""
        of_values = typing.get_args(bare(hint))[1]
        if not isinstance(value, dict):
            inside: list[Any] = [value] if self._fits(of_values, value) else []
            if dataclasses.is_dataclass(of_values):
                inside = self._perhaps.keyed(of_values, value)
            meant = [{"NAME": one} for one in inside]
            return self.refuse(path, misfit(hint, value) + self._perhaps.written(meant, path))
        items = {}
        for key, item in value.items():
            built = self.build(of_values, item, (*path, key))
            items[key] = built
        if FAILED in items.values():
            return FAILED
        return items

    def _scalar(self, hint: Any, value: Any, path: KeyPath) -> Any:
        """A number, a word, true, false or null."""
        try:
            return adapter(hint).validate_python(value)
        except ValidationError:
            return self.refuse(path, misfit(hint, value))

    def _union(self, hint: Any, arms: tuple[Any, ...], value: Any, path: KeyPath) -> Any:
        """The value in the type of the first arm that it fits."""
        whole = []
        for arm in arms:
            if arm in self.families or is_section(arm):
                whole.append(arm)
        is_optional = len(arms) == 2 and types.NoneType in arms
        # A wrong section gets its own issues, which name the keys inside it.
        if is_optional and len(whole) == 1 and value is not None:
            return self.build(whole[0], value, path)
        for arm in arms:
            # A builder of its own: if another arm fits, the issues of this one do not count.
            own = Builder(self.families, self.find, is_trying=self.is_trying)
            built = own.build(arm, value, path)
            if not own.issues:
                return built
        return self.refuse(path, misfit(hint, value))

    def _named(self, family: type[Settings], value: Any, path: KeyPath) -> Any:
        """One of a family: `{name: {settings}}`, `{name: null}`, or the bare name."""
        known = sorted(members(family, self.families))
        allowed = ", ".join(known)
        choice = {value: None} if isinstance(value, str) else value
        if not isinstance(choice, dict) or not choice:
            message = (
                "must be one name with its settings under it. "
                f"Allowed: {allowed}. Received: {shown(value)}."
            )
            return self.refuse(path, message + self._perhaps.in_family(family, value, path))
        if len(choice) > 1:
            return self._several_names(choice, known, path)
        ((name, settings),) = choice.items()
        cls = self._class_of(family, name)
        if isinstance(cls, str):
            if not isinstance(value, str):
                return self.refuse((*path, name), cls)
            # The name of a function may stand where its key is missing.
            hint = self._perhaps.in_family(family, value, path, of_code=True)
            return self.refuse(path, cls + hint)
        if cls is None:
            # A bare name has no key of its own in the file.
            here = path if isinstance(value, str) else (*path, name)
            hint = did_you_mean(name, known)
            if not hint and here == path:
                hint = self._perhaps.in_family(family, value, path)
            message = f"unknown name. Allowed: {allowed}. Received: {shown(name)}.{hint}"
            return self.refuse(here, message)
        given = {} if settings is None else settings
        return self._dataclass(cls, given, (*path, name))

    def _class_of(self, family: type[Settings], name: Any) -> type[Settings] | str | None:
        """The class of a name, or a sentence about it; None if nobody knows the name."""
        known = self.families[family].get(name)
        if known is None and self.find is not None:
            return self.find(family, name)
        return known

    def _several_names(self, choice: dict[Any, Any], known: list[str], path: KeyPath) -> _Failed:
        """Refuse a second name, at an unknown name if there is one."""
        # Otherwise at the last name: an override adds its own name at the end.
        extra = next((name for name in choice if name not in known), list(choice)[-1])
        message = (
            f"only one name can be given here. Received: {short(', '.join(map(short, choice)))}. "
            f"Allowed: {', '.join(known)}."
        )
        hint = "" if extra in known else did_you_mean(extra, known)
        return self.refuse((*path, extra), message + hint)

    def _dataclass(self, cls: Any, value: Any, path: KeyPath) -> Any:
        """A mapping as an instance of this dataclass."""
        fields = {item.name: item for item in dataclasses.fields(cls) if item.init}
        if not isinstance(value, dict):
            message = f"must be {a_mapping(list(fields), cls.advice)}. Received: {shown(value)}."
            meant = self._perhaps.keyed(cls, value) or self._perhaps.spoken(cls, value)
            return self.refuse(path, message + self._perhaps.written(meant, path))
        before = len(self.issues)
        hints = hints_of(cls)
        keys = self._keys(cls, list(fields), value, path)
        unknown = {key: value[key] for key in value if key not in keys.values()}
        self._refuse_unknown(list(fields), unknown, path)
        for name, item in fields.items():
            if is_required(item) and keys[name] not in value:
                allowed = describe(hints[name], self.families)
                message = f"is missing. It must be {allowed}."
                self.refuse((*path, name), message)
        settings = {}
        for name, key in keys.items():
            if key in value:
                hint = hints[name]
                settings[name] = self.build(hint, value[key], (*path, key))
        if len(self.issues) > before:
            return FAILED
        built = cls(**settings)
        return self._whole(built, path, keys)

    def _keys(
        self, cls: type[Settings], fields: Sequence[str], value: dict[Any, Any], path: KeyPath
    ) -> dict[str, str]:
        """The key under which each field is written: its name, or the key of an older evonas."""
        keys = {name: name for name in fields}
        for older, name in cls.older_keys.items():
            # A class of a plugin may have a field of that name.
            if older not in value or older in fields:
                continue
            if name in value:
                message = (
                    f"is the older word for {name}, which is there, too. Write one of the two."
                )
                self.refuse((*path, older), message)
            keys[name] = older
        return keys

    def _fits(self, hint: Any, value: Any) -> bool:
        """Whether a word, a number or a truth value is one that the hint allows."""
        # Nothing at all is nobody's value, and a list is mostly another mistake.
        if value is None or isinstance(value, list | dict):
            return False
        own = Builder(self.families, is_trying=True)
        return own.build(hint, value) is not FAILED

    def _refuse_unknown(self, known: list[str], value: dict[Any, Any], path: KeyPath) -> None:
        """Note an issue for each key that is none of the known ones."""
        allowed = ", ".join(known) or "none"
        for key in value:
            if key not in known:
                hint = did_you_mean(key, known) or begins_alike(key, known)
                message = f"unknown key. Allowed: {allowed}.{hint}"
                # The very same key elsewhere is likelier than a similar one here.
                if place := self._perhaps.elsewhere(key):
                    # The keys that are allowed here would only hide it.
                    message = f"unknown key here.{place}"
                self.refuse((*path, key), message)

    def _whole(self, built: Settings, path: KeyPath, keys: Mapping[str, str]) -> Any:
        """The instance, or `FAILED` if it finds something wrong between its own settings.

        Older settings become those of today; their keys are the same.

        Args:
            keys: the key under which each field is written.
        """
        whole = built.meant() if isinstance(built, OlderSettings) else built
        found = whole.problems()
        for key, message in found.items():
            first, *rest = key.split(".")
            self.refuse((*path, keys.get(first, first), *rest), message)
        return FAILED if found else whole


def received_file(data: Any) -> str:
    """What a whole file holds, as `shown`; a file without any value is empty."""
    return "an empty file" if data is None else shown(data)
