"""Functions of the user's own, found by name in the modules that may be imported."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Any

from evonas.errors import UserError


def function_of(what: str, name: str, plugins: Iterable[str]) -> Callable[..., Any]:
    """The function `package.module:function`; imports its module.

    Args:
        what: what it is for, for messages: `op`.
        plugins: modules that may be imported; no other module is.

    Raises:
        UserError: the module may not be imported, or it or the function is missing.
    """
    module, _, function = name.partition(":")
    allowed = tuple(plugins)
    # Before the import, which runs the module's code.
    if module not in allowed:
        raise UserError(
            f"{what} {name!r}: the module {module!r} is not among the plugins: "
            f"{', '.join(allowed) or 'none'}."
        )
    try:
        imported = importlib.import_module(module)
        found = getattr(imported, function, None)
    except ImportError as error:
        raise UserError(
            f"{what} {name!r}: the module {module!r} cannot be imported: {error}"
        ) from error
    if not callable(found):
        raise UserError(f"{what} {name!r}: the module {module!r} has no function {function!r}.")
    return found  # type: ignore[no-any-return]  # any callable of the user's
