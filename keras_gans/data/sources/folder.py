"""A folder of images: any sizes, modes and subfolders in, `uint8` images of one size out."""

import collections
import csv
import dataclasses
import functools
import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from keras_gans.data import prepared
from keras_gans.data.sources import image_files
from keras_gans.data.sources.builders import QuietBuilder, prepare
from keras_gans.data.sources.image_files import check_folder
from keras_gans.data.sources.packages import DECODER, fingerprint
from keras_gans.data.sources.registry import Examples, Request, Source
from keras_gans.image.files import UnreadableImageError, decode, read
from keras_gans.names import did_you_mean

# Raised when they are stored in another way.
_STORED = 2

# Name of a subfolder, in small letters, to name of a split.
SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
SPLITS |= dict.fromkeys(["val", "valid", "validation"], "validation")

_NOT_CHOSEN = "of classes that were not chosen"
_NOT_LISTED = "not in the file of labels"
_MISSING = "in the file of labels only"

# Crops are cut from tiles of this side, as large photographs take long to decode.
_TILE = 480


@dataclasses.dataclass
class Images(tfds.core.BuilderConfig):
    """What is prepared of which folder; the name changes with any of it.

    `splits` maps the name of a split to files and the numbers of their classes, None without.
    Images keep their own size if `tiles`, and are cut into parts of which each has room for
    `image_size`.
    """

    path: Path | None = None
    splits: dict = dataclasses.field(default_factory=dict)
    classes: tuple = ()
    left_out: dict = dataclasses.field(default_factory=dict)
    image_size: tuple = ()
    channels: int = 3
    on_error: str = "raise"
    tiles: bool = False


class Folder(QuietBuilder, skip_registration=True):
    """Images of a folder, decoded once, in the split `train` and in others that it has."""

    name = "keras_gans_folder"

    def _info(self):
        config = self.builder_config
        sides = (None, None) if config.tiles else config.image_size
        features = {"image": tfds.features.Image(shape=(*sides, config.channels))}
        if config.classes:
            # Without their names: those of folders may hold what TFDS cannot write.
            features["label"] = tfds.features.ClassLabel(num_classes=len(config.classes))
        return tfds.core.DatasetInfo(
            builder=self,
            description="Images of a folder, resized and cropped.",
            features=tfds.features.FeaturesDict(features),
            metadata=tfds.core.MetadataDict(left_out=collections.defaultdict(list)),
        )

    def _split_generators(self, dl_manager):
        splits = self.builder_config.splits
        return {split: self._generate_examples(split, files) for split, files in splits.items()}

    def _generate_examples(self, split, files):
        config = self.builder_config
        made = 0
        for number, (name, label) in enumerate(files):
            if number % 5000 == 0:
                logging.info("Reading image %d of %d in %s", number, len(files), split)
            try:
                images = self._images(config.path / name)
            except UnreadableImageError as error:
                if config.on_error == "raise":
                    raise
                logging.info("Left out: %s", error)
                self.info.metadata["left_out"][error.reason].append(name)
                continue
            made += 1
            labels = {} if label is None else {"label": label}
            for part, image in enumerate(images):
                # Bytes, as a name need not be text.
                key = os.fsencode(f"{name}:{part}" if part else name)
                yield key, {"image": image, **labels}
        if not made:
            raise ValueError(
                f"Not one image of the split {split!r} could be read. Expected at least one; "
                f"`on_error='raise'` says what is wrong with the first. "
                f"Received: {str(config.path)!r} with {len(files)} files"
            )

    def _images(self, path):
        """What is prepared of a file: one image, or its tiles."""
        config = self.builder_config
        if config.tiles:
            return list(_tiles(path, np.asarray(decode(path, config.channels)), config.image_size))
        return [read(path, config.image_size, config.channels)]


class _SmallImageError(UnreadableImageError):
    """A picture that no crop can be cut from."""

    def __init__(self, message):
        self.reason = "smaller than the crops"
        ValueError.__init__(self, message)


def _tiles(path, image, least):
    """Parts of an image that leave no crop of the size `least` out."""
    image = image if image.ndim == 3 else image[..., None]
    sides = image.shape[:2]
    if sides[0] < least[0] or sides[1] < least[1]:
        raise _SmallImageError(
            f"A picture is smaller than the crops that are trained on. Expected at least "
            f"{least[0]}x{least[1]} pixels: choose a smaller `image_size`, or leave such pictures "
            f"out by `on_error='skip'`. Received: {str(path)!r} with {sides[0]}x{sides[1]} pixels"
        )
    starts = []
    for side, crop in zip(sides, least):
        tile = min(side, max(_TILE, 2 * crop))
        number = 1 if side == tile else -(-(side - crop) // (tile - crop))
        firsts = np.linspace(0, side - tile, number).round().astype(int)
        starts.append([(first, first + tile) for first in firsts])
    for top, bottom in starts[0]:
        for left, right in starts[1]:
            yield image[top:bottom, left:right]


def source(path: Path) -> Source:
    """Returns a source for a folder of images, at a `pathlib.Path`."""
    return Source(
        name=str(path),
        content="your images",
        origin="your disk",
        licence="yours",
        splits=("train",),
        read=functools.partial(read_folder, path),
        options={"class_names": None},
    )


def read_folder(path: Path, request: Request) -> Examples:
    """Returns the images of a `Request`, and the names of their classes.

    Args:
        path: `pathlib.Path` of the folder.
        request: The `Request`.
    """
    channels, labels = request.channels or 3, request.labels
    size, on_error = request.image_size, request.on_error
    images = config(path, size, channels, on_error, labels, **request.options)
    images.tiles = request.own_size
    images.name += "_tiles" if images.tiles else ""
    builder = prepare(lambda: Folder(data_dir=request.data_dir, config=images))
    warn_of_left_out(builder)
    if labels:
        warn_of_empty(images)
    return prepared.images(builder, request)


def config(
    path: Path,
    image_size: tuple[int, int] | None,
    channels: int,
    on_error: str,
    labels: bool | str | os.PathLike = False,
    class_names: Sequence[str] | None = None,
) -> Images:
    """Lists the images of a folder, and makes their builder configuration.

    Args:
        path: `pathlib.Path` of the folder.
        image_size: Height and width of the prepared images, in pixels.
        channels: 1 or 3.
        on_error: `"raise"` or `"skip"`.
        labels: A boolean, for classes by subfolders; or the path of a CSV file.
        class_names: Names of the classes that are wanted, in their order; None for all.

    Returns:
        The configuration. Its name depends on the path, size and time of every file.

    Raises:
        ValueError: If there are no images, or an argument does not fit.
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If `path` is a file.
    """
    check_folder(path)
    if image_size is None:
        raise ValueError(
            f"A folder of images needs `image_size`: the side, in pixels, to which all are "
            f"resized and cropped, or a height and a width. "
            f"Received: image_size=None for {str(path)!r}"
        )
    found = image_files.find(path, on_error=on_error)
    divided = _is_divided(found)
    if isinstance(labels, bool):
        of_file, known = _by_folders(found, divided, class_names is None)
    else:
        of_file, known = _by_csv(path, labels, found, on_error)
    classes = _chosen(class_names, known)
    number = {name: index for index, name in enumerate(classes)}
    splits = collections.defaultdict(list)
    for name in found.files:
        label = of_file.get(name)
        if not classes or label in number:
            splits[_parts(name, divided)[0]].append((name, number.get(label)))
        else:
            unlisted = label is None and class_names is None
            found.left_out[_NOT_LISTED if unlisted else _NOT_CHOSEN].append(name)
    if not splits:
        raise ValueError(
            f"There are no images in the folder. Expected files that Pillow reads, such as .jpg, "
            f".png or .webp, in the folder or below. Received: {str(path)!r}, of which "
            f"{image_files.summary(found.left_out, _total(found)) or '0 files were left out'}"
        )
    stats = [(f, s.st_size, s.st_mtime_ns) for f in found.files for s in [(path / f).stat()]]
    parts = (DECODER, _STORED, path.resolve(), channels, on_error, dict(splits), classes, stats)
    height, width = image_size
    return Images(
        name=f"{height}x{width}_{fingerprint(*parts)}",
        path=path,
        splits=dict(splits),
        classes=classes,
        left_out=dict(found.left_out),
        image_size=(height, width),
        channels=channels,
        on_error=on_error,
    )


def _total(found):
    """Number of files that were looked at, those left out among them."""
    return len({*found.files, *(name for names in found.left_out.values() for name in names)})


def _is_divided(found):
    """Whether all images are in folders named after splits, `train` among them."""
    tops = {file.split("/")[0].lower() if "/" in file else "" for file in found.files}
    return tops <= set(SPLITS) and "train" in {SPLITS[top] for top in tops}


def _parts(name, divided):
    """The split of a file or folder, and the rest of its name."""
    top, _, rest = name.partition("/")
    return (SPLITS.get(top.lower()), rest) if divided else ("train", name)


def _by_folders(found, divided, all_images):
    """Classes by name of file, and all classes: the subfolders, those without images, too.

    There are none if images lie beside the subfolders, unless not `all_images` are wanted.
    """
    of_file = {}
    for file in found.files:
        _, rest = _parts(file, divided)
        if "/" in rest:
            of_file[file] = rest.split("/")[0]
        elif all_images:
            return {}, []
    inside = (_parts(folder, divided) for folder in found.folders)
    return of_file, sorted({rest.split("/")[0] for split, rest in inside if split and rest})


def _by_csv(path, labels, found, on_error):
    """Classes by name of file, and all classes, as a CSV file tells."""
    places = dict.fromkeys([path / labels, Path(labels)])
    table = next((place for place in places if place.is_file()), None)
    if table is None:
        raise FileNotFoundError(
            f"The file of labels does not exist. Expected the path of a CSV file, as it is or "
            f"from the folder of images. Received: {' and '.join(map(repr, map(str, places)))}"
        )
    of_file = _read_csv(table)
    there = set(found.files)
    missing = [file for file in of_file if file not in there]
    if missing and (on_error == "raise" or len(missing) == len(of_file)):
        raise ValueError(
            f"The file of labels names images that are not there. Expected paths from the folder "
            f"of images, such as {found.files[0] if found.files else 'a.jpg'!r}; or leave such "
            f"lines out by `on_error='skip'`. "
            f"Received: {missing[0]!r}, and {len(missing) - 1} more, in {str(table)!r}"
        )
    found.left_out[_MISSING] += missing
    real = os.path.realpath(table)
    for names in found.left_out.values():
        names[:] = [name for name in names if os.path.realpath(path / name) != real]
    classes = set(of_file.values())
    numbers = all(label.isascii() and label.isdecimal() for label in classes)
    return of_file, sorted(classes, key=int if numbers else None)


def _read_csv(table):
    """The column `label` of a CSV file by its column `file`."""
    try:
        text = table.read_text(encoding="utf-8-sig")
        header = text.split("\n", 1)[0]
        rows = csv.DictReader(
            io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count)
        )
        columns = [column.strip().lower() for column in rows.fieldnames or ()]
        rows.fieldnames = columns
        rows = list(rows)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"The file of labels cannot be read. Expected text: save it as 'CSV UTF-8'. "
            f"Received: {str(table)!r} ({error})"
        ) from error
    if not {"file", "label"} <= set(columns):
        raise ValueError(
            f"The file of labels lacks a column. Expected a first line with the names of the "
            f"columns, 'file' and 'label' among them. Received: columns {columns} in {str(table)!r}"
        )
    labels = {}
    for number, row in enumerate(rows, 1):
        file, label = ((row[column] or "").strip() for column in ("file", "label"))
        if not file or not label or labels.setdefault(Path(file).as_posix(), label) != label:
            raise ValueError(
                f"A line of the file of labels does not fit. Expected a file and a label in every "
                f"line, and for each file one label. Received: file={file!r}, label={label!r}, "
                f"line {number} after the first, in {str(table)!r}"
            )
    return labels


def _chosen(class_names, known):
    """The classes of a set in the order of `class_names`, all being `known`."""
    if class_names is None:
        return tuple(known)
    listed = isinstance(class_names, (list, tuple)) and len(class_names) > 0
    if not listed or len({*map(str, class_names)}) < len(class_names):
        raise ValueError(
            f"`class_names` does not fit. Expected a list of names of classes, each once. "
            f"Received: class_names={class_names!r}"
        )
    for name in class_names:
        if name not in known:
            raise ValueError(
                f"The folder has no such class.{did_you_mean(name, known)} Expected names of its "
                f"subfolders, or labels of its CSV file: {known[:20]}. "
                f"Received: {name!r} in class_names"
            )
    return tuple(class_names)


def warn_of_left_out(builder: QuietBuilder, files_each: int = 1) -> None:
    """Logs what was left out when the set was prepared, now or in an earlier run.

    Args:
        builder: Prepared builder of a folder.
        files_each: Number of files of which an example is made.
    """
    config = builder.builder_config
    left_out = {reason: list(names) for reason, names in config.left_out.items()}
    for reason, names in builder.info.metadata.get("left_out", {}).items():
        left_out[reason] = left_out.get(reason, []) + names
    there = files_each * builder.info.splits.total_num_examples
    if line := image_files.summary(left_out, there + sum(map(len, left_out.values()))):
        logging.warning("%s: %s", config.path, line)


def warn_of_empty(config: Images) -> None:
    """Logs which classes have no images."""
    used = {label for files in config.splits.values() for _, label in files}
    if empty := [name for index, name in enumerate(config.classes) if index not in used]:
        logging.warning("%s: no images of the classes %s", config.path, empty)
