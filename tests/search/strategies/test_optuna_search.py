"""optuna: what TPE is shown, that it decides, and that it leaves no other trace."""

from __future__ import annotations

import importlib.util
import json
import logging
import re

import numpy as np
import optuna
import pytest

from evonas import view
from evonas.errors import InvalidConfig, UserError
from evonas.genome import (
    Gene,
    Genome,
    decode,
    library,
    load_space,
    parse_space,
    sample,
    strict_yaml,
)
from evonas.randomness import generator
from evonas.runtime.audit import audit
from evonas.runtime.config.config_file import check
from evonas.runtime.config.run_config import FAMILIES, RunConfig
from evonas.runtime.config.settings import Builder
from evonas.search.older_names import DELETED_SAMPLERS
from evonas.search.optuna_study.tpe import Tpe
from evonas.search.optuna_study.tree import Tree
from evonas.search.registry import NAMES
from evonas.search.strategies.optuna_search import OptunaSearch, OptunaSettings
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategy import SearchProblem, StrategySettings
from evonas.testing import drive, make_run, settled, work
from evonas.trial import Fidelity

CONTINUOUS = """
space: sphere
input: none
network: {point: {ops: {point: {x0: {float: [-5, 5]}, x1: {float: [-5, 5]}, x2: {float: [-5, 5]}}}}}
"""
SWITCHES = """
space: switches
input: vector
network: {layers: {length: [8, 8], ops: {a: {}, b: {}, c: {}}}}
"""


@pytest.fixture
def problem(small_space, loss):
    return SearchProblem(small_space, loss, Fidelity(1), 0)


def searched(strategy, count, loss_of):
    """`count` trials, each told before the next is asked."""
    objective = strategy.problem.objective

    def make_trial(id, proposal):
        return settled(objective, id, proposal, loss_of(proposal.genome))

    return drive(strategy, make_trial, count)


def losses(strategy, count, loss_of):
    return [trial.metrics["val_loss"] for trial in searched(strategy, count, loss_of)]


def sphere(genome):
    return sum(value**2 for _, value in genome["point"][0].params)


def errors(genome):
    """How many layers are not what they should be."""
    return float(sum(gene.op != "abcabcab"[i] for i, gene in enumerate(genome["layers"])))


@pytest.mark.parametrize("name", library.names("spaces"))
def test_suggesting_what_is_shown_of_a_genome_gives_that_genome(name):
    space = load_space(library.find("spaces", name, None))
    shown = Tree(space)
    for i in range(30):
        genome = sample(space, np.random.default_rng(i))
        values, distributions = shown.parameters(genome)
        assert list(values) == list(distributions)
        assert shown.suggested(optuna.trial.FixedTrial(values)) == genome


@pytest.mark.parametrize("chosen", [0.0, 0.25, 1.0])
def test_a_number_at_the_beginning_of_its_scale_is_on(chosen):
    """Its place is the very border between `off` and on."""
    space = parse_space(
        "space: s\ninput: vector\nnetwork:"
        " {layers: {ops: {a: {rate: {float: [0.25, 1.0], off: 0.0}}}}}",
        "s.yaml",
    )
    tree = Tree(space)
    border = tree.parameters(decode(space, [0.1]))[0]
    assert border["layers[0] a rate on"] == 0
    genome = Genome((("layers", (Gene("a", (("rate", chosen),), innovation=1),)),))
    values, _ = tree.parameters(genome)
    assert values["layers[0] a rate on"] == (chosen > 0)
    assert tree.suggested(optuna.trial.FixedTrial(values)) == genome


def test_a_tree_has_the_decisions_that_arise_and_no_others(small_space):
    tree = Tree(small_space)
    seen = set()
    for i in range(40):
        genome = sample(small_space, np.random.default_rng(i))
        values, distributions = tree.parameters(genome)
        layers = len(genome["layers"])
        assert values["layers length"] == layers - 1
        assert sum(name.startswith("layers[") for name in values) == 2 * layers
        is_sgd = genome["optimizer"][0].op == "sgd"
        assert ("optimizer[0] sgd learning_rate" in values) == is_sgd
        seen |= {(name, str(distribution)) for name, distribution in distributions.items()}
    assert dict(seen) == {
        "layers length": "IntDistribution(high=1, log=False, low=0, step=1)",
        **{
            f"layers[{i}] dense units": "IntDistribution(high=2, log=False, low=0, step=1)"
            for i in (0, 1)
        },
        **{
            f"layers[{i}] dense activation": "CategoricalDistribution(choices=(0, 1))"
            for i in (0, 1)
        },
        "optimizer[0] op": "CategoricalDistribution(choices=(0, 1))",
        "optimizer[0] sgd learning_rate": (
            "FloatDistribution(high=1.0, log=False, low=0.0, step=None)"
        ),
        "training[0] training batch_size": "IntDistribution(high=1, log=False, low=0, step=1)",
    }


def test_off_is_a_category_and_the_rest_a_range():
    ops = "{dense: {dropout: {float: [0.1, 0.5], off: 0.0}}}"
    text = f"space: s\ninput: vector\nnetwork: {{layers: {{ops: {ops}}}}}\n"
    space = parse_space(text, "s.yaml")
    tree, found = Tree(space), {}
    for i in range(40):
        genome = sample(space, np.random.default_rng(i))
        found[genome["layers"][0]["dropout"]] = tree.parameters(genome)[0]
    assert found.pop(0.0) == {"layers[0] dense dropout on": 0}
    for dropout, values in found.items():
        assert values["layers[0] dense dropout on"] == 1
        assert values["layers[0] dense dropout"] == pytest.approx((dropout - 0.1) / 0.4)


def test_waiting_trials_are_running_and_failed_ones_failed(problem, oracle):
    strategy = OptunaSearch(problem, OptunaSettings(Tpe(2)))
    trials = [oracle.settle(i, proposal) for i, proposal in enumerate(strategy.ask(30))]
    for trial in reversed(trials[:25]):
        strategy.tell(trial)
    states = {"RUNNING": [trial.unsettled for trial in trials[25:]], "FAIL": [], "COMPLETE": []}
    for trial in trials[:25]:
        states["FAIL" if trial.fitness is None else "COMPLETE"].append(trial)
    assert all(states.values())
    for state, expected in states.items():
        shown = [one for _, one in sorted(strategy._known.items()) if one.state.name == state]
        assert [one.number for one in shown] == [trial.id for trial in expected]
        assert [one.value for one in shown] == [
            trial.fitness and trial.fitness.key for trial in expected
        ]


def test_the_order_of_the_telling_makes_no_difference(problem, oracle):
    one, other = (OptunaSearch(problem, OptunaSettings(Tpe(3))) for _ in range(2))
    trials = [oracle.settle(i, proposal) for i, proposal in enumerate(one.ask(20))]
    other.ask(20)
    for trial in trials:
        one.tell(trial)
    for trial in np.random.default_rng(0).permutation(len(trials)):
        other.tell(trials[trial])
    assert one.ask(5) == other.ask(5)


def test_a_suggestion_is_what_optuna_makes_of_these_trials(problem, oracle):
    """By hand, without any of our classes: the same trials, the same seed."""
    strategy = OptunaSearch(problem, OptunaSettings(Tpe(5)))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study()
    for trial in drive(strategy, oracle.settle, 12):
        values, distributions = Tree(problem.space).parameters(trial.genome)
        state = optuna.trial.TrialState.COMPLETE if trial.fitness else optuna.trial.TrialState.FAIL
        value = trial.fitness and trial.fitness.value
        study.add_trial(
            optuna.trial.create_trial(
                params=values, distributions=distributions, value=value, state=state
            )
        )
    seed = int(generator(0, "sample", 12).integers(2**31))
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        study.sampler = optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=0, multivariate=True, group=True
        )
    expected = (Tree(problem.space).suggested(study.ask()) for _ in range(5))
    new = next(genome for genome in expected if not strategy.knows(genome))
    (proposal,) = strategy.ask(1)
    assert (proposal.genome, proposal.lineage.operator) == (new, "tpe")


def test_tpe_learns_on_a_continuous_space(loss):
    space = parse_space(CONTINUOUS, "sphere.yaml")
    early, late = [], []
    for seed in range(2):
        problem = SearchProblem(space, loss, Fidelity(1), seed)
        found = losses(OptunaSearch(problem, OptunaSettings(Tpe(8))), 40, sphere)
        early += found[:8]
        late += found[-8:]
    assert np.mean(late) < np.mean(early) / 2


def test_tpe_learns_on_categories(loss):
    space = parse_space(SWITCHES, "switches.yaml")
    ours, chance = [], []
    for seed in range(2):
        problem = SearchProblem(space, loss, Fidelity(1), seed)
        ours.append(min(losses(OptunaSearch(problem, OptunaSettings()), 40, errors)))
        chance.append(min(losses(RandomSearch(problem, RandomSettings()), 40, errors)))
    assert np.mean(ours) < np.mean(chance) - 0.5


def test_optuna_is_silent_and_its_own_settings_stay(problem, oracle, capfd, caplog):
    logger = logging.getLogger("optuna")
    logger.setLevel(logging.WARNING)
    strategy = OptunaSearch(problem, OptunaSettings(Tpe(4)))
    drive(strategy, oracle.settle, 12)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert logger.level == logging.WARNING


CONFIG = """
space: convnet
data: {name: digits}
budget: {trials: 9}
strategy: {optuna: {sampler: SAMPLER}}
""".lstrip()


def refusals(tmp_path, sampler):
    (tmp_path / "c.yaml").write_text(CONFIG.replace("SAMPLER", sampler))
    return [
        (problem.key, problem.line, problem.message)
        for problem in check(tmp_path / "c.yaml").problems
    ]


def test_an_unknown_sampler_is_refused_with_the_names(tmp_path):
    assert refusals(tmp_path, "{tpe: {initial: 4}}") == []
    ((key, line, message),) = refusals(tmp_path, "tpee")
    assert (key, line) == ("strategy.optuna.sampler", 4)
    assert message == "unknown name. Allowed: tpe. Received: \"tpee\". Did you mean 'tpe'?"


@pytest.mark.parametrize("name", DELETED_SAMPLERS)
def test_a_deleted_sampler_is_refused_with_what_to_write(tmp_path, name):
    (message,) = {DELETED_SAMPLERS[name]}
    assert refusals(tmp_path, name) == [("strategy.optuna.sampler", 4, message)]
    inside = refusals(tmp_path, f"{{{name}: {{population: 5}}}}")
    assert inside == [(f"strategy.optuna.sampler.{name}", 4, message)]
    for strategy in re.findall("`strategy: (.*?)`", message):
        data = strict_yaml.load(f"strategy: {strategy}", "message").data["strategy"]
        assert isinstance(Builder(FAMILIES).build(StrategySettings, data), StrategySettings)


class Gone(Tpe):
    """A sampler that an older evonas had."""


def test_a_run_of_a_deleted_sampler_can_be_read_and_neither_continued_nor_repeated(
    tmp_path, monkeypatch
):
    strategy = {"optuna": {"sampler": {"cma_es": {"initial": 3}}}}
    with monkeypatch.context() as older:
        older.setitem(NAMES[Tpe], "cma_es", Gone)
        root = make_run(tmp_path, f"strategy={json.dumps(strategy)}", "budget.trials=6")
        work(root)
    run = view.load(root)
    assert len(run.trials) == 6
    assert run.config.to_json()["strategy"]["optuna"]["sampler"]["cma_es"]["initial"] == 3
    inside = {**run.config.to_json(), "strategy": {"seeded": {"inner": strategy, "genomes": ["a"]}}}
    assert RunConfig.from_json(inside).to_json() == inside
    with pytest.raises(InvalidConfig, match="write `strategy: cma_es`"):
        audit(root)
    with pytest.raises(InvalidConfig, match="write `strategy: cma_es`"):
        work(root, "budget.trials=9")


def test_a_missing_package_is_told_before_any_training(tmp_path, monkeypatch, problem):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "optuna" else find(name, *rest),
    )
    words = "needs optuna, not installed here: pip install 'evonas[optuna]'."
    assert refusals(tmp_path, "tpe") == [("strategy.optuna.sampler", 4, words)]
    with pytest.raises(UserError, match=words.replace("[", r"\[")):
        OptunaSearch(problem, OptunaSettings())


def test_an_exhausted_space_gives_duplicates_and_never_hangs(loss):
    few = "space: few\ninput: none\nsettings: {a: {ops: {x: {}, y: {}, z: {}}}}\n"
    search = SearchProblem(parse_space(few, "few.yaml"), loss, Fidelity(1), 0)
    strategy = OptunaSearch(search, OptunaSettings(Tpe(initial=2)))

    def make_trial(id, proposal):
        return settled(loss, id, proposal, float(id))

    trials = drive(strategy, make_trial, 7)
    assert len({trial.genome for trial in trials[:3]}) == 3
    assert [trial.lineage.operator for trial in trials[3:]] == ["sample"] * 4
