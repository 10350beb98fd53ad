"""Signed checkpoints: the head of a ledger, on an owner's word, in a place apart from it.

A file is canonical JSON, `{"checkpoint": {...}, "signature": ...}`; signed is the checkpoint's own
canonical text after `dpsql-checkpoint-v1\\n`. Whoever trusts the key need not trust whoever holds
the ledger: a ledger that was cut off before a checkpoint, or rewritten as a whole, does not show
its head, and a checkpoint for another history cannot be made without the key.

Keys are rotated by a checkpoint signed with the old key that names the next one (`next_key`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dpsql.errors import LedgerError
from dpsql.ledger import ceilings
from dpsql.ledger.anchor import Anchor
from dpsql.ledger.ceilings import Held
from dpsql.ledger.chain import canonical, parse
from dpsql.ledger.heads import Head, is_digest
from dpsql.ledger.signing import SigningKey, signed_by
from dpsql.user_state import private_folder, write_private

FORMAT = "dpsql-checkpoint-v1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed. `time`: whole seconds since 1970 (UTC) when it was; `key`: who signed."""

    anchor: Anchor
    time: int
    key: str
    next_key: str | None = None

    def body(self) -> dict[str, Any]:
        """As it is written and signed."""
        said = {"format": FORMAT, "time": self.time, "key": self.key}
        said |= {"accepted": self.anchor.accepted, **self.anchor.to_json()}
        if self.anchor.held:
            said["held"] = ceilings.to_json(self.anchor.held)
        return said if self.next_key is None else {**said, "next_key": self.next_key}

    def message(self) -> bytes:
        """The bytes that are signed."""
        return FORMAT.encode() + b"\n" + canonical(self.body())

    @property
    def file_name(self) -> str:
        """Sorts by entry; never the name of another checkpoint."""
        seq, head = self.anchor.seq, self.anchor.head[:12]
        return f"{seq:010d}-{head}-{self.key[:8]}{'' if self.next_key is None else '-next'}.json"


@dataclass(frozen=True, slots=True)
class CheckpointFile:
    """A file in the place of checkpoints. `checkpoint` None: it is none, or its signature fails."""

    name: str
    checkpoint: Checkpoint | None


def sign(checkpoint: Checkpoint, key: SigningKey) -> bytes:
    """The file of a checkpoint."""
    return canonical({"checkpoint": checkpoint.body(), "signature": key.sign(checkpoint.message())})


def read_checkpoint(raw: bytes) -> Checkpoint | None:
    """The checkpoint in a file's bytes, if it is one and signed by the key that it names."""
    try:
        whole = parse(raw)
        body, signature = whole["checkpoint"], whole["signature"]
        checkpoint = _checkpoint(body)
    except (LedgerError, KeyError, TypeError):
        return None
    if len(whole) != 2 or checkpoint is None or checkpoint.body() != body:
        return None
    if not is_digest(signature, 128):
        return None
    return checkpoint if signed_by(checkpoint.key, checkpoint.message(), signature) else None


def read_all(place: Path) -> list[CheckpointFile]:
    """The checkpoints in a folder, or the one in a file. LedgerError `checkpoint-missing`."""
    files = sorted(place.glob("*.json")) if place.is_dir() else [place]
    try:
        found = [CheckpointFile(file.name, read_checkpoint(file.read_bytes())) for file in files]
    except OSError as problem:
        raise _missing(f"{place}: {problem.strerror}") from None
    if not found:
        raise _missing(f"{place} holds no checkpoints")
    return found


def trusted_keys(known: Iterable[str], found: Sequence[CheckpointFile]) -> set[str]:
    """These keys and those that checkpoints signed by them name as their successors."""
    keys = set(known)
    while True:
        more = {
            one.checkpoint.next_key
            for one in found
            if one.checkpoint is not None
            and one.checkpoint.key in keys
            and one.checkpoint.next_key is not None
        }
        if more <= keys:
            return keys
        keys |= more


def heads_of(found: Sequence[CheckpointFile], keys: set[str]) -> tuple[list[Head], list[str]]:
    """What the ledger must show for these checkpoints, and what is wrong with themselves."""
    heads, problems = [], []
    for one in found:
        name, checkpoint = f"checkpoint {one.name}", one.checkpoint
        if checkpoint is None:
            problems.append(f"{name}: it is no checkpoint, or was changed: its signature fails")
        elif checkpoint.key not in keys:
            problems.append(f"{name}: it is signed by {checkpoint.key}, a key that is not trusted")
        else:
            heads.append(Head.of(name, checkpoint.anchor))
    return heads, problems


def ceilings_of(found: Sequence[CheckpointFile], keys: set[str], ledger: str) -> list[Held]:
    """What checkpoints of that ledger by these keys say that its budgets held."""
    said = [one.checkpoint for one in found if one.checkpoint is not None]
    return [one.anchor.held for one in said if one.key in keys and one.anchor.ledger == ledger]


def write(place: Path, checkpoint: Checkpoint, key: SigningKey) -> Path:
    """Sign and store it with the public key beside it, durably, 0600; the file's path.

    LedgerError `checkpoint-place`.
    """
    path = place / checkpoint.file_name
    try:
        private_folder(place)
        write_private(place / f"key-{key.public[:16]}.pub", key.public_pem(), durable=True)
        write_private(path, sign(checkpoint, key), durable=True)
    except OSError as problem:
        raise LedgerError(
            f"the checkpoint cannot be written to {place}: {problem.strerror}",
            code="checkpoint-place",
            hint="give this user write permission there, or name another place",
        ) from None
    return path


def _checkpoint(body: dict[str, Any]) -> Checkpoint | None:
    held = ceilings.from_json(body["held"]) if "held" in body else ()
    anchor = Anchor(body["ledger"], body["seq"], body["head"], body["accepted"], held)
    numbers = (anchor.seq, anchor.accepted, body["time"])
    if any(type(number) is not int or number < 0 for number in numbers):
        return None
    digests = [(anchor.ledger, 32), (anchor.head, 64), (body["key"], 64)]
    if "next_key" in body:
        digests.append((body["next_key"], 64))
    if not all(is_digest(text, length) for text, length in digests):
        return None
    return Checkpoint(anchor, body["time"], body["key"], body.get("next_key"))


def _missing(why: str) -> LedgerError:
    return LedgerError(
        f"there is no checkpoint to compare with: {why}",
        code="checkpoint-missing",
        hint="`dpsql ledger checkpoint` makes one; name its file or its folder",
    )
