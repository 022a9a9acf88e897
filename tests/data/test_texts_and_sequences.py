"""Texts and sequences from files; ten bad ones, and the message that each gets."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.arrays import Arrays
from evonas.data.encodings import encoding_for
from evonas.data.encodings.padded import Padded
from evonas.data.encodings.text import Text, words
from evonas.data.fitting import fit
from evonas.data.raw import Frame, Ragged
from evonas.data.sources import Npz, SequenceFolder, TextFolder
from evonas.errors import InvalidData
from evonas.memory import Memory

X = np.arange(12.0).reshape(6, 2)


def written(path: Path, files: dict[str, str | bytes]) -> str:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        (path / name).write_bytes(data)
    return str(path)


def archive(path: Path, **arrays: Any) -> Npz:
    np.savez(path / "s.npz", **arrays)
    return Npz(str(path / "s.npz"))


def test_a_folder_of_texts_has_a_class_a_subfolder(tmp_path: Path) -> None:
    files = {"good/1.txt": "\ufefffine", "good/2.txt": "ä ok", "bad/a.txt": "no", ".DS_Store": "x"}
    found = TextFolder(written(tmp_path, files)).read(Memory())
    assert found.named()["x"].tolist() == ["no", "fine", "ä ok"]
    assert found.y.tolist() == ["bad", "good", "good"]
    assert TextFolder.reads(tmp_path)
    assert not SequenceFolder.reads(tmp_path)


def test_folders_of_parts_are_given_parts(tmp_path: Path) -> None:
    parts = {f"{part}/{label}/1.txt": part for part in ("train", "test") for label in "ab"}
    found = TextFolder(written(tmp_path, parts)).read(Memory())
    assert found.named()["x_test"].tolist() == ["test", "test"]
    assert found.named()["y_test"].tolist() == ["a", "b"]


def test_a_folder_of_sequences_with_labels_in_a_table(tmp_path: Path) -> None:
    files = {
        "labels.csv": "path,label\na.csv,1.5\nsub/b.csv,2\n",
        "a.csv": "left;right\n1;2\n3;4\n",
        "sub/b.csv": "5;6\n",
    }
    found = SequenceFolder(written(tmp_path, files)).read(Memory())
    assert [one.tolist() for one in found.named()["x"].items] == [[[1, 2], [3, 4]], [[5, 6]]]
    assert found.y.tolist() == [1.5, 2.0]


def test_an_archive_with_lengths_holds_sequences(tmp_path: Path) -> None:
    found = archive(tmp_path, x=X, lengths=[1, 5], y=[0, 1]).read(Memory()).named()["x"]
    assert [len(one) for one in found.items] == [1, 5]
    assert found.items[1].tolist() == X[1:].tolist()


def test_padding_is_no_measurement() -> None:
    ragged = Ragged([np.array([[1.0], [3.0]]), np.array([[5.0]])])
    stored = Padded().encode(ragged, Padded().fit(ragged))
    assert np.isnan(stored[1, 1, 0])
    assert fit(stored, "sequence")["mean"] == (3.0,)


def test_words_are_the_first_and_the_frequent_ones() -> None:
    x = np.array(["A b, b!", "b c c", "d", "c"])
    fitted = Text().fit(x)
    assert fitted == {"vocabulary": ("b", "c"), "length": 3}
    assert Text().encode(x, fitted).tolist() == [[1, 2, 2], [2, 3, 3], [1, 0, 0], [3, 0, 0]]
    assert words("Don't\u00a0STOP  ÄÖ") == ["dont\u00a0stop", "ÄÖ"]
    notes = Text().notes(Arrays("here", x, np.arange(4)), "text", {**fitted, "length": 2})
    assert "25.0% of all words are others" in notes[0]
    assert "2 texts of 4 have more than 2 words" in notes[1]


def listed(path: Path, name: str) -> str:
    """A folder whose table names a text in it and, in line 3, something else."""
    (path / "link.txt").symlink_to("/etc/passwd")
    return written(path, {"labels.csv": f"path,label\na.txt,1\n{name},2\n", "a.txt": "x"})


def piped(path: Path) -> str:
    """A folder with a pipe, which would block whoever opens it."""
    written(path, {"a/1.txt": "x"})
    os.mkfifo(path / "a" / "z.txt")
    return str(path)


BAD: list[tuple[Callable[[Path], Any], str]] = [
    (lambda p: TextFolder(written(p, {"a/1.txt": b"caf\xe9"})).read(Memory()),
     r"1.txt: is not in UTF-8: its byte 3 is 0xe9"),
    (lambda p: TextFolder(written(p, {"a/1.txt": "x", "1.txt": "y"})).read(Memory()),
     r"files beside the folders of classes: 1.txt. Allowed: a subfolder a class"),
    (lambda p: TextFolder(written(p, {"a/1.txt": "x", "b/2.pdf": "y"})).read(Memory()),
     r"holds what is no .txt file: 2.pdf"),
    (lambda p: SequenceFolder(written(p, {"a/1.csv": "1,2\n3,x\n"})).read(Memory()),
     r"1.csv.*2.*must hold finite numbers. Received: x in column 2"),
    (lambda p: SequenceFolder(written(p, {"a/1.csv": "1,2\n3\n"})).read(Memory()),
     r"must have 2 columns. Received: 1"),
    (lambda p: SequenceFolder(written(p, {"a/1.csv": "left,right\n"})).read(Memory()),
     r"has no step below its first row"),
    (lambda p: SequenceFolder(written(p, {"labels.csv": "path,label\nno.csv,1\n"})).read(Memory()),
     r"there is no such file. Received: no.csv"),
    (lambda p: TextFolder(listed(p, "/etc/passwd")).read(Memory()),
     r"labels.csv:3: must be a path within the folder of this table.*Received: /etc/passwd"),
    (lambda p: TextFolder(listed(p, "../d/a.txt/../../b.txt")).read(Memory()),
     r"labels.csv:3: must be a path within"),
    (lambda p: TextFolder(listed(p, "link.txt")).read(Memory()),
     r"labels.csv:3: must be a path within"),
    (lambda p: TextFolder(listed(p, "labels.csv")).read(Memory()),
     r"labels.csv:3: must be a file that ends in .txt"),
    (lambda p: TextFolder(piped(p)).read(Memory()), r"holds what is no .txt file: z.txt"),
    (lambda p: TextFolder(piped(p)).unlabelled(Memory()), r"z.txt: is no regular file"),
    (lambda p: archive(p, x=X, lengths=[2, 3], y=[0, 1]).read(Memory()),
     r"lengths: must have the number of all steps as their sum. Received: 5, and x has 6 steps"),
    (lambda p: archive(p, x=X, lengths=[0, 6], y=[0, 1]).read(Memory()),
     r"must be at least 1. Received: 0 for sample 0"),
    (lambda p: archive(p, x=X, lengths=[1.0, 5.0], y=[0, 1]).read(Memory()),
     r"a whole number of steps for each sample. Received: dtype float64"),
    (lambda p: archive(p, train_x=X, train_lengths=[6], train_y=[0]).read(Memory()),
     r"train_lengths: unknown array.*Did you mean 'lengths'"),
]  # fmt: skip


@pytest.mark.parametrize(("read", "message"), BAD)
def test_bad_files_get_a_message(read: Callable[[Path], Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=f"(?s){message}"):
        read(tmp_path)


NAN = np.nan
INSIDE = np.array([[[1.0], [NAN], [2.0]], [[1.0], [2.0], [NAN]]])


@pytest.mark.parametrize(
    ("x", "kind", "message"),
    [
        (INSIDE, "sequence", r"sample 0 .*NaN may only be behind.*NaN at step 1 of 3, channel 0"),
        (np.full((2, 3), NAN), "sequence", r"sample 0 .* has no step"),
        (Ragged([np.ones((2, 1)), np.ones((2, 3))]), "sequence", r"sample 1 .* 1 channels"),
        (Ragged([np.array([[1e30]])]), "sequence", r"at most 1e\+18 in size"),
        (
            np.array([3, 4]),
            "text",
            r"must be texts.*Received: int64. If they are ids.*give the texts",
        ),
        (np.array(["one", "two"]), "text", r"no word occurs twice"),
        (np.array(["a a", "\ud800 a"]), "text", r"half of a letter in sample 1"),
        (np.array(["a a", "a a"]), "text", r"texts that differ"),
        (np.array([["a a"], ["b b"]]), "text", r"one axis, a text a sample"),
    ],
)
def test_bad_samples_get_a_message(x: Any, kind: str, message: str) -> None:
    encoding = encoding_for(x, kind)
    (issue,) = encoding.issues(Arrays("here", x, np.zeros(len(x))), kind)
    import re

    assert re.search(message, issue.message)


DRAWN = np.random.default_rng(0).integers(1, 5000, (200, 30))
TOLD = [
    f"x: holds whole numbers from {DRAWN.min()} to {DRAWN.max():,} with"
    f" {len(np.unique(DRAWN)):,} different values; they are trained on as quantities. If they are"
    " ids of words, give the texts (`space: text`)."
]


@pytest.mark.parametrize(
    ("x", "kind", "told"),
    [
        (DRAWN, "sequence", TOLD),
        (DRAWN[..., None], "sequence", TOLD),
        (DRAWN, "vector", TOLD),
        (Ragged([*DRAWN[:, :29], *DRAWN[:, 29:]]), "sequence", TOLD),
        # Files of text do not tell whole numbers from others.
        (Ragged([*DRAWN[:, :29].astype(float), *DRAWN[:, 29:].astype(float)]), "sequence", TOLD),
        (Frame({f"w{place}": column for place, column in enumerate(DRAWN.T * 1.0)}), "table", TOLD),
        (
            Frame({f"w{place}": column for place, column in enumerate(DRAWN.T * 1.0)}),
            "vector",
            TOLD,
        ),
        (Frame({f"w{place}": column for place, column in enumerate(DRAWN.T[:9])}), "table", []),
        (Frame({f"w{place}": column for place, column in enumerate(DRAWN.T + 0.5)}), "table", []),
        (Ragged([*DRAWN + 0.5]), "sequence", []),
        # Measurements, negative numbers, channels, few values.
        (DRAWN.astype(float), "sequence", []),
        (DRAWN - 9, "sequence", []),
        (DRAWN.reshape(200, 10, 3), "sequence", []),
        (DRAWN % 10, "sequence", []),
        # Pixels, as bytes or not, and columns of a table with ranges of their own.
        ((DRAWN % 256).astype("uint8"), "vector", []),
        ((DRAWN % 256), "vector", []),
        (DRAWN % ([90] * 20 + [5000] * 10), "vector", []),
        (DRAWN.reshape(200, 5, 6), "image", []),
    ],
)
def test_whole_numbers_that_may_be_ids_of_words_are_told(
    x: Any, kind: str, told: list[str]
) -> None:
    encoding = encoding_for(x, kind)
    fitted = encoding.fit(x) if encoding.name else {}
    arrays = Arrays("here", x, np.arange(len(x)))
    notes = encoding.notes(arrays, kind, fitted)
    assert [note for note in notes if "whole numbers" in note] == told
