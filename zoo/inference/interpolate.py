"""A walk through latents, from seed to seed and back, as an animation."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gans import checks, generation, image, latent
from keras_gans.names import deprecated, did_you_mean, renamed
from keras_gans.zoo.inference.generate import (
    Classes,
    Source,
    columns_of,
    draw_latents,
    drawn_classes,
    largest_image,
    make,
    open_latent_gan,
    require_fits,
)

# The longest side that a format holds; of a film, that players show.
_SIDES = {"gif": 65_535, "webp": 16_383, "mp4": 8_192}

# Along great circles, or along straight lines.
INTERPOLATIONS = ("spherical", "linear")

_LONGEST = 655_350  # milliseconds of a frame


@renamed(out="output")
def interpolate(
    source: Source,
    output: str | Path = "interpolation.gif",
    *,
    seeds: Iterable[int] = range(6),
    labels: Classes | None = None,
    steps: int = 20,
    loops: int = 1,
    interpolation: str = "spherical",
    truncation: float | None = None,
    scale: int | None = None,
    duration: int = 50,
    best: bool = False,
    **inputs: Any,
) -> Path:
    """Animates the way through the images of seeds, and back to the first.

    The way leads along great circles (`latent.slerp`; White 2016, section 2.1): halfway between
    two latents a straight line is nearer to the origin than nearly every latent that the generator
    was trained on. An InfoGAN's codes change evenly beside it.

    >>> path = interpolate("dcgan_digits_28", "walk.webp", seeds=range(3), steps=4)
    >>> path.name
    'walk.webp'

    Args:
        source: name of a trained preset, folder of a run, or a GAN.
        output: file to write: `.gif`, `.webp` or `.mp4`; see `image.animate`.
        seeds: integers, two or more for each loop.
        labels: classes to show beside each other on the same way, by a generator that takes
            `labels`, as numbers or names; `None` for all.
        steps: frames from one seed to the next.
        loops: walks below each other. The seeds are dealt out to them in order, as many to each.
        interpolation: `"spherical"`, or `"linear"` to see the difference.
        truncation: of the seeds' latents: see `latent.sample`.
        scale: pixels of the animation for a pixel of an image, across and down; `None` for as many
            as make small images about 112 pixels a side.
        duration: time of a frame, in milliseconds.
        best: see `open_gan`.
        **inputs: by the name of a condition, classes to show beside each other, as `labels`; of
            several conditions those left out are drawn for each loop. `categorical` of an InfoGAN
            likewise. Of an input of numbers, such as the `psi` of StyleGAN2, one for all. Several
            outputs of a generator stand beside each other.

    Returns:
        The `pathlib.Path` written.

    Raises:
        ValueError: for a format that cannot be written, seeds that do not divide into loops of two
            or more, labels that `source` does not take, or if it makes no images from latents.
        ImportError: for an MP4, if what writes it is not installed.
    """
    output, seeds = Path(output), list(seeds)
    if "linear" in inputs:
        deprecated("interpolate(linear=...)", "interpolate(interpolation=...)")
        interpolation = "linear" if inputs.pop("linear") else "spherical"
    if interpolation not in INTERPOLATIONS:
        raise ValueError(
            f"There is no such interpolation.{did_you_mean(str(interpolation), INTERPOLATIONS)} "
            f"Expected one of {list(INTERPOLATIONS)}. Received: interpolation={interpolation!r}"
        )
    suffix = _require_possible(output, seeds, steps, loops, duration)
    gan = open_latent_gan(source, best)
    described, options = gan.interface(gan.generator_role), {"labels": labels, **inputs}
    generation.require_options(described, options, type(gan).__name__)
    columns = columns_of(described, options)
    shape, across = largest_image(gan), len(columns) * len(described.images)
    scale = image.visible_scale(shape) if scale is None else scale
    require_fits(len(seeds) * steps * across, shape, scale)
    _require_side(suffix, scale * max(loops * shape[0], across * shape[1]))
    ways = draw_latents(gan, seeds, truncation).reshape(loops, len(seeds) // loops, -1)
    path = walk(ways.swapaxes(0, 1), steps, interpolation == "linear", described.noise)
    frames = len(path)
    # A row of every frame for each loop; in it, columns for each class and each output.
    drawn = drawn_classes(described, columns, seeds[:: len(seeds) // loops])
    drawn = {name: np.tile(classes, frames) for name, classes in drawn.items()}
    numbers = {
        port.name: generation.numbers(port, options.get(port.name), frames * loops)
        for port in described.numbers
    }
    made = make(gan, path.reshape(frames * loops, -1), columns, {**options, **drawn, **numbers})
    batches = generation.same_size([image.to_uint8(images) for images in made.values()])
    images = image.enlarge(image.side_by_side(batches), scale)
    images = images.reshape(frames, loops * across, *images.shape[1:])
    pictures = [image.grid(panels, across if across > 1 else None) for panels in images]
    return image.animate(pictures, output, duration, hold=duration)


def _require_possible(out, seeds, steps, loops, duration):
    """Raises ValueError for an animation that cannot be; returns the suffix of its file."""
    suffix = out.suffix.lower().removeprefix(".")
    if suffix not in image.ANIMATIONS:  # now, and not after all images are made
        raise ValueError(
            f"Animations cannot be written in that format.{did_you_mean(suffix, image.ANIMATIONS)} "
            f"Expected a file that ends in one of {image.ANIMATIONS}. Received: {str(out)!r}"
        )
    checks.count("steps", steps)
    checks.count("loops", loops)
    checks.count("duration", duration, 10)
    if duration > _LONGEST:
        raise ValueError(
            f"`duration` must be at most {_LONGEST:,} milliseconds, the most that a GIF holds. "
            f"Received: duration={duration}"
        )
    if len(seeds) % loops or len(seeds) < 2 * loops:
        raise ValueError(
            "These seeds make no such loops. Expected two seeds or more for each loop, and as many "
            f"for each. Received: {len(seeds)} seeds for {loops} loop(s)"
        )
    return suffix


def _require_side(suffix, side):
    """Raises ValueError for frames of so many pixels, at most, on their longer side."""
    if side > _SIDES[suffix]:
        raise ValueError(
            "The frames are too large for that format. Take a smaller `scale`, or fewer classes or "
            f"loops. Expected at most {_SIDES[suffix]:,} pixels a side in .{suffix}. "
            f"Received: frames of {side:,} pixels"
        )


def walk(
    latents: np.ndarray,
    steps: int,
    linear: bool = False,
    noise_dim: int | Sequence[bool] | None = None,
) -> np.ndarray:
    """Latents on the way from each to the next, and from the last to the first.

    >>> latents = np.eye(3, dtype="float32")
    >>> walk(latents, steps=2)[1].round(4)
    array([0.7071, 0.7071, 0.    ], dtype=float32)

    Args:
        latents: float array `(number, ..., latent_dim)`.
        steps: how many from one to the next, the first included and the last not.
        linear: along straight lines, not great circles.
        noise_dim: how many of the coordinates are normal noise, or of each whether it is
            (`Interface.noise`); the codes change evenly. `None` for all.

    Returns:
        float32 array `(number * steps, ..., latent_dim)`.
    """
    fractions = np.arange(steps) / steps
    noise = np.ones(latents.shape[-1], bool)
    if noise_dim is not None:
        whole = np.ndim(noise_dim) == 0
        noise = np.arange(len(noise)) < noise_dim if whole else np.array(noise_dim, bool)
    parts = []
    for start, end in zip(latents, np.roll(latents, -1, axis=0)):
        straight = latent.lerp(start, end, fractions)
        if not linear:
            straight[..., noise] = latent.slerp(start[..., noise], end[..., noise], fractions)
        parts.append(straight)
    return np.concatenate(parts)
