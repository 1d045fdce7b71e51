"""Times a step of `keras_gans.Pix2Pix` and `CycleGAN` against plain loops.

    python benchmarks/image_to_image_step.py [--cases pix2pix_128] [--torch PYTHON] [--memory]

Small cases are the networks and batches of two presets, in float32; those of 256 pixels are the
papers'. All candidates take turns, round after round, so that a machine whose speed drifts slows
all of them, and each is timed by the wall's clock and by the processor's. Images are noise: what a
step costs does not depend on them. Without a moving average of weights, which only ours offers.

- keras_gans: `model.fit`, with Keras' loop, metrics and checks.
- TensorFlow: a bare `tf.function` on our networks, in the order of the TensorFlow tutorials.
  Pix2Pix: both gradients from one pass, before either side has moved. CycleGAN: one persistent
  tape over everything, four gradients, four optimizers, no pools. The discriminators run forward
  2 and 4 times, in the papers' programs and ours 3 and 6. The first is another algorithm: its
  generator learns from the discriminator of the step before. The second lacks the pools alone.
- PyTorch, with `--torch` and the Python of an environment that has it: eager, in the order of the
  authors' program, which is ours too. See `image_to_image_step_torch.py`.

`--memory` runs each candidate alone for two steps in a process of its own, and prints the most
memory that it held, imports included, and what imports alone took. It needs Linux.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

import keras_gans
from keras_gans import networks

CASES = {
    "pix2pix_128": {  # of the preset pix2pix_satellite_to_map_128
        "method": "pix2pix",
        "side": 128,
        "batch_size": 4,
        "width": 32,
        "depth": 5,
        "receptive_field": 34,
        "discriminator_width": 32,
    },
    "cyclegan_64": {  # of the preset cyclegan_map_satellite_64
        "method": "cyclegan",
        "side": 64,
        "batch_size": 2,
        "width": 16,
        "blocks": 4,
        "receptive_field": 34,
        "discriminator_width": 32,
    },
    "pix2pix_256": {
        "method": "pix2pix",
        "side": 256,
        "batch_size": 1,
        "width": 64,
        "depth": 8,
        "receptive_field": 70,
        "discriminator_width": 64,
    },
    "cyclegan_256": {
        "method": "cyclegan",
        "side": 256,
        "batch_size": 1,
        "width": 64,
        "blocks": 9,
        "receptive_field": 70,
        "discriminator_width": 64,
    },
}
OURS = "keras_gans"


def pix2pix_networks(case):
    """The generator and the discriminator."""
    keras.utils.set_random_seed(0)
    shape, width = (case["side"], case["side"], 3), case["width"]
    return (
        networks.unet_generator(shape, width=width, max_width=8 * width, depth=case["depth"]),
        networks.patch_discriminator(
            shape, shape, case["receptive_field"], case["discriminator_width"]
        ),
    )


def cyclegan_networks(case):
    """G, F, D_Y and D_X."""
    keras.utils.set_random_seed(0)
    shape, field = (case["side"], case["side"], 3), case["receptive_field"]
    generators = [
        networks.resnet_generator(shape, None, case["width"], case["blocks"]) for _ in "GF"
    ]
    options = {"receptive_field": field, "width": case["discriminator_width"]}
    options["normalization"] = "instance"
    return *generators, *(networks.patch_discriminator(shape, **options) for _ in "YX")


def ours(case):
    if case["method"] == "pix2pix":
        gan = keras_gans.Pix2Pix(*pix2pix_networks(case), seed=0)
    else:
        gan = keras_gans.CycleGAN(*cyclegan_networks(case), seed=0)
    gan.compile()

    def run(dataset):
        gan.fit(dataset, verbose=0)

    return run


def by_hand(case):
    step = {"pix2pix": pix2pix_step, "cyclegan": cyclegan_step}[case["method"]](case)

    def run(dataset):
        for first, second in dataset:
            step(first, second)

    return run


def adam(network):
    optimizer = keras.optimizers.Adam(2e-4, beta_1=0.5)
    optimizer.build(network.trainable_variables)
    return optimizer


def l1(first, second):
    return tf.reduce_mean(tf.abs(first - second))


def pix2pix_step(case):
    generator, discriminator = pix2pix_networks(case)
    generator_optimizer, discriminator_optimizer = adam(generator), adam(discriminator)

    def cross_entropy(logits, label):
        labels = tf.fill(tf.shape(logits), label)
        return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))

    @tf.function
    def step(source, target):
        with tf.GradientTape() as generator_tape, tf.GradientTape() as discriminator_tape:
            fake = generator(source, training=True)
            real_logits = discriminator([source, target], training=True)
            fake_logits = discriminator([source, fake], training=True)
            loss = cross_entropy(fake_logits, 1.0) + 100.0 * l1(target, fake)
            judged = cross_entropy(real_logits, 1.0) + cross_entropy(fake_logits, 0.0)
            judged = 0.5 * judged
        variables, judging = generator.trainable_variables, discriminator.trainable_variables
        gradients = generator_tape.gradient(loss, variables)
        judging_gradients = discriminator_tape.gradient(judged, judging)
        generator_optimizer.apply(gradients, variables)
        discriminator_optimizer.apply(judging_gradients, judging)

    return step


def cyclegan_step(case):
    to_y, to_x, judge_y, judge_x = everyone = cyclegan_networks(case)
    optimizers = [adam(network) for network in everyone]

    def square(scores, label):
        return tf.reduce_mean((scores - label) ** 2)

    @tf.function
    def step(x, y):
        with tf.GradientTape(persistent=True) as tape:
            fake_y = to_y(x, training=True)
            back_at_x = to_x(fake_y, training=True)
            fake_x = to_x(y, training=True)
            back_at_y = to_y(fake_x, training=True)
            same_x, same_y = to_x(x, training=True), to_y(y, training=True)
            real_x_scores, real_y_scores = judge_x(x, training=True), judge_y(y, training=True)
            fake_x_scores = judge_x(fake_x, training=True)
            fake_y_scores = judge_y(fake_y, training=True)
            cycled = 10.0 * (l1(back_at_x, x) + l1(back_at_y, y))
            sums = [
                square(fake_y_scores, 1.0) + cycled + 5.0 * l1(same_y, y),
                square(fake_x_scores, 1.0) + cycled + 5.0 * l1(same_x, x),
                0.5 * (square(real_y_scores, 1.0) + square(fake_y_scores, 0.0)),
                0.5 * (square(real_x_scores, 1.0) + square(fake_x_scores, 0.0)),
            ]
        sides = [network.trainable_variables for network in everyone]
        gradients = [tape.gradient(value, side) for value, side in zip(sums, sides)]
        for optimizer, gradient, side in zip(optimizers, gradients, sides):
            optimizer.apply(gradient, side)

    return step


class Here:
    """A candidate of this process. A call takes steps, and says what they took."""

    def __init__(self, make, case):
        self.make, self.case, self.run = make, case, None
        self.version = f"TensorFlow {tf.__version__}, Keras {keras.__version__}"
        shape = (2, 4 * case["batch_size"], case["side"], case["side"], 3)
        images = np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
        pairs = tf.data.Dataset.from_tensor_slices(tuple(images)).repeat()
        # Its tuner, while idle, may hold up the end of a dataset for as long as that has run.
        options = tf.data.Options()
        options.autotune.enabled = False
        pairs = pairs.batch(case["batch_size"], drop_remainder=True).prefetch(2)
        self.pairs = pairs.with_options(options)

    def __call__(self, steps):
        wall, processor = time.perf_counter(), time.process_time()
        if self.run is None:
            self.run = self.make(self.case)
        self.run(self.pairs.take(steps))
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        return {"wall": wall, "processor": processor, "peak": peak()}

    def close(self):
        self.run = None


class Elsewhere:
    """A candidate of another process, asked by lines of its input and answering by its output."""

    def __init__(self, command):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, bufsize=1, **pipes)
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


HERE = {OURS: ours, "TensorFlow": by_hand}


def candidates(case, torch=None, apart=False):
    """Name to a function that starts it; with `apart`, each in a process of its own."""
    found = {name: lambda make=make: Here(make, case) for name, make in HERE.items()}
    scripts = {}
    if apart:
        scripts = {name: [sys.executable, __file__, "--answer", name] for name in HERE}
    if torch:
        scripts["PyTorch"] = [torch, pathlib.Path(__file__).with_name(f"{MODULE}_torch.py")]
    for name, command in scripts.items():
        found[name] = lambda command=command: Elsewhere([*map(str, command), json.dumps(case)])
    return found


MODULE = pathlib.Path(__file__).stem


def answer(name, case):
    """Does for a candidate of TensorFlow what `image_to_image_step_torch.main` does."""
    run = Here(HERE[name], case)
    imported = peak()
    print(json.dumps({"version": run.version}), flush=True)
    for line in sys.stdin:
        print(json.dumps({**run(int(line)), "imported": imported}), flush=True)


def memory(case, torch=None):
    """Name to the peaks, in MB, of two steps alone and of imports alone."""
    peaks = {}
    for name, start in candidates(case, torch, apart=True).items():
        run = start()
        said = run(2)
        peaks[name] = said["peak"], said["imported"]
        run.close()
    return peaks


def measure(case, rounds, steps, torch=None):
    """Versions, what each candidate's first step took, and what each round of steps did."""
    runs = {name: start() for name, start in candidates(case, torch).items()}
    first = {name: run(1) for name, run in runs.items()}
    for run in runs.values():
        run(steps)  # warm
    taken = {name: [] for name in runs}
    names = list(runs)
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            taken[name].append(runs[name](steps))
    versions = {name: run.version for name, run in runs.items() if name != OURS}
    for run in runs.values():
        run.close()
    return versions, first, taken


def table(case, steps, first, taken, peaks):
    """Lines of a Markdown table."""
    clocks = ("wall", "processor")
    lines = [
        "| | ms a step | of processor | pairs/s | ours / this | range | of processor | first step "
        "| peak, MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, answers in taken.items():
        middle = {c: statistics.median(a[c] for a in answers) / steps for c in clocks}
        ratios = {c: sorted(a[c] / b[c] for a, b in zip(taken[OURS], answers)) for c in clocks}
        wall = ratios["wall"]
        same = name == OURS
        cells = [
            name,
            f"{1000 * middle['wall']:.0f}",
            f"{1000 * middle['processor']:.0f}",
            f"{case['batch_size'] / middle['wall']:.2f}",
            "1" if same else f"{statistics.median(wall):.2f}",
            "" if same else f"{wall[0]:.2f} to {wall[-1]:.2f}",
            "1" if same else f"{statistics.median(ratios['processor']):.2f}",
            f"{first[name]['wall']:.1f} s",
            "{:.0f} ({:.0f})".format(*peaks[name]) if name in peaks else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=5, help="in a round")
    parser.add_argument("--torch", metavar="PYTHON", help="of an environment that has PyTorch")
    parser.add_argument("--memory", action="store_true", help="also how much each needs, alone")
    parser.add_argument("--answer", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.answer:
        name, case = options.answer
        return answer(name, json.loads(case))
    for name in options.cases:
        case = CASES[name]
        peaks = memory(case, options.torch) if options.memory else {}
        versions, first, taken = measure(case, options.rounds, options.steps, options.torch)
        print(f"\n{name}: {case}")
        print(f"{', '.join(versions.values())}; {os.cpu_count()} cores, float32; ", end="")
        print(f"medians of {options.rounds} rounds of {options.steps} steps")
        print("\n".join(table(case, options.steps, first, taken, peaks)), flush=True)


if __name__ == "__main__":
    main()
