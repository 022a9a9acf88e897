"""How long a trained network takes for one sample, by the clock: the metric `latency_ms`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import keras
import tensorflow as tf

WARM_UP = 10
REPEATS = 101


def latency_ms(
    model: keras.Model,
    sample: tf.Tensor,
    repeats: int = REPEATS,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Milliseconds of one prediction for one sample: the median of many, after a few that do not count.

    The network is compiled to one graph, as for serving, and runs where it was trained, with as many threads. What else
    the machine does is measured with it: no two measurements are equal.

    Args:
        sample: (1, *shape), raw.
    """
    serve = tf.function(lambda x: model(x, training=False), autograph=False).get_concrete_function(
        sample
    )
    for _ in range(WARM_UP):
        serve(sample).numpy()
    seconds = []
    for _ in range(repeats):
        start = clock()
        serve(sample).numpy()  # which waits for a GPU, too
        seconds.append(clock() - start)
    return 1000.0 * statistics.median(seconds)
