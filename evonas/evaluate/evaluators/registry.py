"""The names of evaluators in a config. A new one gets one import and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from evonas.evaluate.contract.evaluator import Evaluator
from evonas.evaluate.evaluators.function import FunctionEvaluator
from evonas.evaluate.evaluators.keras_training import KerasTraining
from evonas.evaluate.evaluators.table import TableEvaluator

# A word may be a path of any kind, so that the stricter one of the two comes first.
EVALUATORS: Mapping[str, type[Evaluator]] = {
    "python": FunctionEvaluator,
    "table": TableEvaluator,
}

DEFAULT = KerasTraining()
"""What judges if a config names no evaluator; in a config it has no name."""
