"""evonas from Python: run a search, continue one, look at its results."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from evonas.files import expanded
from evonas.lifecycle import create, work
from evonas.runtime.config.config_file import load_config
from evonas.runtime.config.config_source import told_by_the_argument
from evonas.runtime.finding import DEFAULT_RUNS, find_run
from evonas.runtime.loop.observer import Observer, teller
from evonas.runtime.pools import early_workers
from evonas.view import RecordedTrial, Run, load

__all__ = ["DEFAULT_RUNS", "RecordedTrial", "Run", "load", "resume", "run"]


@told_by_the_argument()
def run(
    config: str | Path,
    *,
    overrides: Sequence[str] = (),
    runs: str | Path = DEFAULT_RUNS,
    observers: Sequence[Observer] = (),
) -> Run:
    """Search, from a config to an exported model.

    It always begins a new run: `NAME-2` if there is a run of this name, also a finished one. To
    get that one back, use `load`, and to go on with it, `resume`.

    Args:
        config: path of a YAML file, or the name of a shipped config.
        overrides: `key.path=value`, as `evonas run --set` takes them.
        runs: folder in which the run's own directory is made.
        observers: told what happens while the search goes on.

    Raises:
        InvalidConfig, InvalidSpace, InvalidData: before any training.
        NothingFeasible, RepeatedFailures, Stopped: see `evonas.errors`.
    """
    began = time.monotonic()
    loaded = load_config(config, overrides)
    with early_workers(loaded.config) as pool_factory:
        directory, prepared = create(loaded, expanded(runs))
        tell = teller(observers)
        for note in prepared.notes:
            tell(note)
        return work(directory, observers, pool_factory, is_new=True, began=began)


@told_by_the_argument()
def resume(
    directory: str | Path,
    *,
    runs: str | Path = DEFAULT_RUNS,
    overrides: Sequence[str] = (),
    observers: Sequence[Observer] = (),
    accept_changed_code: bool = False,
) -> Run:
    """Continue a run that was stopped or killed; a finished one is left as it is.

    Args:
        directory: folder of the run, or its name in the folder of runs.
        runs: the folder of runs.
        overrides: `key.path=value`, as `evonas resume --set` takes them. A greater budget
            continues a finished run.
        observers: told what happens while the search goes on.
        accept_changed_code: whether to go on if the code of the plugins has changed. The record
            keeps that; trials so far keep the results of the old code.

    Raises:
        UserError: there is no run.
        InvalidConfig: an override is wrong, or must not change in a run that exists; or a plugin
            cannot be used, or its code has changed.
        InvalidData: the data have changed since the run began.
        RunHeld: another process is working on it.
    """
    return work(
        find_run(str(directory), expanded(runs)),
        observers,
        overrides=overrides,
        accept_changed_code=accept_changed_code,
    )
