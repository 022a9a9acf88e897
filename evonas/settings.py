"""What a config is made of: frozen values, each of which a reader fills from one mapping."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from evonas.words import shown


@dataclass(frozen=True)
class Settings:
    """The base of every section of a config, and of everything that a config writes by name.

    A subclass is a frozen dataclass. Its fields are the keys, its type hints say what is allowed,
    and its docstring is the user's documentation.

    Class attributes:
        older_keys: keys that an older evonas had, each with the field that it means. A config may
            still write them, and no message names them as allowed.
        advice: what messages say behind the keys, such as which of them suffice; may be empty.
    """

    older_keys: ClassVar[Mapping[str, str]] = {}
    advice: ClassVar[str] = ""

    def problems(self) -> dict[str, str]:
        """What is wrong between these settings, by key; empty if nothing is.

        A key may have dots: `mutation.operators`.
        """
        return {}


@dataclass(frozen=True)
class OlderSettings(Settings, ABC):
    """Settings under a name that an older evonas had.

    A config may still write them, and no message names them as allowed.
    """

    @abstractmethod
    def meant(self) -> Settings:
        """The settings that a config writes for the same today."""


@dataclass(frozen=True)
class Check:
    """A rule that annotates the type of a setting.

    Attributes:
        problem: function from a value to what is wrong with it, or to an empty text.
    """

    problem: Callable[[Any], str]


def path_problem(path: str | None) -> str:
    """Why this word cannot be a path; empty if it can."""
    # `Path.resolve` raises ValueError on a NUL, and Linux refuses paths of 4096 characters.
    if path is None:
        return ""
    if "\0" not in path and len(path) < 4096:
        return ""
    return f"must be a path of less than 4096 characters, without NUL. Received: {shown(path)}."
