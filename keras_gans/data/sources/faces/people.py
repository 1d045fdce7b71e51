"""People: each has a value of every attribute, drawn evenly and independently from a seed.

A person is a value of each attribute, and one of the drawings that stand for each value: the
haircut that it has if its hair is long, and the one that it has if its hair is short. So the same
person can be drawn without glasses, smiling or old, and nothing else changes.
"""

import dataclasses
import math
import random
from collections.abc import Iterable, Mapping, Sequence

from keras_gans.names import did_you_mean


@dataclasses.dataclass(frozen=True)
class Look:
    """What the people of a style may look like.

    Attributes:
        attributes: name of each attribute to its values, and of each value to the drawings or
            colours that stand for it.
        shares: of the values of an attribute, in order; even for an attribute that is not here.
    """

    attributes: Mapping[str, Mapping[str, Sequence[str]]]
    shares: Mapping[str, Sequence[float]] = dataclasses.field(default_factory=dict)

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Names of the attributes to the names of their values, in the order of their numbers.

        What has one value alone is no attribute, but differs from person to person all the same.
        """
        return {name: tuple(v) for name, v in self.attributes.items() if len(v) > 1}

    def shares_of(self, attribute: str) -> tuple[float, ...]:
        """Returns the share of each value of an attribute; they add up to 1."""
        values = self.attributes[attribute]
        return tuple(self.shares.get(attribute, [1 / len(values)] * len(values)))

    def person(self, *key: int) -> "Person":
        """Draws a person; the same numbers give the same person, on every machine."""
        # Of Python's generators, `random()` alone is promised to stay the same.
        draw = random.Random("/".join(map(str, key))).random
        attributes, drawings = {}, {}
        for name, values in self.attributes.items():
            attributes[name] = _chosen(list(values), self.shares_of(name), draw())
            for value, choices in values.items():
                even = [1 / len(choices)] * len(choices)
                drawings[name, value] = _chosen(choices, even, draw())
        return Person(attributes, drawings)


def _chosen(choices, shares, number):
    for choice, share in zip(choices, shares):
        number -= share
        if number < 0:
            return choice
    return choices[-1]  # shares that add up to a little less than 1


@dataclasses.dataclass(frozen=True)
class Person:
    """A person: the values of its attributes, and what it would look like with others.

    Attributes:
        attributes: name of each attribute to its value.
        drawings: pairs of an attribute and a value to the drawing or colour that stands for it.
    """

    attributes: Mapping[str, str]
    drawings: Mapping[tuple[str, str], str]

    def drawing(self, attribute: str) -> str:
        """Returns the drawing or colour that stands for the person's value of an attribute."""
        return self.drawings[attribute, self.attributes[attribute]]

    def but(self, **values: str) -> "Person":
        """Returns the same person with other values of some attributes.

        >>> from keras_gans.data.sources.faces import avataaars
        >>> person = avataaars.LOOK.person(0, 0, 7)
        >>> person.but(glasses="round").attributes["glasses"]
        'round'

        Raises:
            ValueError: for an attribute or a value that does not exist.
        """
        labels: dict[str, list[str]] = {}
        for name, value in self.drawings:
            labels.setdefault(name, []).append(value)
        for name, value in values.items():
            require_value(labels, name, value)
        return dataclasses.replace(self, attributes={**self.attributes, **values})


def require_value(labels: Mapping[str, Sequence[str]], name: str, value: str) -> None:
    """Raises ValueError, with the nearest names, unless an attribute has that value."""
    if name not in labels:
        raise ValueError(
            f"The faces have no attribute of that name.{did_you_mean(name, labels)} Expected one "
            f"of {list(labels)}. Received: {name!r}"
        )
    if value not in labels[name]:
        raise ValueError(
            f"The attribute {name!r} has no such value.{did_you_mean(value, labels[name])} "
            f"Expected one of {list(labels[name])}. Received: {name}={value!r}"
        )


class HeldOut:
    """Combinations of values that no person of a training may have.

    Args:
        look: the `Look`.
        combinations: a dictionary of names of attributes to values, or a list of several. A person
            is held out if it has all the values of one of them.

    Raises:
        ValueError: for an attribute or value that does not exist, an empty combination, or
            combinations that leave nobody.
    """

    def __init__(
        self, look: Look, combinations: Mapping[str, str] | Iterable[Mapping[str, str]] | None
    ) -> None:
        given = [combinations] if isinstance(combinations, Mapping) else list(combinations or ())
        for combination in given:
            if not isinstance(combination, Mapping) or not combination:
                raise ValueError(
                    "A combination is a dictionary of names of attributes to values, such as "
                    "{'hair': 'blonde', 'glasses': 'sunglasses'}. "
                    f"Received: hold_out={combinations!r}"
                )
            for name, value in combination.items():
                require_value(look.labels, name, value)
        self.look = look
        self.combinations = tuple(dict(sorted(combination.items())) for combination in given)
        if given and self._leaves_nobody():
            raise ValueError(
                "Every person has one of the combinations that are held out. Expected "
                f"combinations that leave some for the training. Received: hold_out={given}"
            )

    def __bool__(self) -> bool:
        return bool(self.combinations)

    def __contains__(self, person: Person) -> bool:
        return any(c.items() <= person.attributes.items() for c in self.combinations)

    def _leaves_nobody(self):
        """Whether the combinations cover all there is: by trying value after value."""
        return not _some_escapes(self.combinations, {}, self.look.labels)

    def seen(self, *key: int) -> Person:
        """Draws a person that is not held out: the first such one of those that a key gives."""
        person, attempt = self.look.person(*key), 0
        while person in self:
            attempt += 1
            person = self.look.person(*key, attempt)
        return person

    def unseen(self, *key: int) -> Person:
        """Draws a person that is held out: one with the values of a combination."""
        person = self.look.person(*key)
        combination = self.combinations[key[-1] % len(self.combinations)]
        return person.but(**combination)


def _some_escapes(combinations, chosen, labels):
    """Whether somebody with the chosen values and any others has none of the combinations."""
    open_ones = [c for c in combinations if all(chosen.get(n, v) == v for n, v in c.items())]
    if not open_ones:
        return True
    name = next((n for n in open_ones[0] if n not in chosen), None)
    if name is None:  # all the values of a combination are chosen
        return False
    return any(_some_escapes(open_ones, {**chosen, name: v}, labels) for v in labels[name])


def probability(look: Look, combination: Mapping[str, str]) -> float:
    """Returns the share of people who have a combination of values."""
    return math.prod(
        look.shares_of(name)[list(look.attributes[name]).index(value)]
        for name, value in combination.items()
    )
