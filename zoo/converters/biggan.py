"""Loads generators of BigGAN-deep from files of `pytorch-pretrained-biggan`.

Such a file is a folder with a `pytorch_model.bin`, a state dict of PyTorch, and a `config.json`.
Neither that program nor PyTorch is needed, and no code in a file is run.
"""

import functools
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_gans import building, networks
from keras_gans.reading import pytorch
from keras_gans.reading.text import is_file, is_folder, read_json, require
from keras_gans.zoo.converters import matching

WEIGHTS, CONFIG = "pytorch_model.bin", "config.json"
_FIELDS = {
    "output_dim": int,
    "z_dim": int,
    "class_embed_dim": int,
    "channel_width": int,
    "num_classes": int,
    "layers": [[(bool, int)]],
    "attention_layer_position": int,
    "eps": float,
    "n_stats": int,
}
_AGAIN = "Download the folder of the network again: both files of it."


def load_generator(path: Path | str, truncation: float = 1.0) -> keras.Model:
    """Loads the generator of a folder, with the statistics of a truncation.

    Args:
        path: of the folder, or of the `pytorch_model.bin` in it.
        truncation: as of `networks.biggan_deep_generator`, from 0 to 1.

    Returns:
        A `networks.biggan_deep_generator` with the file's weights.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a file is damaged, contains anything but tensors, or is of another network.
    """
    return convert(path, truncation)[0]


def convert(path: Path | str, truncation: float = 1.0) -> tuple[keras.Model, dict[str, Any]]:
    """Returns the generator of a folder, and what builds it.

    Args:
        path, truncation: as of `load_generator`.

    Returns:
        The network, and arguments of `networks.biggan_deep_generator`, which JSON holds.

    Raises:
        FileNotFoundError, ValueError: as `load_generator`.
    """
    folder = Path(path) if is_folder(path) else Path(path).parent
    arguments = {**_arguments(folder), "truncation": truncation}
    with pytorch.opened(folder / WEIGHTS) as state:
        arrays = {name: stored.read() for name, stored in state.items()}
    with building.preserving_random_state(policy="float32"):
        network = networks.biggan_deep_generator(**arguments)
    counted = {n: a for n, a in _folded(arrays).items() if not n.endswith("num_batches_tracked")}
    unlike = functools.partial(_unlike, path=folder / WEIGHTS)
    matching.assign(_targets(network, arguments), counted, _in_keras_order, unlike)
    return network, arguments


def _arguments(folder):
    if not is_file(folder / CONFIG):
        raise FileNotFoundError(
            f"There is no BigGAN-deep in that folder. Expected {WEIGHTS} and {CONFIG} in it. "
            f"Received: {folder}"
        )
    config = read_json(folder / CONFIG, _AGAIN)
    try:
        require(config, _FIELDS, CONFIG)
        side, blocks = config["output_dim"], [[bool(a), b, c] for a, b, c in config["layers"]]
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The file is not the configuration of a BigGAN-deep: {error}. {_AGAIN} "
            f"Received: {folder / CONFIG}"
        ) from error
    return {
        "image_shape": [side, side, 3],
        "num_classes": config["num_classes"],
        "latent_dim": config["z_dim"],
        "class_dim": config["class_embed_dim"],
        "width": config["channel_width"],
        "blocks": blocks,
        "attention": config["attention_layer_position"],
        "stats": config["n_stats"],
        "epsilon": config["eps"],
    }


def _folded(arrays):
    """The weights as they act: spectral normalisation divides each by `u^T W v`."""
    found = {}
    for name, array in arrays.items():
        if name.endswith(("weight_u", "weight_v")):
            continue
        if name.endswith("weight_orig"):
            stem = name.removesuffix("_orig")
            u, v = arrays[f"{stem}_u"].astype("float64"), arrays[f"{stem}_v"].astype("float64")
            norm = u @ array.reshape(len(array), -1).astype("float64") @ v
            name, array = stem, (array / norm).astype("float32")
        found[name] = array
    return found


def _in_keras_order(name, array, weight):
    array = array.transpose(2, 3, 1, 0) if array.ndim == 4 else array
    array = array.T if array.ndim == 2 and "running" not in name else array
    # Of the last convolution, the first three of its outputs are the image.
    array = array[..., : weight.shape[-1]] if "conv_to_rgb" in name else array
    return array.reshape(weight.shape) if array.size == np.prod(weight.shape) else array


def _targets(network, arguments):
    """The weights of the network, by the names of their tensors."""
    found = {"embeddings.weight": network.get_layer("embedding").embeddings}

    def add(prefix, layer):
        found.update({f"{prefix}.weight": layer.kernel, f"{prefix}.bias": layer.bias})

    def add_normalization(prefix, layer):
        found[f"{prefix}.running_means"] = layer.means
        found[f"{prefix}.running_vars"] = layer.variances

    add("generator.gen_z", network.get_layer("from_latents"))
    for number in range(len(arguments["blocks"])):
        place = number + (number >= arguments["attention"])
        for part in range(4):
            owner = f"generator.layers.{place}"
            add(f"{owner}.conv_{part}", network.get_layer(f"block_{number}_conv_{part}"))
            layer = network.get_layer(f"block_{number}_bn_{part}")
            add_normalization(f"{owner}.bn_{part}", layer)
            found[f"{owner}.bn_{part}.scale.weight"] = layer.scale
            found[f"{owner}.bn_{part}.offset.weight"] = layer.offset
    owner = f"generator.layers.{arguments['attention']}"
    attention = network.get_layer("attention")
    found[f"{owner}.gamma"] = attention.gamma
    for theirs, ours in (("theta", "query"), ("phi", "key"), ("g", "value"), ("o_conv", "back")):
        found[f"{owner}.snconv1x1_{theirs}.weight"] = getattr(attention, ours).kernel
    last = network.get_layer("normalization")
    add_normalization("generator.bn", last)
    found |= {"generator.bn.weight": last.scale, "generator.bn.bias": last.offset}
    add("generator.conv_to_rgb", network.get_layer("to_rgb"))
    return found


def _unlike(what, path):
    return ValueError(
        f"The tensors are not those of the network that {CONFIG} describes: {what}. {_AGAIN} "
        f"Received: {path}"
    )
