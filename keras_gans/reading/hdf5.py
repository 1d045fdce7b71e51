"""Reads HDF5 files of weights: Keras 3's `.weights.h5`, and Keras 2's `.h5`.

An HDF5 file can claim far more than it contains. A data set may have its bytes in another file
(external storage, virtual data sets, links), claim a shape without data, or have a chunk that
decompresses to a thousand times its size; a group can contain itself. HDF5 follows all of this when
it reads, so it is checked first.
"""

import collections
import contextlib
import functools
import math
import mmap
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import h5py
import keras
import ml_dtypes
import numpy as np

from keras_gans.files import nothing_skipped
from keras_gans.reading.stored import Stored, explained, kind_of, kind_of_weight, require_room
from keras_gans.reading.text import regular

DAMAGED = (
    "The file of weights is damaged, or cannot be trusted. Expected an HDF5 file that "
    "contains all of its numbers, as Keras writes it. Download it, or save it, again."
)

# HDF5's numbers of filters. `h5py` and plugins have others, which Keras does not write.
_GZIP, _SHUFFLE, _FLETCHER = 1, 2, 3

_SMALLEST_CHUNK = 2**20
_MOST_TEXT = 2**28


@contextlib.contextmanager
def opened(
    path: Path | str, expected: str = DAMAGED
) -> Iterator[tuple[h5py.File, dict[str, Stored]]]:
    """Opens a file, and checks everything in it.

    Args:
        path: of the file.
        expected: first sentences of the error for a damaged file.

    Yields:
        The `h5py.File`, and its arrays: paths in the file to `Stored`.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or does not contain all of its arrays.
    """
    explain = functools.partial(explained, path, expected)
    path = regular(path)
    with contextlib.ExitStack() as stack:
        with explain():
            file = stack.enter_context(h5py.File(path, "r"))
            size = path.stat().st_size
            datasets = _datasets(file)
            if sum(dataset.id.get_storage_size() for dataset in datasets.values()) > size:
                raise ValueError("arrays overlap")
            found = {
                name: Stored(
                    name,
                    dataset.shape,
                    kind_of(_dtype(dataset), name),
                    functools.partial(_read, dataset),
                    explain,
                    dataset.dtype.itemsize,
                )
                for name, dataset in datasets.items()
            }
            require_room(found.values(), size)
        yield file, found


def size_of(path: Path | str) -> tuple[int, int]:
    """Returns the number of arrays in a file, and of the numbers that they claim."""
    with opened(path) as (_, found):
        return len(found), sum(math.prod(one.shape) for one in found.values())


def load(network: keras.Model, path: Path | str) -> keras.Model:
    """Loads the weights of a `.weights.h5` file, or of an `.h5` of Keras 2, into a built network.

    Args:
        network: a `keras.Model`.
        path: of the file.

    Returns:
        The network.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is damaged, or its weights are not finite or those of another
            network; the network then stays unchanged.
    """
    with opened(path) as (_, found):
        require_same(found.values(), network.weights, network.name, path)
        for one in found.values():
            one.read()
    with nothing_skipped():
        network.load_weights(path)
    return network


def require_same(
    found: Iterable[Stored], weights: Iterable[keras.Variable], name: str, path: Path | str
) -> None:
    """Raises ValueError unless arrays have the kinds and shapes of a network's weights."""
    stored = collections.Counter((one.kind, one.shape) for one in found)
    wanted = collections.Counter((kind_of_weight(w), tuple(w.shape)) for w in weights)
    if stored != wanted:
        more, less = list(stored - wanted)[:3], list(wanted - stored)[:3]
        raise ValueError(
            "The weights are of another network, and were not loaded. Build the network that "
            f"saved them. Expected {less or 'no more'} where the file has {more or 'no more'}. "
            f"Received: {path} for {name!r}"
        )


def require_loadable(
    path: Path | str, variables: Iterable[keras.Variable], finite: Sequence[str] = ()
) -> None:
    """Raises ValueError for a file that a model of these variables must not be loaded from.

    A file may contain more than the model needs, such as the state of optimizers, but no array that
    is larger than the largest of the model.

    Args:
        path: of the file.
        variables: of the model, the largest among them.
        finite: prefixes of paths in the file, under which numbers must be finite.
    """
    finite, largest = tuple(finite), max((math.prod(v.shape) for v in variables), default=1)
    with opened(path) as (file, found):
        for one in found.values():
            if math.prod(one.shape) > largest:
                raise ValueError(
                    "The file is of another model: it has an array that is larger than any of this "
                    f"model. Expected at most {largest:,} numbers in an array. Build the model "
                    f"that saved it. Received: {path} with {one.name} of shape {one.shape}"
                )
        for one in found.values():
            if one.name.startswith(finite):
                one.read()
            else:
                with one.explain():
                    _require_chunks(file[one.name])


def names(group: h5py.Group, attribute: str) -> list[str]:
    """Returns a list of names from a group's attributes; Keras 2 splits long lists."""
    pieces = [attribute] if attribute in group.attrs else []
    while not pieces or f"{attribute}{len(pieces)}" in group.attrs:
        pieces.append(f"{attribute}{len(pieces)}")
    found = [name for piece in pieces for name in _texts(group, piece)]
    return [name.decode() if isinstance(name, bytes) else name for name in found]


def _texts(group, attribute):
    stored = h5py.h5a.open(group.id, attribute.encode())
    if stored.shape == (0,):
        return []
    if h5py.check_string_dtype(stored.dtype) is None or len(stored.shape) != 1:
        raise ValueError(f"{attribute} is not a list of texts")
    return group.attrs[attribute]


def _require_names(group, heap):
    """Raises ValueError for a list of texts in the attributes that may be too long for names.

    Texts of variable length are stored in heaps, where all of a list may refer to a long one.
    """
    for attribute in group.attrs:
        stored = h5py.h5a.open(group.id, attribute.encode())
        count = math.prod(stored.shape or ())
        if stored.dtype.kind == "O" and count > 1 and count * heap() > _MOST_TEXT:
            raise ValueError(f"{attribute} may have {count:,} texts that are too long for names")


def _largest_heap(path):
    """Returns the size of a file's largest heap of texts, found by its signature."""
    largest, place = 0, -1
    with (
        Path(path).open("rb") as file,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        while (place := content.find(b"GCOL", place + 1)) >= 0:
            size = int.from_bytes(content[place + 8 : place + 16], "little")
            largest = max(largest, min(size, len(content)))
    return largest


# ---- checks


def _datasets(file):
    """Returns every data set of a file by its path; refuses links and objects with two paths."""
    found, seen, waiting = {}, {h5py.h5o.get_info(file.id).addr}, [("", file)]
    heap = functools.cache(lambda: _largest_heap(file.filename))
    while waiting:
        path, group = waiting.pop()
        _require_names(group, heap)
        for key in group:
            name = f"{path}{key}"
            link = group.get(key, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ValueError(f"{name} is a {type(link).__name__}, to another place")
            item = group[key]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise ValueError(f"{name} is there twice, under two names")
            seen.add(address)
            if isinstance(item, h5py.Group):
                waiting.append((f"{name}/", item))
            elif isinstance(item, h5py.Dataset):
                _require_own(item, name)
                found[name] = item
            else:
                raise ValueError(f"{name} is neither a group nor a data set")
    return found


def _require_own(dataset, name):
    """Raises ValueError unless all numbers of a data set are in this file."""
    kind_of(_dtype(dataset), name)
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"{name} has its numbers in another file")
    if dataset.shape is None:
        raise ValueError(f"{name} is empty")
    claimed = math.prod(dataset.shape) * dataset.dtype.itemsize
    if dataset.chunks is None:
        if (stored := dataset.id.get_storage_size()) != claimed:
            raise ValueError(f"{name} claims {claimed:,} bytes, but {stored:,} are stored")
        return
    grid = [-(-side // part) for side, part in zip(dataset.shape, dataset.chunks)]
    if (stored := dataset.id.get_num_chunks()) != math.prod(grid):
        raise ValueError(f"{name} claims {math.prod(grid):,} chunks, but {stored:,} are stored")
    filters = _filters(dataset)
    if len(set(filters)) < len(filters) or set(filters) - {_GZIP, _SHUFFLE, _FLETCHER}:
        raise ValueError(f"{name} uses other filters than gzip, shuffle and fletcher32")
    if _chunk_bytes(dataset) > max(claimed, _SMALLEST_CHUNK):
        raise ValueError(f"{name} has a chunk of {_chunk_bytes(dataset):,} bytes")


def _dtype(dataset):
    # Keras stores bfloat16 as two opaque bytes, with an attribute that says so.
    if dataset.dtype == np.dtype("V2") and dataset.attrs.get("dtype") == "bfloat16":
        return np.dtype("float16")
    return dataset.dtype


def _filters(dataset):
    properties = dataset.id.get_create_plist()
    return [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]


def _chunk_bytes(dataset):
    return math.prod(dataset.chunks) * dataset.dtype.itemsize


def _read(dataset):
    _require_chunks(dataset)
    array = dataset[()]
    return array.view(ml_dtypes.bfloat16) if array.dtype.kind == "V" else array


def _require_chunks(dataset):
    """Raises ValueError for a compressed chunk that decompresses to a wrong size.

    HDF5 itself decompresses without a limit.
    """
    filters = _filters(dataset) if dataset.chunks else []
    if _GZIP not in filters:
        return
    place = filters.index(_GZIP)
    expected = _chunk_bytes(dataset) + 4 * (_FLETCHER in filters[:place])
    offsets = []
    dataset.id.chunk_iter(lambda chunk: offsets.append((chunk.chunk_offset, chunk.filter_mask)))
    for offset, left_out in offsets:
        if not left_out >> place & 1:
            _, packed = dataset.id.read_direct_chunk(offset)
            unpacker = zlib.decompressobj()
            if len(unpacker.decompress(packed, expected + 1)) != expected or not unpacker.eof:
                raise ValueError(f"{dataset.name} has a chunk that decompresses to another size")
