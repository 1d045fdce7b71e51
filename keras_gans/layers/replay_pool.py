"""A pool of earlier generated images for the discriminator."""

import numbers
from typing import Any

import keras
import tensorflow as tf

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class ReplayPool(keras.layers.Layer):
    """Replaces a generated image, with probability 1/2, by one that was generated earlier.

    For each image in turn, as in CycleGAN's program: while the pool is not full, the image is
    stored and returned. After that, with probability 1/2 each, the image is returned and not
    stored, or it replaces a random image of the pool, which is returned. Images of a batch are
    processed in order, so a batch may fill the pool, be larger than the pool, or get one of its
    own images back. With `probability=1.0` every image is exchanged for one of the pool.

    The pool is a weight: it works inside graphs, and is saved. All replicas keep the same pool of
    all images, filled in the order of the replicas, so that the result for a batch does not depend
    on their number; each returns its own part. Only for training, with TensorFlow. No gradient
    passes.

    Example:

    >>> pool = keras_gans.layers.ReplayPool(size=2)
    >>> pool(np.array([[1.0], [2.0]]), seed=(0, 0)).numpy().ravel().tolist()
    [1.0, 2.0]
    >>> later = pool(np.array([[3.0], [4.0], [5.0]]), seed=(0, 1))  # old and new

    Args:
        size: number of images to keep; 0 for no pool, so that images are returned unchanged.
        probability: above 0 and at most 1, with which an image is exchanged for one of a full pool.
        **kwargs: of `keras.layers.Layer`, such as `name`.

    Call arguments:
        fresh: float images, of one shape but for their number at each call. They are stored in
            float32 and returned in the dtype of the input.
        seed: two integers, different at every call: `self.next_seed()` in a GAN. The seed of the
            first replica is used for all.

    Input shape:
        `(batch, ...)`, all but the batch known.

    Output shape:
        The same.

    Raises:
        ValueError: for a negative size, a probability out of range, or images of an unknown size.

    References:
        Shrivastava 2017, "Learning from Simulated and Unsupervised Images through Adversarial
        Training", section 2.3; Zhu 2017, "Unpaired Image-to-Image Translation using
        Cycle-Consistent Adversarial Networks", section 4, which chose 50 images.
    """

    def __init__(self, size: int = 50, probability: float = 0.5, **kwargs: Any) -> None:
        kwargs.pop("trainable", None)  # never
        super().__init__(trainable=False, **kwargs)
        self.autocast = False
        self.size = checks.count("size", size, 0)
        number = isinstance(probability, numbers.Real) and not isinstance(probability, bool)
        if not number or not 0.0 < probability <= 1.0:
            raise ValueError(
                "`probability` is how often an image is exchanged for one of the pool. Expected a "
                f"number above 0 and at most 1. Received: probability={probability!r}"
            )
        self.probability = float(probability)

    def build(self, fresh_shape: Shape, seed_shape: Shape | None = None) -> None:
        if not self.size:
            return
        if len(fresh_shape) < 2 or None in fresh_shape[1:]:
            raise ValueError(
                "A pool keeps images of one known size, shape `(batch, ...)`. Build the generator "
                f"for a fixed size. Received: shape {tuple(fresh_shape)}"
            )
        # Variables of each replica, without aggregation: all make the same changes to them.
        self.images = self.add_weight(
            shape=(self.size, *fresh_shape[1:]),
            initializer="zeros",
            dtype="float32",
            autocast=False,
            name="images",
        )
        self.count = self.add_weight(shape=(), initializer="zeros", dtype="int32", name="count")

    def call(self, fresh: Tensor, seed: Tensor) -> Tensor:
        if not self.size:
            return fresh
        everyones, seed, start = _of_all_replicas(tf.cast(fresh, "float32"), seed)
        number = tf.shape(everyones)[0]
        coins, places = tf.unstack(tf.random.stateless_uniform((2, number), seed))
        turn = tf.range(number)
        count = tf.convert_to_tensor(self.count)
        filling = count + turn < self.size
        swaps = tf.logical_and(coins < self.probability, tf.logical_not(filling))
        stores = tf.logical_or(filling, swaps)
        places = tf.minimum(tf.cast(places * self.size, "int32"), self.size - 1)
        places = tf.where(filling, count + turn, places)

        # Images by number: those in the pool first, then those of this batch. Who was the last,
        # before each turn and at the end, to store in a place? Nobody is -1.
        candidates = tf.concat([tf.convert_to_tensor(self.images), everyones], axis=0)
        stored = tf.where(stores, turn, -1)
        same_place = places[:, None] == places[None, :]
        earlier = tf.logical_and(same_place, turn[None, :] < turn[:, None])
        found = tf.reduce_max(tf.where(earlier, stored[None, :], -1), axis=1)
        found = tf.where(found < 0, places, self.size + found)
        returned = tf.where(swaps, found, self.size + turn)

        slots = tf.range(self.size)
        kept = tf.where(slots[:, None] == places[None, :], stored[None, :], -1)
        kept = tf.reduce_max(kept, axis=1)
        kept = tf.where(kept < 0, slots, self.size + kept)

        result = tf.gather(candidates, returned[start : start + tf.shape(fresh)[0]])
        self.images.assign(tf.gather(candidates, kept))
        self.count.assign(tf.minimum(count + number, self.size))
        result = tf.ensure_shape(tf.cast(result, fresh.dtype), fresh.shape)
        return tf.stop_gradient(result)

    def compute_output_shape(self, fresh_shape: Shape, seed_shape: Shape | None = None) -> Shape:
        return fresh_shape

    def get_config(self) -> Config:
        config = super().get_config()
        config.pop("trainable", None)
        return {**config, "size": self.size, "probability": self.probability}


def _of_all_replicas(fresh, seed):
    """Returns the images of all replicas, one seed for all, and the index of this one's first."""
    seed = tf.convert_to_tensor(seed)
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return fresh, seed, 0
    numbers = context.all_gather(tf.shape(fresh)[:1], axis=0)
    start = tf.reduce_sum(numbers[: context.replica_id_in_sync_group])
    seed = context.all_gather(seed[None], axis=0)[0]
    return context.all_gather(fresh, axis=0), seed, start
