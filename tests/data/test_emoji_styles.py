import json
import os

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

import keras_gans
from keras_gans.data.sources import emoji_styles

GREEN, BLUE = (0, 128, 0, 255), (0, 0, 255, 255)


def emoji(name, category="Objects", subcategory="tool", tones=()):
    entry = {"image": name, "category": category, "subcategory": subcategory}
    if tones:
        entry["skin_variations"] = {tone: {"image": tone} for tone in tones}
    return entry


TABLE = [
    emoji("1f44b.png", tones=[f"1f44b-1f3f{tone}.png" for tone in "bcdef"]),
    emoji("1f1eb-1f1f7.png", "Flags", "country-flag"),
    emoji("1f3fb.png", "Component", "skin-tone"),
    *(emoji(f"1f60{digit}.png", "Smileys & Emotion", "face-smiling") for digit in "012345678d"),
]


def write(source, style, table=TABLE, color=GREEN):
    """A package with a file for every emoji of the table; the left half is transparent."""
    package = source / f"emoji-datasource-{style}"
    images = package / "img" / style / "64"
    images.mkdir(parents=True)
    (package / "emoji.json").write_text(json.dumps(table))
    picture = Image.new("RGBA", (64, 64), color)
    picture.paste((0, 0, 0, 0), (0, 0, 32, 64))
    for entry in table:
        for item in (entry, *entry.get("skin_variations", {}).values()):
            picture.save(images / item["image"])
    return images


@pytest.fixture
def source(tmp_path, monkeypatch):
    monkeypatch.delenv(emoji_styles.NODE_VARIABLE, raising=False)
    source = tmp_path / "node_modules"
    write(source, "google", color=GREEN)
    write(source, "twitter", color=BLUE)
    return source


@pytest.fixture
def build(tmp_path):
    def build(image_size=(64, 64), channels=3, **options):
        return emoji_styles.builder(image_size, channels, tmp_path / "data", **options)

    return build


def test_pairs_are_on_white(build, source):
    builder = build(source=source)
    # 16 of the table: neither the flag nor the swatch of a skin tone.
    assert builder.info.splits.total_num_examples == 16
    for split in builder.info.splits:
        for example in tfds.as_numpy(builder.as_dataset(split)):
            for key, color in (("a", GREEN), ("b", BLUE)):
                assert (example[key][:, :32] == 255).all()
                assert (example[key][:, 32:] == color[:3]).all()


def test_size_and_channels(build, source):
    builder = build((16, 32), 1, source=source)
    assert builder.info.features["a"].shape == (16, 32, 1)
    (example, *_) = tfds.as_numpy(builder.as_dataset("train"))
    # The middle 32 rows, halved. Rec. 601 luma of the green: 0.587 x 128.
    assert (example["a"][:, :14] == 255).all() and (example["a"][:, 18:] == 75).all()


def test_one_style_alone(source):
    (drawn,) = emoji_styles.images(source, "twitter", ["1f600.png"])
    assert drawn[0] == "1f600.png"
    assert drawn[1].shape == (64, 64, 3) and drawn[1].dtype == np.uint8
    assert drawn[1][0, 63].tolist() == [0, 0, 255]


def test_splits_are_disjoint_and_whole(source):
    splits = emoji_styles.motif_splits(source)
    names = [name for names in splits.values() for name in names]
    assert len(names) == len(set(names)) == 16
    assert list(splits["train"]) == sorted(splits["train"])
    hands = {split for split, names in splits.items() for n in names if n.startswith("1f44b")}
    assert len(hands) == 1


def test_splits_are_stable(source):
    """A new version of Python, of the packages or of ours must not move an emoji."""
    splits = emoji_styles.motif_splits(source)
    where = {name[:5]: split for split, names in splits.items() for name in names}
    # The CRC-32 of the names, as gzip writes it, ends in 8 for validation and in 9 for test.
    assert where["1f603"] == "test" and where["1f60d"] == "validation"
    assert {where[name] for name in ("1f600", "1f604", "1f608", "1f44b")} == {"train"}


def test_splits_are_about_80_10_10(tmp_path):
    table = [emoji(f"{point:x}.png") for point in range(0x2000, 0x2000 + 1000)]
    source = tmp_path / "node_modules"
    for style in emoji_styles.STYLES:
        images = source / f"emoji-datasource-{style}" / "img" / style / "64"
        images.mkdir(parents=True)
        for entry in table:
            (images / entry["image"]).touch()
    (source / "emoji-datasource-google" / "emoji.json").write_text(json.dumps(table))
    sizes = {split: len(names) for split, names in emoji_styles.motif_splits(source).items()}
    # Three standard deviations of a binomial distribution: 38 and 28.
    assert abs(sizes["train"] - 800) < 38
    assert abs(sizes["validation"] - 100) < 28 and abs(sizes["test"] - 100) < 28


@pytest.mark.parametrize(
    "same",
    [
        # Skin tones, and a woman, man and person, running right or left.
        [
            "1f3c3",
            "1f3c3-1f3fb",
            "1f3c3-1f3ff-200d-2640-fe0f",
            "1f3c3-200d-2642-fe0f-200d-27a1-fe0f",
        ],
        ["1f468-200d-1f680", "1f469-1f3fc-200d-1f680", "1f9d1-1f3fd-200d-1f680"],
        ["1f9d1", "1f468", "1f469-200d-1f9b0", "1f471-200d-2640-fe0f", "1f9d4-1f3fb"],
        ["1f46a", "1f468-200d-1f466", "1f469-200d-1f469-200d-1f467-200d-1f467"],
        ["1f46b", "1f46d-1f3fb", "1f9d1-1f3fb-200d-1f91d-200d-1f9d1-1f3fe"],
        ["1f491", "1f468-200d-2764-fe0f-200d-1f468", "1f9d1-1f3fb-200d-2764-fe0f-200d-1f9d1-1f3fe"],
        ["1f48f-1f3fb", "1f469-200d-2764-fe0f-200d-1f48b-200d-1f468"],
        ["1f91d", "1faf1-1f3fb-200d-1faf2-1f3ff", "1faf1"],
        ["1f474", "1f475-1f3fb", "1f9d3"],
        ["1f466", "1f467", "1f9d2-1f3fd"],
    ],
    ids=lambda same: same[0],
)
def test_variants_are_one_motif(same):
    assert len({emoji_styles.motif(f"{name}.png", "person") for name in same}) == 1


def test_different_emoji_are_different_motifs():
    names = ["1f600", "1f9d1", "1f9d1-200d-1f680", "1f9d1-200d-1f692", "1f46a", "1f491", "1f48f"]
    names += ["1f46b", "1f91d", "1f9d2", "1f9d3", "1f3c3", "1f6b6"]
    assert len({emoji_styles.motif(f"{name}.png", "person") for name in names}) == len(names)
    assert emoji_styles.motif("1f550.png", "time") == emoji_styles.motif("1f551.png", "time")


def test_only_what_both_have(source):
    (source / "emoji-datasource-twitter/img/twitter/64/1f603.png").unlink()
    names = [name for names in emoji_styles.motif_splits(source).values() for name in names]
    assert len(names) == 15 and "1f603.png" not in names


def test_nothing_in_common(build, source):
    for file in (source / "emoji-datasource-twitter/img/twitter/64").iterdir():
        file.unlink()
    with pytest.raises(ValueError, match=r"no emoji in common.*npm install.*node_modules'"):
        build(source=source)


def test_source_from_the_environment_or_the_working_directory(source, monkeypatch):
    monkeypatch.chdir(source.parent)
    assert emoji_styles.find().resolve() == source
    other = source.rename(source.with_name("other"))
    with pytest.raises(FileNotFoundError, match=r"Received: 'node_modules'"):
        emoji_styles.find()
    monkeypatch.setenv(emoji_styles.NODE_VARIABLE, str(other))
    assert emoji_styles.find() == other
    assert emoji_styles.find(other) == other


@pytest.mark.parametrize(
    "part", ["google/emoji.json", "google/img/google/64", "twitter/img/twitter/64"]
)
def test_missing_packages(build, source, part):
    (source / f"emoji-datasource-{part}").rename(source / "elsewhere")
    install = "npm install emoji-datasource-google@16 emoji-datasource-twitter@16"
    match = rf"missing: emoji-datasource-{part}\..*`{install}`.*Received: '.*node_modules'"
    with pytest.raises(FileNotFoundError, match=match):
        build(source=source)


@pytest.mark.parametrize("content", [b"[{", "é".encode("latin-1")])
def test_a_damaged_list_is_named(build, source, content):
    (source / "emoji-datasource-google" / "emoji.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"list of emoji is damaged.*npm install.*emoji.json"):
        build(source=source)


def test_a_damaged_image_is_named(build, source):
    (source / "emoji-datasource-twitter/img/twitter/64/1f603.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"cannot be read.*twitter/64/1f603.png"):
        build(source=source)


def test_a_changed_file_is_prepared_anew(build, source):
    names = {build(source=source).builder_config.name}
    names.add(build(source=source).builder_config.name)
    assert len(names) == 1
    file = source / "emoji-datasource-google/img/google/64/1f603.png"
    stat = file.stat()
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    names |= {build(source=source, **other).builder_config.name for other in ({}, {"channels": 1})}
    names.add(build((64, 32), source=source).builder_config.name)
    assert len(names) == 4


@pytest.mark.parametrize("style, color", [("google", GREEN), ("twitter", BLUE)])
def test_loading_one_style(source, tmp_path, style, color):
    images = keras_gans.data.load(
        "emoji",
        style=style,
        source=source,
        split="train+validation+test",
        batch_size=16,
        data_dir=tmp_path / "data",
    )
    (batch,) = images
    assert batch.shape == (16, 64, 64, 3)
    assert (batch.numpy()[:, :, :32] == 1.0).all()
    np.testing.assert_allclose(batch.numpy()[0, 0, 63], np.array(color[:3]) / 127.5 - 1, atol=1e-6)


def test_a_style_that_is_none(source):
    with pytest.raises(ValueError, match="Did you mean 'google'.*style='gogle'"):
        keras_gans.data.load("emoji", style="gogle", source=source)
