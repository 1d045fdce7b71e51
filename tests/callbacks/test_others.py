import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from keras_gans.callbacks import MetricsLog, Resume, SampleGrid, TrainingHealth
from keras_gans.callbacks.metrics_log import read_metrics

networks = keras_gans.networks

pytestmark = pytest.mark.usefixtures("without_graphs")


def make(**kwargs):
    gan = keras_gans.GAN(
        networks.mlp_generator((2,), latent_dim=3, width=8),
        networks.mlp_discriminator((2,), width=8),
        seed=0,
        **kwargs,
    )
    gan.compile()
    return gan


def points(number=32):
    return np.random.default_rng(0).normal(size=(number, 2)).astype("float32")


def test_keras_own_callbacks_work(tmp_path):
    gan = make(ema_decay=0.9)
    callbacks = [
        keras.callbacks.BackupAndRestore(tmp_path / "backup", delete_checkpoint=False),
        keras.callbacks.ModelCheckpoint(tmp_path / "at-{epoch}.keras"),
        keras.callbacks.TensorBoard(str(tmp_path / "logs")),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.EarlyStopping(
            "generator_loss", mode="min", min_delta=100.0, patience=1, restore_best_weights=True
        ),
    ]
    history = gan.fit(points(), batch_size=8, epochs=9, callbacks=callbacks, verbose=0)
    assert history.epoch == [0, 1]  # nothing gets better by 100: stopped after one more epoch
    rows = (tmp_path / "log.csv").read_text().splitlines()
    assert rows[0].startswith("epoch,discriminator_loss,generator_loss") and len(rows) == 3
    tags = {
        value.tag
        for file in (tmp_path / "logs" / "train").iterdir()
        for event in tf.compat.v1.train.summary_iterator(str(file))
        for value in event.summary.value
    }
    assert {"epoch_discriminator_loss", "epoch_generator_loss"} <= tags
    best = keras.models.load_model(tmp_path / "at-1.keras")
    for a, b in zip(best.get_weights(), gan.get_weights()):  # restored: those of the first epoch
        np.testing.assert_array_equal(a, b)

    again = make(ema_decay=0.9)
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
    assert again.fit(points(), epochs=3, callbacks=[backup], verbose=0).epoch == [2]


def test_learning_rates_decay_by_a_schedule():
    gan = make()
    schedule = keras.optimizers.schedules.PolynomialDecay(0.1, 4, 0.0)
    gan.compile(keras.optimizers.SGD(schedule), keras.optimizers.SGD(schedule))
    gan.fit(points(), batch_size=8, verbose=0)
    assert float(gan.generator_optimizer.learning_rate) == 0.0
    before = [w.copy() for w in gan.get_weights()]
    gan.fit(points(), batch_size=8, verbose=0)
    for a, b in zip(before, gan.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_metrics_log_tells_one_story(tmp_path):
    path = tmp_path / "metrics.jsonl"
    make().fit(points(), batch_size=8, epochs=3, callbacks=[MetricsLog(path)], verbose=0)
    with path.open("a") as file:
        file.write('{"epoch": 4, "sec')  # killed in the middle of a line
    assert [line["epoch"] for line in read_metrics(path)] == [1, 2, 3]
    fit = {"batch_size": 8, "initial_epoch": 2, "epochs": 3, "verbose": 0}
    history = make().fit(points(), callbacks=[MetricsLog(path)], **fit)  # epoch 3 once more
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert lines[-1]["generator_loss"] == history.history["generator_loss"][0]
    assert lines[-1]["steps_per_second"] > 0
    assert [line["epoch"] for line in read_metrics(tmp_path / "metrics~1.jsonl")] == [1, 2, 3]


def pictures():
    gan = keras_gans.GAN(
        networks.mlp_generator((8, 8, 1), latent_dim=3, width=8),
        networks.mlp_discriminator((8, 8, 1), width=8),
        seed=0,
    )
    gan.compile()
    return gan


def watched(gan, folder, resume, initial_epoch, epochs):
    callbacks = [
        TrainingHealth(path=folder / "health.jsonl"),
        MetricsLog(folder / "metrics.jsonl"),
        SampleGrid(folder / "samples", num_images=4),
    ]
    if resume is not None:
        callbacks.insert({"first": 0, "last": 3}[resume], Resume(folder / "checkpoints"))
    data = np.tanh(np.random.default_rng(0).normal(size=(16, 8, 8, 1))).astype("float32")
    fit = {"batch_size": 8, "initial_epoch": initial_epoch, "epochs": epochs, "verbose": 0}
    return gan.fit(data, callbacks=callbacks, **fit).epoch


def numbers(folder):
    """Epochs of the lines and of the grids in a folder."""
    lines = [line["epoch"] for line in read_metrics(folder / "metrics.jsonl")]
    return lines, sorted(int(path.stem[6:]) for path in (folder / "samples").glob("epoch_*.png"))


@pytest.mark.parametrize("resume", [None, "first", "last"])
@pytest.mark.parametrize("initial_epoch", [0, 3])
@pytest.mark.parametrize("there", [False, True])
def test_nothing_that_is_there_is_lost(tmp_path, resume, initial_epoch, there):
    gan = pictures()
    if there:
        watched(gan, tmp_path, resume, 0, 3)
    before = {p.name: p.read_bytes() for p in tmp_path.rglob("*") if p.suffix == ".png"}
    log = (tmp_path / "metrics.jsonl").read_text() if there else ""
    goes_on = there and (resume is not None or initial_epoch == 3)
    start = 3 if goes_on else initial_epoch
    assert watched(gan, tmp_path, resume, initial_epoch, 5) == list(range(start, 5))
    lines, grids = numbers(tmp_path)
    first = 0 if goes_on else start
    assert lines == list(range(first + 1, 6))
    assert grids == list(range(first if start == 0 or goes_on else first + 1, 6))
    if goes_on:
        assert (tmp_path / "metrics.jsonl").read_text().startswith(log)
        kept = tmp_path / "samples"
    else:
        kept = tmp_path / "samples" / "earlier~1"
        assert (tmp_path / "metrics~1.jsonl").exists() == there
    assert all((kept / name).read_bytes() == content for name, content in before.items())


def test_a_training_that_stopped_within_its_first_epoch_keeps_its_first_grid(tmp_path):
    class Kill(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    data, gan = np.zeros((16, 8, 8, 1), "float32"), pictures()
    callbacks = [Resume(tmp_path / "c", steps=1), SampleGrid(tmp_path / "s", num_images=4)]
    with pytest.raises(KeyboardInterrupt):
        gan.fit(data, batch_size=8, callbacks=[*callbacks, Kill()], verbose=0)
    first = (tmp_path / "s" / "epoch_0000.png").read_bytes()
    gan.fit(data, batch_size=8, callbacks=callbacks, verbose=0)
    assert (tmp_path / "s" / "epoch_0000.png").read_bytes() == first
    assert sorted(p.name for p in (tmp_path / "s").glob("*.png")) == [
        "epoch_0000.png",
        "epoch_0001.png",
    ]


@pytest.mark.parametrize("content", ["notes of mine\n", "[1, 2]\n", '{"a": 1}\n', "x"])
@pytest.mark.parametrize("callback", [MetricsLog, lambda path: TrainingHealth(path=path)])
def test_another_file_is_not_written_over(tmp_path, content, callback):
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(ValueError, match="another file at that path.*Received"):
        make().fit(points(), callbacks=[callback(path)], verbose=0)
    assert path.read_text() == content
