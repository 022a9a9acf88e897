"""A plan: what a config would do, before it is run. Nothing of it is recorded."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from evonas.data.prepared import Prepared
from evonas.errors import UserError
from evonas.genome import Genome
from evonas.learning.interface import Interface
from evonas.memory import Memory
from evonas.processors import processors
from evonas.runtime.config.config_file import LoadedConfig
from evonas.runtime.expectation import Expectation, Machine, advice, expected
from evonas.runtime.pools import PoolFactory, open_pool
from evonas.runtime.preparation import prepare_run
from evonas.runtime.probe import Probe, probe
from evonas.runtime.survey import Survey, survey

PLACES = tuple(place / 16 for place in (5, 11, 15, 1, 13, 3, 9, 7, 8, 4, 12, 2, 14, 6, 10, 0))
"""Where the networks that are tried are among all, the smallest first; each half stands for all."""


@dataclass(frozen=True)
class Plan:
    """What was found of a config.

    Attributes:
        prepared: its data.
        survey: its random genomes.
        probe: its probe trainings; None if nothing was trained.
        expected: what the run will take; None if nothing was trained.
        machine: what is free on this machine.
        advice: what to change, a sentence each; empty if all fits.
    """

    prepared: Prepared
    survey: Survey
    probe: Probe | None
    expected: Expectation | None
    machine: Machine
    advice: Sequence[str]


@contextmanager
def laid_out(loaded: LoadedConfig) -> Iterator[tuple[Path, Prepared, float]]:
    """The data of a config in a folder that is deleted afterwards.

    Yields:
        the folder, the data, and the seconds that they have taken.

    Raises:
        UserError: the config has no networks.
        InvalidConfig, InvalidData: as `prepare_run`.
    """
    if not loaded.config.evaluator.has_networks:
        judge = loaded.config.evaluator.in_words
        raise UserError(f"a plan is for trainings by Keras. Here, {judge} judges the genomes.")
    with tempfile.TemporaryDirectory(prefix="evonas-plan-") as scratch:
        began = time.monotonic()
        prepared = prepare_run(loaded, Path(scratch)).prepared
        yield Path(scratch), prepared, time.monotonic() - began


def make_plan(
    loaded: LoadedConfig,
    runs: Path,
    with_trainings: bool = True,
    pool_factory: PoolFactory = open_pool,
) -> Plan:
    """Look at random genomes of a config, train a few of them, and say what the run will take.

    Args:
        runs: folder of runs, whose disk is looked at.
        with_trainings: whether networks are trained.

    Raises:
        as `laid_out`, and NoWorker; UserError: no probe training has succeeded.
    """
    with laid_out(loaded) as (root, prepared, seconds):
        interface = ends_of(prepared)
        machine = free(runs)
        seen = survey(loaded, interface)
        probed = None
        found = None
        if with_trainings:
            probed = probe_some(loaded, root, interface, seen, seconds, pool_factory)
        if probed is not None:
            found = expected(loaded.config, probed)
    told = advice(loaded.config, seen, probed, found, machine)
    return Plan(prepared, seen, probed, found, machine, told)


def ends_of(prepared: Prepared) -> Interface:
    """The two ends of the networks for these data."""
    assert prepared.interface is not None, "networks have two ends"
    return prepared.interface


def probe_some(
    loaded: LoadedConfig,
    root: Path,
    interface: Interface,
    seen: Survey,
    before: float,
    pool_factory: PoolFactory,
) -> Probe | None:
    """Train some of the networks of a survey; arguments and errors as for `probe`.

    Returns:
        None if none of the networks can be trained.
    """
    genomes = to_probe(seen, list(loaded.seeds.values()))
    if not genomes:
        return None
    smallest = (*seen.by_work(), *genomes)[0]
    return probe(loaded, root, interface, genomes, smallest, before, pool_factory)


def to_probe(seen: Survey, seeds: Sequence[Genome]) -> list[Genome]:
    """Genomes that stand for those of a search: small, middling and large ones.

    One of them is a founder, if there are any: a search begins with these. The first three stand
    for all, if there is no time for more.
    """
    valid = seen.by_work()
    chosen = [valid[int(place * len(valid))] for place in PLACES if valid]
    return [*seeds[:1], *chosen]


def free(folder: Path) -> Machine:
    """What this machine has free.

    Args:
        folder: where runs are made; it need not exist.
    """
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    return Machine(Memory().free().bytes, shutil.disk_usage(there).free, processors())
