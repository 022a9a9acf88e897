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
    """Milliseconds of one prediction for one sample, the median of `repeats`.

    The network is compiled to one graph, as for serving. It runs where it was trained, with as many
    threads. Whatever else the machine does is measured too: no two measurements are equal.

    Args:
        sample: (1, *shape), raw.
    """
    function = tf.function(lambda x: model(x, training=False), autograph=False)
    serve = function.get_concrete_function(sample)
    # The first calls allocate memory and choose kernels, so they do not count.
    for _ in range(WARM_UP):
        serve(sample).numpy()
    seconds = []
    for _ in range(repeats):
        start = clock()
        # A call returns before a GPU is done; `.numpy()` waits for the result.
        serve(sample).numpy()
        seconds.append(clock() - start)
    return 1000.0 * statistics.median(seconds)
