"""A choice by name, as a config writes it.

It stands by itself: whoever reads a config needs it, and need not import the strategies.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Named:
    """A name with settings, for things whose settings do not tell their name.

    Attributes:
        name: name in the registry.
        settings: instance of the settings that belong to the name.
    """

    name: str
    settings: Any
