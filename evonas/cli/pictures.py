"""The pictures that `show` draws to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evonas.cli.console import console, say

if TYPE_CHECKING:
    from evonas.api import Run


def draw_front(view: Run, path: Path) -> None:
    """Writes the picture of the front.

    Raises:
        UserError: the run has one objective, or the file is no SVG.
    """
    from evonas.errors import UserError
    from evonas.insight.front_picture import front_svg

    if len(view.objectives) < 2:
        raise UserError(
            f"the run {view.name} has one objective, {view.objective.name}, and so no front"
        )
    _check_name(path, "a front")
    _write(path, front_svg(view.trials, view.objectives, title=view.title))


def draw_expected(view: Run, path: Path) -> None:
    """Writes the picture of what was expected and what was found.

    Raises:
        UserError: nothing was expected of any trial, or the file is no SVG.
    """
    from evonas.errors import UserError
    from evonas.insight.expected_picture import expected_svg

    if all(trial.proposal.expected is None for trial in view.trials):
        raise UserError(
            f"no trial of the run {view.name} was chosen by a surrogate, or it was recorded by an"
            " evonas that did not keep what was expected"
        )
    _check_name(path, "what was expected")
    _write(path, expected_svg(view.trials, view.objective, title=view.title))


def _check_name(path: Path, what: str) -> None:
    from evonas.errors import UserError

    if path.suffix != ".svg":
        raise UserError(f"the picture of {what} is an .svg file. Received: {path}")


def _write(path: Path, picture: str) -> None:
    from evonas.files import write_text_whole

    write_text_whole(path, picture)
    say(console(), f"wrote {path}")
