"""Is what was written what Keras computes?"""

import dataclasses
import time
import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans.export import serving


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


def check(path, generator, num_examples=16, seed=0, tolerance=0.02):
    """Runs a written generator and the Keras one on the same inputs, and compares.

    Args:
        path: SavedModel folder or `.tflite` file.
        generator: the `keras.Model` it was written from.
        num_examples: how many inputs.
        seed: of the inputs, standard normal.
        tolerance: largest difference allowed. The default is a few levels of 255, what float16
            weights can add up to; float32 ones stay around 1e-5.

    Returns:
        A `Report`.

    Raises:
        ValueError: if nothing that can be read is there, it takes or makes other shapes, or it
            differs by more than `tolerance`.
    """
    path = Path(path)
    spec = serving.signature(generator)
    inputs = np.random.default_rng(seed).normal(size=(num_examples, *spec.shape[1:]))
    inputs = inputs.astype("float32")
    expected = generator.predict(inputs, verbose=0, batch_size=num_examples)
    if path.suffix == ".tflite":
        kind, run, batch_size = "TFLite", *_tflite(path)
    else:
        kind, run, batch_size = "SavedModel", _saved_model(path), num_examples
    # A fixed batch is filled up with what is there; the surplus is not looked at.
    padded = np.resize(inputs, (-(-num_examples // batch_size) * batch_size, *inputs.shape[1:]))
    images, times = [], []
    try:
        for start in range(0, len(padded), batch_size):
            started = time.perf_counter()
            images.append(run(padded[start : start + batch_size]))
            times.append(time.perf_counter() - started)
    except (ValueError, tf.errors.InvalidArgumentError) as error:
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
    difference = np.abs(images - expected.astype("float32"))
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
    if not report.largest <= tolerance:
        raise ValueError(
            "What was written makes other images than Keras. Export again, from the generator you "
            f"compare with. Expected differences of at most {tolerance}. Received: {path}: {report}"
        )
    return report


def _saved_model(path):
    if not (path / "saved_model.pb").is_file():
        raise ValueError(f"Expected a SavedModel folder or a .tflite file. Received: {path}")
    loaded = tf.saved_model.load(str(path))
    serve = loaded.signatures["serving_default"]
    ((name, _),) = serve.structured_input_signature[1].items()

    def run(inputs, loaded=loaded):  # the signature alone would let go of the variables
        return serve(**{name: tf.constant(inputs)})["images"].numpy()

    return run


def _tflite(path):
    if not path.is_file():
        raise ValueError(f"There is no file to check. Received: {path}")
    with warnings.catch_warnings():
        # It recommends the LiteRT package, which is not needed to compare numbers.
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated.*")
        try:
            # By content, which is verified: a damaged file given by its path crashes the process.
            interpreter = tf.lite.Interpreter(model_content=path.read_bytes())
        except ValueError as error:
            raise ValueError(f"That is no TFLite model. Received: {path}, {error}") from error
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()

    def run(inputs):
        interpreter.set_tensor(source["index"], inputs)
        interpreter.invoke()
        return interpreter.get_tensor(target["index"]).copy()

    return run, int(source["shape"][0])
