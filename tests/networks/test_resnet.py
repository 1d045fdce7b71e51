import json
import pathlib

import keras
import numpy as np
import pytest
from keras import layers
from reference import image_to_image_parameters as script

from keras_gans.layers import InstanceNormalization, ReflectionPadding2D
from keras_gans.networks import resnet_generator

REFERENCE = json.loads(pathlib.Path(script.__file__).with_suffix(".json").read_text())


def cases(part):
    return [case for case in REFERENCE[part] if case["kind"] == "resnet"]


def blocks(model):
    return sum(isinstance(layer, layers.Add) for layer in model.layers)


@pytest.mark.parametrize("case", cases("counted"), ids=str)
def test_as_many_parameters_as_in_pytorch(case):
    taken, made = case.get("channels", [3, 3])
    options = {"blocks": case["blocks"], "normalization": case["norm"]}
    model = resnet_generator((32, 32, taken), made, **options)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == case["parameters"]


def test_the_published_numbers_of_parameters():
    published = {c["blocks"]: c["parameters"] for c in cases("counted") if "channels" not in c}
    assert published == {6: 7_837_699, 9: 11_378_179}


@pytest.mark.parametrize("case", cases("small"), ids=str)
@pytest.mark.parametrize("open_sides", [False, True])
def test_agrees_with_pytorch(case, open_sides):
    taken, made = case["channels"]
    sides = (None, None) if open_sides else case["sides"]
    options = {"blocks": case["blocks"], "normalization": case["norm"]}
    model = resnet_generator((*sides, taken), made, width=script.WIDTH, **options)
    script.require_agreement(model, case)


@pytest.mark.parametrize(
    ("sides", "number"),
    [
        ((256, 256), 9),
        ((256, 512), 9),
        ((128, 256), 6),
        ((128, 128), 6),
        ((64, 64), 6),
        ((32, 32), 6),
        ((16, 20), 6),
        ((None, None), 9),
    ],
)
def test_shapes_and_the_papers_number_of_blocks(sides, number):
    model = resnet_generator((*sides, 3), 1, width=1)
    assert model.output_shape == (None, *sides, 1) and blocks(model) == number
    assert blocks(resnet_generator((*sides, 3), width=1, blocks=2)) == 2


def test_open_sides_run_at_any_multiple_of_4():
    model = resnet_generator((None, None, 3), width=1, blocks=1)
    for sides in ((16, 16), (20, 32)):
        assert model(np.zeros((1, *sides, 3), "float32")).shape == (1, *sides, 3)


def test_layers_of_the_paper():
    model = resnet_generator((32, 32, 3), width=4, blocks=2)
    convolutions = (layers.Conv2D, layers.Conv2DTranspose)
    found = [
        (x.filters, x.kernel_size[0], x.strides[0])
        for x in model.layers
        if isinstance(x, convolutions)
    ]
    down, up = [(4, 7, 1), (8, 3, 2), (16, 3, 2)], [(8, 3, 2), (4, 3, 2), (3, 7, 1)]
    assert found == [*down, *4 * [(16, 3, 1)], *up]

    def number(name, *kinds):
        model = resnet_generator((32, 32, 3), width=1, blocks=2, normalization=name)
        return sum(isinstance(layer, kinds) for layer in model.layers)

    both = (layers.BatchNormalization, InstanceNormalization)
    assert number("instance", InstanceNormalization) == number("instance", *both) == 9
    assert number("batch", layers.BatchNormalization) == number("batch", *both) == 9
    assert number(None, *both) == 0
    assert number("instance", ReflectionPadding2D) == 6


def test_affine_instance_normalisation_has_offsets_in_place_of_biases():
    plain, affine = (
        resnet_generator((32, 32, 3), width=4, blocks=2, normalization=name)
        for name in ("instance", "instance_affine")
    )
    names = [w.name for w in affine.weights]
    assert (names.count("gamma"), names.count("beta"), names.count("bias")) == (9, 9, 1)
    # A factor and an offset for each channel, and one bias less.
    assert affine.count_params() - plain.count_params() == 4 + 8 + 16 + 4 * 16 + 8 + 4


def test_same_padding_is_the_other_one_turned_by_half_a_turn():
    plain, same = (resnet_generator((16, 24, 3), width=4, same_padding=p) for p in (False, True))
    weights = [10 * w if w.ndim == 4 else w for w in plain.get_weights()]
    plain.set_weights(weights)
    same.set_weights([w[::-1, ::-1] if w.ndim == 4 else w for w in weights])
    x = np.random.default_rng(0).uniform(-1, 1, (1, 16, 24, 3)).astype("float32")
    turned = plain(x[:, ::-1, ::-1]).numpy()[:, ::-1, ::-1]
    np.testing.assert_allclose(same(x), turned, atol=1e-5)
    assert np.abs(same(x) - plain(x)).max() > 0.1


def test_images_are_float32_and_finite_under_mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    model = resnet_generator((16, 16, 3), width=4, blocks=1)
    assert model.outputs[0].dtype == "float32"
    assert [x.name for x in model.inputs] == ["images"]
    made = model(np.random.default_rng(0).uniform(-1, 1, (2, 16, 16, 3)).astype("float32"))
    assert made.dtype == "float32" and np.abs(made).max() <= 1.0


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((18, 32, 3), {}, r"downsampled twice.*multiples of 4.*\(16, 32\) or \(20, 32\)"),
        ((255, 257, 3), {}, r"\(252, 256\) or \(256, 260\)"),
        ((12, 16, 3), {}, "at least 16"),
        ((None, 16, 3), {}, "height"),
        ((None, None), {}, "`image_shape`"),
        ((None, None, 0), {}, "channels"),
        ((16, 16, 3), {"blocks": 0}, "`blocks`"),
        ((16, 16, 3), {"blocks": 6.0}, "`blocks`"),
        ((16, 16, 3), {"width": -1}, "`width`"),
        ((16, 16, 3), {"out_channels": True}, "`out_channels`"),
        ((16, 16, 3), {"normalization": "layer"}, "normalization='layer'"),
    ],
)
def test_bad_input(shape, options, message):
    with pytest.raises(ValueError, match=f"(?s)(Received.*)?{message}"):
        resnet_generator(shape, **options)
