"""A loop in NumPy, without a framework: linear regression by gradients with momentum and noise.

`test_loop.py` holds it to the same contract as the loop in TensorFlow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evonas.evaluate.training.checkpoint import Array
from evonas.evaluate.training.loop import Loop
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface

THREE = InputSpec.normalized("vector", (3,), (0.0,) * 3, (1.0,) * 3)
TARGETS = Interface(THREE, "regression", (), target_mean=0.0, target_scale=2.0)
SAMPLES = 70
WEIGHTS = (2.0, -1.0, 0.5)


class LinearLoop(Loop):
    """Each step draws noise for its gradient from a counter, as dropout does from a generator.

    Attributes:
        x: (samples, 3).
        y: (samples,), targets in their own units.
        validation_y: (30,).
    """

    def __init__(self, batch_size: int = 16, noise: float = 0.3) -> None:
        rng = np.random.default_rng(0)
        x = rng.normal(size=(SAMPLES + 30, 3))
        y = x @ np.array(WEIGHTS) + rng.normal(size=len(x)) * 0.1
        self.x, self._validation_x = x[:SAMPLES], x[SAMPLES:]
        self.y, self.validation_y = y[:SAMPLES], y[SAMPLES:]
        self._batch_size = batch_size
        self._noise = noise
        self._w = np.zeros(3)
        self._drawn = np.zeros((), np.uint32)
        self._velocity = np.zeros(3)
        self._steps = np.zeros((), np.int64)

    @property
    def samples(self) -> int:
        return SAMPLES

    @property
    def batch_size(self) -> int:
        return self._batch_size

    def run(self, order: NDArray[np.int32]) -> tuple[float, float]:
        total = last = 0.0
        for start in range(0, len(order), self._batch_size):
            batch = order[start : start + self._batch_size]
            error = self.x[batch] @ self._w - self.y[batch] / TARGETS.target_scale
            last = float(np.square(error).mean())
            total += last * len(batch)
            noise = np.random.default_rng(int(self._drawn)).normal(size=3) * self._noise
            self._drawn = self._drawn + np.uint32(1)
            gradient = 2 * error @ self.x[batch] / len(batch) + noise
            self._velocity = 0.5 * self._velocity - 0.1 * gradient
            self._steps = self._steps + 1
            self._w = self._w + self._velocity
            if not math.isfinite(last):
                break
        return total, last

    @property
    def validation_targets(self) -> Array:
        return self.validation_y

    def validate(self, positions: NDArray[np.int32] | None = None) -> Array:
        x = self._validation_x if positions is None else self._validation_x[positions]
        predicted: Array = x @ self._w * TARGETS.target_scale
        return predicted[:, np.newaxis]

    def weights(self) -> list[Array]:
        return [self._w.copy()]

    def model_state(self) -> list[Array]:
        return [self._w.copy(), np.array(self._drawn)]

    def optimizer_state(self) -> list[Array]:
        return [np.array(self._steps), self._velocity.copy()]

    def assign(self, model: Sequence[Array], optimizer: Sequence[Array]) -> None:
        self._w, self._drawn = (np.array(array) for array in model)
        self._steps, self._velocity = (np.array(array) for array in optimizer)
