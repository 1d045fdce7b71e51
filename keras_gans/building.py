"""Building networks without effects on the program's random state."""

import contextlib
import functools
import math
import random
from collections.abc import Iterable, Iterator

import keras
from keras.src.backend.common import global_state

# Keras' names for its seed and for the generator of `keras.random` without a seed. No public
# function restores them: setting the seed again would reset them.
_KERAS_STATE = ("global_random_seed", "global_seed_generator")


@contextlib.contextmanager
def preserving_random_state(policy: str | None = None, seed: int | None = None) -> Iterator[None]:
    """Restores the random state and the dtype policy of the program after the block.

    For networks that get their weights from a file. Keras draws the seed of each initializer from
    Python's generator, so that building a network changes every weight that is drawn later; layers
    with random numbers draw from Keras' own generator.

    >>> state = random.getstate()
    >>> with preserving_random_state():
    ...     network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> random.getstate() == state
    True

    Args:
        policy: dtype policy within the block; `None` for the present one.
        seed: integer, as of `keras.utils.set_random_seed`, within the block; `None` for the
            present state.
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
def computing_in(policy: str, layers: Iterable[keras.layers.Layer]) -> Iterator[None]:
    """Gives layers another dtype policy, and puts theirs back after the block.

    Not a copy of the network, because a copy would need every class in it to be registered.

    >>> dense = keras.layers.Dense(3)
    >>> with computing_in("mixed_bfloat16", [dense]):
    ...     dense.compute_dtype
    'bfloat16'
    >>> dense.compute_dtype
    'float32'

    Args:
        policy: name of a dtype policy.
        layers: those to change, not what is inside of them.
    """
    before = [(layer, layer.dtype_policy) for layer in layers]
    try:
        for layer, _ in before:
            layer.dtype_policy = keras.DTypePolicy(policy)
        yield
    finally:
        for layer, own in before:
            layer.dtype_policy = own


@contextlib.contextmanager
def at_most(arrays: int, numbers: int, what: str) -> Iterator[None]:
    """Raises ValueError for more or larger weights than expected, before they take memory.

    Only the functions that a recipe names know how large its networks are, so weights are counted
    while these are built.

    Args:
        arrays: number of weights, of all layers built within the block.
        numbers: number of values in all of them.
        what: name of what is built, for the error.
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
