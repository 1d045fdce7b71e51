"""What `fit` is given: data in all its forms, callbacks, and what surrounds a training."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from tiny import SHAPE, images, pairs

networks = keras_gans.networks
POINTS = np.random.default_rng(0).normal(size=(10, 2)).astype("float32")


class Recording(keras_gans.GAN):
    """Trains nothing, and remembers what came."""

    def train_step(self, data):
        self.seen.append(self.images(data).numpy())
        return self.get_metrics_result()


def recorded(data, **kwargs):
    gan = Recording(
        networks.mlp_generator((2,), width=2), networks.mlp_discriminator((2,), width=2)
    )
    gan.seen = []
    gan.compile(run_eagerly=True)
    gan.fit(data, verbose=0, **kwargs)
    return gan.seen


def small(cls=keras_gans.GAN, eager=True, **kwargs):
    """Eager by default, which for one batch takes less time than tracing."""
    gan = cls(
        networks.mlp_generator(SHAPE, latent_dim=3, width=4),
        networks.mlp_discriminator(SHAPE, width=4),
        **kwargs,
    )
    gan.compile(run_eagerly=eager)
    return gan


def conditional(eager=True, **kwargs):
    gan = keras_gans.ConditionalGAN(
        networks.conditional_mlp_generator(SHAPE, 3, latent_dim=3, width=4),
        networks.conditional_mlp_discriminator(SHAPE, 3, width=4),
        **kwargs,
    )
    gan.compile(run_eagerly=eager)
    return gan


# ---- the look at the first batch takes nothing


def slices():
    return tf.data.Dataset.from_tensor_slices(POINTS)


FINITE = {
    "shuffled anew": lambda: slices().shuffle(10, seed=3).batch(4),
    "full batches": lambda: slices().shuffle(10, seed=3).batch(4, drop_remainder=True),
    "cached": lambda: slices().cache().shuffle(10, seed=3).batch(4).prefetch(2),
    "one batch": lambda: slices().batch(10),
    "loaded": lambda: keras_gans.data.load("ring", batch_size=40, num_examples=100),
}


@pytest.mark.parametrize("make", FINITE.values(), ids=FINITE)
def test_the_first_epoch_trained_on_is_the_first(make):
    """Three epochs and then two more see what five iterations give."""
    other, data = make(), make()
    expected = [batch for _ in range(5) for batch in other.as_numpy_iterator()]
    seen = recorded(data, epochs=3) + recorded(data, epochs=2)
    assert len(seen) == len(expected)
    for a, b in zip(seen, expected):
        np.testing.assert_array_equal(a, b)


def test_an_endless_data_set_begins_with_its_first_batch():
    def make():
        return keras_gans.data.load("ring", batch_size=40, num_examples=100, first_epoch=2)

    seen = recorded(make(), epochs=2, steps_per_epoch=2)
    for a, b in zip(seen, make().take(4).as_numpy_iterator(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_generator_begins_with_its_first_batch():
    seen = recorded(((POINTS[k : k + 2],) for k in range(0, 8, 2)), epochs=2, steps_per_epoch=2)
    np.testing.assert_array_equal(np.concatenate(seen), POINTS[:8])


@pytest.mark.parametrize(
    "data",
    [
        lambda: tf.data.Dataset.from_tensors(np.full((2, *SHAPE), 99, "float32")),
        lambda: ((np.full((2, *SHAPE), 99, "float32"),) for _ in range(2)),
        lambda: np.full((2, *SHAPE), 99, "float32"),
    ],
)
def test_values_of_every_kind_of_data_are_looked_at(data):
    with pytest.raises(ValueError, match="out of range.*from 99 to 99"):
        small().fit(data(), verbose=0)


@pytest.mark.parametrize(
    "data",
    [
        lambda: slices().batch(2).take(0),
        lambda: np.zeros((0, 2), "float32"),
        lambda: (batch for batch in ()),
    ],
)
def test_nothing_to_train_on(data):
    with pytest.raises(ValueError, match="nothing to train on.*Received"):
        recorded(data())


def test_two_replicas_see_the_first_epoch(two_replicas):
    with two_replicas.scope():
        gan = keras_gans.GAN(
            networks.mlp_generator((2,), width=2), networks.mlp_discriminator((2,), width=2)
        )
        gan.compile()
    data = keras_gans.data.load("ring", batch_size=40, num_examples=100)
    gan.fit(data, epochs=2, verbose=0)
    assert gan.generator_optimizer.iterations.numpy() == 4


# ---- ranges


def test_images_in_0_to_1_warn_with_a_remedy_that_helps():
    batch = (images(1)[0] + 1) / 2
    with pytest.warns(UserWarning, match=r"negative.*`images \* 2 - 1`"):
        small().fit(batch, verbose=0)
    small().fit(batch * 2 - 1, verbose=0)
    with pytest.raises(ValueError, match=r"`images / 127.5 - 1.0`"):
        small().fit(batch * 255, verbose=0)
    small().fit(batch * 255 / 127.5 - 1.0, verbose=0)


def test_advice_on_integers():
    batch = (images(1)[0] * 127).astype("uint8")
    with pytest.raises(ValueError, match=r"`tf.cast\(images, 'float32'\) / 127.5 - 1.0`"):
        small().fit(batch, verbose=0)
    small().fit(keras_gans.image.from_uint8(batch), verbose=0)
    data = tf.data.Dataset.from_tensors(batch)
    small().fit(data.map(lambda images: tf.cast(images, "float32") / 127.5 - 1.0), verbose=0)


# ---- labels and dictionaries


IMAGES, LABELS = (array[0] for array in pairs(1))


def series():
    pandas = pytest.importorskip("pandas")
    return pandas.Series(LABELS, index=range(100, 108))


LABELLED = {
    "a column": lambda: LABELS[:, None],
    "one-hot": lambda: np.eye(3, dtype="int32")[LABELS],
    "one-hot floats": lambda: keras.utils.to_categorical(LABELS, 3),
    "int64": lambda: LABELS.astype("int64"),
    "bytes": lambda: LABELS.astype("uint8"),
    "a series": series,
}


def trained(*data, make=conditional, **kwargs):
    gan = make(seed=0, **kwargs)
    keras.utils.set_random_seed(0)
    gan.generator.set_weights([np.full(w.shape, 0.01) for w in gan.generator.get_weights()])
    gan.discriminator.set_weights([np.full(w.shape, 0.01) for w in gan.discriminator.get_weights()])
    gan.fit(*data, shuffle=False, verbose=0)
    return gan.get_weights()


@pytest.mark.parametrize("labels", LABELLED.values(), ids=LABELLED)
def test_labels_in_every_form_are_the_same_labels(labels):
    for a, b in zip(trained(IMAGES, labels()), trained(IMAGES, LABELS), strict=True):
        np.testing.assert_array_equal(a, b)
    gan, given = conditional(), {"num_images": 8, "seed": 0}
    made = gan.generate(labels=labels(), **given)
    np.testing.assert_array_equal(made, gan.generate(labels=LABELS, **given))


@pytest.mark.parametrize("name", ["a column", "one-hot"])
def test_labels_in_rows_are_read_in_a_graph_too(name):
    whole = trained(IMAGES, LABELLED[name](), eager=False)
    for a, b in zip(whole, trained(IMAGES, LABELS), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_rows_that_are_not_one_hot():
    rows = np.eye(3, dtype="float32")[LABELS]
    rows[3] = 0.5
    with pytest.raises(ValueError, match="must be one-hot"):
        conditional().fit(IMAGES, rows, verbose=0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be one-hot"):
        conditional(eager=False).train_on_batch(IMAGES, rows)


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        (LABELS.astype("float32"), lambda labels: tf.cast(labels, "int32")),
        (np.array([f"class {k}" for k in LABELS]), lambda x: np.unique(x, return_inverse=True)[1]),
    ],
)
def test_advice_on_labels(labels, remedy):
    with pytest.raises(ValueError, match=r"tf.cast\(labels, 'int32'\).*np.unique\(labels"):
        conditional().fit(IMAGES, labels, verbose=0)
    conditional().fit(IMAGES, np.asarray(remedy(labels)), verbose=0)


def dictionary(dtype):
    """As TensorFlow Datasets gives them, with a part that nobody asked for."""
    given = ((IMAGES + 1) * 127.5).round().astype("uint8") if dtype == "uint8" else IMAGES
    parts = {"image": given, "label": LABELS.astype("int64"), "id": LABELS}
    return tf.data.Dataset.from_tensors(parts), keras_gans.image.from_uint8(given) if (
        dtype == "uint8"
    ) else given


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_dictionaries_as_tensorflow_datasets_gives_them(dtype):
    data, same = dictionary(dtype)
    for make, arrays in ((conditional, (same, LABELS)), (small_seeded, (same,))):
        for a, b in zip(trained(data, make=make), trained(*arrays, make=make), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def small_seeded(seed):
    return small(seed=seed)


def test_a_dictionary_without_images_and_advice_on_it():
    data = tf.data.Dataset.from_tensors({"picture": IMAGES})
    with pytest.raises(ValueError, match=r"`data.map\(lambda batch: batch\[name\]\)`.*picture"):
        small().fit(data, verbose=0)
    small().fit(data.map(lambda batch: batch["picture"]), verbose=0)


def test_advice_on_labels_that_are_not_wanted():
    data = tf.data.Dataset.from_tensors((IMAGES, LABELS))
    with pytest.raises(ValueError, match=r"`data.map\(lambda images, \*others: images\)`"):
        small().fit(data, verbose=0)
    small().fit(data.map(lambda images, *others: images), verbose=0)


# ---- the last batch of an epoch


@pytest.mark.parametrize(
    ("left", "kind", "eager"),
    [(4, "array", False), (1, "dataset", False), (1, "array", True), (4, "dataset", True)],
)
def test_a_last_batch_that_does_not_divide_trains(left, kind, eager):
    gan = small(keras_gans.WGANGP, eager=eager, critic_steps=3)
    data = images(1, 6 + left)[0]
    if kind == "dataset":
        data = tf.data.Dataset.from_tensor_slices(data).batch(6)
    history = gan.fit(data, batch_size=6 if kind == "array" else None, verbose=0).history
    assert gan.generator_optimizer.iterations.numpy() == 2
    assert np.isfinite([*history.values()]).all()


def test_a_filled_up_batch_holds_every_example():
    cut = tf.function(
        lambda batch: keras_gans.batches.split(batch, 3, "parts"),
        input_signature=[tf.TensorSpec((None,), "int32")],
    )
    assert [part.numpy().tolist() for part in cut(tf.range(4))] == [[0, 1], [2, 3], [0, 1]]
    assert [part.numpy().tolist() for part in cut(tf.range(1))] == [[0], [0], [0]]
    assert [part.numpy().tolist() for part in cut(tf.range(6))] == [[0, 1], [2, 3], [4, 5]]


def test_a_last_batch_of_one_image_has_no_pairs_to_pull_away():
    gan = keras_gans.EBGAN(
        networks.dcgan_generator(SHAPE, latent_dim=4, width=2),
        networks.autoencoder_discriminator(SHAPE, width=2, code_dim=3),
    )
    gan.compile(run_eagerly=True)
    history = gan.fit(images(1, 5)[0], batch_size=4, verbose=0).history
    assert np.isfinite([*history.values()]).all()
    assert all(np.isfinite(w).all() for w in gan.get_weights())


# ---- what `fit` refuses at once


class Endless(keras.utils.PyDataset):
    num_batches = None

    def __getitem__(self, index):
        return (images(1)[0],)


ENDLESS = {
    "repeated": lambda: tf.data.Dataset.from_tensors(images(1)[0]).repeat(),
    "a PyDataset": Endless,
}


@pytest.mark.parametrize("make", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_data_set_needs_steps_and_trains_with_them(make):
    with pytest.raises(ValueError, match=r"is infinite.*`fit\(data, steps_per_epoch=100\)`"):
        small().fit(make(), verbose=0)
    gan = small()
    gan.fit(make(), steps_per_epoch=2, shuffle=False, verbose=0)
    assert gan.generator_optimizer.iterations.numpy() == 2


@pytest.mark.parametrize("wrong", [{"epochs": "3"}, {"batch_size": 0}, {"x": None}])
def test_bad_arguments(wrong):
    with pytest.raises(ValueError, match=f"Received: {next(iter(wrong))}="):
        small().fit(**{"x": images(1)[0], **wrong})


@pytest.mark.parametrize(
    "wrong",
    [
        {"ema_decay": "0.9"},
        {"penalties": ["r1_penalty"]},
        {"penalties": {"r1_penalty": "1"}},
        {"discriminator_steps": "2"},
    ],
)
def test_bad_arguments_of_a_gan(wrong):
    with pytest.raises(ValueError, match="Received"):
        small(**wrong)


@pytest.mark.parametrize("latents", ["x", [[float("nan")] * 3], [["a", "b", "c"]]])
def test_latents_that_are_no_numbers(latents):
    with pytest.raises(ValueError, match="do not fit the generator.*finite numbers.*Received"):
        small().generate(latents=latents)


def test_fit_before_compile():
    gan = keras_gans.GAN(networks.mlp_generator((2,)), networks.mlp_discriminator((2,)))
    for method in (gan.fit, gan.train_on_batch):
        with pytest.raises(ValueError, match=r"`compile\(\)`"):
            method(POINTS)


@pytest.mark.parametrize("name", ["class_weight", "sample_weight"])
def test_weights_of_examples(name):
    with pytest.raises(ValueError, match=f"`{name}` would have no effect.*Received"):
        small().fit(images(1)[0], **{name: {0: 2.0} if name == "class_weight" else np.ones(8)})


STOPPING, PLATEAU = keras.callbacks.EarlyStopping, keras.callbacks.ReduceLROnPlateau


def best(path="best.weights.h5", **kwargs):
    return keras.callbacks.ModelCheckpoint(
        path, save_best_only=True, save_weights_only=True, **kwargs
    )


@pytest.mark.parametrize("make", [STOPPING, PLATEAU, best])
def test_callbacks_that_watch_what_is_not_logged(make):
    gan = small()
    for monitor in ("loss", "val_loss", "val_generator_loss"):
        with pytest.raises(ValueError, match=rf"'generator_loss'.*Received: monitor='{monitor}'"):
            gan.fit(images(1)[0], callbacks=[make(monitor=monitor, mode="min")], verbose=0)
    assert gan.generator_optimizer.iterations.numpy() == 0


@pytest.mark.parametrize("make", [STOPPING, PLATEAU])
def test_a_direction_is_asked_for_before_training_and_does(make):
    gan = small()
    with pytest.raises(ValueError, match="Add `mode='min'`.*generator_loss"):
        gan.fit(images(1)[0], callbacks=[make(monitor="generator_loss")], verbose=0)
    assert gan.generator_optimizer.iterations.numpy() == 0
    gan.fit(images(1)[0], callbacks=[make(monitor="generator_loss", mode="min")], verbose=0)


def test_callbacks_of_learning_rates_reach_both_sides():
    gan = small()
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    plateau = PLATEAU(monitor="generator_loss", mode="max", factor=0.1, patience=1, min_delta=1e9)
    gan.fit(images(1)[0], epochs=2, callbacks=[halve], verbose=0)
    rates = [getattr(gan, f"{side}_optimizer").learning_rate.numpy() for side in gan.sides]
    np.testing.assert_allclose(rates, [2e-4 / 4] * 2, rtol=1e-6)
    gan.fit(images(1)[0], epochs=2, callbacks=[plateau], verbose=0)
    rates = [getattr(gan, f"{side}_optimizer").learning_rate.numpy() for side in gan.sides]
    np.testing.assert_allclose(rates, [2e-5 / 4] * 2, rtol=1e-6)


# ---- around a training


def test_predict_is_the_generator_in_use():
    gan = small(ema_decay=0.9)
    latents = keras_gans.latent.sample(3, 3, seed=0)
    expected = gan.generate(latents=latents)
    np.testing.assert_allclose(gan.predict(latents, verbose=0), expected, atol=1e-6)
    gan = conditional()
    made = gan.predict([latents, np.array([0, 1, 2])], verbose=0)
    np.testing.assert_allclose(made, gan.generate(latents=latents, labels=[0, 1, 2]), atol=1e-6)


def test_summary_names_the_networks():
    lines = []
    small().summary(print_fn=lines.append)
    assert "mlp_generator" in "\n".join(lines) and "mlp_discriminator" in "\n".join(lines)


def test_export_is_the_generator_in_use(tmp_path):
    gan = small(ema_decay=0.9)
    gan.fit(images(1)[0], verbose=0)
    gan.export(tmp_path / "model", verbose=False)
    latents = keras_gans.latent.sample(3, 3, seed=0)
    loaded = tf.saved_model.load(tmp_path / "model")
    served = loaded.serve(latents)
    np.testing.assert_allclose(served, gan.generate(latents=latents), atol=1e-5)


def test_advice_on_h5(tmp_path):
    gan = small()
    with pytest.raises(ValueError, match=r"save\('gan.keras'\).*save_weights\('gan.weights.h5'\)"):
        gan.save(tmp_path / "gan.h5")
    gan.save(tmp_path / "gan.keras")
    gan.save_weights(tmp_path / "gan.weights.h5")
    assert not (tmp_path / "gan.h5").exists()


# ---- moving averages


def loads(gan, path):
    gan.generator.load_weights(path)


def sets(gan, path):
    other = networks.mlp_generator(SHAPE, latent_dim=3, width=4)
    other.load_weights(path)
    gan.generator.set_weights(other.get_weights())


def assigns(gan, path):
    other = networks.mlp_generator(SHAPE, latent_dim=3, width=4)
    other.load_weights(path)
    for variable, value in zip(gan.generator.variables, other.get_weights()):
        variable.assign(value)
    gan.reset_averages()


@pytest.mark.parametrize("change", [loads, sets, assigns])
def test_weights_from_elsewhere_are_what_generate_uses(tmp_path, change):
    path = tmp_path / "generator.weights.h5"
    other = networks.mlp_generator(SHAPE, latent_dim=3, width=4)
    other.save_weights(path)
    gan = small(ema_decay=0.9)
    change(gan, path)
    latents = keras_gans.latent.sample(3, 3, seed=0)
    np.testing.assert_allclose(gan.generate(latents=latents), other(latents), atol=1e-6)
    gan.fit(images(1)[0], verbose=0)  # which moves the average on from there
    assert 0 < np.abs(gan.generate(latents=latents) - other(latents)).max() < 0.1


@pytest.mark.parametrize(("saved", "loaded"), [(0.9, None), (None, 0.9)])
def test_a_file_with_averages_and_a_model_without_do_not_meet(tmp_path, saved, loaded):
    path = tmp_path / "gan.weights.h5"
    small(ema_decay=saved).save_weights(path)
    gan = small(ema_decay=loaded)
    before = gan.get_weights()
    with pytest.raises(ValueError, match=f"moving averages.*Received: .*ema_decay={loaded}"):
        gan.load_weights(path)
    for a, b in zip(before, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    small(ema_decay=saved).load_weights(path)
