from __future__ import annotations

import numpy as np
import pytest

from evonas.genome import library, load_space, validate
from evonas.genome.small import small_genome


@pytest.mark.parametrize("name", library.names("spaces"))
def test_each_op_of_a_space_has_small_genomes_that_use_it(name: str) -> None:
    space = load_space(library.find("spaces", name))
    for section in space.sections.values():
        for op in section.ops:
            for level, rng in ((0.0, None), (0.99, None), (0.0, np.random.default_rng(0))):
                genome = small_genome(space, {section.name: op}, level, rng)
                validate(space, genome)
                first = genome[section.name][0]
                assert first.op == op
                if section.group == "cells":
                    called = [
                        gene.op for part in space.group("network") for gene in genome[part.name]
                    ]
                    assert section.name in called
                if rng is None:
                    assert len(genome[section.name]) == max(1, section.low)
