"""What may be meant by a value or a key that a config has at the wrong place."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from evonas.genome.strict_yaml import KeyPath
from evonas.runtime.config.families import Families, members
from evonas.runtime.config.plain_yaml import in_line
from evonas.runtime.config.type_hints import UNIONS, bare, hints_of, is_section
from evonas.settings import Settings

MOST_WRITTEN = 80
"""Characters of examples in an error; longer ones are left out."""

MOST_PLACES = 3
"""Places of a key that an error names; a key with more says little."""


@dataclass(frozen=True)
class Perhaps:
    """Makes the hints of one builder.

    Attributes:
        families: types that are written by name.
        root: class of the whole config, in which misplaced keys are looked for; or None.
        fits: function that tells whether a type hint allows a value.
        is_asked: whether hints are wanted; a builder that only tries a value wants none.
    """

    families: Families
    root: type[Settings] | None
    fits: Callable[[Any, Any], bool]
    is_asked: bool = True

    def keyed(self, cls: Any, value: Any, of_code: bool = False) -> list[dict[str, Any]]:
        """Mappings in which a value fits that stands where this dataclass is wanted.

        Args:
            of_code: whether the value is the name of something in a module. A key that takes any
                text, such as a path, does not mean it.

        Returns:
            Each with one key that may have the value, `{"path": "x.npz"}`; at most two, whose keys
            take the same. No mapping if no key may have such a value.
        """
        if not self.is_asked:
            return []
        hints = hints_of(cls)
        fitting: list[str] = []
        for item in dataclasses.fields(cls):
            hint = hints[item.name]
            is_like_first = not fitting or hint == hints[fitting[0]]
            if not item.init or not is_like_first or not self.fits(hint, value):
                continue
            if not of_code or not self.fits(hint, "any text"):
                fitting.append(item.name)
        return [{name: value} for name in fitting[:2]]

    def spoken(self, cls: Any, value: Any) -> list[dict[str, Any]]:
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
                if name in hints_of(cls) and self.fits(hints_of(cls)[name], number):
                    return [{name: number}]
        return []

    def placed(
        self, family: type[Settings], value: Any, of_code: bool = False
    ) -> list[dict[str, Any]]:
        """The same for a family: a name, and under it a key, `{"table": {"path": "x.csv"}}`."""
        for name, cls in members(family, self.families).items():
            if keyed := self.keyed(cls, value, of_code):
                return [{name: settings} for settings in keyed[:1]]
        return []

    def in_family(
        self, family: type[Settings], value: Any, path: KeyPath, of_code: bool = False
    ) -> str:
        """A sentence that shows a member of the family that may be meant at this key."""
        return self.written(self.placed(family, value, of_code), path)

    def written(self, meant: Sequence[Any], path: KeyPath) -> str:
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

    def elsewhere(self, key: Any) -> str:
        """A hint at sections of the config that have this key; empty if none has."""
        if self.root is None:
            return ""
        found = list(_places_of(key, self.root, self.families))
        return f" Perhaps {' or '.join(found)}." if 0 < len(found) <= MOST_PLACES else ""


def _places_of(key: Any, cls: Any, families: Families, above: str = "") -> Iterator[str]:
    """The dotted paths of a key in the sections of a dataclass, and in those that it names.

    Families are entered where the dataclass has them, and not inside their members, which may be
    members again.
    """
    for name, hint in hints_of(cls).items():
        base = bare(hint)
        is_union = typing.get_origin(base) in UNIONS
        for arm in typing.get_args(base) if is_union else (base,):
            inside: dict[str, Any] = {}
            if arm in families and not above:
                inside = {f"{name}.{word}": one for word, one in members(arm, families).items()}
            elif arm not in families and is_section(arm):
                inside = {name: arm}
            for path, section in inside.items():
                fields = [item.name for item in dataclasses.fields(section) if item.init]
                if key in fields:
                    yield f"{above}{path}.{key}"
                yield from _places_of(key, section, families, f"{above}{path}.")
