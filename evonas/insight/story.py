"""The story of a trial: how it came from its founder, step by step, and what each step brought."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evonas.insight.credit import Credit, credits
from evonas.insight.genealogy import Step, line_of_descent
from evonas.insight.noise import Noise, noise_of
from evonas.insight.summary import succeeded
from evonas.trial import SEED, Objective, Trial
from evonas.words import counted, listed, number


@dataclass(frozen=True)
class Chapter:
    """One step of a story.

    Attributes:
        step: the step, with its changes, its gain and what was expected.
        place: how many of the trials before it were better; None if it has no fitness.
        costs: `parameters`, `flops` and `seconds` of the trial, as far as they are known.
        is_beyond_noise: whether its gain or loss is more than two trainings of one genome differ;
            None if there is no gain, or if the noise is not known.
    """

    step: Step
    place: int | None
    costs: Mapping[str, float]
    is_beyond_noise: bool | None


@dataclass(frozen=True)
class Story:
    """How a trial came to be.

    Attributes:
        chapters: the steps from the founder to the trial.
        noise: what luck alone does in this run; None if no genome was trained twice.
        credits: what the operators have brought, over all trials.
    """

    chapters: Sequence[Chapter]
    noise: Noise | None
    credits: Sequence[Credit]

    def to_json(self) -> dict[str, Any]:
        """The same as plain JSON."""
        noise = None
        if self.noise is not None:
            noise = {**asdict(self.noise), "of_a_difference": self.noise.of_a_difference}
        operators = [_finite(asdict(one)) for one in self.credits]
        steps = [_plain(chapter) for chapter in self.chapters]
        return {"steps": steps, "noise": noise, "operators": operators}


def story(trials: Sequence[Trial], trial_id: int, seconds: Mapping[int, float]) -> Story:
    """The story of a trial.

    Args:
        trials: trials with ids 0..n-1, in that order.
        seconds: trial -> seconds of its training.

    Raises:
        UserError: there is no such trial.
    """
    noise = noise_of(trials)
    least = None if noise is None else noise.of_a_difference
    chapters = []
    for step in line_of_descent(trials, trial_id):
        trial = trials[step.id]
        costs = {
            name: trial.metrics[name] for name in ("parameters", "flops") if name in trial.metrics
        }
        if step.id in seconds:
            costs["seconds"] = seconds[step.id]
        is_beyond = None
        if least is not None and step.gain is not None:
            is_beyond = abs(step.gain) > least
        chapters.append(Chapter(step, _place(trials, trial), costs, is_beyond))
    return Story(chapters, noise, credits(trials, seconds))


def _place(trials: Sequence[Trial], trial: Trial) -> int | None:
    """How many trials before this one were better."""
    own = succeeded(trial)
    if own is None:
        return None
    before = (succeeded(other) for other in trials[: trial.id])
    return sum(other.order < own.order for other in before if other is not None)


def sentences(told: Story, objective: Objective) -> Iterator[str]:
    """The story in words, a sentence or two for each step. Each is made from the record."""
    first, *others = told.chapters
    yield _of_founder(first, objective)
    for chapter in others:
        yield _of_step(chapter)
    yield from _of_whole(told, objective)


def _of_founder(chapter: Chapter, objective: Objective) -> str:
    step = chapter.step
    operator = step.operators[0] if step.operators else ""
    what = f"made by {operator}" if operator else "of unknown origin"
    if operator == "sample":
        what = "a random genome"
    elif operator.startswith(SEED):
        what = f"the known genome {operator.removeprefix(SEED)}"
    words = f"It begins with trial {step.id}, {what}"
    if step.fitness is None:
        return f"{words}, which failed."
    return f"{words}: {objective.name} {number(step.fitness)}.{_expected(step)}{_record(chapter)}"


def _of_step(chapter: Chapter) -> str:
    step = chapter.step
    made = listed(list(step.operators)) or "no operator"
    words = f"Trial {step.id} came of trial {step.parent} by {made}"
    if step.others:
        noun = "trial" if len(step.others) == 1 else "trials"
        words += f", with {noun} {listed([str(one) for one in step.others])}"
    if step.resume_from is not None:
        words += f"; it continues the training of trial {step.resume_from}"
    words += f": {_gain(chapter)}."
    if len(step.changes) > 1:
        words += (
            f" Its {len(step.changes)} changes came together: this run cannot tell which of them"
            " mattered."
        )
    return f"{words}{_expected(step)}{_record(chapter)}"


def _gain(chapter: Chapter) -> str:
    step = chapter.step
    if step.fitness is None:
        return "it failed"
    if step.gain is None:
        return f"{number(step.fitness)}, and its parent has no value to compare"
    if not step.gain:
        return f"{number(step.fitness)}, as before"
    word = "better" if step.gain > 0 else "worse"
    words = f"{number(step.fitness)}, {number(abs(step.gain))} {word}"
    if chapter.is_beyond_noise is None:
        return words
    beyond = "more" if chapter.is_beyond_noise else "no more"
    return f"{words}, which is {beyond} than luck alone does"


def _expected(step: Step) -> str:
    if step.expected is None or step.fitness is None:
        return ""
    low, high = number(step.expected.low), number(step.expected.high)
    is_within = "is" if step.expected.holds(step.fitness) else "is not"
    return (
        f" The guide expected {number(step.expected.median)}, and two times in three {low} to"
        f" {high}; the result {is_within} within."
    )


def _record(chapter: Chapter) -> str:
    return " It was the best so far." if chapter.place == 0 and chapter.step.id else ""


def _of_whole(told: Story, objective: Objective) -> Iterator[str]:
    """What holds of the whole line: its gain, its cost, and what nobody knows."""
    first, last = told.chapters[0], told.chapters[-1]
    count = len(told.chapters) - 1
    if not count:
        yield "It is a founder: evolution has not improved on it, or has not led to it."
    elif first.step.fitness is not None and last.step.fitness is not None:
        yield (
            f"In {counted(count, 'step')}, {objective.name} went from"
            f" {number(first.step.fitness)} to {number(last.step.fitness)}{_cost(first, last)}."
        )
    if told.noise is None:
        yield (
            "How much of a gain is luck is not known: this run has trained no genome twice with"
            " different seeds."
        )
    else:
        yield (
            f"Two trainings of one genome differ by more than"
            f" {number(told.noise.of_a_difference)} once in twenty times"
            f" ({counted(told.noise.trainings, 'training')} of"
            f" {counted(told.noise.genomes, 'genome')})."
        )


def _cost(first: Chapter, last: Chapter) -> str:
    """`, and parameters from 1,234 to 5,678`; empty if they are not known."""
    before, after = first.costs.get("parameters"), last.costs.get("parameters")
    if before is None or after is None:
        return ""
    return f", and the network from {number(round(before))} to {number(round(after))} parameters"


def _plain(chapter: Chapter) -> dict[str, Any]:
    step = asdict(chapter.step)
    return {
        **step,
        "better_before": chapter.place,
        "costs": dict(chapter.costs),
        "is_beyond_noise": chapter.is_beyond_noise,
    }


def _finite(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with None for what is no number, as JSON has none."""
    found = {}
    for name, value in row.items():
        is_nan = isinstance(value, float) and not math.isfinite(value)
        found[name] = None if is_nan else value
    return found
