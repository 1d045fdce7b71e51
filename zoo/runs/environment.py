"""What a training ran on: another machine, or another version, may round otherwise."""

import os
import platform
from typing import Any

import keras
import tensorflow as tf

from keras_gans import __version__

ENVIRONMENT = "environment.json"


def describe() -> dict[str, Any]:
    """Returns the versions of what a training ran on, and its processors.

    >>> sorted(describe())
    ['cores', 'gpus', 'keras', 'keras_gans', 'machine', 'python', 'tensorflow']
    """
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    threads = threads or int(os.environ.get("TF_NUM_INTRAOP_THREADS", 0))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cores": min(threads, cores) if threads else cores,
        "gpus": len(tf.config.list_physical_devices("GPU")),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "keras_gans": __version__,
    }
