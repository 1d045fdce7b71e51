"""Emoji in two drawing styles: a is Google's Noto, b is Twitter's Twemoji.

The images, 64x64 and transparent, are in the npm packages `emoji-datasource-google` (Noto Emoji,
Apache 2.0) and `emoji-datasource-twitter` (Twemoji, CC BY 4.0), version 16. The same file name is
the same emoji, so the two styles are pairs. They are put on white paper.

Flags are left out. Noto draws them waving and Twemoji flat, so that they would teach one fixed
warp with little of style in it; they would be 7 % of the images and 17 % of the motifs, and some
are the same flag under several names (those of France, Norway and Spain, for example). The five
swatches of skin tones are left out, too.

What is left, 3,511 pairs of 1,315 motifs, is split by motif: an emoji in five skin tones, as man,
woman and person, or facing right, is one motif, and all its pairs are in one split: 2,887 are in
`train`, 388 in `validation` and 236 in `test`. Simple faces and hands of different motifs still
resemble each other.
"""

import collections
import functools
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_gans.data.sources.packages import DECODER, NODE_VARIABLE, fingerprint, node_modules
from keras_gans.data.sources.registry import Epochs, Examples, Request, Source
from keras_gans.names import did_you_mean

# a, then b.
STYLES = ("google", "twitter")

# Pixels a side of the files.
SIZE = 64

if TYPE_CHECKING:
    from keras_gans.data.sources.builders import Planned

_LEFT_OUT = {"Flags", "Component"}

# Of these subcategories all are one motif: digits on one key, shapes and hearts in all colours,
# clocks at all hours.
_ONE_MOTIF = {"geometric", "heart", "keycap", "time"}

# Parts of a file name: joiner, variation selector, signs of the genders, arrow of the direction,
# five skin tones, four kinds of hair.
_NO_MOTIF = {"200d", "fe0f", "2640", "2642", "27a1"}
_NO_MOTIF |= {f"1f3f{tone}" for tone in "bcdef"} | {f"1f9b{hair}" for hair in "0123"}

_PERSON = "1f9d1"
_SAME_MOTIF = {
    **dict.fromkeys(["1f468", "1f469", "1f471", "1f9d4"], _PERSON),  # man, woman, blond, bearded
    **dict.fromkeys(["1f466", "1f467"], "1f9d2"),  # boy, girl: child
    **dict.fromkeys(["1f474", "1f475"], "1f9d3"),  # old man, old woman: old person
    **dict.fromkeys(["1f46b", "1f46c", "1f46d"], f"{_PERSON}-1f91d"),  # couples holding hands
    **dict.fromkeys(["1faf1", "1faf2"], "1f91d"),  # right hand, left hand: handshake
    "1f46a": f"{_PERSON}-1f9d2",  # family
    "1f48f": f"{_PERSON}-2764-1f48b",  # kiss
    "1f491": f"{_PERSON}-2764",  # couple with heart
}

_HOW_TO_INSTALL = "`npm install emoji-datasource-google@16 emoji-datasource-twitter@16`"


def read(request: Request) -> Examples:
    """Returns the images of one style that a `Request` asks for, and None: they have no classes."""
    from keras_gans.data import prepared

    size, channels = request.image_size or (SIZE, SIZE), request.channels or 3
    options = {**SOURCE.options, **request.options}
    return prepared.images(builder(size, channels, request.data_dir, **options), request)


def read_pairs(request: Request) -> Epochs:
    """Returns the epochs of the pairs that a `Request` asks for, and their length."""
    from keras_gans.data import prepared

    size, channels = request.stored_size, request.channels
    return prepared.pairs(builder(size, channels, request.data_dir, **request.options), request)


def builder(
    image_size: tuple[int, int],
    channels: int,
    data_dir: str | Path | None = None,
    source: Path | str | None = None,
    style: str | None = None,
) -> "Planned":
    """Prepares the pairs, or the emoji of one style.

    Args:
        image_size: Height and width at which the images are stored; they are drawn at 64x64.
        channels: 1 or 3.
        data_dir: Folder for prepared data.
        source: The folder `node_modules` of the two packages; see `find`.
        style: "google" or "twitter"; None for pairs of both.

    Returns:
        A prepared builder with the features `a` and `b`, or with the feature `image`. An image
        that cannot be read is a `ValueError`.

    Raises:
        FileNotFoundError: If a package is missing. Splits are of the emoji that both have.
        ValueError: If there is no such style.
    """
    from keras_gans.data.sources import builders

    if style not in (None, *STYLES):
        raise ValueError(
            f"There is no such style of emoji.{did_you_mean(style, STYLES)} Expected one of "
            f"{list(STYLES)}. Received: style={style!r}"
        )
    source = find(source)
    splits = motif_splits(source)
    styles = STYLES if style is None else (style,)
    files = [_file(source, s, n) for names in splits.values() for n in names for s in styles]
    stats = [(f, s.st_size, s.st_mtime_ns) for f in files for s in [f.stat()]]
    key = fingerprint(DECODER, source.resolve(), channels, splits, stats)
    height, width = image_size
    read_split = functools.partial(
        _examples, source, style, image_size=(height, width), channels=channels
    )
    shape = (height, width, channels)
    keys = ("a", "b") if style is None else ("image",)
    what = "as Noto (a) and Twemoji (b) draw them" if style is None else f"in the style {style}"
    plan = builders.Plan(
        name="keras_gans_emoji_styles" if style is None else "keras_gans_emoji",
        description=f"Emoji {what}.",
        features=lambda features: dict.fromkeys(keys, features.Image(shape=shape)),
        examples=lambda: {split: read_split(names) for split, names in splits.items()},
        key="_".join([*filter(None, [style]), f"{height}x{width}", key]),
        homepage="https://github.com/iamcal/emoji-data",
    )
    return builders.prepared(plan, data_dir)


def _examples(source, style, names, image_size, channels):
    """Pairs `a` and `b` of emoji, or an `image` of one style, by name of file."""
    if style is not None:
        for name, image in images(source, style, names, image_size, channels):
            yield name, {"image": image}
        return
    drawn = [images(source, each, names, image_size, channels) for each in STYLES]
    for (name, a), (_, b) in zip(*drawn):
        yield name, {"a": a, "b": b}


def find(source: Path | str | None = None) -> Path:
    """Finds the folder `node_modules` that holds both packages.

    Args:
        source: The folder; None for that of the environment variable `KERAS_GANS_NODE_MODULES`,
            else `node_modules` in the working directory.

    Returns:
        Path of the folder.

    Raises:
        FileNotFoundError: If a package is missing, or a part of it.
    """
    source = node_modules(source)
    needed = [_table(source), *(_file(source, style, "") for style in STYLES)]
    missing = [str(path.relative_to(source)) for path in needed if not path.exists()]
    if missing:
        raise FileNotFoundError(
            f"The emoji are missing: {', '.join(missing)}. Expected them in the folder "
            f"`node_modules` given by `source`, by the variable {NODE_VARIABLE}, or in the "
            f"working directory; install them with {_HOW_TO_INSTALL}. Received: {str(source)!r}"
        )
    return source


def motif_splits(source: Path) -> dict[str, list[str]]:
    """Divides the emoji that both packages have, about 80 : 10 : 10, by motif.

    Args:
        source: `pathlib.Path` of the folder `node_modules`.

    Returns:
        Dictionary from "train", "validation" and "test", where there are any, to sorted names of
        files such as "1f600.png".

    Raises:
        ValueError: If the packages have no emoji in common.
    """
    both = set.intersection(*({f.name for f in _file(source, s, "").iterdir()} for s in STYLES))
    splits = collections.defaultdict(list)
    try:
        table = json.loads(_table(source).read_text(encoding="utf-8"))
    except ValueError as error:  # of JSON, or of UTF-8
        raise ValueError(
            f"The list of emoji is damaged. Expected JSON in UTF-8; install the packages again "
            f"with {_HOW_TO_INSTALL}. Received: {str(_table(source))!r} ({error})"
        ) from error
    for emoji in table:
        if emoji["category"] in _LEFT_OUT:
            continue
        tones = emoji.get("skin_variations", {}).values()
        for name in [emoji["image"], *(tone["image"] for tone in tones)]:
            if name in both:
                # A checksum and not a shuffle: a later version that adds emoji moves none.
                tenth = zlib.crc32(motif(name, emoji["subcategory"]).encode()) % 10
                splits[{8: "validation", 9: "test"}.get(tenth, "train")].append(name)
    if not splits:
        raise ValueError(
            f"The packages have no emoji in common. Expected the same names of files in both; "
            f"install them again with {_HOW_TO_INSTALL}. Received: {str(source)!r}"
        )
    return {split: sorted(names) for split, names in splits.items()}


def motif(name: str, subcategory: str) -> str:
    """Returns the motif: without skin tone, gender, hair, direction, or colour of a heart.

    >>> motif("1f469-1f3fd-200d-1f680.png", "person-role")  # woman, astronaut, medium skin tone
    '1f9d1-1f680'
    >>> motif("1f49a.png", "heart")
    'heart'

    Args:
        name: Name of the file: the code points, joined by "-".
        subcategory: Its subcategory in `emoji.json`.

    Returns:
        A text; emoji of the same motif have the same.
    """
    if subcategory in _ONE_MOTIF:
        return subcategory
    points = [p for p in name.removesuffix(".png").split("-") if p not in _NO_MOTIF]
    points = "-".join(_SAME_MOTIF.get(p, p) for p in points).split("-")
    return "-".join(dict.fromkeys(points))  # each once: a family of any size


def images(
    source: Path,
    style: str,
    names: Iterable[str],
    image_size: tuple[int, int] = (SIZE, SIZE),
    channels: int = 3,
) -> Iterator[tuple[str, np.ndarray]]:
    """Reads emoji of one style.

    Args:
        source: `pathlib.Path` of the folder `node_modules`.
        style: "google" or "twitter".
        names: Names of files.
        image_size: Height and width of the result.
        channels: 1 or 3.

    Yields:
        Name, and NumPy array of `uint8` and shape `(height, width, channels)`, on white.

    Raises:
        ValueError: If a file cannot be read.
    """
    from keras_gans import image

    for name in names:
        yield name, image.read(_file(source, style, name), image_size, channels)


def _file(source, style, name):
    return source / f"emoji-datasource-{style}" / "img" / style / "64" / name


def _table(source):
    return source / "emoji-datasource-google" / "emoji.json"


_ORIGIN = (
    "the npm packages `emoji-datasource-google` and `emoji-datasource-twitter`; their "
    f"folder `node_modules` as `source=...`, as the variable `{NODE_VARIABLE}`, or in the working "
    "directory"
)
_SPLITS = ("train", "validation", "test")
_LICENCE = "Noto Emoji: Apache 2.0; Twemoji: CC BY 4.0"

SOURCE = Source(
    name="emoji",
    content="3,511 emoji of one style, 64x64x3, on white",
    origin=_ORIGIN,
    licence=_LICENCE,
    splits=_SPLITS,
    read=read,
    options={"style": STYLES[0], "source": None},
)

PAIRS = Source(
    name="emoji_styles",
    content="emoji as Google draws them (a) and as Twitter does (b), 64x64x3, on white",
    origin=_ORIGIN,
    licence=_LICENCE,
    splits=_SPLITS,
    read=read_pairs,
    options={"source": None},
    paired=True,
)
