"""Jobs done by Keras in this process: trainings and exports."""

from __future__ import annotations

import gc
import time
from contextlib import suppress
from dataclasses import replace
from typing import Any

import keras
import tensorflow as tf

from evonas.errors import DiskFailure
from evonas.evaluate.contract.border import at_border, first_line
from evonas.evaluate.contract.evaluator import silent
from evonas.evaluate.contract.importing import add_folder
from evonas.evaluate.contract.protocol import (
    Alive,
    ExportJob,
    Job,
    OnEpoch,
    RefitJob,
    ScoreJob,
    Setup,
    TrainJob,
)
from evonas.evaluate.contract.raised import text_of
from evonas.evaluate.training.export_job import export, score
from evonas.evaluate.training.refit_job import refit
from evonas.evaluate.training.tensors import TensorCache
from evonas.evaluate.training.train_job import batch_of, train
from evonas.files import DISK_ERRORS
from evonas.randomness import kept_generators
from evonas.streams import kept_streams
from evonas.trial import Cause, Details, Outcome, TrialState

_CACHE = TensorCache()
"""The data, which the trials of a run share."""


def run_job(setup: Setup, job: Job, on_epoch: OnEpoch, alive: Alive = silent) -> Outcome:
    """Do one job in this process. A failure becomes an outcome, and no model is left behind.

    Args:
        on_epoch: called after each epoch with its number, counted from 1, and its metrics; its
            answer True cuts the training short.
        alive: called again and again within an epoch.
    """
    start = time.monotonic()
    try:
        # Keras draws from the global generators of Python and NumPy, so the job seeds them. In the
        # inline pool they are the user's, and must be as they were.
        with kept_generators():
            outcome = at_border(lambda: _run(setup, job, on_epoch, alive))
    finally:
        keras.backend.clear_session(free_memory=False)
        gc.collect()
    seconds = time.monotonic() - start
    return replace(outcome, seconds=seconds)


def configure(threads: int) -> None:
    """Set how many threads TensorFlow may use, inside an op and between ops.

    If TensorFlow runs already, nothing changes.
    """
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def about() -> dict[str, Any]:
    """Versions, and the devices that TensorFlow has really opened."""
    devices = [device.name for device in tf.config.list_logical_devices()]
    return {
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "devices": devices,
    }


def _run(setup: Setup, job: Job, on_epoch: OnEpoch, alive: Alive) -> Outcome:
    """Do one job; failures of the device and of the disk become outcomes here."""
    try:
        add_folder(setup.plugin_folder)
        # Layers are then named from 0, as in a new process.
        keras.backend.clear_session(free_memory=False)
        with kept_streams():
            match job:
                case TrainJob():
                    return train(setup, job, on_epoch, _CACHE, alive=alive)
                case RefitJob():
                    return refit(setup, job, on_epoch, _CACHE, alive)
                case ScoreJob():
                    return score(setup, job)
                case ExportJob():
                    return export(setup, job)
                case _:
                    raise TypeError(f"no job for Keras: {job.kind}")
    except tf.errors.ResourceExhaustedError as error:
        message = f"TensorFlow is out of memory: {first_line(error)}"
        # The retry halves the batch. It needs the size, because a batch of 1 cannot be halved.
        details = Details(batch_size=batch_of(setup, job))
        return Outcome(TrialState.OOM_DEVICE, message=message, details=details)
    except DiskFailure as error:
        return _lost_to_the_disk(error)
    except OSError as error:
        # A library that writes by itself raises no DiskFailure.
        if error.errno not in DISK_ERRORS:
            raise
        return _lost_to_the_disk(error)


def _lost_to_the_disk(error: Exception) -> Outcome:
    """The outcome `lost`, because the machine is at fault and not the network."""
    return Outcome(
        TrialState.LOST,
        message=text_of(error),
        details=Details(cause=Cause.DISK),
    )
