"""Is what was written what Keras computes?"""

import dataclasses
import time
import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans import checks
from keras_gans.export import signatures

# What rounding explains, for values in [-1, 1], by the coarsest number between latents and image.
# float32: an eighth of one of 255 levels; a digit generator leaves 2.5e-6, and instance
# normalisation of an almost even channel can make that a few hundred times larger. float16 has
# 11 bits: weights so stored cost the same generator 0.003, deeper ones a few times that. bfloat16
# has 8 bits, an eighth of that exactness.
TOLERANCES = {"float32": 1e-3, "float16": 0.02, "bfloat16": 0.16}


@dataclasses.dataclass(frozen=True)
class Report:
    """How a written generator compares with the Keras one.

    Attributes:
        format: "SavedModel" or "TFLite".
        largest: largest difference of a value, images in [-1, 1].
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

    def __str__(self):
        return (
            f"{self.format}, largest difference {self.largest:.2g}, mean {self.mean:.2g}, PSNR "
            f"{self.psnr:.0f} dB; {self.bytes / 2**20:.2f} MB, {self.milliseconds:.2f} ms for a "
            f"batch of {self.batch_size}"
        )


def check(path, generator, num_examples=16, seed=0, tolerance=None):
    """Runs a written generator and the Keras one on the same inputs, and compares.

    TFLite files run in LiteRT if the package `ai_edge_litert` is installed, as on a phone, and
    otherwise in the interpreter that TensorFlow brings.

    >>> generator = keras_gans.networks.dcgan_generator((28, 28, 1))
    >>> path = keras_gans.export.tflite(generator, "exported/checked.tflite")
    >>> print(keras_gans.export.check(path, generator))  # doctest: +ELLIPSIS
    TFLite, largest difference ...

    Args:
        path: SavedModel folder or `.tflite` file.
        generator: the `keras.Model` it was written from.
        num_examples: how many inputs.
        seed: of the inputs: latents standard normal, images uniform in [-1, 1], labels in turn.
        tolerance: largest difference allowed. By default 0.001 for float32, 0.02 where weights or
            computation are float16, and 0.16 where they are bfloat16; that times the largest
            value, for outputs beyond [-1, 1].

    Returns:
        A `Report`.

    Raises:
        ValueError: if nothing that can be read is there, it takes or makes other shapes, or it
            differs by more than `tolerance`.
    """
    path = Path(path)
    specs = signatures.signature(generator)
    names = [spec.name for spec in specs]
    checks.count("num_examples", num_examples)
    inputs = signatures.examples(generator, num_examples, seed)
    given = list(inputs.values())
    expected = generator.predict(
        given[0] if len(given) == 1 else given, verbose=0, batch_size=num_examples
    ).astype("float32")
    if path.suffix == ".tflite":
        kind, (run, batch_size, stored) = "TFLite", _tflite(path, names)
    else:
        kind, run, batch_size, stored = (
            "SavedModel",
            _saved_model(path, names),
            num_examples,
            {},
        )
    # A fixed batch is filled up with what is there; the surplus is not looked at.
    size = -(-num_examples // batch_size) * batch_size
    padded = {name: np.resize(array, (size, *array.shape[1:])) for name, array in inputs.items()}
    images, times = [], []
    try:
        for start in range(0, size, batch_size):
            part = {name: array[start : start + batch_size] for name, array in padded.items()}
            started = time.perf_counter()
            images.append(run(part))
            times.append(time.perf_counter() - started)
    except (ValueError, RuntimeError, tf.errors.InvalidArgumentError) as error:
        raise ValueError(
            "What was written takes other inputs than this generator. Give the one it was "
            f"written from. Received: {path}, {error}"
        ) from error
    images = np.concatenate(images)[:num_examples]
    if images.shape != expected.shape:
        raise ValueError(
            "What was written makes other images than this generator. Expected shape "
            f"{expected.shape}. Received: {images.shape} from {path}"
        )
    difference = np.abs(images - expected)
    squared = float(np.mean(difference.astype("float64") ** 2))
    report = Report(
        kind,
        float(difference.max()),
        float(difference.mean()),
        float("inf") if squared == 0 else 10 * np.log10(4.0 / squared),
        sum(
            p.stat().st_size for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file()
        ),
        1000 * float(np.median(times[1:] or times)),
        batch_size,
    )
    if tolerance is None:
        used = {"float32", *stored, *signatures.compute_dtypes(generator)}
        tolerance = max(TOLERANCES.get(dtype, 0) for dtype in used)
        tolerance *= max(1.0, float(np.abs(expected).max()))
    if not report.largest <= tolerance:  # so that NaN is a difference too
        drawn = signatures.random_operations(
            signatures.function(generator, specs).get_concrete_function()
        )
        advice = "Export again, from the generator you compare with."
        if drawn:
            advice = f"It draws random numbers ({', '.join(drawn)}): no two runs can be compared."
        raise ValueError(
            f"What was written makes other images than Keras. {advice} "
            f"Expected differences of at most {tolerance:.2g}. Received: {path}: {report}"
        )
    return report


def _saved_model(path, names):
    """What runs a SavedModel on a batch."""
    if not (path / "saved_model.pb").is_file():
        raise ValueError(f"Expected a SavedModel folder or a .tflite file. Received: {path}")
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
            "outputs": list(value.structured_outputs),
        }
        for key, value in loaded.signatures.items()
    }
    _compare_signatures(path, found, names)
    serve = loaded.signatures["serving_default"]

    def run(inputs, loaded=loaded):  # the signature alone would let go of the variables
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        return serve(**tensors)["images"].numpy()

    return run


def _tflite(path, names):
    """What runs a TFLite file on a batch, the size of that batch, and the dtypes stored."""
    if not path.is_file():
        raise ValueError(f"There is no file to check. Received: {path}")
    try:
        # By content, which is verified: a damaged file given by its path crashes the process.
        interpreter = _interpreter(path.read_bytes())
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"That is no TFLite model. Received: {path}, {error}") from error
    _compare_signatures(path, interpreter.get_signature_list(), names)
    stored = {np.dtype(tensor["dtype"]).name for tensor in interpreter.get_tensor_details()}
    runner = interpreter.get_signature_runner("serving_default")

    def run(inputs):
        return runner(**inputs)["images"]

    return run, int(interpreter.get_input_details()[0]["shape"][0]), stored


def _interpreter(content):
    try:
        # It replaces TensorFlow's, which says that it will be removed.
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        Interpreter = tf.lite.Interpreter
    with warnings.catch_warnings():
        # It recommends the LiteRT package, which is not needed to compare numbers.
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated.*")
        return Interpreter(model_content=content)


def _compare_signatures(path, found, names):
    """The names are what clients rely on, so that others are a mistake too."""
    expected = {"inputs": sorted(names), "outputs": ["images"]}
    if found.get("serving_default") != expected:
        raise ValueError(
            "What was written has other names than this generator's. Give the generator it was "
            f"written from, or export again. Expected `serving_default` with {expected}. "
            f"Received: {found} from {path}"
        )
