"""From the name of a preset, or the folder of a run, to something that makes images."""

import json
from pathlib import Path

from keras_gans.building import undisturbed
from keras_gans.callbacks import Resume
from keras_gans.files import nothing_skipped
from keras_gans.zoo import presets
from keras_gans.zoo.recipe import Recipe


def load(name):
    """Loads a trained generator. Works offline.

    >>> generator = keras_gans.zoo.load("dcgan_digits_28")
    >>> latents = keras_gans.latent.sample(16, keras_gans.latent.dim(generator), seed=0)
    >>> images = generator.predict(latents, verbose=0)  # floats in [-1, 1]

    Args:
        name: of a trained preset, whose files are checked against their SHA-256; or the folder
            of a run, whose newest checkpoint is taken.

    Returns:
        A built `keras.Model`: the moving average, if the training kept one.

    Raises:
        ValueError: if there is no such preset or run, or a file is damaged.
    """
    if (Path(name) / "config.json").is_file():
        return restore(name).inference_generator
    preset = presets.card(str(name))
    presets.verify(preset.name)
    with undisturbed():
        generator = Recipe(preset.recipe, preset.name).build_network("generator")
    return _filled(generator, preset)


def open_gan(name):
    """Opens the GAN of a run or of a trained preset, to `generate` with.

    Its `generate` knows what its generator takes beside latents: labels, codes. Of a preset, the
    generator alone is trained: to train further, `restore` a run.

    >>> gan = keras_gans.zoo.open_gan("dcgan_digits_28")
    >>> gan.generate(4, seed=0).shape
    (4, 28, 28, 1)

    Args:
        name: as for `load`.

    Returns:
        The compiled GAN. Keras' seed and dtype policy are then those of its recipe.

    Raises:
        ValueError: if there is no such preset or run, or a file is damaged.
    """
    if (Path(name) / "config.json").is_file():
        return restore(name)
    preset = presets.card(str(name))
    presets.verify(preset.name)
    gan = Recipe(preset.recipe, preset.name).build_model()
    _filled(gan.inference_generator, preset)
    return gan


def restore(folder):
    """Loads the whole GAN of a run, as its newest checkpoint has it.

    Args:
        folder: of the run, with `config.json` and `checkpoints/`.

    Returns:
        The compiled GAN.

    Raises:
        ValueError: if the folder holds no run, or one without a checkpoint.
    """
    folder = Path(folder)
    if not (folder / "config.json").is_file():
        raise ValueError(
            "There is no run in that folder. Expected a `config.json`, as `keras-gans train` "
            f"writes it. Received: {folder}"
        )
    checkpoints = Resume(folder / "checkpoints")
    if not checkpoints.epoch:
        raise ValueError(
            "This run has not finished an epoch. Train it further with the command that started "
            f"it. Received: {folder}"
        )
    gan = Recipe(json.loads((folder / "config.json").read_text()), folder.name).build_model()
    checkpoints.restore(gan)
    return gan


def _filled(generator, preset):
    with nothing_skipped():
        generator.load_weights(preset.folder / presets.WEIGHTS)
    return generator
