"""How a genome is trained: its optimizer, its learning rate, its batches, in plain values."""

from __future__ import annotations

from typing import Any

from evonas.genome import Genome, SearchSpace

AUGMENTATION = "augmentation"
"""The settings section whose genes change the training images."""


def training_settings(space: SearchSpace, genome: Genome) -> dict[str, Any]:
    """What the sections `optimizer` and `training` of a genome say, constants of the space too.

    Returns:
        Plain JSON: `optimizer` (its `name`, then its arguments, `schedule` always among them; None
        if the space has no optimizer), and the arguments of the section `training`, such as
        `batch_size`. If the space has a section `augmentation`, also its layers in their order,
        each with its `name` and its arguments.
    """
    optimizer: dict[str, Any] | None = None
    op, arguments = _arguments(space, genome, "optimizer")
    if op:
        optimizer = {"name": op, **arguments}
        optimizer.setdefault("schedule", "constant")
    _, training = _arguments(space, genome, "training")
    found = {"optimizer": optimizer, **training}
    if _is_setting(space, AUGMENTATION):
        found[AUGMENTATION] = []
        for gene in genome.part(AUGMENTATION):
            arguments = space.arguments(genome, AUGMENTATION, gene)
            found[AUGMENTATION].append({"name": gene.op, **arguments})
    return found


def learning_rate(space: SearchSpace, genome: Genome) -> float | None:
    """The rate at the start of a training; None if the genome has none."""
    _, arguments = _arguments(space, genome, "optimizer")
    rate = arguments.get("learning_rate")
    # A space that an evaluator judges may give this name to something else.
    if isinstance(rate, bool) or not isinstance(rate, int | float):
        return None
    return float(rate)


def most_epochs(space: SearchSpace, genome: Genome, asked: int) -> int:
    """The most epochs that a training has: what was asked for, or the gene `epochs` if less."""
    _, arguments = _arguments(space, genome, "training")
    wish = arguments.get("epochs", asked)
    return min(int(wish), asked)


def _arguments(space: SearchSpace, genome: Genome, section: str) -> tuple[str, dict[str, Any]]:
    """The op of a settings section and its arguments; empty if the space has no such section."""
    if not _is_setting(space, section):
        return "", {}
    genes = genome.part(section)
    if not genes:
        return "", {}
    # These sections have one gene.
    gene = genes[0]
    return gene.op, dict(space.arguments(genome, section, gene))


def _is_setting(space: SearchSpace, section: str) -> bool:
    return section in space.sections and space.sections[section].group == "settings"
