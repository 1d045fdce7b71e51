"""The one base class. A GAN's own file reads as its paper; what is easy to get wrong is here."""

import contextlib
import copy

import keras
import numpy as np
import tensorflow as tf

from keras_gans import batches, latent, replicas
from keras_gans.files import nothing_skipped, target

SIDES = ("generator", "discriminator")


class AdversarialModel(keras.Model):
    """Two sides, two optimizers, one verb to move a side: `step`.

    A subclass hands its networks over by side, names what it logs in `tracked`, and writes
    `train_step` in the order of its paper's algorithm. See docs/base.md, and CONTRIBUTING.md for
    the checklist "to add a GAN".

    Args:
        generator_side: attribute name to built `keras.Model`, in order; the first is the one
            that `call` and `generate` run. A variable that two networks share counts once.
        discriminator_side: the same for the other side.
        ema_decay: decay in (0, 1) of the generators' moving averages, or `None` for none. It warms
            up as `min(ema_decay, (1 + n) / (10 + n))` after n steps, so that the random start is
            forgotten at once.
        seed: integer from which every random number of a training is drawn.
        **kwargs: of `keras.Model`, such as `name`.

    Raises:
        ValueError: for a network that is not a built `keras.Model`, a decay out of range, or
            another backend of Keras than TensorFlow.
    """

    tracked = ("discriminator_loss", "generator_loss")
    largest_weight = 1.0  # of the terms of the losses: what a gradient's size is to be seen beside

    def __init__(self, generator_side, discriminator_side, ema_decay=None, seed=None, **kwargs):
        if keras.backend.backend() != "tensorflow":
            raise ValueError(
                "Training runs on Keras' TensorFlow backend, and so do whole GANs with their "
                "`generate`. Start Python with KERAS_BACKEND=tensorflow; or take the generator "
                "alone, which runs on every backend: `keras_gans.zoo.load(name).predict(...)`. "
                f"Received: {keras.backend.backend()}"
            )
        super().__init__(**kwargs)
        if ema_decay is not None and not 0.0 < ema_decay < 1.0:
            raise ValueError(
                "`ema_decay` is the share of a moving average that stays at each step: above 0 and "
                f"below 1, or None for no average. Received: ema_decay={ema_decay}"
            )
        self.sides = {"generator": list(generator_side), "discriminator": list(discriminator_side)}
        for attribute, network in {**generator_side, **discriminator_side}.items():
            if not isinstance(network, keras.Model) or not network.built:
                raise ValueError(
                    f"`{attribute}` must be a `keras.Model` whose weights exist. Give it a "
                    f"`keras.Input`, or call it once on a batch. Received: {network!r}"
                )
            setattr(self, attribute, network)
        self.ema_decay = ema_decay
        strategy = self.distribute_strategy
        for attribute in (*generator_side, *discriminator_side):
            replicas.require_scope(attribute, getattr(self, attribute), strategy)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.seed = self.seed_generator.get_config()["seed"]
        for attribute in self.sides["generator"] if ema_decay is not None else ():
            average = keras.models.clone_model(getattr(self, attribute))
            average.set_weights(getattr(self, attribute).get_weights())
            average.trainable = False
            setattr(self, f"ema_{attribute}", average)
        self.gauges = None  # made by `compile`
        self.after_fit = contextlib.ExitStack()  # what `fit` undoes, however it ends
        self.built = True  # the networks arrive built, and data adds nothing

    # ---- what users call

    def compile(self, generator_optimizer=None, discriminator_optimizer=None, **kwargs):
        """Gives each side its optimizer, and builds both.

        Args:
            generator_optimizer: a Keras optimizer, its name, or `None` for the class's own
                (`default_optimizer`). Learning rates decay by a `LearningRateSchedule`.
            discriminator_optimizer: the same for the other side.
            **kwargs: of `keras.Model.compile`: `run_eagerly`, `steps_per_execution`,
                `jit_compile` (False unless asked for: docs/benchmarks.md).

        Raises:
            ValueError: for one optimizer on both sides, or what several replicas cannot do.
        """
        for name in ("loss", "optimizer", "metrics", "weighted_metrics", "loss_weights"):
            if kwargs.pop(name, None) is not None:
                raise ValueError(
                    f"A GAN has two optimizers, and losses of its own: `compile` takes no "
                    f"`{name}`. Pass `generator_optimizer` and `discriminator_optimizer` here, "
                    f"and the loss to the model. Received: {name}"
                )
        both = generator_optimizer is discriminator_optimizer
        if both and isinstance(generator_optimizer, keras.optimizers.Optimizer):
            raise ValueError(
                "Each side keeps its own moments, so each needs an optimizer of its own. Make two. "
                f"Received: {generator_optimizer} for both"
            )
        kwargs.setdefault("jit_compile", False)
        super().compile(optimizer=None, loss=None, **kwargs)  # None, or Keras makes an RMSprop
        with self.distribute_strategy.scope():
            self.generator_optimizer = self._ready("generator", generator_optimizer)
            self.discriminator_optimizer = self._ready("discriminator", discriminator_optimizer)
            self.trackers = {name: keras.metrics.Mean(name=name) for name in self.tracked}
            self.gauges = Gauges()

    def default_optimizer(self):
        """A new optimizer for one side: Adam(2e-4, beta_1=0.5) (Radford 2015, section 4)."""
        return keras.optimizers.Adam(2e-4, beta_1=0.5)

    def fit(self, x=None, y=None, batch_size=None, **kwargs):
        """Trains, as `keras.Model.fit`, after a look at the first batch.

        Raises:
            ValueError: for data that the networks cannot have made, before anything is traced.
        """
        watches = kwargs.get("validation_data") is not None or kwargs.get("validation_split")
        if watches and type(self).test_step is AdversarialModel.test_step:
            raise ValueError(self._no_validation("validation_data"))
        if tf.distribute.has_strategy():  # which the networks may have been made outside of
            replicas.require_scope("generator", self, tf.distribute.get_strategy())
        sample = batches.sample(x, y, batch_size)
        for batch in sample:
            replicas.require_examples(batch, self.distribute_strategy)
            self.check_data(batch)
        if self.gauges is not None:
            self.gauges.first_batch = sample[0] if sample else None
        # Keras' default, True, warns for a dataset, which shuffles itself.
        kwargs.setdefault("shuffle", not isinstance(x, tf.data.Dataset))
        with contextlib.ExitStack() as self.after_fit:
            # Where a callback lets this training begin, also Keras' own, the next one need not.
            self.after_fit.callback(setattr, self, "_initial_epoch", None)
            return super().fit(x, y, batch_size=batch_size, **kwargs)

    def save(self, filepath, overwrite=True, **kwargs):
        """As `keras.Model.save`, but a `.keras` file is whole or not there, also on a full disk."""
        whole = str(filepath).endswith(".keras")
        with target(filepath, whole and overwrite and not kwargs) as file:
            super().save(file, overwrite=overwrite, **kwargs)

    def save_weights(self, filepath, overwrite=True, max_shard_size=None):
        """As `keras.Model.save_weights`, but whole or not there, also on a full disk."""
        whole = str(filepath).endswith(".weights.h5")
        with target(filepath, whole and overwrite and max_shard_size is None) as file:
            super().save_weights(file, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath, skip_mismatch=False, **kwargs):
        """As `keras.Model.load_weights`, but a part it would skip is an error, unless asked."""
        with contextlib.nullcontext() if skip_mismatch else nothing_skipped():
            super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)

    def call(self, inputs, training=False):
        """Runs the first generator: its moving average, if there is one."""
        return self.inference_generator(inputs, training=training)

    @property
    def inference_generator(self):
        """The first generator as it is to be used and exported: averaged, if averages are kept."""
        return self.in_use(self.sides["generator"][0])

    def in_use(self, name):
        """A network as it is to be used: a generator averaged, if averages are kept."""
        averaged = self.ema_decay is not None and name in self.sides["generator"]
        return getattr(self, f"ema_{name}" if averaged else name)

    def generate(self, num_images=16, *, latents=None, truncation=None, seed=None, batch_size=64):
        """Makes images, the same ones for the same seed.

        >>> images = gan.generate(16, seed=0)
        >>> path = keras_gans.image.save(images, "grid.png")

        Args:
            num_images: how many; not looked at when `latents` are given.
            latents: float array `(num_images, latent_dim)` to use instead of drawing.
            truncation: largest size of a latent's coordinate (Brock 2019, section 3.1).
            seed: integer; fewer images of one seed are the first of more. `None` draws anew.
            batch_size: how many to make at once.

        Returns:
            float32 numpy array `(num_images, *image_shape)`, in the generator's range: [-1, 1]
            for images.

        Raises:
            ValueError: for latents that do not fit the generator.
        """
        return self.run_generator(
            self.given_latents(num_images, latents, truncation, seed), batch_size=batch_size
        )

    def given_latents(self, num_images, latents=None, truncation=None, seed=None):
        """The latents that `generate` is asked for: those given, checked, or new ones."""
        size = latent.dim(self.generator)
        if latents is None:
            return latent.sample(num_images, size, seed, truncation)
        latents = np.asarray(latents, "float32")
        if latents.shape[1:] != (size,) or not len(latents):
            raise ValueError(
                "These latents do not fit the generator. Expected shape "
                f"(num_images, {size}). Received: shape {latents.shape}"
            )
        return latents

    def run_generator(self, *inputs, batch_size=64):
        """The images that the generator in use makes of whole arrays, one for each input."""
        generator = self.inference_generator

        def call(start, part):
            return generator(part[0] if len(part) == 1 else part, training=False)

        return batches.in_parts(call, inputs, batch_size)

    # ---- what a `train_step` is written in

    def step(self, side, tape, losses):
        """Moves one side, and no other, one optimizer step down the sum of `losses`.

        Here, and nowhere else, a loss is averaged over its batch, divided by the number of
        replicas (Keras' optimizers sum over them), and scaled for float16.

        Args:
            side: `"generator"` or `"discriminator"`.
            tape: the `tf.GradientTape` that recorded `losses`. It is used up, unless persistent.
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
        self.gauges.add(side, _norm(gradients) / scale)

    def observe(self, real, fake):
        """Shows the gauges what the discriminator said, beside the loss that it learns from.

        Nothing of it is logged or saved; `callbacks.TrainingHealth` reads it. A model that is not
        compiled shows nothing.

        Args:
            real: its logits, scores or energies of real examples, of any shape.
            fake: the same of generated ones.
        """
        if self.gauges is not None:
            logits = [tf.cast(values, "float32") for values in (real, fake)]
            values = logits + [tf.sigmoid(logit) for logit in logits]
            self.gauges.add("outputs", *(tf.reduce_mean(value) for value in values))

    def images(self, data):
        """The real images of a batch, float32; refuses what the generator could not have made."""
        return batches.real_images(data, self.generator.output_shape[1:], type(self).__name__)

    def check_data(self, batch):
        """Looks at values too: run by `fit` on a first batch, outside of any graph."""
        batches.require_range(self.images(batch))

    def check_parts(self, real, parts, name):
        """Raises ValueError unless each replica's share of a batch divides into equal parts."""
        share = real[: len(real) // self.distribute_strategy.num_replicas_in_sync]
        self.split(share, parts, name)

    def split(self, batch, parts, name="parts"):
        """Cuts a batch into equal ones, for several steps with fresh data each.

        The loop over them is Python's: an optimizer inside `tf.while_loop` fails on replicas.
        """
        return batches.split(batch, parts, name)

    def latents(self, like):
        """Standard normal latents, one for every example of `like`; new ones at every call.

        All replicas cut their part out of one draw, so that a batch gets the same latents
        however many replicas share it.
        """
        seed = tf.cast(self.seed_generator.next(), "int32")
        replica = tf.distribute.get_replica_context()
        number, parts = tf.shape(like)[0], replica.num_replicas_in_sync
        # One algorithm by name: left to itself, XLA and each kind of device choose their own.
        draw = self.draw_latents(number * parts, seed)
        return draw[number * replica.replica_id_in_sync_group :][:number]

    def draw_latents(self, number, seed):
        """Standard normal latents `(number, latent_dim)` of a stateless seed."""
        return tf.random.stateless_normal((number, latent.dim(self.generator)), seed, alg="philox")

    def next_seed(self):
        """A stateless seed, another for every call and every replica, that resumes exactly."""
        seed = tf.cast(self.seed_generator.next(), "int32")
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return tf.random.experimental.stateless_fold_in(seed, replica, alg="philox")

    def mean_over_replicas(self, value):
        """The mean of a tensor over all replicas, which gradients go through.

        For what a loss compares across the whole batch, so that one replica and several agree.
        """
        return replicas.mean(value)

    def update_averages(self):
        """Moves the generators' averages, if kept, after a generator's step.

        Before that, replicas share the statistics of normalisations, which are averages too.
        """
        replicas.share_statistics([getattr(self, n) for side in SIDES for n in self.sides[side]])
        if self.ema_decay is None:
            return
        steps = tf.cast(self.generator_optimizer.iterations, "float32")
        decay = tf.minimum(self.ema_decay, (1.0 + steps) / (10.0 + steps))
        for name in self.sides["generator"]:
            source, average = getattr(self, name), getattr(self, f"ema_{name}")
            learned = {id(v) for v in source.trainable_variables}
            for mean, value in zip(average.weights, source.weights):
                # Statistics, as batch normalisation's, are averages already: copied.
                share = tf.cast(decay, mean.dtype) if id(value) in learned else 0.0
                mean.assign(share * mean + (1.0 - share) * value)

    def variables_of(self, side):
        """The trainable variables of a side, each once (CoGAN shares some)."""
        networks = (getattr(self, name) for name in self.sides[side])
        return list({id(v): v for n in networks for v in n.trainable_variables}.values())

    # ---- Keras' side of the contract

    @property
    def metrics(self):
        return list(self.trackers.values()) if self.compiled else []

    def get_metrics_result(self):
        logs = super().get_metrics_result()
        # MultiWorkerMirroredStrategy: Keras gathers logs along axis 0, which scalars lack.
        if not tf.distribute.in_cross_replica_context():
            strategy = tf.distribute.get_strategy()
            if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
                logs = {name: tf.reshape(value, (1,)) for name, value in logs.items()}
        return logs

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        """Nothing: all is built, and Keras' look at the data fails for pairs on several workers."""

    def train_step(self, data):
        raise NotImplementedError(f"{type(self).__name__} does not say how it trains.")

    def test_step(self, data):
        raise ValueError(self._no_validation("evaluate"))

    def _no_validation(self, received):
        return (
            "The losses of a GAN say how the two sides stand, not how good its images are, so "
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
        if not optimizer.built:  # now: inside a replica it fails, and loading would skip it
            optimizer.build(self.variables_of(side))
        return optimizer

    def get_config(self):
        names = [name for side in SIDES for name in self.sides[side]]
        networks = {n: keras.saving.serialize_keras_object(getattr(self, n)) for n in names}
        return {"name": self.name, "ema_decay": self.ema_decay, "seed": self.seed, **networks}

    @classmethod
    def from_config(cls, config):
        # A copy: Keras takes the config apart as it reads it.
        return cls(**keras.saving.deserialize_keras_object(copy.deepcopy(config)))

    def get_compile_config(self):
        if not self.compiled:
            return {}
        dump = keras.saving.serialize_keras_object
        return {
            **{f"{side}_optimizer": dump(getattr(self, f"{side}_optimizer")) for side in SIDES},
            "steps_per_execution": self.steps_per_execution,
            "run_eagerly": self.run_eagerly,
            "jit_compile": self.jit_compile,
        }

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def _seed_states(self):
        """State of every random generator, the layers' too: Keras saves none of them."""
        return [v for v in self.non_trainable_variables if v.name == "seed_generator_state"]

    def save_own_variables(self, store):
        super().save_own_variables(store)
        for number, state in enumerate(self._seed_states()):
            store[f"seed_state_{number}"] = state.numpy()
        for number, so_far in enumerate(self.metrics_variables):
            # This process' own: reading all workers' would take all of them.
            parts = self.distribute_strategy.experimental_local_results(so_far.value)
            store[f"metric_{number}"] = sum(part.numpy() for part in parts)

    def load_own_variables(self, store):
        for number, state in enumerate(self._seed_states()):
            state.assign(store[f"seed_state_{number}"])
        for number, so_far in enumerate(self.metrics_variables):
            if f"metric_{number}" in store:  # not in files of a model that was not compiled
                so_far.assign(store[f"metric_{number}"])


class Gauges:
    """Means, since they were last read, of what a training does and its losses do not show.

    A plain object, so that Keras neither logs it nor saves it: a checkpoint is the same with it
    and without. On several replicas each adds up its own, and reading adds the replicas'.
    """

    NAMES = {
        "outputs": ("real_logit", "fake_logit", "real_probability", "fake_probability"),
        **{side: (f"{side}_gradient_norm",) for side in SIDES},
    }

    def __init__(self):
        self.first_batch = None  # of `fit`, as it came
        self._sums = {  # and, last in each, how many were added
            key: tf.Variable(
                tf.zeros(len(names) + 1),
                trainable=False,
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.SUM,
            )
            for key, names in self.NAMES.items()
        }

    def add(self, key, *values):
        """Adds one step's float32 scalars to the means of `NAMES[key]`."""
        row = tf.stack([*values, 1.0])
        # A step that float16 could not hold is none: the optimizer leaves it out as well.
        finite = tf.math.is_finite(tf.reduce_sum(row))
        self._sums[key].assign_add(tf.where(finite, row, 0.0))

    def read(self):
        """The means by name, of what was added since the last call, and starts again."""
        means = {}
        for key, names in self.NAMES.items():
            *totals, count = self._sums[key].numpy().tolist()
            means |= {name: total / count for name, total in zip(names, totals) if count}
            self._sums[key].assign(tf.zeros(len(names) + 1))
        return means


def _norm(gradients):
    """The Euclidean norm of all gradients together; variables without one count as 0."""
    halves = [tf.nn.l2_loss(tf.convert_to_tensor(g)) for g in gradients if g is not None]
    return tf.sqrt(2.0 * tf.add_n([tf.cast(half, "float32") for half in halves]))


def require_fit(generator, discriminator):
    """Raises ValueError unless the discriminator takes what the generator makes."""
    made, taken = generator.output_shape, tuple(discriminator.inputs[0].shape)
    if made != taken:
        raise ValueError(
            "The networks do not fit: the discriminator takes other images than the generator "
            "makes. Build both from one `image_shape`. "
            f"Received: generator makes {made[1:]}, discriminator takes {taken[1:]}"
        )
    require_logits(discriminator)


def require_logits(discriminator):
    """Raises ValueError unless a discriminator ends in one logit, or a map of them."""
    logits = tuple(discriminator.outputs[0].shape)
    if logits[-1:] != (1,):
        raise ValueError(
            "The discriminator must end in one logit, `Dense(1)` or a map of them, "
            f"`(batch, height, width, 1)`. Received: output shape {logits}"
        )


def require_outputs(discriminator, **sizes):
    """Raises ValueError unless a discriminator ends in heads of these sizes, in this order."""
    found = [tuple(output.shape) for output in discriminator.outputs]
    if [shape[1:] for shape in found] != [(size,) for size in sizes.values()]:
        wanted = ", ".join(f"{name} (batch, {size})" for name, size in sizes.items())
        raise ValueError(
            f"The discriminator {discriminator.name!r} does not have the heads that this GAN "
            f"reads. Expected the outputs {wanted}. Received: {found}"
        )
