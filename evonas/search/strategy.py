"""The strategy's contract: ask and tell."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from evonas.genome import Genome, SearchSpace
from evonas.trial import Fidelity, Objective, Proposal, Trial


@dataclass(frozen=True)
class SearchProblem:
    """What every strategy is given.

    Attributes:
        fidelity: of a full training; strategies without rungs propose everything at it.
        seed: of the run; the only source of randomness.
        seeds: seed genomes by name, already checked against the space.
        trials: the budget, for samplers and grids that must know how many points there will be; None where it is not
            counted in trials.
        objectives: all of them, for strategies that search a front; `objective` is the first, and has the constraints.
    """

    space: SearchSpace
    objective: Objective
    fidelity: Fidelity
    seed: int
    seeds: Mapping[str, Genome] = field(default_factory=dict)
    trials: int | None = None
    objectives: tuple[Objective, ...] = ()


def counters(count: int) -> list[tuple[int, ...]]:
    """What follows a proposal's counter, for each of its alternatives; nothing for the first, the proposal itself."""
    return [(), *((i,) for i in range(1, count))][:count]


class Strategy(ABC):
    """Proposes trials and learns from their outcomes.

    The engine numbers proposals from 0 in the order in which they are asked, and tells every one of them exactly once,
    with a final state: in that order, or as they arrive where the config says `deterministic: false`. Between the two
    it may ask again. A strategy

    * draws random numbers only from `evonas.randomness.generator(seed, purpose, *counter)`, so its state is counters
      and trial ids, and replaying the same tells and asks gives the same proposals;
    * never makes a failed trial a parent;
    * may return fewer proposals than asked for, which means: *wait for a tell*. An ask that returns nothing changes
    nothing.

    Class attributes:
        Settings: a frozen dataclass, filled from the YAML; its docstring and fields are the user's documentation. Where
            it has a method `problems()`, that tells what is wrong between the settings, and `misfits(problem)` what of
            them does not fit a search problem: a sentence for the key of each such setting.
        sets_epochs: whether proposals may have another fidelity than the problem's, so that epochs cannot be a gene.
        continues_trials: whether proposals may have a `resume_from`: then the checkpoints of `retained` are kept.
        has_alternatives: whether it can say what else it could propose.
        takes_several: whether it can be run where there are several objectives.
        needs_several: whether it can be run only there.
    """

    Settings: ClassVar[type[Any]]
    sets_epochs: bool = False
    continues_trials: bool = False
    has_alternatives: bool = False
    takes_several: bool = False
    needs_several: bool = False

    def __init__(self, problem: SearchProblem, settings: Any) -> None:
        self.problem = problem
        self.settings = settings

    @abstractmethod
    def ask(self, count: int) -> list[Proposal]:
        """Up to `count` (at least 1) new proposals."""

    def alternatives(self, count: int) -> list[Proposal]:
        """Up to `count` proposals of which any may take the place of the next one; none where that would be a wait.

        The first is what `ask(1)` would give. Nothing changes. Whoever asks then may train another one instead and tell
        of that: only strategies that remember no genome of their proposals before they are told have alternatives.
        """
        raise NotImplementedError(f"{type(self).__name__} has no alternatives")

    @abstractmethod
    def tell(self, trial: Trial) -> None:
        """What became of the next trial, in the order of proposals or of arrival."""

    @property
    def is_done(self) -> bool:
        """Whether the strategy will never propose again; most go on until the budget ends."""
        return False

    @property
    def retained(self) -> Collection[int]:
        """Ids of told trials whose files are kept: the population, and whoever may still enter it.

        It names every trial that a later proposal may resume from, at every moment from its tell to that proposal: the
        checkpoint of any other one is deleted. What is not named here costs a training if it is needed after all,
        never the run. Asked after every step, so it should be short and quick; none for strategies that keep no one.
        """
        return ()

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Counters and trial ids, as plain JSON: no genomes, no generators."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        """Go on where `state_dict` was taken, as a new strategy.

        Args:
            trials: every trial that was asked until then, by id: first those that were told, in the order of the
                telling, then the others, which are `waiting`.
        """
