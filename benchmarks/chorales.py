"""Does a WGAN-GP learn to write for four voices from bars of Bach's chorales?

    python benchmarks/chorales.py --minutes 20

Ctrl+C ends the training early, and what there is is measured.

It needs `pip install 'keras-gans[music]'`. The rows of the table, by
`keras_gans.metrics.part_writing`:

- `training`: bars of the split `train`, which the histograms of all rows are compared with;
- `real`: bars of the split `test`, of chorales that the training did not see;
- `shuffled_voices`, a control: each voice of a real bar from another bar. Its melodies are Bach's,
  and its harmony is chance;
- `shuffled_steps`, a control: the steps of each real bar in another order. Its chords are Bach's,
  and its melodies are chance;
- `generated`: bars of the generator's moving average;
- `generated_without_silence`: the same, where each voice sings its loudest pitch, however faint.

`copies` is the fraction of bars that the training has, in this key or another: of 0 for real ones,
as the test leaves those out. The controls are of real bars of the test.
"""

import argparse
import contextlib
import json
import time
from pathlib import Path

import keras
import numpy as np

import keras_gans
from keras_gans import data, image, metrics, music, networks

SHAPE = (16, 48, 4)  # steps, pitches, voices


def bars(split):
    """The notes of all bars of a split."""
    rolls = data.load("chorales", split=split, batch_size=1, shuffle=False)
    return music.notes(np.concatenate(list(rolls.as_numpy_iterator())))


def controls(notes, seed):
    """Bars with shuffled voices, and bars with shuffled steps."""
    random = np.random.default_rng(seed)
    voices = [notes[random.permutation(len(notes)), :, voice] for voice in range(notes.shape[-1])]
    steps = random.permuted(np.tile(np.arange(notes.shape[1]), (len(notes), 1)), axis=1)
    return np.stack(voices, axis=-1), np.take_along_axis(notes, steps[..., None], axis=1)


def without_key(notes):
    """Each bar as bytes, the same in all keys."""
    return [
        np.where(bar < 0, -1, bar - bar[bar >= 0].min(initial=127)).astype("int8").tobytes()
        for bar in notes
    ]


def row(name, notes, training):
    """One row of the table."""
    found = metrics.part_writing(notes)
    known = set(without_key(training))
    numbers = {
        key: value for key, value in vars(found).items() if not isinstance(value, np.ndarray)
    }
    distances = found.distances(metrics.part_writing(training))
    copies = float(np.mean([bar in known for bar in without_key(notes)]))
    rounded = {key: round(value, 4) for key, value in {**numbers, **distances}.items()}
    return {"of": name, "bars": len(notes), **rounded, "copies": round(copies, 4)}


class Until(keras.callbacks.Callback):
    """Ends a training after so many seconds of the processor."""

    def __init__(self, seconds):
        super().__init__()
        self.end = time.process_time() + seconds

    def on_train_batch_end(self, batch, logs=None):
        if time.process_time() > self.end:
            self.model.stop_training = True


def trained(options):
    """A WGAN-GP of DCGAN's networks, which take oblong images as they are."""
    keras.utils.set_random_seed(options.seed)
    gan = keras_gans.WGANGP(
        networks.dcgan_generator(SHAPE, latent_dim=128, width=options.width),
        networks.dcgan_discriminator(SHAPE, width=options.width, batch_normalization=False),
        ema_decay=0.999,
        seed=options.seed,
    )
    gan.compile(*(keras.optimizers.Adam(options.rate, beta_1=0.0, beta_2=0.9) for _ in range(2)))
    rolls = data.load(
        "chorales",
        batch_size=gan.critic_steps * options.batch_size,
        transpose=options.transpose,
        seed=options.seed,
    )
    with contextlib.suppress(KeyboardInterrupt):  # measures what there is
        gan.fit(rolls, epochs=10_000, callbacks=[Until(60 * options.minutes)], verbose=2)
    return gan


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20.0, help="of the processor")
    parser.add_argument("--width", type=int, default=32, help="of both networks")
    parser.add_argument("--rate", type=float, default=5e-4, help="learning rate")
    parser.add_argument("--batch-size", type=int, default=32, help="of each step of the critic")
    parser.add_argument("--transpose", type=int, default=5, help="semitones, up and down")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--number", type=int, default=2000, help="generated bars to measure")
    parser.add_argument("--output", type=Path, default=Path("chorales"), help="folder of results")
    options = parser.parse_args()

    training, test = bars("train"), bars("test")
    voices, steps = controls(test, options.seed)
    rows = [("training", training), ("real", test)]
    rows += [("shuffled_voices", voices), ("shuffled_steps", steps)]
    started = time.process_time()
    gan = trained(options)
    minutes = (time.process_time() - started) / 60
    made = gan.generate(options.number, seed=options.seed)
    rows.append(("generated", music.notes(made)))
    rows.append(("generated_without_silence", music.notes(made, threshold=-1.0)))
    table = [row(name, notes, training) for name, notes in rows]
    for found in table:
        print(found, flush=True)

    options.output.mkdir(parents=True, exist_ok=True)
    gan.save(options.output / "gan.keras")
    found = {"steps": int(gan.generator_optimizer.iterations), "minutes": round(minutes, 1)}
    print(found)
    found |= {"rows": table}
    (options.output / "results.json").write_text(json.dumps(found, indent=1))
    for name, notes in rows:
        rolls = music.rolls(notes[:16])
        image.save(music.picture(rolls), options.output / f"{name}.png", columns=4, padding=8)
        music.save(rolls, options.output / f"{name}.mid")


if __name__ == "__main__":
    main()
