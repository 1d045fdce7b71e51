"""Two logical processors for the replica tests, and the same random numbers in every run.

And data without autotuning: the end of an iterator waits for it, up to two seconds each, and of
hundreds of tests some waited for a minute. And no search for garbage among what stays anyway.
"""

import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # the numbers below were fixed on a processor

import keras
import pytest
import tensorflow as tf
from tensorflow.python.data.ops import dataset_ops

# Before anything else touches the devices: they cannot be divided later.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

pytest_plugins = ["hub_stand_ins"]

_prepared = dataset_ops.DatasetV2._apply_debug_options  # called for every iterator


def _without_autotuning(dataset):
    options = tf.data.Options()
    options.autotune.enabled = False
    return _prepared(dataset).with_options(options)


dataset_ops.DatasetV2._apply_debug_options = _without_autotuning


@pytest.fixture(scope="module", autouse=True)
def left_to_stay():
    """What is alive between two files is not looked through for garbage again.

    TensorFlow alone makes half a million objects. Each conversion to LiteRT collects garbage, and
    the sixth part of the time of exports was the search among them.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def fresh_state():
    """Each test starts from one seed, under the float32 policy."""
    keras.config.set_dtype_policy("float32")
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="module")
def without_graphs():
    """Trainings of a few steps run eagerly, see `tiny.without_graphs`."""
    import tiny

    with tiny.without_graphs():
        yield


@pytest.fixture(scope="session")
def two_replicas():
    """Two replicas on one processor.

    The default cross-device ops of two strategies in one process clash, so these reduce to one
    device.
    """
    return tf.distribute.MirroredStrategy(
        ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()
    )
