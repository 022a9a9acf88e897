"""Before a run: everything that the config alone cannot tell is checked, and a record is begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evonas.data.prepared import Prepared, about_guess
from evonas.errors import InvalidConfig, Issue, did_you_mean
from evonas.evaluate.contract.evaluator import Question
from evonas.evaluate.local.limit_check import Measured
from evonas.evaluate.local.plugin_check import Plugins
from evonas.genome.strict_yaml import short
from evonas.learning.interface import Interface
from evonas.learning.losses import losses_of
from evonas.learning.recipe import label_in_words, unknown_labels
from evonas.model.space_check import smoothing_problem
from evonas.runtime.code_record import CODE, CODE_FILES, CODE_RULE, RULE
from evonas.runtime.config.config_file import LoadedConfig
from evonas.runtime.config.recorded_run import CHOSEN, NOTED
from evonas.runtime.config.run_config import key_of_metric
from evonas.runtime.config.strategy_config import SECTION, counts_infeasible
from evonas.runtime.data_guard import SOURCE, source_mark
from evonas.runtime.plugins import (
    about_masks,
    failing_metrics,
    failing_recipe,
    look_at_plugins,
    try_networks,
    wrong_calls,
)
from evonas.runtime.record.layout import Layout
from evonas.runtime.record.open_record import GIVES_BACK
from evonas.runtime.record.record import Record
from evonas.runtime.shared_files import share_files
from evonas.runtime.versions import versions
from evonas.trial import LINEAGES

MOST_LABELS = 20
"""Labels that a message names."""


@dataclass(frozen=True)
class Checked:
    """What the checks before a run have found.

    Attributes:
        prepared: the data, or what is known of a table.
        plugins: what was found of the plugins.
        mark: what identifies the content of the source.
        measured: how random networks stand against the limits; None if nobody knows.
    """

    prepared: Prepared
    plugins: Plugins
    mark: Mapping[str, Any]
    measured: Measured | None = None


def prepare_run(loaded: LoadedConfig, root: Path, every_op: bool = False) -> Checked:
    """Check everything that the config alone cannot tell, and write the data.

    That is: the devices, the plugins, the data, the objective and the smoothing of labels for the
    task of the data, and whether the ops and the user's own metrics work.

    Args:
        every_op: whether the ops of evonas are tried, too, besides those of plugins, and random
            networks are compared with the limits.

    Raises:
        NoWorker: a device that the config names is missing.
        InvalidData: the data cannot be used.
        InvalidConfig: a plugin cannot be imported or lacks an op, an op fails, the objective is
            not measured for the task that the data turn out to be, the space smooths labels and the
            task has none, a metric gives no number for made-up predictions, or no network that was
            compared with the limits is within them.
        DiskFailure: the directory is not writable.
    """
    # These checks come before the data, which may be large and take long to read.
    loaded.config.pool.check()
    plugins = look_at_plugins(loaded.config, loaded.space, loaded.file)
    wrong = wrong_calls(loaded, plugins)
    # Without networks, nothing more can be found.
    if wrong and not loaded.config.evaluator.has_networks:
        raise InvalidConfig(wrong)
    prepared = _prepared(loaded, root)
    data = loaded.config.data
    mark = {} if data is None else source_mark(data)
    wrong += _useless_smoothing(loaded, prepared.interface)
    wrong += _unknown_labels(loaded, prepared.interface)
    wrong += _unfit_for_augmentation(loaded)
    wrong += failing_metrics(loaded, prepared.interface, root, plugins)
    # A training is tried with what is right so far.
    about_training: list[str] = []
    if not wrong:
        failing, about_training = failing_recipe(loaded, prepared.interface, root, plugins)
        wrong += failing
    failing, measured = try_networks(loaded, prepared.interface, plugins, every_op)
    wrong += failing
    if every_op and measured is not None and measured.is_hopeless:
        key = f"limits.{measured.hardest}"
        wrong.append(Issue(measured.refusal(), key, str(loaded.file)))
    if wrong:
        raise InvalidConfig(wrong)
    notes = [*about_masks(loaded.space, prepared.interface, plugins), *about_training]
    if measured is not None:
        founders = {name: genome.digest for name, genome in loaded.seeds.items()}
        notes += [f"limits: {words}" for words in measured.about_founders(founders)]
    prepared = replace(prepared, notes=(*prepared.notes, *notes))
    return Checked(prepared, plugins, mark, measured)


def _prepared(loaded: LoadedConfig, root: Path) -> Prepared:
    """What the evaluator has written and found; see `prepare_run`."""
    prepared = loaded.config.evaluator.prepare(_question(loaded), root)
    task = None if prepared.interface is None else prepared.interface.task
    if wrong := loaded.config.task_problems(task):
        file = str(loaded.file)
        issues = [Issue(message, key, file) for key, message in wrong.items()]
        raise InvalidConfig(issues + about_guess(prepared.guess))
    return prepared


def _useless_smoothing(loaded: LoadedConfig, interface: Interface | None) -> list[Issue]:
    """An issue if the space smooths labels, and the task of the data has none."""
    if interface is None:
        return []
    recipe = loaded.config.training.recipe
    head = interface.head
    named = losses_of(head).get(recipe.loss or head.loss_name)
    whose = f"a {interface.task}" if recipe.loss is None else f"`{recipe.loss}`"
    can_smooth = named is not None and bool(named.smoothed)
    found = smoothing_problem(loaded.space, whose, can_smooth)
    return [] if found is None else [loaded.space_issue(*found)]


def _unfit_for_augmentation(loaded: LoadedConfig) -> list[Issue]:
    """Issues if code of the user's would not see what the space does to the samples."""
    section = loaded.space.sections.get("augmentation")
    if section is None:
        return []
    recipe = loaded.config.training.recipe
    found = []
    for key in recipe.functions:
        if key != "loss":
            message = "cannot train with a space that augments: `model.fit` gets plain samples."
            found.append((key, f"{message} Choose a space without settings.augmentation."))
    mixing = [op for op in ("mixup", "cutmix") if op in section.ops]
    if recipe.has_own_loss and mixing:
        message = f"takes labels, and the space mixes them by {mixing[0]}."
        found.append(("loss", f"{message} Choose a space without it."))
    return [Issue(words, f"training.{key}", str(loaded.file)) for key, words in found]


def _unknown_labels(loaded: LoadedConfig, interface: Interface | None) -> list[Issue]:
    """An issue if the config has weights for labels that the data do not have."""
    if interface is None:
        return []
    given = loaded.config.training.class_weight
    unknown = unknown_labels(given, interface.classes)
    if not unknown:
        return []
    known = [label_in_words(label) for label in interface.classes]
    message = (
        f"has a weight for a label that the data do not have. Allowed: {_some(known)}."
        f" Received: {short(unknown[0])}.{did_you_mean(unknown[0], known)}"
    )
    return [Issue(message, "training.class_weight", str(loaded.file))]


def _some(labels: Sequence[str]) -> str:
    """The first labels: there may be thousands."""
    told = ", ".join(labels[:MOST_LABELS])
    return f"{told}, ..." if len(labels) > MOST_LABELS else told


def _question(loaded: LoadedConfig) -> Question:
    """What a run asks of its evaluator."""
    config = loaded.config
    full = config.training.epochs
    metrics = {name: key_of_metric(config, name) for name in config.needed_metrics()}
    asked = {full}
    for strategy in config.strategy.with_inner():
        asked |= set(strategy.fidelities(full))
    return Question(
        space=loaded.space,
        file=str(loaded.file),
        epochs=full,
        fidelities=frozenset(asked),
        strategy=f"{SECTION}.{config.strategy_name}",
        metrics=metrics,
        times=tuple(f"budget.{unit}" for unit in config.budget.times),
        data=None if config.data is None else loaded.data_settings(),
    )


def create_run(loaded: LoadedConfig, root: Path, gives_back: bool | None = None) -> Prepared:
    """Fill a run's directory: the data, split and written, and a record.

    The record holds everything that a session needs: the config file may change or go.

    Args:
        gives_back: whether infeasible proposals are given back to the budget; None: as the strategy
            says.

    Raises:
        as `prepare_run`; there is no record then.
    """
    checked = prepare_run(loaded, root)
    prepared = checked.prepared
    # No refusal: a few random networks cannot show that there is none within the limits.
    if checked.measured is not None and checked.measured.is_hopeless:
        notes = (*prepared.notes, f"limits: {checked.measured.refusal()}")
        prepared = replace(prepared, notes=notes)
    interface = prepared.interface
    if gives_back is None:
        gives_back = not counts_infeasible(loaded.config.strategy)
    meta = {
        "config": loaded.config.to_json(),
        # Absolute: a later session may start in another folder.
        "config_file": str(loaded.file.absolute()),
        "space": loaded.space.text,
        "seeds": {name: genome.to_dict() for name, genome in loaded.seeds.items()},
        "interface": None if interface is None else interface.to_json(),
        "counts": dict(prepared.counts),
        "fingerprint": prepared.fingerprint,
        SOURCE: dict(checked.mark),
        "data_files": dict(prepared.files),
        "versions": versions(),
        CODE: dict(checked.plugins.sources),
        CODE_FILES: dict(checked.plugins.files),
        CODE_RULE: RULE,
        NOTED: True,
        "lineages": LINEAGES,
        GIVES_BACK: gives_back,
    }
    if loaded.chosen:
        meta[CHOSEN] = loaded.chosen
    share_files(root, prepared.files)
    # The record comes last. A directory without one is a run that was cut off, and is begun again.
    Record.create(Layout(root).record, meta, prepared.files)
    return prepared
