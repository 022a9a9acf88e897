"""The command line: a thin command a file. Each parses, calls one function, and prints."""

from __future__ import annotations


def main() -> None:
    """The entry point of the `evonas` command."""
    try:
        from evonas.cli.app import main as run

        run()
    # While modules are imported, there is nobody yet who could say a word about a Ctrl-C.
    except KeyboardInterrupt:
        raise SystemExit(130) from None
