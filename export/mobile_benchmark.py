"""Latency, peak memory and operators of a `.tflite` file in the LiteRT runtime.

    python -m keras_gans.export.mobile_benchmark generator.tflite

This file alone, with NumPy and `ai-edge-litert`, runs on a small board too:
`python mobile_benchmark.py generator.tflite`. Without LiteRT it takes the interpreter that
TensorFlow brings. Each number of threads is measured in a process of its own, or the memory of one
would count for the next.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np


def measure(
    path: "pathlib.Path | str", threads: int, seconds: float = 3.0, runtime: Any = None
) -> dict[str, Any]:
    """Runs the first signature of a file again and again.

    Args:
        path: of the `.tflite` file.
        threads: how many.
        seconds: how long, and at least 10 times.
        runtime: module with an `Interpreter`; the installed one by default.

    Returns:
        A dict: `batch`, `median_ms` and `p90_ms` of one run, `peak_mb` of the process and how much
        of that `before_mb` the file was loaded (both `None` where the system does not say), and
        `operators`, how often each occurs.
    """
    runtime = runtime or installed()
    before = _peak()
    content = pathlib.Path(path).read_bytes()
    try:
        interpreter = _interpreter(runtime, model_content=content, num_threads=threads)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ValueError(f"That is no TFLite model. Received: {path}, {error}") from error
    rng = np.random.default_rng(0)
    for tensor in interpreter.get_input_details():
        drawn = rng.normal(size=tensor["shape"]) if tensor["dtype"] == np.float32 else 0
        interpreter.set_tensor(
            tensor["index"], np.broadcast_to(drawn, tensor["shape"]).astype(tensor["dtype"])
        )
    for _ in range(3):
        interpreter.invoke()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 10 or time.perf_counter() < end:
        started = time.perf_counter()
        interpreter.invoke()
        times.append(1000 * (time.perf_counter() - started))
    peak = _peak()
    # As the file has them: XNNPACK would show its share as one operator.
    plain = _interpreter(
        runtime,
        model_content=content,
        experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    plain.allocate_tensors()
    return {
        "batch": int(interpreter.get_input_details()[0]["shape"][0]),
        "median_ms": float(np.median(times)),
        "p90_ms": float(np.percentile(times, 90)),
        "peak_mb": peak,
        "before_mb": before,
        "operators": dict(
            collections.Counter(o["op_name"] for o in plain._get_ops_details()).most_common()
        ),
    }


def installed() -> Any:
    """LiteRT, or else TensorFlow's part of that name."""
    try:
        from ai_edge_litert import interpreter
    except ImportError:
        from tensorflow.lite.python import interpreter
    return interpreter


def _interpreter(runtime, **options):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*tf.lite.Interpreter is deprecated.*")
        return runtime.Interpreter(**options)


def _peak():
    """Largest resident memory of this process so far, in MB; `None` where Linux does not say."""
    # Not `resource.getrusage`: after a start from a large process that reports its size.
    status = pathlib.Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(found[0]) / 1024 if found else None


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the measurements."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file", help="a .tflite file")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N", help="[1 2]")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each [3]")
    parser.add_argument("--json", action="store_true", help=argparse.SUPPRESS)  # a process of ours
    given = parser.parse_args(arguments)
    if not pathlib.Path(given.file).is_file():
        parser.error(f"there is no such file. Received: {given.file}")
    if given.json:
        print(json.dumps(measure(given.file, given.threads[0], given.seconds)))
        return
    print(f"{given.file}, {pathlib.Path(given.file).stat().st_size / 2**20:.2f} MB")
    for threads in given.threads:
        # -P: this folder's modules are not to be taken for packages of the same name.
        command = [sys.executable, "-P", __file__, given.file, "--json"]
        command += ["--threads", str(threads), "--seconds", str(given.seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
        found = json.loads(done.stdout.splitlines()[-1])
        memory = "memory not measured here"
        if found["peak_mb"] is not None:
            memory = f"peak memory {found['peak_mb']:.0f} MB, {found['before_mb']:.0f} before it"
        print(
            f"  {threads} thread{'s' * (threads > 1)}: {found['median_ms']:.2f} ms for a batch of "
            f"{found['batch']} (90 % within {found['p90_ms']:.2f}), {memory}"
        )
    print("  operators: " + ", ".join(f"{n} {name}" for name, n in found["operators"].items()))


if __name__ == "__main__":
    main()
