"""Values of a network's settings as expressions: numbers, words, and objects of Keras."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import keras
import numpy as np

from evonas.model.source.errors import CannotWrite
from evonas.model.source.layout import Expression, Group, quoted

_NO_SETTINGS = frozenset(("name", "dtype", "trainable"))
"""What every object of Keras may have. The first is written where it tells something."""

LONG = 24
"""Values of a list that are written in the code. More are beside it."""


class Constants:
    """Long lists, such as vocabularies, by names. They lie in a file of their own.

    Attributes:
        found: the lists.
    """

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}

    def kept(self, name: str, value: list[Any]) -> Expression:
        """The expression for a long list, which is kept under this name."""
        known = name
        number = 2
        while known in self.found and self.found[known] != value:
            known = f"{name}_{number}"
            number += 1
        self.found[known] = value
        return f"CONSTANTS[{quoted(known)}]"


class Values:
    """Writes values.

    Args:
        constants: keeps the long lists.
    """

    def __init__(self, constants: Constants) -> None:
        self._constants = constants

    def write(self, value: Any, name: str = "values") -> Expression:
        """A value as an expression.

        Args:
            value: a plain value, a tensor of numbers, or an object of Keras as its config has it.
            name: what a long list is called.

        Raises:
            CannotWrite: it is none of these.
        """
        match value:
            case None | bool():
                return repr(value)
            case str():
                return quoted(value)
            case int():
                return repr(int(value))
            case float():
                return _number(float(value))
            case list() | tuple():
                return self._sequence(value, name)
            case dict():
                return self._mapping(value, name)
            case slice():
                return self._sliced(value)
        if value is Ellipsis:
            return "..."
        if isinstance(value, np.generic):
            return self.write(value.item(), name)
        if isinstance(value, np.ndarray):
            return self.write(value.tolist(), name)
        if keras.ops.is_tensor(value):
            return self._tensor(value, name)
        if isinstance(value, keras.DTypePolicy):
            return quoted(value.name)
        raise CannotWrite(f"a setting is of the type {type(value).__name__}: {name}")

    def made(self, kind: Any, path: str, config: Mapping[str, Any], name: str) -> Group:
        """The call that makes an object of Keras, with the settings that are not defaults.

        Args:
            kind: its class.
            path: how the class is called in code, `layers.Dense`.
            config: its settings.
            name: name of the object, if it is to be written; otherwise empty.
        """
        items: list[tuple[str, Expression]] = []
        for key, value in _told(kind, config).items():
            items.append((f"{key}=", self.write(value, f"{name}_{key}" if name else key)))
        if name:
            items.append(("name=", quoted(name)))
        return Group(f"{path}(", items)

    def _sequence(self, value: Any, name: str) -> Expression:
        if len(value) > LONG and _is_plain(value):
            return self._constants.kept(name, list(value))
        opening, closing = ("(", ")") if isinstance(value, tuple) else ("[", "]")
        return Group(opening, [("", self.write(one, name)) for one in value], closing)

    def _mapping(self, value: Mapping[str, Any], name: str) -> Expression:
        if "class_name" in value:
            return self._object(value, name)
        items = [(f"{quoted(key)}: ", self.write(one, key)) for key, one in value.items()]
        return Group("{", items, "}")

    def _object(self, value: Mapping[str, Any], name: str) -> Expression:
        """An object of Keras, as Keras serializes it."""
        kind = value["class_name"]
        config = value.get("config")
        if kind == "__tuple__":
            return self.write(tuple(value["items"]), name)
        if kind in ("__numpy__", "__tensor__"):
            assert config is not None
            return self.write(config["value"], name)
        if kind == "function":
            raise CannotWrite(f"a setting is a function of yours: {config}")
        if kind == "DTypePolicy":
            assert config is not None
            return quoted(str(config["name"]))
        module = str(value.get("module") or "")
        if value.get("registered_name") or not re.match(r"keras(\.|$)", module):
            raise CannotWrite(f"{kind} of {module or 'a plugin'} is no part of Keras")
        path = f"{module}.{kind}"
        found = _public(path)
        short = path.replace("keras.layers.", "layers.")
        # A metric's name is that of its column, so it is told.
        own = str(config.get("name", "")) if module == "keras.metrics" and config else ""
        return self.made(found, short, config or {}, own)

    def _sliced(self, value: slice) -> str:
        """A slice between the brackets of an index."""
        ends = ["" if end is None else str(int(end)) for end in (value.start, value.stop)]
        step = "" if value.step is None else f":{int(value.step)}"
        return ":".join(ends) + step

    def _tensor(self, value: Any, name: str) -> Expression:
        array = np.asarray(value)
        dtype = quoted(str(array.dtype))
        values = self.write(array.tolist(), name)
        return Group("keras.ops.convert_to_tensor(", [("", values), ("dtype=", dtype)])


def _number(value: float) -> str:
    """A float as code; the code imports `math` for those that are no numbers."""
    if math.isnan(value):
        return "math.nan"
    if math.isinf(value):
        return "math.inf" if value > 0 else "-math.inf"
    return repr(value)


def _is_plain(value: Any) -> bool:
    """Whether a sequence is one of JSON as it is."""
    return all(isinstance(one, bool | int | float | str | np.generic) for one in value)


def _public(path: str) -> Any:
    """What Keras has under a public path.

    Raises:
        CannotWrite: there is nothing.
    """
    found: Any = keras
    for word in path.split(".")[1:]:
        found = getattr(found, word, None)
    if found is None:
        raise CannotWrite(f"{path} is no public part of Keras")
    return found


def _told(kind: Any, config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that must be written: those without a default, and those that differ from it."""
    parameters = _parameters(kind)
    needed = {}
    for key, parameter in parameters.items():
        if parameter.default is inspect.Parameter.empty and key in config:
            needed[key] = config[key]
    usual: Mapping[str, Any] = {}
    try:
        usual = kind.from_config(dict(needed)).get_config()
    # Then all settings are told.
    except Exception:
        usual = {}
    told = dict(needed)
    for key, value in config.items():
        if key in told or key in _NO_SETTINGS:
            continue
        if key in parameters and (key not in usual or usual[key] != value):
            told[key] = value
    policy = config.get("dtype")
    if isinstance(policy, dict) and policy["config"]["name"] != keras.config.dtype_policy().name:
        told["dtype"] = policy
    if config.get("trainable") is False:
        told["trainable"] = False
    return told


@cache
def _parameters(kind: Any) -> dict[str, inspect.Parameter]:
    """The named parameters of a class, without those of every object of Keras."""
    found = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        is_named = parameter.kind is not inspect.Parameter.VAR_KEYWORD
        if is_named and name not in _NO_SETTINGS:
            found[name] = parameter
    return found
