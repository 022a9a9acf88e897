from __future__ import annotations

from pathlib import Path

import pytest

from evonas.errors import InvalidInput, InvalidYaml
from evonas.genome import (
    SearchSpace,
    decode,
    encode,
    load_genome,
    parse_genome,
    parse_space,
    validate,
)

ROOT = Path(__file__).parents[2]
LENET = (ROOT / "genomes/seeds/lenet5.yaml").read_text(encoding="utf-8")


def test_lenet5(convnet: SearchSpace) -> None:
    genome = load_genome(ROOT / "genomes/seeds/lenet5.yaml", convnet)
    assert [gene.op for gene in genome["features"]] == [
        "conv2d",
        "average_pooling",
        "conv2d",
        "average_pooling",
    ]
    conv = {
        "batch_normalization": False,
        "dropout": 0.0,
        "filters": 6,
        "kernel_size": 5,
        "l1": 0.0,
        "l2": 0.0,
    }
    assert genome["features"][0].parameters == conv
    assert [gene.innovation for gene in genome["features"]] == [1, 2, 3, 4]
    assert [gene["units"] for gene in genome["head"]] == [120, 84]
    assert decode(convnet, encode(convnet, genome)) == genome
    assert convnet.arguments(genome, "features", genome["features"][0])["activation"] == "tanh"


def test_skips_by_place(convnet: SearchSpace) -> None:
    text = LENET.replace(
        "  - conv2d: {filters: 16,", "  - conv2d: {inputs: [0, input], merge: concat, filters: 16,"
    )
    genome = parse_genome(text, "l.yaml", convnet)
    gene = genome["features"][2]
    assert (gene.inputs, gene["merge"]) == ((1, 0), "concat")  # nearest first
    validate(convnet, genome)


def test_only_merge_there_is_need_not_be_named() -> None:
    space = parse_space(
        "space: s\ninput: vector\nnetwork:\n"
        "  a: {length: [0, 3], wiring: skip, ops: {x: {}}}\n  b: {length: [0, 1], ops: {y: {}}}",
        "s.yaml",
    )
    genome = parse_genome("space: s\na: [x, x: {inputs: [input]}]", "g.yaml", space)
    assert genome["a"][1].parameters == {"merge": "add"}
    assert genome["b"] == ()


def test_values_are_admitted_as_they_are_meant(convnet: SearchSpace) -> None:
    text = LENET.replace("learning_rate: 0.05", "learning_rate: 1").replace(
        "momentum: 0.9,", "momentum: 0.87654321,"
    )
    optimizer = parse_genome(text, "l.yaml", convnet)["optimizer"][0]
    assert repr(optimizer["learning_rate"]) == "1.0"
    assert optimizer["momentum"] == 0.87654


C0, C2 = "features[0].conv2d", "features[2].conv2d"


def edit(old: str, new: str) -> str:
    """LeNet's file with one mistake."""
    assert old in LENET
    return LENET.replace(old, new)


REFUSED = [
    ("", "", "must be a mapping"),
    ("space: convnet", "",
     "the section features is missing; it has 1 to 12 genes, each one of conv2d"),
    (edit("space: convnet", "space: mlp"), "space", "must be convnet"),
    (edit("space: convnet", ""), "space", "The key is missing"),
    (edit("head:", "haed:"), "haed", "Did you mean 'head'"),
    (LENET + "about: 3", "about", "a sentence"),
    (edit("bridge: [flatten: {}]", "bridge: flatten"), "bridge", "a list of genes"),
    (edit("bridge: [flatten: {}]", "bridge: []"), "bridge", "a list of 1 gene."),
    (edit("bridge: [flatten: {}]", "bridge: [3]"), "bridge[0]", "one op with its parameters"),
    (edit("bridge: [flatten: {}]", "bridge: [{flatten: {}, global_max: {}}]"), "bridge[0]",
     "one op"),
    (edit("flatten: {}", "flaten: {}"), "bridge[0].flaten", "Did you mean 'flatten'"),
    (edit("flatten: {}", "flatten: 3"), "bridge[0].flatten", "must be a mapping"),
    (edit("filters: 6", "filters: 7"), C0 + ".filters",
     "one of 6, 8, 16, 32, 64, 128. Received: 7"),
    (edit("filters: 6", "filters: true"), C0 + ".filters", "Received: true"),
    (edit("filters: 6", "filters: [6]"), C0 + ".filters", "one of 6"),
    (edit("filters: 6,", ""), "features[0].conv2d", "filters is missing; it is one of 6"),
    (edit("filters: 6", "filter: 6"), C0 + ".filter", "Did you mean 'filters'"),
    (edit("units: 120", "units: 1"), "head[0].dense.units", "an integer in [16, 256]. Received: 1"),
    (edit("units: 120", "units: 120.5"), "head[0].dense.units", "an integer in [16, 256]"),
    (edit("learning_rate: 0.05", "learning_rate: 5"), "optimizer[0].momentum.learning_rate",
     "in [0.001, 1.0]"),
    (edit("units: 120", "units: 120, activation: relu"), "head[0].dense.activation",
     "the space has it as style"),
    (edit("units: 120", "units: 120, inputs: [input]"), "head[0].dense.inputs", "not known"),
    (edit("size: 5}", "size: 5, merge: add}"), C0 + ".merge", "goes with `inputs` only"),
    (edit("filters: 16", "inputs: [0], filters: 16"), C2 + ".merge", "one of add, concat"),
    (edit("filters: 16", "inputs: [0], merge: mul, filters: 16"), C2 + ".merge",
     "one of add, concat"),
    (edit("filters: 16", "inputs: [1], merge: add, filters: 16"), C2 + ".inputs",
     "up to 2 of [input, 0]"),
    (edit("filters: 16", "inputs: [5], merge: add, filters: 16"), C2 + ".inputs",
     "up to 2 of [input, 0]"),
    (edit("filters: 6", "inputs: [input], merge: add, filters: 6"), C0 + ".inputs",
     "no other input"),
    (edit("filters: 16", "inputs: [0, 0], merge: add, filters: 16"), C2 + ".inputs", "up to 2"),
    (edit("filters: 16", "inputs: [-1], merge: add, filters: 16"), C2 + ".inputs",
     "a list of places"),
    (edit("filters: 16", "inputs: 0, merge: add, filters: 16"), C2 + ".inputs", "a list of places"),
    (edit("filters: 16", "inputs: [[0]], merge: add, filters: 16"), C2 + ".inputs",
     "a list of places"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "key", "words"), REFUSED)
def test_refused_with_file_line_and_key(
    convnet: SearchSpace, text: str, key: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_genome(text, "dir/l.yaml", convnet)
    problem = next((p for p in caught.value.problems if p.key == key), None)
    assert problem is not None, caught.value
    assert words in problem.message
    assert problem.file == "dir/l.yaml"
    assert problem.line > 0 or not text


def test_all_problems_at_once(convnet: SearchSpace) -> None:
    text = LENET.replace("filters: 6", "filters: 7").replace("units: 84", "units: 8")
    with pytest.raises(InvalidInput) as caught:
        parse_genome(text, "l.yaml", convnet)
    assert [(p.line, p.key) for p in caught.value.problems] == [
        (4, "features[0].conv2d.filters"),
        (9, "head[1].dense.units"),
    ]


def test_no_such_file(convnet: SearchSpace) -> None:
    with pytest.raises(InvalidYaml, match="no such file"):
        load_genome("nowhere.yaml", convnet)
