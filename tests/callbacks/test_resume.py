import contextlib
import json
import os
import re

import h5py
import keras
import numpy as np
import pytest

import keras_gans
from keras_gans.callbacks import MetricsLog, Resume, TrainingHealth
from keras_gans.callbacks import resume as resume_module

networks = keras_gans.networks


def make(seed=0):
    keras.utils.set_random_seed(seed)
    gan = keras_gans.GAN(
        networks.mlp_generator((2,), latent_dim=3, width=8),
        networks.mlp_discriminator((2,), width=8, dropout=0.2),
        ema_decay=0.9,
        seed=seed,
    )
    gan.compile()
    return gan


class Kill(keras.callbacks.Callback):
    """Stops a training as if the process were gone: nothing that comes after is run."""

    def __init__(self, step):
        super().__init__()
        self.step, self.iterations = step, None

    def on_train_batch_end(self, batch, logs=None):
        if self.model.generator_optimizer.iterations.numpy() == self.step:
            raise KeyboardInterrupt


def train(gan, folder, epochs, kill=None, more=(), length=4, **kwargs):
    resume = Resume(folder, **kwargs)
    data = keras_gans.data.load("ring", batch_size=16, num_examples=64, first_epoch=resume.epoch)
    callbacks = [resume, *more, *([] if kill is None else [Kill(kill)])]
    with contextlib.nullcontext() if kill is None else pytest.raises(KeyboardInterrupt):
        gan.fit(data, steps_per_epoch=length, epochs=epochs, callbacks=callbacks, verbose=0)
    return gan


def values(gan):
    return [v.numpy() for v in gan.variables] + [
        v.numpy() for side in gan.sides for v in getattr(gan, f"{side}_optimizer").variables
    ]


def test_stopped_and_run_again_it_ends_bit_for_bit_where_it_would_have(tmp_path):
    straight = train(make(), tmp_path / "a", 5)
    train(make(), tmp_path / "b", 2)
    resumed = train(make(seed=9), tmp_path / "b", 5)  # another start: all comes from the file
    for a, b in zip(values(straight), values(resumed)):
        np.testing.assert_array_equal(a, b)
    assert Resume(tmp_path / "b").epoch == 5


@pytest.mark.parametrize("killed", [3, 6, 8, 11])
def test_killed_within_an_epoch_it_ends_bit_for_bit_where_it_would_have(tmp_path, killed):
    logs = [MetricsLog(tmp_path / f"{name}.jsonl") for name in "ab"]
    straight = train(make(), tmp_path / "a", 3, more=[logs[0]])
    train(make(), tmp_path / "b", 3, kill=killed, more=[logs[1]], steps=3)
    resume = Resume(tmp_path / "b")
    # After every third step of an epoch, and after the fourth, which is its last.
    assert (resume.epoch, resume.step) == {3: (0, 3), 6: (1, 0), 8: (1, 3), 11: (2, 3)}[killed]
    resumed = train(make(seed=9), tmp_path / "b", 3, more=[MetricsLog(tmp_path / "b.jsonl")])
    for a, b in zip(values(straight), values(resumed)):
        np.testing.assert_array_equal(a, b)
    # The means of an epoch are over all its steps, on both sides of the kill.
    first, second = (
        [json.loads(line) for line in (tmp_path / f"{name}.jsonl").read_text().splitlines()]
        for name in "ab"
    )
    for a, b in zip(first, second, strict=True):
        names = ("epoch", "generator_loss", "discriminator_loss")
        assert [a[n] for n in names] == [b[n] for n in names]


class Gauges(TrainingHealth):
    """Its readings by step."""

    def __init__(self):
        super().__init__(every=1)
        self.readings = {}

    def _check(self):
        super()._check()
        # Samples change from one look to the next, and the first has none before it.
        self.readings[self._step] = {k: v for k, v in self.gauges.items() if k != "change"}


def test_what_watches_a_training_sees_no_step_that_was_let_by(tmp_path):
    straight, resumed = Gauges(), Gauges()
    train(make(), tmp_path / "a", 2, more=[straight])
    train(make(), tmp_path / "b", 2, kill=4, steps=3)
    assert Resume(tmp_path / "b").step == 3
    train(make(seed=9), tmp_path / "b", 2, more=[resumed])
    assert sorted(straight.readings) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert sorted(resumed.readings) == [4, 5, 6, 7, 8]
    for step, reading in resumed.readings.items():
        assert reading == pytest.approx(straight.readings[step], rel=1e-5)


def test_several_steps_a_call_resume_alike(tmp_path):
    gans = [make(), make(), make(seed=9)]
    for gan in gans:
        gan.compile(steps_per_execution=2)
    train(gans[0], tmp_path / "a", 2, length=8)
    train(gans[1], tmp_path / "b", 2, length=8, kill=6, steps=4)
    assert Resume(tmp_path / "b").step == 4
    train(gans[2], tmp_path / "b", 2, length=8)
    for a, b in zip(values(gans[0]), values(gans[2])):
        np.testing.assert_array_equal(a, b)


def test_it_saves_by_minutes(tmp_path, monkeypatch):
    clock = iter(range(0, 10_000, 20))  # twenty seconds a look
    monkeypatch.setattr(resume_module.time, "monotonic", lambda: next(clock))
    train(make(), tmp_path, 1, length=20, minutes=2, keep=9, kill=18)
    steps = [int(p.name.split("-")[3].split(".")[0]) for p in Resume(tmp_path).checkpoints()]
    # Step 7 is looked at 140 s after the start, and saved at 160; step 8 at 180, step 14 at 300.
    assert steps == [7, 14]


def test_another_length_of_the_epoch_is_refused(tmp_path):
    train(make(), tmp_path, 2, kill=3, steps=3)
    with pytest.raises(ValueError, match="epoch that was longer.*Received: 2 steps.*step 3"):
        train(make(), tmp_path, 2, length=2)


def test_data_that_end_before_the_step_are_refused(tmp_path):
    train(make(), tmp_path, 2, kill=3, steps=3)
    short = keras_gans.data.load("ring", batch_size=16, num_examples=32)
    short = short.filter(lambda points: True)  # nobody knows its length
    with pytest.raises(ValueError, match="epoch that was longer.*Received: 2 steps.*step 3"):
        make().fit(short, callbacks=[Resume(tmp_path)], verbose=0)


def test_a_finished_training_trains_no_further(tmp_path):
    gan = train(make(), tmp_path, 2)
    before = values(gan)
    train(gan, tmp_path, 2)
    for a, b in zip(before, values(gan)):
        np.testing.assert_array_equal(a, b)


def test_a_later_fit_without_it_starts_at_its_own_first_epoch(tmp_path):
    gan = train(make(), tmp_path, 2)
    history = gan.fit(np.zeros((8, 2), "float32"), epochs=1, verbose=0)
    assert history.epoch == [0]


def test_it_keeps_the_newest_and_saves_the_last_epoch(tmp_path):
    train(make(), tmp_path, 5, every=2)
    names = [path.name for path in Resume(tmp_path).checkpoints()]
    assert names == ["epoch-00004.weights.h5", "epoch-00005.weights.h5"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names


def fill(monkeypatch, only=()):
    """Makes the disk full for the checkpoints of some names, or for all."""
    save = keras.Model.save_weights

    def save_weights(model, path, **kwargs):
        save(model, path, **kwargs)
        if not only or any(name in path.name for name in only):
            os.truncate(path, 1000)
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save_weights", save_weights)


def test_a_full_disk_leaves_the_previous_checkpoint_whole(tmp_path, monkeypatch):
    train(make(), tmp_path, 1)
    whole = (tmp_path / "epoch-00001.weights.h5").read_bytes()
    fill(monkeypatch)
    with (
        pytest.warns(UserWarning, match="Epoch 2, step 0 could not be saved.*No space left"),
        pytest.raises(OSError, match="No space left") as failure,
    ):
        train(make(), tmp_path, 2)
    assert "Free some space" in " ".join(failure.value.__notes__)
    assert [p.name for p in tmp_path.iterdir()] == ["epoch-00001.weights.h5"]
    assert (tmp_path / "epoch-00001.weights.h5").read_bytes() == whole
    monkeypatch.undo()
    train(make(), tmp_path, 2)
    assert Resume(tmp_path).epoch == 2


def test_a_disk_that_was_full_for_a_while_stops_nothing(tmp_path, monkeypatch):
    straight = train(make(), tmp_path / "a", 3)
    fill(monkeypatch, only=["epoch-00002"])
    with pytest.warns(UserWarning, match="goes on.*Free some space"):
        troubled = train(make(), tmp_path / "b", 3)
    for a, b in zip(values(straight), values(troubled)):
        np.testing.assert_array_equal(a, b)
    names = [path.name for path in Resume(tmp_path / "b").checkpoints()]
    assert names == ["epoch-00001.weights.h5", "epoch-00003.weights.h5"]


@pytest.mark.parametrize("length", [0, 1000, -1])
def test_a_checkpoint_cut_short_is_passed_over_and_named(tmp_path, length):
    straight = train(make(), tmp_path / "a", 4)
    train(make(), tmp_path / "b", 3)
    newest = tmp_path / "b" / "epoch-00003.weights.h5"
    os.truncate(newest, length if length >= 0 else newest.stat().st_size - 1)
    assert Resume(tmp_path / "b").epoch == 2
    message = "passed over: epoch-00003.weights.h5. Going on from epoch-00002.weights.h5"
    with pytest.warns(UserWarning, match=message):
        resumed = train(make(seed=9), tmp_path / "b", 4)
    for a, b in zip(values(straight), values(resumed)):
        np.testing.assert_array_equal(a, b)
    names = [path.name for path in Resume(tmp_path / "b").checkpoints()]
    assert names == ["epoch-00003.weights.h5", "epoch-00004.weights.h5"]


def test_when_all_are_damaged_nothing_is_overwritten(tmp_path):
    train(make(), tmp_path, 2)
    for path in tmp_path.iterdir():
        os.truncate(path, 1000)
    with pytest.raises(ValueError, match=r"all are damaged.*Received: epoch-00001.*epoch-00002"):
        train(make(), tmp_path, 3)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_checkpoint_with_other_contents_is_named_and_changes_nothing(tmp_path):
    train(make(), tmp_path, 2)
    newest = tmp_path / "epoch-00002.weights.h5"
    with h5py.File(newest, "w") as file:
        file["x"] = [1]
    message = rf"damaged.*go on from epoch-00001.*Received: {re.escape(str(newest))}"
    with pytest.raises(ValueError, match=message):
        train(make(), tmp_path, 3)
    newest.unlink()
    train(make(), tmp_path, 3)
    assert Resume(tmp_path).epoch == 3


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    train(make(), tmp_path, 1)
    other = keras_gans.GAN(networks.mlp_generator((2,), width=9), networks.mlp_discriminator((2,)))
    other.compile()
    with pytest.raises(ValueError, match="of another model"):
        train(other, tmp_path, 2)


@pytest.mark.parametrize("bad", [{"minutes": 0}, {"minutes": -1.0}])
def test_bad_minutes(bad):
    with pytest.raises(ValueError, match="above 0"):
        Resume("x", **bad)


@pytest.mark.parametrize("bad", [{"every": 0}, {"keep": 0}, {"every": 1.5}, {"steps": 0}])
def test_bad_numbers(bad):
    with pytest.raises(ValueError, match="at least 1"):
        Resume("x", **bad)
