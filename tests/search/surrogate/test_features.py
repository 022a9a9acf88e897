"""Weisfeiler-Lehman counts by hand, and which decisions are numbers and which are words."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.genome import Gene, Genome, parse_space, sample
from evonas.search.surrogate.features import (
    Features,
    categories,
    matrix,
    subtree_counts,
    vocabulary,
)

CHAIN = """
space: chain
input: vector
network:
  layers: {length: [1, 3], ops: {a: {}, b: {}}}
"""
PLACES = CHAIN.replace("[1, 3]", "[3, 3]")
SKIPS = """
space: skips
input: vector
network:
  layers: {length: [1, 4], wiring: skip, max_skips: 1, merge: {choice: [add]}, ops: {a: {}, b: {}}}
"""


def chain(*ops: str) -> Genome:
    return Genome((("layers", tuple(Gene(op, innovation=i + 1) for i, op in enumerate(ops))),))


def test_the_subtrees_of_a_chain_by_hand():
    found = subtree_counts(parse_space(CHAIN, "chain.yaml"), chain("a", "a", "b"), 2)
    assert dict(found) == {
        "op input": 1,
        "op a": 2,
        "op b": 1,
        # depth 0: each node alone
        "input": 1,
        "layers=a": 2,
        "layers=b": 1,
        # depth 1: with what feeds it
        "(input<)": 1,
        "(layers=a<chain input)": 1,
        "(layers=a<chain layers=a)": 1,
        "(layers=b<chain layers=a)": 1,
        # depth 2: with what feeds that
        "((input<)<)": 1,
        "((layers=a<chain input)<chain (input<))": 1,
        "((layers=a<chain layers=a)<chain (layers=a<chain input))": 1,
        "((layers=b<chain layers=a)<chain (layers=a<chain layers=a))": 1,
    }


def test_the_kernel_is_the_product_of_the_counts():
    space = parse_space(CHAIN, "chain.yaml")
    features = Features(space, 1)
    counts = features.counts([chain("a", "b"), chain("a", "a", "b")])
    rows = matrix(counts, vocabulary(counts))
    # In common: op input 1*1, op a 1*2, op b 1*1; input 1*1, a 1*2, b 1*1; then (input<), (a<input)
    # and (b<a), 1*1 each.
    assert (rows @ rows.T)[0, 1] == 1 + 2 + 1 + 1 + 2 + 1 + 1 + 1 + 1
    assert [one.squared for one in counts] == [(rows @ rows.T)[0, 0], (rows @ rows.T)[1, 1]]


def test_where_the_length_is_fixed_a_place_is_a_part_of_the_label():
    free, fixed = parse_space(CHAIN, "chain.yaml"), parse_space(PLACES, "places.yaml")
    one, other = chain("a", "b", "b"), chain("b", "b", "a")
    assert subtree_counts(free, one, 0) == subtree_counts(free, other, 0)
    assert subtree_counts(fixed, one, 0) != subtree_counts(fixed, other, 0)
    assert subtree_counts(fixed, one, 0)["layers[0]=a"] == 1


def test_wiring_makes_a_difference_from_depth_one():
    space = parse_space(SKIPS, "skips.yaml")
    plain = chain("a", "b", "b")
    genes = plain["layers"]
    skipping = plain.with_section("layers", (*genes[:2], Gene.make("b", {"merge": "add"}, (1,), 3)))
    assert subtree_counts(space, plain, 0) == subtree_counts(space, skipping, 0)
    assert subtree_counts(space, skipping, 1)["(layers=b<chain layers=b,skip layers=a)"] == 1
    assert subtree_counts(space, plain, 1) != subtree_counts(space, skipping, 1)


def test_numbers_are_coordinates_and_words_are_counted(small_space):
    rng = np.random.default_rng(0)
    genome = sample(small_space, rng)
    features = Features(small_space, 1)
    names = [key for _, _, key in small_space.coordinates]
    numbers = [name for name in names if name in ("length", "units", "learning_rate", "batch_size")]
    assert features.numbers([genome]).shape == (1, len(numbers))
    counted = categories(small_space, genome)
    assert sum(counted[f"layers activation={word}"] for word in ("relu", "tanh")) == len(
        genome["layers"]
    )
    assert counted[f"optimizer[0]={genome['optimizer'][0].op}"] == 1
    assert not any("units" in label for label in counted)


def test_labels_that_were_not_fitted_are_left_out():
    features = Features(parse_space(CHAIN, "chain.yaml"), 1)
    known, new = features.counts([chain("a", "a"), chain("a", "b")])
    rows = matrix([known, new], vocabulary([known]))
    assert rows.shape == (2, len(known.labels))
    assert rows[0].tolist() == known.counts.tolist()
    assert rows[1].sum() < new.counts.sum()


@pytest.mark.parametrize("cached", [1, 3])
def test_a_full_cache_forgets_and_computes_again(small_space, monkeypatch, cached):
    monkeypatch.setattr("evonas.search.surrogate.features.CACHED", cached)
    genomes = [sample(small_space, np.random.default_rng(i)) for i in range(6)]
    whole, small = Features(small_space, 1), Features(small_space, 1)
    monkeypatch.setattr("evonas.search.surrogate.features.CACHED", 1000)
    assert np.array_equal(whole.points(genomes), small.points(genomes))
