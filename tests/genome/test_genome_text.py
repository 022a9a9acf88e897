"""A genome that is written as YAML is the same genome when it is read back."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.genome import load_space, parse_genome, sample
from evonas.genome.genome_text import genome_text
from evonas.genome.library import find, names


@pytest.mark.parametrize("name", names("spaces"))
def test_every_genome_comes_back(name: str) -> None:
    space = load_space(find("spaces", name))
    rng = np.random.default_rng(0)
    for _ in range(3):
        genome = sample(space, rng)
        text = genome_text(space, genome, 'it\'s "mine": #1 {ü}')
        assert parse_genome(text, "mine.yaml", space).digest == genome.digest


def test_what_is_off_is_left_out() -> None:
    space = load_space(find("spaces", "mlp"))
    file = find("seeds", "mlp2")
    genome = parse_genome(file.read_text(encoding="utf-8"), file.name, space)
    assert genome_text(space, genome).splitlines()[:4] == [
        "space: mlp",
        "layers:",
        "  - dense: {units: 64}",
        "  - dense: {units: 32}",
    ]
