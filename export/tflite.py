"""TFLite (LiteRT), for phones and browsers."""

import re
from pathlib import Path

import tensorflow as tf

from keras_gans import checks
from keras_gans.export import signatures
from keras_gans.files import atomic

# Float32 weights leave rounding; float16 ones a relative error of 2**-11 each.
PRECISIONS = ("float16", "float32")


def tflite(generator, path, batch_size=1, precision="float16", overwrite=False):
    """Writes a generator as a TFLite file of builtin operations alone.

    The batch is fixed: a dynamic one costs transposed convolutions their speed, and browsers
    refuse it. The signature takes `latents` (or `images`), and int32 `labels` if the generator is
    told a class, and answers `images`, float32. A generator of a mixed-precision policy is written
    as it computes in float32: TFLite has no builtins for half precision.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> path = keras_gans.export.tflite(generator, "exported/generator.tflite")

    Args:
        generator: a built `keras.Model`; of a GAN, its `inference_generator`.
        path: file to write, ending in `.tflite`.
        batch_size: images made at once.
        precision: of the stored weights. `"float16"` halves the file; computation is in float32
            wherever the phone has no float16.
        overwrite: replace what is there. Otherwise that is an error.

    Returns:
        The `pathlib.Path` of the file.

    Raises:
        ValueError: if it is no generator, draws random numbers, has an operation that TFLite has
            not (the message names it), or an argument is out of range.
        FileExistsError: if the file exists.
    """
    path = Path(path)
    if path.suffix != ".tflite":
        raise ValueError(f"A TFLite file is called something.tflite. Received: {path}")
    if precision not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {PRECISIONS}. Received: {precision!r}")
    checks.count("batch_size", batch_size)
    if path.exists() and not overwrite:
        raise signatures.already_there(path)
    specs = signatures.signature(generator, batch_size)
    with signatures.in_float32(generator):
        concrete = signatures.function(generator, specs).get_concrete_function()
    drawn = signatures.random_operations(concrete)
    if drawn:
        raise ValueError(
            "This generator draws random numbers when it is used, and TFLite would freeze one "
            "draw. Export a deterministic one (dropout that is off in inference). "
            f"Received: {', '.join(drawn)}"
        )
    # The module keeps the variables that the function reads; the converter finds them through it.
    module = tf.Module()
    module.variables_read = [variable.value for variable in generator.variables]
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    if precision == "float16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    try:
        content = converter.convert()
    except Exception as error:
        lacking = set(re.findall(r"'tf\.(\w+)' op is neither", str(error)))
        named = [f"{kind} in {name}" for name, kind in signatures.operations(concrete)]
        named = [place for place in named if place.split(" in ")[0] in lacking]
        raise ValueError(
            "TFLite cannot express this generator in its builtin operations. Replace the layer "
            f"named here. Received: {', '.join(named) or 'no names'}; the converter says: {error}"
        ) from error
    with atomic(path) as partial:
        partial.write_bytes(content)
    return path
