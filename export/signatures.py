"""What every format exports: one function, with named float32 inputs and outputs."""

import contextlib
import os
import re
import warnings
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gans import image, labels, latent

# A side for generators of images of any size.
_OPEN_SIDE = 64


def generator_of(model):
    """The generator to export: of a whole GAN its `inference_generator`, with a warning."""
    if not hasattr(model, "inference_generator"):
        return model
    warnings.warn(
        f"A {type(model).__name__} was given: its `inference_generator` is exported, without the "
        "discriminator.",
        stacklevel=3,
    )
    return model.inference_generator


def signature(generator, batch_size=None):
    """The inputs of a generator as a list of named `tf.TensorSpec`s.

    The first is `latents` or `images`; a generator that is told a class takes `labels` too, int32
    `(batch,)`.

    Args:
        generator: a built functional or Sequential `keras.Model` with one input and one output.
        batch_size: fixed, or `None` for any.

    Raises:
        ValueError: for anything that is not a generator, and on another backend of Keras than
            TensorFlow.
    """
    require_tensorflow()
    built = isinstance(generator, keras.Model) and generator.built
    # A subclassed model has no `inputs` at all: its `call` alone knows what it takes.
    inputs = getattr(generator, "inputs", None) if built else None
    if hasattr(generator, "inference_generator") or (
        not inputs and hasattr(generator, "discriminator")
    ):
        raise ValueError(
            "A whole GAN would take its discriminator along. Export the generator: "
            "`gan.inference_generator`, or in a GAN class of your own the network that makes the "
            f"images. Received: {generator!r}"
        )
    if not inputs:
        raise ValueError(
            "Expected a generator: a built `keras.Model` that knows its inputs. Give it a "
            "`keras.Input`; wrap a subclassed one as `keras.Model(inputs, network(inputs))`. "
            f"Received: {generator!r}"
        )
    told = len(inputs) == 2 and len(inputs[1].shape) == 1 and "int" in inputs[1].dtype
    if len(inputs) != 1 + told or len(generator.outputs) != 1:
        raise ValueError(
            "Expected a generator of one input, or of latents and integer labels, and one output. "
            f"Received: {len(inputs)} inputs, {len(generator.outputs)} outputs"
        )
    name = "latents" if len(inputs[0].shape) == 2 else "images"
    specs = [tf.TensorSpec((batch_size, *inputs[0].shape[1:]), tf.float32, name=name)]
    return specs + [tf.TensorSpec((batch_size,), tf.int32, name="labels")] * told


def examples(generator, number, seed):
    """Inputs to try a generator on, as arrays by name.

    Latents are those of `latent.sample`, so that of seed 0 they make the first images of a preset's
    `samples.png`. Images are uniform in [-1, 1], labels every class in turn.
    """
    first = signature(generator)[0]
    latent.halves(seed)  # says so if it is none
    if first.name == "latents":
        drawn = latent.sample(number, first.shape[1], seed)
    else:
        shape = [side or _OPEN_SIDE for side in first.shape[1:]]
        drawn = np.random.default_rng(int(seed) % 2**64).uniform(-1, 1, size=(number, *shape))
    return named(generator, drawn)


def named(generator, given):
    """Latents or images that were given, as arrays by name; labels are every class in turn.

    Raises:
        ValueError: if they do not fit the generator.
    """
    first, *told = signature(generator)
    try:
        given = np.asarray(given)
    except ValueError:  # rows of unlike lengths
        given = np.array(repr(given))
    fits = first.shape.is_compatible_with(given.shape)
    if given.dtype.kind != "f" or not given.size or not fits or not np.isfinite(given).all():
        raise ValueError(
            f"Expected `{first.name}` for this generator: finite floats of shape {first.shape}. "
            f"Received: {given.dtype} of shape {given.shape}"
        )
    if first.name == "images":
        image.to_uint8(given)  # says so if they leave [-1, 1]
    inputs = {first.name: given.astype("float32")}
    if told:
        classes = labels.num_classes(generator)
        inputs["labels"] = (np.arange(len(given)) % classes).astype("int32")
    return inputs


def function(generator, specs, answer="images"):
    """The generator in inference mode as a `tf.function` from `specs` to `{answer: float32}`."""

    @tf.function(input_signature=specs)
    def serve(*inputs):
        inputs = inputs[0] if len(inputs) == 1 else list(inputs)
        return {answer: tf.cast(generator(inputs, training=False), "float32")}

    return serve


def require_tensorflow():
    """Raises ValueError on another backend of Keras, of which nothing here is written."""
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "Generators are exported from Keras' TensorFlow backend. Start Python with "
            f"KERAS_BACKEND=tensorflow. Received: {keras.backend.backend()}"
        )


def file_to_write(path, suffix, kind, overwrite):
    """The `pathlib.Path` of a file that may be written.

    Args:
        path: as it was given.
        suffix: that it has to have.
        kind: of the file, with its article, for the error.
        overwrite: whether a file that is there may be replaced.

    Raises:
        ValueError: if it is no path, or has another suffix.
        FileExistsError: if something is there that may not be replaced.
    """
    path = path_to_write(path)
    if path.suffix != suffix:
        raise ValueError(f"{kind} is called something{suffix}. Received: {path}")
    if path.is_dir():
        raise FileExistsError(
            f"There is a folder at that path, where {kind} would be. Choose another path. "
            f"Received: {path}"
        )
    if path.exists() and not overwrite:
        raise already_there(path)
    return path


def to_path(path):
    """The `pathlib.Path` of what was given as a path. Raises ValueError if it is none."""
    if not isinstance(path, (str, os.PathLike)) or not str(path):
        raise ValueError(f"Expected a path: text or a `pathlib.Path`. Received: {path!r}")
    return Path(path)


def path_to_write(path):
    """As `to_path`. Raises FileExistsError if a file is where a folder above it has to be."""
    path = to_path(path)
    for above in path.absolute().parents:
        if above.exists() and not above.is_dir():
            raise FileExistsError(
                "There is a file where a folder has to be. Choose another path. "
                f"Received: {path}, below the file {above}"
            )
    return path


def already_there(path):
    """The error for a path that may be replaced, but only on demand."""
    return FileExistsError(
        "There is something at that path already. Choose another, or pass `overwrite=True` "
        f"(`--overwrite` on the command line). Received: {path}"
    )


def require_replaceable(path, mark, kind, overwrite):
    """Raises unless the folder at `path` is to be replaced, and is of its kind.

    It holds the file `mark`, and so does no folder inside: that would be another model.
    """
    if not overwrite:
        raise already_there(path)
    if not (path / mark).is_file() or len(list(path.rglob(mark))) > 1:
        raise FileExistsError(
            f"There is something else than {kind} at that path, and overwriting would delete it. "
            f"Choose another path, or remove it yourself. Received: {path}"
        )


def operations(concrete):
    """Pairs of name and type of every operation of a concrete function, however deep.

    Branches, loops and inner `tf.function`s are functions of their own, which
    `graph.get_operations()` does not enter.
    """
    graph = concrete.graph.as_graph_def()
    inner = [node for function in graph.library.function for node in function.node_def]
    return [(node.name, node.op) for node in [*graph.node, *inner]]


def random_operations(concrete):
    """Sorted names of the operations that draw random numbers."""
    draws = re.compile("Random|TruncatedNormal|Multinomial")
    return sorted({name for name, kind in operations(concrete) if draws.search(kind)})


def require_no_draw(concrete, consequence):
    """Raises ValueError, which names the operations, if a function draws random numbers."""
    drawn = random_operations(concrete)
    if drawn:
        raise ValueError(
            f"This generator draws random numbers when it is used, and {consequence}. Export a "
            "deterministic one (dropout that is off in inference). "
            f"Received: {', '.join(drawn)}"
        )


def compute_dtypes(generator):
    """The set of dtypes that the layers compute in, those inside wrappers included."""
    return {layer.compute_dtype for layer in _all_layers(generator)}


def require_float32_weights(generator):
    """Raises ValueError if weights, and not only the computation, are in half precision."""
    half = sorted({v.dtype for v in generator.variables} & {"float16", "bfloat16"})
    if half:
        raise ValueError(
            "Expected float32 weights (computing in half precision is fine). Build the same "
            "network under the float32 or a mixed policy, and give it these weights with "
            f"`set_weights`. Received: weights in {', '.join(half)}"
        )


@contextlib.contextmanager
def in_float32(generator):
    """Lets a mixed-precision generator compute in float32, as its weights are, inside the block.

    The policies are set on the generator itself and put back, because a copy would need every class
    in it to be registered. Layers whose weights are in half precision compute as before.

    Args:
        generator: a built `keras.Model`.
    """
    before = [(layer, layer.dtype_policy) for layer in _all_layers(generator)]
    try:
        for layer, policy in before:
            if policy.compute_dtype != policy.variable_dtype:
                layer.dtype_policy = keras.DTypePolicy("float32")
        yield
    finally:
        for layer, policy in before:
            layer.dtype_policy = policy


def _all_layers(generator):
    # Private, but `layers` does not show what a wrapper wraps.
    return list(generator._flatten_layers(include_self=True, recursive=True))
