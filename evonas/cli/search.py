"""What `run` and `resume` share: a session with progress, and what is said at its end."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.cli import one_trial
from evonas.cli.console import console, number, print_json
from evonas.cli.front import print_constraints, print_front
from evonas.errors import EvonasError, InvalidRecord, NothingFeasible, RunHeld, UserError
from evonas.runtime.loop.observer import Observer

if TYPE_CHECKING:
    from rich.console import Console

    from evonas.api import RecordedTrial, Run
    from evonas.data.prepared import Prepared
    from evonas.runtime.config.config_file import LoadedConfig


def announce(loaded: LoadedConfig, directory: Path, prepared: Prepared, quiet: bool) -> None:
    """What is going to happen, before it happens."""
    if quiet:
        return
    config = loaded.config
    strategy, _ = config.strategy_parts()
    plugins = ""
    if config.plugins:
        names = ", ".join(config.plugins)
        plugins = f"{names} (code of yours, run by the workers)"
    lines = {
        **_material(loaded, prepared),
        "task": prepared.guess,
        "plugins": plugins,
        "space": f"{loaded.space.name}: {loaded.space.dimension} decisions",
        "search": f"{strategy}, {config.budget}, trials of up to {config.training.epochs} epochs",
    }
    out = console()
    out.print(f"Run {config.run} in {directory}, seed {config.seed}", style="bold", soft_wrap=True)
    for name, words in lines.items():
        if words:
            out.print(f"  {name:<8}  {words}", soft_wrap=True)


def _material(loaded: LoadedConfig, prepared: Prepared) -> dict[str, str]:
    """What genomes are judged by, in words."""
    counts = prepared.counts
    interface = prepared.interface
    # Without networks there is no interface: a table or a function judges the genomes.
    if interface is None:
        from evonas.runtime.evaluators import judge

        known = str(judge(loaded.config))
        if "genomes" in counts:
            known += f", {counts['genomes']:,} genomes"
        return {"judge": known}
    shape = "x".join(map(str, interface.shape))
    split = f"{counts['train']} training, {counts['validation']} validation"
    split += f" and {counts['test']} test samples of shape {shape}"
    if interface.classes:
        split += f", {len(interface.classes)} classes"
    return {"data": split}


def search(directory: Path, as_json: bool, overrides: Sequence[str] = ()) -> None:
    """One session, from wherever the run is to its end, with everything that the user sees."""
    from evonas import lifecycle

    try:
        run = lifecycle.work(directory, _observers(as_json), overrides=overrides)
    except (UserError, NothingFeasible, RunHeld, InvalidRecord):
        # A resume alone would not help against any of these.
        raise
    except EvonasError as error:
        error.add_note(f"To go on:  evonas resume {shlex.quote(str(directory))}")
        raise
    if as_json:
        print_json(run.summary())
    else:
        conclude(run, "test data opened once, now")


def _observers(as_json: bool) -> Sequence[Observer]:
    """Who tells of the progress: a live line on a terminal, otherwise plain lines."""
    from evonas.cli.progress import LineProgress, LiveProgress

    # Standard output belongs to the JSON.
    if as_json:
        return ()
    out = console()
    if out.is_terminal:
        return (LiveProgress(out),)
    return (LineProgress(out),)


def conclude(run: Run, about_test: str = "test data opened once, at the end of the run") -> None:
    """The winner as a table, what it scored, what was written, and what to do next."""
    result = run.result
    best = run.best
    if result is None or best is None:
        return
    if not run.has_networks:
        _conclude_without_network(run, result)
        print_constraints(run)
        print_front(run)
        return
    out = console()
    trained = _trained(run)
    out.print()
    _print_winner(run, best, result, trained, out)
    # The winner was chosen by its score on validation data, which is partly luck.
    about_validation = f"what the search saw, {trained} times"
    _print_scores(run, result["metrics"], (about_validation, about_test), out)
    out.print()
    _print_files(run, out)
    print_constraints(run)
    print_front(run)
    out.print("\nTo go on:")
    directory = shlex.quote(str(run.directory))
    for line in (
        f"show {directory}",
        f"genealogy {directory}",
        f"export {directory} --to {run.name}.keras",
    ):
        out.print(f"  evonas {line}", soft_wrap=True)


def _trained(run: Run) -> int:
    """The number of trials that were trained: a duplicate takes the outcome of another one."""
    return sum(trial.twin_of is None for trial in run.trials)


def _print_winner(
    run: Run, best: RecordedTrial, card: Mapping[str, Any], trained: int, out: Console
) -> None:
    """The winner's layers as a table, and its size."""
    chosen_by = f"the best of {trained}"
    # With one objective there is no doubt.
    if len(run.objectives) > 1:
        chosen_by += f" by {run.objective.name}"
    generation = best.lineage.generation
    title = f"The winner: trial {best.id}, {chosen_by}, born in generation {generation}"
    layers = card["layers"] or ()
    out.print(layer_table(layers, title))
    parameters = number(card["parameters"])
    flops = number(card["flops"])
    out.print(f"  {parameters} parameters, {flops} FLOPs a sample")
    if one_trial.is_cut(best):
        out.print(f"  trained {one_trial.CUT}")


def _print_scores(
    run: Run, metrics: Mapping[str, float], notes: tuple[str, str], out: Console
) -> None:
    """The winner's scores on validation and on test data.

    Args:
        notes: what a score on validation data is worth, and one on test data.
    """
    parts = (("validation", "val_"), ("test", "test_"))
    for (part, prefix), note in zip(parts, notes, strict=True):
        scores = []
        for name in ("loss", run.interface.metric):
            value = metrics.get(prefix + name)
            if value is not None:
                scores.append(f"{name} {value:.4f}")
        told = ", ".join(scores)
        out.print(f"  {part:<10}  {told}  ({note})")


def _print_files(run: Run, out: Console) -> None:
    """What was written, and what the model takes."""
    layout = run.layout
    files = {
        "model": layout.model,
        "card": layout.card,
        "genealogy": layout.climb,
        "record": layout.record,
    }
    # Only a run with several objectives has a front.
    if layout.front.is_file():
        files["front"] = layout.front
    _print_paths(files, out)
    takes = ", ".join(map(str, ("n", *run.interface.shape)))
    out.print(
        f"\n  {layout.model.name} takes raw samples of shape ({takes}); preprocessing is inside."
    )


def _print_paths(files: Mapping[str, Path], out: Console) -> None:
    for label, path in files.items():
        # A path that is wrapped cannot be copied.
        out.print(f"  {label:<10}  {path}", soft_wrap=True)


def _conclude_without_network(run: Run, card: Mapping[str, Any]) -> None:
    """The winner of a table or a function: its genes, what it scored, what was written."""
    out = console()
    out.print()
    chosen_by = f"the best of {_trained(run)}, judged by {card['evaluator']}"
    out.print(f"The winner: trial {card['trial']}, {chosen_by}", style="bold")
    for section, genes in card["sections"].items():
        out.print(f"  {section:<10}  {genes_in_words(genes)}", soft_wrap=True)
    seen: list[str] = []
    test: list[str] = []
    for name, value in card["metrics"].items():
        scores = test if name.startswith("test_") else seen
        scores.append(f"{name} {number(value)}")
    for part, scores in (
        (f"after {card['epochs']} epochs", seen),
        ("test data, opened once", test),
    ):
        if scores:
            told = ", ".join(scores)
            out.print(f"  {part}: {told}", soft_wrap=True)
    layout = run.layout
    files = {
        "card": layout.card,
        "genealogy": layout.climb,
        "record": layout.record,
    }
    _print_paths(files, out)


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
    words = [f"{name} {value}" for name, value in settings.items()]
    return ", ".join(words)


def layer_table(layers: Sequence[dict[str, Any]], title: str) -> object:
    """The layers of a network as a table for the terminal."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE)
    for name in ("layer", "kind", "output", "settings"):
        # A long name goes on in the next line; it is never cut.
        table.add_column(name, overflow="fold")
    table.add_column("parameters", justify="right")
    for row in layers:
        table.add_row(
            str(row["name"]),
            str(row["kind"]),
            "x".join(map(str, row["output_shape"])),
            str(row.get("settings", "")),
            f"{row['parameters']:,}",
        )
    return table
