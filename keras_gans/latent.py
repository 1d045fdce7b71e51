"""Latents: sampling, interpolation and arithmetic.

Latents are float32 `(batch, latent_dim)`, standard normal. In high dimensions nearly all samples
lie near a sphere of radius sqrt(latent_dim), so that spherical interpolation follows a great
circle from one latent to another (White 2016, section 2.1).
"""

from collections.abc import Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gans import checks

__all__ = [
    "average",
    "classes",
    "codes",
    "combine",
    "dim",
    "halves",
    "lerp",
    "new_seed",
    "random_state",
    "sample",
    "slerp",
]
__all__ += ["truncate", "with_codes"]


def dim(generator: keras.Model) -> int:
    """Returns the length of the latents that a generator takes as its first input.

    >>> dim(keras_gans.networks.mlp_generator((2,), latent_dim=16))
    16

    Raises:
        ValueError: for anything but a built `keras.Model`.
    """
    checks.a_network("generator", generator)
    return generator.inputs[0].shape[-1]


def new_seed() -> int:
    """Returns an unpredictable integer seed, different at every call."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def halves(seed: int | None) -> np.ndarray:
    """Returns a seed as the two integers of TensorFlow's stateless functions; `None` as new ones.

    >>> halves(7).tolist()
    [7, 0]
    """
    seed = new_seed() if seed is None else seed
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise ValueError(f"`seed` must be an integer, or None. Received: seed={seed!r}")
    seed = int(seed)  # NumPy's narrow integers cannot be masked and shifted by 32 bits
    if not -(2**63) <= seed < 2**63:
        raise ValueError(
            "`seed` must fit into 64 bits with its sign: a longer one would repeat the latents of "
            f"a shorter one. Received: seed={seed}"
        )
    # Two integers of 32 bits: each integer of 64 bits is a different seed.
    return np.array([seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF], "uint32").view("int32")


def sample(
    num_samples: int, latent_dim: int, seed: int | None = None, truncation: float | None = None
) -> np.ndarray:
    """Returns standard normal latents.

    The same seed gives the same latents on every machine, and fewer are a prefix of more.

    >>> few, more = (keras_gans.latent.sample(n, 3, seed=7) for n in (1, 5))
    >>> bool((few == more[:1]).all())
    True

    Args:
        num_samples: how many.
        latent_dim: length of each.
        seed: integer; `None` draws new latents at every call.
        truncation: largest absolute value of a coordinate: latents are drawn from a normal
            truncated there (Brock 2019, section 3.1). `None` for the whole normal.

    Returns:
        float32 numpy array `(num_samples, latent_dim)`.

    Raises:
        ValueError: for a count below 1, a seed of more than 64 bits, or a truncation that is
            not above 0 and finite.
    """
    shape = checks.count("num_samples", num_samples), checks.count("latent_dim", latent_dim)
    if truncation is not None:
        why = "It is the largest absolute value of a coordinate, above 0 and finite, or None."
        truncation = checks.positive("truncation", truncation, why)
    seed = halves(seed)
    if truncation is None:
        return tf.random.stateless_normal(shape, seed, alg="philox").numpy()
    # Quantiles of the truncated normal: unlike with rejection, fewer samples are a prefix of more.
    uniform = tf.random.stateless_uniform(shape, seed, dtype="float64", alg="philox")
    # The error function is 1 long before 30; TensorFlow's is NaN for very large numbers.
    inside = tf.math.erf(tf.constant(min(truncation, 30.0) / np.sqrt(2.0), "float64"))
    values = np.sqrt(2.0) * tf.math.erfinv((2.0 * uniform - 1.0) * inside)
    return np.clip(values.numpy(), -truncation, truncation).astype("float32")


def random_state(
    num_samples: int, latent_dim: int, seed: int | None = None, truncation: float | None = None
) -> np.ndarray:
    """Returns the latents of a seed in NVIDIA's programs: NumPy's `RandomState(seed).randn`.

    >>> keras_gans.latent.random_state(1, 3, seed=7).round(3)
    array([[ 1.691, -0.466,  0.033]], dtype=float32)

    Args:
        num_samples: how many; fewer are the first of more.
        latent_dim: length of each.
        seed: integer of 0 to 2**32 - 1; `None` draws new latents at every call.
        truncation: must be `None`: these programs truncate styles.

    Returns:
        float32 numpy array `(num_samples, latent_dim)`.

    Raises:
        ValueError: for another seed, or a truncation.
    """
    if truncation is not None:
        raise ValueError(
            "Seeds of this generator are those of NVIDIA's programs, which bound no latents. Use "
            f"`psi` instead, which moves styles to their average. Received: truncation={truncation}"
        )
    shape = checks.count("num_samples", num_samples), checks.count("latent_dim", latent_dim)
    if seed is not None and (checks.count("seed", seed, 0) >= 2**32):
        raise ValueError(
            "Seeds of this generator are those of NumPy's RandomState, from 0 to 2**32 - 1. "
            f"Received: seed={seed}"
        )
    return np.random.RandomState(seed).randn(*shape).astype("float32")


def codes(
    number: int | tf.Tensor, categorical: Sequence[int], continuous: int, seed: ArrayLike
) -> tf.Tensor:
    """Draws codes, the last coordinates of a latent (Chen 2016, InfoGAN).

    >>> import numpy as np
    >>> codes(2, (3, 2), 1, np.array([7, 0], "int32")).shape.as_list()
    [2, 6]

    Args:
        number: how many; an integer or a scalar tensor.
        categorical: number of classes of each categorical code, drawn evenly, one-hot.
        continuous: how many continuous codes, drawn evenly from [-1, 1].
        seed: two integers, as of `halves`.

    Returns:
        float32 tensor `(number, sum(categorical) + continuous)`.
    """
    # The first is of the noise before the codes.
    _, *seeds, last = tf.unstack(tf.random.split(seed, 2 + len(categorical), alg="philox"))
    parts = [
        tf.one_hot(tf.random.stateless_uniform((number,), s, 0, k, "int32", alg="philox"), k)
        for s, k in zip(seeds, categorical)
    ]
    parts.append(tf.random.stateless_uniform((number, continuous), last, -1.0, 1.0, alg="philox"))
    return tf.concat(parts, axis=-1)


def with_codes(
    number: int | tf.Tensor,
    latent_dim: int,
    categorical: Sequence[int],
    continuous: int,
    seed: ArrayLike,
) -> tf.Tensor:
    """Draws latents that end in codes: standard normal noise, and what `codes` draws.

    >>> import numpy as np
    >>> with_codes(2, 10, (3, 2), 1, np.array([7, 0], "int32")).shape.as_list()
    [2, 10]

    Args:
        number: how many; an integer or a scalar tensor.
        latent_dim: length of a latent, codes included.
        categorical, continuous, seed: see `codes`.

    Returns:
        float32 tensor `(number, latent_dim)`.
    """
    first = tf.random.split(seed, 2 + len(categorical), alg="philox")[0]
    shape = number, latent_dim - sum(categorical) - continuous
    noise = tf.random.stateless_normal(shape, first, alg="philox")
    return tf.concat([noise, codes(number, categorical, continuous, seed)], axis=-1)


def classes(
    number: int | tf.Tensor, num_classes: Sequence[int], seed: ArrayLike
) -> list[tf.Tensor]:
    """Draws classes of several conditions, evenly and independently of each other.

    Of each condition with k classes, every k in a row are all of its classes in a random order.

    >>> import numpy as np
    >>> first, second = classes(6, (3, 2), np.array([7, 0], "int32"))
    >>> np.bincount(first).tolist(), np.bincount(second).tolist()
    ([2, 2, 2], [3, 3])

    Args:
        number: how many; an integer or a scalar tensor. Fewer of one seed are the first of more.
        num_classes: of each condition.
        seed: two integers, as of `halves`.

    Returns:
        int32 tensors `(number,)`, one for each condition.
    """
    # Folded, not split: other numbers than those that draw the noise and the codes.
    seeds = [tf.random.fold_in(seed, 1 + place, alg="philox") for place in range(len(num_classes))]
    found = []
    for seed, k in zip(seeds, num_classes):
        keys = tf.random.stateless_uniform((-(-number // k), k), seed, alg="philox")
        found.append(tf.reshape(tf.argsort(keys), (-1,))[:number])
    return found


def _pair(start, end):
    start, end = checks.floats("start", start), checks.floats("end", end)
    if start.shape != end.shape:
        raise ValueError(
            "Both ends of an interpolation must have the same shape. "
            f"Received: start.shape={start.shape}, end.shape={end.shape}"
        )
    return start, end


def _fractions(steps):
    if isinstance(steps, (int, np.integer)) and not isinstance(steps, bool):
        if steps < 2:
            raise ValueError(
                f"`steps` counts both ends and must be at least 2. Received: steps={steps}"
            )
        return np.linspace(0.0, 1.0, steps, dtype="float32")
    fractions = checks.floats("steps", steps)
    if fractions.ndim != 1:
        raise ValueError(
            "`steps` must be an integer, or a list of fractions from 0 (start) to 1 (end). "
            f"Received: steps={steps}"
        )
    return fractions


def lerp(start: ArrayLike, end: ArrayLike, steps: int | ArrayLike) -> np.ndarray:
    """Interpolates linearly from `start` to `end`.

    The midpoint of two normal latents is shorter than either (by sqrt(2) on average), so that it
    differs from the latents that the generator was trained on; see `slerp`.

    Args:
        start: float array `(..., latent_dim)`.
        end: the same shape.
        steps: number of latents, both ends included; or fractions from 0 to 1.

    Returns:
        float32 numpy array `(steps, ..., latent_dim)`.
    """
    start, end = _pair(start, end)
    t = _fractions(steps).reshape((-1,) + (1,) * start.ndim)
    return (1.0 - t) * start + t * end


def slerp(start: ArrayLike, end: ArrayLike, steps: int | ArrayLike) -> np.ndarray:
    """Interpolates spherically from `start` to `end` (Shoemake 1985; White 2016, 2.1).

    The direction follows the great circle at constant speed, and the length changes linearly, so
    that both ends are exact. Latents of the same direction are interpolated linearly. For
    opposite directions the great circle is not defined, and this is an error.

    Args:
        start: float array `(..., latent_dim)`.
        end: the same shape.
        steps: number of latents, both ends included; or fractions from 0 to 1.

    Returns:
        float32 numpy array `(steps, ..., latent_dim)`.

    Raises:
        ValueError: for different shapes, a latent of length 0, or opposite directions.
    """
    start, end = (latent.astype("float64") for latent in _pair(start, end))
    t = _fractions(steps).astype("float64").reshape((-1,) + (1,) * start.ndim)
    from_length = np.linalg.norm(start, axis=-1, keepdims=True)
    to_length = np.linalg.norm(end, axis=-1, keepdims=True)
    if not (from_length > 0).all() or not (to_length > 0).all():
        raise ValueError(
            "A latent of length 0 has no direction. Use linear interpolation, `lerp`. Received: "
            f"lengths {from_length.squeeze()} and {to_length.squeeze()}"
        )
    first, last = start / from_length, end / to_length
    # By arctan2, as arccos of the dot product loses half the digits at small angles.
    angle = 2.0 * np.arctan2(
        np.linalg.norm(first - last, axis=-1, keepdims=True),
        np.linalg.norm(first + last, axis=-1, keepdims=True),
    )
    if (np.pi - angle < 1e-6).any():
        raise ValueError(
            "Many great circles join opposite latents. Interpolate through a third latent. "
            f"Received: angles {angle.squeeze()} between start and end"
        )
    sine = np.where(angle < 1e-6, 1.0, np.sin(angle))
    turned = np.where(
        angle < 1e-6,
        (1.0 - t) * first + t * last,
        (np.sin((1.0 - t) * angle) * first + np.sin(t * angle) * last) / sine,
    )
    return (((1.0 - t) * from_length + t * to_length) * turned).astype("float32")


def average(latents: ArrayLike) -> np.ndarray:
    """Returns the mean of several latents (Radford 2015, section 6.3.2: of three, to be stable).

    Args:
        latents: float array `(num, latent_dim)`.

    Returns:
        float32 numpy array `(latent_dim,)`.
    """
    latents = checks.floats("latents", latents)
    if latents.ndim != 2 or len(latents) == 0:
        raise ValueError(
            "Averaging needs a list of latents, shape `(num, latent_dim)` with num at least 1. "
            f"Received: shape {latents.shape}"
        )
    return latents.mean(axis=0)


def combine(plus: Sequence[ArrayLike], minus: Sequence[ArrayLike] = ()) -> np.ndarray:
    """Adds and subtracts latents (Radford 2015, section 6.3.2).

    "Smiling woman" minus "neutral woman" plus "neutral man": each concept is itself the average
    of a few latents.

    >>> import numpy as np
    >>> smiling, neutral, man = np.eye(3, dtype="float32")
    >>> keras_gans.latent.combine(plus=[smiling, man], minus=[neutral]).tolist()
    [1.0, -1.0, 1.0]

    Args:
        plus: latents `(latent_dim,)`, or groups `(num, latent_dim)` that are averaged first.
        minus: the same, subtracted.

    Returns:
        float32 numpy array `(latent_dim,)`.
    """
    for name, group in (("plus", plus), ("minus", minus)):
        if isinstance(group, str) or not isinstance(group, Iterable):
            raise ValueError(f"`{name}` must be a list of latents. Received: {name}={group!r}")

    def concept(name, latents):
        latents = checks.floats(name, latents)
        return average(latents) if latents.ndim == 2 else latents

    added, taken = [concept("plus", x) for x in plus], [concept("minus", x) for x in minus]
    if not added:
        raise ValueError(f"`combine` needs a latent to add. Received: plus={plus}, minus={minus}")
    shapes = {latents.shape for latents in (*added, *taken)}
    if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
        raise ValueError(
            "Latents that are added must have one shape, `(latent_dim,)` or `(num, latent_dim)`. "
            f"Received: shapes {sorted(shapes)}"
        )
    return np.sum(added, axis=0) - np.sum([*taken, np.zeros_like(added[0])], axis=0)


def truncate(latents: ArrayLike, psi: float, center: ArrayLike = 0.0) -> np.ndarray:
    """Moves latents towards `center`: less variety, and more typical images.

    `center + psi * (latents - center)` (Marchesi 2017; Karras 2019, appendix B, in W).

    Args:
        latents: float array `(batch, latent_dim)`.
        psi: in [0, 1]; 1 changes nothing, 0 gives the centre.
        center: number or array `(latent_dim,)`.

    Returns:
        float32 numpy array of the shape of `latents`.

    Raises:
        ValueError: for a `psi` outside [0, 1], and for what is not made of finite numbers.
    """
    if checks.weight("psi", psi) > 1.0:
        raise ValueError(f"`psi` must lie in [0, 1]. Received: psi={psi}")
    latents, center = checks.floats("latents", latents), checks.floats("center", center)
    if center.ndim and center.shape != latents.shape[-1:]:
        raise ValueError(
            "`center` must be a number, or one latent. "
            f"Received: center.shape={center.shape}, latents.shape={latents.shape}"
        )
    return center + np.float32(psi) * (latents - center)
