"""What a classifier with a head for each attribute reads from images."""

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_gans.data.sources.faces import people


@dataclasses.dataclass(frozen=True)
class Reading:
    """What was read from images of faces.

    Attributes:
        features: of the classifier, float32 `(number, features)`.
        probabilities: names of the attributes to the probabilities of their drawings, float32
            `(number, drawings)`.
        attributes: names of the attributes to their values, and each to its drawings.
        hidden_by: names of attributes to another one, and the value of it that hides them.
    """

    features: np.ndarray
    probabilities: Mapping[str, np.ndarray]
    attributes: Mapping[str, Mapping[str, tuple[str, ...]]]
    hidden_by: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, recipe: Mapping[str, Any], outputs: Sequence[np.ndarray]) -> "Reading":
        """Returns the reading of what a network returned, `[features, *logits]`, by its recipe."""
        features, *logits = outputs
        attributes = {
            name: {value: tuple(drawings) for value, drawings in values.items()}
            for name, values in recipe["attributes"].items()
        }
        shares = dict(zip(attributes, map(_softmax, logits)))
        hidden_by = {name: tuple(by) for name, by in recipe.get("hidden_by", {}).items()}
        return cls(features, shares, attributes, hidden_by)

    def __len__(self) -> int:
        return len(self.features)

    @functools.cached_property
    def of_values(self) -> dict[str, np.ndarray]:
        """Names of the attributes to the probabilities of their values, `(number, values)`."""
        found = {}
        for name, values in self.attributes.items():
            starts = np.cumsum([0, *(len(drawings) for drawings in values.values())])[:-1]
            found[name] = np.add.reduceat(self.probabilities[name], starts, axis=1)
        return found

    @functools.cached_property
    def values(self) -> dict[str, np.ndarray]:
        """Names of the attributes to the numbers of their values, int32 `(number,)`."""
        return {name: p.argmax(axis=1).astype("int32") for name, p in self.of_values.items()}

    @functools.cached_property
    def visible(self) -> dict[str, np.ndarray]:
        """Names of the attributes to whether they can be seen, bool `(number,)`."""
        found = {name: np.ones(len(self), bool) for name in self.attributes}
        for name, (by, value) in self.hidden_by.items():
            found[name] = self.values[by] != list(self.attributes[by]).index(value)
        return found

    @functools.cached_property
    def shares(self) -> dict[str, dict[str, float]]:
        """Names of the attributes to the share of each value, where the attribute is visible."""
        found = {}
        for name, values in self.attributes.items():
            seen = self.values[name][self.visible[name]]
            counts = np.bincount(seen, minlength=len(values)) / max(len(seen), 1)
            found[name] = dict(zip(values, counts.tolist()))
        return found

    def person(self, number: int) -> people.Person:
        """Returns the person in one of the images, of the likeliest drawing of each value."""
        values, drawings = {}, {}
        for name, kinds in self.attributes.items():
            values[name] = list(kinds)[self.values[name][number]]
            first = sum(len(kinds[value]) for value in list(kinds)[: self.values[name][number]])
            choices = kinds[values[name]]
            shares = self.probabilities[name][number, first : first + len(choices)]
            drawings[name, values[name]] = choices[int(shares.argmax())]
        return people.Person(values, drawings)

    def others(self, number: int, count: int) -> list[people.Person]:
        """Returns the next likeliest people: each with another drawing of one attribute.

        Args:
            number: of the image.
            count: how many people, at most; the likeliest come first.
        """
        read, found = self.person(number), []
        for name, kinds in self.attributes.items():
            drawings = [(value, kind) for value, among in kinds.items() for kind in among]
            shares = self.probabilities[name][number].copy()
            shares[drawings.index((read.attributes[name], read.drawing(name)))] = -1.0
            value, kind = drawings[shares.argmax()]
            other = people.Person(
                {**read.attributes, name: value}, {**read.drawings, (name, value): kind}
            )
            found.append((float(shares.max()), other))
        found.sort(key=lambda pair: -pair[0])
        return [other for _, other in found[:count]]


def joined(readings: Sequence[Reading]) -> Reading:
    """Returns the readings of several batches, by one classifier, as one."""
    first = readings[0]
    return dataclasses.replace(
        first,
        features=np.concatenate([reading.features for reading in readings]),
        probabilities={
            name: np.concatenate([reading.probabilities[name] for reading in readings])
            for name in first.attributes
        },
    )


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
