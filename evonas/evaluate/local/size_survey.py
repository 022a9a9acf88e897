"""The sizes of many networks, measured in a process of its own: the driver has no Keras."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.evaluate.local.aside import ask_aside
from evonas.evaluate.local.limit_check import Size
from evonas.evaluate.local.op_check import TIME_LIMIT
from evonas.genome import Genome, SearchSpace
from evonas.learning.interface import Interface

ENDLESS = {"parameters": 2**62}
"""A limit that every network is within: the process measures only where there is one."""


def sizes_of(
    space: SearchSpace,
    interface: Interface,
    genomes: Sequence[Genome],
    plugins: Sequence[str] = (),
    folder: str = "",
) -> list[Size | None]:
    """Parameters and FLOPs of each network; None for one that cannot be built.

    Args:
        plugins: modules that may be imported for ops.
        folder: folder in which they may lie.
    """
    request = {
        "space": space.text,
        "interface": interface.to_json(),
        "plugins": list(plugins),
        "folder": folder,
        "networks": [],
        "limits": ENDLESS,
        "drawn": [genome.to_dict() for genome in genomes],
        "seeds": [],
    }
    found = ask_aside("evonas.evaluate.local.op_check", request, TIME_LIMIT)
    # Code of the user's may have ended the process. Then nothing is known of any network.
    if not isinstance(found.report, dict):
        return [None] * len(genomes)
    sizes: list[Size | None] = found.report["sizes"]["drawn"]
    return sizes
