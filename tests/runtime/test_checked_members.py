"""What a plugin's strategy or pool gives is checked, and told as the plugin's."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.errors import InvalidConfig
from evonas.evaluate.contract.pool import Finished, Pool, PoolSettings, Progress
from evonas.evaluate.contract.protocol import Setup
from evonas.evaluate.pools.inline import InlineSettings
from evonas.genome import sample
from evonas.randomness import generator
from evonas.runtime.checked_pool import checked_opener
from evonas.runtime.checked_strategy import checked
from evonas.search.strategies.random_search import RandomSettings
from evonas.search.strategies.screened import ScreenedSettings
from evonas.search.strategies.seeded import SeededSettings
from evonas.search.strategy import SearchProblem, Strategy, StrategySettings
from evonas.testing.driving import settled
from evonas.testing.jobs import make_job, make_setup
from evonas.testing.oracle import small_space
from evonas.testing.stub_pool import StubPool
from evonas.trial import Fidelity, Lineage, Objective, Outcome, Proposal, Trial, TrialState

OBJECTIVE = Objective("val_loss", "min")
PROBLEM = SearchProblem(small_space(), OBJECTIVE, Fidelity(5), 0)
FINE = Proposal(sample(small_space(), generator(0, "sample")), Fidelity(5), Lineage(("sample",)))
OK = Outcome(TrialState.OK, {"val_loss": 0.5}, epochs=1, seconds=0.1)
JOB = make_job()


@dataclass(frozen=True)
class OddStrategy(StrategySettings):
    """A strategy whose methods give what a test says."""

    gives: dict[str, Any] = field(default_factory=dict)
    has_alternatives = True

    def make(self, problem: SearchProblem) -> Any:
        return self.gives.get("make", Odd(problem, self))

    def fidelities(self, epochs: int) -> tuple[int, ...]:
        return (2, epochs)


class Odd(Strategy):
    continues_trials = True

    def ask(self, count: int) -> list[Proposal]:
        given: list[Proposal] = self.settings.gives.get("ask", [FINE])
        return given

    def alternatives(self, count: int) -> list[Proposal]:
        return self.ask(count)

    def tell(self, trial: Trial) -> None:
        pass

    @property
    def is_done(self) -> bool:
        return bool(self.settings.gives["done"]) if "done" in self.settings.gives else False

    @property
    def retained(self) -> Any:
        return self.settings.gives.get("retained", ())

    def state_dict(self) -> dict[str, Any]:
        given: dict[str, Any] = self.settings.gives.get("state_dict", {})
        return given

    def load_state_dict(self, state: Any, trials: Any) -> None:
        pass


class NoCount(Odd):
    def ask(self) -> list[Proposal]:  # type: ignore[override]
        return [FINE]


def made(settings: StrategySettings) -> Strategy:
    return checked(settings, Path("c.yaml")).make(PROBLEM)


def parents(*ids: Any) -> dict[str, Any]:
    return {"lineage": Lineage(("add",), ids)}


@pytest.mark.parametrize(
    ("method", "given", "words"),
    [
        ("make", None, "make must give a Strategy. Received: None."),
        ("make", NoCount(PROBLEM, None), r"ask cannot be called .* takes 1 positional argument"),
        ("ask", None, "ask must give a list of at most 1 of Proposal. Received: None."),
        ("ask", [{}], r"ask must give a list of Proposal. Received: \{\}."),
        ("ask", [FINE, FINE], "at most 1 of Proposal"),
        ("ask", [], "ask must give a Proposal before anything was told, unless is_done is true"),
        ("ask", {"genome": "text"}, "ask must give Proposals with a Genome. Received: 'text'."),
        ("ask", {"fidelity": 3}, "a Fidelity whose epochs are .* 2, 5. Received: 3."),
        ("ask", {"fidelity": Fidelity(50)}, r"Received: Fidelity\(epochs=50\)"),
        ("ask", {"fidelity": Fidelity(True)}, r"Received: Fidelity\(epochs=True\)"),
        ("ask", {"lineage": ("add",)}, "a Lineage"),
        ("ask", {"lineage": Lineage(("add",), generation=-1)}, "a generation of at least 0"),
        ("ask", parents(999), r"parents that are ids .* Received: \(999,\)"),
        ("ask", parents(np.int64(0)), "parents that are ids"),
        # It has failed.
        ("ask", parents(1), "parents that are ids"),
        ("ask", {"repeat": None}, "a repeat of at least 0. Received: None."),
        ("ask", {"resume_from": 999}, "a resume_from that .* Received: 999."),
        ("ask", {"resume_from": 2}, "a resume_from that .* Received: 2."),
        ("state_dict", None, "state_dict must give a dict of plain JSON"),
        ("state_dict", {"fine": 1, "n": np.int64(3)}, r"plain JSON.* Received: \{'n': .*3.*\}."),
        ("state_dict", {"best": math.nan}, r"finite numbers. Received: \{'best': nan\}."),
        ("retained", None, "retained must give a collection of trial ids. Received: None."),
        ("retained", ["junk"], "trial ids"),
    ],
)
def test_what_a_strategy_of_a_plugin_gives_is_refused(method: str, given: Any, words: str) -> None:
    if isinstance(given, dict) and method == "ask":
        given = [dataclasses.replace(FINE, **given)]
    place = f"c.yaml: strategy.{__name__}:OddStrategy: "
    with pytest.raises(InvalidConfig, match=f"^{place}.*{words}"):
        strategy = made(OddStrategy({method: given}))
        # A strategy that proposes nothing is asked first.
        if given != []:
            strategy.tell(settled(OBJECTIVE, 0, dataclasses.replace(FINE, fidelity=Fidelity(2)), 1))
            strategy.tell(settled(OBJECTIVE, 1, FINE, None))
            strategy.tell(settled(OBJECTIVE, 2, FINE, 1.0))
        strategy.ask(1)
        strategy.state_dict()
        _ = strategy.retained


@pytest.mark.parametrize("given", [parents(0, 2), {"resume_from": 0}, {"fidelity": Fidelity(2)}])
def test_what_the_contract_allows_is_passed_on(given: dict[str, Any]) -> None:
    proposal = dataclasses.replace(FINE, **given)
    strategy = made(OddStrategy({"ask": [proposal]}))
    short = settled(OBJECTIVE, 0, dataclasses.replace(FINE, fidelity=Fidelity(2)), 1.0)
    full = settled(OBJECTIVE, 2, FINE, 1.0)
    # As after a resume, and as the engine makes another one to go back.
    again = strategy.settings.make(strategy.problem)
    again.load_state_dict({}, {0: short, 2: full})
    assert again.ask(1) == again.alternatives(1) == [proposal]
    assert again.continues_trials
    assert made(OddStrategy({"ask": [], "done": True})).ask(1) == []


def test_a_strategy_inside_one_of_evonas_is_checked_and_its_own_is_not() -> None:
    for outer in (SeededSettings(genomes=("one",)), ScreenedSettings()):
        inside = dataclasses.replace(outer, inner=OddStrategy({"ask": [{}]}))
        problem = dataclasses.replace(PROBLEM, seeds={"one": FINE.genome})
        strategy = checked(inside, Path("c.yaml")).make(problem)
        with pytest.raises(InvalidConfig, match=rf"\.inner\.{__name__}:OddStrategy: "):
            strategy.ask(1)
    assert checked(RandomSettings(), Path("c.yaml")) == RandomSettings()
    assert type(made(RandomSettings())).__module__.startswith("evonas.search")


@dataclass(frozen=True)
class OddPool(PoolSettings):
    """A pool whose methods give what a test says."""

    gives: dict[str, Any] = field(default_factory=dict)

    def open(self, setup: Setup, root: Path) -> Any:
        return self.gives.get("open", OddSlots(setup, self.gives))


class OddSlots(StubPool):
    def __init__(self, setup: Setup, gives: dict[str, Any]) -> None:
        super().__init__(setup)
        self._gives = gives

    @property
    def capacity(self) -> Any:
        return self._gives.get("capacity", 1)

    @property
    def running(self) -> Any:
        return self._gives.get("running", super().running)

    @property
    def opening(self) -> Any:
        return self._gives.get("opening", "")

    @property
    def clock(self) -> Any:
        return self._gives.get("clock", super().clock)

    def submit(self, job: Any) -> None:
        # Any number: the test counts for itself.
        self._jobs = [job]

    def poll(self, timeout: float) -> Any:
        return self._gives.get("poll", [Finished(JOB, OK)])


class NoTimeout(OddSlots):
    def poll(self, t: float) -> Any:
        return []


def outcome(**changes: Any) -> list[Finished]:
    return [Finished(JOB, dataclasses.replace(OK, **changes))]


@pytest.mark.parametrize(
    ("method", "given", "words"),
    [
        ("open", None, "open must give a Pool. Received: None."),
        ("open", NoTimeout(make_setup(Path()), {}), "poll cannot be called .* 'timeout'"),
        ("capacity", "2", "capacity must give an integer of at least 1. Received: '2'."),
        ("capacity", 0, "an integer of at least 1. Received: 0."),
        ("running", 0, "running must give the number of jobs .* Finished, 1. Received: 0."),
        ("opening", None, "opening must give a text"),
        ("clock", 3.0, "clock must give a function"),
        ("poll", None, "poll must give a list of Progress, Imported and Finished. Received: None."),
        ("poll", ["junk"], "Progress, Imported and Finished. Received: 'junk'."),
        ("poll", [OK], r"Progress, Imported and Finished. Received: Outcome\("),
        ("poll", [Finished(make_job(7), OK)], "poll must give reports of jobs that were submitted"),
        ("poll", [Finished(JOB, OK)] * 2, "not yet reported Finished. Received: Finished"),
        ("poll", [Finished(JOB, {})], r"Finished with an Outcome. Received: \{\}."),  # type: ignore[arg-type]
        ("poll", [Progress(JOB, 0, {})], "Progress with an epoch and metrics"),
        ("poll", [Progress(JOB, 1, {"loss": "low"})], "Progress with an epoch and metrics"),  # type: ignore[dict-item]
        ("poll", outcome(metrics={"val_loss": math.nan}), "a worker could send .*not JSON compl"),
        ("poll", outcome(metrics={"val_loss": "low"}), "a worker could send .*must be real number"),
        ("poll", outcome(metrics=None), "a worker could send"),
        ("poll", outcome(state="fine"), "'fine' is not a valid TrialState"),
        ("poll", outcome(epochs=-1), "epochs or seconds are no number of at least 0"),
        ("poll", outcome(details=None), "a worker could send"),
        ("poll", outcome(files={"run.db": "0"}), "a file that its job does not name"),
    ],
)
def test_what_a_pool_of_a_plugin_gives_is_refused(
    tmp_path: Path, method: str, given: Any, words: str
) -> None:
    settings = OddPool({method: given})
    place = f"pool.{__name__}:OddPool: "
    with pytest.raises(InvalidConfig, match=f"^{place}.*{words}"):
        pool = checked_opener(settings, settings.open)(make_setup(tmp_path), tmp_path)
        pool.clock()
        pool.submit(JOB)
        _ = pool.capacity, pool.running, pool.opening
        pool.poll(timeout=0.0)


def test_a_pool_of_a_plugin_is_passed_on_and_one_of_evonas_is_not_checked(tmp_path: Path) -> None:
    history = {"loss": (1.0, math.inf)}
    reports = [Progress(JOB, 1, {"loss": math.nan}), *outcome(history=history)]
    settings = OddPool({"poll": reports})
    open_pool: Callable[[Setup, Path], Pool] = checked_opener(settings, settings.open)
    with open_pool(make_setup(tmp_path), tmp_path) as pool:
        pool.submit(JOB)
        progress, finished = pool.poll(timeout=0.0)
    assert progress is reports[0]
    # As it would have come from a worker.
    assert finished == Finished(JOB, dataclasses.replace(OK, history={"loss": [1.0, None]}))
    inline = InlineSettings()
    assert checked_opener(inline, inline.open) == inline.open
