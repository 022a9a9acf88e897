"""Storage: which weights and checkpoints a run keeps. What is deleted costs a training, if it is asked for again."""

from __future__ import annotations

import contextlib
import re
from bisect import insort
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import ClassVar

from evonas.errors import DiskFailure
from evonas.evaluate.contract.protocol import Job
from evonas.runtime.loop.jobs import checkpoint_path, trained, weights_path
from evonas.trial import Rank, Trial, TrialState, rank

_FILE = re.compile(r"(\d{5,})\.npz(\.tmp)?")


class Storage:
    """Deletes what nobody needs, after the record has what makes it superfluous. Nothing of it can change a search.

    Kept are, at any time,

    * the weights of the living population (`Strategy.retained`), of the best `keep_best` trials, and of those that the
      strategy is not yet told of: at most `look_ahead`;
    * the checkpoints of trainings that are not over, and those that they go on from; where the strategy continues
      trials, also those of the living, and of those that it is not yet told of.

    Args:
        root: of the run.
        keep_best: at least 1.
        continues_trials: of the strategy.

    Class attributes:
        keeps_files: whether there are any files of trials, and so anything to sweep.
    """

    keeps_files: ClassVar[bool] = True

    def __init__(self, root: Path, keep_best: int = 10, continues_trials: bool = False) -> None:
        self._root, self._keep_best, self._continues = root, keep_best, continues_trials
        self._best: list[Rank] = []  # ranks, the best first
        self._weights: set[int] = set()  # of trials that are over and may have such a file
        self._checkpoints: set[int] = set()
        self._is_open = False

    @property
    def root(self) -> Path:
        return self._root

    def open(
        self, trials: Sequence[Trial], ahead: Sequence[int], retained: Collection[int]
    ) -> None:
        """A session begins: sweep what the last one did not come to.

        Args:
            trials: all, by id.
            ahead: those that the strategy is not yet told of.
            retained: `Strategy.retained`.
        """
        for path in [*self._files("weights"), *self._files("checkpoints")]:
            if path.suffix == ".tmp" or _id(path) >= len(trials):  # cut off by a kill, or of nobody
                _unlink(path)
        self._weights = {_id(path) for path in self._files("weights")}
        self._checkpoints = {_id(path) for path in self._files("checkpoints")}
        for trial in trials:
            if trial.twin_of is None and trial.fitness is not None:
                self._rate(trial)
        self._is_open = True
        self.sweep(trials, ahead, retained)

    def settle(self, trial: Trial) -> None:
        """The outcome of this trial is recorded."""
        self._checkpoints.add(trial.id)
        if trial.state is TrialState.OK:
            self._weights.add(trial.id)
            self._rate(trial)

    def _rate(self, trial: Trial) -> None:
        insort(self._best, rank(trial))
        del self._best[self._keep_best :]

    def sweep(
        self, trials: Sequence[Trial], ahead: Sequence[int], retained: Collection[int]
    ) -> None:
        """Delete what is not kept; called after each commit. Arguments as for `open`.

        Raises:
            DiskFailure: the folder is not writable.
        """
        kept = {trained(trials, id) for id in (*retained, *ahead)}
        unfinished = [trials[id] for id in ahead if not trials[id].state.is_final]
        sources = (trial.proposal.resume_from for trial in unfinished)
        needed = {trial.id for trial in unfinished} | {
            trained(trials, id) for id in sources if id is not None
        }
        self._drop(self._weights, weights_path, kept | {id for _, id in self._best})
        self._drop(
            self._checkpoints, checkpoint_path, needed | (kept if self._continues else set())
        )

    def _drop(self, ids: set[int], where: Callable[[int], str], keep: set[int]) -> None:
        for id in ids - keep:
            _unlink(self._root / where(id))
            ids.discard(id)

    def source(self, trials: Sequence[Trial], trial: Trial) -> str | None:
        """The checkpoint that a training goes on from; None where it starts afresh, which leads to the same end."""
        if trial.proposal.resume_from is None:
            return None
        path = checkpoint_path(trained(trials, trial.proposal.resume_from))
        return path if (self._root / path).is_file() else None

    def free(self, running: Iterable[Job]) -> int:
        """Delete all that can be made again: weights but the single best, and checkpoints that no job works with.

        Never raises: where nothing can be deleted, nothing is freed.

        Args:
            running: jobs that workers have.

        Returns:
            The bytes that the deleted files had.
        """
        if not self._is_open:
            return 0
        spared = {
            path
            for job in running
            for path in (job.weights, job.checkpoint, job.resume_from)
            if path
        }
        spared |= {weights_path(id) for _, id in self._best[:1]}
        freed = 0
        for path in [*self._files("weights"), *self._files("checkpoints")]:
            if path.suffix == ".npz" and path.relative_to(self._root).as_posix() not in spared:
                with contextlib.suppress(OSError):
                    size = path.stat().st_size
                    path.unlink()
                    freed += size
        return freed

    def _files(self, folder: str) -> Iterator[Path]:
        """What evonas has written there; anything else is left alone."""
        return (
            path for path in sorted((self._root / folder).glob("*")) if _FILE.fullmatch(path.name)
        )


class NoStorage(Storage):
    """Of a run whose trials leave no files: there is nothing to sweep, and no time is spent on it."""

    keeps_files = False

    def open(
        self, trials: Sequence[Trial], ahead: Sequence[int], retained: Collection[int]
    ) -> None:
        pass

    def settle(self, trial: Trial) -> None:
        pass

    def sweep(
        self, trials: Sequence[Trial], ahead: Sequence[int], retained: Collection[int]
    ) -> None:
        pass

    def source(self, trials: Sequence[Trial], trial: Trial) -> str | None:
        return None


def best_of(trials: Iterable[Trial], count: int) -> set[int]:
    """The ids of the best trained trials: those whose weights are kept whoever lives."""
    ranked = sorted(
        rank(trial) for trial in trials if trial.twin_of is None and trial.fitness is not None
    )
    return {id for _, id in ranked[:count]}


def _id(path: Path) -> int:
    return int(path.name.partition(".")[0])


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DiskFailure(f"{path} cannot be deleted: {error.strerror or error}.") from error
