"""Which Keras an exported file needs. No other Keras is installed here: the source has a table."""

from __future__ import annotations

from importlib import metadata

import pytest

from evonas.model.formats.keras_file import keras_needed


@pytest.mark.parametrize(
    ("written_by", "needs"),
    [
        ("3.15.1", ">=3.15"),
        ("3.13.0", ">=3.13"),
        ("3.16.0.dev20260101", ">=3.16"),
        ("4.0", ">=4.0"),
    ],
)
def test_a_file_is_read_from_the_minor_release_on_that_wrote_it(
    written_by: str, needs: str
) -> None:
    found = keras_needed({"keras": written_by, "tensorflow": "2.21.0"})
    assert found == {"made_with": written_by, "needs": needs}


def test_what_is_not_known_is_not_told() -> None:
    assert keras_needed({}) is None


def test_the_keras_of_this_machine() -> None:
    version = metadata.version("keras")
    found = keras_needed({"keras": version})
    assert found is not None
    assert version.startswith(found["needs"].removeprefix(">=") + ".")
