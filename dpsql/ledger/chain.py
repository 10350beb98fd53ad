"""Canonical bytes, links and hashes: what makes an edit of the past visible.

    hash_n = SHA-256("dpsql-ledger-v1" || hash_{n-1} || len(body_n) as 8 bytes || body_n)

An entry *is* its body: sequence number, kind and time lie inside the hashed bytes, and nothing
else about it is stored, so no column can be edited unseen (SECURITY.md). The chain is not
keyed. It shows an edit, a reordering or a deletion inside; it cannot show that the newest
entries were cut off, or that everything was rewritten: for that, compare with a head kept
elsewhere (`Ledger.verify(expect_head=...)`).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, NoReturn

from dpsql.errors import LedgerError

FORMAT = "dpsql-ledger-v1"
GENESIS = bytes(32)
"""What the first entry links to."""

Row = tuple[object, object, object, object]
"""A stored entry as the database gives it, unchecked: (seq, prev, hash, body)."""

# Built once: json.dumps and json.loads with arguments build one for every call.
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)
_CONSTANTS = (b"true", b"false", b"null")
_ALLOWED = "text, integers, lists and objects with text keys"


@dataclass(frozen=True, slots=True)
class Entry:
    """One link. `body` is the parsed JSON object, `prev` and `hash` are hexadecimal text.

    `time` is whole seconds since 1970 (UTC), never decreasing along the chain.
    """

    seq: int
    kind: str
    time: int
    body: dict[str, Any]
    prev: str
    hash: str


def canonical(body: dict[str, Any]) -> bytes:
    """The one JSON text of a body: ASCII, sorted keys, no spaces. TypeError for floats, None, bool.

    A float has more than one text and NaN has no JSON at all; amounts are decimal text.
    """
    _check(body)
    return _ENCODER.encode(body).encode("ascii")


def parse(raw: bytes) -> dict[str, Any]:
    """The body of its canonical bytes. Any other bytes are a LedgerError `ledger-broken`."""
    try:
        body = _DECODER.decode(raw.decode("ascii"))
        # The decoder refuses floats, so only these words could stand for a forbidden value.
        if any(word in raw for word in _CONSTANTS):
            _check(body)
        if isinstance(body, dict) and _ENCODER.encode(body).encode("ascii") == raw:
            return body
    except (ValueError, TypeError, RecursionError):
        pass
    raise broken("its text is not the canonical JSON of any entry")


def link(prev: bytes, body: bytes) -> bytes:
    """SHA-256 over format, previous hash, length and body (32 bytes)."""
    return hashlib.sha256(FORMAT.encode() + prev + len(body).to_bytes(8, "big") + body).digest()


def decode(row: Row) -> tuple[int, bytes, bytes, bytes]:
    """A stored row with its types checked: (seq, prev, hash, body)."""
    seq, prev, digest, body = (bytes(v) if isinstance(v, memoryview) else v for v in row)
    if not isinstance(seq, int) or isinstance(seq, bool):
        raise broken("its number is not an integer")
    if not (isinstance(prev, bytes) and isinstance(digest, bytes) and isinstance(body, bytes)):
        raise broken("its stored columns are not bytes")
    return seq, prev, digest, body


def unseal(row: Row) -> Entry:
    """The entry in a stored row: hash, canonical text and inner sequence number all checked.

    Whether it follows the entry before it is for the reader to compare (`seq`, `prev`, `time`).
    """
    seq, prev, digest, raw = decode(row)
    if link(prev, raw) != digest:
        raise broken("its hash does not fit its text", seq)
    body = parse(raw)
    kind, time = body.get("kind"), body.get("time")
    if body.get("seq") != seq or not isinstance(kind, str) or not isinstance(time, int):
        raise broken("its number, kind or time is missing or not what was hashed", seq)
    return Entry(seq, kind, time, body, prev.hex(), digest.hex())


def broken(why: str, seq: int | None = None) -> LedgerError:
    """The error for a ledger that does not verify; `seq` names the entry where known."""
    where = "an entry" if seq is None else f"entry {seq}"
    return LedgerError(
        f"the ledger does not verify: {where}: {why}",
        code="ledger-broken",
        hint="no query is answered on it; run `dpsql ledger verify` for every problem, "
        "and restore the file from a backup that verifies",
    )


def _no_float(text: str) -> NoReturn:
    raise ValueError(text)


_DECODER = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float)


def _check(value: object) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise TypeError(f"a ledger entry holds {_ALLOWED}, not a {type(key).__name__} key")
            _check(inner)
    elif isinstance(value, list):
        for inner in value:
            _check(inner)
    elif isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError(f"a ledger entry holds {_ALLOWED}, not {type(value).__name__}")
