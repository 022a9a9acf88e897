from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evonas.genome import Gene, SearchSpace, mutate, sample
from evonas.genome.innovation import FIRST_HASHED, innovation, neighbours


def test_the_number_is_a_function_of_the_place_and_the_op_for_ever() -> None:
    assert innovation((), 1, 2, "conv2d") == 93022681055029
    assert (
        len({innovation((), 1, 2, "a"), innovation((), 2, 1, "a"), innovation((), 1, 2, "b")}) == 3
    )


@given(left=st.integers(0, 2**49), right=st.integers(0, 2**49), op=st.text(max_size=5))
def test_numbers_are_exact_in_json_and_no_positions(left: int, right: int, op: str) -> None:
    assert 200 < FIRST_HASHED <= innovation((), left, right, op) < 2**53


def test_a_taken_number_is_avoided_always_in_the_same_way() -> None:
    first = innovation((), 1, 2, "a")
    second = innovation([Gene("a", (), (), first)], 1, 2, "a")
    third = innovation([Gene("a", (), (), first), Gene("a", (), (), second)], 1, 2, "a")
    assert len({first, second, third}) == 3
    assert innovation([Gene("b", (), (), 7), Gene("a", (), (), first)], 1, 2, "a") == second


def test_neighbours() -> None:
    genes = [Gene("a", (), (), 5), Gene("a", (), (), 9)]
    assert [neighbours(genes, i) for i in range(3)] == [(0, 5), (5, 9), (9, 0)]


def test_relatives_stay_aligned(convnet: SearchSpace) -> None:
    """In two lines of a common ancestor, genes that both have kept have one number."""
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(20):
        lines = [sample(convnet, rng)] * 2
        for _ in range(5):
            lines = [mutate(convnet, genome, rng)[0] for genome in lines]
        a, b = ({gene.innovation for gene in genome["features"]} for genome in lines)
        shares.append(len(a & b) / max(1, min(len(a), len(b))))
    assert sum(shares) / len(shares) > 0.7
