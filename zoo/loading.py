"""From the name of a preset, or the folder of a run, to something that makes images.

A `_Preset` and a `_Run` say the same of themselves: a recipe, the networks whose weights are
there, how large these are, how a GAN gets them, and what its networks take and make. All that is
opened here is opened by these.
"""

import dataclasses
import importlib
import inspect
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
from absl import logging

from keras_gans import AdversarialModel, interface, models, networks
from keras_gans.building import at_most, preserving_random_state
from keras_gans.callbacks import Resume
from keras_gans.callbacks.evaluate import WEIGHTS as BEST
from keras_gans.interface import Interface
from keras_gans.names import did_you_mean
from keras_gans.reading import hdf5
from keras_gans.reading.text import is_file, read_json
from keras_gans.zoo.catalog import addresses, interfaces, origins, presets
from keras_gans.zoo.runs import inputs
from keras_gans.zoo.runs.recipe import Recipe, build_network

# Weights, and numbers in all of them, of networks of which no file says how large they are: 1 GB.
_LARGEST = (100_000, 2**28)

Source = str | os.PathLike


@keras.saving.register_keras_serializable("keras_gans")
class PretrainedGenerator(AdversarialModel):
    """A generator that others trained, with what a GAN has for whoever generates with it.

    Args:
        generator: from latents, and more, to images.
        **kwargs: of `AdversarialModel`.
    """

    side_names: tuple[str, ...] = ("generator",)
    tracked: tuple[str, ...] = ()

    def __init__(self, generator: keras.Model, **kwargs: Any) -> None:
        super().__init__(sides={"generator": {"generator": generator}}, **kwargs)

    def train_step(self, data: Any) -> dict[str, Any]:
        raise ValueError(
            "A generator that others trained comes without a discriminator, and cannot be trained "
            "alone. Build a GAN with it: `keras_gans.zoo.load(...)` returns the network. "
            f"Received: {self.name!r}"
        )


# ---- what users call


def load(
    source: Source,
    part: str = "generator",
    weights: bool = True,
    best: bool = False,
    scale: int | None = None,
) -> keras.Model:
    """Loads a trained generator. Works offline.

    >>> generator = keras_gans.zoo.load("dcgan_digits_28")
    >>> latents = keras_gans.latent.sample(16, keras_gans.latent.dim(generator), seed=0)
    >>> images = generator.predict(latents, verbose=0)  # floats in [-1, 1]

    What it takes and makes, names of classes included, `keras_gans.interface.of(generator)` says.

    Args:
        source: name of a trained preset, the folder of one, or its address on a hub (see `card`),
            of which the files that are loaded are checked against their SHA-256; or the folder of
            a run, whose newest checkpoint is taken.
        part: `"generator"`, another network that comes along, such as a CycleGAN's
            `"backward_generator"`, or `"gan"`: all of it, compiled, to train further.
        weights: `False` builds the same with the random weights that a training starts from.
        best: of a run, take the best checkpoint that `callbacks.Evaluate` kept instead.
        scale: how many times larger an upscaler makes images, where its weights serve several
            scales: 2 or 3 of a `compact_upscaler` of 4. `None` for its own.

    Returns:
        A built `keras.Model`: of a generator the moving average, if the training kept one. Of a
        preset it computes in float32, whatever dtype policy it was trained under. With
        `part="gan"` the compiled GAN, whose layers keep the dtype policy of its recipe. The
        program's own dtype policy and random state are neither looked at nor changed.

    Raises:
        ModuleNotFoundError: if the weights are in a package that is not installed.
        ValueError: if there is no such preset or run, no best of it, no such part, no such scale,
            or a file is damaged.
    """
    found = _find(source, best, weights)
    roles = list(found.networks)
    if part not in (*roles, "gan"):
        raise ValueError(
            f"This {found.kind} has no such part.{did_you_mean(part, [*roles, 'gan'])} Expected "
            f"one of {[*roles, 'gan']}. Received: {str(source)!r}, part={part!r}"
        )
    wanted = roles if part == "gan" else [part]
    if weights and (missing := [role for role in wanted if role not in found.roles]):
        found.verify(())  # a recipe says so, and how it is trained
        raise ValueError(
            f"This preset comes without the weights of {missing}. Expected `part` to be one of "
            f"{list(found.roles)}; to make images with its GAN, `keras_gans.zoo.open_gan`; to "
            f"train it from the start, `keras-gans train {found.recipe.name}`. "
            f"Received: {str(source)!r}, part={part!r}"
        )
    if part == "gan":
        found.require_gan()
        return _open(found)
    return found.network(part, scale)


def scales(source: Source) -> list[int]:
    """Returns the scales that `load` can give an upscaler.

    >>> scales("realesrgan_animevideo_x4")
    [1, 2, 3, 4]

    Args:
        source: as for `load`.
    """
    return _scales(next(iter(_find(source, False, False).networks.values())))


def is_run(source: Any) -> bool:
    """Returns whether a source is the folder of a run, and no preset or model."""
    path = isinstance(source, str | os.PathLike) and not addresses.is_address(source)
    return path and is_file(Path(source) / "config.json")


def open_gan(
    source: Source,
    best: bool = False,
    load_weights: bool = True,
    kind: type[AdversarialModel] = AdversarialModel,
) -> AdversarialModel:
    """Opens the GAN of a run or of a trained preset, to `generate` with.

    Its `generate` takes what its generator takes beside latents: labels, codes. Networks that a
    preset comes without are untrained, and named in `gan.untrained`.

    >>> gan = keras_gans.zoo.open_gan("dcgan_digits_28")
    >>> gan.generate(4, seed=0).shape
    (4, 28, 28, 1)

    Args:
        source: as for `load`.
        best: as for `load`.
        load_weights: `False` leaves all networks the random weights that a training starts from.
        kind: class that the GAN must be of, or inherit from.

    Returns:
        The compiled GAN. Its layers keep the dtype policy of its recipe; the program's own, and
        its random state, are neither looked at nor changed.

    Raises:
        ValueError: if there is no such preset or run, or no best of it, it is of another class, or
            a file is damaged.
    """
    found = _find(source, best, load_weights)
    found.require_gan()
    named = found.recipe.config["model"]["type"] if found.recipe else None
    if not issubclass(getattr(models, named) if named else PretrainedGenerator, kind):
        name = named or "AdversarialModel"
        raise ValueError(
            f"That {found.kind} is of another class. Expected `keras_gans.{name}.from_preset(...)`."
            f" Received: {kind.__name__}.from_preset({str(source)!r})"
        )
    if load_weights and not found.roles:
        found.verify(())
    return _open(found)


def restore(folder: Source, best: bool = False) -> AdversarialModel:
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
    return _open(_run(folder, best))


def build(recipe: Recipe, arrays: float = math.inf, numbers: float = math.inf) -> AdversarialModel:
    """Builds the compiled GAN of a recipe, as a training by it starts.

    The program's random state and dtype policy stay as they are, where `Recipe.build_model` sets
    them for the training that follows.

    Args:
        recipe: a `Recipe`.
        arrays: most weights that its networks and their averages may have, where the recipe is
            not the user's own.
        numbers: most numbers in all of those.

    Returns:
        The GAN. Its layers keep the dtype policy of the recipe, and its labels have the names of
        the data set's classes.

    Raises:
        ValueError: for networks that are larger.
    """
    config = recipe.config
    with preserving_random_state(config["dtype_policy"]):
        _ = recipe.perceptual_loss  # of another origin: its weights do not count as the GAN's
    with (
        preserving_random_state(config["dtype_policy"], config["seed"]),
        at_most(arrays, numbers, f"The GAN of {recipe.name!r}"),
    ):
        gan = recipe.assemble()
    gan.__dict__["recipe"] = config  # past Keras, which tracks attributes
    for role in makers(gan):
        described = interfaces.with_class_names(gan.interface(role), config["data"])
        _state(gan, {role: described})
    return gan


def makers(gan: AdversarialModel) -> list[str]:
    """Names of the networks of a GAN that make something: all but the discriminators."""
    sides = (names for side, names in gan.sides.items() if side != "discriminator")
    return [role for names in sides for role in names]


def fill(gan: AdversarialModel, folder: Path, roles: Sequence[str]) -> AdversarialModel:
    """Gives networks of a GAN, and their moving averages, the weights of a preset's files.

    Args:
        gan: to fill.
        folder: `pathlib.Path` of the preset.
        roles: names of the networks.

    Returns:
        The GAN.
    """
    for role in roles:
        network = hdf5.load(getattr(gan, role), folder / presets.weights_file(role))
        gan.in_use(role).set_weights(network.get_weights())
    return gan


def backward_generator(gan: AdversarialModel) -> keras.Model | None:
    """Returns the trained generator that makes again what the first one takes, as of a CycleGAN.

    Args:
        gan: opened.

    Returns:
        The network in use; `None` for a GAN without one, or opened from a preset that comes
        without its weights.
    """
    role = backward_role(gan)
    return None if role is None or role in gan.untrained else gan.in_use(role)


def backward_role(gan: AdversarialModel) -> str | None:
    """Name of the network that takes what the first generator makes, and makes what it takes."""
    forward = gan.interface(gan.generator_role)
    if not forward.takes_image or not forward.images:
        return None
    for role in makers(gan):
        back = gan.interface(role)
        if (
            role != gan.generator_role
            and back.takes_image
            and back.images
            and interface.agree(back.image.shape, forward.images[0].shape)
            and interface.agree(back.images[0].shape, forward.image.shape)
        ):
            return role
    return None


def input_roles(gan: AdversarialModel) -> tuple[str | None, ...]:
    """Names of the networks that take the first and the second images of pairs, or `None`."""
    takes_image = gan.interface(gan.generator_role).takes_image
    return (gan.generator_role if takes_image else None, backward_role(gan))


def start_from(gan: AdversarialModel, source: Source) -> None:
    """Gives the networks of a new GAN the weights of a trained one: fine-tuning.

    Args:
        gan: of the class and with the networks of the source.
        source: as for `load`. A preset that comes without its discriminators leaves those of
            `gan` as they are, with a warning in the log: they have to catch up with a generator
            that is far ahead. So do weights that others made, which are a generator's alone.

    Raises:
        ValueError: if a network is another than the source's, which is named.
    """
    roles = [role for side in gan.sides.values() for role in side]
    trained = _trained(source, roles)
    for role in roles:
        if trained.get(role, ()) is None:
            logging.warning("%s comes without its %s, which starts afresh.", source, role)
            continue
        (old, in_use), new = trained.get(role, (None, None)), getattr(gan, role)
        if old is None or [w.shape for w in old.weights] != [w.shape for w in new.weights]:
            raise ValueError(
                f"The {role} is another than the one to start from. Expected the same function and "
                f"numbers under `networks.{role}` as in the recipe of {str(source)!r}: "
                f"`keras-gans zoo show` prints it. Received: {new.count_params():,} parameters, "
                f"for {old.count_params() if old is not None else 0:,}"
            )
        new.set_weights(old.get_weights())
        gan.in_use(role).set_weights(in_use.get_weights())


def _trained(source, roles):
    """The networks of a source by role, each beside the one in use; `None` without weights."""
    found = _find(source, False, True)
    if found.recipe is None:  # a generator that others trained
        networks = {role: found.network(role) for role in found.roles}
        return {r: (networks[r], networks[r]) if r in networks else None for r in roles}
    gan = open_gan(source)
    theirs = (role for side in gan.sides.values() for role in side)
    return {r: None if r in gan.untrained else (getattr(gan, r), gan.in_use(r)) for r in theirs}


# ---- what is opened


@dataclasses.dataclass(frozen=True)
class _Preset:
    """A preset, and the weights of it that are to be loaded."""

    card: presets.Card
    recipe: Recipe | None  # `None` where others made the weights
    roles: tuple[str, ...]  # networks that get weights
    kind = "preset"

    @property
    def folder(self) -> Path:
        return self.card.folder

    @property
    def networks(self) -> Mapping[str, Mapping[str, Any]]:
        return self.card.networks if self.recipe is None else self.recipe.config["networks"]

    @property
    def interfaces(self) -> Mapping[str, Interface]:
        return self.card.stated or {}

    def require_gan(self):
        """Raises ValueError unless there is a recipe, or a generator that makes images of seeds."""
        if self.recipe is not None or not self.card.interface().takes_latents:
            self.card.require_recipe()

    def verify(self, roles):
        """Checks the files that are loaded for some networks."""
        files = [presets.ORIGIN if self.recipe is None else presets.RECIPE]
        files += [presets.INTERFACE] if self.card.stated else []
        files += [inputs.FILE] if (self.folder / inputs.FILE).exists() else []
        shipped = [] if self.card.origin == origins.PACKAGE else roles
        presets.verify_files(self.card, [*files, *map(presets.weights_file, shipped)])

    def limits(self, roles):
        """Most arrays and numbers that the files of some networks hold."""
        sizes = [hdf5.size_of(self.card.folder / presets.weights_file(role)) for role in roles]
        return tuple(sum(column) for column in zip(*sizes)) if sizes else (0, 0)

    def gan(self):
        """The GAN with its weights; what comes without a file has random ones."""
        if self.recipe is None:
            gan = PretrainedGenerator(self.network("generator"), name=self.card.name)
            gan.compile()
            return gan
        if self.roles:
            self.verify(self.roles)
        # Averages are as large as what they are of. Of what comes without a file nothing is known.
        limits = [2 * limit for limit in self.limits(self.roles)]
        if set(self.roles) < set(self.recipe.config["networks"]):
            limits = [known + most for known, most in zip(limits, _LARGEST)]
        return fill(build(self.recipe, *limits), self.card.folder, self.roles)

    def network(self, role, scale=None):
        """One network, in float32."""
        trained, packed = role in self.roles, self.card.origin == origins.PACKAGE
        if trained:
            self.verify([role])
        arguments = _scaled(self.networks[role], scale)
        if trained and packed:
            with preserving_random_state("float32", 0):
                network = _of_package(self.card, arguments)
        else:
            limits = self.limits([role]) if trained else _LARGEST
            seed = self.recipe.config["seed"] if self.recipe else 0
            with preserving_random_state("float32", seed), at_most(*limits, f"The {role}"):
                network = build_network(arguments, f"networks.{role}")
            if trained:
                hdf5.load(network, self.card.folder / presets.weights_file(role))
        if role in self.interfaces and scale is None:  # another scale can be seen from shapes
            interface.state(network, self.interfaces[role])
        return network


def _scaled(arguments, scale):
    """The arguments of an upscaler's function, so that its images are of another scale."""
    if scale is None:
        return arguments
    known = _scales(arguments)
    if isinstance(scale, bool) or scale not in known:
        raise ValueError(
            "The network does not make images of that scale. Expected one of "
            f"{', '.join(map(str, known))}; `keras_gans.zoo.upscale` makes any, by resampling. "
            f"Received: scale={scale!r}"
        )
    return arguments if len(known) == 1 else {**arguments, "output_scale": scale}


def _scales(arguments):
    """The scales that a network's function can build with the same weights."""
    function = getattr(networks, str(arguments.get("type")), None)
    parameters = inspect.signature(function).parameters if function else {}
    own = arguments.get("scale", getattr(parameters.get("scale"), "default", 1))
    return [*range(1, own + 1)] if "output_scale" in parameters else [own]


def _of_package(card, arguments):
    """Returns a preset's network as its converter reads it from the installed package."""
    converter = card.published["source"]["converter"]
    if converter not in _CONVERTERS:
        raise ValueError(
            f"The preset names an unknown converter. Expected one of {list(_CONVERTERS)}. "
            f"Received: {converter!r} in {card.folder}"
        )
    module = importlib.import_module(f"keras_gans.zoo.converters.{converter}")
    taken = {"scale": arguments.get("output_scale"), "image_shape": arguments.get("image_shape")}
    given = {name: value for name, value in taken.items() if value is not None}
    return module.load(origins.locate(card.published), **given)


# Modules that read published weights; their `load` takes a path, `scale` and `image_shape`.
_CONVERTERS = ("real_esrgan",)


@dataclasses.dataclass(frozen=True)
class _Run:
    """A run, and the file of the checkpoint that is to be loaded; `None` for random weights."""

    folder: Path
    recipe: Recipe
    checkpoint: Path | None
    best: bool
    kind = "run"
    interfaces: Mapping[str, Interface] = dataclasses.field(default_factory=dict)

    @property
    def networks(self) -> Mapping[str, Mapping[str, Any]]:
        return self.recipe.config["networks"]

    def require_gan(self):
        """Nothing: a run has all of its networks."""

    @property
    def roles(self):
        return tuple(self.recipe.config["networks"]) if self.checkpoint else ()

    def verify(self, roles):
        """Nothing: a checkpoint says itself whether it is whole."""

    def gan(self):
        if self.checkpoint is None:
            return build(self.recipe, *_LARGEST)
        if not self.best:
            gan = build(self.recipe, *hdf5.size_of(self.checkpoint))
            Resume(self.folder / "checkpoints").restore(gan)
            return gan
        try:
            gan = build(self.recipe, *hdf5.size_of(self.checkpoint))
            gan.load_weights(self.checkpoint)
        except (OSError, KeyError, ValueError) as error:
            raise ValueError(
                "The best checkpoint cannot be read: it is damaged, or of another model. Take the "
                f"newest with `best=False`. Received: {self.checkpoint} ({error})"
            ) from error
        return gan

    def network(self, role, scale=None):
        _scaled(self.networks[role], scale)  # of a run, its own scale only
        return _open(self).in_use(role)


def _open(found: _Preset | _Run) -> AdversarialModel:
    """The GAN of a preset or a run, whose networks say what they take and make."""
    gan = found.gan()
    gan.__dict__["untrained"] = tuple(r for r in found.networks if r not in found.roles)
    gan.__dict__["familiar"] = inputs.read(found.folder / inputs.FILE)
    _state(gan, found.interfaces)
    return gan


def _state(gan: AdversarialModel, stated: Mapping[str, Interface]) -> None:
    for role, described in stated.items():
        for network in (getattr(gan, role), gan.in_use(role)):
            interface.state(network, described)


def _find(source: Any, best: bool, weights: bool) -> _Preset | _Run:
    """What a source names."""
    if not isinstance(source, str | os.PathLike):
        raise ValueError(
            "What to load is named by text or a path: name or folder of a preset, address on a "
            f"hub, or folder of a run. Received: {source!r}"
        )
    if is_run(source):
        return _run(Path(source), best, weights)
    card = presets.card(source)
    if best:
        raise ValueError(
            "A preset comes with one checkpoint. Only a run keeps a best one beside its newest: "
            f"leave `best` out, or give the folder of a run. Received: {str(source)!r}, best=True"
        )
    recipe = Recipe(card.recipe, card.name) if card.recipe else None
    files = {role: presets.weights_file(role) for role in card.networks if weights}
    # One that is listed and not there is damage.
    there = {r for r, file in files.items() if r in card.parts or file in card.sha256}
    in_package = card.origin == origins.PACKAGE
    return _Preset(card, recipe, tuple(r for r in files if in_package or r in there))


def _run(folder: Path, best: bool, weights: bool = True) -> _Run:
    config = read_json(folder / "config.json")
    checkpoints = Resume(folder / "checkpoints")
    if weights and not checkpoints.epoch:
        raise ValueError(
            "This run has not finished an epoch. Train it further with the command that started "
            f"it. Received: {folder}"
        )
    recipe = Recipe(config, folder.name)
    if not weights:
        return _Run(folder, recipe, None, best)
    path = folder / "checkpoints" / BEST
    if best and not path.is_file():
        raise ValueError(
            "This run has kept no best checkpoint. Expected a recipe with an `evaluation`, such as "
            '{"every": 5}, and a training that has reached its first measurement; add it and train '
            f"further, or take the newest checkpoint with `best=False`. Received: no {path}"
        )
    return _Run(folder, recipe, path if best else checkpoints.checkpoints()[-1], best)
