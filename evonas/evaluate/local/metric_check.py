"""Whether metrics of the user's own give a number, before anything is trained.

They are the user's code. So they are called in a process of their own, as a worker would call them,
and never in the driver. The predictions are made up; the targets are those of the validation data,
because a metric may hold for such targets only.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.prepared import FILES
from evonas.data.splits import Part
from evonas.errors import UserError
from evonas.evaluate.contract.importing import add_folder
from evonas.evaluate.contract.raised import message_of
from evonas.evaluate.local.aside import answer, ask_aside
from evonas.evaluate.training.scoring import own_metric
from evonas.genome.strict_yaml import short
from evonas.learning.formulas import Array
from evonas.learning.interface import Interface
from evonas.learning.tasks import TASKS
from evonas.words import listed

TIME_LIMIT = 600.0
"""Seconds that all metrics may take."""
MOST_SAID = 400
"""Characters of what the user's code says that stand in a sentence."""


def try_metrics(
    functions: Sequence[str],
    interface: Interface,
    root: Path,
    plugins: Collection[str],
    folder: str,
    seed: int,
    part: Part = "validation",
) -> Mapping[str, str]:
    """A sentence for each function that fails, by its name.

    Args:
        functions: metrics as `package.module:function`.
        interface: the two ends of the networks.
        root: folder with the run's arrays.
        plugins: modules that may be imported.
        folder: folder of the config, in which modules may lie, too.
        seed: the run's seed.
        part: part of the data whose targets they are called with.
    """
    if not functions:
        return {}
    request = {
        "functions": list(functions),
        "task": interface.task,
        "outputs": interface.outputs,
        "targets": str((root / FILES[part][1]).absolute()),
        "plugins": list(plugins),
        "folder": folder,
        "seed": seed,
    }
    found = ask_aside("evonas.evaluate.local.metric_check", request, TIME_LIMIT)
    if isinstance(found.report, dict):
        return found.report
    ended = f"took more than {TIME_LIMIT:g} s"
    if found.code is not None:
        ended = f"ended the process with exit code {found.code}"
    said = [short(line, MOST_SAID) for line in found.said.strip().splitlines()[-1:]]
    words = " ".join([f"calling {listed(functions)} on made-up predictions {ended}.", *said])
    return dict.fromkeys(functions, words)


def _try_all(request: Mapping[str, Any]) -> dict[str, str]:
    """In the process: call each function once, and say what was wrong."""
    add_folder(request["folder"])
    targets: Array = np.load(request["targets"], allow_pickle=False)
    predictions = _made_up(targets, request["task"], request["outputs"])
    wrong = {}
    for name in request["functions"]:
        try:
            formula = own_metric(name, request["plugins"], request["seed"]).score
            assert formula is not None
            formula(targets, predictions)
        # The import is the user's code, too, and may raise anything.
        except (Exception, SystemExit) as error:
            words = str(error) if isinstance(error, UserError) else message_of(error)
            wrong[name] = f"{short(words, MOST_SAID)} (called on made-up predictions)"
    return wrong


def _made_up(targets: Array, task: str, outputs: int) -> Array:
    """Predictions (samples, outputs) in 32 bits, which know nothing of the targets."""
    rng = np.random.default_rng(0)
    if TASKS[task].are_quantities:
        return rng.permutation(targets).reshape(-1, outputs).astype(np.float32)
    drawn: Array = rng.random((len(targets), outputs), dtype=np.float32)
    if targets.ndim == 2:
        # The probabilities of labels do not exclude each other.
        return drawn
    # No row without any weight can be divided by its sum.
    drawn += np.float32(1e-3)
    drawn /= drawn.sum(axis=1, keepdims=True)
    return drawn


if __name__ == "__main__":
    answer(sys.argv[1:], _try_all)
