from __future__ import annotations

import numpy as np

from evonas.genome import parse_space, sample
from evonas.genome.census import census

HEAD = "space: s\ninput: vector\nnetwork: "


def test_every_genome_of_a_small_space_is_counted_once() -> None:
    texts = [
        "{a: {length: [0, 2], ops: {x: {}, y: {k: {choice: [1, 2, 3]}}}}}",
        "{a: {length: [1, 3], wiring: skip, max_skips: 2, merge: {choice: [add, concat]},"
        " ops: {x: {}}}}",
        "{a: {length: [1, 3], wiring: dag, inputs: 2, ops: {x: {}}},"
        " b: {ops: {y: {k: {int: [1, 3], off: 0}}}}}",
    ]
    for text in texts:
        space, rng = parse_space(HEAD + text, "s.yaml"), np.random.default_rng(0)
        assert len({sample(space, rng).digest for _ in range(6000)}) == census(space)


def test_floats_count_as_one_or_as_on_and_off() -> None:
    for number, count in (("float: [0, 1]", 1), ("float: [1, 2], off: 0.0", 2), ("int: [3, 9]", 7)):
        assert (
            census(parse_space(HEAD + f"{{a: {{ops: {{x: {{k: {{{number}}}}}}}}}}}", "s.yaml"))
            == count
        )
