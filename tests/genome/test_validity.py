from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evonas.errors import InvalidGenome
from evonas.genome import Gene, Genome, SearchSpace, load_genome, repair, validate

SEED = Path(__file__).parents[2] / "genomes/seeds/lenet5.yaml"


@pytest.fixture
def lenet(convnet: SearchSpace) -> Genome:
    return load_genome(SEED, convnet)


def edited(genome: Genome, section: str, i: int, **changed: object) -> Genome:
    genes = list(genome[section])
    params = genes[i].parameters | dict(changed.pop("params", {}))  # type: ignore[call-overload]
    genes[i] = replace(genes[i], params=tuple(sorted(params.items())), **changed)  # type: ignore[arg-type]
    return genome.with_section(section, genes)


BREAKS: list[tuple[str, str, Callable[[Genome], Genome]]] = [
    ("features[0].filters", "one of 6, 8",
     lambda g: edited(g, "features", 0, params={"filters": 7})),
    ("features[0].filters", "Received: 6.0",
     lambda g: edited(g, "features", 0, params={"filters": 6.0})),
    ("features[0].l1", "or 0.0. Received: 0", lambda g: edited(g, "features", 0, params={"l1": 0})),
    ("optimizer[0].nesterov", "false, true",
     lambda g: edited(g, "optimizer", 0, params={"nesterov": 0})),
    ("optimizer[0].momentum", "a number in [0.5",
     lambda g: edited(g, "optimizer", 0, params={"momentum": 0.1})),
    ("features[0].filter", "Did you mean",
     lambda g: edited(g, "features", 0, params={"filter": 6})),
    ("features[1].filters", "It has none",
     lambda g: edited(g, "features", 1, params={"filters": 6})),
    ("features[0].merge", "no parameter",
     lambda g: edited(g, "features", 0, params={"merge": "add"})),
    ("features[2]", "merge of conv2d is missing", lambda g: edited(g, "features", 2, inputs=(0,))),
    ("features[2].merge", "one of add",
     lambda g: edited(g, "features", 2, inputs=(0,), params={"merge": "mul"})),
    ("features[2].inputs", "[1]",
     lambda g: edited(g, "features", 2, inputs=(2,), params={"merge": "add"})),
    ("features[2].inputs", "up to 2",
     lambda g: edited(g, "features", 2, inputs=(0, 1), params={"merge": "add"})),
    ("features[2].inputs", "up to 2",
     lambda g: edited(g, "features", 2, inputs=(99,), params={"merge": "add"})),
    ("head[0].inputs", "no other input", lambda g: edited(g, "head", 0, inputs=(0,))),
    ("features[0].op", "Did you mean 'conv2d'", lambda g: edited(g, "features", 0, op="conv")),
    ("features", "innovation numbers", lambda g: edited(g, "features", 0, innovation=2)),
    ("features", "innovation numbers", lambda g: edited(g, "features", 0, innovation=0)),
    ("features", "1 to 12 genes. Received: 0", lambda g: g.with_section("features", ())),
    ("head", "0 to 2 genes",
     lambda g: g.with_section("head", [*g["head"], replace(g["head"][0], innovation=3)])),
    ("style", "missing", lambda g: Genome(tuple(s for s in g.sections if s[0] != "style"))),
    ("more", "no such section", lambda g: Genome((*g.sections, ("more", ())))),
    ("", "listed twice", lambda g: Genome((*g.sections, g.sections[0]))),
]  # fmt: skip


@pytest.mark.parametrize(("key", "words", "breaks"), BREAKS)
def test_each_way_to_be_wrong(
    convnet: SearchSpace, lenet: Genome, key: str, words: str, breaks: Callable[[Genome], Genome]
) -> None:
    validate(convnet, lenet)
    with pytest.raises(InvalidGenome) as caught:
        validate(convnet, breaks(lenet))
    problem = next((p for p in caught.value.problems if p.key == key and words in p.message), None)
    assert problem is not None, caught.value


def pool(number: int, *inputs: int, merge: str = "") -> Gene:
    return Gene.make("max_pooling", {"merge": merge} if merge else {}, inputs, number)


def test_repair_leaves_what_is_legal(convnet: SearchSpace) -> None:
    genes = (pool(1), pool(2), pool(3, 1, 0, merge="concat"))
    assert repair(convnet["features"], genes) == genes


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([pool(1), pool(3, 2, merge="add")], [pool(1), pool(3)]),  # the source is gone
        (
            [pool(1, 0, merge="add"), pool(2)],
            [pool(1), pool(2)],
        ),  # the first gene has the input already
        (
            [pool(1), pool(2, 1, 0, merge="concat")],
            [pool(1), pool(2, 0, merge="concat")],
        ),  # and its predecessor
        (
            [pool(1), pool(2), pool(3, 0, 1, merge="add")],
            [pool(1), pool(2), pool(3, 1, 0, merge="add")],
        ),  # order
        (
            [pool(1), pool(2), pool(3, 4, 1, merge="add"), pool(4)],
            [pool(1), pool(2), pool(3, 1, merge="add"), pool(4)],
        ),
        (
            [pool(1), pool(2, 0)],
            [pool(1), pool(2, 0, merge="add")],
        ),  # merge where inputs are, and only there
        ([pool(1), pool(2, merge="add")], [pool(1), pool(2)]),
        (
            [pool(1), pool(2), pool(1, 2, merge="add")],
            [pool(1), pool(2)],
        ),  # one number twice: the first stays
        (
            [pool(1), pool(2), pool(3), pool(4, 2, 1, 0, merge="add")],
            [pool(1), pool(2), pool(3), pool(4, 2, 1, merge="add")],  # too many: the nearest stay
        ),
    ],
)
def test_repair(convnet: SearchSpace, before: list[Gene], after: list[Gene]) -> None:
    assert list(repair(convnet["features"], before)) == after


def test_repair_cuts_at_the_greatest_length(convnet: SearchSpace) -> None:
    assert len(repair(convnet["features"], [pool(i) for i in range(1, 20)])) == 12
