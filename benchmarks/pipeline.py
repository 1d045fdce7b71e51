"""Does a training wait for its data? Steps on a recipe's own batches against one batch repeated.

    python benchmarks/pipeline.py [--presets dcgan_digits_28] [--rounds 5] [--steps 40]

The model of a preset is trained by `fit` in rounds that take turns: on the batches of its recipe,
and on the first of them again and again from memory. A ratio of 1 says that a batch is always
ready. A step is timed from the end of the one before it. Apart from that stand what a new iterator
prepares before its first batch, and what happens after the last step; and how long a batch takes
when nothing is done with it, over one whole epoch with its beginning.
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow as tf

from keras_gans import data, zoo

PRESETS = (
    "dcgan_fashion_mnist_28",
    "dcgan_digits_28",
    "pix2pix_satellite_to_map_128",
    "cyclegan_map_satellite_64",
)
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


def now():
    return {name: clock() for name, clock in CLOCKS.items()}


class Stopwatch(keras.callbacks.Callback):
    """The clocks at the end of the first step and of the last."""

    def on_train_begin(self, logs=None):
        self.first = None

    def on_train_batch_end(self, batch, logs=None):
        self.last = now()
        self.first = self.first or self.last


def timed(gan, batches, steps):
    """What so many steps after a first one took, and what came before and after them."""
    watch, started = Stopwatch(), now()
    gan.fit(batches, steps_per_epoch=steps + 1, callbacks=[watch], verbose=0)
    ended = now()
    return {
        "first batch": watch.first["wall"] - started["wall"],
        "end": ended["wall"] - watch.last["wall"],
        **{name: (watch.last[name] - watch.first[name]) / steps for name in CLOCKS},
    }


def alone(batches):
    """Batches a second of an epoch that nothing is trained on."""
    steps = data.steps_per_epoch(batches)
    started = time.perf_counter()
    for _ in batches.take(steps):
        pass
    return steps / (time.perf_counter() - started)


def measure(recipe, rounds, steps):
    """Each round's times by kind of data, and batches a second of the recipe's alone."""
    gan, own = recipe.build_model(), recipe.load_data(first_epoch=0)
    (batch,) = own.take(1)
    options = tf.data.Options()
    options.autotune.enabled = False  # there is nothing to tune
    kinds = {"own": own, "repeated": tf.data.Dataset.from_tensors(batch).repeat()}
    kinds["repeated"] = kinds["repeated"].with_options(options)
    taken = {kind: [timed(gan, batches, 2)] for kind, batches in kinds.items()}  # traces
    for number in range(rounds):
        for kind in sorted(kinds, reverse=number % 2):
            taken[kind].append(timed(gan, kinds[kind], steps))
    return {kind: rows[1:] for kind, rows in taken.items()}, alone(own)


def row(name, taken, batches_per_second):
    """A line of a Markdown table."""
    own, repeated = taken["own"], taken["repeated"]
    middle = {n: statistics.median(r[n] for r in own) for n in own[0]}
    ratios = {n: sorted(a[n] / b[n] for a, b in zip(own, repeated)) for n in CLOCKS}
    return " | ".join(
        [
            f"| {name}",
            f"{1000 * middle['wall']:.3g}",
            f"{statistics.median(ratios['wall']):.2f}",
            f"{ratios['wall'][0]:.2f} to {ratios['wall'][-1]:.2f}",
            f"{statistics.median(ratios['processor']):.2f}",
            f"{1000 / batches_per_second:.2g}",
            f"{middle['first batch']:.2f}",
            f"{max(r['end'] for r in own):.2f} |",
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presets", nargs="+", default=list(PRESETS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=40, help="in a round")
    options = parser.parse_args()
    print(
        f"TensorFlow {tf.__version__}, {os.cpu_count()} cores; medians of {options.rounds} rounds"
    )
    print(f"of {options.steps} steps on the recipe's own batches, over those on one repeated\n")
    print(
        "| preset | ms a step | own / repeated | range | of processor | ms a batch, alone "
        "| s before the first | most s after the last |\n|---|---|---|---|---|---|---|---|"
    )
    for name in options.presets:
        recipe = zoo.Recipe.read(name)
        print(row(name, *measure(recipe, options.rounds, options.steps)), flush=True)


if __name__ == "__main__":
    main()
