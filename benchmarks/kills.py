"""Kills trainings at random moments, and looks whether they end as if nothing had happened.

    python benchmarks/kills.py [--kills 50] [--seed 0] [--recipes dcgan_digits_28 ...]

Each recipe trains for a few short epochs in a process of its own: once straight through, and once
killed (`SIGKILL`) again and again, and run again each time, until its share of the kills is spent.
Then it may finish. After every third kill the newest checkpoint is also cut short. A training that
was killed has survived if every variable at its end has the same bits as the one straight through:
weights, moments, moving averages, pools, random states.

`callbacks.Resume` saves after every second step, so that kills fall into its writing too, and
TensorFlow runs with `enable_op_determinism`. The moment of a kill is drawn evenly from the time
that the training straight through took, from its first step on.
"""

import argparse
import hashlib
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

EPOCHS, STEPS, BATCH = 3, 8, 8
STARTED = "started"

# One of each family. Networks and losses are the recipes' own; batches and epochs are short.
RECIPES = (
    "dcgan_digits_28",
    "wgan_fashion_mnist_28",
    "wgan_gp_fashion_mnist_28",
    "conditional_gan_digits_28",
    "acgan_fashion_mnist_28",
    "infogan_digits_28",
    "semi_supervised_gan_digits_28",
    "ebgan_digits_28",
    "unrolled_gan_digits_28",
    "r3gan_fashion_mnist_28",
    "pix2pix_satellite_to_map_128",
    "cyclegan_map_satellite_64",
)


def train(name, folder):
    """Trains to the end from the folder's newest checkpoint, and prints a hash of all variables."""
    import keras
    import tensorflow as tf

    from keras_gans import zoo
    from keras_gans.callbacks import Resume

    tf.config.experimental.enable_op_determinism()
    recipe = zoo.Recipe.read(name)
    steps_of_side = recipe.config["model"].get("critic_steps") or 1
    batch = BATCH * steps_of_side
    data = {**recipe.config["data"], "batch_size": batch}
    if data.get("labels_per_class"):
        data |= {"split": f"train[:{batch * STEPS}]", "labels_per_class": 1}
    else:
        data |= {"num_examples": batch * STEPS}
    recipe = zoo.Recipe.read(recipe, data=data)
    gan = recipe.build_model()
    resume = Resume(folder, steps=2)

    def started(batch, logs):
        if not started.printed:
            print(STARTED, flush=True)
        started.printed = True

    started.printed = False
    gan.fit(
        recipe.load_data(first_epoch=resume.epoch),
        steps_per_epoch=STEPS,
        epochs=EPOCHS,
        callbacks=[resume, keras.callbacks.LambdaCallback(on_train_batch_end=started)],
        verbose=0,
    )
    digest = hashlib.sha256()
    optimizers = (gan.generator_optimizer, gan.discriminator_optimizer)
    for variable in [
        *gan.weights,
        *gan.non_trainable_variables,
        *(v for o in optimizers for v in o.variables),
    ]:
        digest.update(variable.numpy().tobytes())
    print(digest.hexdigest(), flush=True)


class Training:
    """A training in a process of its own."""

    def __init__(self, name, folder):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--train", name, str(folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.first, self.started = self.line(), time.perf_counter()

    def line(self):
        """What it says next: that it has started, unless it had ended before, and the hash."""
        if line := self.process.stdout.readline().strip():
            return line
        raise RuntimeError(f"A training failed: {self.process.stderr.read()[-3000:]}")

    def hash(self):
        return self.line() if self.first == STARTED else self.first

    def kill_after(self, seconds):
        """Kills it, unless it has ended; returns whether it was killed."""
        time.sleep(max(0, self.started + seconds - time.perf_counter()))
        alive = self.process.poll() is None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return alive


def cut_short(folder, chance):
    """Cuts the newest checkpoint at a random length, if another one is there to go back to."""
    checkpoints = sorted(folder.glob("epoch-*.weights.h5"))
    if len(checkpoints) > 1:
        os.truncate(checkpoints[-1], chance.randrange(checkpoints[-1].stat().st_size))
    return len(checkpoints) > 1


def survive(name, kills, chance):
    """Kills one training so many times; returns whether it ended alike, and the number of cuts."""
    with tempfile.TemporaryDirectory() as home:
        straight = Training(name, pathlib.Path(home, "straight"))
        expected = straight.hash()
        seconds = time.perf_counter() - straight.started
        folder, killed, cut, same = pathlib.Path(home, "killed"), 0, 0, True
        while killed < kills:
            training = Training(name, folder)
            if training.first == STARTED and training.kill_after(chance.uniform(0, seconds)):
                killed += 1
                if killed % 3 == 0:
                    cut += cut_short(folder, chance)
            else:  # it had ended before: another one
                same = same and training.hash() == expected
                shutil.rmtree(folder)
        return same and Training(name, folder).hash() == expected, cut


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--recipes", nargs="+", default=RECIPES)
    parser.add_argument("--train", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        return train(*options.train)
    chance, survived, total = random.Random(options.seed), 0, 0
    print(f"{'recipe':34}{'kills':>6}{'cut short':>10}  the same in the end")
    for number, name in enumerate(options.recipes):
        left = len(options.recipes) - number
        share = -(-(options.kills - total) // left)
        same, cut = survive(name, share, chance)
        total, survived = total + share, survived + share * same
        print(f"{name:34}{share:6}{cut:10}  {'yes' if same else 'NO'}", flush=True)
    print(f"{survived} of {total} kills survived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
