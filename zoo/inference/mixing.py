"""Two networks of one architecture, mixed: interpolation of their weights (Wang 2018, 3.4)."""

import itertools
from typing import Any

import keras
import numpy as np

from keras_gans import interface

# What layers may differ in: names, and what only a training looks at.
_IGNORED = ("name", "dtype", "trainable", "initializer", "regularizer", "constraint", "seed")


def require_share(mix_with: Any) -> None:
    """Raises ValueError unless this is `None`, or a network and a number from 0 to 1."""
    if mix_with is None:
        return
    share = mix_with[1] if isinstance(mix_with, (tuple, list)) and len(mix_with) == 2 else None
    number = isinstance(share, (int, float)) and not isinstance(share, bool)
    if not (number and 0 <= share <= 1):
        raise ValueError(
            "`mix_with` must be another network and its share of the weights, from 0 to 1, such as "
            f"('runs/mine', 0.3). Received: mix_with={mix_with!r}"
        )


def require_alike(first: keras.Model, second: keras.Model) -> None:
    """Raises ValueError, with the first difference, unless both are of one architecture."""
    pairs = itertools.zip_longest(_described(first), _described(second), fillvalue={})
    for number, (one, other) in enumerate(pairs):
        for field in {**one, **other}:
            if one.get(field) != other.get(field):
                values = [repr(x[field]) if field in x else "nothing" for x in (one, other)]
                of = f" of {one['type']}" if field != "type" and "type" in one else ""
                raise ValueError(
                    "These two networks cannot be mixed, as their architectures differ. Expected "
                    "the same layers, connected in the same way, with weights of the same shapes: "
                    "a network, and the same trained further. Received: in layer "
                    f"{number}{of}, {field} is {values[0]} in the first, {values[1]} in the second"
                )


def mixed(
    network: keras.Model, first: keras.Model, second: keras.Model, share: float
) -> keras.Model:
    """Returns a copy of a network whose weights are `(1 - share) * first + share * second`.

    Args:
        network: with weights of the same shapes, such as `first` for another scale. It keeps its
            own.
        first: a network.
        second: another of the same architecture.
        share: of the second.
    """
    copy = keras.models.clone_model(network)
    pairs = zip(first.get_weights(), second.get_weights(), strict=True)
    # In float64, so that every machine rounds alike.
    sums = ((1 - share) * np.float64(a) + share * np.float64(b) for a, b in pairs)
    copy.set_weights([sum.astype(w.dtype) for sum, w in zip(sums, network.get_weights())])
    if interface.is_stated(network):
        interface.state(copy, interface.of(network))
    return copy


def _described(network: keras.Model) -> list[dict[str, Any]]:
    """What each layer of a network is, computes, and takes from which others."""
    places = {layer.name: place for place, layer in enumerate(network.layers)}
    described = []
    for layer in network.layers:
        config = layer.get_config()
        fields = {k: v for k, v in config.items() if not any(word in k for word in _IGNORED)}
        nodes = [n for node in layer._inbound_nodes[:1] for n in node.parent_nodes]
        inputs = [places.get(node.operation.name) for node in nodes]
        shapes = [tuple(weight.shape) for weight in layer.weights]
        about = {"the shapes of weights": shapes, "the layers it takes from": inputs}
        described.append({"type": type(layer).__name__, **fields, **about})
    return described
