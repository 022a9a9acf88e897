"""Whether the user's own loss, callbacks and training work, before anything is trained.

They are the user's code. So they are called in a process of their own, as a worker would call them,
and never in the driver. Each one trains a small network of the space on a few samples of the run.
What was found good is remembered, so that it costs once.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data.prepared import FILES, WEIGHTS
from evonas.evaluate.contract.import_watch import import_plugins
from evonas.evaluate.contract.protocol import Setup, TrainJob
from evonas.evaluate.local.aside import answer, ask_aside
from evonas.evaluate.local.known_good import remember_good, remembered
from evonas.evaluate.local.op_check import libraries
from evonas.genome import Genome, SearchSpace
from evonas.genome.small import small_genome
from evonas.genome.strict_yaml import short
from evonas.learning.recipe import Recipe
from evonas.trial import Outcome, TrialState

TIME_LIMIT = 600.0
"""Seconds that all of it may take."""
MOST_SAID = 400
"""Characters of what the user's code says that stand in a sentence."""
SAMPLES = 32
"""Samples of each part that a small training has."""
EPOCHS = 2
"""Callbacks may work from one epoch to the next."""


@dataclass(frozen=True)
class Tried:
    """What was found of the functions of a recipe, by their keys: `loss`, `callbacks[0]`, `fit`.

    Attributes:
        wrong: a sentence for each that fails.
        rates: the class of Keras for each callback that sets the learning rate.
    """

    wrong: Mapping[str, str] = field(default_factory=dict)
    rates: Mapping[str, str] = field(default_factory=dict)


def try_recipe(setup: Setup, space: SearchSpace, sources: Mapping[str, str]) -> Tried:
    """Tries each function of the recipe in a small training.

    Args:
        setup: what workers will be told; its directory has the run's arrays.
        sources: what identifies the code of the plugins.
    """
    recipe = Recipe.from_json(setup.recipe)
    if not recipe.functions:
        return Tried()
    genomes = [small_genome(space, {}, level).to_dict() for level in (0.0, 0.5)]
    known = {
        "recipe": setup.recipe,
        "interface": setup.interface,
        "genomes": genomes,
        "space": space.text,
        "sources": dict(sources),
        "libraries": libraries(),
        # What is remembered says which callbacks set the learning rate.
        "version": 2,
    }
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()
    known_good = remembered(digest)
    if known_good is not None:
        # A file that was cut short is of no use.
        with suppress(ValueError):
            return Tried(rates=json.loads(known_good))
    request = {"setup": setup.to_json(), "genomes": genomes}
    found = ask_aside("evonas.evaluate.local.training_check", request, TIME_LIMIT)
    if isinstance(found.report, dict):
        tried = Tried(**found.report)
        if not tried.wrong:
            remember_good(digest, json.dumps(tried.rates))
        return tried
    ended = f"took more than {TIME_LIMIT:g} s"
    if found.code is not None:
        ended = f"ended the process with exit code {found.code}"
    said = [short(line, MOST_SAID) for line in found.said.strip().splitlines()[-1:]]
    words = " ".join([f"a small training with it {ended}.", *said])
    # Nobody knows which of them it was.
    return Tried({next(reversed(recipe.functions)): words})


def _try_all(request: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """In the process: train a small network with each function. The attributes of `Tried`."""
    from evonas.evaluate.local.fork_server import preload

    preload(("tensorflow", "keras"))
    from evonas.evaluate.training.keras_jobs import configure

    configure(1)
    setup = Setup.from_json(request["setup"])
    import_plugins(setup.plugins, setup.plugin_folder)
    genomes = [Genome.from_dict(data) for data in request["genomes"]]
    recipe = Recipe.from_json(setup.recipe)
    wrong = {}
    rates = {}
    with tempfile.TemporaryDirectory() as scratch:
        _few_samples(Path(setup.directory), Path(scratch))
        small = replace(setup, directory=scratch, limits={}, code={}, epochs=EPOCHS, stop=None)
        genome = _that_trains(small, genomes)
        # Otherwise the network is at fault, and the check of the ops tells it.
        if genome is not None:
            for key, one in _one_by_one(recipe).items():
                outcome = _train(replace(small, recipe=one.to_json()), genome)
                if outcome.state is TrialState.ERROR:
                    message = short(" ".join(outcome.message.split()), MOST_SAID)
                    wrong[key] = f"{recipe.functions[key]}, tried in a small training: {message}"
                elif kind := _sets_rate(one, setup.plugins):
                    rates[key] = kind
    return {"wrong": wrong, "rates": rates}


def _sets_rate(recipe: Recipe, plugins: Sequence[str]) -> str:
    """The class of Keras of a callback that sets the learning rate; empty for other functions.

    Keras raises an error if the rate has a schedule, perhaps many epochs later.
    """
    import keras

    from evonas.model.functions import function_of

    kinds = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)
    for name in recipe.callbacks:
        made = function_of("callback", name, plugins)()
        for kind in kinds:
            if isinstance(made, kind):
                return str(kind.__name__)
    return ""


def _one_by_one(recipe: Recipe) -> dict[str, Recipe]:
    """Recipes with one function each, by its key. The weights of classes stay."""
    found = {}
    for key, name in recipe.functions.items():
        alone = Recipe(class_weight=recipe.class_weight)
        if key == "loss":
            found[key] = replace(alone, loss=name)
        elif key == "fit":
            found[key] = replace(alone, fit=name)
        else:
            found[key] = replace(alone, callbacks=(name,))
    return found


def _few_samples(source: Path, target: Path) -> None:
    """The first samples of the training and of the validation data, as the data of a run."""
    for part in ("train", "validation"):
        for number, name in enumerate(FILES[part]):
            # With folds, the validation data are among those of the training.
            path = source / name
            if not path.exists():
                path = source / FILES["train"][number]
            array = np.load(path, mmap_mode="r", allow_pickle=False)
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            np.save(target / name, array[:SAMPLES])
        # Not all data have weights.
        if (source / WEIGHTS[part]).exists():
            counts = np.load(source / WEIGHTS[part], mmap_mode="r", allow_pickle=False)
            np.save(target / WEIGHTS[part], counts[:SAMPLES])


def _that_trains(setup: Setup, genomes: Sequence[Genome]) -> Genome | None:
    """The first genome that trains without the user's functions; None if none does."""
    for genome in genomes:
        if _train(replace(setup, recipe={}), genome).state is not TrialState.ERROR:
            return genome
    return None


def _train(setup: Setup, genome: Genome) -> Outcome:
    from evonas.evaluate.training.keras_jobs import run_job

    job = TrainJob(
        trial=0,
        attempt=0,
        session=0,
        genome=genome,
        seed=0,
        epochs=EPOCHS,
        weights="tried.npz",
    )
    return run_job(setup, job, lambda epoch, metrics: None)


if __name__ == "__main__":
    answer(sys.argv[1:], _try_all)
