"""Spectral normalisation: a layer whose kernel, as a matrix, has the spectral norm 1."""

from typing import Any

import keras
from keras import layers, ops

from keras_gans import checks
from keras_gans.typing import Config, Shape, Tensor

# A random vector can underestimate sigma by half, and D would start with a Lipschitz constant of 2.
# After these steps on the untrained kernel the error is a few per cent; training continues them.
_WARM_UP = 15
_TINY = 1e-12

_TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
_DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)


@keras.saving.register_keras_serializable("keras_gans")
class SpectralNormalization(layers.Wrapper):
    """Runs a layer with its kernel divided by the kernel's largest singular value.

    The layer computes with `W / sigma(W)`, where `sigma = u' W v` and the unit vectors `u`, `v`
    come from power iteration. The raw kernel stays the layer's trainable variable, and only an
    optimizer changes it: any number of passes through a discriminator, inside one gradient tape
    or not, see the same kernel. The gradient flows through `1 / sigma`, with `u` and `v` as
    constants. `keras.layers.SpectralNormalization`, in contrast, overwrites its kernel at every
    training call, and TensorFlow Addons' does too.

    Each call with `training=True` updates `u` by `power_iterations` steps; other calls change
    nothing. `u` starts from a random vector (`keras.utils.set_random_seed` repeats it) after 15
    steps on the untrained kernel, as PyTorch's parametrization does. It is a weight, saved with
    the layer. On several replicas each makes the same steps from the same kernel, so that they
    stay equal without communication.

    The matrix has a row for each output channel, and a column for each of the weights that the
    channel sums over, as in the paper and in PyTorch:

    | layer | kernel | matrix |
    |---|---|---|
    | `Dense` | `(in, out)` | `(out, in)` |
    | `Conv` | `(*size, in, out)` | `(out, size * in)` |
    | `ConvTranspose` | `(*size, out, in)` | `(out, size * in)` |
    | `DepthwiseConv` | `(*size, in, multiplier)` | `(in * multiplier, size)` |
    | `Embedding` | `(words, dim)` | `(dim, words)` |

    Any other layer's kernel is taken to have its output channels last. For convolutions sigma is
    the norm of that matrix, not of the convolution, which can be larger.

    A kernel of zeros is used as it is.

    Example:

    >>> layer = keras_gans.layers.SpectralNormalization(keras.layers.Dense(2, use_bias=False))
    >>> layer.build((None, 2))
    >>> layer.layer.set_weights([np.array([[3.0, 0.0], [0.0, 1.0]])])
    >>> for _ in range(20):
    ...     y = layer(np.array([[3.0, 3.0]]), training=True)
    >>> y.numpy().round(3)  # the kernel acts as [[1, 0], [0, 1/3]]
    array([[3., 1.]], dtype=float32)

    Args:
        layer: a layer with one `kernel` (or `embeddings`), and no state but its weights.
        power_iterations: steps of power iteration at each training call, 1 or more.
        **kwargs: of `keras.layers.Layer`. The dtype is that of `layer` unless given.

    Input shape:
        That of `layer`.

    Output shape:
        That of `layer`.

    Raises:
        ValueError: for an argument that is not a layer, a layer without a kernel, or less than one
            step.

    References:
        Miyato 2018, "Spectral Normalization for Generative Adversarial Networks", sections
        2.1 to 2.3 and algorithm 1.
    """

    def __init__(self, layer: keras.layers.Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        if not isinstance(layer, layers.Layer):
            raise ValueError(
                "Only a layer can be wrapped. Pass one, such as `keras.layers.Dense(8)`. "
                f"Received: layer={layer!r}"
            )
        checks.count("power_iterations", power_iterations)
        kwargs.setdefault("dtype", layer.dtype_policy)
        super().__init__(layer, **kwargs)
        self.power_iterations = power_iterations

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        names = [n for n in ("kernel", "embeddings") if hasattr(self.layer, n)]
        self._kernel_name = names[0] if names else ""
        kernel = getattr(self.layer, self._kernel_name, None)
        if not isinstance(kernel, keras.Variable) or len(kernel.shape) < 2:
            raise ValueError(
                "There is no matrix to normalise. The wrapped layer must have one weight called "
                "`kernel` or `embeddings`, and no low-rank addition to it; wrap the layers inside "
                f"of a composite one each. Received: layer={self.layer!r}"
            )

        def warmed_up(shape, dtype=None):
            # An initializer, not an assignment: the kernel may itself be a promise here.
            matrix = self._matrix(self._kernel())
            u = _unit(keras.random.normal(shape, dtype=matrix.dtype), 0.0)
            for _ in range(_WARM_UP):
                u, _v = _power_step(matrix, u)
            return ops.cast(u, dtype)

        self.vector_u = self.add_weight(
            shape=(1, self._matrix(kernel).shape[-1]),
            initializer=warmed_up,
            trainable=False,
            autocast=False,
            name="vector_u",
        )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        kernel = self._kernel()
        matrix = self._matrix(kernel)
        constant = ops.stop_gradient(matrix)  # so that u and v are
        u = ops.cast(self.vector_u, kernel.dtype)
        if training:
            for _ in range(self.power_iterations):
                u, v = _power_step(constant, u)
            self.vector_u.assign(u)
        else:
            v = _unit(ops.matmul(u, ops.transpose(constant)), 0.0)
        sigma = ops.sum(ops.matmul(v, matrix) * u)
        kernel = kernel / ops.where(sigma > _TINY, sigma, 1.0)

        # The layer reads its variables from here for the length of the call. All of them are
        # listed: an outer scope (JAX trains in one) is hidden by this one.
        variable = getattr(self.layer, self._kernel_name)
        values = [(v, kernel if v is variable else v.value) for v in self.layer.variables]
        with keras.StatelessScope(values, collect_losses=True, initialize_variables=False) as scope:
            outputs = self.layer(inputs)
        for loss in scope.losses:  # of an activity regularizer
            self.add_loss(loss)
        return outputs

    def _kernel(self):
        # Under mixed_float16 this is the kernel as the layer would see it, rounded; all that
        # follows is done in float32, and rounded once more for the layer.
        kernel = ops.convert_to_tensor(getattr(self.layer, self._kernel_name))
        return ops.cast(kernel, keras.backend.result_type(kernel.dtype, "float32"))

    def _matrix(self, kernel):
        """The kernel as `(columns, rows)`: the transpose of the matrix above."""
        kernel = ops.convert_to_tensor(kernel)
        rank = len(kernel.shape)
        if isinstance(self.layer, _TRANSPOSED):
            kernel = ops.transpose(kernel, (*range(rank - 2), rank - 1, rank - 2))
        rows = kernel.shape[-1]
        if isinstance(self.layer, _DEPTHWISE):
            rows *= kernel.shape[-2]
        return ops.reshape(kernel, (-1, rows))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> Config:
        return {**super().get_config(), "power_iterations": self.power_iterations}


def _unit(vector, otherwise):
    """The vector at length 1, or `otherwise` if it has none."""
    length = ops.sqrt(ops.sum(ops.square(vector)))
    return ops.where(length > _TINY, vector / ops.maximum(length, _TINY), otherwise)


def _power_step(matrix, u):
    """One step of algorithm 1; rows of a `(columns, rows)` matrix are the paper's columns."""
    v = _unit(ops.matmul(u, ops.transpose(matrix)), 0.0)
    return _unit(ops.matmul(v, matrix), u), v  # `u` survives a kernel that is 0 for a while
