"""Music as piano rolls: notes, pictures and MIDI files.

A roll is to music what pixels are to an image: `(steps, pitches, voices)`, floats in [-1, 1], where
1 says that a voice sings a pitch at a step of time. So everything that trains on images trains on
rolls: see `keras_gans.data.load("chorales")`. `notes` reads from a roll what is sung, and `rolls`
writes it as one.

>>> import numpy as np
>>> from keras_gans import music
>>> chord = np.full((1, 16, 4), [72, 67, 64, 48])  # C major, sixteen steps long
>>> music.rolls(chord).shape
(1, 16, 48, 4)
>>> np.array_equal(music.notes(music.rolls(chord)), chord)
True
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks
from keras_gans.files import in_memory

VOICES = ("Soprano", "Alto", "Tenor", "Bass")
SILENCE = -1
# Rolls of chorales: from C2, which is number 36 in MIDI files, to B5, in steps of a sixteenth note.
LOWEST, PITCHES = 36, 48
STEPS_PER_BEAT, STEPS_PER_BAR = 4, 16

# Lowest and highest pitch that each voice sings comfortably: C4-G5, G3-D5, C3-G4 and E2-D4.
# Textbooks differ by a tone at the upper ends.
RANGES = ((60, 79), (55, 74), (48, 67), (40, 62))

_TICKS = 480  # of a quarter note in the files that `save` writes
_CHOIR = 52  # "Choir Aahs" of General MIDI, counted from 0
_PERCUSSION = 9  # the channel of drums in General MIDI
_MOST_BARS = 4096  # of a file to read: the longest note of a few bytes lasts years
# Soprano, alto, tenor, bass: told apart also by who does not see red and green (Okabe & Ito 2008).
_COLOURS = np.array([[213, 94, 0], [230, 159, 0], [0, 158, 115], [0, 114, 178]], "uint8")


def rolls(notes: ArrayLike, lowest: int = LOWEST, pitches: int = PITCHES) -> np.ndarray:
    """Returns notes as rolls.

    Args:
        notes: Integers `(n, steps, voices)`: the pitch that each voice sings at each step, as
            numbered in MIDI files (60 is middle C), or `SILENCE`, which is -1.
        lowest: Pitch of the first column of a roll.
        pitches: Number of columns.

    Returns:
        NumPy array of `float32` and shape `(n, steps, pitches, voices)`: 1 where a voice sings,
        and -1 elsewhere.

    Raises:
        ValueError: If `notes` are none, or a pitch lies outside the roll.
    """
    found = require_notes(notes)
    checks.count("lowest", lowest, 0)
    checks.count("pitches", pitches)
    sung = found[found != SILENCE]
    if sung.size and not lowest <= sung.min() <= sung.max() < lowest + pitches:
        raise ValueError(
            f"A note does not fit into the roll. Expected pitches from {lowest} to "
            f"{lowest + pitches - 1}; transpose the notes, or change `lowest` and `pitches`. "
            f"Received: pitches from {sung.min()} to {sung.max()}"
        )
    columns = np.arange(lowest, lowest + pitches)[:, None]
    return np.where(found[:, :, None] == columns, np.float32(1), np.float32(-1))


def notes(rolls: ArrayLike, lowest: int = LOWEST, threshold: float = 0.0) -> np.ndarray:
    """Reads what is sung from rolls, for example generated ones.

    Each voice sings one pitch at a step, the one with the largest value; or nothing, if no value
    is above the threshold.

    Args:
        rolls: Floats in [-1, 1] of shape `(n, steps, pitches, voices)`.
        lowest: Pitch of the first column.
        threshold: Value that must be exceeded.

    Returns:
        NumPy array of `int32` and shape `(n, steps, voices)`: pitches as numbered in MIDI files, or
        `SILENCE`.

    Raises:
        ValueError: If `rolls` are none.
    """
    values = require_rolls(rolls)
    checks.count("lowest", lowest, 0)
    sung = values.argmax(axis=2) + lowest
    return np.where(values.max(axis=2) > threshold, sung, SILENCE).astype("int32")


def require_rolls(rolls: ArrayLike) -> np.ndarray:
    """Returns rolls as a NumPy array.

    Raises:
        ValueError: If they have another shape or dtype, or values outside [-1, 1].
    """
    values = np.asarray(rolls)
    if values.ndim != 4 or 0 in values.shape or values.dtype.kind != "f":
        raise ValueError(
            "Those are no rolls. Expected floats in [-1, 1] of shape (n, steps, pitches, voices); "
            "of notes, `keras_gans.music.rolls` makes some. "
            f"Received: shape={values.shape}, dtype={values.dtype}"
        )
    if not np.abs(values).max() <= 1:  # NaN, too, is not
        raise ValueError(
            "Rolls have values in [-1, 1]: -1 is silence. Expected the output of a generator that "
            f"ends in tanh. Received: values from {values.min()} to {values.max()}"
        )
    return values


def require_notes(notes: ArrayLike) -> np.ndarray:
    """Returns notes as a NumPy array.

    Raises:
        ValueError: If they have another shape or dtype, or are not from -1 to 127.
    """
    found = np.asarray(notes)
    if found.ndim != 3 or 0 in found.shape or found.dtype.kind not in "iu":
        raise ValueError(
            "Those are no notes. Expected integers of shape (n, steps, voices); of rolls, "
            "`keras_gans.music.notes` makes some. "
            f"Received: shape={found.shape}, dtype={found.dtype}"
        )
    if found.min() < SILENCE or found.max() > 127:
        raise ValueError(
            f"A pitch is a number from 0 to 127, as in MIDI files, and {SILENCE} is silence. "
            f"Received: numbers from {found.min()} to {found.max()}"
        )
    return found.astype("int32")


def held(voice: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Yields the notes of one voice of one bar: the first step, the step after the last, the pitch.

    Equal pitches that follow each other are one note: a roll does not tell them apart.

    >>> import numpy as np
    >>> list(held(np.array([60, 60, 62, -1, 62])))
    [(0, 2, 60), (2, 3, 62), (4, 5, 62)]

    Args:
        voice: Integers `(steps,)`.
    """
    edges = np.flatnonzero(np.diff(voice)) + 1
    for start, end in zip([0, *edges], [*edges, len(voice)]):
        if voice[start] != SILENCE:
            yield int(start), int(end), int(voice[start])


def picture(rolls: ArrayLike, scale: int = 4) -> np.ndarray:
    """Draws what is sung in rolls: time from left to right, pitch upwards, a colour for each voice.

    Soprano, alto, tenor and bass are red, orange, green and blue; the first is drawn on top. Each C
    has a grey line, and so has the beginning of each beat.

    >>> import numpy as np
    >>> from keras_gans import image, music
    >>> drawn = music.picture(np.full((3, 16, 48, 4), -1.0))
    >>> drawn.shape
    (3, 192, 128, 3)
    >>> image.save(drawn, "rolls.png", columns=3).name
    'rolls.png'

    Args:
        rolls: Floats in [-1, 1] of shape `(n, steps, pitches, voices)`, with up to four voices,
            whose first column is a C.
        scale: Pixels of a pitch; a step has twice as many.

    Returns:
        NumPy array of `uint8` and shape `(n, pitches * scale, steps * 2 * scale, 3)`.

    Raises:
        ValueError: If `rolls` are none, or have more voices.
    """
    values = require_rolls(rolls)
    checks.count("scale", scale, 2)
    number, steps, pitches, voices = values.shape
    if voices > len(_COLOURS):
        raise ValueError(
            f"There are no colours for so many voices. Expected at most {len(_COLOURS)}. "
            f"Received: shape={values.shape}"
        )
    sung = notes(values, lowest=0)
    drawn = np.full((number, pitches * scale, steps * 2 * scale, 3), 255, "uint8")
    drawn[:, :: 12 * scale] = 200  # below each C, before the picture is turned over
    drawn[:, :, :: STEPS_PER_BEAT * 2 * scale] = 200
    for bar, of_bar in zip(drawn, sung):
        for voice in reversed(range(voices)):
            for start, end, pitch in held(of_bar[:, voice]):
                rows = slice(pitch * scale, (pitch + 1) * scale)
                # One pixel less: notes that follow each other at one pitch are seen as two.
                bar[rows, start * 2 * scale + 1 : end * 2 * scale] = _COLOURS[voice]
    return drawn[:, ::-1]


def save(
    rolls: ArrayLike,
    path: Path | str,
    tempo: float = 80.0,
    lowest: int = LOWEST,
    names: Sequence[str] = VOICES,
) -> Path:
    """Writes rolls to a MIDI file, one after the other, a track for each voice.

    Needs `pip install 'keras-gans[music]'`. A step is a sixteenth note. Notes are not held beyond
    the end of a roll.

    Args:
        rolls: Floats in [-1, 1] of shape `(n, steps, pitches, voices)`.
        path: Where to write, a name that ends in `.mid` or `.midi`.
        tempo: Quarter notes in a minute.
        lowest: Pitch of the first column.
        names: Of the tracks; further voices have none.

    Returns:
        The `pathlib.Path` written.

    Raises:
        ValueError: If `rolls` are none, there are more than 15 voices, a pitch is above 127, the
            name ends in something else, or the tempo is not from 4 to 1000.
        ImportError: If the package mido is not installed.
    """
    mido = _mido()
    sung = require_notes(notes(rolls, lowest))
    path = _midi_path(path)
    _require_voices(sung.shape[-1])
    if isinstance(tempo, bool) or not isinstance(tempo, int | float) or not 4 <= tempo <= 1000:
        raise ValueError(
            "`tempo` does not fit. Expected a number of quarter notes in a minute, from 4 to 1000, "
            f"which a MIDI file can hold. Received: tempo={tempo!r}"
        )
    file = mido.MidiFile(type=1, ticks_per_beat=_TICKS)
    speed = mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo))
    file.tracks.append(mido.MidiTrack([speed]))
    channels = [channel for channel in range(16) if channel != _PERCUSSION]
    for voice, channel in zip(range(sung.shape[-1]), channels):
        name = names[voice] if voice < len(names) else ""
        file.tracks.append(_track(mido, sung[..., voice], channel, name))
    with in_memory(path) as memory:
        file.save(file=memory)
    return path


def _track(mido, bars, channel, name):
    """One voice, `(n, steps)`, as a track."""
    events = []
    for number, bar in enumerate(bars):
        for start, end, pitch in held(bar):
            for kind, step in (("note_on", start), ("note_off", end)):
                # What ends at a step comes before what begins there.
                time = (number * len(bar) + step) * _TICKS // STEPS_PER_BEAT
                events.append((time, kind == "note_on", kind, pitch))
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    track.append(mido.Message("program_change", channel=channel, program=_CHOIR))
    now = 0
    for time, _, kind, pitch in sorted(events):
        track.append(mido.Message(kind, channel=channel, note=pitch, time=time - now))
        now = time
    return track


def read(path: Path | str, steps: int = STEPS_PER_BAR) -> np.ndarray:
    """Reads the notes of a MIDI file, such as `save` writes, in bars of so many sixteenth notes.

    Needs `pip install 'keras-gans[music]'`. Each track with notes is a voice, in the order of the
    file. Times are rounded to the nearest sixteenth note, and the last bar is filled with silence.

    Args:
        path: Of the file.
        steps: Sixteenth notes in a bar.

    Returns:
        NumPy array of `int32` and shape `(bars, steps, voices)`: pitches, or `SILENCE`. `rolls`
        makes rolls of it.

    Raises:
        ValueError: If it is no MIDI file, is damaged, has no notes or more than 15 voices, lasts
            too long, or a voice sings two notes at once.
        FileNotFoundError: If there is no such file.
        ImportError: If the package mido is not installed.
    """
    checks.count("steps", steps)
    file = _parsed(_midi_path(path))
    voices = [voice for track in file.tracks if (voice := list(_sung(track, file)))]
    if not voices:
        raise ValueError(
            "The MIDI file has no notes. Expected one or more tracks with notes. "
            f"Received: path={os.fspath(path)!r}"
        )
    _require_voices(len(voices))
    bars = -(-max(end for voice in voices for _, end, _ in voice) // steps)
    if bars > _MOST_BARS:
        raise ValueError(
            f"The MIDI file lasts too long. Expected at most {_MOST_BARS} bars of {steps} "
            f"sixteenth notes. Received: path={os.fspath(path)!r}, {bars} bars"
        )
    found = np.full((bars * steps, len(voices)), SILENCE, "int32")
    for column, voice in enumerate(voices):
        for start, end, pitch in voice:
            found[start:end, column] = pitch
    return found.reshape(bars, steps, len(voices))


def _parsed(path):
    mido = _mido()
    try:
        file = mido.MidiFile(path)
        if file.ticks_per_beat <= 0:
            raise ValueError("times are frames of a film, not parts of a beat")
    except Exception as error:  # of any kind: mido's own, and those of bytes that are missing
        if getattr(error, "errno", None):
            raise  # of the disk, or there is no such file
        raise ValueError(
            "That is no MIDI file, or it is damaged. Expected a complete file of type 0 or 1. "
            f"Received: path={str(path)!r} ({type(error).__name__}: {error})"
        ) from error
    return file


def _sung(track, file):
    """Yields the first step, the step after the last and the pitch of the notes of a track."""
    step = file.ticks_per_beat / STEPS_PER_BEAT
    now, begin, pitch = 0, 0, SILENCE
    for message in track:
        now += message.time
        if message.type not in ("note_on", "note_off"):
            continue
        if message.note == pitch:  # it ends, or is sung again
            if round(begin / step) < round(now / step):
                yield round(begin / step), round(now / step), pitch
            pitch = SILENCE
        if message.type == "note_on" and message.velocity > 0:
            if pitch != SILENCE:
                raise ValueError(
                    "A voice sings two notes at once. Expected a track for each voice. "
                    f"Received: path={file.filename!r}, track {track.name!r}"
                )
            begin, pitch = now, message.note


def _require_voices(number):
    if number > 15:
        raise ValueError(
            "A MIDI file has 15 channels beside that of the drums. Expected at most 15 voices. "
            f"Received: {number} voices"
        )


def _midi_path(path: Any) -> Path:
    named = isinstance(path, str | os.PathLike)
    if not named or Path(path).suffix.lower() not in (".mid", ".midi"):
        raise ValueError(
            "That is no name of a MIDI file. Expected a path that ends in `.mid`, such as "
            f"'bars.mid'. Received: path={path!r}"
        )
    return Path(path)


def _mido() -> ModuleType:
    try:
        import mido
    except ImportError as error:
        raise ImportError(
            "MIDI files are read and written by the package mido, which is not installed. Install "
            f"it with `pip install 'keras-gans[music]'`. Received: {error}"
        ) from error
    return mido
