"""The base class of all GANs: what is easy to get wrong in a training step is here."""

import contextlib
import copy
import functools
import numbers
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from keras_gans import batches, checks, fitting, generation, interface, latent, replicas, rooms
from keras_gans.files import hdf5_groups, nothing_skipped, target
from keras_gans.interface import Interface, Port
from keras_gans.names import deprecated, did_you_mean
from keras_gans.typing import Classes, Config, Losses, Optimizer, PathLike, Tensor

LOGITS = "The losses take logits, which have no bounds, and apply sigmoid or softmax themselves."


class AdversarialModel(keras.Model):
    """A `keras.Model` of several sides, each with its networks and its optimizer.

    A subclass passes its networks by side, lists what it logs in `tracked`, and writes
    `train_step` in the order of its paper's algorithm; `step` updates one side. Most GANs have
    the sides `generator` and `discriminator`. One with others lists all in `side_names`, and
    passes them as `sides`. See docs/base.md, and CONTRIBUTING.md for the checklist "to add a GAN".

    Args:
        generator_side: attribute names to built `keras.Model`s, in order; `call` and `generate`
            run the first one. A variable that two networks share counts once.
        discriminator_side: the same for the other side.
        ema_decay: decay in (0, 1) of the generators' moving averages, or `None` for none. After n
            steps it is `min(ema_decay, (1 + n) / (10 + n))`, so that the random initial weights
            soon have no share in the average.
        seed: integer from which every random number of a training is drawn.
        sides: names to sides, one for each of `side_names`, in place of the first two arguments.
        interfaces: names of networks to their `interface.Interface`, where the shapes of a network
            do not say what its inputs and outputs mean.
        **kwargs: of `keras.Model`, such as `name`.

    Raises:
        ValueError: for a side without networks, a network that is not a built `keras.Model`, an
            interface that its network does not fit, a decay out of range, or another backend of
            Keras than TensorFlow.
    """

    side_names: tuple[str, ...] = ("generator", "discriminator")
    # Sides whose networks have moving averages, if they are kept.
    averaged_sides: tuple[str, ...] = ("generator",)
    tracked: tuple[str, ...] = ("discriminator_loss", "generator_loss")
    num_classes: Classes | None = None  # of the labels that the networks take
    compared: tuple[str, ...] = ("source", "generated", "target")  # the columns of `compare`
    recipe: dict | None = None  # of a GAN that the zoo has built
    # Networks of a GAN opened from a preset that comes without their weights.
    untrained: Sequence[str] = ()
    largest_weight: float = 1.0  # of the terms of the losses; gradient norms are compared with it

    def __init__(
        self,
        generator_side: Mapping[str, keras.Model] | None = None,
        discriminator_side: Mapping[str, keras.Model] | None = None,
        ema_decay: float | None = None,
        seed: int | None = None,
        *,
        sides: Mapping[str, Mapping[str, keras.Model]] | None = None,
        interfaces: Mapping[str, Interface] | None = None,
        **kwargs: Any,
    ) -> None:
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "Training runs on Keras' TensorFlow backend, and so do whole GANs with their "
                "`generate`. Start Python with KERAS_BACKEND=tensorflow; or take the generator "
                "alone, which runs on every backend: `keras_gans.zoo.load(name).predict(...)`. "
                f"Received: {keras.backend.backend()}"
            )
        super().__init__(**kwargs)
        number = isinstance(ema_decay, numbers.Real) and not isinstance(ema_decay, bool)
        if ema_decay is not None and not (number and 0.0 < ema_decay < 1.0):
            raise ValueError(
                "`ema_decay` is the decay of the moving average of weights: above 0 and below "
                f"1, or None for no average. Received: ema_decay={ema_decay!r}"
            )
        if sides is None:
            sides = {"generator": generator_side, "discriminator": discriminator_side}
        networks = _networks_of(sides, self.side_names, interfaces or {})
        self.sides = {side: list(sides[side]) for side in self.side_names}
        for attribute, network in networks.items():
            setattr(self, attribute, network)
        for attribute in self.sides.get("generator", ()):
            made = getattr(self, attribute)
            checks.image_outputs(made, made.outputs)
        self.check_networks()
        self.ema_decay = ema_decay
        strategy = self.distribute_strategy
        for attribute, network in networks.items():
            replicas.require_scope(attribute, network, strategy)
        self.interfaces = _stated(interfaces or {}, networks)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.seed = self.seed_generator.get_config()["seed"]
        for attribute in self.averaged() if ema_decay is not None else ():
            average = keras.models.clone_model(getattr(self, attribute))
            average.set_weights(getattr(self, attribute).get_weights())
            average.trainable = False
            if attribute in self.interfaces:
                interface.state(average, self.interfaces[attribute])
            setattr(self, f"ema_{attribute}", average)
            _follow(getattr(self, attribute), average)
        self.statistics = None  # made by `compile`
        self.after_fit = Fit()
        self.built = True  # the networks are built already

    def check_networks(self) -> None:
        """Raises ValueError for networks that do not fit each other; see `require_fit`."""

    def __getattr__(self, name):
        # Not a property: Keras reads all of those when it saves, and each would warn.
        if name == "gauges":
            deprecated("AdversarialModel.gauges", "statistics")
            return self.statistics
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # ---- what users call

    def compile(
        self,
        generator_optimizer: Optimizer | None = None,
        discriminator_optimizer: Optimizer | None = None,
        **kwargs: Any,
    ) -> None:
        """Sets the optimizer of each side, and builds them.

        Args:
            generator_optimizer: a Keras optimizer, its name, or `None` for the class's own
                (`default_optimizer`). Learning rates decay by a `LearningRateSchedule`.
            discriminator_optimizer: the same for the discriminator's side.
            **kwargs: `<side>_optimizer` of any other side; and of `keras.Model.compile`:
                `run_eagerly`, `steps_per_execution`, `jit_compile` (False unless asked for:
                docs/benchmarks.md).

        Raises:
            ValueError: for one optimizer on two sides, the optimizer of a side that the class
                lacks, or what several replicas cannot do.
        """
        for name in ("loss", "optimizer", "metrics", "weighted_metrics", "loss_weights"):
            if kwargs.pop(name, None) is not None:
                raise ValueError(
                    f"A GAN has an optimizer for each side, and its own losses: `compile` takes no "
                    f"`{name}`. Pass `generator_optimizer` and `discriminator_optimizer` here, "
                    f"and the loss to the model. Received: {name}"
                )
        given = {
            "generator_optimizer": generator_optimizer,
            "discriminator_optimizer": discriminator_optimizer,
        }
        given |= {name: kwargs.pop(name) for name in list(kwargs) if name.endswith("_optimizer")}
        optimizers = {side: given.pop(f"{side}_optimizer", None) for side in self.sides}
        if unknown := {name: value for name, value in given.items() if value is not None}:
            raise ValueError(
                f"{type(self).__name__} has no such side. Expected "
                f"{[f'{side}_optimizer' for side in self.sides]}. Received: {sorted(unknown)}"
            )
        _require_own(optimizers)
        kwargs.setdefault("jit_compile", False)
        super().compile(optimizer=None, loss=None, **kwargs)  # None, or Keras makes an RMSprop
        with self.distribute_strategy.scope():
            for side, optimizer in optimizers.items():
                setattr(self, f"{side}_optimizer", self._ready(side, optimizer))
            self.optimizer = _All([getattr(self, f"{side}_optimizer") for side in self.sides])
            self.trackers = {name: keras.metrics.Mean(name=name) for name in self.tracked}
            self.statistics = TrainingStatistics(self.sides)

    def default_optimizer(self) -> keras.optimizers.Optimizer:
        """Returns a new optimizer: Adam(2e-4, beta_1=0.5) (Radford 2015, section 4)."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    def fit(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> keras.callbacks.History:
        """Trains, as `keras.Model.fit`, after a check of the first batch.

        The first batch is still the first to train on.

        Raises:
            ValueError: before anything is traced, for data whose shape, type or range differ from
                those of the generator's images, an infinite data set without `steps_per_epoch`,
                or callbacks that monitor what is not logged.
        """
        fitting.require_possible(self, x, {"batch_size": batch_size, **kwargs})
        watches = kwargs.get("validation_data") is not None or kwargs.get("validation_split")
        if watches and type(self).test_step is AdversarialModel.test_step:
            raise ValueError(self._no_validation("validation_data"))
        if tf.distribute.has_strategy():  # the networks may have been made outside of it
            replicas.require_scope("generator", self, tf.distribute.get_strategy())
        sample, x = batches.look(x, y, batch_size)
        for batch in sample:  # the first and the last, which may be smaller
            replicas.require_examples(batch, self.distribute_strategy)
        for batch in sample[:1]:
            self.check_data(batch)
        self.statistics.first_batch = sample[0] if sample else None
        # Keras' default, True, warns for data sets and generators.
        kwargs.setdefault("shuffle", not isinstance(x, (tf.data.Dataset, types.GeneratorType)))
        with Fit() as self.after_fit:
            # Callbacks set the first epoch of this training, Keras' own too; not of the next one.
            self.after_fit.callback(setattr, self, "_initial_epoch", None)
            return super().fit(x, y, batch_size=batch_size, **kwargs)

    def save(self, filepath: PathLike, overwrite: bool = True, **kwargs: Any) -> None:
        """As `keras.Model.save`, but a `.keras` file is complete or absent, also on a full disk."""
        if str(filepath).endswith((".h5", ".hdf5")):
            raise ValueError(
                "A GAN is saved in the `.keras` format: `save('gan.keras')`; its weights alone "
                f"with `save_weights('gan.weights.h5')`. Received: {filepath}"
            )
        whole = str(filepath).endswith(".keras")
        with target(filepath, whole and overwrite and not kwargs) as file:
            super().save(file, overwrite=overwrite, **kwargs)

    def save_weights(
        self, filepath: PathLike, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """As `keras.Model.save_weights`, but complete or absent, also on a full disk."""
        whole = str(filepath).endswith(".weights.h5")
        with target(filepath, whole and overwrite and max_shard_size is None) as file:
            super().save_weights(file, overwrite=overwrite, max_shard_size=max_shard_size)

    def export(self, filepath: PathLike, *args: Any, **kwargs: Any) -> None:
        """Exports `inference_generator`, as `keras.Model.export` does.

        `keras_gans.export` adds signatures, limits and a seed, and other formats.
        """
        return self.inference_generator.export(filepath, *args, **kwargs)

    def load_weights(self, filepath: PathLike, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """As `keras.Model.load_weights`, but skipped weights are an error without `skip_mismatch`.

        A `.weights.h5` is checked first: all numbers are in the file itself, no array is larger
        than the largest of this model, and the weights of networks are finite.
        """
        if str(filepath).endswith(".weights.h5"):
            from keras_gans.reading import hdf5  # here: `import keras_gans` needs no h5py

            networks = [name for side in self.sides.values() for name in side]
            roles = (f"{prefix}{name}/" for name in networks for prefix in ("", "ema_"))
            hdf5.require_loadable(filepath, self.variables, roles)
        if not skip_mismatch:
            self._require_same_averages(filepath)
        with contextlib.nullcontext() if skip_mismatch else nothing_skipped():
            super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)

    def call(self, inputs: Any, training: bool = False) -> Tensor:
        """Runs `inference_generator`."""
        return self.inference_generator(inputs, training=training)

    @property
    def generator_role(self) -> str:
        """Attribute name of the network that `call` and `generate` run: the first."""
        return next(iter(self.sides.values()))[0]

    @property
    def inference_generator(self) -> keras.Model:
        """The first generator; its moving average, if the GAN has averages."""
        return self.in_use(self.generator_role)

    def reset_averages(self) -> None:
        """Sets the moving averages to the generators' present weights.

        `load_weights` and `set_weights` of a generator do this too. Call it after weights were
        changed in another way, such as those of one layer.
        """
        for name in self.averaged() if self.ema_decay is not None else ():
            getattr(self, f"ema_{name}").set_weights(getattr(self, name).get_weights())

    def in_use(self, name: str) -> keras.Model:
        """Returns a network for inference: the moving average of a generator, if there is one."""
        averaged = self.ema_decay is not None and name in self.averaged()
        return getattr(self, f"ema_{name}" if averaged else name)

    def averaged(self) -> list[str]:
        """Returns the names of the networks that have a moving average if `ema_decay` is set."""
        return [name for side in self.averaged_sides for name in self.sides[side]]

    def interface(self, role: str = "generator") -> Interface:
        """Returns the inputs and outputs of a network: an `interface.Interface`.

        >>> gan.interface().outputs[0].shape
        (28, 28, 1)

        Args:
            role: attribute name of the network.

        Raises:
            ValueError: for a network that the GAN does not have.
        """
        roles = [name for side in self.sides.values() for name in side]
        if role not in roles:
            raise ValueError(
                f"{type(self).__name__} has no such network.{did_you_mean(role, roles)} Expected "
                f"one of {roles}. Received: role={role!r}"
            )
        scores = role in self.sides.get("discriminator", ())
        # Where there are several conditions, it is stated what they are.
        classes = self.num_classes if isinstance(self.num_classes, int) else None
        return interface.of(getattr(self, role), classes, scores)

    def state_input(self, port: Port, role: str = "generator") -> None:
        """States what the shape of an input does not say: codes of latents, names of classes.

        Args:
            port: an input of `keras_gans.interface`; it replaces the one with its name.
            role: attribute name of the network.

        Raises:
            ValueError: for an input that the network does not have.
        """
        stated = self.interface(role).with_input(port)
        for network in (getattr(self, role), self.in_use(role)):
            interface.state(network, stated)

    def generate(
        self,
        num_images: int | ArrayLike | None = None,
        *,
        latents: ArrayLike | None = None,
        truncation: float | None = None,
        seed: int | None = None,
        batch_size: int = 64,
        **inputs: Any,
    ) -> np.ndarray | dict[str, np.ndarray]:
        """Generates images, the same ones for the same seed.

        >>> images = gan.generate(16, seed=0)
        >>> path = keras_gans.image.save(images, "grid.png")

        What else can be chosen, the generator's interface says (`gan.interface().options`):

        - labels, by the name of their input, such as `labels=7` or `labels=[1, 1, 2]`: integers
          `(num_images,)`, or one for all; or the names of classes, `hair="blonde"`, where the
          interface has them. Those left out are all classes in turn, so that a grid of as many
          columns has a class in each; of several conditions they are drawn evenly;
        - `categorical`, of an InfoGAN: an integer for all images if there is one categorical code,
          or integers `(num_images, number of codes)`. Left out, it is drawn;
        - `continuous`, of an InfoGAN: floats `(continuous,)` for all images, or `(num_images,
          continuous)`, trained on [-1, 1]. Left out, it is drawn;
        - texts, `text="a face with red hair"` for all images, or a list with one for each; left
          out, they are the examples that the interface has, in turn;
        - any other input by its name: an array with a row for each image.

        Args:
            num_images: how many; ignored when `latents` are given. `None` is one for each of
                several texts, or else 16. Of a generator that takes images and no latents, the
                images: floats in [-1, 1].
            latents: float array `(num_images, latent_dim)` to use instead of drawing, codes
                included; of several inputs of latents, those of all in a row.
            truncation: largest size of a latent's coordinate (Brock 2019, section 3.1).
            seed: integer; fewer images are the first of more. `None` draws new ones at each call.
            batch_size: how many to generate at once.
            **inputs: of the generator, as above.

        Returns:
            float32 NumPy array `(num_images, *image_shape)`, in the generator's range: [-1, 1]
            for images. Of a generator with several outputs a dict of such arrays, by the names of
            the outputs.

        Raises:
            ValueError: for what the generator does not take, or values that do not fit it: labels
                out of range, no integers, or not as many as images.
        """
        described = self.interface(self.generator_role)
        given = num_images is not None and not np.isscalar(num_images)
        if described.takes_image and not described.takes_latents and given:
            inputs[described.image.name] = num_images
        generation.require_options(described, inputs, type(self).__name__)
        if num_images is None:
            num_images = generation.number_of(described, inputs)
        if (taken := described.image) is not None:
            inputs[taken.name] = generation.require_images(inputs.get(taken.name), taken.shape)
            num_images = len(inputs[taken.name])
        if seed is None:  # what is drawn for latents that are given is the same at each call
            seed = latent.new_seed() if latents is None else 0
        if described.latent_dim:
            latents = self.given_latents(num_images, latents, truncation, seed)
            num_images = len(latents)
        arrays = generation.fill(described, num_images, latents, inputs, seed)
        return self.run_generator(*arrays, batch_size=batch_size)

    def compare(self, source: np.ndarray, target: np.ndarray) -> list[np.ndarray]:
        """Makes the columns of a sheet of an image-to-image generator, which `compared` names.

        Args:
            source: images to give it, floats `(number, height, width, channels)` in [-1, 1].
            target: images to show beside what it makes of them.

        Returns:
            A list of arrays of images, one for each column.
        """
        made = self.generate(source)
        return [
            source,
            *generation.images_of(self.interface(self.generator_role), made).values(),
            target,
        ]

    def given_latents(
        self,
        num_images: int,
        latents: ArrayLike | None = None,
        truncation: float | None = None,
        seed: int | None = None,
    ) -> np.ndarray:
        """Returns the latents for `generate`: those given, checked, or new ones."""
        described = self.interface(self.generator_role)
        size = described.latent_dim
        if latents is None:
            return generation.draw(described, num_images, truncation, seed)
        latents = np.asarray(latents)
        numbers_ = latents.dtype.kind in "fiu" and np.isfinite(latents).all()
        if latents.shape[1:] != (size,) or not len(latents) or not numbers_:
            raise ValueError(
                "These latents do not fit the generator. Expected finite numbers of shape "
                f"(num_images, {size}). Received: {latents.dtype} of shape {latents.shape}"
            )
        return latents.astype("float32")

    def run_generator(
        self, *inputs: np.ndarray, batch_size: int = 64
    ) -> np.ndarray | dict[str, np.ndarray]:
        """Returns the outputs of `inference_generator` for arrays, one for each of its inputs."""
        made = generation.run(self.inference_generator, inputs, batch_size)
        return generation.named(self.interface(self.generator_role), made)

    # ---- presets

    @classmethod
    def from_preset(cls, preset: PathLike, load_weights: bool = True) -> "AdversarialModel":
        """Opens the GAN of a preset, to generate with or to go on training.

        >>> gan = keras_gans.DCGAN.from_preset("dcgan_digits_28")
        >>> gan.generate(4, seed=0).shape
        (4, 28, 28, 1)

        A preset that comes without its discriminator gives one that is untrained: `untrained`
        names such networks.

        Args:
            preset: name of a preset, the folder of one or of a run, or its address on a hub: see
                `keras_gans.zoo.card`.
            load_weights: `False` gives all networks the random weights that a training starts from.

        Returns:
            The compiled GAN, of this class or of one that inherits from it.

        Raises:
            ValueError: if there is no such preset, it is of another class, or a file is damaged.
        """
        return rooms.room("zoo").open_gan(preset, load_weights=load_weights, kind=cls)

    def save_to_preset(
        self, folder: PathLike, recipe: dict[str, Any] | None = None, **options: Any
    ) -> PathLike:
        """Writes a preset of the networks in use, which `from_preset` and `zoo.load` take.

        >>> gan = keras_gans.DCGAN.from_preset("dcgan_digits_28")
        >>> folder = gan.save_to_preset("my_digits")
        >>> type(keras_gans.DCGAN.from_preset("my_digits")).__name__
        'DCGAN'

        Args:
            folder: to write; its name is that of the preset.
            recipe: by which the networks are built, as a dictionary (docs/recipes.md). `None` takes
                that of the preset or run which the GAN was opened from.
            **options: of `keras_gans.zoo.save_preset`, such as `parts` and `overwrite`.

        Returns:
            The `pathlib.Path` of the folder.

        Raises:
            ValueError: for a GAN without a recipe, or another than its recipe makes.
            FileExistsError: if something is there that may not be replaced.
        """
        recipe = self.recipe if recipe is None else recipe
        if recipe is None:
            raise ValueError(
                "A preset is built by its recipe, so that loading runs no code, and of this GAN "
                "none is known. Expected `recipe={'networks': ..., 'model': ..., ...}`, as "
                "docs/recipes.md describes it, or a GAN opened from a preset or run. "
                f"Received: a {type(self).__name__}, recipe=None"
            )
        return rooms.room("zoo").save_preset(self, folder, {"recipe": recipe}, **options)

    # ---- for `train_step`

    def step(self, side: str, tape: tf.GradientTape, losses: Losses) -> None:
        """Takes one optimizer step of one side, on the sum of `losses`.

        Only here are losses averaged over the batch, divided by the number of replicas (Keras'
        optimizers sum over them), and scaled for float16.

        Args:
            side: one of `side_names`.
            tape: the `tf.GradientTape` that recorded `losses`; unless persistent, it is then empty.
            losses: names of `tracked` to float32 tensors of any shape, already weighted. Each is
                logged as its mean.
        """
        for name, loss in losses.items():
            if name not in self.trackers or loss.dtype != "float32":
                raise ValueError(
                    f"`step` takes float32 losses under the names that the class tracks, "
                    f"{self.tracked}. Received: {name!r} of {loss.dtype}"
                )
        optimizer = getattr(self, f"{side}_optimizer")
        variables = self.variables_of(side)
        scale = optimizer.scale_loss(tf.constant(1.0 / replicas.number()))
        shares = [
            tf.fill(tf.shape(t), scale / tf.cast(tf.size(t), "float32")) for t in losses.values()
        ]
        gradients = tape.gradient(list(losses.values()), variables, output_gradients=shares)
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            gradients = replicas.all_or_none_finite(gradients)
        optimizer.apply(gradients, variables)
        for name, loss in losses.items():
            self.trackers[name].update_state(loss)
        self.statistics.add(side, _norm(gradients) / scale)

    def observe(self, real: tf.Tensor, fake: tf.Tensor) -> None:
        """Adds the discriminator's outputs of a step to the training statistics.

        Called beside the discriminator's loss. Nothing is logged or saved;
        `callbacks.TrainingHealth` reads the statistics. A model that is not compiled has none.

        Args:
            real: its logits, scores or energies of real examples, of any shape.
            fake: the same of generated ones.
        """
        if self.statistics is not None:
            logits = [tf.cast(values, "float32") for values in (real, fake)]
            values = logits + [tf.sigmoid(logit) for logit in logits]
            self.statistics.add("outputs", *(tf.reduce_mean(value) for value in values))

    def images(self, data: Any) -> tf.Tensor:
        """Returns the real images of a batch, float32, checked against the generator's output."""
        return batches.real_images(data, self.generator.output_shape[1:], type(self).__name__)

    def check_data(self, batch: Any) -> None:
        """Checks the values of a batch too; `fit` calls it with the first one, eagerly."""
        batches.check_range(self.images(batch))

    def check_parts(self, real: tf.Tensor, parts: int, name: str) -> None:
        """Raises ValueError unless each replica's part of a batch splits into equal parts."""
        share = real[: len(real) // self.distribute_strategy.num_replicas_in_sync]
        batches.require_parts(share, parts, name)

    def split(self, batch: tf.Tensor, parts: int, name: str = "parts") -> list[tf.Tensor]:
        """Splits a batch into equal parts, for several steps with new data each.

        The loop over them is Python's: an optimizer inside `tf.while_loop` fails on replicas.
        """
        return batches.split(batch, parts, name)

    def latents(self, like: tf.Tensor) -> tf.Tensor:
        """Returns standard normal latents, one for each example of `like`, new at each call.

        Each replica takes its part of one draw, so that a batch has the same latents on any
        number of replicas.
        """
        return self._own_part(like, self.draw_latents)

    def noise(self, like: tf.Tensor) -> tf.Tensor:
        """Returns standard normal values of the shape of `like`, drawn as `latents` are."""

        def draw(number, seed):
            return tf.random.stateless_normal((number, *like.shape[1:]), seed, alg="philox")

        return self._own_part(like, draw)

    def _own_part(self, like, draw):
        """Returns this replica's part of what `draw(number, seed)` makes for all replicas."""
        replica = tf.distribute.get_replica_context()
        number, parts = tf.shape(like)[0], replica.num_replicas_in_sync
        # The algorithm is named, as XLA and each kind of device choose another one by default.
        everyones = draw(number * parts, self.common_seed())
        return everyones[number * replica.replica_id_in_sync_group :][:number]

    def draw_latents(self, number: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Returns standard normal latents `(number, latent_dim)` of a stateless seed."""
        return tf.random.stateless_normal((number, latent.dim(self.generator)), seed, alg="philox")

    def common_seed(self) -> tf.Tensor:
        """Returns a stateless seed, different at each call and the same on all replicas."""
        return tf.cast(self.seed_generator.next(), "int32")

    def next_seed(self) -> tf.Tensor:
        """Returns a stateless seed, different at each call and replica, which resumes exactly."""
        seed = self.common_seed()
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return tf.random.experimental.stateless_fold_in(seed, replica, alg="philox")

    def mean_over_replicas(self, value: tf.Tensor) -> tf.Tensor:
        """Returns the mean of a tensor over all replicas; gradients pass through it.

        For losses that compare examples of the whole batch: one replica and several then agree.
        """
        return replicas.mean(value)

    def update_averages(self) -> None:
        """Updates the moving averages of the generators, if any, after a generator step.

        Before that, the moving statistics of normalisation layers are averaged over replicas.
        """
        replicas.share_statistics([getattr(self, n) for side in self.sides.values() for n in side])
        for side in self.averaged_sides if self.ema_decay is not None else ():
            steps = tf.cast(getattr(self, f"{side}_optimizer").iterations, "float32")
            decay = tf.minimum(self.ema_decay, (1.0 + steps) / (10.0 + steps))
            for name in self.sides[side]:
                self._update_average(getattr(self, name), getattr(self, f"ema_{name}"), decay)

    def _update_average(self, source, average, decay):
        learned = {id(v) for v in source.trainable_variables}
        for mean, value in zip(average.weights, source.weights):
            # Statistics, such as batch normalisation's, are averages already, and are copied.
            share = tf.cast(decay, mean.dtype) if id(value) in learned else 0.0
            mean.assign(share * mean + (1.0 - share) * value)

    def variables_of(self, side: str) -> list[keras.Variable]:
        """Returns the trainable variables of a side, each once (CoGAN shares some)."""
        networks = (getattr(self, name) for name in self.sides[side])
        return list({id(v): v for n in networks for v in n.trainable_variables}.values())

    # ---- Keras' side of the contract

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values()) if self.compiled else []

    def get_metrics_result(self) -> dict[str, tf.Tensor]:
        logs = super().get_metrics_result()
        # MultiWorkerMirroredStrategy: Keras gathers logs along axis 0, which scalars lack.
        if not tf.distribute.in_cross_replica_context():
            strategy = tf.distribute.get_strategy()
            if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
                logs = {name: tf.reshape(value, (1,)) for name, value in logs.items()}
        return logs

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Does nothing: all is built, and Keras' build fails for pairs on several workers."""

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        raise NotImplementedError(f"{type(self).__name__} does not define `train_step`.")

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        raise ValueError(self._no_validation("evaluate"))

    def _no_validation(self, received):
        return (
            "The losses of a GAN compare its sides and do not measure the quality of images, so "
            "there is nothing to evaluate on held-out data. Look at samples "
            "(`keras_gans.callbacks.SampleGrid`), and monitor a training loss with `mode='min'`. "
            f"Received: {received}"
        )

    def _ready(self, side, optimizer):
        optimizer = self.default_optimizer() if optimizer is None else optimizer
        optimizer = keras.optimizers.get(optimizer)
        scales = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        networks = [getattr(self, name) for name in self.sides[side]]
        half = any(x.compute_dtype == "float16" for n in networks for x in n.layers)
        if half and not scales:
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        replicas.require_supported(self, optimizer)
        replicas.require_scope(f"{side}_optimizer", optimizer, self.distribute_strategy)
        if not optimizer.built:  # inside a replica it would fail, and loading would skip it
            optimizer.build(self.variables_of(side))
        return optimizer

    def get_config(self) -> Config:
        names = [name for side in self.sides.values() for name in side]
        networks = {n: keras.saving.serialize_keras_object(getattr(self, n)) for n in names}
        config = {"name": self.name, "ema_decay": self.ema_decay, "seed": self.seed, **networks}
        if self.interfaces:
            config["interfaces"] = {role: i.to_json() for role, i in self.interfaces.items()}
        return config

    @classmethod
    def from_config(cls, config: Config) -> "AdversarialModel":
        # A copy: Keras changes the config as it reads it.
        return cls(**keras.saving.deserialize_keras_object(copy.deepcopy(config)))

    def get_compile_config(self) -> Config:
        if not self.compiled:
            return {}
        dump = keras.saving.serialize_keras_object
        return {
            **{f"{s}_optimizer": dump(getattr(self, f"{s}_optimizer")) for s in self.sides},
            "steps_per_execution": self.steps_per_execution,
            "run_eagerly": self.run_eagerly,
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config: Config) -> None:
        self.compile(**keras.saving.deserialize_keras_object(config))

    def _require_same_averages(self, filepath):
        """Raises ValueError if only one of a file and this model has moving averages."""
        groups = hdf5_groups(filepath)
        kept = any(f"ema_{name}" in groups for name in self.averaged())
        if groups and kept != (self.ema_decay is not None):
            has, needs = ("", "not ") if kept else ("no ", "")
            raise ValueError(
                f"The file has {has}moving averages of the generators, and this model does "
                f"{needs}have them. Make the model with "
                f"`ema_decay={'0.999' if kept else 'None'}` before loading, as when it was saved. "
                f"Received: {filepath}, ema_decay={self.ema_decay}"
            )

    def _seed_states(self):
        """Returns the state of each random generator, also of layers: Keras saves none of them."""
        return [v for v in self.non_trainable_variables if v.name == "seed_generator_state"]

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        for number, state in enumerate(self._seed_states()):
            store[f"seed_state_{number}"] = state.numpy()
        for number, so_far in enumerate(self.metrics_variables):
            # Of this process alone: reading the others' would need all workers.
            parts = self.distribute_strategy.experimental_local_results(so_far.value)
            store[f"metric_{number}"] = sum(part.numpy() for part in parts)

    def load_own_variables(self, store: Any) -> None:
        # Of the GAN itself, such as a moving average that a loss needs.
        for number, own in enumerate([*self._trainable_variables, *self._non_trainable_variables]):
            own.assign(store[f"{number}"])
        for number, state in enumerate(self._seed_states()):
            state.assign(store[f"seed_state_{number}"])
        for number, so_far in enumerate(self.metrics_variables):
            if f"metric_{number}" in store:  # absent if the model was not compiled
                so_far.assign(store[f"metric_{number}"])


class Fit(contextlib.ExitStack):
    """What callbacks leave with one `fit`: what it must undo, and what belongs to a checkpoint.

    Attributes:
        stateful: list of the callbacks whose `state` `callbacks.Resume` saves and loads.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stateful: list[Any] = []


class _All:
    """The optimizers of all sides, as Keras' callbacks read them from `model.optimizer`."""

    built = True

    def __init__(self, optimizers):
        self.optimizers = optimizers

    @property
    def variables(self):
        return [v for optimizer in self.optimizers for v in optimizer.variables]

    @property
    def iterations(self):
        return self.optimizers[0].iterations


def _follow(network, average):
    """Makes weights that are loaded into a network also the weights of its moving average."""

    def followed(method):
        @functools.wraps(method)
        def loaded(*args, **kwargs):
            method(*args, **kwargs)
            average.set_weights(network.get_weights())

        return loaded

    network.load_weights = followed(network.load_weights)
    network.set_weights = followed(network.set_weights)


class TrainingStatistics:
    """Means since the last reading: gradient norms, and the discriminator's outputs.

    A plain object, so that Keras neither logs nor saves it: it changes no checkpoint. Each replica
    has its own sums, and reading adds those of all replicas.
    """

    def __init__(self, sides: Iterable[str]) -> None:
        self.first_batch = None  # of the data that `fit` was given
        self.names = {
            "outputs": ("real_logit", "fake_logit", "real_probability", "fake_probability"),
            **{side: (f"{side}_gradient_norm",) for side in sides},
        }
        self._sums = {  # the last entry of each is the number of steps
            key: tf.Variable(
                tf.zeros(len(names) + 1),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.SUM,
            )
            for key, names in self.names.items()
        }

    def add(self, key: str, *values: tf.Tensor) -> None:
        """Adds one step's float32 scalars to the means of `names[key]`."""
        row = tf.stack([*values, 1.0])
        # A step that overflowed in float16 does not count: the optimizer skips it, too.
        finite = tf.math.is_finite(tf.reduce_sum(row))
        self._sums[key].assign_add(tf.where(finite, row, 0.0))

    def read(self) -> dict[str, float]:
        """Returns the means since the last call, by name, and resets them."""
        means = {}
        for key, names in self.names.items():
            *totals, count = self._sums[key].numpy().tolist()
            means |= {name: total / count for name, total in zip(names, totals) if count}
            self._sums[key].assign(tf.zeros(len(names) + 1))
        return means


def _networks_of(sides, side_names, interfaces):
    """Returns the networks of all sides by attribute name, checked."""
    if set(sides) != set(side_names) or not all(sides.values()):
        raise ValueError(
            f"Each side needs its networks. Expected {list(side_names)}, each with attribute names "
            "and networks. "
            f"Received: { {side: list(networks or ()) for side, networks in sides.items()} }"
        )
    networks = {}
    for attribute, network in (item for side in sides.values() for item in side.items()):
        stated = isinstance(network, keras.Model) and interface.is_stated(network)
        checks.network(attribute, network, stated or attribute in interfaces)
        if attribute in networks:
            raise ValueError(
                "Each network belongs to one side, and has an attribute name of its own. "
                f"Received: {attribute!r} twice"
            )
        networks[attribute] = network
    return networks


def _stated(interfaces, networks):
    """Returns the given interfaces by network, and states each on its network."""
    if unknown := set(interfaces) - set(networks):
        raise ValueError(
            f"`interfaces` names networks. Expected some of {list(networks)}. "
            f"Received: {sorted(unknown)}"
        )
    given = {
        role: i if isinstance(i, Interface) else Interface.from_json(i)
        for role, i in interfaces.items()
    }
    for role, stated in given.items():
        interface.state(networks[role], stated)
    return given


def _require_own(optimizers):
    """Raises ValueError if two sides share an optimizer."""
    objects = [o for o in optimizers.values() if isinstance(o, keras.optimizers.Optimizer)]
    if len({id(optimizer) for optimizer in objects}) != len(objects):
        raise ValueError(
            "An optimizer keeps the moments of one side, so each side needs its own. Make one for "
            f"each. Received: one optimizer for two of {list(optimizers)}"
        )


def _norm(gradients):
    """Returns the Euclidean norm of all gradients together; a missing one counts as 0."""
    halves = [tf.nn.l2_loss(tf.convert_to_tensor(g)) for g in gradients if g is not None]
    return tf.sqrt(2.0 * tf.add_n([tf.cast(half, "float32") for half in halves]))


def require_inputs(network: keras.Model, *names: str) -> None:
    """Raises ValueError unless a network has these inputs, such as latents and labels."""
    shapes = [tuple(tensor.shape)[1:] for tensor in network.inputs]
    fits = {
        "latents": lambda shape: len(shape) == 1 and shape[0] is not None,
        "labels": lambda shape: shape == (),
    }
    if len(shapes) != len(names) or not all(
        fits.get(name, len)(shape) for name, shape in zip(names, shapes)
    ):
        wanted = f"[{', '.join(names)}]" if len(names) > 1 else names[0]
        raise ValueError(
            f"The network {network.name!r} must take `{wanted}`. Latents are vectors, "
            "`keras.Input((latent_dim,))`, and labels single integers, `keras.Input((), "
            "dtype='int32')`; networks with labels are those of `networks.conditional_...`. "
            f"Received: {len(shapes)} input(s), of shapes {shapes} without the batch"
        )


def require_fit(generator: keras.Model, network: keras.Model, role: str = "discriminator") -> None:
    """Raises ValueError unless a network, such as the discriminator, takes the generator's images.

    Args:
        generator: that returns images.
        network: whose first input is compared with them.
        role: what to call it.
    """
    if len(generator.outputs) != 1:
        raise ValueError(
            f"The generator must return images and nothing else. Make a model of that output "
            "alone: `keras.Model(generator.inputs, generator.outputs[0])`. "
            f"Received: {generator.name!r} with {len(generator.outputs)} outputs"
        )
    made, taken = generator.output_shape[1:], tuple(network.inputs[0].shape)[1:]
    if len(made) != len(taken) or any(b not in (a, None) for a, b in zip(made, taken)):
        raise ValueError(
            f"The networks do not fit: the {role} takes images of another shape than the "
            "generator returns. Build both from one `image_shape`. "
            f"Received: generator returns {made}, {role} takes {taken}"
        )


def require_logits(discriminator: keras.Model) -> None:
    """Raises ValueError unless a discriminator ends in one logit, or a map of them."""
    logits = tuple(discriminator.outputs[0].shape)
    if len(discriminator.outputs) != 1 or logits[-1:] != (1,):
        raise ValueError(
            "The discriminator must end in one logit, `Dense(1)` or a map of them, "
            "`(batch, height, width, 1)`, and return nothing else. "
            f"Received: output shape {discriminator.output_shape}"
        )
    checks.linear_outputs(discriminator, discriminator.outputs, LOGITS)


def require_outputs(discriminator: keras.Model, **sizes: int) -> None:
    """Raises ValueError unless a discriminator ends in heads of these sizes, in this order.

    All must be linear, except the means of `continuous` codes, which lie in [-1, 1].
    """
    found = [tuple(output.shape) for output in discriminator.outputs]
    if [shape[1:] for shape in found] != [(size,) for size in sizes.values()]:
        wanted = ", ".join(f"{name} (batch, {size})" for name, size in sizes.items())
        raise ValueError(
            f"The discriminator {discriminator.name!r} does not have the heads that this GAN "
            f"needs. Expected the outputs {wanted}. Received: {found}"
        )
    logits = [x for x, name in zip(discriminator.outputs, sizes) if name != "continuous"]
    checks.linear_outputs(discriminator, logits, LOGITS)
