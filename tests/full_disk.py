"""A training whose disk gets full after its first epoch; as a program, on a disk of its own.

    python tests/full_disk.py FOLDER {fill,limit} KIB [KIB ...]

`fill` fills the file system of FOLDER, which should be a small one, up to so much free space;
`limit` lets no file of this process get larger than that (`ulimit -f`). A line of JSON a case says
what became of the training. Libraries that keep files open where a disk is full end a process with
a segmentation fault: the exit code is part of the test.
"""

import json
import os
import resource
import shutil
import sys
import warnings
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

import keras_gans
from keras_gans import callbacks, files
from keras_gans.callbacks.board import Curves
from keras_gans.metrics import Measurement, Protocol

EPOCHS, STEPS = 3, 2
SHAPE = (16, 16, 1)


class Fill(keras.callbacks.Callback):
    """Takes the space from the second epoch on."""

    def __init__(self, folder, how, kibibytes):
        super().__init__()
        self.folder, self.how, self.bytes = Path(folder), how, 1024 * kibibytes
        self.steps = 0

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1 and self.how == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.bytes, resource.RLIM_INFINITY))
        elif epoch == 1 and self.how == "fill":
            disk = os.statvfs(self.folder)
            size = disk.f_bavail * disk.f_frsize - self.bytes
            (self.folder / "filler").write_bytes(bytes(max(size, 0)))

    def on_train_batch_end(self, batch, logs=None):
        self.steps += 1

    def free(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        (self.folder / "filler").unlink(missing_ok=True)


class Better:
    """An evaluation that finds each epoch better than the one before."""

    number = 100.0

    def measure(self, model):
        self.number -= 1.0
        protocol = Protocol("frechet", 10, "net", "a", "b")
        return {protocol.name: Measurement(protocol, self.number)}


def make():
    gan = keras_gans.GAN(
        keras_gans.networks.mlp_generator(SHAPE, latent_dim=3, width=16),
        keras_gans.networks.mlp_discriminator(SHAPE, width=16),
        ema_decay=0.9,
        seed=0,
    )
    gan.compile(run_eagerly=True)
    return gan


def attempt(action):
    """The error number of an action, or of what caused its error; 0 if it did well."""
    try:
        action()
    except OSError as error:
        return {"errno": error.errno, "note": " ".join(getattr(error, "__notes__", []))}
    return {"errno": 0, "note": ""}


def case(gan, probe, home, how, kibibytes):
    """What becomes of one training, in its own folder of the disk."""
    folder, fill = home / "run", Fill(home, how, kibibytes)
    evaluate = callbacks.Evaluate(Better(), directory=folder / "best")
    resume = callbacks.Resume(folder / "checkpoints", steps=1)
    others = [
        callbacks.TrainingHealth(path=folder / "health.jsonl", log_dir=str(folder / "logs")),
        evaluate,
        resume,
        callbacks.MetricsLog(folder / "metrics.jsonl"),
        Curves(folder / "logs"),
        callbacks.SampleGrid(folder / "samples", num_images=16, log_dir=folder / "logs"),
    ]
    images = np.tanh(np.random.default_rng(0).normal(size=(8 * STEPS, *SHAPE))).astype("float32")

    def fit(epochs=EPOCHS):
        gan.fit(images, batch_size=8, epochs=epochs, callbacks=[fill, *others], verbose=0)

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        fitted = attempt(fit)
    saved = attempt(lambda: gan.save(folder / "gan.keras"))
    weights = folder / "generator.weights.h5"

    def ship():
        with files.in_memory(weights) as memory:
            gan.generator.save_weights(memory)
        files.to_float16(weights)

    shipped = attempt(ship)
    fill.free()
    for path in resume.checkpoints():
        probe.load_weights(path)  # whole, and all there
    probe.load_weights(evaluate.directory / "best.weights.h5")
    if (folder / "gan.keras").exists():
        assert zipfile.ZipFile(folder / "gan.keras").testzip() is None
    found = {
        "free": kibibytes,
        "steps": fill.steps,
        "fit": fitted,
        "save": saved,
        "ship": shipped,
        "whole": [path.name for path in resume.checkpoints()],
        "lines": [line["epoch"] for line in callbacks.metrics_log.read_metrics(others[3].path)],
        "grids": len(list((folder / "samples").glob("epoch_*.png"))),
        "left": [p.name for p in folder.rglob(".*")],
        "warnings": [str(w.message) for w in caught if "continues" in str(w.message)],
    }
    fill.how = "no more"
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        fit(EPOCHS + 1)
    resumed = resume.epoch
    shutil.rmtree(folder)
    return {**found, "resumed": resumed}


def main():
    home, how, *sizes = sys.argv[1:]
    gan, probe = make(), make()
    for size in map(int, sizes):
        print(json.dumps(case(gan, probe, Path(home), how, size)), flush=True)


if __name__ == "__main__":
    main()
