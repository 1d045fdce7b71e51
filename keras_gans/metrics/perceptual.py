"""Perceptual distance: how differently a trained network sees two images.

The distance of LPIPS (Zhang 2018, arXiv:1801.03924, eq. 1) without learned weights of the channels:
features at each place are divided by their length, and squared differences are summed over the
channels, averaged over all places and summed over the layers. Values of other networks or layers
are not comparable, and neither are those of LPIPS.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_gans.building import preserving_random_state
from keras_gans.metrics import efficientnet_lite, random_cnn, similarity
from keras_gans.metrics.features import hash_of
from keras_gans.names import did_you_mean
from keras_gans.perceptual import PerceptualLoss

# Networks by name: what loads each, and the layers that are compared.
_NETWORKS: dict[str, tuple[Callable[[], keras.Model], Sequence[str]]] = {
    efficientnet_lite.NAME: (efficientnet_lite.load, efficientnet_lite.MAPS),
    "random_cnn_v1": (random_cnn.build, ("conv_0", "conv_1", "conv_2", "conv_3")),
}


class PerceptualDistance:
    """A perceptual distance with a name, for the protocols of metrics.

    It compares images of their own size, place by place. By `"efficientnet_lite0_v1"`, on 100 emoji
    of 64x64 and 100 satellite images of 128x128, the distance to another image was 5.2 and 6.3;
    to the same image with

    - another brightness (0.1 added, of a range of 2) 0.05 and 0.04, which is next to nothing: `l1`
      and `colour_shift` notice it;
    - each hue turned by 30 degrees 0.4 and 0.5, less than it looks;
    - a shift by one pixel 0.5 and 0.6, about as much as a blur by 3x3 pixels (0.4 and 0.9), and by
      four pixels 2.5 and 2.3, though it looks the same: only pairs that align can be compared;
    - normal noise of standard deviation 0.02, which is hardly visible, 0.4 and 0.4.

    So it is no measure of colours or of position, and says nothing of single images: a distance of
    sets (`Evaluation`) is not replaced by it.

    >>> distance = PerceptualDistance("random_cnn_v1")
    >>> images = np.random.default_rng(0).uniform(-1, 1, size=(2, 32, 32, 3))
    >>> distance(images, images).tolist()
    [0.0, 0.0]

    Args:
        network: `"efficientnet_lite0_v1"` (`pip install 'keras-gans[perceptual]'`),
            `"random_cnn_v1"`, or a built `keras.Model` that takes images in [-1, 1].
        layers: names of its layers; `None` for those that a named network is compared at.
        batch_size: images at once.

    Attributes:
        name: of the network.
        sha256: of its weights, as far as the last layer.

    Raises:
        ValueError: for a network that is not known, or a layer that it does not have.
        ImportError: if the package with the network's weights is not installed.
    """

    def __init__(
        self,
        network: str | keras.Model = efficientnet_lite.NAME,
        layers: Sequence[str] | None = None,
        batch_size: int = 16,
    ) -> None:
        self.name = network if isinstance(network, str) else network.name
        if layers is None and not isinstance(network, str):
            raise ValueError(
                "The layers at which images are compared are known of named networks alone. Name "
                f"some of the model's as `layers`. Received: {network!r}, layers=None"
            )
        self._loss = loss(network, layers)
        self.sha256 = hash_of(self._loss.network)
        self.batch_size = batch_size

    def __call__(self, target: ArrayLike, made: ArrayLike) -> np.ndarray:
        """Returns the distance of each pair of images.

        Args:
            target: floats in [-1, 1], `(batch, height, width, channels)`.
            made: likewise.

        Returns:
            Float64 `(batch,)`, 0 or more.

        Raises:
            ValueError: for images of different shapes, of integers, out of range, or that the
                network does not take.
        """
        target, made = similarity.require_pair(target, made)
        self._loss.require_shape(target.shape[1:])
        starts = range(0, len(target), self.batch_size)
        pairs = (
            (x[i : i + self.batch_size].astype("float32") for x in (target, made)) for i in starts
        )
        found = [keras.ops.convert_to_numpy(self._loss(*pair)) for pair in pairs]
        return np.concatenate(found).astype("float64")


def perceptual_distance(
    target: ArrayLike,
    made: ArrayLike,
    network: str | keras.Model = efficientnet_lite.NAME,
    layers: Sequence[str] | None = None,
) -> np.ndarray:
    """Returns the perceptual distance of each pair of images; see `PerceptualDistance`.

    >>> images = np.zeros((1, 32, 32, 3))
    >>> perceptual_distance(images, images, "random_cnn_v1").tolist()
    [0.0]

    Args:
        target: floats in [-1, 1], `(batch, height, width, channels)`.
        made: likewise.
        network: as for `PerceptualDistance`.
        layers: likewise.

    Returns:
        Float64 `(batch,)`, 0 or more.

    Raises:
        ValueError: as `PerceptualDistance` and its call.
        ImportError: if the package with the network's weights is not installed.
    """
    return PerceptualDistance(network, layers)(target, made)


def of(features: Any) -> PerceptualDistance | None:
    """Returns the perceptual distance by the network that features are of; `None` for others.

    >>> of(keras_gans.metrics.features.load("random_cnn_v1")).name
    'random_cnn_v1'

    Args:
        features: a `FeatureNetwork`, or a `PerceptualDistance`, which is returned.
    """
    if isinstance(features, PerceptualDistance):
        return features
    return PerceptualDistance(features.name) if features.name in _NETWORKS else None


def loss(
    network: str | keras.Model = efficientnet_lite.NAME,
    layers: Sequence[str] | None = None,
    weights: Sequence[float] | None = None,
    normalize: bool = True,
    untrained: bool = False,
) -> PerceptualLoss:
    """Returns the perceptual loss of a network with a name, to train with.

    >>> loss("random_cnn_v1", ["conv_0"]).layers
    ['conv_0']

    Args:
        network: as for `PerceptualDistance`.
        layers: names of its layers; `None` for those that a named network is compared at.
        weights: of the layers; `None` for 1 each.
        normalize: see `keras_gans.perceptual.PerceptualLoss`.
        untrained: where the package with the weights is not installed, take random ones instead;
            `missing` of the loss then says so, and a training refuses it.

    Returns:
        A `PerceptualLoss`.

    Raises:
        ValueError: for a network that is not known, or a layer that it does not have.
        ImportError: if the package with the network's weights is not installed.
    """
    missing = ""
    if isinstance(network, str):
        if network not in _NETWORKS:
            raise ValueError(
                f"No network of that name compares images.{did_you_mean(network, _NETWORKS)} "
                f"Expected one of {list(_NETWORKS)}, or a `keras.Model`. Received: {network!r}"
            )
        load, usual = _NETWORKS[network]
        layers = usual if layers is None else layers
        with preserving_random_state("float32"):
            try:
                network = load()
            except ImportError as error:
                if not untrained:
                    raise
                network, missing = efficientnet_lite.build(), str(error)
    found = PerceptualLoss(network, layers or (), weights, normalize)
    found.missing = missing
    return found
