"""`evonas audit`: whether a run's record is whole, and its decisions can be repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption

if TYPE_CHECKING:
    from evonas.runtime.audit import Audit

NAME = "audit"


def command(run: RunArgument, runs: RunsOption = DEFAULT_RUNS, as_json: JsonOption = False) -> None:
    """Hold a run's record against its checksum, replay its outcomes through a fresh strategy, and
    compare what that proposes with the record.

    Nothing is trained and nothing is written; a run that goes on can be audited as far as it is.
    The first proposal that differs is reported, with exit code 4: then the strategy has drawn
    random numbers that do not come from the run's seed, or another version of evonas made the
    record. A record that is not what was written has exit code 65.
    """
    from evonas.cli.console import find_run, print_json
    from evonas.errors import NotRepeatable
    from evonas.runtime.audit import audit

    directory = find_run(run, runs)
    found = audit(directory)
    if as_json:
        print_json(_as_plain(found))
        # A script reads the difference from the JSON; so there is no message beside the exit code.
        if not found.is_repeated:
            raise SystemExit(NotRepeatable.exit_code)
        return
    _print(found, directory)


def _as_plain(found: Audit) -> dict[str, object]:
    """What was found, as plain JSON; null for a checksum that does not exist."""
    versions = found.versions or {}
    return {
        "ok": found.is_repeated,
        "trials": found.trials,
        "told": found.told,
        "trial": found.trial,
        "difference": found.difference,
        "versions": {name: list(pair) for name, pair in versions.items()},
        # A wrong checksum is an error before this; here it can only be right or missing.
        "checksum": True if found.has_checksum else None,
    }


def _print(found: Audit, directory: Path) -> None:
    """Says in one sentence what was found.

    Raises:
        NotRepeatable: a proposal differs.
    """
    from evonas.cli.console import console
    from evonas.errors import NotRepeatable

    if not found.is_repeated:
        raise NotRepeatable(f"{directory}: {found.difference}{_hint(found)}")
    whole = "is of an older evonas and has no checksum"
    if found.has_checksum:
        whole = "is what its checksum says"
    console().print(
        f"{directory}: the record {whole}; {found.trials} proposals, replayed with {found.told}"
        " outcomes told, are those of the record.",
        soft_wrap=True,
    )


def _hint(found: Audit) -> str:
    """The versions that have changed, which may explain a difference."""
    versions = found.versions or {}
    if not versions:
        return ""
    others = ", ".join(f"{name} {then} (now {now})" for name, (then, now) in versions.items())
    return f" The record was made with {others}."
