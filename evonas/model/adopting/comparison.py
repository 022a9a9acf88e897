"""The network of a recognised genome beside the model that it was recognised in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from evonas.genome import Genome, SearchSpace
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.model.adopting.layers import Layer, chain_of
from evonas.model.adopting.recognition import Placed, Report
from evonas.model.assembly import build_model

ANY_LENGTH = 32
"""The size of an axis that may have any, to build a network at all."""


def compare(
    space: SearchSpace, genome: Genome, kind: str, placed: Sequence[Placed], report: Report
) -> int:
    """Build a genome, and report where its layers are not those of the model.

    Args:
        kind: kind of the input.
        placed: the layers of each gene; at least one.

    Returns:
        the number of weights before the head.
    """
    shape = tuple(size or ANY_LENGTH for size in placed[0].layers[0].input_shape)
    spec = InputSpec.normalized(kind, shape, (0.0,) * shape[-1], (1.0,) * shape[-1])
    model = build_model(space, genome, Interface(spec, "classification", (0, 1)))
    built = chain_of(model)
    parameters = 0
    for one in placed:
        prefix = f"{one.section}_{one.place}_"
        made = [layer for layer in built if layer.name.startswith(prefix)]
        parameters += sum(layer.parameters for layer in made)
        for words in _differences(one, made):
            report.changes.append(words)
    return parameters


def _differences(placed: Placed, built: Sequence[Layer]) -> list[str]:
    """What differs between the layers of a model and those that an op makes, in sentences."""
    found: list[str] = []
    left = list(built)
    without: list[Layer] = []
    for layer in placed.layers:
        same = next((one for one in left if one.kind == layer.kind), None)
        if same is None:
            without.append(layer)
            continue
        left.remove(same)
        for key in sorted({*layer.config, *same.config}):
            have, has = layer.config.get(key), same.config.get(key)
            if not _is_same(have, has):
                found.append(
                    f"{layer.label}: {key} is {_shown(has)} in the op {placed.op}."
                    f" Received: {_shown(have)}."
                )
    for number, layer in enumerate(without):
        instead = f"{left[number].kind} is" if number < len(left) else "nothing is"
        found.append(f"{layer.label}: {instead} in its place in the op {placed.op}.")
    for layer in left[len(without) :]:
        found.append(f"{placed.layers[0].label}: the op {placed.op} adds {layer.kind}.")
    return found


def _is_same(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float | int):
        # Values of genomes have four digits.
        return math.isclose(a, b, rel_tol=1e-3)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_is_same(a[key], b[key]) for key in a)
    return bool(a == b)


def _shown(value: Any) -> str:
    """A value of a config in a sentence; of a function or an initializer its name."""
    if isinstance(value, dict) and "class_name" in value:
        return str(value["class_name"])
    return str(value).lower() if isinstance(value, bool) else str(value)
