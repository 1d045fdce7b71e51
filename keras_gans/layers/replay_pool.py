"""A pool of earlier generated images, so that a discriminator does not forget them."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gans")
class ReplayPool(keras.layers.Layer):
    """Swaps, half of the time, a generated image for one that was generated earlier.

    Image for image, as in CycleGAN's program: while the pool fills up, an image is stored and
    handed back. After that a coin is tossed for each: it is handed back and forgotten, or it takes
    a random place in the pool, and the image that was there is handed back. Images of one batch
    take their turns in order, so a batch may straddle the moment when the pool is full, be larger
    than the pool, or get one of its own images back.

    The pool is a weight: it runs inside graphs, and is saved. On several replicas all keep the
    same pool of the images of all, filled in the order of the replicas, so that a batch is treated
    alike however many share it; each hands back its own part. Only for training, with
    TensorFlow. No gradient passes.

    Example:

    >>> pool = keras_gans.layers.ReplayPool(size=2)
    >>> pool(np.array([[1.0], [2.0]]), seed=(0, 0)).numpy().ravel().tolist()
    [1.0, 2.0]
    >>> later = pool(np.array([[3.0], [4.0], [5.0]]), seed=(0, 1))  # old and new

    Args:
        size: number of images to remember; 0 for no pool: images come back as they are.
        **kwargs: of `keras.layers.Layer`, such as `name`.

    Call arguments:
        fresh: float images, the same shape at every call but for their number. They are kept in
            float32 and handed back in the dtype they came in.
        seed: two integers, others at every call: `self.next_seed()` in a GAN. Of several replicas'
            seeds the first is used.

    Input shape:
        `(batch, ...)`, all but the batch known.

    Output shape:
        The same.

    Raises:
        ValueError: for a negative size, or images of an unknown size.

    References:
        Shrivastava 2017, "Learning from Simulated and Unsupervised Images through Adversarial
        Training", section 2.3; Zhu 2017, "Unpaired Image-to-Image Translation using
        Cycle-Consistent Adversarial Networks", section 4, which chose 50 images.
    """

    def __init__(self, size=50, **kwargs):
        kwargs.pop("trainable", None)  # never
        super().__init__(trainable=False, **kwargs)
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise ValueError(
                "`size` must be an integer, the number of images to remember, or 0 for no pool. "
                f"Received: size={size!r}"
            )
        self.autocast = False
        self.size = size

    def build(self, fresh_shape, seed_shape=None):
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

    def call(self, fresh, seed):
        if not self.size:
            return fresh
        everyones, seed, start = _of_all_replicas(tf.cast(fresh, "float32"), seed)
        number = tf.shape(everyones)[0]
        coins, places = tf.unstack(tf.random.stateless_uniform((2, number), seed))
        turn = tf.range(number)
        count = tf.convert_to_tensor(self.count)
        filling = count + turn < self.size
        swaps = tf.logical_and(coins < 0.5, tf.logical_not(filling))
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

    def compute_output_shape(self, fresh_shape, seed_shape=None):
        return fresh_shape

    def get_config(self):
        config = super().get_config()
        config.pop("trainable", None)
        return {**config, "size": self.size}


def _of_all_replicas(fresh, seed):
    """The images of all replicas, one seed for all, and where this replica's images start."""
    seed = tf.convert_to_tensor(seed)
    context = tf.distribute.get_replica_context()
    if context is None or context.num_replicas_in_sync == 1:
        return fresh, seed, 0
    numbers = context.all_gather(tf.shape(fresh)[:1], axis=0)
    start = tf.reduce_sum(numbers[: context.replica_id_in_sync_group])
    seed = context.all_gather(seed[None], axis=0)[0]
    return context.all_gather(fresh, axis=0), seed, start
