import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract, assert_same, sgd
from keras_gans.perceptual import PerceptualLoss

networks = keras_gans.networks
SOURCE, TARGET = (8, 8, 3), (16, 16, 3)


def images(shape, number, size, seed):
    rng = np.random.default_rng(seed)
    return np.tanh(rng.normal(size=(number, size, *shape))).astype("float32")


def pairs(number=3, size=8, seed=0):
    return images(SOURCE, number, size, seed), images(TARGET, number, size, seed + 1)


def features():
    """A small network, whose weights are always the same."""
    x = inputs = keras.Input((None, None, 3), name="pictures")
    for number in range(2):
        x = keras.layers.Conv2D(3, 3, activation="relu", name=f"conv_{number}")(x)
    network = keras.Model(inputs, keras.layers.GlobalAveragePooling2D(name="mean")(x))
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(0, 0.5, w.shape) for w in network.weights])
    return network


class TestSRGAN(GANContract):
    def make(self, pixel_steps=0, shape=SOURCE, **kwargs):
        return keras_gans.SRGAN(
            networks.compact_upscaler(shape, scale=2, width=4, depth=1),
            networks.srgan_discriminator(TARGET, width=4, units=4, batch_normalization=False),
            **{
                "perceptual_loss": PerceptualLoss(features(), ["conv_0", "conv_1"], [1.0, 0.5]),
                "pixel_weight": 3.0,
                "perceptual_weight": 2.0,
                "adversarial_weight": 0.5,
                "pixel_loss": "l1",
                "loss": keras_gans.losses.get("relativistic_average", real_label=0.9),
                "pixel_steps": pixel_steps,
                "seed": 0,
                **kwargs,
            },
        )

    def batches(self, number=3, size=8):
        return pairs(number, size)

    def generate(self, gan, seed=0):
        return gan.generate(pairs(1, 3)[0][0])

    def test_one_replica_and_two_agree(self, two_replicas, tmp_path):
        """With a loss of each example; the relativistic averages are of each replica's batch."""
        make, plain = self.make, {"loss": "least_squares"}
        self.make = lambda **kwargs: make(**{**plain, **kwargs})
        super().test_one_replica_and_two_agree(two_replicas, tmp_path)

    def test_generate_repeats_itself_from_a_seed(self):
        gan = self.make(ema_decay=0.9)
        made = self.generate(gan)
        assert made.shape == (3, *TARGET) and made.dtype == np.float32
        assert np.abs(made).max() <= 1.0
        assert_same([made], [self.generate(gan)])


def test_the_losses_are_those_of_the_paper():
    gan = TestSRGAN().make(pixel_loss="l2", loss="non_saturating")
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0))
    source, target = (part[0] for part in pairs(1, 4))
    logs = gan.train_on_batch(source, target, return_dict=True)

    fake = gan.generator(source, training=True).numpy()
    real_logits, fake_logits = (gan.discriminator(x, training=True).numpy() for x in (target, fake))
    fooled = np.log1p(np.exp(-fake_logits)).mean()
    judged = np.log1p(np.exp(-real_logits)).mean() + np.log1p(np.exp(fake_logits)).mean()
    content = gan.perceptual_loss(target, fake).numpy().mean()
    assert float(logs["discriminator_loss"]) == pytest.approx(judged, rel=1e-5)
    assert float(logs["generator_loss"]) == pytest.approx(0.5 * fooled, rel=1e-5)
    assert float(logs["pixel_loss"]) == pytest.approx(3 * ((target - fake) ** 2).mean(), rel=1e-5)
    assert float(logs["perceptual_loss"]) == pytest.approx(2 * content, rel=1e-5)


@pytest.mark.parametrize("steps_per_execution", [1, 2])
def test_the_generator_learns_alone_for_so_many_steps(steps_per_execution):
    gan = TestSRGAN().make(pixel_steps=2)
    gan.compile(sgd(), sgd(), steps_per_execution=steps_per_execution)
    start = [v.numpy() for v in gan.discriminator.weights]
    data = TestSRGAN().dataset(pairs(4))
    gan.fit(data.take(2), verbose=0)
    assert_same(start, [v.numpy() for v in gan.discriminator.weights])
    assert gan.generator_optimizer.iterations.numpy() == 2
    assert gan.discriminator_optimizer.iterations.numpy() == 0
    gan.fit(data.skip(2), verbose=0)
    assert gan.generator_optimizer.iterations.numpy() == 4
    assert gan.discriminator_optimizer.iterations.numpy() == 2


def test_the_first_phase_minimizes_the_pixel_loss_alone():
    """By hand: gradient descent on the mean absolute difference, whatever the weights."""
    gan, twin = (TestSRGAN().make(pixel_steps=5) for _ in range(2))
    twin.set_weights(gan.get_weights())
    gan.compile(sgd(), sgd())
    source, target = (tf.constant(part[0]) for part in pairs(1, 4))
    logs = gan.train_on_batch(source.numpy(), target.numpy(), return_dict=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.abs(target - twin.generator(source, training=True)))
    for v, g in zip(
        twin.generator.trainable_variables, tape.gradient(loss, twin.generator.trainable_variables)
    ):
        v.assign_sub(0.05 * g)
    assert float(logs["pixel_loss"]) == pytest.approx(float(loss), rel=1e-6)
    assert_same(
        [v.numpy() for v in gan.generator.weights],
        [v.numpy() for v in twin.generator.weights],
        atol=1e-6,
    )


def test_a_training_that_stops_between_the_phases_goes_on_bit_for_bit(tmp_path):
    data = TestSRGAN().dataset(pairs(4))
    whole, first = (TestSRGAN().make(pixel_steps=2, ema_decay=0.9) for _ in range(2))
    for gan in (whole, first):
        gan.compile()
    first.set_weights(whole.get_weights())
    whole.fit(data, verbose=0)
    first.fit(data.take(1), verbose=0)
    first.save(tmp_path / "gan.keras")
    second = keras.models.load_model(tmp_path / "gan.keras")
    second.fit(data.skip(1), verbose=0)
    assert_same(*([v.numpy() for v in gan.variables] for gan in (whole, second)))


def test_the_feature_network_is_not_trained():
    gan = TestSRGAN().make()
    before = gan.perceptual_network.get_weights()
    gan.compile(sgd(), sgd())
    gan.fit(TestSRGAN().dataset(pairs(2)), verbose=0)
    assert_same(before, gan.perceptual_network.get_weights())


def test_a_grid_of_comparisons_shows_what_bicubic_makes():
    gan = TestSRGAN().make(shape=(None, None, 3))
    source, target = (part[0][:2] for part in pairs(1, 4))
    columns = gan.compare(source, target)
    assert len(columns) == len(gan.compared)
    assert columns[0] is source and {c.shape for c in columns[1:]} == {(2, *TARGET)}
    bicubic = tf.image.resize(source, TARGET[:2], "bicubic").numpy().clip(-1, 1)
    np.testing.assert_allclose(columns[1], bicubic)


def test_without_a_perceptual_loss_the_content_is_that_of_pixels():
    gan = TestSRGAN().make(perceptual_loss=None)
    gan.compile(sgd(), sgd())
    logs = gan.train_on_batch(*(part[0] for part in pairs(1, 4)), return_dict=True)
    assert logs["perceptual_loss"] == 0 and logs["pixel_loss"] > 0
    twin = type(gan).from_config(gan.get_config())
    assert twin.perceptual_loss is None


def grey():
    return networks.srgan_discriminator((16, 16, 1), width=4, units=4)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"pixel_loss": "l3"}, r"`pixel_loss` must be one of \['l1', 'l2'\].*'l3'"),
        ({"pixel_weight": -1.0}, "`pixel_weight` must be"),
        ({"pixel_steps": -1}, "`pixel_steps`.*-1"),
        ({"pixel_steps": 0.5}, "`pixel_steps`.*0.5"),
        ({"perceptual_loss": features()}, "must be a `keras_gans.perceptual.PerceptualLoss`"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        TestSRGAN().make(**arguments)


def test_networks_that_do_not_fit():
    upscaler = networks.compact_upscaler((None, None, 3), scale=2, width=4, depth=1)
    with pytest.raises(ValueError, match="The networks do not fit"):
        keras_gans.SRGAN(upscaler, grey())
    of_size = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(2, 3, name="edges")])
    critic = networks.srgan_discriminator(TARGET, width=4, units=4)
    with pytest.raises(ValueError, match=r"takes other images.*\(16, 16, 3\)"):
        keras_gans.SRGAN(upscaler, critic, PerceptualLoss(of_size, ["edges"]))


def test_pairs_of_another_scale():
    gan = TestSRGAN().make(shape=(None, None, 3))
    gan.compile()
    source, target = images((4, 4, 3), 1, 2, 0)[0], images(TARGET, 1, 2, 1)[0]
    with pytest.raises(ValueError, match=r"(?s)pairs of the generator's scale.*makes \(None, 8, 8"):
        gan.fit(source, target)


def test_a_feature_network_without_its_weights_is_refused_in_training_alone():
    gan = TestSRGAN().make()
    gan.compile()
    gan.perceptual_loss.missing = "The weights are missing. Install them."
    source, target = (part[0] for part in pairs(1, 4))
    assert gan.generate(source).shape == (4, *TARGET)
    with pytest.raises(ImportError, match="Install them"):
        gan.fit(source, target)
