"""Fashion-MNIST from its original four files, as a Debian package installs them.

References:
    - Xiao et al., 2017, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
      Algorithms", arXiv:1708.07747.
"""

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_gans.data.sources.packages import fingerprint
from keras_gans.data.sources.registry import Examples, Request, Source

if TYPE_CHECKING:
    from keras_gans.data.sources.builders import Plan

SOURCE_VARIABLE = "KERAS_GANS_FASHION_MNIST"

_DEBIAN = Path("/usr/share/datasets/fashion-mnist")

_FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}

CLASSES = ("top", "trouser", "pullover", "dress", "coat")
CLASSES += ("sandal", "shirt", "sneaker", "bag", "boot")


def read(request: Request) -> Examples:
    """Returns the images of a `Request`, and the names of their classes."""
    from keras_gans.data import prepared
    from keras_gans.data.sources import builders, tfds_sets

    folder = find(request.options.get("source"))
    if folder is None:
        return tfds_sets.read(request)
    return prepared.images(builders.prepared(plan(folder), request.data_dir), request)


def plan(folder: Path) -> "Plan":
    """Returns what is prepared: pictures of clothes, 28x28, grey, of 10 classes.

    Args:
        folder: The folder of the four files; the key changes with their content.
    """
    from keras_gans.data.sources.builders import Plan

    files = [folder / name for pair in _FILES.values() for name in pair]
    return Plan(
        name="keras_gans_fashion_mnist",
        description="Fashion-MNIST, read from its original files.",
        features=lambda features: {
            "image": features.Image(shape=(28, 28, 1)),
            "label": features.ClassLabel(names=list(CLASSES)),
        },
        examples=lambda: {
            split: _examples(folder / images, folder / labels)
            for split, (images, labels) in _FILES.items()
        },
        key=fingerprint(*(f.read_bytes() for f in files)),
        homepage="https://github.com/zalandoresearch/fashion-mnist",
    )


def _examples(image_file, label_file):
    images, labels = read_idx(image_file, 3), read_idx(label_file, 1)
    if len(images) != len(labels) or images.shape[1:] != (28, 28) or labels.max() > 9:
        raise ValueError(
            f"The files do not hold Fashion-MNIST. Expected 28x28 images and as many labels "
            f"from 0 to 9; install the package `dataset-fashion-mnist` again, or correct "
            f"`source`. Received: images {images.shape} in {str(image_file)!r}, labels "
            f"{labels.shape} up to {labels.max()} in {str(label_file)!r}"
        )
    for key, (image, label) in enumerate(zip(images, labels)):
        yield key, {"image": image[..., None], "label": int(label)}


def find(source: Path | str | None = None) -> Path | None:
    """Finds the folder of the four files.

    Args:
        source: The folder, or None to look at the environment variable and then where Debian
            installs it.

    Returns:
        Path of the folder, or None if nobody named one and Debian's is not there.

    Raises:
        FileNotFoundError: If a folder was named and does not hold the files.
    """
    named = source or os.environ.get(SOURCE_VARIABLE)
    folder = Path(named).expanduser() if named else _DEBIAN
    missing = [f for pair in _FILES.values() for f in pair if not (folder / f).is_file()]
    if not missing:
        return folder
    if named:
        raise FileNotFoundError(
            f"Files of Fashion-MNIST are missing: {', '.join(missing)}. Expected all four in the "
            f"folder given by `source` or by the variable {SOURCE_VARIABLE}; the Debian package "
            f"`dataset-fashion-mnist` has them. Received: {str(folder)!r}"
        )
    return None


def read_idx(path: Path, rank: int) -> np.ndarray:
    """Reads an array of bytes from a gzipped file in the IDX format of MNIST.

    The format is two zero bytes, 8 for the type uint8, the rank, each size as a big-endian 32-bit
    number, and the data.

    Args:
        path: `pathlib.Path` of the file.
        rank: The number of axes that the array should have.

    Returns:
        NumPy array of `uint8`.

    Raises:
        ValueError: If the file is damaged or holds something else.
    """
    try:
        content = gzip.decompress(path.read_bytes())
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(path, rank, f"{type(error).__name__}: {error}") from error
    start = 4 + 4 * rank
    if len(content) < start or content[:4] != bytes([0, 0, 8, rank]):
        raise _damaged(path, rank, f"a file that begins with {content[:4]!r}")
    shape = np.frombuffer(content[4:start], ">u4").tolist()
    if len(content) - start != math.prod(shape):
        raise _damaged(path, rank, f"{len(content) - start} bytes of data for shape {shape}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _damaged(path, rank, received):
    return ValueError(
        f"{str(path)!r} is damaged or no IDX file. Expected a gzipped IDX file of bytes with "
        f"{rank} axes; fetch it again. Received: {received}"
    )


SOURCE = Source(
    name="fashion_mnist",
    content="60,000 + 10,000 pictures of clothes, 28x28x1, of 10 classes",
    origin=(
        "the Debian package `dataset-fashion-mnist`, or its four files in a folder (`source=...`, "
        f"or the variable `{SOURCE_VARIABLE}`); else a download"
    ),
    licence="MIT",
    splits=("train", "test"),
    read=read,
    options={"source": None},
    labels={"label": CLASSES},
)
