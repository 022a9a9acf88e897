"""A network as readable Keras code: `model.py`, written from the network's own graph.

The code builds the same network without evonas. Its weights lie beside it.
"""

from __future__ import annotations

from evonas.model.source.errors import CannotWrite
from evonas.model.source.program import Program, program_of

__all__ = ["CannotWrite", "Program", "program_of"]
