"""Which layers of a file are not Keras's own, by its words alone."""

from __future__ import annotations

from typing import Any

from evonas.model.adopting.foreign import foreign_in


def layer(name: str, kind: str, module: str | None, registered: str | None) -> dict[str, Any]:
    policy = {"module": "keras", "class_name": "DTypePolicy", "registered_name": None}
    config = {"name": name, "dtype": policy}
    return {
        "module": module,
        "class_name": kind,
        "config": config,
        "registered_name": registered,
    }


def test_layers_of_others_are_named_as_keras_writes_them() -> None:
    model = layer("net", "Sequential", "keras", None)
    model["config"]["layers"] = [
        layer("dense", "Dense", "keras.layers", None),
        layer("a", "Gate", "mine.layers", "Gate"),
        layer("b", "Gate", None, "my>Gate"),
        layer("c", "Gate", None, "Gate"),
        layer("c", "Gate", None, "Gate"),
    ]
    own_loss = {"module": "builtins", "class_name": "function", "registered_name": "own"}
    model["compile_config"] = {"loss": own_loss, "metrics": [layer("m", "M", None, "M")]}
    assert foreign_in(model) == [
        "the layer 'a' is of the class Gate, of the module mine.layers, which is not Keras's own",
        "the layer 'b' is of the class Gate, registered as 'my>Gate', which is not Keras's own",
        "the layer 'c' is of the class Gate, which is not Keras's own",
    ]
    model["config"]["layers"] = [layer(str(one), "Gate", None, "Gate") for one in range(7)]
    assert foreign_in(model)[5:] == ["2 more are of that kind"]
    assert foreign_in({"config": [None, 3, {"class_name": 3, "registered_name": ""}]}) == []
