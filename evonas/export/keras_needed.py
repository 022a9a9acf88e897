"""Which Keras reads an exported file."""

from __future__ import annotations

from collections.abc import Mapping


def keras_needed(versions: Mapping[str, str] | None) -> dict[str, str] | None:
    """The Keras that wrote a file, and those that read it; None if the former is not known.

    Args:
        versions: versions of the worker that wrote the file.
    """
    if versions is None or "keras" not in versions:
        return None
    made_with = versions["keras"]
    # Measured on exports of evonas. Each minor release writes a key that the one before refuses:
    # 3.13 `quantization_config` (Dense), 3.14 `renorm` (BatchNormalization), 3.15 `input_axes`
    # (all initializers). Within a minor release, and from an older one to a newer one, every file
    # was read: of 3.15.1 by 3.15.0, of 3.14.1 by 3.14.0, of 3.13.2 by 3.13.0 and by all newer ones.
    major, minor = made_with.split(".")[:2]
    return {"made_with": made_with, "needs": f">={major}.{minor}"}
