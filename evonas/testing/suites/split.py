"""What every split promises; `evonas.data.splits.Split` says it in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from evonas.data.splits import Samples, Shares, Split
from evonas.testing.suites.suite import Suite, check_light

SHARES = Shares(seed=3, validation=0.25, test=0.15)


class SplitSuite(Suite):
    """The suite of a split.

    Class attributes:
        members: pairs of a split and samples that it can split, by name.
    """

    members: ClassVar[Mapping[str, tuple[Split, Samples]]]

    def test_samples_that_fit_are_not_refused(self, member: tuple[Split, Samples]) -> None:
        split, samples = member
        assert list(split.misfits(samples, SHARES)) == []
        assert all(isinstance(note, str) for note in split.notes(samples))

    def test_each_part_has_samples_and_no_sample_is_in_two(
        self, member: tuple[Split, Samples]
    ) -> None:
        split, samples = member
        parts = split.parts(samples, SHARES)
        assert {*parts, *samples.given} == {"train", "validation", "test"}
        for indices in parts.values():
            assert len(indices) > 0
            assert (np.diff(indices) > 0).all(), "in the order of the source"
            assert 0 <= indices[0] <= indices[-1] < samples.count
        drawn = np.concatenate(list(parts.values()))
        assert len(np.unique(drawn)) == len(drawn)

    def test_the_same_arguments_give_the_same_parts(self, member: tuple[Split, Samples]) -> None:
        split, samples = member
        first = split.parts(samples, SHARES)
        # What a split draws comes from the seed of the shares alone.
        np.random.seed(1)
        second = split.parts(samples, SHARES)
        assert first.keys() == second.keys()
        for part, indices in first.items():
            assert np.array_equal(indices, second[part])

    def test_the_samples_are_left_alone(self, member: tuple[Split, Samples]) -> None:
        split, samples = member
        copies = {}
        for name in ("strata", "groups", "time"):
            array = getattr(samples, name)
            if array is not None:
                copies[name] = array.copy()
        given = replace(samples, **copies)
        split.parts(given, SHARES)
        for name, array in copies.items():
            assert np.array_equal(array, getattr(samples, name))

    def test_what_it_needs_is_an_array_beside_the_samples(
        self, member: tuple[Split, Samples]
    ) -> None:
        split, _ = member
        assert {*split.needs, *split.takes} <= {"groups", "time"}

    def test_the_driver_has_it_without_keras(self, member: tuple[Split, Samples]) -> None:
        split, _ = member
        check_light(split)
