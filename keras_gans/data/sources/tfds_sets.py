"""Sets of TensorFlow Datasets: whatever holds images, by its name there."""

from typing import TYPE_CHECKING

from keras_gans.data import prepared
from keras_gans.data.arguments import OF_DISKS
from keras_gans.data.epochs import Epoch
from keras_gans.data.sources.registry import Examples, Request, Source

if TYPE_CHECKING:
    import tensorflow_datasets as tfds


def source(name: str, paired: bool) -> Source:
    """Returns a source for a set of TensorFlow Datasets.

    Args:
        name: Of the set there.
        paired: Whether it is wanted as images of two domains.
    """
    return Source(
        name=name,
        content="images",
        origin="TensorFlow Datasets, a download",
        licence="that of the set",
        splits=("train",),
        read=read_pairs if paired else read,
        paired=paired,
    )


def read(request: Request) -> Examples:
    """Returns the examples of a `Request` of `load`, and the names of their classes."""
    return prepared.images(download(request.name, request.data_dir), request)


def read_pairs(request: Request) -> tuple[Epoch, int]:
    """Returns the epochs of a `Request` of `load_pairs`, and their length."""
    return prepared.pairs(download(request.name, request.data_dir), request)


def known() -> list[str]:
    """Returns the names of all sets."""
    import tensorflow_datasets as tfds

    return tfds.list_builders(with_community_datasets=False)


def in_tfds(name: str) -> bool:
    """Returns whether there is a set of that name, as "set", "set/config" or "set:1.0.0"."""
    return name.split("/")[0].split(":")[0] in known()


def download(name: str, data_dir: str | None) -> "tfds.core.DatasetBuilder":
    """Returns a builder of TensorFlow Datasets, downloaded and prepared if it is not yet.

    Raises:
        ValueError: If the configuration or version is unknown.
        RuntimeError: If it cannot be downloaded or prepared.
    """
    import tensorflow_datasets as tfds

    from keras_gans.data.sources import builders

    # Not through `builders.prepare`: a download may take hours, and should show its progress.
    try:
        builder = tfds.builder(name, data_dir=data_dir, try_gcs=False)
    except ValueError as error:  # An unknown configuration or version.
        raise ValueError(f"{error}. Received: name={name!r}") from error
    if not builders.is_prepared(builder):
        try:
            builder.download_and_prepare()
        # Everything: the network, the site behind it and the archive it sends fail in ways of
        # their own, and all that can be done about it is the same.
        except Exception as error:
            if getattr(error, "errno", None) in OF_DISKS:
                raise
            raise RuntimeError(
                f"The data set {name!r} could not be downloaded and prepared. Expected a network "
                f"connection, or the prepared set in {builder.data_dir}. Try again with a "
                f"connection, or prepare the set where there is one (`tfds build {name}`), copy "
                f"it there and pass `data_dir`. "
                f"Received: {type(error).__name__}: {error}"
            ) from error
    return builder
