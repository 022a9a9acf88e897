"""The section `evaluator` of a config: what judges genomes instead of trainings by Keras."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from evonas.genome import Value
from evonas.runtime.config.settings import Check, path_problem, shown
from evonas.settings import Settings
from evonas.words import LETTERS

_FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)


def _function_problem(name: str) -> str:
    """Why this is no `package.module:function`; empty if it is."""
    if _FUNCTION.fullmatch(name):
        return ""
    return (
        "must be package.module:function, such as `my_problem:evaluate`, in names of"
        f" {LETTERS}, digits and _. Received: {shown(name)}."
    )


class EvaluatorConfig(Settings):
    """What judges genomes instead of Keras; written by name, `table: {path: results.csv}`."""


@dataclass(frozen=True)
class TableConfig(EvaluatorConfig):
    """Results that are known already, replayed by the simulated pool.

    Attributes:
        path: path of a `.csv` or `.csv.gz` with a row for each genome (docs/evaluators.md).
            In a config's file it is relative to that file.
    """

    path: Annotated[str, Check(path_problem)]


@dataclass(frozen=True)
class PythonConfig(EvaluatorConfig):
    """A function of the user's own.

    It is called with the genome. The keywords `epochs` and `seed` are passed if it takes them.
    It returns a mapping from metrics to numbers; `seconds` in it is the cost of the training.

    Attributes:
        function: name as `package.module:function`; the module must be among the `plugins`.
        arguments: further keyword arguments, the same at every call.
    """

    function: Annotated[str, Check(_function_problem)]
    arguments: Mapping[str, Value] = field(default_factory=dict)

    @property
    def module(self) -> str:
        name = self.function
        return name.partition(":")[0]
