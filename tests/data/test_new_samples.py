"""New files for a model: read as the run's own were, and named if their order says too little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evonas.data.new_samples import NewSamples, new_samples
from evonas.data.raw import Ragged
from evonas.data.sources import Table
from evonas.errors import InvalidData
from evonas.learning.input_spec import InputSpec
from evonas.learning.interface import Interface
from evonas.memory import Memory


def read(path: Path, kind: str, shape: tuple[int, ...], **spec: Any) -> NewSamples:
    interface = Interface(InputSpec(kind, shape, **spec), "classification", (0, 1))
    return new_samples(path, interface, Memory())


def forecast(path: Path, window: int, channels: int, **spec: Any) -> NewSamples:
    given = InputSpec("sequence", (window, channels), **spec)
    interface = Interface(given, "forecasting", (), (0.0, 0.0), (1.0, 1.0), steps=2)
    return new_samples(path, interface, Memory())


def picture(path: Path, side: int, shade: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((side, side, 3), shade, np.uint8)).save(path)


def test_pictures_are_named_by_their_files(tmp_path: Path) -> None:
    picture(tmp_path / "b" / "10.png", 6, 50)
    picture(tmp_path / "b" / "9.png", 8, 40)
    picture(tmp_path / "a.png", 7, 30)
    pixels = {"encoding": "pixels", "fitted": {"size": (8, 8), "channels": 3}, "dtype": "uint8"}
    found = read(tmp_path, "image", (8, 8, 3), **pixels)
    assert (found.called, found.names) == ("file", ["a.png", "b/9.png", "b/10.png"])
    assert isinstance(found.x, Ragged)
    assert [item[0, 0, 0] for item in found.x.items] == [30, 40, 50]
    one = read(tmp_path / "a.png", "image", (8, 8, 3), **pixels)
    assert isinstance(one.x, np.ndarray)
    assert (one.x.shape, one.names) == ((1, 7, 7, 3), ["a.png"])
    # Stored as they are: other sizes cannot be answered.
    assert isinstance(read(tmp_path / "a.png", "image", (7, 7, 3), dtype="uint8").x, np.ndarray)
    with pytest.raises(InvalidData, match=r"samples of shape \(8, 8, 3\)"):
        read(tmp_path / "a.png", "image", (8, 8, 3), dtype="uint8")
    with pytest.raises(InvalidData, match="different lengths or sizes"):
        read(tmp_path, "image", (8, 8, 3), dtype="uint8")


def test_pixels_of_another_scale_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "new.npy", np.full((2, 4, 4), 0.5))
    with pytest.raises(InvalidData, match=r"pixels of 8 bits. Received: float64"):
        read(tmp_path / "new.npy", "image", (4, 4), dtype="uint8")


def test_sequences_with_their_lengths(tmp_path: Path) -> None:
    x = np.arange(10.0).reshape(5, 2)
    np.savez(tmp_path / "new.npz", x=x, lengths=[2, 3])
    padded = {"encoding": "padded", "fitted": {"length": 3, "channels": 2}}
    found = read(tmp_path / "new.npz", "sequence", (3, 2), **padded).x
    assert isinstance(found, Ragged)
    np.testing.assert_array_equal(found.items[1], x[2:])
    np.savez(tmp_path / "new.npz", x=x, lengths=[2, 2])
    with pytest.raises(InvalidData, match="sum"):
        read(tmp_path / "new.npz", "sequence", (3, 2), **padded)
    for name, steps in (("one", 2), ("two", 4)):
        np.savetxt(tmp_path / f"{name}.csv", np.ones((steps, 2)), delimiter=",")
    (tmp_path / "new.npz").unlink()
    folder = read(tmp_path, "sequence", (3, 2), **padded)
    assert folder.names == ["one.csv", "two.csv"]
    assert [len(item) for item in folder.x.items] == [2, 4]  # type: ignore[union-attr]


def test_texts_in_files(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "1.txt").write_text("a letter")
    (tmp_path / "2.txt").write_text("an answer")
    found = read(tmp_path, "text", (4,), encoding="text", fitted={"words": ()})
    assert found.names == ["2.txt", "old/1.txt"]
    assert found.x.tolist() == ["an answer", "a letter"]  # type: ignore[union-attr]


def test_a_forecast_of_each_whole_window(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text("load,heat\n1,5\n2,6\n3,7\n,8\n5,9\n6,10\n7,11\n")
    trained = tmp_path / "trained.csv"
    trained.write_text("day,load,heat\n" + "".join(f"{i},{i % 7},{i % 5}\n" for i in range(40)))
    schema = Table(str(trained), target="load", time="day").read(Memory()).schema
    found = forecast(path, 3, 2, fitted={"schema": schema})
    # Row 4 has a gap. The last window is that of the future.
    assert (found.called, found.names) == ("after row", [3, 7])
    expected = [[[5, 1], [6, 2], [7, 3]], [[9, 5], [10, 6], [11, 7]]]
    np.testing.assert_array_equal(found.x, expected)
    with pytest.raises(InvalidData, match="needs 5 rows in order of time without a gap"):
        forecast(path, 5, 2, fitted={"schema": schema})


def test_a_forecast_of_a_series_alone(tmp_path: Path) -> None:
    path = tmp_path / "spots.csv"
    path.write_text("spots\n1\n2\n2\n")
    schema = Table(str(path), target="spots").read(Memory()).schema
    found = forecast(path, 2, 1, fitted={"schema": schema}).x
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found[..., 0], [[1, 2], [2, 2]])
    np.savez(tmp_path / "new.npz", series=np.arange(4.0))
    assert forecast(tmp_path / "new.npz", 2, 1).names == [2, 3, 4]
    with pytest.raises(InvalidData, match=r"sees 2 columns. Received: 1"):
        forecast(tmp_path / "new.npz", 2, 2)


def text_schema(folder: Path) -> Any:
    """How texts are read that `evonas.evolve` was given as a list."""
    reviews = "".join(f"it was {'good' if row % 2 else 'bad'},{row % 2}\n" for row in range(20))
    (folder / "trained.csv").write_text(f"x,y\n{reviews}")
    source = Table(str(folder / "trained.csv"), target="y", columns={"x": "text"})
    return source.read(Memory()).schema


def test_texts_that_are_in_no_table_or_in_one_with_another_name(tmp_path: Path) -> None:
    fitted = {"words": (), "schema": text_schema(tmp_path)}
    texts = ["good, they said", "bad"]

    def found(name: str) -> NewSamples:
        new = read(tmp_path / name, "text", (4,), encoding="text", fitted=fitted)
        assert new.x.tolist() == texts  # type: ignore[union-attr]
        return new

    np.savez(tmp_path / "new.npz", x=np.array(texts))
    np.save(tmp_path / "new.npy", np.array(texts))
    (tmp_path / "folder").mkdir()
    for name, text in zip("ab", texts, strict=True):
        (tmp_path / "folder" / f"{name}.txt").write_text(text)
    assert (found("new.npz").notes, found("new.npy").notes) == ((), ())
    assert found("folder").names == ["a.txt", "b.txt"]
    (tmp_path / "x.csv").write_text(f'x\n"{texts[0]}"\nbad\n')
    assert found("x.csv").notes == []
    (tmp_path / "new.csv").write_text(f'review\n"{texts[0]}"\nbad\n')
    (note,) = found("new.csv").notes
    assert note.endswith("new.csv: the only column, 'review', is taken for the texts 'x'.")
    (tmp_path / "two.csv").write_text("review,stars\ngood,5\n")
    with pytest.raises(
        InvalidData,
        match=r"two.csv: the column 'x' is missing.* It holds the texts: give their column this"
        r" name. Received: 'review' and 'stars'.",
    ):
        found("two.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        InvalidData, match=r"empty: is a folder without a .txt file. Allowed: .*'x'"
    ):
        found("empty")
    np.savez(tmp_path / "numbers.npz", x=np.arange(4))
    with pytest.raises(InvalidData, match=r"takes texts. Received: int64, shape \(4,\)"):
        found("numbers.npz")


def test_arrays_are_no_table(tmp_path: Path) -> None:
    cells = ",".join(f"c{place}" for place in range(9))
    values = np.random.default_rng(0).normal(size=(30, 9)).round(3)
    rows = "".join(",".join(map(str, row)) + "\n" for row in values.tolist())
    (tmp_path / "trained.csv").write_text(f"{cells}\n{rows}")
    schema = Table(str(tmp_path / "trained.csv"), target="c8").read(Memory()).schema
    np.save(tmp_path / "x.npy", np.zeros((4, 8)))
    with pytest.raises(InvalidData) as raised:
        read(tmp_path / "x.npy", "table", (8,), encoding="columns", fitted={"schema": schema})
    assert str(raised.value) == (
        f"{tmp_path / 'x.npy'}: holds arrays, and the model takes a table with 8 columns: 'c0',"
        " 'c1', 'c2', 'c3', 'c4' and 3 more. Allowed: a table (.csv, .tsv, .parquet, also .gz)."
    )


def test_a_table_is_none_of_arrays(tmp_path: Path) -> None:
    (tmp_path / "new.csv").write_text("a,b\n1,2\n")
    for kind, shape, words in (
        (
            "vector",
            (3,),
            "takes samples of shape (3,). Allowed: an .npz file with x and y; an .npy",
        ),
        ("image", (4, 4), "takes samples of shape (4, 4). Allowed: an .npz file"),
        ("sequence", (5, 2), "beside it; a folder of sequences"),
        ("text", (), "takes texts. Allowed"),
    ):
        with pytest.raises(InvalidData) as raised:
            read(tmp_path / "new.csv", kind, shape)
        assert words in str(raised.value)
        assert str(raised.value).endswith("y is not needed.")


def test_what_a_table_has_more_than_the_first_one_is_told(tmp_path: Path) -> None:
    rows = "".join(f"{row * row},{'red' if row % 2 else 'blue'},{row % 3}\n" for row in range(30))
    (tmp_path / "trained.csv").write_text(f"size,colour,kind\n{rows}")
    schema = Table(str(tmp_path / "trained.csv"), target="kind").read(Memory()).schema
    columns = ({"name": "size", "mean": 0.0}, {"name": "colour", "words": ("red", "blue")})
    fitted = {"schema": schema, "columns": columns}

    def notes(text: str) -> list[str]:
        path = tmp_path / "new.csv"
        path.write_text(text)
        found = read(path, "table", (2,), encoding="table", fitted=fitted)
        return [note.removeprefix(f"{path}: ") for note in found.notes]

    assert notes("size,colour,kind\n1,red,0\n2,,1\n") == []
    assert notes("id,size,colour,when\na,1,red,b\nc,2,green,d\ne,3,pink,f\ng,4,pink,h\n") == [
        "these 2 columns are left out, because the model was not trained with them: 'id' and"
        " 'when'.",
        "the column 'colour' has 2 words that were not in the training data, in 3 rows. The first"
        " is 'green' in line 3. The model takes it for an unknown word.",
    ]
