"""optuna: what its samplers are shown, that they decide, and that they leave no other trace."""

from __future__ import annotations

import importlib.util
import logging

import numpy as np
import optuna
import pytest
from scipy.stats import qmc

from evonas.errors import UserError
from evonas.genome import Gene, Genome, decode, library, load_space, parse_space, sample
from evonas.randomness import generator
from evonas.runtime.config.config_file import check
from evonas.search.optuna_samplers import (
    OPTUNA_SAMPLERS,
    CmaEs,
    Independent,
    NsgaII,
    NsgaIII,
    Qmc,
    Tpe,
)
from evonas.search.optuna_samplers.view import Cube, Tree
from evonas.search.strategies.optuna_search import OptunaSearch, OptunaSettings
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategy import SearchProblem
from evonas.testing import drive, settled
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
@pytest.mark.parametrize("view", [Cube, Tree])
def test_suggesting_what_is_shown_of_a_genome_gives_that_genome(name, view):
    space = load_space(library.find("spaces", name, None))
    shown = view(space)
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
        shown = [one for one in strategy._shown() if one.state.name == state]
        assert [one.number for one in shown] == [trial.id for trial in expected]
        assert [one.value for one in shown] == [
            trial.fitness and trial.fitness.key for trial in expected
        ]


@pytest.mark.parametrize("sampler", [Tpe(3), CmaEs(4), NsgaII(4)])
def test_the_order_of_the_telling_makes_no_difference(problem, oracle, sampler):
    one, other = (OptunaSearch(problem, OptunaSettings(sampler)) for _ in range(2))
    trials = [oracle.settle(i, proposal) for i, proposal in enumerate(one.ask(20))]
    other.ask(20)
    for trial in trials:
        one.tell(trial)
    for trial in np.random.default_rng(0).permutation(len(trials)):
        other.tell(trials[trial])
    assert one.ask(5) == other.ask(5)


@pytest.mark.parametrize("sampler", [NsgaII(4), NsgaIII(4), Qmc(), Independent()])
def test_what_is_not_in_the_contract_suite_goes_on_from_a_counter_and_the_trials(
    problem, oracle, sampler
):
    one, other = (OptunaSearch(problem, OptunaSettings(sampler)) for _ in range(2))
    trials = drive(one, oracle.settle, 24, order=5)
    assert one.state_dict() == {"asked": 24}
    told = len(trials) - 5
    other.load_state_dict(
        {"asked": 24}, {trial.id: trial if trial.id < told else trial.unsettled for trial in trials}
    )
    for trial in trials[told:]:
        assert one.ask(1) == other.ask(1)
        one.tell(trial)
        other.tell(trial)
    assert one.ask(3) == other.ask(3)


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


@pytest.mark.parametrize("sampler", [CmaEs(), NsgaII(8), NsgaIII(8), Tpe(8)])
def test_samplers_learn_on_a_continuous_space(loss, sampler):
    space = parse_space(CONTINUOUS, "sphere.yaml")
    early, late = [], []
    for seed in range(2):
        problem = SearchProblem(space, loss, Fidelity(1), seed)
        found = losses(OptunaSearch(problem, OptunaSettings(sampler)), 40, sphere)
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


@pytest.mark.parametrize("sampler", [CmaEs(5), NsgaII(5)])
def test_generations_are_in_the_lineage(loss, sampler):
    problem = SearchProblem(parse_space(CONTINUOUS, "sphere.yaml"), loss, Fidelity(1), 0)
    strategy = OptunaSearch(problem, OptunaSettings(sampler))
    lineages = [trial.lineage for trial in searched(strategy, 31, sphere)]
    found = [(lineage.operator, lineage.generation) for lineage in lineages]
    word = sampler.word
    if word == "cma_es":  # which draws its first trial at random
        assert found.pop(0) == ("sample", 0)
    assert found[:30] == [(word, i // 5) for i in range(30)]


def test_quasi_random_points_are_those_of_the_sequence(loss):
    space = parse_space(CONTINUOUS, "sphere.yaml")
    strategy = OptunaSearch(
        SearchProblem(space, loss, Fidelity(1), 0), OptunaSettings(Qmc("halton", scramble=False))
    )
    points = qmc.Halton(3, scramble=False).random(9)
    assert [one.genome for one in strategy.ask(9)] == [decode(space, point) for point in points]


@pytest.mark.parametrize("sampler", [Independent(), Tpe(4), CmaEs(4), Qmc()])
def test_optuna_is_silent_and_its_own_settings_stay(problem, oracle, capfd, caplog, sampler):
    logger = logging.getLogger("optuna")
    logger.setLevel(logging.WARNING)
    strategy = OptunaSearch(problem, OptunaSettings(sampler))
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


@pytest.mark.parametrize("sampler", sorted(OPTUNA_SAMPLERS))
def test_every_sampler_has_a_name_in_a_config(tmp_path, sampler):
    assert refusals(tmp_path, sampler) == []
    assert OPTUNA_SAMPLERS[sampler]().word == sampler


def test_an_unknown_sampler_is_refused_with_the_names(tmp_path):
    ((key, line, message),) = refusals(tmp_path, "tpee")
    assert (key, line) == ("strategy.optuna.sampler", 4)
    assert message == (
        "unknown name. Allowed: cma_es, nsgaii, nsgaiii, qmc, random, tpe."
        " Received: \"tpee\". Did you mean 'tpe'?"
    )


@pytest.mark.parametrize(
    ("package", "sampler", "words"),
    [
        ("optuna", "tpe", "needs optuna, not installed here: pip install 'evonas[optuna]'."),
        ("cmaes", "cma_es", "needs cmaes, not installed here: pip install 'evonas[optuna]'."),
    ],
)
def test_a_missing_package_is_told_before_any_training(
    tmp_path, monkeypatch, problem, package, sampler, words
):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == package else find(name, *rest),
    )
    assert refusals(tmp_path, sampler) == [("strategy.optuna.sampler", 4, words)]
    with pytest.raises(UserError, match=words.replace("[", r"\[")):
        OptunaSearch(problem, OptunaSettings(OPTUNA_SAMPLERS[sampler]()))


def test_an_exhausted_space_gives_duplicates_and_never_hangs(loss):
    few = "space: few\ninput: none\nsettings: {a: {ops: {x: {}, y: {}, z: {}}}}\n"
    search = SearchProblem(parse_space(few, "few.yaml"), loss, Fidelity(1), 0)
    strategy = OptunaSearch(search, OptunaSettings(Tpe(initial=2)))

    def make_trial(id, proposal):
        return settled(loss, id, proposal, float(id))

    trials = drive(strategy, make_trial, 7)
    assert len({trial.genome for trial in trials[:3]}) == 3
    assert [trial.lineage.operator for trial in trials[3:]] == ["sample"] * 4


def test_a_sampler_says_which_packages_it_lacks(monkeypatch):
    assert CmaEs().missing() == ""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "cmaes" else find(name)
    )
    assert CmaEs().missing().startswith("needs cmaes, not installed here")
    assert Tpe().missing() == ""
