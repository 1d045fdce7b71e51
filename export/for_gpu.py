"""A generator without the layers that GPU delegates of phones refuse."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_gans import interface
from keras_gans.export import signatures
from keras_gans.layers import PixelShuffle
from keras_gans.layers.bicubic_reduction import BicubicReduction
from keras_gans.layers.pixel_unshuffle import PixelUnshuffle


def without_refused_layers(generator: keras.Model) -> keras.Model:
    """Returns the same generator, with the same weights, of layers that GPU delegates run.

    - `keras.layers.PReLU` becomes `relu(x) - alpha * relu(-x)`, which the converter does not fuse
      into a PReLU again.
    - `layers.PixelShuffle` becomes a transposed convolution whose kernel has a single 1 for each
      channel: it copies numbers, and is exact. No shape has the rows of an image in its batch.
    - `layers.PixelUnshuffle` becomes a convolution with such a kernel.
    - `keras.layers.UpSampling2D` by repeating pixels becomes `RESIZE_NEAREST_NEIGHBOR`.
    - `layers.BicubicReduction` takes its edges by slices, and its pixel shuffle is replaced.

    Other layers stay as they are, as do those inside of a layer that is no model.

    >>> network = keras_gans.networks.compact_upscaler((8, 8, 3), scale=2, width=4, depth=1)
    >>> replaced = without_refused_layers(network)
    >>> x = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 3)).astype("float32")
    >>> bool(np.allclose(replaced(x), network(x), atol=1e-6))
    True

    Args:
        generator: a built functional or Sequential `keras.Model`.

    Returns:
        A `keras.Model`, with an interface that says what the generator's does.

    Raises:
        ValueError: if it is no generator, or a layer cannot be built from its configuration.
    """
    found = signatures.interface_of(generator)
    try:
        replaced = keras.models.clone_model(generator, clone_function=_clone, recursive=True)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "The layers of this generator cannot be built anew, which `for_gpu` needs. Each needs "
            f"a `get_config` that says all of its arguments. Received: {generator.name!r} ({error})"
        ) from error
    replaced.set_weights(generator.get_weights())
    return interface.state(replaced, found)


def _clone(layer: keras.layers.Layer) -> keras.layers.Layer:
    kinds: dict[type, Callable] = {
        layers.PReLU: _PReLU,
        PixelShuffle: _PixelShuffle,
        PixelUnshuffle: _PixelUnshuffle,
        BicubicReduction: _BicubicReduction,
    }
    kind = kinds.get(type(layer), type(layer))
    if type(layer) is layers.UpSampling2D and layer.interpolation == "nearest":
        kind = _UpSampling2D
    return kind.from_config(layer.get_config())


class _PReLU(layers.PReLU):
    def call(self, inputs: Any) -> Any:
        return ops.relu(inputs) - self.alpha * ops.relu(-inputs)


class _PixelShuffle(PixelShuffle):
    def call(self, inputs: Any) -> Any:
        taken = inputs.shape[-1]
        channels = taken // self.factor**2
        # (rows, columns, out, in): from each channel to its place in a block, and nowhere else.
        kernel = np.eye(taken, dtype="float32").reshape(self.factor, self.factor, channels, taken)
        kernel = ops.convert_to_tensor(kernel, dtype=inputs.dtype)
        return ops.conv_transpose(inputs, kernel, strides=self.factor, padding="valid")


class _PixelUnshuffle(PixelUnshuffle):
    def call(self, inputs: Any) -> Any:
        channels, made = inputs.shape[-1], inputs.shape[-1] * self.factor**2
        kernel = np.eye(made, dtype="float32").reshape(self.factor, self.factor, channels, made)
        kernel = ops.convert_to_tensor(kernel, dtype=inputs.dtype)
        return ops.conv(inputs, kernel, strides=self.factor, padding="valid")


class _UpSampling2D(layers.UpSampling2D):
    def call(self, inputs: Any) -> Any:
        height, width = ops.shape(inputs)[1:3]
        size = (height * self.size[0], width * self.size[1])
        return ops.image.resize(inputs, size, interpolation="nearest")


class _BicubicReduction(BicubicReduction):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._shuffle = _PixelShuffle(self.numerator, dtype=self.dtype_policy)

    @staticmethod
    def _repeated(x: Any) -> Any:
        x = ops.concatenate([x[:, :1], x, x[:, -1:]], axis=1)
        return ops.concatenate([x[:, :, :1], x, x[:, :, -1:]], axis=2)
