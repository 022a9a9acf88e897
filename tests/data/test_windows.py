"""Windows of a series: what a sample sees, and that no part has learned another one's targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evonas.data.arrays import Arrays
from evonas.data.look import look
from evonas.data.prepared import FILES, DataSettings, Prepared, prepare
from evonas.data.raw import Frame
from evonas.data.sources import Npz, Table
from evonas.data.splits import SPLITS, Split
from evonas.data.windows import Horizon, windowed, windows_of
from evonas.errors import InvalidData
from evonas.memory import Memory
from tests.data.test_room import with_free

N = 60
ROWS = np.arange(float(N))
BESIDE = np.sin(ROWS)


def made(x: Any, y: Any, window: int = 4, steps: int = 2, **more: Any) -> Any:
    return windowed(Arrays("data.npz", x, y, **more), Horizon(window, steps), Memory())


def prepared(
    tmp_path: Path, horizon: Horizon, split: Split | None = None, **arrays: Any
) -> Prepared:
    np.savez(tmp_path / "data.npz", **arrays)
    source = Npz(str(tmp_path / "data.npz"))
    settings = DataSettings("sequence", source, "forecasting", split=split, horizon=horizon)
    return prepare(settings, tmp_path / "run")


def stored(tmp_path: Path, part: Any) -> tuple[Any, Any]:
    x, y = (np.load(tmp_path / "run" / name) for name in FILES[part])
    return x, y.reshape(len(y), -1)


def test_a_sample_is_a_window_and_its_targets_are_the_next_values() -> None:
    found = made(BESIDE, ROWS)
    x, y = found.arrays.x, found.arrays.y
    assert x.shape == (N - 5, 4, 2)
    assert y.shape == (N - 5, 2)
    assert found.rows.tolist() == list(range(4, N - 1))
    assert x[7, :, 0].tolist() == BESIDE[7:11].tolist()
    # The past of the target itself is the last channel.
    assert x[7, :, 1].tolist() == [7, 8, 9, 10]
    assert y[7].tolist() == [11, 12]


def test_all_series_of_a_step_come_before_the_next_step() -> None:
    found = made(BESIDE, np.stack([ROWS, 100 + ROWS], axis=1))
    assert found.arrays.y[0].tolist() == [4, 104, 5, 105]
    assert found.arrays.x[0, -1].tolist() == [BESIDE[3], 3, 103]


@pytest.mark.parametrize("x", [ROWS, np.stack([BESIDE, ROWS], axis=1)])
def test_the_target_is_a_channel_once(x: Any) -> None:
    channels = 1 if x.ndim == 1 else 2
    found = made(x, ROWS, steps=1)
    assert found.arrays.x.shape == (N - 4, 4, channels)
    assert found.arrays.y.shape == (N - 4,)
    assert found.arrays.x[0, :, -1].tolist() == [0, 1, 2, 3]


def test_columns_of_a_table_are_channels_and_words_are_refused() -> None:
    frame = Frame({"wind": BESIDE, "holiday": ROWS > 30})
    x = made(frame, ROWS).arrays.x
    assert x[30].tolist() == [[BESIDE[row], row > 30, row] for row in range(30, 34)]
    with pytest.raises(InvalidData, match="day hold words"):
        made(Frame({"day": np.full(N, "Monday")}), ROWS)


def test_rows_are_sorted_by_time_and_uneven_ones_are_told() -> None:
    order = np.random.default_rng(0).permutation(N)
    found = made(BESIDE[order], ROWS[order], time=order)
    assert np.array_equal(found.arrays.x, made(BESIDE, ROWS).arrays.x)
    assert found.arrays.time.tolist() == found.rows.tolist()
    assert len(found.notes) == 1
    uneven = made(BESIDE, ROWS, time=ROWS + 9 * (ROWS > 30))
    assert "not evenly spaced" in uneven.notes[-1]


def test_windows_with_a_gap_are_left_out() -> None:
    x, y = BESIDE.copy(), ROWS.copy()
    x[20] = np.nan
    y[40] = np.nan
    found = made(x, y)
    # A gap of x is in 4 windows; one of y in 4 windows and in the targets of 2.
    assert len(found.rows) == N - 5 - 4 - 6
    assert np.isfinite(found.arrays.x).all()
    assert np.isfinite(found.arrays.y).all()
    assert found.notes[-1] == "x: 10 windows have a gap and are left out."


@pytest.mark.parametrize(("window", "steps"), [(1, 1), (4, 1), (4, 3), (10, 6)])
def test_no_part_has_learned_the_targets_of_a_later_one(
    window: int, steps: int, tmp_path: Path
) -> None:
    # Each value is its own row, so that the stored arrays tell which rows a part has seen.
    found = prepared(tmp_path, Horizon(window, steps), series=ROWS)
    parts = {part: stored(tmp_path, part) for part in ("train", "validation", "test")}
    for earlier, later in (("train", "validation"), ("validation", "test"), ("train", "test")):
        x, y = parts[earlier]
        _, targets = parts[later]
        assert max(x.max(), y.max()) < targets.min()
    # No more is left out than that takes.
    assert sum(found.counts.values()) == N - window - steps + 1 - 2 * (steps - 1)
    assert parts["train"][1].max() == parts["validation"][1].min() - 1
    assert parts["test"][1].max() == N - 1
    told = [note for note in found.notes if "reach into the next part" in note]
    assert len(told) == (steps > 1)


def test_the_interface_tells_steps_and_series(tmp_path: Path) -> None:
    y = np.stack([ROWS, BESIDE], axis=1)
    interface = prepared(
        tmp_path, Horizon(5, 2), x=ROWS, y=y, target_names=["load", "wind"]
    ).interface
    assert interface is not None
    assert interface.steps == 2
    assert interface.output_names == (
        "load, step 1",
        "wind, step 1",
        "load, step 2",
        "wind, step 2",
    )
    assert interface.input.shape == (5, 2)
    assert interface.to_json()["steps"] == 2


def test_parts_that_are_given_have_windows_of_their_own(tmp_path: Path) -> None:
    found = prepared(
        tmp_path, Horizon(4, 2), x=ROWS, y=ROWS, x_test=ROWS[:10] + 500, y_test=ROWS[:10] + 500
    )
    assert found.counts["test"] == 5
    assert stored(tmp_path, "test")[0].min() == 500


def test_the_fingerprint_sees_the_horizon(tmp_path: Path) -> None:
    found = {
        prepared(tmp_path, horizon, series=ROWS).fingerprint
        for horizon in (Horizon(4, 2), Horizon(5, 2), Horizon(4, 1), Horizon(4, 1))
    }
    assert len(found) == 3


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "too few rows": ({"series": ROWS[:5]}, "too few rows for windows of 4 and 2 steps"),
    "few rows": ({"series": ROWS[:10]}, "no sample is left for"),
    "words": ({"x": ROWS.astype(str), "y": ROWS}, "x: a forecast needs numbers"),
    "images": ({"x": np.ones((N, 2, 2)), "y": ROWS}, "1 axis (moments) or 2 axes"),
    "other rows": ({"x": ROWS, "y": ROWS[1:]}, "Received: 59 in y, 60 in x"),
    "few times": ({"x": ROWS, "y": ROWS, "time": ROWS[1:]}, "Received: 59 in time"),
    "groups": ({"x": ROWS, "y": ROWS, "groups": ROWS > 3}, "groups: would not be read"),
    "gaps": ({"x": np.where(ROWS % 3 == 0, np.nan, ROWS), "y": ROWS}, "without a gap"),
    "a constant series": ({"series": np.ones(N)}, "targets that differ"),
    "names": ({"x": ROWS, "y": ROWS, "target_names": ["a", "b"]}, "target_names: must be a name"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_rows_that_cannot_be_forecast_are_refused(case: str, tmp_path: Path) -> None:
    arrays, words = REFUSED[case]
    with pytest.raises(InvalidData) as caught:
        prepared(tmp_path, Horizon(4, 2), **arrays)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", sorted({*SPLITS} - {"chronological", "given"}))
def test_splits_that_would_mix_the_future_in_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="in order of time"):
        prepared(tmp_path, Horizon(4), SPLITS[name](), series=ROWS)


def test_more_windows_than_memory_holds_are_refused(tmp_path: Path) -> None:
    arrays = Arrays("data.npz", ROWS, ROWS)
    with pytest.raises(InvalidData, match="a shorter window"):
        windowed(arrays, Horizon(20), with_free(1000, tmp_path))


def test_a_table_of_the_target_alone_is_a_series(tmp_path: Path) -> None:
    path = tmp_path / "spots.csv"
    path.write_text("year,spots\n" + "".join(f"{1700 + i},{i % 11}\n" for i in range(30)))
    arrays = Table(str(path), target="spots", time="year").read(Memory())
    assert arrays.x is arrays.y
    assert look(arrays).samples == 30
    found, _, _ = windows_of(arrays, Horizon(4, 2), None, Memory())
    assert found.x.shape == (25, 4, 1)
    np.testing.assert_array_equal(found.x[0, :, 0], [0, 1, 2, 3])
    np.testing.assert_array_equal(found.y[0], [4, 5])
    with pytest.raises(
        InvalidData,
        match=r"no column is left to learn from. column year: left out.*task: forecasting",
    ):
        windows_of(Table(str(path), target="spots").read(Memory()), None, None, Memory())
