"""The command line: a thin command a file. Each parses, calls one function, and prints."""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """The entry point of the `evonas` command: the process is evonas's own, and ends here."""
    code: object = 1
    try:
        from evonas.cli.app import main as run
        from evonas.cli.leaving import leave, take_orphans

        take_orphans()
        run()
        code = 0
    except SystemExit as end:
        code = end.code
    # While modules are imported, and after a command, there is nobody else who could say a word.
    except KeyboardInterrupt:
        from evonas.cli.leaving import leave, say_stopped

        code = say_stopped()
    except BaseException:
        import traceback

        from evonas.cli.leaving import leave

        traceback.print_exc()
    leave(code)
