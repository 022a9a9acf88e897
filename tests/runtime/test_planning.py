"""What a plan says follows from what was measured; nothing of it is left behind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evonas.errors import UserError
from evonas.genome import Genome, sample
from evonas.randomness import generator
from evonas.runtime import survey as surveys
from evonas.runtime.config.config_file import LoadedConfig, load_config
from evonas.runtime.expectation import (
    Expectation,
    Machine,
    advice,
    expected,
    rounded_up,
    times_in_words,
)
from evonas.runtime.first_config import limits_of, minutes_for, workers_of
from evonas.runtime.planning import make_plan, to_probe
from evonas.runtime.probe import Probe, Training, Typical, usual_epochs
from evonas.runtime.survey import Survey, survey
from evonas.testing import Stub
from evonas.testing.runs import stub_pools, write_config
from evonas.trial import CUT_SHORT, Outcome, TrialState

GIB = 2**30
ROOM = Machine(memory=8 * GIB, disk=100 * GIB, processors=2)


def training(seconds: float, state: TrialState = TrialState.OK, size: int = 1000) -> Training:
    return Training(state, "made up", seconds, 3, False, size)


TRAININGS = (training(4.0), training(6.0), training(8.0, size=4000))
"""The mean takes 6 s, and its weights 2,000 bytes."""
PROBE = Probe(TRAININGS, 2, start=10.0, end=5.0, memory=GIB, data=50_000)


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedConfig:
    return load_config(write_config(tmp_path))


@pytest.fixture
def genomes(loaded: LoadedConfig) -> list[Genome]:
    return [sample(loaded.space, generator(0, "sample", place)) for place in range(10)]


@pytest.fixture
def seen(genomes: list[Genome]) -> Survey:
    """Ten networks: one cannot be built, and the sizes of the others rise."""
    sizes = [{"parameters": 10 * place, "flops": 20 * place} for place in range(1, 10)]
    return Survey(400, 40, genomes, [None, *sizes])


def with_budget(loaded: LoadedConfig, *changes: str) -> LoadedConfig:
    return load_config(loaded.file, ["budget={}", *changes])


def test_a_survey_counts_and_orders(seen: Survey, genomes: list[Genome]) -> None:
    assert (seen.valid, seen.valid_share, seen.duplicate_share) == (9, 0.9, 0.1)
    assert seen.spread("parameters") == [10, 18, 50, 82, 90]
    limited = replace(seen, limits={"flops": 100})
    assert limited.valid == 5
    assert limited.by_work() == genomes[1:6]
    eight = (3, 7, 9, 1, 8, 2, 6, 4)
    between = (5, 3, 7, 2, 8, 4, 6, 1)
    assert to_probe(seen, []) == [genomes[place] for place in eight + between]
    # A search begins with its founders.
    assert to_probe(limited, genomes[9:])[:9] == [
        genomes[place] for place in (9, 2, 4, 5, 1, 5, 1, 3, 3)
    ]


def test_duplicates_are_counted_and_each_network_is_measured_once(
    loaded: LoadedConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Genome] = []

    def sizes_of(space: object, interface: object, given: list[Genome], *more: object) -> object:
        asked.extend(given)
        return [{"parameters": 5, "flops": 5}] * len(given)

    monkeypatch.setattr(surveys, "sizes_of", sizes_of)
    found = survey(loaded, None)  # type: ignore[arg-type]
    # The space has 84 genomes.
    assert found.drawn - found.duplicates == len(asked) <= 84
    assert len({genome.digest for genome in asked}) == len(asked) == len(found.sizes)


@pytest.mark.parametrize(
    ("changes", "trainings", "seconds"),
    [
        (["budget.trials=20"], 20, 15 + 20 * 6 / 2),
        (["budget.epochs=60"], 20, 15 + 20 * 6 / 2),
        (["budget.minutes=2"], 2 * 105 // 6, 120),
        (["budget.minutes=2", "budget.trials=20"], 20, 75),
        (["budget.minutes=1", "budget.trials=20"], 2 * 45 // 6, 60),
        (["budget.seconds=28"], 4, 28),
        (["budget.seconds=5"], 0, 5),
    ],
)
def test_time_follows_from_the_trainings(
    changes: list[str], trainings: int, seconds: float, loaded: LoadedConfig
) -> None:
    found = expected(with_budget(loaded, *changes).config, PROBE)
    assert (found.trainings, found.seconds) == (trainings, seconds)
    assert found.memory == GIB
    assert not found.is_at_most


def test_the_disk_has_what_is_kept(loaded: LoadedConfig) -> None:
    config = with_budget(loaded, "budget.trials=1000", "storage.keep_best=7").config
    # The best 7 and the population of 5, and the model counts three times. Their mean is 2,000
    # bytes. Then the data, and 5 kB a trial.
    assert expected(config, PROBE).disk == 50_000 + 15 * 2000 + 5_000_000
    few = with_budget(loaded, "budget.trials=4").config
    assert expected(few, PROBE).disk == 50_000 + 7 * 2000 + 20_000


def test_what_failed_is_no_part_of_the_mean() -> None:
    failed = replace(PROBE, trainings=(*TRAININGS, training(1.0, state=TrialState.ERROR)))
    assert failed.typical == PROBE.typical == Typical(6.0, 2000)


def test_probe_trainings_are_told_in_a_line() -> None:
    assert PROBE.in_words() == "3 took 4.0 to 8.0 s, 6.0 s in the mean"
    cut = replace(training(8.0), is_cut=True)
    failed = [training(1.0, state=TrialState.OOM_HOST)] * 2
    mixed = replace(PROBE, trainings=(TRAININGS[0], cut, *failed))
    told = "2 took 4.0 to 8.0 s, 6.0 s in the mean; 1 of them calculated from the first epochs"
    assert mixed.in_words() == f"{told}; 2 oom_host"


def test_patience_ends_a_training_that_was_cut_short_as_the_others() -> None:
    cut = Outcome(TrialState.OK, {CUT_SHORT: 3.0}, epochs=3)
    ends = [Outcome(TrialState.OK, {}, epochs=epochs) for epochs in (10, 17)]
    failed = Outcome(TrialState.ERROR, {}, epochs=1)
    assert usual_epochs([cut, *ends, failed], 40) == 14
    assert usual_epochs([cut, failed], 40) == 40


def test_a_strategy_with_rungs_takes_at_most_that(loaded: LoadedConfig) -> None:
    config = with_budget(loaded, "budget.trials=20", "strategy=hyperband").config
    assert expected(config, PROBE).is_at_most


def test_what_fails_is_told(loaded: LoadedConfig) -> None:
    failed = replace(PROBE, trainings=(training(1.0, state=TrialState.ERROR),))
    with pytest.raises(UserError, match="no probe training succeeded: error made up"):
        expected(loaded.config, failed)


def told(
    loaded: LoadedConfig, seen: Survey, *changes: str, free: Machine = ROOM, **more: int
) -> list[str]:
    config = with_budget(loaded, *changes).config
    found = replace(expected(config, PROBE), **more)
    return advice(config, seen, PROBE, found, free)


def test_nothing_is_to_change_where_all_fits(loaded: LoadedConfig, seen: Survey) -> None:
    assert told(loaded, seen, "budget.trials=20") == []


def test_each_thing_that_does_not_fit_has_what_helps(loaded: LoadedConfig, seen: Survey) -> None:
    (few,) = told(loaded, seen, "budget.trials=8")
    assert "2 generations of 5 need 10" in few
    assert "budget.trials=10" in few
    (guided,) = told(loaded, seen, "strategy={evolution: {initial: 6}}", "budget.trials=8")
    assert "6 founders and as many children need 12" in guided
    assert "strategy.evolution.initial=4" in guided
    (epochs,) = told(loaded, seen, "budget.epochs=24")
    # Trainings of 3 epochs.
    assert "budget.epochs=30" in epochs
    (short,) = told(loaded, seen, "budget.minutes=0.5")
    # 15 seconds around 10 trainings of 6 seconds, by two workers.
    assert "budget.minutes=1" in short
    assert "training.epochs=1" in short
    (memory,) = told(loaded, seen, "budget.trials=20", free=replace(ROOM, memory=GIB // 2))
    assert "pool.local.workers=1" in memory
    (disk,) = told(loaded, seen, "budget.trials=20", free=replace(ROOM, disk=500_000_000))
    assert "storage.keep_best=1" in disk
    (crowd,) = told(loaded, seen, "budget.trials=20", free=replace(ROOM, processors=1))
    assert "2 workers share 1 processor" in crowd
    assert "pool.local.workers=1" in crowd
    (alike,) = told(loaded, replace(seen, duplicates=100), "budget.trials=20")
    assert "100 of 400 random genomes had been drawn before" in alike
    small = replace(seen, limits={"parameters": 15})
    (limits,) = told(loaded, small, "budget.trials=20", "limits.parameters=15")
    assert "only 1 of 10 random networks" in limits
    assert "limits.parameters=82" in limits


def test_a_plan_trains_some_and_leaves_nothing(
    loaded: LoadedConfig, seen: Survey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evonas.runtime.planning.survey", lambda *_: seen)
    before = sorted(tmp_path.rglob("*"))
    plan = make_plan(loaded, tmp_path / "runs", pool_factory=stub_pools(2, Stub(diverge=0.0)))
    assert plan.probe is not None
    assert [one.state for one in plan.probe.trainings] == [TrialState.OK] * 16
    assert [one.epochs for one in plan.probe.trainings] == [3] * 16
    assert plan.probe.data > 0
    assert plan.probe.typical.bytes > 0
    assert isinstance(plan.expected, Expectation)
    assert plan.expected.trainings == 12
    assert sorted(tmp_path.rglob("*")) == before
    looked = make_plan(loaded, tmp_path, with_trainings=False)
    assert (looked.probe, looked.expected) == (None, None)


def test_what_no_network_judges_has_no_plan(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def judge(genome):\n    return {'score': 0.0}\n")
    (tmp_path / "run.yaml").write_text(
        "space: mlp\nplugins: [mine]\nevaluator: {python: {function: 'mine:judge'}}\n"
        "objective: {name: score, direction: max}\nbudget: {trials: 5}\n"
    )
    with pytest.raises(UserError, match="a plan is for trainings by Keras"):
        make_plan(load_config(tmp_path / "run.yaml"), tmp_path)


def test_the_first_config_fits_the_machine(loaded: LoadedConfig, seen: Survey) -> None:
    assert workers_of(processors=4, memory=3 * GIB) == 3
    assert workers_of(processors=64, memory=500 * GIB) == 8
    assert workers_of(processors=2, memory=0) == 1
    assert limits_of(seen, 8 * GIB, 2) == {"parameters": 82, "flops": 170}
    founder = replace(seen, seeds=({"parameters": 1234, "flops": 5}, None))
    assert limits_of(founder, 8 * GIB, 2) == {"parameters": 1300, "flops": 170}
    assert limits_of(founder, 3200, 2)["parameters"] == 100
    # 5 trainings of 6 s and 19 of 8 by two workers, 15 s around them, and a tenth more: 1.9.
    assert minutes_for(loaded.config, PROBE) == 2


def test_numbers_for_people() -> None:
    assert [rounded_up(one) for one in (1, 99.5, 101, 12_345)] == [1, 100, 110, 13_000]
    assert times_in_words(0.2) == "1 second"
    assert times_in_words(300) == "5 minutes"
    assert times_in_words(9000) == "2.5 hours"
