import contextlib
import warnings

import numpy as np
import pytest
from PIL import Image
from small_gans import labelled, plain, translator, with_codes

import keras_gans
from keras_gans import image, networks, zoo
from keras_gans.zoo.inference.generate import generate, require_fits


def pixels(path):
    with Image.open(path) as file:
        return np.asarray(file)[..., None]


def test_the_image_of_a_seed_is_that_of_generate_in_any_company(tmp_path):
    gan, seeds = plain(), [3, 900, 5, 7, 8]
    made = generate(gan, seeds, truncation=0.5, output=tmp_path)
    assert [path.name for path in made.files][:2] == ["seed0003.png", "seed0900.png"]
    for seed, path in zip(seeds, made.files):
        alone = image.to_uint8(gan.generate(1, seed=seed, truncation=0.5))[0]
        np.testing.assert_array_equal(pixels(path), alone)
    assert pixels(made.grid).shape == (2 * 16 + 2, 3 * 16 + 4, 1)


def test_a_row_of_the_grid_is_a_seed_and_a_column_a_label(tmp_path):
    gan = labelled()
    made = generate(gan, [4, 5], labels=[2, 0, 1], output=tmp_path)
    grid = pixels(made.grid)
    assert grid.shape == (2 * 16 + 2, 3 * 16 + 4, 1)
    for row, seed in enumerate([4, 5]):
        for column, label in enumerate([2, 0, 1]):
            alone = image.to_uint8(gan.generate(1, seed=seed, labels=label))[0]
            cell = grid[18 * row : 18 * row + 16, 18 * column : 18 * column + 16]
            np.testing.assert_array_equal(cell, alone)
            np.testing.assert_array_equal(
                pixels(tmp_path / f"seed{seed:04d}_label{label}.png"), alone
            )


def test_without_labels_there_is_every_class(tmp_path):
    made = generate(labelled(), [0, 1], output=tmp_path)
    assert [path.stem[-6:] for path in made.files] == ["label0", "label1", "label2"] * 2


def test_one_label_makes_a_square(tmp_path):
    made = generate(labelled(), range(4), labels=2, output=tmp_path)
    assert pixels(made.grid).shape == (34, 34, 1)


def test_codes_of_an_infogan(tmp_path):
    gan = with_codes()
    made = generate(gan, [7, 8], categorical=[1, 2], continuous=[0.5, -1.0], output=tmp_path)
    assert made.files[3].name == "seed0008_categorical2.png"
    alone = gan.generate(1, seed=8, categorical=2, continuous=[0.5, -1.0])
    np.testing.assert_array_equal(pixels(made.files[3]), image.to_uint8(alone)[0])
    drawn = generate(gan, [7], output=tmp_path / "drawn")
    np.testing.assert_array_equal(
        pixels(drawn.files[0]), image.to_uint8(gan.generate(1, seed=7))[0]
    )


def test_latents_in_place_of_seeds(tmp_path):
    gan, latents = labelled(), keras_gans.latent.sample(2, 6, seed=0)
    made = generate(gan, latents=latents, labels=[1], output=tmp_path)
    assert [path.name for path in made.files] == ["latent0000_label1.png", "latent0001_label1.png"]
    expected = image.to_uint8(gan.generate(latents=latents, labels=1))
    np.testing.assert_array_equal(pixels(made.files[1]), expected[1])


@pytest.mark.parametrize(
    ("gan", "options", "message"),
    [
        (plain, {"labels": [1]}, "takes no labels.*a GAN, labels"),
        (with_codes, {"labels": [1]}, "An InfoGAN has codes: `--categorical`"),
        (labelled, {"labels": [3]}, "Expected 0 to 2"),
        (labelled, {"categorical": [1]}, "has no codes.*a ConditionalGAN"),
        (plain, {"continuous": [1.0]}, "has no codes"),
        (with_codes, {"categorical": [3]}, "Expected 0 to 2"),
        (with_codes, {"continuous": [1.0]}, r"Expected shape \(2,\)"),
        (lambda: with_codes((3, 2)), {"categorical": [1]}, "a generator with 2"),
        (plain, {"seeds": []}, "no seeds"),
        (plain, {"truncation": -1.0}, "Received: truncation=-1.0"),
        (plain, {"latents": np.zeros((1, 6)), "truncation": 1.0}, "latents and truncation=1.0"),
        (
            plain,
            {"latents": np.zeros((1, 5))},
            r"Expected finite numbers of shape \(num_images, 6\)",
        ),
        (translator, {}, "Use `keras-gans translate`.*a Pix2Pix"),
    ],
)
def test_what_a_generator_does_not_take_is_said_before_anything_is_written(
    gan, options, message, tmp_path
):
    with pytest.raises(ValueError, match=message):
        generate(gan(), output=tmp_path / "made", **options)
    assert not list(tmp_path.iterdir())


def test_old_names_of_arguments_work_and_warn(tmp_path):
    with pytest.warns(DeprecationWarning, match=r"generate\(out=...\)` is now `generate\(output="):
        made = generate(plain(), [0], out=tmp_path / "made")
    assert made.grid.parent == tmp_path / "made"
    with pytest.raises(TypeError, match="out"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        generate(plain(), [0], out=tmp_path, output=tmp_path)
    frames, gan = [], plain()
    for options in ({"linear": True}, {"interpolation": "linear"}, {}):
        with contextlib.ExitStack() as stack:
            if "linear" in options:
                stack.enter_context(pytest.warns(DeprecationWarning, match="interpolation="))
            path = zoo.interpolate(gan, tmp_path / "a.gif", seeds=[0, 1], steps=3, **options)
        frames.append(path.read_bytes())
    assert frames[0] == frames[1] != frames[2]
    with pytest.raises(ValueError, match="Did you mean 'linear'.*interpolation='lineer'"):
        zoo.interpolate(plain(), tmp_path / "a.gif", interpolation="lineer")


def test_points_are_no_images(tmp_path):
    gan = keras_gans.GAN(
        networks.mlp_generator((2,), latent_dim=4), networks.mlp_discriminator((2,))
    )
    with pytest.raises(ValueError, match=r"makes no images.*\(None, 2\)"):
        generate(gan, output=tmp_path)


@pytest.mark.parametrize(
    ("number", "shape", "scale", "fits"),
    [
        (36, (28, 28, 1), 1, True),
        (10_000, (64, 64, 3), 2, True),  # 1.5 GB
        (10_000, (64, 64, 3), 3, False),
        (1, (28, 28, 1), 10**6, False),
        (10**9, (1, 1, 1), 1, False),
    ],
)
def test_what_is_too_much_to_make_at_once(number, shape, scale, fits):
    if fits:
        require_fits(number, shape, scale)
    else:
        with pytest.raises(ValueError, match=f"too much .*Received: {number:,} images"):
            require_fits(number, shape, scale)


@pytest.mark.parametrize("scale", [0, -1, 1.5, True, "2", None])
def test_scales_that_are_none(scale, tmp_path):
    with pytest.raises(ValueError, match="`scale` must be"):
        generate(plain(), seeds=[0], scale=scale, output=tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_parts_on_several_machines_are_the_whole(tmp_path):
    gan = plain()
    whole = generate(gan, range(5), output=tmp_path / "whole")
    parts = [generate(gan, range(5), output=tmp_path, shard=(n, 3)) for n in (1, 2, 3)]
    assert [len(part.files) for part in parts] == [2, 2, 1]
    for path in whole.files:
        np.testing.assert_array_equal(pixels(tmp_path / path.name), pixels(path))
    assert [part.grid.name for part in parts] == [f"grid-{n}-of-3.png" for n in (1, 2, 3)]
    with pytest.raises(ValueError, match="Nothing is left for this part"):
        generate(gan, [1], output=tmp_path / "none", shard=(2, 2))
