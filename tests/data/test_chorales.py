"""Bars of chorales, of scores that are written here."""

import sys
import zipfile

import numpy as np
import pytest

from keras_gans import data, music
from keras_gans.data.sources import chorales

S, A, T, B = music.VOICES


def note(pitch, steps, tied=""):
    """A note of so many sixteenths; "C4", "F#4", or "" for a rest; "+C4" sounds with the last."""
    chord, pitch = ("<chord/>", pitch[1:]) if pitch.startswith("+") else ("", pitch)
    sound = "<rest/>"
    if pitch:
        alter = "<alter>1</alter>" if "#" in pitch else ""
        sound = f"<pitch><step>{pitch[0]}</step>{alter}<octave>{pitch[-1]}</octave></pitch>"
    tie = f'<tie type="{tied}"/>' if tied else ""
    return f"<note>{chord}{sound}<duration>{steps * 2}</duration>{tie}</note>"


def score(parts, metre=(4, 4)):
    """MusicXML of parts, each a list of measures, each a list of notes."""
    names = "".join(
        f'<score-part id="P{n}"><part-name>{name}</part-name></score-part>'
        for n, name in enumerate(parts)
    )
    written = []
    for n, measures in enumerate(parts.values()):
        text = ""
        for number, notes in enumerate(measures):
            begin = ""
            if number == 0:
                time = f"<beats>{metre[0]}</beats><beat-type>{metre[1]}</beat-type>"
                begin = f"<attributes><divisions>8</divisions><time>{time}</time></attributes>"
            text += f'<measure number="{number}">{begin}{"".join(notes)}</measure>'
        written.append(f'<part id="P{n}">{text}</part>')
    return (
        '<?xml version="1.0"?><score-partwise version="3.1">'
        f"<part-list>{names}</part-list>{''.join(written)}</score-partwise>"
    )


def choir(soprano):
    """A score whose other voices hold C major."""
    others = {A: "E4", T: "G3", B: "C3"}
    return {S: soprano} | {voice: [[note(p, 16)]] * len(soprano) for voice, p in others.items()}


FULL = [note("C5", 4), note("", 4), note("F#5", 6), note("G5", 1), note("E5", 1)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    pytest.importorskip("music21")
    folder = tmp_path_factory.mktemp("scores")
    bars = [[note("C5", 4)], FULL, [note("D5", 15), note("E5", 0.5), note("F5", 0.5)]]
    bars += [[note("C5", 16), note("+E5", 16)], [note("D5", 16, "start")], [note("C7", 16)]]
    (folder / "hymn.xml").write_text(score(choir(bars)))
    three = {voice: [[note("C4", 12)]] for voice in music.VOICES}
    (folder / "waltz.musicxml").write_text(score(three, (3, 4)))
    (folder / "trio.xml").write_text(score({name: [[note("C4", 16)]] for name in "VWX"}))
    return folder


def test_whole_bars_of_a_score(folder):
    """Of six bars, two: not a pick-up, not 32nds, chords, or what is too high."""
    found = list(chorales.bars_of(folder / "hymn.xml"))
    assert [number for number, _ in found] == [1, 4]
    rest = music.SILENCE
    soprano = [72] * 4 + [rest] * 4 + [78] * 6 + [79, 76]
    assert found[0][1].dtype == np.int8
    np.testing.assert_array_equal(found[0][1][:, 0], soprano)
    assert (found[0][1][:, 1:] == [64, 55, 48]).all()
    assert (found[1][1][:, 0] == 74).all()


def test_other_scores_have_no_bars(folder):
    for name in ("waltz.musicxml", "trio.xml"):
        assert list(chorales.bars_of(folder / name)) == []


@pytest.fixture(scope="module")
def hymns(tmp_path_factory):
    """Thirteen hymns of two bars: one of its own and one that all have, an octave higher or lower.

    Two files have one name, in two folders.
    """
    pytest.importorskip("music21")
    folder = tmp_path_factory.mktemp("hymns")
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    for number in range(13):
        own = [note("C5", 1 + number), note("D5", 15 - number)]
        text = score(choir([own, [note("C5", 8), note("E5", 8)]]))
        for octave in "345" if number % 2 else "":
            text = text.replace(f"<octave>{octave}<", f"<octave>{int(octave) - 1}<")
        path = folder / ("b" if number == 12 else "a") / f"hymn{number % 12}.mxl"
        with zipfile.ZipFile(path, "w") as file:
            inside = '<rootfiles><rootfile full-path="a.xml"/></rootfiles>'
            file.writestr("META-INF/container.xml", f"<container>{inside}</container>")
            file.writestr("a.xml", text)
    return folder


@pytest.fixture(scope="module")
def options(hymns, tmp_path_factory):
    return {"source": hymns, "batch_size": 1, "data_dir": tmp_path_factory.mktemp("prepared")}


SPLITS = data.sources.get("chorales").splits


def notes_of(**options):
    batches = data.load("chorales", shuffle=False, **options)
    return music.notes(np.concatenate(list(batches.as_numpy_iterator())))


def test_no_bar_is_in_two_splits(options):
    found = {split: notes_of(split=split, **options) for split in SPLITS}
    bars = {split: {bar.tobytes() for bar in notes} for split, notes in found.items()}
    for one in bars:
        assert not any(bars[one] & bars[other] for other in bars if other != one)
    # The bar that all hymns have is in the training alone, where it is in two octaves.
    lengths = {split: (notes[:, :, 0] % 12 == 0).sum(axis=1) for split, notes in found.items()}
    own = [*lengths["validation"], *lengths["test"]]
    assert len(own) >= 2 and 8 not in own
    counts = np.bincount([*lengths["train"], *own], minlength=14)[1:14]
    assert counts[7] > 1 and set(np.delete(counts, 7)) == {1}


def test_batches_are_rolls(options):
    batches = data.load("chorales", **{**options, "batch_size": 4})
    rolls = next(iter(batches)).numpy()
    assert rolls.shape == (4, 16, 48, 4) and rolls.dtype == np.float32
    assert set(np.unique(rolls)) == {-1, 1}
    np.testing.assert_array_equal((rolls == 1).sum(axis=2), 1)  # each voice sings one pitch
    np.testing.assert_array_equal(music.rolls(music.notes(rolls)), rolls)


def test_transposed_bars(options):
    plain = data.load("chorales", num_examples=3, **options)
    assert data.steps_per_epoch(plain) == 3
    notes = notes_of(num_examples=3, transpose=2, **options)
    assert len(notes) > 3
    classes = (notes[:, 0, 1] - 64) % 12
    assert list(classes[:3]) == [0, 0, 0] and set(classes) <= {10, 11, 0, 1, 2}
    low, high = np.array(music.RANGES).T
    assert ((notes[3:] >= low) & (notes[3:] <= high)).all()
    bars = np.array([[[79, 55, 48, 62]], [[70, 60, 60, -1]]])
    expected = [[79, 55, 48, 62], [70, 60, 60, -1], [69, 59, 59, -1], [71, 61, 61, -1]]
    assert chorales.transposed(bars, 1)[:, 0].tolist() == expected


def test_wrong_arguments(options):
    for changed, message in [
        ({"labels": True}, "'chorales' has no classes"),
        ({"attributes": True}, "has no attributes"),
        ({"image_size": 32}, "16 steps, 48 pitches and four voices"),
        ({"channels": 3}, "16 steps, 48 pitches and four voices"),
        ({"transpose": -1}, "`transpose` does not fit.*0 or more"),
        ({"transpose": 1.5}, "`transpose` does not fit"),
        ({"split": "tests"}, "no such split"),
        ({"num_examples": 1000}, "fewer examples"),
        ({"key": "C"}, "no option of that name.*transpose"),
    ]:
        with pytest.raises(ValueError, match=message):
            data.load("chorales", **{**options, **changed})


def test_wrong_folders(tmp_path):
    pytest.importorskip("music21")
    with pytest.raises(FileNotFoundError, match="no scores.*Received: source="):
        data.load("chorales", source=tmp_path, data_dir=tmp_path)
    (tmp_path / "trio.xml").write_text(score({name: [[note("C4", 16)]] for name in "VWX"}))
    with pytest.raises(ValueError, match="No bar of the scores.*1 files, such as.*trio.xml"):
        data.load("chorales", source=tmp_path, data_dir=tmp_path)
    (tmp_path / "damaged.mxl").write_bytes(b"PK" + bytes(100))
    with pytest.raises(ValueError, match="no score.*Expected MusicXML.*damaged.mxl"):
        list(chorales.bars_of(tmp_path / "damaged.mxl"))


def test_the_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "music21", None)
    with pytest.raises(ImportError, match=r"music21.*keras-gans\[music\]"):
        data.load("chorales", data_dir=tmp_path)


@pytest.mark.by_hand
def test_the_chorales_themselves(tmp_path):
    """A minute: music21 reads 364 scores. The numbers are those of docs/music.md."""
    pytest.importorskip("music21")
    options = {"batch_size": 1, "data_dir": tmp_path}
    found = {name: data.load("chorales", split=name, **options) for name in SPLITS}
    found = {name: data.steps_per_epoch(bars) for name, bars in found.items()}
    assert found == {"train": 3011, "validation": 278, "test": 420}
