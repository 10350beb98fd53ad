"""Which process holds an open charge, and whether that process is surely gone.

A charge stands whatever became of its process; this only lets `forfeit_stale` write down that
nobody will settle it any more. In doubt the process is alive: another host, another container
on it (their numbers mean other processes), a system without /proc and without POSIX signals,
another user's process.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path


def mine() -> str:
    """This process: `host/boot/namespace/pid/start`, distinct from a later one of its number."""
    pid = os.getpid()
    return "/".join((_host(), _boot(), _namespace(), str(pid), _started(pid)))


def gone(holder: str, *, shared: bool = False) -> bool:
    """True only if the process named by `mine()` cannot exist any more.

    `shared`: machines share the ledger, and two may have one name. Then a name alone says nothing:
    the boot has to be this machine's own, too.
    """
    parts = holder.split("/")
    if len(parts) != 5 or parts[0] != _host() or not parts[3].isascii() or not parts[3].isdigit():
        return False
    _, boot, namespace, number, started = parts
    if shared and not (boot and boot == _boot()):
        return False
    if boot and _boot() and boot != _boot():
        return True
    if namespace != _namespace():
        return False
    pid = int(number)
    if not _exists(pid):
        return True
    return bool(started) and bool(_started(pid)) and started != _started(pid)


def _host() -> str:
    return socket.gethostname().replace("/", "_")


def _boot() -> str:
    """Linux's id of this boot of the machine, else empty."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _namespace() -> str:
    """Linux's number of the namespace in which process ids are counted, else empty."""
    try:
        return str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Linux's start time of a process in clock ticks since boot, else empty."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    # The name may hold spaces and brackets: fields count from the last bracket (proc(5), no. 22).
    fields = stat.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 else ""


def _exists(pid: int) -> bool:
    if os.name != "posix":
        return True  # signal 0 would end the process on Windows
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
