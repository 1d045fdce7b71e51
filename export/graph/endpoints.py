"""The signatures of a SavedModel, derived from the interface of its generator."""

import keras
import tensorflow as tf

from keras_gans import image
from keras_gans.export import signatures
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
from keras_gans.export.graph.translating import from_images
from keras_gans.interface import Image, Interface, Label

__all__ = ["Endpoint", "Limits", "endpoints", "limits", "require_range"]


def endpoints(
    generator: keras.Model,
    limits: Limits,
    stated: Interface | None = None,
    floats_only: bool = False,
) -> dict[str, Endpoint]:
    """Returns every signature of a generator, by name, `serving_default` first.

    From latents and labels come `generate` and its kin; from one image and labels `translate`.
    Other inputs, such as texts and styles, have `serving_default` alone.

    Args:
        generator: a built `keras.Model`.
        limits: of a request.
        stated: its interface, codes included; `None` for `signatures.interface_of`.
        floats_only: `serving_default` alone.

    Raises:
        ValueError: for anything that is not a generator.
    """
    stated = stated or signatures.interface_of(generator)
    specs = signatures.signature(generator)
    core = signatures.function(generator, specs)

    @tf.function(input_signature=specs)
    def serving_default(*inputs):
        number = tf.shape(inputs[0], "int64")[0]
        made = [at_least_one(number), at_most(limits.images, number, "images at once")]
        for port, given in zip(stated.inputs, inputs):
            made += _requirements(port, given, limits)
        with tf.control_dependencies(made):
            return core(*map(tf.identity, inputs))

    found = {"serving_default": Endpoint(serving_default, signatures.examples(generator, 1, 0))}
    if floats_only or not stated.images:
        return found
    others = len(stated.inputs) - len(stated.labels)
    if others == 1 and stated.latents:
        return found | from_seeds(core, stated, limits)
    if others == 1 and stated.image and stated.image.channels in (1, 3):
        found |= from_images(generator, core, stated, limits)
    return found


def _requirements(port, given: tf.Tensor, limits: Limits) -> list[tf.Operation]:
    """The checks of one input."""
    if isinstance(port, Label):
        return [in_classes(given, port.num_classes)]
    if not isinstance(port, Image) or None not in port.shape[:2]:
        return []
    shape = tf.shape(given, "int64")
    area = tf.reduce_prod(shape[1:3])
    return [
        at_most(limits.pixels, area, "pixels of an image"),
        at_most(limits.total_pixels, shape[0] * area, TOGETHER),
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
