"""The default evolution proposes for ever what it always proposed: published results can be repeated."""

from __future__ import annotations

from evonas.search.evolution import Evolution, EvolutionSettings
from evonas.search.strategy import SearchProblem
from evonas.trial import Fidelity, Trial

LOOK_AHEAD = 5


def test_the_first_forty_proposals(small_space, loss, oracle):
    strategy = Evolution(SearchProblem(small_space, loss, Fidelity(1), 0), EvolutionSettings())
    trials: list[Trial] = []
    told = 0
    while len(trials) < 40:
        if told < len(trials):
            strategy.tell(trials[told])
            told += 1
        while len(trials) - told < LOOK_AHEAD and (asked := strategy.ask(1)):
            trials += [oracle.settle(len(trials), proposal) for proposal in asked]
    assert [_line(trial) for trial in trials[:40]] == GOLDEN


def _line(trial: Trial) -> str:
    return " ".join([trial.genome.digest[:8], trial.lineage.operator, *map(str, trial.lineage.parents)])


GOLDEN = [
    "d222b821 sample",
    "b453f723 sample",
    "e264d6e9 sample",
    "f67126f4 sample",
    "1347e674 sample",
    "8be96452 sample",
    "42a33041 sample",
    "eb1a33be sample",
    "7e3231be sample",
    "5971e342 sample",
    "2872515e sample",
    "3acb655a sample",
    "755e2aed sample",
    "9c43b2b8 sample",
    "4c8189a4 sample",
    "68e8d84b sample",
    "f1f7e6f6 perturb 2",
    "11c60c51 crossover+swap 8 10",
    "e57af1bf crossover+swap 9 10",
    "a8aa087e perturb+change_op 8",
    "eecf09f2 crossover+remove+duplicate 15 8",
    "310abaf4 crossover+swap+perturb 6 11",
    "91786348 crossover+remove+perturb 6 9",
    "534868ef crossover+perturb 8 10",
    "cca4a264 crossover+perturb+swap 6 7",
    "523894b5 perturb 9",
    "f3c656d1 perturb 8",
    "948a810e crossover+duplicate+remove 10 7",
    "4a92a812 crossover+change_op+add 10 8",
    "1003d0a8 crossover+perturb+remove 15 0",
    "3ad90f21 remove+perturb 15",
    "17f28f2f crossover 17 15",
    "97711ae7 crossover+perturb+remove 8 27",
    "2b3cd22b swap+remove 15",
    "61a94bf2 swap+remove 8",
    "5971e342 crossover+swap 18 27",
    "11c60c51 swap 8",
    "c4463797 change_op 20",
    "38b522aa crossover+perturb+duplicate 29 25",
    "8ff81730 crossover+swap+perturb 21 17",
]
