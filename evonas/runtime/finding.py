"""A run by its path or by its name, as every command and `evonas.load` take it."""

from __future__ import annotations

from pathlib import Path

from evonas.errors import UserError, did_you_mean
from evonas.files import expanded
from evonas.invocation import command
from evonas.runtime.record.layout import EXPERIMENT

DEFAULT_RUNS = Path("runs")
"""The folder of new runs, relative to the working directory."""


def find_run(name: str, runs: Path) -> Path:
    """The directory of a run, by its path or by its name under `runs`.

    Raises:
        UserError: there is none.
    """
    for directory in (expanded(name), runs / name):
        if (directory / "run.db").is_file():
            return directory
        if (directory / EXPERIMENT).is_file():
            inside = sorted(path.parent for path in directory.glob("*/run.db"))
            one = f" One of them:  {command('show', inside[0])}" if inside else ""
            raise UserError(
                f"{directory} is an experiment, which has a run for each strategy and seed.{one}"
            )
    if Path(name).suffix in (".yaml", ".yml"):
        raise UserError(f"{name} is a config, not a run. To run it:  {command('run', name)}")
    if name in (".", ".."):
        # A full stop behind a dot reads as another name.
        name = str(Path(name).resolve())
    known = sorted(path.parent.name for path in runs.glob("*/run.db"))
    hint = f"There are none in {runs.absolute()}, either."
    if known:
        close = did_you_mean(Path(name).name, known)
        hint = f"In {runs.absolute()} there are: {', '.join(known)}.{close}"
    raise UserError(f"there is no run at {name}. {hint}")
