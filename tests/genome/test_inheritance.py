"""Who gave a child what: no parent without an inheritance, and no inheritance without a parent.

The check is independent of the code that it checks. It lists plain facts of a genome, and looks for
one in which the child agrees with one parent and the other parent differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evonas.genome import Gene, Genome, SearchSpace, cross, mutate
from evonas.genome.crossover import Kind, uniform
from evonas.genome.inheritance import givers
from evonas.search.crossover.one_point import one_point
from evonas.search.crossover.sections import sections

Bred = Callable[[SearchSpace, int], Genome]
KINDS = pytest.mark.parametrize("kind", [uniform, one_point, sections])
SEEDS = st.tuples(st.integers(0, 2**32), st.integers(0, 2**32), st.integers(0, 2**32))


def facts(genome: Genome) -> set[tuple[object, ...]]:
    """All that can be said of a genome, gene by gene; numbers stand for genes."""
    found: set[tuple[object, ...]] = set()
    for name, genes in genome.sections:
        before = [0]
        for gene in genes:
            here = (name, gene.innovation)
            found.add((*here, "op", gene.op))
            for parameter, value in gene.params:
                found.add((*here, parameter, repr(value)))
            for source in set(gene.inputs):
                for times in range(gene.inputs.count(source)):
                    found.add((*here, "takes", source, times))
            for other in before:
                found.add((*here, "comes after", other))
            before.append(gene.innovation)
    return found


def gave(parent: Genome, other: Genome, child: Genome) -> bool:
    """Whether the child agrees with the parent where the other one differs.

    The facts that are true of the parent alone count, and those that are true of the other alone.
    """
    ours, theirs, childs = facts(parent), facts(other), facts(child)
    has_something = (ours & childs) - theirs
    lacks_something = theirs - ours - childs
    return bool(has_something or lacks_something)


def moved(parent: Genome, other: Genome, child: Genome) -> bool:
    """Whether a gene of the parent alone, op and parameters, is at another place of the child.

    The other parent has neither of the two genes there.
    """

    def contents(genome: Genome, name: str) -> dict[int, tuple[str, str]]:
        listed = {}
        for gene in genome[name]:
            values = [pair for pair in gene.params if pair[0] != "merge"]
            listed[gene.innovation] = (gene.op, repr(values))
        return listed

    for name in child.names:
        ours, theirs, childs = (contents(genome, name) for genome in (parent, other, child))
        for source, content in ours.items():
            for place, found in childs.items():
                if found == content and content not in (theirs.get(source), theirs.get(place)):
                    return True
    return False


def family(
    space: SearchSpace, bred: Bred, kind: Kind, seeds: tuple[int, int, int], edits: int
) -> tuple[Genome, Genome, Genome, Genome]:
    """Two parents, what crossover makes of them, and the child after some edits."""
    rng = np.random.default_rng(seeds)
    first = bred(space, seeds[0])
    second = bred(space, seeds[1])
    # Half of the parents are relatives, as in a run: most of their genes are the same.
    if seeds[2] % 2:
        second = first
        for _ in range(seeds[2] % 5 + 1):
            second, _ = mutate(space, second, rng)
    crossed = cross(space, first, second, rng, kind)
    child = crossed
    for _ in range(edits):
        child, _ = mutate(space, child, rng)
    return first, second, crossed, child


@KINDS
@settings(max_examples=12)
@given(seeds=SEEDS)
def test_a_crossed_genome_that_differs_from_a_parent_has_the_other_one(
    space: SearchSpace, bred: Bred, kind: Kind, seeds: tuple[int, int, int]
) -> None:
    first, second, crossed, _ = family(space, bred, kind, seeds, 0)
    found = givers(first, second, crossed, crossed)
    if crossed == first:
        assert found == (0,)
    elif crossed == second:
        assert found == (1,)
    else:
        assert found == (0, 1)


@KINDS
@settings(max_examples=12)
@given(seeds=SEEDS, edits=st.integers(0, 4))
def test_nobody_is_a_parent_without_an_inheritance(
    space: SearchSpace, bred: Bred, kind: Kind, seeds: tuple[int, int, int], edits: int
) -> None:
    first, second, crossed, child = family(space, bred, kind, seeds, edits)
    found = givers(first, second, crossed, child)
    for place, (parent, other) in enumerate(((first, second), (second, first))):
        if found != (place,) and place in found:
            assert gave(parent, other, child) or moved(parent, other, child)


@KINDS
@settings(max_examples=12)
@given(seeds=SEEDS, edits=st.integers(0, 4))
def test_whoever_is_left_out_gave_nothing_that_is_left(
    space: SearchSpace, bred: Bred, kind: Kind, seeds: tuple[int, int, int], edits: int
) -> None:
    """No op and no value that crossover took from that parent alone is in the child."""
    first, second, crossed, child = family(space, bred, kind, seeds, edits)
    found = givers(first, second, crossed, child)
    # If nothing is left of either, one of them is named all the same.
    if found == (0, 1) or not gave((first, second)[found[0]], (second, first)[found[0]], child):
        return
    other = (first, second)[found[0]]
    left_out = (second, first)[found[0]]
    for name in child.names:
        ours, mixed, known, childs = (
            Genome(((name, genome[name]),)) for genome in (left_out, crossed, other, child)
        )
        # Where the networks are the same, other numbers say nothing.
        if known in (mixed, childs):
            continue
        left = (facts(ours) & facts(mixed) & facts(childs)) - facts(known)
        assert not [fact for fact in left if fact[2] not in ("takes", "comes after")]


# `repair` drops the input that came with the second parent's gene, and an edit puts it back.
@KINDS
@example(seeds=(1_932_620_076, 22_982, 3_522_833_319))
@settings(max_examples=12)
@given(seeds=SEEDS)
def test_what_is_edited_away_is_no_inheritance(
    space: SearchSpace, bred: Bred, kind: Kind, seeds: tuple[int, int, int]
) -> None:
    """The edits put back, section by section, what one of the parents had there."""
    first, second, crossed, _ = family(space, bred, kind, seeds, 0)
    if first == second:
        return
    for place, parent in enumerate((first, second)):
        child = crossed
        for section in crossed.names:
            child = child.with_section(section, parent[section])
        found = givers(first, second, crossed, child)
        assert found != (0, 1)
        # One cut may lose a gene that both have, so that the crossed genome is of neither.
        if kind is not one_point and crossed != (second, first)[place]:
            assert found == (place,)
        # One more edit changes nothing about that, unless it leads to the other parent.
        child, _ = mutate(space, parent, np.random.default_rng(seeds))
        if child not in (first, second):
            assert givers(first, second, parent, child) == (place,)


def genome(layers: Sequence[Gene], fixed: str = "aaa") -> Genome:
    places = [Gene.make(op, {}, (), number) for number, op in enumerate(fixed, 1)]
    return Genome((("layers", tuple(layers)), ("fixed", tuple(places))))


def dense(number: int, units: int = 0, rate: float = 0.5, inputs: Sequence[int] = ()) -> Gene:
    """Without other units, the number: so no two genes are the same."""
    values: dict[str, int | float | str] = {"units": units or number, "rate": rate}
    if inputs:
        values["merge"] = "add"
    return Gene.make("dense", values, inputs, number)


def relu(number: int) -> Gene:
    return Gene.make("relu", {}, (), number)


def wide(number: int, units: int = 1) -> Gene:
    return Gene.make("wide", {"units": units}, (), number)


MAIN = genome([dense(1), dense(2), dense(3)])


@pytest.mark.parametrize(
    ("partner", "crossed", "child", "expected"),
    [
        pytest.param(
            [dense(1, rate=0.1), dense(2, 7)],
            [dense(1), dense(2, 7), dense(3)],
            [dense(1), dense(2, 7), dense(3), relu(400)],
            (0, 1),
            id="a value",
        ),
        pytest.param(
            [dense(1, rate=0.1), dense(2, 7)],
            [dense(1), dense(2, 7), dense(3)],
            [dense(1), dense(2, 9), dense(3)],
            (0,),
            id="a value that was edited away",
        ),
        pytest.param(
            [dense(1), wide(2, 7)],
            [dense(1), wide(2, 7), dense(3)],
            [dense(1), wide(2, 9), dense(3)],
            (0, 1),
            id="an op, though its value was edited away",
        ),
        pytest.param(
            [dense(1), relu(400)],
            [dense(1), relu(400)],
            [dense(1, 5), Gene.make("wide", {"units": 3}, (), 400)],
            (1,),
            id="a gene, though its op was edited away, and nothing of the main parent",
        ),
        pytest.param(
            [dense(1), dense(2), dense(3, inputs=[1])],
            [dense(1), dense(2), dense(3, inputs=[1])],
            [dense(1), relu(400), dense(2), dense(3, inputs=[1])],
            (1,),
            id="an input, and nothing of the main parent",
        ),
        pytest.param(
            [dense(1, 4), dense(2)],
            [dense(1), dense(2)],
            [dense(1), dense(2, 8)],
            (0, 1),
            id="the absence of a gene",
        ),
        pytest.param(
            [dense(2), dense(1, 4), dense(3)],
            [dense(2), dense(1), dense(3)],
            [dense(2), dense(1), dense(3, 8)],
            (0, 1),
            id="the order of two genes",
        ),
        pytest.param(
            [dense(2), dense(1, 4), dense(3)],
            [dense(2), dense(1), dense(3)],
            [dense(1), dense(3)],
            (0,),
            id="the order of two genes, one of which is gone",
        ),
        pytest.param(
            [dense(1), dense(2, 7), dense(3)],
            [dense(1), dense(2), dense(3)],
            [dense(1), dense(2, 7), dense(3, 8)],
            (0,),
            id="an edit that comes to the same by chance",
        ),
        pytest.param(
            [dense(1, 2), dense(2, 7), dense(3)],
            [dense(1, 2), dense(2, 7), dense(3)],
            [dense(1, 2), dense(2, 7), dense(3, 8)],
            (1,),
            id="the main parent gave nothing",
        ),
        pytest.param(
            [dense(1, 2), dense(2), dense(3)],
            [dense(1, 2), dense(2), dense(3)],
            [dense(1, 3), dense(2), dense(3)],
            (1,),
            id="an edited partner, of which nothing is left that the main parent lacks",
        ),
        pytest.param(
            [dense(1, 2, 0.1), dense(2), dense(3)],
            [dense(1, 2), dense(2), dense(3)],
            [relu(1), dense(2), dense(3)],
            (0,),
            id="nothing is left of either",
        ),
        pytest.param(
            [dense(1), dense(2, 7), dense(700, 3)],
            [dense(1), dense(2), dense(700, 3)],
            [dense(1), dense(2), dense(700, 3)],
            (0,),
            id="the same network with other numbers",
        ),
    ],
)
def test_what_is_an_inheritance(
    partner: list[Gene], crossed: list[Gene], child: list[Gene], expected: tuple[int, ...]
) -> None:
    assert givers(MAIN, genome(partner), genome(crossed), genome(child)) == expected


@pytest.mark.parametrize(("child", "expected"), [("aab", (0, 1)), ("aac", (0,)), ("aba", (0, 1))])
def test_an_op_that_a_swap_has_put_elsewhere_is_still_inherited(
    child: str, expected: tuple[int, ...]
) -> None:
    """A section of fixed length: a swap exchanges ops, and each place keeps its number."""
    first = genome([dense(1)], "aaa")
    second = genome([dense(1, 4)], "ebd")
    crossed = genome([dense(1)], "aba")
    assert givers(first, second, crossed, genome([dense(1)], child)) == expected


def test_the_values_1_and_true_are_different() -> None:
    def only(value: int | bool) -> Genome:
        gene = Gene.make("op", {"x": value, "y": 0}, (), 1)
        return Genome((("layers", (gene,)),))

    edited = Genome((("layers", (Gene.make("op", {"x": True, "y": 5}, (), 1),)),))
    assert givers(only(1), only(True), only(True), edited) == (1,)
    assert givers(only(True), only(1), only(True), edited) == (0,)
