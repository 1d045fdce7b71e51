"""What every format exports: one function, with inputs and outputs named by the interface."""

import contextlib
import dataclasses
import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import checks, generation, image, interface, latent
from keras_gans.building import computing_in
from keras_gans.interface import (
    Array,
    Codes,
    Image,
    Interface,
    Label,
    Latents,
    Number,
    Port,
    Text,
)
from keras_gans.names import did_you_mean

# A side for generators of images of any size.
_OPEN_SIDE = 64
# Pixels between the random numbers that smooth images are made of. Their contrast grows with them,
# as in photographs: 8-bit weights cost an upscaler as much there (44 dB to 40), and 27 in noise.
_BLURS = (2, 4, 8, 16, 32)


def generator_of(model: keras.Model) -> keras.Model:
    """Returns the generator to export: of a whole GAN its `inference_generator`, with a warning.

    What the GAN knows of it, such as the number of its classes, is stated on it.
    """
    if not hasattr(model, "inference_generator"):
        return model
    warnings.warn(
        f"A {type(model).__name__} was given: its `inference_generator` is exported, without the "
        "discriminator.",
        stacklevel=3,
    )
    generator = model.inference_generator
    if hasattr(model, "interface"):  # a GAN class of somebody else's may have none
        role = next(iter(model.sides.values()))[0]
        interface.state(generator, model.interface(role))
    return generator


def interface_of(generator: keras.Model) -> Interface:
    """Returns the interface of a generator, under the names that exports use.

    It is what was stated of the generator, or what its shapes say (`keras_gans.interface.of`),
    with the sizes of images filled in from both. A single output of no known kind is called
    `images`.

    Args:
        generator: a built functional or Sequential `keras.Model`.

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
    found = interface.of(generator)
    taken = [_sized(port, tensor.shape[1:]) for port, tensor in zip(found.inputs, inputs)]
    made = [
        _sized(port, tensor.shape[1:]) for port, tensor in zip(found.outputs, generator.outputs)
    ]
    if len(made) == 1 and isinstance(made[0], Array):
        made = [dataclasses.replace(made[0], name="images")]
    return Interface(taken, [_sized(port, _made_of(taken, port)) for port in made])


def _sized(port: Port, shape: Sequence[int | None]) -> Port:
    """The same port, an image's open sides as `shape` has them."""
    if not isinstance(port, Image):
        return port
    height, width = (stated or found for stated, found in zip(port.shape[:2], shape))
    return dataclasses.replace(port, height=height, width=width)


def _made_of(taken: Sequence[Port], port: Port) -> tuple[int | None, ...]:
    """Height and width of an image that is made of the one that is taken."""
    sides = next((p.shape[:2] for p in taken if isinstance(p, Image)), (None, None))
    return tuple(side and round(side * getattr(port, "scale", 1)) for side in sides)


def at_size(generator: keras.Model, image_size: Any) -> keras.Model:
    """Returns a generator of images of any size as one for images of a single size.

    The layers and the weights are shared, and nothing is computed anew.

    Args:
        generator: a built `keras.Model`.
        image_size: `(height, width)` of the images that it takes, or one number for both. `None`
            returns the generator as it is.

    Raises:
        ValueError: if it takes no images, or images of one other size, or none of this size.
    """
    if image_size is None:
        return generator
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    if not isinstance(size, (list, tuple)) or len(size) != 2:
        raise ValueError(
            "`image_size` must be the height and width of the images that the generator takes, or "
            f"one number for both. Received: image_size={image_size!r}"
        )
    size = tuple(checks.count(f"image_size ({n})", v) for n, v in zip("hw", size))
    found = interface_of(generator)
    taken = found.image.shape[:2] if found.image else ()
    if not interface.agree(taken, size):
        says = f"takes images of {taken[0]}x{taken[1]}" if taken else "takes no images"
        raise ValueError(
            "The size of images can be chosen where a generator takes any. Leave `image_size` out. "
            f"Received: image_size={image_size!r} for {generator.name!r}, which {says}"
        )
    if taken == size:
        return generator
    inputs = [
        keras.Input((*size, port.channels) if isinstance(port, Image) else port.shape,
                    dtype=port.dtype, name=port.name)
        for port in found.inputs
    ]  # fmt: skip
    inputs = inputs[0] if len(inputs) == 1 else inputs
    made = generator(inputs)
    stated = Interface(
        [_sized(port, size) for port in found.inputs],
        [
            _sized(port, tuple(tensor.shape)[1:])
            for port, tensor in zip(found.outputs, keras.tree.flatten(made))
        ],
    )
    return interface.state(keras.Model(inputs, made, name=generator.name), stated)


def with_codes(
    stated: Interface, categorical: Sequence[int] = (), continuous: int = 0
) -> Interface:
    """Returns an interface whose latents end in codes; of what is not given, those it has.

    Args:
        stated: an interface.
        categorical: numbers of classes of categorical codes.
        continuous: how many continuous codes.

    Raises:
        ValueError: for codes that its latents cannot hold.
    """
    if not isinstance(categorical, (list, tuple)):
        raise ValueError(
            "`categorical` is a list of the number of classes of each categorical code, such as "
            f"[10]. Received: categorical={categorical!r}"
        )
    codes = Codes(categorical or stated.codes.categorical, continuous or stated.codes.continuous)
    if codes == stated.codes:
        return stated
    if stated.latents is None or codes.size >= stated.latents.size:
        first = main_input(stated)
        raise ValueError(
            "These codes do not fit the generator. Codes are the last coordinates of latents, "
            f"behind one of noise at least. Expected {codes.size + 1} latents or more. "
            f"Received: {codes} for {first.name} {first.shape}"
        )
    return stated.with_input(dataclasses.replace(stated.latents, codes=codes))


def main_input(stated: Interface) -> Port:
    """Returns the input that the others go with: images, or else latents, or else the first."""
    return stated.image or stated.latents or stated.inputs[0]


def signature(generator: keras.Model, batch_size: int | None = None) -> list[tf.TensorSpec]:
    """Returns the inputs of a generator as named `tf.TensorSpec`s, in order.

    Latents and images are float32, labels int32 `(batch,)`.

    Args:
        generator: a built functional or Sequential `keras.Model`.
        batch_size: fixed, or `None` for any.

    Raises:
        ValueError: as `interface_of`.
    """
    return [
        tf.TensorSpec((batch_size, *port.shape), port.dtype, name=port.name)
        for port in interface_of(generator).inputs
    ]


def examples(generator: keras.Model, number: int, seed: int) -> dict[str, np.ndarray]:
    """Returns inputs to try a generator on, as arrays by name.

    Latents are those of `latent.sample`, so that of seed 0 they make the first images of a preset's
    `samples.png`. Images are uniform in [-1, 1], or as smooth as photographs where they are to
    be enlarged. Labels are every class in turn, numbers spread from high to low, words and
    everything else random.
    """
    latent.halves(seed)  # raises for what is no seed
    stated, rng = interface_of(generator), np.random.default_rng(int(seed) % 2**64)
    ports, enlarged = stated.inputs, any(port.scale > 1 for port in stated.images)
    sizes = [port.size for port in ports if isinstance(port, Latents)]
    # Of several inputs of latents, each has its part of one draw.
    noise = latent.sample(number, sum(sizes), seed) if sizes else None
    parts = iter(np.split(noise, np.cumsum(sizes)[:-1], axis=1) if sizes else ())
    return {
        port.name: next(parts) if isinstance(port, Latents) else _drawn(port, number, rng, enlarged)
        for port in ports
    }


def _drawn(port: Port, number: int, rng: np.random.Generator, smooth: bool) -> np.ndarray:
    shape = (number, *(side or _OPEN_SIDE for side in port.shape))
    if isinstance(port, Label):
        return (np.arange(number) % port.num_classes).astype("int32")
    if isinstance(port, Text):
        return rng.integers(0, len(port.vocabulary) + 1, shape).astype("int32")
    if isinstance(port, Number):
        return np.linspace(port.high, port.low, number, dtype="float32")
    if isinstance(port, Image) and smooth:
        drawn = np.zeros(shape)
        for blur in _BLURS:
            small = (number, *(-(-side // blur) for side in shape[1:3]), shape[3])
            noise = tf.image.resize(rng.uniform(-1, 1, small), shape[1:3], "bicubic")
            drawn += noise.numpy() * blur / sum(_BLURS)
        return np.clip(drawn, -1, 1).astype("float32")
    if isinstance(port, Image):
        return rng.uniform(-1, 1, shape).astype("float32")
    return rng.standard_normal(shape).astype("float32")


def named(generator: keras.Model, given: Any) -> dict[str, np.ndarray]:
    """Returns inputs that were given as arrays by name; labels that were not are in turn.

    Args:
        generator: a built `keras.Model`.
        given: latents or images; or several inputs, by name: of labels numbers or names of classes.

    Raises:
        ValueError: if they do not fit the generator.
    """
    stated = interface_of(generator)
    given = given if isinstance(given, Mapping) else {main_input(stated).name: given}
    ports = {port.name: port for port in stated.inputs}
    for name in given:
        if name not in ports:
            raise ValueError(
                f"This generator has no input of that name.{did_you_mean(name, ports)} Expected "
                f"some of {list(ports)}. Received: {name!r}"
            )
    arrays = {name: _fitting(ports[name], array) for name, array in given.items()}
    numbers = {len(array) for array in arrays.values()}
    if len(numbers) != 1:
        raise ValueError(
            "Expected inputs of one length each. Received: "
            f"{ {name: array.shape for name, array in arrays.items()} }"
        )
    return examples(generator, numbers.pop(), seed=0) | arrays


def _fitting(port: Port, given: Any) -> np.ndarray:
    """An input as an array. Raises ValueError if it does not fit."""
    if isinstance(port, Label):
        return generation.choose(port, given)
    try:
        given = np.asarray(given)
    except ValueError:  # rows of unlike lengths
        given = np.array(repr(given))
    shape = tf.TensorShape((None, *port.shape))
    kind, numbers = ("f", "floats") if port.dtype == "float32" else ("iu", "integers")
    fits = shape.is_compatible_with(given.shape)
    if given.dtype.kind not in kind or not given.size or not fits or not np.isfinite(given).all():
        raise ValueError(
            f"Expected `{port.name}` for this generator: finite {numbers} of shape {shape}. "
            f"Received: {given.dtype} of shape {given.shape}"
        )
    if isinstance(port, Image):
        image.to_uint8(given)  # raises if they leave [-1, 1]
    return given.astype(port.dtype)


def function(
    generator: keras.Model,
    specs: Sequence[tf.TensorSpec],
    renamed: Mapping[str, str] | None = None,
) -> Callable[..., dict[str, tf.Tensor]]:
    """Returns the generator in inference mode as a `tf.function` to float32 outputs by name.

    Args:
        generator: a built `keras.Model`.
        specs: of its inputs, see `signature`.
        renamed: other names of outputs, by the names in its interface.
    """
    renamed = renamed or {}

    @tf.function(input_signature=specs)
    def serve(*inputs):
        made = outputs_of(generator, inputs)
        return {renamed.get(name, name): value for name, value in made.items()}

    return serve


def outputs_of(generator: keras.Model, inputs: Iterable[Any]) -> dict[str, tf.Tensor]:
    """Returns what a generator makes in inference mode, float32 tensors by name.

    Args:
        generator: a built `keras.Model`.
        inputs: in the order of its interface.
    """
    inputs = list(inputs)
    made = generator(inputs[0] if len(inputs) == 1 else inputs, training=False)
    ports = interface_of(generator).outputs
    flat = keras.tree.flatten(made)
    return {port.name: tf.cast(value, "float32") for port, value in zip(ports, flat)}


def require_tensorflow() -> None:
    """Raises ValueError on another backend of Keras than TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise ValueError(
            "Generators are exported from Keras' TensorFlow backend. Start Python with "
            f"KERAS_BACKEND=tensorflow. Received: {keras.backend.backend()}"
        )


def file_to_write(path: Path | str, suffix: str, kind: str, overwrite: bool) -> Path:
    """Returns the `pathlib.Path` of a file that may be written.

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


def to_path(path: Any) -> Path:
    """Returns the `pathlib.Path` of what was given as a path. Raises ValueError if it is none."""
    if not isinstance(path, (str, os.PathLike)) or not str(path):
        raise ValueError(f"Expected a path: text or a `pathlib.Path`. Received: {path!r}")
    return Path(path)


def path_to_write(path: Path | str) -> Path:
    """As `to_path`. Raises FileExistsError if a file is where a folder above it has to be."""
    path = to_path(path)
    for above in path.absolute().parents:
        if above.exists() and not above.is_dir():
            raise FileExistsError(
                "There is a file where a folder has to be. Choose another path. "
                f"Received: {path}, below the file {above}"
            )
    return path


def already_there(path: Path) -> FileExistsError:
    """Returns the error for a path that may be replaced, but only on demand."""
    return FileExistsError(
        "There is something at that path already. Choose another, or pass `overwrite=True` "
        f"(`--overwrite` on the command line). Received: {path}"
    )


def require_replaceable(path: Path, mark: str, kind: str, overwrite: bool) -> None:
    """Raises FileExistsError unless the folder at `path` is to be replaced, and is of its kind.

    It holds the file `mark`, and so does no folder inside: that would be another model.
    """
    if not overwrite:
        raise already_there(path)
    if not (path / mark).is_file() or len(list(path.rglob(mark))) > 1:
        raise FileExistsError(
            f"There is something else than {kind} at that path, and overwriting would delete it. "
            f"Choose another path, or remove it yourself. Received: {path}"
        )


def operations(concrete: Any) -> list[tuple[str, str]]:
    """Returns pairs of name and type of every operation of a concrete function, however deep.

    Branches, loops and inner `tf.function`s are functions of their own, which
    `graph.get_operations()` does not enter.
    """
    graph = concrete.graph.as_graph_def()
    inner = [node for function in graph.library.function for node in function.node_def]
    return [(node.name, node.op) for node in [*graph.node, *inner]]


def random_operations(concrete: Any) -> list[str]:
    """Returns the sorted names of the operations that draw random numbers."""
    draws = re.compile("Random|TruncatedNormal|Multinomial")
    return sorted({name for name, kind in operations(concrete) if draws.search(kind)})


def require_no_draw(concrete: Any, consequence: str) -> None:
    """Raises ValueError, which names the operations, if a function draws random numbers."""
    drawn = random_operations(concrete)
    if drawn:
        raise ValueError(
            f"This generator draws random numbers when it is used, and {consequence}. Export a "
            "deterministic one (dropout that is off in inference). "
            f"Received: {', '.join(drawn)}"
        )


def compute_dtypes(generator: keras.Model) -> set[str]:
    """Returns the set of dtypes that the layers compute in, those inside wrappers included."""
    return {layer.compute_dtype for layer in _all_layers(generator)}


def require_float32_weights(generator: keras.Model) -> None:
    """Raises ValueError if weights, and not only the computation, are in half precision."""
    half = sorted({v.dtype for v in generator.variables} & {"float16", "bfloat16"})
    if half:
        raise ValueError(
            "Expected float32 weights (computing in half precision is fine). Build the same "
            "network under the float32 or a mixed policy, and give it these weights with "
            f"`set_weights`. Received: weights in {', '.join(half)}"
        )


@contextlib.contextmanager
def in_float32(generator: keras.Model) -> Iterator[None]:
    """Lets a mixed-precision generator compute in float32, as its weights are, inside the block.

    Layers whose weights are in half precision compute as before.

    Args:
        generator: a built `keras.Model`.
    """
    policies = [(layer, layer.dtype_policy) for layer in _all_layers(generator)]
    with computing_in("float32", [x for x, p in policies if p.compute_dtype != p.variable_dtype]):
        yield


def _all_layers(generator: keras.Model) -> list[keras.layers.Layer]:
    # Private, but `layers` does not show what a wrapper wraps.
    return list(generator._flatten_layers(include_self=True, recursive=True))
