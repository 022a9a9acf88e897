"""What random genomes of a config are like: how many can be trained, how many are alike, how large.

They are drawn as a random search would draw them. Duplicates are counted without Keras; the sizes
of some of the networks are measured in a process of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from evonas.evaluate.local.limit_check import Size, is_within
from evonas.evaluate.local.size_survey import sizes_of
from evonas.genome import Genome, sample
from evonas.learning.interface import Interface
from evonas.runtime.config.config_file import LoadedConfig
from evonas.runtime.plugins import plugin_folder

DRAWN = 400
"""Genomes that are drawn."""
MEASURED = 100
"""Networks that are built of them, to be measured."""
NAMES = ("parameters", "flops")
SHARES = (0.0, 0.1, 0.5, 0.9, 1.0)
"""The quantiles that are told: least, tenth, median, nine of ten, most."""


@dataclass(frozen=True)
class Survey:
    """What was found.

    Attributes:
        drawn: number of genomes.
        duplicates: how many of them had been drawn before.
        genomes: the genomes that were measured, each once.
        sizes: the size of each; None for a network that cannot be built.
        limits: limits of the config.
        seeds: the sizes of the genomes that the search begins with.
    """

    drawn: int
    duplicates: int
    genomes: Sequence[Genome]
    sizes: Sequence[Size | None]
    limits: Mapping[str, int] = field(default_factory=dict)
    seeds: Sequence[Size | None] = ()

    @property
    def valid(self) -> int:
        """How many of the networks can be built, and are within the limits."""
        return sum(is_within(size, self.limits) for size in self.sizes)

    @property
    def valid_share(self) -> float:
        return self.valid / len(self.sizes)

    @property
    def duplicate_share(self) -> float:
        return self.duplicates / self.drawn

    def spread(self, name: str, is_within_limits: bool = False) -> list[int]:
        """The quantiles `SHARES` of a size; empty if no network has one.

        Args:
            name: `parameters` or `flops`.
            is_within_limits: whether only networks within the limits count.
        """
        sizes = [size for size in self.sizes if size is not None]
        if is_within_limits:
            sizes = [size for size in sizes if is_within(size, self.limits)]
        if not sizes:
            return []
        numbers = [size[name] for size in sizes]
        return [int(one) for one in np.quantile(numbers, SHARES)]

    def by_work(self) -> list[Genome]:
        """The valid genomes, the one with the fewest operations first."""
        valid = []
        for place, size in enumerate(self.sizes):
            if size is not None and is_within(size, self.limits):
                valid.append((size["flops"], place))
        return [self.genomes[place] for _, place in sorted(valid)]


def survey(loaded: LoadedConfig, interface: Interface, measured: int = MEASURED) -> Survey:
    """Draw genomes of a config's space, and measure some of the networks.

    Args:
        interface: the two ends of the networks.
        measured: number of networks that are measured.
    """
    config = loaded.config
    # Not the numbers of the run: a plan is no part of it.
    rng = np.random.default_rng(0)
    first: dict[str, Genome] = {}
    for _ in range(DRAWN):
        genome = sample(loaded.space, rng)
        first.setdefault(genome.digest, genome)
    genomes = list(first.values())[:measured]
    folder = plugin_folder(config, loaded.file)
    # One process for all of them: it takes seconds to begin.
    every = [*genomes, *loaded.seeds.values()]
    sizes = sizes_of(loaded.space, interface, every, config.plugins, folder)
    return Survey(
        drawn=DRAWN,
        duplicates=DRAWN - len(first),
        genomes=genomes,
        sizes=sizes[: len(genomes)],
        limits=config.limits.of_size(),
        seeds=sizes[len(genomes) :],
    )
