"""Networks that no line of the exports knows of: all that happens follows from their interface."""

import io
import json

import chromium
import keras
import numpy as np
import pytest
import tensorflow as tf
import web_pages
from keras import layers
from PIL import Image

from keras_gans import export, generation, image, interface, latent
from keras_gans.interface import Image as Images
from keras_gans.interface import Interface, Label, Latents, Style, Text


def with_weights(network, seed=0):
    """Of a size as trained ones have, so that no two images are alike."""
    rng = np.random.default_rng(seed)
    network.set_weights([rng.normal(0, 0.7, w.shape) for w in network.get_weights()])
    return network


def images(x, height, width, channels, name):
    x = layers.Dense(height * width * channels, activation="tanh")(x)
    return layers.Reshape((height, width, channels), name=name)(x)


def pair():
    """Latents to two images of unlike sizes, as of a coupled GAN."""
    latents = keras.Input((5,))
    x = layers.Dense(6, activation="relu")(latents)
    outputs = [images(x, 4, 6, 3, "first"), images(x, 8, 4, 1, "second")]
    return with_weights(keras.Model(latents, outputs, name="pair"))


def double():
    """An image to one of twice its size."""
    taken = keras.Input((6, 8, 3))
    x = layers.Conv2DTranspose(3, 4, 2, "same", activation="tanh")(taken)
    return with_weights(keras.Model(taken, x, name="double"))


def two_labels():
    """A shape and a colour beside latents, from 2 and from 3 classes, of which one has names."""
    latents = keras.Input((5,))
    shape, color = (keras.Input((), dtype="int32", name=name) for name in ("shape", "color"))
    x = layers.Concatenate()(
        [latents, layers.Embedding(2, 3)(shape), layers.Embedding(3, 4)(color)]
    )
    network = with_weights(keras.Model([latents, shape, color], images(x, 6, 6, 3, "made")))
    found = interface.of(network)
    return interface.state(network, found.with_input(Label(3, ("red", "green", "blue"), "color")))


NETWORKS = {"pair": pair(), "double": double(), "two_labels": two_labels()}
OUTPUTS = {"pair": ["first", "second"], "double": ["images"], "two_labels": ["images"]}
EACH = pytest.mark.parametrize("name", NETWORKS)


def made(name, *inputs):
    """What Keras computes, as uint8 images by name."""
    found = NETWORKS[name](list(inputs) if len(inputs) > 1 else inputs[0], training=False)
    return dict(zip(OUTPUTS[name], map(image.to_uint8, keras.tree.flatten(found))))


def opened(file):
    with Image.open(io.BytesIO(file)) as picture:
        return np.asarray(picture.convert("RGB"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for name, network in NETWORKS.items():
        path = export.saved_model(network, folder / name)
        assert export.check(path, network).largest < 1e-5
    with export.serving.Server(folder, None, rest_port=0) as server:
        yield server


def ask(server, name):
    return export.serving.Client(name, server.rest_address)


def near(a, b):
    """But for rounding the other way where a float is a half."""
    np.testing.assert_allclose(np.asarray(a, "int32"), np.asarray(b, "int32"), atol=1)


# ---- SavedModel, served


def test_a_pair_is_served_by_name(server):
    client = ask(server, "pair")
    expected = made("pair", latent.sample(3, 5, seed=7))
    served = client.generate(3, seed=7)
    files = client.generate_png(3, seed=7)
    assert sorted(files) == ["first_png_bytes", "second_png_bytes"]
    for output in OUTPUTS["pair"]:
        near(served[output], expected[output])
        for file, pixels in zip(files[f"{output}_png_bytes"], expected[output], strict=True):
            near(opened(file), np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    rows = client.predict_rows([{"seed": 7, "truncation": 0.0}], "generate_rows")
    near(rows[0]["second"], expected["second"][0])


def test_labels_each_have_their_classes(server):
    client, z = ask(server, "two_labels"), latent.sample(4, 5, seed=3)
    assert {"shape", "color"} < set(client.inputs("generate"))
    # Left out, they are drawn from the seed, as `generate` of a GAN draws them.
    drawn = generation.classes_left_out(interface.of(NETWORKS["two_labels"]), 4, seed=3)
    expected = made("two_labels", z, *drawn.values())["images"]
    near(client.generate(4, seed=3), expected)
    some = made("two_labels", z, drawn["shape"], np.full(4, 1))["images"]
    near(client.generate(4, seed=3, color=[1]), some)
    chosen = made("two_labels", z, np.array([1, 0, 1, 0]), np.full(4, 2))["images"]
    near(client.generate(4, seed=3, shape=[1, 0, 1, 0], color=[2]), chosen)
    assert np.abs(chosen.astype(int) - expected).max() > 20
    row = {"seed": 3, "truncation": 0.0, "shape": 1, "color": 2}
    near(client.predict_rows([row], "generate_rows")[0], chosen[0])
    with pytest.raises(export.serving.ServingError, match="Expected 0 to 1"):
        client.generate(4, seed=3, shape=[2])
    client.generate(4, seed=3, color=[2])
    with pytest.raises(export.serving.ServingError, match="Expected 0 to 2"):
        client.generate(4, seed=3, color=[3])
    with pytest.raises(export.serving.ServingError, match="as many `color`"):
        client.generate(4, seed=3, color=[0, 1])


def test_an_image_comes_back_at_twice_its_size(server):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype="uint8")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    expected = made("double", image.from_uint8(pixels)[None])["images"][0]
    (translated,) = ask(server, "double").translate([file.getvalue()])
    near(opened(translated), expected)
    # One of another size is read at the generator's, and comes back at twice its own.
    file = io.BytesIO()
    Image.new("RGB", (20, 11)).save(file, "PNG")
    (translated,) = ask(server, "double").translate([file.getvalue()])
    assert opened(translated).shape == (22, 40, 3)


def test_an_upscaler_of_open_size_takes_each_image_at_its_own(tmp_path):
    taken = keras.Input((None, None, 1))
    x = layers.Conv2DTranspose(1, 4, 2, "same", activation="tanh")(taken)
    network = with_weights(keras.Model(taken, x))
    limits = {"max_pixels": 100, "max_total_pixels": 400}
    path = export.saved_model(network, tmp_path / "m", tile_size=6, **limits)
    run = tf.saved_model.load(str(path)).signatures["translate"]
    files, expected = [], []
    for shape in ((5, 7), (8, 4)):
        pixels = np.random.default_rng(0).integers(0, 256, (*shape, 1), dtype="uint8")
        files.append(tf.io.encode_png(pixels).numpy())
        expected.append(image.to_uint8(network(image.from_uint8(pixels)[None]))[0])
    for file, pixels in zip(run(image_bytes=tf.constant(files))["png_bytes"].numpy(), expected):
        near(opened(file), np.broadcast_to(pixels, (*pixels.shape[:2], 3)))
    # The limit is on what comes out: 4 x 67 pixels pass, 4 x 102 do not.
    with pytest.raises(tf.errors.InvalidArgumentError, match="400 pixels of all images"):
        run(image_bytes=tf.constant([*files, files[0]]))


# ---- files


@EACH
def test_tflite_and_its_metadata(name, tmp_path):
    path = export.tflite(NETWORKS[name], tmp_path / "g.tflite", precision="float32")
    assert export.check(path, NETWORKS[name], num_examples=3).largest < 1e-4
    said = Interface.from_json(export.metadata(path)["interface"])
    assert said == export.signatures.interface_of(NETWORKS[name])
    assert [port.name for port in said.outputs] == OUTPUTS[name]


@EACH
def test_onnx(name, tmp_path):
    pytest.importorskip("tf2onnx")
    path = export.onnx(NETWORKS[name], tmp_path / "g.onnx")
    assert export.check(path, NETWORKS[name], num_examples=3).largest < 1e-4


def test_a_check_notices_a_difference_in_any_output(tmp_path):
    path = export.tflite(NETWORKS["pair"], tmp_path / "g.tflite", precision="float32")
    other = pair()
    dense = [layer for layer in other.layers if isinstance(layer, layers.Dense)][-1]
    dense.bias.assign_add(0.5 * np.ones(dense.bias.shape))
    with pytest.raises(ValueError, match="other images than Keras"):
        export.check(path, other)


# ---- pages


def page_of(name, tmp_path, packages):
    folder = export.web(NETWORKS[name], tmp_path / name, packages=packages)
    return json.loads((folder / "model.json").read_text())


@EACH
def test_what_the_page_gets(name, tmp_path, packages):
    about = page_of(name, tmp_path, packages)
    shapes = {
        "pair": [("first", [4, 6, 3]), ("second", [8, 4, 1])],
        "double": [("images", [12, 16, 3])],
        "two_labels": [("images", [6, 6, 3])],
    }
    choices = [
        {"name": "shape", "classes": ["0", "1"]},
        {"name": "color", "classes": ["red", "green", "blue"]},
    ]
    assert [(output["name"], output["shape"]) for output in about["outputs"]] == shapes[name]
    assert about["choices"] == (choices if name == "two_labels" else [])
    assert about["input"] == ("images" if name == "double" else "latents")
    assert about["image_shape"][:2] == {"pair": [8, 10], "double": [12, 16]}.get(name, [6, 6])


@pytest.mark.slow  # starts a browser
def test_a_page_shows_a_pair_side_by_side_and_has_a_menu_for_each_label(page, tmp_path):
    for name in ("pair", "two_labels"):
        export.web(NETWORKS[name], tmp_path / name, runtime="../litert", precision="float32")

    def shown():
        return web_pages.pixels(page, "document.getElementById('image')")

    ready = "document.getElementById('status').textContent.endsWith(' ms')"
    with chromium.served(tmp_path) as address:
        page.open(f"{address}/pair/")
        page.until(ready)
        expected = made("pair", latent.sample(1, 5, seed=0))
        context = "document.getElementById('image').getContext('2d')"
        values = page.run(f"Array.from({context}.getImageData(0, 0, 10, 8).data)")
        canvas = np.array(values).reshape(8, 10, 4)
        near(canvas[:4, :6, :3], expected["first"][0])
        near(canvas[:, 6:, :3], np.broadcast_to(expected["second"][0], (8, 4, 3)))
        assert (canvas[4:, :6] == 0).all()  # below the one that is lower, nothing
        page.open(f"{address}/two_labels/")
        page.until(ready)
        assert page.run("[...document.querySelectorAll('#classes_1 option')].map(o => o.text)") == [
            "red",
            "green",
            "blue",
        ]
        texts = "[...document.querySelectorAll('[id^=classes] label')].map(l => l.textContent)"
        assert page.run(texts) == ["Shape", "Color"]
        web_pages.set_value(page, "document", "label", 1)
        web_pages.set_value(page, "document", "label_1", 2)
        expected = made("two_labels", latent.sample(1, 5, seed=0), np.array([1]), np.array([2]))
        near(shown(), expected["images"][0])
    assert page.complaints() == []


# ---- inputs of other kinds


def captioned():
    text, style = keras.Input((4,), dtype="int32"), keras.Input((2, 3))
    x = layers.Concatenate()(
        [layers.Flatten()(layers.Embedding(6, 2)(text)), layers.Flatten()(style)]
    )
    network = with_weights(keras.Model([text, style], images(x, 4, 4, 3, "made")))
    stated = Interface([Text(4, ["a", "b", "c", "d", "e"]), Style(2, 3)], [Images(4, 4, 3)])
    return interface.state(network, stated)


def test_texts_and_styles_are_exported_as_numbers(tmp_path, packages):
    network = captioned()
    path = export.saved_model(network, tmp_path / "m")
    assert list(tf.saved_model.load(str(path)).signatures) == ["serving_default"]
    assert export.check(path, network).largest < 1e-5
    with pytest.raises(ValueError, match=r"labels.*Received: inputs of \['Text', 'Style'\]"):
        export.web(network, tmp_path / "page", packages=packages)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shap": [0]}, "Did you mean 'shape'"),
        ({"shape": [2]}, "out of range.*Received: 2"),
        ({"color": ["bleu"]}, "no color of that name. Did you mean 'blue'"),
        ({"shape": [0, 1], "color": [0]}, "one length"),
        ({"latents": np.zeros((2, 4))}, r"shape \(None, 5\)"),
        ({}, "one length"),
    ],
    ids=str,
)
def test_inputs_by_name_that_do_not_fit(given, message):
    with pytest.raises(ValueError, match=message):
        export.signatures.named(NETWORKS["two_labels"], given)


def test_inputs_by_name():
    given = {"color": ["blue", 2], "latents": np.ones((2, 5))}
    arrays = export.signatures.named(NETWORKS["two_labels"], given)
    assert list(arrays) == ["latents", "shape", "color"]
    np.testing.assert_array_equal(arrays["shape"], [0, 1])
    np.testing.assert_array_equal(arrays["color"], [2, 2])
    assert arrays["latents"].dtype == "float32"


def test_a_saved_model_says_the_names_of_classes(tmp_path):
    path = export.saved_model(NETWORKS["two_labels"], tmp_path / "m", floats_only=True)
    for folder in (path, tmp_path / "m"):
        said = Interface.from_json(export.metadata(folder)["interface"])
        assert said == export.signatures.interface_of(NETWORKS["two_labels"])
        assert said.labels[1].names == ("red", "green", "blue")
    (path / "assets.extra/keras_gans.json").unlink()
    with pytest.raises(ValueError, match="Expected a .tflite or .onnx file, or the folder"):
        export.metadata(path)


def test_names_of_labels_that_served_generators_use_already(tmp_path):
    network = two_labels()
    found = interface.of(network)
    inputs = [found.inputs[0], Label(2, name="seed"), found.inputs[2]]
    interface.state(network, Interface(inputs, found.outputs))
    with pytest.raises(ValueError, match=r"floats_only=True.*Received: inputs named \['seed'\]"):
        export.saved_model(network, tmp_path / "m")
    export.saved_model(network, tmp_path / "m", floats_only=True)


def test_a_size_that_is_stated_closes_an_open_network(tmp_path):
    taken = keras.Input((None, None, 3))
    network = keras.Model(taken, layers.Conv2D(3, 3, padding="same", activation="tanh")(taken))
    interface.state(network, Interface([Images(8, 6, 3)], [Images(None, None, 3)]))
    path = export.tflite(network, tmp_path / "g.tflite", precision="float32")
    assert export.check(path, network, num_examples=2).largest < 1e-5
    said = Interface.from_json(export.metadata(path)["interface"])
    assert said.outputs[0].shape == (8, 6, 3)


def test_latents_of_a_stated_interface_are_latents_of_the_page(tmp_path, packages):
    network = two_labels()
    found = interface.of(network)
    codes = interface.Codes(categorical=(2, 2))
    interface.state(network, found.with_input(Latents(5, codes)))
    folder = export.web(network, tmp_path / "page", packages=packages)
    about = json.loads((folder / "model.json").read_text())
    places = {choice["name"]: choice.get("place") for choice in about["choices"]}
    assert places == {"shape": None, "color": None, "categorical_1": 1, "categorical_2": 3}
