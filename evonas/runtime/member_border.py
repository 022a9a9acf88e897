"""The border to a member of a plugin: what breaks its contract is told as the plugin's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from evonas.errors import InvalidConfig, Issue
from evonas.evaluate.contract.raised import quoted, text_of
from evonas.words import excerpt


@dataclass(frozen=True)
class MemberBorder:
    """Where a member of a plugin meets evonas.

    Attributes:
        name: name of the member, `package.module:Name`.
        section: section of the config that names it.
        file: the config's file; empty if it is not known.
    """

    name: str
    section: str
    file: str = ""

    def call(self, method: str, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        """What a method of the member gives.

        Raises:
            InvalidConfig: the method does not take these arguments.
            Exception: whatever the method raises.
        """
        try:
            return function(*args, **named)
        except TypeError as error:
            place = error.__traceback__
            # Raised further within, it is an error of the method's own.
            if place is not None and place.tb_next is not None:
                raise
            words = f"{method} cannot be called as its base class says: {excerpt(text_of(error))}"
            raise self._error(words) from error

    def make(self, kind: type[Any], method: str, function: Callable[..., Any], *args: Any) -> Any:
        """What a method of the member makes, which must be of this class.

        Raises:
            InvalidConfig: as for `call`, or it is of another class.
        """
        made = self.call(method, function, *args)
        if not isinstance(made, kind):
            raise self.refusal(method, f"a {kind.__name__}", made)
        return made

    def expect(self, is_met: bool, method: str, allowed: str, received: object) -> None:
        """Refuse what a method has given, unless it is as the base class says.

        Raises:
            InvalidConfig: it is not.
        """
        if not is_met:
            raise self.refusal(method, allowed, received)

    def refusal(self, method: str, allowed: str, received: object) -> InvalidConfig:
        """The error that says what a method must give, and what it has given."""
        return self._error(f"{method} must give {allowed}. Received: {quoted(received)}.")

    def _error(self, message: str) -> InvalidConfig:
        return InvalidConfig(Issue(message, f"{self.section}.{self.name}", self.file))


def is_count(value: object, least: int = 0) -> bool:
    """Whether this is an integer of at least so much. For Python, True and False are integers."""
    return type(value) is int and value >= least
