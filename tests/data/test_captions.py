"""Captions of drawn faces: what they say is true, varies, and is kept beside them."""

import numpy as np
import pytest

from keras_gans import data
from keras_gans.data.sources.faces import avataaars, captions
from keras_gans.text import words

LOOK = avataaars.LOOK
PEOPLE = [LOOK.person(0, 0, number).attributes for number in range(600)]

# What is said of a value by no other one of its attribute.
TELLING = {
    ("hair", "black"): {"black"},
    ("hair", "brown"): {"brown", "chestnut"},
    ("hair", "blonde"): {"blonde", "blond"},
    ("hair", "red"): {"red", "ginger"},
    ("long_hair", "yes"): {"long"},
    ("long_hair", "no"): {"short"},
    ("glasses", "sunglasses"): {"sunglasses", "shades", "dark"},
    ("glasses", "round"): {"round"},
    ("glasses", "clear"): {"clear", "plain"},
    ("glasses", "none"): {"no"},
    ("beard", "beard"): {"beard", "bearded"},
    ("beard", "moustache"): {"moustache", "mustache"},
    ("clothes_colour", "blue"): {"blue"},
    ("background", "pink"): {"pink"},
}


def written(wordings, times=4):
    return [
        captions.write(person, number, time, wordings=wordings)
        for number, person in enumerate(PEOPLE)
        for time in range(times)
    ]


@pytest.mark.parametrize("wordings", captions.WORDINGS)
def test_a_caption_says_what_it_names_and_that_is_true(wordings):
    for number, caption in enumerate(written(wordings)):
        assert caption.named.items() <= PEOPLE[number // 4].items()
        said = words(caption.text)
        assert len(said) <= captions.MOST_WORDS and set(said) <= set(captions.vocabulary())
        for fact in caption.named.items():
            assert TELLING.get(fact, set(said)) & set(said), caption


def test_captions_vary_in_what_they_name_and_how():
    found = written("seen")
    named = [len(caption.named) for caption in found]
    assert 0 in named and max(named) >= 6
    assert len({caption.text for caption in found}) > 0.8 * len(found)
    facts = {fact for caption in found for fact in caption.named.items()}
    open_eyes = {("eyes", "open")}  # which are not worth a word
    assert facts == {(name, v) for name, vs in LOOK.labels.items() for v in vs} - open_eyes
    assert {w for c in found for w in words(c.text)} == set(captions.vocabulary())


@pytest.mark.parametrize("name", [["hair"], ["long_hair", "clothes"], ["glasses", "mouth"]])
def test_a_vocabulary_has_the_words_of_its_attributes_and_no_others(name):
    found = [captions.write(p, n, k, name=name) for n, p in enumerate(PEOPLE) for k in range(4)]
    said = {word for caption in found for word in words(caption.text)}
    assert set(captions.vocabulary(name)) - {"an", "and"} <= said <= set(captions.vocabulary(name))


def test_held_out_wordings_are_other_sentences_of_the_same_words():
    seen, held_out = ({c.text for c in written(wordings)} for wordings in captions.WORDINGS)
    without = {c.text for c in written("seen") if not c.named}  # "a face" cannot be said otherwise
    assert seen & held_out <= without
    assert any("spectacles" in text and "dark" in text for text in held_out)
    assert not any("dark spectacles" in text for text in seen)


def test_eyes_behind_sunglasses_are_not_named():
    hidden = {**PEOPLE[0], "glasses": "sunglasses", "eyes": "wink"}
    assert not any("eyes" in captions.write(hidden, k).named for k in range(100))


def test_a_key_gives_the_same_caption_on_every_machine():
    texts = [captions.write(PEOPLE[3], 7, k, name=["hair", "glasses"]).text for k in range(3)]
    assert texts == [
        captions.write(PEOPLE[3], 7, k, name=["hair", "glasses"]).text for k in range(3)
    ]
    assert texts == [
        "somebody who has black hair and wears round spectacles",
        "a portrait, with black hair",
        "jet black hair, round spectacles",
    ]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"name": ["hiar"]}, "did you mean 'hair'"),
        ({"name": "hair"}, "in a list|of a list"),
        ({"name": []}, "some of"),
        ({"wordings": "heldout"}, "did you mean 'held_out'"),
    ],
)
def test_what_captions_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=f"(?i){message}"):
        captions.write(PEOPLE[0], 0, **arguments)


def load(tmp_path, **arguments):
    given = {"image_size": 16, "faces": 8, "data_dir": tmp_path, "batch_size": 4, **arguments}
    return data.load("avatars", **given)


def test_images_come_with_a_caption_that_changes_from_epoch_to_epoch(tmp_path):
    pytest.importorskip("dicebear")
    faces = load(tmp_path, captions=True, shuffle=False)
    first, second = (list(faces.as_numpy_iterator()) for _ in range(2))
    texts = [[text.decode() for _, batch in e for text in batch] for e in (first, second)]
    ((images, attributes),) = load(tmp_path, attributes=True, shuffle=False, batch_size=8)
    np.testing.assert_array_equal(np.concatenate([x for x, _ in first]), images)
    assert texts[0] != texts[1] and faces.element_spec[1].dtype == "string"
    for number in range(8):
        person = {n: LOOK.labels[n][v[number]] for n, v in attributes.items()}
        own = {captions.write(person, 0, *person.values(), k).text for k in range(5)}
        assert {texts[0][number], texts[1][number]} <= own
    # What an epoch shows depends on its number alone.
    later = load(tmp_path, captions=True, shuffle=False, first_epoch=1).take(2)
    assert [t.decode() for _, batch in later.as_numpy_iterator() for t in batch] == texts[1]
    only = load(tmp_path, captions=["background"], wordings="held_out")
    for _, batch in only.as_numpy_iterator():
        assert not any(b"hair" in text for text in batch)


@pytest.mark.parametrize(
    "name, arguments, message",
    [
        ("avatars", {"captions": "hair"}, "list of names of attributes"),
        ("avatars", {"captions": ["hiar"]}, "hair"),
        ("avatars", {"captions": True, "labels": True}, "beside captions"),
        ("avatars", {"captions": True, "attributes": True}, "beside attributes or captions"),
        ("avatars", {"captions": True, "wordings": "other"}, "no such wordings"),
        ("avatars", {"captions": True, "style": "lorelei"}, "avataaars"),
        ("pixel_faces", {"captions": True}, "avataaars"),
        ("digits", {"captions": True}, "'digits' has no captions"),
    ],
)
def test_data_sets_that_have_no_such_captions(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        data.load(name, **arguments)
