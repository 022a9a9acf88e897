"""Pictures in a folder: what is found, how it is decoded, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evonas.data.arrays import Arrays
from evonas.data.encodings import ENCODINGS
from evonas.data.prepared import DataSettings, prepare
from evonas.data.raw import Frame, Ragged
from evonas.data.sources import pictures as module
from evonas.data.sources.pictures import Pictures
from evonas.errors import InvalidData
from evonas.memory import Memory


def saved(path: Path, size: tuple[int, int] = (4, 6), mode: str = "RGB", **how: Any) -> Path:
    """A picture of noise, `size` is (height, width)."""
    rng = np.random.default_rng(len(path.name))
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = rng.integers(0, 256, (*size, 3), np.uint8)
    Image.fromarray(noise).convert(mode).save(path, **how)
    return path


def classes(folder: Path, **how: Any) -> Path:
    for name in ("cat", "dog"):
        for number in (1, 2, 10):
            saved(folder / name / f"img{number}.png", **how)
    return folder


def read(folder: Path, **settings: Any) -> Any:
    return Pictures(str(folder), **settings).read(Memory())


def notes(folder: Path, **settings: Any) -> str:
    return "\n".join(read(folder, **settings).notes)


def test_a_subfolder_is_a_class_and_pictures_come_in_natural_order(tmp_path: Path) -> None:
    classes(tmp_path)
    arrays = read(tmp_path)
    assert (arrays.x.shape, arrays.x.dtype) == ((6, 4, 6, 3), np.uint8)
    assert arrays.y.tolist() == ["cat"] * 3 + ["dog"] * 3
    last = np.asarray(Image.open(tmp_path / "cat" / "img10.png"))
    assert np.array_equal(arrays.x[2], last)
    assert "6 pictures in 2 classes (cat 3 and dog 3), 4 x 6 pixels, colour" in arrays.notes[0]


def test_pictures_of_different_sizes_are_kept_as_they_are(tmp_path: Path) -> None:
    saved(tmp_path / "a" / "1.jpg", (5, 7))
    saved(tmp_path / "b" / "1.bmp", (8, 3))
    arrays = read(tmp_path)
    assert isinstance(arrays.x, Ragged)
    assert [item.shape for item in arrays.x.items] == [(5, 7, 3), (8, 3, 3)]
    assert "5 x 3 to 8 x 7 pixels" in arrays.notes[0]


def test_folders_of_parts_give_the_parts(tmp_path: Path) -> None:
    for part in ("train", "val", "test"):
        classes(tmp_path / part)
    arrays = read(tmp_path)
    assert len(arrays.x_val) == len(arrays.y_test) == 6
    assert "the parts are given, by the folders test, train and val" in arrays.notes[1]


def test_a_table_names_pictures_and_labels(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        saved(tmp_path / "all" / name)
    (tmp_path / "labels.csv").write_text("age;file\n3;all/a.png\n4;all/b\n")
    arrays = read(tmp_path)
    assert arrays.y.tolist() == [3, 4]
    assert "labels from the column age of labels.csv, paths from file" in arrays.notes[1]
    assert "1 picture is not in the table" in arrays.notes[2]


@pytest.mark.parametrize(
    ("mode", "how", "said"),
    [
        ("L", {}, "grey."),
        ("P", {}, "colour."),
        ("RGBA", {}, "laid on white"),
        ("1", {}, "grey."),
        ("I;16", {}, "grey."),
    ],
)
def test_every_mode_becomes_grey_or_colour(tmp_path: Path, mode: str, how: Any, said: str) -> None:
    if mode == "I;16":
        deep = np.arange(24, dtype=np.uint16).reshape(4, 6) * 1000
        (tmp_path / "a").mkdir()
        Image.fromarray(deep).save(tmp_path / "a" / "1.png")
        arrays = read(tmp_path)
        assert np.array_equal(arrays.x[0, :, :, 0], deep)
    else:
        saved(tmp_path / "a" / "1.png", mode=mode, **how)
        arrays = read(tmp_path)
        assert arrays.x.dtype == np.uint8
    assert any(said in note for note in arrays.notes)
    assert arrays.x.shape[3] == (1 if mode in ("L", "1", "I;16") else 3)


def test_what_is_transparent_is_laid_on_white_or_kept(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.new("RGBA", (2, 2), (9, 9, 9, 0)).save(tmp_path / "a" / "1.png")
    assert (read(tmp_path).x == 255).all()
    assert read(tmp_path, channels=4).x[0, 0, 0].tolist() == [9, 9, 9, 0]


def test_a_picture_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    saved(tmp_path / "a" / "1.jpg", (4, 6), exif=exif)
    arrays = read(tmp_path)
    assert arrays.x.shape == (1, 6, 4, 3)
    assert any("turned as its EXIF data say" in note for note in arrays.notes)


def test_the_first_frame_counts(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (3, 3), colour) for colour in ("red", "blue")]
    (tmp_path / "a").mkdir()
    frames[0].save(tmp_path / "a" / "1.gif", save_all=True, append_images=frames[1:])
    arrays = read(tmp_path)
    assert arrays.x[0, 0, 0].tolist() == [255, 0, 0]
    assert any("1 file has several frames" in note for note in arrays.notes)


def test_pixels_beyond_memory_are_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    classes(tmp_path)
    in_memory = read(tmp_path).x
    little = Memory(proc=tmp_path, cgroups=tmp_path, available=lambda: 2**20)
    arrays = Pictures(str(tmp_path)).read_into(tmp_path / "run", little)
    base: Any = arrays.x
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
    assert np.array_equal(in_memory, arrays.x)
    # The file has no name, so that nothing is left behind.
    assert not list((tmp_path / "run").iterdir())


def empty(folder: Path) -> None:
    (folder / "a").mkdir()


def word(folder: Path) -> None:
    classes(folder)
    (folder / "cat" / "img1.png").write_text("hello")


def cut_short(folder: Path) -> None:
    path = saved(classes(folder) / "cat" / "img1.png", (40, 40))
    path.write_bytes(path.read_bytes()[:900])


def hollow(folder: Path) -> None:
    (classes(folder) / "cat" / "img1.png").write_bytes(b"")


def loose(folder: Path) -> None:
    saved(classes(folder) / "loose.png")


def no_pictures_of_a_class(folder: Path) -> None:
    (classes(folder) / "fish").mkdir()


def link_to_nothing(folder: Path) -> None:
    (classes(folder) / "cat" / "far.png").symlink_to("nowhere.png")


def link_in_a_circle(folder: Path) -> None:
    (classes(folder) / "cat" / "again").symlink_to(folder)


def pipe(folder: Path) -> None:
    os.mkfifo(classes(folder) / "cat" / "z.png")


def link_out(folder: Path) -> None:
    table_of("file,a\ncat/img1.png,1\ncat/out,2\n")(folder)
    (folder / "cat" / "out.png").symlink_to("/etc/passwd")


def two_tables(folder: Path) -> None:
    classes(folder)
    for name in ("one.csv", "two.tsv"):
        (folder / name).write_text("a,b\n1,2\n")


def table_of(text: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        classes(folder)
        (folder / "labels.csv").write_text(text)

    return make


def deep_and_not(folder: Path) -> None:
    classes(folder, mode="L")
    Image.fromarray(np.zeros((4, 6), np.uint16)).save(folder / "cat" / "img1.png")


BAD: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no picture": (
        word,
        r"img1.png: is no picture, whatever its name says. It begins with b'hello",
    ),
    "cut short": (cut_short, r"img1.png: is damaged or cut short: "),
    "empty file": (hollow, r"img1.png: is empty, and no picture"),
    "outside": (loose, r"1 picture lies outside of the folders of classes.*loose.png"),
    "empty class": (no_pictures_of_a_class, r"fish: is a class without a picture"),
    "link to nothing": (link_to_nothing, r"far.png: is a link to nothing"),
    "circle": (link_in_a_circle, r"again: is a link to a folder"),
    "two tables": (two_tables, r"holds 2 tables: one.csv and two.tsv"),
    "no paths": (table_of("file,label\nx.png,1\n"), r"no column holds the paths .* file, label"),
    "which column": (
        table_of("file,a,b\ncat/img1.png,1,2\n"),
        r"data.target: which column holds the labels\? Allowed: a, b",
    ),
    "a path to nothing": (
        table_of("file,a\ncat/img1.png,1\ncat/img3.png,2\n"),
        r"labels.csv:3: there is no such picture. Received: cat/img3.png",
    ),
    "pipe": (pipe, r"z.png: is no regular file"),
    "out by a link": (link_out, r"labels.csv:3: must be a path within .* Received: cat/out"),
    "absolute": (
        table_of("file,a\ncat/img1.png,1\n/etc/passwd,2\n"),
        r"labels.csv:3: must be a path within the folder of this table.*Received: /etc/passwd",
    ),
    "no label": (table_of("file,a\ncat/img1.png,\n"), r"labels.csv:2: has no label"),
    "twice": (
        table_of("file,a\ncat/img1.png,1\ncat/img1.png,2\n"),
        r"labels.csv:3: is the same picture as in line 2",
    ),
    "16 and 8 bits": (deep_and_not, r"img1.png: has grey values of 16 bits, and img2.png has 8"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said_with_its_file(case: str, tmp_path: Path) -> None:
    make, words = BAD[case]
    make(tmp_path)
    with pytest.raises(InvalidData, match=words):
        read(tmp_path)


def test_a_bomb_is_an_issue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)
    with pytest.raises(InvalidData, match=r"img1.png: is too large: more than 20 pixels"):
        read(classes(tmp_path))


def test_of_thousands_of_issues_ten_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    for number in range(25):
        (folder / f"{number}.png").write_text("no picture")
    with pytest.raises(InvalidData) as caught:
        read(tmp_path)
    assert len(caught.value.problems) == module.MOST_ISSUES + 1
    assert caught.value.problems[0].file.endswith("0.png")
    assert caught.value.problems[-1].message == "and 15 more files with such issues."


def test_a_space_for_vectors_takes_no_pictures_of_different_sizes(tmp_path: Path) -> None:
    saved(tmp_path / "a" / "1.jpg", (5, 7))
    saved(tmp_path / "b" / "1.bmp", (8, 3))
    settings = DataSettings("vector", Pictures(str(tmp_path)))
    with pytest.raises(InvalidData, match=r"x: the space wants vector input. Received: samples of"):
        prepare(settings, tmp_path / "run")


def test_hidden_files_are_no_pictures(tmp_path: Path) -> None:
    classes(tmp_path)
    (tmp_path / "cat" / "._img1.png").write_text("of a file manager")
    (tmp_path / ".DS_Store").write_text("the same")
    (tmp_path / "cat" / "Thumbs.db").write_text("the same")
    (tmp_path / "cat" / "readme.txt").write_text("told")
    arrays = read(tmp_path)
    assert len(arrays.x) == 6
    assert "1 file is not read" in arrays.notes[1]
    assert "readme.txt" in arrays.notes[1]


def test_a_given_part_of_one_size_is_resized_as_well() -> None:
    x = Ragged([np.full((8, 8, 3), 9, np.uint8), np.full((16, 4, 3), 7, np.uint8)])
    x_test = np.full((2, 4, 4, 3), 5, np.uint8)
    y = np.arange(2)
    arrays = Arrays("here", x, y, x_test, y)
    pixels = ENCODINGS["pixels"]
    assert pixels.issues(arrays, "image") == []
    assert pixels.dtype([x, x_test]) == np.uint8
    resized = pixels.encode(x_test, pixels.fit(x))
    assert resized.shape == (2, *pixels.fit(x)["size"], 3)
    assert (resized == 5).all()
    wrong = Arrays("here", x, y, Frame({"a": np.zeros(2)}), y)
    (issue,) = pixels.issues(wrong, "image")
    assert issue.message == "must be pictures, as x is. Received: Frame."
