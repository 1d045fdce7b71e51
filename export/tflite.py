"""TFLite (LiteRT), for phones and browsers."""

import contextlib
import math
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import checks
from keras_gans.export import signatures
from keras_gans.export.checking import check as check_file
from keras_gans.export.for_gpu import without_refused_layers
from keras_gans.export.graph.pictures import to_uint8
from keras_gans.export.metadata import describe, into_tflite
from keras_gans.files import atomic

PRECISIONS = ("float16", "float32", "dynamic", "int8")
RANGES = {"float32": [-1, 1], "uint8": [0, 255]}
# Of float32 in a tensor.
_MOST_VALUES = (2**31 - 1) // 4
# Latents that the ranges of int8 are measured on, when they are drawn.
_DRAWN, _SEED = 64, 1
# Arithmetic of normalisation, which int8 leaves in float32. In 8 bits a channel of little contrast
# is lost in the rounding of the others, and then normalised to noise. What that cost in PSNR: a
# ResNet with instance normalisation 24.7 dB instead of 33.5, a DCGAN with conditional batch
# normalisation 32 instead of 34; where batch normalisation is folded away, nothing.
_IN_FLOAT = ["MEAN", "SQUARED_DIFFERENCE", "RSQRT", "SUB", "MUL", "ADD"]


def tflite(
    generator: keras.Model,
    path: Path | str,
    batch_size: int | Sequence[int] = 1,
    precision: str = "float16",
    *,
    image_size: int | Sequence[int] | None = None,
    for_gpu: bool = False,
    representative: Any = None,
    output: str = "float32",
    metadata: Mapping[str, Any] | None = None,
    check: bool = True,
    overwrite: bool = False,
) -> Path:
    """Writes a generator as a TFLite file of builtin operations alone.

    The batch is fixed: a dynamic one costs transposed convolutions their speed, and browsers
    refuse it. The signature `serving_default` has the inputs and outputs of the generator's
    interface (`keras_gans.interface`): `latents` or `images`, int32 `labels` of a class-conditional
    one, and `images` that come out. A generator of a mixed-precision policy is written as it
    computes in float32: TFLite has no builtins for half precision.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> path = keras_gans.export.tflite(generator, "exported/digits.tflite")

    Args:
        generator: a built `keras.Model`; of a GAN, its `inference_generator` is taken, with a
            warning.
        path: file to write, ending in `.tflite`.
        batch_size: images made at once. Several, such as `(1, 16)`, make one signature each, which
            share the weights: the first is `serving_default`, the others `batch_16` and so on.
        precision: of the stored weights. `"float16"` halves the file, `"dynamic"` quarters it with
            8-bit weights, and both compute in float32 where the phone has nothing else; `"int8"`
            computes in 8 bits too, except for the arithmetic of normalisation.
        image_size: `(height, width)` of the images that go in, or one number for both, of a
            generator that takes any: a file is for one size. Larger images are cut into tiles
            of it (docs/tflite.md).
        for_gpu: write a PReLU, a pixel shuffle and nearest upsampling in operations that every
            GPU delegate has; the images are the same up to rounding (docs/tflite.md).
        representative: for `"int8"`, what the ranges of values are measured on: an array of latents
            or images as the generator will get them, several inputs by name, or `"latents"`, which
            draws 64 normal ones.
        output: of images, `"float32"`, in [-1, 1], or `"uint8"`, 0 to 255, rounded and clipped in
            the file.
        metadata: a dict to store in the file, see `export.metadata`.
        check: run `export.check` on what was written, for a generator that translates on the
            `representative` images, if there are any. If it fails, no file appears.
        overwrite: replace what is there. Otherwise that is an error.

    Returns:
        The `pathlib.Path` of the file.

    Raises:
        ValueError: if it is no generator, takes images of any size and `image_size` is not given,
            draws random numbers, has an operation that TFLite has not (the message names it),
            fails the check, or an argument is out of range.
        FileExistsError: if the file exists.
    """
    path = signatures.file_to_write(path, ".tflite", "A TFLite file", overwrite)
    for name, value, known in (
        ("precision", precision, PRECISIONS),
        ("output", output, tuple(RANGES)),
    ):
        if value not in known:
            raise ValueError(f"`{name}` must be one of {known}. Received: {value!r}")
    sizes = _batch_sizes(batch_size)
    given = signatures.at_size(signatures.generator_of(generator), image_size)
    generator = without_refused_layers(given) if for_gpu else given
    stated = signatures.interface_of(generator)
    signatures.require_float32_weights(generator)
    examples = _representative(generator, precision, representative)
    description = describe(generator, precision, RANGES[output], metadata)
    with signatures.in_float32(generator):
        functions = {
            f"batch_{size}" if number else "serving_default": _traced(generator, size, output)
            for number, size in enumerate(sizes)
        }
    content = into_tflite(_converted(generator, functions, precision, examples), description)
    with atomic(path) as partial:
        partial.write_bytes(content)
        if check:
            pictures = examples is not None and stated.takes_image
            # With the layers that were replaced, so that the replacement is compared, too.
            check_file(partial, given, inputs=examples if pictures else None)
    return path


def _batch_sizes(given: Any) -> tuple[int, ...]:
    sizes = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    for size in sizes:
        checks.count("batch_size", size)
    if not sizes or len(set(sizes)) < len(sizes):
        raise ValueError(
            "`batch_size` must be an integer, or several that differ, such as (1, 16). "
            f"Received: {given!r}"
        )
    return sizes


def _representative(
    generator: keras.Model, precision: str, given: Any
) -> dict[str, np.ndarray] | None:
    """The inputs to measure ranges on, as arrays by name; `None` if none are needed."""
    translates = signatures.interface_of(generator).takes_image
    drawn = isinstance(given, str) and given == "latents"
    if precision != "int8":
        if given is not None:
            raise ValueError(
                "Only int8 measures the ranges of values. Leave `representative` out, or ask for "
                f'`precision="int8"`. Received: precision={precision!r}'
            )
        return None
    if given is None or (drawn and translates):
        how = '`representative="latents"` (which draws some), or an array of latents'
        if translates:
            how = "about 100 images that it is to translate, `representative=images`"
        raise ValueError(
            "int8 needs examples, to measure between which values each operation works. Give "
            f'{how}; or take `precision="dynamic"`, which needs none. Received: {given!r}'
        )
    if drawn:
        return signatures.examples(generator, _DRAWN, _SEED)
    return signatures.named(generator, given)


def _traced(generator: keras.Model, batch_size: int, output: str) -> Any:
    specs, stated = signatures.signature(generator, batch_size), signatures.interface_of(generator)
    open_sizes = [spec.shape for spec in specs if None in spec.shape]
    if open_sizes:
        raise ValueError(
            "TFLite files are for images of one size, and this generator takes any. Choose one, "
            "such as `image_size=128` (`--image-size 128`), and cut larger images into tiles. "
            f"Received: inputs of shape {open_sizes[0]}"
        )
    values = [
        math.prod(side or 1 for side in port.shape) for port in (*stated.inputs, *stated.outputs)
    ]
    if batch_size * max(values) > _MOST_VALUES:
        raise ValueError(
            f"TFLite counts the bytes of a tensor in 32 bits. Expected a `batch_size` of at most "
            f"{_MOST_VALUES // max(values)} for this generator. Received: batch_size={batch_size}"
        )
    floats = signatures.function(generator, specs)
    pictures = [port for port in stated.outputs if len(port.shape) == 3]

    @tf.function(input_signature=specs)
    def serve(*inputs):
        made = floats(*inputs)
        if output == "uint8":
            made |= {port.name: to_uint8(made[port.name]) for port in pictures}
        return made

    concrete = serve.get_concrete_function()
    signatures.require_no_draw(concrete, "TFLite would freeze one draw")
    return concrete


def _converted(
    generator: keras.Model,
    functions: dict[str, Any],
    precision: str,
    representative: dict[str, np.ndarray] | None,
) -> bytes:
    """The bytes of a TFLite model with one signature for each function."""
    # The module keeps the variables that the functions read.
    module = tf.Module()
    module.variables_read = [variable.value for variable in generator.variables]
    with tempfile.TemporaryDirectory() as folder, _without_notes():
        # Only from a SavedModel does the converter take several functions.
        tf.saved_model.save(module, folder, signatures=functions)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=list(functions))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        if precision == "int8":
            converter.representative_dataset = lambda: _batches(functions, representative)
        concrete = functions["serving_default"]
        try:
            return _mixed(converter) if precision == "int8" else converter.convert()
        except Exception as error:
            lacking = set(re.findall(r"'tf\.(\w+)' op is neither", str(error)))
            named = [f"{kind} in {name}" for name, kind in signatures.operations(concrete)]
            named = [place for place in named if place.split(" in ")[0] in lacking]
            raise ValueError(
                "TFLite cannot express this generator in its builtin operations. Replace the layer "
                f"named here. Received: {', '.join(named) or 'no names'}; the converter says: "
                f"{error}"
            ) from error


def _batches(
    functions: dict[str, Any], inputs: dict[str, np.ndarray]
) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """Yields inputs in batches of the size of each signature; what is left over is not used."""
    for name, concrete in functions.items():
        size = concrete.inputs[0].shape[0]
        number = len(next(iter(inputs.values())))
        for start in range(0, max(number - size + 1, 1), size):
            # Fewer than one batch are repeated.
            rows = [i % number for i in range(start, start + size)]
            yield name, {key: array[rows] for key, array in inputs.items()}


def _mixed(converter: Any) -> bytes:
    """In 8 bits, but for the arithmetic of normalisation."""
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter,
        debug_dataset=lambda: iter(()),  # to list the errors of operations, which is not wanted
        debug_options=tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=_IN_FLOAT),
    )
    return debugger.get_nondebug_quantized_model()


@contextlib.contextmanager
def _without_notes() -> Iterator[None]:
    """Hides what the converter says of its own parts, which nobody who exports can change."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated.*")
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected")
        yield
