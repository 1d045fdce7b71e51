import json
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from reference import image_to_image_parameters as script

from keras_gans.layers import InstanceNormalization
from keras_gans.networks import patch_discriminator

REFERENCE = json.loads(pathlib.Path(script.__file__).with_suffix(".json").read_text())
FIELDS = [1, 16, 34, 70, 142, 286]  # of 0 to 5 convolutions of stride 2


def cases(part):
    return [case for case in REFERENCE[part] if case["kind"] == "patch"]


@pytest.mark.parametrize("case", cases("counted"), ids=str)
def test_as_many_parameters_as_in_pytorch(case):
    shape = (286, 286, 3)
    condition = shape if case["channels"] == [6] else None
    options = {"receptive_field": FIELDS[case["layers"]], "normalization": case["norm"]}
    model = patch_discriminator(shape, condition, **options)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == case["parameters"]


def test_the_published_numbers_of_parameters():
    published = [c["parameters"] for c in cases("counted") if c["layers"] == 3]
    assert published == [2_768_705, 2_764_737]  # of Pix2Pix and of CycleGAN


@pytest.mark.parametrize("case", cases("small"), ids=str)
def test_agrees_with_pytorch(case):
    sides, (channels,) = case["sides"], case["channels"]
    options = {"receptive_field": FIELDS[case["layers"]], "normalization": case["norm"]}
    options["width"] = script.WIDTH
    script.require_agreement(patch_discriminator((*sides, channels), **options), case)
    # The condition comes first.
    model = patch_discriminator((*sides, channels - 1), (*sides, 1), **options)
    script.require_agreement(model, case, lambda x: [x[..., :1], x[..., 1:]])


@pytest.mark.parametrize("field", FIELDS)
def test_a_logit_sees_exactly_its_patch(field):
    side = field + 2 * 32  # so far that some logits see no padding
    model = patch_discriminator((side, side, 1), receptive_field=field, width=1, normalization=None)
    x = np.random.default_rng(0).normal(size=(1, side, side, 1)).astype("float32")
    for layer in model.layers:  # nothing cancels, and no slope is too small to be seen
        if isinstance(layer, layers.Conv2D):
            layer.kernel.assign(np.full(layer.kernel.shape, 0.3))
    images = tf.Variable(x)
    with tf.GradientTape() as tape:
        logits = model(images)
        middle = logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]
    rows, columns = np.nonzero(tape.gradient(middle, images).numpy()[0, :, :, 0])
    assert len(rows) == field**2
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == field
    assert min(rows.min(), columns.min()) > 0 and max(rows.max(), columns.max()) < side - 1


@pytest.mark.parametrize(
    ("sides", "field", "grid"),
    [
        ((256, 256), 70, (30, 30)),
        ((256, 256), 1, (256, 256)),
        ((256, 256), 16, (126, 126)),
        ((256, 256), 34, (62, 62)),
        ((256, 256), 142, (14, 14)),
        ((286, 286), 286, (6, 6)),
        ((128, 256), 70, (14, 30)),
        ((128, 128), 34, (30, 30)),
        ((64, 64), 34, (14, 14)),
        ((32, 32), 16, (14, 14)),
    ],
)
def test_a_map_of_logits(sides, field, grid):
    options = {"receptive_field": field, "width": 1}
    model = patch_discriminator((*sides, 3), **options)
    assert model.output_shape == (None, *grid, 1)
    assert [x.name for x in model.inputs] == ["images"]
    conditional = patch_discriminator((*sides, 3), (*sides, 1), **options)
    assert conditional.output_shape == (None, *grid, 1)
    assert [x.name for x in conditional.inputs] == ["condition", "images"]
    assert [x.shape[-1] for x in conditional.inputs] == [1, 3]


def test_normalised_everywhere_but_at_the_first_and_the_last():
    def number(name, field, *kinds):
        options = {"receptive_field": field, "width": 1, "normalization": name}
        model = patch_discriminator((70, 70, 3), **options)
        return sum(isinstance(layer, kinds) for layer in model.layers)

    both = (layers.BatchNormalization, InstanceNormalization)
    for field, normalized in ((1, 1), (16, 1), (34, 2), (70, 3)):
        assert number("batch", field, layers.BatchNormalization) == normalized
        assert number("instance", field, InstanceNormalization) == normalized
        assert number("batch", field, *both) == number("instance", field, *both) == normalized
        assert number(None, field, *both) == 0
        assert number(None, field, layers.LeakyReLU) == normalized + 1


def test_affine_instance_normalisation_has_offsets_in_place_of_biases():
    plain, affine = (
        patch_discriminator((70, 70, 3), width=1, normalization=name)
        for name in ("instance", "instance_affine")
    )
    assert [w.name for w in affine.weights].count("bias") == 2  # of the first and the last
    assert affine.count_params() - plain.count_params() == 2 + 4 + 8


def test_logits_are_float32_and_finite_under_mixed_float16():
    keras.config.set_dtype_policy("mixed_float16")
    model = patch_discriminator((32, 32, 3), (32, 32, 1), receptive_field=16, width=4)
    assert model.outputs[0].dtype == "float32"
    x = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 4)).astype("float32")
    logits = model([x[..., :1], x[..., 1:]], training=True)
    assert logits.dtype == "float32" and np.isfinite(logits).all()


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((64, 128, 3), {}, "larger than the image.*receptive_field=34.*receptive_field=70"),
        ((15, 15, 3), {"receptive_field": 16}, r"receptive_field=1\..*receptive_field=16"),
        ((64, 64, 3), {"receptive_field": 64}, r"\[1, 16, 34, 70, 142, 286\].*receptive_field=64"),
        ((64, 64, 3), {"receptive_field": True}, "receptive_field=True"),
        ((64, 64, 3), {"receptive_field": [16]}, r"receptive_field=\[16\]"),
        (
            (70, 70, 3),
            {"condition_shape": (70, 72, 3)},
            r"one height.*condition_shape=\(70, 72, 3\)",
        ),
        ((70, 70, 3), {"condition_shape": (70, 70)}, "image_shape"),
        ((64, 64), {}, "`image_shape`"),
        ((70, 70, 3), {"width": 0}, "`width`"),
        ((70, 70, 3), {"normalization": "group"}, "normalization='group'"),
    ],
)
def test_bad_input(shape, options, message):
    with pytest.raises(ValueError, match=f"(?s){message}"):
        patch_discriminator(shape, **{"receptive_field": 70, **options})
