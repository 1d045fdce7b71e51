"""Generators of texts: strings where a graph can have them, and else numbers and a vocabulary."""

import json

import chromium
import keras
import numpy as np
import pytest
import tensorflow as tf
from web_pages import enter, largest, pixels, set_value

from keras_gans import export, latent, networks
from keras_gans.export.serving.client import Client, ServingError
from keras_gans.export.serving.server import Server
from keras_gans.export.web import principal_directions
from keras_gans.interface import Interface

WORDS = ["a", "black", "face", "hair", "red", "with"]
EXAMPLES = ["red hair", "a face with black hair"]


@pytest.fixture(scope="module")
def generator():
    network = networks.text_dcgan_generator(
        (16, 16, 3), WORDS, 6, 4, embedding_dim=8, encoder_width=4, text_dim=6, width=4,
        examples=EXAMPLES,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    network.set_weights([w + rng.normal(0, 0.3, w.shape) ** 2 for w in network.get_weights()])
    return network


def made_by(generator, latents, texts):
    port = Interface.from_json(export.signatures.interface_of(generator).to_json()).texts[0]
    numbers = np.array([port.encode(text) for text in texts], "int32")
    return generator.predict([latents, numbers], verbose=0)


@pytest.fixture(scope="module")
def served(generator, tmp_path_factory):
    path = export.saved_model(generator, tmp_path_factory.mktemp("served") / "m")
    assert export.check(path, generator).largest < 1e-5
    return path, tf.saved_model.load(str(path)).signatures


def ask(served, number, texts):
    given = {"seed": tf.constant(7, "int64"), "num_images": tf.constant(number)}
    given |= {"truncation": tf.constant(0.0, "float64"), "text": tf.constant(texts, tf.string)}
    return served["generate"](**given)["images"].numpy()


def test_a_saved_model_takes_strings(served, generator):
    path, signatures = served
    assert signatures["serving_default"].structured_input_signature[1]["text"].dtype == "int32"
    latents = latent.sample(3, 4, 7)
    for texts, expected in (
        (["Red hair.", "black hair", "a face"],) * 2,
        (["a face"], ["a face"] * 3),
        ([], [EXAMPLES[0], EXAMPLES[1], EXAMPLES[0]]),
    ):
        wanted = np.round((made_by(generator, latents, expected) + 1) * 127.5)
        np.testing.assert_allclose(ask(signatures, 3, texts), wanted, atol=1)
    rows = signatures["generate_rows"](
        seed=tf.constant([7, 7], "int64"),
        truncation=tf.zeros(2, "float64"),
        text=tf.constant(["red hair", "black hair"]),
    )["images"]
    wanted = made_by(generator, latent.sample(1, 4, 7).repeat(2, 0), ["red hair", "black hair"])
    np.testing.assert_allclose(rows, np.round((wanted + 1) * 127.5), atol=1)
    said = Interface.from_json(export.metadata(path)["interface"])
    assert list(said.texts[0].vocabulary) == WORDS


@pytest.mark.parametrize(
    "texts, message",
    [(["purple hair"], "purple"), ([""], "too many words, or none"), (["a face"] * 2, "as many")],
)
def test_a_saved_model_refuses_texts(served, texts, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        ask(served[1], 3, texts)


@pytest.mark.parametrize("kind, name", [("tflite", "g.tflite"), ("onnx", "g.onnx")])
def test_files_take_numbers_and_say_the_vocabulary(kind, name, generator, tmp_path):
    if kind == "onnx":
        pytest.importorskip("onnxruntime")
    options = {"precision": "float32"} if kind == "tflite" else {}
    path = getattr(export, kind)(generator, tmp_path / name, **options)
    given = {"latents": np.ones((1, 4), "float32"), "text": ["a face with black hair"]}
    assert export.check(path, generator, inputs=given).largest < 1e-4
    (port,) = Interface.from_json(export.metadata(path)["interface"]).texts
    assert (list(port.vocabulary), port.max_length) == (WORDS, 6)


def test_a_page_is_told_the_vocabulary(generator, tmp_path, packages):
    folder = export.web(generator, tmp_path / "page", packages=packages, directions=2)
    said = json.loads((folder / "model.json").read_text())
    assert said["choices"] == [
        {"name": "text", "words": WORDS, "max_length": 6, "examples": EXAMPLES}
    ]
    kernel = generator.get_layer("image_generator").layers
    dense = [x for x in kernel if isinstance(x, keras.layers.Dense) and x.kernel.shape[0] == 10]
    _, vectors = np.linalg.eigh(dense[0].kernel[:4] @ keras.ops.transpose(dense[0].kernel[:4]))
    found = principal_directions(generator, 2)
    np.testing.assert_allclose(np.abs(found @ vectors[:, ::-1][:, :2]), np.eye(2), atol=1e-3)


@pytest.mark.slow  # starts a browser
def test_a_page_makes_images_of_a_text_and_names_unknown_words(page, generator, tmp_path):
    export.web(generator, tmp_path / "page", precision="float32")
    with chromium.served(tmp_path) as address:
        page.open(f"{address}/page/")
        page.until("document.getElementById('status').textContent.endsWith(' ms')")
        for text in ("black hair", "A face with RED hair!"):
            set_value(page, "document", "label", text)
            wanted = made_by(generator, latent.sample(1, 4, 0), [text])[0]
            assert largest(pixels(page, "document.getElementById('image')"), wanted) <= 2
        enter(page, "document", "label", "purple hair")
        page.until("document.getElementById('status').textContent.includes('purple')")
    page.complaints()


def test_a_client_sends_strings(served):
    with Server(served[0].parent, port=None, rest_port=0) as server:
        client = Client("m", server.rest_address)
        found = client.generate(2, seed=7, text=["red hair", "Black hair"])
        np.testing.assert_array_equal(found, ask(served[1], 2, ["red hair", "black hair"]))
        assert np.shape(client.generate(3, seed=7)) == (3, 16, 16, 3)
        with pytest.raises(ServingError, match="purple"):
            client.generate(1, seed=7, text=["purple hair"])
