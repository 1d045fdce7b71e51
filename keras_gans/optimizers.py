"""Optimizers that Keras lacks."""

from typing import Any

import keras
from keras import ops

from keras_gans.typing import Tensor


@keras.saving.register_keras_serializable("keras_gans")
class OptimisticAdam(keras.optimizers.Adam):
    """Adam that takes each direction twice and the one before back (Daskalakis 2018, algorithm 1).

    With Adam's direction `d(t)`, the bias-corrected mean of gradients over the root of that of
    their squares, a step is `-learning_rate * (2 d(t) - d(t - 1))`. In a game of two sides, plain
    gradient descent circles around the solution and moves away from it; the second term predicts
    how the other side will move, and damps the circles. See docs/game.md.

    >>> optimizer = keras_gans.optimizers.OptimisticAdam(0.1, beta_1=0.0)
    >>> x = keras.Variable(1.0)
    >>> optimizer.apply([np.float32(5.0)], [x])  # d(1) = 1, and there is no direction before
    >>> round(float(x), 4)
    0.8
    >>> optimizer.apply([np.float32(5.0)], [x])  # d(2) = 1
    >>> round(float(x), 4)
    0.7

    Args:
        **kwargs: of `keras.optimizers.Adam`, with its defaults: `learning_rate`, `beta_1`, and
            the others. All optimizers of one game are meant to be optimistic, with one step of
            each side in turn.

    References:
        Daskalakis 2018, "Training GANs with Optimism" (arXiv:1711.00141), algorithm 1.
    """

    def build(self, variables: list[keras.Variable]) -> None:
        if not self.built:
            super().build(variables)
            self._directions = self.add_optimizer_variables(variables, "direction")

    def update_step(self, gradient: Any, variable: keras.Variable, learning_rate: Tensor) -> None:
        index, dtype = self._get_variable_index(variable), variable.dtype
        mean, square = self._momentums[index], self._velocities[index]
        gradient = ops.cast(gradient, dtype)
        self.assign_add(mean, (gradient - mean) * (1.0 - self.beta_1))
        self.assign_add(square, (ops.square(gradient) - square) * (1.0 - self.beta_2))
        if self.amsgrad:
            largest = self._velocity_hats[index]
            self.assign(largest, ops.maximum(largest, square))
            square = largest

        step = ops.cast(self.iterations + 1, dtype)
        unbiased = ops.sqrt(1.0 - self.beta_2**step) / (1.0 - self.beta_1**step)
        direction = unbiased * mean / (ops.sqrt(square) + self.epsilon)
        before = self._directions[index]
        rate = ops.cast(learning_rate, dtype)
        self.assign_sub(variable, rate * (2.0 * direction - before))
        self.assign(before, direction)
