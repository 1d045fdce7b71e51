"""What every GAN must keep to. A GAN's test inherits `GANContract` and gives it a GAN and data.

`make` uses arguments that are *not* the defaults, so that a config that forgets one is noticed,
and networks without batch normalisation, whose statistics are each replica's own.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf


def sgd():
    # Adam divides by the gradient's size, and turns rounding into steps of full length.
    return keras.optimizers.SGD(0.05)


def weights_of(model):
    return [v.numpy() for v in model.weights]


def assert_same(first, second, **tolerance):
    assert len(first) == len(second) > 0
    for a, b in zip(first, second):
        np.testing.assert_allclose(a, b, **{"rtol": 0, "atol": 0, **tolerance})


class GANContract:
    parts = 1  # into how many steps of fresh data a batch is cut

    def make(self, **kwargs):
        raise NotImplementedError

    def batches(self, number=3, size=8):
        raise NotImplementedError

    def generate(self, gan, **kwargs):
        return gan.generate(3, **kwargs)

    def dataset(self, batches, chosen=slice(None)):
        """Some of the batches, which are an array, or a tuple of them: images and labels."""
        chosen = tf.nest.map_structure(lambda array: array[chosen], batches)
        return tf.data.Dataset.from_tensor_slices(chosen)

    def batch(self):
        """One batch, as the arguments of `train_on_batch`."""
        return [array[0] for array in tf.nest.flatten(self.batches(1))]

    def test_a_step_moves_its_own_side_and_no_other(self):
        gan = self.make()
        gan.compile(sgd(), sgd(), run_eagerly=True)
        moved, step = [], gan.step

        def watched(side, tape, losses):
            before = {s: [v.numpy() for v in gan.variables_of(s)] for s in gan.sides}
            step(side, tape, losses)
            for s in gan.sides:
                pairs = zip(before[s], gan.variables_of(s))
                changed = [not np.array_equal(a, b) for a, b in pairs]
                assert any(changed) == (s == side)
                # Every kernel has a gradient; a bias before a normalisation may have none.
                if s == side:
                    assert np.mean(changed) > 0.5
            moved.append(side)

        gan.step = watched
        gan.train_on_batch(*self.batch())
        assert set(moved) == set(gan.sides) == set(gan.side_names)

    def test_logs_carry_exactly_the_tracked_names_as_means(self):
        gan = self.make()
        gan.compile(keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True)
        history = gan.fit(self.dataset(self.batches(2)), verbose=0).history
        assert sorted(history) == sorted(gan.tracked) == sorted(m.name for m in gan.metrics)
        assert all(np.isfinite(values).all() for values in history.values())

    def test_config_round_trip(self):
        gan = self.make(ema_decay=0.7, seed=5, name="mine")
        config = gan.get_config()
        twin = type(gan).from_config(config)
        assert twin.get_config() == config
        assert (twin.name, twin.ema_decay, twin.seed) == ("mine", 0.7, 5)

    def test_saved_and_reloaded_it_goes_on_bit_for_bit(self, tmp_path):
        batches = self.batches(3)
        gan = self.make(ema_decay=0.9)
        gan.compile(run_eagerly=True)  # graphs are traced for minutes, in all
        gan.fit(self.dataset(batches, slice(2)), verbose=0)
        gan.save(tmp_path / "gan.keras")
        gan.save_weights(tmp_path / "gan.weights.h5")
        twin = keras.models.load_model(tmp_path / "gan.keras")
        other = self.make(ema_decay=0.9, seed=99)
        other.compile(run_eagerly=True)
        other.load_weights(tmp_path / "gan.weights.h5")
        for loaded in (twin, other):
            for side in gan.sides:
                optimizers = [getattr(g, f"{side}_optimizer") for g in (gan, loaded)]
                assert optimizers[0].iterations.numpy() == optimizers[1].iterations.numpy() > 0
                assert_same(*([v.numpy() for v in o.variables] for o in optimizers))
            assert_same(*([v.numpy() for v in g.variables] for g in (gan, loaded)))
        # All of the state is the same, so that one of them shows how both go on.
        for g in (gan, twin):
            g.fit(self.dataset(batches, slice(2, None)), verbose=0)
        assert_same(*([v.numpy() for v in g.variables] for g in (gan, twin)))
        assert_same([self.generate(gan, seed=3)], [self.generate(twin, seed=3)])

    def test_one_replica_and_two_agree(self, two_replicas, tmp_path):
        batches = self.batches(2, size=8)
        alone = self.make(ema_decay=0.9, seed=1)
        alone.compile(sgd(), sgd(), run_eagerly=True)  # so that a graph agrees with its steps, too
        alone.save_weights(tmp_path / "start.weights.h5")
        with two_replicas.scope():
            shared = self.make(ema_decay=0.9, seed=1)
            shared.compile(sgd(), sgd())
        shared.load_weights(tmp_path / "start.weights.h5")
        start = weights_of(alone)

        # Each replica cuts its own half into parts; part for part both see the same images.
        part = 4 // self.parts
        order = np.arange(8).reshape(2, self.parts, part).swapaxes(0, 1).ravel()
        reordered = tf.nest.map_structure(lambda a: np.asarray(a)[:, order], batches)
        logs = alone.fit(self.dataset(reordered), verbose=0).history
        shared_logs = shared.fit(self.dataset(batches), verbose=0).history

        assert_same(weights_of(alone), weights_of(shared), atol=2e-5)
        assert max(np.abs(a - b).max() for a, b in zip(start, weights_of(alone))) > 1e-3
        for name in logs:
            np.testing.assert_allclose(logs[name], shared_logs[name], rtol=1e-4, atol=1e-5)

    @pytest.mark.by_hand  # minutes for all; tests/test_replicas.py has the rule
    def test_an_overflow_on_one_replica_skips_the_step_of_its_side_on_all(self, two_replicas):
        keras.config.set_dtype_policy("mixed_float16")
        with two_replicas.scope():
            gan = self.make(ema_decay=0.9)
            gan.compile(sgd(), sgd())
        start = {side: [v.numpy() for v in gan.variables_of(side)] for side in gan.sides}
        for side in gan.sides:  # a scale at which nothing overflows by itself
            getattr(gan, f"{side}_optimizer").dynamic_scale.assign(4.0)
        step = gan.step

        def overflowing(side, tape, losses):
            """The generator's loss is too large for float16 on the second replica alone."""
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            factor = tf.where(tf.equal(replica, 1), np.float32("inf"), 1.0)
            if side == "generator":
                with tape:
                    losses = {name: loss * factor for name, loss in losses.items()}
            step(side, tape, losses)

        gan.step = overflowing
        gan.fit(self.dataset(self.batches(1)), verbose=0)
        for side in gan.sides:
            moved = [(a != v.numpy()).any() for a, v in zip(start[side], gan.variables_of(side))]
            scale = getattr(gan, f"{side}_optimizer").dynamic_scale.numpy()
            assert any(moved) == (side != "generator")
            assert scale == (2.0 if side == "generator" else 4.0)
            for variable in gan.variables_of(side):
                replicas = two_replicas.experimental_local_results(variable.value)
                assert len(replicas) == 2
                assert_same([replicas[0].numpy()], [replicas[1].numpy()])
                assert np.isfinite(replicas[0].numpy()).all()

    @pytest.mark.parametrize(
        "policy", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.by_hand)]
    )
    def test_half_precision_stays_finite_and_trains(self, policy):
        keras.config.set_dtype_policy(policy)
        gan = self.make(ema_decay=0.9)
        gan.compile()
        before = weights_of(gan.generator)
        history = gan.fit(self.dataset(self.batches(6)), epochs=3, verbose=0).history
        for side in gan.sides:
            optimizer = getattr(gan, f"{side}_optimizer")
            scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
            assert scaled == (policy == "mixed_float16")  # bfloat16 has float32's range
        assert all(np.isfinite(values).all() for values in history.values())
        assert all(np.isfinite(value).all() for value in weights_of(gan))
        assert any((a != b).any() for a, b in zip(before, weights_of(gan.generator)))
        assert self.generate(gan, seed=0).dtype == np.float32

    def test_generate_repeats_itself_from_a_seed(self):
        gan = self.make(ema_decay=0.9)
        images = self.generate(gan, seed=7)
        assert images.shape == (3, *gan.interface(gan.generator_role).outputs[0].shape)
        assert images.dtype == np.float32 and np.abs(images).max() <= 1.0
        assert_same([images], [self.generate(gan, seed=7)])
        assert np.abs(images - self.generate(gan, seed=8)).max() > 0
        assert np.abs(images[0] - images[1]).max() > 0
