"""The convolutional pair of Radford 2015, for images of any size from 16 up."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence

import keras
from keras import layers

from keras_gans import checks
from keras_gans.layers import InstanceNoise
from keras_gans.networks import translation
from keras_gans.networks.augmented import augmented
from keras_gans.typing import Augment, Tensor

_SMALLEST = 4  # downsampling stops before the shorter side is smaller than this

Block = Callable[[Tensor], Tensor]


def pyramid(height: int, width: int, depth: int | None = None) -> list[tuple[int, int]]:
    """Returns the sizes from the image down: each half of the one before, rounded up.

    >>> pyramid(28, 28)
    [(28, 28), (14, 14), (7, 7)]
    >>> pyramid(28, 28, depth=3)[-1]
    (4, 4)
    """
    if depth is not None and 2 ** checks.count("depth", depth) > min(height, width) // 2:
        raise ValueError(
            "The image is too small for so many downsampling steps: the smallest grid has 2 or "
            f"more a side. Give a smaller `depth`. Received: depth={depth} for {height}x{width}"
        )
    grids = [(height, width)]
    while len(grids) <= depth if depth else min(grids[-1]) >= 2 * _SMALLEST:
        grids.append(tuple((side + 1) // 2 for side in grids[-1]))
    return grids


def cropped(x: Tensor, grid: tuple[int, int]) -> Tensor:
    """Returns the upper left of a feature map, of the height and width of `grid`."""
    surplus = [(0, has - wanted) for has, wanted in zip(x.shape[1:3], grid)]
    return layers.Cropping2D(surplus)(x) if any(cut for _, cut in surplus) else x


def plan(
    image_shape: Sequence[int], width: int, max_width: int, depth: int | None = None
) -> tuple[list[tuple[int, int]], list[int]]:
    """Returns the sizes from the image down, and the channels of each.

    >>> plan((32, 32, 3), width=8, max_width=16)
    ([(32, 32), (16, 16), (8, 8), (4, 4)], [8, 16, 16, 16])

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        width: channels at the image's size; each smaller size has twice as many.
        max_width: the most channels a size may have.
        depth: as of `pyramid`.
    """
    grids = pyramid(*checks.image_shape(image_shape, minimum=16)[:2], depth)
    checks.count("width", width)
    checks.count("max_width", max_width)
    return grids, [min(width * 2**level, max_width) for level in range(len(grids))]


def _weights():
    """Zero-centred normal, standard deviation 0.02 (Radford 2015, section 4); new in each layer."""
    return keras.initializers.RandomNormal(stddev=0.02)


def _normalization():
    # Momentum 0.9 and epsilon 1e-5 are the common ones of DCGAN programs; Keras' 0.99 would lag
    # hundreds of steps behind a generator that changes as fast as these do.
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)


def normalized(x: Tensor) -> Tensor:
    """Batch normalisation and ReLU."""
    return chained(x, [_normalization(), layers.ReLU()])


def chained(x: Tensor, steps: Iterable[Block]) -> Tensor:
    """Returns what layers, or other functions, make of `x`, one after the other."""
    for step in steps:
        x = step(x)
    return x


def drawn(x: Tensor, channels: int, kernel_size: int) -> Tensor:
    """Returns a feature map through a convolution that keeps its size."""
    options = {"padding": "same", "kernel_initializer": _weights()}
    return layers.Conv2D(channels, kernel_size, **options)(x)


def head(number: int = 1, name: str | None = None) -> layers.Layer:
    """Returns a new dense layer for logits: float32, whatever the policy."""
    return layers.Dense(number, kernel_initializer=_weights(), dtype="float32", name=name)


def logits(x: Tensor, number: int = 1, name: str = "logits") -> Tensor:
    """Returns the logits of features, through a new `head`."""
    return head(number, name)(x)


@dataclasses.dataclass(frozen=True)
class Backbone:
    """The strided convolutions that all DCGAN networks share: sizes, filters, kernels.

    `downsampled` and `features` lead from images to the smallest feature map, `upsampled` from
    there to images. The networks add inputs and heads.

    >>> backbone = Backbone((28, 28, 1), width=8)
    >>> backbone.smallest
    (7, 7, 16)
    >>> backbone.features(backbone.images()).shape
    (None, 784)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        width: filters of the convolution at half the image's size; each smaller size has twice as
            many.
        max_width: the most filters a layer may have.
        depth: number of downsampling (or upsampling) steps by 2; `None` for as many as leave the
            shorter side at 4 or more.
        kernel_size: of the convolutions, in pixels, 2 or more.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """

    image_shape: Sequence[int]
    width: int = 64
    max_width: int = 512
    depth: int | None = None
    kernel_size: int = 4

    def __post_init__(self) -> None:
        shape = checks.image_shape(self.image_shape, minimum=16)
        object.__setattr__(self, "image_shape", shape)
        _ = self.grids  # checks the depth
        checks.count("width", self.width)
        checks.count("max_width", self.max_width)
        checks.count("kernel_size", self.kernel_size, 2)

    @property
    def grids(self) -> list[tuple[int, int]]:
        """Sizes of the feature maps, from the image down."""
        return pyramid(*self.image_shape[:2], self.depth)

    @property
    def filters(self) -> list[int]:
        """Filters at each size, from the second of `grids` on."""
        levels = range(len(self.grids) - 1)
        return [min(self.width * 2**level, self.max_width) for level in levels]

    @property
    def smallest(self) -> tuple[int, int, int]:
        """`(height, width, filters)` of the smallest feature map."""
        return (*self.grids[-1], self.filters[-1])

    def images(self) -> keras.KerasTensor:
        """Returns a new input for images."""
        return keras.Input(self.image_shape, name="images")

    def downsampled(
        self,
        x: Tensor,
        batch_normalization: bool = True,
        wrap: Callable[[layers.Layer], layers.Layer] = lambda layer: layer,
    ) -> Tensor:
        """Returns the smallest feature map of images.

        Args:
            x: images, with any number of channels.
            batch_normalization: whether it follows each convolution but the first.
            wrap: applied to each convolution, such as `layers.SpectralNormalization`.
        """
        for level in range(len(self.filters)):
            x = chained(x, self.down(level, batch_normalization, wrap))
        return x

    def down(
        self,
        level: int,
        batch_normalization: bool = True,
        wrap: Callable[[layers.Layer], layers.Layer] = lambda layer: layer,
    ) -> list[layers.Layer]:
        """Returns new layers of one downsampling step, which several networks can share.

        Args:
            level: of the step; 0 takes the images.
            batch_normalization, wrap: see `downsampled`.
        """
        normalize = batch_normalization and level > 0
        convolution = layers.Conv2D(
            self.filters[level],
            self.kernel_size,
            strides=2,
            padding="same",
            use_bias=not normalize,
            kernel_initializer=_weights(),
        )
        return [wrap(convolution), *[_normalization()] * normalize, layers.LeakyReLU(0.2)]

    def features(self, x: Tensor, batch_normalization: bool = True, dropout: float = 0.0) -> Tensor:
        """Returns the smallest feature map of images as vectors, with dropout in training."""
        x = layers.Flatten()(self.downsampled(x, batch_normalization))
        return layers.Dropout(dropout)(x) if checks.share("dropout", dropout) else x

    def dense(self, x: Tensor) -> Tensor:
        """Returns vectors as a feature map of the smallest size, through a dense layer."""
        size = math.prod(self.smallest)
        x = layers.Dense(size, use_bias=False, kernel_initializer=_weights())(x)
        return layers.Reshape(self.smallest)(x)

    def upsampled(
        self,
        x: Tensor,
        normalize: Block = normalized,
        name: str = "images",
        upsampling: str = "transposed",
    ) -> Tensor:
        """Returns float32 images in [-1, 1] of the smallest feature map.

        Args:
            x: the feature map, normalised.
            normalize: normalisation and activation after each layer but the last.
            name: of the output.
            upsampling: one of `translation.UPSAMPLINGS`.
        """
        translation.upsampling(upsampling)
        for level in reversed(range(len(self.filters))):
            x = self.up(x, level, normalize, upsampling)
        return self.in_range(x, name)

    def up(
        self,
        x: Tensor,
        level: int,
        normalize: Block = normalized,
        upsampling: str = "transposed",
    ) -> Tensor:
        """Returns a feature map through one upsampling step; step 0 has the images' channels.

        Args:
            x: the feature map.
            level: of the step, the opposite of `down`.
            normalize, upsampling: see `upsampled`.
        """
        grids, last = self.grids, level == 0
        filters, after = [self.image_shape[2], *self.filters][level], None if last else "batch"
        x = translation.doubled(x, upsampling, filters, self.kernel_size, after)
        x = cropped(x, grids[level])
        return x if last else normalize(x)

    def in_range(self, x: Tensor, name: str = "images") -> Tensor:
        """Returns what the last step makes as images in [-1, 1]; `name` is that of the output."""
        # Float32 whatever the policy: images are compared, saved and differentiated in it.
        return layers.Activation("tanh", dtype="float32", name=name)(x)


def dcgan_generator(
    image_shape: Sequence[int],
    latent_dim: int = 128,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    upsampling: str = "transposed",
    noise: float = 0.0,
    name: str = "dcgan_generator",
) -> keras.Model:
    """The generator of DCGAN: latents to images through strided transposed convolutions.

    The first feature map has 4 to 7 pixels a side, and each layer doubles it: 7, 14, 28 or 4, 8,
    16, 32. Where a side is odd, a row or column is cropped, so that the sizes mirror those of
    `dcgan_discriminator`. Batch normalisation and ReLU follow every layer but the last, which
    ends in tanh (Radford 2015, section 3). The kernel is 4 wide where the paper's figure shows 5:
    a multiple of the stride, so that every pixel is written by equally many weights.

    >>> keras_gans.networks.dcgan_generator((28, 28, 1)).output_shape
    (None, 28, 28, 1)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        latent_dim: length of a latent.
        width: filters of the last hidden layer; each layer before it has twice as many.
        max_width: the most filters a layer may have.
        depth: number of upsampling steps by 2; `None` for as many as `dcgan_discriminator` has
            downsampling steps.
        kernel_size: of the transposed convolutions, in pixels.
        upsampling: how each layer doubles the size: as for `unet_generator`.
        noise: standard deviation of the noise that each layer but the last adds to what it
            returns, in training only; 0 for none.
        name: of the model.

    Returns:
        A `keras.Model` from `(batch, latent_dim)` to images `(batch, *image_shape)`, float32 in
        [-1, 1].

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    backbone = Backbone(image_shape, width, max_width, depth, kernel_size)
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    checks.weight("noise", noise)

    def noisy(x: Tensor) -> Tensor:
        x = normalized(x)
        return InstanceNoise(noise)(x) if noise else x

    images = backbone.upsampled(noisy(backbone.dense(latents)), noisy, upsampling=upsampling)
    return keras.Model(latents, images, name=name)


def dcgan_discriminator(
    image_shape: Sequence[int],
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    batch_normalization: bool = True,
    dropout: float = 0.0,
    augment: Augment = (),
    name: str = "dcgan_discriminator",
) -> keras.Model:
    """The discriminator of DCGAN: strided convolutions down to one logit.

    LeakyReLU with slope 0.2 everywhere, batch normalisation everywhere but at the first layer,
    no pooling and no hidden dense layer (Radford 2015, section 3). The logit has no activation:
    the losses take logits.

    >>> keras_gans.networks.dcgan_discriminator((28, 28, 1)).output_shape
    (None, 1)

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        width: filters of the first layer; each later one has twice as many.
        max_width: the most filters a layer may have.
        depth: number of downsampling steps by 2; `None` for as many as leave the shorter side at
            4 or more.
        kernel_size: of the convolutions, in pixels.
        batch_normalization: `False` for critics whose score must depend on one image alone, as
            gradient penalties need it.
        dropout: dropout rate before the logit, in [0, 1).
        augment: for few images, policies of `layers.DiffAugment` to put in front, such as
            `("translation", "cutout")`, or one of `layers.AdaptiveAugment`, such as `"bgc"`.
        name: of the model.

    Returns:
        A `keras.Model` from images `(batch, *image_shape)` to logits `(batch, 1)`, float32.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    backbone = Backbone(image_shape, width, max_width, depth, kernel_size)
    images = backbone.images()
    x = augmented(images, augment)
    x = backbone.features(x, batch_normalization, dropout)
    return keras.Model(images, logits(x), name=name)
