"""Do images that a GAN made help a classifier of digits that has few labels, or none?

    python benchmarks/few_labels.py refined
    python benchmarks/few_labels.py generated

All accuracies are of handwritten digits that nothing was trained on, `train[80%:]`, and of one
small network.

`refined` (Shrivastava 2017): a SimGAN refines digits drawn with fonts, whose labels are known,
until they look like handwritten ones, whose labels it does not see. The classifier is trained on

- `drawn`: the font digits as they are;
- `drawn, augmented`: these, shifted, turned and scaled at random;
- `refined`, and `refined, augmented`: what the SimGAN makes of them;
- `not regularized`: the same of a SimGAN with `regularization_weight=0`, the control: nothing
  keeps a refined 3 a 3;
- `handwritten`: handwritten digits with their labels, the upper bound.

`generated`: the classifier is trained on the first 10, 50 and 100 handwritten digits of each class

- `plain`, and `augmented`;
- `generated`: with as many images of a `ConditionalGAN` in each batch, trained on the same few;
- `generated, augmented`: both.
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

SHAPE, CLASSES, BATCH = (28, 28, 1), 10, 64


def digits(name, split):
    """Images and labels of a part of a data set."""
    batches = data.load(
        name, split=split, labels=True, batch_size=250, shuffle=False, drop_remainder=False
    )
    return [np.concatenate(parts) for parts in zip(*batches.as_numpy_iterator())]


def few(images, labels, per_class):
    """The first examples of each class."""
    chosen = np.sort([np.flatnonzero(labels == n)[:per_class] for n in range(CLASSES)], axis=None)
    return images[chosen], labels[chosen]


def batches(parts, seed, batch_size=BATCH):
    """Endless batches, of as many examples of each part: pairs of images and labels."""
    each = [
        tf.data.Dataset.from_tensor_slices(part).shuffle(len(part[0]), seed=seed).repeat()
        for part in parts
    ]
    mixed = tf.data.Dataset.zip(tuple(each)).map(
        lambda *pairs: tuple(tf.stack(column) for column in zip(*pairs))
    )
    return mixed.unbatch().batch(batch_size, drop_remainder=True).prefetch(1)


def classifier(augmented):
    """Two convolutions; augmented inputs are shifted, turned and scaled in the training alone."""
    layers = keras.layers
    changes = [
        layers.RandomTranslation(0.08, 0.08, "constant", fill_value=-1.0),
        layers.RandomRotation(0.04, "constant", fill_value=-1.0),
        layers.RandomZoom(0.1, 0.1, "constant", fill_value=-1.0),
    ]
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            *(changes if augmented else []),
            layers.Conv2D(16, 5, 2, "same", activation="relu"),
            layers.Conv2D(32, 5, 2, "same", activation="relu"),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(CLASSES),
        ]
    )


def accuracy(parts, test, seed, steps, augmented=False):
    """Accuracy on test images of a classifier trained on batches of equal parts."""
    keras.utils.set_random_seed(seed)
    network = classifier(augmented)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    network.compile(keras.optimizers.Adam(rate), loss)
    network.fit(batches(parts, seed), steps_per_epoch=steps, epochs=1, verbose=0)
    found = network.predict(test[0], batch_size=250, verbose=0).argmax(axis=-1)
    return float(np.mean(found == test[1]))


def refiner(synthetic, real, seed, options, weight):
    """A trained SimGAN."""
    keras.utils.set_random_seed(seed)
    network = networks.refiner(SHAPE, width=16, blocks=2)
    # The paper, too, trains the refiner by the L1 distance first.
    network.compile(keras.optimizers.Adam(1e-3), "mae")
    network.fit(synthetic, synthetic, batch_size=32, epochs=1, verbose=0)
    gan = keras_gans.SimGAN(
        network,
        networks.patch_discriminator(SHAPE, receptive_field=16, width=16, normalization=None),
        regularization_weight=weight,
        ema_decay=0.99,
        seed=seed,
    )
    gan.compile(*(keras.optimizers.Adam(rate, beta_1=0.5) for rate in (5e-4, 2e-4)))
    sets = [
        tf.data.Dataset.from_tensor_slices(x).shuffle(len(x), seed=seed).repeat()
        for x in (synthetic, real)
    ]
    pairs = tf.data.Dataset.zip(tuple(sets)).batch(BATCH, drop_remainder=True)
    gan.fit(pairs, steps_per_epoch=options.steps, epochs=1, verbose=0)
    return gan


def refined(options, record):
    test, (real, labels) = digits("digits", "train[80%:]"), digits("digits", "train[:80%]")
    drawn, known = digits("font_digits", "train")
    for seed in options.seeds:
        found = {"drawn": (drawn, known)}
        for name, weight in (("refined", options.weight), ("not regularized", 0.0)):
            gan = refiner(drawn, real, seed, options, weight)
            found[name] = gan.generate(drawn, batch_size=250), known
            shown = [drawn[:50], found[name][0][:50]]
            path = options.results.with_name(f"{name.replace(' ', '_')}_{seed}.png")
            image.save(image.side_by_side(shown), path, columns=10)
        found["handwritten"] = real, labels
        for name, part in found.items():
            for augmented in (False, True):
                reached = accuracy([part], test, seed, options.classifier_steps, augmented)
                record(method=name, augmented=augmented, seed=seed, accuracy=reached)


def augmented_discriminator():
    """One that sees shifted images, as a GAN of so few images needs (Zhao 2020)."""
    network = networks.conditional_dcgan_discriminator(
        SHAPE, CLASSES, width=16, batch_normalization=False
    )
    pictures, labels = (keras.Input(x.shape[1:], dtype=x.dtype) for x in network.inputs)
    shifted = keras_gans.layers.DiffAugment(["translation"])(pictures)
    return keras.Model([pictures, labels], network([shifted, labels]))


def generated_from(images, labels, seed, steps):
    """5,000 images of a conditional GAN that was trained on these alone, and their labels."""
    keras.utils.set_random_seed(seed)
    gan = keras_gans.ConditionalGAN(
        networks.conditional_dcgan_generator(SHAPE, CLASSES, 64, width=24),
        augmented_discriminator(),
        penalties={"r1_penalty": {"weight": 0.1, "every": 8}},
        ema_decay=0.99,
        seed=seed,
    )
    gan.compile(*(keras.optimizers.Adam(rate, beta_1=0.5) for rate in (1e-3, 1e-3)))
    gan.fit(batches([(images, labels)], seed, 32), steps_per_epoch=steps, epochs=1, verbose=0)
    made = np.arange(5000, dtype="int32") % CLASSES
    return gan.generate(len(made), labels=made, seed=seed), made


def generated(options, record):
    test, train = digits("digits", "train[80%:]"), digits("digits", "train[:80%]")
    for per_class in options.per_class:
        for seed in options.seeds:
            # Other digits for each seed.
            order = np.random.default_rng(seed).permutation(len(train[0]))
            real = few(train[0][order], train[1][order], per_class)
            made = generated_from(*real, seed, options.steps)
            path = options.results.with_name(f"generated_{per_class}_{seed}.png")
            image.save(made[0][:50], path, columns=10)
            for name, parts in (("plain", [real]), ("generated", [real, made])):
                for augmented in (False, True):
                    reached = accuracy(parts, test, seed, options.classifier_steps, augmented)
                    record(
                        method=name,
                        augmented=augmented,
                        per_class=per_class,
                        seed=seed,
                        accuracy=reached,
                    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["refined", "generated"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=600, help="of a GAN")
    parser.add_argument("--classifier-steps", type=int, default=600)
    parser.add_argument("--per-class", nargs="+", type=int, default=[10, 50, 100])
    parser.add_argument("--weight", type=float, default=1.0, help="regularization of the SimGAN")
    parser.add_argument("--results", type=Path, default=Path("few_labels.jsonl"))
    options = parser.parse_args()
    started = time.perf_counter()

    def record(**found):
        found |= {"steps": options.steps, "seconds": round(time.perf_counter() - started)}
        print(found, flush=True)
        with options.results.open("a") as file:
            file.write(json.dumps(found) + "\n")

    {"refined": refined, "generated": generated}[options.what](options, record)


if __name__ == "__main__":
    main()
