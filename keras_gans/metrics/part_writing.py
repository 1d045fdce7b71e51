"""Statistics of music for several voices, as textbooks of part writing judge it."""

import dataclasses
import itertools

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import music

# An interval of more than an octave counts as an octave.
INTERVALS = tuple(range(-12, 13))
# Semitones above the root: major, minor, diminished and augmented triads, and the seventh chords
# of major and minor keys.
_TRIADS = ((0, 4, 7), (0, 3, 7), (0, 3, 6), (0, 4, 8))
_SEVENTHS = ((0, 4, 7, 10), (0, 4, 7, 11), (0, 3, 7, 10), (0, 3, 6, 10), (0, 3, 6, 9))


@dataclasses.dataclass(frozen=True)
class PartWriting:
    """Result of `part_writing`.

    Attributes:
        pitch_classes: `(12,)`, of all that is sung, the fraction of each pitch class, from C to B.
        intervals: `(voices, 25)`, of the steps of each melody, the fraction of each interval from
            -12 to 12 semitones; -12 and 12 stand for larger ones, too, and 0 never occurs. A voice
            that never moves has NaN.
        pitch_classes_per_bar: mean number of different pitch classes in a bar.
        chords: fraction of the steps in which all voices sing, whose notes are a triad or a seventh
            chord, complete, in any position. NaN if there is no such step.
        silence: fraction of the steps in which a voice is silent.
        outside_range: fraction of the notes, step by step, outside `music.RANGES`; NaN for other
            than four voices.
        crossing: fraction of the steps in which a voice sings lower than one below it.
        parallel_fifths: parallel fifths for every 100 changes of chord.
        parallel_octaves: parallel octaves and unisons for every 100 changes of chord.
        changes: number of the changes of chord.
    """

    pitch_classes: np.ndarray
    intervals: np.ndarray
    pitch_classes_per_bar: float
    chords: float
    silence: float
    outside_range: float
    crossing: float
    parallel_fifths: float
    parallel_octaves: float
    changes: int

    def distances(self, other: "PartWriting") -> dict[str, float]:
        """Returns how far the two histograms are from those of other music.

        That is the total variation, from 0 for equal histograms to 1 for those that have nothing
        in common; of the intervals, the mean over the voices.

        Args:
            other: a `PartWriting` of as many voices.

        Raises:
            ValueError: if there are not as many voices.
        """
        if self.intervals.shape != other.intervals.shape:
            raise ValueError(
                "Only music for as many voices can be compared. "
                f"Received: {len(self.intervals)} and {len(other.intervals)} voices"
            )
        pairs = {
            "pitch_classes": (self.pitch_classes, other.pitch_classes),
            "intervals": (self.intervals, other.intervals),
        }
        return {
            name: float(np.abs(one - two).sum(axis=-1).mean() / 2)
            for name, (one, two) in pairs.items()
        }


def part_writing(notes: ArrayLike) -> PartWriting:
    """Measures bars of music for several voices.

    A chord changes where a voice begins another note, within a bar. Parallel fifths are two voices
    that are a perfect fifth apart before and after such a change, or that and octaves, and both
    move, in the same direction; parallel octaves are the same of octaves and unisons. Each pair of
    voices counts for itself. Two voices that stay are none (Benward & Saker 2003, "Music in Theory
    and Practice", volume I, page 155), nor are voices that move in opposite directions. Fifths with
    a passing note between them are not found.

    >>> import numpy as np
    >>> from keras_gans import metrics
    >>> bar = np.full((1, 16, 4), [67, 64, 55, 48])  # G, E, G, C: C major
    >>> bar[:, 8:] += 2  # D major: all move up
    >>> found = metrics.part_writing(bar)
    >>> found.changes, found.parallel_fifths, found.parallel_octaves, found.chords
    (1, 200.0, 100.0, 1.0)

    Args:
        notes: integers `(n, steps, voices)` from the highest voice to the lowest, as
            `keras_gans.music.notes` reads them from rolls.

    Returns:
        A `PartWriting`.

    Raises:
        ValueError: for other than notes, or if all is silence.
    """
    found = music.require_notes(notes)
    sung = found != music.SILENCE
    if not sung.any():
        raise ValueError(
            "There is nothing to measure: all is silence. Expected notes; a generator at the start "
            f"of its training may make none. Received: notes of shape {found.shape}"
        )
    changes = (found[:, 1:] != found[:, :-1]).any(axis=-1)
    fifths, octaves = (_parallels(found, changes, distance) for distance in (7, 0))
    number = int(changes.sum())
    per_hundred = 100 / number if number else float("nan")
    return PartWriting(
        pitch_classes=np.bincount(found[sung] % 12, minlength=12) / sung.sum(),
        intervals=np.stack([_intervals(voice) for voice in np.moveaxis(found, -1, 0)]),
        pitch_classes_per_bar=float(_classes(found).sum(axis=-1).mean()),
        chords=_chords(found, sung),
        silence=float(1 - sung.mean()),
        outside_range=_outside(found, sung),
        crossing=float(_crossed(found, sung).mean()),
        parallel_fifths=fifths * per_hundred,
        parallel_octaves=octaves * per_hundred,
        changes=number,
    )


def _parallels(notes, changes, distance):
    """The number of parallels of intervals of so many semitones, up to octaves."""
    before, after = notes[:, :-1][changes], notes[:, 1:][changes]
    moves = np.sign(after - before) * ((before != music.SILENCE) & (after != music.SILENCE))
    count = 0
    for first, second in itertools.combinations(range(notes.shape[-1]), 2):
        same = (moves[:, first] == moves[:, second]) & (moves[:, first] != 0)
        for chord in (before, after):
            same &= np.abs(chord[:, first] - chord[:, second]) % 12 == distance
        count += int(same.sum())
    return count


def _intervals(voice):
    """The histogram of one voice, `(n, steps)`: from each note of a bar to the next."""
    before, after = voice[:, :-1], voice[:, 1:]
    moved = (before != after) & (before != music.SILENCE) & (after != music.SILENCE)
    intervals = np.clip((after - before)[moved], INTERVALS[0], INTERVALS[-1])
    counts = np.bincount(intervals - INTERVALS[0], minlength=len(INTERVALS))
    return counts / len(intervals) if len(intervals) else np.full(len(INTERVALS), np.nan)


def _classes(notes):
    """Which of the 12 pitch classes occur anywhere in a bar, `(n, 12)`."""
    classes = np.where(notes == music.SILENCE, -1, notes % 12)
    return (classes[..., None] == np.arange(12)).any(axis=(1, 2))


def _chords(notes, sung):
    chords = notes[sung.all(axis=-1)]
    if not len(chords):
        return float("nan")
    # A set of pitch classes as one number, with a bit for each.
    masks = np.bitwise_or.reduce(1 << chords % 12, axis=-1)
    known = {
        sum(1 << (tone + root) % 12 for tone in chord)
        for chord in _TRIADS + _SEVENTHS
        for root in range(12)
    }
    return float(np.isin(masks, list(known)).mean())


def _outside(notes, sung):
    if notes.shape[-1] != len(music.RANGES):
        return float("nan")
    low, high = np.array(music.RANGES).T
    return float((((notes < low) | (notes > high)) & sung).sum() / sung.sum())


def _crossed(notes, sung):
    """In which steps a voice sings lower than one below it, `(n, steps)`."""
    crossed = np.zeros(notes.shape[:2], bool)
    for upper, lower in itertools.combinations(range(notes.shape[-1]), 2):
        both = sung[..., upper] & sung[..., lower]
        crossed |= both & (notes[..., upper] < notes[..., lower])
    return crossed
