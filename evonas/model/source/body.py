"""The body of `build_model`: a statement for each call of the network's graph."""

from __future__ import annotations

import re
from typing import Any

import keras
from keras import layers

from evonas.model.source.calls import function_of, settings_of
from evonas.model.source.errors import CannotWrite
from evonas.model.source.graph import Call, key_of
from evonas.model.source.layout import WIDTH, Expression, Group, in_line, laid_out, quoted
from evonas.model.source.names import Names
from evonas.model.source.values import Values


class Body:
    """Writes calls, each after those that it needs.

    Args:
        values: writes the settings.

    Attributes:
        lines: the lines so far.
    """

    def __init__(self, values: Values) -> None:
        self._values = values
        self._names = Names()
        self._tensors: dict[tuple[int, int, int], str] = {}
        self._layers: dict[int, str] = {}
        self._part = ""
        self.lines: list[str] = []

    def name_of(self, tensor: Any) -> str:
        """The variable of a tensor."""
        return self._tensors[(*key_of(tensor), tensor._keras_history.tensor_index)]

    def add(self, call: Call) -> None:
        """Write one call.

        Raises:
            CannotWrite: it is none of Keras's own.
        """
        operation = call.operation
        self._begin_part(operation.name)
        name = self._names.new(_wanted(operation))
        outputs = call.node.output_tensors
        names = [name]
        if len(outputs) > 1:
            names = [self._names.new(f"{name}_{number}") for number in range(len(outputs))]
        target = ", ".join(names)
        if isinstance(operation, layers.InputLayer):
            self.lines += laid_out(f"{target} = ", self._input(operation), 1)
        elif isinstance(operation, keras.Layer):
            self._layer(call, target)
        else:
            self.lines += laid_out(f"{target} = ", self._operation(call), 1)
        for number, tensor in enumerate(outputs):
            self._tensors[(*key_of(tensor), number)] = names[number]

    def _begin_part(self, name: str) -> None:
        """An empty line where another gene begins: `features_1` after `features_0`."""
        found = re.match(r".*?_\d+(?=_)", name)
        part = found[0] if found else ""
        if self.lines and part != self._part:
            self.lines.append("")
        self._part = part

    def _input(self, layer: Any) -> Group:
        shape = tuple(layer.batch_shape[1:])
        items: list[tuple[str, Expression]] = [("", self._values.write(shape))]
        if layer.dtype != keras.config.floatx():
            items.append(("dtype=", quoted(layer.dtype)))
        items.append(("name=", quoted(layer.name)))
        return Group("keras.Input(", items)

    def _layer(self, call: Call, target: str) -> None:
        """A layer, made and called at once if that fits in one line."""
        arguments = self._arguments(call)
        layer = call.operation
        known = self._layers.get(id(layer))
        if known is None:
            made = self._made(layer)
            both = Group(f"{in_line(made)}(", arguments)
            is_short = len(f"    {target} = {in_line(both)}") <= WIDTH
            # A layer that is called again needs a name.
            if is_short and len(layer._inbound_nodes) == 1:
                self.lines += laid_out(f"{target} = ", both, 1)
                return
            known = "layer"
            if len(layer._inbound_nodes) > 1:
                known = self._names.new(f"{layer.name}_layer")
                self._layers[id(layer)] = known
            self.lines += laid_out(f"{known} = ", made, 1)
        self.lines += laid_out(f"{target} = ", Group(f"{known}(", arguments), 1)

    def _made(self, layer: Any) -> Group:
        kind = type(layer)
        if getattr(layers, kind.__name__, None) is not kind:
            raise CannotWrite(f"the layer {layer.name} is a {kind.__name__}, none of Keras's own")
        return self._values.made(kind, f"layers.{kind.__name__}", layer.get_config(), layer.name)

    def _operation(self, call: Call) -> Group:
        operation = call.operation
        # What `x[:, 0]` is.
        if type(operation).__name__ == "GetItem":
            return self._item(call)
        path, _ = function_of(type(operation))
        arguments = self._arguments(call)
        given = {name.removesuffix("=") for name, _ in arguments}
        for name, value in settings_of(operation, len(call.node.arguments.args)).items():
            if name not in given:
                arguments.append((f"{name}=", self._values.write(value, name)))
        return Group(f"{path}(", arguments)

    def _item(self, call: Call) -> Group:
        tensor, index = call.node.arguments.args
        places = index if isinstance(index, tuple) else (index,)
        return Group(f"{self._value(tensor)}[", [("", self._value(place)) for place in places], "]")

    def _arguments(self, call: Call) -> list[tuple[str, Expression]]:
        """The arguments of a call as it was made."""
        arguments = call.node.arguments
        items = [("", self._value(value)) for value in arguments.args]
        for name, value in arguments.kwargs.items():
            if value is not None:
                items.append((f"{name}=", self._value(value)))
        return items

    def _value(self, value: Any) -> Expression:
        """An argument: a tensor, several of them, or a plain value."""
        if isinstance(value, keras.KerasTensor):
            return self.name_of(value)
        if isinstance(value, list | tuple):
            opening, closing = ("(", ")") if isinstance(value, tuple) else ("[", "]")
            return Group(opening, [("", self._value(one)) for one in value], closing)
        return self._values.write(value)


def _wanted(operation: Any) -> str:
    """The name that tells the role of an operation."""
    name: str = operation.name
    # Keras numbers what has no name, by all that its process has built before.
    is_numbered = re.fullmatch(r"[a-z_]+_\d+", name) is not None
    if is_numbered and not isinstance(operation, keras.Layer):
        return name.rpartition("_")[0]
    return name
