"""`evonas audit`: whether a run's record is whole, and its decisions can be repeated."""

from __future__ import annotations

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption

NAME = "audit"


def command(run: RunArgument, runs: RunsOption = DEFAULT_RUNS, as_json: JsonOption = False) -> None:
    """Hold a run's record against its checksum, replay its outcomes through a fresh strategy, and compare what that
    proposes with the record.

    Nothing is trained and nothing is written; a run that goes on can be audited as far as it is. The first proposal
    that differs is reported, with exit code 4: then the strategy has drawn random numbers that do not come from the
    run's seed, or another version of evonas made the record. A record that is not what was written has exit code 65.
    """
    from evonas.cli.console import console, find_run, print_json
    from evonas.errors import NotRepeatable
    from evonas.runtime.audit import audit

    directory = find_run(run, runs)
    found = audit(directory)
    versions = {name: list(pair) for name, pair in (found.versions or {}).items()}
    if as_json:
        plain = {
            "ok": found.is_repeated,
            "trials": found.trials,
            "told": found.told,
            "trial": found.trial,
        }
        checked = {"checksum": True if found.has_checksum else None}
        print_json({**plain, "difference": found.difference, "versions": versions, **checked})
        if not found.is_repeated:
            raise SystemExit(NotRepeatable.exit_code)
        return
    others = ", ".join(f"{name} {then} (now {now})" for name, (then, now) in versions.items())
    if not found.is_repeated:
        hint = f" The record was made with {others}." if others else ""
        raise NotRepeatable(f"{directory}: {found.difference}{hint}")
    whole = (
        "is what its checksum says"
        if found.has_checksum
        else "is of an older evonas and has no checksum"
    )
    console().print(
        f"{directory}: the record {whole}; {found.trials} proposals, replayed with {found.told} outcomes told, are"
        " those of the record.",
        soft_wrap=True,
    )
