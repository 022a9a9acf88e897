"""Storage: the weights and checkpoints that a run keeps.

What is deleted costs a training if it is needed again.
"""

from __future__ import annotations

import contextlib
import re
from bisect import insort
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from evonas.errors import DiskFailure
from evonas.evaluate.contract.protocol import Job
from evonas.runtime.loop.jobs import checkpoint_path, refitted_path, weights_path
from evonas.trial import Rank, Trial, TrialState, rank

_FILE = re.compile(r"(\d{5,})(-refitted)?\.npz")


class Storage:
    """Deletes files that nobody needs, after the record has what makes them superfluous.

    Nothing that it does can change a search. At any time it keeps

    * the weights of the trials that the strategy retains (`Strategy.retained`), of the best
      `keep_best` trials, and of those that the strategy is not yet told of: at most `look_ahead`.
      Those of a network that was trained again on all folds stay as long;
    * the checkpoints of trainings that are not over, also of those that a deadline has ended, and
      those that they continue. If the strategy
      continues trials, also those of retained trials and of trials that it is not yet told of.

    Args:
        root: directory of the run.
        keep_best: number of best trials whose weights are kept, at least 1.
        continues_trials: whether the strategy continues trials.
        keeps_files: whether trials leave files at all. Otherwise there is nothing to sweep.
    """

    def __init__(
        self,
        root: Path,
        keep_best: int = 10,
        continues_trials: bool = False,
        keeps_files: bool = True,
    ) -> None:
        self._root = root
        self._keep_best = keep_best
        self._continues = continues_trials
        self.keeps_files = keeps_files
        # ranks, the best first
        self._best: list[Rank] = []
        # ids of trials that are over and may have such a file
        self._weights: set[int] = set()
        self._checkpoints: set[int] = set()
        self._is_open = False

    @property
    def root(self) -> Path:
        """The directory of the run."""
        return self._root

    def open(
        self, trials: Sequence[Trial], ahead: Sequence[int], retained: Collection[int]
    ) -> None:
        """A session begins: delete the files that a killed session left behind.

        Args:
            trials: all trials, by id.
            ahead: ids of trials that the strategy is not yet told of.
            retained: `Strategy.retained`.
        """
        if not self.keeps_files:
            return
        for path in [*self._files("weights"), *self._files("checkpoints")]:
            # Its trial was never committed.
            if _id(path) >= len(trials):
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
        if not self.keeps_files:
            return
        # A failed training may have left a checkpoint, too.
        self._checkpoints.add(trial.id)
        if trial.state is TrialState.OK:
            self._weights.add(trial.id)
            self._rate(trial)

    def _rate(self, trial: Trial) -> None:
        """See whether the trial is among the best."""
        insort(self._best, rank(trial))
        del self._best[self._keep_best :]

    def sweep(
        self, trials: Sequence[Trial], ahead: Sequence[int], retained: Collection[int]
    ) -> None:
        """Delete what is not kept; called after each commit. Arguments as for `open`.

        Raises:
            DiskFailure: the folder is not writable.
        """
        # This runs after every outcome. It looks at `retained` and `ahead`, never at all trials.
        kept = {trials[id].trained_id for id in (*retained, *ahead)}
        best = {id for _, id in self._best}
        self._drop(self._weights, (weights_path, refitted_path), kept | best)
        checkpoints = _needed(trials, ahead)
        if self._continues:
            checkpoints |= kept
        self._drop(self._checkpoints, (checkpoint_path,), checkpoints)

    def _drop(self, ids: set[int], places: Sequence[Callable[[int], str]], keep: set[int]) -> None:
        """Delete the files of these trials, except those to keep."""
        for id in ids - keep:
            for place in places:
                _unlink(self._root / place(id))
            ids.discard(id)

    def source(self, trials: Sequence[Trial], trial: Trial) -> str | None:
        """The checkpoint that a training continues.

        None if it begins afresh, which gives the same result.
        """
        before = trial.proposal.resume_from
        if before is None:
            return None
        path = checkpoint_path(trials[before].trained_id)
        is_there = (self._root / path).is_file()
        return path if is_there else None

    def has_checkpoint(self, trial: Trial) -> bool:
        """Whether an unfinished training of this trial can be continued."""
        return (self._root / checkpoint_path(trial.id)).is_file()

    def free(self, running: Iterable[Job]) -> int:
        """Delete all that can be made again.

        Spared are the weights of the single best trial, and the files that running jobs use.
        Never raises. If nothing can be deleted, nothing is freed.

        Args:
            running: jobs that workers have.

        Returns:
            The bytes of the deleted files.
        """
        # Before `open` the best trial is not known, so its weights could not be spared.
        if not self._is_open:
            return 0
        winner = [id for _, id in self._best[:1]]
        spared = {place(id) for place in (weights_path, refitted_path) for id in winner}
        for job in running:
            spared.update(job.reads, job.writes)
        freed = 0
        for path in [*self._files("weights"), *self._files("checkpoints")]:
            is_spared = path.relative_to(self._root).as_posix() in spared
            if not is_spared:
                with contextlib.suppress(OSError):
                    size = path.stat().st_size
                    path.unlink()
                    freed += size
        return freed

    def _files(self, folder: str) -> Iterator[Path]:
        """The files that evonas has written there; all others are left alone."""
        paths = sorted((self._root / folder).glob("*"))
        return (path for path in paths if _FILE.fullmatch(path.name))


def best_of(trials: Iterable[Trial], count: int) -> set[int]:
    """The ids of the best trained trials, whose weights are kept in any case."""
    ranks = []
    for trial in trials:
        if trial.twin_of is None and trial.fitness is not None:
            ranks.append(rank(trial))
    ranks.sort()
    return {id for _, id in ranks[:count]}


def _needed(trials: Sequence[Trial], ahead: Iterable[int]) -> set[int]:
    """The trials whose checkpoints are needed by trainings that are not over."""
    needed: set[int] = set()
    for id in ahead:
        trial = trials[id]
        # One that a deadline has ended may be continued.
        if trial.state.is_final and not trial.is_cut_short:
            continue
        needed.add(id)
        source = trial.proposal.resume_from
        if source is not None:
            needed.add(trials[source].trained_id)
    return needed


def _id(path: Path) -> int:
    """The trial that a file belongs to."""
    found = _FILE.fullmatch(path.name)
    assert found is not None, "others are left alone"
    return int(found[1])


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise DiskFailure(f"{path} cannot be deleted: {error.strerror or error}.") from error
