"""What padding holds, and how much of it there is, changes no answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from evonas.errors import UserError
from evonas.genome import Genome, SearchSpace, load_space, parse_space, sample
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.model import masking, ops
from evonas.model.assembly import build_model
from evonas.model.catalog import NETWORK_OPS
from tests.slow import few

SPACES = Path(__file__).parents[2] / "genomes" / "spaces"
STEPS = 6
LONGER = 9
FITTED = {"mean": (1.0, 1.0), "variance": (4.0, 4.0)}


def interface(length: int, kind: str = "sequence", encoding: str = "padded") -> Interface:
    if kind == "text":
        spec = InputSpec(kind, (length,), INPUT_KINDS[kind].example_fitted, "int32")
    else:
        spec = InputSpec(kind, (length, 2), FITTED, encoding=encoding)
    return Interface(spec, "classification", (0, 1, 2))


def sequences(lengths: range, length: int, kind: str = "sequence") -> Any:
    """The same sequences for every padded length."""
    rng = np.random.default_rng(0)
    if kind == "text":
        found = np.zeros((len(lengths), length), "int32")
        for row, real in zip(found, lengths, strict=True):
            row[:real] = rng.integers(1, 100, real)
        return found
    values = np.full((len(lengths), length, 2), np.nan, "float32")
    for row, real in zip(values, lengths, strict=True):
        row[:real] = rng.normal(1, 2, (real, 2))
    return values


def give_weights(model: Any, other: Any) -> None:
    """Give a model's weights to another; what is longer there has zeros at its end."""
    known = {layer.name: layer.get_weights() for layer in model.layers}
    for layer in other.layers:
        if not layer.weights:
            continue
        weights = []
        for weight, given in zip(layer.get_weights(), known[layer.name], strict=True):
            found = np.zeros_like(weight)
            found[tuple(slice(0, size) for size in given.shape)] = given
            weights.append(found)
        layer.set_weights(weights)


def network_genes(genome: Genome, space: SearchSpace) -> set[str]:
    return {gene.op for section in space.group("network") for gene in genome[section.name]}


def genomes_with_every_op(space: SearchSpace) -> list[Genome]:
    """A few random genomes that together hold every op of the network."""
    rng = np.random.default_rng(3)
    drawn = [sample(space, rng) for _ in range(60)]
    missing = {op for section in space.group("network") for op in section.ops}
    found = []
    while missing:
        best = max(drawn, key=lambda genome: len(network_genes(genome, space) & missing))
        assert network_genes(best, space) & missing, missing
        found.append(best)
        missing -= network_genes(best, space)
    return found


@pytest.mark.parametrize(
    "name", few(["recurrent", "temporal", "transformer", "text"], "recurrent", "temporal")
)
def test_the_length_of_the_padding_changes_no_answer(name: str) -> None:
    space = load_space(SPACES / f"{name}.yaml")
    kind = str(space.input)
    lengths = range(1, STEPS + 1)
    for number, genome in enumerate(genomes_with_every_op(space)):
        keras.utils.set_random_seed(number)
        model = build_model(space, genome, interface(STEPS, kind))
        longer = build_model(space, genome, interface(LONGER, kind))
        give_weights(model, longer)
        answers = model(sequences(lengths, STEPS, kind)).numpy()
        assert np.isfinite(answers).all()
        again = longer(sequences(lengths, LONGER, kind)).numpy()
        np.testing.assert_allclose(again, answers, rtol=0, atol=1e-6)
        # They are answers of different sequences, and no constant.
        assert len(np.unique(answers[:, 0])) > STEPS // 2


OF_SEQUENCES = sorted(
    name
    for name, op in NETWORK_OPS.items()
    if "sequence" in op.takes and op.tensors == 1 and name != "flatten"
)
ARGUMENTS: dict[str, Any] = {
    "filters": 4, "kernel_size": 3, "units": 4, "num_heads": 2, "pool_size": 2, "expansion": 2,
}  # fmt: skip


@pytest.mark.parametrize("name", OF_SEQUENCES)
def test_an_op_gives_of_real_steps_what_it_gives_without_padding(name: str) -> None:
    function = ops.OPS[name]
    taken = NETWORK_OPS[name].parameters
    arguments = {key: value for key, value in ARGUMENTS.items() if key in taken}
    if "batch_normalization" in taken:
        arguments["batch_normalization"] = True
    if "bidirectional" in taken:
        arguments["bidirectional"] = True
    real = 5
    keras.utils.set_random_seed(0)
    x = keras.Input((real, 3))
    plain = keras.Model(x, function(x, name="gene", **arguments))
    padded, mask = keras.Input((8, 3)), keras.Input((8,), dtype="bool")
    if name in ("layer_normalization", "positions"):
        made: Any = function(padded, name="gene", **arguments)
    elif "mask" not in function.__code__.co_varnames:
        # Each step for itself.
        made = function(padded, name="gene", **arguments)
    else:
        made = function(padded, name="gene", mask=mask, **arguments)
    y, factor = made if isinstance(made, tuple) else (made, 1)
    masked = keras.Model([padded, mask], y)
    give_weights(plain, masked)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 8, 3)).astype("float32")
    # What padding holds is of no meaning.
    values[:, real:] = 1000.0
    marks = np.tile(np.arange(8) < real, (2, 1))
    expected = plain(values[:, :real]).numpy()
    found = masked([values, marks]).numpy()
    if found.ndim == 3:
        assert factor == (2 if "pooling" in name else 1)
        found = found[:, : expected.shape[1]]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_without_padding_the_model_is_that_of_today() -> None:
    space = load_space(SPACES / "recurrent.yaml")
    genome = sample(space, np.random.default_rng(1))
    plain = build_model(space, genome, interface(STEPS, encoding=""))
    assert all(isinstance(one, keras.layers.Layer) for one in plain.operations)
    padded = build_model(space, genome, interface(STEPS))
    named = [[one.path for one in model.weights] for model in (plain, padded)]
    assert named[0] == named[1]


def test_names_do_not_depend_on_what_was_built_before() -> None:
    space = load_space(SPACES / "temporal.yaml")
    for genome in genomes_with_every_op(space)[:1]:
        first, second = (build_model(space, genome, interface(STEPS)) for _ in range(2))
        assert [one.name for one in first.operations] == [one.name for one in second.operations]


def test_a_loaded_model_answers_the_same(tmp_path: Path) -> None:
    space = load_space(SPACES / "temporal.yaml")
    x = sequences(range(1, STEPS + 1), STEPS)
    for genome in genomes_with_every_op(space)[:1]:
        model = build_model(space, genome, interface(STEPS))
        model.save(tmp_path / "model.keras")
        loaded: Any = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
        np.testing.assert_allclose(loaded(x).numpy(), model(x).numpy(), rtol=0, atol=1e-6)


def test_skips_between_poolings_keep_their_windows() -> None:
    """A step of stride 6 beside one of stride 2, and one of stride 2 beside one of stride 3."""
    for stride, wanted in ((2, 6), (2, 3), (6, 1)):
        answers = []
        for length in (7, 16):
            x, mask = keras.Input((length, 1)), keras.Input((length,), dtype="bool")
            steps = masking.Steps(mask)
            have = steps.shortened(stride, "have")
            like = steps.shortened(wanted, "like")
            y = masking.average_pooled(x, mask, stride, "y") if stride > 1 else x
            other = keras.Input((like.mask.shape[1], 1))
            made = masking.aligned(y, have, other, like, "made")
            values = np.zeros((1, length, 1), "float32")
            values[0, :7, 0] = np.arange(7) ** 2
            marks = np.arange(length)[None] < 7
            answers.append(keras.Model([x, mask], made)([values, marks]).numpy()[0, :, 0])
        shared = -(-7 // wanted)
        assert answers[0].shape == (shared,)
        np.testing.assert_allclose(answers[1][:shared], answers[0], rtol=1e-6)


PLUGIN_SPACE = """
space: own
input: sequence
network:
  own: {ops: {own_ops:OP: {}}}
  bridge: {ops: {global_average: {}}}
settings:
  optimizer: {ops: {adam: {learning_rate: 0.01}}}
  training: {ops: {training: {batch_size: 8}}}
"""


@pytest.fixture
def own_ops(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    import types

    module = types.ModuleType("own_ops")

    def blur(x: Any) -> Any:
        return keras.layers.AveragePooling1D(3, strides=1, padding="same")(x)

    def halve(x: Any) -> Any:
        return keras.layers.AveragePooling1D(2)(x)

    def halve_with_mask(x: Any, *, mask: Any = None) -> Any:
        y = keras.layers.AveragePooling1D(2, padding="same")(x)
        return (y, 2) if mask is not None else y

    for function in (blur, halve, halve_with_mask):
        setattr(module, function.__name__, function)
    monkeypatch.setitem(sys.modules, "own_ops", module)


def _own(op: str, length: int) -> Any:
    space = parse_space(PLUGIN_SPACE.replace("OP", op), "own.yaml")
    genome = sample(space, np.random.default_rng(0))
    keras.utils.set_random_seed(0)
    return build_model(space, genome, interface(length), ["own_ops"])


@pytest.mark.usefixtures("own_ops")
def test_an_op_of_the_users_sees_zeros_for_padding() -> None:
    answers = [_own("blur", n)(sequences(range(3, 6), n)).numpy() for n in (STEPS, LONGER)]
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-6)
    with pytest.raises(UserError, match=r"has made 3 steps of 6.*give \(output, k\)"):
        _own("halve", STEPS)
    assert np.isfinite(_own("halve_with_mask", STEPS)(sequences(range(3, 6), STEPS))).all()


def test_a_sequence_or_text_without_any_step_has_an_answer() -> None:
    for name in ("temporal", "text"):
        space = load_space(SPACES / f"{name}.yaml")
        model = build_model(space, genomes_with_every_op(space)[0], interface(STEPS, space.input))
        x = sequences(range(2), STEPS, str(space.input))
        assert np.isfinite(model(x).numpy()).all()


def test_a_gene_with_a_mask_of_pooling_size_three() -> None:
    x, mask = keras.Input((7, 1)), keras.Input((7,), dtype="bool")
    values = np.array([[3, 1, 2, 9, 5, -50, -50]], "float32")[:, :, None]
    marks = np.array([[True, True, True, True, True, False, False]])
    highest, factor = ops.max_pooling(x, pool_size=3, name="a", mask=mask)
    means, _ = ops.average_pooling(x, pool_size=3, name="b", mask=mask)
    model = keras.Model([x, mask], [highest, means])
    found = [one.numpy()[0, :, 0].tolist() for one in model([values, marks])]
    assert factor == 3
    np.testing.assert_allclose(found, [[3, 9, 0], [2, 7, 0]], rtol=1e-6)
