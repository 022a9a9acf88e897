"""The section `training` of a config: how long a network is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from evonas.errors import did_you_mean
from evonas.evaluate.training.learning_curve import LEARNING_CURVE
from evonas.learning.losses import losses_of
from evonas.learning.recipe import Recipe
from evonas.learning.tasks import TASKS
from evonas.runtime.config.plugin_members import is_member_name
from evonas.runtime.config.settings import Count
from evonas.settings import Check, Settings
from evonas.words import shown

# A greater number is a slip of the pen, and the record has no place for one of more than 64 bits.
MOST_EPOCHS = 10**9


Weight = Annotated[float, Gt(0)]


def function_problem(name: str | None) -> str:
    """Why this is no name of a function of the user's; empty if it is one, or if none is named."""
    if name is None or is_member_name(name):
        return ""
    return f"must be package.module:function. Received: {shown(name)}."


FunctionName = Annotated[str, Check(function_problem)]


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
        loss: loss that is minimized: one of Keras's that fits the task by its name, `huber`, or
            `package.module:function`. null for that of the task.
        class_weight: what a sample counts in the loss, by its label: `balanced`, or a weight for
            each label. null to count all samples alike.
        callbacks: functions `package.module:function` that return a callback of Keras.
        fit: function `package.module:function` that trains in place of `model.fit`.
    """

    epochs: Annotated[int, Ge(1), Le(MOST_EPOCHS)] = 12
    patience: Count | None = 4
    stop: StopConfig | None = None
    loss: str | None = None
    class_weight: Literal["balanced"] | Mapping[str, Weight] | None = None
    callbacks: tuple[FunctionName, ...] = ()
    fit: Annotated[str | None, Check(function_problem)] = None

    @property
    def recipe(self) -> Recipe:
        """How networks are trained, besides how long."""
        return Recipe(self.loss, self.class_weight, self.callbacks, self.fit)

    def problems(self) -> dict[str, str]:
        if self.loss is not None and ":" in self.loss and (wrong := function_problem(self.loss)):
            return {"loss": wrong}
        return {}

    def task_problems(self, task: str | None) -> dict[str, str]:
        """What does not fit this task, by key.

        Args:
            task: None if the task is not known yet; then all that fits any task is allowed.
        """
        found = {}
        tasks = list(TASKS) if task is None else [task]
        recipe = self.recipe
        if self.loss is not None and not recipe.has_own_loss:
            known: dict[str, None] = {}
            for name in tasks:
                known |= dict.fromkeys(losses_of(TASKS[name].head(1)))
            if self.loss not in known:
                of = "" if task is None else f" for {task}"
                found["loss"] = (
                    f"unknown loss{of}. Allowed: {', '.join(known)}, or package.module:function for"
                    f" one of your own. Received: {shown(self.loss)}."
                    f"{did_you_mean(self.loss, list(known))}"
                )
        if self.class_weight is not None and "classification" not in tasks:
            found["class_weight"] = (
                f"weights the classes of a classification; the task is {task}. Leave it out."
            )
        return found
