"""A folder of image pairs, or of images from two domains, in one of three layouts.

1. CycleGAN's: subfolders `trainA` and `trainB`, and if there are `valA`, `valB`, `testA`, `testB`.
   Paired if in every split the names in A and B agree, else unpaired.
2. Side by side: subfolders `train`, and if there are `val`, `test`; or the images directly in the
   folder. The left half of every image is a, the right half b (pix2pix: facades, maps).
3. Two parallel folders of any names, in alphabetical order a and b. Paired by name; unpaired if
   not one name of a is in b.

Names are compared without their suffix: `a/1.png` belongs to `b/1.jpg`. Hidden files, and whatever
else is beside the folders of layouts 1 and 2, are ignored. Files that are no images, and folders
below, are left out, and the log says so.

References:
    - Isola et al., 2017, "Image-to-Image Translation with Conditional Adversarial Networks",
      arXiv:1611.07004: images side by side.
    - Zhu et al., 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
      Networks", arXiv:1703.10593: `trainA`, `trainB`.
"""

import collections
import dataclasses
import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import tensorflow_datasets as tfds
from absl import logging

from keras_gans import image
from keras_gans.data import prepared
from keras_gans.data.epochs import Epoch
from keras_gans.data.sources import builders, folder, image_files
from keras_gans.data.sources.builders import QuietBuilder
from keras_gans.data.sources.packages import DECODER, fingerprint
from keras_gans.data.sources.registry import Request, Source

if TYPE_CHECKING:
    from PIL import Image

_SPLITS = folder.SPLITS

_BELOW, _PARTNER = "in folders below", "partners of those"

_LAYOUTS = (
    "(1) subfolders trainA and trainB, perhaps valA, valB, testA, testB; (2) images with A on the "
    "left and B on the right in subfolders train, val, test or directly in the folder; (3) exactly "
    "two subfolders, with the same names of files"
)


@dataclasses.dataclass
class Config(tfds.core.BuilderConfig):
    """What is prepared of which folder; the name changes with any of it.

    `splits` maps the name of a split to its examples. An example is a tuple of files: two of a
    pair, or one, which `side_by_side` says to halve.
    """

    path: Path | None = None
    splits: dict = dataclasses.field(default_factory=dict)
    paired: bool = True
    side_by_side: bool = False
    left_out: dict = dataclasses.field(default_factory=dict)
    image_size: tuple = ()
    channels: int = 3
    on_error: str = "raise"


class PairedFolder(QuietBuilder, skip_registration=True):
    """Pairs `a` and `b`; or unpaired images, in splits such as `trainA` and `trainB`."""

    name = "keras_gans_paired_folder"

    def _info(self):
        config = self.builder_config
        image = tfds.features.Image(shape=(*config.image_size, config.channels))
        names = ("a", "b") if config.paired else ("image",)
        return tfds.core.DatasetInfo(
            builder=self,
            description="Images of two domains, resized and cropped.",
            features=tfds.features.FeaturesDict(dict.fromkeys(names, image)),
            metadata=tfds.core.MetadataDict(left_out=collections.defaultdict(list)),
        )

    def _split_generators(self, dl_manager):
        return {
            split: self._generate_examples(split, examples)
            for split, examples in self.builder_config.splits.items()
        }

    def _generate_examples(self, split, examples):
        config = self.builder_config
        left_out, made = self.info.metadata["left_out"], 0
        for number, files in enumerate(examples):
            if number % 5000 == 0:
                logging.info("Reading %d of %d in %s", number, len(examples), split)
            paths = [config.path / file for file in files]
            try:
                images = []
                for path in paths:
                    images.append(image.decode(path, config.channels))
            except image.UnreadableImageError as error:
                if config.on_error == "raise":
                    raise
                logging.info("Left out: %s", error)
                damaged = files[len(images)]
                left_out[error.reason].append(damaged)
                left_out[_PARTNER] += [file for file in files if file != damaged]
                continue
            if config.side_by_side:
                images = halves(images[0], paths[0])
            elif config.paired:
                _check_sizes(images, paths)
            images = [image.fit(picture, config.image_size) for picture in images]
            made += 1
            yield os.fsencode(files[0]), dict(zip(self.info.features, images))
        if not made:
            raise ValueError(
                f"Not one image of the split {split!r} could be read. Expected at least one; "
                f"`on_error='raise'` says what is wrong with the first. Received: "
                f"{str(config.path)!r} with {len(examples)} "
                f"{'pairs' if config.paired else 'images'} in this split"
            )


def source(path: Path) -> Source:
    """Returns a source for a folder of image pairs or of two domains, at a `pathlib.Path`."""
    return Source(
        name=str(path),
        content="your images",
        origin="your disk",
        licence="yours",
        splits=("train",),
        read=functools.partial(read, path),
        paired=True,
    )


def read(path: Path, request: Request) -> tuple[Epoch, int]:
    """Returns the epochs of a `Request`, and their length.

    Args:
        path: `pathlib.Path` of the folder.
        request: The `Request`.
    """
    size, channels = request.stored_size, request.channels
    return prepared.pairs(
        builder(path, size, channels, request.data_dir, request.on_error), request
    )


def builder(
    path: Path | str,
    image_size: tuple[int, int],
    channels: int,
    data_dir: str | None = None,
    on_error: str = "raise",
) -> PairedFolder:
    """Prepares the images of a folder.

    Args:
        path: `pathlib.Path` of the folder, or text; see the top of this file for its layout.
        image_size: Height and width at which the images are stored: they are resized until they
            cover it, and cropped about the centre.
        channels: 1 or 3.
        data_dir: Folder for prepared data.
        on_error: `"raise"` or `"skip"`: what to do about a file that cannot be read. The pair of
            a skipped file is left out.

    Returns:
        A prepared builder with the features `a` and `b` in the splits "train", "validation" and
        "test", as far as there are any; or, if the images are not paired, with the feature
        `image` in splits such as "trainA" and "trainB".

    Raises:
        ValueError: If the folder has none of the layouts, a domain has no images, names match
            in part, the images of a pair differ in size, an image cannot be halved or read.
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If `path` is a file.
    """
    path = Path(path).expanduser()
    config = _config(path, tuple(image_size), channels, on_error)
    built = builders.prepare(lambda: PairedFolder(data_dir=data_dir, config=config))
    in_two_files = config.paired and not config.side_by_side
    folder.warn_of_left_out(built, 2 if in_two_files else 1)
    return built


def halves(image: "Image.Image", path: Path) -> "list[Image.Image]":
    """Returns the left and the right half of a `PIL.Image.Image`; `path` is named in an error.

    Raises:
        ValueError: If the width is odd.
    """
    width, height = image.size
    if width % 2:
        raise ValueError(
            f"An image cannot be halved. Expected A on the left and B on the right, equally wide, "
            f"and so an even width. Received: {str(path)!r}, {width} wide and {height} high"
        )
    middle = width // 2
    return [image.crop((0, 0, middle, height)), image.crop((middle, 0, width, height))]


def _check_sizes(images, paths):
    (width, height), (other_width, other_height) = (image.size for image in images)
    if images[0].size != images[1].size:
        raise ValueError(
            f"The images of a pair differ in size, so that their pixels do not belong together. "
            f"Expected equal sizes. Received: {str(paths[0])!r}, {width} wide and {height} high, "
            f"and {str(paths[1])!r}, {other_width} wide and {other_height} high"
        )


def _config(path, image_size, channels, on_error):
    folder.check_folder(path)
    inside = _Inside(path, on_error)
    splits, paired, side_by_side = _examples(path, inside)
    files = sorted({f for examples in splits.values() for files in examples for f in files})
    stats = [(f, s.st_size, s.st_mtime_ns) for f in files for s in [(path / f).stat()]]
    key = fingerprint(
        DECODER, path.resolve(), channels, on_error, splits, paired, side_by_side, stats
    )
    return Config(
        name=f"{image_size[0]}x{image_size[1]}_{key}",
        path=path,
        splits=splits,
        paired=paired,
        side_by_side=side_by_side,
        left_out=inside.left_out({f.rpartition("/")[0] for f in files}),
        image_size=image_size,
        channels=channels,
        on_error=on_error,
    )


def _examples(path, inside):
    """Recognises the layout: examples by split, whether paired, whether side by side."""
    folders = inside.found("").folders
    directly = inside.images("")
    spelled = {name.lower(): name for name in folders}

    if any(name + domain in spelled for name in _SPLITS for domain in "ab"):
        domains = collections.defaultdict(lambda: ([], []))
        for name, split in _SPLITS.items():
            for number, domain in enumerate("ab"):
                if name + domain in spelled:
                    domains[split][number].extend(inside.images(spelled[name + domain]))
        for split, (a, b) in domains.items():
            _check_domains(path, f"{split}A", a, f"{split}B", b)
        return _by_names(path, domains)

    if any(name in spelled for name in _SPLITS):
        found = collections.defaultdict(list)
        for name, split in _SPLITS.items():
            if name in spelled:
                found[split] += [(file,) for file in inside.images(spelled[name])]
        found = {split: examples for split, examples in found.items() if examples}
        if found:
            return found, True, True

    elif directly and not any(inside.images(name) for name in folders):
        return {"train": [(file,) for file in directly]}, True, True

    elif len(folders) == 2 and not directly:
        a, b = (inside.images(name) for name in folders)
        _check_domains(path, folders[0], a, folders[1], b)
        pairs, wrong = _match(a, b)
        if pairs and wrong:
            shown = ", ".join(f"{name!r} ({m} in a, {n} in b)" for name, m, n in wrong[:3])
            raise ValueError(
                f"The folder holds pairs that do not match: {len(pairs)} do, and {len(wrong)} "
                f"names do not, among them {shown}. Expected every name once in a, {folders[0]!r}, "
                f"and once in b, {folders[1]!r}, whatever the suffix; or, for unpaired images, no "
                f"name in both. Received: {str(path)!r}"
            )
        return _by_names(path, {"train": (a, b)})

    raise ValueError(
        f"The folder has no layout of image pairs. Expected one of: {_LAYOUTS}. Received: "
        f"{str(path)!r} with {len(directly)} images and the subfolders {folders[:10]}"
    )


def _by_names(path, domains):
    """Pairs, if the names agree in every split; else the domains as splits of their own."""
    matches = {split: _match(a, b) for split, (a, b) in domains.items()}
    pairs = {split: pairs for split, (pairs, _) in matches.items()}
    wrong = sum(len(wrong) for _, wrong in matches.values())
    if not wrong:
        return pairs, True, False
    agree = sum(map(len, pairs.values()))
    if agree:
        logging.warning(
            "The images in %s are taken as unpaired: %d names agree in A and B, %d do not.",
            path,
            agree,
            wrong,
        )
    unpaired = {
        split + domain: [(file,) for file in files]
        for split, both in domains.items()
        for domain, files in zip("AB", both)
    }
    return unpaired, False, False


def _match(a, b):
    """Pairs of files, and the names that do not make one, with their number in a and in b."""
    by_name = collections.defaultdict(lambda: ([], []))
    for number, files in enumerate((a, b)):
        for file in files:
            by_name[Path(file).stem][number].append(file)
    pairs, wrong = [], []
    for name, (in_a, in_b) in sorted(by_name.items()):
        if len(in_a) == len(in_b) == 1:
            pairs.append((in_a[0], in_b[0]))
        else:
            wrong.append((name, len(in_a), len(in_b)))
    return pairs, wrong


def _check_domains(path, name_a, a, name_b, b):
    if not (a and b):
        raise ValueError(
            f"A domain has no images. Expected some in both {name_a!r} and {name_b!r}. Received: "
            f"{str(path)!r} with {len(a)} and {len(b)}"
        )


class _Inside:
    """What is in the folders of one folder, each looked at once.

    Args:
        path: `pathlib.Path` of the folder.
        on_error: of `image_files.find`.
    """

    def __init__(self, path, on_error):
        self.path, self.on_error, self._found = path, on_error, {}

    def found(self, name):
        """What `image_files.find` finds directly in a subfolder; "" is the folder itself."""
        if name not in self._found:
            found = image_files.find(self.path / name, deep=False, on_error=self.on_error)
            self._found[name] = found
        return self._found[name]

    def images(self, name):
        """Images directly in a subfolder, relative to the folder."""
        return [f"{name}/{file}" if name else file for file in self.found(name).files]

    def left_out(self, names):
        """Reasons to what is left out of the subfolders that are used."""
        left_out = collections.defaultdict(list)
        for name in sorted(names):
            below = {_BELOW: [f"{folder}/" for folder in self.found(name).folders]}
            for reason, files in {**self.found(name).left_out, **below}.items():
                left_out[reason] += [f"{name}/{file}" if name else file for file in files]
        return {reason: files for reason, files in left_out.items() if files}
