"""`evonas space`: what a search space holds, and what comes out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import JsonOption, whole_number
from evonas.words import counted

if TYPE_CHECKING:
    from rich.console import Console

    from evonas.genome import Genome, SearchSpace, Section
    from evonas.learning.interface import Interface

NAME = "space"
CLASSES = 10
EXACT = 1_000_000
"""A space of fewer genomes tells their number."""


def command(
    space: Annotated[
        str,
        typer.Argument(
            metavar="SPACE", help="A space's path, or the name of a shipped one, such as `convnet`."
        ),
    ],
    samples: Annotated[
        int,
        typer.Option(
            "--samples",
            metavar="N",
            parser=whole_number("--samples", 0, 100),
            help="Draw networks, and show their genes.",
        ),
    ] = 0,
    samplers: Annotated[
        bool,
        typer.Option(
            "--samplers",
            help="Tell how evenly each sampler would fill the space with as many points.",
        ),
    ] = False,
    layers: Annotated[
        bool,
        typer.Option(
            "--layers",
            help="Build the drawn networks with Keras, and list their layers and sizes.",
        ),
    ] = False,
    seed: Annotated[
        int,
        typer.Option("--seed", metavar="N", parser=whole_number("--seed", 0), help="Of the draws."),
    ] = 0,
    shape: Annotated[
        str,
        typer.Option(
            "--shape",
            metavar="8,8",
            help="Of one sample of the data that the networks are built for; implies --layers.",
        ),
    ] = "",
    plugins: Annotated[
        list[str] | None,
        typer.Option(
            "--plugin", metavar="MODULE", help="A module with ops of your own. Repeatable."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show a search space: its sections, what is decided in them, how many decisions and genomes
    there are.

    With `--samples`, networks are drawn from it, and their genes are shown. With `--samplers`, too,
    it is told how evenly each sampler would fill the space. With `--layers` the networks are built
    too (by Keras, which takes some seconds to import), and their layers and sizes are listed.
    Nothing is trained. Values of a float are not counted among the genomes.
    """
    from evonas.errors import UserError
    from evonas.genome import library, load_space

    if samplers and not samples:
        raise UserError("--samplers compares as many points as there are samples: add --samples N.")
    file = library.find("spaces", space)
    found = load_space(file)
    _check(found, str(file), plugins or ())
    genomes = _draws(found, samples, seed)
    # Without an input, a table or a function judges the genomes: they are no networks.
    is_built = found.input is not None and (layers or bool(shape))
    if is_built:
        drawn = _networks(found, genomes, str(file), shape, plugins or ())
    else:
        drawn = [_plain(genome) for genome in genomes]
    even = evenness(found, samples, seed) if samplers else {}
    if as_json:
        _print_as_json(found, drawn, even)
    else:
        _print(found, drawn, is_built)
        _print_evenness(even, samples)


def _check(space: SearchSpace, file: str, plugins: Sequence[str]) -> None:
    """Check that the networks of a space can be built; nothing is built.

    Raises:
        InvalidSpace: ops or plugins are wrong.
    """
    from evonas.errors import InvalidSpace
    from evonas.model.space_check import check_space

    if space.input is None:
        return
    problems = check_space(space, plugins, file)
    if problems:
        raise InvalidSpace(problems)


def _networks(
    space: SearchSpace, genomes: Sequence[Genome], file: str, shape: str, plugins: Sequence[str]
) -> list[dict[str, Any]]:
    """Genomes as networks, in plain values.

    Raises:
        UserError: this is no shape for the space's input.
    """
    from pathlib import Path

    from evonas.evaluate.contract.importing import add_folder

    assert space.input is not None
    interface = _interface(space.input, shape)
    if plugins:
        add_folder(str(Path(file).absolute().parent))
    if genomes:
        _start_keras()
    return [_built(space, genome, interface, plugins) for genome in genomes]


def _start_keras() -> None:
    """Import Keras, without what TensorFlow logs at its start."""
    import os

    from evonas.cli.quiet import startup_log_aside

    # Nothing is trained, so no GPU is taken from anybody.
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with startup_log_aside():
        from evonas.evaluate.training.keras_jobs import about

        # Opens the devices, which logs as well.
        about()


def _print_as_json(
    space: SearchSpace, drawn: Sequence[Mapping[str, Any]], even: Mapping[str, Any]
) -> None:
    from evonas.cli.console import print_json

    plain = describe(space)
    plain["samples"] = drawn
    if even:
        plain["samplers"] = even
    print_json(plain)


def describe(space: SearchSpace) -> dict[str, Any]:
    """A space as plain values."""
    from math import log10

    from evonas.genome.census import census

    # As a logarithm: the number itself has hundreds of digits in a large space.
    size = round(log10(census(space)), 2)
    sections = [_section(space, section) for section in space.sections.values()]
    return {
        "space": space.name,
        "about": space.about,
        "input": space.input,
        "dimension": space.dimension,
        "log10_genomes": size,
        "sections": sections,
    }


def _section(space: SearchSpace, section: Section) -> dict[str, Any]:
    """A section as plain values: its wiring in words, its decisions, its ops."""
    wiring = str(section.wiring)
    if section.wiring == "skip" and section.merge is not None:
        merges = " or ".join(map(str, section.merge.values))
        wiring += f", up to {section.max_skips} a gene, merge {merges}"
    elif section.wiring == "dag":
        wiring += f", {counted(section.inputs, 'input')} a gene"
    decisions = sum(name == section.name for name, _, _ in space.coordinates)
    ops = {}
    for name in section.ops:
        ops[name] = _arguments(section, name)
    return {
        "section": section.name,
        "group": section.group,
        "genes": [section.low, section.high],
        "wiring": wiring,
        "decisions": decisions,
        "ops": ops,
    }


def _arguments(section: Section, name: str) -> dict[str, str]:
    """Every argument of an op, and where its value comes from, in words."""
    from evonas.genome.parameters import Number, value_text

    op = section.ops[name]
    found = {}
    for key, parameter in op.parameters.items():
        found[key] = parameter.describe()
        if isinstance(parameter, Number) and parameter.log:
            found[key] += ", log"
        if parameter.likely:
            found[key] += f"; {parameter.likely}"
    for key, value in op.constants.items():
        found[key] = f"always {value_text(value)}"
    for key, source in op.shared.items():
        found[key] = f"the same as {'.'.join(source)}"
    return found


def _draws(space: SearchSpace, count: int, seed: int) -> list[Genome]:
    """The genomes that random search with this seed would propose first."""
    from evonas.genome import sample
    from evonas.randomness import generator

    drawn = []
    for number in range(count):
        rng = generator(seed, "sample", number)
        drawn.append(sample(space, rng))
    return drawn


def evenness(space: SearchSpace, count: int, seed: int) -> dict[str, dict[str, Any]]:
    """How evenly each sampler fills the space with this number of points.

    Returns:
        For each sampler its `discrepancy`, `relative` to the mean of independent points; or the
        `problem`, why it cannot fill this space.
    """
    from evonas.search.sampling import SAMPLERS
    from evonas.search.sampling.discrepancy import discrepancy, expected

    found: dict[str, dict[str, Any]] = {}
    for name, kind in SAMPLERS.items():
        sampler = kind()
        problem = sampler.problem(space.dimension)
        value = None
        share = None
        if not problem:
            value = discrepancy(sampler, space.dimension, count, seed)
            share = value / expected(space.dimension, count)
        found[name] = {
            "discrepancy": value,
            "relative": share,
            "problem": problem,
        }
    return found


def _plain(genome: Genome) -> dict[str, Any]:
    """A genome as plain values: per section its genes."""
    from json import loads

    sections = loads(genome.canonical())
    return {"digest": genome.digest, "sections": sections}


def _interface(name: str, shape: str) -> Interface:
    """Data of the given shape, or of a small one.

    Raises:
        UserError: this is no shape for the space's input.
    """
    from evonas.errors import UserError
    from evonas.learning.input_kinds import INPUT_KINDS
    from evonas.learning.input_spec import InputSpec
    from evonas.learning.interface import Interface

    kind = INPUT_KINDS[name]
    example = ",".join(map(str, kind.example))
    sizes = (shape or example).split(",")
    are_sizes = all(size.strip().isdecimal() and int(size) > 0 for size in sizes)
    if not are_sizes or len(sizes) not in kind.axes:
        allowed = " or ".join(map(str, kind.axes))
        raise UserError(
            f"--shape must be {allowed} sizes above 0, such as {example}. Received: {shape!r}."
        )
    numbers = tuple(int(size) for size in sizes)
    columns = kind.columns(numbers)
    # Nothing is trained: any classes will do, and the data count as normalized already.
    given = InputSpec.normalized(name, numbers, (0.0,) * columns, (1.0,) * columns)
    if kind.example_fitted:
        if len(kind.example_fitted.get("columns", numbers)) != numbers[0]:
            raise UserError(f"--shape must be {example} for an example of a {name}.")
        given = InputSpec(name, numbers, kind.example_fitted)
    return Interface(given, "classification", tuple(range(CLASSES)))


def _built(
    space: SearchSpace, genome: Genome, interface: Interface, plugins: Sequence[str]
) -> dict[str, Any]:
    """A network as plain values: imports Keras, on purpose."""
    from evonas.model.assembly import build_model
    from evonas.model.size import measure
    from evonas.model.table import layer_table

    model = build_model(space, genome, interface, plugins)
    size = measure(model)
    settings = {}
    for section in space.group("settings"):
        chosen = {}
        for gene in genome[section.name]:
            chosen[gene.op] = space.arguments(genome, section.name, gene)
        settings[section.name] = chosen
    return {
        "digest": genome.digest,
        "parameters": size.parameters,
        "flops": size.flops,
        "settings": settings,
        "layers": layer_table(model),
    }


def _print(space: SearchSpace, drawn: Sequence[Mapping[str, Any]], is_built: bool) -> None:
    """The space in words, then what was drawn from it.

    Args:
        is_built: whether networks were drawn and built, and not genomes alone.
    """
    from evonas.cli.console import console, say

    facts = describe(space)
    out = console()
    kind = "without networks"
    if space.input:
        kind = f"for inputs of kind {space.input}"
    say(out, "Space ", (space.name, "bold"), f" {kind}. {space.about}")
    decisions = counted(space.dimension, "decision")
    say(out, f"{decisions}, {_size(space)}.")
    for section in facts["sections"]:
        _print_section(section, out)
    for one in drawn:
        out.print()
        if is_built:
            _print_network(one, out)
        else:
            _print_genome(one, out)


def _size(space: SearchSpace) -> str:
    """How many genomes a space has; of many only the power of ten."""
    from math import log10

    from evonas.genome.census import census

    count = census(space)
    words = f"about 10^{log10(count):.0f} genomes"
    if count < EXACT:
        words = counted(count, "genome")
    if _has_floats(space):
        words += ", values of floats not counted"
    return words


def _has_floats(space: SearchSpace) -> bool:
    """Whether an op has a parameter with endlessly many values."""
    from evonas.genome.parameters import Number

    for section in space.sections.values():
        for op in section.ops.values():
            for parameter in op.parameters.values():
                if isinstance(parameter, Number) and not parameter.integer:
                    return True
    return False


def _print_section(section: Mapping[str, Any], out: Console) -> None:
    """What is decided in a section, then its ops with their arguments."""
    from evonas.cli.console import say

    low, high = section["genes"]
    genes = str(low)
    if low != high:
        genes += f" to {high}"
    noun = "genes" if high > 1 else "gene"
    facets = [
        section["group"],
        f"{genes} {noun}",
        section["wiring"],
        counted(section["decisions"], "decision"),
    ]
    out.print()
    say(out, (section["section"], "bold"), f": {'; '.join(facets)}")
    for op, arguments in section["ops"].items():
        say(out, f"  {op}")
        for name, allowed in arguments.items():
            say(out, f"    {name}: {allowed}")


def _print_genome(genome: Mapping[str, Any], out: Console) -> None:
    """A genome: its genes in words."""
    from evonas.cli.console import say
    from evonas.cli.search import genes_in_words

    say(out, f"Genome {genome['digest']}")
    for section, genes in genome["sections"].items():
        say(out, f"  {section}: {genes_in_words(genes)}")


def _print_network(network: Mapping[str, Any], out: Console) -> None:
    """The layers of a network as a table, then its settings."""
    from evonas.cli.console import number, say
    from evonas.cli.search import in_words, print_layers

    parameters = number(network["parameters"])
    flops = number(network["flops"])
    words = f"{parameters} parameters, {flops} FLOPs a sample"
    print_layers(network["layers"], f"Network {network['digest']}: {words}", out)
    for name, chosen in network["settings"].items():
        for op, arguments in chosen.items():
            told = in_words(arguments)
            # Many sections of settings have one op, with the name of the section.
            if told and op != name:
                told = f"({told})"
            say(out, f"{name}: {op} {told}")


def _print_evenness(even: Mapping[str, Mapping[str, Any]], count: int) -> None:
    """How evenly each sampler would fill the space."""
    from evonas.cli.console import console, number, say

    if not even:
        return
    out = console()
    means = "100 % is the mean of independent points, less is more even"
    first = "first point" if count == 1 else f"first {count} points"
    out.print()
    say(out, f"Samplers by the centered discrepancy of their {first} ({means}):")
    for name, known in even.items():
        told = known["problem"]
        if not told:
            percent = 100 * known["relative"]
            told = f"{percent:.3g} % (discrepancy {number(known['discrepancy'])})"
        say(out, f"  {name}: {told}")


__all__ = ["NAME", "command", "describe", "evenness"]
