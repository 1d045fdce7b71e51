"""What a training would take, from a few steps on noise."""

import dataclasses
import resource
import time
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans import data
from keras_gans.callbacks import Resume
from keras_gans.zoo.runs.recipe import Recipe

_STEPS = 10


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a training would do.

    Attributes:
        parameters: networks, as `"side: role"`, to their number of parameters.
        batch_shape: of the first input of a step.
        steps_per_epoch: steps of an epoch.
        first_epoch: the one to start with, from 1.
        last_epoch: the one to end with.
        seconds_per_step: measured on noise.
        checkpoint_bytes: of the GAN's variables and those of its optimizers.
        memory_bytes: the most that this process had, after those steps.
    """

    parameters: dict[str, int]
    batch_shape: tuple[int | None, ...]
    steps_per_epoch: int
    first_epoch: int
    last_epoch: int
    seconds_per_step: float
    checkpoint_bytes: int
    memory_bytes: int

    @property
    def steps(self) -> int:
        """Steps of all the epochs that are left."""
        return max(self.last_epoch - self.first_epoch + 1, 0) * self.steps_per_epoch


def plan(recipe: Recipe, folder: Path | str) -> Plan:
    """Times ten steps of a recipe on noise. Writes nothing but prepared data.

    Args:
        recipe: to train.
        folder: of the run, which need not exist yet.

    Returns:
        A `Plan`.

    Raises:
        ValueError: for what `train` would refuse: networks, data or an evaluation that do not fit.
    """
    checkpoints = Path(folder) / "checkpoints"
    gan = recipe.build_model()
    recipe.build_evaluation(checkpoints, gan)  # may refuse
    dataset = recipe.load_data(first_epoch=0)
    spec = dataset.element_spec
    parts = spec if isinstance(spec, tuple) else (spec,)
    batch = tf.nest.map_structure(lambda t: np.zeros(t.shape, t.dtype.as_numpy_dtype), list(parts))
    gan.train_on_batch(*batch)
    started = time.perf_counter()
    for _ in range(_STEPS):
        gan.train_on_batch(*batch)
    seconds = (time.perf_counter() - started) / _STEPS
    optimizers = [getattr(gan, f"{side}_optimizer") for side in gan.sides]
    variables = [v for owner in (gan, *optimizers) for v in owner.variables]
    return Plan(
        parameters={
            f"{side}: {role}": getattr(gan, role).count_params()
            for side, roles in gan.sides.items()
            for role in roles
        },
        batch_shape=tuple(parts[0].shape),
        steps_per_epoch=data.steps_per_epoch(dataset),
        first_epoch=Resume(checkpoints).epoch + 1,
        last_epoch=recipe.config["epochs"],
        seconds_per_step=seconds,
        checkpoint_bytes=sum(v.numpy().nbytes for v in variables),
        memory_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )
