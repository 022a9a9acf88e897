"""What is fitted to training data: a file with a digest, which jobs carry."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evonas.data.fitting import FITS, FITTED, open_interface
from evonas.data.prepared import DataSettings, prepare
from evonas.data.sources import Wine
from evonas.errors import InvalidData
from evonas.files import sha256_of
from evonas.genome.space_file import INPUTS
from evonas.learning.input_kinds import INPUT_KINDS
from evonas.learning.interface import Interface


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Interface]:
    folder = tmp_path_factory.mktemp("run")
    interface = prepare(DataSettings("vector", Wine()), folder).interface
    assert interface is not None
    return folder, interface


def sent(interface: Interface) -> Any:
    """What a worker gets of a job."""
    return json.loads(json.dumps(interface.by_digest()))


def test_a_job_names_the_digest_of_the_file(run: tuple[Path, Interface]) -> None:
    folder, interface = run
    ends = sent(interface)
    assert ends["input"]["fitted"] == sha256_of(folder / FITTED) == interface.input.digest
    assert open_interface(ends, folder) == interface
    # The record has the values as well: a run is read without its data.
    assert Interface.from_json(json.loads(json.dumps(interface.to_json()))) == interface


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), ("{}", "is not what")])
def test_another_content_is_refused(
    run: tuple[Path, Interface], tmp_path: Path, content: str | None, words: str
) -> None:
    (tmp_path / "data").mkdir()
    if content is not None:
        (tmp_path / FITTED).write_text(content)
    with pytest.raises(InvalidData, match=words) as caught:
        open_interface(sent(run[1]), tmp_path)
    assert caught.value.problems[0].file == str(tmp_path / FITTED)


def test_runs_of_older_versions_carry_the_values(
    run: tuple[Path, Interface], tmp_path: Path
) -> None:
    _, interface = run
    older = replace(interface, input=replace(interface.input, file=""))
    assert open_interface(sent(older), tmp_path) == older


def test_a_checkpoint_keeps_the_interface_as_version_2_had_it(
    run: tuple[Path, Interface],
) -> None:
    _, interface = run
    spec = interface.input
    assert interface.in_checkpoint() == {
        "kind": spec.kind,
        "shape": spec.shape,
        "task": interface.task,
        "classes": interface.classes,
        "mean": spec.fitted["mean"],
        "variance": spec.fitted["variance"],
        "target_mean": interface.target_mean,
        "target_scale": interface.target_scale,
    }


def test_every_kind_of_input_is_known_to_spaces_and_can_be_fitted() -> None:
    assert set(INPUTS) == set(INPUT_KINDS)
    for name, kind in INPUT_KINDS.items():
        assert kind.name == name
        assert len(kind.example) in kind.axes
        assert set(kind.fitted) <= set(FITS)
