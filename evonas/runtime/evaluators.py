"""What a session asks of its run's evaluator: whether its file is the same, and its networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evonas.errors import InvalidData, Issue, UserError
from evonas.files import is_file, sha256_of
from evonas.invocation import resuming
from evonas.learning.interface import Interface
from evonas.runtime.config.evaluator_config import file_key, file_of
from evonas.runtime.config.run_config import RunConfig


def check_file(
    config: RunConfig, fingerprint: str, root: Path, overrides: Sequence[str] = ()
) -> None:
    """Check that the evaluator's file has the content that it began with, wherever it lies.

    Args:
        fingerprint: sha256 of the file.
        root: directory of the run.
        overrides: what this resume is to change.

    Raises:
        InvalidData: it is gone, or another one.
    """
    path = file_of(config.evaluator)
    if path is None:
        return
    key = file_key(config.evaluator)
    others = [change for change in overrides if not change.startswith(key)]
    moved = resuming(root, [*others, f"{key}=PATH"])
    if not is_file(path):
        message = (
            f"the run's table is missing. Put it back, or say where the same table is now:  {moved}"
        )
        raise InvalidData(Issue(message, key, str(path)))
    if sha256_of(path) != fingerprint:
        message = (
            "the run's table is another one than when the run began. Put the old one back, or begin"
            f" a new run. If the old one is elsewhere:  {moved}"
        )
        raise InvalidData(Issue(message, key, str(path)))


def ends_of(interface: Interface | None, config: RunConfig) -> Interface:
    """The interface of a run's networks.

    Raises:
        UserError: the run was judged by an evaluator and has no networks.
    """
    if interface is None:
        raise UserError(
            f"the run {config.run} has no networks: its genomes were judged by"
            f" {config.evaluator.in_words}, not by Keras"
        )
    return interface
