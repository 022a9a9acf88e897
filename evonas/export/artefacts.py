"""The files that the end of a run makes. Each is listed here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evonas.files import is_whole, sha256_of, write_text_whole
from evonas.trial import Trial

# Whoever looks at a run asks this list for paths. What makes the files takes long to import.
if TYPE_CHECKING:
    from evonas.runtime.loop.observer import Observer
    from evonas.runtime.session import Session


@dataclass(frozen=True)
class Conclusion:
    """What a run has come to when its search is over.

    Attributes:
        session: session that ends the run.
        trials: all trials, by id.
        winner: the best trial; None if no trial has succeeded.
        observers: told what takes long.
        finalists: what the card tells of the trials that were trained again; may be empty.
    """

    session: Session
    trials: Sequence[Trial]
    winner: Trial | None
    observers: Sequence[Observer] = ()
    finalists: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Artefact:
    """A file that the end of a run makes.

    Attributes:
        label: what it is, in a word.
        name: name of the file in the run's folder.
        applies: whether a run has it.
        make: makes the file at a path and notes its sha256 in the record. A file that is whole, and
            is still the right one, may be kept.
    """

    label: str
    name: str
    applies: Callable[[Conclusion], bool]
    make: Callable[[Conclusion, Path], None]

    def within(self, root: Path) -> Path:
        """Its path in a run's folder."""
        return root / self.name


def conclude(end: Conclusion) -> None:
    """Make all that a run has at its end."""
    for artefact in ARTEFACTS:
        if artefact.applies(end):
            artefact.make(end, artefact.within(end.session.layout.root))


def are_whole(
    root: Path, files: Mapping[str, str], artefacts: Sequence[Artefact] | None = None
) -> bool:
    """Whether all that the end of a run has made is still as it was.

    Args:
        files: sha256 of the run's files, from its record.
        artefacts: what is looked at; None for all.
    """
    for artefact in ARTEFACTS if artefacts is None else artefacts:
        if artefact.name in files and not is_whole(artefact.within(root), files[artefact.name]):
            return False
    return True


def made(root: Path, files: Mapping[str, str]) -> dict[str, Path]:
    """The paths of what the end of a run has made, by its labels; arguments as for `are_whole`."""
    found = [artefact for artefact in ARTEFACTS if artefact.name in files]
    return {artefact.label: artefact.within(root) for artefact in found}


def _has_winner(end: Conclusion) -> bool:
    return end.winner is not None


def _has_model(end: Conclusion) -> bool:
    return end.winner is not None and end.session.config.evaluator.has_networks


def _has_front(end: Conclusion) -> bool:
    return bool(end.session.config.objectives)


def _has_expected(end: Conclusion) -> bool:
    from evonas.insight.expected_picture import met

    return bool(met(end.trials))


def _make_model(end: Conclusion, path: Path) -> None:
    """The winner's model, verified. With it comes the card, whose scores the verification made."""
    from evonas.export.bundle import export_best
    from evonas.runtime.loop.observer import teller

    assert end.winner is not None
    is_same = _is_told(end) and is_whole(path, end.session.record.meta("result")["sha256"])
    if is_same and _ensemble_is_whole(end):
        return
    for observer in end.observers:
        observer.on_wait(f"exporting the winner, trial {end.winner.id}")
    export_best(end.session, end.winner, teller(end.observers), path, end.finalists)


def _ensemble_is_whole(end: Conclusion) -> bool:
    """Whether the ensemble is the one that the recorded result tells of, if it tells of any."""
    from evonas.export.ensemble import candidates

    told = end.session.record.meta("result").get("ensemble")
    # A run of an older evonas has none.
    if told is None:
        return True
    # How many they may be may depend on the time that was left.
    count = len(told["candidates"])
    if told["candidates"] != [one.id for one in candidates(end.session, end.trials)][:count]:
        return False
    return "left_out" in told or are_whole(
        end.session.layout.root, end.session.record.files(), (ENSEMBLE, ENSEMBLE_CARD)
    )


def _has_ensemble(end: Conclusion) -> bool:
    result = end.session.record.meta("result") if end.session.record.has_meta("result") else {}
    return "left_out" not in (result.get("ensemble") or {"left_out": ""})


def _comes_with_model(end: Conclusion, path: Path) -> None:
    """The export of the winner has made it, in one opening of the test data."""
    assert path.is_file()


def _make_card(end: Conclusion, path: Path) -> None:
    """What there is to know about the winner, as JSON."""
    from evonas.export.card import note_result, write_card
    from evonas.export.judged import card_of

    assert end.winner is not None
    record = end.session.record
    if not _is_told(end):
        # Only a run without networks comes here: a model brings its card.
        note_result(end.session, card_of(end.session, end.winner), path)
    elif not is_whole(path, record.files().get(path.name, "")):
        write_card(path, record.meta("result"))


def _is_told(end: Conclusion) -> bool:
    """Whether the recorded result is the winner's; an earlier session may have been killed then."""
    from evonas.export.bundle import cut_short_after
    from evonas.export.finalists import FINALISTS
    from evonas.trial import CUT_SHORT

    record = end.session.record
    if end.winner is None or not record.has_meta("result"):
        return False
    result = record.meta("result")
    # The winner may have been exported as it was when a deadline had ended it.
    is_same = result.get(CUT_SHORT) == cut_short_after(end.winner)
    is_same = is_same and result.get(FINALISTS, []) == list(end.finalists)
    return bool(result["trial"] == end.winner.id and is_same)


def _draw_climb(end: Conclusion, path: Path) -> None:
    from evonas.insight.climb import climb_svg

    session = end.session
    text = climb_svg(end.trials, session.objective, title=_title(session))
    _write_picture(session, path, text)


def _title(session: Session) -> str:
    return session.layout.title(session.config.run)


def _draw_front(end: Conclusion, path: Path) -> None:
    from evonas.insight.front_picture import front_svg

    session = end.session
    text = front_svg(end.trials, session.config.to_objectives(), title=_title(session))
    _write_picture(session, path, text)


def _draw_expected(end: Conclusion, path: Path) -> None:
    from evonas.insight.expected_picture import expected_svg

    session = end.session
    text = expected_svg(end.trials, session.objective, title=_title(session))
    _write_picture(session, path, text)


def _write_picture(session: Session, path: Path, text: str) -> None:
    write_text_whole(path, text)
    session.record.note_files({path.name: sha256_of(path)})


MODEL = Artefact("model", "best.keras", _has_model, _make_model)
ENSEMBLE = Artefact("ensemble", "ensemble.keras", _has_ensemble, _comes_with_model)
ENSEMBLE_CARD = Artefact("members", "ensemble.json", _has_ensemble, _comes_with_model)
CARD = Artefact("card", "best.json", _has_winner, _make_card)
CLIMB = Artefact("genealogy", "genealogy.svg", lambda end: True, _draw_climb)
FRONT = Artefact("front", "front.svg", _has_front, _draw_front)
EXPECTED = Artefact("expected", "expected.svg", _has_expected, _draw_expected)

ARTEFACTS = (MODEL, ENSEMBLE, ENSEMBLE_CARD, CARD, CLIMB, FRONT, EXPECTED)
"""All of them, in the order in which they are made: the winner first."""
