"""Latents: drawing them, and moving between them.

Latents are float32 `(batch, latent_dim)`, standard normal. In many dimensions nearly all of that
normal lies in a thin shell of radius sqrt(latent_dim): hence "spherical", and hence the great
circle as the way from one latent to another (White 2016, section 2.1).
"""

import numpy as np
import tensorflow as tf

__all__ = ["average", "codes", "combine", "dim", "halves", "lerp", "new_seed", "sample", "slerp"]
__all__ += ["truncate"]


def dim(generator):
    """Length of the latents that a generator takes: its first input.

    >>> dim(keras_gans.networks.mlp_generator((2,), latent_dim=16))
    16
    """
    return generator.inputs[0].shape[-1]


def new_seed():
    """An integer that nobody knows before: another at every call."""
    return int(np.random.SeedSequence().generate_state(1)[0])


def halves(seed):
    """An integer as the two that TensorFlow's stateless functions take; `None` as new ones.

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
            f"a shorter. Received: seed={seed}"
        )
    # Two 32-bit halves: every integer of 64 bits is a seed of its own.
    return np.array([seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF], "uint32").view("int32")


def sample(num_samples, latent_dim, seed=None, truncation=None):
    """Draws standard normal latents.

    The same seed gives the same latents on every machine, and fewer are a prefix of more.

    >>> few, more = (keras_gans.latent.sample(n, 3, seed=7) for n in (1, 5))
    >>> bool((few == more[:1]).all())
    True

    Args:
        num_samples: how many.
        latent_dim: length of each.
        seed: integer; `None` draws other latents at every call.
        truncation: draw again what lies beyond plus or minus this (Brock 2019, section 3.1).
            `None` draws from the whole normal.

    Returns:
        float32 numpy array `(num_samples, latent_dim)`.

    Raises:
        ValueError: for a count below 1, a seed of more than 64 bits, or a truncation that is
            not above 0 and finite.
    """
    for name, value in (("num_samples", num_samples), ("latent_dim", latent_dim)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"`{name}` must be an integer of at least 1. Received: {value!r}")
    if truncation is not None and not 0 < truncation < np.inf:
        raise ValueError(
            "`truncation` is the largest size of a coordinate and must be above 0 and finite, or "
            f"None for no bound. Received: truncation={truncation}"
        )
    seed = halves(seed)
    shape = (int(num_samples), int(latent_dim))
    if truncation is None:
        return tf.random.stateless_normal(shape, seed, alg="philox").numpy()
    # The quantiles of a truncated normal, from uniform numbers: unlike drawing again, fewer stay
    # a prefix of more.
    uniform = tf.random.stateless_uniform(shape, seed, dtype="float64", alg="philox")
    # The error function is 1 long before 30; TensorFlow's is NaN for very large numbers.
    inside = tf.math.erf(tf.constant(min(truncation, 30.0) / np.sqrt(2.0), "float64"))
    values = np.sqrt(2.0) * tf.math.erfinv((2.0 * uniform - 1.0) * inside)
    return np.clip(values.numpy(), -truncation, truncation).astype("float32")


def codes(number, categorical, continuous, seed):
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


def _pair(start, end):
    start, end = np.asarray(start, "float32"), np.asarray(end, "float32")
    if start.shape != end.shape:
        raise ValueError(
            "Both ends of an interpolation must have one shape. "
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
    fractions = np.asarray(steps, "float32")
    if fractions.ndim != 1:
        raise ValueError(
            "`steps` must be an integer, how many; or a list of fractions of the way. "
            f"Received: steps={steps}"
        )
    return fractions


def lerp(start, end, steps):
    """Latents along the straight line from `start` to `end`.

    The middle of two normal latents is shorter than either (by sqrt(2) on average) and so is
    unlike what the generator was trained on; see `slerp`.

    Args:
        start: float array `(..., latent_dim)`.
        end: the same shape.
        steps: how many, both ends included; or the fractions of the way as an array.

    Returns:
        float32 numpy array `(steps, ..., latent_dim)`.
    """
    start, end = _pair(start, end)
    t = _fractions(steps).reshape((-1,) + (1,) * start.ndim)
    return (1.0 - t) * start + t * end


def slerp(start, end, steps):
    """Latents along the great circle from `start` to `end` (Shoemake 1985; White 2016, 2.1).

    Direction turns evenly from one end to the other; length changes evenly too, so that both
    ends are met exactly. Where the two point the same way, or exactly opposite ways, no great
    circle is singled out: the first is the straight line, the second an error.

    Args:
        start: float array `(..., latent_dim)`.
        end: the same shape.
        steps: how many, both ends included; or the fractions of the way as an array.

    Returns:
        float32 numpy array `(steps, ..., latent_dim)`.

    Raises:
        ValueError: for unlike shapes, a latent of length 0, or opposite directions.
    """
    start, end = (latent.astype("float64") for latent in _pair(start, end))
    t = _fractions(steps).astype("float64").reshape((-1,) + (1,) * start.ndim)
    from_length = np.linalg.norm(start, axis=-1, keepdims=True)
    to_length = np.linalg.norm(end, axis=-1, keepdims=True)
    if not (from_length > 0).all() or not (to_length > 0).all():
        raise ValueError(
            "A latent of length 0 has no direction to turn from. Use `lerp` for it. Received: "
            f"lengths {from_length.squeeze()} and {to_length.squeeze()}"
        )
    first, last = start / from_length, end / to_length
    # From the chord, not the dot product: arccos loses half the digits at small angles.
    angle = 2.0 * np.arctan2(
        np.linalg.norm(first - last, axis=-1, keepdims=True),
        np.linalg.norm(first + last, axis=-1, keepdims=True),
    )
    if (np.pi - angle < 1e-6).any():
        raise ValueError(
            "Opposite latents are joined by every great circle alike. Go by way of a third one. "
            f"Received: angles {angle.squeeze()} between start and end"
        )
    sine = np.where(angle < 1e-6, 1.0, np.sin(angle))
    turned = np.where(
        angle < 1e-6,
        (1.0 - t) * first + t * last,
        (np.sin((1.0 - t) * angle) * first + np.sin(t * angle) * last) / sine,
    )
    return (((1.0 - t) * from_length + t * to_length) * turned).astype("float32")


def average(latents):
    """The mean of several latents (Radford 2015, section 6.3.2: means of three are stable).

    Args:
        latents: float array `(num, latent_dim)`.

    Returns:
        float32 numpy array `(latent_dim,)`.
    """
    latents = np.asarray(latents, "float32")
    if latents.ndim != 2 or len(latents) == 0:
        raise ValueError(
            "Averaging needs a list of latents, shape `(num, latent_dim)` with num at least 1. "
            f"Received: shape {latents.shape}"
        )
    return latents.mean(axis=0)


def combine(plus, minus=()):
    """Vector arithmetic on latents (Radford 2015, section 6.3.2).

    "Smiling woman" minus "neutral woman" plus "neutral man": each concept is itself the average
    of a few latents.

    >>> import numpy as np
    >>> smiling, neutral, man = np.eye(3, dtype="float32")
    >>> keras_gans.latent.combine(plus=[smiling, man], minus=[neutral]).tolist()
    [1.0, -1.0, 1.0]

    Args:
        plus: latents `(latent_dim,)`, or groups `(num, latent_dim)` that are averaged first.
        minus: the same, taken away.

    Returns:
        float32 numpy array `(latent_dim,)`.
    """
    if not len(plus):
        raise ValueError(f"There is nothing to add. Received: plus={plus}, minus={minus}")

    def concept(latents):
        latents = np.asarray(latents, "float32")
        return average(latents) if latents.ndim == 2 else latents

    plus, minus = [[concept(latents) for latents in group] for group in (plus, minus)]
    shapes = {latents.shape for latents in (*plus, *minus)}
    if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
        raise ValueError(
            "Latents that are added must have one shape, `(latent_dim,)` or `(num, latent_dim)`. "
            f"Received: shapes {sorted(shapes)}"
        )
    return sum(plus) - sum(minus, np.float32(0.0))


def truncate(latents, psi, center=0.0):
    """Moves latents towards `center`: fewer kinds of images, each likelier.

    `center + psi * (latents - center)` (Marchesi 2017; Karras 2019, appendix B, in W).

    Args:
        latents: float array `(batch, latent_dim)`.
        psi: in [0, 1]; 1 changes nothing, 0 gives the centre.
        center: number or array `(latent_dim,)`.

    Returns:
        float32 numpy array of the shape of `latents`.
    """
    if not 0.0 <= psi <= 1.0:
        raise ValueError(f"`psi` must lie in [0, 1]. Received: psi={psi}")
    latents, center = np.asarray(latents, "float32"), np.asarray(center, "float32")
    return center + np.float32(psi) * (latents - center)
