"""Holding a worker's success against what can be seen from outside: its files, and the metrics that are needed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from evonas.evaluate.contract.pool import Finished, Report
from evonas.evaluate.contract.protocol import Setup
from evonas.files import sha256_of
from evonas.trial import Outcome, TrialState


def verified(reports: Iterable[Report], setup: Setup) -> list[Report]:
    """The reports; a success that is none is `crashed` instead, so that it is tried again."""
    return [_verified(report, setup) for report in reports]


def _verified(report: Report, setup: Setup) -> Report:
    if not isinstance(report, Finished) or report.outcome.state is not TrialState.OK:
        return report
    why = _what_is_wrong(report, setup)
    return Finished(report.job, Outcome(TrialState.CRASHED, message=why)) if why else report


def _what_is_wrong(report: Finished, setup: Setup) -> str:
    """In a sentence; empty where all is well."""
    objective = setup.objective["name"]
    for name in (objective, *setup.needed) if report.job.kind == "train" else ():
        if name not in report.outcome.metrics:
            role = "the objective" if name == objective else "which the search needs"
            return f"The worker told of a success without {name}, {role}."
    for name, sha256 in report.outcome.files.items():
        try:
            found = sha256_of(Path(setup.directory) / name)
        except OSError as error:
            return f"The worker told of the file {name}, which cannot be read: {error.strerror or error}."
        if found != sha256:
            return f"The worker told of the file {name}, whose content is another one."
    return ""
