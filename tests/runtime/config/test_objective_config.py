"""Objectives and constraints in a config: what is short for what, what is refused and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas.runtime.config.config_file import check, load_config
from evonas.runtime.config.run_config import RunConfig, functions_of_metrics
from evonas.testing.runs import write_config
from evonas.trial import Constraint, Objective

BASE = "space: mlp\ndata: {name: digits, task: classification}\nbudget: {trials: 9}\n"
TABLE = "space: mlp\nevaluator: {python: {function: 'm:f'}}\nplugins: [m]\nbudget: {trials: 9}\n"
NSGA = "strategy: nsga2\nobjectives: [val_accuracy, parameters]\n"


def load(tmp_path: Path, text: str, base: str = BASE):
    (tmp_path / "mine.yaml").write_text(base + text)
    return check(tmp_path / "mine.yaml")


def config(tmp_path: Path, text: str, base: str = BASE) -> RunConfig:
    checked = load(tmp_path, text, base)
    assert checked.problems == ()
    assert RunConfig.from_json(checked.loaded.config.to_json()) == checked.loaded.config
    return checked.loaded.config


def test_several_objectives_the_first_of_which_is_the_objective(tmp_path):
    found = config(
        tmp_path, NSGA + "constraints: {flops: {max: 1e6}, val_loss: {min: 0, max: 0.5}}\n"
    )
    bounds = (Constraint("flops", most=1e6), Constraint("val_loss", 0, 0.5))
    first = Objective("val_accuracy", "max", constraints=bounds)
    assert found.to_objectives() == (first, Objective("parameters", "min"))
    assert found.to_objective() == first
    assert found.needed_metrics() == ("val_accuracy", "flops", "val_loss", "parameters")
    assert found.epoch_objective() == Objective("val_accuracy", "max")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("objective: parameters\n", "val_loss"),
        ("objective: {weighted: {parameters: 1.0e-6, val_accuracy: -1}}\n", "val_accuracy"),
        ("objective: parameters\nconstraints: {val_accuracy: {min: 0.9}}\n", "val_accuracy"),
        ("strategy: nsga3\nobjectives: [latency_ms, training_seconds, flops]\n", "val_loss"),
    ],
)
def test_epochs_are_compared_by_what_is_measured_at_each(tmp_path, text, name):
    assert config(tmp_path, text).epoch_objective().name == name


@pytest.mark.parametrize(
    ("weights", "name"),
    [
        ("{val_loss: 1.0, parameters: 1.0e-6}", "val_loss + 1e-06 parameters"),
        ("{val_accuracy: -1, latency_ms: 0.01}", "-val_accuracy + 0.01 latency_ms"),
        ("{parameters: 1, val_accuracy: -100.5}", "parameters - 100.5 val_accuracy"),
    ],
)
def test_a_weighted_sum_is_called_what_it_is(tmp_path, weights, name):
    found = config(tmp_path, f"objective: {{weighted: {weights}}}\n").to_objective()
    assert (found.name, found.direction) == (name, "min")


def test_metrics_of_an_evaluator_may_have_any_name(tmp_path):
    text = "strategy: nsga2\n"
    text += "objectives: [{name: score, direction: max}, {name: cost, direction: min}]\n"
    found = config(tmp_path, text, TABLE)
    assert found.needed_metrics() == ("score", "cost")
    assert found.epoch_objective().name == "score"


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        (
            "objectives: [val_loss, parameters]\n",
            "strategy",
            "evolution follows one objective, and there are 2",
        ),
        (
            NSGA.replace("nsga2", "{screened: {inner: random}}"),
            "strategy",
            "screened follows one objective",
        ),
        (
            NSGA.replace("nsga2", "{seeded: {inner: aging, genomes: [mlp2]}}"),
            "strategy",
            "aging follows one",
        ),
        ("strategy: nsga2\n", "strategy", "searches a front of several objectives"),
        (
            "strategy: {seeded: {inner: nsga3, genomes: [mlp2]}}\n",
            "strategy",
            "nsga3 searches a front",
        ),
        ("strategy: nsga2\nobjectives: [val_loss]\n", "objectives", "must be at least two"),
        ("strategy: nsga2\nobjectives: [val_loss, val_loss]\n", "objectives", "has val_loss twice"),
        (NSGA.replace("val_accuracy", "{name: [1]}"), "objectives[0].name", "must be a word"),
        (NSGA.replace("val_accuracy", "7"), "objectives[0]", "7"),
        (NSGA + "objective: val_loss\n", "objective", "cannot stand beside objectives"),
        (
            NSGA.replace("parameters", "parametres"),
            "objectives[1]",
            "Did you mean 'parameters'?",
        ),
        (
            NSGA.replace("parameters", "{name: flops, direction: max}"),
            "objectives[1].direction",
            "is min",
        ),
        (NSGA.replace("parameters", "7"), "objectives[1]", "7"),
        (
            NSGA.replace("parameters", "val_mean_absolute_error"),
            "objectives",
            "for regression and forecasting only",
        ),
        (
            "constraints: {val_mean_absolute_error: {max: 1}}\n",
            "constraints.val_mean_absolute_error",
            "forecasting only",
        ),
        (
            "constraints: {parametres: {max: 1}}\n",
            "constraints.parametres",
            "Did you mean 'parameters'?",
        ),
        ("constraints: {test_loss: {max: 1}}\n", "constraints.test_loss", "test data"),
        ("constraints: {flops: {}}\n", "constraints.flops.max", "a min, a max, or both"),
        ("constraints: {flops: {min: 2, max: 1}}\n", "constraints.flops.min", "at most max (1)"),
        (
            "objective: val_r2\n",
            "objective",
            "val_r2 is measured for regression and forecasting only",
        ),
        ("objective: m:f\n", "objective.direction", "is missing. It must be min or max"),
        ("metrics: [m:f]\n", "metrics[0]", "the module 'm' is not among the plugins"),
        ("metrics: ['m:f g']\n", "metrics[0]", "must be package.module:function"),
        ("constraints: {m:f: {max: 1}}\n", "constraints.val_m:f", "not among the plugins"),
        ("metrics: [val_auc, val_auc]\n", "metrics[1]", "is there twice"),
        ("metrics: [test_auc]\n", "metrics[0]", "test data"),
        ("metrics: [val_auk]\n", "metrics[0]", "Did you mean 'val_auc'?"),
        ("metrics: [val_rmse]\n", "metrics[0]", "for regression and forecasting only"),
        ("constraints: {flops: {most: 1}}\n", "constraints.flops.most", "unknown key"),
        (
            "objective: {weighted: {val_accuracy: 1.0}}\n",
            "objective.weighted.val_accuracy",
            "must be negative",
        ),
        (
            "objective: {weighted: {val_loss: -1.0}}\n",
            "objective.weighted.val_loss",
            "must be positive",
        ),
        ("objective: {weighted: {val_loss: 0}}\n", "objective.weighted.val_loss", "other than 0"),
        (
            "objective: {weighted: {val_los: 1}}\n",
            "objective.weighted.val_los",
            "Did you mean 'val_loss'?",
        ),
        (
            "objective: {weighted: {val_loss: 1}, direction: max}\n",
            "objective.direction",
            "is minimised",
        ),
        (
            "constraints: {flops: {max: 1}}\nstrategy: {evolution: {selection: roulette}}\n",
            "strategy.evolution.selection",
            "does not know of constraints",
        ),
        (
            NSGA.replace("nsga2", "{nsga2: {mutation: {adaptation: matching}}}"),
            "strategy.nsga2.mutation.adaptation",
            "Allowed: fixed",
        ),
    ],
)
def test_what_is_wrong_is_told_where_it_is(tmp_path, text, key, words):
    found = load(tmp_path, text).problems
    assert [item.key for item in found] == [key], found
    assert words in found[0].message


def test_a_table_without_one_of_the_metrics_is_refused(tmp_path):
    from evonas.errors import InvalidConfig
    from evonas.runtime.preparation import prepare_run

    (tmp_path / "s.yaml").write_text(
        "space: s\ninput: none\nnetwork: {cell: {ops: {a: {}, b: {}}}}\n"
    )
    (tmp_path / "t.csv").write_text("cell.0.op,val_loss@3\na,1\nb,2\n")
    base = "space: ./s.yaml\nevaluator: {table: {path: t.csv}}\n"
    base += "training: {epochs: 3}\nbudget: {trials: 9}\n"
    for text, key in (
        ("strategy: nsga2\nobjectives: [val_loss, parameters]\n", r"objectives\[1\]\.name"),
        (
            "objective: {weighted: {val_loss: 1, parameters: 2}}\n",
            r"objective\.weighted\.parameters",
        ),
        ("objective: val_loss\nconstraints: {flops: {max: 2}}\n", r"constraints\.flops"),
    ):
        with pytest.raises(InvalidConfig, match=f"{key}: the table has no such metric"):
            prepare_run(load(tmp_path, text, base).loaded, tmp_path)


def test_a_metric_that_gives_no_number_is_refused_before_any_training(tmp_path):
    from evonas.errors import InvalidConfig
    from evonas.runtime.preparation import prepare_run

    (tmp_path / "no_number.py").write_text("def f(targets, predictions): ...\n")
    changes = ["plugins=[no_number]", "metrics=['no_number:f']"]
    with pytest.raises(InvalidConfig, match="must return a number") as caught:
        prepare_run(load_config(write_config(tmp_path), changes), tmp_path / "run")
    assert [issue.key for issue in caught.value.problems] == ["metrics[0]"]


def test_a_single_objective_without_a_name_is_told_how_to_write_it(tmp_path):
    found = load(tmp_path, "strategy: nsga2\nobjectives: [{name: {}}]\n").problems
    assert [item.key for item in found] == ["objectives", "objectives[0].name"]
    assert "must be at least two; one is written `objective: METRIC`" in found[0].message
    assert "must be a word" in found[1].message


OWN = "plugins: [m]\n"


def test_a_metric_of_the_users_own_is_named_by_its_function(tmp_path):
    text = "objective: {name: 'm:f', direction: max}\nmetrics: [val_auc, m.n:g]\n"
    found = config(tmp_path, text + "plugins: [m, m.n]\n")
    assert found.to_objective() == Objective("val_m:f", "max")
    assert found.epoch_objective() == Objective("val_m:f", "max")
    assert found.metrics == ("val_auc", "val_m.n:g")
    assert functions_of_metrics(found) == {"val_m:f": "m:f", "val_m.n:g": "m.n:g"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("objective: {weighted: {m:f: -2, parameters: 1}}\n", Objective("val_m:f", "max")),
        ("objective: parameters\nconstraints: {m:f: {min: 1}}\n", Objective("val_m:f", "max")),
        ("objective: parameters\nconstraints: {m:f: {max: 1}}\n", Objective("val_m:f", "min")),
        (
            "objective: parameters\nconstraints: {m:f: {min: 0, max: 1}}\n",
            Objective("val_loss", "min"),
        ),
    ],
)
def test_epochs_are_compared_by_a_metric_whose_direction_the_config_tells(tmp_path, text, expected):
    assert config(tmp_path, text + OWN).epoch_objective() == expected


def test_an_evaluator_has_no_other_metrics(tmp_path):
    found = {item.key: item.message for item in load(tmp_path, "metrics: [auc]\n", TABLE).problems}
    assert "an evaluator returns what it has" in found["metrics"]
