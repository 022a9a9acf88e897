"""Who gets the credit: from told trials to the weights of the mutation operators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from evonas.genome import MutationRates
from evonas.search.adaptation.adaptation import Adaptation
from evonas.trial import Fitness, Trial


class Credit:
    """Follows the trials of a run, in the order in which they are told; a pure function of them.

    So it has no state to save: `restore` is given the trials again.

    Args:
        rates: as the config has them; what is learned multiplies the operators' weights. Those with weight 0 stay off.
    """

    def __init__(self, adaptation: Adaptation, rates: MutationRates) -> None:
        self._adaptation, self._given = adaptation, rates
        self._start()

    def _start(self) -> None:
        names = [name for name, weight in self._given.operators.items() if weight > 0]
        self._first = self._learned = self._adaptation.start(names)
        self._fitness: dict[int, Fitness] = {}

    @property
    def rates(self) -> MutationRates:
        """As they are now."""
        if self._learned is self._first:
            return self._given
        shares = self._learned.shares
        weights = {
            name: weight * shares.get(name, 0.0) for name, weight in self._given.operators.items()
        }
        return replace(self._given, operators=weights)

    def tell(self, trial: Trial) -> None:
        """Every operator that took part in making this trial earns its gain, once."""
        if trial.fitness is not None:
            self._fitness[trial.id] = trial.fitness
        parents = [self._fitness[id] for id in trial.lineage.parents]
        if not parents:
            return
        reward = gain(trial, min(parents, key=lambda fitness: fitness.order))
        for word in dict.fromkeys(trial.lineage.operator.split("+")):
            if word in self._learned.shares:
                self._learned = self._adaptation.learn(self._learned, word, reward)

    def restore(self, trials: Mapping[int, Trial]) -> None:
        """Start again, and be told all of these that do not wait, in their order."""
        self._start()
        for trial in trials.values():
            if trial.state.is_final:
                self.tell(trial)


def gain(child: Trial, parent: Fitness) -> float:
    """How much better a child is than the better of its parents, relative to the greater of the two, in [0, 1].

    A child that is no better has gained nothing, nor has one that failed, nor a twin: it is nothing new. Where the
    parent violates constraints, the gain is the share of the violation that is gone.
    """
    if child.fitness is None or child.twin_of is not None or not child.fitness > parent:
        return 0.0
    if child.fitness.violation < parent.violation:
        return (parent.violation - child.fitness.violation) / parent.violation
    scale = max(abs(child.fitness.value), abs(parent.value))
    return min(1.0, (parent.key - child.fitness.key) / scale)
