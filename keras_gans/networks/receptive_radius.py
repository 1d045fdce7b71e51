"""How far into its input a network looks: what tiles must share so that cutting them is exact."""

import math
from typing import Any

import keras

# Layers that look at each pixel alone.
_POINTWISE = {"Activation", "BatchNormalization", "ClipAtInference", "ELU", "LeakyReLU", "PReLU"}
_POINTWISE |= {"ReLU", "Rescaling", "Identity", "InputLayer", "Add", "Concatenate", "Multiply"}
_POINTWISE |= {"Subtract", "Average", "Maximum", "Minimum", "Dropout", "SeededDropout"}
_POINTWISE |= {"GaussianNoise", "InstanceNoise"}


def receptive_radius(network: keras.Model) -> int | None:
    """Returns the number of input pixels to every side that a pixel of the output depends on.

    It is counted from the output back to the input, rounded up where the size changes.

    >>> receptive_radius(keras_gans.networks.compact_upscaler((None, None, 3), width=4, depth=16))
    18
    >>> receptive_radius(keras_gans.networks.resnet_generator((None, None, 3), width=4, blocks=1))

    Args:
        network: a built functional or Sequential `keras.Model` from images to images.

    Returns:
        The number; `None` where a layer is not known to look at its surroundings alone, such as
        an instance normalisation, which looks at the whole image.
    """
    needs = {id(tensor): 0 for tensor in network.outputs}
    for _, nodes in sorted(network._nodes_by_depth.items()):  # the output has depth 0
        for node in nodes:
            after = max((needs.get(id(t), 0) for t in node.outputs), default=0)
            before = _before(node.operation, after)
            if before is None:
                return None
            for tensor in node.input_tensors:
                needs[id(tensor)] = max(needs.get(id(tensor), 0), before)
    return max(needs[id(tensor)] for tensor in network.inputs)


def _before(layer: Any, need: int) -> int | None:
    """What a layer needs of its input for `need` pixels around one of its output."""
    kind = type(layer).__name__
    if isinstance(layer, keras.Model):
        inner = receptive_radius(layer)
        return None if inner is None else need + inner
    if kind in _POINTWISE:
        return need
    if kind in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D"):
        reach = max(
            math.ceil(d * (k - 1) / 2) for k, d in zip(layer.kernel_size, layer.dilation_rate)
        )
        return need * max(layer.strides) + reach
    if kind == "Conv2DTranspose":
        return (need + max(layer.kernel_size) - 1) // min(layer.strides) + 1
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        return need * max(layer.strides) + max(layer.pool_size) - 1
    if kind == "PixelShuffle":
        return math.ceil(need / layer.factor)
    if kind == "PixelUnshuffle":
        return (need + 1) * layer.factor - 1
    if kind == "UpSampling2D":
        return math.ceil(need / min(layer.size)) + (layer.interpolation != "nearest")
    if kind == "BicubicReduction":
        return math.ceil(need * layer.denominator / layer.numerator) + 2
    return None
