"""A network as other runtimes take it: a graph with inputs of plain names, and numbers alone.

Converters of other projects work on a SavedModel, each in a process of its own: for some networks
they end their process.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.model.formats.export_format import CannotCarry
from evonas.model.formats.readers.saved_model import plain

if TYPE_CHECKING:
    import keras

SAID = 500
"""Characters that are kept of what a converter has said."""


def with_plain_names(model: keras.Model) -> keras.Model:
    """The same model, whose inputs have names that TensorFlow takes for arguments."""
    import keras

    # One input has a name of evonas's own.
    if not isinstance(model.input, dict):
        return model
    inputs = {}
    for name, tensor in model.input.items():
        one = keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=plain(name))
        inputs[name] = one
    outputs = model(inputs)
    return keras.Model({plain(name): one for name, one in inputs.items()}, outputs)


def check_numbers(model: keras.Model, runtime: str) -> None:
    """Check that a model takes numbers alone, and resizes none of them.

    Raises:
        CannotCarry: it takes words, or pictures of any size.
    """
    words = [one.name for one in model.inputs if str(one.dtype) == "string"]
    if words:
        raise CannotCarry(
            f"the network takes words ({', '.join(words)}), and its tables of words have no"
            f" counterpart in {runtime}"
        )
    # Measured with pictures of whole numbers: a few pixels are 1 more or less than in Keras.
    if any(len(one.shape) == 4 and None in one.shape[1:3] for one in model.inputs):
        raise CannotCarry(
            f"the network resizes pictures of any size, and {runtime} does that with another"
            " rounding"
        )


def write_served(model: keras.Model, folder: Path, batch: int | None = None) -> None:
    """Write a SavedModel of one signature, `serve`.

    Args:
        batch: number of samples that it takes at once; None for any number.
    """
    import keras
    import tensorflow as tf

    served = with_plain_names(model)

    def spec(tensor: Any) -> Any:
        name = plain(tensor._keras_history.operation.name)
        return tf.TensorSpec((batch, *tensor.shape[1:]), tensor.dtype, name=name)

    archive = keras.export.ExportArchive()
    archive.track(served)
    archive.add_endpoint(
        "serve",
        lambda x: served(x, training=False),
        input_signature=[keras.tree.map_structure(spec, served._inputs_struct)],
    )
    archive.write_out(folder, verbose=False)


def convert(arguments: Sequence[str], failure: Path) -> None:
    """Run a converter in a process of its own.

    Args:
        arguments: what Python runs.
        failure: file in which it says what it cannot do. It may be missing.

    Raises:
        CannotCarry: it does not take the network.
    """
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        # A negative one is the number of a signal, after which nobody says anything.
        why = f"its process has ended with the code {done.returncode}"
        if failure.is_file():
            why = failure.read_text(encoding="utf-8")
        elif done.returncode > 0:
            why = done.stderr.decode("utf-8", "backslashreplace")
        # The last words say what it is about. Before them are pages of places.
        raise CannotCarry(f"the converter does not take the network: {why[-SAID:].strip()}")
