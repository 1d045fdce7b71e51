"""What the styles of StyleGAN2 are good for: mixing, walks, directions, and the styles of an image.

A style `w` is `(style_dim,)`; a generator takes one for each layer of its synthesis network,
`(num_styles, style_dim)`, and images of one `w` for all layers are W, of different ones W+.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gans import checks, generation, image, interface, latent, networks
from keras_gans.adversarial import AdversarialModel
from keras_gans.interface import Number
from keras_gans.metrics import perceptual
from keras_gans.perceptual import PerceptualLoss
from keras_gans.terminal import Progress
from keras_gans.zoo.inference.generate import Source, open_latent_gan
from keras_gans.zoo.inference.project import as_target

_METHODS = ("ganspace", "sefa")
_DRAWN = 10_000  # styles that averages and principal components are of

# Karras 2020, appendix D.
_NOISE, _NOISY, _WARM_UP, _COOL_DOWN = 0.05, 0.75, 0.05, 0.25
_REGULARIZED = 1e5  # weight of the regularization of noise maps


class Styled:
    """The parts of a StyleGAN2 generator, as arrays go through them.

    >>> generator = keras_gans.networks.stylegan2_generator((16, 16, 3), 8, 8, width=4)
    >>> styled = Styled(generator)
    >>> w = styled.styles(seeds=[1, 2], psi=0.7)
    >>> w.shape, styled.images(w).shape
    ((2, 6, 8), (2, 16, 16, 3))

    Args:
        source: name of a trained preset, folder of a run, a GAN, or a generator.

    Raises:
        ValueError: for a generator that has no styles.
    """

    def __init__(self, source: Source | keras.Model) -> None:
        network = source
        if isinstance(source, AdversarialModel) or not isinstance(source, keras.Model):
            gan = open_latent_gan(source)
            network, self.interface = gan.inference_generator, gan.interface(gan.generator_role)
        else:
            self.interface = interface.of(network)
        self.mapping, self.truncation, self.synthesis = networks.stylegan2.parts(network)
        self.num_styles, self.style_dim = self.truncation.style_shape

    def styles(
        self,
        seeds: Sequence[int] | None = None,
        *,
        latents: ArrayLike | None = None,
        labels: Any = None,
        psi: float = 1.0,
        cutoff: int | None = None,
    ) -> np.ndarray:
        """Returns the styles of seeds or latents, truncated.

        Args:
            seeds: integers; each seed's latents are those of `generate`.
            latents: `(number, latent_dim)` in their place.
            labels: classes, one for each or one for all; `None` for all in turn.
            psi: of the truncation.
            cutoff: how many of the styles are truncated; `None` for all.

        Returns:
            float32 array `(number, num_styles, style_dim)`.
        """
        if (seeds is None) == (latents is None):
            raise ValueError(
                "Styles are made of seeds or of latents. Expected one of them. "
                f"Received: seeds={seeds!r}, latents={latents!r}"
            )
        if latents is None:
            drawn = [generation.draw(self.interface, 1, seed=seed) for seed in seeds or ()]
            latents = np.concatenate(drawn)
        latents = checks.floats("latents", latents)
        found = generation.fill(self.interface, len(latents), latents, {"labels": labels})
        w = generation.run(self.mapping, self.of_mapping(found), 1000)[0]
        return self.truncation(w, psi=float(checks.floats("psi", psi)), cutoff=cutoff).numpy()

    def of_mapping(self, found: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Returns those of a generator's inputs that its mapping network takes: no `psi`."""
        ports = self.interface.inputs
        return [array for array, port in zip(found, ports) if not isinstance(port, Number)]

    def images(self, styles: ArrayLike, batch_size: int = 8) -> np.ndarray:
        """Returns the images of styles, in [-1, 1].

        Args:
            styles: `(number, num_styles, style_dim)`, or `(number, style_dim)` for W.
            batch_size: how many at once.

        Returns:
            float32 array `(number, height, width, channels)`.

        Raises:
            ValueError: for styles of another shape.
        """
        styles = checks.floats("styles", styles)
        if styles.ndim == 2:
            styles = np.repeat(styles[:, None], self.num_styles, axis=1)
        if styles.shape[1:] != (self.num_styles, self.style_dim) or not len(styles):
            raise ValueError(
                "These styles do not fit the generator. Expected shape (number, "
                f"{self.num_styles}, {self.style_dim}), or (number, {self.style_dim}) with one for "
                f"all layers. Received: shape {styles.shape}"
            )
        return np.clip(generation.run(self.synthesis, [styles], batch_size)[0], -1.0, 1.0)


def mix_styles(
    source: Source,
    rows: Sequence[int],
    columns: Sequence[int],
    layers: Sequence[int] = range(7),
    *,
    psi: float = 1.0,
    labels: int | str | None = None,
    output: str | Path = "mixed.png",
) -> Path:
    """Writes a grid of mixed styles (Karras 2019, section 3.1, figure 3).

    The first row and the first column are the images of seeds; each of the others has the style of
    its row's seed, but in some layers that of its column's. Early layers decide pose and shape,
    late ones colours.

    Args:
        source: name of a trained preset, folder of a run, or a GAN, of a generator with styles.
        rows: seeds.
        columns: seeds.
        layers: which styles come from the column, from 0.
        psi: of the truncation.
        labels: class of all images, for a conditional generator.
        output: file to write.

    Returns:
        The `pathlib.Path` of the picture.

    Raises:
        ValueError: for layers that the generator does not have, or a generator without styles.
    """
    styled = Styled(source)
    layers = [checks.count("layers", layer, 0) for layer in layers]
    if not layers or max(layers) >= styled.num_styles:
        raise ValueError(
            f"`layers` are numbers of styles, of 0 to {styled.num_styles - 1}. "
            f"Received: layers={layers}"
        )
    down = styled.styles(rows, labels=labels, psi=psi)
    across = styled.styles(columns, labels=labels, psi=psi)
    mixed = np.repeat(down[:, None], len(across), axis=1)
    mixed[:, :, layers] = across[None][:, :, layers]
    made = styled.images(np.concatenate([mixed.reshape(-1, *down.shape[1:]), down, across]))
    number = len(down) * len(across)
    inner, left = made[:number], made[number : number + len(down)]
    top = made[number + len(down) :]
    cells = [np.ones_like(top[0]), *top]
    for place, beside in enumerate(left):
        cells += [beside, *inner[place * len(across) : (place + 1) * len(across)]]
    return image.save(np.stack(cells), output, columns=len(across) + 1)


def walk_styles(
    source: Source,
    seeds: Sequence[int],
    output: str | Path = "walk.webp",
    *,
    steps: int = 20,
    psi: float = 1.0,
    labels: int | str | None = None,
    duration: int = 50,
) -> Path:
    """Animates the straight way through the styles of seeds, and back to the first.

    In W a straight line changes an image more evenly than a great circle between latents does
    (Karras 2019, section 4.1, perceptual path length).

    Args:
        source: as for `mix_styles`.
        seeds: two or more.
        output: file to write, as for `interpolate`.
        steps: frames from one seed to the next.
        psi: of the truncation.
        labels: class of all images, for a conditional generator.
        duration: time of a frame, in milliseconds.

    Returns:
        The `pathlib.Path` written.
    """
    if len(seeds) < 2:
        raise ValueError(f"A way leads between two seeds or more. Received: seeds={list(seeds)}")
    styled, shares = Styled(source), np.arange(checks.count("steps", steps)) / steps
    ends = styled.styles(seeds, labels=labels, psi=psi)
    path = [latent.lerp(start, end, shares) for start, end in zip(ends, [*ends[1:], ends[0]])]
    frames = list(image.to_uint8(styled.images(np.concatenate(path))))
    return image.animate(frames, output, duration, hold=duration)


def style_directions(
    source: Source | keras.Model,
    number: int = 8,
    method: str = "ganspace",
    layers: Sequence[int] | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Returns directions of styles that change images most, without labels.

    `"ganspace"`: the principal components of 10,000 drawn styles, each as long as their standard
    deviation along it (Härkönen 2020, section 2.1). `"sefa"`: the eigenvectors of `A A^T` of the
    largest eigenvalues, A being the kernels of the affine layers side by side, each of length 1
    (Shen 2021, equation 6).

    >>> generator = keras_gans.networks.stylegan2_generator((16, 16, 3), 8, 8, width=4)
    >>> style_directions(generator, 2, "sefa").shape
    (2, 8)

    Args:
        source: as for `mix_styles`, or a generator.
        number: how many; there are at most `style_dim`.
        method: `"ganspace"` or `"sefa"`.
        layers: of SeFa, the styles whose affine layers count; `None` for all.
        seed: of the drawn styles.

    Returns:
        float32 array `(number, style_dim)`: `styles + 2 * directions[0]` moves styles.

    Raises:
        ValueError: for another method, too many directions, or a generator without styles.
    """
    styled = Styled(source)
    if method not in _METHODS:
        raise ValueError(f"`method` must be one of {_METHODS}. Received: method={method!r}")
    if checks.count("number", number) > styled.style_dim:
        raise ValueError(
            f"There are {styled.style_dim} directions at most. Received: number={number}"
        )
    if method == "sefa":
        kernel = np.concatenate(_affine_kernels(styled, layers), axis=1).astype("float64")
        _, vectors = np.linalg.eigh(kernel @ kernel.T)  # eigenvalues upwards
        found = vectors.T[::-1][:number]
    else:
        w = _drawn_styles(styled, seed)
        values, vectors = np.linalg.eigh(np.cov(w, rowvar=False))
        found = (vectors * np.sqrt(np.maximum(values, 0.0))).T[::-1][:number]
    largest = np.take_along_axis(found, np.abs(found).argmax(1, keepdims=True), 1)
    return (found * np.sign(largest)).astype("float32")


def _affine_kernels(styled, layers):
    """The kernels of the layers that make factors of styles, `(style_dim, channels)` each."""
    blocks = [x for x in styled.synthesis.layers if hasattr(x, "affine")]
    # In the order of the styles; the image's own layers share theirs with the next block.
    kernels = [x.affine.kernel.numpy() for x in blocks if not x.name.endswith("to_rgb")]
    kernels.append([x for x in blocks if x.name.endswith("to_rgb")][-1].affine.kernel.numpy())
    chosen = range(len(kernels)) if layers is None else layers
    return [kernels[checks.count("layers", place, 0)] for place in chosen]


def _drawn_styles(styled, seed, number=_DRAWN):
    drawn = generation.draw(styled.interface, number, seed=seed)
    found = generation.fill(styled.interface, number, drawn, {}, seed)
    return generation.run(styled.mapping, styled.of_mapping(found), 1000)[0].astype("float64")


@dataclasses.dataclass(frozen=True)
class ProjectedStyle:
    """What `project_style` found.

    Attributes:
        styles: float32 `(1, num_styles, style_dim)`, for `Styled.images`.
        image: what the generator makes of them, with its own noise, `(height, width, channels)`.
        target: the image wanted.
        losses: the perceptual distance at each step.
        frames: `uint8` images on the way, for `image.animate`.
    """

    styles: np.ndarray
    image: np.ndarray
    target: np.ndarray
    losses: list[float]
    frames: list[np.ndarray]


def project_style(
    source: Source,
    target: str | Path | np.ndarray,
    *,
    plus: bool = False,
    steps: int = 500,
    learning_rate: float = 0.1,
    features: str | PerceptualLoss = "efficientnet_lite0_v1",
    every: int = 10,
    seed: int = 0,
    verbose: int = 1,
) -> ProjectedStyle:
    """Finds the styles whose image is like a given one (Karras 2020, section 5 and appendix D).

    From the average style on, Adam minimizes the perceptual distance; noise on the styles fades
    away over three quarters of the steps. Noise maps are optimized, too, and kept free of
    correlations at all scales, so that no image hides in them; what is returned has the
    generator's own noise again.

    Args:
        source: as for `mix_styles`.
        target: path of an image file, or floats in [-1, 1], `(height, width, channels)`.
        plus: a style for each layer (W+, Abdal 2019), nearer to the image; or one for all (W),
            which is edited better.
        steps: of the optimizer; the paper has 1000.
        learning_rate: largest.
        features: name of a network, as of `metrics.PerceptualDistance`, or a
            `perceptual.PerceptualLoss`.
        every: steps from one of the `frames` to the next.
        seed: of the noise.
        verbose: 1 shows progress, 0 nothing.

    Returns:
        `ProjectedStyle`.

    Raises:
        ValueError: for an image that is not such as the generator makes, or no generator with
            styles.
        ImportError: if the package with the features is not installed.
    """
    styled = Styled(source)
    shape = styled.interface.images[0].shape
    target = as_target(target, shape)
    loss = perceptual.loss(features) if isinstance(features, str) else features
    loss.require_shape(shape)
    checks.count("steps", steps)
    checks.count("every", every)
    search = _StyleSearch(styled, target, loss, plus, steps, learning_rate, seed)
    progress, losses, frames = Progress(steps, "steps", verbose), [], []
    try:
        for number in range(steps):
            losses.append(float(search.step(tf.constant(number))))
            if number % every == 0:
                frames.append(image.to_uint8(styled.images(search.styles()))[0])
            progress.update(number + 1, f"distance {losses[-1]:.4f}")
    finally:
        search.restore()
    styles = search.styles()
    result = styled.images(styles)[0]
    frames.append(image.to_uint8(result[None])[0])
    return ProjectedStyle(styles, result, target, losses, frames)


class _StyleSearch:
    """Styles and noise maps that go down a perceptual distance together."""

    def __init__(self, styled, target, loss, plus, steps, learning_rate, seed):
        self.styled, self.loss, self.steps = styled, loss, steps
        self.target, self.halves = tf.constant(target[None]), latent.halves(seed)
        w = _drawn_styles(styled, int(seed) % 2**32)
        self.spread = float(np.sqrt(np.mean(np.sum((w - w.mean(axis=0)) ** 2, axis=1))))
        start = np.tile(w.mean(axis=0), (1, styled.num_styles if plus else 1, 1))
        self.variable = keras.Variable(start.astype("float32"), name="styles")
        noises = [layer for layer in styled.synthesis.layers if hasattr(layer, "strength")]
        self.maps = [layer.map for layer in noises]
        self.own = [noise.numpy() for noise in self.maps]
        rate = _Rate(steps, checks.positive("learning_rate", learning_rate))
        self.optimizer = keras.optimizers.Adam(rate)
        self.optimizer.build([self.variable, *self.maps])

    def styles(self):
        """The styles of all layers."""
        return np.tile(self.variable, (1, self.styled.num_styles // self.variable.shape[1], 1))

    def restore(self):
        """Gives the generator its own noise again."""
        for noise, own in zip(self.maps, self.own):
            noise.assign(own)

    @tf.function
    def step(self, number):
        """One step of the optimizer; returns the perceptual distance."""
        left = tf.nn.relu(1.0 - tf.cast(number, "float32") / (_NOISY * self.steps))
        fresh = tf.random.experimental.stateless_fold_in(self.halves, number, alg="philox")
        noise = tf.random.stateless_normal(self.variable.shape, fresh, alg="philox")
        moved = [self.variable.value, *(noise_map.value for noise_map in self.maps)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for weight in moved:
                tape.watch(weight)
            styles = self.variable + _NOISE * self.spread * left**2 * noise
            repeats = (1, self.styled.num_styles // styles.shape[1], 1)
            made = self.styled.synthesis(tf.tile(styles, repeats), training=False)
            distance = tf.reduce_mean(self.loss(self.target, made))
            loss = distance + _REGULARIZED * sum(map(noise_correlation, self.maps))
        gradients = tape.gradient(loss, moved)
        self.optimizer.apply(gradients, [self.variable, *self.maps])
        for noise_map in self.maps:
            centred = noise_map - tf.reduce_mean(noise_map)
            noise_map.assign(centred * tf.math.rsqrt(tf.reduce_mean(centred**2) + 1e-8))
        return distance


def noise_correlation(noise: tf.Tensor | np.ndarray) -> tf.Tensor:
    """How much the pixels of a noise map resemble their neighbours, at all scales.

    `E[n(x, y) n(x - 1, y)]^2 + E[n(x, y) n(x, y - 1)]^2`, summed over the map and its means of 2x2
    pixels down to 8 a side (Karras 2020, appendix D).

    >>> float(noise_correlation(np.ones((8, 8, 1), "float32")))
    2.0

    Args:
        noise: float32 `(height, width, 1)`.
    """
    n, total = tf.convert_to_tensor(noise)[None], 0.0
    while True:
        for axis in (1, 2):
            total += tf.reduce_mean(n * tf.roll(n, 1, axis)) ** 2
        if min(n.shape[1:3]) <= 8:
            return total
        # Twice the mean, so that its variance is still 1.
        n = 2.0 * tf.nn.avg_pool2d(n, 2, 2, "VALID")


class _Rate(keras.optimizers.schedules.LearningRateSchedule):
    """Up over the first twentieth of the steps, and down over the last quarter as a cosine."""

    def __init__(self, steps, largest):
        self.steps, self.largest = steps, largest

    def __call__(self, step):
        share = tf.cast(step, "float32") / self.steps
        down = tf.minimum(1.0, (1.0 - share) / _COOL_DOWN)
        down = 0.5 - 0.5 * tf.cos(down * np.pi)
        return self.largest * down * tf.minimum(1.0, (share + 1.0 / self.steps) / _WARM_UP)
