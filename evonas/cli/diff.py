"""`evonas diff`: what differs between two runs, in their configs and in what came of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evonas.cli.options import DEFAULT_RUNS, JsonOption, RunArgument, RunsOption

if TYPE_CHECKING:
    from evonas.insight.side_by_side import Plain, Row
    from evonas.view import Run

NAME = "diff"

OWN = frozenset({"run"})
"""Keys of a config that always differ, and say nothing."""


def command(
    run: RunArgument,
    other: Annotated[
        str, typer.Argument(metavar="RUN", help="The other run's directory, or its name.")
    ],
    runs: RunsOption = DEFAULT_RUNS,
    as_json: JsonOption = False,
) -> None:
    """Compare two runs: the keys of their configs that differ, what else they were made from, and
    what came of each.

    Both configs are taken from the records, with every default written out. Works while a run goes
    on.
    """
    from evonas.cli.console import find_run, print_json
    from evonas.insight.side_by_side import side_by_side
    from evonas.view import load

    first = load(find_run(run, runs))
    second = load(find_run(other, runs))
    keys = _keys(first, second)
    rows = side_by_side(first.summary(), second.summary())
    if as_json:
        print_json(_as_plain(first, second, keys, rows))
    else:
        _print(first, second, keys, rows)


def _keys(first: Run, second: Run) -> list[dict[str, Any]]:
    """The keys in which the configs differ: `key`, `from`, `to`."""
    from evonas.runtime.config.differing import differing

    found = differing(first.config.to_json(), second.config.to_json())
    return [one for one in found if one["key"] not in OWN]


def _made_from(first: Run, second: Run) -> list[tuple[str, bool]]:
    """What both runs were made from beside their configs, and whether it is the same."""
    return [
        ("data", first.fingerprint == second.fingerprint),
        ("space", first.space.text == second.space.text),
    ]


def _as_plain(
    first: Run, second: Run, keys: Sequence[Mapping[str, Any]], rows: Sequence[Row]
) -> dict[str, Any]:
    config = [{"key": one["key"], "first": one["from"], "second": one["to"]} for one in keys]
    result = [{"key": row.key, "first": row.first, "second": row.second} for row in rows]
    same = {f"same_{name}": is_same for name, is_same in _made_from(first, second)}
    return {
        "first": str(first.directory),
        "second": str(second.directory),
        "config": config,
        **same,
        "result": result,
    }


def _print(first: Run, second: Run, keys: Sequence[Mapping[str, Any]], rows: Sequence[Row]) -> None:
    from evonas.cli.console import console, say
    from evonas.cli.table import Column, print_table
    from evonas.words import listed, shown

    out = console()
    columns = [Column("config"), Column(str(first.directory)), Column(str(second.directory))]
    if keys:
        told = [[one["key"], shown(one["from"]), shown(one["to"])] for one in keys]
        print_table(out, columns, told)
    else:
        say(out, "Their configs are the same, but for the names of the runs.")
    made_from = _made_from(first, second)
    if others := [name for name, is_same in made_from if not is_same]:
        say(out, f"They were made from other content: {listed(others)}.")
    columns[0] = Column("result")
    results = [[row.key, _value(row.key, row.first), _value(row.key, row.second)] for row in rows]
    print_table(out, columns, results)
    if time := _differ_by_time(first, second, keys, rows):
        say(out, time)
    if keys:
        say(out, "One run of each shows what happened, and not which config is better.")


def _differ_by_time(
    first: Run, second: Run, keys: Sequence[Mapping[str, Any]], rows: Sequence[Row]
) -> str:
    """Why runs of one config came to other results, if it has a budget of time; or empty."""
    from evonas.words import span

    time = first.budget.time
    is_alike = not keys and all(is_same for _, is_same in _made_from(first, second))
    has_changed = any(row.first != row.second for row in rows if row.key != "seconds")
    if time is None or not is_alike or not has_changed:
        return ""
    return (
        f"Their budget is a time ({span(time)}). How much is trained in it depends on the machine"
        " and on what else it does, so their results may differ in spite of one seed. With a"
        " budget of trials or epochs they do not."
    )


def _value(key: str, value: Plain) -> str:
    """A fact of a run, for people."""
    from evonas.cli.console import duration
    from evonas.words import measured

    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if key == "seconds":
        return duration(value)
    return measured(key, value)
