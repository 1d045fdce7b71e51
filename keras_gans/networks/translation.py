"""Layers of the image-to-image networks, as in the reference programs.

Biases, paddings and epsilons are those of the authors' PyTorch programs, so that a network has
their number of parameters and, with their weights, their outputs.
"""

from collections.abc import Callable, Sequence
from typing import Any

from keras import initializers, layers, ops, saving

from keras_gans import checks
from keras_gans.layers import Blur2D, InstanceNormalization, PixelShuffle
from keras_gans.names import did_you_mean
from keras_gans.typing import Tensor

NORMALIZATIONS = ("batch", "instance", "instance_affine", None)
UPSAMPLINGS = ("transposed", "blurred", "resize", "subpixel")


def normalization(name: str | None) -> str | None:
    """Returns the name of a normalisation if it is known."""
    if name not in NORMALIZATIONS:
        raise ValueError(
            f"No normalisation of that name.{did_you_mean(str(name), NORMALIZATIONS[:-1])} "
            f"Expected one of {NORMALIZATIONS}. Received: normalization={name!r}"
        )
    return name


def upsampling(name: str) -> str:
    """Returns the name of a way to upsample if it is known."""
    if name not in UPSAMPLINGS:
        raise ValueError(
            f"No upsampling of that name.{did_you_mean(str(name), UPSAMPLINGS)} "
            f"Expected one of {UPSAMPLINGS}. Received: upsampling={name!r}"
        )
    return name


def convolution(
    filters: int,
    size: int,
    strides: int = 1,
    normalize: str | None = None,
    bias: bool = False,
    transposed: bool = False,
    **options: Any,
) -> layers.Layer:
    """Returns a convolution with weights from N(0, 0.02) (Isola 2017, appendix 6.2).

    Args:
        filters: how many.
        size: of the kernel, in pixels.
        strides: in both directions.
        normalize: the normalisation after it. Batch and affine instance normalisation have an
            offset. Plain instance normalisation has none, so that the convolution has a bias.
        bias: whether to have a bias in any case.
        transposed: whether it is a transposed convolution.
        **options: of the Keras layer, such as `padding`.
    """
    kind = layers.Conv2DTranspose if transposed else layers.Conv2D
    return kind(
        filters,
        size,
        strides=strides,
        use_bias=bias or normalize not in ("batch", "instance_affine"),
        **{"kernel_initializer": initializers.RandomNormal(stddev=0.02), **options},
    )


def doubled(
    x: Tensor,
    upsampling: str,
    transposed: Callable[[Tensor], Tensor],
    filters: int,
    normalize: str | None = None,
    bias: bool = False,
) -> Tensor:
    """Returns a feature map of twice the size.

    Args:
        x: the feature map.
        upsampling: one of `UPSAMPLINGS`.
        transposed: the network's own transposed convolution, for `"transposed"` and `"blurred"`.
        filters: of the convolution of the other ways.
        normalize: as for `convolution`.
        bias: as for `convolution`.
    """
    if upsampling in ("transposed", "blurred"):
        return Blur2D()(transposed(x)) if upsampling == "blurred" else transposed(x)
    options: dict[str, Any] = {"normalize": normalize, "bias": bias, "padding": "same"}
    if upsampling == "resize":
        return convolution(filters, 3, **options)(layers.UpSampling2D(2)(x))
    layer = convolution(4 * filters, 3, kernel_initializer=equal_pixels, **options)
    return PixelShuffle(2)(layer(x))


@saving.register_keras_serializable("keras_gans")
def equal_pixels(shape: Sequence[int], dtype: Any = None) -> Tensor:
    """Draws a kernel before a pixel shuffle by 2, the same for the four pixels of a block.

    The enlarged feature map then starts as one of repeated pixels, without a grid (Aitken 2017,
    "Checkerboard artifact free sub-pixel convolution", "ICNR").
    """
    *sides, taken, made = shape
    normal = initializers.RandomNormal(stddev=0.02)
    return ops.tile(normal((*sides, taken, made // 4), dtype=dtype), (1, 1, 1, 4))


def normalized(x: Tensor, name: str | None) -> Tensor:
    """Returns a normalised feature map."""
    if name == "batch":
        gamma = initializers.RandomNormal(1.0, 0.02)
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=gamma)(x)
    if name in ("instance", "instance_affine"):
        affine = name == "instance_affine"
        return InstanceNormalization(center=affine, scale=affine)(x)
    return x


def image(x: Tensor) -> Tensor:
    """Returns float32 images in [-1, 1], whatever the policy."""
    return layers.Activation("tanh", dtype="float32", name="translated")(x)


def out_channels(number: int | None, image_shape: Sequence[int]) -> int:
    """Returns the channels of the outputs: those of the inputs, unless given."""
    return image_shape[2] if number is None else checks.count("out_channels", number)


def require_multiple(image_shape: Sequence[int], of: int, what: str) -> None:
    """Raises ValueError, with the nearest valid sizes, unless both sides are multiples."""
    sides = image_shape[:2]
    if any(side % of for side in sides):
        near = [sorted({max(side // of, 1) * of, -(-side // of) * of}) for side in sides]
        lower, upper = (tuple(pair[i] for pair in near) for i in (0, -1))
        sizes = f"{lower}" if lower == upper else f"{lower} or {upper}"
        raise ValueError(
            f"{what}: both sides must be multiples of {of}. The nearest sizes are {sizes}. "
            f"Received: image_shape={tuple(image_shape)}"
        )
