"""`evonas check`: everything that is wrong with a config, at once, without training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.cli.options import ConfigArgument, JsonOption, SetOption
from evonas.words import counted

if TYPE_CHECKING:
    from evonas.errors import EvonasError
    from evonas.runtime.config.config_file import LoadedConfig
    from evonas.runtime.preparation import Checked

NAME = "check"

_PARTS = {"train": "training", "validation": "validation", "test": "test"}
"""Parts of the data, as sentences name them."""


def command(config: ConfigArgument, changes: SetOption = None, as_json: JsonOption = False) -> None:
    """Check a config or an experiment, its search space, its seed genomes and its data; report
    every problem, each with file, line and key.

    One small network for each op is built, trained for one step, saved and loaded. What was found
    good is remembered in the cache of your home, so it costs once. With limits on the size, some
    random networks are measured. It is an error if none of them is within, nor a seed genome.
    `evonas run` checks the same before it begins, but of the ops only those of plugins, and it
    measures no networks.
    """
    import sys
    import tempfile
    from pathlib import Path

    from evonas.cli.console import complain, print_json
    from evonas.errors import EvonasError
    from evonas.runtime.config.config_file import load_config
    from evonas.runtime.config.experiment_file import is_experiment_file, load_experiment
    from evonas.runtime.preparation import prepare_run

    overrides = changes or ()
    notes: list[str] = []
    try:
        if is_experiment_file(config):
            # All runs of an experiment have the same space and the same data.
            loaded = load_experiment(config, overrides).any_run
            budget = loaded.config.budget
            # One of them may come from the runs' shared config, which the experiment changes.
            if len(budget.given) > 1:
                notes.append(f"several budgets hold; the first one spent ends a run: {budget}")
        else:
            loaded = load_config(config, overrides)
        # It takes up to a minute if nothing is remembered of the ops.
        if loaded.config.evaluator.has_networks and not as_json and sys.stderr.isatty():
            complain("note: trying each op once in a small network ...")
        with tempfile.TemporaryDirectory() as scratch:
            checked = prepare_run(loaded, Path(scratch), every_op=True)
    except EvonasError as error:
        if not as_json:
            raise
        print_json({"ok": False, "problems": _problems(error)})
        raise SystemExit(error.exit_code) from error
    if as_json:
        plain = {
            "ok": True,
            "warnings": [*loaded.warnings, *notes, *checked.prepared.notes],
            "followed": list(loaded.followed),
            "counts": dict(checked.prepared.counts),
        }
        if (measured := checked.measured) is not None:
            plain["within_limits"] = {
                "networks": measured.within,
                "of": measured.drawn,
                "beyond": measured.beyond,
                "least": measured.least,
            }
        print_json(plain)
    else:
        _print(config, loaded, checked, notes)


def _problems(error: EvonasError) -> list[dict[str, object]]:
    """Each problem as plain JSON."""
    import dataclasses

    from evonas.errors import InvalidInput, Issue

    # Only an error in what the user wrote comes with a place.
    issues = [Issue(str(error))]
    if isinstance(error, InvalidInput):
        issues = list(error.problems)
    return [dataclasses.asdict(issue) for issue in issues]


def _print(config: str, loaded: LoadedConfig, checked: Checked, notes: list[str]) -> None:
    """Says that all is fine, and what the config is about.

    Args:
        notes: what is said of an experiment beside the warnings of its runs.
    """
    from evonas.cli.console import console, say
    from evonas.cli.search import founders_in_words
    from evonas.runtime.config.strategy_config import in_words

    out = console()
    prepared = checked.prepared
    for warning in (*loaded.warnings, *notes, *prepared.notes):
        say(out, f"note: {warning}")
    for sentence in loaded.followed:
        if sentence not in loaded.warnings:
            say(out, f"left out: {sentence}")
    say(out, f"search: {in_words(loaded.config.strategy)}")
    counts = prepared.counts
    decisions = counted(loaded.space.dimension, "decision")
    about = f"space {loaded.space.name} ({decisions})"
    # Without networks there is no interface: a table or a function judges the genomes.
    if prepared.interface is None:
        if counts:
            about += f", a table of {counted(counts['genomes'], 'genome')}"
        if (call := loaded.config.evaluator.call) is not None:
            # A call may take hours.
            words = "was imported and compared with its call, not called."
            say(out, f"function: {call.function} {words}")
        say(out, f"{config} is fine: {about}.")
        return
    if prepared.guess:
        say(out, f"task: {prepared.guess}")
    if loaded.founders:
        say(out, f"founders: {founders_in_words(loaded)}")
    if checked.measured is not None:
        say(out, f"limits: {checked.measured.share()}")
    samples = ", ".join(f"{count:,} {_PARTS[part]}" for part, count in counts.items())
    if (folds := loaded.config.folds) is not None:
        samples += f"; {folds} folds of the training samples"
    say(out, f"{config} is fine: {about}, samples: {samples}.")
