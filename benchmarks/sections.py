"""The sections of a report such as benchmarks/results/search.md, and which of their rows are measured anew."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.runs import RESULTS

Strategy = Mapping[str, Any]
"""As in a config, `{"aging": {"population": 10}}`."""

AMOUNTS = ("anew", "missing", "nothing")
_SECTION = re.compile(r"^## ", re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """What of a section is measured.

    Attributes:
        repeats: of the quick strategies.
        only: names of strategies; the rows of others stay as they are. Empty for all.
        old: rows of the section as it is, by their first cell.
        amount: one of `AMOUNTS`: of these strategies everything is measured anew, or what is not there yet, or nothing,
            and the report is made of what there is.
        folder: of the report and the raw scores.
    """

    repeats: int
    only: frozenset[str] = frozenset()
    old: Mapping[str, str] = field(default_factory=dict)
    amount: str = "anew"
    folder: Path = RESULTS

    def chosen(self, entrants: Mapping[str, Strategy]) -> dict[str, Strategy]:
        """Those that are to be measured."""
        if self.amount == "nothing":
            return {}
        return {
            name: how
            for name, how in entrants.items()
            if not self.only or next(iter(how)) in self.only
        }

    def rows(
        self, entrants: Mapping[str, Strategy], measure: Callable[[str, Strategy], str]
    ) -> Iterator[str]:
        """The table's rows: measured, or as they are; none for those that are neither."""
        chosen = self.chosen(entrants)
        for name, strategy in entrants.items():
            if name in chosen and not (self.amount == "missing" and name in self.old):
                row = measure(name, strategy)
                print(row, flush=True)
                yield row
            elif name in self.old:
                yield self.old[name]


def paragraph(text: str) -> str:
    """Sentences in lines of at most 120 characters."""
    return textwrap.fill(
        " ".join(text.split()), 120, break_long_words=False, break_on_hyphens=False
    )


def read(path: Path) -> dict[str, str]:
    """The sections of a report, by title."""
    found = {}
    if path.exists():
        for section in _SECTION.split(path.read_text(encoding="utf-8"))[1:]:
            title, _, body = section.partition("\n")
            found[title.strip()] = body.strip()
    return found


def rows(body: str) -> dict[str, str]:
    """The rows of a section's tables, by their first cell."""
    lines = (line.strip() for line in body.splitlines())
    return {
        line.strip("|").partition("|")[0].strip(): line for line in lines if line.startswith("|")
    }


def report(
    path: Path,
    titles: Mapping[str, str],
    texts: Mapping[str, str],
    heading: str = "Strategies on published tables",
) -> str:
    """The whole report: these sections, and what the file has of the others.

    Args:
        titles: of all sections, in order, by the name of the part.
        texts: what was measured now, by the name of the part.
    """
    old = read(path)
    lines = [f"# {heading}", ""]
    for name, title in titles.items():
        body = f"{describe()}.\n\n{texts[name]}" if name in texts else old.get(title, "")
        if body:
            lines += [f"## {title}", "", body, ""]
    return "\n".join(lines)
