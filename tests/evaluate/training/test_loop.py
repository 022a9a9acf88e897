"""What a `Loop` promises, held against the one in TensorFlow and against one in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from evonas.evaluate.training.checkpoint import TrainingState, load_state, save_state
from evonas.evaluate.training.loop import Loop
from tests.evaluate.training.linear_loop import LinearLoop
from tests.evaluate.training.networks import convnet, make_loop, recurrent
from tests.slow import few

Make = Callable[[], Loop]
ORDER = np.random.default_rng(1).permutation(70).astype(np.int32)


def compiled(build: Callable[[], object], optimizer: str) -> Loop:
    return make_loop(build, optimizer)[1]


LOOPS: dict[str, Make] = {
    "numpy": LinearLoop,
    **{name: partial(compiled, convnet, name) for name in ("adam", "adamw", "rmsprop")},
    "recurrent": partial(compiled, recurrent, "cosine"),
}


def state(loop: Loop) -> list[bytes]:
    arrays = [*loop.model_state(), *loop.optimizer_state(), *loop.weights()]
    return [array.tobytes() for array in arrays]


def step(loop: Loop) -> tuple[float, float, bytes]:
    return (*loop.run(ORDER), loop.validate().tobytes())


@pytest.mark.parametrize("name", few(LOOPS, "numpy", "adam"))
def test_a_state_continues_in_another_loop_bit_for_bit(name: str, tmp_path: Path) -> None:
    make = LOOPS[name]
    loop = make()
    with loop.at_work():
        assert (loop.samples, loop.batch_size) == (70, 16)
        first = step(loop)
        kept = loop.model_state(), loop.optimizer_state()
        save_state(tmp_path / "state.npz", TrainingState({}, [], *kept, []))
        before = state(loop)
        second = step(loop)
        # What was given away is a copy, and a run leaves it as it was.
        arrays = [array.tobytes() for group in kept for array in group]
        assert arrays == before[: len(arrays)]
        assert second != first
        after = state(loop)

        other = make()
        # Nothing may come from the other loop's own beginning.
        other.run(ORDER[:40])
        found = load_state(tmp_path / "state.npz", {})
        other.assign(found.model, found.optimizer)
        assert state(other) == before
        assert step(other) == second
        assert state(other) == after


@pytest.mark.parametrize("name", ["numpy", "adam"])
def test_an_order_in_two_runs_is_that_of_one_and_a_validation_trains_nothing(name: str) -> None:
    whole, cut = LOOPS[name](), LOOPS[name]()
    with whole.at_work():
        total, last = whole.run(ORDER)
        before = state(whole)
        predictions = whole.validate()
        assert predictions.shape[:1] == whole.validation_targets.shape
        assert np.array_equal(whole.validate(), predictions)
        assert state(whole) == before
        first, _ = cut.run(ORDER[:32])
        second, last_of_cut = cut.run(ORDER[32:])
        assert first + second == pytest.approx(total, rel=1e-12)
        assert last_of_cut == last
        assert state(cut) == before
