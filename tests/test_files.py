"""Files: written whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import pytest

from evonas.errors import DiskFailure, SystemLimit, UserError
from evonas.files import (
    delete_temporary_files,
    expanded,
    failure,
    is_file,
    is_folder,
    not_through_a_link,
    sha256_of,
    temporary_beside,
    why_no_file,
    write_text_whole,
    write_whole,
)
from evonas.runtime.record.layout import Layout, Lock
from evonas.runtime.record.reader import RecordReader
from evonas.testing.runs import make_run


@contextmanager
def every_descriptor_taken() -> Iterator[None]:
    """Nothing more can be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(os.devnull, os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 8, hard))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


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


def test_what_killed_writers_left_is_deleted_and_nothing_else(tmp_path: Path) -> None:
    inner = tmp_path / "weights"
    inner.mkdir()
    left = [temporary_beside(tmp_path / "x"), temporary_beside(inner / "best.keras", ".keras")]
    kept = [tmp_path / "x.tmp", inner / ".evonas-notes.tmp", inner / "00001.npz"]
    for path in (*left, *kept):
        path.touch()
    delete_temporary_files(tmp_path)
    assert [path for path in (*left, *kept) if path.exists()] == kept


@pytest.mark.parametrize("name", ["mine", "mine.tmp", "card.json"])
def test_links_are_replaced_and_what_they_name_is_left_alone(tmp_path: Path, name: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / name).symlink_to(precious)
    write_text_whole(tmp_path / name.removesuffix(".tmp"), "new")
    assert precious.read_text() == "precious"
    assert (tmp_path / name.removesuffix(".tmp")).read_text() == "new"


def test_a_file_of_the_users_beside_the_target_stays(tmp_path: Path) -> None:
    (tmp_path / "file.tmp").write_text("the user's own")
    write_text_whole(tmp_path / "file", "new")
    assert (tmp_path / "file.tmp").read_text() == "the user's own"


def test_through_a_link_nothing_is_opened(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (tmp_path / "link").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links") as caught:
        not_through_a_link(str(tmp_path / "link"), os.O_RDWR)
    assert caught.value.errno == errno.ELOOP
    with open(precious, "a", opener=not_through_a_link) as file:
        file.write("!")
    assert precious.read_text() == "precious!"


def test_a_path_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DiskFailure, match="cannot be written"):
        write_text_whole(tmp_path / "file" / "inside", "x")


@pytest.mark.parametrize("name", ["", "missing", "x" * 300, "a\0b", "file/inside"])
def test_what_cannot_be_a_file_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    assert is_file(tmp_path / "file")
    assert not is_file(tmp_path / name)
    # The empty name is the folder itself.
    assert is_folder(tmp_path / name) is (name == "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look into every folder")
def test_a_folder_that_may_not_be_entered_is_told(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    assert why_no_file(tmp_path / "closed" / "file") == "may not be looked at: permission denied"


def test_why_there_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert why_no_file(tmp_path / "pipe") == "is no regular file"
    assert why_no_file(tmp_path) == "is a folder, and a file is wanted"
    assert why_no_file(tmp_path / "none") == "there is no such file"


def test_the_home_of_a_user_who_does_not_exist_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/a.yaml") == tmp_path / "a.yaml"
    assert expanded("~no_such_user/a.yaml") == Path("~no_such_user/a.yaml")


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, DiskFailure, "No space left"),
        (errno.EROFS, DiskFailure, "Read-only"),
        (errno.EIO, DiskFailure, "Input/output"),
        (errno.EACCES, DiskFailure, "Permission denied"),
        (errno.EMFILE, SystemLimit, "Too many open files. *To see.* ulimit -n"),
        (errno.ENFILE, SystemLimit, "Too many open files"),
        (errno.ENOMEM, SystemLimit, "memory"),
        (errno.ELOOP, UserError, "symbolic links"),
        (errno.ENOTDIR, UserError, "Not a directory"),
        (errno.ENAMETOOLONG, UserError, "too long"),
    ],
)
def test_only_a_disk_is_a_failure_of_the_disk(number: int, kind: type, words: str) -> None:
    found = failure(OSError(number, os.strerror(number)), "x cannot be written")
    assert type(found) is kind
    assert re.search(f"^x cannot be written: .*{words}", str(found))


def test_without_a_descriptor_left_a_limit_of_the_system_is_named(tmp_path: Path) -> None:
    with every_descriptor_taken():
        with pytest.raises(SystemLimit, match="Too many open files"):
            write_text_whole(tmp_path / "file", "x")
        with pytest.raises(SystemLimit, match="Too many open files"):
            Lock(Layout(tmp_path))
    assert not list(tmp_path.iterdir())


def test_nor_is_a_record_called_damaged_then(tmp_path: Path) -> None:
    root = make_run(tmp_path)
    with every_descriptor_taken(), pytest.raises(SystemLimit, match=r"run\.db cannot be read"):
        RecordReader(root / "run.db")
