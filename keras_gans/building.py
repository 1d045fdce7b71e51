"""Networks that are built for their stored weights, beside a training that must not notice."""

import contextlib
import functools
import math
import random

import keras
from keras.src.backend.common import global_state

# Keras' names for its seed and for the generator that `keras.random` draws from without a seed.
# Nothing public gives them back: setting the seed again would start them afresh.
_KERAS_STATE = ("global_random_seed", "global_seed_generator")


@contextlib.contextmanager
def preserving_random_state(policy=None, seed=None):
    """Builds what gets its weights from a file, and leaves the program's state as it was.

    Keras draws the seed of each initializer from Python's generator, so that building a network
    changes every weight that is drawn after it; layers that draw take numbers of Keras' own.

    >>> state = random.getstate()
    >>> with preserving_random_state():
    ...     network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> random.getstate() == state
    True

    Args:
        policy: dtype policy to build under; `None` for the present one.
        seed: integer to draw from, as after `keras.utils.set_random_seed`; `None` for the state
            that the program is in.
    """
    before, state = keras.config.dtype_policy(), random.getstate()
    kept = {name: global_state.get_global_attribute(name) for name in _KERAS_STATE}
    if policy is not None:
        keras.config.set_dtype_policy(policy)
    if seed is not None:
        random.seed(seed)
        global_state.set_global_attribute("global_random_seed", seed)
    global_state.set_global_attribute("global_seed_generator", None)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
        random.setstate(state)
        for name, value in kept.items():
            global_state.set_global_attribute(name, value)


@contextlib.contextmanager
def at_most(arrays, numbers, what):
    """Refuses to make more or larger weights than expected, before they take memory.

    What a recipe makes of its numbers is known to the functions that it names alone, so it is
    counted while they build.

    Args:
        arrays: how many weights, of all layers that are built within.
        numbers: how many numbers in all of them.
        what: is built, for the error.
    """
    original, made, total = keras.Layer.add_weight, 0, 0

    @functools.wraps(original)
    def add_weight(layer, shape=None, *args, **kwargs):
        nonlocal made, total
        made += 1
        total += math.prod(shape) if isinstance(shape, (tuple, list)) else shape or 1
        if made > arrays or total > numbers:
            raise ValueError(
                f"{what} would have more weights than expected, and was not built. Expected at "
                f"most {arrays:,}, with {numbers:,} numbers in all. Look at the numbers in its "
                f"recipe. Received: {made:,} with {total:,} up to {layer.name!r}"
            )
        return original(layer, shape, *args, **kwargs)

    keras.Layer.add_weight = add_weight
    try:
        yield
    finally:
        keras.Layer.add_weight = original
