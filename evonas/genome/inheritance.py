"""Inheritance: which of two parents a child of both still has something of.

Chance may take everything from one parent, and edits may undo what came from the other. So it is
the genomes that say who is a parent, not the words of the operators.

Genes are aligned by innovation number, as in crossover.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonas.genome.genome import Gene, Genome, Value

Trait = tuple[int, str]
"""The innovation number of a gene, and `op`, `inputs` or the name of a parameter.

The empty name stands for the gene itself, whatever it is.
"""

_Content = tuple[str, tuple[tuple[str, type, Value], ...]]


def givers(first: Genome, second: Genome, crossed: Genome, child: Genome) -> tuple[int, ...]:
    """Which of two parents gave the child something that the other one does not have.

    A parent gives genes, ops, values of parameters, inputs, the order of genes, and the absence of
    genes. What both parents have says nothing about them.

    Args:
        first: the main parent.
        second: its partner.
        crossed: what crossover made of both, before any edit.
        child: the same after all edits.

    Returns:
        0 for the first parent, 1 for the second one; both in this order if both gave something. If
        nothing is left of either, it is the one that the child or the crossed genome equals, or
        else the first.
    """
    gave_first = _is_left(child, crossed, second)
    gave_second = _is_left(child, crossed, first)
    if gave_first and gave_second:
        return (0, 1)
    if gave_first or child == first:
        return (0,)
    if gave_second or crossed == second:
        return (1,)
    # An edit may put back what `repair` had dropped of the second parent's gene.
    if child == second and crossed != first:
        return (1,)
    return (0,)


def _is_left(child: Genome, crossed: Genome, other: Genome) -> bool:
    """Whether the child still has something of the crossed genome that the other one lacks.

    Crossover has two sources. So the crossed genome has from one parent whatever it does not have
    from the other one. That includes what `repair` dropped because a parent's gene did not fit.
    """
    for name in crossed.names:
        comparison = _Comparison(child[name], crossed[name], other[name])
        if comparison.is_left():
            return True
    return False


class _Comparison:
    """One section of the child, of the crossed genome, and of the genome that lacks something."""

    def __init__(
        self, child: Sequence[Gene], crossed: Sequence[Gene], other: Sequence[Gene]
    ) -> None:
        self._child = child
        self._crossed = crossed
        self._other = other

    def is_left(self) -> bool:
        """Whether the child still has something that only the crossed section has."""
        # Numbers may differ where the networks do not.
        if _is_same(self._crossed, self._other) or _is_same(self._child, self._other):
            return False
        return self._has_traits() or self._lacks_genes() or self._has_order() or self._has_moved()

    def _has_traits(self) -> bool:
        """Whether a trait is left that the other section does not have at this gene."""
        before = _traits(self._other)
        now = _traits(self._child)
        for trait, value in _traits(self._crossed).items():
            if before.get(trait) != value and now.get(trait) == value:
                return True
        return False

    def _lacks_genes(self) -> bool:
        """Whether a gene is still absent that the other section has."""
        absent = _numbers(self._other) - _numbers(self._crossed)
        return not absent <= _numbers(self._child)

    def _has_order(self) -> bool:
        """Whether two genes are left that follow each other the other way round elsewhere."""
        before = {gene.innovation: i for i, gene in enumerate(self._other)}
        now = {gene.innovation: i for i, gene in enumerate(self._child)}
        numbers = [gene.innovation for gene in self._crossed]
        common = [number for number in numbers if number in before and number in now]
        for i, number in enumerate(common):
            for follower in common[i + 1 :]:
                if before[number] > before[follower] and now[number] < now[follower]:
                    return True
        return False

    def _has_moved(self) -> bool:
        """Whether the content of a gene is left at another gene, where an edit has put it.

        In a section of fixed length, a swap exchanges contents and not numbers.
        """
        before = _contents(self._other)
        then = _contents(self._crossed)
        found = set()
        for number, content in _contents(self._child).items():
            if content not in (then.get(number), before.get(number)):
                found.add(content)
        for number, content in then.items():
            if content != before.get(number) and content in found:
                return True
        return False


def _is_same(a: Sequence[Gene], b: Sequence[Gene]) -> bool:
    """Whether two sections are the same, whatever the numbers of their genes."""
    one = Genome((("", tuple(a)),))
    return one == Genome((("", tuple(b)),))


def _numbers(genes: Sequence[Gene]) -> set[int]:
    return {gene.innovation for gene in genes}


def _traits(genes: Sequence[Gene]) -> Mapping[Trait, object]:
    """All that a section's genes are, gene by gene."""
    found: dict[Trait, object] = {}
    for gene in genes:
        number = gene.innovation
        found[number, ""] = True
        found[number, "op"] = gene.op
        found[number, "inputs"] = gene.inputs
        for name, value in gene.params:
            # 1, 1.0 and True are equal for Python, and are different values.
            found[number, name] = (type(value), value)
    return found


def _contents(genes: Sequence[Gene]) -> Mapping[int, _Content]:
    """The op and the parameters of each gene, by its number."""
    found = {}
    for gene in genes:
        values = []
        for name, value in gene.params:
            # `merge` stays with the inputs, which no edit moves.
            if name != "merge":
                values.append((name, type(value), value))
        found[gene.innovation] = (gene.op, tuple(values))
    return found
