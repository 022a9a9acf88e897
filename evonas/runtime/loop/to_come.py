"""What the trainings to come will cost: a search goes on from what is good.

Children resemble their parents: they are as large, and train for as many epochs. So they cost what
good networks cost. That is often more than a random one, which learns nothing and is soon given up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def likely_parents(ranked: Sequence[T]) -> Sequence[T]:
    """Those of a population that its children will resemble: the best third, at least one.

    Parents win a tournament, and so did their own parents. By far most are of the best third.

    Args:
        ranked: the population, the best first.
    """
    return ranked[: math.ceil(len(ranked) / 3)]
