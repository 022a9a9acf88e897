from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from evonas.errors import Issue
from evonas.genome import SearchSpace, load_space, parse_space
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.input_spec import InputSpec
from evonas.model import augmenting, catalog, ops, optimizers
from evonas.model.blocks import Block
from evonas.model.parts import Style
from evonas.model.recurrent import Recurrence
from evonas.model.space_check import RESERVED, check_space

SPACES = Path(__file__).parents[2] / "genomes" / "spaces"
SETTINGS = """
settings:
  optimizer: {ops: {adam: {learning_rate: 0.001}}}
  training: {ops: {training: {batch_size: 32}}}
"""


def problems(
    network: str, settings: str = SETTINGS, kind: str = "image", plugins: tuple[str, ...] = ()
) -> list[Issue]:
    text = f"space: test\ninput: {kind}\nnetwork:\n{network}{settings}"
    return check_space(parse_space(text, "test.yaml"), plugins, "test.yaml")


def only(found: list[Issue]) -> Issue:
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("signatures", "functions"),
    [
        (catalog.NETWORK_OPS, ops.OPS),
        (catalog.OPTIMIZERS, optimizers.OPTIMIZERS),
        (catalog.AUGMENTATIONS, augmenting.AUGMENTATIONS),
    ],
    ids=["network", "optimizers", "augmentations"],
)
def test_the_catalog_is_what_the_functions_take(
    signatures: dict[str, catalog.OpSignature], functions: dict[str, Callable[..., Any]]
) -> None:
    assert set(signatures) == set(functions)
    shared = {"style": Style, "recurrence": Recurrence, "block": Block}
    for name, function in functions.items():
        # An op's `**style` stands for the fields of `Style`.
        parameters = [*inspect.signature(function).parameters.values()]
        known = {p.name for p in parameters}
        for p in parameters:
            if p.kind is p.VAR_KEYWORD:
                fields = inspect.signature(shared[p.name]).parameters.values()
                fields = [f.replace(kind=f.KEYWORD_ONLY) for f in fields if f.name not in known]
                parameters += fields
        own = {*RESERVED, "seed"}
        taken = [p for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in own]
        assert signatures[name].name == name
        common = {"schedule", "final_fraction", "warmup", "clip_norm", "ema_momentum"}
        # See `build_optimizer`.
        course = common if functions is optimizers.OPTIMIZERS else set()
        assert set(signatures[name].required) == {p.name for p in taken if p.default is p.empty}
        assert (
            set(signatures[name].optional)
            == {p.name for p in taken if p.default is not p.empty} | course
        )


@pytest.mark.parametrize("name", sorted(catalog.NETWORK_OPS))
@pytest.mark.parametrize(
    ("kind", "shape"),
    [("image", (4, 3, 2)), ("sequence", (4, 2)), ("vector", (4,)), ("table", (4,)), ("text", (4,))],
)
def test_ops_take_and_give_the_kinds_of_the_catalog(
    name: str, kind: str, shape: tuple[int, ...]
) -> None:
    signature = catalog.NETWORK_OPS[name]
    x: list[Any] = [keras.Input(shape)] * signature.tensors
    arguments: dict[str, Any] = {
        p: "separable_3x3" if p in ("left", "right") else 3 for p in signature.required
    }
    if "spec" in inspect.signature(ops.OPS[name]).parameters:
        fitted = INPUT_KINDS[kind].example_fitted
        arguments["spec"] = InputSpec(kind, shape, fitted)
    if kind in signature.takes:
        y = ops.OPS[name](*x, **arguments)
        given = {"vector": 2, "sequence": 3}
        assert len(y.shape) == given.get(signature.gives, len(x[0].shape))
    # What a dense layer makes of codes is nothing that anybody would refuse.
    elif kind not in ("table", "text"):
        with pytest.raises((ValueError, KeyError)):
            ops.OPS[name](*x, **arguments)


def test_every_parameter_has_a_rule() -> None:
    signatures = [
        *catalog.NETWORK_OPS.values(),
        *catalog.OPTIMIZERS.values(),
        *catalog.AUGMENTATIONS.values(),
        catalog.TRAINING,
        catalog.STYLE,
        catalog.CELL,
    ]
    assert {p for signature in signatures for p in signature.parameters} == set(catalog.RULES)


@pytest.mark.parametrize("activation", catalog.ACTIVATIONS)
def test_keras_knows_every_activation_and_it_keeps_the_shape(activation: str) -> None:
    assert keras.activations.get(activation)(np.ones((2, 6), "float32")).shape == (2, 6)


@pytest.mark.parametrize("initializer", catalog.KERNEL_INITIALIZERS)
@pytest.mark.parametrize("shape", [(4, 6), (3, 3, 2, 5)])
def test_keras_knows_every_initializer_and_it_fits_all_kernels(
    initializer: str, shape: tuple[int, ...]
) -> None:
    assert keras.initializers.get(initializer)(shape).shape == shape


@pytest.mark.parametrize("path", sorted(SPACES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_spaces_have_no_problem(path: Path) -> None:
    assert check_space(load_space(path), file=str(path)) == []


def test_the_test_space_has_no_problem(space: SearchSpace) -> None:
    assert check_space(space) == []


def test_unknown_parameter_with_place_and_hint() -> None:
    found = problems("  features: {ops: {conv2d: {filters: 8, kernel_size: 3, kernel_sise: 3}}}\n")
    problem = only(found)
    assert (problem.file, problem.line, problem.key) == (
        "test.yaml",
        4,
        "network.features.ops.conv2d.kernel_sise",
    )
    assert "no parameter 'kernel_sise'. Did you mean 'kernel_size'" in problem.message


def test_missing_parameter() -> None:
    problem = only(problems("  features: {ops: {conv2d: {filters: 8}}}\n"))
    assert problem.key == "network.features.ops.conv2d"
    assert "'kernel_size' is missing" in problem.message


def test_unknown_op() -> None:
    problem = only(problems("  features: {ops: {max_poling: {}}}\n"))
    assert problem.key == "network.features.ops.max_poling"
    assert "Did you mean 'max_pooling'?" in problem.message


def test_plugins_must_be_allowed() -> None:
    network = "  features: {ops: {their.ops:block: {ratio: 2}}}\n"
    problem = only(problems(network))
    assert problem.key == "network.features.ops.their.ops:block"
    assert "not among the plugins that the config allows: none" in problem.message
    assert problems(network, plugins=("their.ops",)) == []
    reserved = only(
        problems("  features: {ops: {their.ops:block: {name: a}}}\n", plugins=("their.ops",))
    )
    assert "is reserved" in reserved.message


def test_missing_settings() -> None:
    found = problems(
        "  head: {ops: {flatten: {}}}\n",
        "settings: {optimizer: {length: [1, 2], ops: {adam: {learning_rate: 0.1}}}}\n",
    )
    assert [problem.key for problem in found] == ["settings.optimizer.length", "settings"]
    assert "'training' is missing" in found[1].message


def test_settings_have_ops_of_their_own() -> None:
    settings = SETTINGS.replace("adam", "adm").replace("batch_size", "batchsize")
    found = {
        problem.key: problem.message
        for problem in problems("  head: {ops: {flatten: {}}}\n", settings)
    }
    assert "Did you mean 'adam'?" in found["settings.optimizer.ops.adm"]
    assert "Did you mean 'batch_size'?" in found["settings.training.ops.training.batchsize"]
    assert "'batch_size' is missing" in found["settings.training.ops.training"]


@pytest.mark.parametrize(
    ("parameter", "allowed"),
    [
        ("units: 0", "a whole number of at least 1"),
        ("units: {float: [1.0, 8.0]}", "a whole number"),
        ("units: {choice: [4, 8]}, dropout: {float: [0.1, 1.0]}", "below 1"),
        ("units: 4, activation: {choice: [relu, geru]}", "Did you mean"),
        ("units: 4, kernel_initializer: identity", "one of glorot_normal"),
        ("units: 4, batch_normalization: {choice: [0, 1]}", "true or false"),
        ("units: 4, l2: -0.1", "of at least 0"),
        ("units: {int: [0, 8], log: false}", "a whole number of at least 1"),
        ("units: {int: [2, 8], off: 0}", "a whole number of at least 1"),
    ],
)
def test_values_that_keras_would_refuse(parameter: str, allowed: str) -> None:
    found = problems("  head: {ops: {dense: {" + parameter + "}}}\n", kind="vector")
    assert found
    assert all(
        problem.key.startswith("network.head.ops.dense.") and allowed in problem.message
        for problem in found
    )


def test_a_shared_value_is_reported_where_it_stands() -> None:
    style = "  style: {ops: {style: {hidden: {choice: [relu, tahn]}, unused: 3}}}\n"
    network = "  head: {ops: {dense: {units: 3, activation: {same_as: style.hidden}}}}\n"
    found = {
        problem.key: problem.message
        for problem in problems(network, SETTINGS + style, kind="vector")
    }
    assert set(found) == {"settings.style.ops.style.hidden", "settings.style.ops.style.unused"}
    assert "Did you mean 'tanh'?" in found["settings.style.ops.style.hidden"]


def test_augmentation_is_for_images() -> None:
    settings = SETTINGS + "  augmentation: {length: [0, 2], ops: {mixup: {alpha: 0.1}, flip: {}}}\n"
    network = "  head: {ops: {dense: {units: 3}}}\n"
    found = {problem.key: problem.message for problem in problems(network, settings)}
    assert set(found) == {
        "settings.augmentation.ops.flip",
        "settings.augmentation.ops.mixup.alpha",
    }
    assert "Known: horizontal_flip, translation" in found["settings.augmentation.ops.flip"]
    settings = SETTINGS + "  augmentation: {ops: {rotation: {factor: 0.1}}}\n"
    problem = only(problems(network, settings, kind="vector"))
    assert (problem.key, problem.line) == ("settings.augmentation", 9)
    assert "samples here are of the kind vector" in problem.message


def test_ops_that_cannot_take_what_comes_to_them() -> None:
    after = (
        "  bridge: {ops: {flatten: {}}}\n  late: {ops: {conv2d: {filters: 2, kernel_size: 1}}}\n"
    )
    assert only(problems(after)).key == "network.late.ops.conv2d"
    inside = "  mixed: {length: [1, 2], ops: {flatten: {}, max_pooling: {}}}\n"
    assert only(problems(inside)).key == "network.mixed.ops.max_pooling"
    assert problems("  one: {ops: {flatten: {}, max_pooling: {}}}\n") == []
    wrong_input = "  features: {ops: {conv2d: {filters: 2, kernel_size: 1}}}\n"
    assert "can be given a vector" in only(problems(wrong_input, kind="vector")).message


def test_the_catalog_imports_no_keras() -> None:
    code = (
        "import sys, evonas.model.space_check;"
        " sys.exit(bool({'keras', 'tensorflow'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
