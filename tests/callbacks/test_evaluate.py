import json

import numpy as np
import pytest

import keras_gans
from keras_gans.callbacks import Evaluate, MetricsLog, Resume
from keras_gans.metrics import Measurement, Protocol
from tiny import SHAPE, images

pytestmark = pytest.mark.usefixtures("without_graphs")


class Scripted:
    """An evaluation whose Frechet distances are known beforehand."""

    def __init__(self, values):
        self.values, self.models = list(values), []

    def measure(self, model):
        self.models.append(model)
        protocol = Protocol("frechet", 10, "net", "a", "b")
        return {protocol.name: Measurement(protocol, self.values.pop(0))}


def gan():
    model = keras_gans.GAN(
        keras_gans.networks.mlp_generator(SHAPE, latent_dim=3, width=8),
        keras_gans.networks.mlp_discriminator(SHAPE, width=8),
        ema_decay=0.9,
        seed=0,
    )
    model.compile()
    return model


def fit(model, callbacks, epochs):
    return model.fit(images(1)[0], batch_size=8, epochs=epochs, verbose=0, callbacks=callbacks)


def test_values_are_logged_and_the_best_checkpoint_is_kept(tmp_path):
    model, weights = gan(), {}

    class Remember(keras_gans.callbacks.MetricsLog):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            weights[epoch + 1] = [v.copy() for v in self.model.get_weights()]

    evaluate = Evaluate(Scripted([5.0, 3.0, 4.0]), every=2, directory=tmp_path / "best")
    history = fit(model, [evaluate, Remember(tmp_path / "metrics.jsonl")], epochs=5).history
    assert history["frechet10_net"] == [5.0, 3.0, 4.0]  # epochs 2 and 4, and the last
    lines = [json.loads(x) for x in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [x.get("frechet10_net") for x in lines] == [None, 5.0, None, 3.0, 4.0]
    kept = json.loads((tmp_path / "best" / "best.json").read_text())
    assert kept["epoch"] == 4 and kept["measurement"]["value"] == 3.0
    assert evaluate.epoch == 5 and float(evaluate.measured["frechet10_net"]) == 4.0
    other = gan()
    other.load_weights(tmp_path / "best" / "best.weights.h5")
    for found, expected in zip(other.get_weights(), weights[4]):
        np.testing.assert_array_equal(found, expected)


def test_a_resumed_training_knows_the_best_so_far(tmp_path):
    def run(values, epochs):
        callbacks = [
            Evaluate(Scripted(values), directory=tmp_path),
            Resume(tmp_path),
            MetricsLog(tmp_path / "metrics.jsonl"),
        ]
        fit(gan(), callbacks, epochs)
        return json.loads((tmp_path / "best.json").read_text())

    assert run([5.0, 3.0], 2)["epoch"] == 2
    assert run([4.0], 3)["epoch"] == 2
    assert run([2.0], 4)["epoch"] == 4


def test_a_best_that_another_training_left_is_none_of_this_one(tmp_path):
    fit(gan(), [Evaluate(Scripted([1.0]), directory=tmp_path)], 1)
    fit(gan(), [Evaluate(Scripted([9.0]), directory=tmp_path)], 1)
    assert json.loads((tmp_path / "best.json").read_text())["measurement"]["value"] == 9.0


def test_a_best_of_another_protocol_is_not_compared(tmp_path):
    fit(gan(), [Evaluate(Scripted([1.0]), directory=tmp_path), Resume(tmp_path)], 1)
    changed = json.loads((tmp_path / "best.json").read_text())
    changed["measurement"]["protocol"]["num_images"] = 11
    (tmp_path / "best.json").write_text(json.dumps(changed))
    with pytest.raises(ValueError, match="different protocols.*num_images"):
        fit(gan(), [Evaluate(Scripted([1.0]), directory=tmp_path), Resume(tmp_path)], 2)


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match="every=0"):
        Evaluate(Scripted([]), every=0)
    with pytest.raises(ValueError, match="Expected one of .'frechet'.*best='fid'"):
        fit(gan(), [Evaluate(Scripted([1.0]), best="fid", directory=tmp_path)], 1)


def test_without_a_best_it_measures_alone(tmp_path):
    callback = Evaluate(Scripted([5.0, 3.0]), best=None, directory=tmp_path)
    history = fit(gan(), [callback], epochs=2).history
    assert history["frechet10_net"] == [5.0, 3.0] and callback.epoch == 2
    assert not list(tmp_path.iterdir())
