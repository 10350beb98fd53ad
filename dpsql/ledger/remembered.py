"""What this user has seen of ledgers: the newest receipt of each, kept outside of it.

A chain cannot show that its newest entries were cut off. Whoever keeps (seq, head) can: a ledger
that does not hold that entry is refused (`ledger-shows-less`), and so is another ledger, or none,
where one was (`ledger-another`, `ledger-gone`). One file for each ledger by its genesis's name, one
for each place; 0600, and older news never replace newer, whichever process writes. A receipt also
says what budgets held, grants included; of that the most is kept for good (ceilings.py).

Where this user has no state directory, or not the right to use it, nothing is remembered: the
charge stands already, and this is the user's own protection. A file that is there and cannot be
understood is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpsql.errors import LedgerError
from dpsql.ledger import ceilings
from dpsql.ledger.anchor import Anchor
from dpsql.ledger.ceilings import Held, merged
from dpsql.ledger.chain import canonical, parse
from dpsql.ledger.heads import Head, is_digest
from dpsql.ledger.sqlite import may
from dpsql.ledger.sqlite import where as in_file
from dpsql.ledger.where import Where
from dpsql.user_state import PRIVATE_FILE, private_folder, state_directory, write_private

if TYPE_CHECKING:
    from dpsql.ledger.store import Ledger

try:
    import fcntl
except ImportError:  # Windows: two processes at one instant may keep the older of their receipts
    fcntl = None  # type: ignore[assignment]

FORMAT = "dpsql-receipt-v1"
LEDGER_NAME = 32
"""Hexadecimal digits of a ledger's name."""
_LONG = 16 * 1024

_log = logging.getLogger("dpsql")
_NOT_KEPT = (
    "warning: the receipt of an answer could not be kept (%s), so a ledger that loses entries would"
    " not be noticed; let DPSQL_STATE_DIR name a folder that you may write to"
)


class Remembered:
    """What was seen at one place; a path is that of a file. Of one in memory nothing is kept.

    `folder`: by default `receipts` in the user's state directory.
    """

    def __init__(self, place: Where | str | None, folder: Path | None = None) -> None:
        if folder is None:
            with contextlib.suppress(RuntimeError):  # there is no home
                folder = state_directory() / "receipts"
        self.place = place if isinstance(place, Where) else in_file(place)
        self._folder = folder
        self._last: Anchor | None = None
        self._warned = False

    def of_ledger(self, name: str) -> Anchor | None:
        """The newest receipt of a ledger. LedgerError `receipt-unreadable`."""
        found = self._read(f"{name}.json")
        return None if found is None else _anchor(found)

    def here(self) -> Anchor | None:
        """The newest receipt of the ledger that lay here. LedgerError `receipt-unreadable`."""
        found = None if self.place.key is None else self._read(_place(self.place.key))
        return None if found is None else self.of_ledger(_name(found)) or _anchor(found)

    def known(self, ledger: str) -> Held:
        """What this user knows that a ledger's budgets held. LedgerError `receipt-unreadable`."""
        return merged(*(seen.held for seen in self._seen(ledger)))

    def require_ledger(self) -> None:
        """LedgerError `ledger-gone` if a ledger was seen here and there is none now."""
        if self.place.key is None or self.place.holds():
            return
        seen = self.here()
        if seen is not None:
            raise _gone(self.place.name, seen)

    def require_shown(self, ledger: Ledger) -> None:
        """LedgerError `ledger-shows-less` or `ledger-another`, if it is not what was seen."""
        if self.place.key is None:
            return
        name = ledger.name()
        for seen in self._seen(name):
            if not ledger.losses.shows(seen):
                told = replace(seen, held=ledger.losses.unknown(seen.held))
                raise (_less if seen.ledger == name else _another)(self.place.name, told)

    def heads(self, ledger: str) -> list[Head]:
        """The same receipts for `verify`; `ledger` is the name of the one to be verified."""
        return [Head.of(f"receipt {seen}, seen by this user", seen) for seen in self._seen(ledger)]

    def keep(self, anchor: Anchor) -> None:
        """Remember a receipt, unless a newer one of its ledger is remembered. Never fails."""
        if anchor == self._last:
            return
        try:
            self._keep(anchor, durable=False)
        except (OSError, LedgerError) as problem:
            if not self._warned:
                _log.warning(_NOT_KEPT, getattr(problem, "strerror", None) or problem)
            self._warned = True
            return
        self._last = anchor

    def promise(self, anchor: Anchor) -> None:
        """Remember, durably, what budgets are about to hold. LedgerError `grant-not-kept`."""
        try:
            kept = self.place.key is None or self._keep(anchor, durable=True)
        except OSError:
            kept = False
        if not kept:
            raise LedgerError(
                "the grant cannot be remembered outside of the ledger; nothing was granted",
                code="grant-not-kept",
                hint="let this user write to its state directory, or name another by "
                "DPSQL_STATE_DIR: if the ledger were lost, the grant would be unknown",
            )

    def _keep(self, anchor: Anchor, *, durable: bool) -> bool:
        if self.place.key is None or self._folder is None:
            return False
        folder = private_folder(self._folder)
        with _one_at_a_time(folder):
            file, known = folder / f"{anchor.ledger}.json", self.of_ledger(anchor.ledger)
            before = self.here() if self._last is None else None  # of what lay here earlier
            newest = anchor if known is None or _age(known) < _age(anchor) else known
            several = [one.held for one in (known, before, anchor) if one is not None]
            newest = replace(newest, held=merged(*several))
            if newest != known:
                _append(file, _body(newest), known=known is not None, durable=durable)
            if self._last is None and (before is None or before.ledger != anchor.ledger):
                write_private(folder / _place(self.place.key), _body(newest), durable=durable)
        return True

    def forget(self) -> None:
        """For a ledger that its owner puts away on purpose: none was seen here. Never fails."""
        with contextlib.suppress(OSError, LedgerError):
            seen = self.here()
            if seen is not None and self.place.key is not None and self._folder is not None:
                (self._folder / f"{seen.ledger}.json").unlink(missing_ok=True)
                (self._folder / _place(self.place.key)).unlink(missing_ok=True)

    def _seen(self, ledger: str) -> list[Anchor]:
        found = [self.of_ledger(ledger) if is_digest(ledger, LEDGER_NAME) else None, self.here()]
        return list(dict.fromkeys(one for one in found if one is not None))

    def _read(self, name: str) -> dict[str, Any] | None:
        if self._folder is None:
            return None
        try:
            return _parsed((self._folder / name).read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, LedgerError):
            if not may(str(self._folder), os.X_OK):
                return None
            raise _unreadable(self._folder / name) from None


def _age(anchor: Anchor) -> tuple[int, int]:
    """Newer is larger: an accepted loss makes a lower number the newer one."""
    return anchor.accepted, anchor.seq


def _body(anchor: Anchor) -> bytes:
    said = {"format": FORMAT, "accepted": anchor.accepted, **anchor.to_json()}
    return canonical({**said, "held": ceilings.to_json(anchor.held)} if anchor.held else said)


def _append(file: Path, body: bytes, *, known: bool, durable: bool) -> None:
    """The newest receipt is the last whole line; a file that has grown long is begun anew.

    So is one whose last line was cut off: what is cut off next would leave that line for the last.
    A line costs some microseconds, a new file in the old one's place two milliseconds (ext4).
    """
    if not known or durable or file.stat().st_size > _LONG or not _whole(file):
        write_private(file, body + b"\n", durable=durable)
        return
    handle = os.open(file, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(handle, body + b"\n")
    finally:
        os.close(handle)


def _whole(file: Path) -> bool:
    """Whether it ends with a line; not where one was cut off, or an older dpsql wrote it."""
    with file.open("rb") as opened:
        opened.seek(-1, os.SEEK_END)
        return opened.read(1) == b"\n"


def _parsed(raw: bytes) -> dict[str, Any]:
    """The last whole line; what follows it was cut off while it was written."""
    *lines, rest = raw.split(b"\n")
    found = parse(lines[-1] if lines else rest)
    _anchor(found)
    return found


def _anchor(found: dict[str, Any]) -> Anchor:
    held = ceilings.from_json(found["held"]) if "held" in found else ()
    ledger, seq, head, accepted = (found.get(k) for k in ("ledger", "seq", "head", "accepted"))
    anchor = Anchor(ledger, seq, head, accepted, held)  # type: ignore[arg-type]
    numbers = all(type(n) is int and n >= 0 for n in (anchor.seq, anchor.accepted))
    names = is_digest(anchor.ledger, LEDGER_NAME) and is_digest(anchor.head, 64)
    fields = 6 if held else 5
    if found.get("format") != FORMAT or len(found) != fields or not (numbers and names):
        raise LedgerError("not a receipt", code="receipt-unreadable")
    return anchor


def _name(found: dict[str, Any]) -> str:
    return str(found["ledger"])


def _place(key: str) -> str:
    return f"place-{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    if fcntl is None:
        yield
        return
    handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _way(seen: Anchor) -> str:
    return (
        "put the ledger back that holds it. An owner who has lost it for good: `dpsql ledger "
        f"accept --lost {seen.ledger}:{seen}{ceilings.options(seen.held)}` goes on without, at the "
        "price of every budget"
    )


def _less(path: str, seen: Anchor) -> LedgerError:
    return LedgerError(
        f"the ledger {path} shows less than this user has seen of it: entry {seen.seq} is missing "
        "or is another one; it was restored from an older copy, cut off or rewritten, or a copy of "
        "it was used in its place",
        code="ledger-shows-less",
        hint=_way(seen),
    )


def _another(path: str, seen: Anchor) -> LedgerError:
    return LedgerError(
        f"the ledger {path} is not the one that lay there when this user saw it last (entry "
        f"{seen.seq}): what was spent on that one is not in this",
        code="ledger-another",
        hint=f"{_way(seen)}; for other data write another place under `ledger:`",
    )


def _gone(path: str, seen: Anchor) -> LedgerError:
    return LedgerError(
        f"the ledger {path} is gone: this user has seen it with {seen.seq} entries, and a new one "
        "would have forgotten what was spent",
        code="ledger-gone",
        hint=f"{_way(seen)}; for other data write another place under `ledger:`",
    )


def _unreadable(path: Path) -> LedgerError:
    return LedgerError(
        f"the remembered receipt {path} cannot be read",
        code="receipt-unreadable",
        hint="a check against nothing would always pass; if the file is damaged and you are sure "
        "of the ledger, delete it",
    )
