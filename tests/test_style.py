"""Ruff, as the repository configures it."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("check", [["check"], ["format", "--check"]])
def test_ruff_finds_nothing(check):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *check, "--no-cache", "."],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
