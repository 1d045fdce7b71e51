"""Maps to satellite images and back: Pix2Pix and CycleGAN against what is simpler.

    keras-gans train pix2pix_satellite_to_map_128  # an hour or so; run again, it goes on
    python benchmarks/earth.py l1 runs/pix2pix_satellite_to_map_128   # the same U-Net, L1 alone
    python benchmarks/earth.py table runs/pix2pix_satellite_to_map_128
    python benchmarks/earth.py table runs/cyclegan_map_satellite_64

`l1` trains the generator of a run by the L1 term alone, for as many steps as take the same
processor time, with the same optimizer, data and moving average. `table` measures, on the band of
longitudes that nothing was trained or chosen on, each run's checkpoint that was best on the
validation band, and beside it the sources as they are, the mean colour, and L1 alone.

Columns are those of `metrics.TranslationEvaluation`, and `land and sea`: the share of pixels that
are land or sea as in the target, by colour. Below one half, a translator has exchanged the two.
"""

import argparse
import json
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import keras_gans
from keras_gans import data, metrics, zoo
from keras_gans.callbacks import Evaluate, MetricsLog, Resume, SampleGrid
from keras_gans.data.sources import earth

L1 = "l1"  # folder of the run by the L1 term alone, in the folder of the run it stands beside


@keras.saving.register_keras_serializable("benchmarks")
class L1Alone(keras_gans.Pix2Pix):
    """Pix2Pix without its discriminator."""

    tracked = ("l1_loss",)

    def train_step(self, data):
        source, target = self.pairs(data)
        with tf.GradientTape() as tape:
            losses = {
                "l1_loss": self.l1_weight * tf.abs(target - self.generator(source, training=True))
            }
        self.step("generator", tape, losses)
        self.update_averages()
        return self.get_metrics_result()


def recipe_of(run):
    config = json.loads((run / "config.json").read_text())
    return zoo.Recipe(config, run.name)


def without_discriminator(recipe):
    """The model of a recipe, compiled, with its step replaced."""
    gan = recipe.build_model()
    alone = L1Alone(
        gan.generator,
        gan.discriminator,
        l1_weight=gan.l1_weight,
        ema_decay=gan.ema_decay,
        seed=gan.seed,
    )
    config = keras.optimizers.serialize(gan.generator_optimizer)
    alone.compile(keras.optimizers.deserialize(config))
    return alone


def ratio_of_steps(recipe, rounds=3, steps=5):
    """Processor time of a step of the whole GAN over one of L1 alone, in alternating rounds."""
    models = [recipe.build_model(), without_discriminator(recipe)]
    batches = recipe.load_data(first_epoch=0)
    seconds = np.zeros((rounds + 1, 2))
    for number in range(rounds + 1):  # the first traces
        for column, model in enumerate(models):
            started = time.process_time()
            model.fit(batches, steps_per_epoch=steps, verbose=0)
            seconds[number, column] = time.process_time() - started
    return np.median(seconds[1:, 0] / seconds[1:, 1])


def train_l1(run):
    """Trains, or goes on with, the generator of a run by the L1 term alone."""
    folder = run / L1
    folder.mkdir(exist_ok=True)
    plan = folder / "plan.json"
    recipe = recipe_of(run)
    if not plan.exists():
        ratio = ratio_of_steps(recipe)
        epochs = round(recipe.config["epochs"] * ratio)
        plan.write_text(json.dumps({"ratio": ratio, "epochs": epochs}))
    plan = json.loads(plan.read_text())
    print(plan, flush=True)
    # The rate stays and falls over as many epochs.
    rate = recipe.config["generator_optimizer"]["learning_rate"]
    for name in ("constant_steps", "decay_steps"):
        rate[name] = round(rate[name] * plan["epochs"] / recipe.config["epochs"])
    resume = Resume(folder / "checkpoints")
    model, batches = without_discriminator(recipe), recipe.load_data(first_epoch=resume.epoch)
    model.fit(
        batches,
        steps_per_epoch=data.steps_per_epoch(batches),
        epochs=plan["epochs"],
        callbacks=[
            Evaluate(recipe.evaluation(split="validation"), 4, "l1", folder / "checkpoints"),
            resume,
            MetricsLog(folder / "metrics.jsonl"),
            SampleGrid(folder / "samples", 12, every=4, inputs=recipe.sample_pairs()),
        ],
    )


def opened(run, best):
    """The model of a run; its best checkpoint, or its last."""
    if run.name == L1:
        model = without_discriminator(recipe_of(run.parent))
        model.load_weights(run / "checkpoints/best.weights.h5")
        return model
    return zoo.restore(run, best=best)


def land(images, satellite):
    return ~earth.sea_mask(images) if satellite else earth.land_mask(images)


def agreement(made, targets, satellite):
    """Share of pixels that are land or sea as in the targets; both are lists of batches."""
    masks = [
        [land(np.clip(batch, -1, 1), satellite) for batch in batches] for batches in (made, targets)
    ]
    return float(np.mean([(a == b).mean() for a, b in zip(*masks)]))


def rows_of(run, split, best):
    """`(direction, name, measured, agreement)` of everything that is to be compared."""
    recipe = recipe_of(run)
    model = opened(run, best)
    options = {n: recipe.config["data"][n] for n in ("image_size", "direction")}
    cycle = isinstance(model, keras_gans.CycleGAN)
    forward = metrics.TranslationEvaluation(recipe.config["data"]["name"], split=split, **options)
    for evaluation in (forward, forward.backward()) if cycle else (forward,):
        direction = evaluation.options["direction"]
        satellite = direction == "a_to_b"
        sources, targets = zip(*evaluation.pairs())
        mean = np.concatenate(targets).mean(axis=(0, 1, 2))
        translators = {
            "input copied": lambda x: x,
            "mean colour": lambda x, mean=mean: np.broadcast_to(mean, x.shape),
        }
        if (run / L1).is_dir() and not cycle:
            translators["the same U-Net, L1 alone"] = opened(run / L1, best).generate
        if cycle:
            back = evaluation is not forward
            translators["CycleGAN"] = lambda x, b=back: model.generate(x, backward=b)
        else:
            translators["Pix2Pix"] = model.generate
        for name, translate in translators.items():
            made = [translate(batch) for batch in sources]
            parts = iter(made)
            measured = evaluation.measure(lambda batch, parts=parts: next(parts))
            yield direction, name, measured, agreement(made, targets, satellite)


def table(runs, split, best):
    for run in runs:
        print(f"\n{run.name}, {split} band")
        for number, (direction, name, measured, same) in enumerate(rows_of(run, split, best)):
            values = {found.protocol.metric: found for found in measured.values()}
            if not number:
                first = next(iter(measured.values())).protocol
                print(f"{first.num_images} pairs")
                print(f"{'':34}" + "".join(f"{n:>28}" for n in values) + f"{'land and sea':>14}")
            row = f"{direction + ', ' + name:34}"
            print(row + "".join(f"{found!s:>28}" for found in values.values()) + f"{same:>14.3f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["l1", "table"])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--split", default="test")
    parser.add_argument("--last", action="store_true", help="the last checkpoint, not the best")
    options = parser.parse_args()
    if options.what == "l1":
        for run in options.runs:
            train_l1(run)
    else:
        table(options.runs, options.split, not options.last)


if __name__ == "__main__":
    main()
