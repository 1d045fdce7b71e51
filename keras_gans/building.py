"""Networks that are built for their stored weights, beside a training that must not notice."""

import contextlib
import random

import keras


@contextlib.contextmanager
def undisturbed(policy=None):
    """Builds what gets its weights from a file, without drawing seeds of the program's.

    Keras draws the seed of each initializer from Python's generator, so that building a network
    changes every weight that is drawn after it.

    >>> state = random.getstate()
    >>> with undisturbed():
    ...     network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> random.getstate() == state
    True

    Args:
        policy: dtype policy to build under; `None` for the present one.
    """
    before, state = keras.config.dtype_policy(), random.getstate()
    if policy is not None:
        keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
        random.setstate(state)
