"""How good are generated digits? A classifier of real ones reads them.

    python benchmarks/digits_quality.py dcgan_digits_28 runs/dcgan_digits_28_quick

For each preset or run: the share of 5,000 generated digits that a small convolutional network is
sure of (largest probability above 0.9), how they spread over the classes, and how far each is from
its nearest training digit. The network learns from 4,000 of the 5,000 real digits; the other 1,000
are the yardstick: what it makes of real digits it has not seen. Copies of training digits would
show as a distance near 0.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
from keras import layers

import keras_gans
from keras_gans import zoo


def real_digits():
    batches = keras_gans.data.load("digits", labels=True, batch_size=500, shuffle=False)
    images, labels = zip(*batches.as_numpy_iterator())
    images, labels = np.concatenate(images), np.concatenate(labels)
    order = np.random.default_rng(0).permutation(len(images))
    return images[order], labels[order]


def reader(images, labels):
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((28, 28, 1))
    for filters in (32, 64):
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(layers.BatchNormalization()(x))
    x = layers.Dropout(0.4)(layers.Flatten()(x))
    x = layers.Dropout(0.4)(layers.Dense(64, activation="relu")(x))
    model = keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, 15 * (len(images) // 64))
    model.compile(optimizer=keras.optimizers.Adam(schedule), loss="sparse_categorical_crossentropy")
    model.fit(images, labels, batch_size=64, epochs=15, verbose=0)
    return model


def nearest(images, others):
    """Root mean square difference from each image to the nearest of the others."""
    a, b = (x.reshape(len(x), -1).astype("float64") for x in (images, others))
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    return np.sqrt(np.maximum(squared.min(1), 0) / a.shape[1])


def row(name, images, answers, training):
    shares = np.bincount(answers.argmax(1), minlength=10) / len(answers)
    distances = nearest(images[:1000], training)
    sure = (answers.max(1) > 0.9).mean()
    spread = " ".join(f"{share:.2f}" for share in shares)
    print(
        f"{name:32}{sure:6.3f}   {np.median(distances):.3f} ({distances.min():.3f})   {spread}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", nargs="+", help="trained presets, or folders of runs")
    options = parser.parse_args()
    images, labels = real_digits()
    training, held_out = images[:4000], images[4000:]
    model = reader(training, labels[:4000])
    answers = model.predict(held_out, verbose=0)
    accuracy = (answers.argmax(1) == labels[4000:]).mean()
    print(f"The network reads {accuracy:.1%} of 1,000 held-out digits right.")
    print(f"{'':32}{'sure':>6}   nearest (min)   share of 0 to 9")
    row("held-out real digits", held_out, answers, training)
    for source in options.sources:
        generator = zoo.load(source)
        latents = keras_gans.latent.sample(5000, generator.input_shape[-1], seed=0)
        made = generator.predict(latents, batch_size=500, verbose=0)
        # Against all real digits: the generator was trained on every one of them.
        row(source, made, model.predict(made, batch_size=500, verbose=0), images)


if __name__ == "__main__":
    main()
