"""The page of the site that has every command with its arguments and options."""

from __future__ import annotations

import inspect
from typing import Any

import typer
from docs_reference import row

from evonas.cli.app import app

COMMANDS_HEAD = """# Commands in full

Every command with its arguments and options, as `evonas COMMAND --help` prints them. This page is
made from the code when the site is built. [The commands](../docs/commands.md) is the short form.
"""


def commands_page() -> str:
    """Every command with its arguments and options, in the order of `evonas --help`."""
    parts = [COMMANDS_HEAD]
    for name, command in typer.main.get_command(app).commands.items():
        parts.append(_command(name, command))
    return "\n".join(parts)


def _command(name: str, command: Any) -> str:
    arguments = [one for one in command.params if not _is_option(one)]
    written = " ".join([name, *(_argument(one) for one in arguments)])
    lines = [f"## `evonas {name}` {{ #{name} }}", "", f"`evonas {written}`", ""]
    # Single line breaks within a paragraph are those of the source.
    lines += [inspect.cleandoc(command.help or ""), ""]
    shown = [one for one in command.params if not one.hidden]
    if not shown:
        return "\n".join(lines)
    lines += ["| argument | meaning | default |", "|---|---|---|"]
    return "\n".join([*lines, *(row(_cells(one)) for one in shown), ""])


def _is_option(parameter: Any) -> bool:
    return any(word.startswith("-") for word in parameter.opts)


def _argument(parameter: Any) -> str:
    word = (parameter.metavar or parameter.name.upper()).strip("[]")
    return word if parameter.required else f"[{word}]"


def _cells(parameter: Any) -> tuple[str, ...]:
    """An argument or an option: how it is written, what it means, what it is if it is left out."""
    written = _argument(parameter)
    if _is_option(parameter):
        written = ", ".join([*parameter.opts, *parameter.secondary_opts])
        if parameter.metavar:
            written += f" {parameter.metavar}"
    default = parameter.default
    is_told = default not in (None, False, "") and not callable(default)
    if parameter.required:
        return f"`{written}`", parameter.help or "", "required"
    return f"`{written}`", parameter.help or "", f"`{default}`" if is_told else ""
