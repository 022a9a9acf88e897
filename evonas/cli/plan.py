"""`evonas plan`: what a config would take, before it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evonas.cli.options import (
    DEFAULT_RUNS,
    ConfigArgument,
    JsonOption,
    NoProbeOption,
    RunsOption,
    SetOption,
)

if TYPE_CHECKING:
    from rich.console import Console

    from evonas.runtime.planning import Plan
    from evonas.runtime.survey import Survey

NAME = "plan"


def command(
    config: ConfigArgument,
    changes: SetOption = None,
    no_probe: NoProbeOption = False,
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Say what a config would take: time, memory and disk, and what to change if it does not fit.

    Some hundred random genomes are drawn: how many are valid, how many are alike, how large they
    are. Three of them are trained as the run would train them. Nothing is recorded.
    """
    from evonas.cli.console import complain, print_json
    from evonas.runtime.config.config_file import load_config
    from evonas.runtime.planning import make_plan

    loaded = load_config(config, changes or ())
    if not as_json:
        for warning in loaded.warnings:
            complain(f"note: {warning}")
        probing = "" if no_probe else " and training a few of them; this takes a minute or more"
        complain(f"note: drawing networks{probing}")
    found = make_plan(loaded, runs, with_trainings=not no_probe)
    if as_json:
        print_json(as_plain(found))
    else:
        _print(found)


def as_plain(plan: Plan) -> dict[str, Any]:
    """A plan as plain JSON."""
    import dataclasses

    from evonas.runtime.survey import NAMES, SHARES

    seen = plan.survey
    spreads = {}
    for name in NAMES:
        spreads[name] = dict(zip(map(str, SHARES), seen.spread(name), strict=False))
    probe = plan.probe
    return {
        "drawn": seen.drawn,
        "duplicates": seen.duplicates,
        "measured": len(seen.sizes),
        "valid": seen.valid,
        **spreads,
        "probe": None if probe is None else dataclasses.asdict(probe),
        "expected": None if plan.expected is None else dataclasses.asdict(plan.expected),
        "free": dataclasses.asdict(plan.machine),
        "advice": list(plan.advice),
    }


def _print(plan: Plan) -> None:
    from evonas.cli.console import console, say

    out = console()
    _print_survey(plan.survey, out)
    if plan.probe is not None:
        _print_expected(plan, out)
    for sentence in plan.advice:
        say(out, f"to change: {sentence}")
    if not plan.advice:
        say(out, "It fits: there is nothing to change.")


def _print_survey(seen: Survey, out: Console) -> None:
    """What random genomes are like."""
    from evonas.cli.console import say
    from evonas.runtime.survey import NAMES

    alike = f"{seen.duplicates:,} of them duplicates ({100 * seen.duplicate_share:.1f} %)"
    say(out, f"  genomes     {seen.drawn:,} drawn at random, {alike}")
    limits = " and are within the limits" if seen.limits else ""
    say(
        out,
        f"  networks    {seen.valid:,} of {len(seen.sizes):,} can be built{limits}"
        f" ({100 * seen.valid_share:.0f} %)",
    )
    for name in NAMES:
        spread = seen.spread(name)
        if spread:
            least, _, middle, nine, most = (f"{one:,}" for one in spread)
            say(out, f"  {name:<10}  {least} to {most}; half have up to {middle}, 90 % {nine}")


def _print_expected(plan: Plan, out: Console) -> None:
    """What the probe trainings were, and what the run will take."""
    from evonas.cli.console import say
    from evonas.runtime.expectation import times_in_words
    from evonas.words import counted, size

    probe, found = plan.probe, plan.expected
    assert probe is not None
    assert found is not None
    at_once = f"{counted(probe.workers, 'worker')}"
    networks = counted(len(probe.trainings), "network")
    say(out, f"  trained     {networks} by {at_once}: {probe.in_words()}")
    most = "at most " if found.is_at_most else "about "
    time = times_in_words(found.seconds)
    say(out, f"  time        {most}{time} for {counted(found.trainings, 'full training')}")
    machine = plan.machine
    say(out, f"  memory      {size(found.memory)}, and {size(machine.memory)} are free")
    say(out, f"  disk        {size(found.disk)}, and {size(machine.disk)} are free")
