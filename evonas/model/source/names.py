"""Names of variables in a program."""

from __future__ import annotations

import builtins
import keyword
import re

_TAKEN = ("keras", "layer", "layers", "math", "json", "model")
"""Names that the program has for something else."""


class Names:
    """Gives each name once."""

    def __init__(self) -> None:
        self._given = set(_TAKEN)

    def new(self, wanted: str) -> str:
        """A name for a variable that is like the wanted one."""
        name = re.sub(r"\W+", "_", wanted, flags=re.ASCII).strip("_").lower() or "x"
        if name[0].isdigit() or keyword.iskeyword(name):
            name = f"x_{name}"
        if name in dir(builtins):
            # `inputs` for `input`, which is a function of Python.
            name = f"{name}s"
        found = name
        number = 2
        while found in self._given:
            found = f"{name}_{number}"
            number += 1
        self._given.add(found)
        return found
