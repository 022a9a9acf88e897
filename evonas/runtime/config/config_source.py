"""A config's file with the overrides of the command line: plain data, and its keys' places."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from evonas.errors import InvalidInput, InvalidYaml, Issue
from evonas.genome import strict_yaml
from evonas.genome.strict_yaml import Document, KeyPath, key_text, short
from evonas.runtime.config.limits_config import SECONDS_IN
from evonas.runtime.config.settings import Builder
from evonas.words import shown

OVERRIDE = "--set"
"""The option of the commands, in the place of a file."""
ARGUMENT = "overrides"
"""The argument of the functions that is the same."""


class ConfigSource:
    """A config's file with its overrides: plain data, and the place of every key.

    Attributes:
        data: the file's plain data, with the overrides.
        problems: issues of the overrides themselves.
    """

    def __init__(self, document: Document, overrides: Sequence[str]) -> None:
        # A copy: overrides change it, and the document must stay what the file says.
        self.data: Any = copy.deepcopy(document.data)
        self.problems: list[Issue] = []
        self._document = document
        self._overridden: dict[KeyPath, str] = {}
        for text in overrides:
            self._override(text)

    def problem(self, path: KeyPath, message: str) -> Issue:
        """An issue at a key: of the override that set it, or of the file."""
        path = self._written(path)
        # The longest path first: the innermost override is the one that counts.
        for end in range(len(path), 0, -1):
            text = self._overridden.get(path[:end])
            if text is not None:
                place = _place_of(text)
                return Issue(message, key_text(path), place)
        return self._document.problem(path, message)

    def _written(self, path: KeyPath) -> KeyPath:
        """The key that the user wrote: `objective: acc` is short for `objective: {name: acc}`."""
        if path[-1:] != ("name",):
            return path
        found = self.data
        for key in path[:-1]:
            is_inside = isinstance(found, dict) and key in found
            if isinstance(found, list) and isinstance(key, int):
                is_inside = key < len(found)
            if not is_inside:
                return path
            found = found[key]
        return path[:-1] if isinstance(found, str) else path

    def placed(self, builder: Builder) -> list[Issue]:
        """The builder's issues, each at its place."""
        found = []
        for issue in builder.issues:
            problem = self.problem(issue.path, issue.message)
            found.append(problem)
        return found

    def _override(self, text: str) -> None:
        """Apply one override, or note what is wrong with it."""
        name, equals, value = text.partition("=")
        path = tuple(name.strip().split("."))
        place = _place_of(text)
        if not equals or not all(path):
            message = "must have the form key.path=value, such as budget.trials=20."
            self.problems.append(Issue(message, file=place))
            return
        try:
            new = strict_yaml.load(value, place).data
        except InvalidYaml as error:
            # A line within the override says nothing: it has one.
            self.problems += [dataclasses.replace(problem, line=0) for problem in error.problems]
            return
        # Data of another form are reported as an issue of the file.
        if isinstance(self.data, dict):
            self._set(path, new, text)

    def _set(self, path: tuple[str, ...], new: Any, text: str) -> None:
        """Put a value at this path, with all mappings that are missing on the way."""
        node = self.data
        for i, key in enumerate(path[:-1]):
            here = path[: i + 1]
            following = path[i + 1]
            if key not in node:
                self._overridden[here] = text
            inside = _opened(node.get(key), following)
            node[key] = inside
            if not isinstance(inside, dict):
                message = (
                    f"has no keys, so that {short(following)!r} cannot be set in it. "
                    f"It is {shown(inside)}."
                )
                issue = Issue(message, key_text(here), _place_of(text))
                self.problems.append(issue)
                return
            node = inside
        if path[0] == "budget" and path[-1] in SECONDS_IN and new is not None:
            # A new limit on time takes the place of the old one, whatever its unit.
            for unit in SECONDS_IN:
                node.pop(unit, None)
        node[path[-1]] = new
        self._overridden[path] = text


@contextmanager
def told_by_the_argument() -> Iterator[None]:
    """Errors about overrides name the argument of a function: its caller has typed no option."""
    try:
        yield
    except InvalidInput as error:
        issues = [of_the_argument(one) for one in error.problems]
        if issues == list(error.problems):
            raise
        raise type(error)(issues) from error.__cause__


def of_the_argument(issue: Issue) -> Issue:
    """An issue that names the argument in the place of the option; any other as it is."""
    option, _, override = issue.file.partition(" ")
    if option != OVERRIDE:
        return issue
    # The key stands behind it, and says where. Without one, only the override does.
    place = ARGUMENT if issue.key or not override else f"{ARGUMENT}: {override}"
    return dataclasses.replace(issue, file=place)


def _place_of(override: str) -> str:
    """An override as the place of an issue, where a file would stand."""
    return f"{OVERRIDE} {short(override)}"


def _opened(value: Any, key: str) -> Any:
    """What an override of `key` goes into: the value, with short forms written out."""
    if value is None:
        return {}
    # `strategy: random` is short for `strategy: {random: {}}`.
    if value == key:
        return {key: {}}
    return value
