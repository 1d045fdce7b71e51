"""Exports of a network that enlarges images of any size."""

import collections
import importlib

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import export, interface, networks
from keras_gans.export import mobile_benchmark, signatures
from keras_gans.export.for_gpu import without_refused_layers
from keras_gans.export.graph import tiles

checking = importlib.import_module("keras_gans.export.checking")
REFUSED = {
    "PRELU",
    "DEPTH_TO_SPACE",
    "SPACE_TO_DEPTH",
    "TRANSPOSE",
    "TILE",
    "GATHER",
    "BROADCAST_TO",
}


def with_weights(network):
    """As large as trained ones: an untrained network makes the enlarged image and little else."""
    rng = np.random.default_rng(0)
    network.set_weights([w + rng.normal(0, 0.1, w.shape) for w in network.get_weights()])
    return network


@pytest.fixture(scope="module")
def upscaler():
    return with_weights(networks.compact_upscaler((None, None, 3), scale=2, width=4, depth=1))


def operations(path):
    """Names of the operations of a `.tflite`, to how often each comes."""
    runtime = mobile_benchmark.installed()
    made = mobile_benchmark._interpreter(
        runtime,
        model_content=path.read_bytes(),
        # XNNPACK would show its share as one operation.
        experimental_op_resolver_type=runtime.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    made.allocate_tensors()
    return collections.Counter(o["op_name"] for o in made._get_ops_details())


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (networks.compact_upscaler, {"scale": 2, "depth": 1}),
        (networks.compact_upscaler, {"output_scale": 3, "depth": 1}),
        (networks.rrdb_upscaler, {"scale": 2, "blocks": 1, "growth": 2}),
        (networks.srresnet, {"blocks": 1}),
    ],
)
def test_for_gpu_makes_the_same(make, options):
    network = with_weights(make((8, 12, 3), width=4, **options))
    replaced = without_refused_layers(network)
    x = np.random.default_rng(0).uniform(-1, 1, (2, 8, 12, 3)).astype("float32")
    np.testing.assert_allclose(replaced(x), network(x), atol=1e-6)
    assert interface.of(replaced) == signatures.interface_of(network)


def test_a_file_for_gpus_has_no_operation_that_they_refuse(tmp_path):
    network = with_weights(networks.compact_upscaler((8, 12, 3), 4, 4, 1, output_scale=3))
    path = export.tflite(network, tmp_path / "g.tflite", precision="float32", for_gpu=True)
    assert not REFUSED & set(operations(path)), operations(path)
    assert export.check(path, network).largest < 1e-5
    usual = export.tflite(network, tmp_path / "usual.tflite", check=False)
    assert {"PRELU", "TRANSPOSE", "TILE", "GATHER"} <= set(operations(usual))
    weights = [export.metadata(file)["weights_sha256"] for file in (path, usual)]
    assert weights[0] == weights[1]


def test_a_file_is_for_one_size_of_an_open_one(tmp_path, upscaler):
    path = export.tflite(upscaler, tmp_path / "g.tflite", image_size=(8, 12))
    assert export.check(path, upscaler).largest < 0.02
    found = interface.Interface.from_json(export.metadata(path)["interface"])
    assert found.image.shape == (8, 12, 3)
    assert found.images[0].shape == (16, 24, 3) and found.images[0].scale == 2
    tiles = np.random.default_rng(0).uniform(-1, 1, (4, 8, 12, 3)).astype("float32")
    for precision, given in (("dynamic", None), ("int8", tiles)):
        small = export.tflite(
            upscaler, tmp_path / f"{precision}.tflite", 1, precision,
            image_size=(8, 12), representative=given,
        )  # fmt: skip
        assert export.check(small, upscaler, inputs=tiles).psnr > checking.PSNR[precision]
    with pytest.raises(ValueError, match=r"images of one size.*`image_size=128`"):
        export.tflite(upscaler, tmp_path / "open.tflite")
    for wrong, says in ((0, "at least 1"), ((8,), "height and width"), ("8", "height and width")):
        with pytest.raises(ValueError, match=says):
            export.tflite(upscaler, tmp_path / "open.tflite", image_size=wrong)
    fixed = networks.compact_upscaler((8, 12, 3), scale=2, width=4, depth=1)
    with pytest.raises(ValueError, match=r"Leave `image_size` out.*images of 8x12"):
        export.tflite(fixed, tmp_path / "fixed.tflite", image_size=8)
    latents = networks.mlp_generator((4, 4, 1), latent_dim=3)
    with pytest.raises(ValueError, match="takes no images"):
        export.tflite(latents, tmp_path / "latents.tflite", image_size=8)


def test_fewer_examples_of_large_images():
    def number(side):
        port = interface.Image(side, side, 3)
        return checking._number(interface.Interface([port], [port]))

    assert [number(side) for side in (None, 64, 256, 512, 4096)] == [16, 16, 8, 2, 1]


# ---- SavedModel


def test_tiles_in_the_graph_are_the_whole_image(upscaler):
    """Sizes below, at and above a tile, both ways."""
    radius = networks.receptive_radius(upscaler)
    assert radius == 3
    for margin, exact in ((radius, True), (radius - 1, False)):
        cut = tiles.of(upscaler, signatures.interface_of(upscaler), 16, margin)

        @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3))])
        def enlarge(images, cut=cut):
            return tiles.in_tiles(lambda tile: upscaler(tile, training=False), images, cut)

        for height, width in ((5, 7), (16, 17), (26, 27), (40, 33)):
            images = np.random.default_rng(0).uniform(-1, 1, (2, height, width, 3))
            difference = np.abs(enlarge(images.astype("float32")) - upscaler(images)).max()
            assert difference < 1e-5 if exact or max(height, width) <= 16 else difference > 1e-3


def test_limits_are_on_the_pixels_that_come_out(tmp_path, upscaler):
    path = export.saved_model(
        upscaler, tmp_path / "m", max_pixels=64**2, max_total_pixels=4 * 64**2, floats_only=True
    )
    assert export.check(path, upscaler, num_examples=1).largest < 1e-6
    serve = tf.saved_model.load(str(path)).signatures["serving_default"]
    assert serve(images=tf.zeros((1, 64, 64, 3)))["images"].shape == (1, 128, 128, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="16384 pixels of all images"):
        serve(images=tf.zeros((2, 64, 40, 3)))  # 5,120 go in, 20,480 come out


@pytest.mark.parametrize(("size", "margin"), [(24, 12), (24, -1), (0, None)])
def test_tiles_that_cannot_be(tmp_path, upscaler, size, margin):
    with pytest.raises(ValueError, match="Received"):
        export.saved_model(upscaler, tmp_path / "m", tile_size=size, margin=margin)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("make", "options", "expected"),
    [
        (networks.compact_upscaler, {"depth": 3}, 5),
        (networks.compact_upscaler, {"depth": 3, "output_scale": 3}, 6),
        (networks.rrdb_upscaler, {"blocks": 1, "growth": 2}, 19),  # 15 + 2 + 1 + 3/4
        (networks.srresnet, {"blocks": 1}, 10),  # 4 + 2 + 1 + 1 + 1/2 + 4/4
        (networks.resnet_generator, {"blocks": 1}, None),  # normalises over the whole image
    ],
)
def test_receptive_radius(make, options, expected):
    assert networks.receptive_radius(make((None, None, 3), width=2, **options)) == expected
