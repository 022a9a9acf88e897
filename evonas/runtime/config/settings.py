"""From plain YAML data to frozen dataclasses and back, guided by type hints.

A config is a tree of `Settings`, which are frozen dataclasses. The builder is strict and reports
all issues at once. Some values are written by *name*: the strategy, the pool, and the parts of a
strategy.
Such a value is one key with its settings under it, `tournament: {size: 3}`, or the bare name.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Interval, Le, Lt
from pydantic import ConfigDict, TypeAdapter, ValidationError

from evonas.errors import did_you_mean, switch_hint
from evonas.genome.strict_yaml import KeyPath, short
from evonas.runtime.config.plain_yaml import in_line
from evonas.settings import Check, OlderSettings, Settings
from evonas.words import shown

Count = Annotated[int, Ge(1)]
"""The type of a setting that counts something."""

Families = Mapping[type[Settings], Mapping[str, type[Settings] | str]]
"""For each type that is written by name: name -> class that may stand there.

A sentence in the place of a class says why the name is refused. Neither such a name nor that of
`OlderSettings` is told as allowed.
"""

Finder = Callable[[type[Settings], str], type[Settings] | str | None]
"""Finds the class of a name that is in no registry.

Takes the family and the name. Returns a sentence if there is no such class, and None if the name
can be nothing but one of a registry.
"""

MOST_WRITTEN = 80
"""Characters of examples in an error; longer ones are left out."""

ALIKE = 3
"""Letters that a wrong key shares with the key that was meant."""
MOST_PLACES = 3
"""Places of a key that an error names; a key with more says little."""

# `Optional[X]` and `X | None` mean the same, but have different origins.
_UNIONS = (typing.Union, types.UnionType)


@dataclass(frozen=True)
class KeyIssue:
    """Something wrong at a key. Code that knows the file makes an `Issue` of it."""

    path: KeyPath
    message: str


@dataclass(frozen=True)
class AsWritten(Settings):
    """Something that is written by name, kept as plain data: nobody has looked for its class.

    Attributes:
        name: name that was written.
        written: plain data under the name.
    """

    name: str
    written: Any

    @classmethod
    def is_kept(cls, name: str, settings: Any) -> bool:
        """Whether something that may be gone is within; one of a plugin is kept anyway."""
        return False


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
        base = _bare(hint)
        arguments = typing.get_args(base)
        origin = typing.get_origin(base) or base
        # Families come first: the class of a family is a section itself.
        if base in self.families:
            return self._named(base, value, path)
        if _is_section(base):
            return self._dataclass(base, value, path)
        if origin in _UNIONS:
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
        of_items = typing.get_args(_bare(hint))[0]
        if not isinstance(value, list):
            meant = [[value]] if self._fits(of_items, value) else []
            return self.refuse(path, _misfit(hint, value) + self._written(meant, path))
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
        of_values = typing.get_args(_bare(hint))[1]
        if not isinstance(value, dict):
            inside: list[Any] = [value] if self._fits(of_values, value) else []
            if dataclasses.is_dataclass(of_values):
                inside = self._keyed(of_values, value)
            meant = [{"NAME": one} for one in inside]
            return self.refuse(path, _misfit(hint, value) + self._written(meant, path))
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
            return _adapter(hint).validate_python(value)
        except ValidationError:
            return self.refuse(path, _misfit(hint, value))

    def _union(self, hint: Any, arms: tuple[Any, ...], value: Any, path: KeyPath) -> Any:
        """The value in the type of the first arm that it fits."""
        whole = []
        for arm in arms:
            if arm in self.families or _is_section(arm):
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
        return self.refuse(path, _misfit(hint, value))

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
            return self.refuse(path, message + self._written(self._placed(family, value), path))
        if len(choice) > 1:
            return self._several_names(choice, known, path)
        ((name, settings),) = choice.items()
        cls = self._class_of(family, name)
        if isinstance(cls, str):
            if not isinstance(value, str):
                return self.refuse((*path, name), cls)
            # The name of a function may stand where its key is missing.
            return self.refuse(path, cls + self._written(self._placed(family, value), path))
        if cls is None:
            # A bare name has no key of its own in the file.
            here = path if isinstance(value, str) else (*path, name)
            hint = did_you_mean(name, known)
            if not hint and here == path:
                hint = self._written(self._placed(family, value), path)
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
            message = f"must be {_mapping(list(fields))}. Received: {shown(value)}."
            meant = self._keyed(cls, value) or self._spoken(cls, value)
            return self.refuse(path, message + self._written(meant, path))
        before = len(self.issues)
        hints = _hints(cls)
        self._refuse_unknown(list(fields), value, path)
        for name, item in fields.items():
            if _is_required(item) and name not in value:
                allowed = describe(hints[name], self.families)
                message = f"is missing. It must be {allowed}."
                self.refuse((*path, name), message)
        settings = {}
        for name in fields:
            if name in value:
                hint = hints[name]
                settings[name] = self.build(hint, value[name], (*path, name))
        if len(self.issues) > before:
            return FAILED
        built = cls(**settings)
        return self._whole(built, path)

    def _fits(self, hint: Any, value: Any) -> bool:
        """Whether a word, a number or a truth value is one that the hint allows."""
        # Nothing at all is nobody's value, and a list is mostly another mistake.
        if value is None or isinstance(value, list | dict):
            return False
        own = Builder(self.families, is_trying=True)
        return own.build(hint, value) is not FAILED

    def _keyed(self, cls: Any, value: Any) -> list[dict[str, Any]]:
        """Mappings in which a value fits that stands where this dataclass is wanted.

        Returns:
            Each with one key that may have the value, `{"path": "x.npz"}`; at most two, whose keys
            take the same. No mapping if no key may have such a value.
        """
        if self.is_trying:
            return []
        hints = _hints(cls)
        fitting: list[str] = []
        for item in dataclasses.fields(cls):
            hint = hints[item.name]
            is_like_first = not fitting or hint == hints[fitting[0]]
            if item.init and is_like_first and self._fits(hint, value):
                fitting.append(item.name)
        return [{name: value} for name in fitting[:2]]

    def _spoken(self, cls: Any, value: Any) -> list[dict[str, Any]]:
        """`10 minutes` as `{"minutes": 10}`, if this dataclass has such a key; at most one."""
        words = value.split() if isinstance(value, str) else []
        if len(words) != 2:
            return []
        for amount, key in (words, words[::-1]):
            for name in (key, f"{key}s"):
                try:
                    number = json.loads(amount)
                except ValueError:
                    continue
                if name in _hints(cls) and self._fits(_hints(cls)[name], number):
                    return [{name: number}]
        return []

    def _placed(self, family: type[Settings], value: Any) -> list[dict[str, Any]]:
        """The same for a family: a name, and under it a key, `{"table": {"path": "x.csv"}}`."""
        for name, cls in members(family, self.families).items():
            if keyed := self._keyed(cls, value):
                return [{name: settings} for settings in keyed[:1]]
        return []

    def _written(self, meant: Sequence[Any], path: KeyPath) -> str:
        """A sentence that shows the values that may be meant at this key; empty for none."""
        # The items of a list have numbers in place of keys.
        keys = [key for key in path if isinstance(key, str)]
        if not meant or not keys:
            return ""
        examples = [f"`{in_line({keys[-1]: one})}`" for one in meant]
        text = " or ".join(examples)
        # YAML leaves some characters as they are that no terminal shows.
        is_told = len(text) <= MOST_WRITTEN and text.isprintable()
        return f" Perhaps you mean {text}." if is_told else ""

    def _refuse_unknown(self, known: list[str], value: dict[Any, Any], path: KeyPath) -> None:
        """Note an issue for each key that is none of the known ones."""
        allowed = ", ".join(known) or "none"
        for key in value:
            if key not in known:
                hint = did_you_mean(key, known)
                place = "" if hint else self._elsewhere(key)
                message = f"unknown key. Allowed: {allowed}.{hint or _begins_alike(key, known)}"
                if place:
                    # The keys that are allowed here would only hide it.
                    message = f"unknown key here.{place}"
                self.refuse((*path, key), message)

    def _elsewhere(self, key: Any) -> str:
        """A hint at sections of the config that have this key; empty if none has."""
        if self.root is None:
            return ""
        found = list(_places_of(key, self.root, self.families))
        return f" Perhaps {' or '.join(found)}." if 0 < len(found) <= MOST_PLACES else ""

    def _whole(self, built: Settings, path: KeyPath) -> Any:
        """The instance, or `FAILED` if it finds something wrong between its own settings.

        Older settings become those of today; their keys are the same.
        """
        whole = built.meant() if isinstance(built, OlderSettings) else built
        found = whole.problems()
        for key, message in found.items():
            relative = key.split(".")
            self.refuse((*path, *relative), message)
        return FAILED if found else whole


def members(family: type[Settings], families: Families) -> dict[str, type[Settings]]:
    """The classes of a family that a config may name today, by name."""
    found = {}
    for name, cls in families[family].items():
        if not isinstance(cls, str) and not issubclass(cls, OlderSettings):
            found[name] = cls
    return found


def _places_of(key: Any, cls: Any, families: Families, above: str = "") -> Iterator[str]:
    """The dotted paths of a key in the sections of a dataclass, and in those that it names.

    Families are entered where the dataclass has them, and not inside their members, which may be
    members again.
    """
    for name, hint in _hints(cls).items():
        base = _bare(hint)
        is_union = typing.get_origin(base) in _UNIONS
        for arm in typing.get_args(base) if is_union else (base,):
            inside: dict[str, Any] = {}
            if arm in families and not above:
                inside = {f"{name}.{word}": one for word, one in members(arm, families).items()}
            elif arm not in families and _is_section(arm):
                inside = {name: arm}
            for path, section in inside.items():
                fields = [item.name for item in dataclasses.fields(section) if item.init]
                if key in fields:
                    yield f"{above}{path}.{key}"
                yield from _places_of(key, section, families, f"{above}{path}.")


def dump(value: Any, families: Families) -> Any:
    """Plain JSON data with every default, from which `Builder.build` makes an equal value."""
    if isinstance(value, AsWritten):
        return {value.name: dump(value.written, families)}
    if isinstance(value, Settings):
        settings = _fields(value, families)
        name = name_of(value, families)
        return settings if name is None else {name: settings}
    if isinstance(value, Mapping):
        return {key: dump(item, families) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [dump(item, families) for item in value]
    return value


def name_of(value: Settings, families: Families) -> str | None:
    """The name of the value's class in its family; None if it is written without a name."""
    if isinstance(value, AsWritten):
        return value.name
    own = type(value)
    for family, registry in families.items():
        if not isinstance(value, family):
            continue
        for name, cls in registry.items():
            if cls is own:
                return name
        # A plugin's class is in no registry.
        return f"{own.__module__}:{own.__qualname__}"
    return None


def _fields(value: Settings, families: Families) -> dict[str, Any]:
    """The fields of a dataclass that a config can set, each as plain JSON data."""
    found = {}
    for item in dataclasses.fields(value):
        if item.init:
            found[item.name] = dump(getattr(value, item.name), families)
    return found


def received_file(data: Any) -> str:
    """What a whole file holds, as `shown`; a file without any value is empty."""
    return "an empty file" if data is None else shown(data)


def describe(hint: Any, families: Families = types.MappingProxyType({})) -> str:
    """What a type hint allows, in words: `a whole number of at least 1, or null`."""
    base = _bare(hint)
    arguments = typing.get_args(base)
    origin = typing.get_origin(base) or base
    if base in families:
        return f"one of {', '.join(sorted(members(base, families)))}"
    if _is_section(base):
        return _mapping([item.name for item in dataclasses.fields(base) if item.init])
    if origin in _UNIONS:
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


def _misfit(hint: Any, value: Any) -> str:
    """The message about a value that is not what its hint allows."""
    allowed = describe(hint)
    advice = _meant(hint, value)
    return f"must be {allowed}. Received: {shown(value)}.{advice}"


def _mapping(keys: Sequence[str]) -> str:
    """In words, a mapping that may have these keys."""
    if not keys:
        return "an empty mapping"
    return f"a mapping with the keys {', '.join(keys)}"


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


def _is_section(hint: Any) -> bool:
    """Whether a type is built from a mapping with its fields as keys."""
    return isinstance(hint, type) and issubclass(hint, Settings)


def _bare(hint: Any) -> Any:
    """The hint without the notes of `Annotated`."""
    if typing.get_origin(hint) is Annotated:
        return typing.get_args(hint)[0]
    return hint


def _meant(hint: Any, value: Any) -> str:
    """A hint if a word was close to an allowed one, or was meant as a boolean; else empty."""
    base = _bare(hint)
    if base is str and isinstance(value, int | float):
        return " Put it in quotes."
    if isinstance(value, float) and value.is_integer():
        return _as_whole(hint, int(value))
    if not isinstance(value, str):
        return ""
    if base is bool:
        return switch_hint(value)
    is_union = typing.get_origin(base) in _UNIONS
    arms = typing.get_args(base) if is_union else (base,)
    words: list[str] = []
    for arm in arms:
        if typing.get_origin(arm) is Literal:
            words += typing.get_args(arm)
    return did_you_mean(value, words)


def _as_whole(hint: Any, value: int) -> str:
    """A hint at the whole number that was written as a float; empty if it is not allowed."""
    try:
        _adapter(hint).validate_python(value)
    except ValidationError:
        return ""
    return f" Write {value}."


def _begins_alike(key: Any, known: Sequence[str]) -> str:
    """A hint at the only known key with the same first letters, such as `popsize`, `population`."""
    alike = [word for word in known if word[:ALIKE] == str(key)[:ALIKE]]
    return f" Did you mean {alike[0]!r}?" if len(alike) == 1 else ""


def _is_required(item: dataclasses.Field[Any]) -> bool:
    """Whether a field has no default."""
    has_default = item.default is not dataclasses.MISSING
    has_factory = item.default_factory is not dataclasses.MISSING
    return not has_default and not has_factory


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    # Without the extras, the notes of `Annotated` (limits and checks) would be lost.
    return typing.get_type_hints(cls, include_extras=True)


@functools.cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    # Otherwise pydantic takes the word "3" as a number.
    strict = ConfigDict(strict=True)
    return TypeAdapter(hint, config=strict)
