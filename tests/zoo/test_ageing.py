"""A face at another age: the encoder's guess, what improves on it, and what is refused."""

import keras
import numpy as np
import pytest
from PIL import Image as PILImage
from small_gans import labelled, plain

import keras_gans
from keras_gans import image
from keras_gans.interface import Image, Interface, Label, Latents, state
from keras_gans.metrics import classifiers
from keras_gans.zoo.inference.age import METHODS, age, identity_features

SHAPE, NAMES = (16, 16, 1), ("young", "adult", "old")


@pytest.fixture(scope="module")
def gan():
    """An image is a linear map of the latent, and the age is added to it: an exact encoder."""
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.normal(size=(256, 4)))[0].T.astype("float32")
    latents, ages = keras.Input((4,), name="latents"), keras.Input((), dtype="int32", name="age")
    shift = keras.layers.Embedding(3, 256, name="shift")
    pixels = keras.layers.Dense(256, use_bias=False, name="pixels")
    made = keras.layers.Add()([pixels(latents), shift(ages)])
    generator = keras.Model([latents, ages], keras.layers.Reshape(SHAPE)(made))
    pixels.set_weights([basis])
    levels = np.array([-0.2, 0.0, 0.3], "float32")[:, None]
    direction = random.normal(size=256)
    direction -= basis.T @ (basis @ direction)
    shift.set_weights([(levels * direction).astype("float32")])
    state(
        generator,
        Interface([Latents(4), Label(3, NAMES, name="age")], [Image(*SHAPE)]),
    )
    inputs = keras.Input(SHAPE, name="images")
    found = keras.layers.Dense(4, use_bias=False, name="found")
    encoder = keras.Model(inputs, found(keras.layers.Flatten()(inputs)))
    found.set_weights([0.5 * basis.T])  # half of the way
    return keras_gans.AgeCGAN(
        generator,
        keras_gans.networks.conditional_mlp_discriminator(SHAPE, {"age": 3}, width=4),
        encoder,
    )


@pytest.fixture(scope="module")
def face(gan):
    return gan.generate(latents=[[0.6, -0.4, 0.3, 0.5]], age="adult")[0]


def test_the_age_is_found_and_the_face_made_at_all_ages(gan, face):
    found = age(gan, face, method="initial")
    assert found.age == "adult" and list(found.images) == list(NAMES)
    np.testing.assert_allclose(found.latent, gan.encode(face[None]))
    np.testing.assert_array_equal(found.images["adult"], found.result)
    np.testing.assert_array_equal(found.start, found.result)
    old = gan.generate(latents=found.latent, age="old")[0]
    np.testing.assert_array_equal(found.images["old"], old)


@pytest.mark.parametrize("method", METHODS[1:])
def test_steps_bring_the_face_nearer_to_the_truth(gan, face, method):
    """The true face at another age is known: the same latent."""
    truth = gan.generate(latents=[[0.6, -0.4, 0.3, 0.5]], age="old")[0]
    first = age(gan, face, to="old", age="adult", method="initial")
    inputs = keras.Input(SHAPE)
    identity = keras.Model(inputs, keras.layers.Flatten()(inputs), name="pixels_too")
    options = {"steps": 120, "identity": identity, "verbose": 0}
    found = age(gan, face, to=["old"], age=1, method=method, **options)
    assert list(found.images) == ["old"]
    errors = [np.abs(one.images["old"] - truth).mean() for one in (first, found)]
    assert errors[1] < 0.2 * errors[0]


def test_the_classifier_of_the_faces_tells_people_apart_and_not_their_ages():
    """Of any preset of avatars, and of no other."""
    network, recipe, _ = classifiers.load("avatars_cnn_v1")
    identity = identity_features("dcgan_avatars_64", None, "age")
    faces = np.random.default_rng(0).uniform(-1, 1, (2, 64, 64, 3)).astype("float32")
    shares = np.exp(identity.predict(faces, verbose=0)) - 0.01
    values = {name: network.get_layer(name).units for name in recipe["attributes"]}
    assert shares.shape == (2, sum(values.values()) - values["age"])
    np.testing.assert_allclose(shares.sum(axis=-1), len(values) - 1, rtol=1e-4)
    assert identity_features("dcgan_digits_28", None, "age") is None


def test_the_picture_shows_the_face_what_was_found_and_the_ages(gan, face, tmp_path):
    path = tmp_path / "face.png"
    image.save(face, path)
    found = age(gan, path, method="initial", to=["old", "young"])
    saved = found.save(tmp_path / "aged.png")
    with PILImage.open(saved) as picture:
        assert picture.width > 3 * picture.height


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"to": "ancient"}, "no age of that name.*Received: age='ancient'"),
        ({"age": 3}, "out of range"),
        ({"method": "pixel"}, "no such method.*Did you mean 'pixels'"),
    ],
)
def test_what_does_not_fit_is_refused(gan, face, arguments, message):
    with pytest.raises(ValueError, match=message):
        age(gan, face, **arguments)


@pytest.mark.parametrize("make", [plain, labelled])
def test_a_gan_without_an_encoder_is_refused(make):
    other = make()
    with pytest.raises(ValueError, match="Expected an AgeCGAN.*Received: a "):
        age(other, other.generate(1, seed=0)[0])
