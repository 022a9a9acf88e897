"""Stand-ins for tests, shipped with evonas: a *stub* answers as a worker does, at once and without TensorFlow.

`stub_worker` is a real process that speaks the real protocol; `stub_pool` is a whole pool inside the driver. Both give
answers that depend on the job alone, so that a run with stubs repeats itself as a run with networks does.
"""
