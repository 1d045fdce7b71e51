"""A classifier of handwritten digits that has seen labels of printed ones alone (Liu 2016, 5).

    apt-get download fonts-aenigma && dpkg -x fonts-aenigma_*.deb fonts
    python benchmarks/domain_adaptation.py --fonts fonts

The two discriminators of a CoGAN share a classifier of 10 classes, on what their last layer gets.
It learns from printed digits with their labels, while the CoGAN learns the two domains; handwritten
digits have no labels. The classifier then reads handwritten digits through the first layer of their
own discriminator. Beside the accuracy on held-out handwritten digits:

- `printed alone`: the same network, trained on the printed digits only, reads handwritten ones;
- `not shared`: a CoGAN that shares nothing but the classifier's layer, the control: at chance;
- `handwritten labels`: the same network, trained with the labels that the others do not see.

Weights are those of the authors' program: 10 for the classes and, in the discriminators' step, 0.01
for the squared difference of what the last layer gets of the two images of a generated pair.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import keras_gans
from keras_gans import data, image, networks
from keras_gans.data.sources import font_digits

SHAPE, WIDTH, DEPTH, CLASSES = (28, 28, 1), 16, 3, 10
CLASS_WEIGHT, PAIR_WEIGHT = 10.0, 0.01


def printed(fonts, each=2, seed=0):
    """Digits of all fonts as MNIST has its own: 20 pixels high or wide, centred by their mass."""
    random = np.random.default_rng(seed)
    images, labels = zip(*font_digits.draw(font_digits.find(fonts), each, random))
    order = random.permutation(len(images))
    images = np.stack(images)[order, :, :, None].astype("float32") / 127.5 - 1.0
    return images, np.array(labels, "int32")[order]


def handwritten(split):
    """Images and labels of a part of the digits."""
    batches = data.load("digits", split=split, labels=True, batch_size=500, shuffle=False)
    return [np.concatenate(parts) for parts in zip(*batches.as_numpy_iterator())]


def judges(own_layers):
    """A coupled discriminator, and on the same layers a classifier and what its last layer gets."""
    discriminator = networks.coupled_dcgan_discriminator(
        SHAPE, WIDTH, depth=DEPTH, own_layers=own_layers, batch_normalization=False
    )
    # From a logit back over its name and the head to the features.
    features = [
        layer_input(discriminator, layer_input(discriminator, logit))
        for logit in discriminator.outputs
    ]
    head = keras.layers.Dense(CLASSES, dtype="float32")
    classes = [head(keras.layers.Dropout(0.5)(x)) for x in features]
    return discriminator, keras.Model(discriminator.inputs, [*classes, *features])


def layer_input(network, tensor):
    """What the layer that makes a tensor gets."""
    layer, node, _ = tensor._keras_history
    return layer._inbound_nodes[node].input_tensors[0]


class DomainAdaptation(keras_gans.CoGAN):
    """A CoGAN whose discriminators share a classifier of the first domain's labels (section 5)."""

    def __init__(self, generator, discriminator, classifier, **kwargs):
        sides = {
            "generator": {"generator": generator},
            "discriminator": {"discriminator": discriminator, "classifier": classifier},
        }
        super().__init__(generator, discriminator, sides=sides, **kwargs)
        self.tracked = (*self.tracked, "class_loss", "pair_loss")

    def pairs(self, data):
        return super().pairs(tuple(data)[:2])

    def train_step(self, data):
        self.labels = data[2]
        return super().train_step(data)

    def discriminator_losses(self, real, fake):
        read, *_ = self.classifier(real, training=True)
        _, _, *features = self.classifier(fake, training=True)
        apart = tf.reduce_sum(tf.square(features[0] - features[1]), axis=-1)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(self.labels, read)
        return {
            **super().discriminator_losses(real, fake),
            "class_loss": CLASS_WEIGHT * losses,
            "pair_loss": PAIR_WEIGHT * apart,
        }


def adapted(source, labels, target, own_layers, steps, seed):
    """A function from handwritten digits to their classes, and the GAN."""
    generator = networks.coupled_dcgan_generator(
        SHAPE, 64, WIDTH, depth=DEPTH, own_layers=own_layers, domains=("printed", "handwritten")
    )
    gan = DomainAdaptation(generator, *judges(own_layers), seed=seed)
    gan.compile(*(keras.optimizers.Adam(rate, beta_1=0.5) for rate in (5e-4, 2e-4)))
    domains = [
        tf.data.Dataset.from_tensor_slices(arrays).shuffle(len(arrays[0]), seed=seed).repeat()
        for arrays in ((source, labels), (target,))
    ]
    batches = tf.data.Dataset.zip(tuple(domains)).map(lambda a, b: (a[0], b[0], a[1])).batch(64)
    gan.fit(batches, steps_per_epoch=steps, epochs=1, verbose=0)
    return lambda images: gan.classifier([images, images])[1], gan


def supervised(images, labels, steps, seed):
    """The same for the network of one domain, trained on labelled images."""
    _, classifier = judges(1)
    network = keras.Model(classifier.inputs[0], classifier.outputs[0])
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    batches = tf.data.Dataset.from_tensor_slices((images, labels))
    batches = batches.shuffle(len(images), seed=seed).repeat().batch(64)
    network.fit(batches, steps_per_epoch=steps, epochs=1, verbose=0)
    return lambda images: network(images), None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fonts", type=Path, required=True, help="folder of TrueType fonts")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--methods", nargs="+")
    parser.add_argument("--results", type=Path, default=Path("domain_adaptation.jsonl"))
    options = parser.parse_args()
    source, labels = printed(options.fonts)
    image.save(source[:100], options.results.with_name("printed.png"))
    target, target_labels = handwritten("train[:80%]")
    test, test_labels = handwritten("train[80%:]")
    print(f"{len(source)} printed and {len(target)} handwritten digits", flush=True)
    steps = options.steps
    methods = {
        "printed alone": lambda seed: supervised(source, labels, steps // 4, seed),
        "CoGAN": lambda seed: adapted(source, labels, target, 1, steps, seed),
        "not shared": lambda seed: adapted(source, labels, target, DEPTH + 1, steps, seed),
        "handwritten labels": lambda seed: supervised(target, target_labels, steps // 4, seed),
    }
    for method in options.methods or methods:
        for seed in options.seeds:
            keras.utils.set_random_seed(seed)
            started = time.perf_counter()
            read, gan = methods[method](seed)
            accuracy = float(np.mean(np.argmax(read(test), axis=1) == test_labels))
            found = {"method": method, "seed": seed, "steps": steps, "accuracy": accuracy}
            found["seconds"] = round(time.perf_counter() - started)
            print(found, flush=True)
            with options.results.open("a") as file:
                file.write(json.dumps(found) + "\n")
            if gan is not None:
                shown = list(gan.generate(50, seed=0).values())
                name = f"{method.replace(' ', '_')}_{seed}.png"
                image.save(image.side_by_side(shown), options.results.with_name(name), columns=10)


if __name__ == "__main__":
    main()
