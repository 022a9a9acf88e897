"""What `run` and `resume` share: a session with progress, and what is said at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.cli import one_trial, winner
from evonas.cli.console import console, number, print_json, say
from evonas.cli.ensemble import print_ensemble
from evonas.cli.finalists import print_finalists
from evonas.cli.front import print_constraints, print_front
from evonas.cli.neighbours import print_errors, print_neighbours
from evonas.cli.openings import opened_in_words
from evonas.cli.table import Column, print_table
from evonas.errors import (
    EvonasError,
    InvalidRecord,
    NothingFeasible,
    RepeatedFailures,
    RunHeld,
    Stopped,
    UserError,
)
from evonas.export.artefacts import MODEL
from evonas.invocation import command
from evonas.runtime.loop.observer import Observer
from evonas.runtime.record.layout import Layout
from evonas.streams import PATIENCE, hurry, impatient
from evonas.words import counted, listed, measured

if TYPE_CHECKING:
    from rich.console import Console

    from evonas.api import RecordedTrial, Run
    from evonas.data.prepared import Prepared
    from evonas.runtime.config.config_file import LoadedConfig
    from evonas.runtime.config.run_config import RunConfig
    from evonas.runtime.pools import PoolFactory


PARTS = (("validation", "val_"), ("test", "test_"))
"""The parts of the data on which a winner is scored, and the prefix of each one's metrics."""


def announce(loaded: LoadedConfig, directory: Path, prepared: Prepared, quiet: bool) -> None:
    """What is going to happen, before it happens."""
    # Not above: `show` imports this file, and needs no strategy.
    from evonas.runtime.config.strategy_config import in_words

    if quiet:
        return
    config = loaded.config
    plugins = ""
    if config.plugins:
        names = ", ".join(config.plugins)
        plugins = f"{names} (code of yours, run by {who_runs(config)})"
    about_search = [in_words(config.strategy), str(config.budget), _length(config)]
    lines = {
        **_material(loaded, prepared),
        "task": prepared.guess,
        "plugins": plugins,
        "space": f"{loaded.space.name}: {counted(loaded.space.dimension, 'decision')}",
        "founders": founders_in_words(loaded),
        "search": ", ".join(words for words in about_search if words),
        "training": config.training.recipe.in_words,
    }
    out = console()
    title = Layout(directory).title(config.run)
    say(out, f"Run {title} in {directory}, seed {config.seed}", style="bold")
    for name, words in lines.items():
        if words:
            say(out, f"  {name:<8}  {words}")


def founders_in_words(loaded: LoadedConfig) -> str:
    """The known genomes that the search begins with; empty if there are none."""
    if loaded.founders:
        names = listed(list(loaded.founders))
        return f"{names}, good genomes of this space (`founders: none` keeps them out)"
    return listed(list(loaded.seeds)) if loaded.seeds else ""


def who_runs(config: RunConfig) -> str:
    """Who runs the plugins, in words."""
    from evonas.runtime.config.plugin_members import names_plugin

    if config.pool.in_driver:
        return "this process"
    # A strategy of a plugin is asked and told by the driver.
    if names_plugin(config.to_json()["strategy"]):
        return "the workers and this process"
    return "the workers"


def _length(config: RunConfig) -> str:
    """How long a trial may be; empty if a trial has no length."""
    from evonas.runtime.config.strategy_config import that_sets_epochs

    epochs = counted(config.training.epochs, "epoch")
    return config.evaluator.length(epochs, is_set=bool(that_sets_epochs(config.strategy)))


def _material(loaded: LoadedConfig, prepared: Prepared) -> dict[str, str]:
    """What genomes are judged by, in words."""
    counts = prepared.counts
    interface = prepared.interface
    # Without networks there is no interface: a table or a function judges the genomes.
    if interface is None:
        known = loaded.config.evaluator.in_words
        if "genomes" in counts:
            known += f", {counted(counts['genomes'], 'genome')}"
        return {"judge": known}
    shape = "x".join(map(str, interface.input.shape))
    split = f"{winner.samples_in_words(counts, loaded.config.folds)} of shape {shape}"
    if interface.classes or interface.outputs > 1:
        split += f", {winner.outputs_in_words(interface.task, interface.outputs)}"
    return {"data": split}


def search(
    directory: Path,
    as_json: bool,
    overrides: Sequence[str] = (),
    is_new: bool = False,
    accept_changed_code: bool = False,
    began: float | None = None,
    pool_factory: PoolFactory | None = None,
) -> None:
    """One session, from wherever the run is to its end, with everything that the user sees.

    Args:
        began: `time.monotonic()` when the command began; None: it begins now.
        pool_factory: makes the pool of the run; None for that of its config.
    """
    from evonas import lifecycle
    from evonas.runtime.loop.stopping import StopRequest
    from evonas.runtime.pools import open_pool

    stop = StopRequest()
    # The report may wait for a slow pager, the search must not.
    with impatient(), going_on(directory, changes=bool(overrides)):
        run = lifecycle.work(
            directory,
            observers(as_json),
            pool_factory or open_pool,
            overrides=overrides,
            is_new=is_new,
            accept_changed_code=accept_changed_code,
            stop=stop,
            began=began,
        )
    # It came too late to stop anything. Nobody has to send a second one if the report is not read.
    if stop.is_asked:
        hurry(PATIENCE)
    try:
        if as_json:
            print_json(run.summary())
        else:
            conclude(run)
    except KeyboardInterrupt:
        error = Stopped("stopped by Ctrl-C while the report was printed; the run is finished.")
        error.add_note(f"To see it:  {command('show', directory)}")
        raise error from None


@contextmanager
def going_on(directory: Path, changes: bool = False) -> Iterator[None]:
    """What ends the work on a run says how to go on, if a resume alone would help.

    Args:
        changes: whether the command changes the config.
    """
    try:
        yield
    # It came before the session, or after it. So the changes may not have been written.
    except KeyboardInterrupt:
        error = Stopped("stopped by Ctrl-C; nothing is lost")
        way = command("resume", directory)
        error.add_note("The same command goes on." if changes else f"To go on:  {way}")
        raise error from None
    except RunHeld as error:
        look = command("show", directory)
        error.add_note(f"Wait until it ends, or press Ctrl-C there. To look at the run:  {look}")
        raise
    except (UserError, NothingFeasible, InvalidRecord):
        raise
    except EvonasError as error:
        error.add_note(f"To go on:  {command('resume', directory)}")
        if isinstance(error, RepeatedFailures):
            _note_mended_code(error, directory)
        raise


def _note_mended_code(error: EvonasError, directory: Path) -> None:
    """Tell how to go on with code that was mended: a resume alone would refuse it."""
    from evonas.runtime.code_guard import ACCEPT
    from evonas.view import load

    if plugins := load(directory).config.plugins:
        on = command("resume", directory, ACCEPT)
        error.add_note(f"If you have mended the code of {listed(plugins)}:  {on}")


def observers(as_json: bool) -> Sequence[Observer]:
    """Who tells of the progress: a live line on a terminal, otherwise plain lines."""
    from evonas.telling import choice

    # Standard output belongs to the JSON.
    return () if as_json else choice.observers()


def conclude(run: Run) -> None:
    """The winner as a table, what it scored, what was written, and what to do next."""
    result = run.result
    best = run.best
    if result is None or best is None:
        return
    out = console()
    if not run.has_networks:
        _conclude_without_network(run, result)
        print_constraints(run)
        _print_findings(run, out)
        print_front(run)
        return
    out.print()
    _print_title(run, best, out)
    about_test = opened_in_words(run.openings, run.are_openings_noted)
    notes = (_how_chosen(run), about_test)
    _print_scores(run, result["metrics"], notes, result.get("unscored", {}), out)
    print_baseline(run, result, out)
    print_neighbours(result, decisive(run), out)
    print_finalists(result, run.objective.name, out)
    print_ensemble(result, out)
    print_errors(result, out)
    winner.print_targets(result, out)
    out.print()
    _print_winner(best, result, out)
    winner.print_curves(result, out)
    winner.print_search(result, out)
    winner.print_time(run, out)
    out.print()
    _print_files(run, result, out)
    print_constraints(run)
    _print_findings(run, out)
    print_front(run)
    out.print()
    say(out, "To go on:")
    for words in (
        ("show", run.directory),
        ("genealogy", run.directory),
        ("export", run.directory, "--to", f"{run.name}.keras"),
    ):
        say(out, f"  {command(*words)}")
    winner.print_more_time(run, out)


def _succeeded(run: Run) -> int:
    """The number of trials that the winner was chosen from, without duplicates."""
    return sum(trial.fitness is not None and trial.twin_of is None for trial in run.trials)


def _place_of(run: Run) -> str:
    """What the winner is the best of."""
    succeeded = _succeeded(run)
    if succeeded == 1:
        return "the only one that succeeded"
    words = f"the best of {succeeded:,} that succeeded"
    if rows := (run.result or {}).get("finalists"):
        words = f"chosen from {len(rows)} finalists of {succeeded:,} that succeeded"
    # With one objective there is no doubt.
    if len(run.objectives) > 1:
        words += f", by {run.objective.name}"
    return words


def _how_chosen(run: Run) -> str:
    """What the winner's score is worth that chose it: the best of many is partly luck."""
    succeeded = _succeeded(run)
    words = f"chosen from {succeeded:,} trials by {run.objective.name}"
    if succeeded == 1:
        words = "nothing to choose from"
    # Cards of older runs know no folds.
    folds = ((run.result or {}).get("training") or {}).get("folds")
    return words if folds is None else f"the mean over {folds} folds; {words}"


def _print_title(run: Run, best: RecordedTrial, out: Console) -> None:
    """Which trial is the winner."""
    title = f"The winner: trial {best.id}, {_place_of(run)}"
    # A search without generations has the first one alone.
    if generation := best.lineage.generation:
        title += f"; generation {generation}"
    say(out, title, style="bold")
    if words := winner.founder_in_words(run.trials, best.trial):
        winner.print_words(words, out)


def _print_winner(best: RecordedTrial, card: Mapping[str, Any], out: Console) -> None:
    """The winner's layers as a table, and its size."""
    print_layers(card["layers"] or (), "Its layers", out)
    parameters = number(card["parameters"])
    flops = number(card["flops"])
    say(out, f"  {parameters} parameters, {flops} FLOPs a sample")
    if one_trial.is_cut(best.trial):
        say(out, f"  trained {one_trial.CUT}")
    winner.print_training(card, out)


def _print_scores(
    run: Run,
    metrics: Mapping[str, float],
    notes: tuple[str, str],
    unscored: Mapping[str, str],
    out: Console,
) -> None:
    """The winner's scores on validation and on test data.

    Args:
        notes: what a score on validation data is worth, and one on test data.
        unscored: why a function of the user's has given no score, by the name of the score.
    """
    for (part, prefix), note in zip(PARTS, notes, strict=True):
        told = _scores_in_words(run, metrics, prefix)
        winner.print_words(f"{told}  ({note})", out, part)
    for name, why in unscored.items():
        winner.print_words(f"{name} has no score: {why}", out)


def _scores_in_words(run: Run, metrics: Mapping[str, float], prefix: str) -> str:
    """`loss 0.0123, accuracy 0.9850`: the scores of one part of the data that there are."""
    known = {name: metrics[name] for name in metrics if name.startswith(prefix)}
    # The loss and the metric beside it come first, then what the config has asked for.
    scores = []
    for name in dict.fromkeys([f"{prefix}loss", prefix + run.interface.metric, *known]):
        if name in known:
            scores.append(f"{name.removeprefix(prefix)} {number(known[name])}")
    return ", ".join(scores)


def print_baseline(run: Run, card: Mapping[str, Any], out: Console) -> None:
    """What is scored without looking at a sample. Cards of older runs do not have it."""
    baseline = card.get("baseline")
    if not baseline:
        return
    told = []
    for part, prefix in PARTS:
        scores = _scores_in_words(run, baseline, prefix)
        if scores:
            told.append(f"{part} {scores}")
    what = run.interface.learning_task.constant_in_words
    winner.print_words(f"{'; '.join(told)}  (predicting {what} for every sample)", out, "baseline")
    persistence = card.get("persistence")
    if persistence:
        scored = [(part, _scores_in_words(run, persistence, prefix)) for part, prefix in PARTS]
        told = [f"{part} {scores}" for part, scores in scored if scores]
        words = f"{'; '.join(told)}  (repeating the last known value)"
        winner.print_words(words, out, "persist")


def decisive(run: Run) -> str:
    """The metric by which the winner is held against others."""
    name = run.objective.measure
    standard = [metric.name for metric in run.interface.learning_task.standard]
    # A classification is told by its accuracy, also if the loss has chosen.
    return name if name in standard and name != "loss" else run.interface.metric


def _print_findings(run: Run, out: Console) -> None:
    """What the trials show beside the winner, one sentence each."""
    found = winner.findings_in_words(run.trials)
    if found:
        out.print()
    for words in found:
        winner.print_words(words, out)


def _print_files(run: Run, card: Mapping[str, Any], out: Console) -> None:
    """What was written, and how the model is used."""
    _print_paths(run, out)
    out.print()
    for words in winner.how_to_use(card, MODEL.name):
        winner.print_words(words, out)


def _print_paths(run: Run, out: Console) -> None:
    """The files that the run has made, a line each."""
    files = {**run.artefacts, "record": run.layout.record, "config": run.layout.config}
    for label, path in files.items():
        # A path that is wrapped cannot be copied.
        say(out, f"  {label:<10}  {path}")


def _conclude_without_network(run: Run, card: Mapping[str, Any]) -> None:
    """The winner of a table or a function: its genes, what it scored, what was written."""
    out = console()
    out.print()
    chosen_by = f"{_place_of(run)}, judged by {card['evaluator']}"
    say(out, f"The winner: trial {card['trial']}, {chosen_by}", style="bold")
    best = run.trial(card["trial"])
    if words := winner.founder_in_words(run.trials, best.trial):
        winner.print_words(words, out)
    for section, genes in card["sections"].items():
        say(out, f"  {section:<10}  {genes_in_words(genes)}")
    seen: list[str] = []
    test: list[str] = []
    for name, value in card["metrics"].items():
        scores = test if name.startswith("test_") else seen
        scores.append(f"{name} {measured(name, value)}")
    for part, scores in (
        (_when_scored(card), seen),
        ("test data, which the search has not seen", test),
    ):
        if scores:
            told = ", ".join(scores)
            say(out, f"  {part}: {told}")
    winner.print_search(card, out)
    _print_paths(run, out)
    if run.is_time_over:
        out.print()
        say(out, "To go on:")
        winner.print_more_time(run, out)


def _when_scored(card: Mapping[str, Any]) -> str:
    """`after 9 epochs`, or `scores` of a function that has no epochs."""
    epochs = card["epochs"]
    return f"after {counted(epochs, 'epoch')}" if epochs else "scores"


def genes_in_words(genes: Sequence[Sequence[Any]]) -> str:
    """The genes of a section in words: each op with its parameters."""
    told = []
    for op, settings, *_ in genes:
        words = f"{op} {in_words(settings)}"
        # An op without parameters leaves a space behind.
        told.append(words.strip())
    return "; ".join(told)


def in_words(settings: Mapping[str, Any]) -> str:
    """A gene's parameters in words."""
    # As YAML has it: `true`, and not `True`.
    words = [
        f"{name} {str(value).lower() if isinstance(value, bool) else value}"
        for name, value in settings.items()
    ]
    return ", ".join(words)


def print_layers(layers: Sequence[Mapping[str, Any]], title: str, out: Console) -> None:
    """The layers of a network as a table."""
    rows = []
    for layer in layers:
        rows.append(
            [
                str(layer["name"]),
                str(layer["kind"]),
                "x".join(map(str, layer["output_shape"])),
                str(layer.get("settings", "")),
                number(layer["parameters"]),
            ]
        )
    columns = [Column(name) for name in ("layer", "kind", "output", "settings")]
    columns.append(Column("parameters", is_number=True, least=len("parameters")))
    print_table(out, columns, rows, title)
