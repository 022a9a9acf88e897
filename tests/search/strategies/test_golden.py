"""Evolution without a guide proposes what it always did: published results can be repeated."""

from __future__ import annotations

from evonas.search.strategies.generational import Generational, GenerationalSettings
from evonas.search.strategy import SearchProblem
from evonas.testing import drive
from evonas.trial import Fidelity, Trial


def test_the_first_forty_proposals(small_space, loss, oracle):
    strategy = Generational(
        SearchProblem(small_space, loss, Fidelity(1), 0), GenerationalSettings()
    )
    trials = drive(strategy, oracle.settle, 40, order=5)
    assert [_line(trial) for trial in trials[:40]] == GOLDEN


def _line(trial: Trial) -> str:
    return " ".join(
        [trial.genome.digest[:8], trial.lineage.operator, *map(str, trial.lineage.parents)]
    )


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
    "11c60c51 swap 8",
    "5abffbcb perturb 9",
    "534868ef perturb 8",
    "2872515e crossover+remove 15 8",
    "d4cec5b3 crossover 6 11",
    "25dec28d swap 6",
    "f3c656d1 perturb 8",
    "941a8064 perturb 6",
    "0ca645a0 perturb 9",
    "f3c656d1 perturb 8",
    "5032875f perturb 10",
    "61a94bf2 crossover 10 8",
    "e23fa71a perturb+remove 15",
    "61a94bf2 remove 8",
    "42a33041 swap 22",
    "ac48fbdd perturb 8",
    "2ff29e74 perturb 28",
    "11c60c51 swap 8",
    "a536a5ca perturb 16",
    "11c60c51 swap 8",
    "f6ad6cb0 change_op 16",
    "5032875f remove 18",
    "f9ced30f duplicate 29",
]
