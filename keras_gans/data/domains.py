"""`load_domains`: images of two domains that have no example in common, as CoGAN and SimGAN learn.

References:
    Liu and Tuzel, 2016, "Coupled Generative Adversarial Networks", section 4, arXiv:1606.07536.
"""

import dataclasses
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.data import arguments, epochs, loading, naming, preprocessing, sources
from keras_gans.names import did_you_mean


def edges(images: tf.Tensor) -> tf.Tensor:
    """Returns the outlines of bright shapes: what a dilation by 3x3 pixels adds to them.

    As the authors of CoGAN make the second domain of their digits.

    >>> import numpy as np
    >>> dot = -np.ones((1, 4, 4, 1), "float32")
    >>> dot[0, 1, 1] = 1.0
    >>> print(edges(dot)[0, :, :, 0].numpy().astype(int))
    [[ 1  1  1 -1]
     [ 1 -1  1 -1]
     [ 1  1  1 -1]
     [-1 -1 -1 -1]]

    Args:
        images: floats in [-1, 1], `(batch, height, width, channels)`.

    Returns:
        Images of the same shape and range.
    """
    return tf.nn.max_pool2d(images, 3, 1, "SAME") - images - 1.0


def negative(images: tf.Tensor) -> tf.Tensor:
    """Returns negatives: bright is dark, and dark is bright.

    Args:
        images: floats in [-1, 1], `(batch, height, width, channels)`.
    """
    return -tf.convert_to_tensor(images)


TRANSFORMS: Mapping[str, Callable[[tf.Tensor], tf.Tensor]] = {"edges": edges, "negative": negative}


def load_domains(
    name: str | os.PathLike,
    *,
    transform: str | None = None,
    attribute: str | None = None,
    values: Sequence[Sequence[str]] | None = None,
    second: str | os.PathLike | None = None,
    batch_size: int = 64,
    split: str = "train",
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    shuffle: bool = True,
    seed: int = 0,
    first_epoch: int | None = None,
    drop_remainder: bool = True,
    num_examples: int | None = None,
    data_dir: str | os.PathLike | None = None,
    on_error: str = "raise",
    **options: Any,
) -> tf.data.Dataset:
    """Loads images of two domains that have no example in common, as batches for a training.

    The domains are made in one of three ways, the first two of one data set:

    - `transform="edges"` or `"negative"`: the first half of the examples is the first domain, as
      it is; the second half, transformed, is the second one.
    - `attribute="glasses"`: the examples of the attribute's first value, here "none", are the first
      domain, and all others the second one; or those of the `values` of each.
    - `second="digits"`: the second domain is another data set, of images of the same shape.

    The two images of a pair have nothing to do with each other: no example is in both domains, and
    each domain has a random order of its own. An epoch is as long as the larger domain; the smaller
    one goes round again, in a new order. Epochs are those of `load`.

    >>> # digits = load_domains("digits", transform="edges")
    >>> # faces = load_domains("pixel_faces", attribute="glasses")
    >>> # drawn_and_real = load_domains("font_digits", second="digits")
    >>> # hair = load_domains("avatars", attribute="hair", values=(["black"], ["blonde", "red"]))

    Args:
        name: Name of a data set of images, or folder of images, as of `load`.
        transform: Name of what makes the second domain of the second half of the examples:
            "edges" or "negative", functions of `keras_gans.data.domains`.
        attribute: Name of the attribute that tells the domains apart; of a set with classes also
            "label".
        values: Of the attribute: names of those in the first domain, and of those in the second.
        second: Name of the data set of the second domain, or folder of images. The `split`, sizes,
            channels and `num_examples` are then those of both sets, and options of the first.
        batch_size: Examples of each domain in a batch.
        split, image_size, channels, shuffle, seed, first_epoch, drop_remainder: See `load`.
        num_examples: Use only the first so many examples of the split, for both domains together;
            with `second`, of either set.
        data_dir, on_error: See `load`.
        **options: What only this data set understands; see `load`.

    Returns:
        `tf.data.Dataset` of pairs `(first, second)`, both `float32` in [-1, 1] and of shape
        `(batch_size, height, width, channels)`. `steps_per_epoch` knows its length.

    Raises:
        ValueError: If an argument does not fit, domains overlap, or one is empty.
        FileNotFoundError, ImportError, OSError, RuntimeError: See `load`.
    """
    arguments.check_flags(shuffle=shuffle, drop_remainder=drop_remainder)
    arguments.check_common(
        batch_size, seed, first_epoch, num_examples, channels, on_error, (None, 1, 3)
    )
    _check_choice(transform, attribute, values, second)
    source = naming.find(name, paired=False)
    arguments.check_options(name, options, source.options, load_domains)
    loading.check_fixed(source, image_size, channels)
    request = sources.Request(
        name=name,
        split=split,
        image_size=None if image_size is None else arguments.sides(image_size),
        channels=channels,
        attributes=False if attribute is None else (attribute,),
        num_examples=num_examples,
        seed=int(seed),
        data_dir=arguments.folder_of(data_dir),
        on_error=on_error,
        options=options,
    )
    with arguments.readable(name):
        examples, names = source.read(request)
    if second is not None:
        domains = [examples, _other(second, request)]
        _require_one_shape(domains, (name, second))
        domains = [domain.map(lambda image: (image,)) for domain in domains]
    elif attribute is None:
        domains = _halves(examples, name)
    else:
        domains = _by_values(examples, attribute, (names or {}).get(attribute), values)
    order, count = epochs.stored(domains, False, None, False, shuffle, request.seed)
    if drop_remainder and batch_size > count:
        raise arguments.too_large(batch_size, f"{count}, or `drop_remainder=False`")
    transformed = TRANSFORMS[transform] if transform is not None else tf.identity

    def to_floats(a, b):
        return preprocessing.to_float(a), transformed(preprocessing.to_float(b))

    def epoch(number):
        data = order(number).batch(batch_size, drop_remainder=drop_remainder)
        return data.map(to_floats, num_parallel_calls=tf.data.AUTOTUNE)

    return epochs.numbered_epochs(epoch, count, batch_size, first_epoch, drop_remainder)


def _check_choice(transform, attribute, values, second):
    """Checks that the domains are made in one of the three ways."""
    given = [way for way in (transform, attribute, second) if way is not None]
    if len(given) != 1 or (values is not None and attribute is None):
        raise ValueError(
            "Two domains are told apart by a transform or by an attribute, or are two data sets. "
            f"Expected one of `transform`, such as {next(iter(TRANSFORMS))!r}, `attribute`, such "
            "as 'glasses', and `second`, such as 'digits'; `values` are of an attribute. Received: "
            f"transform={transform!r}, attribute={attribute!r}, second={second!r}, "
            f"values={values!r}"
        )
    if transform is not None and transform not in TRANSFORMS:
        raise ValueError(
            f"There is no transform of that name.{did_you_mean(str(transform), TRANSFORMS)} "
            f"Expected one of {list(TRANSFORMS)}. Received: transform={transform!r}"
        )
    if attribute is not None and not isinstance(attribute, str):
        raise ValueError(
            "`attribute` is the name of an attribute of the data set, such as 'glasses'. "
            f"Received: attribute={attribute!r}"
        )


def _other(name, request):
    """The images of the second data set, which has no options."""
    source = naming.find(name, paired=False)
    loading.check_fixed(source, request.image_size, request.channels)
    with arguments.readable(name):
        return source.read(dataclasses.replace(request, name=name, options={}))[0]


def _require_one_shape(domains, names):
    specs = [domain.element_spec for domain in domains]
    for spec, name in zip(specs, names):
        _require_images(spec, name)
    if specs[0].shape != specs[1].shape:
        raise ValueError(
            "The images of the two data sets have different shapes. Give an `image_size`, and "
            "`channels` if they differ, for both. Received: "
            + ", ".join(f"{str(name)!r} of {spec.shape}" for name, spec in zip(names, specs))
        )


def _require_images(spec, name):
    if not isinstance(spec, tf.TensorSpec) or spec.shape.rank != 3:
        raise ValueError(
            "Only images have domains. Expected a data set of images, such as 'digits'. "
            f"Received: {str(name)!r}, of {spec}"
        )


def _halves(examples, name):
    """The first half of the examples, and the second one."""
    _require_images(examples.element_spec, name)
    half = int(examples.cardinality()) // 2
    if not half:
        raise ValueError(
            "Each domain needs an example of its own. Expected a split of two or more. "
            f"Received: {str(name)!r} with {int(examples.cardinality())}"
        )
    return [part.map(lambda x: (x,)) for part in (examples.take(half), examples.skip(half))]


def _by_values(examples, attribute, names, values):
    """The examples of some values of an attribute, and those of others."""
    found = examples.map(lambda image, known: known[attribute])
    numbers = np.fromiter(found.as_numpy_iterator(), "int64")
    names = list(names or map(str, range(numbers.max() + 1)))
    wanted = [names[:1], names[1:]] if values is None else _checked_values(attribute, names, values)
    domains = []
    for of_domain in wanted:
        kept = np.isin(numbers, [names.index(value) for value in of_domain])
        if not kept.any():
            raise ValueError(
                "A domain has no example. Expected values that some examples of the split have: "
                f"{[names[n] for n in np.unique(numbers)]}. Received: {attribute}={of_domain}"
            )
        one_of = functools.partial(_is_one_of, [names.index(v) for v in of_domain], attribute)
        domain = examples.filter(one_of).map(lambda image, known: (image,))
        domains.append(domain.apply(tf.data.experimental.assert_cardinality(int(kept.sum()))))
    return domains


def _is_one_of(numbers, attribute, image, known):
    return tf.reduce_any(tf.equal(known[attribute], numbers))


def _checked_values(attribute, names, values):
    """The names of the values of each domain; no value may be in both."""
    pair = not isinstance(values, str) and len(values) == 2
    if not pair or any(isinstance(v, str) or not v for v in values):
        raise ValueError(
            "`values` are those of each domain: two lists of names, such as "
            f"({names[:1]}, {names[1:2]}). Received: values={values!r}"
        )
    for value in (v for of_domain in values for v in of_domain):
        if value not in names:
            raise ValueError(
                f"The attribute {attribute!r} has no such value.{did_you_mean(str(value), names)} "
                f"Expected some of {names}. Received: values={values!r}"
            )
    if common := sorted(set(values[0]) & set(values[1])):
        raise ValueError(
            "The domains overlap: an example in both would be a pair to learn from. Expected "
            f"values of which none is in both lists. Received: {common} in values={values!r}"
        )
    return values
