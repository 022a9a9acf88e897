"""The config: defaults, the record's form, overrides, warnings, what is said about bad files."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evonas.data.prepared import prepare
from evonas.data.sources import ByPath, Npz
from evonas.errors import InvalidConfig, InvalidData, InvalidRecord, Issue, UserError
from evonas.evaluate.evaluators.table import TableEvaluator
from evonas.evaluate.local.memory_guard import MemoryLimits
from evonas.evaluate.pools import local
from evonas.evaluate.pools.inline import InlineSettings
from evonas.evaluate.pools.local import LocalSettings
from evonas.evaluate.training.learning_curve import CurveRule, rule_of
from evonas.runtime.config.config_file import LoadedConfig, check, load_config
from evonas.runtime.config.run_config import RunConfig
from evonas.runtime.config.training_config import LearningCurveConfig
from evonas.runtime.pools import make_setup, open_pool
from evonas.search.registry import NAMES, STRATEGIES
from evonas.search.replacement import Elitist
from evonas.search.selection import Tournament
from evonas.search.strategies.evolution import EvolutionSettings
from evonas.search.strategies.random_search import RandomSettings
from evonas.search.strategy import StrategySettings

SPACE = """\
space: small
about: A perceptron.
input: image
network:
  bridge: {ops: {flatten: {}}}
  head:
    length: [1, 2]
    ops:
      dense: {units: {choice: [8, 16]}, batch_normalization: {choice: [false, true]}}
settings:
  optimizer: {ops: {adam: {learning_rate: {float: [1e-3, 1e-1], log: true}}}}
  training:
    ops:
      training: {batch_size: {choice: [32, 64]}}
"""

CONFIG = """\
space: space.yaml
data: {name: digits}
budget: {trials: 24}
strategy:
  evolution:
    population: 8
    selection: {tournament: {size: 2}}
training:
  epochs: 3
"""

SEED = """\
space: small
bridge: [flatten: {}]
head: [dense: {units: 8, batch_normalization: true}]
optimizer: [adam: {learning_rate: 0.01}]
training: [training: {batch_size: 32}]
"""


def written(tmp_path: Path, config: str = CONFIG, space: str = SPACE) -> Path:
    (tmp_path / "space.yaml").write_text(space)
    (tmp_path / "mine.yaml").write_text(config)
    return tmp_path / "mine.yaml"


def loaded(
    tmp_path: Path, config: str = CONFIG, overrides: Sequence[str] = (), space: str = SPACE
) -> LoadedConfig:
    return load_config(written(tmp_path, config, space), overrides)


def problems(
    tmp_path: Path, config: str = CONFIG, overrides: Sequence[str] = (), space: str = SPACE
) -> tuple[Issue, ...]:
    with pytest.raises(InvalidConfig) as caught:
        loaded(tmp_path, config, overrides, space)
    return caught.value.problems


def problem(
    tmp_path: Path, config: str = CONFIG, overrides: Sequence[str] = (), space: str = SPACE
) -> Issue:
    found = problems(tmp_path, config, overrides, space)
    assert len(found) == 1, found
    return found[0]


def test_the_shipped_config_is_complete() -> None:
    config = load_config("digits")
    assert config.file.name == "digits.yaml"
    assert config.warnings == ()
    assert (config.config.run, config.space.name, config.config.budget.trials) == (
        "digits",
        "convnet",
        96,
    )
    expected = EvolutionSettings(
        population=16,
        founders=("vgg_small", "lenet5"),
        selection=Tournament(5),
        replacement=Elitist(8),
    )
    assert config.config.strategy == expected
    assert config.config.pool == LocalSettings(workers=2)
    assert (config.config.limits.parameters, config.config.limits.flops) == (300_000, 5_000_000)


def test_defaults_are_filled_in(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, "space: space.yaml\ndata: {name: digits}\nbudget: {trials: 96}\n"
    ).config
    assert (config.run, config.seed, config.look_ahead) == ("mine", 0, 16)
    assert (config.max_twins_in_a_row, config.max_failures_in_a_row) == (100, 20)
    assert config.objective.to_objective().name == "val_loss"
    assert config.objective.direction == "min"
    # The space is none of the shipped ones, so it has no founders.
    assert config.strategy == EvolutionSettings(founders=())
    assert (config.data.validation, config.data.test, config.data.split_seed) == (0.2, 0.2, 0)
    assert (config.training.epochs, config.training.patience) == (12, 4)
    assert config.limits.parameters is config.limits.flops is config.limits.seconds is None
    assert config.limits.stalled_seconds == 1800.0
    assert config.pool == LocalSettings(
        2, "auto", 1, recycle_mb=1024, memory_mb=None, free_memory_mb=512
    )


def test_trainings_are_stopped_only_where_the_config_says_so(tmp_path: Path) -> None:
    config = loaded(tmp_path).config
    assert config.training.stop is None
    assert make_setup(config, loaded(tmp_path).space, None, tmp_path, tmp_path).stop is None
    config = loaded(tmp_path, overrides=["training.stop=learning_curve"]).config
    assert config.training.stop == LearningCurveConfig(after=0.4, margin=1.0)
    config = loaded(tmp_path, CONFIG + "  stop: {learning_curve: {after: 0.5}}\n").config
    assert RunConfig.from_json(json.loads(config.canonical())) == config
    setup = make_setup(config, loaded(tmp_path).space, None, tmp_path, tmp_path)
    assert setup.stop == {"learning_curve": {"after": 0.5, "margin": 1.0}}
    assert rule_of(setup, 0.5, 3) == CurveRule(0.5, 3, 0.5, 1.0)


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        (["training.stop=learning_curves"], "training.stop", "Did you mean 'learning_curve'?"),
        (
            ["training.stop={learning_curve: {after: 1}}"],
            "training.stop.learning_curve.after",
            "below 1",
        ),
        (
            ["training.stop={learning_curve: {margin: -1}}"],
            "training.stop.learning_curve.margin",
            "at least 0",
        ),
        (
            ["training.stop=learning_curve", "strategy=hyperband"],
            "training.stop",
            "under the strategy hyperband",
        ),
        (
            ["training.stop=learning_curve", "strategy={seeded: {inner: asha, genomes: [none]}}"],
            "training.stop",
            "under the strategy asha",
        ),
    ],
)
def test_a_stop_that_cannot_be_is_refused(
    tmp_path: Path, changes: list[str], key: str, words: str
) -> None:
    found = problems(tmp_path, overrides=changes)
    assert any(item.key == key and words in item.message for item in found), found


def test_a_function_has_no_curve_to_stop_by(tmp_path: Path) -> None:
    text = CONFIG.replace(
        "data: {name: digits}", 'evaluator: {python: {function: "json:dumps"}}\nplugins: [json]'
    )
    found = problem(tmp_path, text + "  stop: learning_curve\n")
    assert found.key == "training.stop"
    assert "a table or a function has none" in found.message


def test_only_space_data_and_budget_are_required(tmp_path: Path) -> None:
    found = problems(tmp_path, "seed: 1\n")
    assert [item.key for item in found] == ["space", "budget", "data"]
    assert all("missing" in item.message for item in found)


def test_what_is_written_is_what_runs(tmp_path: Path) -> None:
    extra = """\
run: my-run_2
seed: 7
objective: {name: val_accuracy}
limits: {parameters: 1000, seconds: 2.5}
pool: {local: {workers: 3, devices: [0, 1], threads: 2}}
plugins: [my_ops.layers]
look_ahead: 6
"""
    config = loaded(tmp_path, CONFIG + extra).config
    assert (config.run, config.seed, config.look_ahead, config.plugins) == (
        "my-run_2",
        7,
        6,
        ("my_ops.layers",),
    )
    assert config.objective.direction == "max"
    assert config.pool == LocalSettings(3, (0, 1), 2)
    assert config.pool.workers == 3
    assert (config.limits.parameters, config.limits.seconds) == (1000, 2.5)


def test_the_limits_of_the_supervisor_reach_the_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, object] = {}
    monkeypatch.setattr(local, "LocalPool", lambda *arguments, **options: given.update(options))

    def open_it(text: str) -> None:
        found = loaded(tmp_path, CONFIG + text)
        setup = make_setup(found.config, found.space, None, tmp_path, found.file)
        open_pool(found.config, setup, tmp_path)

    text = "limits: {seconds: 2, stalled_seconds: 7}\npool: {local: {devices: cpu, "
    open_it(text + "recycle_mb: 3, memory_mb: 4, free_memory_mb: 5}}\n")
    limits = MemoryLimits(growth=3 * 2**20, worker=4 * 2**20, floor=5 * 2**20)
    assert given.pop("opening") == "importing TensorFlow"
    assert given == {"time_limit": 2.0, "stalled_limit": 7.0, "memory_limits": limits}
    text = text.replace("7", "null")
    open_it(text + "recycle_mb: null, memory_mb: null, free_memory_mb: 0}}\n")
    del given["opening"]
    assert given == {
        "time_limit": 2.0,
        "stalled_limit": None,
        "memory_limits": MemoryLimits(None, None, 0),
    }


@pytest.mark.parametrize(
    "pool", ["recycle_mb: 0", "memory_mb: -1", "free_memory_mb: -1", "free_memory_mb: null"]
)
def test_limits_of_memory_that_cannot_be_are_refused(tmp_path: Path, pool: str) -> None:
    assert (
        problem(tmp_path, CONFIG + f"pool: {{local: {{{pool}}}}}\n").key
        == f"pool.local.{pool.partition(':')[0]}"
    )


def test_patience_may_be_null_and_the_pool_inline(tmp_path: Path) -> None:
    config = loaded(tmp_path, CONFIG + "  patience: null\npool: inline\n").config
    assert config.training.patience is None
    assert config.pool == InlineSettings()
    assert config.pool.workers == 1


def test_the_record_gives_the_config_back(tmp_path: Path) -> None:
    config = loaded(tmp_path, CONFIG + "pool: {local: {devices: [1]}}\nplugins: [a.b]\n").config
    through_the_record = json.loads(json.dumps(config.to_json(), allow_nan=False))
    assert RunConfig.from_json(through_the_record) == config
    assert through_the_record["strategy"]["evolution"]["replacement"] == {"elitist": {"elites": 2}}


def test_the_canonical_text_is_a_config(tmp_path: Path) -> None:
    first = loaded(tmp_path)
    again = loaded(tmp_path, first.text)
    assert again.config == first.config
    assert again.text == first.text


def test_a_damaged_config_in_the_record_is_told() -> None:
    with pytest.raises(InvalidRecord, match=r"config in the record.*budget.*missing"):
        RunConfig.from_json({"space": "convnet", "data": {"name": "digits"}})


def test_seed_genomes_are_read(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text(SEED)
    config = CONFIG.replace("population: 8", "population: 8\n    seeds: [./first.yaml]")
    seeds = loaded(tmp_path, config).seeds
    assert list(seeds) == ["./first.yaml"]
    assert seeds["./first.yaml"]["head"][0]["units"] == 8


def test_a_path_to_data_is_relative_to_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.savez(tmp_path / "mine.npz", x=np.eye(30, 4), y=np.arange(30) % 2)
    monkeypatch.chdir("/")
    config = CONFIG.replace("name: digits", "path: mine.npz, validation: 0.3")
    space = SPACE.replace("input: image", "input: vector")
    settings = loaded(tmp_path, config, space=space).data_settings()
    assert settings.source == ByPath(str(tmp_path / "mine.npz"))
    assert settings.input == "vector"
    assert settings.shares.validation == 0.3
    same = config.replace("path: mine.npz", "source: {npz: {path: mine.npz}}")
    named = loaded(tmp_path, same, space=space).data_settings()
    assert named == dataclasses.replace(settings, source=Npz(str(tmp_path / "mine.npz")))


# The ten bad inputs that a user is most likely to give, each with its place.


def test_bad_input_1_an_unknown_key(tmp_path: Path) -> None:
    found = problem(tmp_path, CONFIG + "sead: 1\n")
    assert "unknown key" in found.message
    assert "Did you mean 'seed'?" in found.message
    assert "budget" in found.message
    assert (found.key, found.line, Path(found.file).name) == ("sead", 10, "mine.yaml")


def test_bad_input_2_a_wrong_type(tmp_path: Path) -> None:
    found = problem(tmp_path, CONFIG.replace("trials: 24", 'trials: "24"'))
    assert found.message == 'must be a whole number of at least 1, or null. Received: "24".'
    assert (found.key, found.line) == ("budget.trials", 3)


def test_bad_input_3_no_where_false_is_meant(tmp_path: Path) -> None:
    found = problem(tmp_path, space=SPACE.replace("{choice: [false, true]}", "no"))
    assert "true or false" in found.message
    assert "no" in found.message
    assert found.line == 9
    assert "batch_normalization" in found.key


def test_bad_input_4_an_unknown_op(tmp_path: Path) -> None:
    found = problem(tmp_path, space=SPACE.replace("flatten", "flaten"))
    assert "unknown op" in found.message
    assert "Did you mean 'flatten'?" in found.message
    assert (found.line, Path(found.file).name) == (5, "space.yaml")


def test_bad_input_5_an_empty_range(tmp_path: Path) -> None:
    found = problem(tmp_path, space=SPACE.replace("[1e-3, 1e-1]", "[1e-1, 1e-3]"))
    assert "empty range" in found.message
    assert "low must be below high" in found.message
    assert "0.1" in found.message
    assert found.line == 11


def test_bad_input_6_a_misspelt_strategy(tmp_path: Path) -> None:
    found = problem(tmp_path, CONFIG.replace("evolution:", "evolutoin:"))
    assert "Did you mean 'evolution'?" in found.message
    assert "random" in found.message
    assert (found.key, found.line) == ("strategy.evolutoin", 5)


def test_a_home_is_written_out_in_every_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    (home / "space.yaml").write_text(SPACE)
    (home / "data.npz").touch()
    (home / "table.csv").touch()
    file = tmp_path / "mine.yaml"
    text = CONFIG.replace("space.yaml", "~/space.yaml")
    file.write_text(text.replace("name: digits", "path: ~/data.npz"))
    data = load_config(file).config.data
    assert data is not None
    assert data.path == str(home / "data.npz")
    data = load_config(file, ["data.path=~/data.npz"]).config.data
    assert data is not None
    assert data.path == str(home / "data.npz")
    table = ["data=null", "evaluator={table: {path: ~/table.csv}}", "pool={simulated: {}}"]
    evaluator = load_config(file, table).config.evaluator
    assert isinstance(evaluator, TableEvaluator)
    assert evaluator.path == str(home / "table.csv")


def test_bad_input_7_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.yaml"):
        load_config(tmp_path / "nowhere.yaml")
    with pytest.raises(UserError, match="Did you mean 'digits'"):
        load_config("digit")
    found = problem(tmp_path, CONFIG.replace("name: digits", "path: nowhere.npz"))
    assert "no such file" in found.message
    assert str(tmp_path / "nowhere.npz") in found.message
    assert (found.key, found.line) == ("data.path", 2)
    found = problem(tmp_path, CONFIG.replace("name: digits", "source: {npz: {path: .}}"))
    assert "is a folder, and a file is wanted" in found.message
    assert (found.key, found.line) == ("data.source.npz.path", 2)
    found = problem(tmp_path, CONFIG.replace("space.yaml", "convnt"))
    assert "Did you mean 'convnet'?" in found.message
    assert (found.key, found.line) == ("space", 1)


def test_bad_input_8_a_duplicate_key(tmp_path: Path) -> None:
    found = problem(tmp_path, CONFIG + "budget: {trials: 10}\n")
    assert "twice" in found.message
    assert "line 3" in found.message
    assert (found.key, found.line) == ("budget", 10)


def test_bad_input_9_an_alias_bomb(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    found = problem(tmp_path, CONFIG + "\n".join(lines))
    assert "anchors" in found.message
    assert "not allowed" in found.message
    assert found.line == 10


def test_bad_input_10_labels_with_nan(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "mine.npz", x=np.eye(9, 4).reshape(9, 2, 2), y=[0, 1, 2, 0, 1, np.nan, 0, 1, 2]
    )
    config = CONFIG.replace("name: digits", "path: mine.npz, task: classification")
    with pytest.raises(InvalidData) as caught:
        prepare(loaded(tmp_path, config).data_settings(), tmp_path / "run")
    (found,) = caught.value.problems
    assert "finite" in found.message
    assert "nan at y[5]" in found.message
    assert found.file.endswith("mine.npz")


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        (
            "population: 8",
            "population: 1",
            "strategy.evolution.population",
            "at least 2, or null. Received: 1",
        ),
        (
            "size: 2",
            "sise: 2",
            "strategy.evolution.selection.tournament.sise",
            "Did you mean 'size'?",
        ),
        (
            "tournament",
            "turnament",
            "strategy.evolution.selection.turnament",
            "Did you mean 'tournament'?",
        ),
        (
            "population: 8",
            "population: 2",
            "strategy.evolution.replacement",
            "less than the population (2)",
        ),
        ("epochs: 3", "epochs: 3\nseed: -1", "seed", "at least 0. Received: -1"),
        (
            "epochs: 3",
            f"epochs: {2**63}",
            "training.epochs",
            "from 1 to 1000000000. Received: 92233",
        ),
        ("epochs: 3", "patience: no", "training.patience", 'at least 1, or null. Received: "no"'),
        ("epochs: 3", "patience: 0", "training.patience", "Received: 0"),
        ("epochs: 3", "epochs: 3\nrun: ../else", "run", "safe folder name"),
        ("epochs: 3", "epochs: 3\nrun: läufer", "run", "letters from a to z or A to Z, digits"),
        (
            "data: {name: digits}",
            "evaluator: {python: {function: 'json:prüfe'}}\nplugins: [json]",
            "evaluator.python.function",
            'letters from a to z or A to Z, digits and _. Received: "json:prüfe"',
        ),
        ("epochs: 3", "epochs: 3\nrun: 2024", "run", "in quotes"),
        ("epochs: 3", "epochs: 3\nplugins: [json, a-b]", "plugins[1]", "Python module"),
        ("name: digits", "name: digitz", "data.name", "Did you mean 'digits'?"),
        ("name: digits", "name: digits, path: a.npz", "data.name", "Received: name and path"),
        ("name: digits", "task: regression", "data.name", "Received: none of them"),
        ("name: digits", "name: digits, window: 3", "data.window", "`task: forecasting` only"),
        ("name: digits", "name: digits, task: forecasting", "data.window", "is missing"),
        ("name: digits", "name: digits, window: 0", "data.window", "Received: 0"),
        ("name: digits", "source: digitz", "data.source", "Did you mean 'digits'?"),
        ("name: digits", "source: {npz: {}}", "data.source.npz.path", "is missing"),
        ("name: digits", "name: digits, split: by_day", "data.split", "Allowed: chronological,"),
        (
            "name: digits",
            "name: digits, split: {k_fold: {folds: 1}}",
            "data.split.k_fold.folds",
            "at least 2. Received: 1",
        ),
        (
            "name: digits",
            "name: digits, split: {k_fold: {fold: 5}}",
            "data.split.k_fold.fold",
            "must be below folds (5). Received: 5",
        ),
        (
            "name: digits",
            "name: digits, task: clasification",
            "data.task",
            "Did you mean 'classification'?",
        ),
        (
            "name: digits",
            "name: digits, test: 1.0",
            "data.test",
            "above 0 and below 1. Received: 1.0",
        ),
        (
            "name: digits",
            "name: digits, test: 0.5, validation: 0.5",
            "data.validation",
            "below 1 together",
        ),
        (
            "epochs: 3",
            "epochs: 3\nobjective: val_acuracy",
            "objective",
            "Did you mean 'val_accuracy'?",
        ),
        (
            "epochs: 3",
            "epochs: 3\nobjective: {name: val_loss, direction: max}",
            "objective.direction",
            "is min. Received: max",
        ),
        ("{trials: 24}", "20", "budget", "Received: 20. Perhaps you mean `budget: {trials: 20}`"),
        ("{trials: 24}", "{minutes: 2, hours: 1}", "budget.hours", "is a second limit on time"),
        ("{trials: 24}", "{minutes: 0}", "budget.minutes", "at least 0.001, or null. Received: 0"),
        (
            "{trials: 24}",
            "{hours: 1e308}",
            "budget.hours",
            "at most 277,777 hours, about 30 years. Received: 1e+308.",
        ),
        ("{trials: 24}", "{seconds: 1.5e9}", "budget.seconds", "1,000,000,000 seconds, about"),
        (
            "epochs: 3",
            "epochs: 3\nlimits: {stalled_seconds: 1e300}",
            "limits.stalled_seconds",
            "1,000,000,000 seconds, about 30 years. Received: 1e+300.",
        ),
        ("epochs: 3", "epochs: 3\nlimits: {seconds: 1e10}", "limits.seconds", "10000000000.0"),
        ("{name: digits}", "x.npz", "data", "Perhaps you mean `data: {path: x.npz}`"),
        ("{name: digits}", '"\\xad"', "data", 'Received: "\\xad".'),
        ("{name: digits}", "digits", "data", "Perhaps you mean `data: {name: digits}`"),
        ("epochs: 3", "epochs: 3\npool: {locale: {}}", "pool.locale", "Did you mean 'local'?"),
        (
            "epochs: 3",
            "epochs: 3\npool: {local: {devices: []}}",
            "pool.local.devices",
            "devices: cpu",
        ),
        (
            "epochs: 3",
            "epochs: 3\npool: {local: {devices: gpu}}",
            "pool.local.devices",
            "auto or cpu, or a list",
        ),
    ],
)
def test_other_bad_values(tmp_path: Path, old: str, new: str, key: str, words: str) -> None:
    assert old in CONFIG
    (tmp_path / "a.npz").touch()
    found = problem(tmp_path, CONFIG.replace(old, new))
    assert found.key == key
    assert words in found.message, str(found)
    assert found.line > 0
    assert found.file


def test_an_objective_must_fit_the_task(tmp_path: Path) -> None:
    config = (
        CONFIG.replace("name: digits", "name: digits, task: regression")
        + "objective: val_accuracy\n"
    )
    assert "classification and multilabel only" in problem(tmp_path, config).message


@pytest.mark.parametrize("text", ["", "[1, 2]", "digits"])
def test_a_config_must_be_a_mapping(tmp_path: Path, text: str) -> None:
    assert "at least budget, and data or evaluator" in problem(tmp_path, text).message


EPOCHS = SPACE.replace("{batch_size:", "{epochs: {int: [2, 9]}, batch_size:")


def test_epochs_may_be_a_gene_up_to_those_of_a_full_training(tmp_path: Path) -> None:
    short = check(written(tmp_path, space=EPOCHS))
    assert short.warnings == (
        "training.epochs (3) cuts short the gene epochs, which goes up to 9.",
    )
    assert check(written(tmp_path, CONFIG.replace("epochs: 3", "epochs: 9"), EPOCHS)).warnings == ()


@pytest.mark.parametrize("strategy", ["{halving: {}}", "halving"])
def test_epochs_cannot_be_a_gene_where_the_strategy_sets_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strategy: str
) -> None:
    class Halving(RandomSettings):
        sets_epochs = True

    for names in (STRATEGIES, NAMES[StrategySettings]):
        monkeypatch.setitem(names, "halving", Halving)  # type: ignore[arg-type]
    config = CONFIG[: CONFIG.index("strategy")] + f"strategy: {strategy}\n"
    assert check(written(tmp_path, config)).problems == ()
    found = problem(tmp_path, config, space=EPOCHS)
    assert "epochs cannot be a gene under the strategy halving" in found.message
    assert (found.line, Path(found.file).name) == (14, "space.yaml")


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "first.yaml").write_text(SEED.replace("units: 8", "units: 9"))
    config = CONFIG.replace(
        "population: 8", "population: 0\n    seeds: [./first.yaml, ./second.yaml]"
    )
    found = problems(tmp_path, config + "sead: 1\nlook_ahead: 0\n")
    files = [Path(item.file).name for item in found]
    assert files.count("mine.yaml") == 4
    assert files.count("first.yaml") == 1
    assert any("second.yaml" in item.message and item.line == 7 for item in found)
    found = problems(
        tmp_path, config, space=SPACE.replace("flatten", "flaten").replace("dense:", "dence:")
    )
    assert {"mine.yaml", "space.yaml"} <= {Path(item.file).name for item in found}
    assert sum("unknown op" in item.message for item in found) == 2


def test_values_are_checked_beside_others_that_are_wrong(tmp_path: Path) -> None:
    config = (
        CONFIG.replace("name: digits", "name: digit, test: 2")
        + "objective: acc\nrun: a/b\nseed: -1\nplugins: [-]\n"
    )
    keys = [item.key for item in problems(tmp_path, config)]
    assert sorted(keys) == ["data.name", "data.test", "objective", "plugins[0]", "run", "seed"]


def test_problems_are_told_from_top_to_bottom(tmp_path: Path) -> None:
    lines = [
        item.line
        for item in problems(tmp_path, "plugins: 1\nseed: x\nspace: space.yaml\ndata: 2\n")
    ]
    assert lines == [1, 1, 2, 4]


def test_overrides_replace_and_add(tmp_path: Path) -> None:
    overrides = [
        "budget.trials=5",
        "strategy.evolution.selection.tournament.size=4",
        "pool.local.workers=3",
        "seed=0x10",
    ]
    config = loaded(tmp_path, overrides=[*overrides, "training={epochs: 1, patience: null}"]).config
    assert (config.budget.trials, config.seed, config.pool.workers) == (5, 16, 3)
    assert config.strategy.selection == Tournament(4)
    assert (config.training.epochs, config.training.patience) == (1, None)
    assert loaded(tmp_path, overrides=["strategy=random"]).config.strategy_name == "random"


@pytest.mark.parametrize(
    ("written", "override", "seconds", "words"),
    [
        ("{seconds: 90}", "", 90, "90 seconds"),
        ("{minutes: 1.5}", "", 90, "90 seconds"),
        ("{seconds: 120, trials: 9}", "", 120, "9 trials, 2 minutes"),
        ("{hours: 2}", "", 7200, "2 hours"),
        ("{hours: 2}", "budget.minutes=1", 60, "1 minute"),
        ("{minutes: 2}", "budget.seconds=0.5", 0.5, "0.5 seconds"),
    ],
)
def test_a_budget_of_time_has_one_unit_and_the_last_word_counts(
    tmp_path: Path, written: str, override: str, seconds: float, words: str
) -> None:
    overrides = [override] if override else []
    budget = loaded(tmp_path, CONFIG.replace("{trials: 24}", written), overrides).config.budget
    assert budget.time == budget.given["seconds"] == seconds
    assert str(budget) == words


def test_an_override_goes_into_a_bare_name(tmp_path: Path) -> None:
    config = loaded(tmp_path, CONFIG + "pool: local\n", ["pool.local.workers=1"]).config
    assert config.pool == LocalSettings(1)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("budget.trails=5", ["budget.trails", "unknown key", "Did you mean 'trials'?"]),
        ("bugdet.trials=5", ["bugdet", "unknown key", "Did you mean 'budget'?"]),
        ("budget.trials=many", ["budget.trials", "whole number", '"many"']),
        ("budget.trials", ["key.path=value"]),
        ("=3", ["key.path=value"]),
        ("seed.more=1", ["seed", "has no keys", "'more'"]),
        ("seed=[1", ["not valid YAML"]),
        ("seed=&a 1", ["anchors"]),
    ],
)
def test_bad_overrides_are_told_as_such(tmp_path: Path, override: str, words: list[str]) -> None:
    found = problem(tmp_path, CONFIG + "seed: 3\n", [override])
    assert found.file == f"--set {override}"
    assert found.line == 0
    assert all(word in str(found) for word in words), str(found)


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("data=x.npz", "data: {path: x.npz}"),
        ("data=digits", "data: {name: digits}"),
        ("budget=20", "budget: {trials: 20}"),
        ("evaluator=results.csv", "evaluator: {table: {path: results.csv}}"),
        ("evaluator=my_problem:f", "evaluator: {python: {function: 'my_problem:f'}}"),
        ("strategy={evolution: 20}", "evolution: {initial: 20}"),
        ("pool=4", "pool: {local: {workers: 4}}"),
        ("constraints={parameters: 9}", "parameters: {max: 9}"),
    ],
)
def test_a_value_without_its_key_is_shown_with_it(
    tmp_path: Path, override: str, meant: str
) -> None:
    wrong = [str(one) for one in problems(tmp_path, overrides=[override])]
    assert any(f"`{meant}`" in one for one in wrong), wrong


@pytest.mark.parametrize(
    "override",
    [
        f"limits={'[' * 3000}{']' * 3000}",
        f"budget.trials.{'x' * 3000}=1",
        f"strategy={'x' * 3000}",
        f"strategy={{{', '.join(f'k{i}: 1' for i in range(900))}}}",
        # A strategy may be within a strategy: looked for everywhere, this one had no end.
        "strategy=zzz",
    ],
)
def test_a_long_or_far_override_is_cut_in_its_error(tmp_path: Path, override: str) -> None:
    with pytest.raises(InvalidConfig) as raised:
        loaded(tmp_path, overrides=[override])
    assert all(len(line) < 600 for line in str(raised.value).splitlines())
    assert str(raised.value).startswith(f"--set {override[:77]}")


def test_a_good_override_mends_a_bad_value(tmp_path: Path) -> None:
    assert (
        loaded(
            tmp_path, CONFIG.replace("trials: 24", "trials: x"), ["budget.trials=2"]
        ).config.budget.trials
        == 2
    )


def test_check_tells_problems_without_raising(tmp_path: Path) -> None:
    checked = check(written(tmp_path, CONFIG + "sead: 1\n"))
    assert checked.loaded is None
    assert len(checked.problems) == 1
    assert checked.warnings == ()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([], []),
        (["pool.local.workers=8", "look_ahead=4"], ["4 of them will never work"]),
        (["pool.local.workers=8", "look_ahead=15"], ["at least 16"]),
        (["pool.local.workers=8", "look_ahead=16"], []),
        (["pool=inline", "look_ahead=1"], []),
        (["budget.trials=7"], ["population (8) is larger than the budget (7"]),
    ],
)
def test_warnings(tmp_path: Path, overrides: list[str], words: list[str]) -> None:
    found = check(written(tmp_path), overrides).warnings
    assert len(found) == len(words)
    assert all(word in warning for word, warning in zip(words, found, strict=True)), found


def test_configs_are_values(tmp_path: Path) -> None:
    config = loaded(tmp_path).config
    assert config == loaded(tmp_path).config != replace(config, seed=1)


def test_a_config_is_loaded_without_keras() -> None:
    code = """
import sys
from evonas.runtime.config.config_file import load_config
load_config("digits")
assert not {"keras", "tensorflow", "sklearn"} & set(sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_files_and_plugins_that_are_missing_are_told_with_all_else(tmp_path: Path) -> None:
    (tmp_path / "my_ops").mkdir()
    for name in ("__init__", "layers"):
        (tmp_path / "my_ops" / f"{name}.py").write_text("raise RuntimeError('imported')\n")
    file = tmp_path / "my.yaml"
    text = "space: nowhere.yaml\ndata: {path: nix.npz}\nobjective: val_acc\nbudget: {trials: 3}\n"
    strategy = "strategy: {evolutoin: {}}\n"
    file.write_text(text + strategy + "plugins: [my_ops.layers, my_opss, my_ops.lay]\n")
    with pytest.raises(InvalidConfig) as caught:
        load_config(file)
    found = [(issue.key, issue.line) for issue in caught.value.problems]
    assert found == [
        ("space", 1),
        ("data.path", 2),
        ("objective", 3),
        ("strategy.evolutoin", 5),
        ("plugins", 6),
        ("plugins", 6),
    ]
    told = [issue.message for issue in caught.value.problems[-2:]]
    assert "no module my_opss" in told[0]
    assert "Did you mean 'my_ops'?" in told[0]
    assert "no module my_ops.lay." in told[1]
    table = "evaluator: {table: {path: nix.csv}}\nspace: convnet\nbudget: {trails: 3}\n"
    file.write_text(table)
    with pytest.raises(InvalidConfig) as caught:
        load_config(file)
    assert [issue.key for issue in caught.value.problems] == [
        "evaluator.table.path",
        "budget.trails",
    ]


@pytest.mark.parametrize(
    ("line", "key", "words"),
    [
        ("budget: 10 minutes", "budget", "Perhaps you mean `budget: {minutes: 10}`."),
        ("budget: 24 trials", "budget", "Perhaps you mean `budget: {trials: 24}`."),
        ("budget: 1 hour", "budget", "Perhaps you mean `budget: {hours: 1}`."),
        ("budget: ten minutes", "budget", 'Received: "ten minutes".'),
        ("trials: 4", "trials", "unknown key here. Perhaps budget.trials."),
        ("epochs: 4", "epochs", "unknown key here. Perhaps budget.epochs or training.epochs."),
        (
            "workers: 2",
            "workers",
            "unknown key here. Perhaps pool.local.workers or pool.simulated.workers.",
        ),
        ("limits: {workers: 2}", "limits.workers", "or pool.simulated.workers."),
        ("limits: {parameters: 1e5}", "limits.parameters", "Received: 100000.0. Write 100000."),
        ("limits: {parameters: -1e5}", "limits.parameters", "Received: -100000.0."),
        ("seed: 3.0", "seed", "Received: 3.0. Write 3."),
        ("look_ahead: 2.5", "look_ahead", "Received: 2.5."),
        ("strategy: {evolution: {popsize: 8}}", "strategy.evolution.popsize", "'population'?"),
        ("strategy: {evolution: {xyz: 8}}", "strategy.evolution.xyz", "replacement."),
    ],
)
def test_what_was_meant_is_told(tmp_path: Path, line: str, key: str, words: str) -> None:
    name = line.partition(":")[0]
    kept = "space: space.yaml\ndata: {name: digits}\n"
    if name != "budget":
        kept += "budget: {trials: 4}\n"
    found = problem(tmp_path, f"{kept}{line}\n")
    assert found.key == key
    assert found.message.endswith(words)


def test_a_metric_of_another_task_is_not_offered(tmp_path: Path) -> None:
    data = "data: {name: digits, task: classification}"
    text = f"space: space.yaml\nbudget: {{trials: 4}}\n{data}\nobjective: "
    found = problem(tmp_path, f"{text}val_mean_absolut_error\n")
    assert "mean_absolute_error" not in found.message.partition("Received")[0]
    assert "Did you mean" not in found.message
    found = problem(tmp_path, f"{text}val_mean_absolute_error\n")
    allowed = "val_loss, val_accuracy, val_balanced_accuracy, val_f1_macro, val_auc, parameters"
    assert f"the task is classification. Allowed: {allowed}, flops, " in found.message
    found = problem(tmp_path, text.replace(", task: classification", "") + "val_mean_absolut_error")
    assert "Did you mean 'val_mean_absolute_error'?" in found.message


def test_an_empty_file_and_a_missing_colon_are_told(tmp_path: Path) -> None:
    assert "Received: an empty file." in problem(tmp_path, "# nothing\n").message
    assert "the file is empty" in problem(tmp_path, space="").message
    found = problem(tmp_path, "# a comment\nspace mlp # or convnet\n\nseed: 1\n")
    assert found.message.endswith("Perhaps a colon is missing in line 2.")
    assert "Perhaps" not in problem(tmp_path, "seed: 1\nspace: a: b\n").message


def test_a_module_that_is_not_listed_comes_with_the_line_to_write(tmp_path: Path) -> None:
    evaluator = "space: space.yaml\nevaluator: {python: {function: 'json:loads'}}\n"
    found = problem(tmp_path, f"{evaluator}budget: {{trials: 4}}\n")
    assert "imported: none. To allow it, write `plugins: [json]`." in found.message
    found = problem(tmp_path, f"{evaluator}budget: {{trials: 4}}\nplugins: [csv]\n")
    assert "write `plugins: [csv, json]`." in found.message


def test_a_budget_that_is_missing_says_that_one_key_suffices(tmp_path: Path) -> None:
    found = problem(tmp_path, CONFIG.replace("budget: {trials: 24}\n", ""))
    assert found.key == "budget"
    assert found.message == (
        "is missing. It must be a mapping with the keys trials, epochs, seconds, minutes, hours;"
        " one of them suffices, such as `budget: {minutes: 10}`."
    )


@pytest.mark.parametrize(
    ("objective", "key"),
    [("rmse", "objective"), ("{name: rmse, direction: min}", "objective.name")],
)
def test_an_unknown_metric_is_told_by_the_tasks_that_have_it(
    tmp_path: Path, objective: str, key: str
) -> None:
    config = f"{CONFIG}objective: {objective}\n"
    found = problem(tmp_path, config)
    assert found.key == key
    assert (
        "for regression and forecasting val_mean_absolute_error, val_rmse, val_r2" in found.message
    )
    hint = "Did you mean 'val_rmse'? It is measured for regression and forecasting only."
    assert found.message.endswith(hint)
    known = config.replace("name: digits", "name: digits, task: classification")
    message = problem(tmp_path, known).message
    assert "Allowed: val_loss, val_accuracy," in message
    assert "rmse" not in message.partition("Received")[0]
    assert "val_rmse" not in message
