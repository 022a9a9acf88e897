"""Stand-ins for tests, shipped with evonas.

A *stub* answers as a worker does, at once and without TensorFlow. `stub_worker` is a real process
that speaks the real protocol, and `stub_pool` is a whole pool inside the driver. Their answers
depend on the job alone, so a run with stubs repeats itself as a run with networks does. `runs`
makes whole runs of stubs, `driving` asks and tells a strategy as the engine does, and `lies` spoils
what a worker answers.

`suites` has the contract suites: what each member of a family promises, as tests for any member.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.lazy import exports

if TYPE_CHECKING:
    from evonas.testing.driving import Driver, drive, settled
    from evonas.testing.jobs import make_job, make_setup
    from evonas.testing.runs import content, make_run, work
    from evonas.testing.stub_pool import StubPool
    from evonas.testing.stub_worker import Stub
    from evonas.testing.suites.evaluator import EvaluatorSuite
    from evonas.testing.suites.format import FormatSuite
    from evonas.testing.suites.journal import JournalSuite
    from evonas.testing.suites.metric import MetricSuite
    from evonas.testing.suites.pool import PoolSuite
    from evonas.testing.suites.source import SourceSuite
    from evonas.testing.suites.split import SplitSuite
    from evonas.testing.suites.strategy import StrategySuite

__all__ = [
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
]

# Lazy: a stub worker imports this package, and must not import the whole driver with it.
__getattr__, __dir__ = exports(
    __name__,
    {
        "Driver": "evonas.testing.driving",
        "EvaluatorSuite": "evonas.testing.suites.evaluator",
        "FormatSuite": "evonas.testing.suites.format",
        "JournalSuite": "evonas.testing.suites.journal",
        "MetricSuite": "evonas.testing.suites.metric",
        "PoolSuite": "evonas.testing.suites.pool",
        "SourceSuite": "evonas.testing.suites.source",
        "SplitSuite": "evonas.testing.suites.split",
        "StrategySuite": "evonas.testing.suites.strategy",
        "Stub": "evonas.testing.stub_worker",
        "StubPool": "evonas.testing.stub_pool",
        "content": "evonas.testing.runs",
        "drive": "evonas.testing.driving",
        "make_job": "evonas.testing.jobs",
        "make_run": "evonas.testing.runs",
        "make_setup": "evonas.testing.jobs",
        "settled": "evonas.testing.driving",
        "work": "evonas.testing.runs",
    },
)
