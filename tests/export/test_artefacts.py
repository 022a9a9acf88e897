"""The list of what the end of a run makes: the guide has a row for each."""

from __future__ import annotations

from pathlib import Path

import pytest

from evonas.export.artefacts import ARTEFACTS, Artefact

GUIDE = Path(__file__).parents[2] / "docs" / "storage.md"


@pytest.mark.parametrize("artefact", ARTEFACTS, ids=lambda artefact: artefact.label)
def test_the_guide_says_what_it_is_and_what_becomes_of_it(artefact: Artefact) -> None:
    rows = GUIDE.read_text(encoding="utf-8").splitlines()
    assert [row for row in rows if row.startswith(f"| `{artefact.name}` |")]
