"""Distances between the feature maps of two images, of any network: a loss, and a metric."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_gans import checks
from keras_gans.building import preserving_random_state
from keras_gans.names import did_you_mean
from keras_gans.typing import Config, Shape, Tensor

__all__ = ["PerceptualLoss"]

# Below this squared length features have no direction, and the root no finite slope.
_SHORTEST = 1e-6


@keras.saving.register_keras_serializable("keras_gans")
class PerceptualLoss:
    """Compares images by the feature maps of a trained network, which stays as it is.

    At each named layer the squared differences of the maps are summed over the channels and
    averaged over all places; the loss is the weighted sum over the layers. With `normalize`, the
    features at each place are first divided by their length (Zhang 2018, eq. 1, with weights of
    1), so that the loss of a layer is from 0 to 4 whatever its scale. Without, the squared
    differences are averaged over the channels too (Johnson 2016, eq. 2; Ledig 2017, eq. 5).

    >>> network = keras.Sequential(
    ...     [keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3, name="edges")]
    ... )
    >>> loss = keras_gans.perceptual.PerceptualLoss(network, ["edges"])
    >>> loss(np.zeros((2, 8, 8, 3)), np.zeros((2, 8, 8, 3))).shape
    TensorShape([2])

    Args:
        network: a built `keras.Model` that takes images in [-1, 1], such as
            `keras_gans.metrics.efficientnet_lite.load()`. It is copied as far as the last of the
            layers, and the copy is not trained.
        layers: names of its layers, whose outputs are maps `(batch, height, width, channels)`.
        weights: of the layers, 0 or more; `None` for 1 each.
        normalize: whether to divide features by their length at each place.

    Attributes:
        network: the copy, from images to the maps of all layers.
        missing: why a training cannot use it: that the network's weights are not there. "" if they
            are.

    Raises:
        ValueError: for a layer that the network does not have or whose output is no map, or
            weights that do not fit the layers.
    """

    def __init__(
        self,
        network: keras.Model,
        layers: Sequence[str],
        weights: Sequence[float] | None = None,
        normalize: bool = True,
    ) -> None:
        checks.network("network", network)
        if len(network.inputs) != 1:
            raise ValueError(
                "The network of a perceptual loss takes images alone. "
                f"Received: {network.name!r} with {len(network.inputs)} inputs"
            )
        self.layers = _names(layers)
        weights = [1.0] * len(self.layers) if weights is None else list(weights)
        if len(weights) != len(self.layers):
            raise ValueError(
                "Each layer of a perceptual loss has one weight. Expected as many `weights` as "
                f"`layers`. Received: weights={weights}, layers={self.layers}"
            )
        self.weights = [checks.weight("weights", weight) for weight in weights]
        self.normalize = bool(normalize)
        self.missing = ""
        self.network = _up_to(network, self.layers)

    def require_shape(self, shape: Shape) -> None:
        """Raises ValueError unless the network takes images of a shape, without the batch."""
        taken = tuple(self.network.inputs[0].shape)[1:]
        if len(taken) != len(shape) or any(t not in (None, s) for t, s in zip(taken, shape)):
            raise ValueError(
                "The network of the perceptual loss takes other images. Expected one of images of "
                f"shape {tuple(shape)}, such as one of any size, `keras.Input((None, None, "
                f"{shape[-1]}))`. Received: {self.network.name!r}, which takes {taken}"
            )

    def __call__(self, target: Tensor, made: Tensor) -> Tensor:
        """Returns the loss of each pair of images.

        Args:
            target: floats in [-1, 1], `(batch, height, width, channels)`.
            made: likewise.

        Returns:
            float32, shape `(batch,)`.
        """
        seen = zip(self.maps(target), self.maps(made))
        return sum(weight * self._distance(a, b) for weight, (a, b) in zip(self.weights, seen))

    def maps(self, images: Tensor) -> list[Tensor]:
        """Returns the maps of all layers, in float32."""
        found = keras.tree.flatten(self.network(images, training=False))
        return [ops.cast(x, "float32") for x in found]

    def _distance(self, target, made):
        if self.normalize:
            target, made = _directions(target), _directions(made)
        squares = ops.square(target - made)
        total = ops.sum if self.normalize else ops.mean
        return ops.mean(total(squares, axis=-1), axis=(1, 2))

    def get_config(self) -> Config:
        return {
            "network": keras.saving.serialize_keras_object(self.network),
            "layers": self.layers,
            "weights": self.weights,
            "normalize": self.normalize,
        }

    @classmethod
    def from_config(cls, config: Config) -> "PerceptualLoss":
        return cls(**keras.saving.deserialize_keras_object(config))


def _directions(x):
    length = ops.sqrt(ops.sum(ops.square(x), axis=-1, keepdims=True) + _SHORTEST)
    return x / length


def _names(layers: Any) -> list[str]:
    given = [layers] if isinstance(layers, str) else list(layers)
    if not given or not all(isinstance(name, str) for name in given):
        raise ValueError(
            "A perceptual loss compares the maps of one or more layers. Expected their names. "
            f"Received: layers={layers!r}"
        )
    return given


def _up_to(network, names):
    """A copy of a network, from its images to the outputs of some layers, that is not trained."""
    known = [layer.name for layer in network.layers]
    outputs = []
    for name in names:
        if name not in known:
            raise ValueError(
                f"The network of the perceptual loss has no such layer."
                f"{did_you_mean(name, known)} Expected some of {known}. Received: {name!r} of "
                f"{network.name!r}"
            )
        output = network.get_layer(name).output
        if not hasattr(output, "shape") or len(output.shape) != 4:
            raise ValueError(
                "A perceptual loss compares maps, (batch, height, width, channels). Choose a layer "
                f"before they are pooled. Received: {name!r} of {network.name!r}, whose output is "
                f"{getattr(output, 'shape', output)}"
            )
        outputs.append(output)
    with preserving_random_state():
        found = outputs if len(outputs) > 1 else outputs[0]
        # One tensor, and not a list of one, which Keras would warn of at each call.
        part = keras.Model(network.inputs[0], found, name=network.name)
        copy = keras.models.clone_model(part)
    copy.set_weights(part.get_weights())
    copy.trainable = False
    return copy
