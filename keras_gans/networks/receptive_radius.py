"""How far around a place of its image a network looks."""

import math
from fractions import Fraction
from typing import Any, NamedTuple

import keras
from keras import layers

from keras_gans.layers import PixelShuffle
from keras_gans.layers.bicubic_reduction import BicubicReduction
from keras_gans.layers.clip_at_inference import ClipAtInference
from keras_gans.layers.pixel_unshuffle import PixelUnshuffle

# Each pixel by itself.
_POINTWISE = (
    layers.Activation,
    layers.Add,
    layers.Average,
    layers.BatchNormalization,
    layers.Concatenate,
    layers.Dropout,
    layers.ELU,
    layers.LeakyReLU,
    layers.Multiply,
    layers.PReLU,
    layers.ReLU,
    layers.Rescaling,
    layers.Subtract,
    ClipAtInference,
)
# Pixels of the smaller image to either side that an enlarged one is interpolated from.
_INTERPOLATED = {"nearest": 0, "bilinear": 1, "bicubic": 2}


class _Seen(NamedTuple):
    """Of a tensor: pixels of the input to either side that count, and its size over the input's."""

    radius: Fraction
    scale: Fraction


def receptive_radius(network: keras.Model) -> int | None:
    """Returns by how many pixels a network looks to each side of a place in its image.

    Tiles that overlap by so much on each side are the same as the whole image where they are cut.

    >>> receptive_radius(keras_gans.networks.compact_upscaler((None, None, 3)))
    18
    >>> receptive_radius(keras_gans.networks.resnet_generator((None, None, 3)))

    Args:
        network: a built functional or Sequential `keras.Model`.

    Returns:
        Pixels of the input, rounded up. `None` for a network with a layer that looks at the whole
        image, or that is not known here.
    """
    seen = {id(tensor): _Seen(Fraction(0), Fraction(1)) for tensor in network.inputs}
    for layer in getattr(network, "operations", ()):
        if isinstance(layer, layers.InputLayer):
            continue
        try:
            taken = [seen[id(tensor)] for tensor in keras.tree.flatten(layer.input)]
        except (AttributeError, KeyError, ValueError):  # used twice, or a network inside
            return None
        made = _made(layer, _Seen(max(t.radius for t in taken), taken[0].scale))
        if made is None or len({t.scale for t in taken}) > 1:
            return None
        seen.update(dict.fromkeys(map(id, keras.tree.flatten(layer.output)), made))
    found = [seen.get(id(tensor)) for tensor in network.outputs]
    return None if None in found else math.ceil(max(t.radius for t in found if t))


def _made(layer: Any, taken: _Seen) -> _Seen | None:
    """What a layer makes of a tensor; `None` if it is not known."""
    radius, scale = taken
    if isinstance(layer, _POINTWISE):
        return taken
    # Pixels of this layer's own input to each side, and by how much it enlarges.
    if isinstance(layer, layers.Conv2DTranspose):
        around, factor = Fraction(max(layer.kernel_size) - 1, 2 * layer.strides[0]), layer.strides
    elif isinstance(layer, layers.Conv2D):
        around = Fraction((max(layer.kernel_size) - 1) * max(layer.dilation_rate), 2)
        factor = tuple(Fraction(1, stride) for stride in layer.strides)
    elif isinstance(layer, layers.UpSampling2D) and layer.interpolation in _INTERPOLATED:
        around, factor = Fraction(_INTERPOLATED[layer.interpolation]), layer.size
    elif isinstance(layer, PixelShuffle):
        around, factor = Fraction(0), (layer.factor, layer.factor)
    elif isinstance(layer, PixelUnshuffle):
        around, factor = Fraction(layer.factor - 1), (Fraction(1, layer.factor),) * 2
    elif isinstance(layer, BicubicReduction):
        around = Fraction(layer.denominator)
        factor = (Fraction(layer.numerator, layer.denominator),) * 2
    else:
        return None
    if factor[0] != factor[1]:
        return None
    return _Seen(radius + around / scale, scale * factor[0])
