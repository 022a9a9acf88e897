"""Folds: each sample beside the test is for validation once; what does not fit is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.arrays import Arrays
from evonas.data.folding import FOLDS_OF_FEW, default_folds, folds_of
from evonas.data.prepared import FILES, FOLDS, DataSettings, Prepared, prepare
from evonas.data.sources import Npz
from evonas.data.splits import SPLITS, Random, Shares, Split, Stratified
from evonas.data.splits.chronological import Chronological
from evonas.data.splits.grouped import Grouped
from evonas.data.splits.k_fold import KFold
from evonas.errors import InvalidConfig, InvalidData
from evonas.runtime.config.config_file import load_config
from evonas.testing.runs import write_config

N = 120
X = np.random.default_rng(0).normal(size=(N, 4))
Y = np.arange(N) % 3
GROUPS = np.repeat(np.arange(20), 6)
SHARES = Shares(seed=3, test=0.15)


def prepared(
    tmp_path: Path, folds: int | None = 4, split: Split | None = None, **arrays: Any
) -> Prepared:
    path = tmp_path / "data.npz"
    np.savez(path, **{"x": X, "y": Y, **arrays})
    settings = DataSettings("vector", Npz(str(path)), None, SHARES, split, folds)
    return prepare(settings, tmp_path / "run")


def stored(tmp_path: Path, name: str) -> Any:
    return np.load(tmp_path / "run" / name, allow_pickle=False)


def rows_of(x: Any) -> list[int]:
    """Which samples of `X` these are."""
    return [int(np.flatnonzero((X.astype(np.float32) == row).all(axis=1))[0]) for row in x]


def test_each_sample_is_stored_once_and_is_for_validation_once(tmp_path: Path) -> None:
    found = prepared(tmp_path)
    assert found.counts == {"train": 102, "test": 18}
    assert not (tmp_path / "run" / FILES["validation"][0]).exists()
    fold_of = stored(tmp_path, FOLDS)
    assert np.bincount(fold_of).tolist() in ([26, 26, 25, 25], [26, 25, 26, 25], [25, 26, 25, 26])
    y = stored(tmp_path, FILES["train"][1])
    for fold in range(4):
        assert np.ptp(np.bincount(y[fold_of == fold])) <= 1
    pool = rows_of(stored(tmp_path, FILES["train"][0]))
    test = rows_of(stored(tmp_path, FILES["test"][0]))
    assert sorted(pool + test) == list(range(N))
    assert {*found.files} >= {FOLDS, *FILES["train"], *FILES["test"]}
    # What is measured for the entrance comes from the samples of all folds.
    fitted = json.loads((tmp_path / "run" / "data" / "fitted.json").read_text())
    np.testing.assert_allclose(fitted["mean"], X[pool].mean(axis=0), rtol=1e-5)


def test_they_are_those_of_the_split_k_fold(tmp_path: Path) -> None:
    prepared(tmp_path)
    fold_of, y = stored(tmp_path, FOLDS), stored(tmp_path, FILES["train"][0])
    for fold in range(4):
        (tmp_path / str(fold)).mkdir()
        prepared(tmp_path / str(fold), None, KFold(4, fold))
        validation = stored(tmp_path / str(fold), FILES["validation"][0])
        np.testing.assert_array_equal(validation, y[fold_of == fold])


@pytest.mark.parametrize("split", [None, Grouped()])
def test_groups_stay_whole(tmp_path: Path, split: Split | None) -> None:
    prepared(tmp_path, split=split, groups=GROUPS)
    pool = rows_of(stored(tmp_path, FILES["train"][0]))
    fold_of = stored(tmp_path, FOLDS)
    for group in set(GROUPS[pool].tolist()):
        assert len(set(fold_of[GROUPS[pool] == group].tolist())) == 1
    assert not set(GROUPS[pool]) & set(GROUPS[rows_of(stored(tmp_path, FILES["test"][0]))])


def test_a_test_set_of_the_source_is_kept(tmp_path: Path) -> None:
    found = prepared(tmp_path, x_test=X[:9], y_test=Y[:9])
    assert found.counts == {"train": N, "test": 9}
    assert len(stored(tmp_path, FOLDS)) == N


def test_other_folds_are_another_fingerprint(tmp_path: Path) -> None:
    cases: list[tuple[int | None, Split | None]] = [(None, None), (3, None), (4, None)]
    cases += [(4, Random()), (4, Stratified())]
    assert len({prepared(tmp_path, *case).fingerprint for case in cases}) == 5


REFUSED: dict[str, tuple[int, Split | None, dict[str, Any], str, list[str]]] = {
    "validation is given": (
        4,
        None,
        {"x_val": X[:6], "y_val": Y[:6]},
        "x_val",
        ["`data.folds` makes its own", "Allowed: x and x_test"],
    ),
    "more folds than of a class": (50, None, {}, "y", ["samples of class 0 for 50 folds"]),
    "more folds than groups": (19, None, {"groups": GROUPS}, "groups", ["Received: 17"]),
    "groups that nobody reads": (4, Random(), {"groups": GROUPS}, "groups", ["would not be read"]),
    "no groups": (4, Grouped(), {}, "groups", ["is missing"]),
    "stratified quantities": (4, Stratified(), {"y": X[:, 0]}, "y", ["Received: quantities"]),
    "a class in one group": (
        4,
        None,
        {"groups": GROUPS, "y": np.where(GROUPS == 7, 2, np.arange(N) % 2)},
        "y",
        ["few samples of class 2"],
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_with_its_array(tmp_path: Path, case: str) -> None:
    folds, split, arrays, key, words = REFUSED[case]
    with pytest.raises(InvalidData) as caught:
        prepared(tmp_path, folds, split, **arrays)
    first = caught.value.problems[0]
    assert (first.key, first.file) == (key, str(tmp_path / "data.npz"))
    for word in words:
        assert word in first.message


WRONG_KEYS: dict[str, tuple[list[str], str, str]] = {
    "in the order of time": (["split=chronological", "folds=3"], "folds", "split chronological"),
    "nothing to draw": (["split=given", "folds=3"], "folds", "split given"),
    "k_fold has its own": (["split={k_fold: {folds: 5}}", "folds=3"], "folds", "split k_fold"),
    "folds of a time": (["time=time", "folds=3"], "folds", "time time"),
    "one fold": (["folds=1"], "folds", "at least 2"),
    "a share beside": (["folds=3", "validation=0.3"], "validation", "0.3 and 3 folds"),
    "group and time": (["group=groups", "time=time"], "time", "group groups and time time"),
    "groups unread": (["group=groups", "split=random"], "group", "split random"),
    "a time unread": (["time=time", "split=grouped"], "time", "split grouped"),
    "another array": (["group=patient"], "group", "Allowed groups"),
    "another time": (["time=day"], "time", "Allowed time"),
}


@pytest.mark.parametrize("case", WRONG_KEYS)
def test_keys_that_do_not_fit_together_are_refused(tmp_path: Path, case: str) -> None:
    changes, key, words = WRONG_KEYS[case]
    with pytest.raises(InvalidConfig) as caught:
        load_config(write_config(tmp_path), [f"data.{change}" for change in changes])
    (problem,) = caught.value.problems
    assert problem.key == f"data.{key}"
    assert words in problem.message.translate({ord("`"): None, ord('"'): None, ord(":"): None})


@pytest.mark.parametrize(
    ("changes", "expected", "folds"),
    [
        (["group=groups"], Grouped(), None),
        (["time=time"], Chronological(), None),
        (["group=groups", "folds=3"], Grouped(), 3),
        (["group=groups", "split=grouped"], Grouped(), None),
        (["folds=3"], None, 3),
    ],
)
def test_the_short_keys_mean_a_split(
    tmp_path: Path, changes: list[str], expected: Split | None, folds: int | None
) -> None:
    loaded = load_config(write_config(tmp_path), [f"data.{change}" for change in changes])
    settings = loaded.data_settings()
    assert (settings.split, settings.folds) == (expected, folds)


def test_folds_come_by_themselves_only_where_nothing_is_said_and_no_class_is_rare() -> None:
    def folds(task: str | None = None, shares: Shares = SHARES, **arrays: Any) -> int | None:
        return folds_of(Arrays("here", **{"x": X, "y": Y, **arrays}), None, task, shares)

    assert folds() == folds("classification") == folds(y=X[:, 0]) == FOLDS_OF_FEW
    assert folds(shares=Shares(validation=0.3)) is None
    assert folds(groups=GROUPS) is folds(time=GROUPS) is folds("forecasting") is None
    assert folds(x_val=X[:9], y_val=Y[:9]) is None
    assert folds(y=np.where(np.arange(N) < 4, 3, Y)) is None


def test_small_data_get_folds_where_nobody_says_how_they_are_split() -> None:
    assert default_folds(1999, None, ()) == FOLDS_OF_FEW
    assert default_folds(1999, Stratified(), ["test"]) == FOLDS_OF_FEW
    assert default_folds(2000, None, ()) is None
    assert default_folds(100, None, ["validation"]) is None
    others = {"grouped", "chronological", "given", "k_fold"}
    assert {default_folds(100, SPLITS[name](), ()) for name in others} == {None}
