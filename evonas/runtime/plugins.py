"""The plugins of a config: imported in another process, and held against how they are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evonas.data.splits import Part
from evonas.errors import InvalidConfig, Issue
from evonas.evaluate.contract.evaluator import Call
from evonas.evaluate.contract.protocol import Setup
from evonas.evaluate.local.limit_check import Measured
from evonas.evaluate.local.metric_check import try_metrics
from evonas.evaluate.local.op_check import try_ops
from evonas.evaluate.local.plugin_check import Plugins, look_at
from evonas.evaluate.local.training_check import try_recipe
from evonas.genome import SearchSpace
from evonas.learning.interface import Interface
from evonas.model.space_check import scheduled_optimizers
from evonas.runtime.code_record import Sources
from evonas.runtime.config.config_file import LoadedConfig
from evonas.runtime.config.evaluator_config import setting
from evonas.runtime.config.run_config import RunConfig, functions_of_metrics, key_of_metric
from evonas.words import listed

OFFERED = ("name", "mask", "spec")
"""What an op is given beside its arguments if it takes it."""


def plugin_folder(config: RunConfig, file: Path) -> str:
    """The folder in which plugins may lie, besides where Python finds them; empty without plugins.

    Args:
        file: the config's file.
    """
    return str(file.absolute().parent) if config.plugins else ""


def calls_of(config: RunConfig, space: SearchSpace) -> list[Call]:
    """How the ops of a space and the evaluator's function are called."""
    found = []
    for section in space.sections.values():
        for op in section.ops.values():
            tensors = max(1, section.inputs)
            found.append(Call(op.name, tensors, op.names, offered=OFFERED))
    if (call := config.evaluator.call) is not None:
        found.append(call)
    for function in functions_of_metrics(config).values():
        found.append(Call(function, tensors=2, given="arrays"))
    found += calls_of_trainings(config).values()
    return found


def calls_of_trainings(config: RunConfig) -> dict[str, Call]:
    """How the functions of the section `training` are called, by key."""
    found = {}
    for key, function in config.training.recipe.functions.items():
        call = Call(function, tensors=0)
        if key == "loss":
            call = Call(function, tensors=2, offered=("scale",))
        elif key == "fit":
            given = "arguments (model, train, validation)"
            call = Call(function, tensors=3, names=("epochs", "callbacks"), given=given)
        found[f"training.{key}"] = call
    return found


def check_plugins(config: RunConfig, space: SearchSpace, file: Path) -> Sources:
    """Import the plugins in another process, and compare their functions with their calls.

    Args:
        file: the config's file.

    Returns:
        what identifies their code.

    Raises:
        as `checked_plugins`.
    """
    return checked_plugins(config, space, file).sources


def checked_plugins(config: RunConfig, space: SearchSpace, file: Path) -> Plugins:
    """As `check_plugins`; returns all that was found of them.

    Raises:
        InvalidConfig: a plugin cannot be imported, lacks a function, or has one that cannot be
            called as it is going to be.
    """
    found = look_at_plugins(config, space, file)
    if found.wrong_calls:
        wrong = found.wrong_calls.values()
        raise InvalidConfig(Issue(words, "plugins", str(file)) for words in wrong)
    return found


def look_at_plugins(config: RunConfig, space: SearchSpace, file: Path) -> Plugins:
    """As `check_plugins`, but functions that cannot be called are only told.

    Raises:
        InvalidConfig: a plugin cannot be imported.
    """
    found = look_at(config.plugins, calls_of(config, space), plugin_folder(config, file))
    if found.problems:
        raise InvalidConfig(Issue(words, "plugins", str(file)) for words in found.problems)
    return found


def wrong_calls(loaded: LoadedConfig, plugins: Plugins) -> list[Issue]:
    """An issue for each function that cannot be called, where the config or the space names it."""
    found = []
    evaluator = loaded.config.evaluator
    for function, words in plugins.wrong_calls.items():
        if evaluator.call is not None and evaluator.call.function == function:
            found.append(Issue(words, setting(evaluator), str(loaded.file)))
        for name, of_metric in functions_of_metrics(loaded.config).items():
            if of_metric == function:
                found.append(Issue(words, key_of_metric(loaded.config, name), str(loaded.file)))
        for name, call in calls_of_trainings(loaded.config).items():
            if call.function == function:
                found.append(Issue(words, name, str(loaded.file)))
        for section in loaded.space.sections.values():
            if function in section.ops:
                key = (section.group, section.name, "ops", function)
                found.append(loaded.space_issue(key, words))
    return found


def about_masks(space: SearchSpace, interface: Interface | None, plugins: Plugins) -> list[str]:
    """A sentence for each op of the user\x27s that cannot know which steps are padding.

    Args:
        interface: the two ends of the networks; None if there are none.
    """
    if interface is None:
        return []
    spec = interface.input
    # Otherwise all steps are real, and there is no mask.
    if spec.kind != "text" and spec.encoding != "padded":
        return []
    own = {name for section in space.sections.values() for name in section.ops if ":" in name}
    return [
        f"the op {name} takes no `mask`. Where it is given a padded sequence, it sees zeros in"
        " place of the padding, and cannot tell them from steps."
        for name in sorted(own)
        if "mask" not in plugins.taken.get(name, ("mask",))
    ]


def failing_metrics(
    loaded: LoadedConfig, interface: Interface | None, root: Path, plugins: Plugins
) -> list[Issue]:
    """An issue for each metric of the user's own that gives no number for made-up predictions.

    Args:
        interface: the two ends of the networks; None if there are none.
        root: folder with the run's arrays.
        plugins: what was found of the plugins; functions that cannot be called are left out.
    """
    config = loaded.config
    functions = {
        function: name
        for name, function in functions_of_metrics(config).items()
        if function not in plugins.wrong_calls
    }
    if interface is None:
        return []
    folder = plugin_folder(config, loaded.file)
    # With folds, each sample of the training part is for validation in turn.
    part: Part = "validation" if config.folds is None else "train"
    failing = try_metrics(
        list(functions), interface, root, config.plugins, folder, config.seed, part
    )
    found = []
    for function, words in failing.items():
        key = key_of_metric(config, functions[function])
        found.append(Issue(words, key, str(loaded.file)))
    return found


def failing_recipe(
    loaded: LoadedConfig, interface: Interface | None, root: Path, plugins: Plugins
) -> tuple[list[Issue], list[str]]:
    """An issue for each function of the section `training` that cannot work, and notes on others.

    Each one is tried in a small training. A callback that sets the learning rate may fail in a
    later epoch, if the rate has a schedule.

    Args:
        interface: the two ends of the networks; None if there are none.
        root: folder with the run's arrays.
        plugins: what was found of the plugins.
    """
    if interface is None:
        return [], []
    config = loaded.config
    recipe = config.training.recipe
    setup = Setup(
        directory=str(root.resolve()),
        seed=config.seed,
        space=loaded.space.text,
        # With its fitted values: the small training is in another folder.
        interface=interface.to_json(),
        objective={"name": "val_loss", "direction": "min"},
        recipe=recipe.to_json(),
        plugins=config.plugins,
        plugin_folder=plugin_folder(config, loaded.file),
    )
    tried = try_recipe(setup, loaded.space, plugins.sources)
    file = str(loaded.file)
    issues = [Issue(words, f"training.{key}", file) for key, words in tried.wrong.items()]
    notes = []
    scheduled = scheduled_optimizers(loaded.space)
    every_network = len(loaded.space.sections["optimizer"].ops) == sum(scheduled.values())
    for key, kind in tried.rates.items() if scheduled else ():
        words = _about_rate(recipe.functions[key], kind, list(scheduled))
        if every_network:
            issues.append(Issue(f"{words} Every network has one here.", f"training.{key}", file))
        else:
            notes.append(f"training.{key}: {words} Networks that have one will fail.")
    return issues, notes


def _about_rate(function: str, kind: str, optimizers: Sequence[str]) -> str:
    """Why a callback and a schedule do not go together, and the cure."""
    return (
        f"{function} makes a {kind}, and Keras lets no callback set a learning rate that has a"
        f" schedule. The space has schedules for {listed(optimizers)}. Allowed: a space with"
        " `schedule: constant` there, and without `warmup`."
    )


def try_networks(
    loaded: LoadedConfig, interface: Interface | None, plugins: Plugins, every_op: bool
) -> tuple[list[Issue], Measured | None]:
    """An issue for each op that fails in a small network.

    Also how random networks stand against the limits; None without limits. Without `every_op` only
    if it is remembered.

    Args:
        interface: the two ends of the networks; None if there are none, and then nothing is tried.
        plugins: what was found of the plugins; functions that cannot be called are left out.
        every_op: whether the ops of evonas are tried, too.
    """
    if interface is None:
        return [], None
    config = loaded.config
    tried = try_ops(
        loaded.space,
        interface,
        config.plugins,
        plugins.sources,
        plugin_folder(config, loaded.file),
        leave_out=plugins.wrong_calls,
        only_plugins=not every_op,
        limits=config.limits.of_size(),
        seeds=list(loaded.seeds.values()),
    )
    found = []
    for (name, op), words in tried.failing.items():
        key = (loaded.space.sections[name].group, name, "ops", op)
        found.append(loaded.space_issue(key, words))
    return found, tried.measured
