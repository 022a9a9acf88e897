"""What a run keeps on the disk: bounded after every step, and never less than somebody needs."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from evonas.errors import DiskFailure
from evonas.evaluate.contract.protocol import Setup
from evonas.files import temporary_beside
from evonas.genome import parse_space
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.loop.engine import Engine
from evonas.runtime.loop.given import Rules, Surroundings
from evonas.runtime.loop.observer import Observer
from evonas.runtime.loop.storage import Storage, best_of
from evonas.runtime.record.record import Record
from evonas.search.replacement import SteadyState
from evonas.search.strategies.aging import Aging, AgingSettings
from evonas.search.strategies.generational import Generational, GenerationalSettings
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategy import SearchProblem
from evonas.testing.jobs import make_job
from evonas.testing.stub_pool import StubPool
from evonas.trial import Fidelity, Trial, TrialState

KEEP, AHEAD, WORKERS = 7, 6, 3

SPACE = """
space: large
about: So many genomes that twins are rare.
input: vector
network:
  layers:
    length: [1, 3]
    ops: {dense: {units: {int: [4, 400]}, activation: {choice: [relu, tanh]}}}
settings:
  optimizer: {ops: {sgd: {learning_rate: {float: [1e-3, 1.0], log: true}}}}
  training: {ops: {training: {batch_size: {choice: [16, 32]}}}}
"""


class Promote(RandomSearch):
    """The least that continues trials.

    Of four told trials of one epoch, the best is trained on to three epochs.
    """

    continues_trials = True

    def __init__(self, problem, settings):
        super().__init__(problem, settings)
        self._heat: list[Trial] = []
        self._due: list[Trial] = []

    def _propose(self, number):
        proposal = super()._propose(number)
        if self._due:
            first = self._due.pop(0)
            return replace(
                proposal, genome=first.genome, fidelity=Fidelity(3), resume_from=first.id
            )
        return replace(proposal, fidelity=Fidelity(1))

    def tell(self, trial):
        if trial.proposal.resume_from is None:
            self._heat.append(trial)
        if len(self._heat) == 4:
            alive = [trial for trial in self._heat if trial.fitness is not None]
            self._due += sorted(alive, key=lambda trial: trial.fitness.key)[:1]
            self._heat = []

    @property
    def retained(self):
        return [trial.id for trial in (*self._heat, *self._due)]

    def state_dict(self):
        return {
            "asked": self._asked,
            "heat": [t.id for t in self._heat],
            "due": [t.id for t in self._due],
        }

    def load_state_dict(self, state, trials):
        self._asked = state["asked"]
        self._heat, self._due = ([trials[id] for id in state[name]] for name in ("heat", "due"))


STRATEGIES = {
    "evolution": (Generational, GenerationalSettings(population=8)),
    "steady state": (Generational, GenerationalSettings(population=8, replacement=SteadyState())),
    "aging": (Aging, AgingSettings(population=8)),
    "random": (RandomSearch, RandomSettings()),
    "promote": (Promote, RandomSettings()),
}


class Watcher(Observer):
    """Looks at the folders after every step and every outcome."""

    def __init__(self, storage_of):
        self.engine, self._root, self.most, self.steps = None, storage_of, 0, 0

    def ids(self, folder):
        return {int(path.name[:5]) for path in (self._root / folder).glob("*.npz")}

    def on_progress(self, progress):
        engine, trials = self.engine, self.engine.trials
        if engine is None or not trials:
            return
        ahead = trials[engine._turns.told :]
        living = {trials[id].trained_id for id in engine._dialogue.retained}
        weights, kept = self.ids("weights"), best_of(trials, KEEP)
        assert weights <= living | kept | {trial.trained_id for trial in ahead}
        assert kept <= weights, "the best are always there"
        assert len(weights) <= len(living) + KEEP + AHEAD
        needed = {trial.id for trial in ahead}
        sources = (trial.proposal.resume_from for trial in ahead if not trial.state.is_final)
        needed |= {trials[id].trained_id for id in sources if id is not None}
        continues = engine._dialogue._strategy.continues_trials
        unfinished = {trial.id for trial in ahead if not trial.state.is_final}
        assert self.ids("checkpoints") <= (needed | living if continues else unfinished)
        self.most, self.steps = max(self.most, len(weights)), self.steps + 1


class Watched(StubPool):
    """Every training that goes on from another finds that one's checkpoint."""

    continued = 0

    def submit(self, job):
        if job.epochs == 3 and job.resume_from is not None:
            type(self).continued += 1
        super().submit(job)


@pytest.fixture
def problem(loss):
    return SearchProblem(parse_space(SPACE, "large.yaml"), loss, Fidelity(3), 0)


@pytest.fixture
def session(tmp_path, problem, loss):
    """One session of a run in `tmp_path`, with stubs in the driver."""

    def work(name="evolution", trials=60, observers=(), pool=StubPool, keep=KEEP, files=True):
        if not (tmp_path / "run.db").exists():
            Record.create(tmp_path / "run.db", {}, {})
        kind, settings = STRATEGIES[name]
        with Record(tmp_path / "run.db") as record:
            setup = Setup(str(tmp_path), 0, "", {}, {"name": "val_loss", "direction": "min"})
            strategy = kind(problem, settings)
            storage = Storage(tmp_path, keep, strategy.continues_trials, files)
            limits = RunLimits(trials, look_ahead=AHEAD, twins_in_a_row=1000)
            rules, around = Rules(loss, 0, limits), Surroundings(observers=observers)
            engine = Engine(strategy, record, pool(setup, WORKERS), storage, rules, around)
            for observer in observers:
                observer.engine = engine
            engine.run()
            return engine, record.content()

    return work


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_after_every_step_of_200_trials_only_the_living_the_best_and_the_open_have_files(
    session, tmp_path, name
):
    watcher = Watcher(tmp_path)
    engine, _ = session(name, 200, [watcher])
    assert watcher.steps >= 400
    assert sum(trial.twin_of is None for trial in engine.trials) == 200
    assert KEEP <= watcher.most <= 8 + 8 + KEEP + AHEAD


def test_where_trials_leave_no_files_nobody_asks_who_lives(session, monkeypatch):
    asked = []
    monkeypatch.setattr(
        Promote, "retained", property(lambda self: asked.append(len(self._heat)) or [])
    )
    session("promote", trials=20, files=False)
    assert len(asked) == 1, "when the session began"
    session("promote", trials=40)
    assert len(asked) > 20, "with files, after every step"


def test_a_training_that_goes_on_from_another_always_finds_its_checkpoint(session, problem):
    Watched.continued = 0
    engine, _ = session("promote", pool=Watched)
    promoted = [trial for trial in engine.trials if trial.proposal.resume_from is not None]
    assert len(promoted) > 8
    assert all(trial.twin_of is None for trial in engine.trials), (
        "the files of a twin may have gone before it came"
    )
    assert Watched.continued == len(promoted)


def test_where_the_checkpoint_is_gone_a_training_starts_afresh(session, tmp_path):
    class Vandal(StubPool):
        def submit(self, job):
            assert job.resume_from is None
            super().submit(job)
            for path in (tmp_path / "checkpoints").glob("*"):
                path.unlink()

    class Lost(Observer):
        def on_submit(self, trial, attempt):
            for path in (tmp_path / "checkpoints").glob("*"):
                path.unlink()

        on_progress = on_outcome = lambda self, *args: self.on_submit(None, 0)

    engine, _ = session("promote", trials=60, observers=[Lost()], pool=Vandal)
    continued = [trial for trial in engine.trials if trial.proposal.resume_from is not None]
    assert continued
    assert all(trial.state is TrialState.OK for trial in continued)


def test_a_session_begins_by_sweeping_what_the_last_one_did_not_come_to(session, tmp_path):
    class Kill(Observer):
        left = 30

        def on_outcome(self, trial, outcome, attempt, final):
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session(observers=[Kill()])
    pruned = next(id for id in range(20) if id not in Watcher(tmp_path).ids("weights"))
    for name in (
        f"weights/{pruned:05d}.npz",
        f"weights/{pruned:05d}-refitted.npz",
        "weights/00999.npz",
        "checkpoints/00001.npz",
    ):
        (tmp_path / name).write_bytes(b"left behind")
    (tmp_path / "weights" / "notes.txt").write_bytes(b"of the user")
    seen = {}

    class Start(Observer):
        def on_start(self, progress):
            seen.update(weights={path.name for path in (tmp_path / "weights").iterdir()})
            seen.update(checkpoints={path.name for path in (tmp_path / "checkpoints").iterdir()})

    session(observers=[Start(), watcher := Watcher(tmp_path)])
    assert "notes.txt" in seen["weights"]
    gone = {f"{pruned:05d}.npz", f"{pruned:05d}-refitted.npz", "00999.npz"}
    assert not gone & seen["weights"]
    assert "00001.npz" not in seen["checkpoints"]
    assert watcher.steps > 0


def test_what_is_kept_changes_nothing_in_the_search(session, tmp_path):
    _, few = session(keep=1)
    (tmp_path / "run.db").unlink()
    _, many = session(keep=200)
    assert few == many


def test_the_living_have_weights_also_where_they_are_not_the_best(session, tmp_path):
    engine, _ = session("aging", keep=1)
    ids = {int(path.name[:5]) for path in (tmp_path / "weights").glob("*.npz")}
    assert ids == set(engine._dialogue.retained) | best_of(engine.trials, 1)
    assert len(ids) >= 8


def test_a_twin_keeps_the_files_of_the_trial_that_was_trained(tmp_path, session):
    engine, _ = session("random", trials=3, keep=1)
    (path,) = (tmp_path / "weights").iterdir()
    other = next(trial.id for trial in engine.trials if int(path.name[:5]) != trial.id)
    twin = Trial(len(engine.trials), engine.trials[other].proposal, twin_of=other)
    trials = [*engine.trials, twin]
    for ahead, living in (([3], []), ([], [3])):  # waiting to be told, then alive
        (tmp_path / "weights" / f"{other:05d}.npz").write_bytes(b"")
        Storage(tmp_path, 1).open(trials, ahead, living)
        assert (tmp_path / "weights" / f"{other:05d}.npz").exists()
    Storage(tmp_path, 1).open(trials, [], [])
    assert not (tmp_path / "weights" / f"{other:05d}.npz").exists()


def test_what_is_freed_is_all_but_the_single_best_and_what_workers_work_with(session, tmp_path):
    engine, _ = session("promote", trials=80)
    job = make_job(
        90,
        weights="weights/00090.npz",
        checkpoint="checkpoints/00090.npz",
        resume_from="checkpoints/00091.npz",
    )
    running = [job.weights, job.checkpoint, job.resume_from]
    unfinished = temporary_beside(tmp_path / "weights/00093.npz").relative_to(tmp_path).as_posix()
    refitted = f"weights/{engine.incumbent.id:05d}-refitted.npz"
    other = "weights/00092-refitted.npz"
    for name in (*running, refitted, other, "checkpoints/00092.npz", unfinished):
        (tmp_path / name).write_bytes(b"0123456789")
    before = sum(path.stat().st_size for path in tmp_path.glob("*/*.npz"))
    freed = engine._storage.free([job])
    best = f"weights/{engine.incumbent.id:05d}.npz"
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*.npz")}
    assert left == {best, refitted, *running}
    assert freed == before - sum((tmp_path / name).stat().st_size for name in left)
    assert engine._storage.free([job]) == 0
    assert (tmp_path / unfinished).exists(), "a worker may be writing it"


def test_files_that_cannot_be_deleted_are_a_failure_of_the_disk(session, tmp_path, monkeypatch):
    session(trials=20)
    (tmp_path / "weights" / "00999.npz").mkdir()
    with pytest.raises(DiskFailure, match=r"00999\.npz cannot be deleted"):
        session(trials=30)


def test_best_of_ranks_as_the_engine_does(session):
    engine, _ = session(trials=50)
    best = best_of(engine.trials, 5)
    values = sorted(
        (t.fitness.value, t.id)
        for t in engine.trials
        if t.fitness is not None and t.twin_of is None
    )
    assert best == {id for _, id in values[:5]}
    assert engine.incumbent.id in best_of(engine.trials, 1)


def test_names_are_those_that_the_folders_hold(session, tmp_path):
    session(trials=10)
    assert all(re.fullmatch(r"\d{5}\.npz", path.name) for path in (tmp_path / "weights").iterdir())
