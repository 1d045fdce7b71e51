import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract
from keras_gans import losses, networks
from keras_gans.models.text_to_image_gan import neighbours

SHAPE, WORDS = (16, 16, 1), ("a", "face", "with", "red", "black", "hair", "no")


def make(words=WORDS, embedding_dim=6, networks_=(), **kwargs):
    generator, discriminator = networks_ or (
        networks.text_dcgan_generator(
            SHAPE, words, 4, 5, embedding_dim, encoder_width=4, text_dim=3, width=4,
            examples=["red hair", "a face"],
        ),
        networks.text_dcgan_discriminator(
            SHAPE, embedding_dim, text_dim=3, width=4, batch_normalization=False
        ),
    )  # fmt: skip
    options = {"loss": "hinge", "penalties": {"r1_penalty": 0.5}, "embedding_weight": 0.7}
    return keras_gans.TextToImageGAN(generator, discriminator, **{**options, "seed": 0, **kwargs})


def plain():
    """Networks without batch normalisation, whose statistics are each replica's own."""
    encoder = networks.text_encoder(WORDS, 4, 6, 4, examples=["red hair", "a face"])
    latents, text = keras.Input((5,), name="latents"), keras.Input((6,), name="embedding")
    x = keras.layers.Concatenate()([latents, text])
    x = keras.layers.Reshape(SHAPE)(keras.layers.Dense(256, "tanh")(x))
    generator = keras.Model([latents, text], x, name="image_generator")
    tokens = keras.Input((4,), dtype="int32", name="text")
    whole = keras.Model([latents, tokens], generator([latents, encoder(tokens)]))
    port = keras_gans.interface.of(encoder).inputs[0]
    stated = keras_gans.interface.Interface(
        [keras_gans.interface.Latents(5), port], [keras_gans.interface.Image(*SHAPE)]
    )
    discriminator = networks.text_dcgan_discriminator(
        SHAPE, 6, text_dim=3, width=4, batch_normalization=False
    )
    discriminator.set_weights([4 * w for w in discriminator.get_weights()])  # to move visibly
    return keras_gans.interface.state(whole, stated), discriminator


class TestTextToImageGAN(GANContract):
    def make(self, **kwargs):
        return make(networks_=plain(), generator_embedding_weight=0.3, **kwargs)

    def batches(self, number=3, size=8):
        random = np.random.default_rng(0)
        images = random.uniform(-1, 1, (number, size, *SHAPE)).astype("float32")
        return images, random.integers(0, len(WORDS) + 1, (number, size, 4), dtype="int32")


@pytest.fixture(scope="module")
def gan():
    found = make(loss="non_saturating", penalties=None, seed=3)
    found.compile()
    return found


@pytest.fixture(scope="module")
def batch():
    random = np.random.default_rng(1)
    real, fake = random.uniform(-1, 1, (2, 5, *SHAPE)).astype("float32")
    return real, fake, random.normal(size=(5, 6)).astype("float32")


def softplus(x):
    return np.logaddexp(0, np.asarray(x, "float64"))[:, 0]


OTHERS = [1, 0, 3, 2, 0]  # pairs change places, and the last one of an odd number gets the first


def test_the_losses_of_the_discriminator_have_the_weights_of_the_paper(gan, batch):
    real, fake, text = batch
    found = gan.text_losses(*map(tf.constant, batch))

    def logits(images, texts):
        return gan.discriminator([tf.constant(images), tf.constant(texts)])[0].numpy()

    right, wrong, made = logits(real, text), logits(real, text[OTHERS]), logits(fake, text)
    expected = softplus(-right) + 0.5 * softplus(wrong) + 0.5 * softplus(made)
    np.testing.assert_allclose(found["discriminator_loss"], expected, rtol=1e-5)

    images = gan.discriminator([tf.constant(real), tf.constant(text)])[1].numpy()
    for one in range(5):
        own, hinges = images[one] @ text[one], []
        for other in set(range(5)) - {one}:
            hinges.append(max(0, 1 + images[one] @ text[other] - own))
            hinges.append(max(0, 1 + images[other] @ text[one] - own))
        np.testing.assert_allclose(found["embedding_loss"][one], 0.7 * sum(hinges) / 4, rtol=1e-4)


def test_the_generator_makes_images_of_the_means_of_two_texts(gan, batch, monkeypatch):
    real, _, text = batch
    latents = np.random.default_rng(2).normal(size=(2, 5)).astype("float32")
    monkeypatch.setattr(type(gan), "latents", lambda self, like: tf.constant(latents))
    between = tf.stack([(text[0] + text[1]) / 2, (text[2] + text[3]) / 2])
    images = gan.generator.get_layer("image_generator")(
        [tf.constant(latents), between], training=True
    )
    logits = gan.discriminator([images, between])[0]
    found = gan.interpolation_loss(tf.constant(real), tf.constant(text))
    np.testing.assert_allclose(found, softplus(-logits), rtol=1e-4)


@pytest.mark.parametrize("loss", ["non_saturating", "relativistic_pairing"])
def test_each_part_can_be_left_out(loss):
    gan = make(
        loss=loss, penalties=None, matching_aware=False, interpolate=False, embedding_weight=0
    )
    gan.compile(run_eagerly=True)
    assert gan.tracked == ("discriminator_loss", "generator_loss")
    real = tf.zeros((4, *SHAPE))
    text = gan.text_encoder(gan.tokens(["red hair", "no hair", "a face", "hair"]))
    fake = real + 0.5
    found = gan.text_losses(real, fake, text)
    expected = losses.get(loss).discriminator(
        *(gan.discriminator([x, text])[0] for x in (real, fake))
    )
    assert list(found) == ["discriminator_loss"]
    np.testing.assert_allclose(found["discriminator_loss"], expected, rtol=1e-5)
    logs = gan.train_on_batch(real.numpy(), gan.tokens(["red hair"] * 4), return_dict=True)
    assert sorted(logs) == sorted(gan.tracked)


def test_a_projection_adds_the_inner_product_of_image_and_text(batch):
    real, _, text = map(tf.constant, batch)
    network = networks.text_dcgan_discriminator(SHAPE, 6, text_dim=3, width=4, projection=True)
    matching, seen = network.get_layer("matching"), network.get_layer("features")(real)
    flat = keras.ops.reshape(seen, (5, -1))
    (phi,) = (
        layer
        for layer in matching.layers
        if isinstance(layer, keras.layers.Dense) and layer.kernel.shape == (flat.shape[1], 6)
    )
    logits = matching([seen, text])[:, 0]
    product = keras.ops.sum((flat @ phi.kernel) * text, axis=1)
    phi.kernel.assign(phi.kernel * 0.0)
    np.testing.assert_allclose(logits, matching([seen, text])[:, 0] + product, atol=1e-4)
    assert np.abs(product).min() > 1e-3


def test_the_generator_goes_by_an_embedding_that_there_is():
    with pytest.raises(ValueError, match="`embedding_weight` above 0"):
        make(embedding_weight=0, generator_embedding_weight=1.0)


def test_neighbours_do_not_depend_on_how_a_batch_is_split():
    whole = neighbours(tf.range(8)).numpy()
    parts = np.concatenate([neighbours(tf.range(4)), neighbours(tf.range(4, 8))])
    assert whole.tolist() == parts.tolist() == [1, 0, 3, 2, 5, 4, 7, 6]
    assert neighbours(tf.range(5)).numpy().tolist() == OTHERS


def test_the_text_encoder_learns_with_the_discriminator(gan):
    encoder = {id(v) for v in gan.text_encoder.trainable_variables}
    assert encoder and encoder <= {id(v) for v in gan.variables_of("discriminator")}
    assert not encoder & {id(v) for v in gan.variables_of("generator")}
    sides = [len(gan.variables_of(side)) for side in gan.sides]
    roles = (gan.generator, gan.discriminator)
    assert sum(sides) == sum(len(n.trainable_variables) for n in roles)


def test_strings_are_trained_on_as_the_numbers_of_their_words():
    texts = ["red hair", "a face with hair", "Black hair!", "no-hair"]
    images = np.random.default_rng(0).uniform(-1, 1, (4, *SHAPE)).astype("float32")
    weights = []
    for given in (texts, make().tokens(texts)):
        gan = make(seed=4)
        gan.generator.set_weights([np.full(w.shape, 0.1) for w in gan.generator.weights])
        gan.discriminator.set_weights([np.full(w.shape, 0.1) for w in gan.discriminator.weights])
        gan.compile(run_eagerly=True)
        gan.fit(tf.data.Dataset.from_tensors((images, given)), verbose=0)
        weights.append([w.numpy() for w in gan.weights])
    for one, other in zip(*weights):
        np.testing.assert_array_equal(one, other)


def test_texts_are_given_or_examples_are_taken(gan):
    assert gan.text.vocabulary == WORDS
    two = gan.generate(text=["red hair", "black hair"], seed=0)
    assert two.shape == (2, *SHAPE) and np.abs(two[0] - two[1]).max() > 0
    np.testing.assert_allclose(gan.generate(1, text="Red hair.", seed=0)[0], two[0], atol=1e-6)
    np.testing.assert_array_equal(
        gan.generate(3, seed=0), gan.generate(text=["red hair", "a face", "red hair"], seed=0)
    )
    numbers = gan.tokens(["red hair", "black hair"])
    assert numbers.tolist() == [[4, 6, 0, 0], [5, 6, 0, 0]]
    np.testing.assert_array_equal(gan.generate(text=numbers, seed=0), two)
    images = gan.generate(latents=np.zeros((2, 5)), text="a face")
    np.testing.assert_allclose(images[0], images[1], atol=1e-6)


@pytest.mark.parametrize(
    "text, message",
    [
        ("red hiar", "'hiar'. Did you mean 'hair'"),
        ("", "without words says nothing"),
        (" ,;", "without words says nothing"),
        ("a face with red hair", "too long. Expected at most 4 words. Received: 5 words"),
        ("une femme aux cheveux rouges", "'une'.*in another language.*7 words"),
        (["red hair"] * 3, "one text for all images, or 2"),
        (7, "A text is a string"),
        (np.full((2, 4), 8), "no words of these numbers. Expected 0 to 7"),
        (np.zeros((2, 3), int), "does not fit the generator"),
    ],
)
def test_texts_that_cannot_be_used(gan, text, message):
    with pytest.raises(ValueError, match=message):
        gan.generate(2, text=text)


@pytest.mark.parametrize(
    "batch, message",
    [
        ((np.zeros((2, *SHAPE)), np.array(["red hair", "redd hair"])), "'redd'. Did you mean"),
        ((np.zeros((2, *SHAPE)), np.zeros((2, 5), int)), "one text for each image"),
        ((np.zeros((2, *SHAPE)), np.zeros((2, 4))), "one text for each image"),
        ((np.zeros((2, *SHAPE)), np.full((2, 4), 9)), "no words of these numbers"),
        ((np.zeros((1, *SHAPE)), np.ones((1, 4), int)), "of 2 or more. Received: 1"),
        ((np.zeros((2, *SHAPE)),), "trains on pairs"),
    ],
)
def test_batches_that_cannot_be_used(gan, batch, message):
    with pytest.raises(ValueError, match=message):
        gan.check_data(batch)


@pytest.mark.parametrize(
    "networks_, message",
    [
        (
            lambda: (networks.dcgan_generator(SHAPE, 5, 4), plain()[1]),
            "generator lacks a part.*text_dcgan_generator",
        ),
        (
            lambda: (plain()[0], networks.dcgan_discriminator(SHAPE, 4)),
            "discriminator lacks a part.*'features'",
        ),
        (
            lambda: (plain()[0], networks.text_dcgan_discriminator(SHAPE, 7, width=4)),
            "one `embedding_dim`.*generator of 6, a discriminator of 7",
        ),
        (
            lambda: (plain()[0], networks.text_dcgan_discriminator((32, 32, 1), 6, width=4)),
            "do not fit",
        ),
    ],
)
def test_networks_that_do_not_fit(networks_, message):
    with pytest.raises(ValueError, match=message):
        make(networks_=networks_())


def test_an_augmentation_adapts_to_real_images_with_their_texts():
    quick = {"policy": "b", "probability": 0.5, "target": 0.0, "every": 1, "kimg": 0.032}
    discriminator = networks.text_dcgan_discriminator(SHAPE, 6, text_dim=3, width=4, augment=quick)
    gan = make(networks_=(make().generator, discriminator))
    gan.compile(run_eagerly=True)
    images = np.zeros((8, *SHAPE), "float32")
    logs = gan.train_on_batch(images, np.array(["red hair"] * 8), return_dict=True)
    # Equal images have one sign: 8 of them are a quarter of the 32 in which it goes from 0 to 1.
    assert abs(logs["augment_probability"] - 0.5) == pytest.approx(0.25)
