"""A program that converts a SavedModel to LiteRT: `python to_litert.py REQUEST`.

It is a process of its own: for some networks, the converter of TensorFlow 2.21 ends its process.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np


def convert(folder: str, samples: str) -> bytes:
    """The content of a `.tflite` file.

    Args:
        folder: a SavedModel.
        samples: an `.npy` file with samples of the training, by which 8-bit integers are scaled;
            empty for 32-bit floats.
    """
    import tensorflow as tf

    converter: Any = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serve"])
    # Without the ops of TensorFlow itself: LiteRT alone shall run it.
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if samples:
        x = np.load(samples, allow_pickle=False).astype(np.float32)

        def one_by_one() -> Iterator[list[Any]]:
            for sample in x:
                yield [sample[np.newaxis]]

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = one_by_one
    found: bytes = converter.convert()
    return found


def _main(request: Path) -> None:
    asked = json.loads(request.read_text(encoding="utf-8"))
    try:
        content = convert(asked["folder"], asked["samples"])
    # What cannot be converted may raise anything.
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        Path(asked["failure"]).write_text(text, encoding="utf-8", errors="backslashreplace")
        raise
    Path(asked["path"]).write_bytes(content)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
