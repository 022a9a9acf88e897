"""`evonas run`: from a config to an exported model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evonas.cli.options import DEFAULT_RUNS, ConfigArgument, JsonOption, RunsOption, SetOption
from evonas.errors import Stopped
from evonas.streams import impatient

NAME = "run"


def command(
    config: ConfigArgument,
    changes: SetOption = None,
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Search, from a config to an exported Keras model.

    The config and the data are checked before anything is trained. The run's directory holds its
    record, the best model and the genealogy. **Ctrl-C** once finishes the running trials, twice
    abandons them; `evonas resume` goes on either way. If there is a run of this name, also a
    finished one, this begins another beside it, such as `digits-2`.
    """
    from evonas import lifecycle
    from evonas.cli.console import complain
    from evonas.cli.search import announce, going_on, search, who_runs
    from evonas.runtime.config.config_file import load_config
    from evonas.runtime.pools import early_workers

    # A budget in seconds is that of the whole command.
    began = time.monotonic()
    with impatient(), _not_begun():
        loaded = load_config(config, changes or ())
        for warning in loaded.warnings:
            complain(f"note: {warning}")
        # Code that is not part of evonas is run; that must never come as a surprise.
        if plugins := loaded.config.plugins:
            names = ", ".join(plugins)
            who = who_runs(loaded.config)
            complain(f"note: plugins, code of yours, run by {who}: {names}")
    with early_workers(loaded.config) as pool_factory:
        with impatient():
            with _not_begun():
                directory, prepared = lifecycle.create(loaded, runs)
            _tell_of_another(runs / loaded.config.run, directory)
            with going_on(directory):
                for note in prepared.notes:
                    complain(f"note: {note}")
                announce(loaded, directory, prepared, quiet=as_json)
        search(directory, as_json, is_new=True, began=began, pool_factory=pool_factory)


@contextmanager
def _not_begun() -> Iterator[None]:
    """A Ctrl-C inside comes before there is a run."""
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped("stopped by Ctrl-C before the run began: nothing was recorded.") from None


def _tell_of_another(named: Path, directory: Path) -> None:
    """A note if the run's name was taken, for a user who means the other run."""
    from evonas.cli.console import complain
    from evonas.errors import EvonasError
    from evonas.invocation import command
    from evonas.runtime.record.layout import Layout
    from evonas.runtime.record.reader import RecordReader

    if directory == named:
        return
    is_finished = False
    # It may be damaged, or another process may just begin it.
    with suppress(EvonasError), RecordReader(Layout(named).record) as record:
        is_finished = bool(record.meta("sealed"))
    way = f"To continue the other:  {command('resume', named)}"
    if is_finished:
        way = (
            "The other is finished, and `evonas run` always begins a new one. To see its result:"
            f"  {command('show', named)}"
        )
    complain(f"note: {named} exists and is another run; this one is {directory}. {way}")
