"""`evonas audit`: whether a run's record is whole, and its decisions can be repeated."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption
from evonas.words import counted

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
    code_changes = [asdict(change) for change in found.code_changes]
    return {
        "ok": found.is_repeated,
        "trials": found.trials,
        "told": found.told,
        "trial": found.trial,
        "difference": found.difference,
        "versions": {name: list(pair) for name, pair in found.versions.items()},
        "other_lineages": found.other_lineages,
        "code_changes": code_changes,
        "code": found.code,
        # A wrong checksum is an error before this; here it can only be right or missing.
        "checksum": True if found.has_checksum else None,
    }


def _print(found: Audit, directory: Path) -> None:
    """Says in one sentence what was found.

    Raises:
        NotRepeatable: a proposal differs.
    """
    from evonas.cli.console import console, say
    from evonas.errors import NotRepeatable
    from evonas.runtime.versions import made_with_in_words

    if not found.is_repeated:
        hint = made_with_in_words(found.versions)
        if found.code:
            hint += f" Besides, {found.code}."
        raise NotRepeatable(f"{directory}: {found.difference}{hint}")
    whole = "is of an older evonas and has no checksum"
    if found.has_checksum:
        whole = "is what its checksum says"
    proposals = counted(found.trials, "proposal")
    outcomes = counted(found.told, "outcome")
    are_those = "are those" if found.trials != 1 else "is the one"
    say(
        console(),
        f"{directory}: the record {whole}; {proposals}, replayed with {outcomes} told,"
        f" {are_those} of the record.{_lineages(found)}{_code(found)}",
    )


def _code(found: Audit) -> str:
    """Which code was changed while the run went on; outcomes of both codes were compared."""
    told = ""
    for change in found.code_changes:
        told += f" Besides, {change.in_words()}."
    return told


def _lineages(found: Audit) -> str:
    """That the record names other parents, if an evonas with another rule for them made it."""
    if not found.other_lineages:
        return ""
    names = counted(found.other_lineages, "proposal")
    return f" Another version of evonas made it, and named other parents or operators of {names}."
