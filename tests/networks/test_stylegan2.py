"""StyleGAN2's networks: sizes, parameters, parts and truncation."""

import keras
import numpy as np
import pytest

import keras_gans
from keras_gans import networks
from keras_gans.interface import Image, Interface, Label, Latents, Style
from keras_gans.networks import stylegan2

SMALL = {"width": 4, "max_width": 8, "mapping_layers": 2}
TINY = {**SMALL, "latent_dim": 6, "style_dim": 5}
RANDOM = np.random.default_rng(0)


def trained(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


@pytest.fixture(scope="module")
def conditional():
    """A generator whose noise and average style are not 0."""
    network = networks.stylegan2_generator((16, 8, 3), num_classes=3, **TINY)
    weights = [w + RANDOM.normal(0.0, 0.3, w.shape) for w in network.get_weights()]
    network.set_weights(weights)
    return network


def latents(number=4):
    z = np.random.default_rng(1).normal(size=(number, 6)).astype("float32")
    return [z, np.arange(number, dtype="int32") % 3]


@pytest.mark.parametrize(
    ("side", "width", "generator", "discriminator"),
    [
        (256, None, 30_034_338, 28_864_129),
        pytest.param(512, None, 30_276_583, 28_982_849, marks=pytest.mark.by_hand),
        pytest.param(1024, None, 30_370_060, 29_012_513, marks=pytest.mark.by_hand),
        pytest.param(256, 64, 24_767_458, 24_001_089, marks=pytest.mark.by_hand),
    ],
)
def test_parameters_are_those_of_the_authors(side, width, generator, discriminator, monkeypatch):
    normal = keras.initializers.RandomNormal
    monkeypatch.setattr(normal, "__call__", lambda self, shape, dtype: np.zeros(shape, "float32"))
    assert trained(networks.stylegan2_generator((side, side, 3), width=width)) == generator
    found = networks.stylegan2_discriminator((side, side, 3), width=width)
    assert trained(found) == discriminator


@pytest.mark.parametrize("shape", [(8, 8, 1), (16, 64, 3), (32, 16, 2)])
def test_sizes_and_rectangles(shape):
    generator = networks.stylegan2_generator(shape, **TINY)
    images = generator(latents(2)[0])
    assert images.shape == (2, *shape) and np.abs(images).max() <= 1.0
    assert networks.stylegan2_discriminator(shape, **SMALL)(images).shape == (2, 1)
    _, truncation, synthesis = stylegan2.parts(generator)
    assert truncation.num_styles == synthesis.input_shape[1] == 2 * np.log2(min(shape[:2])) - 2


def test_what_it_takes_and_makes(conditional):
    described = keras_gans.interface.of(conditional)
    taken = [Latents(6, styles=(4, 5)), Label(3)]
    assert described == Interface(taken, [Image(16, 8, 3)])
    assert Interface.from_json(described.to_json()) == described
    mapping, _, synthesis = stylegan2.parts(conditional)
    assert keras_gans.interface.of(synthesis).inputs == (Style(4, 5, name="styles"),)
    assert mapping(latents()).shape == (4, 5)


def test_it_is_its_parts_one_after_the_other(conditional):
    mapping, truncation, synthesis = stylegan2.parts(conditional)
    linear = synthesis(truncation(mapping(latents())))
    np.testing.assert_allclose(conditional(latents()), np.clip(linear, -1, 1), atol=1e-6)
    assert np.abs(linear).max() > 1.0
    assert np.abs(conditional(latents(), training=True)).max() > 1.0  # not clipped in training


def test_saved_and_loaded(conditional, tmp_path):
    chosen = networks.truncated(conditional)
    psi = np.array([0.0, 0.3, 1.0, -1.0], "float32")
    for network, given in ((conditional, latents()), (chosen, [*latents(), psi])):
        network.save(tmp_path / "network.keras")
        again = keras.models.load_model(tmp_path / "network.keras")
        np.testing.assert_array_equal(again(given), network(given))
        assert keras_gans.interface.of(again) == keras_gans.interface.of(network)


def test_truncation_of_each_image(conditional):
    _, truncation, synthesis = stylegan2.parts(conditional)
    chosen = networks.truncated(conditional, cutoff=4)
    images = chosen([*latents(), np.array([0.0, 0.0, 1.0, 0.5], "float32")])
    mean = np.clip(synthesis(truncation(truncation.average[None])), -1, 1)[0]
    np.testing.assert_allclose(images[0], mean, atol=1e-6)
    np.testing.assert_allclose(images[1], mean, atol=1e-6)
    np.testing.assert_allclose(images[2], conditional(latents())[2], atol=1e-5)
    half = networks.truncated(conditional, 0.5)(latents())
    np.testing.assert_allclose(images[3], half[3], atol=1e-6)
    assert chosen.weights == conditional.weights == networks.truncated(conditional, 0.5).weights


def test_noise_is_a_choice_at_inference(conditional):
    made = {}
    for noise in ("const", "none"):
        network = networks.stylegan2_generator((16, 8, 3), num_classes=3, noise=noise, **TINY)
        network.set_weights(conditional.get_weights())
        made[noise] = np.asarray(network(latents()))
    np.testing.assert_array_equal(made["const"], conditional(latents()))
    assert np.abs(made["const"] - made["none"]).max() > 0.01
    without = networks.stylegan2_generator((16, 8, 3), noise=None, **TINY)
    assert not any("noise" in weight.path for weight in without.weights)


def test_classes_count(conditional):
    z, _ = latents()
    first, second = (conditional([z, np.full(4, label)]) for label in (0, 1))
    assert np.abs(first - second).max() > 0.01
    network = networks.stylegan2_discriminator((16, 8, 3), num_classes=3, **SMALL)
    first = np.asarray(first)
    logits = [network([first, np.full(4, label)]) for label in (0, 1)]
    assert np.abs(logits[0] - logits[1]).max() > 1e-4


def test_without_shortcuts_and_without_groups():
    plain = networks.stylegan2_discriminator((16, 16, 1), residual=False, features=0, **SMALL)
    assert not any("skip" in layer.name or "std_dev" in layer.name for layer in plain.layers)
    x = RANDOM.uniform(-1, 1, (4, 16, 16, 1)).astype("float32")
    alone = np.concatenate([plain(x[i : i + 1]) for i in range(4)])
    np.testing.assert_allclose(plain(x), alone, atol=1e-6)


def test_float16_stays_finite_and_images_are_float32():
    keras.config.set_dtype_policy("mixed_float16")
    generator = networks.stylegan2_generator((16, 16, 3), clamp=256.0, **TINY)
    z = 100.0 * latents()[0]
    images = generator(z)
    logits = networks.stylegan2_discriminator((16, 16, 3), clamp=256.0, **SMALL)(images)
    assert images.dtype == logits.dtype == "float32"
    assert np.isfinite(images).all() and np.isfinite(logits).all()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: networks.stylegan2_generator((24, 24, 3)), "powers of two"),
        (lambda: networks.stylegan2_discriminator((32, 48, 3)), "powers of two"),
        (lambda: networks.stylegan2_generator((4, 4, 3)), "at least 8"),
        (lambda: networks.stylegan2_generator((8, 8, 3), noise="stored"), "one of"),
        (lambda: networks.stylegan2_generator((8, 8, 3), mapping_layers=0), "mapping_layers"),
        (lambda: networks.stylegan2_generator((8, 8, 3), num_classes=1), "num_classes"),
        (lambda: networks.stylegan2_generator((8, 8, 3), width=4, cutoff=9), "0 to 4"),
        (lambda: networks.truncated(networks.mlp_generator((2,)), 0.5), "no styles|with styles"),
    ],
)
def test_bad_input(make, said):
    with pytest.raises(ValueError, match=f"(?s){said}.*Received"):
        make()


def test_a_style_for_each_layer(conditional):
    synthesis = stylegan2.parts(conditional)[2]
    with pytest.raises(ValueError, match="expected shape|incompatible"):
        synthesis(np.zeros((1, 5, 5), "float32"))
