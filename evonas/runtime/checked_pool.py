"""A pool of a plugin, of which everything is checked before evonas goes on with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from evonas.evaluate.contract.answers import read_answer
from evonas.evaluate.contract.pool import (
    Finished,
    Imported,
    Opener,
    Pool,
    PoolSettings,
    Progress,
    Report,
)
from evonas.evaluate.contract.protocol import Job, Setup, encode, outcome_to_json
from evonas.evaluate.contract.raised import text_of
from evonas.runtime.config.families import name_of
from evonas.runtime.config.plugin_members import is_member_name
from evonas.runtime.config.pool_config import SECTION
from evonas.runtime.config.run_config import FAMILIES
from evonas.runtime.member_border import MemberBorder, is_count
from evonas.trial import Outcome
from evonas.words import excerpt


def checked_opener(settings: PoolSettings, opener: Opener) -> Opener:
    """The opener; what a plugin's opens is checked.

    Args:
        settings: the pool's.
        opener: its `open`, or what its `preparing` has given instead.
    """
    name = name_of(settings, FAMILIES)
    if not is_member_name(name):
        return opener
    border = MemberBorder(str(name), SECTION)

    def opened(setup: Setup, root: Path) -> Pool:
        return CheckedPool(border.make(Pool, "open", opener, setup, root), border)

    return opened


class CheckedPool(Pool):
    """Passes on what it is given and asked, and refuses what is not as `Pool` says.

    Raises:
        InvalidConfig: from any method; nothing of the refused is recorded.
    """

    def __init__(self, pool: Pool, border: MemberBorder) -> None:
        self._pool = pool
        self._border = border
        # Submitted, and not yet reported `Finished`.
        self._jobs: list[Job] = []

    @property
    def capacity(self) -> int:
        found = self._pool.capacity
        self._border.expect(is_count(found, 1), "capacity", "an integer of at least 1", found)
        return found

    @property
    def running(self) -> int:
        found = self._pool.running
        count = len(self._jobs)
        allowed = f"the number of jobs that are submitted and not yet reported Finished, {count}"
        self._border.expect(is_count(found) and found == count, "running", allowed, found)
        return found

    @property
    def opening(self) -> str:
        found = self._pool.opening
        self._border.expect(isinstance(found, str), "opening", "a text", found)
        return found

    @property
    def is_simulated(self) -> bool:
        found = self._pool.is_simulated
        self._border.expect(isinstance(found, bool), "is_simulated", "True or False", found)
        return found

    @property
    def clock(self) -> Callable[[], float]:
        found = self._pool.clock
        self._border.expect(callable(found), "clock", "a function without arguments", found)
        return found

    def restore(self, now: float, begun: Mapping[int, float]) -> None:
        self._border.call("restore", self._pool.restore, now, begun)

    def submit(self, job: Job) -> None:
        self._border.call("submit", self._pool.submit, job)
        self._jobs.append(job)

    def poll(self, timeout: float) -> Sequence[Report]:
        found = self._border.call("poll", self._pool.poll, timeout=timeout)
        allowed = "a list of Progress, Imported and Finished"
        self._border.expect(isinstance(found, list | tuple), "poll", allowed, found)
        return [self._checked(report) for report in found]

    def cancel(self, trial: int) -> None:
        self._border.call("cancel", self._pool.cancel, trial)

    def cut_short(self, trial: int) -> None:
        self._border.call("cut_short", self._pool.cut_short, trial)

    def close(self) -> None:
        self._border.call("close", self._pool.close)

    def _checked(self, report: Any) -> Report:
        """A report as evonas takes it; an outcome is as if it had come over a pipe."""
        is_met = isinstance(report, Progress | Imported | Finished)
        self._border.expect(is_met, "poll", "a list of Progress, Imported and Finished", report)
        job: Any = report.job
        allowed = "reports of jobs that were submitted and not yet reported Finished"
        self._border.expect(job in self._jobs, "poll", allowed, report)
        if isinstance(report, Finished):
            outcome = self._as_sent(job, report.outcome)
            self._jobs.remove(job)
            return Finished(job, outcome)
        if isinstance(report, Progress):
            is_met = is_count(report.epoch, 1) and _are_numbers(report.metrics)
            self._border.expect(is_met, "poll", "Progress with an epoch and metrics", report)
            return report
        is_met = isinstance(report, Imported) and isinstance(report.sources, Mapping)
        self._border.expect(is_met, "poll", "Imported with a mapping of sources", report)
        return Imported(job, report.sources)

    def _as_sent(self, job: Job, outcome: Any) -> Outcome:
        """The outcome as a worker would have sent it."""
        is_met = isinstance(outcome, Outcome)
        self._border.expect(is_met, "poll", "Finished with an Outcome", outcome)
        try:
            data = outcome_to_json(outcome)
            # Those that are not finite would be left out.
            data["metrics"] = dict(outcome.metrics)
            line = encode({"outcome": {**data, "trial": job.trial, "attempt": job.attempt}})
            read = read_answer(line, job)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            allowed = f"an Outcome that a worker could send ({excerpt(text_of(error))})"
            raise self._border.refusal("poll", allowed, outcome) from error
        assert isinstance(read, Outcome)
        return read


def _are_numbers(metrics: object) -> bool:
    """Whether these are numbers by name, finite or not."""
    if not isinstance(metrics, Mapping):
        return False
    return all(isinstance(value, int | float) for value in metrics.values())
