"""Small runs made by hand: a genome is one number, so that what an edge must say is known."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import pytest

from evonas.genome import Gene, Genome
from evonas.trial import (
    Fidelity,
    Lineage,
    Objective,
    Proposal,
    Trial,
    TrialState,
    operators_of,
)

MakeTrial = Callable[..., Trial]
MakeRun = Callable[..., list[Trial]]


def _genome(filters: Sequence[int]) -> Genome:
    genes = (
        Gene.make("conv2d", {"filters": n, "kernel_size": 3}, (), i + 1)
        for i, n in enumerate(filters)
    )
    return Genome((("features", tuple(genes)),))


def _trial(
    number: int,
    value: float | None = None,
    *,
    filters: Sequence[int] = (8,),
    parents: tuple[int, ...] = (),
    generation: int = 0,
    operator: str = "sample",
    objective: Objective = Objective("val_loss", "min"),  # noqa: B008 - a frozen value
    state: TrialState | None = None,
    epochs: int = 5,
    resume_from: int | None = None,
    twin_of: int | None = None,
    **metrics: float,
) -> Trial:
    known = metrics if value is None else {objective.name: value, **metrics}
    proposal = Proposal(
        _genome(filters),
        Fidelity(epochs),
        Lineage(operators_of(operator), parents, generation),
        resume_from=resume_from,
    )
    final = state or (TrialState.DIVERGED if value is None else TrialState.OK)
    return Trial(number, proposal, twin_of, final, known, objective.fitness(known))


def _run(
    count: int, size: int = 16, seed: int = 0, accuracy: bool = True, parents: bool = True
) -> list[Trial]:
    """A run that climbs: children of the last generation's best, some worse, failed or equal."""
    rng = random.Random(seed)
    trials: list[Trial] = []
    alive: list[Trial] = []
    for i in range(count):
        generation = i // size
        if i % size == 0:
            alive = sorted(
                (t for t in trials[-size:] if t.fitness), key=lambda t: t.metrics["val_loss"]
            )[:4]
        family = (
            tuple(t.id for t in rng.sample(alive, min(len(alive), rng.choice((1, 2)))))
            if parents
            else ()
        )
        loss = 0.9 * math.exp(-0.2 * generation - 0.3 * rng.random())
        metrics = {"parameters": float(rng.randint(1_000, 900_000))}
        metrics |= {"val_accuracy": 1 - loss / 2} if accuracy else {}
        trials.append(
            _trial(
                i,
                None if rng.random() < 0.05 else loss,
                filters=[rng.choice((8, 16, 32)) for _ in range(3)],
                parents=family,
                generation=generation if parents else 0,
                operator="crossover+add" if len(family) > 1 else "add" if family else "sample",
                **metrics,
            )
        )
    return trials


@pytest.fixture
def make_trial() -> MakeTrial:
    return _trial


@pytest.fixture
def make_run() -> MakeRun:
    return _run


@pytest.fixture
def objective() -> Objective:
    return Objective("val_loss", "min")


@pytest.fixture
def family(make_trial: MakeTrial) -> list[Trial]:
    """Two founders, a failure, a child of both, a worse child, a duplicate, and the winner.

    The winner is trained on in the end.
    """
    return [
        make_trial(0, 0.5, filters=[8, 8], parameters=1000.0, flops=2e6),
        make_trial(1, 0.4, filters=[16, 8]),
        make_trial(2, None, filters=[99], state=TrialState.INFEASIBLE),
        make_trial(
            3, 0.3, filters=[16, 32], parents=(1, 0), generation=1, operator="crossover+alter"
        ),
        make_trial(4, 0.35, filters=[64, 32], parents=(3,), generation=2, operator="alter"),
        make_trial(
            5, 0.4, filters=[16, 8], parents=(1,), generation=2, operator="alter", twin_of=1
        ),
        make_trial(
            6,
            0.1,
            filters=[64, 32],
            parents=(4,),
            generation=3,
            operator="promote",
            epochs=9,
            resume_from=4,
        ),
    ]
