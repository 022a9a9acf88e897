"""What `evonas compare` claims, simulated: the short form of `make bench-verdicts`.

The promises are false claims in at most 6 %, and intervals that hold the truth in at least 94 %.
A few thousand draws refute a promise if they would be seen less than once in 1,000 times where it
is kept. The draws are seeded, so that the answer is the same each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from scipy import stats

from benchmarks.verdicts import (
    BANDS,
    KINDS,
    LEAST_COVERED,
    MOST_FALSE,
    PAIRS,
    PRESENT,
    Finals,
    Share,
    band_coverage,
    claims_for_failing,
    coverage,
    false_claims,
)
from evonas.insight.scale import Scale
from evonas.insight.verdict import verdicts

DRAWS = 2000
UNLIKELY = 0.001
LOSSES, ACCURACIES_30, ACCURACIES_100, ACCURACIES_360, TABLE = KINDS


def is_refuted_as_rare(found: Share) -> bool:
    test = stats.binomtest(found.count, found.of, MOST_FALSE, alternative="greater")
    return bool(test.pvalue < UNLIKELY)


def is_refuted_as_covered(found: Share) -> bool:
    test = stats.binomtest(found.count, found.of, LEAST_COVERED, alternative="less")
    return bool(test.pvalue < UNLIKELY)


@pytest.mark.parametrize(
    ("kind", "failures", "strategies", "seeds"),
    [
        (LOSSES, 0.0, 1, 2),
        (LOSSES, 0.0, 3, 3),
        (LOSSES, 0.3, 1, 10),
        (ACCURACIES_30, 0.0, 1, 2),
        (ACCURACIES_30, 0.0, 3, 5),
        (ACCURACIES_100, 0.1, 1, 3),
        (ACCURACIES_360, 0.0, 1, 10),
        (TABLE, 0.0, 1, 2),
        (TABLE, 0.0, 3, 5),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_equal_strategies_are_rarely_told_apart(
    kind: Finals, failures: float, strategies: int, seeds: int
) -> None:
    found = false_claims(PRESENT, kind, failures, strategies, seeds, DRAWS)
    assert not is_refuted_as_rare(found), found


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].name)
@pytest.mark.parametrize("seeds", [2, 5])
def test_an_interval_mostly_holds_the_true_difference(
    pair: tuple[Finals, Finals], seeds: int
) -> None:
    found = coverage(PRESENT, pair, seeds, DRAWS)
    # At two seeds, equal differences have no interval. Half of those of 30 samples are equal.
    assert found.of > 0.5 * DRAWS
    assert not is_refuted_as_covered(found), found


@pytest.mark.parametrize("kind", BANDS[:4], ids=lambda kind: kind.name)
@pytest.mark.parametrize("seeds", [5, 10])
def test_a_band_mostly_holds_the_true_mean(kind: Finals, seeds: int) -> None:
    found = band_coverage(PRESENT, kind, seeds, DRAWS)
    assert found.of == DRAWS
    assert not is_refuted_as_covered(found), found


def test_two_and_three_seeds_have_no_band() -> None:
    for seeds in (2, 3):
        assert band_coverage(PRESENT, LOSSES, seeds, 10).of == 0


def test_a_strategy_that_fails_more_is_rarely_said_to_win() -> None:
    """Its failures were left out once, and it won in a tenth of these experiments."""
    found = claims_for_failing(PRESENT, 5, DRAWS)
    assert found.of > 0.8 * DRAWS
    assert found.count == 0


def uncounted(finals: Mapping[str, Sequence[float]], kind: Finals) -> list[str]:
    """A method with a known fault: each comparison is judged as if it were the only one."""
    *_, reference = finals
    found = verdicts(finals, reference, Scale(kind.objective, is_logarithmic=True))
    return [verdict.better for verdict in found.values() if verdict.is_shown_alone]


def test_such_draws_do_refute_a_method_that_claims_too_much() -> None:
    method = replace(PRESENT, winners=uncounted)
    assert is_refuted_as_rare(false_claims(method, LOSSES, 0.0, 3, 3, DRAWS))
