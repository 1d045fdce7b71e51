"""From the name of a preset, or the folder of a run, to something that makes images."""

import math
import os
from pathlib import Path

from absl import logging

from keras_gans.building import at_most, preserving_random_state
from keras_gans.callbacks import Resume
from keras_gans.callbacks.evaluate import WEIGHTS as BEST
from keras_gans.names import did_you_mean
from keras_gans.reading import hdf5
from keras_gans.reading.text import is_file, read_json
from keras_gans.zoo.catalog import addresses, presets
from keras_gans.zoo.runs.recipe import Recipe

# Weights, and numbers in all of them, of networks of which no file says how large they are: 1 GB.
_LARGEST = (100_000, 2**28)


def load(source, part="generator", weights=True, best=False):
    """Loads a trained generator. Works offline.

    >>> generator = keras_gans.zoo.load("dcgan_digits_28")
    >>> latents = keras_gans.latent.sample(16, keras_gans.latent.dim(generator), seed=0)
    >>> images = generator.predict(latents, verbose=0)  # floats in [-1, 1]

    Args:
        source: name of a trained preset, the folder of one, or its address on a hub (see `card`),
            whose files are checked against their SHA-256; or the folder of a run, whose newest
            checkpoint is taken.
        part: `"generator"`, another network that comes along, such as a CycleGAN's
            `"backward_generator"`, or `"gan"`: all of it, compiled, to train further.
        weights: `False` builds the same with the random weights that a training starts from.
        best: of a run, take the best checkpoint that `callbacks.Evaluate` kept instead.

    Returns:
        A built `keras.Model`: of a generator the moving average, if the training kept one. Of a
        preset it computes in float32, whatever dtype policy it was trained under. With
        `part="gan"` the compiled GAN, whose layers keep the dtype policy of its recipe. The
        program's own dtype policy and random state are neither looked at nor changed.

    Raises:
        ValueError: if there is no such preset or run, no best of it, no such part, or a file is
            damaged.
    """
    if _is_run(source):
        gan = restore(source, best) if weights else build(_recipe_of(source), *_LARGEST)
        return gan if part == "gan" else _part_of(gan, part)
    preset = _card(source, best)
    recipe = Recipe(preset.recipe, preset.name)
    roles = list(recipe.config["networks"])
    if part not in (*roles, "gan"):
        raise ValueError(
            f"This preset has no such part.{did_you_mean(part, [*roles, 'gan'])} Expected one of "
            f"{[*roles, 'gan']}. Received: {str(source)!r}, part={part!r}"
        )
    if weights:
        presets.verify(preset.folder)
        if missing := [r for r in (roles if part == "gan" else [part]) if r not in preset.parts]:
            raise ValueError(
                f"This preset comes without the weights of {missing}. Expected `part` to be one of "
                f"{list(preset.parts)}; to make images with its GAN, `keras_gans.zoo.open_gan`; to "
                f"train it from the start, `keras-gans train {preset.name}`. "
                f"Received: {str(source)!r}, part={part!r}"
            )
    if part == "gan":
        return _opened(recipe, preset, roles if weights else ())
    limits = _LARGEST
    if weights:
        limits = hdf5.size_of(preset.folder / presets.weights_file(part))
    with preserving_random_state("float32", recipe.config["seed"]), at_most(*limits, f"The {part}"):
        network = recipe.build_network(part)
    return _filled(network, preset.folder, part) if weights else network


def open_gan(source, best=False):
    """Opens the GAN of a run or of a trained preset, to `generate` with.

    Its `generate` knows what its generator takes beside latents: labels, codes. Networks that a
    preset comes without are untrained: to train further, `load(source, part="gan")`.

    >>> gan = keras_gans.zoo.open_gan("dcgan_digits_28")
    >>> gan.generate(4, seed=0).shape
    (4, 28, 28, 1)

    Args:
        source: as for `load`.
        best: as for `load`.

    Returns:
        The compiled GAN. Its layers keep the dtype policy of its recipe; the program's own, and
        its random state, are neither looked at nor changed.

    Raises:
        ValueError: if there is no such preset or run, or no best of it, or a file is damaged.
    """
    if _is_run(source):
        return restore(source, best)
    preset = _card(source, best)
    presets.verify(preset.folder)
    return _opened(Recipe(preset.recipe, preset.name), preset, preset.parts)


def build(recipe, arrays=math.inf, numbers=math.inf):
    """The compiled GAN of a recipe, as a training by it starts.

    The program's random state and dtype policy stay as they are, where `Recipe.build_model` sets
    them for the training that follows.

    Args:
        recipe: a `Recipe`.
        arrays: most weights that its networks and their averages may have, where the recipe is
            not the user's own.
        numbers: most numbers in all of those.

    Returns:
        The GAN. Its layers keep the dtype policy of the recipe.

    Raises:
        ValueError: for networks that are larger.
    """
    config = recipe.config
    with (
        preserving_random_state(config["dtype_policy"], config["seed"]),
        at_most(arrays, numbers, f"The GAN of {recipe.name!r}"),
    ):
        return recipe.assemble()


def _opened(recipe, preset, roles):
    """The GAN of a preset, with the weights of these of its networks."""
    sizes = [hdf5.size_of(preset.folder / presets.weights_file(role)) for role in roles]
    # Averages are as large as what they are of. Of what comes without a file nothing is known.
    arrays, numbers = (2 * sum(column) for column in zip(*sizes)) if sizes else (0, 0)
    if set(roles) < set(recipe.config["networks"]):
        arrays, numbers = arrays + _LARGEST[0], numbers + _LARGEST[1]
    return fill(build(recipe, arrays, numbers), preset.folder, roles)


def fill(gan, folder, roles):
    """Gives networks of a GAN, and their moving averages, the weights of a preset's files.

    Args:
        gan: to fill.
        folder: `pathlib.Path` of the preset.
        roles: names of the networks.

    Returns:
        The GAN.
    """
    for role in roles:
        network = _filled(getattr(gan, role), folder, role)
        gan.in_use(role).set_weights(network.get_weights())
    return gan


def way_back(gan, source):
    """A CycleGAN's trained generator from Y to X.

    Args:
        gan: opened.
        source: what it was opened from, as for `load`; or the GAN itself.

    Returns:
        The network in use; `None` for another GAN, or a preset that comes without.
    """
    role = "backward_generator"
    if role not in gan.sides["generator"]:
        return None
    whole = source is gan or _is_run(source) or role in presets.card(source).parts
    return gan.in_use(role) if whole else None


def start_from(gan, source):
    """Gives the networks of a new GAN the weights of a trained one: fine-tuning.

    Args:
        gan: of the class and with the networks of the source.
        source: as for `load`. A preset that comes without its discriminators leaves those of
            `gan` as they are, with a warning in the log: they have to catch up with a generator
            that is far ahead.

    Raises:
        ValueError: if a network is another than the source's, which is named.
    """
    trained = open_gan(source)
    shipped = None if _is_run(source) else presets.card(source).parts
    for role in (role for side in gan.sides.values() for role in side):
        if shipped is not None and role not in shipped:
            logging.warning("%s comes without its %s, which starts afresh.", source, role)
            continue
        old, new = getattr(trained, role, None), getattr(gan, role)
        if old is None or [w.shape for w in old.weights] != [w.shape for w in new.weights]:
            raise ValueError(
                f"The {role} is another than the one to start from. Expected the same function and "
                f"numbers under `networks.{role}` as in the recipe of {str(source)!r}: "
                f"`keras-gans zoo show` prints it. Received: {new.count_params():,} parameters, "
                f"for {old.count_params() if old is not None else 0:,}"
            )
        new.set_weights(old.get_weights())
        gan.in_use(role).set_weights(trained.in_use(role).get_weights())


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
    recipe, checkpoints = _recipe_of(folder), Resume(folder / "checkpoints")
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
    if not best:
        gan = build(recipe, *hdf5.size_of(checkpoints.checkpoints()[-1]))
        checkpoints.restore(gan)
        return gan
    try:
        gan = build(recipe, *hdf5.size_of(path))
        gan.load_weights(path)
    except (OSError, KeyError, ValueError) as error:
        raise ValueError(
            "The best checkpoint cannot be read: it is damaged, or of another model. Take the "
            f"newest with `best=False`. Received: {path} ({error})"
        ) from error
    return gan


def _is_run(source):
    if not isinstance(source, str | os.PathLike):
        raise ValueError(
            "What to load is named by text or a path: name or folder of a preset, address on a "
            f"hub, or folder of a run. Received: {source!r}"
        )
    return not addresses.is_address(source) and is_file(Path(source) / "config.json")


def _recipe_of(run):
    run = Path(run)
    return Recipe(read_json(run / "config.json"), run.name)


def _part_of(gan, part):
    """A network of a GAN as it is to be used."""
    roles = [role for side in gan.sides.values() for role in side]
    if part in roles:
        return gan.in_use(part)
    raise ValueError(
        f"This run has no such part.{did_you_mean(part, roles)} Expected one of "
        f"{[*roles, 'gan']}. Received: part={part!r}"
    )


def _card(source, best):
    preset = presets.card(source)
    if best:
        raise ValueError(
            "A preset comes with one checkpoint. Only a run keeps a best one beside its newest: "
            f"leave `best` out, or give the folder of a run. Received: {str(source)!r}, best=True"
        )
    return preset


def _filled(network, folder, role):
    return hdf5.load(network, folder / presets.weights_file(role))
