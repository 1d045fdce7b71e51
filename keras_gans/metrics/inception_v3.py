"""The InceptionV3 of FID, and that of `keras.applications`: two networks, not comparable.

FID is defined by one frozen TensorFlow graph, `inception-2015-12-05`. It is not the InceptionV3 of
today's libraries: it has 1,008 logits, and the pooling branch of its last block is a max pooling.
`build` makes that network, and `load` fills it from the PyTorch port of the graph's weights,
`pt_inception-2015-12-05-6726825d.pth`, which the project pytorch-fid (mseitzer) publishes as a
release on GitHub. The library neither contains nor downloads that file. Download it once and set:

    export KERAS_GANS_INCEPTION_V3=/path/to/pt_inception-2015-12-05-6726825d.pth

Nothing in the file is executed: `keras_gans.reading.pytorch` reads arrays and refuses the rest.

References:
    - Szegedy et al., 2015, "Rethinking the Inception Architecture for Computer Vision",
      arXiv:1512.00567, section 6.
    - Heusel et al., 2017, "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
      Equilibrium", arXiv:1706.08500: FID.
    - Salimans et al., 2016, "Improved Techniques for Training GANs", arXiv:1606.03498, whose code
      takes the logits of the Inception Score without their bias.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import keras
import numpy as np
from keras import layers

from keras_gans import files
from keras_gans.building import preserving_random_state
from keras_gans.reading import hdf5, npz, pytorch
from keras_gans.reading.stored import Stored, kind_of
from keras_gans.reading.text import regular

FILE = "pt_inception-2015-12-05-6726825d.pth"


def build(image_shape: Sequence[int] = (299, 299, 3)) -> keras.Model:
    """Builds the network of FID, without trained weights.

    Its layers are named as the weights in PyTorch: `Mixed_5b.branch1x1.conv` and so on. Average
    pooling does not count the padding, as always in TensorFlow.

    Args:
        image_shape: `(height, width, 3)`, at least 75 a side.

    Returns:
        A `keras.Model` from images, scaled as `(pixels - 128) / 128`, to 2,048 features and 1,008
        probabilities.
    """
    inputs = keras.Input(image_shape)
    x = _conv(inputs, "Conv2d_1a_3x3", 32, 3, strides=2, padding="valid")
    x = _conv(x, "Conv2d_2a_3x3", 32, 3, padding="valid")
    x = _conv(x, "Conv2d_2b_3x3", 64, 3)
    x = layers.MaxPooling2D(3, 2)(x)
    x = _conv(x, "Conv2d_3b_1x1", 80, 1)
    x = _conv(x, "Conv2d_4a_3x3", 192, 3, padding="valid")
    x = layers.MaxPooling2D(3, 2)(x)
    for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = _block_a(x, name, pooled)
    x = _block_b(x, "Mixed_6a")
    for name, width in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _block_c(x, name, width)
    x = _block_d(x, "Mixed_7a")
    x = _block_e(x, "Mixed_7b", layers.AveragePooling2D)
    # A maximum, unlike in the paper and in later Inceptions: published FIDs use it.
    x = _block_e(x, "Mixed_7c", layers.MaxPooling2D)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    logits = layers.Dense(1008, use_bias=False, name="fc")(features)
    return keras.Model(inputs, [features, layers.Softmax()(logits)], name="inception_v3")


def load(path: Path | str | None) -> keras.Model:
    """Builds the network of FID, and loads its weights from a file.

    Args:
        path: of `pt_inception-2015-12-05-6726825d.pth`, or of an `.npz` with the same names.

    Returns:
        A `keras.Model`, as `build` makes it.

    Raises:
        FileNotFoundError: if there is no such file; the message says where to get it.
        ValueError: if the file is damaged or holds other weights.
    """
    if path is None or not Path(path).is_file():
        raise FileNotFoundError(
            f"InceptionV3 needs the weights of FID, and they are not there. Download {FILE} from "
            "the release `fid_weights` of github.com/mseitzer/pytorch-fid, and put its path into "
            "the environment variable KERAS_GANS_INCEPTION_V3 or the argument `weights`. "
            f"Received: {repr(str(path)) if path else 'no path'}"
        )
    with opened(path) as arrays, preserving_random_state("float32"):
        network = build()
        fill(network, arrays)
    return network


def fill(network: keras.Model, arrays: Mapping[str, np.ndarray | Stored]) -> None:
    """Assigns the arrays of a PyTorch state dict to a network of `build`.

    Args:
        network: a `keras.Model` that `build` made.
        arrays: by PyTorch's names, arrays or what `opened` yields. Shapes are compared before any
            is read.

    Raises:
        ValueError: if a name is missing or unexpected, or a shape differs; the network then stays
            unchanged.
    """
    unused = {name for name in arrays if not name.endswith(("num_batches_tracked", "fc.bias"))}
    places = []
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D):
            names = {"weight": (2, 3, 1, 0)}
        elif isinstance(layer, layers.BatchNormalization):
            names = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (0,))
        elif isinstance(layer, layers.Dense):
            names = {"weight": (1, 0)}
        else:
            continue
        for (short, axes), weight in zip(names.items(), layer.weights):
            places.append((weight, f"{layer.name}.{short}", axes))
            unused.discard(f"{layer.name}.{short}")
    for weight, name, axes in places:
        shape = tuple(arrays[name].shape) if name in arrays else None
        wanted = tuple(weight.shape)
        if shape is None or len(shape) != len(axes) or tuple(shape[i] for i in axes) != wanted:
            raise ValueError(
                f"These are not the weights of FID's InceptionV3. Expected {name!r}, which "
                f"becomes {wanted}; get the file {FILE}. Received: shape {shape}"
            )
    if unused:
        raise ValueError(
            "These are not the weights of FID's InceptionV3: there are more than it has. Get the "
            f"file {FILE}. Received: {sorted(unused)[:5]}, {len(unused)} in all"
        )
    found = [_floats(arrays[name], name) for _, name, _ in places]
    for (weight, _, axes), value in zip(places, found):
        weight.assign(np.transpose(value, axes))


def _floats(array, name):
    value = array.read() if isinstance(array, Stored) else np.asarray(array)
    if kind_of(value.dtype, name) != "floats":
        raise ValueError(
            f"Weights are floats. Get the file {FILE}. Received: {name!r} of {value.dtype}"
        )
    return value


def keras_applications(path: Path | str | None = None) -> keras.Model:
    """Builds InceptionV3 of `keras.applications`: ImageNet's 1,000 classes, no FID.

    Args:
        path: of `inception_v3_weights_tf_dim_ordering_tf_kernels.h5`; by default Keras looks in
            its cache, and downloads it.

    Returns:
        A `keras.Model` from images in [-1, 1] to 2,048 features and 1,000 probabilities.

    Raises:
        FileNotFoundError: if there is no such file, or Keras cannot download it.
        ValueError: if the file is damaged, or its weights are another network's or not finite.
    """
    if path is not None and not Path(path).is_file():
        raise FileNotFoundError(
            "There are no weights for Keras' InceptionV3 at that path. Leave `weights` out for "
            f"those that Keras keeps or downloads. Received: {str(path)!r}"
        )
    try:
        with preserving_random_state("float32"):
            model = keras.applications.InceptionV3(weights=None if path else "imagenet")
    # All exceptions, because a download can fail with any.
    except Exception as error:
        if path is not None:
            raise
        raise FileNotFoundError(
            "Keras could not download the ImageNet weights of its InceptionV3. Where there is a "
            "network, run `keras.applications.InceptionV3()` once, copy "
            "`~/.keras/models/inception_v3_weights_tf_dim_ordering_tf_kernels.h5` to here, and "
            f"pass its path as `weights`. Received: {type(error).__name__}: {error}"
        ) from error
    if path is not None:
        hdf5.load(model, path)
    return keras.Model(model.inputs, [model.get_layer("avg_pool").output, model.output])


# ---- the network


def _conv(x, name, filters, size, strides=1, padding="same"):
    x = layers.Conv2D(filters, size, strides, padding, use_bias=False, name=f"{name}.conv")(x)
    return layers.ReLU()(layers.BatchNormalization(epsilon=1e-3, name=f"{name}.bn")(x))


def _chain(x, name, *steps):
    """Convolutions one after another: pairs of a name's end, and (filters, size)."""
    for end, (filters, size) in steps:
        x = _conv(x, f"{name}.{end}", filters, size)
    return x


def _pool_branch(x, name, filters, pooling=layers.AveragePooling2D):
    return _conv(pooling(3, 1, padding="same")(x), f"{name}.branch_pool", filters, 1)


def _block_a(x, name, pooled):
    one = _conv(x, f"{name}.branch1x1", 64, 1)
    five = _chain(x, name, ("branch5x5_1", (48, 1)), ("branch5x5_2", (64, 5)))
    double = _chain(
        x,
        name,
        ("branch3x3dbl_1", (64, 1)),
        ("branch3x3dbl_2", (96, 3)),
        ("branch3x3dbl_3", (96, 3)),
    )
    return layers.Concatenate()([one, five, double, _pool_branch(x, name, pooled)])


def _block_b(x, name):
    three = _conv(x, f"{name}.branch3x3", 384, 3, strides=2, padding="valid")
    double = _chain(x, name, ("branch3x3dbl_1", (64, 1)), ("branch3x3dbl_2", (96, 3)))
    double = _conv(double, f"{name}.branch3x3dbl_3", 96, 3, strides=2, padding="valid")
    return layers.Concatenate()([three, double, layers.MaxPooling2D(3, 2)(x)])


def _block_c(x, name, width):
    one = _conv(x, f"{name}.branch1x1", 192, 1)
    seven = _chain(
        x,
        name,
        ("branch7x7_1", (width, 1)),
        ("branch7x7_2", (width, (1, 7))),
        ("branch7x7_3", (192, (7, 1))),
    )
    double = _chain(
        x,
        name,
        ("branch7x7dbl_1", (width, 1)),
        ("branch7x7dbl_2", (width, (7, 1))),
        ("branch7x7dbl_3", (width, (1, 7))),
        ("branch7x7dbl_4", (width, (7, 1))),
        ("branch7x7dbl_5", (192, (1, 7))),
    )
    return layers.Concatenate()([one, seven, double, _pool_branch(x, name, 192)])


def _block_d(x, name):
    three = _conv(x, f"{name}.branch3x3_1", 192, 1)
    three = _conv(three, f"{name}.branch3x3_2", 320, 3, strides=2, padding="valid")
    seven = _chain(
        x,
        name,
        ("branch7x7x3_1", (192, 1)),
        ("branch7x7x3_2", (192, (1, 7))),
        ("branch7x7x3_3", (192, (7, 1))),
    )
    seven = _conv(seven, f"{name}.branch7x7x3_4", 192, 3, strides=2, padding="valid")
    return layers.Concatenate()([three, seven, layers.MaxPooling2D(3, 2)(x)])


def _block_e(x, name, pooling):
    one = _conv(x, f"{name}.branch1x1", 320, 1)
    three = _conv(x, f"{name}.branch3x3_1", 384, 1)
    double = _chain(x, name, ("branch3x3dbl_1", (448, 1)), ("branch3x3dbl_2", (384, 3)))
    parts = [
        _conv(branch, f"{name}.{end}", 384, size)
        for branch, stem in ((three, "branch3x3_2"), (double, "branch3x3dbl_3"))
        for end, size in ((f"{stem}a", (1, 3)), (f"{stem}b", (3, 1)))
    ]
    return layers.Concatenate()([one, *parts, _pool_branch(x, name, 192, pooling)])


# ---- the file


def opened(path: Path | str) -> AbstractContextManager[dict[str, Stored]]:
    """Opens a file of arrays, of PyTorch or an `.npz`. See `reading.pytorch.opened`.

    Args:
        path: of the file. If its name ends in `-` and hexadecimal digits, as in PyTorch's hub, its
            SHA-256 must begin with them.

    Returns:
        A context, which yields names to `reading.stored.Stored`.

    Raises:
        ValueError: if the file is damaged, or holds anything but arrays.
    """
    path = regular(path)
    promised = re.search(r"-([0-9a-f]{8,64})\.\w+$", path.name)
    if promised and not (found := files.sha256(path)).startswith(promised[1]):
        raise ValueError(
            f"A file of weights is damaged. Expected a SHA-256 that begins with {promised[1]}, as "
            f"its name says; download it again. Received: {path} with {found}"
        )
    return (npz if path.suffix == ".npz" else pytorch).opened(path)


def read_state_dict(path: Path | str) -> dict[str, np.ndarray]:
    """Reads all arrays of a file, of any network.

    Args:
        path: as for `opened`.

    Returns:
        A dictionary of NumPy arrays.

    Raises:
        ValueError: if the file is damaged, or holds anything but finite arrays.
    """
    with opened(path) as arrays:
        return {name: stored.read() for name, stored in arrays.items()}
