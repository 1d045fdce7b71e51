"""StyleGAN2 exported: psi in the graph, and no constants of the size of feature maps."""

import numpy as np
import pytest
import tensorflow as tf
import web_pages

from keras_gans import image, latent
from keras_gans.export import checking, onnx, saved_model
from keras_gans.export.graph.endpoints import Limits, endpoints
from keras_gans.export.tflite import tflite


@pytest.fixture(scope="module")
def generator():
    return web_pages.styled()


def test_generate_takes_psi(generator):
    found = endpoints(generator, Limits(4, 2**20, 2**20))
    given = {
        "seed": tf.constant(3, tf.int64),
        "num_images": tf.constant(2),
        "truncation": tf.constant(0.0, tf.float64),
        "labels": tf.constant([1]),
    }
    generate = found["generate"].function.get_concrete_function()
    latents = latent.sample(2, 12, seed=3)
    for psi, expected in (([], [1.0, 1.0]), ([0.7], [0.7, 0.7]), ([0.0, 0.5], [0.0, 0.5])):
        inputs = [latents, np.array([1, 1]), np.array(expected, "float32")]
        made = generate(**given, psi=tf.constant(psi, tf.float32))["images"]
        np.testing.assert_array_equal(made, image.to_uint8(generator(inputs).numpy()))
    with pytest.raises(tf.errors.InvalidArgumentError, match="as many `psi`"):
        generate(**given, psi=tf.constant([0.1, 0.2, 0.3]))
    rows = found["generate_rows"].function.get_concrete_function()(
        seed=tf.constant([3], tf.int64),
        truncation=tf.zeros(1, tf.float64),
        labels=tf.constant([1]),
        psi=tf.constant([0.5]),
    )["images"]
    inputs = [latent.sample(1, 12, seed=3), np.array([1]), np.array([0.5], "float32")]
    np.testing.assert_array_equal(rows, image.to_uint8(generator(inputs).numpy()))


def test_noise_and_bias_stay_apart_in_a_phone_s_file(generator, tmp_path):
    """Added into one constant they would take as many numbers as a feature map."""
    path = tflite(generator, tmp_path / "g.tflite")
    runtime = checking._interpreter(path.read_bytes())
    runtime.allocate_tensors()
    steps = runtime._get_ops_details()
    assert not any(step["op_name"].startswith("Flex") for step in steps)
    computed = {place for step in steps for place in step["outputs"]}
    constants = [t for t in runtime.get_tensor_details() if t["index"] not in computed]
    shapes = {tuple(t["shape"].tolist()) for t in constants}
    maps = {s[-3:] for s in shapes if len(s) >= 3 and s[-3:-1] == (16, 16)}
    assert maps == {(16, 16, 1)}


@pytest.mark.by_hand
def test_other_formats_agree(generator, tmp_path):
    assert onnx(generator, tmp_path / "g.onnx").exists()  # compares itself
    assert saved_model(generator, tmp_path / "g").exists()
