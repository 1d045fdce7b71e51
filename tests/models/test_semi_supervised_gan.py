import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
import tiny
from contract import GANContract, sgd
from tiny import SHAPE

networks = keras_gans.networks


def pairs(number, size=8, seed=0):
    """Every second image has a label, as `data.load(labels_per_class=...)` deals them."""
    images, labels = tiny.pairs(number, size, seed)
    labels[:, 1::2] = -1
    return images, labels


def make(**kwargs):
    return keras_gans.SemiSupervisedGAN(
        networks.mlp_generator(SHAPE, latent_dim=5, width=12),
        networks.semi_supervised_discriminator(SHAPE, 3, width=4, noise=0.0, dropout=0.0),
        **kwargs,
    )


class TestSemiSupervisedGAN(GANContract):
    def make(self, **kwargs):
        return make(**{"seed": 0, **kwargs})

    def batches(self, number=3, size=8):
        return pairs(number, size)


class TestWithNoiseAndDropout(GANContract):
    def make(self, **kwargs):
        return keras_gans.SemiSupervisedGAN(
            networks.mlp_generator(SHAPE, latent_dim=5, width=12),
            networks.semi_supervised_discriminator(SHAPE, 3, width=4),
            **{"seed": 0, **kwargs},
        )

    def batches(self, number=3, size=8):
        return pairs(number, size)

    @pytest.mark.skip(reason="Dropout draws the same mask on every replica, another on one")
    def test_one_replica_and_two_agree(self):
        pass


def watched(gan):
    """The losses of each side's step, as the step gets them."""
    seen, step = {}, gan.step

    def watching(side, tape, losses):
        seen[side] = {name: value.numpy() for name, value in losses.items()}
        step(side, tape, losses)

    gan.step = watching
    return seen


def test_the_losses_worked_out_from_section_5():
    """K + 1 logits, the last one 0, and one softmax over all of them."""
    gan = make(seed=0)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    z = tf.random.stateless_normal((8, 5), (1, 2))
    gan.latents = lambda like: z
    seen = watched(gan)
    images, labels = (array[0] for array in pairs(1))
    labels[2] = -1  # three labelled, five not: their weights differ
    gan.train_on_batch(images, labels)

    def probabilities(x):
        logits, features = (np.asarray(output, "float64") for output in gan.discriminator(x))
        logits = np.hstack([logits, np.zeros((len(x), 1))])
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), features

    real, real_features = probabilities(images)
    fake, fake_features = probabilities(gan.generator(z))
    has = labels >= 0
    among_classes = real[has, labels[has]] / (1 - real[has, 3])
    np.testing.assert_allclose(
        seen["discriminator"]["supervised_loss"].mean(), -np.log(among_classes).mean(), rtol=1e-5
    )
    source = -np.log(1 - real[~has, 3]).mean() - np.log(fake[:, 3]).mean()
    np.testing.assert_allclose(
        seen["discriminator"]["discriminator_loss"].mean(), source, rtol=1e-5
    )
    gap = real_features[~has].mean(axis=0) - fake_features.mean(axis=0)
    np.testing.assert_allclose(seen["generator"]["generator_loss"], (gap**2).mean(), rtol=1e-4)


@pytest.mark.parametrize("label", [-1, 1])
def test_a_batch_of_one_kind_alone(label):
    gan = make()
    gan.compile()
    images = pairs(1)[0][0]
    logs = gan.train_on_batch(images, np.full(8, label, "int32"), return_dict=True)
    assert all(np.isfinite(value) for value in logs.values())
    assert (logs["supervised_loss"] == 0) == (label == -1)


def test_it_classifies_and_says_how_well():
    """Three kinds of image, two labels each: what it does not know it learns from few."""
    rng = np.random.default_rng(0)
    templates = np.tanh(2 * rng.normal(size=(3, *SHAPE)))
    labels = rng.integers(3, size=600).astype("int32")
    images = (0.6 * templates[labels] + 0.2 * rng.normal(size=(600, *SHAPE))).clip(-1, 1)
    images = images.astype("float32")
    few = np.full(600, -1, "int32")
    for k in range(3):
        chosen = np.flatnonzero(labels[:500] == k)[:2]
        few[chosen] = k
    gan = make(seed=0)
    gan.compile()
    order = np.concatenate([np.r_[np.flatnonzero(few >= 0), i : i + 26] for i in range(0, 494, 26)])
    history = gan.fit(
        images[order],
        np.where(np.arange(len(order)) % 32 < 6, few[order], -1),
        batch_size=32,
        epochs=4,
        shuffle=False,
        validation_data=(images[500:], labels[500:]),
        verbose=0,
    ).history
    classes = gan.classify(images[500:], batch_size=33)
    share = (classes == labels[500:]).mean()
    assert share > 0.95
    assert gan.evaluate(images[500:], labels[500:], verbose=0) == pytest.approx(share, abs=1e-6)
    assert history["val_accuracy"][-1] == pytest.approx(share, abs=1e-6)
    # Images without a label do not count.
    hidden = np.where(np.arange(100) < 50, labels[500:], -1)
    assert gan.evaluate(images[500:], hidden, verbose=0) == pytest.approx(
        (classes == labels[500:])[:50].mean(), abs=1e-6
    )


# ---- bad input


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "trains on pairs"),
        (np.full(8, 3, "int32"), "out of range. Expected 0 to 2.*Received: 3"),
        (np.full(8, -2, "int32"), "out of range.*Received: -2"),
        (np.zeros(8, "float32"), "Labels are integers"),
        (np.zeros((8, 2), "int32"), r"Expected shape \(batch,\)"),
        (np.full((8, 1), 3, "int32"), "out of range. Expected 0 to 2.*Received: 3"),
    ],
)
def test_labels_that_are_refused(labels, message):
    gan = make()
    gan.compile()
    images = pairs(1)[0][0]
    with pytest.raises(ValueError, match=message):
        gan.fit(images, labels, verbose=0)


def test_a_label_out_of_range_in_a_later_batch_stops_the_training():
    gan = make()
    gan.compile(sgd(), sgd())
    images, labels = pairs(3)
    labels[1, 4] = 7
    with pytest.raises(tf.errors.InvalidArgumentError, match="label is out of range"):
        gan.fit(tf.data.Dataset.from_tensor_slices((images, labels)), verbose=0)


def test_a_discriminator_of_another_kind():
    generator = networks.mlp_generator(SHAPE)
    for wrong in (
        networks.mlp_discriminator(SHAPE),
        networks.semi_supervised_discriminator((32, 32, 1), 3, width=4),
        networks.autoencoder_discriminator(SHAPE, width=4),
    ):
        with pytest.raises(ValueError, match="class logits.*features.*Received"):
            keras_gans.SemiSupervisedGAN(generator, wrong)
