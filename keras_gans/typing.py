"""Types in the signatures of this package."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import keras

# Of any backend of Keras, symbolic or not. No library has one class for all of them.
Tensor: TypeAlias = Any

# Where a file is.
PathLike: TypeAlias = Path | str

# Of an image, without the batch; `None` is a size that is not known.
Shape: TypeAlias = tuple[int | None, ...]

# What `get_config` returns.
Config: TypeAlias = dict[str, Any]

# The losses of a side by name, float32 and already weighted.
Losses: TypeAlias = dict[str, Tensor]

# A network, or a function that calls one with more inputs: `call(images, training=True)`.
Callee: TypeAlias = Callable[..., Tensor]

# Names of penalties to their weights, or to `{"weight": 5.0, "every": 16}`.
Penalties: TypeAlias = Mapping[str, float | Mapping[str, float]]

# Of a discriminator's images: policies of `layers.DiffAugment`, or one of `layers.AdaptiveAugment`.
Augment: TypeAlias = str | Sequence[str] | Mapping[str, Any]

# A number of classes; or names of conditions to such numbers.
Classes: TypeAlias = int | Mapping[str, int]

# Of a side in `compile`; `None` is the class's own.
Optimizer: TypeAlias = keras.optimizers.Optimizer | str | None
