"""Whether each op of a space works: in a small network that is built, trained, saved and loaded.

A misspelt word inside an op, a layer that cannot be loaded or an op that gives no tensor is then
found before any training. All of it happens in a process of its own. What was found good is
remembered, so that it costs once. The same process measures random networks for `limit_check`.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from evonas.evaluate.contract.importing import add_folder
from evonas.evaluate.local import limit_check
from evonas.evaluate.local.aside import answer, ask_aside
from evonas.evaluate.local.known_good import is_known_good, remember_good, remembered
from evonas.evaluate.local.limit_check import Measured
from evonas.genome import Genome, SearchSpace, parse_space
from evonas.genome.small import small_genome
from evonas.genome.strict_yaml import short
from evonas.learning.interface import Interface

TIME_LIMIT = 900.0
"""Seconds that all networks may take."""
MOST_SAID = 300
"""Characters of what an error says that stand in a sentence."""
MORE_DRAWS = 3
"""Random genomes that are tried if the small ones fail."""

Place = tuple[str, str]
"""A section and an op."""


@dataclass(frozen=True)
class _Network:
    """Ops that are tried in one network.

    Attributes:
        places: the ops.
        genomes: genomes with these ops. The ops are good if one of the networks works: an op need
            not fit all others.
        digest: what identifies the first network, its ends, the code and the libraries.
    """

    places: tuple[Place, ...]
    genomes: tuple[Genome, ...]
    digest: str


@dataclass(frozen=True)
class Tried:
    """What was found of a space.

    Attributes:
        failing: ops that fail in every small network, each with a sentence.
        measured: how random networks stand against the limits; None if nobody knows.
    """

    failing: Mapping[Place, str]
    measured: Measured | None = None


def try_ops(
    space: SearchSpace,
    interface: Interface,
    plugins: Sequence[str],
    sources: Mapping[str, str],
    folder: str,
    leave_out: Collection[str] = (),
    only_plugins: bool = False,
    limits: Mapping[str, int] | None = None,
    seeds: Sequence[Genome] = (),
) -> Tried:
    """Try each op, and count the networks that are within the limits.

    Args:
        plugins: modules that may be imported for ops.
        sources: what identifies their code.
        folder: folder of the config, in which plugins may lie.
        leave_out: ops that are known to be wrong.
        only_plugins: whether the ops of evonas are left out, too; its own tests try them.
        limits: upper limits on `parameters` and `flops`; without any, nothing is counted. With
            `only_plugins`, only what is remembered is told of them.
        seeds: genomes that the search begins with, besides random ones.
    """
    # Not the mean of the data, nor their labels: they are for the first layer and for the last.
    ends = [interface.input.kind, interface.input.shape, interface.task, interface.outputs]
    known = {"ends": ends, "libraries": libraries(), "sources": dict(sources)}
    plan = []
    for places in _grouped(space, leave_out, only_plugins):
        network = _network(space, places, known)
        # Whatever is tried beside an op that is wrong fails with it, and says nothing of itself.
        genomes = [one for one in network.genomes if not _ops_of(one) & set(leave_out)]
        if genomes:
            plan.append(replace(network, genomes=tuple(genomes)))
    request = {
        "space": space.text,
        "interface": interface.to_json(),
        "plugins": list(plugins),
        "folder": folder,
    }
    count = _Count(space, limits or {}, seeds, known, may_ask=not only_plugins)
    failing: list[tuple[_Network, str]] = []
    for network, words in _tried(plan, request, count):
        if words and len(network.places) == 1:
            failing.append((network, words))
        elif words:
            # Each of its ops is now tried alone, to see which one it was.
            alone = [_network(space, (place,), known) for place in network.places]
            for one, more in _tried(alone, request):
                if more:
                    failing.append((one, more))
    return Tried(_culprits(failing), count.found)


def _culprits(failing: Sequence[tuple[_Network, str]]) -> dict[Place, str]:
    """The ops that fail themselves, each with a sentence.

    A section may have no other op than one that fails. Then every network has it, and all fail in
    the same words.

    Args:
        failing: networks in which one op was tried, each with what is wrong.
    """
    alike: dict[str, list[_Network]] = {}
    for network, words in failing:
        alike.setdefault(words, []).append(network)
    found: dict[Place, str] = {}
    for words, networks in alike.items():
        everywhere = set.intersection(*(_ops_of(one.genomes[0]) for one in networks))
        # Ops of plugins first: those of evonas are tested.
        shared = [one for one in networks if one.places[0][1] in everywhere]
        of_plugins = [one for one in shared if ":" in one.places[0][1]]
        for network in of_plugins or shared or networks:
            place = network.places[0]
            found[place] = f"{place[1]}, tried in a small network, {words}"
    return found


def _ops_of(genome: Genome) -> set[str]:
    """The names of all ops of a genome."""
    return {gene.op for _, genes in genome.sections for gene in genes}


class _Count:
    """How many random networks are within the limits.

    Args:
        may_ask: whether they are measured if nothing is remembered of them.

    Attributes:
        found: what was found; None if it is not known (yet), or if there are no limits.
    """

    def __init__(
        self,
        space: SearchSpace,
        limits: Mapping[str, int],
        seeds: Sequence[Genome],
        known: Mapping[str, Any],
        may_ask: bool,
    ) -> None:
        self._space = space
        self._limits = dict(limits)
        self._seeds = seeds
        self._may_ask = may_ask
        content = {**known, "space": space.text, "limits": self._limits, "drawn": limit_check.DRAWN}
        # Earlier versions have measured the seed genomes only if no drawn network was within.
        content["all_seeds"] = sorted(genome.digest for genome in seeds)
        self._digest = _digest(content)
        self.found = limit_check.from_text(remembered(self._digest)) if limits else None

    def request(self) -> dict[str, Any]:
        """What the process is asked for; empty if nothing is to be counted."""
        if not self._limits or not self._may_ask or self.found is not None:
            return {}
        return limit_check.request(self._space, self._limits, self._seeds)

    def hear(self, sizes: Mapping[str, Any] | None) -> None:
        """Take in, and remember, what the process has measured."""
        if sizes is not None:
            digests = [genome.digest for genome in self._seeds]
            seeds = dict(zip(digests, sizes["seeds"], strict=True))
            self.found = limit_check.count(self._limits, sizes["drawn"], seeds)
            remember_good(self._digest, limit_check.as_text(self.found))


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _grouped(
    space: SearchSpace, leave_out: Collection[str], only_plugins: bool
) -> Iterator[tuple[Place, ...]]:
    """The ops, in groups that are tried together.

    Ops of plugins are tried alone, so that an error has one name. Those of evonas rarely fail: the
    first ones of all sections are tried together, then the second ones, and so on.
    """
    own: list[list[Place]] = []
    for section in space.sections.values():
        ops = [op for op in section.ops if op not in leave_out]
        for op in ops:
            if ":" in op:
                yield ((section.name, op),)
        usual = [(section.name, op) for op in ops if ":" not in op]
        if only_plugins or not usual:
            continue
        if section.group == "cells":
            # Only one gene calls a cell, so that cells cannot be tried beside other ops.
            for place in usual:
                yield (place,)
        else:
            own.append(usual)
    for number in range(max(map(len, own), default=0)):
        yield tuple(places[number % len(places)] for places in own)


def _network(space: SearchSpace, places: tuple[Place, ...], known: Mapping[str, Any]) -> _Network:
    wanted = dict(places)
    genomes = [small_genome(space, wanted, level) for level in (0.0, 0.5, 0.99)]
    rng = np.random.default_rng(0)
    for _ in range(MORE_DRAWS):
        genomes.append(small_genome(space, wanted, rng=rng))
    content = {**known, "network": _content(space, genomes[0])}
    # The code of plugins is no part of a network without them.
    if not any(":" in op for op in _ops_of(genomes[0])):
        del content["sources"]
    return _Network(places, tuple(genomes), _digest(content))


def _content(space: SearchSpace, genome: Genome) -> list[Any]:
    """What decides a network: each op with all of its arguments, constants among them."""
    found: list[Any] = []
    for section in space.sections.values():
        genes = []
        for gene in genome[section.name]:
            arguments = space.arguments(genome, section.name, gene)
            genes.append([gene.op, arguments, list(gene.inputs), gene.parameters.get("merge")])
        found.append([section.group, section.name, section.wiring, genes])
    return found


def libraries() -> dict[str, str]:
    """What a small network works with: versions by name."""
    names = ("evonas", "keras", "tensorflow", "numpy")
    found = {name: metadata.version(name) for name in names}
    return {**found, "python": sys.version}


def _tried(
    plan: Sequence[_Network], request: Mapping[str, Any], count: _Count | None = None
) -> Iterator[tuple[_Network, str]]:
    """Each network that is not known to be good, with what is wrong with it, or an empty text."""
    unknown = [network for network in plan if not is_known_good(network.digest)]
    more = {} if count is None else count.request()
    if not unknown and not more:
        return
    genomes = []
    for network in unknown:
        genomes.append([genome.to_dict() for genome in network.genomes])
    module = "evonas.evaluate.local.op_check"
    found = ask_aside(module, {**request, **more, "networks": genomes}, TIME_LIMIT)
    if isinstance(found.report, dict):
        report = found.report["problems"]
        if count is not None:
            count.hear(found.report["sizes"])
    else:
        ended = f"took more than {TIME_LIMIT:g} s"
        if found.code is not None:
            ended = f"ended the process with exit code {found.code}"
        said = found.said.strip().splitlines()[-1:]
        words = " ".join([f"{ended}.", *(short(line, MOST_SAID) for line in said)])
        report = [words] * len(unknown)
    for network, words in zip(unknown, report, strict=True):
        if not words:
            remember_good(network.digest)
            yield network, ""
            continue
        yield network, words


def _try_all(request: Mapping[str, Any]) -> dict[str, Any]:
    """In the process: what is wrong with each network; empty if one of its genomes works.

    With limits, also the sizes of the drawn networks.
    """
    from evonas.evaluate.local.fork_server import preload

    preload(("tensorflow", "keras"))
    from evonas.evaluate.training.keras_jobs import configure

    configure(1)
    add_folder(request["folder"])
    space = parse_space(request["space"], "the search space")
    interface = Interface.from_json(request["interface"])
    found = []
    for genomes in request["networks"]:
        found.append(_first_problem(space, interface, request["plugins"], genomes))
    sizes = None
    if "limits" in request:
        sizes = {}
        for name in ("drawn", "seeds"):
            sizes[name] = [_size(space, interface, request, data) for data in request[name]]
    return {"problems": found, "sizes": sizes}


def _size(
    space: SearchSpace, interface: Interface, request: Mapping[str, Any], data: Mapping[str, Any]
) -> dict[str, int] | None:
    """The size of a network; None if it cannot be built."""
    from evonas.model.size import measure_unbuilt

    try:
        size = measure_unbuilt(space, Genome.from_dict(data), interface, request["plugins"])
    # A network that cannot be built fails in the search, too; an op may raise anything.
    except BaseException:
        return None
    return {"parameters": size.parameters, "flops": size.flops}


def _first_problem(
    space: SearchSpace,
    interface: Interface,
    plugins: Sequence[str],
    genomes: Sequence[Mapping[str, Any]],
) -> str:
    """What is wrong with the first genome, if all fail; otherwise empty."""
    from evonas.evaluate.training.op_trial import try_network

    problem = ""
    for data in genomes:
        genome = Genome.from_dict(data)
        try:
            with tempfile.TemporaryDirectory() as scratch:
                try_network(space, genome, interface, plugins, Path(scratch))
        # The code is the user's, and may raise anything.
        except BaseException as error:
            problem = problem or _in_words(error, plugins)
        else:
            return ""
    return problem


def _in_words(error: BaseException, plugins: Sequence[str]) -> str:
    """What was raised, why, and where in the user's code."""
    words = f"raised {_told(error)}."
    cause = _cause(error)
    # An error of Keras may be a page of a model's config, and its cause one clear line.
    if cause is not error:
        words += f" The cause is {_told(cause)}."
    files = set()
    for name in plugins:
        module = sys.modules.get(name)
        files.add(getattr(module, "__file__", None))
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename in files:
            return f"{words} It was raised in {frame.filename}, line {frame.lineno}."
    return words


def _cause(error: BaseException) -> BaseException:
    """The first of the errors that have led to this one."""
    seen = {id(error)}
    while (earlier := error.__cause__ or error.__context__) is not None and id(earlier) not in seen:
        error = earlier
        seen.add(id(error))
    return error


def _told(error: BaseException) -> str:
    """The kind and the text of an error, as they can stand within a sentence."""
    try:
        # Keras's errors have many lines.
        text = " ".join(str(error).split())
    except Exception:
        text = "(its text cannot be made)"
    return f"{type(error).__name__}: {short(text, MOST_SAID).rstrip('.')}"


if __name__ == "__main__":
    answer(sys.argv[1:], _try_all)
