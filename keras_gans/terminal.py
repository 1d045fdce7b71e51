"""Output of a command: lines that are safe to print, progress, no notes of other libraries."""

import os
import re
import signal
import sys
import time
from typing import Any, TextIO

from keras_gans.names import printable

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"

# What the C++ libraries below TensorFlow write at the start, whatever their log level: notes on the
# processor, on a GPU that is not there, and on the interpreter of TFLite.
_NOTES = re.compile(
    rb"WARNING: All log messages before absl"
    rb"|[IW]\d{4} \d\d:\d\d:\S+ +\d+ \S+\.(cc|h):\d+\]"
    rb"|E\d{4} \d\d:\d\d:\S+ +\d+ (cuda_\w+|meta_optimizer)\.cc:\d+\]"
    rb"|INFO: Created TensorFlow Lite "
)


def say(*words: Any, file: TextIO | None = None, end: str = "\n") -> None:
    """Prints a line at once, safely: see `printable`."""
    text = " ".join(map(printable, words))
    print(text, file=sys.stdout if file is None else file, end=end, flush=True)


def is_watched() -> bool:
    """Returns whether a terminal shows the output: there a line may be written over."""
    return sys.stdout is not None and sys.stdout.isatty()


def hide_notes() -> None:
    """Keeps notes of C++ libraries off standard error, for the rest of this process.

    They are written past Python, and no setting silences all of them. So what arrives at the file
    descriptor goes through a process that leaves them out; it outlives this one, or the last words
    of a crash would be lost. `TF_CPP_MIN_LOG_LEVEL=0` in the environment shows everything.
    """
    if os.environ.setdefault(_LEVEL, "2") in ("0", "1") or not hasattr(os, "fork"):
        return
    try:
        shown = os.dup(2)
    except OSError:  # closed
        return
    source, sink = os.pipe()
    if os.fork() == 0:
        try:
            for descriptor in (0, 1, 2, sink):
                os.close(descriptor)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command
            _leave_out_notes(source, shown)
        finally:
            os._exit(0)
    os.dup2(sink, 2)
    os.close(sink)
    os.close(source)
    # Python's own words go past the filter: at once, and in order with standard output.
    sys.stderr = os.fdopen(shown, "w", buffering=1, encoding="utf-8", errors="backslashreplace")


def _leave_out_notes(source, shown):
    with os.fdopen(source, "rb") as lines:
        for line in lines:
            if not _NOTES.match(line):
                os.write(shown, line)


class Progress:
    """Shows how much of a task is done, and about how long the rest takes.

    A terminal shows one line that changes; a pipe or a file gets a line now and then, and one at
    the end.

    >>> progress = Progress(3, "steps")
    >>> for number in range(3):
    ...     progress.update(number + 1, "loss 0.5")
    3/3 steps, loss 0.5

    Args:
        total: number of units.
        unit: what is counted, such as `"steps"`.
        verbose: 0 shows nothing.
        every: seconds between two lines in a pipe or a file.
    """

    def __init__(self, total: int, unit: str, verbose: int = 1, every: float = 30.0) -> None:
        self.total, self.unit, self.verbose = total, unit, verbose
        self._watched = is_watched()
        self._every = 0.2 if self._watched else every
        self._started = self._said = time.monotonic()
        self._width = 0

    def update(self, done: int, note: str = "") -> None:
        """Says how many are done, if it is time to.

        Args:
            done: how many of `total`.
            note: more to show.
        """
        now, ended = time.monotonic(), done >= self.total
        if not self.verbose or not (ended or now - self._said >= self._every):
            return
        self._said = now
        parts = [f"{done:,}/{self.total:,} {self.unit}", note]
        if not ended and done:
            left = (now - self._started) / done * (self.total - done)
            parts.insert(1, f"about {duration(left)} left")
        line = ", ".join(filter(None, parts))
        if self._watched:
            say(f"{line:{self._width}}", end="\n" if ended else "\r")
            self._width = len(line)
        else:
            say(line)


def duration(seconds: float) -> str:
    """Returns a time in words.

    >>> duration(8.2), duration(170), duration(9000)
    ('8 s', '3 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
