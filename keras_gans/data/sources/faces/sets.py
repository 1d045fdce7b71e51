"""The sources "avatars" and "pixel_faces", and the pairs of avatars.

A face is made from a seed, its split and its number, and is the same on every machine. The faces
are painted once and kept as images, with their attributes, below the data folder.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from keras_gans.data.arguments import check_whole
from keras_gans.data.sources.faces import avataaars, captions, painting, people, pixel_art
from keras_gans.data.sources.packages import fingerprint
from keras_gans.data.sources.registry import Epochs, Examples, Request, Source
from keras_gans.names import did_you_mean
from keras_gans.terminal import Progress

# Raised when the same person is drawn in another way.
_DRAWN = 1

# How many captions a face has.
CAPTIONS = 5

# The split of the faces with combinations of values that no other split has.
HELD_OUT = "held_out"
_SPLITS = ("train", "validation", "test", HELD_OUT)

# The styles whose faces are drawn by their attributes.
KNOWN: Mapping[str, ModuleType] = {avataaars.STYLE: avataaars, pixel_art.STYLE: pixel_art}

# Kinds of glasses, which the people of the pairs wear in turn.
_WORN = tuple(kind for kind in avataaars.LOOK.labels["glasses"] if kind != "none")

# Of each kind of pairs: the drawings a and b of a person with a number.
KINDS: Mapping[str, tuple[Callable[[people.Person, int], str], ...]] = {
    "glasses": (
        lambda person, number: avataaars.svg(person.but(glasses="none")),
        lambda person, number: avataaars.svg(person.but(glasses=_WORN[number % len(_WORN)])),
    ),
    "smile": (
        lambda person, number: avataaars.svg(person.but(mouth="serious")),
        lambda person, number: avataaars.svg(person.but(mouth="smile")),
    ),
    "age": (
        lambda person, number: avataaars.svg(person.but(age="young")),
        lambda person, number: avataaars.svg(person.but(age="old")),
    ),
    "drawing": (
        lambda person, number: avataaars.line_drawing(person),
        lambda person, number: avataaars.svg(person),
    ),
    "parts": (
        lambda person, number: avataaars.part_map(person),
        lambda person, number: avataaars.svg(person),
    ),
}


def read(source: Callable[[], Source], size: int, request: Request) -> Examples:
    """Returns the faces that a `Request` asks for, and the names of their classes or None.

    Args:
        source: function that returns the `Source`.
        size: in pixels, if the request names none.
        request: the `Request`.

    Raises:
        ValueError: if an option does not fit, or there is no such split.
        ImportError: if the packages that draw faces are not installed.
    """
    from keras_gans.data import prepared

    options = {**source().options, **request.options}
    attribute, wordings = options.pop("attribute", None), options.pop("wordings", "seen")
    if request.captions:
        _check_captions(request, options["style"], wordings)
        request = dataclasses.replace(request, attributes=True)
    if request.labels is True:
        request = dataclasses.replace(request, labels=attribute)
    # Before anything is painted, which takes minutes.
    _check_split(request.split, options["hold_out"])
    if options["style"] in KNOWN:
        wanted = request.attributes or [str(request.labels)] * bool(request.labels)
        known = KNOWN[options["style"]].LOOK.labels
        prepared.require_attributes(source().name, [] if wanted is True else wanted, known)
    builder = faces(max(request.image_size or (size, size)), data_dir=request.data_dir, **options)
    examples, names = prepared.images(builder, request)
    if request.captions:
        return _captioned(examples, names, request, wordings), None
    return examples, names


def _check_captions(request, style, wordings):
    if style != avataaars.STYLE:
        raise ValueError(
            f"Captions are written of one style. Expected `style` to be {avataaars.STYLE!r}. "
            f"Received: captions={request.captions!r}, style={style!r}"
        )
    captions.require(_nameable(request), wordings)


def _nameable(request):
    return captions.ATTRIBUTES if request.captions is True else request.captions


def _written(person, request, wordings):
    """The captions of a person, given by attributes."""
    key, options = (request.seed, *person.values()), {"name": _nameable(request)}
    return [
        captions.write(person, *key, number, **options, wordings=wordings).text
        for number in range(CAPTIONS)
    ]


def _captioned(examples, names, request, wordings):
    """Pairs of an image and its captions, which depend on its attributes and the seed alone."""
    import tensorflow as tf  # here: listing data sets does without

    found = []
    batches = examples.map(lambda image, known: known).batch(500)  # of which Python sees few
    for known in batches.as_numpy_iterator():
        for row in zip(*known.values()):
            person = {name: names[name][value] for name, value in zip(known, row)}
            found.append(_written(person, request, wordings))
    texts = tf.data.Dataset.from_tensor_slices(tf.constant(found))
    return tf.data.Dataset.zip(examples, texts).map(lambda pair, texts: (pair[0], texts))


def read_pairs(request: Request) -> Epochs:
    """Returns the epochs of the pairs that a `Request` asks for, and their length."""
    from keras_gans.data import prepared

    options = {**PAIRS.options, **request.options}
    size = max(request.stored_size or request.image_size or (64, 64))
    _check_split(request.split, options["hold_out"])
    builder = pairs(size, data_dir=request.data_dir, **options)
    return prepared.pairs(builder, request)


def faces(
    size: int,
    data_dir: str | None = None,
    style: str = avataaars.STYLE,
    faces: int = 20_000,
    people_seed: int = 0,
    hold_out: Any = None,
) -> Any:
    """Paints the faces of a style, with their attributes and captions.

    Args:
        size: of the images, in pixels.
        data_dir: folder for prepared data.
        style: name of a style of DiceBear. The attributes of "avataaars" and "pixel-art" are
            known; those of others are not.
        faces: how many faces the split `train` has; `validation` has a tenth as many, `test` a
            quarter.
        people_seed: integer, 0 or more: other numbers give other people.
        hold_out: None, or combinations of values that only the faces of the split `held_out` have;
            see `people.HeldOut`.

    Returns:
        A prepared builder of TensorFlow Datasets with the feature `image`, a class label for each
        attribute, and `caption`.

    Raises:
        ValueError: if an argument does not fit.
        ImportError: if the packages that draw faces are not installed.
    """
    check_whole(faces=faces, least=4)
    check_whole(people_seed=people_seed, least=0)
    known = KNOWN.get(style)
    licence = painting.licence_of_style(style)
    if known is None and hold_out:
        raise ValueError(
            "Combinations are held out by attributes, which are known of some styles. Expected "
            f"`style` to be one of {list(KNOWN)}. Received: style={style!r}"
        )
    held_out = people.HeldOut(known.LOOK, hold_out) if known else None

    def features(kinds):
        labels = {} if known is None else known.LOOK.labels
        named = {name: kinds.ClassLabel(names=values) for name, values in labels.items()}
        texts = {} if known is None else {"caption": kinds.Text()}
        return {"image": kinds.Image(shape=(size, size, 3)), **named, **texts}

    def example(split, number):
        if known is None:
            text = painting.drawing(style, {"seed": f"{people_seed}/{split}/{number}"})
            return {"image": painting.pixels(text, size)}
        person = _person(held_out, people_seed, split, number)
        labels = {name: person.attributes[name] for name in known.LOOK.labels}
        (image,) = painted(style, [person], size)
        return {"image": image, "caption": captions.describe(person), **labels}

    sizes = _sizes(faces, held_out)
    return _prepared(
        f"keras_gans_faces_{style.replace('-', '_')}",
        f"Faces in the style {style}. {licence}",
        features,
        example,
        sizes,
        data_dir,
        (size, people_seed, held_out.combinations if held_out else ()),
    )


def pairs(
    size: int,
    data_dir: str | None = None,
    pair: str = "glasses",
    faces: int = 10_000,
    people_seed: int = 0,
    hold_out: Any = None,
) -> Any:
    """Paints pairs of avatars: the same person twice.

    Args:
        size: of the images, in pixels.
        data_dir: folder for prepared data.
        pair: `"glasses"` (without, with), `"smile"` (serious, smiling), `"age"` (young, old),
            `"drawing"` (line drawing, face) or `"parts"` (map of the parts, face).
        faces: how many pairs the split `train` has; see `faces`.
        people_seed: see `faces`; the same number gives the same people.
        hold_out: see `faces`.

    Returns:
        A prepared builder of TensorFlow Datasets with the features `a` and `b`.

    Raises:
        ValueError: if an argument does not fit.
        ImportError: if the packages that draw faces are not installed.
    """
    check_whole(faces=faces, least=4)
    check_whole(people_seed=people_seed, least=0)
    if pair not in KINDS:
        raise ValueError(
            f"There are no such pairs of avatars.{did_you_mean(pair, KINDS)} Expected `pair` to "
            f"be one of {list(KINDS)}. Received: pair={pair!r}"
        )
    held_out = people.HeldOut(avataaars.LOOK, hold_out)

    def example(split, number):
        person = _person(held_out, people_seed, split, number)
        drawn = (draw(person, number) for draw in KINDS[pair])
        return dict(zip("ab", (painting.pixels(text, size) for text in drawn)))

    return _prepared(
        f"keras_gans_avatar_pairs_{pair}",
        f"Pairs of avatars: {pair}. {painting.licence_of_style(avataaars.STYLE)}",
        lambda kinds: dict.fromkeys("ab", kinds.Image(shape=(size, size, 3))),
        example,
        _sizes(faces, held_out),
        data_dir,
        (size, people_seed, held_out.combinations),
    )


def people_of(
    style: str, split: str, faces: int = 20_000, people_seed: int = 0
) -> list[people.Person]:
    """Returns the people of a split, whose attributes and drawings are known.

    They are those that `faces` paints, in another order.

    Args:
        style: "avataaars" or "pixel-art".
        split: "train", "validation" or "test".
        faces: see `faces`.
        people_seed: see `faces`.
    """
    held_out = people.HeldOut(KNOWN[style].LOOK, None)
    number = _sizes(faces, held_out)[split]
    return [_person(held_out, people_seed, split, k) for k in range(number)]


def painted(style: str, persons: Iterable[people.Person], size: int) -> np.ndarray:
    """Paints the faces of people: returns a `uint8` array `(number, size, size, 3)`.

    Args:
        style: "avataaars" or "pixel-art".
        persons: of that style.
        size: in pixels.

    Raises:
        ImportError: if the packages that draw faces are not installed.
    """
    svg = KNOWN[style].svg
    return np.stack([painting.pixels(svg(person), size) for person in persons])


def _sizes(faces, held_out):
    sizes = {"train": faces, "validation": max(faces // 10, 1), "test": faces // 4}
    return {**sizes, HELD_OUT: max(faces // 10, 1)} if held_out else sizes


def _person(held_out, people_seed, split, number):
    draw = held_out.unseen if split == HELD_OUT else held_out.seen
    return draw(people_seed, _SPLITS.index(split), number)


def _prepared(name, description, features, example, sizes, data_dir, key):
    from keras_gans.data.sources import builders

    progress = Progress(sum(sizes.values()), "faces painted", every=10.0)
    painted = iter(range(1, sum(sizes.values()) + 1))

    def examples(split, count) -> Iterator[tuple[int, dict[str, Any]]]:
        for number in range(count):
            yield number, example(split, number)
            progress.update(next(painted))

    plan = builders.Plan(
        name=name,
        description=description,
        features=features,
        examples=lambda: {split: examples(split, count) for split, count in sizes.items()},
        key=fingerprint(_DRAWN, painting.versions(), sizes, *key),
        homepage="https://www.dicebear.com",
    )
    return builders.prepared(plan, data_dir)


def _check_split(split, hold_out):
    if isinstance(split, str) and split.startswith(HELD_OUT) and not hold_out:
        raise ValueError(
            f"No faces are held out. Expected `hold_out`, the combinations that the split "
            f"{HELD_OUT!r} is to have, such as {{'hair': 'blonde', 'glasses': 'sunglasses'}}. "
            f"Received: split={split!r}, hold_out={hold_out!r}"
        )


_ORIGIN = "the packages `dicebear-core`, `dicebear-styles` and `resvg-py`, which draw them"
_AVATAAARS = (
    "Avataaars by Pablo Stanley (https://avataaars.com), free for personal and commercial use; "
    "other styles have their own"
)
_OPTIONS = {"faces": 20_000, "people_seed": 0, "hold_out": None}

AVATARS: Source = Source(
    name="avatars",
    content="20,000 drawn faces with known attributes, of any size",
    origin=_ORIGIN,
    licence=_AVATAAARS,
    splits=_SPLITS,
    read=functools.partial(read, lambda: AVATARS, 64),
    options={"style": avataaars.STYLE, "attribute": "glasses", "wordings": "seen", **_OPTIONS},
    labels=avataaars.LOOK.labels,
)

PIXEL_FACES: Source = Source(
    name="pixel_faces",
    content="20,000 faces of 16x16 pixels with known attributes",
    origin=_ORIGIN,
    licence="Pixel Art by DiceBear, CC0 1.0",
    splits=_SPLITS,
    read=functools.partial(read, lambda: PIXEL_FACES, 16),
    options={"style": pixel_art.STYLE, "attribute": "glasses", **_OPTIONS},
    labels=pixel_art.LOOK.labels,
)

PAIRS = Source(
    name="avatars",
    content="avatars twice: without and with glasses, young and old, as drawing and in colour",
    origin=_ORIGIN,
    licence=_AVATAAARS,
    splits=_SPLITS,
    read=read_pairs,
    options={"pair": "glasses", "faces": 10_000, "people_seed": 0, "hold_out": None},
    paired=True,
)
