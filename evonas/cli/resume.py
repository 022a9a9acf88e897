"""`evonas resume`: go on with a run that was stopped or killed."""

from __future__ import annotations

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption

NAME = "resume"


def command(run: RunArgument, runs: RunsOption = DEFAULT_RUNS, as_json: JsonOption = False) -> None:
    """Go on with a run, wherever it was stopped, killed or cut off.

    The result is the same as if nothing had happened. A finished run is left as it is and shown again.
    """
    from evonas.cli.console import find_run
    from evonas.cli.search import search

    search(find_run(run, runs), as_json)
