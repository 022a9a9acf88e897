"""Splits: which samples each part gets, and what does not fit is refused with its array."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.arrays import Arrays
from evonas.data.prepared import FILES, DataSettings, Prepared, prepare
from evonas.data.sources import Npz
from evonas.data.splits import SPLITS, Parts, Samples, Shares, Split
from evonas.data.splits.chronological import Chronological
from evonas.data.splits.given import Given
from evonas.data.splits.grouped import Grouped
from evonas.data.splits.k_fold import KFold
from evonas.data.splits.random import Random
from evonas.data.splits.stratified import Stratified
from evonas.data.splitting import about_groups
from evonas.errors import InvalidData

N = 120
SHARES = Shares(seed=3, validation=0.25, test=0.15)
CLASSES = np.arange(N) % 3
GROUPS = np.repeat(np.array([f"patient {k}" for k in range(20)]), 6)
TIME = np.arange(N)[::-1] // 4
SAMPLES = Samples(N)
LABELLED = Samples(N, ("a", "b", "c"), CLASSES)
FULL = replace(LABELLED, groups=GROUPS, time=TIME)
GIVEN = replace(LABELLED, given=frozenset({"validation", "test"}))
WITH_TEST = replace(FULL, given=frozenset({"test"}))

FITTING: dict[str, tuple[Split, Samples]] = {
    "random": (Random(), SAMPLES),
    "random classes": (Random(), LABELLED),
    "stratified": (Stratified(), LABELLED),
    "grouped": (Grouped(), FULL),
    "chronological": (Chronological(), FULL),
    "chronological in order": (Chronological(), SAMPLES),
    "chronological before a test set": (Chronological(), WITH_TEST),
    "given": (Given(), GIVEN),
    "k_fold": (KFold(4, 2), SAMPLES),
    "k_fold of classes": (KFold(4, 2), LABELLED),
    "k_fold of groups": (KFold(4, 2), FULL),
    "k_fold beside a test set": (KFold(4, 2), WITH_TEST),
}


def test_every_split_is_held_to_the_contract() -> None:
    assert {type(split) for split, _ in FITTING.values()} == set(SPLITS.values())


@pytest.mark.parametrize("case", FITTING)
def test_each_sample_is_in_one_part_and_the_seed_decides(case: str) -> None:
    split, samples = FITTING[case]
    assert split.misfits(samples, SHARES) == []
    parts = split.parts(samples, SHARES)
    assert {*parts, *samples.given} == {"train", "validation", "test"}
    everything = np.concatenate(list(parts.values()))
    assert sorted(everything) == list(range(N))
    for name, indices in split.parts(samples, SHARES).items():
        np.testing.assert_array_equal(indices, parts[name])
        assert (np.diff(indices) > 0).all(), "in the order of the source"
    other = split.parts(samples, replace(SHARES, seed=4))
    differ = [name for name in parts if not np.array_equal(other[name], parts[name])]
    assert bool(differ) == (not isinstance(split, Chronological | Given))


def test_shares_are_of_all_samples() -> None:
    for split in (Random(), Stratified(), Chronological()):
        parts = split.parts(LABELLED, SHARES)
        assert {name: len(found) for name, found in parts.items()} == {
            "train": 72,
            "validation": 30,
            "test": 18,
        }
    assert len(Random().parts(WITH_TEST, SHARES)["train"]) == 90


def test_stratified_parts_have_as_much_of_each_class() -> None:
    for indices in Stratified().parts(LABELLED, SHARES).values():
        assert np.ptp(np.bincount(CLASSES[indices])) == 0


def test_no_group_is_in_two_parts() -> None:
    parts = Grouped().parts(FULL, SHARES)
    groups = [set(GROUPS[indices]) for indices in parts.values()]
    assert sum(map(len, groups)) == 20
    assert [len(parts[name]) for name in ("train", "validation", "test")] == [72, 30, 18]


def test_the_past_is_trained_on_and_the_latest_tested() -> None:
    parts = Chronological().parts(FULL, SHARES)
    train, validation, test = (TIME[parts[name]] for name in ("train", "validation", "test"))
    # Samples of one time stay together, so that a part may get a few more.
    assert train.max() < validation.min() <= validation.max() < test.min()
    assert len(test) == 20
    dates = np.datetime64("2024-01-01") + TIME
    again = Chronological().parts(replace(FULL, time=dates), SHARES)
    np.testing.assert_array_equal(again["test"], parts["test"])


def test_folds_take_turns_and_share_their_test_data() -> None:
    folds = KFold(4).all_parts(FULL, SHARES)
    assert len(folds) == 4
    for number, parts in enumerate(folds):
        np.testing.assert_array_equal(parts["test"], folds[0]["test"])
        np.testing.assert_array_equal(
            KFold(4, number).parts(FULL, SHARES)["validation"], parts["validation"]
        )
        assert not set(GROUPS[parts["train"]]) & set(GROUPS[parts["validation"]])
    turns = np.concatenate([parts["validation"] for parts in folds])
    assert sorted([*turns, *folds[0]["test"]]) == list(range(N))
    for parts in KFold(4).all_parts(LABELLED, SHARES):
        assert np.ptp(np.bincount(CLASSES[parts["validation"]])) <= 1


X = np.random.default_rng(0).normal(size=(N, 4))


def prepared(tmp_path: Path, split: Split | None, **arrays: Any) -> Prepared:
    path = tmp_path / "data.npz"
    arrays = {"x": X, "y": CLASSES, **arrays}
    np.savez(path, **arrays)
    return prepare(DataSettings("vector", Npz(str(path)), None, SHARES, split), tmp_path / "run")


def test_validation_data_of_the_source_are_used(tmp_path: Path) -> None:
    given = {"x_val": np.full((6, 4), 7.0), "y_val": np.arange(6) % 3}
    result = prepared(tmp_path, None, **given)
    assert result.counts == {"train": 102, "validation": 6, "test": 18}
    x, y = (np.load(tmp_path / "run" / name) for name in FILES["validation"])
    assert (x == 7).all()
    assert y.tolist() == [0, 1, 2, 0, 1, 2]
    assert result.fingerprint != prepared(tmp_path, None).fingerprint
    tests = {"x_test": np.full((3, 4), 9.0), "y_test": np.arange(3)}
    whole = prepared(tmp_path, Given(), **given, **tests)
    assert whole.counts == {"train": N, "validation": 6, "test": 3}


def test_another_split_is_another_fingerprint(tmp_path: Path) -> None:
    splits = (None, Random(), KFold(4), KFold(4, 1))
    assert len({prepared(tmp_path, split).fingerprint for split in splits}) == 4


def test_that_the_order_counts_as_time_is_told(tmp_path: Path) -> None:
    (note,) = prepared(tmp_path, Chronological()).notes
    assert note.startswith("x: there is no array `time`")
    assert prepared(tmp_path, Chronological(), time=TIME).notes == ()


def test_a_class_in_fewer_groups_than_folds_is_told(tmp_path: Path) -> None:
    # The last class is in the last three groups alone, of which one may be for the test.
    y = np.where(np.arange(N) % 7 == 0, 2, CLASSES % 2)
    y[: N - 18] %= 2
    (note,) = prepared(tmp_path, KFold(4), y=y, groups=GROUPS).notes
    assert note == (
        "y: class 2 is in 3 groups, fewer than there are folds (4): not each fold has it."
    )


HALF = {"x_val": X[:6], "y_val": CLASSES[:6]}
REFUSED: dict[str, tuple[Split | None, dict[str, Any], str, list[str]]] = {
    "random of two": (Random(), {"x": X[:2], "y": CLASSES[:2]}, "y", ["at least one", "2 in all"]),
    "stratified quantities": (
        Stratified(),
        {"y": X[:, 0]},
        "y",
        ["Allowed: `split: random`", "Received: quantities"],
    ),
    "no groups": (Grouped(), {}, "groups", ["is missing", "Found: x, y"]),
    "groups of another length": (
        Grouped(),
        {"groups": GROUPS[:9]},
        "groups",
        ["one group for each sample", "Received: shape (9,); x has 120"],
    ),
    "groups of floats": (Grouped(), {"groups": X[:, 0]}, "groups", ["Received: dtype float64"]),
    "two groups": (
        Grouped(),
        {"groups": CLASSES // 2},
        "groups",
        ["too few groups", "Received: 2 in all"],
    ),
    "groups that nobody reads": (
        None,
        {"groups": GROUPS},
        "groups",
        ["would not be read", "Allowed: `split: grouped` or `split: k_fold`"],
    ),
    "times that nobody reads": (Random(), {"time": TIME}, "time", ["`split: chronological`"]),
    "no time": (
        Chronological(),
        {"time": np.where(TIME == 3, np.nan, TIME)},
        "time",
        ["without NaN", "Received: nan at time["],
    ),
    "all at one time": (Chronological(), {"time": TIME * 0}, "time", ["too few samples"]),
    "chronological with validation alone": (Chronological(), HALF, "x_val", ["Received: x_val"]),
    "given without a test set": (Given(), HALF, "x_test", ["is missing", "Received: x, x_val."]),
    "k_fold beside validation": (KFold(), HALF, "x_val", ["k_fold makes its own"]),
    "more folds than groups": (
        KFold(19),
        {"groups": GROUPS},
        "groups",
        ["19 folds", "Received: 17"],
    ),
    "more folds than of each class": (
        KFold(4),
        {
            "x": X[:9],
            "y": np.repeat(["a", "b", "c"], 3),
            "groups": np.arange(9),
            "x_test": X[:3],
            "y_test": np.array(["a", "b", "c"]),
        },
        "y",
        ["samples of class 'a' for 4 folds", "Received: 3"],
    ),
    "more folds than of a class": (KFold(50), {}, "y", ["samples of class 0", "Received: 34"]),
    "a class of the future": (Chronological(), {"y": np.arange(N) // 118}, "y", ["none is left"]),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_with_its_array(tmp_path: Path, case: str) -> None:
    split, arrays, key, words = REFUSED[case]
    with pytest.raises(InvalidData) as caught:
        prepared(tmp_path, split, **arrays)
    first = caught.value.problems[0]
    assert (first.key, first.file) == (key, str(tmp_path / "data.npz"))
    for word in words:
        assert word in first.message


@dataclass(frozen=True)
class Sorting(Split):
    """Sorts in place what it is given."""

    array: str

    needs = ("groups", "time")

    def parts(self, samples: Samples, shares: Shares) -> Parts:
        getattr(samples, self.array).sort()
        return Random().parts(samples, shares)


@pytest.mark.parametrize("array", ["strata", "groups", "time"])
def test_a_split_only_reads_the_arrays(tmp_path: Path, array: str) -> None:
    with pytest.raises(InvalidData, match=r"has raised ValueError: .* read-only"):
        prepared(tmp_path, Sorting(array), groups=GROUPS, time=TIME)


@dataclass(frozen=True)
class Giving(Split):
    """Gives what it is made with."""

    method: str
    value: Any

    def misfits(self, samples: Samples, shares: Shares) -> Any:
        return self.value if self.method == "misfits" else []

    def notes(self, samples: Samples) -> Any:
        return self.value if self.method == "notes" else ()

    def parts(self, samples: Samples, shares: Shares) -> Any:
        parts = Random().parts(samples, shares)
        return {**parts, **self.value} if self.method == "parts" else parts


WRONG: dict[str, tuple[str, Any, str]] = {
    "a misfit without a message": ("misfits", ["x"], "pairs of words"),
    "no misfits": ("misfits", None, "pairs of words.* Received: None"),
    "no notes": ("notes", None, r"notes\(\) must give sentences. Received: None"),
    "letters": ("notes", "abc", "must give sentences. Received: 'abc'"),
    "another part": ("parts", {"more": [1]}, "train, validation and test. Received: .*'more'"),
    "fractions": ("parts", {"test": [0.5]}, r"Received: dtype float64 and shape \(1,\) for test"),
    "one index": ("parts", {"test": 3}, r"a row of integers. Received: .*\(\) for test"),
    "no index": ("parts", {"test": []}, "Received: none for test"),
    "an index too many": ("parts", {"test": [N]}, f"indices below {N}"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_plugins_split_gives_is_checked(tmp_path: Path, case: str) -> None:
    method, value, words = WRONG[case]
    with pytest.raises(InvalidData, match=words):
        prepared(tmp_path, Giving(method, value))


def test_samples_drawn_for_a_part_that_is_given_are_told(tmp_path: Path) -> None:
    tests = {"x_test": np.full((3, 4), 9.0), "y_test": np.arange(3)}
    drawn = {"train": [*range(100)], "validation": [100, 101], "test": [*range(102, N)]}
    result = prepared(tmp_path, Giving("parts", drawn), **tests)
    assert result.counts == {"train": 100, "validation": 2, "test": 3}
    assert result.notes == ("x: 18 samples are in no part.",)


@pytest.mark.parametrize("are_apart", [False, True])
def test_groups_that_a_given_part_may_share_are_told(are_apart: bool) -> None:
    x = np.arange(N)[:, None]
    plain = Arrays("here", x, CLASSES, groups=GROUPS)
    told = about_groups(replace(plain, x_test=x, y_test=CLASSES, are_apart=are_apart))
    assert len(told) == (not are_apart)
    assert all("whether samples of x_test are of the same groups" in note for note in told)
    assert about_groups(plain) == ()
