from __future__ import annotations

import pytest

from evonas.genome.wiring import Chain, Dag, Skip


def test_a_chain_decides_nothing() -> None:
    assert Chain().legal(5) == ((),)
    assert Chain().from_unit(5, 0.9) == ()


def test_skips_come_from_before_the_predecessor_nearest_first() -> None:
    skip = Skip(2)
    assert skip.legal(0) == ((),)
    assert skip.legal(1) == ((), (-1,))
    assert skip.legal(3) == ((), (1,), (0,), (-1,), (1, 0), (1, -1), (0, -1))


@pytest.mark.parametrize("most", [1, 2, 3, 9])
@pytest.mark.parametrize("i", range(9))
def test_the_count_is_the_length_and_every_tuple_survives_the_unit_interval(
    i: int, most: int
) -> None:
    skip = Skip(most)
    legal = skip.legal(i)
    assert skip.count(i) == len(legal) == len(set(legal))
    for inputs in legal:
        assert skip.from_unit(i, skip.to_unit(i, inputs)) == inputs
    assert {skip.from_unit(i, k / 999) for k in range(500)} == {()}
    assert skip.from_unit(i, 1.0) == legal[-1]


def test_a_dag_takes_any_earlier_output_or_input_also_twice() -> None:
    assert Dag(2, 2).legal(0) == ((-1, -1), (-1, -2), (-2, -2))
    assert Dag(2, 1).legal(1) == ((0, 0), (0, -1), (-1, -1))
    assert Dag(1, 1).legal(2) == ((1,), (0,), (-1,))


@pytest.mark.parametrize(("inputs", "sources"), [(1, 1), (2, 1), (2, 2), (3, 1), (4, 2)])
@pytest.mark.parametrize("i", range(6))
def test_every_tuple_of_a_dag_survives_the_unit_interval(i: int, inputs: int, sources: int) -> None:
    dag = Dag(inputs, sources)
    legal = dag.legal(i)
    assert dag.count(i) == len(legal) == len(set(legal))
    assert all(tuple(sorted(drawn, reverse=True)) == drawn for drawn in legal)
    for drawn in legal:
        assert dag.from_unit(i, dag.to_unit(i, drawn)) == drawn
    assert (dag.from_unit(i, 0.0), dag.from_unit(i, 1.0)) == (legal[0], legal[-1])
