"""The common part of successive halving and Hyperband: brackets, finished rung by rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from annotated_types import Ge

from evonas.search.rungs import Bracket, Rung, best, lengths
from evonas.search.sampling import Design, Sampler, Uniform, misfits
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.trial import Fidelity, Lineage, Proposal, Trial


@dataclass(frozen=True)
class HalvingSettings(StrategySettings):
    """The settings that strategies with rungs have in common.

    Attributes:
        reduction_factor: divisor of the number of trials from one rung to the next. Epochs are
            multiplied by the same number.
        min_epochs: epochs of the shortest training; the longest has `training.epochs`.
        sampler: where in the unit cube the genomes of first rungs lie.
    """

    reduction_factor: Annotated[int, Ge(2)] = 3
    min_epochs: Annotated[int, Ge(1)] = 1
    sampler: Sampler = field(default_factory=Uniform)

    sets_epochs = True
    counts_infeasible = True

    def fidelities(self, epochs: int) -> tuple[int, ...]:
        return lengths(epochs, self.reduction_factor, self.min_epochs)

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        found = misfits(self.sampler, problem.space)
        least = self.min_epochs
        most = problem.fidelity.epochs
        if least > most:
            limit = f"must be at most training.epochs ({most})"
            found["min_epochs"] = f"{limit}. Received: {least}."
        return found


@dataclass
class _Open:
    """A bracket that has not ended.

    Attributes:
        number: number of the bracket in the whole run, because the schedule is repeated.
        rung: index of the rung that is being filled.
        promoted: trials that fill the rung; empty on the first rung, which takes new genomes.
        asked: number of trials of this rung that are asked.
        told: trials of this rung that are told.
    """

    number: int
    rung: int = 0
    promoted: list[Trial] = field(default_factory=list)
    asked: int = 0
    told: list[Trial] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        promoted = [trial.id for trial in self.promoted]
        told = [trial.id for trial in self.told]
        return {
            "number": self.number,
            "rung": self.rung,
            "promoted": promoted,
            "asked": self.asked,
            "told": told,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> _Open:
        promoted = [trials[id] for id in state["promoted"]]
        told = [trials[id] for id in state["told"]]
        return cls(
            number=state["number"],
            rung=state["rung"],
            promoted=promoted,
            asked=state["asked"],
            told=told,
        )


class Halving(Strategy):
    """Works through a schedule of brackets, and repeats it until the budget ends.

    All trials of a rung are trained to the same epoch. When all of them are told, the best continue
    from their checkpoints. If fewer succeed than the next rung has places, only those continue. If
    none succeeds, the bracket is over.

    While the oldest bracket waits for the last trials of a rung, the next bracket begins. So no
    worker waits. The next bracket begins only if the budget has room for all of its trials.
    Otherwise it waits for the other brackets: at the end of a budget, trials that are far advanced
    come first. Brackets know nothing of each other, so this changes only the order of the trials.

    Args:
        schedule: the brackets, in the order in which they are begun.
    """

    continues_trials = True

    def __init__(
        self, problem: SearchProblem, settings: HalvingSettings, schedule: Sequence[Bracket]
    ) -> None:
        super().__init__(problem, settings)
        self._schedule = schedule
        # One set of points covers the first rungs of one whole schedule.
        first_rungs = [bracket.rungs[0] for bracket in schedule]
        self._design = Design(
            settings.sampler,
            problem.space,
            _total(first_rungs),
            problem.seed,
        )
        # Number of genomes that were taken from the design.
        self._sampled = 0
        # Number of brackets that were begun.
        self._begun = 0
        # The oldest bracket first.
        self._open: list[_Open] = []
        self._asked = 0
        # Trials that are asked and not told: the bracket's number, and the trial that is continued.
        self._waiting: dict[int, tuple[int, Trial | None]] = {}

    def ask(self, count: int) -> list[Proposal]:
        found: list[Proposal] = []
        while len(found) < count:
            bracket = self._next()
            if bracket is None:
                break
            found.append(self._propose(bracket))
        return found

    def _next(self) -> _Open | None:
        """The oldest bracket that has a trial to ask, or a new one; None to wait for a tell."""
        for bracket in self._open:
            if bracket.asked < self._places(bracket):
                return bracket
        begun = _Open(self._begun)
        if self._open and not self._has_room(begun):
            return None
        self._open.append(begun)
        self._begun += 1
        return begun

    def _has_room(self, begun: _Open) -> bool:
        """Whether the budget is enough for all trials of the open brackets and of this one."""
        if self.problem.trials is None:
            return True
        needed = self._asked
        for bracket in self._open:
            # The rung that is being filled is asked completely, or `_next` would have taken it.
            above = self._plan(bracket).rungs[bracket.rung + 1 :]
            needed += _total(above)
        needed += _total(self._plan(begun).rungs)
        return needed <= self.problem.trials

    def _plan(self, bracket: _Open) -> Bracket:
        """The rungs of an open bracket."""
        place = bracket.number % len(self._schedule)
        return self._schedule[place]

    def _places(self, bracket: _Open) -> int:
        """The number of trials on the rung that is being filled."""
        if bracket.rung == 0:
            first = self._plan(bracket).rungs[0]
            return first.places
        # There may be fewer than the rung has places, because some trials failed.
        return len(bracket.promoted)

    def _propose(self, bracket: _Open) -> Proposal:
        """The next trial of the rung: a new genome on the first one, a promotion above it."""
        plan = self._plan(bracket)
        rung = plan.rungs[bracket.rung]
        fidelity = Fidelity(rung.epochs)
        level = plan.level + bracket.rung
        parent: Trial | None = None
        if bracket.rung:
            parent = bracket.promoted[bracket.asked]
            proposal = promotion(parent, fidelity, level)
        else:
            genome = self._design[self._sampled]
            lineage = Lineage(("sample",), (), level)
            proposal = Proposal(genome, fidelity, lineage)
            self._sampled += 1
        bracket.asked += 1
        self._waiting[self._asked] = (bracket.number, parent)
        self._asked += 1
        return proposal

    def tell(self, trial: Trial) -> None:
        number, _ = self._waiting.pop(trial.id)
        bracket = self._numbered(number)
        bracket.told.append(trial)
        if len(bracket.told) == self._places(bracket):
            self._climb(bracket)

    def _numbered(self, number: int) -> _Open:
        """The open bracket with this number."""
        for bracket in self._open:
            if bracket.number == number:
                return bracket
        # A bracket does not end before all of its trials are told.
        raise AssertionError(f"bracket {number} is not open")

    def _climb(self, bracket: _Open) -> None:
        """Promote the best of a complete rung; close the bracket if there is nothing to promote."""
        above = self._plan(bracket).rungs[bracket.rung + 1 :]
        promoted: list[Trial] = []
        if above:
            told = {trial.id: trial for trial in bracket.told}
            promoted = [told[id] for id in best(bracket.told, above[0].places)]
        bracket.rung += 1
        bracket.promoted = promoted
        bracket.asked = 0
        bracket.told = []
        if not promoted:
            self._open.remove(bracket)

    @property
    def retained(self) -> frozenset[int]:
        """The ids of told trials whose checkpoints may still be needed."""
        found: set[int] = set()
        # A training that is asked and not told may not have read its parent's checkpoint yet.
        for _, parent in self._waiting.values():
            if parent is not None:
                found.add(parent.trained_id)
        for bracket in self._open:
            for trial in bracket.promoted[bracket.asked :]:
                found.add(trial.trained_id)
            # Nothing continues a trial of the last rung.
            last = len(self._plan(bracket).rungs) - 1
            if bracket.rung == last:
                continue
            for trial in bracket.told:
                if trial.fitness is not None:
                    found.add(trial.trained_id)
        return frozenset(found)

    def state_dict(self) -> dict[str, Any]:
        waiting: list[list[int | None]] = []
        for id, (number, parent) in self._waiting.items():
            continued = None if parent is None else parent.id
            waiting.append([id, number, continued])
        return {
            "sampled": self._sampled,
            "begun": self._begun,
            "open": [bracket.state_dict() for bracket in self._open],
            "asked": self._asked,
            "waiting": waiting,
        }

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._sampled = state["sampled"]
        self._begun = state["begun"]
        self._asked = state["asked"]
        self._open = []
        for saved in state["open"]:
            bracket = _Open.from_state(saved, trials)
            self._open.append(bracket)
        self._waiting = {}
        for id, number, continued in state["waiting"]:
            parent = None if continued is None else trials[continued]
            self._waiting[id] = (number, parent)


def _total(rungs: Sequence[Rung]) -> int:
    """The number of trials on these rungs."""
    total = 0
    for rung in rungs:
        total += rung.places
    return total


def promotion(parent: Trial, fidelity: Fidelity, level: int) -> Proposal:
    """The same genome, trained further from the parent's checkpoint."""
    lineage = Lineage(("promote",), (parent.id,), level)
    return Proposal(
        parent.genome,
        fidelity,
        lineage,
        parent.proposal.repeat,
        parent.trained_id,
    )
