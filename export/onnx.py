"""ONNX, for ONNX Runtime and whatever else reads it."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from keras_gans.export import signatures
from keras_gans.export.checking import check as check_file
from keras_gans.export.checking import onnx_names
from keras_gans.export.metadata import KEY, describe
from keras_gans.export.optional import onnx_package
from keras_gans.files import atomic

# The newest that tf2onnx 1.17 writes.
OPSET = 18


def onnx(
    generator: keras.Model,
    path: Path | str,
    *,
    metadata: Mapping[str, Any] | None = None,
    check: bool = True,
    overwrite: bool = False,
) -> Path:
    """Writes a generator as an ONNX file, for batches of any size.

    Its inputs and outputs have the names of the generator's interface (`keras_gans.interface`):
    `latents` or `images`, int32 `labels` of a class-conditional one, and `images` that come out,
    or `translated` where an input has that name already: ONNX allows one use of a name. Channels
    are last, as in Keras. A generator of a mixed-precision policy is written as it computes in
    float32.

    Needs `pip install 'keras-gans[onnx]'`.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> path = keras_gans.export.onnx(generator, "exported/digits.onnx")  # doctest: +SKIP

    Args:
        generator: a built `keras.Model`; of a GAN, its `inference_generator` is taken, with a
            warning.
        path: file to write, ending in `.onnx`.
        metadata: a dict to store in the file, see `export.metadata`.
        check: run `export.check` on what was written. If it fails, no file appears.
        overwrite: replace what is there. Otherwise that is an error.

    Returns:
        The `pathlib.Path` of the file.

    Raises:
        ImportError: if ONNX, tf2onnx or ONNX Runtime is not installed.
        ValueError: if it is no generator, draws random numbers, has an operation that ONNX has
            not (the message names it), or fails the check.
        FileExistsError: if the file exists.
    """
    path = signatures.file_to_write(path, ".onnx", "An ONNX file", overwrite)
    generator = signatures.generator_of(generator)
    specs = signatures.signature(generator)
    signatures.require_float32_weights(generator)
    description = describe(generator, "float32", [-1, 1], metadata)
    model = _converted(generator, specs)
    model.graph.name = generator.name
    model.metadata_props.add(key=KEY, value=description)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    with atomic(path) as partial:
        partial.write_bytes(model.SerializeToString())
        if check:
            check_file(partial, generator)
    return path


def _converted(generator: keras.Model, specs: list) -> Any:
    standard, converter = onnx_package("onnx"), onnx_package("tf2onnx")
    renamed = onnx_names(signatures.interface_of(generator))
    with signatures.in_float32(generator):
        function = signatures.function(generator, specs, renamed)
        concrete = function.get_concrete_function()
        signatures.require_no_draw(concrete, "ONNX would draw what no seed repeats")
        # What it cannot convert it logs, goes on, and leaves in the file: found below.
        logger = logging.getLogger("tf2onnx")
        level = logger.level
        logger.setLevel(logging.CRITICAL)
        try:
            model, _ = converter.convert.from_function(function, input_signature=specs, opset=OPSET)
        finally:
            logger.setLevel(level)
    lacking = [
        f"{node.op_type} in {node.name}"
        for node in model.graph.node
        if not standard.defs.has(node.op_type, OPSET, node.domain)
    ]
    if lacking:
        raise ValueError(
            "ONNX cannot express this generator in its standard operations. Replace the layer "
            f"named here. Received: {', '.join(lacking)}"
        )
    return model
