"""The signatures of a SavedModel, derived from the interface of its generator."""

import keras
import tensorflow as tf

from keras_gans import image
from keras_gans.export import signatures
from keras_gans.export.graph import tiles
from keras_gans.export.graph.endpoint import Endpoint
from keras_gans.export.graph.generating import from_seeds
from keras_gans.export.graph.limits import (
    TOGETHER,
    Limits,
    at_least_one,
    at_most,
    in_classes,
    limits,
)
from keras_gans.export.graph.tiles import TILE
from keras_gans.export.graph.translating import from_images
from keras_gans.interface import Image, Interface, Label, Port

__all__ = ["Endpoint", "Limits", "endpoints", "limits", "require_range"]


def endpoints(
    generator: keras.Model,
    limits: Limits,
    stated: Interface | None = None,
    floats_only: bool = False,
    tile_size: int = TILE,
    margin: int | None = None,
) -> dict[str, Endpoint]:
    """Returns every signature of a generator, by name, `serving_default` first.

    From latents and labels come `generate` and related ones; from one image and labels `translate`.
    Other inputs, such as texts and styles, have `serving_default` alone.

    Args:
        generator: a built `keras.Model`.
        limits: of a request.
        stated: its interface, codes included; `None` for `signatures.interface_of`.
        floats_only: `serving_default` alone.
        tile_size: side of the tiles of a network that enlarges images of any size.
        margin: of the tiles; `None` for `tiles.margin`.

    Raises:
        ValueError: for anything that is not a generator.
    """
    stated = stated or signatures.interface_of(generator)
    specs = signatures.signature(generator)
    core = signatures.function(generator, specs)
    if cut := tiles.of(generator, stated, tile_size, margin):
        core = tiles.by_tiles(core, stated, cut)

    enlarged = sum(float(port.scale) ** 2 for port in stated.images)

    @tf.function(input_signature=specs)
    def serving_default(*inputs):
        number = tf.shape(inputs[0], "int64")[0]
        made = [at_least_one(number), at_most(limits.images, number, "images at once")]
        for port, given in zip(stated.inputs, inputs):
            made += _requirements(port, given, limits, enlarged)
        with tf.control_dependencies(made):
            return core(*map(tf.identity, inputs))

    found = {"serving_default": Endpoint(serving_default, signatures.examples(generator, 1, 0))}
    if floats_only or not stated.images:
        return found
    others = len(stated.inputs) - len(stated.labels) - len(stated.numbers)
    if others == 1 and stated.latents:
        return found | from_seeds(core, stated, limits)
    if others == 1 and not stated.numbers and stated.image and stated.image.channels in (1, 3):
        found |= from_images(generator, core, stated, limits)
    return found


def _requirements(
    port: Port, given: tf.Tensor, limits: Limits, enlarged: float
) -> list[tf.Operation]:
    """The checks of one input; `enlarged`: pixels made of each that is sent."""
    if isinstance(port, Label):
        return [in_classes(given, port.num_classes)]
    if not isinstance(port, Image) or None not in port.shape[:2]:
        return []
    shape = tf.shape(given, "int64")
    area = tf.reduce_prod(shape[1:3])
    made = tf.cast(shape[0] * area, "float64") * max(1.0, enlarged)
    return [
        at_most(limits.pixels, area, "pixels of an image"),
        at_most(limits.total_pixels, made, TOGETHER),
    ]


def require_range(generator: keras.Model) -> None:
    """Raises ValueError if images of a generator are seen to leave [-1, 1]."""
    stated = signatures.interface_of(generator)
    if not stated.images:
        return
    made = signatures.outputs_of(generator, signatures.examples(generator, 4, 0).values())
    for port in stated.images:
        try:
            image.to_uint8(made[port.name])
        except ValueError as error:
            raise ValueError(
                "Images of this generator leave [-1, 1], and would be served clipped. End it with "
                "`tanh` or rescale, or export without pictures: `floats_only=True` "
                f"(`--floats-only`). Received: {generator.name!r} ({error})"
            ) from error
