import os
import re

import keras
import numpy as np
import pytest

import keras_gans
from keras_gans.callbacks import Resume

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


def train(gan, folder, epochs, **kwargs):
    resume = Resume(folder, **kwargs)
    data = keras_gans.data.load("ring", batch_size=16, num_examples=64, first_epoch=resume.epoch)
    gan.fit(data, steps_per_epoch=4, epochs=epochs, callbacks=[resume], verbose=0)
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


def test_a_full_disk_leaves_the_previous_checkpoint_whole(tmp_path, monkeypatch):
    train(make(), tmp_path, 1)
    whole = (tmp_path / "epoch-00001.weights.h5").read_bytes()
    save = keras.Model.save_weights

    def fill(model, path, **kwargs):
        save(model, path, **kwargs)
        os.truncate(path, 1000)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save_weights", fill)
    with pytest.raises(OSError, match="No space left") as failure:
        train(make(), tmp_path, 2)
    assert "Free some space" in " ".join(failure.value.__notes__)
    assert [p.name for p in tmp_path.iterdir()] == ["epoch-00001.weights.h5"]
    assert (tmp_path / "epoch-00001.weights.h5").read_bytes() == whole
    monkeypatch.undo()
    train(make(), tmp_path, 2)
    assert Resume(tmp_path).epoch == 2


def test_a_damaged_checkpoint_is_named_and_changes_nothing(tmp_path):
    train(make(), tmp_path, 2)
    newest = tmp_path / "epoch-00002.weights.h5"
    os.truncate(newest, 1000)
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


@pytest.mark.parametrize("bad", [{"every": 0}, {"keep": 0}, {"every": 1.5}])
def test_bad_numbers(bad):
    with pytest.raises(ValueError, match="at least 1"):
        Resume("x", **bad)
