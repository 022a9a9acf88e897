"""`model.py`: it builds the same network without evonas, in code that a person reads."""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from evonas.genome import Genome, SearchSpace, load_space, sample
from evonas.genome.library import find
from evonas.learning.examples import examples
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model
from evonas.model.compiling import compile_model
from evonas.model.formats import SourceCode
from evonas.model.formats.export_format import CannotCarry
from evonas.model.source import CannotWrite, program_of
from tests.model.covering import covering_genomes
from tests.model.test_spaces import NAMES, interfaces
from tests.slow import few

RANDOM = 50

ALONE = """
import runpy, sys
sys.modules["evonas"] = None
import numpy as np
program = runpy.run_path(sys.argv[1])
model = program["load_model"]()
x, y = np.load(sys.argv[2]), np.load(sys.argv[3])
before = model.predict(x, verbose=0)
np.save(sys.argv[4], before)
weights = [w.copy() for w in model.get_weights()]
model.fit(x, y, epochs=1, verbose=0)
after = model.get_weights()
assert any((a != b).any() for a, b in zip(weights, after, strict=True)), "nothing is trained"
"""


def network(space: SearchSpace, genome: Genome, ends: Interface) -> Any:
    """A compiled network whose weights are those of no fresh one."""
    keras.utils.set_random_seed(1)
    model = build_model(space, genome, ends)
    compile_model(model, space, genome, ends, samples=40, most=3)
    rng = np.random.default_rng(2)
    weights = []
    for weight in model.get_weights():
        is_float = weight.dtype.kind == "f"
        weights.append(weight + rng.uniform(0, 0.1, weight.shape) if is_float else weight)
    model.set_weights(weights)
    return model


def check_is_the_same(model: Any, ends: Interface, folder: Path) -> None:
    """Write a network as code, run that, and compare the two; ruff reads the code, too."""
    SourceCode().write(model, folder)
    keras.utils.set_random_seed(3)
    again = runpy.run_path(str(folder / "model.py"))["load_model"]()
    x = examples(ends.input, np.random.default_rng(1), 5)
    assert np.array_equal(model.predict(x, verbose=0), again.predict(x, verbose=0))
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert again.count_params() == model.count_params()
    wanted, found = model.get_compile_config(), again.get_compile_config()
    assert found["loss"] == wanted["loss"]
    assert found["metrics"] == wanted["metrics"]
    assert found["optimizer"]["class_name"] == wanted["optimizer"]["class_name"]
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--isolated", str(folder / "model.py")]
        done = subprocess.run(ruff, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", few(NAMES, "convnet", "temporal", "tabular", "text"))
def test_five_genomes_that_hold_every_op_are_written_as_code(name: str, tmp_path: Path) -> None:
    space = load_space(find("spaces", name))
    for genome, ends in zip(covering_genomes(space), interfaces(str(space.input)), strict=False):
        model = network(space, genome, ends)
        check_is_the_same(model, ends, tmp_path / genome.digest)
    keras.backend.clear_session()


@pytest.mark.full
def test_fifty_random_genomes_are_written_as_code(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    for number in range(RANDOM):
        space = load_space(find("spaces", NAMES[number % len(NAMES)]))
        ends = next(interfaces(str(space.input)))
        genome = sample(space, rng)
        check_is_the_same(network(space, genome, ends), ends, tmp_path / str(number))
        keras.backend.clear_session()


def test_a_process_without_evonas_predicts_the_same_and_trains_a_step(tmp_path: Path) -> None:
    space = load_space(find("spaces", "convnet"))
    ends = next(interfaces("image"))
    model = network(space, covering_genomes(space)[0], ends)
    SourceCode().write(model, tmp_path / "source")
    x = examples(ends.input, np.random.default_rng(1), 8)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", np.arange(8) % 3)
    names = [tmp_path / name for name in ("source/model.py", "x.npy", "y.npy", "answers.npy")]
    command = [sys.executable, "-I", "-c", ALONE, *map(str, names)]
    subprocess.run(command, check=True, capture_output=True)
    assert np.array_equal(np.load(tmp_path / "answers.npy"), model.predict(x, verbose=0))


def test_the_names_tell_the_roles_of_the_layers() -> None:
    space = load_space(find("spaces", "mlp"))
    ends = next(interfaces("vector"))
    text = program_of(network(space, covering_genomes(space)[0], ends), "A network.").text
    assert text.startswith('"""A network.\n')
    assert "evonas" not in text
    assert 'inputs = keras.Input((7,), name="input")' in text
    assert 'name="layers_0_dense"' in text
    assert "layers_0_dense = " in text
    # Defaults of Keras are not told.
    assert "bias_initializer" not in text
    assert "optimizer=keras.optimizers." in text


def test_long_lists_lie_beside_the_code(tmp_path: Path) -> None:
    words = [f'wörd "{number}"' for number in range(60)]
    inputs = keras.Input((1,), dtype="string", name="colour")
    codes = layers.StringLookup(vocabulary=words, mask_token="", name="codes")(inputs)
    rows = layers.Flatten()(layers.Embedding(62, 2)(codes))
    model = keras.Model({"colour": inputs}, layers.Dense(2)(rows))
    SourceCode().write(model, tmp_path / "source")
    assert sorted(path.name for path in (tmp_path / "source").iterdir()) == [
        "constants.json",
        "model.py",
        "model.weights.h5",
    ]
    x = {"colour": np.array([[words[5]], ["unknown"], [""]])}
    found = SourceCode().load(tmp_path / "source")(x)
    assert np.array_equal(found, model.predict({"colour": keras.ops.array(x["colour"])}))


class Mine(layers.Layer):
    """A layer that is none of Keras's."""

    def call(self, x: Any) -> Any:
        return 2 * x


def test_what_is_none_of_keras_is_named(tmp_path: Path) -> None:
    inputs = keras.Input((2,))
    model = keras.Model(inputs, Mine(name="features_0_mine")(inputs))
    words = "the layer features_0_mine is a Mine, none of Keras's own"
    with pytest.raises(CannotWrite, match=words):
        program_of(model, "A network.")
    with pytest.raises(CannotCarry, match=f"the network cannot be written as code: {words}"):
        SourceCode().write(model, tmp_path / "source")
    assert not (tmp_path / "source").exists()
