"""Files that cannot be written: nothing is left behind, and the error says what to do."""

import contextlib
import errno
import os
import resource

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
