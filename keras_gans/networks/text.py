"""Networks of texts: an encoder of captions, and a generator and a discriminator of images by them.

Texts are the numbers of their words, int32 `(batch, max_length)`, filled up with 0: see
`keras_gans.interface.Text`.
"""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans import checks, interface
from keras_gans.interface import Array, Image, Interface, Latents, Text
from keras_gans.networks import dcgan
from keras_gans.networks.augmented import augmented
from keras_gans.typing import Augment


def text_encoder(
    vocabulary: Sequence[str],
    max_length: int = 16,
    embedding_dim: int = 128,
    width: int = 64,
    examples: Sequence[str] = (),
    name: str = "text_encoder",
) -> keras.Model:
    """A convolutional-recurrent encoder of texts (Reed 2016, sections 3.2 and 4).

    Convolutions over neighbouring words, then a recurrent layer whose states are averaged over
    the text. The paper's reads letters; this one reads words, as a model of Reed et al., "Learning
    Deep Representations of Fine-Grained Visual Descriptions", 2016, does. The recurrent steps are
    unrolled, so that every format of an export has them.

    >>> keras_gans.networks.text_encoder(["red", "hair"], max_length=6).output_shape
    (None, 128)

    Args:
        vocabulary: the words, in lower case.
        max_length: the most words of a text.
        embedding_dim: length of what comes out.
        width: channels of a word; the convolutions have twice as many.
        examples: texts to generate from where none is given.
        name: of the model.

    Returns:
        A `keras.Model` from the numbers of words `(batch, max_length)`, int32, to embeddings
        `(batch, embedding_dim)`, float32, of any length.

    Raises:
        ValueError: for words or a number that cannot be used.
    """
    checks.count("width", width)
    port = Text(checks.count("max_length", max_length, 2), vocabulary, examples=examples)
    if not port.vocabulary:
        raise ValueError("`vocabulary` must have a word or more. Received: vocabulary=[]")
    tokens = keras.Input(port.shape, dtype="int32", name=port.name)
    # Standard normal: by Keras' small numbers texts would differ little for thousands of steps.
    words = keras.initializers.RandomNormal(stddev=1.0)
    x = layers.Embedding(len(port.vocabulary) + 1, width, words)(tokens)
    x = layers.Conv1D(2 * width, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling1D(2)(x)
    x = layers.GRU(2 * width, return_sequences=True, unroll=True)(x)
    x = layers.GlobalAveragePooling1D()(x)
    size = checks.count("embedding_dim", embedding_dim)
    x = layers.Dense(size, dtype="float32", name="text_embedding")(x)
    network = keras.Model(tokens, x, name=name)
    return interface.state(network, Interface([port], [Array((size,), "embedding")]))


def text_dcgan_generator(
    image_shape: Sequence[int],
    vocabulary: Sequence[str],
    max_length: int = 16,
    latent_dim: int = 64,
    embedding_dim: int = 128,
    encoder_width: int = 64,
    text_dim: int = 128,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    upsampling: str = "transposed",
    examples: Sequence[str] = (),
    name: str = "text_dcgan_generator",
) -> keras.Model:
    """`dcgan_generator` on latents and a text (Reed 2016, figure 2, on the left).

    The text's embedding is compressed by a dense layer with LeakyReLU and concatenated with the
    latents. The network has two parts, which `TextToImageGAN` calls one by one: the layers
    `"text_encoder"`, a `text_encoder`, and `"image_generator"`, from `[latents, embeddings]` to
    images.

    >>> network = keras_gans.networks.text_dcgan_generator((32, 32, 3), ["red", "hair"])
    >>> [tuple(x.shape) for x in network.inputs], network.output_shape
    ([(None, 64), (None, 16)], (None, 32, 32, 3))

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        vocabulary, max_length, embedding_dim, examples: see `text_encoder`.
        latent_dim: length of a latent.
        encoder_width: `width` of the text encoder.
        text_dim: length of the compressed embedding.
        width, max_width, depth, kernel_size, upsampling: see `dcgan_generator`.
        name: of the model.

    Returns:
        A `keras.Model` from `[(batch, latent_dim), (batch, max_length)]` to images
        `(batch, *image_shape)`, float32 in [-1, 1].

    Raises:
        ValueError: for words, a shape or a number that cannot be used.
    """
    encoder = text_encoder(vocabulary, max_length, embedding_dim, encoder_width, examples)
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    latents = keras.Input((checks.count("latent_dim", latent_dim),), name="latents")
    embedding = keras.Input((embedding_dim,), name="embedding")
    x = layers.Concatenate()([latents, _compressed(embedding, text_dim)])
    images = backbone.upsampled(dcgan.normalized(backbone.dense(x)), upsampling=upsampling)
    generator = keras.Model([latents, embedding], images, name="image_generator")

    (port,) = interface.of(encoder).texts
    tokens = keras.Input(port.shape, dtype="int32", name=port.name)
    network = keras.Model([latents, tokens], generator([latents, encoder(tokens)]), name=name)
    shape = checks.image_shape(image_shape)
    stated = Interface([Latents(latent_dim), port], [Image(*shape)])
    return interface.state(network, stated)


def text_dcgan_discriminator(
    image_shape: Sequence[int],
    embedding_dim: int = 128,
    text_dim: int = 128,
    width: int = 64,
    max_width: int = 512,
    depth: int | None = None,
    kernel_size: int = 4,
    batch_normalization: bool = True,
    projection: bool = False,
    augment: Augment = (),
    name: str = "text_dcgan_discriminator",
) -> keras.Model:
    """`dcgan_discriminator` that also sees a text (Reed 2016, figure 2, on the right).

    The text's embedding is compressed by a dense layer with LeakyReLU, repeated at each place of
    the smallest feature map and concatenated with it; a convolution of 1x1 follows. The network
    has parts, which `TextToImageGAN` calls one by one: `"features"`, from images to the smallest
    feature map; `"matching"`, from `[feature map, embeddings]` to logits; and `"image_embedding"`,
    which compares images with texts in the joint embedding.

    >>> network = keras_gans.networks.text_dcgan_discriminator((32, 32, 3))
    >>> [tuple(x.shape) for x in network.inputs], network.output_shape
    ([(None, 32, 32, 3), (None, 128)], [(None, 1), (None, 128)])

    Args:
        image_shape: `(height, width, channels)`, 16 or more a side.
        embedding_dim: length of a text's embedding.
        text_dim: length of the compressed embedding.
        width, max_width, depth, kernel_size, batch_normalization, augment: see
            `dcgan_discriminator`.
        projection: whether an inner product of image and text is added to the logit (Miyato 2018,
            equation 3), which the paper does not have: so matching is learned much sooner.
        name: of the model.

    Returns:
        A `keras.Model` from `[images, embeddings (batch, embedding_dim)]` to
        `[logits (batch, 1), image embeddings (batch, embedding_dim)]`, float32.

    Raises:
        ValueError: for a shape or a number that cannot be built.
    """
    backbone = dcgan.Backbone(image_shape, width, max_width, depth, kernel_size)
    images = backbone.images()
    x = backbone.downsampled(augmented(images, augment), batch_normalization)
    features = keras.Model(images, x, name="features")

    seen = keras.Input(backbone.smallest, name="map")
    embedding = keras.Input((checks.count("embedding_dim", embedding_dim),), name="embedding")
    height, width_, channels = backbone.smallest
    said = layers.RepeatVector(height * width_)(_compressed(embedding, text_dim))
    said = layers.Reshape((height, width_, text_dim))(said)
    x = dcgan.drawn(layers.Concatenate()([seen, said]), channels, 1)
    logits = dcgan.logits(layers.Flatten()(layers.LeakyReLU(0.2)(x)))
    if projection:
        phi = layers.Dense(embedding_dim, dtype="float32")(layers.Flatten()(seen))
        product = layers.Dot(axes=1, dtype="float32")([phi, embedding])
        logits = layers.Add(dtype="float32")([logits, product])
    matching = keras.Model([seen, embedding], logits, name="matching")

    found = layers.Flatten()(seen)
    found = layers.Dense(embedding_dim, dtype="float32", name="joint_embedding")(found)
    joint = keras.Model(seen, found, name="image_embedding")

    text = keras.Input((embedding_dim,), name="embedding")
    x = features(images)
    network = keras.Model([images, text], [matching([x, text]), joint(x)], name=name)
    shape = checks.image_shape(image_shape)
    stated = Interface(
        [Image(*shape), Array((embedding_dim,), "embedding")],
        [Array((1,), "logits"), Array((embedding_dim,), "image_embedding")],
    )
    return interface.state(network, stated)


def _compressed(embedding, size):
    """A text's embedding, shorter (Reed 2016, section 4.1)."""
    return layers.LeakyReLU(0.2)(layers.Dense(checks.count("text_dim", size))(embedding))
