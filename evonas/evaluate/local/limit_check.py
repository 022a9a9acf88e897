"""How random networks of a space stand against the limits on their size.

Some networks are drawn as a random search would draw them, and measured in a process of their own.
The driver counts. What it has found is remembered, because it costs some seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from evonas.genome import Genome, SearchSpace, sample
from evonas.words import counted, listed

DRAWN = 40
"""Random networks that are measured against the limits."""

Size = Mapping[str, int]
"""The size of a network by the names of the limits: `parameters` and `flops`."""


@dataclass(frozen=True)
class Measured:
    """What was found of the random networks.

    Attributes:
        limits: upper limits by name; at least one.
        drawn: number of random networks.
        within: how many of them are within all limits.
        unbuilt: how many of them cannot be built.
        beyond: for each limit, how many are beyond it.
        least: for each limit, the smallest size among the networks that can be built.
        seeds: number of seed genomes.
        seeds_within: how many of these are within.
        seeds_beyond: digest of each that is not -> limits that it is beyond, with its sizes; empty
            if it cannot be built.
    """

    limits: dict[str, int]
    drawn: int
    within: int
    unbuilt: int
    beyond: dict[str, int]
    least: dict[str, int]
    seeds: int = 0
    seeds_within: int = 0
    seeds_beyond: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def is_hopeless(self) -> bool:
        """Whether a search would begin with nothing: no network and no seed genome is within."""
        # Of networks that cannot be built, the limits are not the cause.
        is_by_limits = any(self.beyond.values())
        return not self.within and not self.seeds_within and is_by_limits

    @property
    def hardest(self) -> str:
        """The name of the limit that most networks are beyond."""
        return max(self.beyond, key=self.beyond.__getitem__)

    def share(self) -> str:
        """How many networks are within, as a sentence."""
        named = listed([f"{limit:,} {name}" for name, limit in self.limits.items()])
        words = f"{self.within} of {self.drawn} random networks have at most {named}"
        if not self.within and self.seeds:
            words += f", and {self.seeds_within} of {counted(self.seeds, 'seed genome')}"
        return f"{words}."

    def about_founders(self, founders: Mapping[str, str]) -> list[str]:
        """A sentence for each founder that a search will find infeasible.

        Args:
            founders: name -> digest of the genome.
        """
        found = []
        for name, digest in founders.items():
            if digest not in self.seeds_beyond:
                continue
            sizes = self.seeds_beyond[digest]
            causes = [f"{size:,} {limit}" for limit, size in sizes.items()]
            allowed = listed([f"{self.limits[limit]:,}" for limit in sizes])
            why = f"has {listed(causes)}, and at most {allowed} are allowed"
            if not sizes:
                why = "cannot be built for these data"
            found.append(f"the founder {name} {why}. Its trial will be infeasible.")
        return found

    def refusal(self) -> str:
        """What hinders a search that is hopeless, and what helps."""
        causes = []
        for name, count in sorted(self.beyond.items(), key=lambda item: -item[1]):
            if count:
                verb = "has" if count == 1 else "have"
                most = f"{self.limits[name]:,} {name}"
                least = f"the smallest has {self.least[name]:,}"
                causes.append(f"{count} of them {verb} more than {most} ({least})")
        if self.unbuilt:
            causes.append(f"{self.unbuilt} cannot be built")
        nobody = f"none of {self.drawn} random networks is within the limits"
        if self.seeds:
            nobody += f", and none of {counted(self.seeds, 'seed genome')}"
        return (
            f"{nobody}: {listed(causes)}. Raise the limit, make the space smaller, or begin with"
            " genomes that are within: the key `founders` of a strategy, or the strategy `seeded`."
        )


def request(
    space: SearchSpace, limits: Mapping[str, int], seeds: Sequence[Genome]
) -> dict[str, Any]:
    """What the process is asked for, as plain JSON."""
    rng = np.random.default_rng(0)
    drawn = [sample(space, rng).to_dict() for _ in range(DRAWN)]
    return {
        "limits": dict(limits),
        "drawn": drawn,
        "seeds": [genome.to_dict() for genome in seeds],
    }


def is_within(size: Size | None, limits: Mapping[str, int]) -> bool:
    """Whether a network is within the limits; one that cannot be built (None) is not."""
    if size is None:
        return False
    return all(size[name] <= limit for name, limit in limits.items())


def count(
    limits: Mapping[str, int],
    drawn: Sequence[Size | None],
    seeds: Mapping[str, Size | None],
) -> Measured:
    """Count the networks.

    Args:
        drawn: sizes of the random networks; None for one that cannot be built.
        seeds: the same of the seed genomes, by digest.
    """
    built = [size for size in drawn if size is not None]
    beyond = {}
    least = {}
    for name, limit in limits.items():
        sizes = [size[name] for size in built]
        beyond[name] = sum(size > limit for size in sizes)
        least[name] = min(sizes, default=0)
    within = sum(is_within(size, limits) for size in drawn)
    seeds_beyond = {}
    for digest, of_seed in seeds.items():
        if not is_within(of_seed, limits):
            seeds_beyond[digest] = _beyond(of_seed or {}, limits)
    return Measured(
        limits=dict(limits),
        drawn=len(drawn),
        within=within,
        unbuilt=len(drawn) - len(built),
        beyond=beyond,
        least=least,
        seeds=len(seeds),
        seeds_within=len(seeds) - len(seeds_beyond),
        seeds_beyond=seeds_beyond,
    )


def _beyond(size: Size, limits: Mapping[str, int]) -> dict[str, int]:
    """The sizes of a network that are beyond a limit."""
    return {name: size[name] for name in size if size[name] > limits.get(name, size[name])}


def as_text(measured: Measured) -> str:
    """What is remembered of it."""
    return _ADAPTER.dump_json(measured).decode()


def from_text(text: str | None) -> Measured | None:
    """What was remembered; None if it is nothing, or nonsense that anybody may have written."""
    try:
        return _ADAPTER.validate_json(text or "")
    except ValidationError:
        return None


_ADAPTER: TypeAdapter[Measured] = TypeAdapter(Measured)
