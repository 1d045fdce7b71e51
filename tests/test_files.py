"""Files that cannot be written: nothing is left behind, and the error says what to do; float16."""

import contextlib
import errno
import os
import resource

import h5py
import keras
import numpy as np
import pytest

from keras_gans import files


def by_path(path):
    with files.atomic(path) as partial:
        partial.write_bytes(b"1" * 100)


def by_memory(path):
    with files.in_memory(path) as memory:
        memory.write(b"1" * 100)


def by_append(path):
    files.append(path, "1" * 100)


@contextlib.contextmanager
def as_nobody():
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextlib.contextmanager
def small_files():
    _, hard = limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


CASES = {
    "name": ("n" * 300, contextlib.nullcontext, errno.ENAMETOOLONG, "Choose a shorter one"),
    "file": ("file/x", contextlib.nullcontext, errno.ENOTDIR, "A file is where a folder should be"),
    "folder": ("folder", contextlib.nullcontext, errno.EISDIR, "A folder has that name"),
    "permission": ("locked/x", as_nobody, errno.EACCES, "This user may not write there"),
    "limit": ("x", small_files, errno.EFBIG, "`ulimit -f`"),
}


@pytest.mark.parametrize("write", [by_path, by_memory, by_append])
@pytest.mark.parametrize("case", CASES)
def test_errors_say_what_they_are(tmp_path, case, write):
    name, circumstance, code, advice = CASES[case]
    (tmp_path / "file").write_text("")
    for folder in ("folder", "locked"):
        (tmp_path / folder).mkdir()
    (tmp_path / "locked").chmod(0o500)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(OSError) as failure, circumstance():
        write(tmp_path / name)
    found = failure.value.errno
    assert found == code or (case == "file" and found == errno.EEXIST)
    note = " ".join(failure.value.__notes__)
    assert (advice in note or found == errno.EEXIST) and "full" not in note
    left = [path.name for path in tmp_path.rglob("*") if path.name != "x" or path.stat().st_size]
    assert sorted(left) == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")  # noqa: PTH110
def test_a_full_disk_is_called_one():
    with pytest.raises(OSError) as failure:
        files.append("/dev/full", "1")
    assert failure.value.errno == errno.ENOSPC
    assert "The disk is full. Free some space" in failure.value.__notes__[0]


@pytest.mark.parametrize("write", [by_path, by_memory])
@pytest.mark.parametrize("name", ["n" * 255, "n" * 240 + ".weights.h5", "\u00e9" * 125 + ".png"])
def test_names_as_long_as_the_file_system_takes(tmp_path, name, write):
    write(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_error_of_what_is_read_meanwhile_is_no_advice_on_writing(tmp_path):
    with pytest.raises(FileNotFoundError) as failure, files.atomic(tmp_path / "out"):
        (tmp_path / "input").read_text()
    assert failure.value.__notes__ == [f"Could not write {tmp_path}/out. Nothing was written."]


def test_float16_leaves_out_groups_without_arrays(tmp_path):
    network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.ReLU()])
    path = tmp_path / "network.weights.h5"
    network.save_weights(path)
    with h5py.File(path, "a") as file:
        file.require_group("layers/re_lu/vars")
    files.to_float16(path)
    with h5py.File(path) as file:
        assert list(file["layers"]) == ["dense"]
        assert file["layers/dense/vars/0"].dtype == "float16"
    before = network.get_weights()
    network.set_weights([0 * weight for weight in before])
    network.load_weights(path)
    for ours, theirs in zip(network.get_weights(), before, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3)
