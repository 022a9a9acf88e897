from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evonas.genome import (
    Gene,
    Genome,
    SearchSpace,
    cross,
    decode,
    encode,
    parse_space,
    sample,
    validate,
)
from evonas.genome.crossover import Kind, uniform
from evonas.search.crossover.one_point import one_point
from evonas.search.crossover.sections import sections

Bred = Callable[[SearchSpace, int], Genome]


@pytest.mark.parametrize("kind", [uniform, one_point, sections])
@settings(max_examples=30)
@given(seeds=st.tuples(st.integers(0, 2**32), st.integers(0, 2**32)))
def test_a_child_of_valid_parents_is_valid(
    space: SearchSpace, bred: Bred, kind: Kind, seeds: tuple[int, int]
) -> None:
    first, second = (bred(space, seed) for seed in seeds)
    child = cross(space, first, second, np.random.default_rng(seeds), kind)
    validate(space, child)
    assert decode(space, encode(space, child)) == child
    assert cross(space, first, first, np.random.default_rng(seeds), kind) == first


def test_structure_from_the_first_values_from_both(convnet: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    mixed = 0
    for _ in range(200):
        first, second = sample(convnet, rng), sample(convnet, rng)
        child = cross(convnet, first, second, rng)
        for name, genes in child.sections:
            ours, theirs = (
                {gene.innovation: gene for gene in parent[name]} for parent in (first, second)
            )
            assert [gene.innovation for gene in genes] == list(ours)
            for gene in genes:
                parents = [
                    parent[gene.innovation]
                    for parent in (ours, theirs)
                    if gene.innovation in parent
                ]
                assert gene.op in {parent.op for parent in parents}
                for parameter, value in gene.params:
                    if parameter != "merge":
                        assert value in [
                            p.parameters.get(parameter) for p in parents if p.op == gene.op
                        ]
                mixed += all(gene.params != parent.params for parent in parents)
    assert mixed > 50


def test_inputs_and_merge_stay_together(convnet: SearchSpace) -> None:
    rng = np.random.default_rng(1)
    plain, wired = (
        (Gene("max_pooling", (), (), n) for n in (1, 2)),
        Gene.make("flat", {"merge": "concat"}, (0,), 3),
    )
    genes = [*plain]
    section = convnet["features"]
    seen = set()
    for _ in range(40):
        child = uniform(section, [*genes, Gene("flat", (), (), 3)], [*genes, wired], rng)
        seen.add((child[2].inputs, child[2].parameters.get("merge")))
    assert seen == {((), None), ((0,), "concat")}


def test_one_point_is_a_head_of_one_and_a_tail_of_the_other(convnet: SearchSpace) -> None:
    """With k common genes, k + 1 cuts, all as likely; the cut gene is the second parent's."""
    section = convnet["features"]
    first = [Gene.make("max_pooling", {}, (), n) for n in (1, 5, 2, 3)]
    second = [Gene.make("average_pooling", {}, (), n) for n in (1, 2, 7, 3)]
    rng = np.random.default_rng(0)
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(4000):
        child = one_point(section, first, second, rng)
        cut = next((i for i, gene in enumerate(child) if gene.op == "average_pooling"), len(child))
        assert all(gene.op == "average_pooling" for gene in child[cut:]), "one cut only"
        key = tuple(
            gene.innovation if i < cut else -gene.innovation for i, gene in enumerate(child)
        )
        counts[key] = counts.get(key, 0) + 1
    cuts = {(-1, -2, -7, -3), (1, 5, -2, -7, -3), (1, 5, 2, -3), (1, 5, 2, 3)}
    assert set(counts) == cuts
    assert stats.chisquare(list(counts.values())).pvalue > 0.001
    strangers = [Gene.make("average_pooling", {}, (), n) for n in (8, 9)]
    assert one_point(section, first, strangers, rng) == first


@settings(max_examples=60)
@given(
    numbers=st.lists(st.integers(1, 9), unique=True, max_size=9),
    first=st.sets(st.integers(1, 9)),
    second=st.sets(st.integers(1, 9)),
    seed=st.integers(0, 99),
)
def test_one_point_keeps_what_both_parents_have_in_one_order(
    convnet: SearchSpace, numbers: list[int], first: set[int], second: set[int], seed: int
) -> None:
    mine = [Gene.make("max_pooling", {}, (), n) for n in numbers if n in first]
    yours = [Gene.make("average_pooling", {}, (), n) for n in numbers if n in second]
    child = one_point(convnet["features"], mine, yours, np.random.default_rng(seed))
    found = [gene.innovation for gene in child]
    assert len(set(found)) == len(found)
    assert {gene.innovation for gene in mine} & {gene.innovation for gene in yours} <= set(found)


def test_one_point_may_lose_what_the_parents_have_in_another_order(convnet: SearchSpace) -> None:
    first = [Gene.make("max_pooling", {}, (), n) for n in (1, 2)]
    second = [Gene.make("max_pooling", {}, (), n) for n in (2, 1)]
    rng = np.random.default_rng(0)
    children = [one_point(convnet["features"], first, second, rng) for _ in range(40)]
    found = {tuple(gene.innovation for gene in child) for child in children}
    # Cut at 1, which is the last one of the second parent; at 2; and not at all.
    assert found == {(1,), (1, 2, 1), (1, 2)}


def test_sections_are_whole_and_from_either(convnet: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    taken = dict.fromkeys(convnet.sections, 0)
    different = 0
    for _ in range(400):
        first, second = sample(convnet, rng), sample(convnet, rng)
        child = cross(convnet, first, second, rng, sections)
        for name, genes in child.sections:
            assert genes in (first[name], second[name])
            taken[name] += genes == second[name] != first[name]
        different += child not in (first, second)
    assert different > 300
    for count in (taken["features"], taken["head"], taken["training"]):
        assert 100 < count < 260


def test_a_kind_of_ones_own_is_a_function(convnet: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    first, second = sample(convnet, rng), sample(convnet, rng)
    assert (
        cross(convnet, first, second, rng, lambda section, first, second, rng: [*second]) == second
    )


def test_a_child_that_is_too_short_keeps_the_first_parents_section(convnet: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    first, second = sample(convnet, rng), sample(convnet, rng)
    child = cross(convnet, first, second, rng, lambda section, first, second, rng: [])
    assert child == first.with_section("head", ())


def shares(first: Gene, second: Gene) -> tuple[list[Gene], Callable[[Callable[..., bool]], float]]:
    """Many mixtures of two genes, and the share of them that something is true of."""
    space = parse_space(MIXED, "mixed.yaml")
    rng = np.random.default_rng(0)
    children = [uniform(space["layers"], [first], [second], rng)[0] for _ in range(2000)]

    def share(of: Callable[..., bool]) -> float:
        return sum(of(child) for child in children) / len(children)

    return children, share


MIXED = """
space: mixed
input: vector
network:
  layers:
    wiring: dag
    length: [1, 4]
    ops: {a: {x: {int: [1, 9]}, y: {int: [1, 9]}}, b: {}}
"""


def test_of_two_ops_the_child_has_each_as_often() -> None:
    first, second = Gene.make("a", {"x": 1, "y": 2}, (), 1), Gene.make("b", {}, (), 1)
    children, share = shares(first, second)
    assert all(child in (first, second) for child in children)
    assert share(lambda child: child == first) == pytest.approx(0.5, abs=0.04)


def test_of_two_values_the_child_has_each_as_often_whatever_the_others_are() -> None:
    first = Gene.make("a", {"x": 1, "y": 1}, (), 1)
    second = Gene.make("a", {"x": 2, "y": 2}, (), 1)
    _, share = shares(first, second)
    assert share(lambda child: child.parameters["x"] == 1) == pytest.approx(0.5, abs=0.04)
    assert share(lambda child: child.parameters["y"] == 1) == pytest.approx(0.5, abs=0.04)
    assert share(lambda child: child in (first, second)) == pytest.approx(0.5, abs=0.04)


def test_the_inputs_are_those_of_either_parent_as_often() -> None:
    first = Gene.make("a", {"x": 1, "y": 1, "merge": "add"}, (0,), 1)
    second = Gene.make("a", {"x": 1, "y": 1, "merge": "concat"}, (1,), 1)
    children, share = shares(first, second)
    assert {(child.inputs, child.parameters["merge"]) for child in children} == {
        ((0,), "add"),
        ((1,), "concat"),
    }
    assert share(lambda child: child.inputs == (0,)) == pytest.approx(0.5, abs=0.04)
