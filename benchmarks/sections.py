"""The sections of a report such as benchmarks/results/search.md, and what is measured anew."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.runs import RESULTS
from evonas.search.strategies.evolution import WITHOUT_A_GUIDE

Strategy = Mapping[str, Any]
"""A strategy as in a config, `{"aging": {"population": 10}}`."""


GUIDED = "guided"
"""Evolution with a guide, which costs more than evolution without one."""


def kind_of(strategy: Strategy) -> str:
    """The strategy's name, but that of its surrogate for `model_based`, and `guided` for evolution
    with a guide."""
    ((name, settings),) = strategy.items()
    if name == "model_based":
        return str(settings["surrogate"])
    if name == "evolution":
        is_scheme = any(key in settings for key in WITHOUT_A_GUIDE)
        guide = settings.get("guide", "none" if is_scheme else GUIDED)
        return name if guide == "none" else GUIDED
    return name


AMOUNTS = ("anew", "missing", "nothing")
_SECTION = re.compile(r"^## ", re.MULTILINE)


@dataclass(frozen=True)
class Plan:
    """The part of a section that is measured.

    Attributes:
        repeats: number of repeats of the quick strategies.
        only: names of the strategies to be measured; empty for all. Others keep their rows.
        old: present rows of the section, by their first cell.
        amount: one of `AMOUNTS`. These strategies are measured anew, or only where a score is
            missing, or not at all.
        folder: folder of the report and of the raw scores.
    """

    repeats: int
    only: frozenset[str] = frozenset()
    old: Mapping[str, str] = field(default_factory=dict)
    amount: str = "anew"
    folder: Path = RESULTS

    def chosen(self, entrants: Mapping[str, Strategy]) -> dict[str, Strategy]:
        """The entrants that are to be measured."""
        if self.amount == "nothing":
            return {}
        found = {}
        for name, strategy in entrants.items():
            if not self.only or kind_of(strategy) in self.only:
                found[name] = strategy
        return found

    def rows(
        self, entrants: Mapping[str, Strategy], measure: Callable[[str, Strategy], str]
    ) -> Iterator[str]:
        """The table's rows, measured or old; an entrant that has neither has no row."""
        chosen = self.chosen(entrants)
        for name, strategy in entrants.items():
            is_kept = self.amount == "missing" and name in self.old
            if name in chosen and not is_kept:
                row = measure(name, strategy)
                print(row, flush=True)
                yield row
            elif name in self.old:
                yield self.old[name]


def paragraph(text: str) -> str:
    """Sentences in lines of at most 100 characters."""
    words = " ".join(text.split())
    # hyphens and paths stay whole, so that a reader can search for them
    return textwrap.fill(words, 100, break_long_words=False, break_on_hyphens=False)


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
    found = {}
    for line in body.splitlines():
        line = line.strip()
        if line.startswith("|"):
            first, _, _ = line.strip("|").partition("|")
            found[first.strip()] = line
    return found


def report(
    path: Path,
    titles: Mapping[str, str],
    texts: Mapping[str, str],
    heading: str = "Strategies on published tables",
) -> str:
    """The whole report: the new sections, and the others as they are in the file.

    Args:
        path: file of the report.
        titles: titles of all sections, in order, by the name of the part.
        texts: new text of each part that was measured, by its name.
        heading: heading of the report.
    """
    old = read(path)
    lines = [f"# {heading}", ""]
    for name, title in titles.items():
        body = old.get(title, "")
        if name in texts:
            machine = paragraph(f"{describe()}.")
            body = f"{machine}\n\n{texts[name]}"
        if body:
            lines += [f"## {title}", "", body, ""]
    return "\n".join(lines)
