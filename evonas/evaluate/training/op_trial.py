"""One small network, as a trial and an export would treat it: built, trained, saved, loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from evonas.genome import Genome, SearchSpace
from evonas.learning.examples import examples
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model
from evonas.model.compiling import compile_model
from evonas.model.formats import KerasFile
from evonas.model.formats.verification import save_verified
from evonas.model.size import can_be_postponed, measure_unbuilt

SAMPLES = 4
"""Samples of the one step: batch normalization needs more than one."""


def try_network(
    space: SearchSpace,
    genome: Genome,
    interface: Interface,
    plugins: Sequence[str],
    folder: Path,
) -> None:
    """Build the network of a genome, train it for one step, save it, and load what was saved.

    Args:
        plugins: modules that may be imported for ops.
        folder: folder for the saved file.

    Raises:
        whatever goes wrong.
    """
    keras.backend.clear_session(free_memory=False)
    # A worker measures a network with an op of a plugin in a graph before it builds it.
    if not can_be_postponed(genome):
        measure_unbuilt(space, genome, interface, plugins)
    keras.utils.set_random_seed(0)
    model = build_model(space, genome, interface, plugins)
    compile_model(model, space, genome, interface, samples=SAMPLES, most=1)
    x, y = _data(interface)
    model.train_on_batch(x, y)
    predictions = model.predict(x, verbose=0)
    # A step on random data may diverge, and a comparison of numbers that are none says nothing.
    if not np.isfinite(predictions).all():
        model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
        predictions = model.predict(x, verbose=0)
    save_verified(KerasFile(), model, folder / "tried.keras", x, predictions)


def _data(interface: Interface) -> tuple[Any, Any]:
    """A few random samples, and targets."""
    rng = np.random.default_rng(0)
    x = examples(interface.input, rng, SAMPLES)
    task = interface.learning_task
    y = task.examples(rng, SAMPLES, interface.outputs)
    if not task.are_quantities:
        return x, y
    scaled = y * np.array(interface.target_scale) + np.array(interface.target_mean)
    return x, scaled.astype(np.float32)
