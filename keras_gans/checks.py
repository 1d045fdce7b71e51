"""What is asked of arguments, wherever they are given."""


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
