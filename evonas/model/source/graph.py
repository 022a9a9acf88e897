"""The graph of a functional network, in the order in which its code is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from evonas.model.source.errors import CannotWrite


@dataclass(frozen=True)
class Call:
    """One call of a layer or an operation.

    Attributes:
        operation: the layer or the operation.
        place: which of its calls it is; 0 for the first.
        node: Keras's node, with arguments and outputs.
    """

    operation: Any
    place: int
    node: Any


def calls_of(model: keras.Model) -> list[Call]:
    """The calls of a network, each after those that it needs, and near to them.

    Raises:
        CannotWrite: it is no functional network, or has networks within.
    """
    if not model.inputs:
        raise CannotWrite("the network is no functional one")
    found: dict[tuple[int, int], Call] = {}
    for tensor in model.inputs:
        _visit(tensor, found)
    for tensor in model.outputs:
        _visit(tensor, found)
    return list(found.values())


def inputs_of(call: Call) -> Iterator[Any]:
    """The tensors that a call takes."""
    yield from call.node.input_tensors


def key_of(tensor: Any) -> tuple[int, int]:
    """What tells the call of a tensor from all others."""
    history = tensor._keras_history
    return id(history.operation), history.node_index


def _visit(tensor: Any, found: dict[tuple[int, int], Call]) -> None:
    """Note the calls that a tensor needs, deepest first; without recursion, as nets may be deep."""
    waiting = [(tensor, False)]
    while waiting:
        one, is_ready = waiting.pop()
        key = key_of(one)
        if key in found:
            continue
        operation, place, _ = one._keras_history
        if isinstance(operation, keras.Model):
            raise CannotWrite(f"it has a network within, {operation.name}")
        call = Call(operation, place, operation._inbound_nodes[place])
        if is_ready:
            found[key] = call
            continue
        waiting.append((one, True))
        for needed in reversed(list(inputs_of(call))):
            waiting.append((needed, False))
