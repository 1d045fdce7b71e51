"""Coupled DCGAN networks, which share layers (Liu 2016, CoGAN, section 3)."""

import functools
import itertools
from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.networks import dcgan
from keras_gans.networks.augmented import augmented
from keras_gans.typing import Augment

DOMAINS = ("first", "second")


def coupled_dcgan_generator(
    image_shape: Sequence[int],
    latent_dim: int = 128,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    own_layers: int = 1,
    last_kernel: int | None = None,
    domains: Sequence[str] = DOMAINS,
    name: str = "coupled_dcgan_generator",
) -> keras.Model:
    """Two DCGAN generators in one network: they share all layers but the last.

    The first layers decide what is on an image, and the last ones draw it, so that one latent is
    the same thing in both domains (Liu 2016, section 3). What is shared is there once.

    >>> pair = keras_gans.networks.coupled_dcgan_generator((28, 28, 1), domains=("digit", "edges"))
    >>> pair.output_shape
    [(None, 28, 28, 1), (None, 28, 28, 1)]

    Args:
        image_shape: `(height, width, channels)` of both domains, 16 or more a side.
        latent_dim: length of a latent.
        width, max_width, depth, kernel_size: see `dcgan_generator`.
        own_layers: how many of the last layers each domain has for itself; the dense layer is the
            first, and there is one more for each step of `depth`. All of them: nothing is shared.
        last_kernel: size in pixels of one more layer, which draws the images from `width` feature
            maps of their size, as the paper's last layer does (6). Outlines, for example, can be
            drawn so from what is shared. `None`: the last step of `depth` makes the images.
        domains: names of the outputs.
        name: of the model.

    Returns:
        A `keras.Model` from `(batch, latent_dim)` to two outputs of images `(batch, *image_shape)`,
        float32 in [-1, 1].

    Raises:
        ValueError: for a shape or a number that cannot be built, or more layers of their own than
            there are.
    """
    *sides, channels = checks.image_shape(image_shape, minimum=16)
    made = channels if last_kernel is None else checks.count("width", width)
    backbone = dcgan.Backbone((*sides, made), width, max_width, depth, kernel_size)
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    levels = reversed(range(len(backbone.filters)))
    steps: list[dcgan.Block] = [
        lambda x: dcgan.normalized(backbone.dense(x)),
        *(functools.partial(backbone.up, level=level) for level in levels),
    ]
    if last_kernel is not None:
        size, resized = checks.count("last_kernel", last_kernel), steps.pop()
        steps.append(lambda x: dcgan.normalized(resized(x)))
        steps.append(lambda x: dcgan.drawn(x, channels, size))
    shared = len(steps) - _own(own_layers, len(steps))
    x = dcgan.chained(latents, steps[:shared])
    images = [
        backbone.in_range(dcgan.chained(x, steps[shared:]), name=domain)
        for domain in _names(domains)
    ]
    return keras.Model(latents, images, name=name)


def coupled_dcgan_discriminator(
    image_shape: Sequence[int],
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    own_layers: int = 1,
    batch_normalization: bool = True,
    dropout: float = 0.0,
    augment: Augment = (),
    domains: Sequence[str] = DOMAINS,
    name: str = "coupled_dcgan_discriminator",
) -> keras.Model:
    """Two DCGAN discriminators in one network: they share all layers but the first.

    Each looks at the images of its own domain alone (Liu 2016, section 3).

    >>> pair = keras_gans.networks.coupled_dcgan_discriminator((28, 28, 1))
    >>> pair.output_shape
    [(None, 1), (None, 1)]

    Args:
        image_shape: `(height, width, channels)` of both domains, 16 or more a side.
        width, max_width, depth, kernel_size: see `dcgan_discriminator`.
        own_layers: how many of the first layers each domain has for itself; there is one for each
            step of `depth`, and the logit is the last. All of them: nothing is shared.
        batch_normalization, dropout, augment: see `dcgan_discriminator`.
        domains: names of the inputs.
        name: of the model.

    Returns:
        A `keras.Model` from two inputs of images `(batch, *image_shape)` to two outputs of logits
        `(batch, 1)`, float32.

    Raises:
        ValueError: for a shape or a number that cannot be built, or more layers of their own than
            there are.
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    levels, names = len(backbone.filters), _names(domains)
    own = _own(own_layers, levels + 1)
    checks.share("dropout", dropout)

    def made(level):
        """New layers of one step; the last ends in the logit."""
        if level < levels:
            return backbone.down(level, batch_normalization)
        forgetting = [layers.Dropout(dropout)] if dropout else []
        return [layers.Flatten(), *forgetting, dcgan.head()]

    of_each = [[made(level) for level in range(own)] for _ in names]
    shared = [made(level) for level in range(own, levels + 1)]
    images = [keras.Input(backbone.image_shape, name=domain) for domain in names]
    logits = []
    for x, domain, first in zip(images, names, of_each):
        x = augmented(x, augment)
        x = dcgan.chained(x, itertools.chain(*first, *shared))
        # The layer before may be that of both, and outputs have names of their own.
        logits.append(layers.Activation("linear", dtype="float32", name=f"{domain}_logits")(x))
    return keras.Model(images, logits, name=name)


def _own(own_layers, number):
    """Checks how many of the layers are not shared."""
    if checks.count("own_layers", own_layers) > number:
        raise ValueError(
            f"The networks have fewer layers than each domain is to have for itself. Expected "
            f"`own_layers` from 1 to {number}, of which {number} shares nothing; or a larger "
            f"`depth`. Received: own_layers={own_layers}"
        )
    return own_layers


def _names(domains):
    """Checks the names of two domains."""
    names = list(domains) if not isinstance(domains, str) else [domains]
    usable = all(isinstance(name, str) and name.isidentifier() for name in names)
    if len(names) != 2 or not usable or names[0] == names[1] or "latents" in names:
        raise ValueError(
            "`domains` names two domains, as inputs and outputs are called: two different "
            f"identifiers, such as {DOMAINS}. Received: domains={domains!r}"
        )
    return names
