"""Drawn faces: the same everywhere, with the attributes that they say, alone and in pairs."""

import collections
import hashlib

import numpy as np
import pytest

from keras_gans import data
from keras_gans.data.sources.faces import avataaars, painting, people, pixel_art, sets

pytest.importorskip("dicebear")
pytest.importorskip("resvg_py")

LOOK = avataaars.LOOK


def paint(person, size=32, style=avataaars):
    return painting.pixels(style.svg(person), size)


@pytest.mark.parametrize(
    "style, size, expected",
    [
        (avataaars, 64, "52c3e998fd270ea2"),
        (pixel_art, 16, "5d883c5eb546c350"),
    ],
)
def test_the_same_seed_gives_the_same_faces_on_every_machine(style, size, expected):
    faces = [paint(style.LOOK.person(0, 0, number), size, style) for number in range(8)]
    assert hashlib.sha256(np.stack(faces).tobytes()).hexdigest()[:16] == expected


def test_attributes_are_drawn_independently_and_in_the_shares_that_are_said():
    people_ = [LOOK.person(0, 0, number).attributes for number in range(4000)]
    for name, values in LOOK.labels.items():
        counts = collections.Counter(person[name] for person in people_)
        for value, share in zip(values, LOOK.shares_of(name), strict=True):
            # Four standard deviations of a share.
            assert abs(counts[value] / 4000 - share) < 4 * (share * (1 - share) / 4000) ** 0.5
    both = [person["hair"] == "red" and person["glasses"] == "none" for person in people_]
    assert abs(np.mean(both) - 0.25 * 0.4) < 4 * (0.1 * 0.9 / 4000) ** 0.5


@pytest.mark.parametrize("name", LOOK.labels)
def test_each_attribute_is_seen_and_nothing_else_changes(name):
    """Two values differ in pixels; and going there and back gives the face."""
    person = LOOK.person(0, 0, 3).but(glasses="none", age="young", beard="none")
    values = LOOK.labels[name]
    drawn = [paint(person.but(**{name: value})) for value in values]
    for number, face in enumerate(drawn):
        assert all(np.any(face != other) for other in drawn[:number])
    np.testing.assert_array_equal(
        paint(person.but(**{name: values[-1]}).but(**person.attributes)), paint(person)
    )


def test_no_attribute_hides_another_but_where_it_is_said():
    hidden, (by, value) = next(iter(avataaars.HIDDEN_BY.items()))
    assert hidden in LOOK.labels and value in LOOK.labels[by]


def load(tmp_path, **arguments):
    return data.load(
        "avatars",
        image_size=16,
        faces=8,
        data_dir=tmp_path,
        shuffle=False,
        batch_size=8,
        **arguments,
    )


def test_images_come_with_one_label_or_all_attributes(tmp_path):
    batches = load(tmp_path, attributes=True)
    ((images, attributes),) = batches.as_numpy_iterator()
    assert images.shape == (8, 16, 16, 3) and images.min() >= -1 and images.max() <= 1
    assert list(attributes) == list(LOOK.labels)
    assert data.class_names(batches) == {name: list(v) for name, v in LOOK.labels.items()}
    faces = {
        paint(person, 16).tobytes(): person.attributes
        for person in (LOOK.person(0, 0, number) for number in range(8))
    }
    for number, image in enumerate(images):
        known = faces[np.round((image + 1) * 127.5).astype("uint8").tobytes()]
        for name, values in LOOK.labels.items():
            assert values[attributes[name][number]] == known[name]
    for arguments in ({"labels": True, "attribute": "hair"}, {"labels": "hair"}):
        ((same, labels),) = load(tmp_path, **arguments).as_numpy_iterator()
        np.testing.assert_array_equal(labels, attributes["hair"])
    np.testing.assert_array_equal(same, images)
    ((_, some),) = load(tmp_path, attributes=["age", "skin"]).as_numpy_iterator()
    assert list(some) == ["age", "skin"]


def test_combinations_are_held_out(tmp_path):
    hold_out = {"glasses": "none", "long_hair": "no"}
    held = load(tmp_path, attributes=True, hold_out=hold_out)
    unseen = load(
        tmp_path, attributes=True, hold_out=hold_out, split="held_out", drop_remainder=False
    )
    for batches, wanted in ((held, False), (unseen, True)):
        for _, attributes in batches.as_numpy_iterator():
            both = (attributes["glasses"] == 0) & (attributes["long_hair"] == 0)
            assert (both == wanted).all()
    held_out = people.HeldOut(LOOK, [hold_out, {"skin": "pale"}])
    assert not any(held_out.seen(0, 0, k) in held_out for k in range(200))
    assert all(held_out.unseen(0, 0, k) in held_out for k in range(50))
    # Who was not held out anyway is the same person.
    assert all(
        held_out.seen(0, 0, k) == LOOK.person(0, 0, k)
        for k in range(50)
        if LOOK.person(0, 0, k) not in held_out
    )
    assert people.probability(LOOK, hold_out) == pytest.approx(0.4 * 0.5)


@pytest.mark.parametrize("pair", sets.KINDS)
def test_pairs_are_the_same_person(pair, tmp_path):
    pairs = data.load_pairs(
        "avatars", pair=pair, faces=8, image_size=16, batch_size=2, augment=False,
        data_dir=tmp_path, split="test",
    )  # fmt: skip
    ((a, b),) = pairs.as_numpy_iterator()
    assert a.shape == b.shape == (2, 16, 16, 3)
    assert np.abs(a - b).max() > 0.1
    if pair in ("glasses", "smile", "age"):  # most of the picture is alike
        assert (np.abs(a - b).max(axis=-1) < 0.02).mean() > {"age": 0.3}.get(pair, 0.6)
    if pair == "drawing":
        assert np.ptp(a, axis=-1).max() < 0.02  # grey


def test_a_part_map_has_the_colours_of_parts_alone():
    known = {tuple(bytes.fromhex(colour[1:])) for colour in avataaars.PARTS.values()}
    seen = set()
    for number in range(12):
        image = painting.pixels(avataaars.part_map(LOOK.person(0, 0, number)), 64)
        seen |= {tuple(map(int, pixel)) for pixel in image.reshape(-1, 3)}
    assert seen == known


def test_other_styles_are_images_alone(tmp_path):
    options = {"style": "lorelei", "faces": 4, "data_dir": tmp_path, "batch_size": 4}
    (images,) = data.load("avatars", image_size=8, **options)
    assert images.shape == (4, 8, 8, 3)
    with pytest.raises(ValueError, match="'keras_gans_faces_lorelei' has no attributes"):
        data.load("avatars", image_size=8, attributes=True, **options)
    assert "CC0" in painting.licence_of_style("lorelei")


WRONG = {
    "an attribute": ({"attributes": ["glases"]}, "Did you mean 'glasses'.*Received: attributes="),
    "a label": ({"labels": True, "attribute": "glases"}, "Did you mean 'glasses'"),
    "attributes and labels": ({"attributes": True, "labels": True}, "one label or with attributes"),
    "a text": ({"attributes": "hair"}, "a list of names.*Received: attributes='hair'"),
    "a style": ({"style": "avataars"}, "no such style.*Did you mean 'avataaars'"),
    "a combination": ({"hold_out": {"hair": "blond"}}, "no such value.*Did you mean 'blonde'"),
    "its attribute": ({"hold_out": {"hairs": "red"}}, "no attribute.*Did you mean 'hair'"),
    "an empty one": ({"hold_out": [{}]}, "A combination is a dictionary"),
    "no combination": ({"split": "held_out"}, "No faces are held out"),
    "everybody": (
        {"hold_out": [{"long_hair": "yes"}, {"long_hair": "no"}]},
        "combinations that leave some",
    ),
    "everybody, in four": (
        {
            "hold_out": [
                {"beard": "none", "long_hair": "yes"},
                {"beard": "none", "long_hair": "no"},
                {"beard": "beard"},
                {"beard": "moustache"},
            ]
        },
        "combinations that leave some",
    ),
    "of another style": (
        {"style": "lorelei", "hold_out": {"hair": "red"}},
        "`style` to be one of",
    ),
    "few faces": ({"faces": 3}, "`faces` does not fit"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_refused(what, tmp_path):
    arguments, message = WRONG[what]
    with pytest.raises(ValueError, match=message):
        data.load("avatars", **{"faces": 4, "image_size": 8, "data_dir": tmp_path, **arguments})


def test_unknown_pairs_and_missing_packages_are_named(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="no such pairs.*Did you mean 'drawing'"):
        data.load_pairs("avatars", pair="drawin", image_size=8, data_dir=tmp_path)
    with pytest.raises(ValueError, match="'keras_gans_digits' has no attribute of that name"):
        data.load("digits", attributes=["slant"])
    import sys

    painting._packages.cache_clear()
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(ImportError, match=r"pip install 'keras-gans\[faces\]'"):
        data.load("avatars", faces=4, data_dir=tmp_path)
    painting._packages.cache_clear()


def test_attributes_of_other_sets_are_features_of_integers(tmp_path, monkeypatch):
    """As those of "celeb_a": truth values in a feature of their own."""
    from keras_gans.data import prepared, sources
    from keras_gans.data.sources import builders, registry

    def read(request):
        plan = builders.Plan(
            name="faces",
            description="Faces.",
            features=lambda features: {
                "image": features.Image(shape=(8, 8, 1)),
                "attributes": {"Bald": np.bool_, "Smiling": np.bool_},
            },
            examples=lambda: {
                "train": [
                    (k, {
                        "image": np.full((8, 8, 1), k, "uint8"),
                        "attributes": {"Bald": k % 2 == 0, "Smiling": k == 1},
                    })
                    for k in range(4)
                ]
            },
        )  # fmt: skip
        return prepared.images(builders.prepared(plan, request.data_dir), request)

    monkeypatch.setattr(registry, "_SOURCES", dict(registry._SOURCES))
    texts = {"content": "faces", "origin": "these tests", "licence": "none", "splits": ("train",)}
    sources.register(sources.Source("faces", **texts, read=read))
    batches = data.load("faces", attributes=True, batch_size=4, data_dir=tmp_path)
    ((images, found),) = batches.as_numpy_iterator()
    number = np.round((images[:, 0, 0, 0] + 1) * 127.5)
    np.testing.assert_array_equal(found["Bald"], number % 2 == 0)
    np.testing.assert_array_equal(found["Smiling"], number == 1)
    assert data.class_names(batches) == {"Bald": None, "Smiling": None}
