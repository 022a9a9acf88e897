"""Rungs and brackets as data: the published tables, and who goes on."""

from __future__ import annotations

import pytest

from evonas.genome import decode
from evonas.search.rungs import best, bracket, brackets, distinct, lengths, promotable
from evonas.testing import settled
from evonas.trial import Fidelity, Lineage, Proposal, rank

LI_2017 = {
    4: [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    3: [(27, 3), (9, 9), (3, 27), (1, 81)],
    2: [(9, 9), (3, 27), (1, 81)],
    1: [(6, 27), (2, 81)],
    0: [(5, 81)],
}
"""Table 1 of Li et al. (2017): (n_i, r_i) by bracket s, for R = 81 and a reduction factor of 3."""


@pytest.fixture
def trial(small_space, loss):
    def make(id, value, place=None, twin_of=None):
        """A trial whose genome differs with `place`; None fails."""
        point = [0.5] * small_space.dimension
        point[-1], point[1] = (0.1, 0.9)[(place or id) % 2], ((place or id) // 2 % 3 + 0.5) / 3
        point[-2] = ((place or id) % 50 + 0.5) / 50
        point[-3] = 0.1
        proposal = Proposal(decode(small_space, point), Fidelity(1), Lineage(("sample",)))
        return settled(loss, id, proposal, value, twin_of=twin_of)

    return make


def test_hyperbands_brackets_are_the_published_table():
    found = {
        len(b.rungs) - 1: [(rung.places, rung.epochs) for rung in b.rungs] for b in brackets(81, 3)
    }
    assert found == LI_2017
    assert [b.level for b in brackets(81, 3)] == [0, 1, 2, 3, 4]


def test_the_first_bracket_is_successive_halving_with_a_budget_of_its_own():
    first = brackets(81, 3)[0]
    assert first == bracket(81, 3, 1, 4, 81)
    assert first.epochs == 81 + 27 * 2 + 9 * 6 + 3 * 18 + 54, (
        "epochs, where nobody is trained twice"
    )


@pytest.mark.parametrize(
    ("most", "factor", "least", "expected"),
    [
        (81, 3, 1, (1, 3, 9, 27, 81)),
        (81, 3, 2, (3, 9, 27, 81)),
        (12, 3, 1, (1, 4, 12)),
        (16, 2, 4, (4, 8, 16)),
        (100, 4, 1, (1, 6, 25, 100)),
        (2, 3, 1, (2,)),
        (1, 2, 1, (1,)),
        (243, 3, 1, (1, 3, 9, 27, 81, 243)),  # log(243) / log(3) is 4.999...
    ],
)
def test_lengths(most, factor, least, expected):
    assert lengths(most, factor, least) == expected
    plan = brackets(most, factor, least)
    assert len(plan) == len(expected)
    for each in plan:
        assert tuple(rung.epochs for rung in each.rungs) == expected[each.level :]
        assert all(rung.places >= 1 for rung in each.rungs)
        assert all(
            b.places == a.places // factor for a, b in zip(each.rungs, each.rungs[1:], strict=False)
        )


def test_the_best_go_on_and_failures_never_do(trial):
    rung = [trial(0, 0.5), trial(1, None), trial(2, 0.1), trial(3, 0.3), trial(4, 0.3)]
    assert best(rung, 3) == [2, 3, 4], "of equal ones the older first"
    assert best(rung, 9) == [2, 3, 4, 0]
    assert best([trial(1, None)], 1) == []


def test_a_genome_has_one_place_on_a_rung(trial):
    rung = [trial(0, 0.2, place=7), trial(1, 0.2, place=7, twin_of=0), trial(2, 0.4)]
    assert [one.id for one in distinct(rung)] == [0, 2]
    assert best(rung, 2) == [0, 2]


def test_promotable_is_the_best_share_without_those_who_have_gone(trial):
    values = (0.9, 0.2, 0.4, None, 0.3, 0.8, 0.7)
    ranked = sorted((trial(id, value) for id, value in enumerate(values)), key=rank)
    assert promotable(ranked, 3) == [1, 4]
    assert promotable(ranked, 3, {1}) == [4]
    assert promotable(ranked, 2, {1, 4}) == [2]
    assert promotable(ranked[:2], 3) == []
    failed = [trial(id, None) for id in range(6)]
    assert promotable(failed, 3) == []


def test_the_share_is_one_of_all_on_the_rung_failures_included(trial):
    values = (None, 0.2, None, None, 0.3, None)
    ranked = sorted((trial(id, value) for id, value in enumerate(values)), key=rank)
    assert promotable(ranked, 3) == [1, 4]
    assert promotable(ranked, 6) == [1]
