"""`evonas space`: what a search space holds, and what comes out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import JsonOption

if TYPE_CHECKING:
    from evonas.genome import Genome, SearchSpace, Section
    from evonas.learning.interface import InputKind, Interface

NAME = "space"
SHAPES = {"image": "8,8", "sequence": "8,8", "vector": "10"}
CLASSES = 10


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
            min=0,
            max=100,
            help="Draw networks, list their layers, and compare the samplers.",
        ),
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the draws.")] = 0,
    shape: Annotated[
        str,
        typer.Option(
            "--shape",
            metavar="8,8",
            help="Of one sample of the data that the networks are drawn for.",
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
    """Show a search space: its sections, what is decided in them, how many decisions and genomes there are.

    With `--samples`, networks are drawn from it and built (with Keras, which takes some seconds to import), and their
    layers are listed. Then it is told how evenly each sampler would fill the space with as many points. Nothing is
    trained. Values of a float are not counted among the genomes.
    """
    from evonas.cli.console import print_json
    from evonas.errors import InvalidSpace
    from evonas.genome import library, load_space
    from evonas.model.space_check import check_space

    file = library.find("spaces", space)
    found = load_space(file)
    if found.input is None:  # no networks: a table or a function judges its genomes
        drawn = [_plain(genome) for genome in _draws(found, samples, seed)]
    else:
        problems = check_space(found, plugins or (), str(file))
        if problems:
            raise InvalidSpace(problems)
        interface = _interface(found, found.input, shape)
        drawn = [
            _built(found, genome, interface, plugins or ())
            for genome in _draws(found, samples, seed)
        ]
    even = evenness(found, samples, seed) if samples else {}
    if as_json:
        print_json({**describe(found), "samples": drawn, **({"samplers": even} if samples else {})})
    else:
        _print(found, drawn)
        _print_evenness(even, samples)


def describe(space: SearchSpace) -> dict[str, Any]:
    """A space as plain values."""
    from math import log10

    from evonas.genome.census import census

    sections = [_section(space, section) for section in space.sections.values()]
    about = {
        "space": space.name,
        "about": space.about,
        "input": space.input,
        "dimension": space.dimension,
    }
    return {**about, "log10_genomes": round(log10(census(space)), 2), "sections": sections}


def _section(space: SearchSpace, section: Section) -> dict[str, Any]:
    wiring = section.wiring
    if wiring == "skip" and section.merge is not None:
        wiring += f", up to {section.max_skips} a gene, merge {' or '.join(map(str, section.merge.values))}"
    elif wiring == "dag":
        wiring += f", {section.inputs} inputs a gene"
    return {
        "section": section.name,
        "group": section.group,
        "genes": [section.low, section.high],
        "wiring": wiring,
        "decisions": sum(name == section.name for name, _, _ in space.coordinates),
        "ops": {op.name: _arguments(space, section, op.name) for op in section.ops.values()},
    }


def _arguments(space: SearchSpace, section: Section, name: str) -> dict[str, str]:
    """Every argument of an op, and where its value comes from, in words."""
    from evonas.genome.parameters import value_text

    op = section.ops[name]
    found = {key: parameter.describe() for key, parameter in op.parameters.items()}
    found |= {key: f"always {value_text(value)}" for key, value in op.constants.items()}
    return found | {key: f"the same as {'.'.join(source)}" for key, source in op.shared.items()}


def _draws(space: SearchSpace, count: int, seed: int) -> list[Genome]:
    """The genomes that random search with this seed would propose first."""
    from evonas.genome import sample
    from evonas.randomness import generator

    return [sample(space, generator(seed, "sample", number)) for number in range(count)]


def evenness(space: SearchSpace, count: int, seed: int) -> dict[str, dict[str, Any]]:
    """How evenly each sampler fills the space with so many points: its discrepancy, also relative to what independent
    points have on average; or why it cannot."""
    from evonas.search.sampling import SAMPLERS
    from evonas.search.sampling.discrepancy import discrepancy, expected

    found: dict[str, dict[str, Any]] = {}
    for name, kind in SAMPLERS.items():
        problem = kind().problem(space.dimension)
        value = None if problem else discrepancy(kind(), space.dimension, count, seed)
        share = None if value is None else value / expected(space.dimension, count)
        found[name] = {"discrepancy": value, "relative": share, "problem": problem}
    return found


def _plain(genome: Genome) -> dict[str, Any]:
    """A genome that is no network, as plain values: per section its genes."""
    from json import loads

    return {"digest": genome.digest, "sections": loads(genome.canonical())}


def _interface(space: SearchSpace, kind: InputKind, shape: str) -> Interface:
    """Data of the given shape, or of a small one.

    Raises:
        UserError: this is no shape for the space's input.
    """
    from evonas.errors import UserError
    from evonas.learning.interface import Interface

    sizes = (shape or SHAPES[kind]).split(",")
    axes = {"image": (2, 3), "sequence": (1, 2), "vector": (1,)}[kind]
    if (
        not all(size.strip().isdecimal() and int(size) > 0 for size in sizes)
        or len(sizes) not in axes
    ):
        allowed = " or ".join(map(str, axes))
        raise UserError(
            f"--shape must be {allowed} sizes above 0, such as {SHAPES[kind]}. Received: {shape!r}."
        )
    numbers = tuple(map(int, sizes))
    channels = numbers[-1] if len(numbers) == max(axes) else 1
    classes = tuple(range(CLASSES))
    return Interface(kind, numbers, "classification", classes, (0.0,) * channels, (1.0,) * channels)


def _built(
    space: SearchSpace, genome: Genome, interface: Interface, plugins: list[str] | tuple[()]
) -> dict[str, Any]:
    """A network as plain values: imports Keras, on purpose."""
    from evonas.model.assembly import build_model
    from evonas.model.size import measure
    from evonas.model.table import layer_table

    model = build_model(space, genome, interface, plugins)
    size = measure(model)
    settings = {
        section.name: {gene.op: space.arguments(genome, section.name, gene)}
        for section in space.group("settings")
        for gene in genome[section.name]
    }
    sizes = {"parameters": size.parameters, "flops": size.flops}
    return {"digest": genome.digest, **sizes, "settings": settings, "layers": layer_table(model)}


def _print(space: SearchSpace, drawn: list[dict[str, Any]]) -> None:
    from rich.text import Text

    from evonas.cli.console import console, number
    from evonas.cli.search import in_words, layer_table

    facts, out = describe(space), console()
    kind = f"for inputs of kind {space.input}" if space.input else "without networks"
    out.print(f"Space [bold]{space.name}[/] {kind}. {space.about}", soft_wrap=True)
    size = f"about 10^{facts['log10_genomes']:.0f} genomes, values of floats not counted"
    out.print(f"{space.dimension} decisions, {size}.")
    for section in facts["sections"]:
        low, high = section["genes"]
        genes = f"{low if low == high else f'{low} to {high}'} gene{'s' if high > 1 else ''}"
        facets = (section["group"], genes, section["wiring"], f"{section['decisions']} decisions")
        out.print(f"\n[bold]{section['section']}[/]: {'; '.join(facets)}")
        for op, arguments in section["ops"].items():
            out.print(f"  {op}")
            for name, allowed in arguments.items():
                out.print(Text(f"    {name}: {allowed}"), soft_wrap=True)
    for network in drawn:
        out.print()
        if space.input is None:
            out.print(f"Genome {network['digest']}")
            for section, genes in network["sections"].items():
                told = [f"{op} {in_words(settings)}".strip() for op, settings, *_ in genes]
                out.print(f"  {section}: {'; '.join(told)}", soft_wrap=True)
            continue
        words = (
            f"{number(network['parameters'])} parameters, {number(network['flops'])} FLOPs a sample"
        )
        out.print(layer_table(network["layers"], f"Network {network['digest']}: {words}"))
        for name, chosen in network["settings"].items():
            for op, arguments in chosen.items():
                listed = ", ".join(f"{key} {value}" for key, value in arguments.items())
                out.print(
                    f"{name}: {op}" + (f" ({listed})" if listed and op != name else f" {listed}"),
                    soft_wrap=True,
                )


def _print_evenness(even: dict[str, dict[str, Any]], count: int) -> None:
    from evonas.cli.console import console

    out = console()
    if even:
        means = "100 % is the mean of independent points, less is more even"
        out.print(
            f"\nSamplers by the centered discrepancy of their first {count} points ({means}):",
            soft_wrap=True,
        )
    for name, known in even.items():
        told = known["problem"] or f"{100 * known['relative']:.3g} % ({known['discrepancy']:.4g})"
        out.print(f"  {name}: {told}", soft_wrap=True)


__all__ = ["NAME", "command", "describe", "evenness"]
