"""The public surface, the words, and that nothing heavy happens at import."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import evonas

ROOT = Path(evonas.__file__).parent
PAGES = [ROOT.parent / "README.md", *sorted((ROOT.parent / "docs").glob("*.md"))]
PUBLIC: dict[str, list[str]] = {
    "evonas": [
        "Comparison",
        "Observer",
        "RecordedTrial",
        "Run",
        "__version__",
        "compare",
        "evolve",
        "load",
        "resume",
        "run",
    ],
    "evonas.errors": [
        "DiskFailure",
        "EvonasError",
        "InvalidCheckpoint",
        "InvalidConfig",
        "InvalidData",
        "InvalidGenome",
        "InvalidInput",
        "InvalidRecord",
        "InvalidSpace",
        "InvalidYaml",
        "Issue",
        "NoWorker",
        "NotRepeatable",
        "NothingFeasible",
        "NothingToMutate",
        "RepeatedFailures",
        "RunHeld",
        "Stopped",
        "SystemLimit",
        "Terminated",
        "UserError",
    ],
    "evonas.sklearn": ["EvolvedClassifier", "EvolvedRegressor"],
    "evonas.genome": [
        "MUTATIONS",
        "Choice",
        "Gene",
        "Genome",
        "MutationRates",
        "Node",
        "Number",
        "Op",
        "Parameter",
        "SearchSpace",
        "Section",
        "Value",
        "changes",
        "cross",
        "decode",
        "drawn",
        "encode",
        "graph",
        "load_genome",
        "load_space",
        "mutate",
        "parse_genome",
        "parse_space",
        "repair",
        "sample",
        "validate",
    ],
    "evonas.strategies": [
        "ADAPTATIONS",
        "CROSSOVERS",
        "REPLACEMENTS",
        "SAMPLERS",
        "SELECTIONS",
        "STRATEGIES",
        "SURROGATES",
        "Adaptation",
        "Crossover",
        "Expected",
        "Fidelity",
        "Fitness",
        "Individual",
        "Lineage",
        "Mutation",
        "Objective",
        "Proposal",
        "Replacement",
        "Sampler",
        "SearchProblem",
        "Selection",
        "Strategy",
        "StrategySettings",
        "Surrogate",
        "Trial",
        "TrialState",
        "best_first",
        "counters",
        "generator",
    ],
    "evonas.sources": [
        "SOURCES",
        "SPLITS",
        "Arrays",
        "Frame",
        "Memory",
        "Parts",
        "Ragged",
        "Samples",
        "Shares",
        "Source",
        "Split",
    ],
    "evonas.pools": [
        "POOLS",
        "Finished",
        "Imported",
        "Job",
        "Outcome",
        "Pool",
        "PoolSettings",
        "Progress",
        "Report",
        "Setup",
        "TrialState",
        "evaluator_in",
    ],
    "evonas.evaluators": [
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
    ],
    "evonas.model": [
        "FORMATS",
        "ExportFormat",
        "InputSpec",
        "Interface",
        "build_model",
    ],
    "evonas.insight": [
        "Box",
        "climb_svg",
        "expected_svg",
        "front_svg",
        "hypervolumes",
        "pareto_front",
        "summarize",
    ],
    "evonas.testing": [
        "Driver",
        "EvaluatorSuite",
        "FormatSuite",
        "JournalSuite",
        "MetricSuite",
        "PoolSuite",
        "SourceSuite",
        "SplitSuite",
        "StrategySuite",
        "Stub",
        "StubPool",
        "content",
        "drive",
        "make_job",
        "make_run",
        "make_setup",
        "settled",
        "work",
    ],
}
HEAVY = ("tensorflow", "keras", "sklearn", "networkx", "optuna", "polars")


def run_python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def exported(module: str) -> list[str]:
    return list(importlib.import_module(module).__all__)


def test_the_public_names_are_these():
    assert {module: exported(module) for module in PUBLIC} == PUBLIC


def test_every_public_name_is_there_and_is_listed_by_dir():
    for name in PUBLIC:
        module = importlib.import_module(name)
        assert all(getattr(module, word) is not None for word in module.__all__)
        assert set(module.__all__) <= set(dir(module))


def test_the_docstring_of_evonas_lists_the_public_modules():
    listed = re.findall(r"^    (evonas[.a-z]*) +\S", evonas.__doc__, re.MULTILINE)
    assert listed == list(PUBLIC)


def private_imports(text: str) -> list[str]:
    """The names that the Python blocks of a page import, and that are not public."""
    found = []
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("evonas"):
                public = PUBLIC.get(node.module, [])
                found += [
                    f"{node.module}.{one.name}" for one in node.names if one.name not in public
                ]
            elif isinstance(node, ast.Import):
                modules = [one.name for one in node.names if one.name.split(".")[0] == "evonas"]
                found += [name for name in modules if name not in PUBLIC]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_guides_import_public_names_only(page):
    assert private_imports(page.read_text(encoding="utf-8")) == []


def test_a_private_import_of_a_guide_is_found():
    page = "```python\nfrom evonas.search.cube import Cube\nfrom evonas import run\n```\n"
    assert private_imports(page) == ["evonas.search.cube.Cube"]


def test_importing_evonas_imports_almost_nothing():
    code = "import sys, evonas; print([m for m in sys.modules if m.startswith('evonas.')])"
    assert run_python(code).strip() == "['evonas.lazy']"


def test_what_the_driver_imports_at_its_start_is_light():
    code = (
        f"import sys, evonas.api, evonas.cli.app; print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    assert run_python(code).strip() == "[]"


def test_the_error_tree_in_the_docstring_is_the_tree():
    from evonas import errors

    drawn = [
        line.split("─ ")[-1].split()[0]
        for line in (errors.__doc__ or "").splitlines()
        if "─ " in line
    ]
    real = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.EvonasError)
    ]
    assert sorted(drawn) == sorted(kind.__name__ for kind in real if kind is not errors.EvonasError)
    codes = {
        line.split("─ ")[-1].split()[0]: line
        for line in (errors.__doc__ or "").splitlines()
        if "exit" in line
    }
    for kind in real:
        if kind.__name__ in codes:
            assert f"exit {kind.exit_code} " in codes[kind.__name__] + " "
