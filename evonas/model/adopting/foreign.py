"""Layers of a saved model that are not Keras's own, by the words of its file alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from evonas.genome.strict_yaml import short

TRAINING = ("compile_config", "build_config")
"""What a file has beside the network: losses and metrics may be of the user's own."""

MOST_NAMED = 5


def foreign_in(config: Mapping[str, Any]) -> list[str]:
    """Each layer, or the model itself, that code of the user's own has made; a clause for each.

    Args:
        config: `config.json` of a `.keras` file. It may hold anything.
    """
    # A layer that is called twice is written once, and alike ones are told once.
    found = list(dict.fromkeys(_found(config)))
    more = len(found) - MOST_NAMED
    return [*found[:MOST_NAMED], *([f"{more:,} more are of that kind"] if more > 0 else [])]


def _found(config: Any) -> Iterator[str]:
    if isinstance(config, list):
        for one in config:
            yield from _found(one)
    elif isinstance(config, Mapping):
        if _is_foreign(config):
            yield _words(config)
        for key, value in config.items():
            if key not in TRAINING:
                yield from _found(value)


def _is_foreign(config: Mapping[str, Any]) -> bool:
    """Whether this stands for an object of a class that Keras has not."""
    if not isinstance(config.get("class_name"), str) or "registered_name" not in config:
        return False
    # Keras registers none of its own, and writes no module for what is registered.
    module = config.get("module")
    if not isinstance(module, str):
        return config["registered_name"] is not None
    return module.partition(".")[0] not in ("keras", "builtins")


def _words(config: Mapping[str, Any]) -> str:
    inner = config.get("config")
    name = inner.get("name") if isinstance(inner, Mapping) else None
    kind, registered = config["class_name"], config["registered_name"]
    words = [f"the layer {short(str(name or kind))!r} is of the class {short(kind)}"]
    if isinstance(config.get("module"), str):
        words.append(f"of the module {short(config['module'])}")
    if isinstance(registered, str) and registered != kind:
        words.append(f"registered as {short(registered)!r}")
    words.append("which is not Keras's own")
    return ", ".join(words)
