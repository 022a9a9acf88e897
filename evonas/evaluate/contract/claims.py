"""Compares a worker's success with what can be seen from outside: its files, and its metrics."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from evonas.evaluate.contract.pool import Finished, Report
from evonas.evaluate.contract.protocol import Setup, TrainJob
from evonas.files import sha256_of_tree
from evonas.trial import Outcome, TrialState


def verified(reports: Iterable[Report], setup: Setup) -> list[Report]:
    """The reports; a success that is none becomes `crashed`, so that it is tried again."""
    checked = []
    for report in reports:
        checked.append(_verified(report, setup))
    return checked


def _verified(report: Report, setup: Setup) -> Report:
    if not isinstance(report, Finished):
        return report
    # A failure claims nothing that could be missing.
    if report.outcome.state is not TrialState.OK:
        return report
    why = _missing_metric(report, setup) or _wrong_file(report, setup)
    if not why:
        return report
    crashed = Outcome(TrialState.CRASHED, message=why)
    return Finished(report.job, crashed)


def _missing_metric(report: Finished, setup: Setup) -> str:
    """The first missing metric that the search needs, in a sentence; empty if there is none."""
    # Only a training is a trial: the search needs no metric of another job.
    if not isinstance(report.job, TrainJob):
        return ""
    objective = setup.objective["name"]
    for name in (objective, *setup.needed):
        if name not in report.outcome.metrics:
            role = "the objective" if name == objective else "which the search needs"
            return f"The worker told of a success without {name}, {role}."
    return ""


def _wrong_file(report: Finished, setup: Setup) -> str:
    """The first file that is not as the worker told, in a sentence; empty if there is none."""
    root = Path(setup.directory)
    for name, sha256 in report.outcome.files.items():
        try:
            found = sha256_of_tree(root / name)
        except OSError as error:
            reason = error.strerror or error
            return f"The worker told of the file {name}, which cannot be read: {reason}."
        if found != sha256:
            return f"The worker told of the file {name}, whose content is another one."
    return ""
