from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evonas.genome import Choice, Number
from evonas.genome.genome import same_value
from evonas.genome.parameters import Parameter, value_text
from evonas.genome.prior import Prior

UNIT = st.floats(0, 1)
PARAMETERS: list[Parameter] = [
    Choice((6, 8, 16, 32)),
    Choice((0.5, 1)),
    Choice(("relu", "tanh", "1", "true")),
    Choice((False, True)),
    Choice(("only",)),
    Number(1e-6, 1e-2, log=True),
    Number(1e-6, 1e-2, log=True, off=0.0),
    Number(0.05, 0.5, off=0.0),
    Number(-1.0, 1.0),
    Number(1.0005, 1.0105, log=True),
    Number(0.10085, 1.0, log=True),  # low is half way between two roundings
    Number(0.123456789, 0.987654321),
    Number(16, 256, log=True, integer=True),
    Number(1, 5, integer=True, off=0),
    Number(-3, 3, integer=True),
    Number(1, 10**12, log=True, integer=True, off=0),
    Number(-(10**12), 10**12, integer=True),
    Number(-1e300, 1e300),
    Number(1e-300, 1e300, log=True),
    Number(1e-6, 1e-2, log=True, off=0.0, prior=Prior(1e-6, 1.5), off_share=0.9),
    Number(0.05, 0.5, off=0.0, prior=Prior(0.5, 0.01)),
    Number(-1e300, 1e300, prior=Prior(0.0, 1e299)),
    Number(1, 10**12, log=True, integer=True, off=0, prior=Prior(10.0, 4.0)),
    Number(-3, 3, integer=True, prior=Prior(2.5, 0.5)),
    Choice(("relu", "tanh", "1"), (1000.0, 1.0, 0.001)),
    Choice((False, True), (1.0, 3.0)),
]


@pytest.mark.parametrize("parameter", PARAMETERS, ids=repr)
@given(u=UNIT)
def test_every_place_gives_a_value_that_survives_the_way_back(
    parameter: Parameter, u: float
) -> None:
    value = parameter.from_unit(u)
    assert parameter.contains(value)
    back = parameter.to_unit(value)
    assert 0 <= back <= 1
    assert same_value(parameter.from_unit(back), value)
    admitted = parameter.admit(value)
    assert admitted is not None
    assert same_value(admitted, value)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=repr)
@given(u=UNIT, seed=st.integers(0, 1000))
def test_a_perturbation_is_another_allowed_value(parameter: Parameter, u: float, seed: int) -> None:
    value = parameter.from_unit(u)
    new = parameter.perturb(value, np.random.default_rng(seed))
    assert parameter.contains(new)
    assert not same_value(new, value) or parameter == Choice(("only",))


@settings(max_examples=300)
@given(
    low=st.floats(1e-300, 1e300),
    factor=st.floats(1.01, 1e6),
    log=st.booleans(),
    u=UNIT,
    off=st.sampled_from([None, 0.0]),
)
def test_any_float_range(low: float, factor: float, log: bool, u: float, off: float | None) -> None:
    assume(low * factor < 1e300)
    number = Number(low, low * factor, log, off=off)
    value = number.from_unit(u)
    assert value == off or number.low <= float(value) <= number.high
    assert number.from_unit(number.to_unit(value)) == value


def test_the_ends_are_reached() -> None:
    number = Number(1e-5, 1e-1, log=True)
    assert (number.from_unit(0.0), number.from_unit(1.0)) == (1e-5, 1e-1)
    assert Choice((1, 2)).from_unit(1.0) == 2
    units = Number(16, 256, log=True, integer=True)
    assert (units.from_unit(0.0), units.from_unit(1.0)) == (16, 256)


def test_floats_are_rounded_when_they_are_made() -> None:
    rng = np.random.default_rng(0)
    for u in rng.random(200):
        value = Number(1e-6, 1e-2, log=True).from_unit(u)
        assert value == float(f"{value:.3e}")
        linear = Number(0.05, 0.5).from_unit(u)
        assert isinstance(linear, float)
        assert linear == round(linear, 5)


def test_no_minus_zero() -> None:
    number = Number(-1.0, 1.0)
    assert math.copysign(1, float(number.from_unit(0.5 - 1e-9))) == 1


def test_off_has_a_quarter_of_the_interval() -> None:
    number = Number(0.05, 0.5, off=0.0)
    assert number.from_unit(0.2499) == 0.0
    assert number.from_unit(0.25) == 0.05
    assert number.to_unit(0.0) == 0.125
    assert number.default == 0.0


def test_defaults() -> None:
    assert Choice((False, True)).default is False
    assert Choice((True,)).default is None
    assert Choice((0, 1)).default is None
    assert Number(1.0, 2.0).default is None


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (Choice((1, 2)), 1.0),
        (Choice((1, 2)), True),
        (Choice((1.0, 2.0)), 1),
        (Choice((False, True)), 1),
        (Choice(("1",)), 1),
        (Choice((1, 2)), None),
        (Choice((1, 2)), [1]),
        (Number(1, 5, integer=True), 2.0),
        (Number(1, 5, integer=True), True),
        (Number(1.0, 5.0), 2),
        (Number(1.0, 5.0), 5.5),
        (Number(1.0, 5.0), math.nan),
        (Number(1.0, 5.0), 1.123456789),
        (Number(1.0, 5.0, off=0.0), 0),
    ],
)
def test_other_values_and_other_types_are_not_contained(parameter: Parameter, value: Any) -> None:
    assert not parameter.contains(value)
    if isinstance(value, str | int | float):
        with pytest.raises(ValueError, match="must be"):
            parameter.to_unit(value)


@pytest.mark.parametrize(
    ("parameter", "written", "meant"),
    [
        (Choice((0.5, 1.0)), 1, 1.0),
        (Choice((1, 2)), 1.0, 1),
        (Choice((1, 2)), True, None),
        (Choice((False, True)), 0, None),
        (Choice(("a", "b")), "c", None),
        (Number(1.0, 5.0), 2, 2.0),
        (Number(1.0, 5.0, off=0.0), 0, 0.0),
        (Number(1.0, 5.0), 1.123456789, 1.1235),
        (Number(1.0, 5.0), 6, None),
        (Number(1, 5, integer=True), 2.0, 2),
        (Number(1, 5, integer=True), 2.5, None),
        (Number(1, 5, integer=True), "2", None),
        (Number(1, 5, integer=True), True, None),
    ],
)
def test_what_an_author_meant(parameter: Parameter, written: Any, meant: Any) -> None:
    assert same_value(parameter.admit(written), meant)


def test_neighbours_of_numbers_any_other_word() -> None:
    rng = np.random.default_rng(0)
    numbers, words = Choice((1, 2, 4, 8)), Choice(("a", "b", "c", "d"))
    assert {numbers.perturb(2, rng) for _ in range(50)} == {1, 4}
    assert {numbers.perturb(1, rng) for _ in range(50)} == {2}
    assert {numbers.perturb(8, rng) for _ in range(50)} == {4}
    assert {words.perturb("a", rng) for _ in range(100)} == {"b", "c", "d"}


def test_a_step_is_on_the_numbers_own_scale() -> None:
    rng = np.random.default_rng(0)
    steps = [
        math.log10(float(Number(1e-5, 1e-1, log=True).perturb(1e-3, rng)) / 1e-3)
        for _ in range(500)
    ]
    assert 0.3 < float(np.std(steps)) < 0.5  # 0.1 of four decades
    assert abs(float(np.mean(steps))) < 0.1


def test_words_for_values() -> None:
    assert [value_text(v) for v in (1, 1.0, True, "relu", "true", "1", "", "a b")] == [
        *("1", "1.0", "true", "relu", '"true"', '"1"', '""', '"a b"')
    ]
    assert Number(16, 256, log=True, integer=True).describe() == "an integer in [16, 256]"
    assert Number(0.05, 0.5, off=0.0).describe() == "a number in [0.05, 0.5] or 0.0"
    assert Choice((1, 3, 5)).describe() == "one of 1, 3, 5"
