"""The audit finds nothing in an honest run, and whatever a strategy hides."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from evonas.errors import InvalidRecord
from evonas.runtime.audit import audit, replay
from evonas.runtime.cpu import cpu
from evonas.runtime.record import checksum
from evonas.search.registry import STRATEGIES
from evonas.search.strategies.generational import Generational, GenerationalSettings
from evonas.search.strategies.random_search import RandomSearch, RandomSettings
from evonas.search.strategy import SearchProblem
from evonas.testing import Driver
from evonas.trial import Fidelity, Lineage, Objective

SCRIPT = Path(__file__).parents[1] / "integration" / "stub_runs.py"


@pytest.fixture(scope="module")
def stub_run(tmp_path_factory) -> Path:
    """A finished run, as `evonas run` leaves it, but for its trainings."""
    directory = tmp_path_factory.mktemp("audit")
    for command in (["make", directory, "evolution", "40"], ["inside", directory / "stub", "3"]):
        subprocess.run(
            [sys.executable, str(SCRIPT), *map(str, command)],
            check=True,
            capture_output=True,
            env=os.environ,
        )
    return directory / "stub"


def evonas(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from evonas.cli import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def altered(root: Path, tmp_path: Path, *queries: str, by_evonas: bool = True) -> Path:
    """A copy of the run's record with something else in it, as if evonas had written that.

    Or, if not `by_evonas`, somebody else.
    """
    copy = tmp_path / "altered"
    copy.mkdir(parents=True)
    (copy / "run.db").write_bytes((root / "run.db").read_bytes())
    connection = sqlite3.connect(copy / "run.db")
    with connection:
        for query in queries:
            assert connection.execute(query).rowcount >= 1
        if by_evonas:
            checksum.put(connection, checksum.total(connection))
    connection.close()
    return copy


def test_an_honest_run_is_repeated(stub_run):
    found = audit(stub_run)
    assert found.is_repeated, found.difference
    assert found.trials >= 40
    assert found.told == found.trials
    done = evonas("audit", str(stub_run))
    assert done.returncode == 0, done.stderr
    assert "the record is what its checksum says" in done.stdout
    assert "are those of the record" in done.stdout
    data = json.loads(evonas("audit", str(stub_run), "--json").stdout)
    assert (data["ok"], data["trial"], data["versions"], data["checksum"]) == (True, None, {}, True)


def of_an_older_evonas(root: Path, tmp_path: Path) -> Path:
    """The run as an evonas recorded it that named every parent that it had drawn."""
    with sqlite3.connect(root / "run.db") as connection:
        query = "select id, parents from trial where parents like '[_]' or parents like '[__]'"
        id, parents = connection.execute(query + " order by id desc").fetchone()
    connection.close()
    partner = 0 if json.loads(parents) != [0] else 1
    return altered(
        root,
        tmp_path,
        "update trial set operator = 'crossover+' || operator,"
        f" parents = json_insert(parents, '$[#]', {partner}) where id = {id}",
        "delete from meta where key = 'lineages'",
    )


def test_the_lineages_of_an_older_evonas_are_no_difference(stub_run, tmp_path):
    """It named parents that had given nothing; what it proposed is what is proposed today."""
    root = of_an_older_evonas(stub_run, tmp_path)
    found = audit(root)
    assert (found.difference, found.other_lineages) == ("", 1)
    done = evonas("audit", str(root))
    assert done.returncode == 0, done.stderr
    assert "Another version of evonas made it" in done.stdout
    assert "other parents or operators of 1 proposal." in done.stdout
    data = json.loads(evonas("audit", str(root), "--json").stdout)
    assert (data["ok"], data["other_lineages"]) == (True, 1)
    # The record is still shown as it is.
    assert evonas("show", str(root)).returncode == 0
    assert evonas("genealogy", str(root)).returncode == 0


def test_the_same_lineages_in_a_record_of_today_are_a_difference(stub_run, tmp_path):
    today = "insert into meta values ('lineages', '2')"
    root = altered(of_an_older_evonas(stub_run, tmp_path / "old"), tmp_path, today)
    found = audit(root)
    assert "its operator is 'crossover+" in found.difference
    assert found.other_lineages == 0
    assert evonas("audit", str(root)).returncode == 4


def test_another_genome_in_a_record_of_an_older_evonas_is_a_difference(stub_run, tmp_path):
    old = of_an_older_evonas(stub_run, tmp_path / "old")
    query = "update trial set genome = (select genome from trial where id = 1) where id = 2"
    found = audit(altered(old, tmp_path, query))
    assert found.trial == 2
    assert "its genome is another one" in found.difference


def test_a_change_that_no_replay_can_see_is_found_by_the_checksum(stub_run, tmp_path):
    query = "update attempt set seconds = seconds + 1 where trial = 3"
    assert audit(altered(stub_run, tmp_path / "honest", query)).is_repeated, (
        "a replay cannot see it"
    )
    root = altered(stub_run, tmp_path, query, by_evonas=False)
    with pytest.raises(InvalidRecord, match="its content is not what was written"):
        audit(root)
    done = evonas("audit", str(root))
    assert done.returncode == 65
    assert "its content is not what was written" in done.stderr


def test_another_outcome_changes_what_follows_and_is_found(stub_run, tmp_path):
    """An outcome that is not what the strategy was told."""
    root = altered(
        stub_run, tmp_path, """update trial set metrics = '{"val_loss":0.5}' where id < 5"""
    )
    found = audit(root)
    assert found.trial is not None
    assert found.trial >= 5
    assert found.told <= found.trial
    done = evonas("audit", str(root))
    assert done.returncode == 4
    assert f"trial {found.trial}, asked when" in done.stderr
    assert "Traceback" not in done.stderr
    data = evonas("audit", str(root), "--json")
    assert data.returncode == 4
    assert json.loads(data.stdout)["difference"] == found.difference


def test_the_version_that_made_the_record_is_named(stub_run, tmp_path):
    versions = "update meta set value = json_set(value, '$.deap', '0.9') where key = 'versions'"
    root = altered(
        stub_run, tmp_path, "update trial set operator = 'seed x' where id = 7", versions
    )
    done = evonas("audit", str(root))
    assert done.returncode == 4
    assert "its operator is 'seed x' in the record" in done.stderr
    assert "made with deap 0.9" in done.stderr


def test_the_cpu_that_made_the_record_is_named(stub_run, tmp_path):
    versions = "update meta set value = json_set(value, '$.cpu', 'Z80') where key = 'versions'"
    root = altered(
        stub_run, tmp_path, "update trial set operator = 'seed x' where id = 7", versions
    )
    assert f"made with CPU Z80 (now {cpu()})." in evonas("audit", str(root)).stderr
    data = json.loads(evonas("audit", str(root), "--json").stdout)
    assert data["versions"] == {"cpu": ["Z80", cpu()]}


@pytest.mark.parametrize(
    "query",
    [
        "delete from meta where key = 'versions'",
        "update meta set value = '\"no space\"' where key = 'space'",
        "update meta set value = '{}' where key = 'config'",
    ],
)
def test_what_is_no_run_of_evonas_is_a_damaged_record(stub_run, tmp_path, query):
    with pytest.raises(InvalidRecord, match=r"damaged|config in the record cannot be read"):
        audit(altered(stub_run, tmp_path, query))


def test_a_state_that_is_not_what_the_trials_make_of_it(stub_run, tmp_path):
    query = "update meta set value = json_set(value, '$.generation', 99) where key = 'strategy'"
    found = audit(altered(stub_run, tmp_path, query))
    assert (found.trial, found.difference) == (
        None,
        "after all trials, the strategy's state differs in generation.",
    )


def test_a_record_that_contradicts_itself(stub_run, tmp_path):
    with pytest.raises(InvalidRecord, match="trial 0 is said to have been told"):
        audit(altered(stub_run, tmp_path, "update trial set state = 'waiting' where id = 0"))


def recorded(strategy, oracle, count=60):
    """The trials, the `told_before` and the number of told trials that the engine would record."""
    driver = Driver(strategy, oracle.settle)
    trials = driver.run(count)
    return trials, driver.told_before, driver.told


class DrawsFromTheGlobalStream(Generational):
    def _breed(self, slot):
        return super()._breed(slot + 1000 * (random.random() < 0.2))


class RemembersTheProcess(RandomSearch):
    """Asks are counted across all of its instances."""

    count = 0

    def _propose(self, number):
        RemembersTheProcess.count += 1
        return super()._propose(RemembersTheProcess.count)


class PutsChanceIntoItsState(Generational):
    def state_dict(self):
        return {**super().state_dict(), "secret": random.random()}


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_strategy_can_be_audited(small_space, loss, oracle, name):
    kind = STRATEGIES[name]
    quick = {
        "evolution": {"initial": 6, "children": 8},
        "model_based": {"initial": 6, "candidates": 12},
    }.get(name, {})
    objectives = (loss, Objective("parameters", "min"))
    problem, settings = (
        SearchProblem(small_space, loss, Fidelity(1), 0, objectives=objectives),
        kind(**quick),
    )
    strategy = settings.make(problem)
    trials, told_before, told = recorded(strategy, oracle, count=30 if quick else 60)
    state = json.loads(json.dumps(strategy.state_dict()))
    assert replay(settings.make(problem), trials, told_before, told, state).difference == ""


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        (DrawsFromTheGlobalStream, GenerationalSettings(population=4), "differs from its replay"),
        (RemembersTheProcess, RandomSettings(), "trial 0, asked when 0 trials had been told"),
        (
            PutsChanceIntoItsState,
            GenerationalSettings(population=4),
            "the strategy's state differs in secret",
        ),
    ],
)
def test_what_a_strategy_hides_is_found(small_space, loss, oracle, kind, settings, words):
    problem = SearchProblem(small_space, loss, Fidelity(1), 0)
    strategy = kind(problem, settings)
    trials, told_before, told = recorded(strategy, oracle)
    found = replay(
        kind(problem, settings),
        trials,
        told_before,
        told,
        json.loads(json.dumps(strategy.state_dict())),
    )
    assert words in found.difference


def test_each_kind_of_difference_is_named(small_space, loss, oracle):
    problem = SearchProblem(small_space, loss, Fidelity(1), 0)
    trials, told_before, told = recorded(RandomSearch(problem, RandomSettings()), oracle, 10)
    first = trials[0].proposal
    for other, words in (
        (replace(first, fidelity=Fidelity(7)), "its epochs is 7 in the record and 1 in the replay"),
        (
            replace(first, lineage=Lineage(("sample",), (3,))),
            "its parents is [3] in the record and [] in the replay",
        ),
        (replace(first, repeat=1), "its repeat is 1"),
        (replace(first, genome=trials[1].genome), "its genome is another one ("),
    ):
        changed = [replace(trials[0], proposal=other), *trials[1:]]
        assert (
            words
            in replay(
                RandomSearch(problem, RandomSettings()), changed, told_before, told
            ).difference
        )
    small = GenerationalSettings(population=3)
    trials, _, _ = recorded(Generational(problem, small), oracle, 10)
    never_told = replay(Generational(problem, small), trials, [0] * len(trials), 0)
    assert "trial 3, asked when 0 trials had been told" in never_told.difference
    assert "proposes nothing, and waits" in never_told.difference
