"""What is timed: the models, of which size, and our own step of each.

`pix2pix_128` and `cyclegan_64` have the networks and batches of presets. Those of 28 pixels are as
wide as presets, and downsample an image twice; `gan_28` has
dense networks of the library's default size, those of 256 pixels are the papers'. All are in
float32, with each class's own optimizers and losses. Penalties that a recipe adds are left out, and
so is the moving average of weights, which only ours offers.
"""

import keras
import numpy as np
import tensorflow as tf

import keras_gans
from keras_gans import networks

SMALL = {"side": 28, "channels": 1, "latent_dim": 64}  # images of Fashion-MNIST
CLASSES = {"num_classes": 10, "label_channels": [16, 1]}  # channels in the generator, and in D
PATCHES_34 = {"receptive_field": 34, "discriminator_width": 32}
PATCHES_70 = {"receptive_field": 70, "discriminator_width": 64}
CASES = {
    "gan_28": {"method": "gan", **SMALL, "batch_size": 64, "width": 128},
    "dcgan_28": {"method": "dcgan", **SMALL, "batch_size": 64, "width": 32, "batch_norm": True},
    # Five critic steps on 32 images each.
    "wgan_28": {"method": "wgan", **SMALL, "batch_size": 160, "width": 32, "batch_norm": True},
    "wgan_gp_28": {"method": "wgan_gp", **SMALL, "batch_size": 160, "width": 32},
    "conditional_gan_28": {
        "method": "conditional_gan",
        **SMALL,
        **CLASSES,
        "batch_size": 64,
        "width": 32,
    },
    "acgan_28": {
        "method": "acgan",
        **SMALL,
        **CLASSES,
        "batch_size": 64,
        "width": 32,
        "discriminator_width": 48,
    },
    "pix2pix_128": {
        "method": "pix2pix",
        "side": 128,
        "batch_size": 4,
        "width": 32,
        "depth": 5,
        "dropout": 0.0,
        "normalization": "instance",
        **PATCHES_34,
    },
    "cyclegan_64": {
        "method": "cyclegan",
        "side": 64,
        "batch_size": 2,
        "width": 16,
        "blocks": 4,
        **PATCHES_34,
    },
    "pix2pix_256": {
        "method": "pix2pix",
        "side": 256,
        "batch_size": 1,
        "width": 64,
        "depth": 8,
        "dropout": 0.5,
        "normalization": "batch",
        **PATCHES_70,
    },
    "cyclegan_256": {
        "method": "cyclegan",
        "side": 256,
        "batch_size": 1,
        "width": 64,
        "blocks": 9,
        **PATCHES_70,
    },
}
CRITIC_STEPS = 5
CLASS_OF = {
    "gan": "GAN",
    "dcgan": "DCGAN",
    "wgan": "WGAN",
    "wgan_gp": "WGANGP",
    "conditional_gan": "ConditionalGAN",
    "acgan": "ACGAN",
    "pix2pix": "Pix2Pix",
    "cyclegan": "CycleGAN",
}


def shape(case):
    """Of one image."""
    return case["side"], case["side"], case.get("channels", 3)


def build(case):
    """The networks, in the order in which our class takes them; of one seed."""
    keras.utils.set_random_seed(0)
    return BUILDERS[case["method"]](case)


def gan(case):
    return (
        networks.mlp_generator(shape(case), case["latent_dim"], case["width"]),
        networks.mlp_discriminator(shape(case), case["width"]),
    )


def dcgan(case):
    normalize = case.get("batch_norm", False)
    return (
        networks.dcgan_generator(shape(case), case["latent_dim"], case["width"]),
        networks.dcgan_discriminator(shape(case), case["width"], batch_normalization=normalize),
    )


def conditional_generator(case):
    return networks.conditional_dcgan_generator(
        shape(case),
        case["num_classes"],
        case["latent_dim"],
        case["label_channels"][0],
        case["width"],
    )


def conditional_gan(case):
    return conditional_generator(case), networks.conditional_dcgan_discriminator(
        shape(case),
        case["num_classes"],
        case["label_channels"][1],
        case["width"],
        batch_normalization=False,
    )


def acgan(case):
    width = case["discriminator_width"]
    return conditional_generator(case), networks.acgan_discriminator(
        shape(case), case["num_classes"], width, batch_normalization=False
    )


def pix2pix(case):
    width, normalization = case["width"], case["normalization"]
    return (
        networks.unet_generator(
            shape(case),
            width=width,
            max_width=8 * width,
            depth=case["depth"],
            dropout=case["dropout"],
            normalization=normalization,
        ),
        networks.patch_discriminator(
            shape(case),
            shape(case),
            case["receptive_field"],
            case["discriminator_width"],
            normalization=normalization,
        ),
    )


def cyclegan(case):
    generators = [
        networks.resnet_generator(shape(case), None, case["width"], case["blocks"]) for _ in "GF"
    ]
    options = {"receptive_field": case["receptive_field"], "width": case["discriminator_width"]}
    options["normalization"] = "instance"
    return *generators, *(networks.patch_discriminator(shape(case), **options) for _ in "YX")


BUILDERS = {f.__name__: f for f in (gan, dcgan, conditional_gan, acgan, pix2pix, cyclegan)}
BUILDERS |= {"wgan": dcgan, "wgan_gp": dcgan}


def num_parameters(case):
    """How many numbers are learned, by all networks together."""
    return sum(int(np.prod(v.shape)) for n in build(case) for v in n.trainable_variables)


def batches(case):
    """The same few batches of noise again and again: what a step costs does not depend on them."""
    rng, size = np.random.default_rng(0), 4 * case["batch_size"]
    images = rng.uniform(-1, 1, (2, size, *shape(case))).astype("float32")
    parts = images if "latent_dim" not in case else images[:1]
    if "num_classes" in case:
        parts = images[0], rng.integers(0, case["num_classes"], size).astype("int32")
    dataset = tf.data.Dataset.from_tensor_slices(tuple(parts)).repeat()
    # Its tuner, while idle, may hold up the end of a dataset for as long as that has run.
    options = tf.data.Options()
    options.autotune.enabled = False
    dataset = dataset.batch(case["batch_size"], drop_remainder=True).prefetch(2)
    return dataset.with_options(options)


def ours(case):
    """`model.fit`: with Keras' loop, metrics and checks."""
    options = {"critic_steps": CRITIC_STEPS} if "wgan" in case["method"] else {}
    model = getattr(keras_gans, CLASS_OF[case["method"]])(*build(case), seed=0, **options)
    model.compile()
    return lambda dataset: model.fit(dataset, verbose=0)
