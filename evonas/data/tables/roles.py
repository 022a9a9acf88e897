"""Which column of a table is what: target, feature, group, time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evonas.data.tables.cells import Cells
from evonas.data.tables.schema import GAPS, Kind
from evonas.errors import InvalidData, Issue, did_you_mean
from evonas.genome.strict_yaml import short
from evonas.words import listed

USUAL_TARGETS = ("target", "class", "label", "y")
"""Names of a column that is the target if nothing else is said, in small letters."""

TARGET_KINDS: tuple[Kind, ...] = ("number", "category", "boolean")
"""What a target can hold."""

MOST_NAMED = 30
"""The most columns that a message names."""


@dataclass(frozen=True)
class Wanted:
    """What a user says of the columns of a table.

    Attributes:
        target: names of the target's columns; empty to look for one of the usual names.
        text: name of the column that alone is the input; empty for all columns.
        group: name of the column that tells what samples have in common; empty for none.
        time: name of the column that tells when a sample was taken; empty for none.
        sample_weight: name of the column that tells what a row counts; empty if all count the same.
        sequence: name of the column of the ids of sequences, whose steps the rows are; empty if a
            row is a sample.
        order: name of the column by which the steps of a sequence are sorted; empty for the order
            of the rows.
        columns: what columns hold, for those where it is not to be inferred.
        gaps: words that mean that a value is missing, beside the usual ones.
        separator: what separates the fields of a CSV; empty to look at its header.
        encoding: encoding of a CSV; empty for UTF-8.
        usual_gaps: the usual words for gaps; none for words of Python, where None is a gap.
    """

    target: tuple[str, ...] = ()
    text: str = ""
    group: str = ""
    time: str = ""
    sample_weight: str = ""
    sequence: str = ""
    order: str = ""
    columns: Mapping[str, Kind] = field(default_factory=dict)
    gaps: tuple[str, ...] = ()
    separator: str = ""
    encoding: str = ""
    usual_gaps: tuple[str, ...] = GAPS

    @property
    def roles(self) -> list[tuple[str, str]]:
        """Each key that names a column beside the target, and the name; empty for none."""
        keys = ("text", "group", "time", "sample_weight", "sequence", "order")
        return [(key, getattr(self, key)) for key in keys]

    @property
    def all_gaps(self) -> tuple[str, ...]:
        """The usual words for gaps and those of the user."""
        return (*self.usual_gaps, *self.gaps)


def targets_of(cells: Cells, wanted: Wanted) -> tuple[str, ...]:
    """The names of the target's columns.

    Raises:
        InvalidData: there is no such column, or a column has two roles.
    """
    names = cells.frame.columns
    issues = _unknown(cells, wanted) + _without_sequence(cells, wanted)
    targets = wanted.target
    if not targets:
        usual = [name for name in names if name.lower() in USUAL_TARGETS]
        if len(usual) != 1:
            issues.append(Issue(_which_target(names, usual), "data.target", cells.origin))
        targets = tuple(usual)
    issues += _twice(cells, wanted, targets)
    if issues:
        raise InvalidData(issues)
    return targets


def _which_target(names: Sequence[str], usual: Sequence[str]) -> str:
    """What to say if no column is the only one with a usual name."""
    found = listed([repr(name) for name in usual]) if usual else "none"
    return (
        "say which column is to be predicted: `data: {path: ..., target: NAME}`."
        f" Found of the usual names ({', '.join(USUAL_TARGETS)}): {found}."
        f" Columns: {_columns(names)}."
    )


def _columns(names: Sequence[str]) -> str:
    """The columns of a table, as a message names them."""
    shown = [short(name, 40) for name in names[:MOST_NAMED]]
    more = len(names) - len(shown)
    if more:
        shown.append(f"and {more:,} more")
    return ", ".join(shown)


def _unknown(cells: Cells, wanted: Wanted) -> list[Issue]:
    """An issue for each name that no column has."""
    names = cells.frame.columns
    asked = [("target", name) for name in wanted.target]
    asked += wanted.roles
    asked += [("columns", name) for name in wanted.columns]
    found = []
    for key, name in asked:
        if not name or name in names:
            continue
        hint = did_you_mean(name, names)
        # Letters may be large in the header, and small in the config.
        alike = [one for one in names if one.lower() == name.lower()]
        if alike:
            hint = f" Did you mean {alike[0]!r}?"
        message = f"there is no column {short(name)!r}.{hint} Columns: {_columns(names)}."
        found.append(Issue(message, f"data.{key}", cells.origin))
    return found


def _without_sequence(cells: Cells, wanted: Wanted) -> list[Issue]:
    """An issue if `order` and `sequence` do not go together."""
    if wanted.order and not wanted.sequence:
        message = "sorts the rows of a sequence: `sequence` names the column of their ids."
        message += f" Received: {short(wanted.order)!r} without `sequence`."
        return [Issue(message, "data.order", cells.origin)]
    if wanted.sequence and wanted.text:
        message = "cannot stand beside `sequence`: a text is the whole input."
        return [Issue(f"{message} Received: {short(wanted.text)!r}.", "data.text", cells.origin)]
    return []


def _twice(cells: Cells, wanted: Wanted, targets: Sequence[str]) -> list[Issue]:
    """An issue for each column that has two roles."""
    roles = [("target", name) for name in targets]
    roles += wanted.roles
    known: dict[str, str] = {}
    found = []
    for key, name in roles:
        if not name:
            continue
        if name in known:
            message = f"the column {short(name)!r} is under `{known[name]}` as well."
            found.append(Issue(message, f"data.{key}", cells.origin))
        known[name] = key
        if key != "target" and name in wanted.columns:
            message = f"the column {short(name)!r} is no feature, because it is under `{key}`."
            found.append(Issue(message, "data.columns", cells.origin))
        if key == "target" and wanted.columns.get(name) not in (None, *TARGET_KINDS):
            message = (
                f"the target {short(name)!r} can be {' or '.join(TARGET_KINDS)}."
                f" Received: {wanted.columns[name]}."
            )
            found.append(Issue(message, "data.columns", cells.origin))
    return found
