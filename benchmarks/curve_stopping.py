"""`make bench-curve-stopping`: what stopping by learning curves saves, and what it loses.

    python -m benchmarks.curve_stopping [--seeds 3] [--only PART ...]

Saved are epochs; lost is the best training, if it is stopped. Each part is a section of
benchmarks/results/curve-stopping.md. A part that is not run again keeps its text. LCBench needs
EVONAS_DATA. The defaults of the rule were chosen on random configurations of LCBench. They are
measured on others.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from benchmarks.intervals import bracket, counted
from benchmarks.loop import Found, Problem, search
from benchmarks.published import SPACES, lcbench_curve, lcbench_tasks, skipped_without_data
from benchmarks.runs import CHECKOUT, RESULTS, finished, spread
from benchmarks.sections import Strategy, paragraph, report
from evonas import view
from evonas.evaluate.contract.protocol import Job, OnEpoch, Setup, TrainJob
from evonas.evaluate.training.learning_curve import LEARNING_CURVE, first_stop, rule_of
from evonas.genome import Genome, load_space
from evonas.runtime.config.config_file import load_config
from evonas.runtime.config.training_config import LearningCurveConfig
from evonas.runtime.loop.budget import RunLimits
from evonas.runtime.record.reader import RecordReader
from evonas.trial import Details, Fitness, Objective, Outcome, TrialState

TRAININGS, EPOCHS = 200, 52
SEEDS = 3
WORKERS, LOOK_AHEAD = 8, 16
STRATEGIES: Mapping[str, Strategy] = {
    "random": {"random": {}},
    "evolution": {"evolution": {"guide": "none"}},
}
Rule = tuple[float, float]
DEFAULT = LearningCurveConfig()
RULES: tuple[Rule, ...] = ((0.25, 0.0), (DEFAULT.after, DEFAULT.margin), (0.5, 2.0))
"""`after` and `margin`, from bold to careful."""

TUNED = """
The rule was chosen on 200 random configurations of each task of LCBench (decision 57). The tasks
are the same here, the configurations are others. Evolution's rates were chosen on digits (decision
16).
"""

DIGITS = (
    "budget.trials=24",
    "strategy={evolution: {population: 8, founders: none, replacement: {elitist: {elites: 4}}}}",
    "look_ahead=4",
    "limits.flops=500000",
    "pool={local: {workers: 1}}",
)
"""Changes that make configs/digits.yaml short."""


@dataclass(frozen=True)
class Curves:
    """Trains on the surrogate of LCBench.

    An epoch takes a second, and a trial has the score of its best epoch.
    """

    task: str
    objective: Objective

    def __call__(self, setup: Setup, task: Job, on_epoch: OnEpoch) -> Outcome:
        assert isinstance(task, TrainJob)
        values = curve(task.genome, self.task, self.objective.name)
        rule = rule_of(setup, task.incumbent, task.epochs)
        stop = first_stop(values, self.objective, rule)
        trained = len(values)
        if stop is not None:
            trained = stop.epoch
        best = best_of(values[:trained], self.objective)
        metrics = {self.objective.name: best}
        return Outcome(
            TrialState.OK, metrics, trained, float(trained), details=Details(stopped=stop)
        )


@lru_cache(maxsize=5000)
def curve(genome: Genome, task: str, metric: str) -> tuple[float, ...]:
    curves = lcbench_curve(genome, EPOCHS, task)
    return tuple(curves[metric])


def best_of(values: Iterable[float], objective: Objective) -> float:
    if objective.direction == "max":
        return max(values)
    return min(values)


@dataclass(frozen=True)
class Search:
    """What came of one search.

    Attributes:
        best: best score.
        epochs: number of epochs that were trained.
        stopped: number of trials that were stopped.
        promising: number of trials that, trained in full, would be better than all before them.
        lost: number of promising trials that were stopped.
    """

    best: float
    epochs: int
    stopped: int
    promising: int
    lost: int


def measured(
    task: str, objective: Objective, strategy: Strategy, seed: int, rule: Rule | None
) -> Search:
    """One search of a task."""
    stop = None
    if rule is not None:
        after, margin = rule
        stop = {LEARNING_CURVE: {"after": after, "margin": margin}}
    space = load_space(SPACES / "lcbench.yaml")
    curves = Curves(task, objective)
    problem = Problem(space, objective, EPOCHS, curves)
    limits = RunLimits(TRAININGS, look_ahead=LOOK_AHEAD)
    found = search(problem, strategy, seed, limits, WORKERS, stop)
    return _judged(found, task, objective)


def _judged(found: Found, task: str, objective: Objective) -> Search:
    """The trials of a search in the order of proposals, each beside the best before it."""
    best: Fitness | None = None
    epochs = 0
    stopped = 0
    promising = 0
    lost = 0
    for trial in found.trained:
        outcome = found.outcomes[trial.id]
        was_stopped = outcome.details.stopped is not None
        # the surrogate knows the whole curve, also of a trial that was stopped
        whole = curve(trial.genome, task, objective.name)
        full = Fitness(best_of(whole, objective), objective.direction)
        would_be_best = best is not None and full > best
        epochs += outcome.epochs
        stopped += was_stopped
        promising += would_be_best
        lost += would_be_best and was_stopped
        assert trial.fitness is not None
        if best is None or trial.fitness > best:
            best = trial.fitness
    assert best is not None
    return Search(best.value, epochs, stopped, promising, lost)


def lcbench_part(objective: Objective, names: Sequence[str], seeds: int) -> str:
    """All rules on all tasks, for these strategies."""
    tasks = lcbench_tasks()
    unit = "points" if objective.direction == "max" else "units of the loss"
    lines = [
        paragraph(
            f"""
            Surrogate of LCBench, {len(tasks)} tasks, {_seeds(seeds)}, {TRAININGS} trainings of at
            most {EPOCHS} epochs; fitness = {objective.name} of the best epoch; {WORKERS} simulated
            workers, look_ahead {LOOK_AHEAD}. *Saved*: the share of the epochs that were not
            trained, beside the same search without stopping, mean and quartiles over the
            {len(tasks) * seeds} searches. *Best*: the searches whose best is worse, the same and
            better than without stopping (better only where evolution goes another way);
            *difference*: of the best, its mean and its worst, in {unit}, below 0 for worse.
            *Lost*: of the trials that would have been better than all before them, those that were
            stopped. In brackets: exact 95 % intervals (Clopper and Pearson, 1934) of the share of
            searches whose best is worse, and of the share that is lost, as if trials of one search
            did not depend on one another.
            """
        ),
        "",
        paragraph(TUNED),
        "",
        "| strategy | after | margin | saved | trials stopped | best: worse, same, better (worse)"
        " | difference, worst | lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in names:
        found: dict[Rule | None, list[Search]] = {None: []}
        for rule in RULES:
            found[rule] = []
        for task in tasks:
            for seed in range(seeds):
                # all rules on one task and seed in a row, so that its curves are looked up once
                for one_rule, searches in found.items():
                    one = measured(task, objective, STRATEGIES[name], seed, one_rule)
                    searches.append(one)
        for rule in RULES:
            pairs = list(zip(found[None], found[rule], strict=True))
            row = _row(name, rule, objective, pairs)
            lines.append(row)
            print(row, flush=True)
    return "\n".join(lines)


def _seeds(count: int) -> str:
    return "seed 0" if count == 1 else f"seeds 0 to {count - 1}"


def _row(
    name: str, rule: Rule, objective: Objective, found: Sequence[tuple[Search, Search]]
) -> str:
    """One rule beside no rule: pairs of the search without stopping and the search with it."""
    sign = 1.0 if objective.direction == "max" else -1.0
    saved = []
    gains = []
    for plain, ruled in found:
        saved.append(1 - ruled.epochs / plain.epochs)
        # adding 0.0 turns -0.0 into 0.0, which prints without a sign
        gains.append(sign * (ruled.best - plain.best) + 0.0)
    low, _, high = statistics.quantiles(saved, n=4)
    worse = sum(gain < 0 for gain in gains)
    same = sum(gain == 0 for gain in gains)
    better = sum(gain > 0 for gain in gains)
    stopped = statistics.fmean(ruled.stopped / TRAININGS for _, ruled in found)
    lost = sum(ruled.lost for _, ruled in found)
    promising = sum(ruled.promising for _, ruled in found)
    after, margin = rule
    default = " (default)" if rule == (DEFAULT.after, DEFAULT.margin) else ""
    saving = f"{statistics.fmean(saved):.0%} ({low:.0%} to {high:.0%})"
    counts = f"{worse}, {same}, {better} of {len(found)} {bracket(worse, len(found))}"
    difference = f"{statistics.fmean(gains):+.4f}, {min(gains):+.4f}"
    return (
        f"| {name} | {after} | {margin}{default} | {saving} | {stopped:.0%} | {counts}"
        f" | {difference} | {counted(lost, promising)} |"
    )


def digits_part(seeds: int) -> str:
    """Real trainings, with patience in both cases."""
    lines = [
        _about_digits(),
        "",
        "| seed | | epochs | stopped | saved | same | validation loss | test accuracy |",
        "|---|---|---|---|---|---|---|---|",
    ]
    found: dict[str, list[Run]] = {"without": [], "with": []}
    for seed in range(seeds):
        plain = _digits_run("without", seed, [])
        ruled = _digits_run("with", seed, ["training.stop=learning_curve"])
        found["without"].append(plain)
        found["with"].append(ruled)
        both = _digits_rows(seed, plain, ruled)
        lines += both
        print("\n".join(both), flush=True)
    lines.append("")
    for name, runs in found.items():
        epochs = sum(run.epochs for run in runs)
        losses = [run.loss for run in runs]
        shown = spread(losses) if seeds > 1 else f"{losses[0]:.4f}"
        lines.append(f"* {name}: {epochs:,} epochs, validation loss {shown}")
    return "\n".join(lines)


def _digits_rows(seed: int, plain: Run, ruled: Run) -> list[str]:
    saved = 1 - ruled.epochs / plain.epochs
    stopped = counted(ruled.stopped, ruled.trained)
    same = f"{_same_from_the_first(plain, ruled)} of {len(ruled.content)}"
    return [
        f"| {seed} | without | {plain.epochs:,} | | | | {plain.scores} |",
        f"| {seed} | with | {ruled.epochs:,} | {stopped} | {saved:.0%} | {same} | {ruled.scores} |",
    ]


def _about_digits() -> str:
    path = CHECKOUT / "configs" / "digits.yaml"
    shown = load_config(path, [*DIGITS, "training.stop=learning_curve"]).config
    return paragraph(
        f"""
        configs/digits.yaml, made short: evolution with a population of 8, 4 of them elites, from
        random networks; {shown.budget.trials} trials, {shown.limits.flops:,} flops at most,
        look_ahead {shown.look_ahead}, one worker; {shown.training.epochs} epochs, patience
        {shown.training.patience}, with and without `stop: learning_curve` (after {DEFAULT.after},
        margin {DEFAULT.margin}). *Epochs* are those of all trainings; infeasible networks have
        none, and patience ends trainings in both cases. *Same*: how many trials from the first on
        are the same in both runs, in genome, lineage and every score. The scores are the winners'.
        In brackets: the exact 95 % interval of the share of stopped trials. Evolution's rates were
        chosen on digits (decision 16), the rule on LCBench.
        """
    )


@dataclass(frozen=True)
class Run:
    """What came of a run on digits."""

    epochs: int
    trained: int
    stopped: int
    loss: float
    scores: str
    content: Sequence[tuple[object, ...]]


def _digits_run(name: str, seed: int, changes: Sequence[str]) -> Run:
    changes = [f"seed={seed}", *DIGITS, *changes]
    return _of(finished("digits", "bench-curve-stopping", f"{name}-{seed}", changes))


def _of(run: view.Run) -> Run:
    with RecordReader(run.layout.record) as record:
        attempts = record.attempts()
        rows = record.content()
    # the last attempt at each trial
    final = {attempt.trial: attempt for attempt in attempts}.values()
    epochs = sum(attempt.epochs for attempt in final)
    stopped = sum(attempt.details.stopped is not None for attempt in final)
    metrics = (run.result or {})["metrics"]
    # without the last columns, when a trial was told: nothing else depends on them here
    content = [row[:13] for row in rows]
    return Run(
        epochs=epochs,
        trained=len(final),
        stopped=stopped,
        loss=metrics["val_loss"],
        scores=f"{metrics['val_loss']:.4f} | {metrics['test_accuracy']:.4f}",
        content=content,
    )


def _same_from_the_first(one: Run, other: Run) -> int:
    """Number of trials, from the first on, that are the same in both runs."""
    count = 0
    for a, b in zip(one.content, other.content, strict=False):
        if a != b:
            break
        count += 1
    return count


ACCURACY = Objective("val_accuracy", "max")
CROSS_ENTROPY = Objective("val_cross_entropy", "min")
PARTS: Mapping[str, tuple[str, Callable[[int], str]]] = {
    "accuracy": (
        "LCBench, validation accuracy",
        lambda seeds: lcbench_part(ACCURACY, ("random", "evolution"), seeds),
    ),
    "loss": (
        "LCBench, validation cross-entropy",
        lambda seeds: lcbench_part(CROSS_ENTROPY, ("random",), seeds),
    ),
    "digits": ("Digits, real trainings", digits_part),
}
"""Title and measurement of each section, by its name on the command line."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=SEEDS,
        help="of each task of LCBench, and of digits",
    )
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), default=list(PARTS))
    arguments = parser.parse_args()
    wanted = [name for name in PARTS if name in arguments.only]
    if {"accuracy", "loss"} & set(wanted) and skipped_without_data():
        wanted = [name for name in wanted if name == "digits"]
    path = RESULTS / "curve-stopping.md"
    titles = {name: title for name, (title, _) in PARTS.items()}
    for name in wanted:
        _, part = PARTS[name]
        texts = {name: part(arguments.seeds)}
        # written after each part, so that a measurement that is cut short has lost little
        text = report(path, titles, texts, "Stopping by learning curves")
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
