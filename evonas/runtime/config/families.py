"""What a config writes by name, and settings as plain data.

A *family* is an abstract class of settings. Each of its members has a name, and a config writes it
as one key with its settings under it, `tournament: {size: 3}`, or as the bare name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evonas.settings import OlderSettings, Settings

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


def members(family: type[Settings], families: Families) -> dict[str, type[Settings]]:
    """The classes of a family that a config may name today, by name."""
    found = {}
    for name, cls in families[family].items():
        if not isinstance(cls, str) and not issubclass(cls, OlderSettings):
            found[name] = cls
    return found


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


def _fields(value: Settings, families: Families) -> dict[str, Any]:
    """The fields of a dataclass that a config can set, each as plain JSON data."""
    found = {}
    for item in dataclasses.fields(value):
        if item.init:
            found[item.name] = dump(getattr(value, item.name), families)
    return found
