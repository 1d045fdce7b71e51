"""Layers of the image-to-image networks, as in the reference programs.

Biases, paddings and epsilons are those of the authors' PyTorch programs, so that a network has
their number of parameters and, with their weights, their outputs.
"""

from collections.abc import Sequence
from typing import Any

from keras import initializers, layers, ops, saving

from keras_gans import checks
from keras_gans.layers import InstanceNormalization, PixelShuffle
from keras_gans.names import did_you_mean
from keras_gans.networks.balanced_kernel import BalancedKernel, balanced_normal
from keras_gans.typing import Tensor

NORMALIZATIONS = ("batch", "instance", "instance_affine", None)
UPSAMPLINGS = ("transposed", "balanced", "resize", "subpixel")


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
    balanced: bool = False,
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
        balanced: whether that is kept from adding a grid (`BalancedKernel`).
        **options: of the Keras layer, such as `padding`.
    """
    kind = layers.Conv2DTranspose if transposed else layers.Conv2D
    initializer = balanced_normal if balanced else initializers.RandomNormal(stddev=0.02)
    constraint = BalancedKernel(strides) if balanced else None
    return kind(
        filters,
        size,
        strides=strides,
        use_bias=bias or normalize not in ("batch", "instance_affine"),
        **{"kernel_initializer": initializer, "kernel_constraint": constraint, **options},
    )


def doubled(
    x: Tensor,
    upsampling: str,
    filters: int,
    size: int,
    normalize: str | None = None,
    bias: bool = False,
    crop: Any = None,
) -> Tensor:
    """Returns a feature map of twice the size.

    Args:
        x: the feature map.
        upsampling: one of `UPSAMPLINGS`.
        filters: how many.
        size: of the kernel of a transposed convolution; other ways have 3x3.
        normalize: as for `convolution`.
        bias: as for `convolution`.
        crop: what to cut from the output of a transposed convolution, as `Cropping2D` takes it;
            `None` pads as Keras' "same" does.
    """
    options: dict[str, Any] = {"normalize": normalize, "bias": bias, "padding": "same"}
    if upsampling in ("transposed", "balanced"):
        options |= {"padding": "same" if crop is None else "valid"}
        balanced = upsampling == "balanced"
        x = convolution(filters, size, 2, transposed=True, balanced=balanced, **options)(x)
        return x if crop is None else layers.Cropping2D(crop)(x)
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


def sized(image_shape: Any) -> Any:
    """Returns the shape, with 256 by 256 pixels where both sides are unknown."""
    if isinstance(image_shape, (list, tuple)) and tuple(image_shape[:2]) == (None, None):
        return (256, 256, *image_shape[2:])
    return image_shape


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
