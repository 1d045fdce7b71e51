"""Is what was written what Keras computes?"""

import dataclasses
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_gans import checks, image
from keras_gans.export import signatures
from keras_gans.export.graph.versions import HASHES, newest_version
from keras_gans.export.metadata import metadata
from keras_gans.export.optional import onnx_package
from keras_gans.files import sha256
from keras_gans.interface import Interface
from keras_gans.reading.text import read_json

# What rounding explains, for values in [-1, 1], by the coarsest number between latents and image.
# float32: an eighth of one of 255 levels; a digit generator leaves 2.5e-6, and instance
# normalisation of an almost even channel can make that a few hundred times larger. float16 has
# 11 bits: weights so stored cost the same generator 0.003, deeper ones a few times that. bfloat16
# has 8 bits, an eighth of that exactness; only of weights, as what is mixed computes in float32.
TOLERANCES = {"float32": 1e-3, "float16": 0.02, "bfloat16": 0.16}
# In 8 bits single pixels may be far off where an edge moves, so these bound the mean square
# instead, in dB. Seen were 40 and more with 8-bit weights, 30 to 40 with 8-bit computation, and 25
# or less where a colour cast or noise could be seen. 28 dB are 0.08 of a range of 2.
PSNR = {"dynamic": 35.0, "int8": 28.0}


@dataclasses.dataclass(frozen=True)
class Report:
    """How a written generator compares with the Keras one.

    Attributes:
        format: "SavedModel", "ONNX", or "TFLite" with its precision.
        largest: largest difference of a value of any output, images in [-1, 1].
        mean: mean difference of a value.
        psnr: peak signal-to-noise ratio, in dB, over the range of 2.
        bytes: size of the file or folder.
        milliseconds: median time of a batch, the first left out.
        batch_size: of that batch.
    """

    format: str
    largest: float
    mean: float
    psnr: float
    bytes: int
    milliseconds: float
    batch_size: int

    def __str__(self) -> str:
        return (
            f"{self.format}, largest difference {self.largest:.2g}, mean {self.mean:.2g}, PSNR "
            f"{self.psnr:.0f} dB; {self.bytes / 2**20:.2f} MB, {self.milliseconds:.2f} ms for a "
            f"batch of {self.batch_size}"
        )


@dataclasses.dataclass(frozen=True)
class _Written:
    """A file or folder, ready to run.

    Attributes:
        format: as in `Report`.
        run: function from arrays by name to arrays by name.
        batch_size: that it runs; `None` for any.
        numbers: set of the names of what it stores and computes in, keys of the bounds above.
    """

    format: str
    run: Callable[[dict], dict]
    batch_size: int | None = None
    numbers: frozenset = frozenset()


def check(
    path: Path | str,
    generator: keras.Model,
    num_examples: int = 16,
    seed: int = 0,
    inputs: Any = None,
    tolerance: float | None = None,
) -> Report:
    """Runs a written generator and the Keras one on the same inputs, and compares.

    A mixed-precision generator computes in float32 for it, as every format does: rounding to half
    precision would hide what is wrong.

    TFLite files run in LiteRT if the package `ai_edge_litert` is installed, as on a phone, and
    otherwise in the interpreter that TensorFlow brings; of several signatures each is run. ONNX
    files run in ONNX Runtime.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> path = keras_gans.export.tflite(generator, "exported/checked.tflite")
    >>> print(keras_gans.export.check(path, generator))  # doctest: +ELLIPSIS
    TFLite float16, largest difference ...

    Args:
        path: SavedModel folder (or one of versions, whose newest is taken), or `.tflite` or
            `.onnx` file.
        generator: the `keras.Model` it was written from.
        num_examples: how many inputs to draw.
        seed: of the inputs: latents standard normal, images uniform in [-1, 1], labels in turn. The
            latents of seed 0 are those of a preset's `samples.png`.
        inputs: an array of latents or images to use instead of drawing, or arrays by name.
        tolerance: largest difference allowed. By default 0.001 for float32, 0.02 where weights
            are float16, and 0.16 where they are bfloat16; that times the largest
            value, for outputs that are no images. For 8 bits the PSNR decides: at least 35 dB for
            "dynamic" and 28 for "int8".

    Returns:
        A `Report`.

    Raises:
        ValueError: if nothing that can be read is there, it takes or makes other shapes, it
            differs by more than is allowed, or images of the generator leave [-1, 1].
    """
    checks.count("num_examples", num_examples)
    if tolerance is not None and not (isinstance(tolerance, (int, float)) and tolerance >= 0):
        raise ValueError(
            "`tolerance` must be a number of 0 or more, or None for what rounding explains. "
            f"Received: tolerance={tolerance!r}"
        )
    path = signatures.to_path(path)
    path = path if path.suffix in (".tflite", ".onnx") else newest_version(path)
    generator = signatures.generator_of(generator)
    stated = signatures.interface_of(generator)
    if inputs is None:
        inputs = signatures.examples(generator, num_examples, seed)
    else:
        inputs = signatures.named(generator, inputs)
    with signatures.in_float32(generator):
        expected = _expected(generator, stated, inputs)
        reports = [_compared(path, written, inputs, expected) for written in _opened(path, stated)]
        largest = max(float(np.abs(array).max()) for array in expected.values())
        for report, numbers in reports:
            _require(path, generator, report, numbers, tolerance, largest)
    return reports[0][0]


def _expected(
    generator: keras.Model, stated: Interface, inputs: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    # Not `predict`, which keeps how it computed when it was first called.
    call = signatures.function(generator, signatures.signature(generator))
    made = {name: x.numpy() for name, x in call(*map(tf.constant, inputs.values())).items()}
    for port in stated.outputs:
        if len(port.shape) != 3:
            continue
        found = made[port.name]
        try:
            image.to_uint8(found)
        except ValueError as error:
            raise ValueError(
                "Images of this generator leave [-1, 1], which whoever runs the export relies on. "
                "End it with `tanh`, or rescale. "
                f"Received: {generator.name!r}, values from {found.min()} to {found.max()}"
            ) from error
    return made


def _opened(path: Path, stated: Interface) -> list[_Written]:
    """What a path holds, ready to run: one for each signature of a TFLite file."""
    if path.suffix == ".tflite":
        return _tflite(path, stated)
    if path.suffix == ".onnx":
        return [_onnx(path, stated)]
    return [_saved_model(path, stated)]


def _compared(
    path: Path, written: _Written, inputs: dict, expected: dict
) -> tuple[Report, frozenset[str]]:
    """A pair of `Report` and the numbers that bound it."""
    number = len(next(iter(expected.values())))
    batch_size = written.batch_size or number
    # A fixed batch is filled up with what is there; the surplus is not looked at.
    size = -(-number // batch_size) * batch_size
    padded = {name: np.resize(array, (size, *array.shape[1:])) for name, array in inputs.items()}
    parts, times = [], []
    for start in range(0, size, batch_size):
        part = {name: array[start : start + batch_size] for name, array in padded.items()}
        started = time.perf_counter()
        try:
            parts.append(written.run(part))
        # ONNX Runtime's errors have no class in common with the others.
        except Exception as error:
            raise ValueError(
                "What was written takes other inputs than this generator. Give the one it was "
                f"written from. Received: {path}, {error}"
            ) from error
        times.append(time.perf_counter() - started)
    numbers, differences = written.numbers, []
    for name, wanted in expected.items():
        made = np.concatenate([part[name] for part in parts])[:number]
        if made.dtype == np.uint8:
            made, numbers = image.from_uint8(made), numbers | {"uint8"}
        if made.shape != wanted.shape:
            raise ValueError(
                "What was written makes other images than this generator. Expected shape "
                f"{wanted.shape} of {name!r}. Received: {made.shape} from {path}"
            )
        differences.append(np.abs(made - wanted).ravel())
    difference = np.concatenate(differences)
    squared = float(np.mean(difference.astype("float64") ** 2))
    report = Report(
        written.format,
        float(difference.max()),
        float(difference.mean()),
        float("inf") if squared == 0 else 10 * float(np.log10(4.0 / squared)),
        sum(
            p.stat().st_size for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file()
        ),
        1000 * float(np.median(times[1:] or times)),
        batch_size,
    )
    return report, numbers


def _require(
    path: Path,
    generator: keras.Model,
    report: Report,
    numbers: Sequence[str],
    tolerance: float | None,
    largest: float,
) -> None:
    """Raises ValueError for a difference that rounding does not explain."""
    numbers = {"float32", *numbers, *signatures.compute_dtypes(generator)}
    minimum = max((PSNR[name] for name in numbers if name in PSNR), default=None)
    if tolerance is None and minimum is not None:
        good, bound = report.psnr >= minimum, f"a PSNR of at least {minimum:.0f} dB"
    else:
        if tolerance is None:
            tolerance = max(TOLERANCES.get(name, 0) for name in numbers) * max(1.0, largest)
            tolerance += 1 / 255 if "uint8" in numbers else 0  # half a level
        # So that NaN is a difference too.
        good, bound = report.largest <= tolerance, f"differences of at most {tolerance:.2g}"
    if good:
        return
    advice = "Export again, from the generator you compare with."
    if minimum is not None:
        advice = (
            "8 bits are too coarse for it. Take another precision, or more representative data."
        )
    drawn = signatures.random_operations(
        signatures.function(generator, signatures.signature(generator)).get_concrete_function()
    )
    if drawn:
        advice = f"It draws random numbers ({', '.join(drawn)}): no two runs can be compared."
    raise ValueError(
        f"What was written makes other images than Keras. {advice} "
        f"Expected {bound}. Received: {path}: {report}"
    )


def _saved_model(path: Path, stated: Interface) -> _Written:
    _require_undamaged(path)
    try:
        loaded = tf.saved_model.load(str(path))
    # Depending on what is damaged: OSError, KeyError, IndexError, ValueError, OpError and others.
    except Exception as error:
        raise ValueError(
            "That SavedModel cannot be read: a part of it is damaged or missing. Export it again. "
            f"Received: {path}, {type(error).__name__}: {error}"
        ) from error
    found = {
        key: {
            "inputs": sorted(value.structured_input_signature[1]),
            "outputs": sorted(value.structured_outputs),
        }
        for key, value in loaded.signatures.items()
    }
    _compare_signatures(path, found, stated)
    serve = loaded.signatures["serving_default"]

    def run(inputs, loaded=loaded):  # the signature alone would let go of the variables
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        return {name: made.numpy() for name, made in serve(**tensors).items()}

    return _Written("SavedModel", run)


def _require_undamaged(path: Path) -> None:
    """Raises ValueError for a file that is not as it was written, where its hash is known.

    TensorFlow verifies the variables alone: a changed graph may load, and compute something else.
    """
    if not (path / HASHES).exists():
        return  # of an earlier release, or written by Keras
    try:
        expected = read_json(path / HASHES)
        damaged = [name for name, value in expected.items() if sha256(path / name) != value]
    except (OSError, ValueError, TypeError, AttributeError) as error:
        damaged = [f"{type(error).__name__}: {error}"]
    if damaged:
        raise ValueError(
            "That SavedModel cannot be read: a part of it is damaged or missing. Export it again. "
            f"Received: {path}, {', '.join(damaged)}"
        )


def _tflite(path: Path, stated: Interface) -> list[_Written]:
    if not path.is_file():
        raise ValueError(f"There is no file to check. Received: {path}")
    try:
        # By content, which is verified: a damaged file given by its path crashes the process.
        interpreter = _interpreter(path.read_bytes())
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"That is no TFLite model. Received: {path}, {error}") from error
    found = {
        key: {side: sorted(names) for side, names in value.items()}
        for key, value in interpreter.get_signature_list().items()
    }
    _compare_signatures(path, found, stated)
    numbers = {np.dtype(tensor["dtype"]).name for tensor in interpreter.get_tensor_details()}
    kind = "TFLite"
    try:
        precision = str(metadata(path)["precision"])
        kind, numbers = f"TFLite {precision}", (numbers - {"int8", "uint8"}) | {precision}
    except (ValueError, KeyError):  # of another exporter
        pass

    def opened(name: str) -> _Written:
        runner = interpreter.get_signature_runner(name)
        first = next(iter(runner.get_input_details().values()))

        def run(inputs):
            return runner(**inputs)

        return _Written(kind, run, int(first["shape"][0]), frozenset(numbers))

    return [opened(name) for name in sorted(found, key=lambda n: (n != "serving_default", n))]


def _onnx(path: Path, stated: Interface) -> _Written:
    if not path.is_file():
        raise ValueError(f"There is no file to check. Received: {path}")
    runtime = onnx_package("onnxruntime")
    try:
        session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    # Its errors have no class in common but this.
    except Exception as error:
        raise ValueError(f"That is no ONNX model. Received: {path}, {error}") from error
    renamed = onnx_names(stated)
    original = {new: name for name, new in renamed.items()}
    written = [value.name for value in session.get_outputs()]
    found = {
        "inputs": sorted(value.name for value in session.get_inputs()),
        "outputs": sorted(original.get(name, name) for name in written),
    }
    _compare_signatures(path, {"serving_default": found}, stated)

    def run(inputs):
        return {original[name]: made for name, made in zip(written, session.run(None, inputs))}

    return _Written("ONNX", run)


def onnx_names(stated: Interface) -> dict[str, str]:
    """Returns the names of outputs in an ONNX file: that of an input cannot be used again."""
    taken = {port.name for port in stated.inputs}
    other = {"images": "translated"}
    return {
        port.name: other.get(port.name, f"{port.name}_out") if port.name in taken else port.name
        for port in stated.outputs
    }


def _interpreter(content: bytes) -> Any:
    try:
        # It replaces TensorFlow's, which says that it will be removed.
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        Interpreter = tf.lite.Interpreter
    with warnings.catch_warnings():
        # It recommends the LiteRT package, which is not needed to compare numbers.
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated.*")
        return Interpreter(model_content=content)


def _compare_signatures(path: Path, found: dict, stated: Interface) -> None:
    """The names are what clients rely on, so that others are a mistake too."""
    expected = {
        side: sorted(port.name for port in getattr(stated, side)) for side in ("inputs", "outputs")
    }
    if found.get("serving_default") != expected:
        raise ValueError(
            "What was written has other names than this generator's. Give the generator it was "
            f"written from, or export again. Expected `serving_default` with {expected}. "
            f"Received: {found} from {path}"
        )
