"""Shared pieces: a small search space, and trials that need no training."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import pytest
from hypothesis import settings

from evonas.genome import SearchSpace
from evonas.testing import oracle as oracles
from evonas.testing.oracle import Oracle
from evonas.trial import Objective
from tests.slow import IS_FULL

# A busy machine is no failure.
settings.register_profile("evonas", parent=settings.default, deadline=None)
settings.load_profile("evonas")
MEMORY = Path("/dev/shm")


def pytest_configure(config: pytest.Config) -> None:
    """Put temporary folders into memory if there is much of it.

    As on a disk, a killed process loses nothing that it wrote. But no test waits for thousands of
    commits.
    """
    config.addinivalue_line("markers", "full: takes long; `make test-faults` does it")
    config.addinivalue_line("markers", "longer: `make test-faults` does more of it")
    # A shell starts what runs in the background with Ctrl-C ignored, and every process below it.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # The workers of pytest-xdist have them, so that text for a pipe would have 80 columns there.
    os.environ.pop("COLUMNS", None)
    os.environ.pop("LINES", None)
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > 4e9:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    # What a check found good is not remembered in the user's home, nor from an older state of the
    # code. The workers of pytest-xdist share the folder of the process that starts them.
    if "PYTEST_XDIST_WORKER" not in os.environ:
        cache = tempfile.mkdtemp(prefix="evonas-tests-")
        os.environ["XDG_CACHE_HOME"] = cache
        config.add_cleanup(lambda: shutil.rmtree(cache, ignore_errors=True))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        module = item.getparent(pytest.Module)
        if module is not None and "IS_FULL" in vars(module.obj):
            item.add_marker("longer")
        if not IS_FULL and item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason="takes long; `make test-faults` does it"))


def pytest_collection_finish() -> None:
    """Keep TensorFlow and thousands of tests out of garbage collections, as the fork server does.

    Each training makes a full collection.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def small_space() -> SearchSpace:
    return oracles.small_space()


@pytest.fixture(scope="session")
def loss() -> Objective:
    return Objective("val_loss", "min")


@pytest.fixture
def oracle(loss: Objective) -> Oracle:
    return Oracle(loss)
