from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import UserError
from evonas.genome import Gene, Genome, Op, SearchSpace, Section, parse_space, sample


def test_arguments_are_parameters_constants_and_shared_ones_without_merge() -> None:
    space = parse_space(
        """
space: s
input: image
network:
  features:
    length: [1, 3]
    wiring: skip
    ops:
      conv:
        filters: {choice: [4, 8]}
        kernel_size: 3
        activation: {same_as: style.activation}
        rate: {same_as: style.rate}
settings:
  style:
    ops:
      plain: {activation: {choice: [relu, tanh]}, rate: 0.5}
      fixed: {activation: gelu, rate: {float: [0.1, 0.9]}}
""",
        "s.yaml",
    )
    conv = Gene.make("conv", {"filters": 8, "merge": "add"}, (0,), 2)
    plain = Genome(
        (
            ("features", (Gene.make("conv", {"filters": 4}, (), 1), conv)),
            ("style", (_style("plain", activation="tanh"),)),
        )
    )
    expected = {"filters": 8, "kernel_size": 3, "activation": "tanh", "rate": 0.5}
    assert space.arguments(plain, "features", conv) == expected
    fixed = plain.with_section("style", [_style("fixed", rate=0.25)])
    assert space.arguments(fixed, "features", conv) == expected | {
        "activation": "gelu",
        "rate": 0.25,
    }
    assert space.arguments(plain, "style", plain["style"][0]) == {"activation": "tanh", "rate": 0.5}


def _style(op: str, **params: str | float) -> Gene:
    return Gene.make(op, params, (), 1)


def test_has_parameter(convnet: SearchSpace) -> None:
    assert convnet.has_parameter("training", "batch_size")
    assert convnet.has_parameter("features", "activation")
    assert not convnet.has_parameter("training", "epochs")
    assert not convnet.has_parameter("nothing", "epochs")


def test_weights_shape_the_edges_of_the_op_coordinate() -> None:
    section = Section("s", "network", {"a": Op("a", 4.0), "b": Op("b"), "c": Op("c")})
    assert [section.op_from_unit(u).name for u in (0, 0.66, 0.67, 0.83, 0.84, 1.0)] == [
        "a",
        "a",
        "b",
        "b",
        "c",
        "c",
    ]
    for name in "abc":
        assert section.op_from_unit(section.op_to_unit(name)).name == name


def test_weights_show_in_samples(convnet: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    ops = [gene.op for _ in range(300) for gene in sample(convnet, rng)["features"]]
    assert abs(ops.count("conv2d") / len(ops) - 4 / 6) < 0.05


def test_coordinates(convnet: SearchSpace) -> None:
    assert convnet.dimension == len(convnet.coordinates) == 124
    assert convnet.coordinates[0] == ("features", -1, "length")
    assert ("features", 0, "inputs") not in convnet.index
    assert ("features", 1, "merge") in convnet.index
    assert [c for c in convnet.coordinates if c[0] == "optimizer"] == [
        ("optimizer", 0, "op"),
        ("optimizer", 0, "learning_rate"),  # one for all three optimizers
        ("optimizer", 0, "momentum"),
        ("optimizer", 0, "nesterov"),
    ]
    assert all(convnet.coordinates[i] == c for c, i in convnet.index.items())


def test_sections_by_name_and_group(convnet: SearchSpace) -> None:
    assert [section.name for section in convnet.group("network")] == ["features", "bridge", "head"]
    assert [section.name for section in convnet.group("settings")] == [
        "style",
        "optimizer",
        "training",
    ]
    assert convnet["features"].legal(2) == ((), (0,), (-1,), (0, -1))
    with pytest.raises(UserError, match="Did you mean 'features'"):
        convnet["feature"]
