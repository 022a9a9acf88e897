"""Insight: what happened in a run, told from its trials alone.

An **insight** is a pure function of trials: a graph (`genealogy.genealogy`), a text
(`genealogy.to_text`), a picture (`climb.climb_svg`) or plain numbers (`summary.summarize`).
Nothing here opens a record, builds a network or draws a random number. The same trials always give
the same insight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.lazy import exports

if TYPE_CHECKING:
    from evonas.insight.climb import climb_svg
    from evonas.insight.expected_picture import expected_svg
    from evonas.insight.front import Box, hypervolumes, pareto_front
    from evonas.insight.front_picture import front_svg
    from evonas.insight.summary import summarize

__all__ = [
    "Box",
    "climb_svg",
    "expected_svg",
    "front_svg",
    "hypervolumes",
    "pareto_front",
    "summarize",
]

# Lazy: the driver imports single modules of this room at its start.
__getattr__, __dir__ = exports(
    __name__,
    {
        "Box": "evonas.insight.front",
        "climb_svg": "evonas.insight.climb",
        "expected_svg": "evonas.insight.expected_picture",
        "front_svg": "evonas.insight.front_picture",
        "hypervolumes": "evonas.insight.front",
        "pareto_front": "evonas.insight.front",
        "summarize": "evonas.insight.summary",
    },
)
