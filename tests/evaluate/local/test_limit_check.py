"""Random networks against the limits: what is counted, said and remembered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evonas.evaluate.local.limit_check import Measured, as_text, count, from_text

LIMITS = {"parameters": 1000, "flops": 5000}
SMALL = {"parameters": 1000, "flops": 5000}
WIDE = {"parameters": 1001, "flops": 4000}
SLOW = {"parameters": 900, "flops": 77777}


def test_a_network_is_within_if_no_limit_is_broken() -> None:
    found = count(LIMITS, [SMALL, WIDE, SLOW, SLOW, None], {"a": SMALL})
    assert (found.drawn, found.within, found.unbuilt) == (5, 1, 1)
    assert found.beyond == {"parameters": 1, "flops": 2}
    assert found.least == {"parameters": 900, "flops": 4000}
    assert found.hardest == "flops"
    assert not found.is_hopeless
    words = "1 of 5 random networks have at most 1,000 parameters and 5,000 flops."
    assert found.share() == words


def test_without_any_network_within_the_limits_and_the_smallest_are_named() -> None:
    found = count(LIMITS, [WIDE, SLOW, SLOW, None], {})
    assert found.is_hopeless
    assert found.refusal().startswith(
        "none of 4 random networks is within the limits: 2 of them have more than 5,000 flops"
        " (the smallest has 4,000), 1 of them has more than 1,000 parameters (the smallest has 900)"
        " and 1 cannot be built. Raise the limit,"
    )


def test_a_seed_genome_that_is_within_is_a_beginning() -> None:
    found = count(LIMITS, [WIDE, WIDE], {"a": SLOW, "b": SMALL, "c": None})
    assert not found.is_hopeless
    assert found.share().endswith("and 5,000 flops, and 1 of 3 seed genomes.")
    beyond = count(LIMITS, [WIDE, WIDE], {"a": SLOW})
    assert beyond.is_hopeless
    assert "none of 2 random networks is within the limits, and none of 1 seed genome: 2" in (
        beyond.refusal()
    )


def test_limits_are_not_blamed_for_networks_that_cannot_be_built() -> None:
    assert not count(LIMITS, [None, None], {}).is_hopeless


def test_what_was_found_is_remembered_and_nonsense_is_not() -> None:
    found = count(LIMITS, [WIDE, SMALL], {})
    assert from_text(as_text(found)) == found
    # An older evonas has written the bare number. The cache holds 1,000 characters of a thing.
    large = dict.fromkeys(LIMITS, 10**18)
    most = replace(found, limits=large, beyond=large, least=large)
    assert len(as_text(most)) < 1000
    for text in (None, "", "12", "{}", "[1]", as_text(found)[:-1]):
        assert from_text(text) is None


@pytest.mark.parametrize("name", ["parameters", "flops"])
def test_one_limit_is_enough(name: str) -> None:
    found = count({name: 1}, [SMALL], {})
    assert isinstance(found, Measured)
    assert found.hardest == name


def test_founders_beyond_the_limits_are_named_with_their_sizes() -> None:
    found = count(LIMITS, [SMALL], {"a": SLOW, "b": SMALL, "c": None})
    assert found.about_founders({"slow": "a", "small": "b", "odd": "c", "unmeasured": "d"}) == [
        "the founder slow has 77,777 flops, and at most 5,000 are allowed. Its trial will be"
        " infeasible.",
        "the founder odd cannot be built for these data. Its trial will be infeasible.",
    ]
