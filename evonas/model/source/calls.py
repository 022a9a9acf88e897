"""The calls of a network: which function of `keras.ops` an operation is, and with what."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import keras

from evonas.model.source.errors import CannotWrite

_PLACES: Mapping[str, Any] = {
    "keras.ops": keras.ops,
    "keras.ops.image": keras.ops.image,
    "keras.ops.linalg": keras.ops.linalg,
    "keras.ops.nn": keras.ops.nn,
}
"""Where Keras keeps its functions, in the order of looking."""


def function_of(kind: type) -> tuple[str, Callable[..., Any]]:
    """The public function that makes an operation, and its path.

    Raises:
        CannotWrite: there is none of its name.
    """
    # The class `LogicalNot` is made by the function `logical_not`.
    if kind.__module__.startswith("keras."):
        wanted = kind.__name__.lower()
        for path, place in _PLACES.items():
            for name in dir(place):
                if name.replace("_", "") == wanted:
                    return f"{path}.{name}", getattr(place, name)
    raise CannotWrite(f"the operation {kind.__name__} is no public function of Keras")


def settings_of(operation: Any, taken: int) -> dict[str, Any]:
    """The settings that an operation got from its function, without those that are defaults.

    Args:
        taken: number of arguments that are given by place.
    """
    _, function = function_of(type(operation))
    parameters = list(inspect.signature(function).parameters.values())
    config = operation.get_config()
    found = {}
    for parameter in parameters[taken:]:
        if parameter.name == "name" or parameter.name not in config:
            continue
        value = config[parameter.name]
        if parameter.default is inspect.Parameter.empty or parameter.default != value:
            found[parameter.name] = value
    return found
