"""Every error that evonas raises on purpose, in one tree.

    EvonasError                   exit 1    a bug of evonas: please report it
    ├── UserError                 exit 2    the command line, a name, a state that the user can mend
    │   ├── NothingToMutate       exit 2    no edit with a rate above 0 can change this genome
    │   └── InvalidInput          exit 2    a file that cannot be accepted, with all its problems
    │       ├── InvalidYaml                 not strict YAML
    │       ├── InvalidSpace                a search space
    │       ├── InvalidGenome               a genome, or a seed genome's file
    │       ├── InvalidConfig               a run config
    │       └── InvalidData                 the user's arrays
    ├── NothingFeasible           exit 3    the budget is spent and no trial succeeded
    ├── NotRepeatable             exit 4    made once more, something differs from the record
    ├── RepeatedFailures          exit 5    many trials in a row failed for one cause
    ├── RunHeld                   exit 6    another process is working on this run
    ├── InvalidRecord             exit 65   a damaged record, or one of a newer evonas
    │   └── InvalidCheckpoint     exit 65   a damaged file of arrays, or one of another training
    ├── NoWorker                  exit 69   no worker could be started, or a device is missing
    ├── SystemLimit               exit 71   the system allows no more, such as open files
    ├── DiskFailure               exit 74   the disk is full or not writable
    └── Stopped                   exit 130  by Ctrl-C
        └── Terminated            exit 143  by SIGTERM

Codes from 65 on are those of BSD's `sysexits.h`; 130 and 143 are 128 + the number of the signal.
A failed network is not in this tree: it is an `evonas.trial.Outcome`.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from evonas.words import clean

__all__ = [
    "DiskFailure",
    "EvonasError",
    "InvalidCheckpoint",
    "InvalidConfig",
    "InvalidData",
    "InvalidGenome",
    "InvalidInput",
    "InvalidRecord",
    "InvalidSpace",
    "InvalidYaml",
    "Issue",
    "NoWorker",
    "NotRepeatable",
    "NothingFeasible",
    "NothingToMutate",
    "RepeatedFailures",
    "RunHeld",
    "Stopped",
    "SystemLimit",
    "Terminated",
    "UserError",
]


class EvonasError(Exception):
    """The root; the message is one or a few sentences for the user."""

    exit_code: ClassVar[int] = 1

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the sentence, where the lines of evonas would help nobody.

        IPython asks an exception for this. A bug of evonas is shown with all its lines.
        """
        if type(self) is EvonasError:
            return traceback.format_exception(self)
        return [line.rstrip() for line in traceback.format_exception_only(self)]


class UserError(EvonasError):
    exit_code = 2


class NothingToMutate(UserError):
    pass


@dataclass(frozen=True)
class Issue:
    """One thing that is wrong, and where.

    Attributes:
        message: what is wrong, what is allowed, and what was received.
        key: the path of keys inside the file, such as `strategy.evolution.population`; empty for
            the whole file.
        file: the file's path as the user wrote it; empty if there is no file.
        line: the line in the file, counted from 1; 0 if unknown.
    """

    message: str
    key: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = self.file
        # The form `file:line`, which terminals and editors open with a click.
        if self.file and self.line:
            place = f"{self.file}:{self.line}"
        parts = filter(None, (place, self.key, self.message))
        # What the user's files hold must not look like another problem.
        return clean(": ".join(parts))


class InvalidInput(UserError):
    """Carries every problem found, not only the first."""

    def __init__(self, problems: Issue | Iterable[Issue]) -> None:
        if isinstance(problems, Issue):
            problems = (problems,)
        self.problems: tuple[Issue, ...] = tuple(problems)
        lines = map(str, self.problems)
        super().__init__("\n".join(lines))


class InvalidYaml(InvalidInput):
    pass


class InvalidSpace(InvalidInput):
    pass


class InvalidGenome(InvalidInput):
    pass


class InvalidConfig(InvalidInput):
    pass


class InvalidData(InvalidInput):
    pass


class NothingFeasible(EvonasError):
    exit_code = 3


class NotRepeatable(EvonasError):
    exit_code = 4


class RepeatedFailures(EvonasError):
    exit_code = 5


class RunHeld(EvonasError):
    exit_code = 6


class InvalidRecord(EvonasError):
    exit_code = 65


class InvalidCheckpoint(InvalidRecord):
    pass


class NoWorker(EvonasError):
    exit_code = 69


class SystemLimit(EvonasError):
    exit_code = 71


class DiskFailure(EvonasError):
    exit_code = 74


class Stopped(EvonasError):
    exit_code = 130


class Terminated(Stopped):
    exit_code = 143


_SWITCHES = {
    "no": "false",
    "off": "false",
    "n": "false",
    "yes": "true",
    "on": "true",
    "y": "true",
}
"""Words that mean true or false in YAML 1.1, and are plain words in YAML 1.2."""


def switch_hint(received: object) -> str:
    """A hint to append to an error if true or false is wanted.

    It is empty unless the user wrote a word such as `no`.
    """
    word = received.lower() if isinstance(received, str) else ""
    if word not in _SWITCHES:
        return ""
    return f" In YAML 1.2 `{received}` is a word: write {_SWITCHES[word]}."


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """A hint to append to an error: ` Did you mean 'adam'?`; empty if no known word is close."""
    close = difflib.get_close_matches(word, known, n=1)
    if not close:
        return ""
    return f" Did you mean {close[0]!r}?"
