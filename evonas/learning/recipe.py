"""How networks are trained, besides how long: what is minimized, and by which code. No Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonas.learning.formulas import Array
from evonas.words import listed

BALANCED = "balanced"
"""Class weights by which every class counts the same."""

ClassWeight = str | Mapping[str, float] | None
"""`balanced`, or a weight for each label in words; labels that are not named have a weight of 1."""


@dataclass(frozen=True)
class Recipe:
    """What a config says of all trainings of a run. A default says nothing.

    Functions are named as `package.module:function`.

    Attributes:
        loss: name of the loss that is minimized, one of `losses.losses_of`, or a function. None for
            that of the task.
        class_weight: what a sample counts in that loss, by its label.
        callbacks: functions without arguments, each of which returns a callback of Keras.
        fit: function that trains instead of `model.fit`.
    """

    loss: str | None = None
    class_weight: ClassWeight = None
    callbacks: tuple[str, ...] = ()
    fit: str | None = None

    @property
    def has_own_loss(self) -> bool:
        """Whether the loss is a function of the user's."""
        return self.loss is not None and ":" in self.loss

    @property
    def is_by_fit(self) -> bool:
        """Whether `model.fit` trains, or code of the user's, and not the compiled loop.

        Callbacks may keep a state of their own. So such a training cannot be continued from a
        checkpoint: it begins anew.
        """
        return bool(self.callbacks or self.fit)

    @property
    def functions(self) -> dict[str, str]:
        """The user's functions, by their key: `loss`, `callbacks[0]`, `fit`."""
        found = {}
        if self.loss is not None and self.has_own_loss:
            found["loss"] = self.loss
        for number, name in enumerate(self.callbacks):
            found[f"callbacks[{number}]"] = name
        if self.fit is not None:
            found["fit"] = self.fit
        return found

    @property
    def in_words(self) -> str:
        """What it says, and what follows; empty for a default."""
        told = []
        if self.loss is not None:
            told.append(f"minimizes {self.loss}")
        if self.class_weight == BALANCED:
            told.append("every class counts the same")
        elif self.class_weight is not None:
            told.append("classes have weights")
        by = f"by {self.fit}" if self.fit else "by `model.fit`"
        if self.callbacks:
            by += f" with {listed(self.callbacks)}"
        if self.is_by_fit:
            told.append(f"{by}: a training that is interrupted begins anew")
        return "; ".join(told)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: only what is said."""
        found: dict[str, Any] = {}
        for name in ("loss", "class_weight", "fit"):
            if vars(self)[name] is not None:
                found[name] = vars(self)[name]
        if self.callbacks:
            found["callbacks"] = list(self.callbacks)
        return found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Recipe:
        """The recipe that `to_json` was called on."""
        return cls(**{**data, "callbacks": tuple(data.get("callbacks", ()))})


def label_in_words(label: str | int | float) -> str:
    """A label as a config writes it for its key."""
    return str(label).lower() if isinstance(label, bool) else str(label)


def unknown_labels(class_weight: ClassWeight, classes: tuple[str | int | float, ...]) -> list[str]:
    """The labels with a weight that are none of the classes."""
    if not isinstance(class_weight, Mapping):
        return []
    known = {label_in_words(label) for label in classes}
    return [label for label in class_weight if label not in known]


def weights_by_class(
    class_weight: str | Mapping[str, float], classes: tuple[str | int | float, ...], y: Array
) -> Array:
    """What a sample of each class counts, (classes,), in 32 bits.

    Args:
        y: (samples,), class numbers of the training data. Balanced weights have a mean of 1 over
            them, and are those of scikit-learn. A class without a sample there has a weight of 1.
    """
    if isinstance(class_weight, Mapping):
        given = [class_weight.get(label_in_words(label), 1.0) for label in classes]
        return np.array(given, np.float32)
    counts = np.bincount(y, minlength=len(classes))
    found = np.ones(len(classes), np.float32)
    is_there = counts > 0
    found[is_there] = len(y) / (len(classes) * counts[is_there])
    return found
