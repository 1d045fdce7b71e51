"""Layers of the networks for super-resolution: unknown sizes, and ranges of images."""

from collections.abc import Sequence
from typing import Any

from keras import initializers, layers

from keras_gans import checks
from keras_gans.layers.clip_at_inference import ClipAtInference
from keras_gans.typing import Tensor

SMALL = 0.01  # variance of a block's weights at the start, to He's: a tenth of the values
_RESIDUAL = 0.2  # what a block adds, times this


def image_shape(shape: Any) -> tuple[int | None, int | None, int]:
    """Returns `(height, width, channels)`, where `None` stands for any height or width."""
    shape = tuple(shape) if isinstance(shape, (list, tuple)) else shape
    if isinstance(shape, tuple) and len(shape) == 3:
        checks.image_shape(tuple(1 if side is None else side for side in shape[:2]) + shape[2:])
        return shape
    return checks.image_shape(shape)  # raises for this shape


def one_of(name: str, value: Any, known: Sequence) -> Any:
    """Returns `value` if it is one of the known ones."""
    if isinstance(value, bool) or value not in known:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, known))}. Received: {name}={value!r}"
        )
    return value


def require_multiple(shape: Any, of: int, what: str) -> None:
    """Raises ValueError unless all known sides are multiples."""
    if any(side is not None and side % of for side in shape[:2]):
        raise ValueError(
            f"{what}: both sides must be multiples of {of}. Pad the image by reflection, and "
            f"crop the output. Received: image_shape={shape}"
        )


def convolution(filters: int, size: int = 3, gain: float = 1.0, **options: Any) -> layers.Layer:
    """Returns a convolution that keeps the size; weights of variance `gain` / fan in (He 2015)."""
    initializer = initializers.VarianceScaling(gain, "fan_in", "untruncated_normal")
    return layers.Conv2D(filters, size, padding="same", kernel_initializer=initializer, **options)


def leaky(x: Tensor) -> Tensor:
    """The leaky ReLU of ESRGAN."""
    return layers.LeakyReLU(0.2)(x)


def prelu(x: Tensor, name: str | None = None) -> Tensor:
    """A parametric ReLU with a slope for each channel, which starts at 0.25 (He 2015)."""
    slopes = initializers.Constant(0.25)
    return layers.PReLU(alpha_initializer=slopes, shared_axes=[1, 2], name=name)(x)


def dense(x: Tensor, convolutions: int, growth: int, gain: float, name: str) -> Tensor:
    """Returns a feature map, joined with those of convolutions that see all that came before."""
    for number in range(1, convolutions + 1):
        y = convolution(growth, gain=gain, name=f"{name}_{number}")(x)
        x = layers.Concatenate()([x, layers.ReLU()(y)])
    return x


def added(x: Tensor, y: Tensor) -> Tensor:
    """Returns the sum of a feature map and a fifth of what a block makes of it (Wang 2018)."""
    return layers.Add()([x, layers.Rescaling(_RESIDUAL)(y)])


def taken(images: Tensor, unit_range: bool) -> Tensor:
    """Returns images in [-1, 1] as the network computes with them: in [0, 1], or unchanged."""
    return layers.Rescaling(0.5, 0.5)(images) if unit_range else images


def made(x: Tensor, unit_range: bool) -> Tensor:
    """Returns float32 images in [-1, 1] of a network's last feature map, whatever the policy."""
    low = 0.0 if unit_range else -1.0
    name = None if unit_range else "upscaled"
    x = ClipAtInference(low, 1.0, dtype="float32", name=name)(x)
    return layers.Rescaling(2.0, -1.0, dtype="float32", name="upscaled")(x) if unit_range else x
