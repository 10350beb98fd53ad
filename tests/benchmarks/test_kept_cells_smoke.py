"""benchmarks/kept_cells.py runs, at a hundredth of its size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_it_runs(tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "benchmarks/kept_cells.py"), str(tmp_path)),
            *("--rows", "100000", "--units", "5000", "--runs", "1"),
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "cells/plain" in done.stdout
    assert "whole query" in done.stdout
