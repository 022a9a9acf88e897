"""What may guide evolution: a surrogate, or nothing."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass

from evonas.search.part import Part


@dataclass(frozen=True)
class Guide(Part, ABC):
    """The family of the setting `guide`: every surrogate, and `none`."""


@dataclass(frozen=True)
class NoGuide(Guide):
    """Nothing: parents and survivors are chosen by schemes, and each child is trained."""
