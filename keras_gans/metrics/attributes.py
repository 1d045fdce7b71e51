"""Reads the attributes of drawn faces from images, and says which faces nobody could have.

A classifier reads every attribute, and which of the drawings that stand for its value it is. So the
face can be drawn again: where the drawing differs much from the image, the image is of nobody.
"""

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import batches
from keras_gans.building import preserving_random_state
from keras_gans.data.sources.faces import painting, sets
from keras_gans.metrics import classifiers, resizing
from keras_gans.metrics.evaluation import blurred
from keras_gans.metrics.readings import Reading

_BATCH = 256

# Of each classifier, the `difference` of a face and its drawing that 99 of 100 held-out ones stay
# below: measured with 1,000.
_USUAL_DIFFERENCE = {"avatars_cnn_v1": 25.1}
_TRIED = 3  # other drawings of a face that differs more


def difference(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns how much images differ where they differ most.

    Both are smoothed by a mean over 3x3 pixels. Each pixel of one is compared with the pixel of the
    other, up to a 64th of the side away, that is most like it, both ways: what has moved a little
    counts for little, and what is missing or is there twice counts. The result is the largest mean
    of these differences over a square of a 16th of the side.

    >>> images = np.zeros((1, 64, 64, 3), "uint8")
    >>> others = images.copy()
    >>> others[:, 8:16, 20:28] = 255
    >>> round(difference(images, others).item())
    255

    Args:
        images: uint8 `(number, side, side, channels)`.
        others: likewise.

    Returns:
        float64 `(number,)`, from 0 to 255.
    """
    pairs = zip(*(np.array_split(x, -(-len(x) // _BATCH)) for x in (images, others)))
    return np.concatenate([_largest(blurred(one), blurred(two)) for one, two in pairs])


def _largest(one, two):
    side = one.shape[1]
    apart = np.maximum(_unlike(one, two, side // 64), _unlike(two, one, side // 64))
    window = max(side // 16, 1)
    sums = np.pad(apart.astype("float64"), ((0, 0), (1, 0), (1, 0))).cumsum(axis=1).cumsum(axis=2)
    sums = sums[:, window:] - sums[:, :-window]
    sums = sums[:, :, window:] - sums[:, :, :-window]
    return sums.max(axis=(1, 2)) / window**2


def _unlike(one, two, reach):
    """Of each pixel of one, the difference to the most similar one near its place in two."""
    side, edges = one.shape[1], ((0, 0), (reach, reach), (reach, reach), (0, 0))
    padded, shifts = np.pad(two, edges, mode="edge"), range(2 * reach + 1)
    return np.min(
        [
            np.abs(one - padded[:, i : i + side, j : j + side]).mean(axis=-1)
            for i in shifts
            for j in shifts
        ],
        axis=0,
    )


class AttributeReader:
    """A classifier with a head for each attribute.

    >>> reader = AttributeReader("avatars_cnn_v1")
    >>> found = reader.read(np.zeros((2, 64, 64, 3), "float32"))
    >>> list(found.shares["glasses"])
    ['none', 'clear', 'round', 'sunglasses']

    Args:
        name: of the classifier.

    Attributes:
        name: of the classifier.
        sha256: of its weights.
        recipe: its recipe; `recipe["attributes"]` are the names of the attributes to their values,
            and of each value to the drawings that stand for it.
        size: of a side of its images; others are resized.

    Raises:
        ValueError: if there is no such classifier, or it reads classes alone.
    """

    def __init__(self, name: str) -> None:
        with preserving_random_state("float32"):
            network, self.recipe, self.sha256 = classifiers.load(name)
        if "attributes" not in self.recipe:
            raise ValueError(
                "This classifier reads one class of an image, and no attributes. Expected one of "
                f"{sorted(_USUAL_DIFFERENCE)}. Received: {name!r}"
            )
        self._network = network
        self.name, self.size = name, self.recipe["image_shape"][0]

    def read(self, images: ArrayLike) -> Reading:
        """Reads the attributes of faces.

        Args:
            images: floats in [-1, 1], `(number, height, width, 3)`.

        Returns:
            A `Reading`.

        Raises:
            ValueError: for other images.
        """
        images = self.resized(images)
        found = [
            self._network.predict_on_batch(images[start : start + _BATCH])
            for start in range(0, len(images), _BATCH)
        ]
        return Reading.of(self.recipe, [np.concatenate(parts) for parts in zip(*found)])

    @property
    def draws(self) -> bool:
        """Whether faces can be drawn again: the packages that draw them are installed."""
        try:
            painting.versions()
        except ImportError:
            return False
        return True

    def redrawn(self, images: np.ndarray, reading: Reading) -> np.ndarray:
        """Draws the faces that were read.

        Where the drawing differs more than is usual, one attribute may have been misread. So the
        next likeliest drawings are tried, and the one that differs least is returned.

        Args:
            images: uint8 `(number, size, size, 3)`.
            reading: of these images.

        Returns:
            uint8 `(number, size, size, 3)`.

        Raises:
            ImportError: if the packages that draw faces are not installed.
        """
        found = self._painted([reading.person(number) for number in range(len(reading))])
        apart = difference(images, found)
        doubtful = np.flatnonzero(apart > _USUAL_DIFFERENCE[self.name])
        others = [reading.others(int(number), _TRIED) for number in doubtful]
        for drawn in zip(*others):
            pictures = self._painted(drawn)
            nearer = difference(images[doubtful], pictures)
            better = nearer < apart[doubtful]
            found[doubtful[better]] = pictures[better]
            apart[doubtful[better]] = nearer[better]
        return found

    def _painted(self, persons):
        return sets.painted(self.recipe["style"], persons, self.size)

    def strangeness(self, images: np.ndarray, redrawn: np.ndarray) -> np.ndarray:
        """Returns how much faces differ from the drawings of what was read of them.

        Above 1 is one in a hundred of real faces; see `difference`.

        Args:
            images: uint8 `(number, size, size, 3)`.
            redrawn: what `redrawn` returned for the reading of these images.

        Returns:
            float64 `(number,)`.
        """
        return difference(images, redrawn) / _USUAL_DIFFERENCE[self.name]

    def resized(self, images: ArrayLike) -> np.ndarray:
        """Returns checked images of the size that the network takes, by `resize_clean`.

        Raises:
            ValueError: for other arrays than `(number, height, width, 3)` of floats in [-1, 1].
        """
        images = np.asarray(images)
        if images.ndim != 4 or images.shape[-1] != 3 or 0 in images.shape:
            raise ValueError(
                f"{self.name!r} reads faces in colour. Expected images of shape (number, height, "
                f"width, 3), at least one. Received: shape {images.shape}"
            )
        if images.dtype.kind != "f":
            raise ValueError(
                f"{self.name!r} takes floats in [-1, 1]. Convert uint8 images with "
                f"`keras_gans.image.from_uint8`. Received: dtype={images.dtype}"
            )
        images = images.astype("float32", copy=False)
        batches.require_range(images)
        if images.shape[1:3] == (self.size, self.size):
            return images
        return resizing.resize_clean(images, self.size) / np.float32(127.5) - np.float32(1.0)
