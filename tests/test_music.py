"""Piano rolls, their pictures and their MIDI files."""

import struct
import sys

import numpy as np
import pytest

from keras_gans import image, music


@pytest.fixture
def bars():
    """Two bars of two voices: what is held, repeated, silent, and long."""
    notes = np.full((2, 8, 2), music.SILENCE)
    notes[0, :, 0] = [60, 60, 60, 62, 62, -1, -1, 64]
    notes[0, :, 1] = 48
    notes[1, :, 0] = [64, -1, 64, -1, 65, 65, 67, 67]
    return notes


def test_rolls_of_notes(bars):
    rolls = music.rolls(bars, lowest=48, pitches=20)
    assert rolls.shape == (2, 8, 20, 2) and rolls.dtype == np.float32
    assert np.argwhere(rolls[0, 3] == 1).tolist() == [[0, 1], [14, 0]]
    assert np.count_nonzero(rolls == 1) == 6 + 8 + 6
    np.testing.assert_array_equal(music.notes(rolls, lowest=48), bars)


def test_the_loudest_pitch_of_a_voice_is_sung():
    rolls = np.full((1, 1, 3, 2), -1.0)
    rolls[0, 0, :, 0], rolls[0, 0, :, 1] = [0.2, 0.4, 0.3], [-0.1, -0.3, -0.2]
    assert music.notes(rolls).tolist() == [[[music.LOWEST + 1, music.SILENCE]]]
    assert music.notes(rolls, threshold=-0.2).tolist() == [[[37, 36]]]


def test_a_picture_shows_each_voice_where_it_sings():
    rolls = music.rolls([[[60, 36], [60, 36], [music.SILENCE, 83], [60, 60]]])
    (drawn,) = music.picture(rolls, scale=2)
    assert drawn.shape == (96, 16, 3) and drawn.dtype == np.uint8
    red, orange = [213, 94, 0], [230, 159, 0]
    found = (drawn == red).all(axis=-1)
    # Pitch 60 is the 24th from below: rows 46 and 47 of 96. One pixel of a note is left out.
    assert np.argwhere(found).tolist() == [
        [r, c] for r in (46, 47) for c in (*range(1, 8), 13, 14, 15)
    ]
    found = (drawn == orange).all(axis=-1)
    assert found[94:, 1:8].all() and found[:2, 9:12].all() and found.sum() == 14 + 6


def events(path):
    """The bytes of the tracks of a file, read by the MIDI 1.0 specification alone."""
    content = path.read_bytes()
    kind, length, form, number, division = struct.unpack(">4sIHHH", content[:14])
    assert (kind, length) == (b"MThd", 6)
    tracks, content = [], content[14:]
    while content:
        kind, length = struct.unpack(">4sI", content[:8])
        assert kind == b"MTrk"
        tracks.append(content[8 : 8 + length])
        content = content[8 + length :]
    assert len(tracks) == number
    return form, division, tracks


def test_the_bytes_of_a_midi_file(tmp_path):
    pytest.importorskip("mido")
    path = music.save(music.rolls([[[60]], [[60]]]), tmp_path / "new" / "two.mid", tempo=60)
    form, division, (speed, voice) = events(path)
    assert (form, division) == (1, 480)
    # 1,000,000 microseconds for a quarter note: 0F 42 40.
    assert speed == bytes.fromhex("00ff5103 0f4240 00ff2f00")
    name = b"\x00\xff\x03\x07Soprano"
    # Twice middle C for 120 ticks, a sixteenth: begun again, as a bar is a piece of its own.
    sung = bytes.fromhex("00c034 00903c40 78803c40 00903c40 78803c40 00ff2f00")
    assert voice == name + sung


def test_files_are_read_as_they_were_written(bars, tmp_path):
    pytest.importorskip("mido")
    path = music.save(music.rolls(bars), str(tmp_path / "bars.MID"))
    np.testing.assert_array_equal(music.read(path, steps=8), bars)
    # Bars of other lengths: the last one is filled with silence.
    assert music.read(path).shape == (1, 16, 2)
    assert music.read(path, steps=5).shape == (4, 5, 2)
    assert (music.read(path, steps=5)[-1, 1:] == music.SILENCE).all()


def test_times_of_others_are_rounded(tmp_path):
    mido = pytest.importorskip("mido")
    file = mido.MidiFile(ticks_per_beat=96)  # a sixteenth has 24 ticks
    track = mido.MidiTrack()
    for kind, note, velocity, time in [
        ("note_on", 60, 64, 2),
        ("note_on", 60, 0, 20),  # the end of a note, as many files write it
        ("note_on", 62, 64, 4),
        ("note_off", 62, 0, 70),
        ("note_on", 64, 64, 0),
        ("note_off", 64, 0, 3),  # too short
    ]:
        track.append(mido.Message(kind, note=note, velocity=velocity, time=time))
    file.tracks += [mido.MidiTrack(), track]
    file.save(tmp_path / "played.mid")
    assert music.read(tmp_path / "played.mid", steps=4)[..., 0].tolist() == [[60, 62, 62, 62]]


HEADER = b"MThd" + struct.pack(">IHHH", 6, 1, 1, 480)


def track(content):
    return b"MTrk" + struct.pack(">I", len(content)) + content


BAD_FILES = {
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(40), "no MIDI file, or it is damaged"),
    "nothing": (b"", "no MIDI file, or it is damaged"),
    "the header alone": (HEADER, "no MIDI file, or it is damaged"),
    "half a note": (HEADER + b"MTrk\x00\x00\x00\x08\x00\x90", "no MIDI file, or it is damaged"),
    "frames": (
        b"MThd" + struct.pack(">IHHh", 6, 1, 1, -6440) + track(b"\x00\xff\x2f\x00"),
        "no MIDI file, or it is damaged",
    ),
    "silence": (HEADER + track(b"\x00\xff\x2f\x00"), "has no notes"),
    "a note of years": (
        HEADER + track(bytes.fromhex("00903c40 ffffff7f 803c40 00ff2f00")),
        "lasts too long.*Expected at most 4096 bars",
    ),
    "a chord in one voice": (
        HEADER + track(bytes.fromhex("00903c40 009040 40 00ff2f00")),
        "two notes at once.*a track for each voice",
    ),
}


@pytest.mark.parametrize("what", BAD_FILES)
def test_files_that_cannot_be_read(what, tmp_path):
    pytest.importorskip("mido")
    content, message = BAD_FILES[what]
    (tmp_path / "bad.mid").write_bytes(content)
    with pytest.raises(ValueError, match=f"{message}.*Received: path=.*bad.mid"):
        music.read(tmp_path / "bad.mid")


def test_files_that_are_not_there(tmp_path):
    pytest.importorskip("mido")
    with pytest.raises(FileNotFoundError):
        music.read(tmp_path / "none.mid")
    rolls = music.rolls([[[60]]])
    for path in (tmp_path / "song.mp3", 3, None):
        for use in (music.read, lambda path: music.save(rolls, path)):
            with pytest.raises(ValueError, match="ends in `.mid`.*Received: path="):
                use(path)


def test_the_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "mido", None)
    with pytest.raises(ImportError, match=r"mido.*keras-gans\[music\]"):
        music.save(music.rolls([[[60]]]), tmp_path / "a.mid")
    with pytest.raises(ImportError, match=r"mido.*keras-gans\[music\]"):
        music.read(tmp_path / "a.mid")


ROLLS, NOTES = np.full((1, 16, 48, 4), -1.0), np.full((1, 16, 4), 60)
WRONG = {
    "an image of notes": (lambda: music.rolls(ROLLS), "no notes.*shape=.1, 16, 48, 4."),
    "one bar": (lambda: music.rolls(NOTES[0]), "no notes.*shape=.16, 4."),
    "notes as floats": (lambda: music.rolls(NOTES * 1.0), "no notes.*dtype=float64"),
    "notes of no instrument": (lambda: music.rolls(NOTES + 100), "from 0 to 127.*from 160 to 160"),
    "a low note": (lambda: music.rolls(NOTES - 25), "does not fit.*36 to 83.*Received.*35 to 35"),
    "a roll without voices": (lambda: music.notes(ROLLS[..., 0]), "no rolls.*shape=.1, 16, 48."),
    "no bars": (lambda: music.notes(ROLLS[:0]), "no rolls.*shape=.0, 16, 48, 4."),
    "notes as rolls": (lambda: music.picture(NOTES), "no rolls.*dtype=int64"),
    "another range": (lambda: music.notes(ROLLS * 2), "values in .-1, 1.*from -2.0 to -2.0"),
    "NaN": (lambda: music.notes(ROLLS * np.nan), "values in .-1, 1.*from nan to nan"),
    "many voices": (lambda: music.picture(np.tile(ROLLS, 2)), "Expected at most 4. Received"),
    "a small scale": (lambda: music.picture(ROLLS, scale=1), "scale"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_music(what):
    call, message = WRONG[what]
    with pytest.raises(ValueError, match=message):
        call()


def test_bad_tempos_and_choirs(tmp_path):
    pytest.importorskip("mido")
    for tempo in (0, -1, 3, 1e9, "fast", np.nan, True):
        with pytest.raises(ValueError, match="tempo"):
            music.save(ROLLS, tmp_path / "a.mid", tempo=tempo)
    with pytest.raises(ValueError, match="at most 15 voices.*Received: 16 voices"):
        music.save(np.tile(ROLLS, 4), tmp_path / "a.mid")
    with pytest.raises(ValueError, match="from 0 to 127.*to 130"):
        music.save(-ROLLS, tmp_path / "a.mid", lowest=130)
    assert not list(tmp_path.iterdir())


def test_pictures_are_saved(tmp_path):
    drawn = music.picture(np.repeat(ROLLS, 3, axis=0))
    assert image.save(drawn, tmp_path / "rolls.png", columns=3).stat().st_size > 100
