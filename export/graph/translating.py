"""The signatures from image files to image files: `translate` and `translate_stochastic`."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from keras_gans import networks
from keras_gans.export.graph import labels, pictures
from keras_gans.export.graph.endpoint import Endpoint, encoded_name
from keras_gans.export.graph.limits import (
    OPEN_SIDE,
    TOGETHER,
    Limits,
    after,
    at_least_one,
    at_most,
)
from keras_gans.interface import Image, Interface
from keras_gans.layers import SeededDropout


def from_images(
    generator: keras.Model, core: Callable, stated: Interface, limits: Limits
) -> dict[str, Endpoint]:
    """Returns the signatures of a generator that takes images, and labels if it has any.

    Images are read at the generator's size and written at the size that they came in, times the
    generator's scale. A generator of images of any size gets them at 256 where the paper's is
    open; one that enlarges them, one after another at their own size.

    Args:
        generator: a built `keras.Model`.
        core: the generator, from its inputs in order to its outputs by name.
        stated: its interface.
        limits: of a request.
    """
    files = _Files(stated, limits)
    specs = [tf.TensorSpec((None,), tf.string, name="image_bytes"), *labels.specs(stated.labels)]

    @tf.function(input_signature=specs)
    def translate(encoded, *chosen):
        given = {spec.name: value for spec, value in zip(specs, (encoded, *chosen))}
        number = tf.size(encoded)
        given = after(labels.requirements(stated.labels, given, number), given)
        sizes = files.sizes(given["image_bytes"])
        with tf.control_dependencies([sizes]):
            seed = tf.constant(0, tf.int64)  # as `generate` of images has it
            values = labels.for_each_image(stated.labels, given, number, seed)
        if files.own_size:
            return _one_by_one(core, stated, files, given["image_bytes"], sizes, values)
        values[stated.image.name] = files.read_all(given["image_bytes"])
        return files.write_all(core(*[values[port.name] for port in stated.inputs]), sizes)

    blank = np.zeros((*files.sides, stated.image.channels), "uint8")
    example = {"image_bytes": np.array([tf.io.encode_png(blank).numpy()], object)}
    example |= {port.name: np.zeros((0,), "int32") for port in stated.labels}
    found = {"translate": Endpoint(translate, example)}
    draws = any(isinstance(layer, SeededDropout) for layer in generator.layers)
    if draws and len(stated.inputs) == 1 and not files.own_size:
        found["translate_stochastic"] = _stochastic(generator, stated, files, example)
    return found


def _stochastic(
    generator: keras.Model, stated: Interface, files: "_Files", example: dict
) -> Endpoint:
    """`translate` with the dropout of training, from a seed for each image."""
    twin = networks.stochastic(generator)
    names = [port.name for port in stated.outputs]
    specs = [
        tf.TensorSpec((None,), tf.string, name="image_bytes"),
        tf.TensorSpec((None,), tf.int64, name="seed"),
    ]

    @tf.function(input_signature=specs)
    def translate_stochastic(encoded, seeds):
        sizes = files.sizes(encoded)
        with tf.control_dependencies([sizes]):
            tiles = files.read_all(encoded)

        def one(row):
            # An image alone, so that its noise is the seed's in whatever company it comes; folded
            # as `Pix2Pix.generate` does.
            seed = tf.bitcast(row[1], "int32")
            seed = tf.random.experimental.stateless_fold_in(seed, 0, alg="philox")
            made = keras.tree.flatten(twin([row[0][None], seed], training=False))
            return {name: tf.cast(image, "float32")[0] for name, image in zip(names, made)}

        output = {
            name: tf.TensorSpec(tensor.shape[1:], tf.float32)
            for name, tensor in zip(names, twin.outputs)
        }
        return files.write_all(_each(one, (tiles, seeds), output), sizes)

    return Endpoint(translate_stochastic, {**example, "seed": np.zeros((1,), "int64")})


def _one_by_one(core, stated, files, encoded, sizes, values):
    """Translates each image at its own size."""

    def one(row):
        image, size, given = row
        given = {name: value[None] for name, value in given.items()}
        given[stated.image.name] = files.read(image, size)[None]
        made = core(*[given[port.name] for port in stated.inputs])
        return {name: file[0] for name, file in files.write_all(made, size[None]).items()}

    output = {encoded_name(name, files.names): tf.string for name in files.names}
    return _each(one, (encoded, sizes, values), output)


def _each(function, values, output):
    # One after another: their pixels need not be there at the same time.
    return tf.map_fn(function, values, fn_output_signature=output, parallel_iterations=1)


class _Files:
    """Reads the image files of a request, and writes those of its answer.

    Attributes:
        sides: height and width at which images are read; where `own_size`, of the example.
        own_size: whether each is read at its own size.
        names: of the images that are made.
    """

    def __init__(self, stated: Interface, limits: Limits) -> None:
        taken = stated.image
        self.channels, self.limits = taken.channels, limits
        self.sides = [side or OPEN_SIDE for side in (taken.height, taken.width)]
        self.scales = {port.name: _scales(taken, port) for port in stated.images}
        self.names = list(self.scales)
        enlarged = any(scales != [1.0, 1.0] for scales in self.scales.values())
        self.own_size = None in (taken.height, taken.width) and enlarged
        if self.own_size:
            self.sides = [min(side, 32) for side in self.sides]  # of the example alone

    def sizes(self, encoded: tf.Tensor) -> tf.Tensor:
        """Returns height and width of each file, once all of a request is within the limits.

        All of it is looked at before any of it is unpacked.
        """
        number, limits = tf.size(encoded), self.limits
        made = [at_least_one(number), at_most(limits.images, number, "images at once")]
        with tf.control_dependencies(made):
            encoded = tf.identity(encoded)
        size = tf.TensorSpec((2,), tf.int64)
        sizes = _each(lambda x: pictures.size(x, limits.pixels), encoded, size)
        sent = tf.reduce_sum(tf.reduce_prod(sizes, -1))
        enlarged = sum(height * width for height, width in self.scales.values())
        made = tf.cast(sent, "float64") * max(1.0, enlarged)
        with tf.control_dependencies([at_most(limits.total_pixels, made, TOGETHER)]):
            return tf.identity(sizes)

    def read(self, encoded: tf.Tensor, size: tf.Tensor | list[int]) -> tf.Tensor:
        """Returns the image of a file at a size, as floats in [-1, 1]."""
        pixels = pictures.decode(encoded, self.channels)
        return pictures.from_uint8(pictures.resize(pixels, tf.cast(size, "int32")))

    def read_all(self, encoded: tf.Tensor) -> tf.Tensor:
        """Returns the images of files, in the generator's size."""
        tile = tf.TensorSpec((*self.sides, self.channels), tf.float32)
        return _each(lambda x: self.read(x, self.sides), encoded, tile)

    def write_all(self, made: dict[str, tf.Tensor], sizes: tf.Tensor) -> dict[str, tf.Tensor]:
        """Returns images as PNG files, in the sizes of those that came in times the scale."""

        def write(name, images, size):
            size = tf.cast(tf.round(tf.cast(size, "float32") * self.scales[name]), "int32")
            return tf.io.encode_png(pictures.resize(pictures.to_uint8(images), tf.maximum(size, 1)))

        return {
            encoded_name(name, self.names): _each(
                lambda x, name=name: write(name, *x), (made[name], sizes), tf.string
            )
            for name in self.names
        }


def _scales(taken: Image, made: Image) -> list[float]:
    """Height and width of an image that is made over those of the one that is taken."""
    sides = zip(made.shape[:2], taken.shape[:2])
    return [float(out / into if out and into else made.scale) for out, into in sides]
