"""The key `training.stop` of a config: which trainings are stopped before their time, whatever patience says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Lt

from evonas.evaluate.training.learning_curve import LEARNING_CURVE


class StopConfig:
    """Which trainings are stopped; written by name, `learning_curve: {after: 0.5}`."""


@dataclass(frozen=True)
class LearningCurveConfig(StopConfig):
    """Those whose learning curve cannot reach the incumbent that was known when the trial was asked.

    Attributes:
        after: the share of a full training that is trained in any case.
        margin: how much more than its curve promises a training is trusted to gain, as a share: 1 for twice as much.
            More is more careful.
    """

    after: Annotated[float, Gt(0), Lt(1)] = 0.4
    margin: Annotated[float, Ge(0)] = 1.0


STOPS: Mapping[str, type[StopConfig]] = {LEARNING_CURVE: LearningCurveConfig}
"""By the name in a config."""
