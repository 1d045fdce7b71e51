"""Builds, trains and stores the classifiers of real images."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from keras_gans import data, files, image
from keras_gans.data.sources.faces import sets
from keras_gans.layers.pixel_unshuffle import PixelUnshuffle
from keras_gans.metrics import classifiers
from keras_gans.metrics.readings import Reading
from keras_gans.reading.text import read_json


def build(recipe: Mapping[str, Any]) -> keras.Model:
    """Builds the network of a recipe, from images to features and logits, without training.

    Stages of convolutions, each followed by pooling, and a dense layer. Its outputs, which batch
    normalization gives mean 0 and variance 1 over the training set, are the features. They are
    taken before the ReLU, because a Frechet distance fits normals to them, and a ReLU makes half of
    them 0.

    >>> recipe = {"network": {"filters": [[4], [8]], "features": 6, "dropout": 0.1}}
    >>> [output.shape for output in build({**recipe, "classes": 3}).outputs]
    [(None, 6), (None, 3)]

    Args:
        recipe: as in `recipe.json`; of it, `image_shape`, `classes` or `attributes`, and `network`
            are used.

    Returns:
        A `keras.Model` with the outputs `[features, logits]`; of several attributes,
        `[features, *logits]` in their order.
    """
    network = recipe["network"]
    x = inputs = keras.Input(recipe.get("image_shape", (28, 28, 1)))
    if network.get("fold", 1) > 1:
        x = PixelUnshuffle(network["fold"])(x)
    for stage in network["filters"]:
        for filters in stage:
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.MaxPooling2D()(x)
    x = layers.Dropout(network["dropout"])(layers.Flatten()(x))
    x = layers.Dense(network["features"], use_bias=False)(x)
    features = layers.BatchNormalization(center=False, scale=False, name="features")(x)
    x = layers.Dropout(network["dropout"])(layers.ReLU()(features))
    logits = [layers.Dense(n, name=name)(x) for name, n in classifiers.heads(recipe).items()]
    return keras.Model(inputs, [features, *logits])


def augmentation(
    flip: bool = False,
    shift: float = 0.0,
    turn: float = 0.0,
    zoom: float = 0.0,
    blur: float = 0.0,
    brightness: float = 0.0,
    noise: float = 0.0,
) -> list[keras.Layer]:
    """Returns layers that augment training images; pixels from outside are black.

    Args:
        flip: mirror half of the images.
        shift: largest shift, as a fraction of the side. By whole pixels, because interpolation
            blurs, and the network would learn to ignore blur.
        turn: largest rotation, as a fraction of a full turn.
        zoom: largest change of scale, as a fraction.
        blur: largest weight of the mean over 3x3 pixels, which each image is mixed with.
        brightness: largest change of brightness, as a fraction of the range.
        noise: standard deviation of normal noise.

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
    if blur:
        changes.append(_RandomBlur(blur))
    if brightness:
        changes.append(layers.RandomBrightness(brightness, value_range=(-1.0, 1.0)))
    if noise:
        changes.append(layers.GaussianNoise(noise))
    return changes


class _RandomBlur(keras.layers.Layer):
    """Mixes each image with its mean over 3x3 pixels; edges are repeated.

    `keras.layers.RandomGaussianBlur` takes half as long as the training of the network.
    """

    def __init__(self, largest):
        super().__init__()
        self.largest, self.seeds = largest, keras.random.SeedGenerator()

    def call(self, images, training=False):
        if not training:
            return images
        height, width = images.shape[1:3]
        rows = ops.pad(images, ((0, 0), (1, 1), (0, 0), (0, 0)), "symmetric")
        rows = sum(rows[:, i : i + height] for i in range(3))
        both = ops.pad(rows, ((0, 0), (0, 0), (1, 1), (0, 0)), "symmetric")
        mean = sum(both[:, :, i : i + width] for i in range(3)) / 9.0
        shape = (ops.shape(images)[0], 1, 1, 1)
        share = keras.random.uniform(shape, 0.0, self.largest, seed=self.seeds)
        return images + share * (mean - images)


def read(name: str, split: str) -> list[np.ndarray]:
    """Returns all images, floats in [-1, 1], and labels of a split."""
    batches = data.load(
        name, split=split, labels=True, batch_size=500, shuffle=False, drop_remainder=False
    )
    return [np.concatenate(parts) for parts in zip(*batches.as_numpy_iterator())]


def read_faces(recipe: Mapping[str, Any], split: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Draws the faces of a split, and returns them with the numbers of the drawings in them.

    Args:
        recipe: with `attributes`, `style`, and the number of faces in `data`.
        split: of the data set.

    Returns:
        Images, floats in [-1, 1], and names of the attributes to integers `(number,)`.
    """
    style, size = recipe["style"], recipe["image_shape"][0]
    persons = sets.people_of(style, split, recipe["data"]["faces"])
    images = sets.painted(style, persons, size)
    labels = {}
    for name, values in recipe["attributes"].items():
        kinds = [(value, kind) for value, drawings in values.items() for kind in drawings]
        seen = [kinds.index((p.attributes[name], p.drawing(name))) for p in persons]
        labels[name] = np.array(seen, "int32")
    return image.from_uint8(images), labels


def examples(recipe: Mapping[str, Any], part: str) -> Sequence[Any]:
    """Returns images and labels of the split `"train"` or `"held_out"` of a recipe."""
    split = recipe["data"][part]
    if "attributes" in recipe:
        return read_faces(recipe, split)
    return read(recipe["data"]["name"], split)


def train(
    recipe: Mapping[str, Any], images: np.ndarray, labels: np.ndarray, verbose: int = 0
) -> keras.Model:
    """Trains the network of a recipe.

    With AdamW, a learning rate that falls to 0 along a cosine, and the moving average of the
    weights at the end.

    Args:
        recipe: as in `recipe.json`.
        images: floats in [-1, 1], `(number, height, width, channels)`.
        labels: integers `(number,)`; of several attributes, a dictionary of those by name.
        verbose: as for `keras.Model.fit`.

    Returns:
        A `keras.Model`, as `build` makes it.
    """
    keras.utils.set_random_seed(recipe["seed"])
    network = build(recipe)
    inputs = x = keras.Input(network.input_shape[1:])
    for change in augmentation(**recipe["augmentation"]):
        x = change(x)
    names = list(classifiers.heads(recipe))
    model = keras.Model(inputs, dict(zip(names, network(x)[1:])))
    steps = recipe["epochs"] * -(-len(images) // recipe["batch_size"])
    optimizer = keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(recipe["learning_rate"], steps),
        weight_decay=recipe["weight_decay"],
        use_ema=True,
        ema_momentum=recipe["ema_momentum"],
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, dict.fromkeys(names, loss), metrics=dict.fromkeys(names, "accuracy"))
    model.fit(
        images,
        labels if isinstance(labels, Mapping) else {"logits": labels},
        batch_size=recipe["batch_size"],
        epochs=recipe["epochs"],
        verbose=verbose,
    )
    return network


def measure(network: keras.Model, images: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Measures the accuracy on a held-out split, and the three most frequent confusions.

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


def measure_attributes(
    recipe: Mapping[str, Any], network: keras.Model, images: np.ndarray, labels: Mapping[str, Any]
) -> dict[str, Any]:
    """Measures the accuracy of each attribute on a held-out split, and of its drawings.

    Args:
        recipe: with `attributes`.
        network: as `train` returns it.
        images: floats in [-1, 1], `(number, height, width, channels)`.
        labels: names of the attributes to the numbers of their drawings, `(number,)`.

    Returns:
        A dictionary for `metrics.json`. Of what is hidden by something else, `visible` is the
        accuracy where it is not.
    """
    outputs = network.predict(images, batch_size=500, verbose=0)
    reading = Reading.of(recipe, outputs)
    found = {}
    for name, values in recipe["attributes"].items():
        value_of = np.repeat(np.arange(len(values)), [len(kinds) for kinds in values.values()])
        right = reading.values[name] == value_of[labels[name]]
        drawn = reading.probabilities[name].argmax(axis=1) == labels[name]
        found[name] = {"accuracy": float(right.mean()), "drawings": float(drawn.mean())}
        if name in reading.hidden_by and reading.visible[name].any():
            found[name]["visible"] = float(right[reading.visible[name]].mean())
    return {"images": len(images), "attributes": found}


def publish(folder: Path | str, verbose: int = 2) -> dict[str, Any]:
    """Trains by the recipe of a folder, and writes weights and `metrics.json` there.

    Args:
        folder: with `recipe.json` and `README.md`.
        verbose: as for `keras.Model.fit`.

    Returns:
        The measurements on the held-out split, with the stored weights.
    """
    folder = Path(folder)
    recipe = read_json(folder / classifiers.RECIPE)
    network = train(recipe, *examples(recipe, "train"), verbose=verbose)
    return store(folder, network, *examples(recipe, "held_out"))


def store(
    folder: Path | str, network: keras.Model, images: np.ndarray, labels: Any
) -> dict[str, Any]:
    """Writes the weights in float16, and `metrics.json` with measurements of these weights."""
    folder = Path(folder)
    with files.atomic(folder / classifiers.WEIGHTS) as partial:
        with files.in_memory(partial) as memory:
            network.save_weights(memory)
        files.to_float16(partial)
    network.load_weights(folder / classifiers.WEIGHTS)
    recipe = read_json(folder / classifiers.RECIPE)
    if "attributes" in recipe:
        return record(folder, measure_attributes(recipe, network, images, labels))
    return record(folder, measure(network, images, labels))


def record(folder: Path | str, numbers: dict[str, Any] | None = None) -> dict[str, Any]:
    """Writes `metrics.json`: the measurements, and the SHA-256 of every other file.

    After a change of the card, `record(folder)` keeps the numbers.
    """
    path = Path(folder) / classifiers.METRICS
    numbers = read_json(path)["held_out"] if numbers is None else numbers
    hashes = {name: files.sha256(path.parent / name) for name in classifiers.FILES}
    with files.atomic(path) as partial:
        partial.write_text(json.dumps({"held_out": numbers, "sha256": hashes}, indent=2) + "\n")
    return numbers
