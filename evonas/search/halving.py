"""What successive halving and Hyperband have in common: brackets that are worked through rung by rung."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from annotated_types import Ge

from evonas.search.rungs import Bracket, best, lengths, source
from evonas.search.sampling import Design, Sampler, Uniform, misfits
from evonas.search.strategy import SearchProblem, Strategy
from evonas.trial import Fidelity, Lineage, Proposal, Trial


@dataclass(frozen=True)
class HalvingSettings:
    """What strategies with rungs have in common.

    Attributes:
        reduction_factor: one in so many trials goes on to the next rung, to be trained so many times longer.
        min_epochs: of the shortest training; the longest has `training.epochs`.
        sampler: where in the unit cube the genomes of first rungs lie.
    """

    reduction_factor: Annotated[int, Ge(2)] = 3
    min_epochs: Annotated[int, Ge(1)] = 1
    sampler: Sampler = field(default_factory=Uniform)

    def fidelities(self, epochs: int) -> tuple[int, ...]:
        """All epochs that trials may be trained for, where a full training has so many."""
        return lengths(epochs, self.reduction_factor, self.min_epochs)

    def misfits(self, problem: SearchProblem) -> dict[str, str]:
        """What of these settings does not fit a search problem, by key; empty where everything does."""
        found = misfits(self.sampler, problem.space)
        if self.min_epochs > problem.fidelity.epochs:
            limit = f"must be at most training.epochs ({problem.fidelity.epochs})"
            found["min_epochs"] = f"{limit}. Received: {self.min_epochs}."
        return found


@dataclass
class _Open:
    """A bracket that is not at its end.

    Attributes:
        number: counted over the whole run; the brackets of the schedule come again and again.
        rung: the one that is being filled.
        promoted: who fills it; empty on the first rung, which new genomes fill.
        asked: how many of its trials are asked.
        told: its trials that are told.
    """

    number: int
    rung: int = 0
    promoted: list[Trial] = field(default_factory=list)
    asked: int = 0
    told: list[Trial] = field(default_factory=list)


class Halving(Strategy):
    """Works through a schedule of brackets, again and again until the budget ends.

    On a rung, everybody is trained to the same epoch; when all of them are told, the best go on from their checkpoints.
    While the oldest bracket waits for the last of a rung, the next one is begun, so that no worker waits; but not where
    the budget has no room for all of it: then it begins when the others are done, so that the end of the budget goes to
    those who have come far. Brackets know nothing of one another, so this changes the order of trials and nothing else.

    Where fewer succeed than the next rung has places for, those go on; where nobody does, the bracket is over.
    """

    sets_epochs = True
    continues_trials = True

    def __init__(
        self, problem: SearchProblem, settings: HalvingSettings, schedule: Sequence[Bracket]
    ) -> None:
        super().__init__(problem, settings)
        self._schedule = schedule
        points = sum(bracket.rungs[0].places for bracket in schedule)
        self._design = Design(settings.sampler, problem.space, points, problem.seed)
        self._sampled = 0
        self._begun = 0  # brackets
        self._open: list[_Open] = []  # the oldest first
        self._asked = 0
        self._waiting: dict[
            int, tuple[int, Trial | None]
        ] = {}  # asked, not told: the bracket, and who goes on

    def ask(self, count: int) -> list[Proposal]:
        found: list[Proposal] = []
        while len(found) < count and (bracket := self._next()) is not None:
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
        """Whether the budget is enough for all trials that open brackets and this one may still ask."""
        if self.problem.trials is None:
            return True
        later = sum(
            rung.places
            for bracket in self._open
            for rung in self._bracket(bracket).rungs[bracket.rung + 1 :]
        )
        return (
            self._asked + later + sum(rung.places for rung in self._bracket(begun).rungs)
            <= self.problem.trials
        )

    def _bracket(self, bracket: _Open) -> Bracket:
        return self._schedule[bracket.number % len(self._schedule)]

    def _places(self, bracket: _Open) -> int:
        return len(bracket.promoted) if bracket.rung else self._bracket(bracket).rungs[0].places

    def _propose(self, bracket: _Open) -> Proposal:
        plan = self._bracket(bracket)
        fidelity, level = Fidelity(plan.rungs[bracket.rung].epochs), plan.level + bracket.rung
        parent = bracket.promoted[bracket.asked] if bracket.rung else None
        bracket.asked += 1
        if parent is not None:
            proposal = promotion(parent, fidelity, level)
        else:
            proposal = Proposal(self._design[self._sampled], fidelity, Lineage("sample", (), level))
            self._sampled += 1
        self._waiting[self._asked] = bracket.number, parent
        self._asked += 1
        return proposal

    def tell(self, trial: Trial) -> None:
        number, _ = self._waiting.pop(trial.id)
        bracket = next(bracket for bracket in self._open if bracket.number == number)
        bracket.told.append(trial)
        if len(bracket.told) == self._places(bracket):
            self._climb(bracket)

    def _climb(self, bracket: _Open) -> None:
        """The rung is complete: the best go on to the next one, if there is one and somebody has succeeded."""
        above = self._bracket(bracket).rungs[bracket.rung + 1 :]
        told = {trial.id: trial for trial in bracket.told}
        promoted = [told[id] for id in best(bracket.told, above[0].places)] if above else []
        bracket.rung, bracket.promoted, bracket.asked, bracket.told = (
            bracket.rung + 1,
            promoted,
            0,
            [],
        )
        if not promoted:
            self._open.remove(bracket)

    @property
    def retained(self) -> frozenset[int]:
        """The ids of told trials whose checkpoints may still be needed."""
        found = {source(parent) for _, parent in self._waiting.values() if parent is not None}
        for bracket in self._open:
            found |= {source(trial) for trial in bracket.promoted[bracket.asked :]}
            if bracket.rung + 1 < len(self._bracket(bracket).rungs):
                found |= {source(trial) for trial in bracket.told if trial.fitness is not None}
        return frozenset(found)

    def state_dict(self) -> dict[str, Any]:
        return {
            "sampled": self._sampled,
            "begun": self._begun,
            "open": [
                {
                    "number": bracket.number,
                    "rung": bracket.rung,
                    "promoted": [trial.id for trial in bracket.promoted],
                    "asked": bracket.asked,
                    "told": [trial.id for trial in bracket.told],
                }
                for bracket in self._open
            ],
            "asked": self._asked,
            "waiting": [
                [id, number, None if parent is None else parent.id]
                for id, (number, parent) in self._waiting.items()
            ],
        }

    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        self._sampled, self._begun = state["sampled"], state["begun"]
        self._open = [
            _Open(
                saved["number"],
                saved["rung"],
                [trials[id] for id in saved["promoted"]],
                saved["asked"],
                [trials[id] for id in saved["told"]],
            )
            for saved in state["open"]
        ]
        self._asked = state["asked"]
        self._waiting = {
            id: (number, None if parent is None else trials[parent])
            for id, number, parent in state["waiting"]
        }


def promotion(parent: Trial, fidelity: Fidelity, level: int) -> Proposal:
    """The same genome, trained on from where it was left."""
    return Proposal(
        parent.genome,
        fidelity,
        Lineage("promote", (parent.id,), level),
        parent.proposal.repeat,
        source(parent),
    )
