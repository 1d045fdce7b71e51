"""How good are generated digits and clothes? A classifier of real ones reads them.

    python benchmarks/quality.py digits dcgan_digits_28 runs/dcgan_digits_28_quick
    python benchmarks/quality.py fashion_mnist runs/acgan_fashion_mnist_28

For each preset or run, of as many images as there are held-out real ones times a few:

- sure: share that the classifier gives a probability above 0.9;
- distance: Frechet distance of the classifier's 64 features, between generated and real images;
- asked: share that gets the label that was asked for, of a GAN that takes labels;
- reads: share of held-out real images that the GAN's own classifier gets right, where it has one;
- nearest: root mean square distance to the nearest training image, median and smallest of 1,000;
- classes: how the images spread over the ten.

Digits: the classifier learns from 4,000 of the 5,000, the other 1,000 are held out; the distance is
to all 5,000. Fashion-MNIST: 60,000 and 10,000; the distance is to the 10,000. Classifiers are kept
in `runs/readers`.
"""

import argparse
import inspect
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers

from keras_gans import data, metrics, zoo


def real(name):
    """Training and held-out images and labels."""

    def read(split):
        batches = data.load(
            name, split=split, labels=True, batch_size=500, shuffle=False, drop_remainder=False
        )
        return [np.concatenate(parts) for parts in zip(*batches.as_numpy_iterator())]

    if name != "digits":
        return *read("train"), *read("test")
    images, labels = read("train")
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order], labels[order]
    return images[:4000], labels[:4000], images[4000:], labels[4000:]


def reader(name, images, labels, epochs):
    """A classifier of real images, and its features."""
    path = Path("runs", "readers", f"{name}.keras")
    if path.exists():
        model = keras.models.load_model(path)
    else:
        keras.utils.set_random_seed(0)
        x = inputs = keras.Input((28, 28, 1))
        for filters in (32, 64):
            for _ in range(2):
                x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
            x = layers.MaxPooling2D()(layers.BatchNormalization()(x))
        x = layers.Dropout(0.4)(layers.Flatten()(x))
        x = layers.Dropout(0.4)(layers.Dense(64, activation="relu", name="features")(x))
        model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
        schedule = keras.optimizers.schedules.CosineDecay(1e-3, epochs * (len(images) // 64))
        adam = keras.optimizers.Adam(schedule)
        model.compile(optimizer=adam, loss="sparse_categorical_crossentropy")
        model.fit(images, labels, batch_size=64, epochs=epochs, verbose=2)
        path.parent.mkdir(parents=True, exist_ok=True)
        model.save(path)
    both = keras.Model(model.input, [model.output, model.get_layer("features").output])
    return lambda x: both.predict(x, batch_size=500, verbose=0)


def nearest(images, others):
    """Root mean square difference from each image to the nearest of the others."""
    a, b = (x.reshape(len(x), -1).astype("float32") for x in (images, others))
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.sqrt(np.maximum(squared.min(1), 0) / a.shape[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", choices=("digits", "fashion_mnist"))
    parser.add_argument("sources", nargs="*", help="trained presets, or folders of runs")
    options = parser.parse_args()
    images, labels, held_out, held_labels = real(options.data)
    read = reader(options.data, images, labels, 15 if options.data == "digits" else 5)
    answers, features = read(held_out)
    accuracy = (answers.argmax(1) == held_labels).mean()
    print(f"The classifier gets {accuracy:.1%} of {len(held_out)} held-out images right.")
    number = 5000 if options.data == "digits" else 10_000
    whole = np.concatenate([images, held_out]) if options.data == "digits" else images
    reference = read(whole)[1] if options.data == "digits" else features

    heads = ("sure", "distance", "asked", "reads", "nearest (min)")
    print(f"{'':36}" + "".join(f"{head:>10}" for head in heads[:4]) + f"{heads[4]:>16}  classes")

    def row(name, images, read_as, asked=None, reads=None):
        answers, features = read_as
        distances = nearest(images[:1000], whole if asked is not held_labels else train)
        shares = np.bincount(answers.argmax(1), minlength=10) / len(answers)
        matched = "-" if asked is None else f"{(answers.argmax(1) == asked).mean():.3f}"
        print(
            f"{name:36}{(answers.max(1) > 0.9).mean():10.3f}"
            f"{metrics.frechet_distance(reference, features):10.2f}{matched:>10}"
            f"{'-' if reads is None else f'{reads:.3f}':>10}"
            f"{np.median(distances):10.3f} ({distances.min():.3f})"
            f"  {' '.join(f'{100 * share:.0f}' for share in shares)}",
            flush=True,
        )

    train = images
    row("held-out real images", held_out, (answers, features), held_labels)
    if options.data == "fashion_mnist":
        row("10,000 training images", images[:number], read(images[:number]))
    for source in options.sources:
        gan = zoo.open_gan(source)
        takes_labels = "labels" in inspect.signature(gan.generate).parameters
        asked = np.arange(number) % 10 if takes_labels else None
        told = {"labels": asked} if takes_labels else {}
        made = gan.generate(number, seed=0, batch_size=500, **told)
        reads = None
        if hasattr(gan, "classify"):
            reads = (gan.classify(held_out) == held_labels).mean()
        row(Path(source).name, made, read(made), asked, reads)


if __name__ == "__main__":
    main()
