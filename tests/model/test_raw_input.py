"""An exported network answers on raw samples as it did on stored ones, in every shipped space.

The raw samples are those of the contract of encodings: rows with gaps and unknown words, texts,
sequences of different length, pictures of different size.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from evonas.data.encodings import encoding_for
from evonas.data.fitting import fit
from evonas.data.raw import taken
from evonas.evaluate.training.export_job import given_to_keras, with_raw_inputs
from evonas.genome import Genome, SearchSpace, load_space
from evonas.genome.library import find, names
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.model.assembly import build_model
from evonas.model.formats.given import to_keras
from tests.contracts.test_encoding import COUNT, SAMPLES
from tests.model.covering import covering_genomes

SPACES = [load_space(find("spaces", name)) for name in names("spaces")]
NETWORKS = [space for space in SPACES if space.input is not None]
SOME = 6
"""Samples that are compared, the last ones: they have what the training part has not."""


def answers_the_same(space: SearchSpace, genome: Genome, file: Path) -> None:
    """Builds a network for stored samples, saves it as one for raw ones, and compares."""
    x = next(x for x, kind in SAMPLES.values() if kind == space.input)
    encoding = encoding_for(x, str(space.input))
    fitted = encoding.fit(taken(x, np.arange(COUNT // 2)))
    stored = encoding.encode(x, fitted).astype(encoding.dtype([x]))
    measured = {**fit(stored, str(space.input)), **fitted}
    shape = stored.shape[1:]
    spec = InputSpec(str(space.input), shape, measured, str(stored.dtype), encoding=encoding.name)
    ends = Interface(spec, "classification", (0, 1, 2))
    model = build_model(space, genome, ends)
    with_raw_inputs(model, space, genome, ends).save(file)
    exported: Any = keras.models.load_model(file, compile=False, safe_mode=True)
    last = np.arange(COUNT - SOME, COUNT)
    raw = given_to_keras(taken(x, last))
    if isinstance(raw, list):
        # A call, not `predict`: a layer may take it for a training.
        found = np.concatenate([exported(item[None]).numpy() for item in raw])
    else:
        found = exported.predict(to_keras(raw), verbose=0)
    expected = model(stored[last]).numpy()
    assert np.ptp(expected, axis=0).max() > 0, "a network that sees nothing shows nothing"
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
def test_a_network_of_a_table_takes_its_rows_with_words_and_gaps(tmp_path: Path) -> None:
    (space,) = (space for space in NETWORKS if space.name == "tabular")
    answers_the_same(space, covering_genomes(space)[0], tmp_path / "raw.keras")


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept:DeprecationWarning")
@pytest.mark.parametrize("space", NETWORKS, ids=lambda space: space.name)
def test_five_genomes_that_hold_every_op_take_raw_input(space: SearchSpace, tmp_path: Path) -> None:
    for genome in covering_genomes(space):
        answers_the_same(space, genome, tmp_path / "raw.keras")
    keras.backend.clear_session()
