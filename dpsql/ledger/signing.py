"""Ed25519 keys that sign checkpoints: a private key of the owner's, a public one for everybody.

The private key is PKCS #8 PEM, 0600, in the owner's state directory: not beside the ledger, where
whoever could rewrite the one could use the other. A public key is named by its 64 hexadecimal
digits, which are short enough to be read out. Signatures are RFC 8032's, by `cryptography`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dpsql.errors import LedgerError
from dpsql.ledger.heads import is_digest
from dpsql.user_state import create_private, private_folder, state_directory, write_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


_RETIRED = "retired-"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key. Its repr and this object's show the public half alone."""

    public: str
    private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public!r})"

    def sign(self, message: bytes) -> str:
        """The signature, 128 hexadecimal digits."""
        return self.private.sign(message).hex()

    def public_pem(self) -> bytes:
        """The public key as other programs read it."""
        from cryptography.hazmat.primitives import serialization

        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )


def default_key_file() -> Path:
    """Where a user's signing key lies. LedgerError `checkpoint-key` where there is no home."""
    try:
        return state_directory() / "keys" / "checkpoint.pem"
    except RuntimeError:
        raise _bad_key("the user has no state directory", "name a file by --signing-key") from None


def load_or_create(path: Path) -> SigningKey:
    """The key in this file; a new one where there is none. LedgerError `checkpoint-key`."""
    found = load(path)
    if found is not None:
        return found
    key = generate()
    try:
        private_folder(path.parent)
        create_private(path, _pem(key))
    except FileExistsError:  # another process was first
        return load_or_create(path)
    except OSError as problem:
        raise _bad_key(f"{path}: {problem.strerror}", "name another file") from None
    return key


def generate() -> SigningKey:
    """A new key, of the system's randomness."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return _of(Ed25519PrivateKey.generate())


def retire(path: Path, old: SigningKey, following: SigningKey) -> None:
    """Put the following key in this file; of the old one the public half alone is kept beside it.

    LedgerError `checkpoint-key`.
    """
    try:
        kept = path.with_name(f"{_RETIRED}{old.public[:16]}.pub")
        write_private(kept, old.public_pem(), durable=True)
        write_private(path, _pem(following), durable=True)
    except OSError as problem:
        raise _bad_key(f"{path}: {problem.strerror}", "name another file") from None


def own_keys(path: Path) -> set[str]:
    """Whose signatures the owner of this key trusts: the key's own and its predecessors'."""
    key = load(path)
    if key is None:
        return set()
    return {key.public, *(read_public(str(old)) for old in path.parent.glob(f"{_RETIRED}*.pub"))}


def load(path: Path) -> SigningKey | None:
    """The key in this file, None if there is none. LedgerError `checkpoint-key`."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        if os.name == "posix" and path.stat().st_mode & 0o077:
            raise _bad_key(f"{path} can be read by others", f"chmod 600 {path}, or use another")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise _bad_key(f"{path}: {problem.strerror}", "name another file") from None
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise _bad_key(f"{path} holds no Ed25519 private key in PEM", "name another file")
    return _of(key)


def read_public(text: str) -> str:
    """A public key, given as 64 hexadecimal digits or a PEM file. LedgerError `checkpoint-key`."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if is_digest(text.lower(), 64):
        return text.lower()
    try:
        key = serialization.load_pem_public_key(Path(text).read_bytes())
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        hint = "give its 64 hexadecimal digits, or the file key-....pub beside the checkpoints"
        raise _bad_key("this is no Ed25519 public key", hint)
    return key.public_bytes_raw().hex()


def signed_by(public: str, message: bytes, signature: str) -> bool:
    """Whether this key made this signature of this message."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
        key.verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _of(key: Ed25519PrivateKey) -> SigningKey:
    return SigningKey(key.public_key().public_bytes_raw().hex(), key)


def _pem(key: SigningKey) -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _bad_key(why: str, hint: str) -> LedgerError:
    return LedgerError(f"the checkpoints' key: {why}", code="checkpoint-key", hint=hint)
