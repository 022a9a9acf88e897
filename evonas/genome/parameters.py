"""What a parameter of an op may be: one of a few values, or a number in a range, each laid out on the unit interval."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from evonas.genome.genome import Value, same_value

OFF_SHARE = 0.25
"""The part of the unit interval, at its lower end, that stands for a number's `off`."""

_STEPS = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Standard deviations of a perturbation on the unit interval; the next one is tried where a step changed nothing."""


def is_number(value: object) -> bool:
    """An int or a float, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def value_text(value: Value) -> str:
    """A value as it is written in YAML, so that true, 1, 1.0 and the word "1" read differently."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        plain = (
            value.replace("_", "").isalnum()
            and not value[0].isdigit()
            and value.lower() not in _NOT_WORDS
        )
        return value if plain else f'"{value}"'
    return repr(value)


_NOT_WORDS = frozenset({"true", "false", "null"})


class Parameter(Protocol):
    """A decision about one value.

    `from_unit` takes every u in [0, 1], 0 and 1 included, to an allowed value, and `from_unit(to_unit(v)) == v` for
    every allowed v. A coordinate of the unit cube is such a u.
    """

    def from_unit(self, u: float) -> Value:
        """The value at this place of the unit interval."""

    def to_unit(self, value: Value) -> float:
        """The middle of the places that give this value (for a float: the place).

        Raises:
            ValueError: the value is not allowed.
        """

    def contains(self, value: object) -> bool:
        """Whether exactly this value, also in type, can come from `from_unit`."""

    def admit(self, value: object) -> Value | None:
        """The allowed value that somebody meant who wrote this one (an int for a float, more digits); None for none."""

    def perturb(self, value: Value, rng: np.random.Generator) -> Value:
        """Another value near this one; the same only where there is no other."""

    def describe(self) -> str:
        """What is allowed, in words, for an error message."""

    @property
    def default(self) -> Value | None:
        """The value that means "without it", for a seed genome that does not name the parameter; None for none."""


@dataclass(frozen=True)
class Choice:
    """One of a few values: all words, all truth values, or all numbers, which are then in rising order.

    Attributes:
        values: at least one, all different.
    """

    values: tuple[Value, ...]

    @functools.cached_property
    def _index(self) -> dict[tuple[type, Value], int]:
        return {(type(value), value): i for i, value in enumerate(self.values)}

    @functools.cached_property
    def ordered(self) -> bool:
        """Whether neighbours are alike: true for numbers, false for words and truth values."""
        return all(map(is_number, self.values))

    @property
    def default(self) -> Value | None:
        """A switch is off unless it is named; any other choice has no default."""
        return (
            False
            if all(isinstance(value, bool) for value in self.values) and False in self.values
            else None
        )

    def from_unit(self, u: float) -> Value:
        """See `Parameter`."""
        return self.values[min(int(u * len(self.values)), len(self.values) - 1)]

    def to_unit(self, value: Value) -> float:
        """See `Parameter`."""
        if not self.contains(value):
            raise ValueError(f"must be {self.describe()}. Received: {value_text(value)}")
        return (self._index[type(value), value] + 0.5) / len(self.values)

    def contains(self, value: object) -> bool:
        """See `Parameter`."""
        return isinstance(value, str | int | float) and (type(value), value) in self._index

    def admit(self, value: object) -> Value | None:
        """See `Parameter`."""
        for known in self.values:
            if known == value and (
                same_value(known, value) or (is_number(known) and is_number(value))
            ):
                return known
        return None

    def perturb(self, value: Value, rng: np.random.Generator) -> Value:
        """A neighbour of a number (at an end: the only one); any other of the words, all alike."""
        i, n = self._index[type(value), value], len(self.values)
        if n == 1:
            return value
        if not self.ordered:
            return self.values[(i + 1 + int(rng.integers(n - 1))) % n]
        j = i + (1 if rng.random() < 0.5 else -1)
        return self.values[j if 0 <= j < n else 2 * i - j]

    def describe(self) -> str:
        """See `Parameter`."""
        shown = ", ".join(map(value_text, self.values[:20])) + (
            ", ..." if len(self.values) > 20 else ""
        )
        return f"one of {shown}" if len(self.values) > 1 else shown


@dataclass(frozen=True)
class Number:
    """An int or a float in [low, high], perhaps on a log scale, perhaps with one value beside the range.

    Floats are rounded when they are made: to 4 significant digits on a log scale, else to 4 or 5 digits of the range's
    width. So what is printed is what was trained, and a genome survives the unit cube unchanged.

    Attributes:
        low: the smallest value.
        high: the largest value, above `low`.
        log: steps are factors; `low` is above 0.
        integer: ints, each with an equal share of the (log) scale.
        off: a value outside of [low, high] that switches something off; None for none.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False
    off: float | None = None

    @functools.cached_property
    def _ends(self) -> tuple[float, float]:
        """The ends of the scale on which the unit interval is laid; for ints half a step wider on each side."""
        margin = 0.5 if self.integer else 0.0
        low, high = self.low - margin, self.high + margin
        return (math.log(low), math.log(high)) if self.log else (low, high)

    @functools.cached_property
    def _digits(self) -> int:
        return 4 - math.floor(math.log10(self.high - self.low))

    @property
    def default(self) -> Value | None:
        """`off`, where there is one."""
        return self.off

    def _rounded(self, value: float) -> int | float:
        if self.integer:
            return int(min(max(round(value), self.low), self.high))
        rounded = float(f"{value:.3e}") if self.log else round(value, self._digits)
        return float(min(max(rounded, self.low), self.high)) + 0.0  # + 0.0: no -0.0

    def from_unit(self, u: float) -> Value:
        """See `Parameter`."""
        if self.off is not None:
            if u < OFF_SHARE:
                return self.off
            u = (u - OFF_SHARE) / (1 - OFF_SHARE)
        if not self.integer and u in (0.0, 1.0):  # exactly: exp(log(low)) may lie outside
            return self._rounded(self.high if u else self.low)
        a, b = self._ends
        value = a + u * (b - a)
        return self._rounded(math.exp(value) if self.log else value)

    def to_unit(self, value: Value) -> float:
        """See `Parameter`."""
        if not self.contains(value):
            raise ValueError(f"must be {self.describe()}. Received: {value_text(value)}")
        if self.off is not None and value == self.off:
            return OFF_SHARE / 2
        a, b = self._ends
        number = float(value)
        u = min(max(((math.log(number) if self.log else number) - a) / (b - a), 0.0), 1.0)
        return u if self.off is None else OFF_SHARE + u * (1 - OFF_SHARE)

    def contains(self, value: object) -> bool:
        """See `Parameter`."""
        if type(value) is not (int if self.integer else float):
            return False
        assert isinstance(value, int | float)
        return value == self.off or (
            self.low <= value <= self.high and self._rounded(value) == value
        )

    def admit(self, value: object) -> Value | None:
        """See `Parameter`."""
        if (
            not isinstance(value, int | float)
            or isinstance(value, bool)
            or (self.integer and value != int(value))
        ):
            return None
        if self.off is not None and value == self.off:
            return self.off
        return self._rounded(value) if self.low <= value <= self.high else None

    def perturb(self, value: Value, rng: np.random.Generator) -> Value:
        """A Gaussian step on the number's own scale, made wider until the value differs."""
        u = self.to_unit(value)
        for step in _STEPS:
            new = self.from_unit(min(max(u + float(rng.normal()) * step, 0.0), 1.0))
            if new != value:
                return new
        low, high = self.from_unit(OFF_SHARE if self.off is not None else 0.0), self.from_unit(1.0)
        return low if low != value else high

    def describe(self) -> str:
        """See `Parameter`."""
        kind = "an integer" if self.integer else "a number"
        beside = f" or {value_text(self.off)}" if self.off is not None else ""
        return f"{kind} in [{value_text(self.low)}, {value_text(self.high)}]{beside}"
