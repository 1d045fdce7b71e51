import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans
from contract import GANContract

networks = keras_gans.networks
SHAPE, AGES = (16, 16, 1), {"age": 3}


def make(latent_dim=5, encoder=None, **kwargs):
    options = {"loss": "hinge", "penalties": {"r1_penalty": 0.5}, "seed": 0}
    return keras_gans.AgeCGAN(
        networks.conditional_mlp_generator(SHAPE, AGES, latent_dim=latent_dim, width=12),
        networks.conditional_mlp_discriminator(SHAPE, AGES, width=12),
        encoder or networks.dcgan_encoder(SHAPE, latent_dim, width=4, batch_normalization=False),
        **{**options, **kwargs},
    )


class TestAgeCGAN(GANContract):
    def make(self, **kwargs):
        return make(**kwargs)

    def batches(self, number=3, size=8):
        random = np.random.default_rng(0)
        images = random.uniform(-1, 1, (number, size, *SHAPE)).astype("float32")
        return images, {"age": random.integers(3, size=(number, size), dtype="int32")}

    def batch(self):
        images, labels = self.batches(1)
        return images[0], {"age": labels["age"][0]}


def test_the_encoder_learns_the_latents_of_a_fixed_generator():
    """Of a linear generator, whose inverse exists: the error goes from 1 towards 0."""
    latents, ages = keras.Input((5,), name="latents"), keras.Input((), dtype="int32", name="age")
    shift = keras.layers.Reshape(SHAPE)(keras.layers.Embedding(3, 256)(ages))
    pixels = keras.layers.Dense(256, kernel_initializer=keras.initializers.RandomNormal(0, 0.1))
    images = keras.layers.Reshape(SHAPE)(pixels(latents))
    generator = keras.Model([latents, ages], keras.layers.Add()([images, shift]))
    keras_gans.interface.state(
        generator,
        keras_gans.interface.Interface(
            [keras_gans.interface.Latents(5), keras_gans.interface.Label(3, name="age")],
            [keras_gans.interface.Image(*SHAPE)],
        ),
    )
    inputs = keras.Input(SHAPE, name="images")
    encoder = keras.Model(inputs, keras.layers.Dense(5)(keras.layers.Flatten()(inputs)))
    gan = keras_gans.AgeCGAN(
        generator, networks.conditional_mlp_discriminator(SHAPE, AGES, width=4), encoder, seed=0
    )
    still = [keras.optimizers.SGD(0.0) for _ in range(2)]
    gan.compile(*still, encoder_optimizer=keras.optimizers.Adam(0.01))
    data = tf.data.Dataset.from_tensors(
        (np.zeros((32, *SHAPE), "float32"), {"age": np.arange(32) % 3})
    )
    errors = gan.fit(data.repeat(150), verbose=0).history["encoder_loss"]
    drawn = gan.draw_latents(6, tf.constant([1, 2]))
    made = gan.generate(latents=drawn, age=1)
    assert errors[-1] < 1.0 and np.mean((gan.encode(made) - drawn) ** 2) < 0.01


def test_encoded_images_are_generated_again_with_another_age():
    gan = make(ema_decay=0.9)
    found = gan.encode(gan.generate(3, age=0, seed=1))
    assert found.shape == (3, 5) and found.dtype == "float32"
    assert gan.generate(latents=found, age=[0, 1, 2]).shape == (3, *SHAPE)
    assert gan.interface("encoder").outputs[0] == keras_gans.interface.Latents(5)
    with pytest.raises(
        ValueError, match=r"do not fit the generator.*Received: shape \(3, 8, 8, 1\)"
    ):
        gan.encode(np.zeros((3, 8, 8, 1)))


def test_a_recipe_says_what_its_encoder_takes_and_makes():
    from keras_gans.zoo.catalog import interfaces

    shape = {"image_shape": [32, 32, 3], "latent_dim": 5}
    networks_ = {"generator": {"num_classes": AGES, **shape}, "encoder": shape}
    found = interfaces.of_recipe({"networks": networks_, "model": {"type": "AgeCGAN"}})
    built = networks.dcgan_encoder((32, 32, 3), 5, width=4)
    assert found["encoder"] == keras_gans.interface.of(built)


@pytest.mark.parametrize(
    "encoder, message",
    [
        (networks.dcgan_encoder(SHAPE, 6, width=4), r"latents \(batch, 5\).*None, 6"),
        (networks.dcgan_encoder((32, 32, 1), 5, width=4), "fit"),
        (networks.mlp_generator((5,), latent_dim=5), "images"),
    ],
)
def test_encoders_that_do_not_fit(encoder, message):
    with pytest.raises(ValueError, match=message):
        make(encoder=encoder)
