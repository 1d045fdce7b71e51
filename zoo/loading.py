"""From the name of a preset, or the folder of a run, to something that makes images."""

import json
from pathlib import Path

from keras_gans.building import undisturbed
from keras_gans.callbacks import Resume
from keras_gans.callbacks.evaluate import WEIGHTS as BEST
from keras_gans.files import nothing_skipped
from keras_gans.zoo import presets
from keras_gans.zoo.recipe import Recipe


def load(name, best=False):
    """Loads a trained generator. Works offline.

    >>> generator = keras_gans.zoo.load("dcgan_digits_28")
    >>> latents = keras_gans.latent.sample(16, keras_gans.latent.dim(generator), seed=0)
    >>> images = generator.predict(latents, verbose=0)  # floats in [-1, 1]

    Args:
        name: of a trained preset, whose files are checked against their SHA-256; or the folder
            of a run, whose newest checkpoint is taken.
        best: of a run, take the best checkpoint that `callbacks.Evaluate` kept instead.

    Returns:
        A built `keras.Model`: the moving average, if the training kept one.

    Raises:
        ValueError: if there is no such preset or run, or no best of it, or a file is damaged.
    """
    if (Path(name) / "config.json").is_file():
        return restore(name, best).inference_generator
    preset = _card(name, best)
    presets.verify(preset.name)
    with undisturbed():
        generator = Recipe(preset.recipe, preset.name).build_network("generator")
    return _filled(generator, preset)


def open_gan(name, best=False):
    """Opens the GAN of a run or of a trained preset, to `generate` with.

    Its `generate` knows what its generator takes beside latents: labels, codes. Of a preset, the
    generator alone is trained: to train further, `restore` a run.

    >>> gan = keras_gans.zoo.open_gan("dcgan_digits_28")
    >>> gan.generate(4, seed=0).shape
    (4, 28, 28, 1)

    Args:
        name: as for `load`.
        best: as for `load`.

    Returns:
        The compiled GAN. Keras' seed and dtype policy are then those of its recipe.

    Raises:
        ValueError: if there is no such preset or run, or no best of it, or a file is damaged.
    """
    if (Path(name) / "config.json").is_file():
        return restore(name, best)
    preset = _card(name, best)
    presets.verify(preset.name)
    gan = Recipe(preset.recipe, preset.name).build_model()
    _filled(gan.inference_generator, preset)
    return gan


def restore(folder, best=False):
    """Loads the whole GAN of a run, as its newest checkpoint has it.

    Args:
        folder: of the run, with `config.json` and `checkpoints/`.
        best: as for `load`.

    Returns:
        The compiled GAN.

    Raises:
        ValueError: if the folder holds no run, or one without such a checkpoint.
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
    path = folder / "checkpoints" / BEST
    if best and not path.is_file():
        raise ValueError(
            "This run has kept no best checkpoint. Expected a recipe with an `evaluation`, such as "
            '{"every": 5}, and a training that has reached its first measurement; add it and train '
            f"further, or take the newest checkpoint with `best=False`. Received: no {path}"
        )
    gan = Recipe(json.loads((folder / "config.json").read_text()), folder.name).build_model()
    if not best:
        checkpoints.restore(gan)
        return gan
    try:
        gan.load_weights(path)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(
            "The best checkpoint cannot be read: it is damaged, or of another model. Take the "
            f"newest with `best=False`. Received: {path} ({error})"
        ) from error
    return gan


def _card(name, best):
    preset = presets.card(str(name))
    if best:
        raise ValueError(
            "A preset comes with one generator. Only a run keeps a best checkpoint beside its "
            f"newest: leave `best` out, or give the folder of a run. Received: {name!r}, best=True"
        )
    return preset


def _filled(generator, preset):
    with nothing_skipped():
        generator.load_weights(preset.folder / presets.WEIGHTS)
    return generator
