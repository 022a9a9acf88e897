"""What every evaluator promises; `Evaluator` of `evonas.evaluators` says it in words."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from evonas.data.prepared import DataSettings
from evonas.evaluate.contract.evaluator import Evaluator, Question, described, evaluator_in
from evonas.evaluate.contract.protocol import Job, Setup, outcome_from_json, outcome_to_json
from evonas.genome import SearchSpace, parse_space, sample
from evonas.learning.metrics import TIMES
from evonas.testing.jobs import make_job, make_setup
from evonas.testing.oracle import small_space
from evonas.testing.suites.suite import Suite, check_light
from evonas.trial import Outcome, TrialState


class EvaluatorSuite(Suite):
    """The suite of an evaluator.

    Class attributes:
        members: functions that make an evaluator, by name. Each is given an empty folder, in which
            it may write what the evaluator reads.
        space: text of the search space whose genomes it judges; a small one of Keras networks if
            empty.
        objective: metric that a success must have.
        epochs: epochs of each training.
        genomes: number of genomes that are judged.
        data: what networks are trained on, if it trains any.
        plugins: modules that it may import.
    """

    members: ClassVar[Mapping[str, Callable[[Path], Evaluator]]]
    space: ClassVar[str] = ""
    objective: ClassVar[str] = "val_loss"
    epochs: ClassVar[int] = 2
    genomes: ClassVar[int] = 6
    data: ClassVar[DataSettings | None] = None
    plugins: ClassVar[tuple[str, ...]] = ()

    def test_it_says_what_it_is(self, member: Callable[[Path], Evaluator], tmp_path: Path) -> None:
        evaluator = member(tmp_path)
        assert evaluator.in_words
        assert evaluator.problems() == {}
        assert json.dumps(dict(evaluator.facts()), allow_nan=False)
        assert evaluator.needs_data is not True or self.data is not None

    def test_a_worker_makes_it_of_its_description(
        self, member: Callable[[Path], Evaluator], tmp_path: Path
    ) -> None:
        evaluator = member(tmp_path)
        setup = make_setup(tmp_path, evaluator=described(evaluator), plugins=self.plugins)
        sent = json.dumps(setup.to_json(), allow_nan=False)
        assert evaluator_in(Setup.from_json(json.loads(sent))) == evaluator

    def test_each_job_has_an_outcome_that_survives_a_pipe(
        self, member: Callable[[Path], Evaluator], tmp_path: Path
    ) -> None:
        setup, jobs = self._begun(member(tmp_path), tmp_path)
        run = evaluator_in(setup).open(setup)
        states = set()
        for job in jobs:
            outcome = run(setup, job, lambda epoch, metrics: None)
            sent = json.dumps(outcome_to_json(outcome), allow_nan=False)
            assert outcome_from_json(json.loads(sent)) == outcome
            assert outcome.state.is_final
            assert 0 <= outcome.epochs <= job.epochs
            assert outcome.seconds >= 0
            if outcome.state is TrialState.OK:
                assert self.objective in outcome.metrics
                assert all(math.isfinite(value) for value in outcome.metrics.values())
            states.add(outcome.state)
        assert TrialState.OK in states, "or this shows nothing"

    def test_the_same_job_has_the_same_outcome(
        self, member: Callable[[Path], Evaluator], tmp_path: Path
    ) -> None:
        setup, jobs = self._begun(member(tmp_path), tmp_path)
        found = []
        for _ in range(2):
            run = evaluator_in(setup).open(setup)
            found.append([_content(run(setup, job, lambda epoch, _: None)) for job in jobs])
        assert found[0] == found[1]

    def test_epochs_are_told_in_their_order(
        self, member: Callable[[Path], Evaluator], tmp_path: Path
    ) -> None:
        evaluator = member(tmp_path)
        setup, jobs = self._begun(evaluator, tmp_path)
        run = evaluator_in(setup).open(setup)
        told: list[int] = []
        outcome = run(setup, jobs[0], lambda epoch, metrics: told.append(epoch))
        expected = range(1, outcome.epochs + 1) if evaluator.tells_epochs else ()
        assert told == [*expected]

    def test_the_driver_imports_it_without_keras(
        self, member: Callable[[Path], Evaluator], tmp_path: Path
    ) -> None:
        check_light(member(tmp_path))

    def _begun(self, evaluator: Evaluator, folder: Path) -> tuple[Setup, list[Job]]:
        """The setup of a run that the evaluator has prepared, and jobs of random genomes."""
        space = self._space()
        question = Question(
            space,
            "config.yaml",
            self.epochs,
            frozenset({self.epochs}),
            "strategy",
            {self.objective: "objective"},
            data=self.data,
        )
        interface = evaluator.prepare(question, folder).interface
        setup = make_setup(
            folder,
            space=space.text,
            interface={} if interface is None else interface.to_json(),
            objective={"name": self.objective, "direction": "min"},
            needed=(self.objective,),
            evaluator=described(evaluator),
            plugins=self.plugins,
        )
        rng = np.random.default_rng(0)
        genomes = [sample(space, rng) for _ in range(self.genomes)]
        jobs: list[Job] = [
            make_job(i, genome=one, epochs=self.epochs) for i, one in enumerate(genomes)
        ]
        return setup, jobs

    def _space(self) -> SearchSpace:
        return parse_space(self.space, "space.yaml") if self.space else small_space()


def _content(outcome: Outcome) -> tuple[TrialState, dict[str, float]]:
    """What must be the same each time; a clock measures the rest."""
    metrics = {name: value for name, value in outcome.metrics.items() if name not in TIMES}
    return outcome.state, metrics
