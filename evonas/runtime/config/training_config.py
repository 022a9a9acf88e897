"""The section `training` of a config: how long a network is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from evonas.evaluate.training.learning_curve import LEARNING_CURVE
from evonas.runtime.config.settings import Count
from evonas.settings import Settings

# A greater number is a slip of the pen, and the record has no place for one of more than 64 bits.
MOST_EPOCHS = 10**9


class StopConfig(Settings):
    """Which trainings are stopped; written by name, `learning_curve: {after: 0.5}`."""


@dataclass(frozen=True)
class LearningCurveConfig(StopConfig):
    """Stops a training if its learning curve cannot reach the incumbent.

    The incumbent is the one that was known when the trial was asked.

    Attributes:
        after: share of a full training that is trained in any case.
        margin: extra gain that a training is trusted with, as a share of the gain that its curve
            promises: 1 for twice as much. A larger margin stops fewer trainings.
    """

    after: Annotated[float, Gt(0), Lt(1)] = 0.4
    margin: Annotated[float, Ge(0)] = 1.0


STOPS: Mapping[str, type[StopConfig]] = {LEARNING_CURVE: LearningCurveConfig}
"""Name in a config -> its settings."""


@dataclass(frozen=True)
class TrainingConfig(Settings):
    """The section `training`: how long a network is trained.

    Attributes:
        epochs: number of epochs of a full training, at most.
        patience: number of epochs without improvement of the objective after which a training ends;
            null to train all epochs.
        stop: rule by which other trainings end early (docs/early-stopping.md); null for none.
    """

    epochs: Annotated[int, Ge(1), Le(MOST_EPOCHS)] = 12
    patience: Count | None = 4
    stop: StopConfig | None = None
