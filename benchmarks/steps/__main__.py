"""Times a training step of each model against plain loops, examples' orders and PyTorch.

    python benchmarks/steps [--cases dcgan_28 wgan_28] [--torch PYTHON] [--alone]
    python benchmarks/steps --imports

All candidates take turns, round after round, so that a machine whose speed drifts slows all of
them, and each is timed by the wall's clock and by the processor's. Ratios are taken within a round.

- keras_gans: `model.fit`, with Keras' loop, metrics, training statistics and checks (`cases.py`).
- plain loop: the same algorithm on the same networks, a bare `tf.function` (`plain.py`).
- example: the order of operations of keras.io's example, by `fit`; tutorial: of tensorflow.org's
  (`examples.py`, which says where either is another algorithm).
- PyTorch, with `--torch` and the Python of an environment that has it: the same algorithm on the
  same networks, eager, and through `torch.compile` (`pytorch.py`), which needs a C++ compiler.

`--alone` then runs each candidate in a process of its own, for the time from the networks' building
to the end of the first step, and the most memory that two steps held, imports included. It needs
Linux. `--imports` compares the time to import this library with that to import Keras.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import cases
import examples
import keras
import plain
import tensorflow as tf

OURS = "keras_gans"
HERE = {
    OURS: cases.ours,
    "plain loop": plain.loop,
    "example": examples.example,
    "tutorial": examples.tutorial,
}
TORCH = ("PyTorch", "PyTorch, compiled")
ANSWER = "--answer"  # how a process is asked to be a candidate
FOLDER = pathlib.Path(__file__).parent


class Here:
    """A candidate of this process. A call takes steps, and says what they took."""

    version = f"TensorFlow {tf.__version__}, Keras {keras.__version__}"

    def __init__(self, name, case):
        self.make, self.case, self.run = HERE[name], case, None
        self.batches, self.imported = cases.batches(case), peak()

    def __call__(self, steps):
        wall, processor = time.perf_counter(), time.process_time()
        if self.run is None:
            self.run = self.make(self.case)
        self.run(self.batches.take(steps))
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        return {"wall": wall, "processor": processor, "peak": peak(), "imported": self.imported}

    def close(self):
        self.run = None


class Elsewhere:
    """A candidate of another process, asked by lines of its input and answering by its output."""

    def __init__(self, command, environment=None):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        environment = {**os.environ, **(environment or {})}
        command = [str(part) for part in command]
        self.process = subprocess.Popen(command, text=True, bufsize=1, env=environment, **pipes)
        self.version = self._answer()["version"]

    def __call__(self, steps):
        self.process.stdin.write(f"{steps}\n")
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(
                "A candidate's process ended, for a reason that it printed above. "
                f"Received: {self.process.args}"
            )
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def peak():
    """The most memory this process has held, in MB; `ru_maxrss` would begin with its parent's."""
    status = pathlib.Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024


def names(case, torch=None):
    """Who takes part. Of Pix2Pix there is no example on keras.io, of most others no tutorial."""
    lacks = {"pix2pix": ["example"], "cyclegan": []}.get(case["method"], ["tutorial"])
    return [name for name in HERE if name not in lacks] + list(TORCH if torch else ())


def start(name, case, torch=None, apart=False, environment=None):
    """A candidate, in this process or, if it must or is to be, in one of its own."""
    if name in HERE and not apart:
        return Here(name, case)
    command = [torch, FOLDER / "pytorch.py"] if name in TORCH else [sys.executable, FOLDER, ANSWER]
    return Elsewhere([*command, name, json.dumps(case)], environment)


def answer(name, case):
    """Does for a candidate of TensorFlow what `pytorch.main` does."""
    run = Here(name, case)
    print(json.dumps({"version": run.version}), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(int(line))), flush=True)


def alone(case, candidates, torch=None):
    """Name to what two steps in a process of its own took: the first, and memory after both."""
    answers = {}
    for name in candidates:
        with tempfile.TemporaryDirectory() as empty:  # nothing compiled before
            run = start(name, case, torch, True, {"TORCHINDUCTOR_CACHE_DIR": empty})
            answers[name] = {**run(1), "peak": run(1)["peak"]}
            run.close()
    return answers


def measure(case, candidates, rounds, seconds, torch=None):
    """Versions, how many steps a round had, and what each candidate's rounds took."""
    runs = {name: start(name, case, torch) for name in candidates}
    expected = cases.num_parameters(case)
    for run in runs.values():
        require_same_networks(run(1), expected)
        run(2)
    steps = steps_that_last(seconds, runs[OURS])
    taken = {name: [] for name in runs}
    for number in range(rounds):
        shift = number % len(candidates)
        for name in candidates[shift:] + candidates[:shift]:
            taken[name].append(runs[name](steps))
    versions = list(dict.fromkeys(run.version for run in runs.values()))
    for run in runs.values():
        run.close()
    return versions, steps, taken


def steps_that_last(seconds, run):
    """How many steps take about so long; what `fit` does once is not to count for much."""
    steps = 1
    while (wall := run(steps)["wall"]) < seconds / 2:
        steps *= 2
    return max(1, round(steps * seconds / wall))


def require_same_networks(said, expected):
    """Raises ValueError if a candidate's networks have another number of parameters."""
    if said.get("parameters", expected) != expected:
        raise ValueError(
            "PyTorch's networks are not ours, so their times say nothing. "
            f"Expected {expected} parameters. Received: {said['parameters']}"
        )


def table(name, case, steps, taken, by_itself):
    """Lines of a Markdown table."""
    lines = [
        f"| {name} | ms a step | of processor | images/s | our speed / its | range "
        "| of processor | first step | peak, MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, answers in taken.items():
        clocks = ("wall", "processor")
        middle = {c: statistics.median(a[c] for a in answers) / steps for c in clocks}
        ratios = {c: sorted(b[c] / a[c] for a, b in zip(taken[OURS], answers)) for c in clocks}
        wall, same, said = ratios["wall"], name == OURS, by_itself.get(name)
        cells = [
            name,
            f"{1000 * middle['wall']:.3g}",
            f"{1000 * middle['processor']:.3g}",
            f"{case['batch_size'] / middle['wall']:.3g}",
            "1" if same else f"{statistics.median(wall):.2f}",
            "" if same else f"{wall[0]:.2f} to {wall[-1]:.2f}",
            "1" if same else f"{statistics.median(ratios['processor']):.2f}",
            f"{said['wall']:.1f} s" if said else "",
            f"{said['peak']:.0f} ({said['imported']:.0f})" if said else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def imports(rounds):
    """Seconds that importing each module took, in fresh processes that take turns."""
    script = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    taken = {"keras": [], "keras_gans": []}
    for number in range(rounds + 1):
        for module in sorted(taken, reverse=number % 2):
            done = subprocess.run(
                [sys.executable, "-c", script.format(module)],
                check=True,
                capture_output=True,
                text=True,
                env={**os.environ, "KERAS_BACKEND": "tensorflow"},
            )
            if number:  # the first reads files that are not in memory yet
                taken[module].append(float(done.stdout))
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=cases.CASES, default=list(cases.CASES))
    parser.add_argument("--candidates", nargs="+", choices=[*HERE, *TORCH], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="that a round of ours lasts")
    parser.add_argument("--torch", metavar="PYTHON", help="of an environment that has PyTorch")
    parser.add_argument("--alone", action="store_true", help="also the first step, and memory")
    parser.add_argument("--imports", action="store_true", help="only the time to import")
    parser.add_argument(ANSWER, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        name, case = options.answer
        return answer(name, json.loads(case))
    if options.imports:
        taken = imports(options.rounds)
        middle = {name: statistics.median(seconds) for name, seconds in taken.items()}
        ratios = sorted(b / a for a, b in zip(*taken.values()))
        print(", ".join(f"{name} {seconds:.2f} s" for name, seconds in middle.items()), end="; ")
        print(f"of {options.rounds} pairs: {statistics.median(ratios):.3f} ", end="")
        print(f"({ratios[0]:.3f} to {ratios[-1]:.3f})")
        return None
    for name in options.cases:
        case = cases.CASES[name]
        candidates = names(case, options.torch)
        if options.candidates:
            candidates = [n for n in candidates if n == OURS or n in options.candidates]
        by_itself = alone(case, candidates, options.torch) if options.alone else {}
        versions, steps, taken = measure(
            case, candidates, options.rounds, options.seconds, options.torch
        )
        print(f"\n{name}: {case}")
        print(f"{', '.join(versions)}; {os.cpu_count()} cores, float32; ", end="")
        print(f"medians of {options.rounds} rounds of {steps} steps")
        print("\n".join(table(name, case, steps, taken, by_itself)), flush=True)


if __name__ == "__main__":
    main()
