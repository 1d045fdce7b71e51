"""What the pages' examples are run with: small stand-ins for what a reader has, and for hours."""

import contextlib
import functools
import importlib.util
import re
import shutil
from pathlib import Path
from unittest import mock

import numpy as np

import keras_gans
import tiny
from keras_gans import adversarial, image, metrics

ROOT = Path(__file__).parent

# Names that a page speaks of as the reader's own; `images=faces` is one that is made as another.
OWN = {
    "docs/base.md": ("keras_gans", "tf"),
    "docs/data.md": ("keras_gans", "gan", "n"),
    "docs/export.md": ("keras_gans", "gan"),
    "docs/metrics.md": ("before", "after"),
    "docs/models/conditional_gan.md": ("hair", "glasses", "images=faces"),
    "docs/onnx.md": ("keras_gans", "latents", "labels"),
    "docs/serving.md": ("export", "generator"),
    "docs/tflite.md": ("keras_gans", "latents"),
    "docs/web.md": ("keras_gans",),
    "keras_gans/metrics/classifiers/avatars_cnn_v1/README.md": ("keras_gans", "images=faces"),
    "keras_gans/metrics/classifiers/digits_cnn_v1/README.md": ("keras_gans", "images"),
    "keras_gans/metrics/classifiers/fashion_mnist_cnn_v1/README.md": ("keras_gans", "images"),
}

# Parts of examples that are not run here, and why.
NOT_RUN = {
    "AttributeReader(": "faces that the reader has; tests/metrics/test_attributes.py draws some",
    "evaluation.edited(": "the same",
    "classifier.predict(": "a classifier that the reader has",
    'open_gan("runs/faces")': "a run; tests/zoo/test_named_conditions.py trains one",
    'load("hf://': "a hub",
    'load("chorales"': "a minute of reading; tests/data/test_chorales.py has small scores",
    'load_pairs("earth"': "data that are in no package of the tests",
    "serving import Client": "a server; tests/export/serving/ runs one",
    'random_cnn_v1", "efficientnet_lite0_v1': "a package of weights",
    "export.web(": "packages of npm; tests/export/test_web.py has them",
    "export import gallery": "the same",
    "load_pytorch(": "files of other programs; tests/zoo/test_convert.py makes some",
    "load_keras_h5(": "the same",
    'load("realesrgan_anime_x4")': "a package of weights",
    'load("realesrgan_x4")': "the same",
    "real_esrgan.load(": "a package of weights; tests/zoo/test_real_esrgan.py has small files",
    "project_style(": "the same; tests/zoo/test_styles.py looks with another network",
    "upscalerjs.load(": "the same; tests/zoo/test_upscalerjs.py has small folders",
}

# What is smaller here than on the page.
SMALLER = {
    "README.md": [
        ("dcgan_generator((28, 28, 1))", "dcgan_generator((28, 28, 1), width=4)"),
        ("dcgan_discriminator((28, 28, 1))", "dcgan_discriminator((28, 28, 1), width=4)"),
    ],
    "docs/tflite.md": [("image_size=128", "image_size=16")],
    "docs/models/wgan.md": [
        ("dcgan_generator((28, 28, 1))", "dcgan_generator((28, 28, 1), width=4)"),
        ("dcgan_discriminator((28, 28, 1))", "dcgan_discriminator((28, 28, 1), width=4)"),
        ("batch_size=5 * 64", "batch_size=5 * 4"),
    ],
    "docs/models/conditional_gan.md": [
        ("((28, 28, 1), num_classes=10)", "((28, 28, 1), num_classes=10, width=4)"),
        ("((64, 64, 3), num_classes)", "((64, 64, 3), num_classes, width=4)"),
    ],
    "docs/data.md": [("image_size=32", "image_size=28")],  # of the GAN that stands in
    "docs/distributed.md": [
        ("batch_size=8 * 128", "batch_size=4"),
        ("(64, 64, 3)", "(64, 64, 3), width=4"),
    ],
    "docs/metrics.md": [
        ('AttributeEvaluation("avatars")', 'AttributeEvaluation("avatars", num_images=10)'),
    ],
    "docs/presets.md": [("batch_size=32", "batch_size=8")],  # of the few pictures here
    "docs/stylegan2_files.md": [
        ('"exported/my_faces")  #', '"exported/my_faces", floats_only=True)  #'),
    ],
    "docs/models/age_cgan.md": [
        ("latent_dim=64)", "latent_dim=64, width=4)"),
        ("to=3", 'to=3, method="initial"'),
    ],
    "docs/models/cogan.md": [
        ("latent_dim=64, domains", "latent_dim=64, width=4, domains"),
        ("discriminator(shape)", "discriminator(shape, width=4)"),
    ],
    "docs/models/lapgan.md": [
        ("levels=3", "levels=2, width=4"),
        ("64, 64, 3", "32, 32, 3"),
        ("image_size=64", "image_size=32"),
    ],
    "docs/models/stylegan2.md": [
        ("width=16, max_width=128", "width=4, max_width=8"),
        ("64, 64, 3", "16, 16, 3"),
        ("image_size=64", "image_size=16"),
    ],
    "docs/models/text_to_image.md": [
        ("(64, 64, 3), words, latent_dim=64)", "(16, 16, 3), words, latent_dim=64, width=4)"),
        ("discriminator((64, 64, 3))", "discriminator((16, 16, 3), width=4)"),
        ("image_size=64", "image_size=16"),
    ],
    "docs/models/simgan.md": [
        ("width=16, blocks=2", "width=4, blocks=1"),
        ("width=16, normalization", "width=4, normalization"),
    ],
    "docs/models/srgan.md": [
        ("batch_size=8", "batch_size=2"),
        (
            "compact_upscaler((None, None, 3))",
            "compact_upscaler((None, None, 3), width=4, depth=1)",
        ),
        ("pixel_steps=6000", "pixel_steps=1"),
        ("pixel_steps=600,", "pixel_steps=1,"),
        ("width=32", "width=4"),
    ],
    "docs/models/pix2pix.md": [
        ("networks.unet_generator(shape)", "networks.unet_generator(shape, width=4)"),
        ("condition_shape=shape", "condition_shape=shape, width=4"),
    ],
}

# And on every page: data that are painted, where thousands take minutes.
FEWER = [
    ('load("avatars",', 'load("avatars", faces=128,'),
    ('load_pairs("avatars",', 'load_pairs("avatars", faces=8,'),
    ('load("font_digits",', 'load("font_digits", per_font=1,'),
    ('load_domains("font_digits",', 'load_domains("font_digits", per_font=1,'),
    ('load_domains("pixel_faces",', 'load_domains("pixel_faces", faces=400,'),
]

# Folders of pictures that pages name.
PICTURES = ("path/to/pictures", "photographs")


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


# Packages that the tests do without where they are not installed.
OPTIONAL = ("ai_edge_litert",)


def runnable(code):
    missing = [name for name in OPTIONAL if name in code and not importlib.util.find_spec(name)]
    return not missing and not any(part in code for part in NOT_RUN)


def own(names):
    """Stand-ins for what a reader has."""
    import tensorflow as tf

    made = {
        "keras_gans": lambda: keras_gans,
        "tf": lambda: tf,
        "export": lambda: keras_gans.export,
        "gan": lambda: keras_gans.zoo.open_gan("dcgan_digits_28"),
        "generator": lambda: keras_gans.zoo.load("dcgan_digits_28"),
        "images": lambda: np.zeros((2, 28, 28, 1), "float32"),
        "latents": lambda: keras_gans.latent.sample(1, 64, seed=0),
        "labels": lambda: np.zeros(1, "int32"),
        **dict.fromkeys(("faces", "before", "after"), lambda: np.zeros((4, 64, 64, 3), "float32")),
        **dict.fromkeys(("hair", "glasses"), lambda: np.zeros(4, "int32")),
        "n": lambda: 3,
    }
    parts = (name.partition("=") for name in names)
    return {name: made[same or name]() for name, _, same in parts}


def write_files(folder, text):
    """The folders that a page names, with a few pictures in each."""
    rng = np.random.default_rng(0)
    for name in (name for name in PICTURES if name in text):
        for number in range(24):
            image.save(rng.uniform(-1, 1, (64, 64, 3)), folder / name / f"{number}.png")
    if "network.pkl" in text:  # of a program of NVIDIA's, with random weights
        shutil.copyfile(ROOT / "reference/stylegan2_by_stylegan3.pkl", folder / "network.pkl")
    if "face.png" in text:
        image.save(rng.uniform(-1, 1, (64, 64, 3)), folder / "face.png")
    if "my_pairs" in text:
        tiny.folder_of_pairs(folder / "my_pairs", number=2, size=256)
    if "runs/maps" in text:
        keras_gans.zoo.train(tiny.cyclegan_recipe(folder), folder / "runs/maps", verbose=0)


@contextlib.contextmanager
def short():
    """Trainings of two steps and measurements of ten images, otherwise as they are."""
    fit, evaluation = adversarial.AdversarialModel.fit, metrics.Evaluation.__init__

    @functools.wraps(fit)
    def few_steps(self, *args, initial_epoch=0, epochs=1, **options):
        options |= {"steps_per_epoch": 2, "verbose": 0, "validation_steps": 1}
        return fit(self, *args, initial_epoch=initial_epoch, epochs=initial_epoch + 1, **options)

    @functools.wraps(evaluation)
    def few_images(self, *args, **options):
        evaluation(self, *args, **{**options, "num_images": 10})

    with (
        tiny.without_graphs(),
        mock.patch.object(adversarial.AdversarialModel, "fit", few_steps),
        mock.patch.object(metrics.Evaluation, "__init__", few_images),
    ):
        yield


def run(page, text):
    """Runs the examples of a page in order, as one reader would, in the present folder."""
    scope = {"__name__": "__main__", **own(OWN.get(page, ()))}
    for code in filter(runnable, blocks(text, "python")):
        for large, small in [*SMALLER.get(page, ()), *FEWER]:
            code = code.replace(large, small)
        exec(compile(code, page, "exec"), scope)
    return scope
