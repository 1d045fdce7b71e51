"""From a recipe to a classifier of real images: its network, its training, its folder."""

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers

from keras_gans import data, files
from keras_gans.metrics import classifiers
from keras_gans.reading.text import read_json


def build(recipe):
    """The network of a recipe, not trained: images to features and logits.

    Convolutions in stages, each halved by pooling, and a dense layer that batch normalisation
    leaves with mean 0 and variance 1 over the training: those are the features. They come before
    the ReLU, because a Frechet distance fits normals to them, and half of what passed a ReLU is 0.

    >>> recipe = {"network": {"filters": [[4], [8]], "features": 6, "dropout": 0.1}}
    >>> [output.shape for output in build({**recipe, "classes": 3}).outputs]
    [(None, 6), (None, 3)]

    Args:
        recipe: as in `recipe.json`; of it, `image_shape`, `classes` and `network` are used.

    Returns:
        A `keras.Model` with the outputs `[features, logits]`.
    """
    network = recipe["network"]
    x = inputs = keras.Input(recipe.get("image_shape", (28, 28, 1)))
    for stage in network["filters"]:
        for filters in stage:
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(network["dropout"])(layers.Flatten()(x))
    x = layers.Dense(network["features"], use_bias=False)(x)
    features = layers.BatchNormalization(center=False, scale=False, name="features")(x)
    x = layers.Dropout(network["dropout"])(layers.ReLU()(features))
    return keras.Model(inputs, [features, layers.Dense(recipe["classes"], name="logits")(x)])


def augmentation(flip=False, shift=0.0, turn=0.0, zoom=0.0):
    """Layers that change training images; what comes in from outside is black.

    Args:
        flip: mirror half of the images.
        shift: largest shift, as a part of the side. By whole pixels, as blurred images would
            teach a network not to see blur.
        turn: largest turn, as a part of a full one.
        zoom: largest change of scale, as a part of it.

    Returns:
        A list of Keras layers.
    """
    fill = {"fill_mode": "constant", "fill_value": -1.0}
    changes = [layers.RandomFlip("horizontal")] if flip else []
    if turn:
        changes.append(layers.RandomRotation(turn, **fill))
    if zoom:
        changes.append(layers.RandomZoom(zoom, **fill))
    if shift:
        changes.append(layers.RandomTranslation(shift, shift, interpolation="nearest", **fill))
    return changes


def read(name, split):
    """All images, floats in [-1, 1], and labels of a split."""
    batches = data.load(
        name, split=split, labels=True, batch_size=500, shuffle=False, drop_remainder=False
    )
    return [np.concatenate(parts) for parts in zip(*batches.as_numpy_iterator())]


def train(recipe, images, labels, verbose=0):
    """Trains the network of a recipe.

    Adam with decoupled weight decay, a rate that falls to 0 along a cosine, and at the end the
    moving average of the weights.

    Args:
        recipe: as in `recipe.json`.
        images: floats in [-1, 1], `(number, height, width, channels)`.
        labels: integers `(number,)`.
        verbose: as for `keras.Model.fit`.

    Returns:
        A `keras.Model` with the outputs `[features, logits]`.
    """
    keras.utils.set_random_seed(recipe["seed"])
    network = build(recipe)
    inputs = x = keras.Input(network.input_shape[1:])
    for change in augmentation(**recipe["augmentation"]):
        x = change(x)
    model = keras.Model(inputs, network(x)[1])
    steps = recipe["epochs"] * -(-len(images) // recipe["batch_size"])
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(recipe["learning_rate"], steps),
        weight_decay=recipe["weight_decay"],
        use_ema=True,
        ema_momentum=recipe["ema_momentum"],
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, metrics=["accuracy"])
    model.fit(
        images,
        labels,
        batch_size=recipe["batch_size"],
        epochs=recipe["epochs"],
        verbose=verbose,
    )
    return network


def measure(network, images, labels):
    """Accuracy on a held-out part, and the three confusions that are most frequent.

    Args:
        network: as `train` returns it.
        images: floats in [-1, 1], `(number, height, width, channels)`.
        labels: integers `(number,)`.

    Returns:
        A dictionary for `metrics.json`.
    """
    logits = network.predict(images, batch_size=500, verbose=0)[1]
    answers = logits.argmax(axis=1)
    pairs = np.stack([labels, answers], axis=1)[labels != answers]
    found, counts = np.unique(pairs, axis=0, return_counts=True)
    most = np.argsort(-counts, kind="stable")[:3]
    return {
        "accuracy": float((answers == labels).mean()),
        "images": len(labels),
        "most_confused": [
            {"label": int(found[k, 0]), "answer": int(found[k, 1]), "times": int(counts[k])}
            for k in most
        ],
    }


def publish(folder, verbose=2):
    """Trains what a folder's recipe says, and puts weights and `metrics.json` beside it.

    Args:
        folder: with `recipe.json` and `README.md`.
        verbose: as for `keras.Model.fit`.

    Returns:
        What was measured on the held-out part, with the weights as they were stored.
    """
    folder = Path(folder)
    recipe = read_json(folder / classifiers.RECIPE)
    source = recipe["data"]
    network = train(recipe, *read(source["name"], source["train"]), verbose=verbose)
    return store(folder, network, *read(source["name"], source["held_out"]))


def store(folder, network, images, labels):
    """Writes the weights in float16 and `metrics.json`: what `measure` finds with those weights."""
    with files.atomic(Path(folder) / classifiers.WEIGHTS) as partial:
        with files.in_memory(partial) as memory:
            network.save_weights(memory)
        files.to_float16(partial)
    network.load_weights(Path(folder) / classifiers.WEIGHTS)
    return record(folder, measure(network, images, labels))


def record(folder, numbers=None):
    """Writes `metrics.json`: what was measured, and the SHA-256 of every other file.

    After a change of the card, `record(folder)` alone keeps the numbers.
    """
    path = Path(folder) / classifiers.METRICS
    numbers = read_json(path)["held_out"] if numbers is None else numbers
    hashes = {name: files.sha256(path.parent / name) for name in classifiers.FILES}
    with files.atomic(path) as partial:
        partial.write_text(json.dumps({"held_out": numbers, "sha256": hashes}, indent=2) + "\n")
    return numbers
