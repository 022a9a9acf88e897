"""The ops of the settings section `augmentation`: each is one of Keras's own layers.

A gene is a layer, and the genes are called in their order. An empty section leaves the images as
they are. To add an op, write the function here, put it in `AUGMENTATIONS`, and describe it in
`evonas.model.catalog`.

All layers work on centered images: 0 is the mean of a channel, see
`evonas.evaluate.training.augmentation`. Pixels may have any range.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras import layers

from evonas.genome import Genome, SearchSpace
from evonas.randomness import generator

Layer = Any

SECTION = "augmentation"

MIXING = (layers.MixUp, layers.CutMix)
"""Layers that mix the targets as well."""


def horizontal_flip(*, seed: int) -> Layer:
    """Half of the images are mirrored, left to right."""
    return layers.RandomFlip("horizontal", seed=seed)


def translation(*, factor: float, seed: int) -> Layer:
    """Shifts by up to this share of the height and of the width."""
    return layers.RandomTranslation(factor, factor, seed=seed)


def rotation(*, factor: float, seed: int) -> Layer:
    """Turns by up to this share of a full turn, either way."""
    return layers.RandomRotation(factor, seed=seed)


def zoom(*, factor: float, seed: int) -> Layer:
    """Enlarges or shrinks by up to this share."""
    return layers.RandomZoom(factor, seed=seed)


def contrast(*, factor: float, seed: int) -> Layer:
    """Multiplies an image's distance from its mean by 1 - `factor` to 1 + `factor`."""
    anything = (-float("inf"), float("inf"))
    # With one number, Keras only ever raises the contrast.
    return layers.RandomContrast((factor, factor), value_range=anything, seed=seed)


def cutout(*, area: float, seed: int) -> Layer:
    """Hides a square with this share of the image's area (DeVries and Taylor, 2017)."""
    # Keras's defaults are those of random erasing: sometimes, of any size, and filled with noise.
    return layers.RandomErasing((1.0, 1.0), scale=(area, area), fill_value=0.0, seed=seed)


def mixup(*, alpha: float, seed: int) -> Layer:
    """Blends each image, and its target, with another one (Zhang et al., 2018)."""
    return layers.MixUp(alpha, seed=seed)


def cutmix(*, alpha: float, seed: int) -> Layer:
    """Fills a rectangle with another image; its area mixes the targets (Yun et al., 2019)."""
    # With one number, Keras draws the distribution's parameter anew, between 0 and that number.
    return layers.CutMix((alpha, alpha), seed=seed)


AUGMENTATIONS: Mapping[str, Callable[..., Layer]] = {
    f.__name__: f
    for f in (horizontal_flip, translation, rotation, zoom, contrast, cutout, mixup, cutmix)
}
"""The registry: op name of the section `augmentation` -> function."""


def augmentation_layers(space: SearchSpace, genome: Genome, seed: int) -> tuple[Layer, ...]:
    """The layers that change training images, in order; none if the space has no such section.

    Args:
        seed: the training's seed; the layers draw from seeds that follow from it.
    """
    if SECTION not in space.sections:
        return ()
    found = []
    for place, gene in enumerate(genome[SECTION]):
        own = int(generator(seed, "augment", place).integers(2**31))
        arguments = space.arguments(genome, SECTION, gene)
        found.append(AUGMENTATIONS[gene.op](**arguments, seed=own))
    return tuple(found)
