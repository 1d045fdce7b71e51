"""From texts to the numbers of their words, and the same in a TensorFlow graph.

Texts are in lower case, and whatever is not a letter or a digit stands between words. The words
have the numbers 1, 2, ... of their places in a vocabulary, and 0 fills up: those of
`keras.layers.TextVectorization` less 1, as a word that is not in the vocabulary has no number here.
It is an error, because a generator can do nothing with it.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from keras_gans.names import did_you_mean

# Of an error, how many words at most are listed.
_MOST = 5


def words(text: str) -> list[str]:
    """Returns the words of a text.

    >>> words("Red-haired, no beard!")
    ['red', 'haired', 'no', 'beard']
    """
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


@functools.lru_cache(maxsize=64)
def _places(vocabulary: tuple[str, ...]) -> dict[str, int]:
    return {word: place for place, word in enumerate(vocabulary, start=1)}


def encode(text: Any, vocabulary: Sequence[str], max_length: int, name: str = "text") -> list[int]:
    """Returns the numbers of the words of a text, filled up with 0.

    >>> encode("Red hair!", ("hair", "long", "red"), 4)
    [3, 1, 0, 0]

    Args:
        text: a string.
        vocabulary: the words that the numbers 1, 2, ... stand for.
        max_length: the most words.
        name: of the input, for errors.

    Returns:
        A list of `max_length` integers.

    Raises:
        ValueError: for a text without words, or of too many; and for words that are not in the
            vocabulary, each with the nearest ones.
    """
    if not isinstance(text, str):
        raise ValueError(f"A text is a string. Received: {name}={text!r}")
    found = words(text)
    if not found:
        raise ValueError(
            "A text without words says nothing. Expected one word or more; to leave all open, say "
            f"what there is and no more, such as 'a face'. Received: {name}={text!r}"
        )
    places = _places(tuple(vocabulary))
    unknown = [word for word in dict.fromkeys(found) if word not in places]
    if unknown:
        raise ValueError(_unknown(unknown, found, vocabulary) + f" Received: {name}={text!r}")
    if len(found) > max_length:
        raise ValueError(
            f"This text is too long. Expected at most {max_length} words. "
            f"Received: {len(found)} words, {name}={text!r}"
        )
    numbers = [places[word] for word in found]
    return numbers + [0] * (max_length - len(numbers))


def _unknown(unknown: Sequence[str], found: Sequence[str], vocabulary: Sequence[str]) -> str:
    """The error of words that are not in the vocabulary."""
    known = [word for word in dict.fromkeys(found) if word not in unknown]
    named = [f"{word!r}.{did_you_mean(word, vocabulary)}" for word in unknown[:_MOST]]
    more = f" And {len(unknown) - _MOST} more." if len(unknown) > _MOST else ""
    language = (
        " It may be in another language than the texts of the training."
        if len(unknown) > len(known) and len(found) > 1
        else ""
    )
    return (
        f"The generator has not learned some words: {' '.join(named)}{more}{language} Expected "
        f"some of the {len(vocabulary)} words of its vocabulary, such as "
        f"{', '.join(vocabulary[:: max(len(vocabulary) // 8, 1)][:8])}."
    )


def decode(numbers: Iterable[int], vocabulary: Sequence[str]) -> str:
    """Returns the words of numbers, with spaces between them.

    >>> decode([3, 1, 0, 0], ("hair", "long", "red"))
    'red hair'
    """
    return " ".join(vocabulary[number - 1] for number in numbers if number)


def in_graph(texts: Any, vocabulary: Sequence[str], max_length: int) -> Any:
    """Returns the numbers of the words of texts, as `encode` does, in a TensorFlow graph.

    No table is looked up, so that an exported graph has nothing to initialise.

    Args:
        texts: string tensor `(batch,)`.
        vocabulary: the words that the numbers 1, 2, ... stand for.
        max_length: the most words.

    Returns:
        int32 tensor `(batch, max_length)`.

    Raises:
        tf.errors.InvalidArgumentError: as `encode`, as the graph runs.
    """
    import tensorflow as tf  # here: listing presets does without

    plain = tf.strings.regex_replace(
        tf.strings.lower(texts, encoding="utf-8"), r"[^\p{L}\p{N}]+", " "
    )
    found = tf.strings.split(plain)
    same = found.flat_values[:, None] == tf.constant(list(vocabulary))[None, :]
    known = tf.reduce_any(same, axis=1)
    numbers = tf.where(known, tf.argmax(same, axis=1, output_type="int32") + 1, 0)
    lengths = found.row_lengths()
    checks = [
        tf.debugging.Assert(
            tf.reduce_all(known),
            [
                "The generator has not learned some words. Expected those of its vocabulary. "
                "Received:",
                tf.boolean_mask(found.flat_values, ~known),
            ],
            summarize=_MOST,
        ),
        tf.debugging.Assert(
            tf.reduce_all((lengths > 0) & (lengths <= max_length)),
            [f"A text has too many words, or none. Expected 1 to {max_length}. Received:", texts],
            summarize=_MOST,
        ),
    ]
    with tf.control_dependencies([check for check in checks if check is not None]):
        ragged = found.with_flat_values(numbers)
    return ragged.to_tensor(shape=(None, max_length))
