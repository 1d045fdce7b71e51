"""Loads weights of CycleGAN and Pix2Pix from other programs into `keras_gans.networks`.

It reads files of PyTorch and of Keras 2. Neither framework is needed, and no code in a file is run.
Tensors are matched by order, kind and shape, not by name. Every tensor must have a weight and every
weight a tensor, or nothing is changed.
"""

import dataclasses
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import keras
from keras import layers

from keras_gans.layers import InstanceNormalization
from keras_gans.reading import hdf5, pytorch, safetensors
from keras_gans.reading.stored import Stored, explained, kind_of_weight

_NORMALIZED = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}
_NO_KERAS_2 = (
    "The file is damaged, or not one of Keras 2. With Keras 2, save it again: "
    '`network.save_weights("weights.h5")`; use `network.load_weights` for one of Keras 3.'
)


class _Found(NamedTuple):
    part: str
    stored: Stored


def load_pytorch(path: Path | str, network: keras.Model) -> keras.Model:
    """Loads a `.pth` of the CycleGAN and Pix2Pix authors' PyTorch program.

    >>> generator = keras_gans.networks.resnet_generator((256, 256, 3), blocks=9)
    >>> path = "latest_net_G_A.pth"
    >>> generator = load_pytorch(path, generator)  # doctest: +SKIP

    Args:
        path: of a state dict, as `torch.save` writes it: a zip, or the format before PyTorch 1.6.
            Its pickle may contain tensors and an `OrderedDict`; anything else is refused, not run.
            Or a `.safetensors` file.
        network: a built `resnet_generator`, `unet_generator` or `patch_discriminator`, of the
            width, depth and normalization of the file's network.

    Returns:
        The network, with the file's weights and PyTorch's epsilon of 1e-5.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or contains more than tensors, or its tensors are not
            finite or those of another network; the network then stays unchanged.
    """
    reader = safetensors if str(path).endswith(".safetensors") else pytorch
    with reader.opened(path) as state:
        return _assigned(list(_of_pytorch(state)), network, path, 1e-5)


def load_keras_h5(path: Path | str, network: keras.Model, epsilon: float = 1e-3) -> keras.Model:
    """Loads an `.h5` of `save_weights` or `save`, as Keras 2 wrote it.

    >>> generator = keras_gans.networks.resnet_generator(
    ...     (256, 256, 3), normalization="instance_affine", same_padding=True
    ... )
    >>> path = "generator.h5"
    >>> generator = load_keras_h5(path, generator)  # doctest: +SKIP

    Args:
        path: of the file.
        network: a built network, as for `load_pytorch`. TensorFlow Addons' instance normalisation
            has a gamma and a beta: `normalization="instance_affine"`. Residual generators in Keras
            usually pad by "same", on the other side: `same_padding=True`.
        epsilon: of the file's normalizations, which the file does not contain. The default of
            `BatchNormalization` and of TensorFlow Addons is 1e-3. It replaces the network's, which
            are 1e-5 as in PyTorch: load before the network first runs in a graph.

    Returns:
        The network, with the file's weights and epsilon.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged or of Keras 3, has its numbers elsewhere, or its weights
            are not finite or those of another network; the network then stays unchanged.
    """
    if isinstance(epsilon, bool) or not isinstance(epsilon, (int, float)) or not epsilon > 0:
        raise ValueError(f"`epsilon` must be a number above 0. Received: epsilon={epsilon!r}")
    with hdf5.opened(path, _NO_KERAS_2) as (file, arrays):
        with explained(path, _NO_KERAS_2):
            found = list(_of_keras(file, arrays))
        return _assigned(found, network, path, epsilon)


def _assigned(found, network, path, epsilon):
    # Integers are seeds and counters of random layers, not weights.
    weights = [w for w in network.weights if kind_of_weight(w) == "floats"]
    for one, weight in zip_longest(found, weights):
        fits = one and weight is not None and one.part == weight.name
        if fits and one.stored.kind == "floats" and one.stored.shape == tuple(weight.shape):
            continue
        wanted = "no more" if weight is None else f"{weight.path} {tuple(weight.shape)}"
        got = "no more"
        if one:
            kind = "" if one.stored.kind == "floats" else f" of {one.stored.kind}"
            got = f"{one.stored.name} ({one.part}) {one.stored.shape}{kind}"
        raise ValueError(
            f"The weights are of another network. The first that does not fit: expected "
            f"{wanted}, in Keras' order of axes, and the file has {got}. "
            f"{_reason([x.part for x in found], [x.name for x in weights])} "
            f"Received: {path} for {network.name!r}"
        )
    # All are read before the first is assigned, so a damaged one changes nothing.
    for array, weight in zip([one.stored.read() for one in found], weights):
        weight.assign(array)
    for layer in network.layers:
        if isinstance(layer, (layers.BatchNormalization, InstanceNormalization)):
            layer.epsilon = epsilon
    return network


def _reason(found, expected):
    """Returns the likely reason why the parts of a network differ from those of the file."""
    theirs, ours = found.count("kernel"), expected.count("kernel")
    if theirs != ours:
        return (
            f"The file has {theirs} convolutions and the network {ours}: build it with another "
            "`image_shape` or `depth` (U-Net), `blocks` (ResNet) or `receptive_field`, or the file "
            "is not complete."
        )
    if found != expected:
        return (
            "Convolutions are as many, but not their biases and normalisations: build the network "
            "with another `normalization`, or the file is not complete."
        )
    return "Only shapes differ: build it with another `width`, `max_width` or number of channels."


def _of_pytorch(state):
    """The weights of a state dict, as Keras has them."""
    for key, stored in state.items():
        module, _, part = key.rpartition(".")
        weight = state.get(f"{module}.weight")
        # Averages of an instance normalization, from before PyTorch 0.4. The authors' program
        # ignores them, too.
        unused = weight is None and part.startswith("running_")
        if unused or part == "num_batches_tracked":
            continue
        if weight is not None and len(weight.shape) == 4:
            # (out, in, height, width), or of a transposed convolution (in, out, height, width).
            part = {"weight": "kernel"}.get(part, part)
            axes = (2, 3, 1, 0) if len(stored.shape) == 4 else range(len(stored.shape))
            yield _Found(part, stored.transposed(axes))
        else:
            yield _Found(_NORMALIZED.get(part, part), stored)


def _of_keras(file, arrays):
    root = file.get("model_weights", file)
    for layer in hdf5.names(root, "layer_names"):
        names = hdf5.names(root[layer], "weight_names")
        owners = list(dict.fromkeys(name.rpartition("/")[0] for name in names))
        # A nested model lists all trainable weights of its layers before all others.
        for name in sorted(names, key=lambda name: owners.index(name.rpartition("/")[0])):
            part = name.rpartition("/")[2].partition(":")[0]
            stored = arrays[f"{root.name}/{layer}/{name}".lstrip("/")]
            yield _Found(part, dataclasses.replace(stored, name=name))
