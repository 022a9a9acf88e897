"""Files: written whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import BinaryIO

import pytest

from evonas.errors import DiskFailure
from evonas.files import expanded, is_file, sha256_of, write_text_whole, write_whole


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.txt"
    write_text_whole(path, "é\r\n")
    assert path.read_bytes() == "é\r\n".encode()
    assert sha256_of(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device"), DiskFailure),
        (ZeroDivisionError("a bug"), ZeroDivisionError),
    ],
)
def test_a_failed_write_leaves_the_old_content(
    tmp_path: Path, error: Exception, told: type[Exception]
) -> None:
    path = tmp_path / "file"
    write_text_whole(path, "old")

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise error

    with pytest.raises(told, match=str(error.args[-1])):
        write_whole(path, fail)
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_writer_left_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (tmp_path / "file.tmp").write_text("a longer half")
    write_text_whole(path, "new")
    assert path.read_text() == "new"
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DiskFailure, match="cannot be written"):
        write_text_whole(tmp_path / "file" / "inside", "x")


@pytest.mark.parametrize("name", ["", "missing", "x" * 300, "a\0b", "file/inside"])
def test_what_cannot_be_a_file_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert is_file(tmp_path / "file")
    assert not is_file(tmp_path / name)


def test_the_home_of_a_user_who_does_not_exist_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/a.yaml") == tmp_path / "a.yaml"
    assert expanded("~no_such_user/a.yaml") == Path("~no_such_user/a.yaml")
