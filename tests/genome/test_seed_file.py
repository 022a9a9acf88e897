"""A genome as a seed file: what is read of it is the very genome."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.genome import load_space, sample
from evonas.genome.genome_file import parse_genome
from evonas.genome.library import find, names
from evonas.genome.seed_file import as_seed
from evonas.runtime.config.plain_yaml import as_yaml


@pytest.mark.parametrize("name", names("spaces"))
def test_every_genome_of_a_space_comes_back(name: str) -> None:
    space = load_space(find("spaces", name))
    rng = np.random.default_rng(0)
    for _ in range(30):
        genome = sample(space, rng)
        text = as_yaml(as_seed(space, genome))
        again = parse_genome(text, "genome.yaml", space)
        assert again.digest == genome.digest
        assert again.canonical() == genome.canonical()
