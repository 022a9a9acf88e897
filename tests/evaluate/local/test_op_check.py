"""Each op of a space in a small network: what fails is named, what is good is remembered."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from evonas.evaluate.local import limit_check, op_check
from evonas.evaluate.local.aside import Answer
from evonas.evaluate.local.known_good import is_known_good, remember_good
from evonas.evaluate.local.op_check import Tried, try_ops
from evonas.genome import parse_space
from evonas.genome.small import small_genome
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface

OPS = """
import keras
from keras import layers

def good(x, *, units):
    return layers.Dense(units)(x)

def typo(x, *, units):
    return layers.Dens(units)(x)

class Scaled(layers.Layer):
    def __init__(self, factor, **rest):
        super().__init__(**rest)
        self.factor = factor
    def call(self, x):
        return x * self.factor

def unregistered(x):
    return Scaled(2.0)(x)

def leaves(x):
    raise SystemExit("\\x1b[2J")
"""
SPACE = """
space: s
input: vector
network:
  layers:
    length: [0, 2]
    ops:
      dense: {units: {choice: [4, 8]}}
      layer_normalization: {}
      my_small_ops:good: {units: {int: [2, 9]}}
      my_small_ops:typo: {units: {int: [2, 9]}}
      my_small_ops:unregistered: {}
      my_small_ops:leaves: {}
settings:
  optimizer: {ops: {sgd: {learning_rate: 0.1}, adam: {learning_rate: 0.1}}}
  training: {ops: {training: {batch_size: 16}}}
"""
ENDS = Interface(
    InputSpec.normalized("vector", (3,), (0.0,) * 3, (1.0,) * 3), "classification", (0, 1)
)
PLUGINS = ("my_small_ops",)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "my_small_ops.py").write_text(OPS)
    return tmp_path


def look(folder: Path, text: str = SPACE, code: str = "1", **options: Any) -> Tried:
    space = parse_space(text, "s.yaml")
    return try_ops(space, ENDS, PLUGINS, {"my_small_ops": code}, str(folder), **options)


def named(found: Tried) -> dict[str, str]:
    return {op: words for (_, op), words in found.failing.items()}


def test_ops_that_fail_are_named_and_those_that_work_are_remembered(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit_check, "DRAWN", 12)
    first = look(folder, limits={"parameters": 20})
    found = named(first)
    names = ["typo", "unregistered", "leaves"]
    assert list(found) == [f"my_small_ops:{name}" for name in names]
    typo, unregistered, leaves = found.values()
    assert "AttributeError: module 'keras.layers' has no attribute 'Dens'" in typo
    assert f"raised in {folder / 'my_small_ops.py'}, line 9" in typo
    assert "The cause is TypeError: Could not locate class 'Scaled'" in unregistered
    assert r"SystemExit: '\x1b[2J'" in leaves
    assert max(map(len, found.values())) < 1000

    # A network with two layers has more, and so has one with a layer of 8 units.
    assert first.measured is not None
    assert 0 < first.measured.within < 12
    assert first.measured.drawn == 12
    assert first.measured.unbuilt > 0
    others = first.measured.beyond["parameters"] + first.measured.unbuilt
    assert first.measured.within + others == 12

    asked: list[int] = []

    def ask(module: str, request: dict[str, list[object]], seconds: float) -> Answer:
        asked.append(len(request["networks"]))
        return Answer(None, None, "")

    monkeypatch.setattr(op_check, "ask_aside", ask)
    # What is good is not tried again: nor by `run`, which tries the ops of plugins only.
    again = named(look(folder))
    assert list(again) == list(found)
    assert all("took more than 900 s" in words for words in again.values())
    known = look(folder, only_plugins=True, limits={"parameters": 20})
    assert known.measured == first.measured
    # Another name of the space or another order of keys is nothing new.
    look(folder, SPACE.replace("space: s", "space: t"))
    assert asked == [3, 3, 3]
    look(folder, code="2")
    assert asked[3:] == [4]
    look(folder, SPACE.replace("sgd: {learning_rate: 0.1}", "sgd: {learning_rate: 0.2}"))
    # Now the first network of evonas's ops, and all those of plugins, which have its optimizer.
    assert asked[4] == 5


@pytest.mark.full
def test_seed_genomes_are_measured_if_no_random_network_is_within(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limit_check, "DRAWN", 4)
    text = SPACE[: SPACE.index("      my_small_ops")] + SPACE[SPACE.index("settings:") :]
    space = parse_space(text.replace("length: [0, 2]", "length: [1, 2]"), "s.yaml")
    seeds = []
    for op in ("dense", "layer_normalization"):
        seeds.append(small_genome(space, {"layers": op}, level=0.0))
    # 3 x 2 weights of the normalization, and 3 x 2 + 2 of the head; the dense layer has more.
    limits = {"parameters": 14}
    found = try_ops(space, ENDS, (), {}, "", limits=limits, seeds=seeds).measured
    assert found is not None
    assert (found.within, found.seeds, found.seeds_within) == (0, 2, 1)
    assert found.least["parameters"] > 14
    # Without the seeds it is another question, of which nothing is remembered.
    assert try_ops(space, ENDS, (), {}, "", only_plugins=True, limits=limits).measured is None


@pytest.mark.full
def test_of_ops_that_are_tried_together_the_one_that_fails_is_named(folder: Path) -> None:
    found = named(look(folder, SPACE.replace("choice: [4, 8]", "choice: [-4, -8]")))
    assert "units" in found["dense"]
    assert not {"layer_normalization", "sgd", "adam", "training"} & set(found)


def test_what_is_good_is_forgotten_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "file").write_text("no folder")
    remember_good("a" * 64)
    assert not is_known_good("a" * 64)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for _ in range(2):
        remember_good("a" * 64)
        assert is_known_good("a" * 64)
    shutil.rmtree(tmp_path / "cache")
    assert not is_known_good("a" * 64)
    # A pipe would be waited for, and a link may lead anywhere.
    good = tmp_path / "cache" / "evonas" / "good"
    good.mkdir(parents=True)
    os.mkfifo(good / ("b" * 64))
    (good / ("c" * 64)).symlink_to(tmp_path / "file")
    assert not is_known_good("b" * 64)
    assert not is_known_good("c" * 64)
    # A relative path is to be ignored.
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    remember_good("a" * 64)
    assert (tmp_path / "home" / ".cache" / "evonas" / "good" / ("a" * 64)).is_file()


SOLE = """
space: s
input: vector
network:
  gates: {ops: {'my_small_ops:OP': {units: {int: [2, 9]}}}}
  layers: {ops: {dense: {units: 4}, layer_normalization: {}}}
settings:
  optimizer: {ops: {sgd: {learning_rate: 0.1}, adam: {learning_rate: 0.1}}}
  training: {ops: {training: {batch_size: 16}}}
"""


@pytest.mark.full
def test_an_op_that_every_network_has_is_blamed_alone_in_truth(folder: Path) -> None:
    assert list(named(look(folder, SOLE.replace("OP", "typo")))) == ["my_small_ops:typo"]


def test_an_op_that_every_network_has_is_blamed_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(module: str, request: dict[str, list[object]], seconds: float) -> Answer:
        report = {"problems": ["raised X."] * len(request["networks"]), "sizes": None}
        return Answer(report, 0, "")

    monkeypatch.setattr(op_check, "ask_aside", ask)
    found = named(look(folder, SOLE.replace("OP", "typo")))
    assert list(found) == ["my_small_ops:typo"]
    assert found["my_small_ops:typo"].startswith("my_small_ops:typo, tried in a small network, ")


def test_nothing_is_tried_beside_an_op_that_is_wrong(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(op_check, "ask_aside", lambda *_: pytest.fail("a network was tried"))
    assert named(look(folder, SOLE.replace("OP", "god"), leave_out=["my_small_ops:god"])) == {}
