"""What every source promises; `evonas.data.sources.Source` says it in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from evonas.data.raw import content
from evonas.data.sources import Source
from evonas.memory import Memory
from evonas.testing.suites.suite import Suite, check_light


class SourceSuite(Suite):
    """The suite of a source.

    Class attributes:
        members: functions that make a source, by name. Each is given an empty folder, in which it
            may write what the source reads.
    """

    members: ClassVar[Mapping[str, Callable[[Path], Source]]]

    def test_it_gives_one_target_a_sample(
        self, member: Callable[[Path], Source], tmp_path: Path
    ) -> None:
        arrays = member(tmp_path).read(Memory())
        assert arrays.origin
        assert len(arrays.x) == len(arrays.y) > 0
        for part in ("validation", "test"):
            if given := arrays.given(part):
                assert len(given[0]) == len(given[1])

    def test_reading_twice_gives_the_same(
        self, member: Callable[[Path], Source], tmp_path: Path
    ) -> None:
        source = member(tmp_path)
        before = dict(source.mark())
        first = source.read(Memory()).named()
        second = source.read(Memory()).named()
        assert first.keys() == second.keys()
        for name, array in first.items():
            assert b"".join(content(array)) == b"".join(content(second[name]))
        assert dict(source.mark()) == before

    def test_its_mark_is_a_few_words(
        self, member: Callable[[Path], Source], tmp_path: Path
    ) -> None:
        mark = member(tmp_path).mark()
        assert mark, "there is something to be read"
        assert len(json.dumps(dict(mark))) < 1000
        assert all(isinstance(word, str) for word in (*mark, *mark.values()))

    def test_a_placed_source_reads_the_same_from_anywhere(
        self, member: Callable[[Path], Source], tmp_path: Path
    ) -> None:
        source = member(tmp_path)
        placed = source.placed(tmp_path)
        assert placed.placed(Path("/elsewhere")) == placed
        assert dict(placed.mark()) == dict(source.mark())

    def test_the_driver_reads_it_without_keras(
        self, member: Callable[[Path], Source], tmp_path: Path
    ) -> None:
        check_light(member(tmp_path))
