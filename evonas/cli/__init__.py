"""The command line: a thin command a file. Each parses, calls one function, and prints."""

from __future__ import annotations


def main() -> None:
    """The entry point of the `evonas` command."""
    from evonas.cli.app import main as run

    run()
