"""The signatures of a SavedModel: what a client can ask for, and how much at once."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_gans import checks, image, labels, networks
from keras_gans.export import signatures
from keras_gans.export.graph import drawing, pictures
from keras_gans.layers import SeededDropout

# A generator of images of any size gets them at the size the papers train at.
_OPEN_SIDE = 256
_TOGETHER = "pixels of all images of a request"


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much one request may ask for; more is an error, before the work begins.

    Attributes:
        images: made at once.
        pixels: height times width of an image sent.
        total_pixels: of all images sent together, or made of them, if those are more.
    """

    images: int
    pixels: int
    total_pixels: int


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A signature: a `tf.function` with named inputs, and inputs to try it with."""

    function: Callable
    example: dict


def limits(generator, max_images=None, max_pixels=2**22, max_total_pixels=None):
    """`Limits` of a generator. By default as many images as make 2**20 pixels, at most 256, and
    together four times the pixels of one."""
    if max_images is None:
        sides = generator.outputs[0].shape[1:-1]
        area = int(np.prod([side or _OPEN_SIDE for side in sides]))
        max_images = min(max(2**20 // area, 1), 256)
    checks.count("max_pixels", max_pixels)
    if max_total_pixels is None:
        max_total_pixels = 4 * max_pixels
    checks.count("max_total_pixels", max_total_pixels, max_pixels)
    return Limits(checks.count("max_images", max_images), max_pixels, max_total_pixels)


def endpoints(generator, limits, codes=None, floats_only=False):
    """Every signature of a generator, by name.

    Args:
        generator: a built `keras.Model`.
        limits: a `Limits`.
        codes: `drawing.Codes`, what the last coordinates of a latent mean.
        floats_only: `serving_default` alone.

    Returns:
        Dict of `Endpoint`s, `serving_default` first.

    Raises:
        ValueError: for anything that is not a generator, or codes that its latents cannot hold.
    """
    specs = signatures.signature(generator)
    core, codes = signatures.function(generator, specs), codes or drawing.Codes()
    first, *told = specs
    if codes.size and (first.name != "latents" or codes.size >= first.shape[-1]):
        raise ValueError(
            "These codes do not fit the generator: its latents hold them and at least one "
            f"coordinate of noise. Received: {codes} for inputs of shape {first.shape}"
        )
    classes = labels.num_classes(generator) if told else None

    @tf.function(input_signature=specs)
    def serving_default(*inputs):
        shape = tf.shape(inputs[0], "int64")
        made = [_some(shape[0]), _at_most(limits.images, shape[0], "images at once")]
        if told:
            made.append(_classes(inputs[1], classes))
        elif first.name == "images" and None in first.shape[1:3]:
            area = tf.reduce_prod(shape[1:3])
            made.append(_at_most(limits.pixels, area, "pixels of an image"))
            made.append(_at_most(limits.total_pixels, shape[0] * area, _TOGETHER))
        with tf.control_dependencies(made):
            return core(*map(tf.identity, inputs))

    found = {"serving_default": Endpoint(serving_default, signatures.examples(generator, 1, 0))}
    if floats_only or not _makes_images(generator):
        return found
    if first.name == "latents":
        return found | _from_seeds(core, first.shape[-1], classes, codes, limits)
    if first.shape[-1] in (1, 3):
        found |= _from_images(generator, core, first, limits)
    return found


def require_range(generator):
    """Raises ValueError if images of a generator are seen to leave [-1, 1]."""
    if not _makes_images(generator):
        return
    inputs = list(signatures.examples(generator, 4, 0).values())
    made = generator(inputs if len(inputs) > 1 else inputs[0], training=False)
    try:
        image.to_uint8(made)
    except ValueError as error:
        raise ValueError(
            "Images of this generator leave [-1, 1], and would be served clipped. End it with "
            "`tanh` or rescale, or export without pictures: `floats_only=True` "
            f"(`--floats-only`). Received: {generator.name!r} ({error})"
        ) from error


def _makes_images(generator):
    shape = generator.outputs[0].shape
    return len(shape) == 4 and shape[-1] in (1, 3, 4)


# ---- checks inside the graph


def _at_most(limit, number, what):
    return tf.debugging.assert_less_equal(
        number, tf.constant(limit, number.dtype), f"This model takes at most {limit} {what}."
    )


def _some(number):
    return tf.debugging.assert_positive(number, "Expected at least one image or row.")


def _classes(given, classes):
    inside = tf.reduce_all((given >= 0) & (given < classes))
    says = f"A label or code is out of range. Expected 0 to {classes - 1}."
    return tf.debugging.Assert(inside, [says, given], summarize=8)


def _bounds(truncation):
    inside = tf.reduce_all((truncation >= 0.0) & (truncation < np.inf))
    says = "`truncation` is 0, for none, or the largest size of a coordinate: above 0 and finite."
    return tf.debugging.Assert(inside, [says, truncation], summarize=8)


def _after(made, given):
    """What a request gives, to be used once all checks are made."""
    with tf.control_dependencies(made):
        return {name: tf.identity(value) for name, value in given.items()}


def _for_each(values, number, name):
    """Checks that there are as many as images, or one for all, or none."""
    size = tf.size(values)
    fits = (size <= 1) | tf.equal(size, number)
    says = f"Expected as many `{name}` as images, or one for all, or an empty list."
    return tf.debugging.Assert(fits, [says, size])


# ---- seeds to images


def _from_seeds(core, dim, classes, codes, limits):
    """`generate` and `generate_rows`, as pixels and as PNG."""
    whole = [
        tf.TensorSpec((), tf.int64, name="seed"),
        tf.TensorSpec((), tf.int32, name="num_images"),
        tf.TensorSpec((), tf.float64, name="truncation"),
    ]
    rows = [
        tf.TensorSpec((None,), tf.int64, name="seed"),
        tf.TensorSpec((None,), tf.float64, name="truncation"),
    ]
    if classes:
        whole.append(tf.TensorSpec((None,), tf.int32, name="labels"))
        rows.append(tf.TensorSpec((None,), tf.int32, name="labels"))
    kinds = len(codes.categorical)
    if kinds:
        whole.append(tf.TensorSpec((None,), tf.int32, name="categorical"))
        rows.append(tf.TensorSpec((None, kinds), tf.int32, name="categorical"))
    if codes.continuous:
        whole.append(tf.TensorSpec((None,), tf.float32, name="continuous"))
        rows.append(tf.TensorSpec((None, codes.continuous), tf.float32, name="continuous"))

    def run(latents, given):
        inputs = [latents, given["labels"]] if classes else [latents]
        return pictures.to_uint8(core(*inputs)["images"])

    def with_codes(latents, given):
        """Latents whose codes are those given."""
        place = dim - codes.size
        parts, number = [latents[:, :place]], tf.shape(latents)[0]
        for kind, k in enumerate(codes.categorical):
            drawn = latents[:, place : place + k]
            parts.append(_or_drawn(given["categorical"][..., kind : kind + 1], drawn, number, k))
            place += k
        if codes.continuous:
            parts.append(_or_drawn(given["continuous"], latents[:, place:], number))
        return tf.concat(parts, -1) if codes.size else latents

    def generate(given):
        number, made = given["num_images"], []
        made.append(tf.debugging.assert_positive(number, "`num_images` must be at least 1"))
        made += [_at_most(limits.images, number, "images at once"), _bounds(given["truncation"])]
        if classes:
            made += [
                _classes(given["labels"], classes),
                _for_each(given["labels"], number, "labels"),
            ]
        for name, size in (("categorical", kinds), ("continuous", codes.continuous)):
            if size:
                made.append(_code_shape(given[name], size, name))
        for kind, k in enumerate(codes.categorical):
            made.append(_classes(given["categorical"][kind : kind + 1], k))
        given = _after(made, given)
        number = given["num_images"]
        if classes:
            # In turn, as `generate` of a labelled GAN has them, if none are given.
            in_turn, size = tf.range(number) % classes, tf.size(given["labels"])
            padded = tf.concat([given["labels"], [0]], 0)
            chosen = tf.gather(padded, tf.minimum(tf.range(number), tf.maximum(size - 1, 0)))
            given["labels"] = tf.where(size > 0, chosen, in_turn)
        latents = drawing.latents(number, dim, given["seed"], given["truncation"], codes)
        return run(with_codes(latents, given), given)

    def generate_rows(given):
        rows = tf.size(given["seed"])
        made = [_some(rows), _at_most(limits.images, rows, "images at once")]
        made.append(_bounds(given["truncation"]))
        if classes:
            made.append(_classes(given["labels"], classes))
        for kind, k in enumerate(codes.categorical):
            made.append(_classes(given["categorical"][:, kind], k))
        given = _after(made, given)
        latents = tf.map_fn(
            lambda row: drawing.latents(1, dim, row[0], row[1], codes)[0],
            (given["seed"], given["truncation"]),
            fn_output_signature=tf.TensorSpec((dim,), tf.float32),
        )
        return run(with_codes(latents, given), given)

    example = {
        "seed": np.int64(0),
        "num_images": np.int32(1),
        "truncation": np.float64(0),
        "labels": np.zeros((0,), "int32"),
        "categorical": np.zeros((0,), "int32"),
        "continuous": np.zeros((0,), "float32"),
    }
    row_example = {
        "seed": np.zeros((1,), "int64"),
        "truncation": np.zeros((1,), "float64"),
        "labels": np.zeros((1,), "int32"),
        "categorical": np.zeros((1, kinds), "int32"),
        "continuous": np.zeros((1, codes.continuous), "float32"),
    }
    found = {}
    for name, function, specs, given in (
        ("generate", generate, whole, example),
        ("generate_rows", generate_rows, rows, row_example),
    ):
        # Drawn once, for both forms.
        pixels = _named(function, specs)
        tried = {spec.name: given[spec.name] for spec in specs}
        found[name] = Endpoint(_finished(pixels, specs, lambda x: {"images": x}), tried)
        found[name.replace("generate", "generate_png")] = Endpoint(
            _finished(pixels, specs, lambda x: {"png_bytes": tf.io.encode_png(x)}), tried
        )
    return found


def _or_drawn(given, drawn, number, classes=None):
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


def _code_shape(given, size, name):
    fits = tf.equal(tf.size(given), 0) | tf.equal(tf.size(given), size)
    return tf.debugging.Assert(
        fits, [f"Expected {size} `{name}`, or an empty list to draw them.", tf.shape(given)]
    )


def _named(function, specs):
    """A `tf.function` of the inputs of `specs`, handed on as a dict by their names."""

    @tf.function(input_signature=specs)
    def call(*inputs):
        return function({spec.name: value for spec, value in zip(specs, inputs)})

    return call


def _finished(pixels, specs, finish):
    @tf.function(input_signature=specs)
    def call(*inputs):
        return finish(pixels(*inputs))

    return call


# ---- images to images


def _from_images(generator, core, spec, limits):
    """`translate`, and where there is dropout `translate_stochastic`."""
    sides = [side or _OPEN_SIDE for side in spec.shape[1:3]]
    channels = spec.shape[-1]
    # What it makes may be larger than what it takes.
    scale = [
        made / taken if made and taken else 1.0
        for made, taken in zip(generator.outputs[0].shape[1:3], spec.shape[1:3])
    ]

    def read(encoded):
        pixels = pictures.decode(encoded, channels)
        return pictures.from_uint8(pictures.resize(pixels, sides))

    def write(images, size):
        size = tf.cast(tf.round(tf.cast(size, "float32") * scale), "int32")
        return tf.io.encode_png(pictures.resize(pictures.to_uint8(images), tf.maximum(size, 1)))

    tile, size = (tf.TensorSpec((*sides, channels), tf.float32), tf.TensorSpec((2,), tf.int64))
    encoded_spec = tf.TensorSpec((None,), tf.string, name="image_bytes")
    seed_spec = tf.TensorSpec((None,), tf.int64, name="seed")

    def each(function, values, output):
        # One after another: their pixels need not be there at the same time.
        return tf.map_fn(function, values, fn_output_signature=output, parallel_iterations=1)

    @tf.function(input_signature=[encoded_spec])  # for both signatures once
    def read_all(encoded):
        # All of a request is looked at before any of it is unpacked.
        number = tf.size(encoded)
        made = [_some(number), _at_most(limits.images, number, "images at once")]
        with tf.control_dependencies(made):
            encoded = tf.identity(encoded)
        sizes = each(lambda x: pictures.size(x, limits.pixels), encoded, size)
        sent = tf.reduce_sum(tf.reduce_prod(sizes, -1))
        made = tf.cast(sent, "float64") * max(1.0, scale[0] * scale[1])
        with tf.control_dependencies([_at_most(limits.total_pixels, made, _TOGETHER)]):
            encoded = tf.identity(encoded)
        return each(read, encoded, tile), sizes

    def write_all(images, sizes):
        return {"png_bytes": each(lambda x: write(*x), (images, sizes), tf.string)}

    @tf.function(input_signature=[encoded_spec])
    def translate(encoded):
        tiles, sizes = read_all(encoded)
        return write_all(core(tiles)["images"], sizes)

    blank = tf.io.encode_png(np.zeros((*sides, channels), "uint8")).numpy()
    example = {"image_bytes": np.array([blank], object)}
    found = {"translate": Endpoint(translate, example)}
    if not any(isinstance(layer, SeededDropout) for layer in generator.layers):
        return found
    twin = networks.stochastic(generator)

    @tf.function(input_signature=[encoded_spec, seed_spec])
    def translate_stochastic(encoded, seeds):
        tiles, sizes = read_all(encoded)

        def one(row):
            # An image alone, so that its noise is the seed's in whatever company it comes; folded
            # as `Pix2Pix.generate` does.
            seed = tf.bitcast(row[1], "int32")
            seed = tf.random.experimental.stateless_fold_in(seed, 0, alg="philox")
            return tf.cast(twin([row[0][None], seed], training=False), "float32")[0]

        made = tf.TensorSpec(twin.outputs[0].shape[1:], tf.float32)
        return write_all(each(one, (tiles, seeds), made), sizes)

    example = {**example, "seed": np.zeros((1,), "int64")}
    return found | {"translate_stochastic": Endpoint(translate_stochastic, example)}
