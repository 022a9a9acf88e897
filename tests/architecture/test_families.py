"""Nobody asks which evaluator judges, or which pool runs the jobs: the families answer."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2] / "evonas"
FAMILIES = ("evaluate/evaluators", "evaluate/pools")
ASKS = (
    r"KerasTraining|TableEvaluator|FunctionEvaluator",
    r"(Local|Inline|Simulated)Settings",
    r"(by|uses|is)_keras",
    r"evaluator is (not )?None",
    r"isinstance\([^()]*\b(evaluator|pool)\b",
    r"isinstance\([^()]*\b(Evaluator|PoolSettings|Pool)\)",
    r"""==\s*["'](python|table|local|inline|simulated)["']""",
)


def test_no_member_is_named_or_asked_for_outside_its_family() -> None:
    found = []
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        if place.startswith(FAMILIES):
            continue
        # Docstrings may name members, in backticks.
        text = re.sub(r"`[^`\n]*`", "", path.read_text())
        for number, line in enumerate(text.splitlines(), 1):
            found += [f"{place}:{number}: {line.strip()}" for ask in ASKS if re.search(ask, line)]
    assert found == []
