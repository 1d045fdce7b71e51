"""Directions in latent space along which one attribute of the images changes. NumPy alone.

From latents and what is seen in their images: the difference of the means of two classes
(Radford 2015, section 6.3.2), or the normal of a linear classifier between them (Shen 2020,
InterFaceGAN, arXiv:1907.10786, section 3), made orthogonal to the directions of the other
attributes (there "conditional manipulation", section 3.3).

A direction is named after its attribute, `"glasses"`, or after one value of several,
`"glasses:round"`. See docs/editing.md for what was measured.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_gans import checks
from keras_gans.files import atomic
from keras_gans.names import did_you_mean
from keras_gans.reading import npz
from keras_gans.reading.stored import explained

__all__ = ["Direction", "attribute_of", "find", "holds", "masks", "move", "read", "resolve"]
__all__ += ["write"]

# Ways to a direction.
METHODS = ("classifier", "means")

# Samples that must be there with a value, and without it: fewer say nothing of a mean.
FEWEST = 20

# A value of this name is that an attribute is not there; of that, that it cannot be seen.
_ABSENT, HIDDEN = ("none", "no"), ""

# Of `_spread`: the means of the halves of a normal, cut in the middle, are 1.6 apart, squared 2.5.
_RIDGE = 0.3

# Values of one attribute exclude each other, so that what is read of all is the same again, but for
# this share.
_SAME = 1e-3


@dataclasses.dataclass(frozen=True)
class Direction:
    """A direction in latent space.

    Attributes:
        vector: float32 `(latent_dim,)`, of length 1.
        step: length of strength 1: how far the means of the samples with and without the value are
            apart, along `vector`.
        samples: how many samples were without the value, and how many with it.
        accuracy: share of the samples that the middle between both means tells apart along
            `vector`, averaged over both classes: 0.5 by chance.
        changed: share of edits that give the value to an image without it and succeed; `None` where
            it was not measured, as for `kept`.
        kept: share of the other attributes that stay as they are in these edits.
        reads: float32 `(rows, latent_dim)`, what is read of a latent to give it the value: the
            directions of all values of the attribute. `None` for a direction without.
        writes: float32 `(rows, latent_dim)`, what changes each of these readings by 1.
        targets: float32 `(rows,)`, the mean readings of the samples with the value.
    """

    vector: np.ndarray
    step: float
    samples: tuple[int, int]
    accuracy: float
    changed: float | None = None
    kept: float | None = None
    reads: np.ndarray | None = None
    writes: np.ndarray | None = None
    targets: np.ndarray | None = None

    @property
    def shift(self) -> np.ndarray:
        """What strength 1 adds to a latent, float32 `(latent_dim,)`."""
        return np.float32(self.step) * self.vector

    def towards(self, latents: np.ndarray, value: bool = True) -> np.ndarray:
        """Returns what gives latents the value, or takes it away: to the mean of those samples.

        Args:
            latents: float32 `(..., latent_dim)`.
            value: whether they are to have it.
        """
        if self.reads is None:
            return np.broadcast_to(self.shift if value else -self.shift, latents.shape)
        # The mean of all latents is 0, so those of the two classes are opposite.
        factor = 1.0 if value else -self.samples[1] / self.samples[0]
        return (np.float32(factor) * self.targets - latents @ self.reads.T) @ self.writes


# ---- what is seen in images, as classes


def masks(
    attributes: Mapping[str, ArrayLike], values: Mapping[str, Sequence[str]] | None = None
) -> dict[str, np.ndarray]:
    """Returns for each direction that attributes allow, which samples are on its far side.

    >>> seen = masks({"glasses": ["none", "round", "clear"], "light": [False, True, True]})
    >>> {name: mask.tolist() for name, mask in seen.items()}
    {'glasses': [False, True, True], 'glasses:clear': [False, False, True],
     'glasses:round': [False, True, False], 'light': [False, True, True]}

    Args:
        attributes: names to what is seen in each sample, an array `(number,)`: a value's name, its
            number, or a truth value. The empty name is of what cannot be seen, such as the eyes
            behind sunglasses.
        values: of attributes in numbers, the names of the values in order. Otherwise the numbers
            are the names.

    Returns:
        A dictionary of boolean arrays `(number,)`. An attribute with a value `none` or `no` has a
        direction of its own name, to any other value. There is one for each other value, unless it
        would be that one again.

    Raises:
        ValueError: for what are no such arrays, or not all of one length.
    """
    found: dict[str, np.ndarray] = {}
    for name, seen in attributes.items():
        array = _seen(name, seen, values)
        kinds = [str(kind) for kind in np.unique(array)] if array.dtype.kind == "U" else []
        kinds = [kind for kind in kinds if kind != HIDDEN]
        for direction in _names_of(name, (values or {}).get(name, kinds)):
            found[direction] = _holds(direction, array)
    if len(lengths := {len(mask) for mask in found.values()}) > 1:
        raise ValueError(
            "There must be a value of each attribute for each sample. "
            f"Received: arrays of {sorted(lengths)} values"
        )
    return found


def holds(
    name: str,
    attributes: Mapping[str, ArrayLike],
    values: Mapping[str, Sequence[str]] | None = None,
) -> np.ndarray:
    """Returns which samples are on the far side of a direction, as `masks` does of all.

    >>> holds("glasses", {"glasses": ["round", "clear", "round"]}).tolist()
    [True, True, True]

    Args:
        name: of the direction.
        attributes: as for `masks`; no sample needs to be on the near side.
        values: as for `masks`.

    Returns:
        Boolean array `(number,)`.
    """
    attribute = attribute_of(name)
    return _holds(name, _seen(attribute, attributes[attribute], values))


def _seen(name, seen, values):
    """What is seen of an attribute, as an array of truth values or of names of values."""
    if not isinstance(name, str) or not name.isidentifier():
        raise ValueError(
            "An attribute is called by an identifier, such as 'glasses' or 'long_hair'. "
            f"Received: {name!r}"
        )
    array, known = np.asarray(seen), (values or {}).get(name)
    if array.ndim != 1 or array.dtype.kind not in "biuU":
        raise ValueError(
            "What is seen of an attribute is a value for each sample. Expected an array of names, "
            "integers or truth values, shape (number,). Of what is measured, such as lightness, "
            f"take what is above the median. Received: {name!r}, {array.dtype} of shape "
            f"{array.shape}"
        )
    if array.dtype.kind in "bU":
        return array
    if known is None:
        return array.astype(str)
    if len(array) and not 0 <= array.min() <= array.max() < len(known):
        raise ValueError(
            f"The attribute {name!r} has no such value. Expected numbers from 0 to "
            f"{len(known) - 1}, for {list(known)}. Received: {array.min()} to {array.max()}"
        )
    return np.array(known, str)[array]


def _names_of(name, values):
    """The names of the directions of an attribute: of one with truth values, its own."""
    others = [value for value in values if value not in _ABSENT]
    if not values:
        return [name]
    if len(others) == len(values):
        return [f"{name}:{value}" for value in others]
    return [name, *(f"{name}:{value}" for value in others if len(others) > 1)]


def _holds(name, array):
    if array.dtype.kind == "b":
        return array
    _, whole, value = name.partition(":")
    return array == value if whole else ~np.isin(array, (*_ABSENT, HIDDEN))


def attribute_of(name: str) -> str:
    """Returns the attribute of a direction.

    >>> attribute_of("glasses:round")
    'glasses'
    """
    return name.partition(":")[0]


# ---- directions


def find(
    latents: ArrayLike,
    masks: Mapping[str, ArrayLike],
    names: Iterable[str] | None = None,
    *,
    method: str = "classifier",
    orthogonal: bool = True,
    noise: Sequence[bool] | None = None,
) -> dict[str, Direction]:
    """Finds the direction of each attribute, from latents whose images were labelled.

    Of standard normal latents, the difference of the means and the normal of any classifier that
    is linear point the same way but for chance (Stein 1981, lemma 1): the classifier, Fisher's
    linear discriminant `(within-class covariance)^-1 (mean with - mean without)`, takes out of it
    how the sample happens to be correlated.

    >>> rng = np.random.default_rng(0)
    >>> latents = rng.normal(size=(4000, 3))
    >>> found = find(latents, {"smile": latents[:, 0] > 0, "hat": latents @ [1, 1, 0] > 0})
    >>> bool(found["hat"].vector[1] > 0.98), found["hat"].samples[0] > 1000
    (True, True)

    Args:
        latents: float array `(number, latent_dim)`.
        masks: names of directions to boolean arrays `(number,)`, as `masks` returns.
        names: of those wanted; `None` for all. The others still count as what to be orthogonal to.
        method: `"classifier"`, or `"means"` for the difference of the means.
        orthogonal: take out of each direction what it has of the directions of other attributes,
            the more so the farther their classes are apart.
        noise: of each coordinate of the latents, whether it is noise and not part of a code
            (`Interface.noise`); directions leave codes alone. `None` for all.

    Returns:
        A dictionary of `Direction`s.

    Raises:
        ValueError: for a value that fewer than 20 samples have, or lack, or an unknown name or
            method.
    """
    latents = checks.floats("latents", latents).astype("float64")
    if latents.ndim != 2:
        raise ValueError(
            f"`latents` must be of shape (number, latent_dim). Received: shape {latents.shape}"
        )
    if method not in METHODS:
        raise ValueError(
            f"There is no such way to a direction.{did_you_mean(method, METHODS)} Expected one of "
            f"{list(METHODS)}. Received: method={method!r}"
        )
    wanted = list(masks) if names is None else list(names)
    for name in wanted:
        require_known(name, masks)
    noise = np.ones(latents.shape[1], bool) if noise is None else np.array(noise, bool)
    sides = {name: _side(name, mask, len(latents), name in wanted) for name, mask in masks.items()}
    seen = latents[:, noise]
    raw = {n: _raw(seen, side, method) for n, side in sides.items() if side is not None}
    apart = {name: _apart(seen @ raw[name], sides[name]) for name in raw}
    found = {}
    for name in wanted:
        others = [n for n in raw if orthogonal and attribute_of(n) != attribute_of(name)]
        spread = _spread([raw[n] for n in others], [apart[n] for n in others], int(noise.sum()))
        vector = spread @ raw[name]
        # A value takes the place of another; "any other than none" and truth values stand alone.
        same = [n for n in raw if ":" in name and n.startswith(f"{attribute_of(name)}:")]
        reads = np.array([raw[n] for n in same or [name]])
        writes = np.linalg.pinv(reads @ spread @ reads.T, rcond=_SAME) @ reads @ spread
        targets = seen[sides[name]].mean(axis=0) @ reads.T
        wide = [_at(part, noise) for part in (vector / np.linalg.norm(vector), reads, writes)]
        one = _measured(latents, sides[name], wide[0])
        found[name] = dataclasses.replace(
            one, reads=wide[1], writes=wide[2], targets=targets.astype("float32")
        )
    return found


def _at(part, noise):
    """Vectors of the coordinates that are noise among all coordinates, 0 elsewhere."""
    wide = np.zeros((*part.shape[:-1], len(noise)), "float32")
    wide[..., noise] = part
    return wide


def _side(name, mask, number, wanted):
    """A mask as an array; `None` for one that is not wanted and has too few on one side."""
    mask = np.asarray(mask)
    if mask.dtype != bool or mask.shape != (number,):
        raise ValueError(
            f"There must be a truth value for each latent. Expected bool of shape ({number},). "
            f"Received: {name!r}, {mask.dtype} of shape {mask.shape}"
        )
    many = int(mask.sum())
    if min(many, number - many) >= FEWEST:
        return mask
    if wanted:
        raise ValueError(
            f"There are too few labelled samples for the direction {name!r}. Expected at least "
            f"{FEWEST} with the value and {FEWEST} without it: draw more samples, or leave it out. "
            f"Received: {many} with it, {number - many} without"
        )
    return None


def _raw(latents, side, method):
    """A direction of length 1 as one attribute alone gives it."""
    groups = latents[~side], latents[side]
    vector = groups[1].mean(axis=0) - groups[0].mean(axis=0)
    if method == "classifier":
        centred = np.concatenate([group - group.mean(axis=0) for group in groups])
        within = centred.T @ centred / len(latents)
        # So that fewer samples than coordinates have a solution, too.
        within += 1e-4 * np.trace(within) / len(within) * np.eye(len(within))
        vector = np.linalg.solve(within, vector)
    return vector / np.linalg.norm(vector)


def _spread(others, apart, size):
    """A matrix that turns a direction into a move that changes other attributes little.

    Of the moves along which a direction changes by 1, the one that the matrix makes of it minimizes
    the sum of the squares of what the others change by, and `_RIDGE` times its squared length. So
    others count by how far apart their classes are: with many attributes, those that the latents
    hardly say anything about would otherwise take away all coordinates.

    Args:
        others: list of directions `(size,)` of length 1.
        apart: for each of them, how far apart the means of its classes are along it.
        size: coordinates of a latent.
    """
    effects = np.array(apart)[:, None] * np.array(others).reshape(len(others), size)
    return np.linalg.inv(effects.T @ effects + _RIDGE * np.eye(size))


def _apart(along, side):
    """How far apart the means of two classes are."""
    return along[side].mean() - along[~side].mean()


def _measured(latents, side, vector):
    """The `Direction` along a vector of length 1."""
    along = latents @ vector
    middle = (along[~side].mean() + along[side].mean()) / 2
    above = along > middle
    return Direction(
        vector,
        float(_apart(along, side)),
        (int((~side).sum()), int(side.sum())),
        float((above[side].mean() + (~above[~side]).mean()) / 2),
    )


# ---- edits


def resolve(changes: Mapping[str, Any], known: Iterable[str]) -> dict[str, float | bool]:
    """Returns what changes of attributes ask for: strengths along directions, or values.

    >>> known = ["glasses", "glasses:round", "long_hair", "hair:red"]
    >>> resolve({"glasses": "round", "long_hair": "no", "hair:red": 0.5}, known)
    {'glasses:round': True, 'long_hair': False, 'hair:red': 0.5}

    Args:
        changes: names of directions to strengths, or to whether an image is to be on its far side;
            or names of attributes to values.
        known: names of the directions that there are.

    Returns:
        Names of directions to a strength, or to a truth value.

    Raises:
        ValueError: for a direction that there is not, with the nearest names, or a strength that is
            no finite number.
    """
    known = list(known)
    if not isinstance(changes, Mapping) or not changes:
        raise ValueError(
            "What is to be changed is a dictionary of names of directions to strengths, such as "
            f"{{'glasses': 1.0}}, or of attributes to values. Received: {changes!r}"
        )
    found: dict[str, float | bool] = {}
    for name, given in changes.items():
        whole = f"{name}:{given}"
        # A value may be called by a number, such as a digit.
        if isinstance(given, str) or (name not in known and whole in known):
            alone = whole not in known and given in (*_ABSENT, "yes")
            name, given = (name, given == "yes") if alone else (whole, True)
        require_known(name, known)
        if isinstance(given, (bool, np.bool_)):
            found[name] = bool(given)
            continue
        try:
            found[name] = float(checks.floats(f"strength of {name}", given).reshape(()))
        except ValueError as error:
            raise ValueError(
                "A strength is one finite number, such as 1 or -0.5, and a value is a text or a "
                f"truth value. Received: {name}={given!r}"
            ) from error
    return found


def require_known(name: Any, known: Iterable[str]) -> None:
    """Raises ValueError, with the nearest names, unless there is a direction of that name."""
    known = list(known)
    if name in known:
        return
    attribute = attribute_of(str(name))
    of_it = [n for n in known if attribute_of(n) == attribute]
    raise ValueError(
        f"There is no direction of that name.{did_you_mean(name, of_it or known)} Expected one of "
        f"{of_it or known}. Received: {name!r}"
    )


def move(
    latents: ArrayLike,
    known: Mapping[str, Direction],
    changes: Mapping[str, Any],
    noise: Sequence[bool] | None = None,
    strength: float = 1.0,
) -> np.ndarray:
    """Moves latents along directions, and back to the length that each had.

    A strength is added, times the direction's `step`. A value replaces the one that is there: what
    the directions of the attribute's values say of the latent becomes what they say of the mean of
    the samples with that value.

    Nearly all latents of a training lie near a sphere (`latent.slerp`), and a step leads out of it.

    >>> glasses = Direction(np.array([0, 1], "float32"), 3.0, (50, 50), 0.9)
    >>> move([[4.0, 0.0]], {"glasses": glasses}, {"glasses": 1})
    array([[3.2, 2.4]], dtype=float32)

    Args:
        latents: float array `(number, latent_dim)`.
        known: names to `Direction`s.
        changes: as for `resolve`.
        noise: of each coordinate of the latents, whether it is noise and not part of a code.
        strength: of all changes; 0.5 goes half of the way.

    Returns:
        float32 array like `latents`.

    Raises:
        ValueError: for latents of another length than the directions, or what `resolve` refuses.
    """
    latents = checks.floats("latents", latents)
    by_name = resolve(changes, known)
    for name in by_name:
        if latents.shape[-1:] != known[name].vector.shape:
            raise ValueError(
                "These directions are of another generator. Expected latents of "
                f"{len(known[name].vector)} numbers, as of {name!r}. Received: shape "
                f"{latents.shape}"
            )
    shifts = (
        known[name].towards(latents, given)
        if isinstance(given, bool)
        else np.float32(given) * known[name].shift
        for name, given in by_name.items()
    )
    noise = np.ones(latents.shape[-1], bool) if noise is None else np.array(noise, bool)
    moved = latents + np.float32(strength) * sum(shifts)
    # A latent of length 0, or one that a step takes there, has no direction to be long in.
    before, after = (
        np.linalg.norm(z[..., noise], axis=-1, keepdims=True) for z in (latents, moved)
    )
    scale = np.divide(before, after, out=np.ones_like(before), where=(before > 0) & (after > 0))
    moved[..., noise] *= scale.astype("float32")
    return moved


# ---- files

# Of each direction, the parts in a file: how many axes they have, and whether they must be there.
_PARTS = {
    "vector": (1, True),
    "step": (0, True),
    "samples": (1, True),
    "accuracy": (0, True),
    "changed": (0, False),
    "kept": (0, False),
    "reads": (2, False),
    "writes": (2, False),
    "targets": (1, False),
}


def write(path: str | Path, found: Mapping[str, Direction]) -> Path:
    """Writes directions to a `.npz` file of numbers: `NAME.vector`, `NAME.step` and so on.

    Args:
        path: of the file.
        found: names to `Direction`s.

    Returns:
        The `pathlib.Path`.
    """
    arrays: dict[str, Any] = {
        f"{name}.{part}": np.asarray(value)
        for name, direction in found.items()
        for part in _PARTS
        if (value := getattr(direction, part)) is not None
    }
    with atomic(path) as partial, partial.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return Path(path)


def read(path: str | Path) -> dict[str, Direction]:
    """Returns the directions that `write` wrote.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or none of directions.
    """
    with npz.opened(path) as stored, explained(path, npz.DAMAGED):
        names = dict.fromkeys(name.rpartition(".")[0] for name in stored)
        return {name: _read(name, stored) for name in names}


def _read(name, stored):
    parts: dict[str, Any] = {}
    for part, (axes, needed) in _PARTS.items():
        one = stored.get(f"{name}.{part}")
        if one is None and not needed:
            continue
        if one is None or len(one.shape) != axes:
            raise ValueError(f"it has no {part} of a direction {name!r}")
        parts[part] = one.read()
    size = len(parts["vector"])
    rows = {part: parts[part].shape for part in ("reads", "writes", "targets") if part in parts}
    if len(parts["samples"]) != 2 or (
        rows and set(rows.values()) != {(n := len(parts.get("targets", ())), size), (n,)}
    ):
        raise ValueError(f"the parts of the direction {name!r} do not fit each other: {rows}")
    arrays = {p: a.astype("float32") for p, a in parts.items() if a.ndim and p != "samples"}
    numbers = {part: float(array) for part, array in parts.items() if array.ndim == 0}
    without, given = (int(count) for count in parts["samples"])
    return Direction(samples=(without, given), **numbers, **arrays)
