"""What a parameter of an op may be: one of a few values, or a number in a range.

Each parameter is laid out on the unit interval.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from evonas.genome.genome import Value
from evonas.genome.prior import Prior, Shares, curve

OFF_SHARE = 0.25
"""The part of the unit interval, at its lower end, that stands for a number's `off`.

A prior may give `off` another part.
"""

_STEPS = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Standard deviations of a perturbation on the unit interval, in the order of trying."""

_NOT_WORDS = frozenset({"true", "false", "null"})
_MOST_SHOWN = 20


def is_number(value: object) -> bool:
    """An int or a float, and no truth value."""
    # For Python, True is an int.
    if isinstance(value, bool):
        return False
    return isinstance(value, int | float)


def value_text(value: Value) -> str:
    """A value as it is written in YAML, so that true, 1, 1.0 and the word "1" read differently."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    if _is_plain(value):
        return value
    return f'"{value}"'


def _is_plain(word: str) -> bool:
    """Whether the word needs no quotes in YAML."""
    letters = word.replace("_", "")
    if not letters.isalnum():
        return False
    if word[0].isdigit():
        return False
    return word.lower() not in _NOT_WORDS


class Parameter(Protocol):
    """A decision about one value.

    `from_unit` takes every u in [0, 1], 0 and 1 included, to an allowed value. For every allowed
    v, `from_unit(to_unit(v)) == v`. A coordinate of the unit cube is such a u.
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
        """The allowed value that a person meant, or None.

        A person may write an int for a float, or more digits than are kept.
        """

    def perturb(self, value: Value, rng: np.random.Generator) -> Value:
        """Another value near this one; the same only if there is no other."""

    def describe(self) -> str:
        """What is allowed, in words, for an error message."""

    @property
    def default(self) -> Value | None:
        """The value that means "without it", or None if there is no such value.

        A seed genome that does not name the parameter has this value.
        """

    @property
    def flat(self) -> Parameter:
        """The same parameter without its prior: neighbours on its scale have equal distances."""

    @property
    def likely(self) -> str:
        """What the prior says, in words; empty without one."""


@dataclass(frozen=True)
class Choice:
    """One of a few values: all words, all truth values, or all numbers.

    Attributes:
        values: at least one, all different; numbers are in rising order.
        weights: how often each value is drawn, relative to the others; empty if all are alike.
    """

    values: tuple[Value, ...]
    weights: tuple[float, ...] = ()

    @functools.cached_property
    def _index(self) -> dict[tuple[type, Value], int]:
        """The place of each value; the type is in the key, because 1 == 1.0 == True."""
        index: dict[tuple[type, Value], int] = {}
        for i, value in enumerate(self.values):
            key = (type(value), value)
            index[key] = i
        return index

    @functools.cached_property
    def ordered(self) -> bool:
        """Whether neighbours are alike: true for numbers, false for words and truth values."""
        return all(map(is_number, self.values))

    @property
    def default(self) -> Value | None:
        """A switch is off unless it is named; any other choice has no default."""
        for value in self.values:
            if not isinstance(value, bool):
                return None
        return False if False in self.values else None

    @functools.cached_property
    def _shares(self) -> Shares:
        """The part of the unit interval of each value, if there are weights."""
        return Shares(self.weights)

    @property
    def flat(self) -> Self:
        """See `Parameter`."""
        return replace(self, weights=()) if self.weights else self

    @property
    def likely(self) -> str:
        """See `Parameter`."""
        if not self.weights:
            return ""
        weights = ", ".join(f"{weight:g}" for weight in self.weights)
        return f"drawn as {weights}"

    def from_unit(self, u: float) -> Value:
        """See `Parameter`."""
        if self.weights:
            return self.values[self._shares.piece(u)]
        n = len(self.values)
        place = int(u * n)
        # For u = 1.0 the place is one too far.
        place = min(place, n - 1)
        return self.values[place]

    def to_unit(self, value: Value) -> float:
        """See `Parameter`."""
        if not self.contains(value):
            raise ValueError(f"must be {self.describe()}. Received: {value_text(value)}")
        place = self._index[type(value), value]
        if self.weights:
            return self._shares.middle(place)
        return (place + 0.5) / len(self.values)

    def contains(self, value: object) -> bool:
        """See `Parameter`."""
        # This first: other types need not be hashable.
        if not isinstance(value, str | int | float):
            return False
        return (type(value), value) in self._index

    def admit(self, value: object) -> Value | None:
        """See `Parameter`."""
        for known in self.values:
            if known != value:
                continue
            # An int is as good as a float, but 1 is not as good as true.
            are_numbers = is_number(known) and is_number(value)
            if are_numbers or type(known) is type(value):
                return known
        return None

    def perturb(self, value: Value, rng: np.random.Generator) -> Value:
        """A neighbour of a number (at an end: the only one); any other word, by its weight."""
        i = self._index[type(value), value]
        n = len(self.values)
        if n == 1:
            return value
        if not self.ordered and self.weights:
            # A new word is a fresh draw, so it follows the prior. A step between numbers does not.
            weights = [*self.weights[:i], *self.weights[i + 1 :]]
            others = [*self.values[:i], *self.values[i + 1 :]]
            return others[Shares(weights).piece(rng.random())]
        if not self.ordered:
            step = 1 + int(rng.integers(n - 1))
            return self.values[(i + step) % n]
        step = 1 if rng.random() < 0.5 else -1
        j = i + step
        if not 0 <= j < n:
            # Beyond an end: the neighbour on the other side.
            j = i - step
        return self.values[j]

    def describe(self) -> str:
        """See `Parameter`."""
        n = len(self.values)
        first = self.values[:_MOST_SHOWN]
        shown = ", ".join(map(value_text, first))
        if n > _MOST_SHOWN:
            shown += ", ..."
        if n == 1:
            return shown
        return f"one of {shown}"


@dataclass(frozen=True)
class Number:
    """An int or a float in [low, high], optionally on a log scale, optionally with an `off`.

    Floats are rounded when they are made. On a log scale 4 significant digits are kept, otherwise
    4 or 5 digits of the range's width. So the printed value is the trained value, and a genome
    survives the unit cube unchanged.

    Attributes:
        low: the smallest value.
        high: the largest value, above `low`.
        log: whether steps are factors; `low` is above 0 then.
        integer: whether values are ints, each with an equal share of the (log) scale.
        off: a value outside of [low, high] that switches something off; None if there is none.
        prior: which values of the range are likely; None if all are alike on the (log) scale.
        off_share: the part of the draws that are `off`.
    """

    low: float
    high: float
    log: bool = False
    integer: bool = False
    off: float | None = None
    prior: Prior | None = None
    off_share: float = OFF_SHARE

    @functools.cached_property
    def _ends(self) -> tuple[float, float]:
        """The ends of the scale on which the unit interval is laid."""
        # Ints need half a step on each side; otherwise the first and the last get half a share.
        margin = 0.5 if self.integer else 0.0
        low = self.low - margin
        high = self.high + margin
        if self.log:
            return math.log(low), math.log(high)
        return low, high

    @functools.cached_property
    def _digits(self) -> int:
        """Decimal places that are kept on a linear scale; negative for a very wide range."""
        width = self.high - self.low
        before_point = math.floor(math.log10(width))
        return 4 - before_point

    @functools.cached_property
    def _curve(self) -> Shares | None:
        """The prior, laid on the scale; None without one."""
        if self.prior is None:
            return None
        a, b = self._ends
        median = self.prior.median
        spread = self.prior.spread
        if self.log:
            median = math.log(median)
            spread = math.log(spread)
        return curve((median - a) / (b - a), spread / (b - a))

    @functools.cached_property
    def flat(self) -> Number:
        """See `Parameter`."""
        if self.prior is None and self.off_share == OFF_SHARE:
            return self
        return replace(self, prior=None, off_share=OFF_SHARE)

    @property
    def likely(self) -> str:
        """See `Parameter`."""
        words = []
        if self.prior is not None:
            within = "within a factor of" if self.log else "give or take"
            words.append(f"about {self.prior.median:g} {within} {self.prior.spread:g}")
        if self.off_share != OFF_SHARE:
            words.append(f"off in {100 * self.off_share:g} % of draws")
        return ", ".join(words)

    @property
    def default(self) -> Value | None:
        """`off`, if there is one."""
        return self.off

    def _rounded(self, value: float) -> int | float:
        """The allowed value nearest to this one; `off` is not among them."""
        if self.integer:
            nearest = round(value)
            return int(min(max(nearest, self.low), self.high))
        if self.log:
            rounded = float(f"{value:.3e}")
        else:
            rounded = round(value, self._digits)
        # Rounding may step over an end.
        inside = min(max(rounded, self.low), self.high)
        # Adding 0.0 turns -0.0 into 0.0.
        return float(inside) + 0.0

    def from_unit(self, u: float) -> Value:
        """See `Parameter`."""
        if self.off is not None:
            if u < self.off_share:
                return self.off
            u = (u - self.off_share) / (1 - self.off_share)
        # The ends are exact, because exp(log(low)) may lie outside of the range.
        if not self.integer:
            if u == 0.0:
                return self._rounded(self.low)
            if u == 1.0:
                return self._rounded(self.high)
        if self._curve is not None:
            u = self._curve.even(u)
        a, b = self._ends
        value = a + u * (b - a)
        if self.log:
            value = math.exp(value)
        return self._rounded(value)

    def to_unit(self, value: Value) -> float:
        """See `Parameter`."""
        if not self.contains(value):
            raise ValueError(f"must be {self.describe()}. Received: {value_text(value)}")
        if self.off is not None and value == self.off:
            return self.off_share / 2
        a, b = self._ends
        number = float(value)
        if self.log:
            number = math.log(number)
        u = (number - a) / (b - a)
        u = min(max(u, 0.0), 1.0)
        if self._curve is not None:
            u = self._curve.uneven(u)
        if self.off is None:
            return u
        return self.off_share + u * (1 - self.off_share)

    def contains(self, value: object) -> bool:
        """See `Parameter`."""
        # Not `isinstance`: True is no int here.
        wanted = int if self.integer else float
        if type(value) is not wanted:
            return False
        assert isinstance(value, int | float)
        if value == self.off:
            return True
        if not self.low <= value <= self.high:
            return False
        # A value with more digits than are kept would not come back from the unit interval.
        return self._rounded(value) == value

    def admit(self, value: object) -> Value | None:
        """See `Parameter`."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        if self.integer and value != int(value):
            return None
        if self.off is not None and value == self.off:
            return self.off
        if self.low <= value <= self.high:
            return self._rounded(value)
        return None

    def perturb(self, value: Value, rng: np.random.Generator) -> Value:
        """A Gaussian step on the number's own scale, made wider until the value differs.

        The prior has no part in it: a step means the same near the median and far from it.
        """
        flat = self.flat
        u = flat.to_unit(value)
        for step in _STEPS:
            moved = u + float(rng.normal()) * step
            inside = min(max(moved, 0.0), 1.0)
            new = flat.from_unit(inside)
            if new != value:
                return new
        # No step had an effect: the lowest value, or the highest if it is the lowest already.
        lowest = 0.0
        if self.off is not None:
            lowest = OFF_SHARE
        low = flat.from_unit(lowest)
        if low != value:
            return low
        return flat.from_unit(1.0)

    def describe(self) -> str:
        """See `Parameter`."""
        kind = "an integer" if self.integer else "a number"
        low = value_text(self.low)
        high = value_text(self.high)
        words = f"{kind} in [{low}, {high}]"
        if self.off is not None:
            words += f" or {value_text(self.off)}"
        return words
