import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, sgd
from tiny import SHAPE, pairs

networks = keras_gans.networks


def make(cls=keras_gans.ConditionalGAN, **kwargs):
    return cls(
        networks.conditional_mlp_generator(SHAPE, 3, latent_dim=5, width=12),
        networks.conditional_mlp_discriminator(SHAPE, 3, width=12),
        **kwargs,
    )


CONDITIONS = {"hair": 3, "glasses": 2}


def by_name(number, size=8, seed=0):
    """Batches of labels of both conditions."""
    rng = np.random.default_rng(seed)
    return {n: rng.integers(k, size=(number, size), dtype="int32") for n, k in CONDITIONS.items()}


def with_conditions(num_classes=CONDITIONS, other=None, **kwargs):
    return keras_gans.ConditionalGAN(
        networks.conditional_mlp_generator(SHAPE, num_classes, latent_dim=5, width=12),
        networks.conditional_mlp_discriminator(SHAPE, other or num_classes, width=12),
        **kwargs,
    )


class TestConditionalGAN(GANContract):
    """With several conditions; plain labels are in the class below."""

    parts = 2

    def make(self, **kwargs):
        options = {"discriminator_steps": 2, "loss": "hinge", "penalties": {"r1_penalty": 0.5}}
        return with_conditions(**options, **{"seed": 0, **kwargs})

    def batches(self, number=3, size=8):
        return pairs(number, size)[0], by_name(number, size)

    def batch(self):
        images, labels = self.batches(1)
        return images[0], {name: y[0] for name, y in labels.items()}


class TestProjectionAndConditionalBatchNorm(GANContract):
    """The convolutional networks; statistics of a batch are each replica's own."""

    parts = 1

    def make(self, **kwargs):
        return keras_gans.ConditionalGAN(
            networks.conditional_batch_norm_generator(SHAPE, 3, latent_dim=5, width=4),
            networks.projection_discriminator(SHAPE, 3, width=4),
            loss="hinge",
            **{"seed": 0, **kwargs},
        )

    def batches(self, number=3, size=8):
        return pairs(number, size)

    @pytest.mark.skip(reason="batch normalisation's statistics are each replica's own")
    def test_one_replica_and_two_agree(self):
        pass


def test_both_networks_are_told_the_labels_of_the_real_images():
    gan = make(discriminator_steps=2, seed=0)
    gan.compile(sgd(), sgd(), run_eagerly=True)
    stated = {"generator": [], "discriminator": []}
    for name, seen in stated.items():
        network = getattr(gan, name)

        def spying(inputs, *args, call=network.call, seen=seen, **kwargs):
            seen.append(inputs[1].numpy().tolist())
            return call(inputs, *args, **kwargs)

        network.call = spying
    images, labels = (array[0] for array in pairs(1))
    gan.train_on_batch(images, labels)
    first, second = labels[:4].tolist(), labels[4:].tolist()
    assert stated["generator"] == [first, second]  # one pass for each part, none for the last step
    assert stated["discriminator"] == [first] * 2 + [second] * 2 + [second]


def test_a_step_of_the_discriminator_worked_out_by_hand():
    """D(x|y) = w.x + e[y]: each class's embedding moves by its own examples alone."""
    x, y = keras.Input((2,)), keras.Input((), dtype="int32")
    linear, embedding = keras.layers.Dense(1, use_bias=False), keras.layers.Embedding(3, 1)
    discriminator = keras.Model([x, y], linear(x) + embedding(y))
    z, y = keras.Input((2,)), keras.Input((), dtype="int32")
    offset = keras.layers.Embedding(3, 2, embeddings_initializer="zeros")
    generator = keras.Model([z, y], keras.layers.Dense(2, use_bias=False)(z) + offset(y))
    w, e = np.array([[0.3], [-0.2]]), np.array([[0.1], [0.0], [-0.4]])
    linear.set_weights([w])
    embedding.set_weights([e])
    generator.set_weights([np.eye(2), np.zeros((3, 2))])
    gan = keras_gans.ConditionalGAN(generator, discriminator)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.1), run_eagerly=True)
    latents = np.array([[0.5, -1.5], [1.0, 0.2]], "float32")
    gan.latents = lambda like: tf.constant(latents)
    images, labels = np.array([[0.2, 0.4], [-0.6, 0.1]], "float32"), np.array([2, 0], "int32")
    gan.train_on_batch(images, labels)

    def sigmoid(a):
        return 1 / (1 + np.exp(-a))

    up = 1 - sigmoid(images @ w + e[labels])
    down = sigmoid(latents @ w + e[labels])
    expected = e.copy()
    expected[labels] += 0.1 * (up - down) / 2
    np.testing.assert_allclose(embedding.get_weights()[0], expected, atol=1e-6)
    assert embedding.get_weights()[0][1] == e[1]  # no example of class 1
    slope = (images.T @ up - latents.T @ down) / 2
    np.testing.assert_allclose(linear.get_weights()[0], w + 0.1 * slope, atol=1e-6)


@pytest.mark.slow
def test_it_learns_which_mode_is_which():
    """The ring with its modes as labels: what is asked for is what comes."""
    gan = keras_gans.ConditionalGAN(
        networks.conditional_mlp_generator((2,), 8, latent_dim=8, width=64),
        networks.conditional_mlp_discriminator((2,), 8, width=64),
        penalties={"r1_penalty": 0.2},
        seed=0,
    )
    adams = [keras.optimizers.Adam(1e-3, beta_1=0.0) for _ in range(2)]
    gan.compile(*adams, steps_per_execution=50)
    ring = keras_gans.data.load("ring", labels=True, batch_size=128, first_epoch=0, stddev=0.1)
    gan.fit(ring, steps_per_epoch=2000, verbose=0)
    labels = np.repeat(np.arange(8), 100)
    points = gan.generate(800, labels=labels, seed=0)
    centers = keras_gans.data.ring_centers()
    nearest = np.linalg.norm(points[:, None] - centers, axis=-1).argmin(axis=1)
    assert (nearest == labels).mean() > 0.97


# ---- generate


def test_labels_of_generate():
    gan = make(ema_decay=0.9, seed=0)
    one, many = gan.generate(4, labels=2, seed=1), gan.generate(4, labels=[2, 2, 2, 2], seed=1)
    np.testing.assert_array_equal(one, many)
    assert np.abs(one - gan.generate(4, labels=1, seed=1)).max() > 0
    # None is 0, 1, 2, 0, ...
    np.testing.assert_array_equal(
        gan.generate(5, seed=1), gan.generate(5, labels=[0, 1, 2, 0, 1], seed=1)
    )
    np.testing.assert_array_equal(gan.generate(2, labels=2, seed=1), one[:2])
    latents = keras_gans.latent.sample(4, 5, seed=1)
    np.testing.assert_array_equal(gan.generate(latents=latents, labels=2), one)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (3, "out of range. Expected 0 to 2, for 3 classes. Received: 3"),
        ([0, -1, 2, 1], "Expected 0 to 2.*Received: -1"),
        (1.0, "Labels are integers.*Received: float"),
        ([0.0, 1.0, 2.0, 0.0], "Labels are integers"),
        ([0, 1], r"one label for each image. Expected shape \(4,\).*Received: shape \(2,\)"),
        (np.ones((4, 3), "int32"), r"one-hot rows of 3. Received: shape \(4, 3\)"),
        (np.zeros((4, 2), "int32"), r"one-hot rows of 3. Received: shape \(4, 2\)"),
        ("shoe", "Labels are integers"),
        (True, "Labels are integers"),
    ],
)
def test_labels_that_generate_refuses(labels, message):
    with pytest.raises(ValueError, match=message):
        make().generate(4, labels=labels)


# ---- bad data


def gans():
    acgan = keras_gans.ACGAN(
        networks.conditional_mlp_generator(SHAPE, 3, latent_dim=5, width=12),
        networks.acgan_discriminator(SHAPE, 3, width=4),
    )
    return {"ConditionalGAN": make(), "ACGAN": acgan}


@pytest.mark.parametrize("name", ["ConditionalGAN", "ACGAN"])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, r"trains on pairs `\(images, labels\)`.*labels=True.*Received: 1 element"),
        (np.full(8, 3, "int32"), "out of range. Expected 0 to 2.*Received: 3"),
        (np.full(8, -1, "int64"), "out of range. Expected 0 to 2.*Received: -1"),
        (np.zeros(8, "float32"), "Labels are integers.*Received: float32"),
        (np.full((8, 1), 3, "int32"), "out of range. Expected 0 to 2.*Received: 3"),
        (np.zeros((8, 2), "int32"), r"Expected shape \(batch,\).*Received: shape \(8, 2\)"),
        (np.ones((8, 3), "int32"), "must be one-hot: a 1 for the class, among 3"),
    ],
)
@pytest.mark.parametrize("kind", ["array", "dataset"])
def test_labels_that_fit_refuses(name, labels, message, kind):
    gan = gans()[name]
    gan.compile()
    before = [w.copy() for w in gan.get_weights()]
    images = pairs(1)[0][0]
    data = (images,) if labels is None else (images, labels)
    if kind == "dataset":
        data = [tf.data.Dataset.from_tensors(data if len(data) == 2 else images)]
    with pytest.raises(ValueError, match=message):
        gan.fit(*data, verbose=0)
    assert all((a == b).all() for a, b in zip(before, gan.get_weights()))


def test_a_label_out_of_range_in_a_later_batch_stops_the_training():
    gan = make()
    gan.compile(sgd(), sgd())
    images, labels = pairs(3)
    labels[1, 4] = 3
    with pytest.raises(tf.errors.InvalidArgumentError, match="label is out of range"):
        gan.fit(tf.data.Dataset.from_tensor_slices((images, labels)), verbose=0)


def test_images_are_looked_at_as_elsewhere():
    gan = make()
    gan.compile()
    images, labels = (array[0] for array in pairs(1))
    with pytest.raises(ValueError, match="out of range"):
        gan.fit(images * 100, labels, verbose=0)
    with pytest.raises(ValueError, match="do not have the shape"):
        gan.fit(images[:, :8], labels, verbose=0)


def test_a_batch_that_does_not_divide():
    gan = make(discriminator_steps=3)
    gan.compile()
    with pytest.raises(ValueError, match="multiple of 3"):
        gan.fit(*(array[0] for array in pairs(1)), batch_size=8, verbose=0)


def test_networks_that_take_no_labels():
    plain = networks.mlp_generator(SHAPE), networks.mlp_discriminator(SHAPE)
    stated = make()
    with pytest.raises(ValueError, match=r"must take `\[latents, labels\]`.*1 input"):
        keras_gans.ConditionalGAN(plain[0], stated.discriminator)
    with pytest.raises(ValueError, match=r"must take `\[images, labels\]`.*1 input"):
        keras_gans.ConditionalGAN(stated.generator, plain[1])


def test_the_number_of_classes():
    assert make().num_classes == 3
    latents, labels = keras.Input((5,)), keras.Input((), dtype="int32")
    one_hot = keras.layers.CategoryEncoding(3, output_mode="one_hot")(labels)
    x = keras.layers.Concatenate()([latents, keras.layers.Reshape((3,))(one_hot)])
    x = keras.layers.Reshape(SHAPE)(keras.layers.Dense(256, activation="tanh")(x))
    generator = keras.Model([latents, labels], x)
    with pytest.raises(ValueError, match="num_classes=...`. Received: sizes none"):
        keras_gans.ConditionalGAN(generator, make().discriminator)
    gan = keras_gans.ConditionalGAN(generator, make().discriminator, num_classes=3)
    assert gan.generate(2, labels=1).shape == (2, *SHAPE)
    other = networks.conditional_mlp_discriminator(SHAPE, 4)
    with pytest.raises(ValueError, match="3 classes.*4"):
        keras_gans.ConditionalGAN(make().generator, other)


# ---- several conditions


def test_the_order_of_names_does_not_matter():
    images, labels = pairs(1)[0][0], {n: y[0] for n, y in by_name(1).items()}
    turned = dict(reversed(labels.items()))
    flat = {"image": images, **turned}  # as TensorFlow Datasets has them
    weights = []
    for data in ((images, labels), (images, turned), flat):
        gan = with_conditions(seed=0)
        gan.compile(sgd(), sgd(), run_eagerly=True)
        keras.utils.set_random_seed(0)
        gan.set_weights([np.full(w.shape, 0.01) for w in gan.get_weights()])
        gan.fit(tf.data.Dataset.from_tensors(data), verbose=0)
        weights.append(gan.get_weights())
    for other in weights[1:]:
        assert all((a == b).all() for a, b in zip(weights[0], other))


def test_each_condition_reaches_its_own_input():
    gan = with_conditions(seed=0)
    gan.compile(sgd(), sgd(), run_eagerly=True)
    seen = []
    call = gan.discriminator.call
    gan.discriminator.call = lambda inputs, *a, **k: (
        seen.append([y.numpy().tolist() for y in inputs[1:]]),
        call(inputs, *a, **k),
    )[1]
    images, labels = pairs(1)[0][0], {n: y[0] for n, y in by_name(1).items()}
    gan.train_on_batch(images, labels)
    assert seen and all(y == [labels["hair"].tolist(), labels["glasses"].tolist()] for y in seen)


FITTING = {n: y[0] for n, y in by_name(1).items()}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"hair": FITTING["hair"]}, r"missing: \['glasses'\]"),
        ({**FITTING, "age": FITTING["hair"]}, r"not known: \['age'\]"),
        (FITTING["hair"], "have names.*Received: labels of the type ndarray"),
        (None, r"pairs `\(images, {'hair': ..., 'glasses': ...}\)`.*Received: 1 element"),
        ({**FITTING, "glasses": FITTING["glasses"] + 1}, "Expected 0 to 1.*2 for 'glasses'"),
        ({**FITTING, "hair": FITTING["hair"] * 1.0}, "integers.*float64 for 'hair'"),
        ({**FITTING, "hair": np.zeros((8, 2), "int32")}, r"shape \(8, 2\) for 'hair'"),
    ],
)
def test_labels_by_name_that_fit_refuses(labels, message):
    gan = with_conditions()
    gan.compile()
    before = gan.get_weights()
    data = (pairs(1)[0][0],) if labels is None else (pairs(1)[0][0], labels)
    with pytest.raises(ValueError, match=message):
        gan.fit(*data, verbose=0)
    assert all((a == b).all() for a, b in zip(before, gan.get_weights()))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: with_conditions(other={"glasses": 2, "hair": 3}), "other conditions"),
        (lambda: with_conditions(other={"hair": 3, "glasses": 3}), "'glasses': 3"),
        (lambda: with_conditions(other={"hair": 3}), r"must take `\[images, labels, labels\]`"),
        (lambda: with_conditions(num_classes={"hair": 3}, other=3), "a discriminator of 3 classes"),
    ],
)
def test_networks_of_other_conditions(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_num_classes_names_the_conditions_of_networks_of_ones_own():
    gan = make(num_classes={"shape": 3}, ema_decay=0.9)
    assert gan.conditions == {"shape": 3} == gan.num_classes
    for network in (gan.generator, gan.inference_generator):
        assert keras_gans.interface.of(network).options == ("shape",)
    assert keras_gans.ConditionalGAN.from_config(gan.get_config()).conditions == {"shape": 3}
    pair = with_conditions().generator, with_conditions().discriminator
    turned = keras_gans.ConditionalGAN(*pair, num_classes={"glasses": 2, "hair": 3})
    assert list(turned.conditions) == ["hair", "glasses"]  # as the inputs are
    with pytest.raises(ValueError, match=r"Expected \['hair', 'glasses'\].*hat"):
        keras_gans.ConditionalGAN(*pair, num_classes={"hat": 2, "hair": 3})
    with pytest.raises(ValueError, match="has fewer classes than the labels"):
        keras_gans.ConditionalGAN(*pair, num_classes={"glasses": 4, "hair": 3})
