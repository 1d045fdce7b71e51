"""What networks that see whole images share: their layers as the reference programs have them.

Biases, paddings and epsilons are those of the authors' PyTorch programs, so that a network has
their number of parameters and, with their weights, their outputs.
"""

from keras import initializers, layers

from keras_gans import checks
from keras_gans.layers import InstanceNormalization
from keras_gans.names import did_you_mean

NORMALIZATIONS = ("batch", "instance", "instance_affine", None)


def normalization(name):
    """Returns the name of a normalisation if there is one."""
    if name not in NORMALIZATIONS:
        raise ValueError(
            f"No normalisation of that name.{did_you_mean(str(name), NORMALIZATIONS[:-1])} "
            f"Expected one of {NORMALIZATIONS}. Received: normalization={name!r}"
        )
    return name


def convolution(filters, size, strides=1, normalize=None, bias=False, transposed=False, **options):
    """A convolution with weights from N(0, 0.02) (Isola 2017, appendix 6.2).

    Args:
        filters: how many.
        size: of the kernel, in pixels.
        strides: of the grid.
        normalize: what follows it. Batch normalisation has an offset of its own, as an affine
            instance normalisation has. Plain instance normalisation has none, so that the
            convolution before it keeps its bias.
        bias: whether to have one whatever follows.
        transposed: for one that makes the grid larger.
        **options: of the Keras layer, such as `padding`.
    """
    kind = layers.Conv2DTranspose if transposed else layers.Conv2D
    return kind(
        filters,
        size,
        strides=strides,
        use_bias=bias or normalize not in ("batch", "instance_affine"),
        kernel_initializer=initializers.RandomNormal(stddev=0.02),
        **options,
    )


def normalized(x, name):
    """A feature map, normalised by name."""
    if name == "batch":
        gamma = initializers.RandomNormal(1.0, 0.02)
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, gamma_initializer=gamma)(x)
    if name in ("instance", "instance_affine"):
        affine = name == "instance_affine"
        return InstanceNormalization(center=affine, scale=affine)(x)
    return x


def image(x):
    """Float32 images in [-1, 1], whatever the policy."""
    return layers.Activation("tanh", dtype="float32", name="translated")(x)


def out_channels(number, image_shape):
    """Channels of the images made: as many as of those taken, unless given."""
    return image_shape[2] if number is None else checks.count("out_channels", number)


def require_multiple(image_shape, of, what):
    """Raises ValueError, naming the nearest sizes that do, unless both sides are multiples."""
    sides = image_shape[:2]
    if any(side % of for side in sides):
        near = [sorted({max(side // of, 1) * of, -(-side // of) * of}) for side in sides]
        lower, upper = (tuple(pair[i] for pair in near) for i in (0, -1))
        sizes = f"{lower}" if lower == upper else f"{lower} or {upper}"
        raise ValueError(
            f"{what}: both sides must be multiples of {of}. The nearest sizes are {sizes}. "
            f"Received: image_shape={tuple(image_shape)}"
        )
