"""The head of a recorded config: what those who look at a run need.

It is read without the settings of strategies, pools and evaluators, whose classes take longer to
import than a record of some thousand trials takes to read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evonas.errors import InvalidRecord
from evonas.runtime.config.limits_config import BudgetConfig
from evonas.runtime.config.objective_config import (
    ConstraintConfig,
    ObjectiveConfig,
    expanded,
    to_objectives,
)
from evonas.runtime.config.settings import Builder
from evonas.settings import Settings
from evonas.trial import Objective


@dataclass(frozen=True)
class ConfigHead(Settings):
    """Some keys of a `RunConfig`, with the same meaning."""

    run: str
    budget: BudgetConfig
    objective: ObjectiveConfig
    objectives: tuple[ObjectiveConfig, ...] = ()
    constraints: Mapping[str, ConstraintConfig] = field(default_factory=dict)

    def to_objectives(self) -> tuple[Objective, ...]:
        """All objectives; the first one carries the constraints."""
        return to_objectives(self.objectives or (self.objective,), self.constraints)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ConfigHead:
        """The head of the config that `RunConfig.to_json` gave.

        Raises:
            InvalidRecord: the data are no such config, or one of another version of evonas.
        """
        names = {item.name for item in dataclasses.fields(cls)}
        # In a record everything is written out, so nothing has to be known of the evaluator.
        known = expanded(data, measures=False)
        builder = Builder({})
        head = builder.build(cls, {name: known[name] for name in known if name in names})
        if not isinstance(head, ConfigHead):
            raise InvalidRecord(unreadable(builder))
        return head


def unreadable(builder: Builder) -> str:
    """Why a recorded config cannot be read: the first issue of its builder."""
    issue = builder.issues[0]
    place = ".".join(map(str, issue.path))
    return f"the config in the record cannot be read: {place}: {issue.message}"
