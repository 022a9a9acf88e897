"""What the command line itself refuses, in our words: unknown options, values that are missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evonas.errors import did_you_mean
from evonas.files import is_folder
from evonas.invocation import NAME, command


def refusal(error: Exception, arguments: Sequence[str]) -> str:
    """The sentence about an error of the library that reads the command line.

    Empty for any other error.

    Args:
        arguments: words after the name of the program.
    """
    # By name: the library has moved these classes, and has no public door to them.
    kinds = [kind.__name__ for kind in type(error).__mro__]
    if "UsageError" not in kinds:
        return ""
    context = getattr(error, "ctx", None)
    # Some errors come without their context. The first word is then the name of the command.
    words = list(arguments[:1]) if context is None else context.command_path.split()[1:]
    help = f"To see all options:  {command(*words, '--help')}"
    name = words[-1] if words else NAME
    return f"{_told(kinds[0], error, name)}\n{help}"


def _told(kind: str, error: Any, name: str) -> str:
    """What is wrong, what is allowed, what was received.

    Args:
        kind: name of the error's class.
        name: name of the command.
    """
    match kind:
        case "NoSuchOption":
            known = _options(error.ctx)
            # The dashes would make all options alike.
            bare = [option.lstrip("-") for option in known]
            hint = did_you_mean(error.option_name.lstrip("-"), bare).replace("'", "'--", 1)
            return f"{name} has no option {error.option_name}.{hint} Allowed: {', '.join(known)}."
        case "MissingParameter":
            return f"{name} needs {_named(error.param)}: {_lowered(error.param.help)}"
        case "BadOptionUsage" if "not take a value" in error.message:
            return f"the option {error.option_name} takes no value."
        case "BadOptionUsage":
            return f"the option {error.option_name} needs a value after it."
        case "BadParameter":
            return f"{_named(error.param)} cannot be read: {error.message}"
        case _:
            return _about_a_word(error, name)


def _about_a_word(error: Any, name: str) -> str:
    """A word that is no command, or a word too many."""
    text = str(error.format_message())
    commands = list(getattr(error.ctx.command, "commands", ()))
    if commands:
        # The library quotes the word that is no command.
        received = text.split("'")[1]
        hint = did_you_mean(received, commands)
        return f"there is no command {received}.{hint} Allowed: {', '.join(commands)}."
    # The library puts it in brackets, and it may end in a bracket or in a full stop itself.
    received = text.partition(" (")[2].removesuffix(".").removesuffix(")")
    words = f"{name} takes no further argument. Received: {received}"
    if "--runs" in _options(error.ctx) and is_folder(Path(received)):
        words += f"\nFor the runs in that folder:  {command(name, '--runs', received)}"
    return words


def _options(context: Any) -> list[str]:
    """The options of a command."""
    known: list[str] = []
    for parameter in context.command.get_params(context):
        known += [name for name in parameter.opts if name.startswith("--")]
    return known


def _named(parameter: Any) -> str:
    """A parameter as the user writes it: `CONFIG`, or `--to PATH`."""
    metavar = (parameter.metavar or parameter.name.upper()).strip("[]")
    options = [name for name in parameter.opts if name.startswith("--")]
    if options:
        return f"{options[0]} {metavar}"
    return str(metavar)


def _lowered(help: str | None) -> str:
    """A help text as it goes on after a colon."""
    text = help or "it is missing."
    return text[:1].lower() + text[1:]
