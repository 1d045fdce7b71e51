"""A disk that gets full, or a file that may not grow, ends no training and damages nothing."""

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent.parent / "full_disk.py"
# A file system of its own, in a name space of its own, for which no privileges are needed.
MOUNT = 'mount -t tmpfs -o size=4m none "$0" && exec "$@"'
FILL = ["0", "20", "60", "200", "340", "800"]
LIMIT = ["0", "100", "400"]


def trainings(folder, how, sizes, mount=()):
    command = [*mount, sys.executable, str(PROGRAM), str(folder), how, *sizes]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]  # a segmentation fault is -11
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("disk")
    mount = ["unshare", "-rm", "sh", "-c", MOUNT, str(folder)]
    try:
        subprocess.run([*mount, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no file system may be mounted here: {error}")
    return trainings(folder, "fill", FILL, mount)


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    return trainings(tmp_path_factory.mktemp("limit"), "limit", LIMIT)


TABLE = [("filled", n) for n in range(len(FILL))] + [("limited", n) for n in range(len(LIMIT))]


@pytest.mark.parametrize(("how", "number"), TABLE)
def test_the_training_goes_on_and_the_checkpoint_before_is_whole(how, number, request):
    found = request.getfixturevalue(how)[number]
    assert found["steps"] == 6  # all of three epochs
    assert found["whole"] and found["left"] == []
    assert found["resumed"] == 4
    enough = found["free"] == 800 or (how == "limited" and found["free"] == 400)
    code = errno.ENOSPC if how == "filled" else errno.EFBIG
    if enough:
        assert found["fit"]["errno"] == found["save"]["errno"] == 0 and found["warnings"] == []
        return
    advice = "The disk is full. Free some space" if how == "filled" else "Raise the limit"
    for action in ("fit", "save", "ship"):
        if (failed := found[action])["errno"]:
            assert failed["errno"] == code and advice in failed["note"]
    if found["fit"]["errno"]:  # only the last checkpoint is worth an error
        assert any(
            "Epoch 3, step 0 could not be saved, and the training" in t for t in found["warnings"]
        )
        assert "epoch-00003.weights.h5" in found["fit"]["note"]
    if found["free"] <= 100:
        assert found["fit"]["errno"] == found["save"]["errno"] == code


def test_lines_of_the_log_wait_for_space(filled, limited):
    for found in [*filled, *limited[1:]]:
        assert found["lines"] == [1, 2, 3][: len(found["lines"])]
    assert limited[0]["lines"] == [1]
    assert any(t.startswith("The log of epoch 2 could not") for t in limited[0]["warnings"])
    assert any(t.startswith("The samples of epoch 2 could not") for t in limited[0]["warnings"])
