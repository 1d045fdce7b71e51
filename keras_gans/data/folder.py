"""A folder of images: any sizes, modes and subfolders in, square `uint8` images out."""

import dataclasses
import os
import warnings
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from absl import logging

from keras_gans.data.builders import QuietBuilder, fingerprint

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}

# Raised when images are decoded in another way, so that nobody reads what an old one prepared.
DECODER = 1


@dataclasses.dataclass
class Images(tfds.core.BuilderConfig):
    """What is prepared of which folder; the name changes with any of it."""

    path: Path | None = None
    files: tuple = ()
    classes: tuple = ()
    image_size: int = 0
    channels: int = 3
    on_error: str = "raise"


class Folder(QuietBuilder, skip_registration=True):
    """Images of a folder, decoded once, in one split, `train`."""

    name = "keras_gans_folder"

    def _info(self):
        config = self.builder_config
        shape = (config.image_size, config.image_size, config.channels)
        features = {"image": tfds.features.Image(shape=shape)}
        if config.classes:
            features["label"] = tfds.features.ClassLabel(names=list(config.classes))
        return tfds.core.DatasetInfo(
            builder=self,
            description="Images of a folder, resized and cropped to squares.",
            features=tfds.features.FeaturesDict(features),
            metadata=tfds.core.MetadataDict(),
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        config = self.builder_config
        skipped = []
        for number, name in enumerate(config.files):
            if number % 5000 == 0:
                logging.info("Reading image %d of %d", number, len(config.files))
            try:
                image = read(config.path / name, config.image_size, config.channels)
            except ValueError as error:
                if config.on_error == "raise":
                    raise
                logging.warning("Skipped: %s", error)
                skipped.append(name)
                continue
            example = {"image": image}
            if config.classes:
                example["label"] = name.split("/")[0]
            yield name, example
        if len(skipped) == len(config.files):
            raise ValueError(
                f"Not one image of the folder could be read; the log names the reasons. Expected "
                f"at least one. Received: {str(config.path)!r} with {len(skipped)} files"
            )
        self.info.metadata.update(skipped=len(skipped), example=skipped[:1])


def config(path, image_size, channels, on_error):
    """Lists the images of a folder, and makes their builder configuration.

    Hidden files are left out: macOS leaves `._name.jpg` beside `name.jpg`, which is no image.
    Links to folders are not followed.

    Args:
        path: `pathlib.Path` of the folder.
        image_size: Side of the prepared images, in pixels.
        channels: 1 or 3.
        on_error: `"raise"` or `"skip"`.

    Returns:
        The configuration. Its name depends on the path, size and time of every file.

    Raises:
        ValueError: If there are no images, or `image_size` is missing.
        FileNotFoundError: If there is no such folder.
        NotADirectoryError: If `path` is a file.
    """
    check_folder(path)
    if image_size is None:
        raise ValueError(
            f"A folder of images needs `image_size`: the side, in pixels, to which all are "
            f"resized and cropped. Received: image_size=None for {str(path)!r}"
        )
    files = []
    for parent, folders, names in os.walk(path):
        folders[:] = [f for f in folders if not f.startswith(".")]
        for name in names:
            file = Path(parent, name)
            if is_image(file):
                files.append(file.relative_to(path).as_posix())
    if not files:
        raise ValueError(
            f"There are no images in the folder. Expected files that end in "
            f"{', '.join(sorted(SUFFIXES))}, in the folder or below. Received: {str(path)!r}"
        )
    files.sort()
    classes = sorted({f.split("/")[0] for f in files}) if all("/" in f for f in files) else []
    stats = [(f, s.st_size, s.st_mtime_ns) for f in files for s in [(path / f).stat()]]
    key = fingerprint(DECODER, path.resolve(), channels, on_error, stats)
    return Images(
        name=f"{image_size}_{key}",
        path=path,
        files=tuple(files),
        classes=tuple(classes),
        image_size=image_size,
        channels=channels,
        on_error=on_error,
    )


def check_folder(path):
    """Raises an error unless `path`, a `pathlib.Path`, is a folder."""
    if not path.exists():
        raise FileNotFoundError(
            f"The folder of images does not exist. Expected the path of a folder, or the name of "
            f"a data set. Received: {str(path)!r}"
        )
    if not path.is_dir():
        raise NotADirectoryError(
            f"That is a file. Expected the path of a folder of images. Received: {str(path)!r}"
        )


def is_image(file):
    """Whether a `pathlib.Path` is a file with the suffix of an image, and not hidden."""
    name = file.name
    return file.suffix.lower() in SUFFIXES and not name.startswith(".") and file.is_file()


def warn_of_skipped(builder, path, what="images"):
    """Says how many files were left out when the set was prepared, now or in an earlier run."""
    skipped = builder.info.metadata.get("skipped", 0)
    if skipped:
        logging.warning(
            "%d of %d %s in %s could not be read and are left out, %s among them.",
            skipped,
            skipped + builder.info.splits.total_num_examples,
            what,
            path,
            builder.info.metadata["example"][0],
        )


def read(path, size, channels):
    """Reads one image file as a square: `decode`, then `fit`.

    Args:
        path: Path of the file.
        size: Side of the result in pixels.
        channels: 1 or 3.

    Returns:
        NumPy array of `uint8` and shape `(size, size, channels)`.

    Raises:
        ValueError: If the file is damaged or no image.
    """
    return fit(decode(path, channels), (size, size))


def decode(path, channels):
    """Reads one image file at its own size.

    The orientation that a camera noted is applied, transparent parts become white, 16-bit grey is
    scaled, and of an animation the first frame is taken.

    Args:
        path: Path of the file.
        channels: 1 or 3.

    Returns:
        `PIL.Image.Image` in the mode "L" or "RGB".

    Raises:
        ValueError: If the file is damaged or no image.
    """
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            # Damaged EXIF, a very large image, a doubtful palette: the image can still be used.
            warnings.simplefilter("ignore")
            with Image.open(path) as file:
                image = ImageOps.exif_transpose(file)
                return _to_mode(image, "L" if channels == 1 else "RGB")
    except MemoryError:
        raise
    # Everything else: each of Pillow's decoders has errors of its own for a damaged file, among
    # them SyntaxError, struct.error and zlib.error.
    except Exception as error:
        raise ValueError(
            f"An image cannot be read. Expected a complete image file; remove or replace it, or "
            f"leave such files out by `on_error='skip'`. "
            f"Received: {str(path)!r} ({type(error).__name__}: {error})"
        ) from error


def fit(image, size):
    """Resizes an image until it covers `size` (bicubic, antialiased), and crops about the centre.

    Args:
        image: `PIL.Image.Image` in the mode "L" or "RGB".
        size: Height and width of the result in pixels.

    Returns:
        NumPy array of `uint8` and shape `(height, width, channels)`.
    """
    from PIL import Image, ImageOps

    height, width = size
    # Pillow's `fit` resizes and crops at once, without rounding the longer side.
    image = ImageOps.fit(image, (width, height), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(height, width, -1)


def _to_mode(image, mode):
    from PIL import Image

    if image.mode.startswith("I"):
        # Pillow would clip 16 bits at 255, and not scale.
        pixels = np.asarray(image).astype(np.float64)
        if pixels.min() < 0 or pixels.max() > 65535:
            raise OSError(f"pixels from {pixels.min():g} to {pixels.max():g} in mode {image.mode}")
        image = Image.fromarray(np.rint(pixels / 257).astype(np.uint8))
    elif image.mode == "F":
        raise OSError("pixels are floating-point numbers of an unknown range")
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return image.convert(mode)
