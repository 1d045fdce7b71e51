"""Recipes: a training as data.

A recipe is JSON. Each part names a `type` (a network function, a model class, an optimizer) and
gives its arguments; whatever it leaves out has the default that the signature says. Data have the
type `load`, `load_pairs` for image-to-image GANs, or `load_domains` for two domains. Names are
looked up in this library and in `keras.optimizers` alone, so a recipe runs no code of its own.
"""

import contextlib
import copy
import functools
import inspect
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import keras_gans
from keras_gans import callbacks, data, losses, metrics, models, networks, optimizers, schedules
from keras_gans.building import preserving_random_state
from keras_gans.interface import Interface
from keras_gans.interface import of as of_network
from keras_gans.names import did_you_mean
from keras_gans.perceptual import PerceptualLoss
from keras_gans.reading.text import require
from keras_gans.zoo.catalog import interfaces, presets
from keras_gans.zoo.runs import fields

# What may change between two runs of one training: how long, what it is called, how it is measured.
_FREE = ("epochs", "description", "evaluation")

# An argument of `data.load` that a run sets itself.
_RUN = ("first_epoch",)

# The fewest images, or pairs, that an evaluation takes, to try whether it can be done.
_FEW, _FEW_PAIRS = 10, 2

# Functions that make a network from another one, not from numbers.
_OF_NETWORKS = ("laplacian_pyramid", "stochastic", "synchronized")

# Arguments that describe the images, for an evaluation too.
_IMAGES = ("image_size", "channels", "data_dir", "on_error", "direction", "class_names", "scale")
_IMAGES += ("degrade",)

# Arguments of `load_pairs` that only a training has.
_OF_TRAINING = ("type", "batch_size", "augment", "shuffle", "num_examples")


class Recipe:
    """A checked recipe, with every default filled in.

    >>> recipe = keras_gans.zoo.Recipe.read("dcgan_digits_28")
    >>> recipe.config["networks"]["generator"]["image_shape"]
    [28, 28, 1]

    Args:
        config: the recipe as a dictionary.
        name: of the runs it makes.

    Raises:
        ValueError: for a field that is unknown, missing or of the wrong kind. Unknown ones come
            with the nearest names.
    """

    def __init__(self, config: dict[str, Any], name: str = "recipe") -> None:
        self.name = name
        self.defaults: dict[str, Any] = {}
        _require_json(config)
        self.config = self._complete(copy.deepcopy(config))

    @classmethod
    def read(cls, source: "Recipe | dict[str, Any] | Path | str", **changes: Any) -> "Recipe":
        """Reads a recipe.

        Args:
            source: name of a preset, path of a `.json` file, a dictionary, or a `Recipe`.
            **changes: fields of the recipe to replace, such as `epochs`.
        """
        if isinstance(source, Recipe):
            return cls({**source.config, **changes}, source.name) if changes else source
        if isinstance(source, dict):
            return cls({**source, **changes})
        if not isinstance(source, str | os.PathLike):
            raise ValueError(
                "A recipe is the name of a preset, the path of a `.json` file, a dictionary, or a "
                f"`Recipe`. Received: {source!r}"
            )
        path = Path(source)
        if path.suffix != ".json":
            return cls({**presets.card(str(source)).require_recipe(), **changes}, str(source))
        name = path.parent.name if path.stem == "recipe" else path.stem
        return cls(fields.read(path, **changes), name)

    # ---- what the parts become

    def load_data(self, first_epoch: int) -> tf.data.Dataset:
        """Returns endless batches from epoch `first_epoch` on."""
        arguments = dict(self.config["data"])
        return _LOADERS[arguments.pop("type")](**arguments, first_epoch=first_epoch)

    def sample_pairs(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Returns pairs for the sample grids, held out if the training is evaluated on such.

        Returns:
            Two arrays; `None` where the data are no pairs.
        """
        if not self.translates:
            return None
        arguments = {n: v for n, v in self.config["data"].items() if n not in _OF_TRAINING}
        evaluation = self.config["evaluation"]
        if evaluation is not None:
            arguments |= {"split": evaluation["split"] or "validation", "paired": True}
        load = _LOADERS[self.config["data"]["type"]]
        plain = {"augment": False} if load is data.load_pairs else {}
        pairs = load(**arguments, **plain, batch_size=1, shuffle=False)
        pairs = pairs.take(self.config["samples"])
        sources, targets = map(np.concatenate, zip(*pairs.as_numpy_iterator()))
        return sources, targets

    @functools.cached_property
    def interface(self) -> Interface:
        """What the network that makes the images takes and makes: the first."""
        role, arguments = next(iter(self.config["networks"].items()))
        if "image_shape" in arguments:
            return interfaces.of_recipe(self.config)[role]
        with preserving_random_state("float32"):
            return of_network(self.build_network(role))

    @property
    def translates(self) -> bool:
        """Whether images are made from images."""
        return self.interface.takes_image

    def build_network(self, role: str) -> keras.Model:
        """Returns a new network of the GAN."""
        return build_network(self.config["networks"][role], f"networks.{role}")

    def build_model(self) -> keras_gans.AdversarialModel:
        """Returns the compiled GAN. Sets Keras' seed and dtype policy, which its weights depend on.

        In the scope of a strategy of several replicas, batch normalisation is synchronised, so that
        a recipe means the same on any number of devices.
        """
        keras.utils.set_random_seed(self.config["seed"])
        keras.config.set_dtype_policy(self.config["dtype_policy"])
        return self.assemble()

    def assemble(self) -> keras_gans.AdversarialModel:
        """Returns the same under the seed and dtype policy that are set already."""
        built = {role: self.build_network(role) for role in self.config["networks"]}
        if tf.distribute.get_strategy().num_replicas_in_sync > 1:
            # After all are built: copying draws random numbers, and they start as on one device.
            built = {role: networks.synchronized(network) for role, network in built.items()}
        arguments = dict(self.config["model"])
        kind = getattr(models, arguments.pop("type"))
        with _building("model", self.config["model"]):
            if isinstance(arguments.get("loss"), dict):
                loss = dict(arguments["loss"])
                arguments["loss"] = losses.get(loss.pop("type", None), **loss)
            if "perceptual_loss" in arguments:
                arguments["perceptual_loss"] = self.perceptual_loss
            gan = kind(**built, **arguments)
        gan.compile(**{f: self._optimizer(f) for f in map(fields.optimizer, gan.sides)})
        return gan

    def build_evaluation(
        self, directory: Path, gan: keras_gans.AdversarialModel | None = None
    ) -> callbacks.Evaluate | None:
        """Returns the callback of the field `evaluation`, or `None`.

        Args:
            directory: for the best checkpoint.
            gan: to measure a few images of, so that what would fail after the first epoch, such as
                features of other images or an unknown `best`, is refused here.
        """
        if self.config["evaluation"] is None:
            return None
        options = dict(self.config["evaluation"])
        every, best = options.pop("every"), options.pop("best")
        evaluate = callbacks.Evaluate(self.evaluation(**options), every, best, directory)
        if gan is not None:
            self._try_evaluation(gan, options, best)
        return evaluate

    def _try_evaluation(self, gan, options, best):
        """Measures a few images: whether it can be done depends on networks, data and fields."""
        with tempfile.TemporaryDirectory() as cache:
            kept = {} if self.translates else {"cache_dir": cache}
            few = _FEW_PAIRS if self.translates else _FEW
            trial = self.evaluation(**{**options, "num_images": few, **kept})
            found = [m.protocol.metric for m in trial.measure(gan).values()]
        if best is not None and best not in found:
            raise ValueError(
                f"The recipe's 'evaluation.best' is no metric that is measured here."
                f"{did_you_mean(best, found)} Expected one of {found}, or null. "
                f"Received: best={best!r}"
            )

    def evaluation(
        self, data: Path | str | None = None, **options: Any
    ) -> metrics.Evaluation | metrics.TranslationEvaluation | metrics.Evaluations:
        """Returns a `metrics.Evaluation`, or `TranslationEvaluation`, of images as this recipe's.

        Args:
            data: name of the real images' data set; `None` for the recipe's own.
            **options: `features`, `split`, `reference_split`, `num_images`, `seed`, `cache_dir`;
                what is `None` is left to the evaluation. A list of `features` gives
                `metrics.Evaluations`.
        """
        source = self.config["data"]
        own = self._own_options() if data is None else ()
        images = {n: source[n] for n in (*_IMAGES, *own) if source.get(n) is not None}
        if data is not None or not isinstance(source.get("labels"), bool):
            images.pop("class_names", None)  # of other data, or not to be found without their file
        given = {n: v for n, v in options.items() if v is not None}
        if source.get("scale") is not None:
            kind: type = metrics.SuperResolutionEvaluation
        else:
            kind = metrics.TranslationEvaluation if self.translates else metrics.Evaluation
        return metrics.Evaluations.of(kind, data or source["name"], **images, **given)

    def _own_options(self):
        """Names of what only the recipe's data set understands, such as the kind of its pairs."""
        name, paired = self.config["data"]["name"], self.translates
        known = data.sources.names(paired)
        return data.sources.get(name, paired).options if name in known else ()

    @functools.cached_property
    def perceptual_loss(self) -> PerceptualLoss | None:
        """The perceptual loss of the recipe's model; `None` if it has none.

        Where the package with its network's weights is missing, it has random ones, and a training
        refuses it: what was trained can be used without that package.
        """
        given = self.config["model"].get("perceptual_loss")
        if given is None:
            return None
        with _building("model.perceptual_loss", given):
            return metrics.perceptual.loss(**given, untrained=True)

    def _optimizer(self, field):
        if self.config[field] is None:
            return None
        arguments = dict(self.config[field])
        with _building(field, self.config[field]):
            if isinstance(arguments.get("learning_rate"), dict):
                rate = dict(arguments["learning_rate"])
                arguments["learning_rate"] = _SCHEDULES[rate.pop("type")](**rate)
            return _OPTIMIZERS[arguments.pop("type")](**arguments)

    # ---- what is right and what is not

    def _complete(self, config):
        """Fills in every default, notes it in `self.defaults`, and refuses what does not fit."""
        gans = _public(models, keras_gans.AdversarialModel)
        sides = _sides(config.get("model"), gans)
        fields.require(config, sides)
        optimizers = dict.fromkeys(map(fields.optimizer, sides))
        for field, default in {**fields.FIELDS, **optimizers}.items():
            config.setdefault(field, default)
            self.defaults[field] = default
        for field, least in {"seed": 0, "epochs": 1, "samples": 1}.items():
            value = config[field]
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(
                    f"The recipe's {field!r} must be an integer of at least {least}. "
                    f"Received: {field}={value!r}"
                )
            if value >= 2**32:  # more is no seed to NumPy, and no count to anyone
                raise ValueError(
                    f"The recipe's {field!r} must be below 2**32. Received: {field}={value!r}"
                )
        _require_words(config)
        for field in ("data", "networks", "model"):
            if not isinstance(config[field], dict):
                raise ValueError(
                    f"The recipe's {field!r} must be an object of names to values. "
                    f"Received: {config[field]!r}"
                )
        if not isinstance(config["initial"], str | None):
            raise ValueError(
                "The recipe's 'initial' must be the name of a preset, the folder of one or of a "
                f"run, or null. Received: initial={config['initial']!r}"
            )
        if config["evaluation"] is not None:
            if not isinstance(config["evaluation"], dict):
                raise ValueError(
                    "The recipe's 'evaluation' must be an object of names to values, or null. "
                    f"Received: {config['evaluation']!r}"
                )
            evaluation = config["evaluation"]
            if "floor_split" in evaluation:  # what recipes of earlier versions call it
                evaluation.setdefault("reference_split", evaluation.pop("floor_split"))
            config["evaluation"] = self._filled(evaluation, _evaluated, "evaluation")
        seeded = {"seed": config["seed"]}
        loaded = {"type": "load", **seeded, **config["data"]}
        config["data"] = self._typed(loaded, _LOADERS, "data", _RUN)
        self.defaults["data.type"] = "load"

        kind = gans[_type(config["model"], gans, "model")]
        roles = [name for name, p in _parameters(kind).items() if p.default is p.empty]
        fields.refuse_unknown(config["networks"], roles, "networks.")
        known = _network_functions()
        for role in roles:
            config["networks"][role] = self._typed(
                config["networks"].get(role), known, f"networks.{role}"
            )
        config["model"] = self._typed({**seeded, **config["model"]}, gans, "model", roles)
        if (given := config["model"].get("perceptual_loss")) is not None:
            where = "model.perceptual_loss"
            if not isinstance(given, dict):
                raise ValueError(
                    f"The recipe's {where!r} must be an object with a network and its layers, or "
                    f"null. Received: {given!r}"
                )
            compared = self._filled(given, metrics.perceptual.loss, where, ("untrained",))
            config["model"]["perceptual_loss"] = compared
        for field in optimizers:
            if config[field] is not None:
                config[field] = self._typed(config[field], _OPTIMIZERS, field)
                if isinstance(rate := config[field].get("learning_rate"), dict):
                    where = f"{field}.learning_rate"
                    config[field]["learning_rate"] = self._typed(rate, _SCHEDULES, where)
        return json.loads(json.dumps(config))  # tuples become lists, as when it is read back

    def _typed(self, part, known, where, leave=()):
        kind = _type(part, known, where)
        given = {name: value for name, value in part.items() if name != "type"}
        return {"type": kind, **self._filled(given, known[kind], where, leave)}

    def _filled(self, given, function, where, leave=()):
        """Arguments of a function with its defaults, and nothing that it does not take."""
        parameters = {n: p for n, p in _parameters(function).items() if n not in leave}
        # A loader passes what it does not name to the data set, which checks it.
        if function not in _LOADERS.values():
            fields.refuse_unknown(given, parameters, f"{where}.")
        defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
        if missing := [n for n in parameters if n not in defaults and n not in given]:
            raise ValueError(
                f"The recipe's {where!r} lacks {missing}. Expected the arguments of "
                f"`{function.__name__}`: {list(parameters)}. Received: {sorted(given)}"
            )
        as_json = {n: list(v) if isinstance(v, tuple) else v for n, v in defaults.items()}
        self.defaults |= {f"{where}.{name}": value for name, value in as_json.items()}
        # In the order of the signature.
        ordered = {n: given[n] if n in given else defaults[n] for n in parameters}
        return {**ordered, **given}

    def rows(self) -> list[tuple[str, Any, Any]]:
        """Returns every field: `(dotted name, value, default)`, with `...` for no default."""
        return [
            (field, value, self.defaults.get(field, ...))
            for field, value in flat(self.config).items()
        ]

    def require_same(self, earlier: dict[str, Any], where: Path | str) -> None:
        """Raises ValueError, naming the fields, if `earlier` is another configuration."""
        # A field that a later version added had, then as now, its default.
        new = flat(self.config)
        old = {**{n: self.defaults[n] for n in new if n in self.defaults}, **flat(earlier)}
        changed = [
            f"{field} (was {old.get(field)!r}, now {new.get(field)!r})"
            for field in sorted(old.keys() | new.keys())
            if field.split(".")[0] not in _FREE and old.get(field) != new.get(field)
        ]
        if changed:
            raise ValueError(
                "This run was started with another configuration, and going on would mix the two. "
                "Expected the same, but for `epochs`. Undo the change, or start afresh with "
                f"`--new`. Received in {where}: {', '.join(changed)}"
            )


def _require_json(config):
    """Raises ValueError for what is no object of JSON: it may come from a program, too."""
    try:
        if not isinstance(config, dict):
            raise TypeError(f"it is a {type(config).__name__}, not a dictionary")
        json.loads(json.dumps(config, allow_nan=False), parse_int=_size)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(
            "A recipe is an object of names to values, as JSON has them: no NaN, no objects of "
            f"Python, not nested without an end. Received: {type(error).__name__}: {error}"
        ) from error


def _size(text):
    if len(text) > 19 or abs(int(text)) >= 2**63:
        raise ValueError(f"{text[:40]} is larger than any count or size")


def _require_words(config):
    require(config, {"description": str, "dtype_policy": str}, "recipe")
    try:
        keras.DTypePolicy(config["dtype_policy"])
    except ValueError as error:
        raise ValueError(
            "The recipe's 'dtype_policy' is no policy of Keras. Expected 'float32', "
            f"'mixed_bfloat16' or 'mixed_float16'. Received: {config['dtype_policy']!r}"
        ) from error


def build_network(config: dict[str, Any], where: str) -> keras.Model:
    """Returns a new network of a function and its arguments, as recipes and presets name them.

    >>> network = {"type": "compact_upscaler", "image_shape": [8, 8, 3], "width": 4}
    >>> build_network(network, "networks.generator").output_shape
    (None, 32, 32, 3)

    Args:
        config: `type`, a function of `keras_gans.networks`, and its arguments.
        where: dotted name, for errors.

    Raises:
        ValueError: for an unknown function, or arguments that it cannot build.
    """
    function = _network_functions()[_type(config, _network_functions(), where)]
    with _building(where, config):
        return function(**{name: value for name, value in config.items() if name != "type"})


def _network_functions():
    """By name, the functions that build a network from numbers."""
    return {n: getattr(networks, n) for n in networks.__all__ if n not in _OF_NETWORKS}


@contextlib.contextmanager
def _building(field, config):
    """Says which field of a recipe it is that cannot be built."""
    try:
        yield
    except (
        TypeError,
        AttributeError,
        LookupError,
        ArithmeticError,
        RecursionError,
        MemoryError,
        tf.errors.OpError,
    ) as error:
        raise ValueError(
            f"The recipe's {field!r} has a value that nothing can be built with. Look at the "
            f"kinds and sizes of its values. Received: {config} ({type(error).__name__}: {error})"
        ) from error


def _evaluated(
    every=5, best="frechet", features=None, split=None, reference_split=None, num_images=None
):
    """The fields of `evaluation` and their defaults: of `Evaluate`, and of `metrics.Evaluation`."""


def flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns nested fields under dotted names.

    >>> flat({"data": {"name": "digits"}, "epochs": 3})
    {'data.name': 'digits', 'epochs': 3}
    """
    rows = {}
    for key, value in config.items():
        if isinstance(value, dict) and value:
            rows.update(flat(value, f"{prefix}{key}."))
        else:
            rows[f"{prefix}{key}"] = value
    return rows


def _public(module, base):
    """The classes of a module, by name, that are kinds of `base`."""
    classes = {n: v for n, v in vars(module).items() if isinstance(v, type)}
    return {n: v for n, v in classes.items() if issubclass(v, base) and v is not base}


_OPTIMIZERS = {
    name: optimizer
    for home in (keras.optimizers, optimizers)
    for name, optimizer in _public(home, keras.optimizers.Optimizer).items()
}
_SCHEDULES = {
    name: schedule
    for home in (keras.optimizers.schedules, schedules)
    for name, schedule in _public(home, keras.optimizers.schedules.LearningRateSchedule).items()
}
_LOADERS = {f.__name__: f for f in (data.load, data.load_pairs, data.load_domains)}


def _type(part, known, where):
    """The `type` of a part, which is one of the names `known`."""
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in known:
        raise ValueError(
            f"The recipe's {where!r} must be an object with a known `type`."
            f"{did_you_mean(kind, known) if kind else ''} Expected one of {sorted(known)}. "
            f"Received: {part!r}"
        )
    return kind


def _sides(model, gans):
    """Names of the sides of a recipe's GAN; the usual two where it names no class."""
    kind = model.get("type") if isinstance(model, dict) else None
    known = isinstance(kind, str) and kind in gans
    return gans[kind].side_names if known else fields.SIDES


def _parameters(function):
    """What a function, or the making of a class, takes by name; a network's `name` left out."""
    is_class = inspect.isclass(function)
    homes = [function.__init__ if is_class else function]
    if is_class and issubclass(function, keras_gans.AdversarialModel):
        homes.append(keras_gans.AdversarialModel.__init__)  # takes the rest: `ema_decay`, `seed`
    found = {n: p for home in homes for n, p in inspect.signature(home).parameters.items()}
    ours = {"self", "name", "generator_side", "discriminator_side", "sides", "interfaces"}
    if function in _LOADERS.values():
        ours.remove("name")  # of the data set, not of a layer
    variadic = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {n: p for n, p in found.items() if n not in ours and p.kind not in variadic}
