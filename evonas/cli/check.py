"""`evonas check`: everything that is wrong with a config, at once, without training."""

from __future__ import annotations

from evonas.cli.options import ConfigArgument, JsonOption, SetOption

NAME = "check"


def command(config: ConfigArgument, changes: SetOption = None, as_json: JsonOption = False) -> None:
    """Check a config or an experiment, its search space, its seed genomes and its data; report every problem, each with
    file, line and key.

    Nothing is trained and nothing is written. `evonas run` checks the same before it begins.
    """
    import dataclasses
    import tempfile
    from pathlib import Path

    from evonas.cli.console import console, print_json
    from evonas.errors import EvonasError, InvalidInput, Issue
    from evonas.runtime.config.config_file import load_config
    from evonas.runtime.config.experiment_file import is_experiment_file, load_experiment
    from evonas.runtime.session import prepare_data

    try:
        is_experiment = is_experiment_file(config)
        loaded = (
            load_experiment(config, changes or ()).any_run
            if is_experiment
            else load_config(config, changes or ())
        )
        with tempfile.TemporaryDirectory() as scratch:
            prepared = prepare_data(loaded, Path(scratch))
    except EvonasError as error:
        if as_json:
            problems = error.problems if isinstance(error, InvalidInput) else (Issue(str(error)),)
            print_json(
                {"ok": False, "problems": [dataclasses.asdict(problem) for problem in problems]}
            )
            raise SystemExit(error.exit_code) from error
        raise
    if as_json:
        print_json({"ok": True, "warnings": list(loaded.warnings), "counts": dict(prepared.counts)})
        return
    for warning in loaded.warnings:
        console().print(f"note: {warning}", soft_wrap=True)
    space = f"space {loaded.space.name} ({loaded.space.dimension} decisions)"
    if prepared.interface is None:
        genomes = f", a table of {prepared.counts['genomes']:,} genomes" if prepared.counts else ""
        console().print(f"{config} is fine: {space}{genomes}.", soft_wrap=True)
        return
    if prepared.guess:
        console().print(f"task: {prepared.guess}", soft_wrap=True)
    samples = ", ".join(f"{count} {part}" for part, count in prepared.counts.items())
    console().print(f"{config} is fine: {space}, samples: {samples}.", soft_wrap=True)
