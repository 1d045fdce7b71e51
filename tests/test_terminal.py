import io
import subprocess
import sys

import pytest

from keras_gans import names, terminal


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, caf\u00e9, \u65e5\u672c", "plain, caf\u00e9, \u65e5\u672c"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("over\rwritten\x08", r"over\rwritten\x08"),
        ("\x9b2J", r"\x9b2J"),  # the same in one byte of Latin-1
        ("gnp.\u202etxt", r"gnp.\u202etxt"),  # right to left
        (b"\xff".decode("utf-8", "surrogateescape"), r"\udcff"),
        (ValueError("\x00"), r"\x00"),
    ],
)
def test_what_is_printable(text, shown):
    assert names.printable(text) == shown
    shown.encode()  # to any file or pipe


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(terminal.time, "monotonic", lambda: now[0])
    return now


def counted(clock, seconds, verbose=1):
    progress = terminal.Progress(10, "steps", verbose)
    for done in range(1, 11):
        clock[0] += seconds
        progress.update(done, f"loss {1 / done:.1f}")


def test_a_pipe_gets_plain_lines_now_and_then(monkeypatch, clock):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    counted(clock, seconds=10)
    assert sys.stdout.getvalue().splitlines() == [
        "3/10 steps, about 70 s left, loss 0.3",
        "6/10 steps, about 40 s left, loss 0.2",
        "9/10 steps, about 10 s left, loss 0.1",
        "10/10 steps, loss 0.1",
    ]


def test_a_terminal_gets_one_line_without_escape_codes(monkeypatch, clock):
    monkeypatch.setattr(sys, "stdout", Terminal())
    counted(clock, seconds=1)
    written = sys.stdout.getvalue()
    *before, last = written.removesuffix("\n").split("\r")
    assert len(before) == 9 and before[0] == "1/10 steps, about 9 s left, loss 1.0"
    assert last.rstrip() == "10/10 steps, loss 0.1" and len(last) >= len(before[-1])
    assert "\x1b" not in written and "\b" not in written


def test_nothing_is_said_where_nothing_is_asked_for(monkeypatch, clock):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    counted(clock, seconds=100, verbose=0)
    assert not sys.stdout.getvalue()


WRITES = """
import os, sys
sys.argv[0] = "keras-gans"  # as whom no TensorFlow is loaded
from keras_gans import terminal
terminal.hide_notes()
for line in (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "I0000 00:00:1795959181.592299   10791 port.cc:153] oneDNN custom operations are on.",
    "E0000 00:00:1795959182.818426   10791 cuda_platform.cc:52] failed call to cuInit",
    "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
    "E0000 00:00:1795959182.818426   10791 executor.cc:52] a real error",
    "F0000 00:00:1795959182.818426   10791 tensor.cc:52] Check failed",
):
    os.write(2, line.encode() + b"\\n")
print("W1129 10:00:00.000000 1 loading.py:138] of Python", file=sys.stderr)
%s
"""


@pytest.mark.parametrize("end", ["", "os.abort()", "sys.exit(3)"])
def test_notes_of_libraries_are_left_out_and_nothing_else_is(end):
    done = subprocess.run([sys.executable, "-c", WRITES % end], capture_output=True, text=True)
    lines = sorted(line.split("] ")[-1] for line in done.stderr.splitlines())
    assert lines == ["Check failed", "a real error", "of Python"]
    assert done.returncode == {"": 0, "sys.exit(3)": 3}.get(end, -6)
