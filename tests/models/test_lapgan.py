import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract
from keras_gans import networks, zoo
from keras_gans.networks import laplacian

SHAPE = (32, 32, 1)


def pyramid(order=(0, 1), **changes):
    """A generator of two levels, 16 and 32 pixels, without batch normalisation."""
    options = {"latent_dim": 3, **changes}
    levels = [
        networks.mlp_generator((16, 16, 1), 3, width=4, depth=1, name="level_16"),
        networks.laplacian_level_generator(SHAPE, width=2, name="level_32", **options),
    ]
    return networks.laplacian_pyramid([levels[i] for i in order])


def make(**kwargs):
    judge = networks.laplacian_discriminator(SHAPE, levels=2, width=2, max_width=4)
    return keras_gans.LAPGAN(pyramid(), judge, **{"loss": "hinge", **kwargs})


class TestContract(GANContract):
    def make(self, **kwargs):
        return make(**kwargs)

    def batches(self, number=3, size=8):
        return np.tanh(np.random.default_rng(0).normal(size=(number, size, *SHAPE)))


def images(number=4):
    return tf.tanh(np.random.default_rng(1).normal(size=(number, *SHAPE)).astype("float32"))


def test_the_pyramid_of_real_images():
    gan, real = make(), images().numpy()
    coarse, fine = gan.levels(real)
    means = real.reshape(4, 16, 2, 16, 2, 1).mean(axis=(2, 4))
    np.testing.assert_allclose(coarse.real, means, atol=1e-6)
    assert coarse.low is None and fine.real is real and fine.finest and not coarse.finest
    # Bilinear, with the corners of pixels in place: three quarters of the nearer pixel.
    rows = np.repeat(means, 2, axis=1)
    near = (
        np.concatenate([means[:, :1], means[:, :-1]], 1),
        np.concatenate([means[:, 1:], means[:, -1:]], 1),
    )
    rows[:, ::2] = 0.75 * means + 0.25 * near[0]
    rows[:, 1::2] = 0.75 * means + 0.25 * near[1]
    turned = rows.swapaxes(1, 2)
    both = np.repeat(turned, 2, axis=1)
    left = np.concatenate([turned[:, :1], turned[:, :-1]], 1)
    right = np.concatenate([turned[:, 1:], turned[:, -1:]], 1)
    both[:, ::2], both[:, 1::2] = 0.75 * turned + 0.25 * left, 0.75 * turned + 0.25 * right
    np.testing.assert_allclose(fine.low, both.swapaxes(1, 2), atol=1e-6)


def test_samples_go_from_coarse_to_fine():
    gan = make()
    latents = tf.constant(keras_gans.latent.sample(3, 6, seed=0))
    first, second = laplacian.levels_of(gan.generator)
    low = laplacian.upsampled(first(latents[:, :3]))
    wanted = np.clip(low + second([latents[:, 3:], low]), -1.0, 1.0)
    np.testing.assert_allclose(gan.generate(latents=latents), wanted, atol=1e-6)
    assert gan.interface().latent_dim == 6


def test_levels_learn_independently():
    """The fine level moves the same, whatever the coarse one is."""
    moved = []
    for scale in (1.0, 3.0):
        keras.utils.set_random_seed(0)
        gan = make(penalties={"r1_penalty": 0.5}, seed=0)
        assert type(gan).from_config(gan.get_config()).penalties == {"r1_penalty": 0.5}
        gan.compile(keras.optimizers.SGD(1e3), keras.optimizers.SGD(0.1), run_eagerly=True)
        coarse, fine = laplacian.levels_of(gan.generator)
        coarse.set_weights([scale * w for w in coarse.get_weights()])
        before = [w.numpy() for w in fine.weights]
        logs = gan.train_on_batch(images(), return_dict=True)
        assert logs["r1_penalty_16"] > 0 and logs["r1_penalty_32"] > 0
        moved.append([w.numpy() - b for w, b in zip(fine.weights, before)])
    for first, second in zip(*moved):
        np.testing.assert_array_equal(first, second)
    assert max(np.abs(m).max() for m in moved[0]) > 1e-3


def test_a_step_is_that_of_a_gan_for_each_level():
    keras.utils.set_random_seed(0)
    gan = make(loss="non_saturating", seed=0)
    gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
    drawn = []
    draw = gan.latents
    gan.latents = lambda like: drawn.append(draw(like)) or drawn[-1]
    real = images()
    logs = gan.train_on_batch(real, return_dict=True)
    for number, level in enumerate(gan.levels(real)):
        own = [z[:, 3 * number : 3 * number + 3] for z in drawn]
        given = [[]] if level.low is None else [[level.low]]
        fakes = [sum(given[0], level.generator([z, *given[0]] if given[0] else z)) for z in own]
        real_logits, fake_logits, later = (
            level.discriminator([x, *given[0]] if given[0] else x) for x in (level.real, *fakes)
        )
        loss = tf.nn.softplus(-real_logits) + tf.nn.softplus(fake_logits)
        size = (16, 32)[number]
        found = logs[f"discriminator_loss_{size}"], logs[f"generator_loss_{size}"]
        wanted = np.mean(loss), np.mean(tf.nn.softplus(-later))
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


def levels(*sizes, latent_dim=3, **options):
    first, *others = sizes
    return [
        networks.mlp_generator((first, first, 1), 3, width=4, name="a"),
        *(
            networks.laplacian_level_generator((n, n, 1), latent_dim, 2, name=f"level_{i}{n}")
            for i, n in enumerate(others)
        ),
    ]


JUDGE = {"width": 2, "max_width": 4}
WRONG = {
    "out of order": (lambda: pyramid((1, 0)), "come coarsest first"),
    "a level left out": (lambda: networks.laplacian_pyramid(levels(8, 32)), "twice as large"),
    "finer before coarser": (
        lambda: networks.laplacian_pyramid(levels(8, 32, 16)),
        "twice as large",
    ),
    "the same level twice": (lambda: networks.laplacian_pyramid(levels(16, 16)), "twice as large"),
    "none": (lambda: networks.laplacian_pyramid([]), "come coarsest first"),
    "other latents": (lambda: pyramid(latent_dim=4), "one `latent_dim`"),
    "one name": (
        lambda: networks.laplacian_pyramid(
            [
                networks.mlp_generator((8, 8, 1), 3, width=4, name="same"),
                networks.laplacian_level_generator((16, 16, 1), 3, 2, name="same"),
            ]
        ),
        "a name of its own",
    ),
    "no network": (lambda: networks.laplacian_pyramid(["level"]), r"levels\[0\]"),
    "too many levels": (lambda: networks.laplacian_generator((32, 32, 1), 3), "levels=3 for 32x32"),
    "latents that cannot be shared": (
        lambda: networks.laplacian_generator((32, 32, 1), 2, latent_dim=5),
        "latent_dim=5, levels=2",
    ),
    "an odd size": (lambda: networks.laplacian_discriminator((34, 34, 1), 3), "for 34x34"),
    "no multiple of 4": (lambda: networks.laplacian_level_generator((18, 18, 1)), "multiples of 4"),
    "no levels": (
        lambda: keras_gans.LAPGAN(
            networks.mlp_generator(SHAPE, width=4),
            networks.laplacian_discriminator(SHAPE, 2, **JUDGE),
        ),
        "joined of the same levels",
    ),
    "a discriminator of fewer": (
        lambda: keras_gans.LAPGAN(
            pyramid(), networks.laplacian_discriminator((16, 16, 1), 1, **JUDGE)
        ),
        "joined of the same levels",
    ),
    "a plain discriminator": (
        lambda: keras_gans.LAPGAN(pyramid(), networks.dcgan_discriminator(SHAPE, width=2)),
        "joined of the same levels",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_it_refuses(name):
    wrong, message = WRONG[name]
    with pytest.raises(ValueError, match=message):
        wrong()


def test_a_recipe_knows_its_latents_without_building_it():
    arguments = {"image_shape": [32, 32, 1], "levels": 2, "latent_dim": 6, "width": 2}
    recipe = zoo.Recipe(
        {
            "epochs": 1,
            "data": {"name": "digits", "image_size": 32},
            "networks": {
                "generator": {"type": "laplacian_generator", **arguments},
                "discriminator": {
                    "type": "laplacian_discriminator",
                    "image_shape": [32, 32, 1],
                    "levels": 2,
                    "width": 2,
                },
            },
            "model": {"type": "LAPGAN"},
        }
    )
    assert recipe.interface == recipe.build_model().interface()
