import json

import keras
import numpy as np
import tensorflow as tf

import keras_gans
from keras_gans.callbacks import MetricsLog
from keras_gans.callbacks.metrics_log import read_metrics

networks = keras_gans.networks


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
    gan = make()
    gan._initial_epoch = 2  # as `Resume` sets it: epoch 3 is trained again
    history = gan.fit(points(), batch_size=8, epochs=3, callbacks=[MetricsLog(path)], verbose=0)
    lines = [json.loads(text) for text in path.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert lines[-1]["generator_loss"] == history.history["generator_loss"][0]
    assert lines[-1]["steps_per_second"] > 0
