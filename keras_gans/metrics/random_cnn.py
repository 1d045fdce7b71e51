"""A feature network with random weights, for images without a suitable trained network."""

import keras
import numpy as np
from keras import layers, ops

WIDTHS = (8, 16, 24, 32)

# Smaller images would leave the last convolution nothing.
_SMALLEST = 31


class _LargeEnough(layers.Layer):
    """Repeats the pixels of images that are too small, as often in both directions."""

    def call(self, images):
        times = -(-_SMALLEST // min(side or _SMALLEST for side in images.shape[1:3]))
        if times == 1:
            return images
        return ops.repeat(ops.repeat(images, times, axis=1), times, axis=2)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], None, None, input_shape[3])


def build(channels: int = 3) -> keras.Model:
    """Builds a network from images of any size to 80 features, with weights from a fixed seed.

    Four convolutions 3x3 of stride 2 with ReLU, and the mean of the maps of each: edges and texture
    at four scales. For images unlike those of ImageNet, networks with random weights distinguish
    sets of images about as well as networks trained on ImageNet (Naeem 2020, section 4.2). The
    pixels of images below 31 a side are repeated, by the least whole number that suffices.

    >>> build()(np.zeros((2, 64, 64, 3))).shape
    TensorShape([2, 80])

    Args:
        channels: of the images.

    Returns:
        A `keras.Model` from images in [-1, 1] `(batch, height, width, channels)` to float32
        features `(batch, 80)`.
    """
    # NumPy guarantees that this legacy generator always draws the same numbers.
    random = np.random.RandomState(0)
    inputs = keras.Input((None, None, channels), name="images")
    x = _LargeEnough()(inputs)
    means, kernels = [], []
    for width in WIDTHS:
        shape = (3, 3, x.shape[-1], width)
        kernels.append(random.normal(0.0, np.sqrt(2.0 / np.prod(shape[:3])), shape))
        name = f"conv_{len(means)}"
        x = layers.Conv2D(width, 3, strides=2, padding="valid", activation="relu", name=name)(x)
        means.append(ops.mean(x, axis=(1, 2)))
    model = keras.Model(inputs, layers.Concatenate()(means), name="random_cnn")
    weights = [(kernel, np.zeros(kernel.shape[-1])) for kernel in kernels]
    model.set_weights([array for pair in weights for array in pair])
    return model
