"""What is asked of arguments, wherever they are given."""

import keras


def count(name, value, minimum=1):
    """Returns `value` if it is an integer of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ValueError(
            f"`{name}` must be an integer of at least {minimum}. Received: {name}={value!r}"
        )
    return value


def share(name, value):
    """Returns `value` if it is a share that leaves something: in [0, 1)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise ValueError(
            f"`{name}` must be a share of at least 0 and below 1. Received: {name}={value!r}"
        )
    return value


def weight(name, value):
    """Returns `value` as a float if it is 0 or more."""
    if not value >= 0:
        raise ValueError(f"`{name}` must be 0 or more. Received: {name}={value}")
    return float(value)


def image_shape(shape, minimum=1):
    """Returns `(height, width, channels)` of an image at least `minimum` a side."""
    shape = tuple(shape) if isinstance(shape, (list, tuple)) else shape
    if not isinstance(shape, tuple) or len(shape) != 3:
        raise ValueError(
            "`image_shape` must be `(height, width, channels)`, channels last. "
            f"Received: image_shape={shape}"
        )
    for name, value in zip(("height", "width"), shape):
        count(f"image_shape ({name})", value, minimum)
    count("image_shape (channels)", shape[2])
    return shape


def linear_output(critic):
    """Raises ValueError if a critic squashes its score."""
    last = critic.outputs[0]._keras_history.operation
    activation = getattr(last, "activation", None)
    if activation not in (None, keras.activations.linear) or "Sigmoid" in type(last).__name__:
        raise ValueError(
            "A critic estimates a difference of scores, which have no bounds: it must be linear at "
            "its end. Take the activation off its last layer. "
            f"Received: {last.name!r} with {getattr(activation, '__name__', type(last).__name__)}"
        )


def no_batch_normalization(critic):
    """Raises ValueError if a critic normalises over the batch, at any depth."""
    for layer in critic._flatten_layers(include_self=False, recursive=True):
        if isinstance(layer, keras.layers.BatchNormalization):
            raise ValueError(
                "The gradient penalty asks for the slope at one image, and batch normalisation "
                "makes the score of an image depend on the others (Gulrajani 2017, section 4). "
                "Build the critic with `batch_normalization=False`, or put "
                f"`keras.layers.LayerNormalization` in its place. Received: layer {layer.name!r} "
                f"in {critic.name!r}"
            )
