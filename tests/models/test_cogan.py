import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract

networks = keras_gans.networks
layers = keras.layers
SHAPE = (8, 8, 1)


def generator(shared=True):
    latents = keras.Input((5,), name="latents")
    first = layers.Dense(12, "tanh")
    made = []
    for domain in ("plain", "drawn"):
        x = (first if shared else layers.Dense(12, "tanh"))(latents)
        made.append(layers.Reshape(SHAPE, name=domain)(layers.Dense(64, "tanh")(x)))
    return keras.Model(latents, made)


def discriminator(shared=True):
    images = [keras.Input(SHAPE, name=domain) for domain in ("plain", "drawn")]
    last = layers.Dense(1)
    own = [layers.Dense(6, "tanh")(layers.Flatten()(x)) for x in images]
    return keras.Model(images, [(last if shared else layers.Dense(1))(x) for x in own])


def make(**kwargs):
    options = {"loss": "hinge", "discriminator_steps": 2, "seed": 0}
    return keras_gans.CoGAN(generator(), discriminator(), **{**options, **kwargs})


def images(number, size=8):
    random = np.random.default_rng(0)
    return tuple(random.uniform(-1, 1, (2, number, size, *SHAPE)).astype("float32"))


class TestCoGAN(GANContract):
    parts = 2

    def make(self, **kwargs):
        return make(**kwargs)

    def batches(self, number=3, size=8):
        return images(number, size)

    def generate(self, gan, **kwargs):
        return gan.generate(3, **kwargs)["drawn"]


def sharing(**kwargs):
    shape, options = (16, 16, 1), {"width": 4, "depth": 2, **kwargs}
    return keras_gans.CoGAN(
        networks.coupled_dcgan_generator(shape, latent_dim=3, domains=("a", "b"), **options),
        networks.coupled_dcgan_discriminator(shape, domains=("a", "b"), **options),
        ema_decay=0.9,
        seed=0,
    )


def numbers_of(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


@pytest.mark.parametrize(
    "own_layers, generator, discriminator",
    [  # Weights of a generator's steps, by hand: 400, 520, 65; of a discriminator's 68, 528, 129.
        (1, 400 + 520 + 2 * 65, 2 * 68 + 528 + 129),
        (2, 400 + 2 * (520 + 65), 2 * (68 + 528) + 129),
        (3, 2 * (400 + 520 + 65), 2 * (68 + 528 + 129)),
    ],
)
def test_what_is_shared_is_there_once(own_layers, generator, discriminator, tmp_path):
    gan = sharing(own_layers=own_layers)
    assert numbers_of(gan.generator) == generator
    assert numbers_of(gan.discriminator) == discriminator
    # Each domain's own GAN is whole, and what both have is one variable.
    for side, network in enumerate((gan.generator, gan.discriminator)):
        ends = [network.inputs * (2 - side), network.outputs]
        of_domains = [keras.Model(*pair).trainable_variables for pair in zip(*ends)]
        counts = [sum(int(np.prod(v.shape)) for v in variables) for variables in of_domains]
        assert counts == [(985, 725)[side]] * 2
        both = {id(v): int(np.prod(v.shape)) for v in of_domains[0]}
        shared = sum(both.get(id(v), 0) for v in of_domains[1])
        assert shared == 2 * counts[0] - numbers_of(network)
    gan.save_weights(tmp_path / "gan.weights.h5")
    with h5py.File(tmp_path / "gan.weights.h5") as file:
        for role in ("generator", "ema_generator", "discriminator"):
            assert _size(file[role]) == getattr(gan, role).count_params()


def _size(item):
    """How many numbers a group or an array of a file holds."""
    return item.size if isinstance(item, h5py.Dataset) else sum(map(_size, item.values()))


def test_a_last_layer_of_the_images_size_draws_what_is_shared():
    options = {"width": 4, "depth": 2, "last_kernel": 3}
    generator = networks.coupled_dcgan_generator((16, 16, 3), latent_dim=3, **options)
    # The step to the size of the images makes 4 maps, normalised; each domain has a kernel of 3x3.
    assert numbers_of(generator) == 400 + 520 + (4 * 4 * 4 * 4 + 4 + 8) + 2 * (3 * 3 * 4 * 3 + 3)
    assert generator.output_shape == [(None, 16, 16, 3)] * 2
    with pytest.raises(ValueError, match="from 1 to 4"):
        networks.coupled_dcgan_generator((16, 16, 3), 3, own_layers=5, **options)
    with pytest.raises(ValueError, match="last_kernel"):
        networks.coupled_dcgan_generator((16, 16, 3), 3, **{**options, "last_kernel": 0})


def test_a_step_adds_up_the_gradients_of_both_domains():
    """Against the losses of Goodfellow 2014, section 3, written out; of a plain descent of 0.1."""
    gan = keras_gans.CoGAN(generator(), discriminator(), loss="non_saturating", seed=3)
    gan.compile(*(keras.optimizers.SGD(0.1) for _ in "dg"), run_eagerly=True)
    real = [x[0] for x in images(1)]
    twin = keras_gans.CoGAN.from_config(gan.get_config())
    twin.set_weights(gan.get_weights())
    latents = [gan.latents(real[0]), gan.latents(real[0])]  # of either side, in this order
    drawn = iter(latents)
    gan.latents = lambda like: next(drawn)

    def descend(network, loss, tape):
        for v, gradient in zip(
            network.trainable_variables, tape.gradient(loss, network.trainable_variables)
        ):
            v.assign_sub(0.1 * gradient)

    with tf.GradientTape() as tape:
        logits = twin.discriminator(real), twin.discriminator(twin.generator(latents[0]))
        loss = sum(tf.reduce_mean(tf.math.softplus(-x)) for x in logits[0])
        loss += sum(tf.reduce_mean(tf.math.softplus(x)) for x in logits[1])
    descend(twin.discriminator, loss, tape)
    with tf.GradientTape() as tape:
        logits = twin.discriminator(twin.generator(latents[1]))
        fooled = sum(tf.reduce_mean(tf.math.softplus(-x)) for x in logits)
    descend(twin.generator, fooled, tape)

    logs = gan.train_on_batch(*real, return_dict=True)
    assert logs["discriminator_loss"] == pytest.approx(float(loss), rel=1e-5)
    assert logs["generator_loss"] == pytest.approx(float(fooled), rel=1e-5)
    for a, b in zip(gan.get_weights(), twin.get_weights()):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_penalties_are_of_both_domains():
    gan = keras_gans.CoGAN(generator(), discriminator(), penalties={"r1_penalty": 2.0}, seed=0)
    real = [x[0] for x in images(1)]
    found = gan.discriminator_losses(real, real)["r1_penalty"]
    expected = 0.0
    for number, x in enumerate(map(tf.constant, real)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            both = [x, x]
            logit = gan.discriminator(both)[number]
        # Half of the squared slope (Mescheder 2018, equation 9), times the weight.
        expected += 2.0 / 2 * tf.reduce_sum(tape.gradient(logit, x) ** 2, axis=(1, 2, 3))
    np.testing.assert_allclose(tf.reshape(found, (-1,)), expected, rtol=1e-4)


def test_a_pair_is_made_of_one_latent():
    gan = make(ema_decay=0.9)
    found = gan.generate(3, seed=1)
    latents = keras_gans.latent.sample(3, 5, seed=1)
    for name, by_hand in zip(("plain", "drawn"), gan.ema_generator(latents)):
        np.testing.assert_allclose(found[name], by_hand, atol=1e-6)
    described = gan.interface()
    assert [port.name for port in described.images] == ["plain", "drawn"]
    described = gan.interface("discriminator")  # whose logits are those of one layer
    assert [port.name for port in described.inputs] == ["plain", "drawn"]
    assert len({port.name for port in described.outputs}) == 2


def crossed():
    """Judges each domain by the images of the other."""
    network = discriminator()
    return keras.Model(network.inputs, network.outputs[::-1])


def joint():
    """Judges pairs, which are never seen."""
    images = [keras.Input(SHAPE, name=domain) for domain in ("plain", "drawn")]
    x = layers.Flatten()(layers.Concatenate()(images))
    return keras.Model(images, [layers.Dense(1)(x), layers.Dense(1)(x)])


def single(network, number=1):
    return keras.Model(network.inputs[:number], network.outputs[0])


@pytest.mark.parametrize(
    "networks_, message",
    [
        ((single(generator()), discriminator()), r"two domains.*1 input\(s\) and 1 output\(s\)"),
        ((generator(), single(discriminator())), r"two domains.*1 input\(s\) and 1 output\(s\)"),
        ((generator(), crossed()), "images of that domain alone, in the order"),
        ((generator(), joint()), "images of that domain alone"),
        (
            (networks.coupled_dcgan_generator((16, 16, 1), 4, width=4), discriminator()),
            r"do not fit.*returns \(16, 16, 1\), discriminator takes \(8, 8, 1\)",
        ),
        ((discriminator(), discriminator()), "must take `latents`"),
    ],
)
def test_networks_that_are_no_couple(networks_, message):
    with pytest.raises(ValueError, match=message):
        keras_gans.CoGAN(*networks_)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"own_layers": 4}, r"fewer layers.*from 1 to 3.*own_layers=4"),
        ({"own_layers": 0}, "own_layers"),
        ({"domains": ("a", "a")}, "two different identifiers"),
        ({"domains": "ab"}, "two different identifiers"),
        ({"domains": ("a", "b", "c")}, "two different identifiers"),
        ({"domains": ("a", "not one")}, "two different identifiers"),
    ],
)
@pytest.mark.parametrize("role", ["generator", "discriminator"])
def test_layers_that_cannot_be_shared(role, options, message):
    with pytest.raises(ValueError, match=message):
        getattr(networks, f"coupled_dcgan_{role}")((16, 16, 1), width=4, depth=2, **options)


@pytest.mark.parametrize(
    "data, message",
    [
        ((np.zeros((8, *SHAPE), "float32"),), r"pairs.*load_domains.*1 element"),
        ((np.zeros((8, *SHAPE), "float32"), np.zeros((8, 9, 9, 1), "float32")), "shape"),
        ((np.zeros((8, *SHAPE), "float32"), np.full((8, *SHAPE), 3, "float32")), "out of range"),
    ],
)
def test_data_that_are_no_domains(data, message):
    gan = make()
    gan.compile()
    with pytest.raises(ValueError, match=message):
        gan.fit(*data, verbose=0)
