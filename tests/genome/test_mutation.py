from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evonas.errors import UserError
from evonas.genome import (
    MUTATIONS,
    Gene,
    Genome,
    MutationRates,
    SearchSpace,
    cross,
    load_genome,
    mutate,
    parse_space,
    sample,
    validate,
)
from evonas.genome.genome import positions

Bred = Callable[[SearchSpace, int], Genome]
ROOT = Path(__file__).parents[2]
SETTINGS = ("style", "optimizer", "training")


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32))
def test_a_child_is_valid_and_another_genome(space: SearchSpace, bred: Bred, seed: int) -> None:
    rng = np.random.default_rng(seed)
    parent = bred(space, seed)
    child, word = mutate(space, parent, rng)
    validate(space, child)
    assert child != parent
    assert word in MUTATIONS


def only(word: str, settings: float = 0.0) -> MutationRates:
    return MutationRates({word: 1.0}, settings)


def children(
    space: SearchSpace, word: str, count: int = 60, settings: float = 0.0
) -> list[tuple[Genome, Genome]]:
    """Parents and children by one edit."""
    rng = np.random.default_rng(3)
    pairs = []
    while len(pairs) < count:
        parent = sample(space, rng)
        try:
            child, told = mutate(space, parent, rng, only(word, settings))
        except UserError:
            continue  # such as no gene to remove
        assert told == word
        validate(space, child)
        pairs.append((parent, child))
    return pairs


def size(genome: Genome) -> int:
    return sum(len(genes) for _, genes in genome.sections)


def ops(genome: Genome) -> Counter[tuple[str, str]]:
    return Counter((name, gene.op) for name, genes in genome.sections for gene in genes)


def skips(genome: Genome) -> int:
    return sum(map(len, positions(genome["features"])))


def test_add_and_duplicate_make_one_more(convnet: SearchSpace) -> None:
    for parent, child in children(convnet, "add"):
        assert size(child) == size(parent) + 1
        assert len(ops(child) - ops(parent)) == 1
    for parent, child in children(convnet, "duplicate"):
        assert size(child) == size(parent) + 1
        assert set(ops(child)) == set(ops(parent))


def test_new_ops_are_drawn_by_weight(convnet: SearchSpace) -> None:
    drawn = Counter[tuple[str, str]]()
    for parent, child in children(convnet, "add", 400):
        drawn += ops(child) - ops(parent)
    features = {op: count for (name, op), count in drawn.items() if name == "features"}
    assert abs(features["conv2d"] / sum(features.values()) - 4 / 6) < 0.1
    changed = Counter[str]()
    for parent, child in children(convnet, "change_op", 400):
        if any(gene.op == "max_pooling" for gene in parent["features"]):
            for (name, op), count in (ops(child) - ops(parent)).items():
                lost = next(iter(ops(parent) - ops(child)))
                if name == "features" and lost[1] == "max_pooling":
                    changed[op] += count
    assert changed["conv2d"] > 2 * changed["average_pooling"]


def test_remove_makes_one_less(convnet: SearchSpace) -> None:
    for parent, child in children(convnet, "remove"):
        assert size(child) == size(parent) - 1
        assert len(ops(parent) - ops(child)) == 1


def test_swap_keeps_the_ops(convnet: SearchSpace, mlp: SearchSpace) -> None:
    for parent, child in children(convnet, "swap"):
        assert ops(child) == ops(parent)
    fixed = [(p["fixed"], c["fixed"]) for p, c in children(mlp, "swap") if p["fixed"] != c["fixed"]]
    assert fixed
    for old, new in fixed:  # in a section of fixed length a place keeps its number
        assert [gene.innovation for gene in old] == [gene.innovation for gene in new]


def test_change_op_keeps_the_place_and_what_fits(convnet: SearchSpace) -> None:
    kept = 0
    for parent, child in children(convnet, "change_op", 40, settings=1.0):
        (before,), (after,) = parent["optimizer"], child["optimizer"]
        assert before.op != after.op
        assert before.innovation == after.innovation
        if {before.op, after.op} == {"sgd", "momentum"}:
            assert before["learning_rate"] == after["learning_rate"]
            kept += 1
    assert kept


def test_perturb_changes_one_parameter(convnet: SearchSpace) -> None:
    for parent, child in children(convnet, "perturb"):
        pairs = [
            (a, b)
            for name in parent.names
            for old, new in zip(parent[name], child[name], strict=True)
            for a, b in zip(old.params, new.params, strict=True)
        ]
        assert sum(a != b for a, b in pairs) == 1


def test_skips_are_added_removed_and_moved(convnet: SearchSpace) -> None:
    for word, more in (("add_skip", 1), ("remove_skip", -1), ("move_skip", 0)):
        for parent, child in children(convnet, word):
            assert skips(child) == skips(parent) + more
            assert ops(child) == ops(parent)


def test_a_skip_follows_its_source_or_goes_with_it() -> None:
    section = "{length: [1, 4], wiring: skip, max_skips: 2, ops: {x: {}}}"
    space = parse_space(f"space: s\ninput: vector\nnetwork: {{a: {section}}}", "s.yaml")
    genes = (
        Gene("x", (), (), 1),
        Gene("x", (), (), 2),
        Gene("x", (), (), 3),
        Gene.make("x", {"merge": "add"}, (2,), 4),
    )
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(30):
        child, _ = mutate(space, Genome((("a", genes),)), rng, only("remove"))
        seen.add(positions(child["a"]))
    assert seen == {((), (), (0,)), ((), (), ())}


def test_in_a_dag_the_takers_of_a_removed_gene_take_what_it_took_first() -> None:
    section = "{length: [1, 4], wiring: dag, inputs: 2, ops: {x: {}}}"
    text = f"space: s\ninput: image\nnetwork: {{a: {section}}}"
    genes = (
        Gene("x", (), (0, 0), 1),
        Gene("x", (), (1, 0), 2),
        Gene("x", (), (2, 2), 3),
        Gene("x", (), (3, 2), 4),
    )
    seen = set()
    for seed in range(30):
        child, _ = mutate(
            parse_space(text, "s"),
            Genome((("a", genes),)),
            np.random.default_rng(seed),
            only("remove"),
        )
        seen.add(positions(child["a"]))
    first, last = ((-1, -1), (0, -1), (1, 1), (2, 1)), ((-1, -1), (0, 0), (1, 0))
    assert positions(genes) == first
    assert seen == {
        ((-1, -1), (0, 0), (1, 0)),  # without the first: its taker takes the input twice
        last,  # without the second
        ((-1, -1), (0, -1), (1, 1)),  # without the third, and without the last
    }


def test_every_edit_of_a_dag_is_legal_and_only_those_that_keep_the_number_of_inputs_happen(
    dag: SearchSpace,
) -> None:
    for word in ("add", "remove", "duplicate", "swap", "change_op", "perturb", "move_skip"):
        for parent, child in children(dag, word, 20):
            for name in ("even", "odd", "trunk", "three"):
                wanted = dag[name].inputs
                assert {len(gene.inputs) for gene in child[name]} == {wanted}
            assert word != "move_skip" or ops(child) == ops(parent)
    cells = {
        name
        for parent, child in children(dag, "perturb")
        for name in parent.names
        if parent[name] != child[name]
    }
    assert cells >= {"even", "odd", "plain"}, "cells are edited as the network is"
    for word in ("add_skip", "remove_skip"):
        with pytest.raises(UserError, match="can be mutated"):
            mutate(dag, sample(dag, np.random.default_rng(0)), np.random.default_rng(0), only(word))


def test_settings_have_a_rate_of_their_own(convnet: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    for rate in (0.0, 0.25, 0.6, 1.0):
        hits = 0
        for _ in range(400):
            parent = sample(convnet, rng)
            child, _ = mutate(
                convnet, parent, rng, MutationRates({"perturb": 1.0, "change_op": 1.0}, rate)
            )
            hits += any(parent[name] != child[name] for name in SETTINGS)
        assert abs(hits / 400 - rate) < (0.08 if 0 < rate < 1 else 1e-9)


def test_in_a_space_of_settings_only_the_rate_does_not_matter() -> None:
    space = parse_space("space: s\nsettings: {a: {ops: {b: {k: {choice: [1, 2]}}}}}", "s.yaml")
    genome = sample(space, np.random.default_rng(0))
    child, word = mutate(space, genome, np.random.default_rng(0), MutationRates(settings=0.0))
    assert (word, child["a"][0]["k"]) == ("perturb", 3 - int(genome["a"][0]["k"]))


def test_the_only_possible_edit_is_found() -> None:
    first = "{length: 200, ops: {b: {k: {choice: [x]}}}}"
    last = "{ops: {y: {k: {choice: [1, 2]}}}}"
    text = f"space: s\nsettings: {{a: {first}, z: {last}}}"
    space = parse_space(text, "s.yaml")
    genome = sample(space, np.random.default_rng(0))
    assert {mutate(space, genome, np.random.default_rng(seed))[1] for seed in range(5)} == {
        "perturb"
    }


def test_nothing_to_mutate() -> None:
    space = parse_space(
        "space: s\ninput: vector\nnetwork: {a: {length: 2, ops: {x: {k: 1}}}}", "s.yaml"
    )
    with pytest.raises(UserError, match="Nothing in this genome of s can be mutated"):
        mutate(space, sample(space, np.random.default_rng(0)), np.random.default_rng(0))


def test_rates_are_checked(convnet: SearchSpace) -> None:
    for weights, settings_rate, words in [
        ({"ad": 1.0}, 0.2, "No mutation 'ad'. Did you mean 'add'"),
        ({"add": -1.0}, 0.2, "at least 0"),
        ({"add": float("nan")}, 0.2, "finite"),
        ({"add": 1.0}, 1.5, "a probability"),
    ]:
        with pytest.raises(UserError, match=words):
            MutationRates(weights, settings_rate)
    genome = sample(convnet, np.random.default_rng(0))
    with pytest.raises(UserError, match="a rate above 0"):
        mutate(convnet, genome, np.random.default_rng(0), MutationRates({"add": 0.0}))


def test_an_edit_of_weight_0_is_never_made(convnet: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    genome = sample(convnet, rng)
    words = Counter(
        mutate(convnet, genome, rng, MutationRates({"add": 0.0, "perturb": 3.0, "swap": 1.0}))[1]
        for _ in range(300)
    )
    assert set(words) == {"perturb", "swap"}
    assert words["perturb"] > words["swap"]


def test_every_edit_happens_by_default(convnet: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    genome = load_genome(ROOT / "genomes/seeds/lenet5.yaml", convnet)
    seen = set()
    for _ in range(300):
        genome, word = mutate(convnet, genome, rng)
        seen.add(word)
    assert seen == set(MUTATIONS)


CHAIN = """
import hashlib, sys
import numpy as np
from evonas.genome import cross, load_space, mutate, sample
space = load_space(sys.argv[1])
rng = np.random.default_rng(7)
first, second, told = sample(space, rng), sample(space, rng), hashlib.sha256()
for _ in range(60):
    first, second = second, mutate(space, cross(space, first, second, rng), rng)[0]
    told.update(repr(second.to_dict()).encode())
print(told.hexdigest())
"""


def test_the_same_seed_gives_the_same_line_of_children_in_every_process(
    convnet: SearchSpace,
) -> None:
    rng = np.random.default_rng(7)
    first, second, told = sample(convnet, rng), sample(convnet, rng), hashlib.sha256()
    for _ in range(60):
        first, second = second, mutate(convnet, cross(convnet, first, second, rng), rng)[0]
        told.update(repr(second.to_dict()).encode())
    for hash_seed in ("0", "12345"):
        process = subprocess.run(
            [sys.executable, "-c", CHAIN, str(ROOT / "genomes/spaces/convnet.yaml")],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert process.stdout.strip() == told.hexdigest()
