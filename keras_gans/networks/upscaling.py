"""What networks for super-resolution share: sizes that are open, and the range of their images."""

from keras import initializers, layers

from keras_gans import checks
from keras_gans.layers.clip_at_inference import ClipAtInference


def image_shape(shape):
    """Returns `(height, width, channels)`, whose height and width may be `None`: of any size."""
    shape = tuple(shape) if isinstance(shape, (list, tuple)) else shape
    if isinstance(shape, tuple) and len(shape) == 3:
        checks.image_shape(tuple(1 if side is None else side for side in shape[:2]) + shape[2:])
        return shape
    return checks.image_shape(shape)  # for its complaint


def one_of(name, value, known):
    """Returns `value` if it is one of the known ones."""
    if isinstance(value, bool) or value not in known:
        raise ValueError(
            f"`{name}` must be one of {', '.join(map(repr, known))}. Received: {name}={value!r}"
        )
    return value


def require_multiple(shape, of, what):
    """Raises ValueError unless all sides that are known are multiples."""
    if any(side is not None and side % of for side in shape[:2]):
        raise ValueError(
            f"{what}: both sides must be multiples of {of}. Pad the image by its mirror image, "
            f"and crop what comes out. Received: image_shape={shape}"
        )


def convolution(filters, size=3, gain=1.0, **options):
    """A convolution that keeps the size, with weights of He 2015: variance `gain` / fan in."""
    initializer = initializers.VarianceScaling(gain, "fan_in", "untruncated_normal")
    return layers.Conv2D(filters, size, padding="same", kernel_initializer=initializer, **options)


def leaky(x):
    """The leaky ReLU of ESRGAN."""
    return layers.LeakyReLU(0.2)(x)


def prelu(x, name=None):
    """A parametric ReLU with a slope for each channel, which starts at 0.25 (He 2015)."""
    slopes = initializers.Constant(0.25)
    return layers.PReLU(alpha_initializer=slopes, shared_axes=[1, 2], name=name)(x)


def taken(images, unit_range):
    """Images in [-1, 1] as the network computes with them: in [0, 1], or as they are."""
    return layers.Rescaling(0.5, 0.5)(images) if unit_range else images


def made(x, unit_range):
    """Float32 images in [-1, 1] of what a network computes, whatever the policy."""
    low = 0.0 if unit_range else -1.0
    name = None if unit_range else "upscaled"
    x = ClipAtInference(low, 1.0, dtype="float32", name=name)(x)
    return layers.Rescaling(2.0, -1.0, dtype="float32", name="upscaled")(x) if unit_range else x
