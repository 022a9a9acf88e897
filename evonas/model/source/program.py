"""The program `model.py`: builds a network, loads its weights, and prepares it for training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from evonas.model.source.body import Body
from evonas.model.source.graph import calls_of
from evonas.model.source.layout import Group, laid_out
from evonas.model.source.values import Constants, Values

WEIGHTS = "model.weights.h5"
"""File of the weights, beside the program."""

CONSTANTS = "constants.json"
"""File of long lists, such as a vocabulary. It is there only if the program needs it."""

_COMPILED = ("optimizer", "loss", "loss_weights", "metrics", "weighted_metrics")
"""What `compile` is told. The rest is about speed."""


@dataclass(frozen=True)
class Program:
    """The code of a network.

    Attributes:
        text: content of `model.py`.
        constants: content of `constants.json`; empty if there is none.
    """

    text: str
    constants: str = ""


def program_of(model: keras.Model, title: str) -> Program:
    """The program that builds a network.

    Args:
        model: a functional network; one that is compiled can be trained further.
        title: what it is, a sentence.

    Raises:
        CannotWrite: a part of it is not Keras's own.
    """
    constants = Constants()
    values = Values(constants)
    body = Body(values)
    for call in calls_of(model):
        body.add(call)
    built = body.lines
    returned = _returned(model, body)
    compiled = _compile_lines(model, values)
    names = {"math": "math." in "\n".join((*built, *compiled)), "json": bool(constants.found)}
    parts = [
        _head(title, names),
        _function("build_model", "The network with fresh weights.", [*built, *returned]),
        *([compiled] if compiled else []),
        _loading(bool(compiled)),
    ]
    text = "\n\n\n".join("\n".join(lines) for lines in parts) + "\n"
    kept = json.dumps(constants.found, indent=1) + "\n" if constants.found else ""
    return Program(text, kept)


def _head(title: str, needed: Mapping[str, bool]) -> list[str]:
    """The docstring and the imports."""
    lines = [
        f'"""{title}',
        "",
        "Plain Keras: `load_model()` gives the trained network, and `build_model()` the same with",
        "fresh weights.",
        '"""',
        "",
        *(f"import {name}" for name in ("json", "math") if needed[name]),
        "from pathlib import Path",
        "",
        "import keras",
        "from keras import layers",
        "",
        "HERE = Path(__file__).parent",
    ]
    if needed["json"]:
        lines.append(f'CONSTANTS = json.loads((HERE / "{CONSTANTS}").read_text(encoding="utf-8"))')
    return lines


def _function(name: str, about: str, body: list[str]) -> list[str]:
    return [f"def {name}() -> keras.Model:", f'    """{about}"""', *body]


def _returned(model: keras.Model, body: Body) -> list[str]:
    """The last statement of the function that builds."""
    # The structure in which the user gives samples: one tensor, a list, or a mapping by name.
    given = keras.tree.map_structure(body.name_of, model._inputs_struct)
    answered = keras.tree.map_structure(body.name_of, model._outputs_struct)
    items = [
        ("", _structure(given)),
        ("", _structure(answered)),
        ("name=", f'"{model.name}"'),
    ]
    return laid_out("return ", Group("keras.Model(", items), 1)


def _structure(names: Any) -> Any:
    """A structure of names as an expression."""
    if isinstance(names, str):
        return names
    if isinstance(names, Mapping):
        items = [(f"{json.dumps(key)}: ", _structure(one)) for key, one in names.items()]
        return Group("{", items, "}")
    return Group("[", [("", _structure(one)) for one in names], "]")


def _compile_lines(model: keras.Model, values: Values) -> list[str]:
    """The function that compiles; empty for a network that is not compiled."""
    config = model.get_compile_config() if model.compiled else None
    if not config:
        return []
    items = []
    for key in _COMPILED:
        if config.get(key) is not None:
            items.append((f"{key}=", values.write(config[key], key)))
    return [
        "def compile_model(model: keras.Model) -> None:",
        '    """Prepare the network for `evaluate` and `fit`, as the search has trained it."""',
        *laid_out("", Group("model.compile(", items), 1),
    ]


def _loading(is_compiled: bool) -> list[str]:
    lines = [
        "def load_model() -> keras.Model:",
        '    """The trained network, which predicts and can be trained further."""',
        "    model = build_model()",
        f'    model.load_weights(HERE / "{WEIGHTS}")',
    ]
    if is_compiled:
        lines.append("    compile_model(model)")
    return [*lines, "    return model"]
