"""Styles of StyleGAN2: mixed, walked along, moved along directions, and found of an image."""

import keras
import numpy as np
import pytest
from PIL import Image

from keras_gans import metrics, networks, zoo
from keras_gans.zoo.inference import styles as module
from keras_gans.zoo.loading import PretrainedGenerator


@pytest.fixture(scope="module")
def gan():
    keras.utils.set_random_seed(1)
    generator = networks.stylegan2_generator(
        (32, 32, 3), 8, 6, num_classes=2, width=4, max_width=8, mapping_layers=2, psi=None
    )
    _, truncation, synthesis = networks.stylegan2.parts(generator)
    truncation.average.assign(np.linspace(-0.5, 0.5, 6))
    for layer in synthesis.layers:
        if hasattr(layer, "strength"):
            layer.strength.assign(0.1)
    made = PretrainedGenerator(generator)
    made.compile()
    return made


def test_styles_make_the_images_of_generate(gan):
    styled = zoo.Styled(gan)
    w = styled.styles([3, 4], labels=1, psi=0.5)
    assert w.shape == (2, 8, 6)
    for row, seed in enumerate((3, 4)):
        expected = gan.generate(1, seed=seed, labels=1, psi=0.5)
        np.testing.assert_allclose(styled.images(w[row : row + 1]), expected, atol=1e-6)
    np.testing.assert_allclose(styled.images(w[:, 0]), styled.images(w), atol=1e-6)


def test_a_grid_of_mixed_styles(gan, tmp_path):
    path = zoo.mix_styles(gan, [1, 2], [3, 4, 5], [0, 1], labels=0, output=tmp_path / "grid.png")
    picture = np.asarray(Image.open(path)).astype(int)
    assert picture.shape == (3 * 34 - 2, 4 * 34 - 2, 3)
    styled = zoo.Styled(gan)
    w = styled.styles([2, 5], labels=0)
    mixed = w[:1].copy()
    mixed[:, :2] = w[1:, :2]
    expected = (styled.images(mixed)[0] + 1) * 127.5
    assert np.abs(picture[68:, 102:] - expected).max() <= 1


def test_a_walk_ends_at_its_seeds(gan, tmp_path):
    path = zoo.walk_styles(gan, [1, 2, 3], tmp_path / "walk.gif", steps=2, labels=0)
    with Image.open(path) as film:
        assert film.n_frames == 6


def test_principal_components_are_those_of_numpy(gan):
    found = zoo.style_directions(gan, 3)
    w = module._drawn_styles(zoo.Styled(gan), 0)
    _, values, vectors = np.linalg.svd(w - w.mean(axis=0), full_matrices=False)
    for direction, value, vector in zip(found, values, vectors):
        assert np.linalg.norm(direction) == pytest.approx(value / np.sqrt(len(w) - 1), rel=1e-3)
        cosine = direction @ vector / np.linalg.norm(direction)
        assert abs(cosine) == pytest.approx(1.0, abs=1e-3)


def test_sefa_finds_what_changes_factors_most(gan):
    found = zoo.style_directions(gan, 6, "sefa")
    np.testing.assert_allclose(found @ found.T, np.eye(6), atol=1e-5)
    kernels = module._affine_kernels(zoo.Styled(gan), None)
    assert len(kernels) == 8
    effect = [sum(np.sum((d @ k) ** 2) for k in kernels) for d in found]
    assert effect == sorted(effect, reverse=True)
    one = zoo.style_directions(gan, 1, "sefa", layers=[0])[0]
    _, _, vectors = np.linalg.svd(kernels[0].T)
    assert abs(one @ vectors[0]) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("plus", [False, True])
def test_styles_of_an_image(gan, plus):
    styled = zoo.Styled(gan)
    target = styled.images(styled.styles([7], labels=0))[0]
    maps = [w.numpy() for w in styled.synthesis.weights if w.name == "map"]
    found = zoo.project_style(
        gan, target, plus=plus, steps=40, features="random_cnn_v1", every=20, verbose=0
    )
    assert found.styles.shape == (1, 8, 6) and len(found.frames) == 3
    assert (np.ptp(found.styles, axis=1).max() > 0) == plus
    mean = styled.images(module._drawn_styles(styled, 0).mean(axis=0)[None])[0]
    distance = metrics.PerceptualDistance("random_cnn_v1")
    start, end = (distance(target[None], x[None])[0] for x in (mean, found.image))
    assert end < 0.8 * start
    for noise, own in zip([w for w in styled.synthesis.weights if w.name == "map"], maps):
        np.testing.assert_array_equal(noise, own)  # as they were before


def test_correlation_of_noise_by_hand():
    n = np.array([[1.0, -1.0], [1.0, -1.0]], "float32")[..., None]
    assert float(module.noise_correlation(n)) == pytest.approx(2.0)  # (-1)^2 + 1^2
    large = np.random.default_rng(0).normal(size=(64, 64, 1)).astype("float32")
    assert float(module.noise_correlation(large)) < 0.1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda gan: zoo.Styled("dcgan_digits_28"), "with styles"),
        (lambda gan: zoo.Styled(gan).images(np.zeros((1, 7, 6))), "shape .number, 8, 6"),
        (lambda gan: zoo.Styled(gan).styles(), "one of them"),
        (lambda gan: zoo.mix_styles(gan, [1], [2], [8]), "0 to 7"),
        (lambda gan: zoo.walk_styles(gan, [1]), "two seeds"),
        (lambda gan: zoo.style_directions(gan, 7), "6 directions"),
        (lambda gan: zoo.style_directions(gan, 2, "pca"), "must be one of"),
        (
            lambda gan: zoo.project_style(gan, np.zeros((8, 8, 3)), features="random_cnn_v1"),
            "shape",
        ),
    ],
)
def test_bad_input(gan, make, said):
    with pytest.raises(ValueError, match=f"(?s){said}.*Received"):
        make(gan)
