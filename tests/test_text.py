"""The numbers of words, against Keras' own layer."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import text
from keras_gans.interface import Interface, Text

WORDS = ("a", "face", "hair", "long", "red", "ÿla")
TEXTS = ["a face", "Red hair", "LONG red hair a face", "hair\tred\n", "Ÿla red-hair!", "(a) face."]


def test_words_have_the_numbers_of_text_vectorization_less_one():
    layer = keras.layers.TextVectorization(
        standardize=None, output_sequence_length=5, vocabulary=list(WORDS)
    )
    plain = [" ".join(text.words(one)) for one in TEXTS]
    assert plain[-2:] == ["ÿla red hair", "a face"]
    expected = np.maximum(layer(tf.constant(plain)).numpy() - 1, 0)  # 1 is an unknown word
    found = [text.encode(one, WORDS, 5) for one in TEXTS]
    np.testing.assert_array_equal(found, expected)
    in_graph = tf.function(lambda texts: text.in_graph(texts, WORDS, 5))(tf.constant(TEXTS))
    np.testing.assert_array_equal(in_graph, expected)
    assert in_graph.dtype == "int32" and in_graph.shape[1] == 5
    assert text.decode(found[2], WORDS) == "long red hair a face"


@pytest.mark.parametrize(
    "wrong, message",
    [
        ("red hiar", "not learned some words.*hiar"),
        ("", "too many words, or none"),
        ("a a a a a a", "too many words, or none. Expected 1 to 5"),
    ],
)
def test_a_graph_refuses_what_has_no_numbers(wrong, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"(?s){message}"):
        text.in_graph(tf.constant(["a face", wrong]), WORDS, 5)


@pytest.mark.parametrize(
    "vocabulary, examples, message",
    [
        (("red", "Hair"), (), "'Hair' in a vocabulary of 2"),
        (("red", "red"), (), "each once"),
        (("red haired",), (), "each once"),
        (("red",), ("red hair",), "'hair'"),
        ("red", (), "a list of texts"),
    ],
)
def test_vocabularies_that_cannot_be_used(vocabulary, examples, message):
    with pytest.raises(ValueError, match=message):
        Text(4, vocabulary, examples=examples)


def test_unknown_words_are_named_with_the_nearest_ones():
    with pytest.raises(ValueError) as caught:
        Text(9, WORDS).encode("a loong fase and red hair")
    found = str(caught.value)
    for part in ("'loong'. Did you mean 'long'?", "'fase'. Did you mean 'face'?", "'and'"):
        assert part in found
    assert "language" not in found and "6 words of its vocabulary" in found
    with pytest.raises(ValueError, match="another language"):
        Text(9, WORDS).encode("красные волосы")


def test_examples_are_kept_as_json():
    from keras_gans.interface import Image, Latents

    stated = Interface([Latents(2), Text(4, WORDS, examples=["red hair"])], [Image(8, 8, 3)])
    assert Interface.from_json(stated.to_json()) == stated
    assert stated.to_json()["inputs"][1]["examples"] == ["red hair"]
