"""What every strategy promises; `evonas.search.strategy.Strategy` says it in words."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest

from evonas.genome import sample, validate
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.testing.driving import Driver, MakeTrial
from evonas.testing.oracle import Oracle, small_space
from evonas.testing.suites.suite import Suite
from evonas.trial import Constraint, Fidelity, Objective, Proposal, Trial

LOOK_AHEAD = 5
EPOCHS = 9
SEEDS = ("first", "second", "third")
"""Names of seed genomes that a member's settings may hold."""


class StrategySuite(Suite):
    """The suite of a strategy.

    The search space is small, and every seventh genome fails.

    Class attributes:
        members: settings of strategies, by name.
        brevity: divides the number of steps, for strategies that fit a model for each proposal.
        constraints: what half of the trials may violate.
    """

    members: ClassVar[Mapping[str, StrategySettings]]
    brevity: ClassVar[int] = 1
    constraints: ClassVar[tuple[Constraint, ...]] = ()

    @property
    def _oracle(self) -> Oracle:
        return Oracle(Objective("val_loss", "min", constraints=self.constraints))

    def _made(self, member: StrategySettings, seed: int = 0) -> Strategy:
        """A new strategy with these settings.

        Args:
            seed: seed of the run.
        """
        space = small_space()
        seeds = {word: sample(space, np.random.default_rng(i)) for i, word in enumerate(SEEDS)}
        objective = self._oracle.objective
        objectives = (objective, Objective("parameters", "min"))
        fidelity = Fidelity(EPOCHS)
        problem = SearchProblem(space, objective, fidelity, seed, seeds, objectives=objectives)
        return member.make(problem)

    def _driven(self, strategy: Strategy, steps: int) -> Driver:
        """A search after so many steps of the engine, or fewer if the suite is to be brief."""
        driver = Driver(strategy, self._oracle.settle, LOOK_AHEAD)
        driver.step(steps // self.brevity)
        return driver

    def test_proposals_are_valid_and_as_the_settings_say(self, member: StrategySettings) -> None:
        trials = self._driven(self._made(member), 60).trials
        assert len(trials) >= 60 // self.brevity
        for trial in trials:
            validate(small_space(), trial.genome)
        layers = member.with_inner()
        allowed: set[int] = set()
        for layer in layers:
            allowed |= set(layer.fidelities(EPOCHS))
        asked = {trial.proposal.fidelity.epochs for trial in trials}
        assert asked <= allowed
        assert (asked != {EPOCHS}) == any(layer.sets_epochs for layer in layers)

    def test_its_settings_make_another_one_like_it(self, member: StrategySettings) -> None:
        strategy = self._made(member)
        self._driven(strategy, 12)
        again = strategy.settings.make(strategy.problem)
        assert again.state_dict() == self._made(member).state_dict()
        assert again.ask(3) == self._made(member).ask(3)

    def test_equal_seeds_give_equal_proposals_and_different_seeds_different_ones(
        self, member: StrategySettings
    ) -> None:
        runs = []
        for seed in (0, 0, 1):
            driver = self._driven(self._made(member, seed), 40)
            runs.append(_proposals(driver.trials))
        assert runs[0] == runs[1]
        assert runs[0] != runs[2]

    def test_going_on_from_a_saved_state_is_the_same_as_never_stopping(
        self, member: StrategySettings
    ) -> None:
        steps = 60 // self.brevity
        whole = self._driven(self._made(member), 60)
        for stop in (0, 1, 7, 17, 33) if self.brevity == 1 else (7, 17):
            driver = Driver(self._made(member), self._oracle.settle, LOOK_AHEAD)
            driver.step(stop)
            known = {}
            for trial in driver.trials:
                known[trial.id] = trial if trial.id < driver.told else trial.unsettled
            driver.strategy = _restored(self._made(member), driver.strategy, known)
            driver.step(steps - stop)
            expected = _proposals(whole.trials)
            assert _proposals(driver.trials) == expected, f"stopped after {stop} steps"

    def test_trials_may_be_told_out_of_order(self, member: StrategySettings) -> None:
        """In the order of arrival, as under `deterministic: false`; and a resume repeats it."""
        steps = 45 // self.brevity
        searches = []
        for stop in (None, steps // 2):
            search = _Arrivals(self._made(member), self._oracle.settle)
            for step in range(steps):
                if step == stop:
                    second = self._made(member)
                    search.strategy = _restored(second, search.strategy, search.known())
                search.step()
            searches.append(search)
        whole, resumed = searches
        assert whole.told != sorted(whole.told), "or this shows nothing"
        assert _proposals(resumed.trials) == _proposals(whole.trials)
        for trial in whole.trials:
            validate(small_space(), trial.genome)
            for parent in trial.lineage.parents:
                assert whole.trials[parent].fitness is not None
                assert parent in whole.told[: whole.told_before[trial.id]]

    def test_the_global_random_streams_are_left_alone(self, member: StrategySettings) -> None:
        random.seed(5)
        np.random.seed(5)
        expected = random.random(), np.random.rand()
        random.seed(5)
        np.random.seed(5)
        self._driven(self._made(member), 40)
        assert (random.random(), np.random.rand()) == expected

    def test_the_users_seeding_of_the_global_streams_changes_nothing(
        self, member: StrategySettings
    ) -> None:
        runs = []
        for seed in (1, 2):
            random.seed(seed)
            np.random.seed(seed)
            runs.append(_proposals(self._driven(self._made(member), 40).trials))
        assert runs[0] == runs[1]

    def test_an_ask_that_returns_nothing_changes_nothing(self, member: StrategySettings) -> None:
        strategy = self._made(member)
        for _ in range(1000 // self.brevity):
            before = strategy.state_dict()
            if not strategy.ask(1):
                assert strategy.state_dict() == before
                return
        assert not strategy.is_done, "a strategy that never waits proposes for ever"

    def test_asking_for_many_is_asking_one_by_one(self, member: StrategySettings) -> None:
        many, single = self._made(member), self._made(member)
        together = many.ask(7)
        one_by_one: list[Proposal] = []
        for _ in range(7):
            one_by_one += single.ask(1)
        assert together == one_by_one[: len(together)]
        assert len(together) == len(one_by_one)
        assert many.state_dict() == single.state_dict()

    def test_parents_are_told_before_and_have_succeeded(self, member: StrategySettings) -> None:
        driver = self._driven(self._made(member), 120)
        trials = driver.trials
        assert any(trial.fitness is None for trial in trials), "or this shows nothing"
        for trial, told in zip(trials, driver.told_before, strict=True):
            for parent in trial.lineage.parents:
                assert parent < told
                assert trials[parent].fitness is not None

    def test_who_is_resumed_from_was_retained_from_the_tell_to_the_proposal(
        self, member: StrategySettings
    ) -> None:
        strategy = self._made(member)
        trials = check_retained(strategy, self._oracle.settle, 120 // self.brevity)
        continues = any(trial.proposal.resume_from is not None for trial in trials)
        assert continues == strategy.continues_trials, "or this shows nothing"

    def test_the_retained_are_the_same_after_a_resume(self, member: StrategySettings) -> None:
        first = self._made(member)
        driver = self._driven(first, 50)
        known = {}
        for trial in driver.trials:
            known[trial.id] = trial if trial.id < driver.told else trial.unsettled
        second = _restored(self._made(member), first, known)
        assert set(second.retained) == set(first.retained)

    def test_the_state_is_small_and_holds_no_genome(self, member: StrategySettings) -> None:
        strategy = self._made(member)
        self._driven(strategy, 60)
        text = json.dumps(strategy.state_dict(), allow_nan=False)
        assert len(text) < 2000
        assert "dense" not in text

    def test_alternatives_begin_with_the_next_proposal_and_change_nothing(
        self, member: StrategySettings
    ) -> None:
        strategy = self._made(member)
        if not member.has_alternatives:
            with pytest.raises(NotImplementedError):
                strategy.alternatives(3)
            return
        driver = Driver(strategy, self._oracle.settle, LOOK_AHEAD)
        for _ in range(50):
            driver.step()
            driver.tell()
            before = strategy.state_dict()
            options = strategy.alternatives(4)
            assert strategy.state_dict() == before
            asked = driver.ask()
            assert options[:1] == _proposals(asked)
            genomes = {option.genome for option in options}
            # A seed has no alternative.
            assert not asked or strategy.problem.seeds or len(genomes) > 1


def check_retained(strategy: Strategy, make_trial: MakeTrial, steps: int) -> list[Trial]:
    """Search, and compare what is resumed from with what was said to be retained.

    Returns:
        all trials, by id.

    Raises:
        AssertionError: a trial was resumed from that was not retained all the time.
    """
    trials: list[Trial] = []
    told = 0
    # After each tell and each ask: the ids in `retained`, and how many trials were told.
    named: list[set[int]] = []
    known: list[int] = []

    def look() -> None:
        named.append(set(strategy.retained))
        known.append(told)
        assert named[-1] <= set(range(told)), "only who was told can be retained"

    look()
    for _ in range(steps):
        if told < len(trials):
            strategy.tell(trials[told])
            told += 1
            look()
        while len(trials) - told < LOOK_AHEAD and (asked := strategy.ask(1)):
            for proposal in asked:
                if (source := proposal.resume_from) is not None:
                    assert strategy.continues_trials
                    since = [ids for ids, count in zip(named, known, strict=True) if source < count]
                    assert since, f"trial {source} is resumed from, and was not told yet"
                    is_kept = all(source in ids for ids in since)
                    assert is_kept, f"trial {source} was not retained all the time"
                trials.append(make_trial(len(trials), proposal))
            look()
    return trials


def _proposals(trials: list[Trial]) -> list[Proposal]:
    return [trial.proposal for trial in trials]


def _restored(new: Strategy, old: Strategy, known: Mapping[int, Trial]) -> Strategy:
    """A new strategy that continues where the old one is; its state goes through JSON."""
    state: dict[str, Any] = json.loads(json.dumps(old.state_dict()))
    new.load_state_dict(state, known)
    return new


@dataclass
class _Arrivals:
    """A search whose trials are told in an order that is none of their ids.

    Attributes:
        trials: all trials, by id.
        told: ids of the told ones, in the order of the telling.
        told_before: for each trial, how many had been told when it was asked.
    """

    strategy: Strategy
    make_trial: MakeTrial
    trials: list[Trial] = field(default_factory=list)
    told: list[int] = field(default_factory=list)
    told_before: list[int] = field(default_factory=list)
    _waiting: list[int] = field(default_factory=list)
    # The order of arrival is no part of the search, so this draws from a generator of its own.
    _rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def step(self) -> None:
        """Tell one of the waiting trials, then ask while the window is open."""
        if self._waiting:
            place = int(self._rng.integers(len(self._waiting)))
            id = self._waiting.pop(place)
            self.strategy.tell(self.trials[id])
            self.told.append(id)
        while len(self._waiting) < LOOK_AHEAD and (asked := self.strategy.ask(1)):
            for proposal in asked:
                id = len(self.trials)
                self.trials.append(self.make_trial(id, proposal))
                self.told_before.append(len(self.told))
                self._waiting.append(id)

    def known(self) -> dict[int, Trial]:
        """What a strategy gets with its state: told trials in their order, then those that wait."""
        found = {id: self.trials[id] for id in self.told}
        for id in sorted(self._waiting):
            found[id] = self.trials[id].unsettled
        return found
