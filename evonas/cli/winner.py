"""What `run` and `show` tell of a winner beside its layers and its scores, from its card."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evonas.cli.console import number, say
from evonas.cli.one_trial import ENDED_BY_TIME
from evonas.insight.findings import failing_ops, given_founder
from evonas.insight.sparkline import sparkline
from evonas.invocation import command
from evonas.learning.metrics import TIMES
from evonas.model.catalog import FINAL_FRACTION
from evonas.trial import CUT_SHORT, Trial
from evonas.words import counted, listed, span

if TYPE_CHECKING:
    from rich.console import Console

    from evonas.api import Run

LABEL = 10
"""Columns of the words in front of a line: `optimizer`, `validation`."""

MOST_CLASSES = 6
"""Labels that are listed; the card has all."""


def print_words(words: str, out: Console, label: str = "") -> None:
    """A line that goes on below its own beginning if it is too long for the window.

    Args:
        label: word in front of the line.
    """
    start = f"  {label:<{LABEL}}  " if label else "  "
    lines = textwrap.wrap(
        words,
        # The words stay readable in the narrowest of windows.
        width=max(out.width - len(start), 20),
        # A path or a number is never broken.
        break_long_words=False,
        break_on_hyphens=False,
    )
    # Of no words at all, the label is left.
    for line in lines or [""]:
        say(out, f"{start}{line}")
        start = " " * len(start)


def print_training(card: Mapping[str, Any], out: Console) -> None:
    """The winner's optimizer, its batches and its epochs. Cards of older runs do not have them."""
    training = card.get("training")
    if training is None:
        return
    optimizer = training["optimizer"]
    if optimizer is not None:
        print_words(optimizer_in_words(optimizer), out, "optimizer")
    words = training_in_words(training)
    if card.get(CUT_SHORT):
        words += f"; {ENDED_BY_TIME}"
    print_words(words, out, "training")
    if recipe := training.get("recipe"):
        # imports NumPy
        from evonas.learning.recipe import Recipe

        print_words(Recipe.from_json(recipe).in_words, out, "recipe")


def optimizer_in_words(optimizer: Mapping[str, Any]) -> str:
    """`adam; learning rate 0.001, cosine schedule down to 0.01 of it; beta_1 0.9`."""
    settings = dict(optimizer)
    told = [settings.pop("name")]
    schedule = settings.pop("schedule", "constant")
    fraction = settings.pop("final_fraction", FINAL_FRACTION)
    rate = settings.pop("learning_rate", None)
    if rate is not None:
        words = f"learning rate {_value(rate)}, {schedule} schedule"
        if schedule != "constant":
            words += f" down to {_value(fraction)} of it"
        told.append(words)
    for name, value in settings.items():
        told.append(f"{name} {_value(value)}")
    return "; ".join(told)


def training_in_words(training: Mapping[str, Any]) -> str:
    """`batches of 32; 24 of at most 30 epochs; the weights are those of epoch 14`."""
    told = []
    if training.get("batch_size") is not None:
        told.append(f"batches of {training['batch_size']}")
    if smoothing := training.get("label_smoothing"):
        told.append(f"labels smoothed by {_value(smoothing)}")
    changes = [_layer_in_words(layer) for layer in training.get("augmentation", ())]
    if changes:
        told.append(f"images changed by {listed(changes)}")
    epochs = training["epochs"]
    if epochs is not None:
        most = counted(training["most_epochs"], "epoch")
        told.append(f"{epochs:,} of at most {most}")
    best = training["best_epoch"]
    # Cards of older runs know no folds.
    if (folds := training.get("folds")) is not None:
        told.append(f"the best epoch of the means over {folds} folds is {best}")
        told.append(
            f"the weights are those of {best} epochs on all {training['samples']:,} samples"
        )
    elif best is not None:
        told.append(f"the weights are those of epoch {best}")
    return "; ".join(told)


def _layer_in_words(layer: Mapping[str, Any]) -> str:
    """`rotation (factor 0.05)`."""
    arguments = [f"{name} {_value(value)}" for name, value in layer.items() if name != "name"]
    if not arguments:
        return str(layer["name"])
    return f"{layer['name']} ({', '.join(arguments)})"


def print_search(card: Mapping[str, Any], out: Console) -> None:
    """What found the winner: the strategy, the data and the space."""
    if "strategy" in card:
        print_words(strategy_in_words(card["strategy"]), out, "strategy")
    if data := card.get("data"):
        print_words(data_in_words(data), out, "data")
    if space := card.get("space"):
        decisions = counted(space["decisions"], "decision")
        print_words(f"{space['name']}, {decisions}", out, "space")


def print_time(run: Run, out: Console) -> None:
    """How long a run with a budget of time has worked, and how long its end took."""
    limit = run.budget.time
    if limit is None or run.end is None or not run.has_networks:
        return
    words = (
        f"{run.seconds:,.1f} seconds of {span(limit)};"
        f" {run.end['seconds']:.1f} of them for the export and the pictures"
        f" ({run.end['reserve']:.1f} were kept for the end)"
    )
    if interrupted := interrupted_in_words(run):
        words += f"; {interrupted}"
    print_words(words, out, "time")


def interrupted_in_words(run: Run) -> str:
    """What the end of the time has kept from its end or from its beginning; may be empty."""
    told = []
    if run.cut_short:
        told.append(f"{counted(run.cut_short, 'training was', 'trainings were')} cut short")
    if run.cancelled:
        told.append(f"{counted(run.cancelled, 'trial was', 'trials were')} cancelled")
    return listed(told)


def print_more_time(run: Run, out: Console) -> None:
    """The command that gives a run more time whose time is over, and what it does then."""
    if not run.is_time_over:
        return
    told = []
    if run.cut_short:
        trainings = counted(run.cut_short, "training that was", "trainings that were")
        told.append(f"{trainings} cut short {'goes' if run.cut_short == 1 else 'go'} on")
    if run.cancelled:
        trials = counted(run.cancelled, "trial that was", "trials that were")
        told.append(f"{trials} cancelled {'begins' if run.cancelled == 1 else 'begin'}")
    then = listed(told) or "the search goes on"
    longer = command("resume", run.directory, "--set", run.with_more_time)
    say(out, f"  {longer}  # {then}")


def strategy_in_words(strategy: Mapping[str, Any]) -> str:
    """`evolution: population 16, selection tournament (size 5)`; what is not set is left out."""
    ((name, settings),) = strategy.items()
    told = ", ".join(_settings(settings))
    if not told:
        return str(name)
    return f"{name}: {told}"


def _settings(settings: Mapping[str, Any]) -> Iterator[str]:
    """Each setting in words."""
    for name, value in settings.items():
        if value in (None, [], {}):
            continue
        yield f"{name} {_setting(value)}"


def _setting(value: Any) -> str:
    """A setting's value in words. A part that was chosen by name has its own settings behind it."""
    if isinstance(value, list):
        return listed([_value(item) for item in value])
    if not isinstance(value, dict):
        return _value(value)
    inside = list(value.values())
    if len(inside) == 1 and isinstance(inside[0], dict):
        (name,) = value
        told = ", ".join(_settings(inside[0]))
        return f"{name} ({told})" if told else str(name)
    return f"({', '.join(_settings(value))})"


def data_in_words(data: Mapping[str, Any]) -> str:
    """`digits: classification, 1,079 training, 359 validation and 359 test samples of ...`."""
    source = data["name"] or data["path"]
    shape = "x".join(map(str, data["shape"]))
    told = f"{source}: {data['task']}, {samples_in_words(data['samples'], data.get('folds'))}"
    told = f"{told} of shape {shape}"
    names = data["classes"] or data.get("targets", [])
    if not names:
        return told
    first = ", ".join(map(str, names[:MOST_CLASSES]))
    more = ", ..." if len(names) > MOST_CLASSES else ""
    return f"{told}, {outputs_in_words(data['task'], len(names))} ({first}{more})"


def outputs_in_words(task: str, count: int) -> str:
    """What the columns of a prediction are, and how many: `10 classes`, `2 targets`."""
    if task == "classification":
        return counted(count, "class", "classes")
    return counted(count, "label" if task == "multilabel" else "target")


def print_targets(card: Mapping[str, Any], out: Console) -> None:
    """What each of several targets scores, the test data first if they are told."""
    of_targets = card.get("targets") or {}
    label = "targets"
    for name, found in list(of_targets.items())[:MOST_CLASSES]:
        part = "test" if any(one.startswith("test_") for one in found) else "val"
        told = []
        for metric, value in found.items():
            if metric.startswith(f"{part}_"):
                told.append(f"{metric.removeprefix(f'{part}_')} {number(value)}")
        which = "test" if part == "test" else "validation"
        print_words(f"{name}: {', '.join(told)} ({which})", out, label)
        # One word in front of all lines.
        label = " "
    more = len(of_targets) - MOST_CLASSES
    if more > 0:
        print_words(f"and {more:,} more, which the card has", out, label)


def samples_in_words(counts: Mapping[str, int], folds: int | None) -> str:
    """`1,079 training, 359 validation and 359 test samples`.

    Args:
        counts: number of samples of each part.
        folds: number of folds; None without folds.
    """
    if folds is None:
        learned = f"{counts['train']:,} training, {counts['validation']:,} validation"
    else:
        learned = f"{counts['train']:,} in {folds} folds"
    return f"{learned} and {counts['test']:,} test samples"


def print_curves(card: Mapping[str, Any], out: Console) -> None:
    """The learning curves of the winner: for each metric a few numbers, and a drawing.

    The drawing is left out if the terminal's encoding has no bars.
    """
    history = {name: values for name, values in card.get("history", {}).items() if values}
    names = [name for name in history if name not in TIMES]
    best = (card.get("training") or {}).get("best_epoch")
    label = "curves"
    for name in names:
        values = history[name]
        words = f"{name:<{max(map(len, names))}}  {_curve(values, best)}"
        if not out.options.ascii_only and len(values) > 1:
            words += f"  {sparkline(values)}"
        # One line each: the bars stand for epochs, so they are never wrapped.
        say(out, f"  {label:<{LABEL}}  {words}")
        label = ""


def _curve(values: Sequence[float | None], best: int | None) -> str:
    """`from 1.2034 to 0.0150, 0.0123 at epoch 14`."""
    first = number(values[0])
    if len(values) == 1:
        return f"{first} after the only epoch"
    words = f"from {first} to {number(values[-1])}"
    if best is None or best in (1, len(values)):
        return words
    return f"{words}, {number(values[best - 1])} at epoch {best}"


def how_to_use(card: Mapping[str, Any], name: str) -> list[str]:
    """What the exported model takes, and what can be done with it."""
    takes = ", ".join(map(str, ("n", *card["input_shape"])))
    told = [
        f"{name} takes {_raw(card) or f'raw samples of shape ({takes})'}; preprocessing is inside."
    ]
    if dates := _dates(card):
        told.append(dates)
    # Cards of older runs do not have it.
    if keras := card.get("keras"):
        told.append(f"It needs Keras {keras['needs']}.")
    if compiled := card.get("compiled"):
        told.append("It is compiled: `evaluate(x, y)` and `fit(x, y)` work in plain Keras.")
        told.append(f"y: {compiled['y']}.")
        # Penalties of layers, and a weight for targets, are a part of what Keras calls the loss.
        more = "the penalties of layers (l1, l2)"
        if compiled.get("loss_weight", 1) != 1:
            more += " and a weight for the targets"
        if compiled.get("is_standardized") is False:
            told.append(
                f"In `evaluate`, `{compiled['loss']}` is in the targets' units. The loss above is"
                " that of targets divided by their deviations."
            )
            return told
        told.append(
            f"In `evaluate`, compare `{compiled['metrics'][1]}` with the loss above; its own `loss`"
            f" also has {more}."
        )
        if trained := compiled.get("trained"):
            told.append(f"It is compiled with `{compiled['loss']}`, and was trained by {trained}.")
    return told


def founder_in_words(trials: Sequence[Trial], best: Trial) -> str:
    """A sentence for a winner that is a known genome; empty for any other."""
    founder = given_founder(trials, best)
    if not founder:
        return ""
    words = f"The winner is the founder {founder}"
    # A single trial had nothing to improve on.
    if sum(trial.twin_of is None for trial in trials) < 2:
        return f"{words}."
    return f"{words}; no trial improved on it."


def findings_in_words(trials: Sequence[Trial]) -> list[str]:
    """What the trials of a run show beside the winner: ops that no genome survived."""
    told = []
    for failing in failing_ops(trials):
        ops = listed([f"`{op}`" for op in failing.ops])
        ended = ", ".join(f"{count:,} {state}" for state, count in failing.states.items())
        told.append(f"All {failing.genomes:,} genomes with {ops} failed ({ended}).")
    return told


def _value(value: Any) -> str:
    """A setting's value: numbers to four digits, as the layers have them."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)


def _raw(card: Mapping[str, Any]) -> str:
    """What a model takes whose samples were encoded, in words; empty for arrays of numbers."""
    from evonas.export.card import TAKES
    from evonas.learning.input_spec import input_name

    given = card.get(TAKES, {}).get("input", {})
    encoding = given.get("encoding", "")
    # Under the names that the model asks for: Keras takes no slash.
    columns = [input_name(one["name"]) for one in given.get("fitted", {}).get("columns", ())]
    if columns:
        return f"a mapping of columns to their values ({', '.join(columns[:8])}{_more(columns)})"
    words = {
        "text": "texts, as tensors of strings",
        "pixels": "pictures of any size, as arrays of pixels",
        "padded": "sequences, padded behind with NaN",
    }
    return words.get(encoding, "")


def _dates(card: Mapping[str, Any]) -> str:
    """Which columns are dates, and how they are given; empty without any."""
    from evonas.export.card import DAYS, dates_of

    # From the schema, so that cards of older runs tell it, too.
    names = dates_of(card)
    if not names:
        return ""
    verb = "is a date, given" if len(names) == 1 else "are dates, each given"
    return f"{listed(names[:8])}{_more(names)} {verb} as {DAYS}, a float."


def _more(columns: Sequence[str]) -> str:
    return ", ..." if len(columns) > 8 else ""
