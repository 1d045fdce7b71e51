"""What the library knows of its data sets, as data; imports no TensorFlow.

A source is a `Source` in a file of its own; `sources/__init__.py` registers it.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from keras_gans.names import did_you_mean

# What a source reads for `load`: a `tf.data.Dataset`, and the names of its classes, of the values
# of each attribute, or None.
Names = Sequence[str] | Mapping[str, Sequence[str] | None] | None
Examples = tuple[Any, Names]

# And for `load_pairs`: a function from an epoch's number to a `tf.data.Dataset`, and its length.
Epochs = tuple[Callable[..., Any], int]


@dataclasses.dataclass(frozen=True)
class Request:
    """What `load` or `load_pairs` was asked for, checked.

    Attributes:
        name: Of the data set, or the path of a folder.
        split: Part of the set, in the notation of TensorFlow Datasets.
        image_size: Height and width of the images; None keeps those of the set.
        own_size: Whether images are wanted at their own size, which may differ from image to image
            and is at least `image_size`, if that is given: for crops, where no detail may be lost.
        stored_size: Height and width before random crops; equal to `image_size` without any.
        channels: 1 or 3; None keeps those of the set.
        labels: Whether classes are wanted, or which; see `load`.
        attributes: Whether all attributes are wanted, or the names of which; see `load`.
        captions: Whether captions are wanted, or the attributes that they may name; see `load`.
        num_examples: How many examples; None for all.
        seed: Of what the source draws.
        paired: Whether pairs are wanted aligned.
        augment: Whether images are cropped and flipped at random.
        shuffle: Whether every epoch has an order of its own.
        data_dir: Folder for prepared data; None for that of TensorFlow Datasets.
        on_error: `"raise"` or `"skip"`.
        options: What only this source understands; only names that it knows.
    """

    name: str | os.PathLike
    split: str = "train"
    image_size: tuple[int, int] | None = None
    own_size: bool = False
    stored_size: tuple[int, int] | None = None
    channels: int | None = None
    labels: bool | str | os.PathLike = False
    attributes: bool | Sequence[str] = False
    captions: bool | Sequence[str] = False
    num_examples: int | None = None
    seed: int = 0
    paired: bool = True
    augment: bool = False
    shuffle: bool = True
    data_dir: str | None = None
    on_error: str = "raise"
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Source:
    """A data set that `load` or, if it is `paired`, `load_pairs` knows by name.

    >>> from keras_gans.data import sources
    >>> fashion = sources.get("fashion_mnist")
    >>> fashion.splits, fashion.licence, fashion.class_names[9]
    (('train', 'test'), 'MIT', 'boot')

    Attributes:
        name: What `load` is called with.
        content: What it holds, in a line.
        origin: Where it comes from, in a line.
        licence: Of the data, in a line.
        splits: Names of its splits.
        read: Function of a `Request`. It returns, for `load`, a `tf.data.Dataset` of `uint8`
            images or `float32` points, or of pairs with `int32` classes or with several captions
            each, and the names of the classes or None; for `load_pairs`, a function from an
            epoch's number to a
            `tf.data.Dataset` of pairs of `uint8` images, and the length of an epoch.
            `keras_gans.data.prepared` does either from a builder.
        options: What only this set understands: names and defaults.
        labels: What each example is labelled with: name of each label to names of its classes.
            That of the classes is "label"; a set of faces may have "hair" and "glasses" beside it.
        paired: Whether it holds images of two domains.
        fixed: Sentence that says why neither size, channels nor one of several labels can be
            chosen; "" if they can.
    """

    name: str
    content: str
    origin: str
    licence: str
    splits: tuple[str, ...]
    read: Callable[[Request], Examples | Epochs]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    labels: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    paired: bool = False
    fixed: str = ""

    def __post_init__(self) -> None:
        texts = (self.name, self.content, self.origin, self.licence)
        if not all(isinstance(text, str) and text for text in texts):
            raise ValueError(
                f"A source must say its name, content, origin and licence as texts. "
                f"Received: {texts}"
            )
        for field in ("splits", *(f"labels[{name!r}]" for name in self.labels)):
            values = self.splits if field == "splits" else self.labels[field[8:-2]]
            if isinstance(values, str) or not values or not all(map(_is_text, values)):
                raise ValueError(
                    f"`{field}` of the source {self.name!r} must be a list of one or more names. "
                    f"Received: {values!r}"
                )
        if not callable(self.read):
            raise ValueError(
                f"`read` of the source {self.name!r} must be a function of a `Request`. "
                f"Received: read={self.read!r}"
            )

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes that `load(labels=True)` gives, in order; None without names."""
        return tuple(self.labels["label"]) if "label" in self.labels else None


def _is_text(value):
    return isinstance(value, str)


# By name, and by whether `load_pairs` is to know it: one name may have images and pairs.
_SOURCES: dict[tuple[str, bool], Source] = {}


def register(source: Source) -> Source:
    """Makes a source known to `load` or `load_pairs` by its name.

    Args:
        source: The `Source`.

    Returns:
        `source`.

    Raises:
        ValueError: If another source of that function has the name, or it is no `Source`.
    """
    if not isinstance(source, Source):
        raise ValueError(f"That is no source. Expected a `Source`. Received: {source!r}")
    if _SOURCES.setdefault((source.name, source.paired), source) is not source:
        raise ValueError(
            f"There is a source of that name already. Expected another name. "
            f"Received: name={source.name!r}"
        )
    return source


def names(paired: bool | None = None) -> tuple[str, ...]:
    """Returns the names of the registered sources, in the order of their registration.

    >>> from keras_gans.data import sources
    >>> sources.names(paired=True)
    ('earth', 'day_night', 'emoji_styles', 'avatars')

    Args:
        paired: True for those of `load_pairs`, False for those of `load`, None for all.
    """
    return tuple(dict.fromkeys(name for name, is_paired in _SOURCES if paired in (None, is_paired)))


def get(name: str, paired: bool | None = None) -> Source:
    """Returns a registered source.

    Args:
        name: Its name.
        paired: Whether that of `load_pairs` is wanted; None for that of `load`, if there is one.

    Returns:
        The `Source`.

    Raises:
        ValueError: If no source has that name.
    """
    known = names(paired)
    if not isinstance(name, str) or name not in known:
        raise ValueError(
            f"There is no source of that name.{did_you_mean(name, known)} Expected one of "
            f"{list(known)}; sets of TensorFlow Datasets and folders are not among them. "
            f"Received: name={name!r}"
        )
    wanted = (False, True) if paired is None else (paired,)
    return next(_SOURCES[name, kind] for kind in wanted if (name, kind) in _SOURCES)


def class_names_of(name: str | os.PathLike) -> tuple[str, ...] | None:
    """Returns the names of the classes of a registered source, in order, without loading it.

    >>> class_names_of("digits")[3]
    '3'

    Args:
        name: Of a data set, as `load` takes it.

    Returns:
        Tuple of names; None for a source whose classes have none, a set of TensorFlow Datasets or
        a folder: of those, ask `keras_gans.data.class_names` of a loaded data set.
    """
    return get(name).class_names if _is_text(name) and name in names() else None


def licence_of(name: str | os.PathLike) -> str | None:
    """Returns the licence of the data of a registered source.

    >>> licence_of("fashion_mnist")
    'MIT'

    Args:
        name: Of a data set, as `load` takes it.

    Returns:
        One line; None for a set of TensorFlow Datasets or a folder.
    """
    return get(name).licence if _is_text(name) and name in names() else None
