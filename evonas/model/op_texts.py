"""What the ops say of themselves: their docstrings and defaults, read without importing Keras.

The functions are in modules that import Keras, and the driver must not. So their source is parsed.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas.errors import UserError, did_you_mean
from evonas.model.catalog import (
    AUGMENTATIONS,
    NETWORK_OPS,
    OPTIMIZERS,
    RULES,
    TRAINING,
    OpSignature,
)

GROUPS: Mapping[str, Mapping[str, OpSignature]] = {
    "network": NETWORK_OPS,
    "optimizer": OPTIMIZERS,
    "augmentation": AUGMENTATIONS,
    "training": {TRAINING.name: TRAINING},
}
"""The ops by where a space has them: in its network, or in a section of its settings."""

_MODULES: Mapping[str, tuple[str, ...]] = {
    "network": (
        "ops",
        "blocks",
        "cells",
        "recurrent",
        "tabular",
        "temporal",
        "text",
        "transformer",
    ),
    "optimizer": ("optimizers",),
    "augmentation": ("augmenting",),
    "training": ("optimizers",),
}

_SHARED: Mapping[str, tuple[str, str]] = {
    "style": ("parts", "Style"),
    "block": ("blocks", "Block"),
    "recurrence": ("recurrent", "Recurrence"),
}
"""The name of an op's `**` parameter -> module and class that has what stands there."""

_OF_ALL_OPTIMIZERS = ("optimizers", "scheduled")
_APART: Mapping[str, tuple[str, str]] = {
    "clip_norm": ("0.0", "length that all gradients together have at most; 0 for any."),
    "ema_momentum": ("0.0", "momentum of an average of the weights, which is then judged."),
    "batch_size": ("", "samples of a training step."),
    "epochs": ("training.epochs of the config", "epochs that this network is trained, at most."),
    "label_smoothing": ("0.0", "by how much the training aims beside each label."),
}
"""Default and meaning of what is no parameter of a function: the settings have it."""
_ABOUT_TRAINING = "How the network is trained, whatever its optimizer."
_SECTIONS = ("Args:", "Attributes:", "Returns:", "Raises:")


@dataclass(frozen=True)
class ParameterText:
    """A parameter of an op.

    Attributes:
        name: its name.
        is_required: whether a space must give it.
        default: its value where a space does not give it, as Python writes it; empty if unknown.
        allowed: the allowed values, in words.
        about: what it means; empty if its name says it.
    """

    name: str
    is_required: bool
    default: str
    allowed: str
    about: str


@dataclass(frozen=True)
class OpText:
    """An op.

    Attributes:
        name: its name in a search space.
        group: where a space has it, a key of `GROUPS`.
        about: its docstring without the lists of arguments and results, a paragraph a line.
        takes: kinds of tensors that go in; empty for one of the settings.
        gives: kind of the tensor that comes out.
        parameters: its parameters, the required ones first.
    """

    name: str
    group: str
    about: str
    takes: tuple[str, ...]
    gives: str
    parameters: tuple[ParameterText, ...]

    @property
    def summary(self) -> str:
        """The first sentence of what it is."""
        return self.about.partition("\n")[0]


def op_texts() -> list[OpText]:
    """All ops of evonas, group by group."""
    found = []
    for group, ops in GROUPS.items():
        for signature in ops.values():
            found.append(_text(group, signature))
    return found


def op_text(name: str) -> OpText:
    """One op.

    Raises:
        UserError: there is no such op.
    """
    for group, ops in GROUPS.items():
        if name in ops:
            return _text(group, ops[name])
    known = [name for ops in GROUPS.values() for name in ops]
    hint = did_you_mean(name, known)
    # The hint first: the list is long.
    raise UserError(f"unknown op {name!r}.{hint} Known: {', '.join(known)}.")


def _text(group: str, signature: OpSignature) -> OpText:
    function = _function(group, signature.name)
    about = _ABOUT_TRAINING
    defaults = {name: default for name, (default, _) in _APART.items()}
    told = {name: meaning for name, (_, meaning) in _APART.items()}
    # What is said at the op itself comes last, and is stronger.
    for node in (*_shared_by(group, function), *([] if function is None else [function])):
        defaults |= dict(_defaults(node))
        told |= dict(meanings(ast.get_docstring(node) or ""))
    if function is not None:
        about = prose(ast.get_docstring(function) or "")
    parameters = []
    for name in signature.parameters:
        rule = RULES.get(name)
        is_required = name in signature.required
        parameters.append(
            ParameterText(
                name=name,
                is_required=is_required,
                default="" if is_required else defaults.get(name, ""),
                allowed="" if rule is None else rule.allowed,
                about=told.get(name, ""),
            )
        )
    is_in_network = group == "network"
    return OpText(
        name=signature.name,
        group=group,
        about=about,
        takes=tuple(sorted(signature.takes)) if is_in_network else (),
        gives=signature.gives if is_in_network else "",
        parameters=tuple(parameters),
    )


Node = ast.FunctionDef | ast.ClassDef


def _function(group: str, name: str) -> ast.FunctionDef | None:
    """The function of an op; the op `training` has none."""
    if group == "training":
        return None
    for module in _MODULES[group]:
        node = _nodes(module).get(name)
        if isinstance(node, ast.FunctionDef):
            return node
    raise AssertionError(f"the op {name} is in the catalog and nowhere else")


def _shared_by(group: str, function: ast.FunctionDef | None) -> Iterator[Node]:
    """What else says something about the parameters of an op."""
    if group == "optimizer":
        module, name = _OF_ALL_OPTIMIZERS
        yield _nodes(module)[name]
    rest = None if function is None else function.args.kwarg
    if rest is not None:
        module, name = _SHARED[rest.arg]
        yield _nodes(module)[name]


@functools.cache
def _nodes(module: str) -> Mapping[str, Node]:
    """The functions and classes of a module of this room, by name."""
    source = Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")
    found: dict[str, Node] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
    return found


def _defaults(node: Node) -> Iterator[tuple[str, str]]:
    """The parameters of a function, or the fields of a class, that have a plain default."""
    pairs: list[tuple[str, ast.expr | None]] = []
    if isinstance(node, ast.ClassDef):
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                pairs.append((item.target.id, item.value))
    else:
        given = node.args
        plain = given.args[len(given.args) - len(given.defaults) :]
        pairs += [(arg.arg, value) for arg, value in zip(plain, given.defaults, strict=True)]
        for arg, value in zip(given.kwonlyargs, given.kw_defaults, strict=True):
            pairs.append((arg.arg, value))
    for name, value in pairs:
        if isinstance(value, ast.Constant):
            yield name, _written(value.value)


def _written(value: Any) -> str:
    """A default as a search space would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def prose(docstring: str) -> str:
    """A docstring up to its lists, a paragraph a line."""
    paragraphs = []
    for paragraph in docstring.split("\n\n"):
        if paragraph.strip().startswith(_SECTIONS):
            break
        # A class of this room is nothing to a user: what it has stands in the list.
        paragraphs.append(re.sub(r"; see `[A-Z]\w+`", "", " ".join(paragraph.split())))
    return "\n".join(paragraphs)


def meanings(docstring: str) -> Iterator[tuple[str, str]]:
    """The entries of the lists of arguments or attributes of a docstring."""
    section = ""
    name = ""
    words: list[str] = []
    for line in docstring.splitlines():
        depth = len(line) - len(line.lstrip())
        if depth == 0 and line.strip():
            section = line.strip()
        is_entry = depth == 4 and section in ("Args:", "Attributes:")
        if (is_entry or depth == 0) and name:
            yield name, " ".join(words)
            name = ""
        if is_entry:
            name, _, first = line.strip().partition(":")
            words = [first.strip()]
        elif name:
            words.append(line.strip())
    if name:
        yield name, " ".join(words)
