"""The signatures from seeds to images: `generate` and `generate_rows`, as pixels and as PNG."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.export.graph import drawing, labels, pictures, texts
from keras_gans.export.graph.endpoint import Endpoint, encoded_name
from keras_gans.export.graph.limits import (
    Limits,
    after,
    at_least_one,
    at_most,
    in_classes,
    of_each,
    one_for_each,
    truncates,
)
from keras_gans.interface import Codes, Interface, Number

Tensors = Mapping[str, tf.Tensor]


def from_seeds(core: Callable, stated: Interface, limits: Limits) -> dict[str, Endpoint]:
    """Returns the signatures of a generator that takes latents, and labels or texts if it has any.

    Args:
        core: the generator, from its inputs in order to its outputs by name.
        stated: its interface.
        limits: of a request.

    Raises:
        ValueError: for an input of labels under a name that the signatures have for something else.
    """
    rest, codes = _specs(stated, by_row=False), stated.codes
    size = stated.latents.size

    def images(latents: tf.Tensor, given: Tensors) -> dict[str, tf.Tensor]:
        values = {**given, stated.latents.name: latents}
        made = core(*[values[port.name] for port in stated.inputs])
        return {port.name: pictures.to_uint8(made[port.name]) for port in stated.images}

    def generate(given: Tensors) -> dict[str, tf.Tensor]:
        number = given["num_images"]
        made = [tf.debugging.assert_positive(number, "`num_images` must be at least 1")]
        made += [at_most(limits.images, number, "images at once"), truncates(given["truncation"])]
        made += labels.requirements(stated.labels, given, number)
        made += texts.requirements(stated.texts, given, number)
        made += _code_requirements(codes, given)
        made += [one_for_each(given[port.name], number, port.name) for port in stated.numbers]
        given = after(made, given)
        number = given["num_images"]
        chosen = labels.for_each_image(stated.labels, given, number, given["seed"])
        chosen |= {port.name: _numbers(port, given[port.name], number) for port in stated.numbers}
        chosen |= texts.for_each_image(stated.texts, given, number)
        latents = drawing.latents(number, size, given["seed"], given["truncation"], codes)
        return images(_with_codes(latents, given, codes), chosen)

    def generate_rows(given: Tensors) -> dict[str, tf.Tensor]:
        number = tf.size(given["seed"])
        made = [at_least_one(number), at_most(limits.images, number, "images at once")]
        made.append(truncates(given["truncation"]))
        made += [in_classes(given[port.name], port.num_classes) for port in stated.labels]
        for kind, k in enumerate(codes.categorical):
            made.append(in_classes(given["categorical"][:, kind], k))
        given = after(made, given)
        latents = tf.map_fn(
            lambda row: drawing.latents(1, size, row[0], row[1], codes)[0],
            (given["seed"], given["truncation"]),
            fn_output_signature=tf.TensorSpec((size,), tf.float32),
        )
        chosen = {**given, **texts.numbers(stated.texts, given)}
        return images(_with_codes(latents, given, codes), chosen)

    whole = [
        tf.TensorSpec((), tf.int64, name="seed"),
        tf.TensorSpec((), tf.int32, name="num_images"),
        tf.TensorSpec((), tf.float64, name="truncation"),
        *rest,
    ]
    rows = [
        tf.TensorSpec((None,), tf.int64, name="seed"),
        tf.TensorSpec((None,), tf.float64, name="truncation"),
        *_specs(stated, by_row=True),
    ]
    names, said = [port.name for port in stated.images], texts.examples(stated.texts)
    return _both_forms("generate", generate, whole, 0, names, said) | _both_forms(
        "generate_rows", generate_rows, rows, 1, names, said
    )


def _specs(stated: Interface, by_row: bool) -> list[tf.TensorSpec]:
    """What is chosen beside a seed: labels, and codes for all images or for each row."""
    rows, codes, found = (None,) if by_row else (), stated.codes, labels.specs(stated.labels)
    found += texts.specs(stated.texts)
    found += [tf.TensorSpec((None,), tf.float32, name=port.name) for port in stated.numbers]
    taken = {"seed", "num_images", "truncation", "categorical", "continuous"}
    named = (*stated.labels, *stated.texts, *stated.numbers)
    if wrong := taken & {port.name for port in named}:
        raise ValueError(
            "Served generators have inputs of these names already: give the labels another name "
            "in the interface, or write `serving_default` alone with `floats_only=True` "
            f"(`--floats-only`). Received: inputs named {sorted(wrong)}"
        )
    for name, size, kind in (
        ("categorical", len(codes.categorical), tf.int32),
        ("continuous", codes.continuous, tf.float32),
    ):
        if size:
            shape = (*rows, size) if by_row else (None,)
            found.append(tf.TensorSpec(shape, kind, name=name))
    return found


def _numbers(port: Number, given: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
    """A number for each image: those given, one for all, or the default."""
    return of_each(given, number, tf.constant(0.0 if port.default is None else port.default))


def _code_requirements(codes: Codes, given: Tensors) -> list[tf.Operation]:
    made = []
    for name, size in (("categorical", len(codes.categorical)), ("continuous", codes.continuous)):
        if size:
            found = tf.size(given[name])
            says = f"Expected {size} `{name}`, or an empty list to draw them."
            fits = tf.equal(found, 0) | tf.equal(found, size)
            made.append(tf.debugging.Assert(fits, [says, tf.shape(given[name])]))
    for kind, k in enumerate(codes.categorical):
        made.append(in_classes(given["categorical"][kind : kind + 1], k))
    return made


def _with_codes(latents: tf.Tensor, given: Tensors, codes: Codes) -> tf.Tensor:
    """Latents whose codes are those given."""
    if not codes.size:
        return latents
    place = latents.shape[-1] - codes.size
    parts, number = [latents[:, :place]], tf.shape(latents)[0]
    for kind, k in enumerate(codes.categorical):
        drawn = latents[:, place : place + k]
        parts.append(_or_drawn(given["categorical"][..., kind : kind + 1], drawn, number, k))
        place += k
    if codes.continuous:
        parts.append(_or_drawn(given["continuous"], latents[:, place:], number))
    return tf.concat(parts, -1)


def _or_drawn(
    given: tf.Tensor, drawn: tf.Tensor, number: tf.Tensor, classes: int | None = None
) -> tf.Tensor:
    """Codes `(number, size)`: those given, `(size,)` for all or a row for each, or those drawn."""
    if classes is not None:
        # The axis of one code goes; without a code nothing is left.
        shape = (-1, classes) if given.shape.rank == 2 else (-1,)
        given = tf.reshape(tf.one_hot(given, classes), shape)
    if given.shape.rank == 2:
        return given
    size = drawn.shape[-1]
    padded = tf.concat([given, tf.zeros((size,))], 0)[:size]
    return tf.where(tf.size(given) > 0, tf.broadcast_to(padded, (number, size)), drawn)


def _both_forms(
    name: str,
    function: Callable,
    specs: list[tf.TensorSpec],
    rows: int,
    images: list[str],
    texts: dict[str, Any],
) -> dict[str, Endpoint]:
    """The signatures of a function, as pixels and as PNG, which share its graph."""

    @tf.function(input_signature=specs)
    def pixels(*inputs):
        return function({spec.name: value for spec, value in zip(specs, inputs)})

    @tf.function(input_signature=specs)
    def as_pixels(*inputs):
        return pixels(*inputs)

    @tf.function(input_signature=specs)
    def as_png(*inputs):
        made = pixels(*inputs)
        return {encoded_name(name, images): tf.io.encode_png(made[name]) for name in images}

    # Nothing is chosen, and so drawn; a row has to say everything.
    example = {
        spec.name: np.zeros(
            [rows if side is None else side for side in spec.shape], spec.dtype.as_numpy_dtype
        )[()]
        for spec in specs
    } | texts
    if "num_images" in example:
        example["num_images"] = np.int32(1)
    return {
        name: Endpoint(as_pixels, example),
        name.replace("generate", "generate_png"): Endpoint(as_png, example),
    }
