"""The file that remembers what was typed. Queries alone: no answer is ever in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

NAME = "shell_history"
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def state_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """DPSQL_STATE_DIR, else the user's state directory (XDG_STATE_HOME; %LOCALAPPDATA%)/dpsql."""
    own = environment.get("DPSQL_STATE_DIR")
    if own:
        return Path(own).expanduser()
    base = environment.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: relative paths are ignored
        base = environment.get("LOCALAPPDATA", "") if os.name == "nt" else ""
    return (Path(base) if base else Path("~/.local/state").expanduser()) / "dpsql"


def history_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The history, there and readable by its user alone; None where it cannot be kept so."""
    try:
        folder = state_directory(environment)
        folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        path = folder / NAME
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        try:
            if os.name != "nt" and os.fstat(handle).st_mode & 0o077:
                os.fchmod(handle, PRIVATE_FILE)
        finally:
            os.close(handle)
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return None
    return path
