"""The rules of benchmarks/PROTOCOL.md on numbers that were worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks import develop, families, functions, paired, regret, replay
from benchmarks.climb import climb
from benchmarks.families import Family
from benchmarks.loop import Problem, judged_by
from benchmarks.published import SPACES
from benchmarks.raw_rows import RawRows, Row
from benchmarks.references import expected_best
from benchmarks.regret import Reference
from evonas.errors import UserError
from evonas.genome import Genome

PROTOCOL = Path(families.__file__).with_name("PROTOCOL.md")
SCALE = Reference(best=10.0, random=6.0)


def test_regret_is_0_at_the_best_and_1_at_random() -> None:
    assert [regret.regret(score, SCALE) for score in (10.0, 8.0, 6.0, 12.0)] == [0.0, 0.5, 1, -0.5]
    assert regret.regret(-math.inf, SCALE) == regret.regret(-900.0, SCALE) == 10.0


def test_the_area_is_the_mean_over_trials_20_to_200() -> None:
    steps = [(1.0, 2.0), (20.0, 6.0), (110.0, 10.0)]
    assert [regret.after(steps, mark) for mark in (0.5, 19, 20, 109, 110)] == [
        -math.inf,
        2,
        6,
        6,
        10,
    ]
    # 90 marks, from 20 to 109, with a regret of 1, and 91 with none
    assert regret.area(steps, SCALE) == pytest.approx(90 / 181)
    # found at the fraction 199.5 of the budget, which is after mark 199
    assert regret.area([(1.0, 6.0), (199.5, 10.0)], SCALE) == pytest.approx(180 / 181)


def test_random_search_on_a_table() -> None:
    assert expected_best([3.0, 1.0, 2.0], 1) == pytest.approx(2.0)
    # of 9 pairs, 1 has 1 as its greatest, 3 have 2, and 5 have 3
    assert expected_best([3.0, 1.0, 2.0], 2) == pytest.approx((1 + 6 + 15) / 9)


def test_pairs_are_compared_task_by_task() -> None:
    base = {("a", 0): 1.0, ("a", 1): 0.5, ("b", 0): 0.5, ("c", 0): 9.0}
    step = {("a", 0): 0.5, ("a", 1): 0.5, ("b", 0): 0.75}
    found = paired.paired(base, step)
    assert (found.wins, found.draws, found.losses) == (1, 1, 1)
    # the tasks' means: a is better by 0.25, b is worse by 0.25, and c has no pair
    assert (found.base, found.step, found.difference) == (0.625, 0.625, 0.0)
    # of two values 0.5 apart: a deviation of 0.3536, an error of 0.25, 12.706 of them
    assert found.half == pytest.approx(12.706 * 0.25, abs=1e-3)
    assert not found.is_worse
    with pytest.raises(ValueError, match="no search in common"):
        paired.paired(base, {("d", 0): 1.0})


def test_of_one_task_the_seeds_count() -> None:
    base = {("a", seed): 1.0 for seed in range(4)}
    step = {("a", 0): 1.1, ("a", 1): 1.2, ("a", 2): 1.3, ("a", 3): 1.4}
    found = paired.paired(base, step)
    # a mean of 0.25, a deviation of 0.1291, an error of 0.0645, 3.182 of them
    assert (found.difference, found.half) == pytest.approx((0.25, 0.2054), abs=1e-4)
    assert found.is_worse
    assert found.p == 0.125
    alone = paired.paired(base, {("a", 0): 9.0})
    assert alone.half == math.inf
    assert not alone.is_worse


def made(base: float, step: float, half: float, wins: int = 0, losses: int = 0) -> paired.Paired:
    return paired.Paired(base, step, half, wins, 0, losses)


def test_a_step_stays_if_the_regret_falls_and_no_family_is_worse() -> None:
    assert paired.is_kept([made(0.5, 0.3, 0.1), made(0.5, 0.6, 0.2)])
    assert not paired.is_kept([made(0.5, 0.3, 0.1), made(0.5, 0.6, 0.05)]), "a family is worse"
    assert not paired.is_kept([made(0.5, 0.4, 0.1), made(0.5, 0.7, 0.3)]), "the regret rises"
    assert not paired.is_kept([made(0.5, 0.5, 0.1)]), "it does not fall"


def test_signs_are_tested_for_all_families_together() -> None:
    found = paired.verdicts([made(1, 0, 1, 9, 1), made(1, 2, 1, 0, 10), made(1, 1, 1, 5, 5)])
    # exact: 2 x 11 / 1024 and 2 / 1024, of which the least counts three times, the next one twice
    assert [p for p, _ in found] == pytest.approx([2 * 22 / 1024, 3 * 2 / 1024, 1.0])
    assert [word for _, word in found] == ["better", "worse", "not told apart"]


def test_mean_ranks_are_of_the_searches_that_all_have() -> None:
    areas = {
        "good": {("a", 0): 0.1, ("a", 1): 0.3, ("b", 0): 0.1},
        "same": {("a", 0): 0.2, ("b", 0): 0.1},
        "poor": {("a", 0): 0.5, ("b", 0): 0.5},
    }
    ranks = paired.mean_ranks(areas)
    assert {name: mean for name, (mean, _, _) in ranks.items()} == {
        "good": 1.25,
        "same": 1.75,
        "poor": 3.0,
    }
    assert ranks["good"][1:] == (1.0, 1.5)


def row(entrant: str, seed: int, *steps: tuple[float, float]) -> Row:
    return Row(entrant, {"random": {}}, "made", "a", seed, 200, 5, list(steps))


def test_raw_rows_go_on_where_they_were_cut(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    first, second = row("one, with a comma", 0, (1, 0.25), (7.5, -1e-9)), row("two", 0, (1, 1.0))
    RawRows(path).add(first)
    RawRows(path).add(second)
    with path.open("a", encoding="utf-8") as file:
        file.write('three,"{""random"":')
    rows = RawRows(path)
    assert rows.all() == [first, second]
    rows.add(row("three", 1))
    assert RawRows(path).all() == [first, second, row("three", 1)]
    rows.forget("two", ["made"])
    rows.forget("three", ["another family"])
    assert [one.entrant for one in RawRows(path).all()] == ["one, with a comma", "three"]


def landscape(genome: Genome, epochs: int) -> dict[str, float]:
    rate = float(genome["training"][0].parameters["learning_rate"])
    return {"val_accuracy": rate * (1 - 1 / (1 + epochs))}


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A family of its own; the best learning rate is 0.1."""
    problem = judged_by(SPACES / "lcbench.yaml", landscape, "val_accuracy", 9)
    family = Family(families.DEVELOPMENT, 2, lambda: ["a"], lambda task, seed: problem)
    monkeypatch.setattr(develop, "FAMILIES", {"made": family})
    scale = {("made", "a"): Reference(best=0.09, random=0.05)}
    monkeypatch.setattr(develop, "frozen", lambda: scale)
    monkeypatch.setattr(develop, "LAST", 40)


@pytest.mark.usefixtures("made_up")
def test_a_step_is_measured_once_and_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--family", "made", "--rows", str(tmp_path / "rows.csv"), "--entrants"]
    step = "climber={nelder_mead: {}}"
    assert develop.main([*command, "random", step]) == 0
    found = capsys.readouterr()
    assert found.err.count("area") == 4
    assert "climber: kept." in found.out
    assert "| climber | 2 |" in found.out
    assert "A quick look" not in found.out
    assert develop.main([*command, "random", step, "--seeds", "1"]) == 0
    assert "fewer seeds than PROTOCOL.md asks for on made." in capsys.readouterr().out
    assert develop.main([*command, "random", step, "asha"]) == 0
    assert capsys.readouterr().err.count("area") == 2, "only the new one is measured"
    assert develop.main([*command, step, "random"]) == 0
    assert "random: rejected." in capsys.readouterr().out
    assert develop.main([*command, "random", "climber=aging"]) == 2
    assert "another name" in capsys.readouterr().err
    assert develop.main([*command, "random", "climber=aging", "--anew", "climber"]) == 0
    assert develop.main(command[:-1]) == 0
    assert "mean rank of 3" in capsys.readouterr().out


def test_what_is_no_strategy_is_refused() -> None:
    assert develop.entrant("dngo, as it comes") == (
        "dngo, as it comes",
        {"model_based": {"surrogate": "dngo"}},
    )
    assert develop.entrant("x={aging: {sample: 3}}") == ("x", {"aging": {"sample": 3}})
    with pytest.raises(UserError, match="no strategy"):
        develop.entrant("agin")
    with pytest.raises(UserError, match="sampel"):
        develop.entrant("x={aging: {sampel: 3}}")


def test_what_counts_under_noise_is_the_incumbents_mean() -> None:
    def noisy(genome: Genome, epochs: int, seed: int) -> dict[str, float]:
        return {"val_accuracy": landscape(genome, epochs)["val_accuracy"] + seed % 97 / 100}

    clean = judged_by(SPACES / "lcbench.yaml", noisy, "val_accuracy", 9)
    mean = lambda genome: landscape(genome, 9)["val_accuracy"]  # noqa: E731
    problem = Problem(clean.space, clean.objective, 9, clean.evaluate, mean=mean)
    found = climb(problem, {"random": {}}, 0, 40)
    assert found.full == climb(clean, {"random": {}}, 0, 40).full
    assert [spent for spent, _ in found.retrained] == [spent for spent, _ in found.full]
    assert max(score for _, score in found.retrained) <= 0.09 < found.best
    falls = [score for _, score in found.retrained]
    assert falls != sorted(falls), "luck is no merit: an incumbent may be worse than the last"


def test_less_is_better_where_a_function_says_so() -> None:
    found = climb(functions.problem(functions.sphere, 5, 0), {"random": {}}, 0, 30)
    scores = [score for _, score in found.full]
    assert scores == sorted(scores)
    assert scores[-1] < 0


def test_the_frozen_references() -> None:
    known = regret.references()
    development = sorted(task for family, task in known if family == "lcbench")
    validation = sorted(task for family, task in known if family == "lcbench-other")
    assert (len(development), len(validation)) == (17, 17)
    # in the order of all names, the development half has the first one, the third one, ...
    assert sorted([*development, *validation])[::2] == development
    text = " ".join(PROTOCOL.read_text(encoding="utf-8").split())
    assert f"Development: {', '.join(development)}." in text
    assert f"Validation: {', '.join(validation)}." in text
    others = set(families.FAMILIES) - {"replay"}
    assert {family for family, _ in known} - {"replay"} == others
    assert {task for family, task in known if family == "replay"} == set(replay.names())
    assert all(reference.best > reference.random for reference in known.values())
    assert known["macro", "cifar10"].best == pytest.approx(93.127, abs=1e-3)
    assert [known["functions", task].best for task in functions.PARTS] == [0.0] * 4


def test_the_protocol_has_the_numbers_of_the_code() -> None:
    text = PROTOCOL.read_text(encoding="utf-8")
    for name, family in families.FAMILIES.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` | ")]
        assert f"| {family.use} |" in line
        assert line.endswith(f"| {family.seeds} |")
    assert f"after {regret.FIRST}, 21, ..., {regret.LAST} trainings" in text
    assert f"counts for more than {regret.MOST:.0f}." in text
