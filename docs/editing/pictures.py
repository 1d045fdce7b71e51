"""Makes the pictures and the numbers of docs/editing.md, of a preset or a run of faces.

    python docs/editing/pictures.py dcgan_avatars_64 table matrix strips arithmetic

`find` writes the directions into the folder of the preset or run. What the judge sees in the
labelled images is kept in a temporary folder, for the next section.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from keras_gans import directions, image, latent, zoo
from keras_gans.zoo.inference.directions import judge_of, look

HERE = Path(__file__).parent
STRENGTHS = (0.5, 1.0, 1.5, 2.0, 3.0)
# Method, orthogonal, replace: steps are added along a direction; a value takes another's place.
KINDS = [
    ("classifier", True, True),
    ("classifier", False, False),
    ("classifier", True, False),
    ("classifier", False, True),
    ("means", False, False),
    ("means", True, True),
]
# Of each row of the strips.
SHOWN = {
    "long_hair": "long_hair",
    "glasses": "glasses:sunglasses",
    "beard": "beard:beard",
    "hair": "hair:red",
    "skin": "skin:dark",
    "age": "age:old",
}


class Faces:
    """A generator, its judge, and what that sees in labelled images and in held-out ones."""

    def __init__(self, options):
        self.source, self.images = options.source, options.images
        self.gan = zoo.open_gan(self.source)
        self.judge, self.values = judge_of(options.judge, self.source)
        self.latents = self.gan.given_latents(options.samples, seed=0)
        name = f"editing_{Path(self.source).name}_{options.samples}.npz"
        kept = Path(tempfile.gettempdir()) / name
        if kept.exists():
            self.seen = dict(np.load(kept))
        else:
            self.seen = look(self.gan, self.judge, self.latents, verbose=1)
            np.savez(kept, **self.seen)
        self.sides = directions.masks(self.seen, self.values)
        enough = (n for n, side in self.sides.items() if 50 <= side.sum() <= len(side) - 50)
        self.names = [n for n in options.names or enough]
        self.held_out = self.gan.given_latents(5 * self.images, seed=1)
        self.before = look(self.gan, self.judge, self.held_out)

    def find(self, method="classifier", orthogonal=True):
        options = {"method": method, "orthogonal": orthogonal}
        return directions.find(self.latents, self.sides, self.names, **options)

    def edits(self, found, name, strengths, replace=True):
        """Of held-out images without a value: whether each changed, and what it kept."""
        rows = np.flatnonzero(~directions.holds(name, self.before, self.values))[: self.images]
        change = {name: True if replace else 1.0}
        z = self.held_out[rows]
        moved = [directions.move(z, found, change, strength=strength) for strength in strengths]
        after = look(self.gan, self.judge, np.concatenate(moved))
        changed = directions.holds(name, after, self.values).reshape(len(strengths), -1)
        kept = np.full((len(self.before), *changed.shape), np.nan)  # of its own: not measured
        for place, (other, seen) in enumerate(self.before.items()):
            if other != directions.attribute_of(name):
                was, now = np.tile(seen[rows], len(strengths)), after[other]
                same = np.where((was == "") | (now == ""), np.nan, was == now)
                kept[place] = same.reshape(changed.shape)
        return changed, kept


def summary(changed, kept):
    """Shares (changed, kept) for each strength, and for each image's smallest that changes it."""
    kept = np.nanmean(kept, axis=0)
    first, whole = changed.argmax(axis=0), changed.any(axis=0)
    at_first = kept[first, np.arange(len(first))][whole]
    smallest = (whole.mean(), at_first.mean() if whole.any() else np.nan)
    return [*zip(changed.mean(axis=1), kept.mean(axis=1)), smallest]


def table(faces):
    """Share of edits that change the attribute, and of the other attributes that are kept."""
    print(f"| strength | {' | '.join(f'{s:g}' for s in STRENGTHS)} | smallest that changes |")
    for method, orthogonal, replace in KINDS:
        found = faces.find(method, orthogonal)
        made = [faces.edits(found, name, STRENGTHS, replace) for name in faces.names]
        shares = np.array([summary(*one) for one in made])  # names, strengths, (changed, kept)
        print(f"| {method}, orthogonal={orthogonal}, replace={replace} |", end="")
        for changed, kept in np.nanmean(shares, axis=0):
            print(f" {changed:.0%} / {kept:.0%} |", end="")
        reached = ((shares[..., 0] >= 0.95) & (shares[..., 1] >= 0.8)).sum(axis=0)
        print(f" reached by {reached.tolist()} of {len(faces.names)}", flush=True)
        if (method, orthogonal, replace) == KINDS[0]:
            each(faces.names, shares, found)
    plain = [faces.find(method, False) for method in directions.METHODS]
    cosines = [plain[0][n].vector @ plain[1][n].vector for n in faces.names]
    print(f"cosine of both kinds: {min(cosines):.3f} to {max(cosines):.3f}")


def each(names, shares, found):
    """A row for each direction, at strengths 1 and 1.5 and at the smallest that changes."""
    print("\n| direction | samples with it | accuracy | 1 | 1.5 | smallest that changes |")
    places = [STRENGTHS.index(1.0), STRENGTHS.index(1.5), -1]
    for name, row in zip(names, shares):
        cells = [f"{changed:.0%} / {kept:.0%}" for changed, kept in row[places]]
        samples, accuracy = found[name].samples[1], found[name].accuracy
        print(f"| `{name}` | {samples:,} | {accuracy:.0%} | {' | '.join(cells)} |")
    print()


def matrix(faces):
    """What else changes: of edits by value, without and with regard to the other attributes."""
    attributes = list(faces.before)
    for orthogonal in (False, True):
        found = faces.find(orthogonal=orthogonal)
        print(f"\northogonal={orthogonal}\n| edit | changed | {' | '.join(attributes)} |")
        rows = {}
        for name in faces.names:
            changed, kept = faces.edits(found, name, [1.0])
            lost = [1 - np.nanmean(k) if not np.isnan(k).all() else np.nan for k in kept[:, 0]]
            rows.setdefault(directions.attribute_of(name), []).append([changed.mean(), *lost])
        for attribute, lines in rows.items():
            cells = [f"{100 * x:.0f}" if x == x else "" for x in np.mean(lines, axis=0)]
            print(f"| `{attribute}` | {' | '.join(cells)} |", flush=True)


def strips(faces):
    """One face, changed in six ways: a row for each direction, a column for each strength."""
    found = faces.find()
    asked = [name for name in SHOWN.values() if name in found]
    plain = [directions.holds(name, faces.before, faces.values) for name in asked]
    face = faces.held_out[np.flatnonzero(~np.any(plain, axis=0))[0]]
    strengths = (-1, -0.5, 0, 0.5, 1, 1.5)
    rows = [
        zoo.edit(
            faces.gan, face, {name: True}, directions=found, strengths=strengths, verbose=0
        ).strip[0]
        for name in asked
    ]
    write(np.concatenate(rows), "strips", len(strengths))
    # Others, before and after, of each direction two.
    pairs = []
    for name, has in zip(asked, plain):
        latents = faces.held_out[np.flatnonzero(~has)[1:5]]
        made = zoo.edit(faces.gan, latents, {name: True}, directions=found, verbose=0)
        pairs += [*np.stack([made.before, made.after], axis=1).reshape(-1, *made.before.shape[1:])]
    write(np.stack(pairs), "pairs", 8)


def arithmetic(faces):
    """Short hair with glasses - short hair + long hair, without beards: long hair with glasses."""
    seen = {name: faces.sides[name] for name in ("long_hair", "glasses", "beard")}
    bare = ~seen["beard"]
    groups = [
        np.flatnonzero(bare & ~seen["long_hair"] & seen["glasses"]),
        np.flatnonzero(bare & ~seen["long_hair"] & ~seen["glasses"]),
        np.flatnonzero(bare & seen["long_hair"] & ~seen["glasses"]),
    ]
    number = min(100, *(len(group) // 3 for group in groups))
    for size in (1, 3):
        terms = [
            [faces.latents[g[3 * k : 3 * k + size]].mean(axis=0) for g in groups]
            for k in range(number)
        ]
        z = np.stack([latent.combine([one, three], [two]) for one, two, three in terms])
        found = directions.masks(look(faces.gan, faces.judge, z), faces.values)
        shares = [found[n].mean() if n in found else 0 for n in ("glasses", "long_hair", "beard")]
        right = found["glasses"] & found["long_hair"] & ~found["beard"]
        radius = np.linalg.norm(z, axis=1).mean() / np.sqrt(z.shape[1])
        print(
            f"{number} sums of averages of {size}: glasses {shares[0]:.0%}, long hair "
            f"{shares[1]:.0%}, beard {shares[2]:.0%}, as wanted {right.mean():.0%}; length "
            f"{radius:.2f} of a latent's"
        )
    rows = [np.stack([*one, total]) for one, total in zip(terms[:6], z)]
    write(faces.gan.generate(latents=np.concatenate(rows)), "arithmetic", 4)


def find(faces):
    """Directions for the preset or run, measured, of what was labelled."""
    found = faces.find()
    print(zoo.save_directions(faces.source, found))


def write(images, name, columns):
    """Writes images as a grid, enlarged where they are small."""
    images = image.to_uint8(images)
    path = image.save(images, HERE / f"{name}.jpg", columns)
    print(f"{path}: {path.stat().st_size / 1024:.0f} kB")


SECTIONS = {f.__name__: f for f in (table, matrix, strips, arithmetic, find)}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", help="name of a trained preset, or folder of a run")
    parser.add_argument("sections", nargs="+", choices=SECTIONS)
    parser.add_argument("--judge", help="name of a classifier [the data's own]")
    parser.add_argument("--samples", type=int, default=10_000, help="images to label [10000]")
    parser.add_argument("--images", type=int, default=60, help="to edit in each direction [60]")
    parser.add_argument("--names", nargs="+", help="of the directions [all with enough samples]")
    arguments = parser.parse_args()
    shown = Faces(arguments)
    for section in arguments.sections:
        SECTIONS[section](shown)
