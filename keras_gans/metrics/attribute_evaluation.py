"""Attributes of generated and edited faces, read by a classifier and compared with the data's."""

import dataclasses
import functools
import hashlib
import itertools
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks, image
from keras_gans.data.sources.faces import people, sets
from keras_gans.metrics import attributes
from keras_gans.metrics.bootstrap import bootstrap_mean
from keras_gans.metrics.evaluation import generated
from keras_gans.metrics.protocol import Measurement, Protocol
from keras_gans.metrics.readings import Reading, joined
from keras_gans.names import did_you_mean

_BATCH = 500
# Data sets with a classifier of their attributes: its name.
_USUAL = {"avatars": "avatars_cnn_v1"}


def usual_reader(data: Any) -> str | None:
    """Returns the name of the classifier of a data set's attributes, or `None`.

    >>> usual_reader("avatars")
    'avatars_cnn_v1'
    """
    return _USUAL.get(data) if isinstance(data, str) else None


@dataclasses.dataclass(frozen=True)
class Edits:
    """Result of `AttributeEvaluation.edited`.

    Attributes:
        changed: fraction of the images that have the wanted value after the edit.
        kept: names of the other attributes to the fraction of the images that have the same value
            before and after, of those where it can be seen both times.
        kept_all: fraction of the images that keep all other attributes.
        distance: mean distance of the features before and after.
    """

    changed: float
    kept: dict[str, float]
    kept_all: float
    distance: float

    @property
    def kept_mean(self) -> float:
        """Mean of `kept` over the attributes."""
        return float(np.mean(list(self.kept.values())))


class AttributeEvaluation:
    """Measures the attributes of generated faces, and what edits do to them.

    >>> evaluation = AttributeEvaluation("avatars", num_images=100)
    >>> evaluation.protocol("share_difference").name
    'share_difference100_avatars_cnn_v1'

    It measures, each under the name of its protocol:

    - `share_difference`: the largest difference of the share of a value from its share in the data,
      over all attributes. The shares of the data are known exactly;
    - `pair_difference`: the same of pairs of values of two attributes, which are independent in the
      data;
    - `impossible`: the fraction of faces that nobody could have: where the face is drawn again from
      what was read of it, the drawing differs more than that of 99 of 100 real faces
      (`AttributeReader.strangeness`); and `strangeness`, the median of that difference, in units
      of it. Both need `pip install 'keras-gans[faces]'`, and are left out without;
    - of a conditional GAN, `label_accuracy`: the fraction of the conditions that their images are
      read to have, and `label_accuracy_hair` and so on of each of several.

    Args:
        data: name of a data set of faces.
        classifier: name of the classifier; `None` for the data set's own.
        num_images: number of generated faces.
        seed: of latents, conditions and resamples.

    Raises:
        ValueError: for data without attributes that a classifier reads.
    """

    def __init__(
        self,
        data: str = "avatars",
        classifier: str | None = None,
        num_images: int = 5_000,
        seed: int = 0,
    ) -> None:
        if usual_reader(data) is None:
            raise ValueError(
                f"No classifier reads the attributes of these data.{did_you_mean(data, _USUAL)} "
                f"Expected one of {sorted(_USUAL)}. Received: data={data!r}"
            )
        self.data, self.seed = data, seed
        self.reader = attributes.AttributeReader(classifier or _USUAL[data])
        self.num_images = checks.count("num_images", num_images, 10)
        recipe = self.reader.recipe
        self.look = people.Look(recipe["attributes"], recipe.get("shares", {}))

    # ---- what users call

    def protocol(self, metric: str, size: int | None = None) -> Protocol:
        """Returns the `Protocol` of a metric in this evaluation.

        Args:
            metric: such as `"impossible"`.
            size: of a side of the images, in pixels; `None` for the classifier's.
        """
        shares = {name: self.look.shares_of(name) for name in self.look.attributes}
        digest = hashlib.sha256(json.dumps(shares, sort_keys=True).encode()).hexdigest()
        reader = self.reader
        where = f"{self.data} of {size} pixels" if size not in (None, reader.size) else ""
        return Protocol(metric, self.num_images, reader.name, reader.sha256, digest, where)

    def read(self, source: Any) -> "Faces":
        """Reads the attributes of generated images.

        Args:
            source: a GAN, which generates as many images as the protocol needs, of conditions with
                the shares of the data; an array `(number, height, width, 3)` of floats in [-1, 1];
                or an iterable of such batches, as a `tf.data.Dataset`. Only the first `num_images`
                are used. Images of another size than the classifier's are resized, which the names
                of the protocols say.

        Returns:
            The `Faces`.

        Raises:
            ValueError: for fewer images than the protocol needs, and for other arrays.
        """
        found, wanted, left, meant = [], [], self.num_images, {}

        def conditions(described):
            meant.update({port.name: self._attribute_of(port) for port in described.labels})
            return self._conditions(meant)

        for images, labels in generated(source, self.num_images, self.seed, conditions):
            images = np.asarray(images)[:left]
            resized = self.reader.resized(images)
            found.append((image.to_uint8(resized), self.reader.read(resized)))
            wanted.append({meant[name]: classes[:left] for name, classes in labels.items()})
            left -= len(images)
            if not left:
                break
        if left:
            raise ValueError(
                "There are fewer images than the protocol takes. Expected "
                f"{self.num_images}. Make more, or evaluate with a smaller `num_images`, which is "
                f"another protocol. Received: {self.num_images - left}"
            )
        pictures, readings = zip(*found)
        pictures, reading = np.concatenate(pictures), joined(readings)
        labels = {name: np.concatenate([w[name] for w in wanted]) for name in wanted[0]}
        if not self.reader.draws:
            return Faces(pictures, reading, labels, images.shape[1])
        redrawn = self.reader.redrawn(pictures, reading)
        strange = self.reader.strangeness(pictures, redrawn)
        return Faces(pictures, reading, labels, images.shape[1], redrawn, strange)

    def measure(self, source: Any) -> dict[str, Measurement]:
        """Measures generated images, or what `read` returned of them.

        Args:
            source: as for `read`, or `Faces`.

        Returns:
            Names of protocols to `Measurement`s.
        """
        faces = source if isinstance(source, Faces) else self.read(source)
        values = {
            "share_difference": (self._share_difference(faces.reading),),
            "pair_difference": (self._pair_difference(faces.reading),),
        }
        if faces.strangeness is not None:
            values["impossible"] = self._mean(faces.strangeness > 1.0)
            values["strangeness"] = (float(np.median(faces.strangeness)),)
        right = {
            name: faces.reading.values[name] == labels for name, labels in faces.labels.items()
        }
        if right:
            values["label_accuracy"] = self._mean(np.mean(list(right.values()), axis=0))
        if len(right) > 1:
            values |= {f"label_accuracy_{name}": self._mean(of) for name, of in right.items()}
        protocols = {metric: self.protocol(metric, faces.size) for metric in values}
        return {protocols[n].name: Measurement(protocols[n], *value) for n, value in values.items()}

    def reference(self) -> dict[str, Measurement]:
        """Measures real faces of the split `test`: the best values that can be expected.

        Returns:
            As `measure`; empty without the packages that draw faces.
        """
        return self.measure(self._real()) if self.reader.draws else {}

    def degradations(self) -> dict[str, dict[str, Measurement]]:
        """Measures faces that are broken on purpose: the left and right halves of two people.

        Returns:
            A name to what `measure` returns; empty without the packages that draw faces.
        """
        if not self.reader.draws:
            return {}
        return {"halves of two people": self.measure(map(_halves, self._real()))}

    def edited(
        self, before: ArrayLike, after: ArrayLike, attribute: str, value: str | int
    ) -> Edits:
        """Measures an edit: whether an attribute was changed, and the rest kept.

        Args:
            before: faces, floats in [-1, 1], `(number, height, width, 3)`.
            after: the same faces, edited, `(number, height, width, 3)`.
            attribute: that was to change.
            value: that it was to have, a name or its number.

        Returns:
            `Edits`.

        Raises:
            ValueError: for an attribute or a value that does not exist, or other images.
        """
        values = self._values_of(attribute)
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
            people.require_value({attribute: values}, attribute, str(value))
            value = values.index(str(value))
        elif not 0 <= value < len(values):
            raise ValueError(
                f"The attribute {attribute!r} has no such value. Expected a number from 0 to "
                f"{len(values) - 1}, of {values}. Received: value={value}"
            )
        one, two = self.reader.read(before), self.reader.read(after)
        if len(one) != len(two):
            raise ValueError(
                "There must be as many faces before the edit as after it. "
                f"Received: {len(one)} and {len(two)}"
            )
        same = {n: one.values[n] == two.values[n] for n in self._measured() if n != attribute}
        seen = {name: one.visible[name] & two.visible[name] for name in same}
        kept = {n: float(same[n][seen[n]].mean()) if seen[n].any() else 1.0 for n in same}
        whole = np.all([same[name] | ~seen[name] for name in same], axis=0)
        distance = np.linalg.norm(one.features - two.features, axis=1)
        changed = two.values[attribute] == value
        return Edits(float(changed.mean()), kept, float(whole.mean()), float(distance.mean()))

    def reference_distances(self, number: int = 200) -> dict[str, float]:
        """Measures the distance of drawn faces, to compare that of edits with.

        Args:
            number: of people, of the split `test`.

        Returns:
            "same person, another age" and "another person" to the mean distance of the features.

        Raises:
            ImportError: if the packages that draw faces are not installed.
        """
        style, ages = self.reader.recipe["style"], list(self.look.labels.get("age", ()))
        drawn = sets.people_of(style, "test", faces=4 * checks.count("number", number, 2))
        pairs = {"another person": [*drawn[1:], drawn[0]]}
        if ages:
            older = (ages[ages.index(p.attributes["age"]) - 1] for p in drawn)
            pairs["same person, another age"] = [p.but(age=a) for p, a in zip(drawn, older)]
        one = self._features_of(drawn)
        return {
            name: float(np.linalg.norm(one - self._features_of(others), axis=1).mean())
            for name, others in pairs.items()
        }

    # ---- how

    def _features_of(self, drawn):
        faces = sets.painted(self.reader.recipe["style"], drawn, self.reader.size)
        return self.reader.read(image.from_uint8(faces)).features

    def _measured(self):
        """Names of the attributes with more than one value."""
        return list(self.look.labels)

    def _values_of(self, attribute):
        if attribute not in self.look.labels:
            raise ValueError(
                f"The faces have no attribute of that name."
                f"{did_you_mean(attribute, self.look.labels)} Expected one of "
                f"{self._measured()}. Received: {attribute!r}"
            )
        return list(self.look.labels[attribute])

    def _conditions(self, meant):
        """Values with the shares of the data, by the names of inputs that mean attributes."""
        rng = np.random.default_rng(self.seed)
        shares = {name: self.look.shares_of(attribute) for name, attribute in meant.items()}
        return {
            name: rng.choice(len(s), self.num_images, p=s).astype("int32")
            for name, s in shares.items()
        }

    def _attribute_of(self, port):
        """The attribute that an input of labels stands for: that of its name or its values."""
        for name, values in self.look.labels.items():
            if port.name == name or tuple(port.names or ()) == tuple(values):
                return name
        raise ValueError(
            "The labels of this generator are no attribute of the faces. Expected an input that "
            f"is called one of {self._measured()}, or whose classes are called as the values of "
            f"one. Received: {port}"
        )

    def _share_difference(self, reading):
        return max(
            abs(share - expected)
            for name in self._measured()
            for share, expected in zip(reading.shares[name].values(), self.look.shares_of(name))
        )

    def _pair_difference(self, reading):
        """The largest difference of the share of two values together from the data's."""
        largest = 0.0
        for one, two in itertools.combinations(self._measured(), 2):
            hides = [reading.hidden_by[name][0] for name in (one, two) if name in reading.hidden_by]
            if {one, two} & set(hides):
                continue  # where one has some value, the other cannot be seen
            expected = np.outer(self.look.shares_of(one), self.look.shares_of(two))
            seen = reading.visible[one] & reading.visible[two]
            found = np.zeros_like(expected)
            np.add.at(found, (reading.values[one][seen], reading.values[two][seen]), 1)
            found /= max(seen.sum(), 1)
            largest = max(largest, float(np.abs(found - expected).max()))
        return largest

    def _mean(self, values):
        return dataclasses.astuple(bootstrap_mean(values, seed=self.seed))

    @functools.cached_property
    def _real_faces(self):
        """The first people of the split `test`, painted, uint8."""
        style = self.reader.recipe["style"]
        drawn = sets.people_of(style, "test", faces=4 * self.num_images)
        return sets.painted(style, drawn, self.reader.size)

    def _real(self):
        """Yields batches of drawn faces."""
        for start in range(0, len(self._real_faces), _BATCH):
            yield image.from_uint8(self._real_faces[start : start + _BATCH])


@dataclasses.dataclass(frozen=True)
class Faces:
    """Result of `AttributeEvaluation.read`.

    Attributes:
        images: uint8 `(number, size, size, 3)`, of the classifier's size.
        reading: a `Reading` of them.
        labels: names of attributes to the values that they were generated for.
        size: height of the images before they were resized.
        redrawn: the faces as they were read, drawn again, as `images`; `None` without the packages
            that draw faces.
        strangeness: of each, above 1 for a face that nobody could have; `None` likewise.
    """

    images: np.ndarray
    reading: Reading
    labels: Mapping[str, np.ndarray]
    size: int
    redrawn: np.ndarray | None = None
    strangeness: np.ndarray | None = None

    def picture(self, number: int = 24, columns: int = 6) -> np.ndarray:
        """Returns a picture of the strangest faces, to be looked at.

        Beside each is the drawing of what was read of it, and below how strange it is and what was
        read, with the probability of each value. Without the packages that draw faces they are
        those whose values are the least certain.

        Args:
            number: of faces.
            columns: faces in a row.

        Returns:
            uint8 `(height, width, 3)`.
        """
        sureness = [shares.max(axis=1) for shares in self.reading.of_values.values()]
        order = np.min(sureness, axis=0) if self.strangeness is None else -self.strangeness
        chosen = np.argsort(order, kind="stable")[:number]
        return image.grid(np.stack([self._cell(k) for k in chosen]), columns=columns, padding=8)

    def _cell(self, number):
        """A face, its drawing, and the text below."""
        shown = [self.images[number], *([] if self.redrawn is None else [self.redrawn[number]])]
        faces = image.enlarge(np.concatenate(shown, axis=1), 2)
        lines = [] if self.strangeness is None else [f"strangeness {self.strangeness[number]:.2f}"]
        for name, values in self.reading.attributes.items():
            shares = self.reading.of_values[name][number]
            if len(values) > 1 and self.reading.visible[name][number]:
                lines.append(f"{name}: {list(values)[shares.argmax()]} {shares.max():.2f}")
        most = len(self.reading.attributes) + 1
        return np.concatenate([faces, _written(lines, most, faces.shape[1])])


def _written(lines, most, width):
    """Lines of text, black on white, in a picture with room for so many lines."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (width, 12 * most + 4), "white")
    ImageDraw.Draw(picture).text((2, 2), "\n".join(lines), "black", spacing=1)
    return np.asarray(picture)


def _halves(images):
    """Puts the right half of each face on the next one."""
    middle = images.shape[2] // 2
    right = np.roll(images, 1, axis=0)[:, :, middle:]
    return np.concatenate([images[:, :, :middle], right], axis=2)
