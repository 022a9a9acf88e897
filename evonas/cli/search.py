"""What `run` and `resume` share: a session with progress, and what is said at its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evonas.cli.console import complain, console, duration, number, print_json
from evonas.errors import RepeatedFailures, Stopped
from evonas.runtime.observer import Observer

if TYPE_CHECKING:
    from evonas.api import Run
    from evonas.evaluate.data import Prepared
    from evonas.runtime.config_file import LoadedConfig


def announce(loaded: LoadedConfig, directory: Path, prepared: Prepared, quiet: bool) -> None:
    """What is going to happen, before it happens."""
    if quiet:
        return
    config, counts, interface = loaded.config, prepared.counts, prepared.interface
    out = console()
    out.print(f"Run [bold]{config.run}[/] in {directory}, seed {config.seed}")
    shape = "x".join(map(str, interface.shape))
    classes = f", {len(interface.classes)} classes" if interface.classes else ""
    split = f"{counts['train']} training, {counts['validation']} validation and {counts['test']} test samples"
    out.print(f"  data      {split} of shape {shape}{classes}")
    if prepared.guess:
        out.print(f"  task      {prepared.guess}")
    if config.plugins:
        out.print(f"  plugins   {', '.join(config.plugins)} (code of yours, run by the workers)")
    out.print(f"  space     {loaded.space.name}: {loaded.space.dimension} decisions")
    strategy, _ = config.strategy_parts()
    out.print(f"  search    {strategy}, {config.budget.trials} trials of up to {config.training.epochs} epochs")


def search(directory: Path, as_json: bool) -> None:
    """One session, from wherever the run is to its end, with everything that the user sees of it."""
    from evonas import api

    try:
        run = api.work(directory, _observers(as_json))
    except (Stopped, RepeatedFailures) as error:
        raise type(error)(f"{error}\nTo go on:  evonas resume {directory}") from error
    if as_json:
        print_json(run.summary())
    else:
        conclude(run)


def _observers(as_json: bool) -> Sequence[Observer]:
    from evonas.cli.progress import LineProgress, LiveProgress

    out = console()
    if as_json:
        return ()
    return (LiveProgress(out),) if out.is_terminal else (LineProgress(out),)


def conclude(run: Run) -> None:
    """The winner as a table, what it scored, what was written, and what to do next."""
    out = console()
    result, best = run.result, run.best
    if result is None or best is None:
        complain(f"the run at {run.directory} has no result yet. To go on:  evonas resume {run.directory}")
        return
    out.print()
    out.print(
        layer_table(
            result["layers"], f"The winner: trial {best.id} of {len(run.trials)}, generation {best.lineage.generation}"
        )
    )
    out.print(f"  {number(result['parameters'])} parameters, {number(result['flops'])} FLOPs a sample")
    metrics = result["metrics"]
    names = ("loss", run.interface.metric)
    for part, prefix in (("validation", "val_"), ("test", "test_")):
        scores = ", ".join(f"{name} {metrics[prefix + name]:.4f}" for name in names if prefix + name in metrics)
        note = "  (test data opened once, now)" if part == "test" else f"  (best of {len(run.trials)} trials)"
        out.print(f"  [bold]{part:<10}[/]  {scores}{note}")
    out.print()
    for label, path in (
        ("model", run.layout.model),
        ("card", run.layout.card),
        ("genealogy", run.layout.climb),
        ("record", run.layout.record),
    ):
        out.print(f"  {label:<10}  {path}", soft_wrap=True)
    takes = "x".join(map(str, ("n", *run.interface.shape)))
    out.print(f"\n  best.keras takes raw samples of shape ({takes.replace('x', ', ')}); preprocessing is inside.")
    out.print("\nTo go on:")
    for line in (
        f"evonas show {run.directory}",
        f"evonas genealogy {run.directory}",
        f"evonas export {run.directory} --to {run.name}.keras",
    ):
        out.print(f"  {line}", soft_wrap=True)


def layer_table(layers: Sequence[dict[str, object]], title: str) -> object:
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE)
    for name in ("layer", "kind", "output", "settings"):
        table.add_column(name)
    table.add_column("parameters", justify="right")
    for row in layers:
        shape = "x".join(map(str, row["output_shape"]))  # type: ignore[call-overload]
        table.add_row(str(row["name"]), str(row["kind"]), shape, str(row.get("settings", "")), f"{row['parameters']:,}")
    return table


__all__ = ["announce", "conclude", "duration", "layer_table", "search"]
