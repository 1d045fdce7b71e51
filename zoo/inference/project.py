"""The latent of an image: where in a generator's range something like it lies.

As Zhu 2016 (iGAN, arXiv:1609.03552, section 3.1) go down a distance of pixels and of a network's
features at once, from a good first guess; Abdal 2019 (Image2StyleGAN, arXiv:1904.03189) do so with
Adam and compare starts, the mean latent among them; Karras 2020 (StyleGAN2, arXiv:1912.04958,
section 5 and appendix D) add noise to the latent that fades away, and let the rate end in a cosine.
Here many starts go down beside each other, and the best is kept.
"""

import dataclasses
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import ArrayLike

from keras_gans import checks, generation, image, latent, metrics
from keras_gans.building import preserving_random_state
from keras_gans.files import atomic
from keras_gans.interface import Latents, Number
from keras_gans.metrics import classifiers, random_cnn
from keras_gans.names import did_you_mean
from keras_gans.reading.text import read_json
from keras_gans.terminal import Progress
from keras_gans.zoo.catalog import presets
from keras_gans.zoo.inference.generate import Source, columns_of, open_latent_gan

LATENT, PICTURE, REPORT = "latent.npy", "projection.png", "projection.json"

# A network for images that none was trained on, and pixels a side that it needs.
_RANDOM, _LEAST_SIDE = "random_cnn_v1", 32

# Karras 2020, appendix D: noise of this share of the latents' standard deviation at first, none
# after this share of the steps; the rate goes up over the first steps.
_NOISE, _NOISY, _WARM_UP = 0.05, 0.75, 0.05

# Combinations of classes to try, each with all candidates.
_MOST_KINDS = 100

# Fewer drawn images do not tell what 99 of 100 of them are like.
_ENOUGH = 100


@dataclasses.dataclass(frozen=True)
class Projection:
    """What `project` found. Images are floats in [-1, 1], `(height, width, channels)`.

    Attributes:
        latent: float32 `(1, latent_dim)`, for `gan.generate(latents=...)`.
        label: class to generate it with; a dict of classes by the names of the inputs for a
            generator with several inputs of labels; `None` for one without.
        image: what the generator makes of both.
        start: what it made of the latent that this one began as.
        target: the image wanted, as the generator could make it.
        losses: by name (`"loss"`, and its parts `"pixels"`, `"features"` and `"prior"`), a value
            for each step and one for the result. Each part is 1 for drawn latents, on average.
        distances: by name, of the start and of the result to the target: `"pixels"`, the root mean
            square difference, of a range of 2; `"features"`, the distance of the features.
        radius: length of the latent's noise, over the square root of its dimensions: near 1 for
            drawn ones.
        features: name of the network whose features were compared.
        classes: what a network that classifies makes of target, start and result: for each a class
            and its probability; `None` if it does not classify.
        strangeness: by name (`"pixels"`, `"features"`), how far the target is from the nearest of
            the candidates' images, where 1 is what 99 of 100 of these stay below, each to its own
            nearest. Above 1 the target is unlike what the generator draws; `None` for fewer than
            100 candidates.
    """

    latent: np.ndarray
    label: int | dict[str, int] | None
    image: np.ndarray
    start: np.ndarray
    target: np.ndarray
    losses: dict[str, list[float]]
    distances: dict[str, dict[str, float]]
    radius: float
    features: str
    classes: dict[str, list] | None
    strangeness: dict[str, float] | None = None

    @property
    def same_class(self) -> bool | None:
        """Whether target and result are of one class to the network; `None` if it has none."""
        if self.classes is None:
            return None
        return self.classes["target"][0] == self.classes["result"][0]

    def save(self, directory: str | Path, **about: Any) -> Path:
        """Writes `latent.npy`, `projection.png` (target, start, result) and `projection.json`.

        Args:
            directory: folder; made if missing.
            **about: what else the JSON is to say.

        Returns:
            The folder, as `pathlib.Path`.
        """
        directory = Path(directory)
        with atomic(directory / LATENT) as file:
            np.save(file, self.latent)
        images = image.to_uint8(np.stack([self.target, self.start, self.image]))
        images = image.enlarge(images, image.visible_scale(self.target.shape))
        image.save(images, directory / PICTURE, columns=3)
        report = {
            **about,
            "label": self.label,
            "features": self.features,
            "classes": self.classes,
            "same_class": self.same_class,
            "distances": self.distances,
            "radius": self.radius,
            "strangeness": self.strangeness,
            "losses": self.losses,
        }
        with atomic(directory / REPORT) as file:
            file.write_text(json.dumps(report, indent=2) + "\n")
        return directory


def project(
    source: Source,
    target: str | Path | np.ndarray,
    *,
    label: int | str | Mapping[str, int | str] | None = None,
    features: str | keras.Model | None = None,
    steps: int = 500,
    candidates: int = 1000,
    starts: int = 16,
    learning_rate: float = 0.1,
    pixel_weight: float = 1.0,
    feature_weight: float = 1.0,
    prior_weight: float = 0.02,
    start: ArrayLike | None = None,
    seed: int = 0,
    best: bool = False,
    verbose: int = 1,
) -> Projection:
    """Finds a latent whose image is like a given one.

    `candidates` latents are drawn for each class, beside their mean, 0. The nearest go down

        pixel_weight * pixels + feature_weight * features + prior_weight * prior

    together, each by itself: squared differences of pixels and of features, both over their mean
    among the candidates, and the prior of the latent's length, which keeps it on the shell that
    the generator was trained on. That prior is `d / 2 * (|z|**2 / d - 1)**2` in d dimensions, 1 on
    average for a normal z; Menon 2020 (PULSE, arXiv:2003.03808, section 3.2) holds |z| fixed
    instead. The features see to it that what comes out is the same thing, and not only dark and
    light in the same places.

    An InfoGAN's codes stay those of the start.

    >>> gan = keras_gans.zoo.open_gan("dcgan_digits_28")
    >>> found = project(gan, gan.generate(1, seed=5)[0], steps=3, candidates=20, verbose=0)
    >>> gan.generate(latents=found.latent).shape
    (1, 28, 28, 1)

    Args:
        source: name of a trained preset, folder of a run, or a GAN.
        target: path of an image file, which is resized, cropped and made grey as
            `keras_gans.data.load` does; or an array `(height, width, channels)` of floats in
            [-1, 1], such as the generator makes.
        label: class of the image, as a number or a name, for a generator that takes labels; a
            dict of classes by the names of the conditions for one with several, such as
            `{"hair": "blonde"}`. Those left out are all tried, and those that come nearest kept.
        features: name of a feature network, of those that come with the library; or a
            `keras.Model` from images in [-1, 1] to features, or `[features, logits]`. `None` takes
            the classifier of the data that a preset or run was trained on, and `"random_cnn_v1"`
            where there is none of such images.
        steps: of the optimizer, Adam.
        candidates: latents to draw for each class.
        starts: how many of them to follow. Of several classes, the best of each come first.
        learning_rate: largest; it rises at first, and falls as a cosine.
        pixel_weight: of the pixels.
        feature_weight: of the features.
        prior_weight: of the prior.
        start: latents `(number, latent_dim)` to follow in place of the best candidates, such as an
            encoder's; for each class, each of them.
        seed: of the candidates and the noise: the same seed finds the same.
        best: see `open_gan`.
        verbose: 1 shows progress, 0 nothing.

    Returns:
        A `Projection`. A target that is unlike anything the generator draws gets a `UserWarning`
        first: what is found will hardly look like it.

    Raises:
        ValueError: if the image cannot be read or is not such as the generator makes, for a label
            or features that do not fit, or if `source` makes no images from latents.
        FileNotFoundError: if there is no file of that name.
    """
    for name, value in (("steps", steps), ("candidates", candidates), ("starts", starts)):
        checks.count(name, value)
    weights = {"pixels": pixel_weight, "features": feature_weight, "prior": prior_weight}
    for name, value in zip(("pixel_weight", "feature_weight", "prior_weight"), weights.values()):
        checks.weight(name, value)
    if not pixel_weight and not feature_weight:
        raise ValueError(
            "An image is compared by its pixels or its features. Expected `pixel_weight` or "
            f"`feature_weight` above 0. Received: pixel_weight={pixel_weight}, "
            f"feature_weight={feature_weight}"
        )
    checks.positive("learning_rate", learning_rate)
    gan = open_latent_gan(source, best)
    described = gan.interface(gan.generator_role)
    asked = label if isinstance(label, Mapping) else {"labels": label}
    generation.require_options(described, asked, type(gan).__name__)
    columns = columns_of(described, asked, every=True)
    if len(columns) > _MOST_KINDS:
        raise ValueError(
            "There are too many combinations of classes to try all. Expected at most "
            f"{_MOST_KINDS}. Give some of {list(described.options)}, such as "
            f"`label={{{described.options[0]!r}: 0}}`. Received: label={label!r}, which leaves "
            f"{len(columns):,}"
        )
    target = as_target(target, described.images[0].shape)
    network, features = _feature_network(features, source, gan, target.shape)
    search = _Search(gan, network, target, weights, columns)

    drawn = gan.given_latents(candidates, seed=seed)
    mean = np.where(search.noise, np.float32(0.0), drawn[:1])
    latents = np.concatenate([mean, drawn])
    chosen, kinds = search.choose(latents, range(len(columns)), starts)
    if start is not None:
        given = gan.given_latents(1, latents=start)
        chosen = np.tile(given, (len(columns), 1))
        kinds = np.repeat(range(len(columns)), len(given))
    _warn_of(search.strangeness, search.compared)
    first = search.images(chosen, kinds)
    found, history = search.descend(chosen, kinds, steps, learning_rate, seed, verbose)
    winner = int(np.argmin(history["loss"][-1]))
    result = search.images(found, kinds)[winner]
    looked_at = {"target": target, "start": first[winner], "result": result}
    seen = {name: search.see(picture) for name, picture in looked_at.items()}
    noise, classes = found[winner, search.noise], columns[kinds[winner]]
    return Projection(
        latent=found[winner : winner + 1],
        label={n: int(k) for n, k in classes.items()} if len(classes) > 1 else _only(classes),
        image=result,
        start=first[winner],
        target=target,
        losses={name: [float(v) for v in values[:, winner]] for name, values in history.items()},
        distances={
            "pixels": _both(looked_at, lambda a, b: np.sqrt(np.mean((a - b) ** 2))),
            "features": _both(
                {n: s[0] for n, s in seen.items()}, lambda a, b: np.linalg.norm(a - b)
            ),
        },
        radius=float(np.linalg.norm(noise) / np.sqrt(len(noise))),
        features=features,
        classes=None
        if seen["target"][1] is None
        else {name: [int(p.argmax()), float(p.max())] for name, (_, p) in seen.items()},
        strangeness=search.strangeness,
    )


class _Search:
    """A generator, a feature network, and the image that both are to agree on."""

    def __init__(self, gan, network, target, weights, columns=None):
        self.gan, self.network, self.target = gan, network, tf.constant(target)
        self.interface = gan.interface(gan.generator_role)
        self.weights = weights  # of the pixels, the features and the prior
        # A kind of image is the number of a column: classes by the names of inputs of labels.
        self.columns = columns_of(self.interface, {}, True) if columns is None else columns
        self.noise = np.array(self.interface.noise)
        self.target_features = self._features(self.target[None])[0]
        self.scales = {"pixels": 1.0, "features": 1.0}  # set by `choose`, as are these two
        self.strangeness, self.compared = None, 0

    def labels(self, kinds):
        """Labels of examples, by the names of their inputs."""
        names = self.columns[0]
        return {n: np.array([self.columns[k][n] for k in kinds], "int32") for n in names}

    def images(self, latents, kinds):
        made = self.gan.generate(latents=latents, **self.labels(kinds))
        return generation.first_images(self.interface, made)

    def see(self, picture):
        """Features of one image, and probabilities of classes or `None`."""
        features, *logits = self._outputs(tf.constant(picture[None]))
        if len(logits) != 1:  # of several attributes none is the class
            return features[0].numpy(), None
        return features[0].numpy(), tf.nn.softmax(logits[0][0]).numpy()

    def choose(self, latents, kinds, number):
        """The best starts: latents, and their kinds. Sets what a distance of 1 is.

        Also how strange the target is beside all of these images, or as many of all kinds.
        """
        each = np.repeat(kinds, len(latents))
        every = np.tile(latents, (len(kinds), 1))
        parts, drawn = [], []
        for i in range(0, len(every), 250):
            pictures = tf.constant(self.images(every[i : i + 250], each[i : i + 250]))
            parts.append([value.numpy() for value in self._distances(pictures)])
            drawn.append(pictures[:: len(kinds)])
        pixels, features = (np.concatenate(values) for values in zip(*parts))
        self._compare(drawn)
        # A generator that makes one image only has no distances to compare.
        tiny = np.finfo("float32").tiny
        self.scales = {"pixels": pixels.mean() + tiny, "features": features.mean() + tiny}
        losses = self.weights["pixels"] * pixels / self.scales["pixels"]
        losses = losses + self.weights["features"] * features / self.scales["features"]
        # The best of each kind before any second best.
        ranks = losses.reshape(len(kinds), -1).argsort(axis=1).argsort(axis=1).reshape(-1)
        order = np.lexsort((losses, ranks))[:number]
        return every[order], each[order]

    def _compare(self, drawn):
        """Sets `strangeness`, from batches of drawn images."""
        self.compared = sum(map(len, drawn))
        if self.compared < _ENOUGH:
            return
        pixels = np.concatenate([part.numpy().reshape(len(part), -1) for part in drawn])
        features = np.concatenate([self._features(part).numpy() for part in drawn])
        self.strangeness = {
            "pixels": strangeness(self.target.numpy().reshape(-1), pixels),
            "features": strangeness(self.target_features.numpy(), features),
        }

    def descend(self, latents, kinds, steps, learning_rate, seed, verbose):
        """Minimizes from each start by itself.

        Returns:
            The latents, and each part of the loss, `(steps + 1, starts)`: the last row is of the
            latents returned, without noise.
        """
        variable = keras.Variable(latents, name="latents")
        optimizer = keras.optimizers.Adam(_rate(steps, learning_rate))
        optimizer.build([variable])
        labels = {name: tf.constant(values) for name, values in self.labels(kinds).items()}
        free = self.noise.astype("float32")

        @tf.function
        def step(number):
            left = tf.nn.relu(1.0 - tf.cast(number, "float32") / (_NOISY * steps))
            fresh = tf.random.experimental.stateless_fold_in(halves, number, alg="philox")
            noise = tf.random.stateless_normal(latents.shape, fresh, alg="philox")
            with tf.GradientTape() as tape:
                parts = self._parts(variable + _NOISE * left**2 * noise * free, labels)
                loss = tf.reduce_sum(parts["loss"])  # each start has its own latent: no mixing
            (gradient,) = tape.gradient(loss, [variable.value])
            optimizer.apply([gradient * free], [variable])
            return parts

        halves = latent.halves(seed)
        progress, history = Progress(steps, "steps", verbose), []
        for number in range(steps):
            history.append(step(tf.constant(number)))
            progress.update(number + 1, f"loss {float(tf.reduce_min(history[-1]['loss'])):.4f}")
        history.append(self._parts(variable.value, labels))
        found = variable.numpy()
        return found, {n: np.stack([parts[n].numpy() for parts in history]) for n in history[0]}

    def _parts(self, latents, labels):
        """The loss of every latent, and the parts it is the weighted sum of."""
        pictures = self._pictures(latents, labels)
        pixels, features = self._distances(tf.cast(pictures, "float32"))
        parts = {
            "pixels": pixels / self.scales["pixels"],
            "features": features / self.scales["features"],
            "prior": shell_prior(tf.gather(latents, np.flatnonzero(self.noise), axis=1)),
        }
        return {"loss": sum(self.weights[name] * value for name, value in parts.items()), **parts}

    def _pictures(self, latents, labels):
        """The first images that the generator makes, in a graph or not."""
        inputs, start = [], 0
        for port in self.interface.inputs:
            if isinstance(port, Latents):
                inputs.append(latents[:, start : start + port.size])
                start += port.size
            elif isinstance(port, Number):
                inputs.append(generation.numbers(port, None, len(latents)))
            else:
                inputs.append(labels[port.name])
        made = self.gan.inference_generator(
            inputs if len(inputs) > 1 else inputs[0], training=False
        )
        first = self.interface.outputs.index(self.interface.images[0])
        return keras.tree.flatten(made)[first]

    def _distances(self, pictures):
        """Squared distances to the target, of pixels and of features, of every image."""
        pixels = tf.reduce_mean((pictures - self.target) ** 2, axis=(1, 2, 3))
        difference = self._features(pictures) - self.target_features
        return pixels, tf.reduce_mean(difference**2, axis=-1)

    def _features(self, pictures):
        return self._outputs(pictures)[0]

    def _outputs(self, pictures):
        answer = self.network(pictures, training=False)
        return answer if isinstance(answer, (list, tuple)) else [answer]


def shell_prior(latents: tf.Tensor | np.ndarray) -> tf.Tensor:
    """How far latents are from the shell of a standard normal: 1 on average for drawn ones.

    `d / 2 * (|z|**2 / d - 1)**2`: |z|**2 has mean d and variance 2d.

    >>> shell_prior(np.ones((1, 8), "float32")).numpy().tolist()
    [0.0]

    Args:
        latents: float32 `(number, d)`.

    Returns:
        float32 tensor `(number,)`.
    """
    size = latents.shape[-1]
    return size / 2 * (tf.reduce_sum(tf.square(latents), axis=-1) / size - 1.0) ** 2


def strangeness(target: np.ndarray, drawn: np.ndarray) -> float:
    """How far a point is from the nearest of others, beside how far these are from each other.

    A rank and no model of a density: of points drawn like the others, one in a hundred is above 1.

    >>> line = np.arange(200.0)[:, None]
    >>> strangeness(np.array([210.0]), line)
    11.0

    Args:
        target: array `(size,)`.
        drawn: array `(number, size)`.

    Returns:
        The distance to the nearest, over the distance that 99 of 100 of `drawn` stay within, each
        to its own nearest.
    """
    drawn = np.asarray(drawn, "float64")
    squares = (drawn**2).sum(axis=1)
    apart = squares[:, None] + squares - 2 * drawn @ drawn.T
    np.fill_diagonal(apart, np.inf)
    usual = np.quantile(np.sqrt(apart.min(axis=1).clip(0)), 0.99)
    nearest = np.sqrt(((drawn - target) ** 2).sum(axis=1).min())
    return float(nearest / (usual + np.finfo("float32").tiny))


def _warn_of(strange, number):
    """Warns of a target that is unlike what the generator draws."""
    if strange is None or max(strange.values()) <= 1:
        return
    by = max(strange, key=strange.get)
    warnings.warn(
        f"This image is unlike what the generator draws: by its {by} it is {strange[by]:.1f} "
        f"times as far from the nearest of {number:,} drawn images as 99 of 100 of these are from "
        "theirs. What is found will hardly look like it. Expected an image such as those of the "
        "training: compare the samples on the preset's card, for what they show and whether it is "
        "light on dark.",
        stacklevel=3,
    )


def _rate(steps, learning_rate):
    warm_up = round(_WARM_UP * steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warm_up else learning_rate,
        steps - warm_up,
        warmup_target=learning_rate if warm_up else None,
        warmup_steps=warm_up,
    )


def _only(classes):
    return next((int(k) for k in classes.values()), None)


def _both(of, distance):
    return {name: float(distance(of[name], of["target"])) for name in ("start", "result")}


def as_target(target: str | Path | np.ndarray, shape: Any) -> np.ndarray:
    """Returns the image wanted, float32 of the generator's shape."""
    if isinstance(target, (str, Path)):
        if not Path(target).is_file():
            raise FileNotFoundError(
                f"There is no such file. Expected the path of an image. Received: {str(target)!r}"
            )
        pixels = image.read(target, shape[:2], shape[-1])
        return image.from_uint8(pixels)
    pixels = np.asarray(target)
    if pixels.shape != tuple(shape):
        raise ValueError(
            f"That image is none that the generator can make. Expected shape {tuple(shape)}: one "
            "image, of as many channels; a file is resized, and made grey or RGB, as needed. "
            f"Received: shape {pixels.shape}"
        )
    image.to_uint8(pixels)  # refuses what are no floats in [-1, 1]
    return pixels.astype("float32")


def _feature_network(features, source, gan, shape):
    """A `keras.Model` to features, or `[features, logits]`, and its name."""
    if isinstance(features, keras.Model):
        return _require_takes(features, shape), features.name
    if features is None:
        data = None if gan is source else data_of(source)
        usual = metrics.usual_features(data)
        features = usual if usual and _takes(usual, shape) else _RANDOM
    known = [*classifiers.names(), _RANDOM]
    if features not in known:
        raise ValueError(
            f"There is no such feature network to go down.{did_you_mean(str(features), known)} "
            f"Expected one of {known}, or a `keras.Model`. Received: features={features!r}"
        )
    with preserving_random_state("float32"):
        if features != _RANDOM:
            return _require_takes(classifiers.load(features)[0], shape), features
        network = random_cnn.build()
        # It sees colours, so grey becomes three alike; of four channels the fourth is not looked
        # at. It has four strides, so small images are enlarged.
        x = inputs = keras.Input(shape)
        x = ops.repeat(x, 3, axis=-1) if shape[-1] == 1 else x[..., :3]
        if (scale := -(-_LEAST_SIDE // min(shape[:2]))) > 1:
            x = keras.layers.UpSampling2D(scale)(x)
        return keras.Model(inputs, network(x)), features


def _require_takes(network, shape):
    """Raises ValueError unless a network takes images of a shape; returns it."""
    taken = tuple(network.inputs[0].shape)[1:]
    if len(taken) != 3 or any(a not in (None, b) for a, b in zip(taken, shape)):
        raise ValueError(
            "The feature network does not take such images. Expected one of images of shape "
            f"{tuple(shape)}. Received: {network.name!r}, of images of shape {taken}"
        )
    return network


def _takes(name, shape):
    recipe = read_json(classifiers.folder(name) / classifiers.RECIPE)
    return tuple(recipe["image_shape"]) == tuple(shape)


def data_of(source: Any) -> str:
    """Returns the name of the data set that a preset or a run was trained on."""
    config = Path(source, "config.json")
    if config.is_file():
        return read_json(config)["data"]["name"]
    return presets.card(source).data
