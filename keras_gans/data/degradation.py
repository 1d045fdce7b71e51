"""`degrade`: what happens to photographs on their way through cameras, programs and the internet.

Two rounds of blur, resizing, noise and JPEG, and at the end a sinc filter, all drawn at random
(Real-ESRGAN's second-order degradations). Everything depends on two integers alone, so that a
training that resumes sees the same images.

References:
    - Wang et al., 2021, "Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure
      Synthetic Data", arXiv:2107.10833, section 3 and appendix A, whose numbers are the defaults.
    - Zhang et al., 2021, "Designing a Practical Degradation Model for Deep Blind Image
      Super-Resolution", arXiv:2103.14006: anisotropic kernels.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from keras_gans.data.arguments import check_whole
from keras_gans.names import did_you_mean

_RADIUS = 10  # kernels have 7 to 21 pixels a side
_METHODS = ("area", "bilinear", "bicubic")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What `degrade` draws from. Pairs are ranges, drawn from uniformly.

    Attributes:
        kernels: Probabilities of isotropic, anisotropic, generalized isotropic, generalized
            anisotropic, plateau isotropic and plateau anisotropic blur; relative to their sum.
        first_sinc: Probability that the first blur is a sinc filter instead, which rings.
        second_sinc: The same of the second blur.
        final_sinc: Probability of a sinc filter at the end.
        second_blur: Probability of a second blur.
        first_sigma: Standard deviations of the first blur, in pixels.
        second_sigma: Of the second.
        generalized_beta: Shape of generalized kernels; 1 is Gaussian.
        plateau_beta: Shape of plateau kernels.
        first_resize: Probabilities to enlarge, to reduce and to keep; relative to their sum.
        second_resize: The same of the second round.
        first_range: Smallest and largest factor of the first resize.
        second_range: Of the second.
        gaussian: Probability that noise is Gaussian, and not Poisson.
        grey: Probability that noise is the same in all channels.
        first_noise: Standard deviations of Gaussian noise in the first round, of 255.
        second_noise: In the second.
        first_poisson: Factors of Poisson noise in the first round.
        second_poisson: In the second.
        first_jpeg: Qualities of JPEG in the first round.
        second_jpeg: In the second.
    """

    kernels: tuple[float, ...] = (0.45, 0.25, 0.12, 0.03, 0.12, 0.03)
    first_sinc: float = 0.1
    second_sinc: float = 0.1
    final_sinc: float = 0.8
    second_blur: float = 0.8
    first_sigma: tuple[float, float] = (0.2, 3.0)
    second_sigma: tuple[float, float] = (0.2, 1.5)
    generalized_beta: tuple[float, float] = (0.5, 4.0)
    plateau_beta: tuple[float, float] = (1.0, 2.0)
    first_resize: tuple[float, float, float] = (0.2, 0.7, 0.1)
    second_resize: tuple[float, float, float] = (0.3, 0.4, 0.3)
    first_range: tuple[float, float] = (0.15, 1.5)
    second_range: tuple[float, float] = (0.3, 1.2)
    gaussian: float = 0.5
    grey: float = 0.4
    first_noise: tuple[float, float] = (1.0, 30.0)
    second_noise: tuple[float, float] = (1.0, 25.0)
    first_poisson: tuple[float, float] = (0.05, 3.0)
    second_poisson: tuple[float, float] = (0.05, 2.5)
    first_jpeg: tuple[float, float] = (30.0, 95.0)
    second_jpeg: tuple[float, float] = (30.0, 95.0)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, default = getattr(self, field.name), field.default
            if not isinstance(default, tuple):
                fits = _is_number(value) and 0 <= value <= 1
                expected = "a probability, from 0 to 1"
            elif field.name in ("kernels", "first_resize", "second_resize"):
                fits = _are_numbers(value, len(default)) and min(value) >= 0 and sum(value) > 0
                expected = f"{len(default)} probabilities, not all 0"
            else:
                fits = _are_numbers(value, 2) and 0 <= value[0] <= value[1]
                fits = fits and (value[0] > 0 or "range" not in field.name)
                expected = "a range: two numbers, the smaller first"
            if not fits:
                raise ValueError(
                    f"`{field.name}` does not fit. Expected {expected}, such as {default}. "
                    f"Received: {field.name}={value!r}"
                )

    @classmethod
    def of(cls, changes: Mapping[str, Any]) -> "Settings":
        """Returns the defaults with some of them replaced.

        Raises:
            ValueError: For a name that is not known, or a value that does not fit.
        """
        known = [field.name for field in dataclasses.fields(cls)]
        if not isinstance(changes, Mapping):
            raise ValueError(
                "What degradations draw from is given by name. Expected True, False or a "
                f"dictionary of some of {known}. Received: degrade={changes!r}"
            )
        for name in changes:
            if name not in known:
                raise ValueError(
                    f"There is no such setting of `degrade`.{did_you_mean(name, known)} Expected "
                    f"some of {known}. Received: {name}={changes[name]!r}"
                )
        given: dict[str, Any] = {
            n: tuple(v) if isinstance(v, list) else v for n, v in changes.items()
        }
        return cls(**given)


def degrade(
    image: tf.Tensor,
    seed: tf.Tensor,
    scale: int = 4,
    *,
    settings: Settings | None = None,
    **changes: Any,
) -> tf.Tensor:
    """Returns an image degraded and `scale` times smaller.

    Two rounds of blur (isotropic, anisotropic, generalized and plateau-shaped kernels, or a sinc
    filter), a resize by a random factor and method, Gaussian or Poisson noise, in colour or grey,
    and JPEG; the second ends at the final size, with a sinc filter before or after its JPEG (Wang
    2021, figure 2). In a data set, one call an image:

    >>> images = tf.data.Dataset.from_tensors(tf.zeros((64, 64, 3), "uint8")).enumerate()
    >>> low = images.map(lambda i, x: keras_gans.data.degrade(x, tf.stack([0, i])))
    >>> next(iter(low)).shape
    TensorShape([16, 16, 3])

    `keras_gans.data.load_pairs(..., scale=4, degrade=True)` does this with every target.

    Args:
        image: `(height, width, channels)` with 1 or 3 channels: `uint8`, or floats in [-1, 1].
        seed: Two integers, on which the result depends and on nothing else.
        scale: How many times smaller it becomes, from 1.
        settings: A `Settings`; None for the paper's.
        **changes: Fields of `Settings` to replace, such as `final_sinc=0.0`.

    Returns:
        Tensor of the same type, of 256 levels, `(height // scale, width // scale, channels)`.

    Raises:
        ValueError: For an image of another shape, or a setting that is unknown or does not fit.
    """
    check_whole(scale=scale, least=1)
    settings = settings or Settings()
    if changes:
        settings = Settings.of({**dataclasses.asdict(settings), **changes})
    image = tf.convert_to_tensor(image)
    if image.shape.rank != 3 or image.shape[-1] not in (1, 3):
        raise ValueError(
            "One image is degraded at a time, grey or RGB. Expected a shape (height, width, 1) or "
            f"(height, width, 3); of a data set, `map` before `batch`. Received: {image.shape}"
        )
    draw = _Draw(seed)
    x = image if image.dtype == tf.uint8 else tf.clip_by_value((image + 1.0) * 127.5, 0.0, 255.0)
    x = tf.cast(x, tf.float32)
    sides = image.shape[:2] if image.shape.is_fully_defined() else tf.shape(image)[:2]
    small = tf.cast(tf.convert_to_tensor(sides) // scale, tf.float32)

    x = _filtered(x, _blur_kernel(draw, settings, "first"))
    x = _resized(x, tf.cast(tf.shape(x)[:2], tf.float32), draw, settings, "first")
    x = _jpeg(_noisy(x, draw, settings, "first"), draw, settings.first_jpeg)

    second = _blur_kernel(draw, settings, "second")
    x = tf.cond(draw.happens(settings.second_blur), lambda: _filtered(x, second), lambda: x)
    x = _resized(x, small, draw, settings, "second")
    x = _noisy(x, draw, settings, "second")
    x = _ended(x, tf.cast(small, tf.int32), draw, settings)

    x = tf.round(tf.clip_by_value(x, 0.0, 255.0))
    x = tf.ensure_shape(x, (*(_static(side, scale) for side in image.shape[:2]), image.shape[-1]))
    return tf.cast(x, tf.uint8) if image.dtype == tf.uint8 else x / 127.5 - 1.0


def _static(side, scale):
    return None if side is None else side // scale


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _are_numbers(values, number):
    return isinstance(values, tuple) and len(values) == number and all(map(_is_number, values))


class _Draw:
    """Random numbers of one image, each from a seed of its own."""

    def __init__(self, seed):
        self.seed, self.count = tf.convert_to_tensor(seed), 0

    def next(self):
        self.count += 1
        return tf.random.fold_in(self.seed, self.count, alg="philox")

    def uniform(self, low=0.0, high=1.0):
        return low + (high - low) * tf.random.stateless_uniform((), self.next(), alg="philox")

    def happens(self, probability):
        return self.uniform() < probability

    def one_of(self, probabilities):
        """An index, as often as its probability says."""
        total = sum(probabilities)
        ends = tf.constant([sum(probabilities[: i + 1]) / total for i in range(len(probabilities))])
        index = tf.searchsorted(ends, self.uniform()[None], side="right")[0]
        return tf.minimum(index, len(probabilities) - 1)


def _grid():
    places = tf.range(-_RADIUS, _RADIUS + 1, dtype=tf.float32)
    return places[:, None], places[None, :]


def _of_size(kernel, radius):
    """A kernel with `2 * radius + 1` pixels a side, and a sum of 1."""
    y, x = _grid()
    kernel = tf.where(tf.maximum(tf.abs(y), tf.abs(x)) <= radius, kernel, 0.0)
    return kernel / tf.reduce_sum(kernel)


def _radius(draw):
    """Of a kernel of 7, 9, ... or 21 pixels a side."""
    return tf.floor(draw.uniform(3.0, _RADIUS + 1.0 - 1e-4))


def _blur_kernel(draw, settings, order):
    """A kernel of one of six kinds, or a sinc filter (appendix A)."""
    kind, radius = draw.one_of(settings.kernels), _radius(draw)
    low, high = getattr(settings, f"{order}_sigma")
    sigmas = draw.uniform(low, high), draw.uniform(low, high)
    angle = draw.uniform(-math.pi, math.pi)
    shapes = [_shape(draw, *r) for r in (settings.generalized_beta, settings.plateau_beta)]
    shape = tf.stack([1.0, *shapes])[kind // 2]
    blur = _gaussian_like(sigmas, angle, shape, kind % 2 == 1, kind >= 4)
    sinc = _sinc(draw, radius, tf.where(radius < 6, math.pi / 3, math.pi / 5))
    chosen = tf.where(draw.happens(getattr(settings, f"{order}_sinc")), sinc, blur)
    return _of_size(chosen, radius)


def _shape(draw, low, high):
    """An exponent below 1 or above it, either as often."""
    below, above = draw.uniform(min(low, 1.0), 1.0), draw.uniform(1.0, max(high, 1.0))
    return tf.where(draw.happens(0.5), below, above)


def _gaussian_like(sigmas, angle, shape, anisotropic, plateau):
    """Gaussian, generalized Gaussian, or plateau-shaped (appendix A, eq. 5 to 7)."""
    y, x = _grid()
    first = tf.maximum(sigmas[0], 1e-2)
    second = tf.where(anisotropic, tf.maximum(sigmas[1], 1e-2), first)
    along = x * tf.cos(angle) + y * tf.sin(angle)
    across = y * tf.cos(angle) - x * tf.sin(angle)
    distance = tf.square(along / first) + tf.square(across / second)
    power = tf.pow(distance + 1e-12, shape)
    return tf.where(plateau, 1.0 / (1.0 + power), tf.exp(-0.5 * power))


def _sinc(draw, radius, lowest):
    """The ideal low-pass filter with a random cutoff (section 3.3, eq. 6)."""
    y, x = _grid()
    cutoff = draw.uniform(lowest, math.pi)
    distance = tf.sqrt(tf.square(y) + tf.square(x))
    safe = tf.maximum(distance, 1e-3)
    ring = cutoff * tf.math.special.bessel_j1(cutoff * safe) / (2 * math.pi * safe)
    return _of_size(tf.where(distance > 0, ring, tf.square(cutoff) / (4 * math.pi)), radius)


def _filtered(x, kernel):
    """An image convolved with a kernel, mirrored at its edges."""
    for axis in (0, 1):
        side = tf.shape(x)[axis]
        period = tf.maximum(2 * (side - 1), 1)
        places = tf.range(-_RADIUS, side + _RADIUS) % period
        x = tf.gather(x, tf.minimum(places, period - places) % side, axis=axis)
    planes = tf.transpose(x, (2, 0, 1))[..., None]
    planes = tf.nn.conv2d(planes, kernel[..., None, None], strides=1, padding="VALID")
    return tf.transpose(planes[..., 0], (1, 2, 0))


def _resized(x, base, draw, settings, order):
    """An image at a random factor of the size `base`, by a random method."""
    low, high = getattr(settings, f"{order}_range")
    larger, smaller = draw.uniform(min(1.0, high), high), draw.uniform(low, max(1.0, low))
    kind = draw.one_of(getattr(settings, f"{order}_resize"))
    factor = tf.stack([larger, smaller, 1.0])[kind]
    return _to_size(x, tf.cast(base * factor, tf.int32), draw)


def _to_size(x, size, draw):
    size = tf.maximum(size, 1)
    ways = [lambda m=m: tf.image.resize(x, size, m) for m in _METHODS]
    return tf.switch_case(draw.one_of((1, 1, 1)), ways)


def _noisy(x, draw, settings, order):
    """An image with Gaussian or Poisson noise (section 3.1)."""
    sigma = draw.uniform(*getattr(settings, f"{order}_noise"))
    strength = draw.uniform(*getattr(settings, f"{order}_poisson"))
    grey, seed = draw.happens(settings.grey), draw.next()

    def gaussian():
        noise = tf.random.stateless_normal(tf.shape(x), seed, alg="philox")
        return sigma * tf.where(grey, noise[..., :1], noise)

    def poisson():
        # As many levels as the image has, to the next power of 2, as in the authors' program.
        clean = tf.round(tf.clip_by_value(x, 0.0, 255.0)) / 255.0
        mean = tf.reduce_mean(clean, axis=-1, keepdims=True)
        base = tf.where(grey, mean * tf.ones_like(clean), clean)
        levels = tf.cast(tf.size(tf.unique(tf.reshape(tf.round(base * 255), [-1]))[0]), tf.float32)
        levels = tf.pow(2.0, tf.math.ceil(tf.math.log(levels) / math.log(2.0)))
        counts = tf.random.stateless_poisson(tf.shape(base), seed, base * levels, tf.float32)
        noise = (counts / levels - base) * 255.0 * strength
        return tf.where(grey, noise[..., :1], noise)

    noise = tf.cond(draw.happens(settings.gaussian), gaussian, poisson)
    return tf.clip_by_value(x + noise, 0.0, 255.0)


def _jpeg(x, draw, qualities):
    """An image written as JPEG and read again."""
    quality = tf.cast(tf.round(draw.uniform(*qualities)), tf.int32)
    pixels = tf.cast(tf.round(tf.clip_by_value(x, 0.0, 255.0)), tf.uint8)
    quality = tf.clip_by_value(quality, 1, 100)
    file = tf.raw_ops.EncodeJpegVariableQuality(images=pixels, quality=quality)
    # The fast method, TensorFlow's default, shifts the mean colour.
    read = tf.io.decode_jpeg(file, channels=x.shape[-1], dct_method="INTEGER_ACCURATE")
    return tf.cast(tf.ensure_shape(read, x.shape), tf.float32)


def _ended(x, size, draw, settings):
    """The final resize with a sinc filter, before or after JPEG, either as often (figure 2)."""
    sinc = _sinc(draw, _radius(draw), math.pi / 3)
    wanted = draw.happens(settings.final_sinc)
    seeds = draw.next(), draw.next()

    def resize(x):
        x = _to_size(x, size, _Draw(seeds[0]))
        return tf.cond(wanted, lambda: _filtered(x, sinc), lambda: x)

    def jpeg(x):
        return _jpeg(x, _Draw(seeds[1]), settings.second_jpeg)

    return tf.cond(draw.happens(0.5), lambda: jpeg(resize(x)), lambda: resize(jpeg(x)))
