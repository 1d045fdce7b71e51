"""Bars of Bach's chorales for four voices, as piano rolls; see `keras_gans.music`.

The scores come inside the package music21, which reads them. Bach's music is in the public domain.
Most of its encodings are by Margaret Greentree, "used by permission" of hers, and music21 says of
its corpus that some encodings may not be used commercially. So nothing made of them comes with this
library: neither bars nor weights.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.data.sources.packages import fingerprint
from keras_gans.data.sources.registry import Examples, Request, Source

if TYPE_CHECKING:
    from keras_gans.data.sources.builders import Plan

# Raised when scores are read in another way, so that nobody uses what an old one prepared.
READER = 1

# MusicXML. The corpus has three chorales in Humdrum, too, whose encoders reserve the rights to all
# derived formats: they are left out.
_SUFFIXES = (".mxl", ".xml", ".musicxml")
_SPLITS = ("train", "validation", "test")
_OF_TENTHS = (*["train"] * 8, "validation", "test")


def read(request: Request) -> Examples:
    """Returns the rolls of a `Request`, `uint8`, `(16, 48, 4)`; there are no classes."""
    import tensorflow as tf

    from keras_gans import music
    from keras_gans.data import prepared
    from keras_gans.data.arguments import check_whole
    from keras_gans.data.sources import builders

    options = {**SOURCE.options, **request.options}
    check_whole(transpose=options["transpose"], least=0)
    if request.labels:
        raise prepared.no_labels(str(request.name))
    builder = builders.prepared(plan(options["source"]), request.data_dir)
    bars = prepared.first(prepared.read_split(builder, request.split), request.num_examples)
    notes = np.stack([example["notes"] for example in bars.as_numpy_iterator()])
    notes = transposed(notes.astype("int32"), options["transpose"])
    columns = tf.range(music.LOWEST, music.LOWEST + music.PITCHES)[:, None]

    def roll(notes):  # notes are kept, and rolls are made of them: they take fifty times as much
        return 255 * tf.cast(notes[:, None] == columns, tf.uint8)

    return tf.data.Dataset.from_tensor_slices(notes).map(roll, tf.data.AUTOTUNE), None


def transposed(notes: np.ndarray, most: int) -> np.ndarray:
    """Returns bars as they are, and in all keys up to so many semitones above and below.

    A transposition in which a voice would leave its range (`music.RANGES`) is left out.

    Args:
        notes: Integers `(n, steps, 4)`: pitches, or `music.SILENCE`.
        most: Semitones.

    Returns:
        Integers of shape `(n or more, steps, 4)`, the bars of one key after the other.
    """
    from keras_gans import music

    low, high = np.array(music.RANGES).T
    sung = notes != music.SILENCE
    kept = [notes]
    for shift in (shift for shift in range(-most, most + 1) if shift):
        moved = np.where(sung, notes + shift, music.SILENCE)
        fits = (~sung | ((moved >= low) & (moved <= high))).all(axis=(1, 2))
        kept.append(moved[fits])
    return np.concatenate(kept)


def plan(source: Path | str | None = None) -> "Plan":
    """Returns what is prepared: notes of whole bars in 4/4, `(16, 4)`, in three splits.

    Of ten chorales, by a hash of the file's name, eight are for the training, one for the
    validation and one for the test. Bars that the training has, in this key or another, are left
    out of the other two: Bach harmonized some melodies several times, and used some settings twice.

    Args:
        source: folder of scores in MusicXML; `None` for the chorales inside music21.

    Raises:
        FileNotFoundError: if the folder has no scores.
        ValueError: if a score cannot be read, or none has bars for four voices.
        ImportError: if music21 is not installed.
    """
    from keras_gans.data.sources.builders import Plan

    files = None if source is None else find(source)
    content = () if files is None else [part for f in files for part in (f.name, f.read_bytes())]
    return Plan(
        name="keras_gans_chorales",
        description="Bars of chorales for four voices.",
        features=lambda features: {"notes": features.Tensor(shape=(16, 4), dtype=np.int8)},
        examples=lambda: _examples(find() if files is None else files),
        key=fingerprint(READER, *content),
        homepage="https://www.music21.org",
    )


def find(source: Path | str | None = None) -> list[Path]:
    """Returns the files of scores; see `plan`."""
    package = source is None
    folder = Path(_music21().__file__).parent / "corpus" / "bach" if package else Path(source)
    inside = folder.expanduser().rglob("*")
    found = sorted(f for f in inside if f.suffix.lower() in _SUFFIXES and f.is_file())
    if not found:
        raise FileNotFoundError(
            f"There are no scores. Expected a folder with files {', '.join(_SUFFIXES)}, or no "
            f"`source` for those that come with music21; there is a music21 without them, too. "
            f"Received: source={source if package else str(source)!r}"
        )
    return found


def _examples(files):
    """The examples of each split."""
    from keras_gans import music

    splits: dict[str, dict[str, np.ndarray]] = {split: {} for split in _SPLITS}
    top = os.path.commonpath([file.parent for file in files])  # names may be equal in two folders
    for file in files:
        digest = hashlib.sha256(os.fsencode(file.stem)).digest()
        for number, notes in bars_of(file):
            key = f"{file.relative_to(top).as_posix()}_{number}"
            splits[_OF_TENTHS[digest[0] % 10]][key] = notes
    if not any(splits.values()):
        raise ValueError(
            f"No bar of the scores can be used. Expected parts named {', '.join(music.VOICES)}, "
            f"and whole bars in 4/4. Received: {len(files)} files, such as {str(files[0])!r}"
        )
    seen = {_without_key(notes) for notes in splits["train"].values()}
    for split in _SPLITS[1:]:
        new = {k: notes for k, notes in splits[split].items() if _without_key(notes) not in seen}
        splits[split] = new
    return {
        split: [(key, {"notes": notes}) for key, notes in bars.items()]
        for split, bars in splits.items()
        if bars
    }


def _without_key(notes):
    """The same for a bar and its transpositions."""
    from keras_gans import music

    sung = notes[notes != music.SILENCE]
    lowest = sung.min() if sung.size else 0
    return np.where(notes == music.SILENCE, music.SILENCE, notes - lowest).tobytes()


def bars_of(file: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Reads the whole bars in 4/4 of a score for soprano, alto, tenor and bass.

    A bar is left out if it is not full, as a pick-up, has notes that do not begin and end on a
    sixteenth, or two notes at once in one voice. Of a score for other parts there is none.

    Args:
        file: MusicXML, plain or compressed.

    Yields:
        Number of the bar, from 0 on, and `int8` notes `(16, 4)`: pitches, or `music.SILENCE`.

    Raises:
        ValueError: if the file is no score.
    """
    from keras_gans import music

    reader = _music21().converter
    try:
        # Not from, nor into, music21's cache in the folder for temporary files.
        score = reader.parse(file, forceSource=True, storePickle=False)
    except Exception as error:  # of any kind: of XML, of ZIP, of music21
        raise ValueError(
            f"That is no score. Expected MusicXML; remove or replace the file. "
            f"Received: {str(file)!r} ({type(error).__name__}: {error})"
        ) from error
    parts = getattr(score, "parts", ())
    if tuple(part.partName for part in parts) != music.VOICES:
        return
    metre = None
    for number, measures in enumerate(zip(*(part.getElementsByClass("Measure") for part in parts))):
        metre = getattr(measures[0].timeSignature, "ratioString", metre)
        if metre == "4/4":
            voices = [_voice(measure) for measure in measures]
            if not any(voice is None for voice in voices):
                yield number, np.stack(voices, axis=-1)


def _voice(measure: Any) -> np.ndarray | None:
    """Pitches of one voice in a bar, `(16,)`, or None if they are not to be had."""
    from keras_gans import music

    if measure.highestTime != 4:
        return None
    pitches = np.full(16, music.SILENCE, "int8")
    for note in measure.recurse().notes:
        start = note.getOffsetInHierarchy(measure) * music.STEPS_PER_BEAT
        steps = note.quarterLength * music.STEPS_PER_BEAT
        if note.isChord or start % 1 or steps % 1:
            return None
        span = slice(int(start), int(start + steps))  # empty for a grace note
        if not music.LOWEST <= note.pitch.midi < music.LOWEST + music.PITCHES:
            return None
        if (pitches[span] != music.SILENCE).any():
            return None
        pitches[span] = note.pitch.midi
    return pitches


def _music21() -> ModuleType:
    try:
        import music21
    except ImportError as error:
        raise ImportError(
            "The chorales come inside the package music21, which is not installed. Install it "
            f"with `pip install 'keras-gans[music]'`. Received: {error}"
        ) from error
    return music21


SOURCE = Source(
    name="chorales",
    content="bars of Bach's chorales for four voices, piano rolls of 16x48x4",
    origin="`pip install 'keras-gans[music]'`, no download; or a folder of scores (`source=...`)",
    licence="Bach's music: public domain; its encodings: most by Margaret Greentree, in music21 "
    "by her permission, some not for commercial use",
    splits=_SPLITS,
    read=read,
    options={"transpose": 0, "source": None},
    fixed="A roll has 16 steps, 48 pitches and four voices.",
)
