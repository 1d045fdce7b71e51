"""Statistics of part writing, on bars whose faults are counted by hand."""

import math

import numpy as np
import pytest

from keras_gans import metrics, music


def bar(*chords):
    """A bar of chords of two steps each, `(1, 2 * chords, voices)`."""
    return np.repeat(np.array(chords), 2, axis=0)[None]


def faults(*chords):
    found = metrics.part_writing(bar(*chords))
    per_change = found.changes / 100
    counts = found.parallel_fifths * per_change, found.parallel_octaves * per_change
    return tuple(round(count, 6) for count in counts)


# Two voices, two chords: parallel fifths, and parallel octaves.
PAIRS = {
    "fifths": ([67, 60], [69, 62], (1, 0)),
    "fifths downwards": ([67, 60], [62, 55], (1, 0)),
    "twelfths": ([79, 60], [81, 62], (1, 0)),
    "a fifth and a twelfth, both upwards": ([67, 60], [81, 62], (1, 0)),
    "octaves": ([72, 60], [74, 62], (0, 1)),
    "unisons": ([60, 60], [62, 62], (0, 1)),
    "an octave and a unison, both downwards": ([72, 60], [55, 55], (0, 1)),
    "a fifth that is repeated": ([67, 60], [67, 60], None),
    "a fifth by contrary motion": ([67, 60], [74, 55], (0, 0)),
    "a fifth to which one voice goes": ([67, 60], [65, 60], (0, 0)),
    "fourths": ([65, 60], [67, 62], (0, 0)),
    "a diminished fifth, then a perfect one": ([66, 60], [69, 62], (0, 0)),
    "a hidden fifth": ([69, 60], [72, 65], (0, 0)),
    "a fifth before silence": ([67, 60], [-1, -1], (0, 0)),
    "a fifth after silence": ([-1, 60], [69, 62], (0, 0)),
    "fifths of voices that cross": ([60, 67], [62, 69], (1, 0)),
}


@pytest.mark.parametrize("what", PAIRS)
def test_parallels_of_two_voices(what):
    first, second, expected = PAIRS[what]
    found = faults(first, second)
    assert found == expected or (expected is None and all(map(math.isnan, found)))


def test_each_pair_of_voices_counts():
    # C G E C to D A F D: fifths of alto and bass; octaves of soprano and bass.
    assert faults([72, 67, 52, 48], [74, 69, 53, 50]) == (1, 1)
    # Three changes, of which the middle one is in order: C major, D minor, G major, A minor.
    chords = [72, 67, 64, 48], [74, 69, 65, 50], [71, 67, 62, 55], [72, 69, 64, 57]
    found = metrics.part_writing(bar(*chords))
    assert found.changes == 3
    # Alto and bass, C-G to D-A; tenor and bass, G-D to A-E. Soprano and bass, C-C to D-D, and
    # alto and bass, G-G to A-A.
    assert found.parallel_fifths == pytest.approx(200 / 3)
    assert found.parallel_octaves == pytest.approx(200 / 3)
    # As a chord lasts does not matter, and nothing leads from one bar to the next.
    chords = np.array(chords)
    assert metrics.part_writing(np.repeat(chords, 5, axis=0)[None]).changes == 3
    assert metrics.part_writing(chords[:, None]).changes == 0


def test_as_music21_counts():
    """Chords drawn at random, judged by its module of figured bass."""
    pytest.importorskip("music21")
    from music21 import pitch
    from music21.figuredBass import possibility

    # Not G sharp and D sharp, of which music21 spells one as a flat: then they are no fifth.
    spelled = [p for p in range(48, 73) if p % 12 not in (3, 8)]
    chords = np.random.default_rng(0).choice(spelled, (2000, 4))
    seen = 0
    for first, second in zip(chords[::2], chords[1::2]):
        # Voices of one pitch, and opposite motion, are named otherwise there.
        moves = np.sign(second - first)
        if abs(moves.sum()) < 4 or len(set(first)) < 4 or len(set(second)) < 4:
            continue
        both = [tuple(pitch.Pitch(int(p)) for p in chord) for chord in (first, second)]
        fifths, octaves = faults(first, second)
        assert (fifths > 0) == possibility.parallelFifths(*both)
        assert (octaves > 0) == possibility.parallelOctaves(*both)
        seen += fifths + octaves
    assert seen


def test_histograms():
    found = metrics.part_writing(bar([60, 48], [64, 48], [62, 36], [-1, 36], [65, 48]))
    expected = np.zeros(12)
    expected[[0, 4, 2, 5]] = [6 / 9, 1 / 9, 1 / 9, 1 / 9]  # C: five of the bass, and the first
    np.testing.assert_allclose(found.pitch_classes, expected)
    intervals = np.zeros((2, 25))
    # Up 4 and down 2, none across silence; the bass an octave down and up.
    intervals[0, [12 + 4, 12 - 2]] = intervals[1, [0, 24]] = 0.5
    np.testing.assert_allclose(found.intervals, intervals)
    assert found.pitch_classes_per_bar == 4
    assert found.silence == pytest.approx(1 / 10)
    wide = metrics.part_writing(bar([40], [80], [40]))
    assert wide.intervals[0, [0, 24]].tolist() == [0.5, 0.5]
    assert np.isnan(metrics.part_writing(bar([60])).intervals).all()


CHORDS = {
    "C major": ([72, 67, 64, 48], 1),
    "its first inversion, wide": ([79, 67, 60, 40], 1),
    "F sharp minor": ([73, 69, 66, 54], 1),
    "diminished": ([74, 65, 62, 59], 1),
    "augmented": ([72, 68, 64, 60], 1),
    "a seventh chord on G": ([77, 74, 71, 55], 1),
    "a diminished seventh chord": ([74, 71, 68, 65], 1),
    "without a third": ([72, 67, 60, 48], 0),
    "a cluster": ([63, 62, 61, 60], 0),
    "two triads": ([72, 71, 64, 55], 1),  # C E G B: a major seventh chord
    "a second in it": ([74, 67, 64, 48], 0),  # C E G D
    "a voice is silent": ([-1, 67, 64, 48], None),
}


@pytest.mark.parametrize("what", CHORDS)
def test_chords(what):
    chord, expected = CHORDS[what]
    found = metrics.part_writing(bar(chord)).chords
    assert found == expected or (expected is None and math.isnan(found))


def test_ranges_and_crossings():
    # The soprano is a tone too high, then the alto sings above it, and the bass a semitone too low.
    found = metrics.part_writing(bar([81, 67, 60, 48], [60, 64, 55, 39]))
    assert found.outside_range == 2 / 8
    assert found.crossing == 1 / 2
    # Not next to each other; a voice that is silent crosses none.
    assert metrics.part_writing(bar([60, -1, 62], [60, -1, 60])).crossing == 1 / 2
    assert math.isnan(metrics.part_writing(bar([60, 48])).outside_range)


def test_shuffling_is_noticed():
    """Of a bar in order, one voice is moved by a beat: what a control does."""
    chords = [72, 67, 64, 48], [71, 67, 62, 55], [72, 67, 64, 60], [69, 65, 60, 53]
    order = bar(*chords)
    shifted = order.copy()
    shifted[..., 1] = np.roll(order[..., 1], 4, axis=1)
    shifted[..., 3] = np.roll(order[..., 3], 2, axis=1)
    one, other = metrics.part_writing(order), metrics.part_writing(shifted)
    assert one.chords == 1 > other.chords
    assert one.distances(one) == {"pitch_classes": 0, "intervals": 0}
    assert one.distances(other)["pitch_classes"] == 0 < one.distances(other)["intervals"]
    up = metrics.part_writing(order + 1)
    assert one.distances(up)["intervals"] == 0 < one.distances(up)["pitch_classes"] <= 1


def test_what_is_not_measured():
    with pytest.raises(ValueError, match="no notes.*music.notes.*shape=.2, 16, 48, 4."):
        metrics.part_writing(np.zeros((2, 16, 48, 4)))
    with pytest.raises(ValueError, match="all is silence.*Received: notes of shape .1, 16, 4."):
        metrics.part_writing(np.full((1, 16, 4), music.SILENCE))
    with pytest.raises(ValueError, match="as many voices.*Received: 1 and 2 voices"):
        metrics.part_writing(bar([60])).distances(metrics.part_writing(bar([60, 48])))
