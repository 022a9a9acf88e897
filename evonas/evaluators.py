"""Everything that an evaluator is written with.

An evaluator of a plugin is a frozen dataclass that derives from `Evaluator`. Its `open` returns a
function that does jobs. A config names it as `evaluator: {package.module:Name: {...}}`.
"""

from __future__ import annotations

from evonas.evaluate.contract.evaluator import Call, Evaluator, Question, silent
from evonas.evaluate.contract.protocol import Alive, Job, OnEpoch, RunJob, Setup
from evonas.evaluate.evaluators.judging import judged
from evonas.evaluate.evaluators.registry import EVALUATORS
from evonas.trial import Outcome, TrialState

__all__ = [
    "EVALUATORS",
    "Alive",
    "Call",
    "Evaluator",
    "Job",
    "OnEpoch",
    "Outcome",
    "Question",
    "RunJob",
    "Setup",
    "TrialState",
    "judged",
    "silent",
]
