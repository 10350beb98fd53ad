"""The file that remembers what was typed. Queries alone: no answer is ever in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dpsql.user_state import PRIVATE_FILE, private_folder, state_directory

NAME = "shell_history"


def history_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """The history, there and readable by its user alone; None where it cannot be kept so."""
    try:
        path = private_folder(state_directory(environment)) / NAME
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        try:
            if os.name != "nt" and os.fstat(handle).st_mode & 0o077:
                os.fchmod(handle, PRIVATE_FILE)
        finally:
            os.close(handle)
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return None
    return path
