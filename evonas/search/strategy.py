"""The strategy's contract: ask and tell.

A new strategy is one file in `strategies/` and one line in `registry.py`. The file has a subclass
of `Strategy` and a frozen dataclass with its settings. The contract tests run over the registry.
"""

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
        space: the set of genomes that may be proposed.
        objective: the first objective, with the constraints.
        fidelity: length of a full training. Strategies without rungs propose nothing else.
        seed: seed of the run; the only source of randomness.
        seeds: seed genomes by name, already checked against the space.
        trials: the budget in trials, or None if the budget is counted in something else. Samplers
            and grids need it, because they must know the number of their points.
        objectives: all objectives, for strategies that search a front.
    """

    space: SearchSpace
    objective: Objective
    fidelity: Fidelity
    seed: int
    seeds: Mapping[str, Genome] = field(default_factory=dict)
    trials: int | None = None
    objectives: tuple[Objective, ...] = ()


def counters(count: int) -> list[tuple[int, ...]]:
    """Numbers to append to a proposal's counter, one tuple for each of `count` alternatives.

    The first tuple is empty, because the first alternative is the proposal itself.
    """
    others = [(i,) for i in range(1, count)]
    # The slice is for a count of 0, which asks for nothing, not even the proposal.
    return [(), *others][:count]


class Strategy(ABC):
    """Proposes trials and learns from their outcomes.

    The engine numbers the proposals from 0, in the order in which they are asked. It tells each of
    them exactly once, in a final state. It tells them in the same order, or in the order of arrival
    if the config says `deterministic: false`. It may ask again before it tells. A strategy

    * draws random numbers only from `evonas.randomness.generator(seed, purpose, *counter)`. So its
      state is counters and trial ids, and the same asks and tells give the same proposals;
    * never makes a failed trial a parent, and names as a parent only a trial that the proposed
      genome still has something of;
    * may return fewer proposals than were asked for, which means: *wait for a tell*. An ask that
      returns nothing changes nothing.

    Class attributes:
        Settings: a frozen dataclass that is filled from the YAML. Its docstring and its fields are
            the user's documentation. It may have two methods. `problems()` says what is wrong
            between the settings. `misfits(problem)` says which settings do not fit a search
            problem. Both return a sentence for the key of each such setting.
        sets_epochs: whether proposals may have another fidelity than the problem's. If so, the
            number of epochs cannot be a gene.
        continues_trials: whether proposals may have a `resume_from`. If so, the checkpoints of
            `retained` are kept.
        has_alternatives: whether the strategy can say what else it could propose.
        takes_several: whether the strategy can run with several objectives.
        needs_several: whether the strategy can run only with several objectives.
        counts_infeasible: whether an infeasible proposal is one of a planned number, such as a
            place on a rung or a point of a grid. If so, the budget counts it like any other trial.
        libraries: packages besides NumPy whose versions may change what is proposed. A session that
            has another version of them says so. Those of a part, such as a sampler, are its own.
    """

    Settings: ClassVar[type[Any]]
    # No ClassVar for these: a strategy that wraps another one sets some of them on the instance.
    sets_epochs: bool = False
    continues_trials: bool = False
    has_alternatives: bool = False
    takes_several: bool = False
    needs_several: bool = False
    counts_infeasible: bool = False
    libraries: ClassVar[tuple[str, ...]] = ()

    def __init__(self, problem: SearchProblem, settings: Any) -> None:
        self.problem = problem
        self.settings = settings

    @abstractmethod
    def ask(self, count: int) -> list[Proposal]:
        """Up to `count` (at least 1) new proposals."""

    def alternatives(self, count: int) -> list[Proposal]:
        """Up to `count` proposals, each of which may replace the next one.

        There are none if `ask` would return none. The first is what `ask(1)` would return.
        The call changes nothing. The caller may then train another of them and tell its trial. So a
        strategy has alternatives only if it remembers no genome of its proposals before they are
        told.
        """
        raise NotImplementedError(f"{type(self).__name__} has no alternatives")

    @abstractmethod
    def tell(self, trial: Trial) -> None:
        """Learn the outcome of one trial; see the class for the order of the trials."""

    @property
    def is_done(self) -> bool:
        """Whether the strategy will never propose again; most continue until the budget ends."""
        return False

    @property
    def retained(self) -> Collection[int]:
        """Ids of told trials whose files are kept: the population, and trials that may join it.

        A trial that a later proposal may resume from is named here from its tell to that proposal.
        The checkpoints of all other trials are deleted. If a deleted checkpoint is needed after
        all, the run continues, and the trial is trained again. The engine asks after every step, so
        this should be short and quick to compute.
        """
        return ()

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Counters and trial ids, as plain JSON: no genomes, no generators."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any], trials: Mapping[int, Trial]) -> None:
        """Continue where `state_dict` was taken; called on a new strategy.

        Args:
            trials: all trials that were asked until then, by id. Told trials come first, in the
                order in which they were told. The others follow; their state is `waiting`.
        """
