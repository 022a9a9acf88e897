"""`evonas adopt`: a `keras.Model` of the user's as a genome with which a search begins."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evonas.cli.options import JsonOption
from evonas.files import expanded
from evonas.words import counted

if TYPE_CHECKING:
    from evonas.evaluate.local.adoption import Adopted
    from evonas.genome import Genome, SearchSpace

NAME = "adopt"


def command(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", parser=expanded, help="A `.keras` file.")
    ],
    space: Annotated[
        str | None,
        typer.Option(
            "--space",
            metavar="SPACE",
            help="A space's path, or the name of a shipped one; the shipped one that fits best if"
            " left out.",
        ),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--to",
            metavar="FILE",
            parser=expanded,
            help="Where the genome goes; `MODEL.yaml` in this folder if left out.",
        ),
    ] = None,
    nearest: Annotated[
        bool,
        typer.Option(
            "--nearest",
            help="Take the nearest allowed value for one that the space does not allow, and say"
            " each change.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a model of yours as a genome, so that a search can begin with it: name the file among
    the `founders` of the strategy.

    The model must be a chain of layers that are ops of the space. The file is loaded by Keras in
    safe mode, in a process of its own. Preprocessing and the last layer are left out: evonas makes
    them for the data and the task. Weights are not taken, because every trial begins with fresh
    ones.
    """
    from evonas.cli.console import console, print_json, say
    from evonas.errors import UserError
    from evonas.evaluate.local.adoption import adopt
    from evonas.files import is_file, write_text_whole
    from evonas.genome import Genome
    from evonas.genome.genome_text import genome_text

    if model.suffix != ".keras":
        raise UserError(f"MODEL must be a file of Keras that ends in `.keras`. Received: {model}")
    if not is_file(model):
        what = "is no file" if model.exists() else "does not exist"
        raise UserError(f"the model {model} {what}.")
    target = to or Path(f"{model.stem}.yaml")
    if target.suffix not in (".yaml", ".yml"):
        raise UserError(f"-o must end in .yaml, as every genome's file. Received: {target}")
    if target.exists():
        raise UserError(f"{target} exists already. Name another file by -o.")
    spaces = _spaces(space)
    adopted = adopt(model, spaces, nearest)
    assert adopted.genome is not None
    genome = Genome.from_dict(adopted.genome)
    chosen = next(one for one in spaces.values() if one.name == adopted.space)
    write_text_whole(target, genome_text(chosen, genome, f"Adopted from {model.name}."))
    if as_json:
        print_json({"file": str(target), **_plain(adopted)})
        return
    out = console()
    for words in _told(target, adopted, chosen, genome):
        say(out, words)


def _spaces(named: str | None) -> dict[str, SearchSpace]:
    """The space that is named; or all shipped ones for networks, those for `space: auto` first."""
    from evonas.genome import library, load_space

    if named is not None:
        file = library.find("spaces", named)
        return {str(file): load_space(file)}
    found = {}
    for name in library.names("spaces"):
        found[name] = load_space(library.find("spaces", name))
    # Sorting keeps the alphabetical order among those that are alike.
    ranked = sorted(found.items(), key=lambda item: item[1].suits is None)
    return {name: space for name, space in ranked if space.input is not None}


def _plain(adopted: Adopted) -> dict[str, object]:
    from dataclasses import asdict

    plain = asdict(adopted)
    # There are none: what has problems is not written.
    del plain["problems"]
    return plain


def _told(target: Path, adopted: Adopted, space: SearchSpace, genome: Genome) -> list[str]:
    """What was written, what is not as in the model, and how to go on."""
    from evonas.words import listed

    count = sum(len(genome[section.name]) for section in space.group("network"))
    size = f"{adopted.parameters:,} parameters before the output"
    if adopted.parameters == adopted.model_parameters:
        size += ", as many as the model"
    else:
        size += f"; the model has {adopted.model_parameters:,}"
    lines = [
        f"wrote {target}: a genome of {space.name} with {counted(count, 'layer gene')}, {size}."
    ]
    lines += [f"  changed: {words}" for words in adopted.changes]
    if adopted.skipped:
        lines.append(f"  left out, as evonas prepares the input itself: {listed(adopted.skipped)}")
    lines.append(f"  left to the task: {listed(adopted.head)}")
    lines.append("  not taken: the weights. Every trial begins with fresh ones.")
    lines += [f"  not taken: {words}" for words in adopted.not_taken]
    if adopted.optimizer:
        lines.append(
            f"  optimizer: {adopted.optimizer}, as in the file. The file says no batch size; the"
            " space's usual one is taken."
        )
    else:
        lines.append(
            "  optimizer and batch size: the space's usual ones. The file names none of its"
            " optimizers."
        )
    lines.append(
        f"to begin a search with it: strategy: {{evolution: {{founders: [./{target.name}]}}}}"
    )
    return lines
