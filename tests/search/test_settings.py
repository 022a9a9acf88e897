"""Every setting reaches the search: with another value, the search is another one.

What a value does is tested beside the part that it belongs to. Here no setting can be forgotten.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

import pytest

from evonas.genome import decode, parse_space
from evonas.runtime.config.run_config import FAMILIES
from evonas.runtime.config.settings import Builder
from evonas.search.adaptation import ADAPTATIONS
from evonas.search.crossover import CROSSOVERS
from evonas.search.optuna_study.tpe import OPTUNA_SAMPLERS
from evonas.search.registry import STRATEGIES
from evonas.search.replacement import REPLACEMENTS
from evonas.search.sampling import SAMPLERS
from evonas.search.selection import SELECTIONS
from evonas.search.strategies.founded import founded
from evonas.search.strategy import SearchProblem
from evonas.search.surrogate import SURROGATES
from evonas.search.variation import Mutation
from evonas.testing import drive, settled
from evonas.trial import Fidelity, Objective

BASES: dict[str, dict[str, Any]] = {
    "evolution": {"initial": 4, "children": 6, "guide": {"forest": {"trees": 4, "depth": 1}}},
    "generations": {"population": 6},
    "aging": {"population": 6, "sample": 3},
    "particle_swarm": {"population": 5},
    "differential_evolution": {"population": 5},
    "model_based": {"initial": 4, "candidates": 12, "parents": 3},
    "screened": {"warmup": 4, "factor": 4, "surrogate": {"forest": {"trees": 4, "depth": 1}}},
    "nsga2": {"population": 6},
    "nsga3": {"population": 6},
    "optuna": {"sampler": {"tpe": {"initial": 4}}},
    "seeded": {"genomes": ("middle",), "inner": {"evolution": {"guide": "none"}}},
    "nelder_mead": {"size": 0.05},
}
"""Settings that make a search short enough; a strategy that is not named has its defaults."""

USED = {"operators": dict.fromkeys(("add_skip", "remove_skip", "move_skip"), 0)}
"""Without the operators of wired networks, of which nothing can be learned here."""

Row = tuple[str, str, Any, Any]
"""A strategy, a key of its settings, and two values of it; None for what the base has."""


def parts(strategy: str, key: str, values: dict[str, dict[str, tuple[Any, Any]]]) -> Iterator[Row]:
    """Rows for the settings of the parts that a key may name: part -> its field -> two values."""
    for part, of_fields in values.items():
        for name, (one, other) in of_fields.items():
            yield strategy, key, {part: {name: one}}, {part: {name: other}}


def mutated(strategy: str, *names: str) -> Iterator[Row]:
    """Rows for the settings of `mutation` that have an effect on a strategy."""
    others = {"rate": 1.0, "edits": 4, "settings": 0.9, "operators": {"perturb": 9.0}}
    others["adaptation"] = "matching"
    for name in names:
        yield strategy, "mutation", {}, {name: others[name]}


QUICK: dict[str, dict[str, Any]] = {
    "gaussian_process": {"depth": 1},
    "relevance": {"depth": 1},
    "forest": {"trees": 4, "depth": 1},
    "dngo": {"layers": 1, "units": 8, "depth": 1},
}
SURROGATE_FIELDS = {
    "gaussian_process": {"depth": (0, 2), "fitted_on": (10, 300)},
    "relevance": {"depth": (0, 2), "fitted_on": (10, 300)},
    "forest": {"trees": (2, 9), "share": (0.2, 1.0), "depth": (0, 2), "fitted_on": (10, 300)},
    "dngo": {
        "layers": (1, 2),
        "units": (4, 9),
        "decay": (0.01, 100.0),
        "depth": (0, 2),
        "fitted_on": (10, 300),
    },
}
ROWS: list[Row] = [
    ("evolution", "guide", None, {"dngo": QUICK["dngo"]}),
    ("evolution", "initial", None, 9),
    ("evolution", "children", None, 12),
    ("evolution", "crossover", "uniform", "one_point"),
    *mutated("evolution", "rate", "edits", "settings", "operators", "adaptation"),
    ("generations", "population", None, 8),
    ("generations", "selection", "tournament", "random"),
    *parts(
        "generations",
        "selection",
        {
            "tournament": {"size": (1, 6)},
            "rank": {"pressure": (1.0, 2.0)},
            "stochastic_universal": {"shares": ("rank", "loss"), "pressure": (1.0, 2.0)},
            "best": {"count": (1, 6)},
        },
    ),
    ("generations", "crossover", "uniform", "one_point"),
    *parts(
        "generations",
        "crossover",
        {kind: {"rate": (0.1, 1.0)} for kind in ("uniform", "one_point", "sections")},
    ),
    *mutated("generations", "rate", "edits", "settings", "operators", "adaptation"),
    ("generations", "replacement", "elitist", "generational"),
    *parts(
        "generations",
        "replacement",
        {
            "elitist": {"elites": (0, 4)},
            "tournament": {"opponents": (1, 12), "children": (None, 3)},
            "plus": {"children": (None, 3)},
            "comma": {"children": (None, 14)},
            "steady_state": {"children": (1, 4)},
        },
    ),
    ("aging", "population", None, 8),
    ("aging", "sample", None, 1),
    *mutated("aging", "edits", "settings", "operators", "adaptation"),
    ("random", "sampler", "uniform", "sobol"),
    *parts(
        "random",
        "sampler",
        {kind: {"scramble": (True, False)} for kind in ("sobol", "halton", "hammersley")},
    ),
    ("grid", "levels", None, 4),
    ("successive_halving", "genomes", None, 12),
    ("local_search", "neighbours", None, 2),
    *mutated("local_search", "settings", "operators", "adaptation"),
    ("cma_es", "population", None, 12),
    ("cma_es", "sigma", None, 0.9),
    ("particle_swarm", "population", None, 7),
    ("particle_swarm", "own", None, 3.0),
    ("particle_swarm", "swarm", None, 3.0),
    ("nelder_mead", "size", None, 0.2),
    ("nelder_mead", "adaptive", None, True),
    ("nelder_mead", "tolerance", None, 0.3),
    ("differential_evolution", "population", None, 7),
    ("differential_evolution", "base", None, "random"),
    ("differential_evolution", "factor", None, 0.9),
    ("differential_evolution", "crossover", None, 0.2),
    *parts("optuna", "sampler", {"tpe": {"initial": (4, 12), "candidates": (1, 60)}}),
    ("screened", "inner", {"evolution": {"guide": "none"}}, "random"),
    ("screened", "factor", None, 9),
    ("screened", "warmup", None, 12),
    ("screened", "surrogate", "forest", "gaussian_process"),
    ("seeded", "inner", {"evolution": {"guide": "none"}}, "aging"),
    ("seeded", "genomes", None, ("corner",)),
    *[("nsga2", key, None, other) for key, other in {"population": 8}.items()],
    ("nsga2", "crossover", "uniform", "one_point"),
    *mutated("nsga2", "rate", "edits"),
    *[("nsga3", key, None, other) for key, other in {"population": 8}.items()],
    ("nsga3", "crossover", "uniform", "one_point"),
    *mutated("nsga3", "rate", "edits"),
    ("nsga3", "divisions", None, 1),
]
for _name in ("successive_halving", "hyperband", "asha"):
    ROWS += [(_name, "reduction_factor", None, 2), (_name, "min_epochs", None, 3)]
    ROWS += [(_name, "sampler", "uniform", "sobol")]
ROWS += [
    ("model_based", "surrogate", {"forest": QUICK["forest"]}, {"dngo": QUICK["dngo"]}),
    ("model_based", "initial", None, 9),
    ("model_based", "candidates", None, 40),
    ("model_based", "parents", None, 1),
    *mutated("model_based", "edits", "settings", "operators", "adaptation"),
]
for _name, _fields in SURROGATE_FIELDS.items():
    for _key, _values in _fields.items():
        _both = [{_name: {**QUICK[_name], _key: value}} for value in _values]
        ROWS += [("model_based", "surrogate", *_both)]
for _name, _own in {
    "matching": {"rate": (0.05, 1.0), "floor": (0.0, 1.0)},
    "pursuit": {"rate": (0.05, 1.0), "pursuit": (0.05, 1.0), "floor": (0.0, 1.0)},
}.items():
    for _key, (_one, _other) in _own.items():
        _rows = [{"adaptation": {_name: {_key: value}}, **USED} for value in (_one, _other)]
        ROWS += [("generations", "mutation", *_rows)]

ROWS += [
    (_name, "founders", (), ("middle",))
    for _name, _kind in STRATEGIES.items()
    if _kind.takes_founders
]

KINDS = {**STRATEGIES, "generations": STRATEGIES["evolution"]}
"""The strategies, and evolution without a guide, which has settings of its own."""

ELSEWHERE = {
    # They have no founders: test_space_founders.py.
    ("seeded", "founders"),
    ("grid", "founders"),
    # Where a run's genomes come from is decided before a strategy is made: test_wanted_seeds.py.
    ("seeded", "run"),
    ("seeded", "count"),
}

SPACE = parse_space(
    """
space: settings
input: vector
network:
  layers:
    length: [1, 3]
    ops:
      dense: {units: {int: [4, 64]}, activation: {choice: [relu, tanh]}}
      wide: {units: {int: [64, 256]}}
settings:
  optimizer: {ops: {sgd: {learning_rate: {float: [1e-3, 1.0], log: true}}, adam: {}}}
  training: {ops: {training: {batch_size: {choice: [16, 32]}}}}
""",
    "settings.yaml",
)
LOSS, COST = Objective("val_loss", "min"), Objective("cost", "min")
SEEDS = {
    "middle": decode(SPACE, [0.5] * SPACE.dimension),
    "corner": decode(SPACE, [0.99] * SPACE.dimension),
}
TRIALS = {"model_based": 18, "screened": 18, "evolution": 18, "optuna": 24, "nelder_mead": 100}
"""Models take their time, and a simplex needs many trials until it is small."""


def judged(id, proposal):
    """Wide layers are good and cost much; long trainings are better."""
    units = sum(gene.parameters["units"] for gene in proposal.genome["layers"])
    noise = int(proposal.genome.digest[:4], 16) / 2**16
    value = 1 / units + 0.01 * noise + 0.1 / proposal.fidelity.epochs
    return settled(LOSS, id, proposal, value, {"cost": float(units)})


@cache
def searched(strategy: str, settings: str) -> list[tuple[str, int, tuple[int, ...]]]:
    """The first trials of a search, whose settings come as they do from a config."""
    kind = KINDS[strategy]
    builder = Builder(FAMILIES)
    built = builder.build(kind, json.loads(settings))
    assert builder.issues == []
    objectives = (LOSS, COST) if kind.needs_several else ()
    count = TRIALS.get(strategy, 60)
    problem = SearchProblem(SPACE, LOSS, Fidelity(9), 0, SEEDS, count, objectives)
    trials = drive(founded(built).make(problem), judged, count, order=3)
    return [(t.genome.digest, t.proposal.fidelity.epochs, t.lineage.parents) for t in trials]


@pytest.mark.parametrize(("strategy", "key", "one", "other"), ROWS)
def test_another_value_is_another_search(strategy, key, one, other):
    first, second = ({**BASES.get(strategy, {})} for _ in range(2))
    if one is not None:
        first[key] = one
    second[key] = other
    assert searched(strategy, json.dumps(first)) != searched(strategy, json.dumps(second))


def test_no_setting_is_left_out():
    for name, kind in STRATEGIES.items():
        shown = {key for strategy, key, *_ in ROWS if KINDS[strategy] is kind}
        missing = {field.name for field in fields(kind)} - shown
        assert {(name, key) for key in missing} <= ELSEWHERE, name
    inner = {key for strategy, key, _, value in ROWS if key == "mutation" for key in value}
    assert inner == {field.name for field in fields(Mutation)}


@pytest.mark.parametrize(
    "family",
    [SELECTIONS, CROSSOVERS, REPLACEMENTS, ADAPTATIONS, SAMPLERS, SURROGATES, OPTUNA_SAMPLERS],
    ids=["selection", "crossover", "replacement", "adaptation", "sampler", "surrogate", "optuna"],
)
def test_no_setting_of_a_part_is_left_out(family):
    shown = {(strategy, key) for strategy, key, *_ in ROWS}
    for *_, value in ROWS:
        of_parts = value.get("adaptation", value) if isinstance(value, dict) else {}
        for part, own in of_parts.items() if isinstance(of_parts, dict) else ():
            shown |= {(part, key) for key in own} if isinstance(own, dict) else set()
    for name, kind in family.items():
        for field in fields(kind):
            assert (name, field.name) in shown
