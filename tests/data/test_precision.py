"""What 32-bit floats and the normalization would make equal: refused or told, with the column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evonas.data import raw
from evonas.data.arrays import Arrays
from evonas.data.columns import measure
from evonas.data.precision import MOST_NAMED, Precision, judge
from evonas.data.sources import SHIPPED
from evonas.learning.tasks import TASKS
from evonas.memory import Memory

N = 400
RNG = np.random.default_rng(0)
STEPS = np.linspace(-1, 1, N)
GOOD = RNG.normal(size=N)


def judged(
    *features: Any,
    y: Any = STEPS,
    task: str = "regression",
    kind: str = "vector",
    **more: Any,
) -> Precision:
    x = np.column_stack(features) if features else GOOD[:, np.newaxis]
    return judge(Arrays("data.npz", more.pop("x", x), y, **more), kind, TASKS[task])


COARSE: dict[str, Any] = {
    "a moment within a minute": 1.7e9 + 40 * STEPS,
    "a moment, as an integer": (1.7e9 + 40 * STEPS).astype(np.int64),
    "numbers of members": 10**12 + np.arange(N),
    "days of a year as one number": 20240100 + np.arange(N) % 28,
    "a long double": np.longdouble(1.7e9) + 40 * STEPS.astype(np.longdouble),
}


@pytest.mark.parametrize("case", COARSE)
def test_what_a_conversion_makes_equal_is_refused_with_its_feature(case: str) -> None:
    (issue,) = judged(GOOD, COARSE[case], GOOD).issues
    assert (issue.key, issue.file) == ("x", "data.npz")
    assert issue.message.startswith("feature 1 (counted from 0) differs by less than 32-bit")
    assert "subtract an offset" in issue.message


@pytest.mark.parametrize("case", COARSE)
def test_targets_are_refused_as_well_unless_they_are_labels(case: str) -> None:
    (issue,) = judged(y=COARSE[case]).issues
    assert issue.key == "y"
    assert "the targets differ by less than 32-bit" in issue.message
    assert not judged(y=COARSE[case], task="classification").issues


def test_integers_that_64_bit_floats_cannot_tell_are_refused() -> None:
    (issue,) = judged(x=np.arange(N, dtype=np.uint64)[:, np.newaxis] + 10**17).issues
    assert "feature 0" in issue.message


def test_several_features_are_named_up_to_a_number() -> None:
    (issue,) = judged(*[1.7e9 + STEPS] * (MOST_NAMED + 3)).issues
    assert issue.message.startswith("features 0, 1, 2, 3, 4 and 3 more (counted from 0) differ")
    assert "values of feature 0 have a size of up to 1.7e+09" in issue.message


@pytest.mark.parametrize(("kind", "shape"), [("image", (N, 2, 2, 3)), ("sequence", (N, 4, 3))])
def test_channels_are_the_columns_of_images_and_sequences(
    kind: str, shape: tuple[int, ...]
) -> None:
    x = np.random.default_rng(1).normal(size=shape)
    x[..., 2] += 1e10
    (issue,) = judged(x=x, kind=kind).issues
    assert issue.message.startswith("channel 2 (counted from 0)")


FINE: dict[str, Any] = {
    "fractions": GOOD,
    "32-bit floats": (1.7e9 + 4000 * STEPS).astype(np.float32),
    "a moment within a year": 1.7e9 + 1.5e7 * STEPS,
    "random numbers of 60 bits": RNG.integers(0, 10**18, N),
    "heavy tails": RNG.standard_cauchy(N),
    "many sizes": np.exp(3 * GOOD),
    "a missing value as -999": np.where(np.arange(N) == 7, -999.0, GOOD),
    "one of many": np.arange(N) == 7,
    "few members": 16_000_000 + np.arange(N),
}


@pytest.mark.parametrize("case", FINE)
def test_nothing_is_said_where_nothing_is_lost(case: str) -> None:
    assert judged(GOOD, FINE[case]) == Precision((), ())


@pytest.mark.parametrize(
    ("feature", "value"),
    [
        (np.full(N, 0.1), "0.1"),
        (np.full(N, 10**17), "1e+17"),
        # All of these moments are one 32-bit float.
        ((1.7e9 + 40 * STEPS).astype(np.float32), "1.7e+09"),
        (np.full(N, True), "1"),
    ],
)
def test_a_feature_with_one_value_is_told(feature: Any, value: str) -> None:
    words = f"has the value {value} in all samples, and so tells a network nothing."
    note = f"x: feature 1 (counted from 0) {words}"
    assert judged(GOOD, feature) == Precision((), (note,))


def test_constant_features_and_channels_are_named_up_to_a_number() -> None:
    x = np.zeros((N, MOST_NAMED + 4), np.uint8)
    x[N // 2, 2] = 1
    # What the test set holds does not make a feature useful that is constant in training.
    (note,) = judged(x=x, x_test=x + 1, y_test=STEPS).notes
    assert note == (
        "x: features 0, 1, 3, 4, 5 and 3 more (counted from 0) have one value each in all samples,"
        " and so tell a network nothing."
    )
    opaque = np.random.default_rng(2).integers(0, 255, (N, 2, 2, 4)).astype(np.uint8)
    opaque[..., 3] = 255
    (note,) = judged(x=opaque, kind="image").notes
    assert note.startswith("x: channel 3 (counted from 0) has the value 255 in all samples")


TOLD: dict[str, tuple[Any, str]] = {
    "a missing value as 1e10": (
        np.where(np.arange(N) == 7, 1e10, GOOD),
        f"{N} distinct values, of {N} compared, become ",
    ),
    "a constant that was computed": (0.1 + 1e-16 * np.arange(N), "become 1. "),
    "many members": (np.r_[np.arange(N - 1) + 20_000_001, 0], "become equal"),
    "farads": (1e-12 * GOOD, "vary too little to be seen"),
    "the noise of zeros": (1e-17 * GOOD, "the model divides by 1e-07"),
}


@pytest.mark.parametrize("case", TOLD)
def test_what_the_normalization_makes_equal_is_told_with_its_feature(case: str) -> None:
    feature, words = TOLD[case]
    precision = judged(GOOD, feature)
    assert not precision.issues
    (note,) = precision.notes
    assert note.startswith("x: values of feature 1 (counted from 0) ")
    assert words in note


def test_an_outlier_among_the_targets_is_told() -> None:
    precision = judged(y=np.where(np.arange(N) == 7, 1e12, STEPS))
    (note,) = precision.notes
    assert note.startswith("y: values of the targets become equal")
    assert not precision.issues


def test_targets_without_a_scale_are_refused() -> None:
    (issue,) = judged(y=1e-20 * GOOD).issues
    assert "use a smaller unit" in issue.message
    assert not judged(y=1e-12 * GOOD).issues


def test_a_small_test_set_is_measured_together_with_the_others() -> None:
    moments = 1.7e9 + 1.5e7 * STEPS
    x_test = np.array([[0.1, 1.7e9 + 1], [0.1000001, 1.7e9 + 2]])
    fine = judged(GOOD, moments, x_test=x_test, y_test=STEPS[:2])
    assert fine == Precision((), ())


def test_no_shipped_data_set_loses_anything() -> None:
    for source in SHIPPED.values():
        arrays = source().read(Memory())
        kind = "image" if arrays.x.ndim == 3 else "vector"
        assert judge(arrays, kind, TASKS["regression"]) == Precision((), ())


def test_pieces_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.column_stack([1.7e9 + GOOD, np.full(N, 3.0), STEPS])
    whole = measure([x], 3)
    monkeypatch.setattr(raw, "CHUNK", 9)
    pieces = measure([x[:100], x[100:]], 3)
    for name in ("mean", "deviation"):
        np.testing.assert_allclose(
            getattr(pieces, name), getattr(whole, name), rtol=1e-9, atol=1e-12
        )
    for name in ("varies", "size", "rounding"):
        np.testing.assert_array_equal(getattr(pieces, name), getattr(whole, name))
    assert whole.varies.tolist() == [True, False, True]
    np.testing.assert_array_equal(
        whole.rounding, np.abs(x - x.astype(np.float32).astype(np.float64)).max(axis=0)
    )
