"""`make bench-curve-stopping`: epochs that stopping by learning curves saves, against the best that it misses.

    python -m benchmarks.curve_stopping [--seeds 3] [--only PART ...]

Each part is a section of benchmarks/results/curve-stopping.md; a part that is not run again keeps its text. LCBench
needs EVONAS_DATA. The defaults of the rule were chosen on other random configurations of LCBench than those measured.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from benchmarks.loop import Issue, search
from benchmarks.published import SPACES, lcbench_curve, lcbench_tasks, skipped_without_data
from benchmarks.runs import CHECKOUT, RESULTS, finished, spread
from benchmarks.sections import Strategy, paragraph, report
from evonas import api
from evonas.evaluate.contract.protocol import Job, OnEpoch, Setup
from evonas.evaluate.training.learning_curve import LEARNING_CURVE, STOPPED, first_stop, rule_of
from evonas.genome import Genome, load_space
from evonas.runtime.config.config_file import load_config
from evonas.runtime.config.stop_config import LearningCurveConfig
from evonas.runtime.loop.engine import RunLimits
from evonas.runtime.record.reader import RecordReader
from evonas.trial import Fitness, Objective, Outcome, TrialState

TRAININGS, EPOCHS = 200, 52
SEEDS = 3
WORKERS, LOOK_AHEAD = 8, 16
STRATEGIES: Mapping[str, Strategy] = {"random": {"random": {}}, "evolution": {"evolution": {}}}
Rule = tuple[float, float]
DEFAULT = LearningCurveConfig()
RULES: tuple[Rule, ...] = ((0.25, 0.0), (DEFAULT.after, DEFAULT.margin), (0.5, 2.0))
"""`after` and `margin`, from bold to careful."""

DIGITS = (
    "budget.trials=24",
    "strategy={evolution: {population: 8, replacement: {elitist: {elites: 4}}}}",
    "look_ahead=4",
    "limits.flops=500000",
    "pool={local: {workers: 1}}",
)
"""What is changed in configs/digits.yaml, to have it short."""


@dataclass(frozen=True)
class Curves:
    """Trains on the surrogate of LCBench: an epoch takes a second, and a trial has the score of its best epoch."""

    task: str
    objective: Objective

    def __call__(self, setup: Setup, task: Job, on_epoch: OnEpoch) -> Outcome:
        values = curve(Genome.from_dict(task.genome), self.task, self.objective.name)
        stop = first_stop(values, self.objective, rule_of(setup, task.incumbent, task.epochs))
        trained = len(values) if stop is None else stop.epoch
        details = {} if stop is None else {STOPPED: stop.to_json()}
        metrics = {self.objective.name: best_of(values[:trained], self.objective)}
        return Outcome(TrialState.OK, metrics, trained, float(trained), details=details)


@lru_cache(maxsize=5000)
def curve(genome: Genome, task: str, metric: str) -> tuple[float, ...]:
    return tuple(lcbench_curve(genome, EPOCHS, task)[metric])


def best_of(values: Iterable[float], objective: Objective) -> float:
    return max(values) if objective.direction == "max" else min(values)


@dataclass(frozen=True)
class Search:
    """What came of one search.

    Attributes:
        best: the best score.
        epochs: trained.
        stopped: trials.
        promising: trials that, trained in full, would have been better than all before them.
        lost: those of them that were stopped.
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
    stop = None if rule is None else {LEARNING_CURVE: {"after": rule[0], "margin": rule[1]}}
    problem = Issue(load_space(SPACES / "lcbench.yaml"), objective, EPOCHS, Curves(task, objective))
    found = search(
        problem, strategy, seed, RunLimits(TRAININGS, look_ahead=LOOK_AHEAD), WORKERS, stop
    )
    best, stopped, promising, lost = None, 0, 0, 0
    for trial in found.trained:
        was_stopped = STOPPED in found.outcomes[trial.id].details
        full = Fitness(
            best_of(curve(trial.genome, task, objective.name), objective), objective.direction
        )
        would_be_best = best is not None and full > best
        stopped, promising, lost = (
            stopped + was_stopped,
            promising + would_be_best,
            lost + (would_be_best and was_stopped),
        )
        assert trial.fitness is not None
        best = trial.fitness if best is None or trial.fitness > best else best
    assert best is not None
    epochs = sum(found.outcomes[trial.id].epochs for trial in found.trained)
    return Search(best.value, epochs, stopped, promising, lost)


def lcbench_part(objective: Objective, names: Sequence[str], seeds: int) -> str:
    """All rules on all tasks, for these strategies."""
    tasks = lcbench_tasks()
    lines = [
        paragraph(
            f"""
            Surrogate of LCBench, {len(tasks)} tasks, {_seeds(seeds)}, {TRAININGS} trainings of at most {EPOCHS}
            epochs; fitness = {objective.name} of the best epoch; {WORKERS} simulated workers, look_ahead {LOOK_AHEAD}.
            *Saved*: the share of the epochs that were not trained, beside the same search without stopping, mean and
            quartiles over the {len(tasks) * seeds} searches. *Best*: the searches whose best is worse, the same and
            better than without stopping (better only where evolution goes another way); *difference*: of the best, its
            mean and its worst, in {"points" if objective.direction == "max" else "units of the loss"}, below 0 for
            worse. *Lost*: of the trials that would have been better than all before them, those that were stopped.
            """
        ),
        "",
        "| strategy | after | margin | saved | trials stopped | best: worse, same, better | difference, worst | lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in names:
        pairs = [(task, seed) for task in tasks for seed in range(seeds)]
        found: dict[Rule | None, list[Search]] = {rule: [] for rule in (None, *RULES)}
        for task, seed in pairs:  # one after the other, so that the curves are looked up once
            for rule, searches in found.items():
                searches.append(measured(task, objective, STRATEGIES[name], seed, rule))
        for rule in RULES:
            lines.append(
                _row(name, rule, objective, list(zip(found[None], found[rule], strict=True)))
            )
            print(lines[-1], flush=True)
    return "\n".join(lines)


def _seeds(count: int) -> str:
    return "seed 0" if count == 1 else f"seeds 0 to {count - 1}"


def _row(
    name: str, rule: Rule, objective: Objective, found: Sequence[tuple[Search, Search]]
) -> str:
    sign = 1.0 if objective.direction == "max" else -1.0
    saved = [1 - ruled.epochs / plain.epochs for plain, ruled in found]
    gains = [sign * (ruled.best - plain.best) + 0.0 for plain, ruled in found]  # no -0.0
    low, _, high = statistics.quantiles(saved, n=4)
    counts = [
        sum(gain < 0 for gain in gains),
        sum(gain == 0 for gain in gains),
        sum(gain > 0 for gain in gains),
    ]
    stopped = statistics.fmean(ruled.stopped / TRAININGS for _, ruled in found)
    lost, promising = (
        sum(ruled.lost for _, ruled in found),
        sum(ruled.promising for _, ruled in found),
    )
    default = " (default)" if rule == (DEFAULT.after, DEFAULT.margin) else ""
    return (
        f"| {name} | {rule[0]} | {rule[1]}{default} | {statistics.fmean(saved):.0%} ({low:.0%} to {high:.0%})"
        f" | {stopped:.0%} | {', '.join(map(str, counts))} of {len(found)}"
        f" | {statistics.fmean(gains):+.4f}, {min(gains):+.4f} | {lost} of {promising} |"
    )


def digits_part(seeds: int) -> str:
    """Real trainings, with patience in both cases."""
    rule = "learning_curve"
    shown = load_config(
        CHECKOUT / "configs" / "digits.yaml", [*DIGITS, f"training.stop={rule}"]
    ).config
    lines = [
        paragraph(
            f"""
            configs/digits.yaml, made short: evolution with a population of 8, 4 of them elites, from random networks;
            {shown.budget.trials} trials, {shown.limits.flops:,} flops at most, look_ahead {shown.look_ahead}, one
            worker; {shown.training.epochs} epochs, patience {shown.training.patience}, with and without
            `stop: learning_curve` (after {DEFAULT.after}, margin {DEFAULT.margin}). *Epochs* are those of all
            trainings; infeasible networks have none, and patience ends trainings in both cases. *Same*: how many trials
            from the first on are the same in both runs, in genome, lineage and every score. The scores are the
            winners'.
            """
        ),
        "",
        "| seed | | epochs | stopped | saved | same | validation loss | test accuracy |",
        "|---|---|---|---|---|---|---|---|",
    ]
    found: dict[str, list[Run]] = {"without": [], "with": []}
    for seed in range(seeds):
        for name, changes in (("without", []), ("with", [f"training.stop={rule}"])):
            changes = [f"seed={seed}", *DIGITS, *changes]
            found[name].append(
                _of(finished("digits", "bench-curve-stopping", f"{name}-{seed}", changes))
            )
        plain, ruled = found["without"][-1], found["with"][-1]
        same = next(
            (
                at
                for at, (a, b) in enumerate(zip(plain.content, ruled.content, strict=False))
                if a != b
            ),
            min(len(plain.content), len(ruled.content)),
        )
        saved = f"{1 - ruled.epochs / plain.epochs:.0%}"
        lines.append(f"| {seed} | without | {plain.epochs:,} | | | | {plain.scores} |")
        lines.append(
            f"| {seed} | with | {ruled.epochs:,} | {ruled.stopped} of {ruled.trained} | {saved}"
            f" | {same} of {len(ruled.content)} | {ruled.scores} |"
        )
        print("\n".join(lines[-2:]), flush=True)
    lines.append("")
    for name, runs in found.items():
        losses = spread([run.loss for run in runs]) if seeds > 1 else f"{runs[0].loss:.4f}"
        lines.append(
            f"* {name}: {sum(run.epochs for run in runs):,} epochs, validation loss {losses}"
        )
    return "\n".join(lines)


@dataclass(frozen=True)
class Run:
    """What came of a run on digits."""

    epochs: int
    trained: int
    stopped: int
    loss: float
    scores: str
    content: Sequence[tuple[object, ...]]


def _of(run: api.Run) -> Run:
    with RecordReader(run.layout.record) as record:
        attempts, content = record.attempts(), record.content()
    final = {attempt.trial: attempt for attempt in attempts}.values()
    metrics = (run.result or {})["metrics"]
    return Run(
        epochs=sum(attempt.epochs for attempt in final),
        trained=len(final),
        stopped=sum(STOPPED in attempt.details for attempt in final),
        loss=metrics["val_loss"],
        scores=f"{metrics['val_loss']:.4f} | {metrics['test_accuracy']:.4f}",
        content=[
            (*row[:13],) for row in content
        ],  # without when it was told, which depends on nothing else here
    )


ACCURACY, CROSS_ENTROPY = Objective("val_accuracy", "max"), Objective("val_cross_entropy", "min")
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


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, help="of each task of LCBench, and of digits"
    )
    parser.add_argument("--only", nargs="+", choices=sorted(PARTS), default=list(PARTS))
    arguments = parser.parse_args()
    wanted = [name for name in PARTS if name in arguments.only]
    if {"accuracy", "loss"} & set(wanted) and skipped_without_data():
        wanted = [name for name in wanted if name == "digits"]
    path, titles = (
        RESULTS / "curve-stopping.md",
        {name: title for name, (title, _) in PARTS.items()},
    )
    for name in wanted:
        text = PARTS[name][1](arguments.seeds)
        path.write_text(
            report(path, titles, {name: text}, "Stopping by learning curves"), encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
