"""When the checkpoint of a job is written, and which one its training continues from."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from evonas.errors import InvalidCheckpoint
from evonas.evaluate.contract.protocol import TrainJob
from evonas.evaluate.training.checkpoint import load_state, save_state
from evonas.evaluate.training.trainer import Trainer

_log = logging.getLogger(__name__)


class CheckpointKeeper:
    """Writes the checkpoint of a training, and continues from one that fits.

    Args:
        root: directory of the run.
        job: names the `checkpoint`, and the one that it may continue from (`resume_from`).
        seconds: least time between two checkpoints of a training that still runs.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        root: Path,
        job: TrainJob,
        trainer: Trainer,
        seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._path = root / job.checkpoint if job.checkpoint else None
        self._sources: list[Path] = []
        # The job's own checkpoint first: it is at least as far as the training that it resumes.
        for name in (job.checkpoint, job.resume_from):
            if name and (root / name).exists():
                self._sources.append(root / name)
        self._trainer = trainer
        self._seconds = seconds
        self._clock = clock
        self._last = clock()

    def restore(self, fingerprint: Mapping[str, Any]) -> None:
        """Continue from the first file that fits; one that does not fit goes to the log."""
        for source in self._sources:
            try:
                state = load_state(source, fingerprint)
                self._trainer.restore(state)
            except InvalidCheckpoint as error:
                # No failure: without a checkpoint the training gives the same result, but later.
                _log.warning("A checkpoint is not used: %s", error)
            else:
                return

    def save_when_due(self) -> None:
        """Write the checkpoint, if the last one is old enough."""
        elapsed = self._clock() - self._last
        if elapsed >= self._seconds:
            self.save()

    def save(self) -> None:
        """Write the checkpoint, if the job names one."""
        if self._path is not None:
            save_state(self._path, self._trainer.state())
            self._last = self._clock()
