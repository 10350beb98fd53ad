"""The user's own state directory: shell history, remembered receipts, signing keys.

What lies there is readable by its user alone. DPSQL_STATE_DIR moves it.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def state_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """DPSQL_STATE_DIR, else the user's state directory (XDG_STATE_HOME; %LOCALAPPDATA%)/dpsql.

    RuntimeError where there is neither of them nor a home.
    """
    own = environment.get("DPSQL_STATE_DIR")
    if own:
        return Path(own).expanduser()
    base = environment.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification: relative paths are ignored
        base = environment.get("LOCALAPPDATA", "") if os.name == "nt" else ""
    return (Path(base) if base else Path("~/.local/state").expanduser()) / "dpsql"


def private_folder(path: Path) -> Path:
    """The folder; what is missing on the way is made, all of it 0700 as XDG wants it. OSError."""
    if not path.is_dir():
        if path.parent != path:
            private_folder(path.parent)
        path.mkdir(mode=PRIVATE_FOLDER, exist_ok=True)
    return path


def write_private(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write or replace the file, 0600, whole or not at all; its folder is there. OSError.

    `durable`: it survives a power cut once this returns.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600 by contract
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(name, path)
        if durable:
            _sync_folder(path.parent)
    except BaseException:  # even an interrupt must not leave it lying there
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def create_private(path: Path, data: bytes) -> None:
    """A new file, 0600 and durable. FileExistsError if there is one, other OSErrors."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """The directory's entries themselves."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
