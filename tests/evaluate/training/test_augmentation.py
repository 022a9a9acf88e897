"""Images are changed in training, and nowhere else."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from evonas.evaluate.training.augmentation import Augmentation
from evonas.genome import parse_genome, parse_space
from evonas.model.augmenting import AUGMENTATIONS, augmentation_layers
from evonas.model.losses import build_loss
from tests.evaluate.training.networks import CLASSES, bits, make_loop

ARGUMENTS = {"cutout": {"area": 0.25}, "mixup": {"alpha": 0.5}, "cutmix": {"alpha": 0.5}}
FACTOR = {"factor": 0.2}


def layer(op: str, seed: int = 7) -> Any:
    arguments = {} if op == "horizontal_flip" else ARGUMENTS.get(op, FACTOR)
    return AUGMENTATIONS[op](**arguments, seed=seed)


def images(shape: tuple[int, ...], count: int = 12) -> Any:
    rng = np.random.default_rng(0)
    return tf.constant(rng.uniform(0, 255, size=(count, *shape)).astype("float32"))


@pytest.mark.parametrize("op", AUGMENTATIONS)
def test_each_op_changes_batches_in_a_graph_and_repeats_from_its_state(op: str) -> None:
    x, y = images((9, 6, 3)), tf.constant([0, 1, 2] * 4)
    augmentation = Augmentation([layer(op)], classes=3)
    function = tf.function(augmentation, autograph=False)
    (state,) = augmentation.variables

    def changed() -> list[Any]:
        return [array.numpy() for _ in range(2) for array in function(x, y)]

    kept = state.numpy()
    first = changed()
    assert (state.numpy() != kept).any()
    state.assign(kept)
    assert [array.tobytes() for array in first] == [array.tobytes() for array in changed()]
    # The second batch was changed in another way than the first.
    assert first[0].tobytes() != first[2].tobytes()
    assert first[0].shape == x.shape
    assert np.isfinite(first[0]).all()
    assert (first[0] != x.numpy()).any()
    # Grey images may have no axis for their channel, and another seed changes other things.
    grey = images((7, 8))
    found = [Augmentation([layer(op, seed)], classes=3)(grey, y)[0].numpy() for seed in (7, 8)]
    assert found[0].shape == grey.shape
    assert (found[0] != found[1]).any()


def test_without_layers_a_batch_is_what_it_was() -> None:
    x, y = images((8, 8)), tf.constant([0, 1])
    augmentation = Augmentation()
    assert augmentation(x, y) == (x, y)
    assert augmentation.variables == []


def test_cutout_hides_a_square_behind_the_mean_of_each_channel() -> None:
    x = tf.concat([images((20, 20, 1)), images((20, 20, 1)) + 1000.0], axis=-1)
    found, _ = Augmentation([layer("cutout")])(x, tf.zeros(12))
    means = x.numpy().mean(axis=(0, 1, 2))
    is_hidden = np.abs(found.numpy() - means) < 1e-2
    np.testing.assert_allclose(is_hidden.mean(axis=(1, 2)), 0.25, atol=0.08)


def test_contrast_goes_both_ways() -> None:
    x = images((8, 8), count=200)
    found, _ = Augmentation([layer("contrast")])(x, tf.zeros(200))
    ratio = found.numpy().std(axis=(1, 2)) / x.numpy().std(axis=(1, 2))
    assert ratio.min() < 0.9
    assert ratio.max() > 1.1


@pytest.mark.parametrize("op", ["mixup", "cutmix"])
def test_targets_are_mixed_as_the_images_are(op: str) -> None:
    # Each image has one value, so that its own mean tells how much of which image is in it.
    y = tf.constant([0, 1, 2] * 20)
    x = tf.cast(y, tf.float32)[:, tf.newaxis, tf.newaxis] * tf.ones((60, 16, 16))
    augmentation = Augmentation([layer(op)], classes=3)
    assert augmentation.mixes_targets
    mixed, targets = augmentation(x, y)
    np.testing.assert_allclose(tf.reduce_sum(targets, axis=1), 1.0, rtol=1e-5)
    expected = targets.numpy() @ np.arange(3.0)
    # The edge of a rectangle is at whole pixels, its share of the target is not.
    tolerance = 1e-4 if op == "mixup" else 0.2
    np.testing.assert_allclose(mixed.numpy().mean(axis=(1, 2)), expected, atol=tolerance)
    assert np.abs(targets.numpy() - np.eye(3)[y.numpy()]).max() > 0.1


def test_quantities_are_mixed_without_classes() -> None:
    x, y = images((8, 8)), tf.range(12.0)
    _, targets = Augmentation([layer("mixup")])(x, y)
    assert targets.shape == (12, 1)
    _, several = Augmentation([layer("mixup")])(x, tf.stack([y, -y], axis=1))
    np.testing.assert_allclose(several[:, 0], -several[:, 1])


def augmented(*ops: str) -> Any:
    return make_loop(augmentation=Augmentation([layer(op) for op in ops], classes=3))


def test_a_stopped_training_goes_on_bit_for_bit_with_the_same_changes() -> None:
    order = np.arange(70, dtype=np.int32)
    model, loop = augmented("horizontal_flip", "mixup")
    other, again = augmented("horizontal_flip", "mixup")
    with loop.at_work():
        loop.run(order)
        again.assign(loop.model_state(), loop.optimizer_state())
        assert loop.run(order) == again.run(order)
    assert bits(model) == bits(other)
    # Two layers, each with the state of its generator beside the model's variables.
    assert len(loop.model_state()) == len(model.variables) + 2


def test_weights_and_losses_know_nothing_of_it() -> None:
    model, loop = augmented("rotation")
    assert len(loop.weights()) == len(model.weights)


def test_the_loss_of_mixed_targets_is_the_mixture_of_the_losses() -> None:
    plain = build_loss(CLASSES)
    mixed = build_loss(CLASSES, takes_rows=True)
    predicted = tf.constant([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
    numbers = tf.constant([0, 2])
    assert float(mixed(numbers, predicted)) == pytest.approx(float(plain(numbers, predicted)))
    rows = tf.constant([[0.25, 0.75, 0.0], [0.25, 0.0, 0.75]])
    others = plain(tf.constant([1, 2]), predicted), plain(tf.constant([0, 0]), predicted)
    expected = 0.75 * float(others[0]) + 0.25 * float(others[1])
    assert float(mixed(rows, predicted)) == pytest.approx(expected)


SPACE = """
space: small
input: image
network: {bridge: {ops: {flatten: {}}}}
settings:
  augmentation:
    length: [0, 3]
    ops: {rotation: {factor: {float: [0.1, 0.2]}}, mixup: {alpha: 0.4}, horizontal_flip: {}}
  optimizer: {ops: {adam: {learning_rate: 0.1}}}
  training: {ops: {training: {batch_size: 16}}}
"""


def test_genes_are_layers_in_their_order() -> None:
    space = parse_space(SPACE, "space.yaml")
    rest = "space: small\nbridge: [flatten]\noptimizer: [adam]\ntraining: [training]\n"
    genome = parse_genome(
        rest + "augmentation: [mixup, rotation: {factor: 0.15}]", "genome.yaml", space
    )
    first, second = augmentation_layers(space, genome, seed=5)
    assert (type(first), first.alpha) == (keras.layers.MixUp, 0.4)
    assert (type(second), second.factor) == (keras.layers.RandomRotation, (-0.15, 0.15))
    assert first.seed != second.seed
    again = augmentation_layers(space, genome, seed=5)
    assert [one.seed for one in again] == [first.seed, second.seed]
    assert augmentation_layers(space, genome, seed=6)[0].seed != first.seed
    plain = parse_genome(rest, "genome.yaml", space)
    assert augmentation_layers(space, plain, seed=5) == ()
