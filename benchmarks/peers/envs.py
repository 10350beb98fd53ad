"""One virtual environment per peer under .envs, made anew when requirements-NAME.txt changes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVS = HERE / ".envs"

INTERPRETERS = {
    "smartnoise": ((3, 11), (3, 14)),
    "qrlew": ((3, 11), (3, 12)),
    "tumult": ((3, 10), (3, 12)),
    "duckdb": ((3, 10), (3, 14)),
}
"""Lowest and highest Python that the pinned versions have been made for."""


class Absent(Exception):
    """The peer cannot be installed here; the text says why."""


def python_of(name: str) -> Path:
    """The interpreter of the peer's environment, installing it first if need be."""
    wanted = HERE / f"requirements-{name}.txt"
    stamp, digest = ENVS / name / ".installed", hashlib.sha256(wanted.read_bytes()).hexdigest()
    python = ENVS / name / "bin" / "python"
    if stamp.exists() and stamp.read_text() == digest:
        return python
    print(f"{name}: installing into {ENVS.name}/{name}", file=sys.stderr, flush=True)
    shutil.rmtree(ENVS / name, ignore_errors=True)
    _run([_interpreter(name), "-m", "venv", str(ENVS / name)])
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    _run([*pip, "-r", str(wanted)])
    stamp.write_text(digest)
    return python


def _interpreter(name: str) -> str:
    low, high = INTERPRETERS[name]
    if low <= sys.version_info[:2] <= high:
        return sys.executable
    for minor in range(high[1], low[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and subprocess.run([found, "-c", ""], check=False).returncode == 0:
            return found
    raise Absent(f"needs Python {low[0]}.{low[1]} to {high[0]}.{high[1]}, and there is none here")


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no message"]
        raise Absent(f"cannot be installed: {last[0][:200]}")
