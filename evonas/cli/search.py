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
    from evonas.api import Run
    from evonas.data.prepared import Prepared
    from evonas.runtime.config.config_file import LoadedConfig


def announce(loaded: LoadedConfig, directory: Path, prepared: Prepared, quiet: bool) -> None:
    """What is going to happen, before it happens."""
    if quiet:
        return
    config = loaded.config
    strategy, _ = config.strategy_parts()
    lines = {
        **_material(loaded, prepared),
        "task": prepared.guess,
        "plugins": f"{', '.join(config.plugins)} (code of yours, run by the workers)"
        if config.plugins
        else "",
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
    counts, interface = prepared.counts, prepared.interface
    if interface is None:
        from evonas.runtime.evaluators import judge

        known = f", {counts['genomes']:,} genomes" if "genomes" in counts else ""
        return {"judge": f"{judge(loaded.config)}{known}"}
    shape = "x".join(map(str, interface.shape))
    classes = f", {len(interface.classes)} classes" if interface.classes else ""
    split = f"{counts['train']} training, {counts['validation']} validation and {counts['test']} test samples"
    return {"data": f"{split} of shape {shape}{classes}"}


def search(directory: Path, as_json: bool, overrides: Sequence[str] = ()) -> None:
    """One session, from wherever the run is to its end, with everything that the user sees of it."""
    from evonas import api

    try:
        run = api.work(directory, _observers(as_json), overrides=overrides)
    except (UserError, NothingFeasible, RunHeld, InvalidRecord):
        raise
    except EvonasError as error:
        error.add_note(f"To go on:  evonas resume {shlex.quote(str(directory))}")
        raise
    if as_json:
        print_json(run.summary())
    else:
        conclude(run, "test data opened once, now")


def _observers(as_json: bool) -> Sequence[Observer]:
    from evonas.cli.progress import LineProgress, LiveProgress

    out = console()
    if as_json:
        return ()
    return (LiveProgress(out),) if out.is_terminal else (LineProgress(out),)


def conclude(run: Run, about_test: str = "test data opened once, at the end of the run") -> None:
    """The winner as a table, what it scored, what was written, and what to do next."""
    result, best = run.result, run.best
    if result is None or best is None:
        return
    if not run.has_networks:
        _conclude_without_network(run, result)
        print_constraints(run)
        print_front(run)
        return
    out = console()
    trained = sum(trial.twin_of is None for trial in run.trials)
    out.print()
    best_by = f"the best of {trained}" + (
        f" by {run.objective.name}" if len(run.objectives) > 1 else ""
    )
    title = f"The winner: trial {best.id}, {best_by}, born in generation {best.lineage.generation}"
    out.print(layer_table(result["layers"] or (), title))
    out.print(
        f"  {number(result['parameters'])} parameters, {number(result['flops'])} FLOPs a sample"
    )
    if one_trial.is_cut(best):
        out.print(f"  trained {one_trial.CUT}")
    metrics, names = result["metrics"], ("loss", run.interface.metric)
    for part, prefix, note in (
        ("validation", "val_", f"what the search saw, {trained} times"),
        ("test", "test_", about_test),
    ):
        scores = ", ".join(
            f"{name} {metrics[prefix + name]:.4f}" for name in names if prefix + name in metrics
        )
        out.print(f"  {part:<10}  {scores}  ({note})")
    out.print()
    layout = run.layout
    files = {
        "model": layout.model,
        "card": layout.card,
        "genealogy": layout.climb,
        "record": layout.record,
    }
    files |= {"front": layout.front} if layout.front.is_file() else {}
    for label, path in files.items():
        out.print(f"  {label:<10}  {path}", soft_wrap=True)
    takes = ", ".join(map(str, ("n", *run.interface.shape)))
    out.print(
        f"\n  {layout.model.name} takes raw samples of shape ({takes}); preprocessing is inside."
    )
    print_constraints(run)
    print_front(run)
    out.print("\nTo go on:")
    directory = shlex.quote(str(run.directory))
    for line in ("show {}", "genealogy {}", f"export {{}} --to {run.name}.keras"):
        out.print(f"  evonas {line.format(directory)}", soft_wrap=True)


def _conclude_without_network(run: Run, card: Mapping[str, Any]) -> None:
    """The winner of a table or a function: its genes, what it scored, what was written."""
    out, metrics = console(), card["metrics"]
    trained = sum(trial.twin_of is None for trial in run.trials)
    out.print()
    out.print(
        f"The winner: trial {card['trial']}, the best of {trained}, judged by {card['evaluator']}",
        style="bold",
    )
    for section, genes in card["sections"].items():
        told = [f"{op} {in_words(settings)}".strip() for op, settings, *_ in genes]
        out.print(f"  {section:<10}  {'; '.join(told)}", soft_wrap=True)
    for part, names in (
        (
            f"after {card['epochs']} epochs",
            [name for name in metrics if not name.startswith("test_")],
        ),
        ("test data, opened once", [name for name in metrics if name.startswith("test_")]),
    ):
        if names:
            scores = ", ".join(f"{name} {number(metrics[name])}" for name in names)
            out.print(f"  {part}: {scores}", soft_wrap=True)
    layout = run.layout
    for label, path in {
        "card": layout.card,
        "genealogy": layout.climb,
        "record": layout.record,
    }.items():
        out.print(f"  {label:<10}  {path}", soft_wrap=True)


def in_words(settings: Mapping[str, Any]) -> str:
    """A gene's parameters in words."""
    return ", ".join(f"{name} {value}" for name, value in settings.items())


def layer_table(layers: Sequence[dict[str, object]], title: str) -> object:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE)
    for name in ("layer", "kind", "output", "settings"):
        table.add_column(name, overflow="fold")
    table.add_column("parameters", justify="right")
    for row in layers:
        shape = "x".join(map(str, row["output_shape"]))  # type: ignore[call-overload]
        table.add_row(
            str(row["name"]),
            str(row["kind"]),
            shape,
            str(row.get("settings", "")),
            f"{row['parameters']:,}",
        )
    return table
